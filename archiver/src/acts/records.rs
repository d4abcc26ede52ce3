//! Searching, and reading the facts of a record.

use formats::id::{RecordId, VersionId};

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::record::retrieve::OpenedVersion;
use crate::store::catalog::{Cursor, Hit, Query, ValueMatch};

/// Some of what a search found.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// The versions, in the order of the search.
    pub hits: Vec<Hit>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// What is known of one record.
#[derive(Debug)]
pub struct RecordFacts {
    /// The version that was asked for, or the newest one.
    pub version: Hit,
    /// All versions, oldest first.
    pub versions: Vec<Hit>,
    /// The exact bytes of its manifest, where it opens.
    pub manifest: Option<Vec<u8>>,
    /// SHA-256 of each object, hexadecimal, in their order.
    pub digests: Vec<String>,
    /// When its key was destroyed, where it was.
    pub destroyed_at: Option<time::OffsetDateTime>,
    /// Who stamps it until when: the chains of its evidence.
    pub chains: Vec<crate::evidence::timeline::ProofSpan>,
}

impl Desk {
    /// Searches; only what the account reaches is found.
    ///
    /// # Errors
    /// [`Refusal::Filling`] while the index is made; [`Refusal::Invalid`] for a place that is none.
    pub fn search(
        &self,
        actor: &Actor,
        query: &Query,
        (from, limit): (Option<&str>, usize),
    ) -> Result<RecordPage, Refusal> {
        let mut subject = Subject::default();
        subject.fact("query", query_text(query));
        self.act(
            actor,
            Act::RecordSearch,
            Right::Search,
            subject,
            |subject| {
                let page = self.found(actor, query, from, limit)?;
                subject.fact("found", page.total);
                Ok(page)
            },
        )
    }

    /// All that a search finds, for an export: told in the trail as such.
    ///
    /// # Errors
    /// As [`Desk::search`].
    pub fn export_search(&self, actor: &Actor, query: &Query) -> Result<Vec<Hit>, Refusal> {
        let mut subject = Subject::default();
        subject.fact("query", query_text(query));
        self.act(
            actor,
            Act::SearchExport,
            Right::Retrieve,
            subject,
            |subject| {
                let page = self.found(actor, query, None, usize::MAX)?;
                subject.fact("found", page.total);
                Ok(page.hits)
            },
        )
    }

    /// The first of what a search finds and the account reaches, at most `limit`, and how many there are in all.
    pub(super) fn found_first(
        &self,
        actor: &Actor,
        query: &Query,
        limit: usize,
    ) -> Result<(Vec<Hit>, u64), Refusal> {
        let page = self.found(actor, query, None, limit)?;
        Ok((page.hits, page.total))
    }

    fn found(
        &self,
        actor: &Actor,
        query: &Query,
        from: Option<&str>,
        limit: usize,
    ) -> Result<RecordPage, Refusal> {
        let cursor: Option<Cursor> = match from {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                Refusal::invalid(
                    "cursor",
                    "続きの位置が正しくありません。もう一度検索してください",
                    "this is no place to go on from: search again",
                )
            })?),
        };
        let query = within(actor, query);
        let page = self
            .archive
            .catalog()
            .search_page(&query, cursor.as_ref(), limit)?;
        Ok(RecordPage {
            hits: page.hits,
            total: page.total,
            next: page.next.map(|next| next.to_string()),
        })
    }

    /// The facts of a record; of its newest version, unless one is named.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for a record that the account does not reach.
    pub fn read_record(
        &self,
        actor: &Actor,
        record: RecordId,
        number: Option<u32>,
    ) -> Result<RecordFacts, Refusal> {
        let subject = Subject {
            record: Some(record.to_string()),
            ..Subject::default()
        };
        self.act(actor, Act::RecordRead, Right::Search, subject, |_| {
            let mut versions = self.archive.catalog().versions(record)?;
            // A later version may be of another class or matter.
            versions.retain(|hit| actor.reaches(hit));
            let wanted = match number {
                Some(number) => versions.iter().find(|hit| hit.version.version() == number),
                None => versions.last(),
            };
            let version = wanted.cloned().ok_or(Refusal::NotFound)?;
            self.facts(version, versions)
        })
    }

    fn facts(&self, version: Hit, versions: Vec<Hit>) -> Result<RecordFacts, Refusal> {
        let id = version.version;
        let destroyed_at = self.archive.keys().ledger().destroyed_at(id);
        let opened = self.archive.retriever().open_at(id, version.address).ok();
        let digests = opened.as_ref().map(digests).unwrap_or_default();
        let manifest = opened.map(|opened| opened.manifest().raw().to_vec());
        let chains = crate::evidence::timeline::of(&self.archive, id)?;
        Ok(RecordFacts {
            version,
            versions,
            manifest,
            digests,
            destroyed_at,
            chains,
        })
    }

    /// A version that the account reaches.
    pub(super) fn reached(&self, actor: &Actor, version: VersionId) -> Result<Hit, Refusal> {
        let hit = self.archive.catalog().version(version)?;
        hit.filter(|hit| actor.reaches(hit))
            .ok_or(Refusal::NotFound)
    }
}

fn digests(opened: &OpenedVersion<'_>) -> Vec<String> {
    let objects = opened.manifest().objects.iter();
    let sha256 = formats::digest::DigestAlgorithm::Sha256;
    objects
        .map(|object| {
            let digest = object.digests.under(sha256);
            digest
                .map(|one| hex::encode(one.as_bytes()))
                .unwrap_or_default()
        })
        .collect()
}

/// A query that finds nothing but what the account reaches.
pub(super) fn within(actor: &Actor, query: &Query) -> Query {
    Query {
        classes: actor.scope.classes.clone(),
        not_classes: actor.hidden_classes(),
        matters: actor.scope.matters.clone(),
        ..query.clone()
    }
}

/// What was searched for, in one line of the trail: only what was asked.
pub(super) fn query_text(query: &Query) -> String {
    let mut parts = Vec::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            parts.push(format!("{key}={value}"));
        }
    };
    put("date", condition(&query.date, ToString::to_string));
    put("amount", condition(&query.amount, ToString::to_string));
    put("currency", query.currency.clone());
    let other = query.counterparty.clone();
    put(
        "counterparty",
        other.map(|text| {
            if text.is_empty() {
                "none".to_owned()
            } else {
                text
            }
        }),
    );
    put("class", query.class.clone());
    put("text", query.text.clone());
    put("document-number", query.document_number.clone());
    put(
        "received",
        condition(&query.received, |at| crate::cli::query::rfc3339(*at)),
    );
    for (key, value) in &query.additional {
        put(key, Some(value.clone()));
    }
    put("all-versions", query.all_versions.then(|| "yes".to_owned()));
    parts.join(" ")
}

fn condition<T>(value: &ValueMatch<T>, text: impl Fn(&T) -> String) -> Option<String> {
    let end = |end: &Option<T>| end.as_ref().map(&text).unwrap_or_default();
    match value {
        ValueMatch::Any => None,
        ValueMatch::Missing => Some("none".to_owned()),
        ValueMatch::Between(low, high) => Some(format!("{}..{}", end(low), end(high))),
    }
}
