//! Who proves a version since when and until when: the tokens of its chains, one after the other.

use time::OffsetDateTime;

use super::calendar::gather::{JudgedBy, token_facts};
use crate::archive::{Archive, ArchiveError};
use crate::store::catalog::{BatchEntry, ChainHead};
use formats::id::VersionId;

/// One token in the proof of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofSpan {
    /// 0: the first authority's evidence. 1: that of the second, independent one.
    pub track: u8,
    /// Number of its chain in the version's sequence, from 0; a new chain has a new hash tree.
    pub chain: u32,
    /// The authority's name in the configuration.
    pub tsa: String,
    /// The time that the token states.
    pub stamped_at: OffsetDateTime,
    /// Until when it holds by itself: the first end of what it rests on; `None` where none is known.
    pub ends_at: Option<OffsetDateTime>,
    /// What ends then, as a code.
    pub end_reason: Option<&'static str>,
    /// Whether it is the newest one of its track: the one that must hold.
    pub is_newest: bool,
    /// Name of the digest algorithm of its tree.
    pub algorithm: String,
}

/// The tokens that prove a version, oldest first; none while it waits for its timestamp.
///
/// # Errors
/// [`ArchiveError`]: the index or a token cannot be read, or a file of trust anchors.
pub fn of(archive: &Archive, version: VersionId) -> Result<Vec<ProofSpan>, ArchiveError> {
    let catalog = archive.catalog();
    let anchors = archive.trust()?;
    let by = JudgedBy {
        anchors: &anchors,
        policy: archive.policy(),
        now: archive.environment().clock.now(),
    };
    let mut spans = Vec::new();
    for track in 0..TRACKS {
        let before = spans.len();
        for (number, start) in (0_u32..).zip(catalog.chains_of(version, track)?) {
            let Some(head) = catalog.head(start.head)? else {
                continue;
            };
            for entry in tokens(archive, &head)? {
                let facts = token_facts(catalog, archive.store(), &entry, by)?;
                let end = facts.first_end();
                spans.push(ProofSpan {
                    track,
                    chain: number,
                    tsa: entry.tsa.clone(),
                    stamped_at: entry.stamped_at,
                    ends_at: end.map(|end| end.at),
                    end_reason: end.map(|end| end.reason.name()),
                    is_newest: false,
                    algorithm: format!("{:?}", entry.algorithm),
                });
            }
        }
        if spans.len() > before
            && let Some(newest) = spans.last_mut()
        {
            newest.is_newest = true;
        }
    }
    Ok(spans)
}

/// The batches of a chain, oldest first.
fn tokens(archive: &Archive, head: &ChainHead) -> Result<Vec<BatchEntry>, ArchiveError> {
    let mut entries = vec![head.entry.clone()];
    for link in &head.renewals {
        entries.extend(archive.catalog().batch(link.batch)?);
    }
    Ok(entries)
}

/// Two independent authorities at most.
const TRACKS: u8 = 2;
