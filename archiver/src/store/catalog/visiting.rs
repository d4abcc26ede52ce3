//! Going through the versions in order.

use std::ops::ControlFlow;

use formats::id::VersionId;

use super::fold::Fold;
use super::matching::Matcher;
use super::{Catalog, Hit, Query, Stamp, key};
use crate::store::StoreError;

impl Catalog {
    pub(super) fn visit(
        &self,
        query: &Query,
        each: &mut dyn FnMut(Hit) -> bool,
    ) -> Result<(), StoreError> {
        visit(&*self.whole()?, query, each)
    }
}

/// Calls `each` for every version of a fold that matches.
pub(super) fn visit(
    fold: &Fold,
    query: &Query,
    each: &mut dyn FnMut(Hit) -> bool,
) -> Result<(), StoreError> {
    let matcher = Matcher::new(query);
    let prefix = match query.record {
        Some(record) => key::of_record(key::VERSIONS, record),
        None => vec![key::VERSIONS],
    };
    // Whether a version is superseded is known when the next one was seen.
    let mut held: Option<Hit> = None;
    let mut failure = None;
    let mut seen = 0;
    let mut ended = true;
    let before = fold.counts().versions;
    fold.scan(&prefix, &prefix, &mut |key, value| {
        let Some(version) = key::version(key) else {
            return Ok(ControlFlow::Continue(()));
        };
        seen += 1;
        let next = Hit::decode(version, value)?;
        let Some(mut hit) = held.replace(next) else {
            return Ok(ControlFlow::Continue(()));
        };
        hit.superseded = hit.version.record() == version.record();
        let step = give(fold, query, &matcher, hit, each, &mut failure);
        if step.is_break() {
            held = None;
            ended = false;
        }
        Ok(step)
    })?;
    // An engine with damaged files may leave an entry out without a word; others may have come meanwhile.
    if ended && query.record.is_none() && !(before..=fold.counts().versions).contains(&seen) {
        return Err(fold.damaged());
    }
    if let Some(hit) = held {
        // The last one: nothing follows that a break could spare.
        let _last = give(fold, query, &matcher, hit, each, &mut failure);
    }
    failure.map_or(Ok(()), Err)
}

/// Gives a version to `each` if it matches, with its stamp.
fn give(
    fold: &Fold,
    query: &Query,
    matcher: &Matcher<'_>,
    mut hit: Hit,
    each: &mut dyn FnMut(Hit) -> bool,
    failure: &mut Option<StoreError>,
) -> ControlFlow<()> {
    if !matcher.matches(&hit) {
        return ControlFlow::Continue(());
    }
    match stamp(fold, query, &mut hit) {
        Ok(fits) if fits && !each(hit) => ControlFlow::Break(()),
        Ok(_) => ControlFlow::Continue(()),
        Err(error) => {
            *failure = Some(error);
            ControlFlow::Break(())
        }
    }
}

/// Looks for the stamp of a version, and answers whether it is one that is wanted.
pub(super) fn stamp(fold: &Fold, query: &Query, hit: &mut Hit) -> Result<bool, StoreError> {
    hit.stamp = stamp_of(fold, hit.version)?;
    let is_wanted = |batch| hit.stamp.is_some_and(|stamp| stamp.batch == batch);
    Ok(!(query.unstamped_only && hit.stamp.is_some()) && query.batch.is_none_or(is_wanted))
}

pub(super) fn stamp_of(fold: &Fold, version: VersionId) -> Result<Option<Stamp>, StoreError> {
    let value = fold.get(&key::of_version(key::STAMPS, version))?;
    value
        .map(|value| Stamp::decode(&value).map_err(|_| fold.damaged()))
        .transpose()
}
