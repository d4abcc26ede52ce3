//! Searching: everything that matches, or a page of it.
//!
//! With columns ([`Catalog::keep_columns`]) only entries that may match are opened; without, all. The answers are the same.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use formats::id::VersionId;

use super::columns::Candidate;
use super::fold::Fold;
use super::matching::Matcher;
use super::visiting::{stamp, visit};
use super::{Catalog, Hit, Query, key};
use crate::store::StoreError;

/// Some of the hits of a search, in the order of record ids and versions (that is, of deposit), or against it ([`Query::newest_first`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The hits. Fewer than asked for only where none follow, or where one was destroyed at this moment.
    pub hits: Vec<Hit>,
    /// Where the next page begins. `None`: this was the last one.
    pub next: Option<Cursor>,
    /// How many versions match, those of all pages together.
    pub total: u64,
}

/// A place among the hits of a search: behind a version. It names nothing but that version, so it stays good while versions are added, and with
/// any question; what may be seen is said by the question alone. Its text is that of the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(VersionId);

/// The text is no place among the hits of a search. Search from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCursor;

impl Catalog {
    /// What matches all conditions of the query, in the order of record ids and versions (that is, in the order of deposit), or against it
    /// ([`Query::newest_first`]).
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; [`StoreError::IndexFilling`] before the index is whole.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, StoreError> {
        let mut hits = Vec::new();
        let hits_max = query.hits_max.unwrap_or(usize::MAX);
        if query.newest_first {
            return Ok(self.search_page(query, None, hits_max)?.hits);
        }
        if hits_max > 0 {
            self.go_through(query, hits_max, &mut |hit| {
                hits.push(hit);
                hits.len() < hits_max
            })?;
        }
        Ok(hits)
    }

    /// The next hits behind a place, at most `limit`, and how many there are in all; [`Query::hits_max`] does not count. Who follows the
    /// places meets each version once that matches all the while; one that is added meanwhile is met where its id is still ahead.
    ///
    /// With columns only the hits of the page are opened, unless the question is about texts that are not in them. Without a limit above 0 hits are
    /// counted alone.
    ///
    /// # Errors
    /// As [`Catalog::search`].
    pub fn search_page(
        &self,
        query: &Query,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<SearchPage, StoreError> {
        let after = after.map(|cursor| cursor.0);
        let fold = self.whole()?;
        let Some(selection) = fold.columns.page(query, after, limit) else {
            return match query.newest_first {
                false => self.page_by_going(query, after, limit),
                true => self.page_from_the_end(query, after, limit),
            };
        };
        let last = selection.candidates.last().filter(|_| selection.has_more);
        let mut page = SearchPage {
            hits: Vec::new(),
            next: last.map(|candidate| Cursor(candidate.version)),
            total: selection.total,
        };
        let matcher = Matcher::new(query);
        for candidate in &selection.candidates {
            page.hits.extend(hit_of(&fold, query, &matcher, candidate)?);
        }
        Ok(page)
    }

    /// A page without columns.
    fn page_by_going(
        &self,
        query: &Query,
        after: Option<VersionId>,
        limit: usize,
    ) -> Result<SearchPage, StoreError> {
        let (mut hits, mut total, mut has_more) = (Vec::new(), 0, false);
        self.go_through(query, usize::MAX, &mut |hit: Hit| {
            total += 1;
            if after.is_none_or(|after| hit.version > after) {
                if hits.len() < limit {
                    hits.push(hit);
                } else {
                    has_more = true;
                }
            }
            true
        })?;
        let last = hits.last().filter(|_| has_more);
        let next = last.map(|hit| Cursor(hit.version));
        Ok(SearchPage { hits, next, total })
    }

    /// The same with the latest first: the index is gone through in its own order, and the last that fit are kept.
    fn page_from_the_end(
        &self,
        query: &Query,
        before: Option<VersionId>,
        limit: usize,
    ) -> Result<SearchPage, StoreError> {
        let (mut latest, mut total, mut has_more) = (VecDeque::new(), 0, false);
        let in_order = Query {
            newest_first: false,
            ..query.clone()
        };
        self.go_through(&in_order, usize::MAX, &mut |hit: Hit| {
            total += 1;
            if before.is_none_or(|before| hit.version < before) {
                latest.push_back(hit);
                if latest.len() > limit {
                    latest.pop_front();
                    has_more = true;
                }
            }
            true
        })?;
        let last = latest.front().filter(|_| has_more);
        let next = last.map(|hit| Cursor(hit.version));
        let hits = latest.into_iter().rev().collect();
        Ok(SearchPage { hits, next, total })
    }

    /// Calls `each` for what matches until it answers `false`, which it does after `hits_max` hits.
    fn go_through(
        &self,
        query: &Query,
        hits_max: usize,
        each: &mut dyn FnMut(Hit) -> bool,
    ) -> Result<(), StoreError> {
        let fold = self.whole()?;
        let Some(candidates) = fold.columns.candidates(query, hits_max) else {
            return visit(&fold, query, each);
        };
        let matcher = Matcher::new(query);
        for candidate in &candidates {
            if let Some(hit) = hit_of(&fold, query, &matcher, candidate)?
                && !each(hit)
            {
                break;
            }
        }
        Ok(())
    }
}

/// Opens an entry, and gives it if it is wanted: the columns may not know all that is asked, and a version may have been destroyed since.
fn hit_of(
    fold: &Fold,
    query: &Query,
    matcher: &Matcher<'_>,
    candidate: &Candidate,
) -> Result<Option<Hit>, StoreError> {
    let version = candidate.version;
    // No entry of a version ever goes.
    let value = fold
        .get(&key::of_version(key::VERSIONS, version))?
        .ok_or_else(|| fold.damaged())?;
    let mut hit = Hit::decode(version, &value).map_err(|_| fold.damaged())?;
    hit.superseded = candidate.is_superseded;
    let is_wanted = matcher.matches(&hit) && stamp(fold, query, &mut hit)?;
    Ok(is_wanted.then_some(hit))
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        text.parse().map(Self).map_err(|_| InvalidCursor)
    }
}

impl fmt::Display for InvalidCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a place among the hits of a search; search from the start")
    }
}

impl std::error::Error for InvalidCursor {}
