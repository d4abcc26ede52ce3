//! Reads what is known of each live chain: its newest token, judged as a verifier would, and everything that the token rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;

use formats::id::BatchId;
use formats::segment::Frame;
use formats::tsp::TimeStampToken;
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::finding::{Place, Severity, path as path_codes};
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::KnownDigests;
use verifier::timestamp::{Standing, TimestampReport, verify_token_standing};
use verifier::verdict::Conclusion;

use super::facts::{ChainFacts, End, EndReason, Lack, TokenFacts};
use super::unproven;
use crate::evidence::log::FrameSource;
use crate::store::StoreError;
use crate::store::catalog::{BatchEntry, Catalog, ChainHead};
use crate::tsa::material::{Collected, Gap, GapKind, missing_or_provisional};

/// What tokens are judged by.
#[derive(Debug, Clone, Copy)]
pub struct JudgedBy<'a> {
    /// The trust anchors.
    pub anchors: &'a [TrustAnchor],
    /// The policy.
    pub policy: &'a Policy,
    /// As of when.
    pub now: OffsetDateTime,
}

/// The facts of every live chain, oldest first.
///
/// # Errors
/// [`StoreError`] when the index or a token cannot be read on any copy.
pub fn gather(
    catalog: &Catalog,
    frames: &(dyn FrameSource + Sync),
    by: JudgedBy<'_>,
) -> Result<Vec<ChainFacts>, StoreError> {
    let mut heads = catalog.heads()?;
    heads.retain(|head| head.live > 0);
    // Chains that were renewed together share their newest token.
    let newest: BTreeSet<BatchId> = heads.iter().map(ChainHead::newest).collect();
    let mut entries = Vec::new();
    for batch in newest {
        entries.extend(catalog.batch(batch)?);
    }
    let tokens = judge_all(catalog, frames, &entries, by)?;
    let mut chains = Vec::new();
    for head in heads {
        let batch = head.newest();
        let Some(newest) = tokens.get(&batch).cloned() else {
            continue;
        };
        chains.push(ChainFacts {
            head: head.entry.batch,
            track: head.track,
            algorithm: head.entry.algorithm,
            live: head.live,
            started_at: head.entry.stamped_at,
            newest_batch: batch,
            newest,
            unproven: 0,
        });
    }
    let is_lost = |chain: &ChainFacts| chain.newest.first_end().is_some_and(|end| end.at < by.now);
    unproven::count(&mut chains, catalog, frames, &is_lost)?;
    Ok(chains)
}

/// Judges the tokens of these batches, each from its own bytes, on all processors: with a batch a day they become thousands.
fn judge_all(
    catalog: &Catalog,
    frames: &(dyn FrameSource + Sync),
    entries: &[BatchEntry],
    by: JudgedBy<'_>,
) -> Result<BTreeMap<BatchId, TokenFacts>, StoreError> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = entries.len().div_ceil(threads).max(1);
    let judge = |part: &[BatchEntry]| -> Result<Vec<(BatchId, TokenFacts)>, StoreError> {
        let facts = part
            .iter()
            .map(|entry| Ok((entry.batch, token_facts(catalog, frames, entry, by)?)));
        facts.collect()
    };
    thread::scope(|scope| {
        let parts = entries.chunks(share);
        let workers: Vec<_> = parts.map(|part| scope.spawn(move || judge(part))).collect();
        let mut tokens = BTreeMap::new();
        for worker in workers {
            let judged = worker.join();
            tokens.extend(judged.unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(tokens)
    })
}

/// Reads and judges the token of a batch.
pub(in crate::evidence) fn token_facts(
    catalog: &Catalog,
    frames: &dyn FrameSource,
    entry: &BatchEntry,
    by: JudgedBy<'_>,
) -> Result<TokenFacts, StoreError> {
    let Frame::ArchiveTimeStamp(stamp) = frames.read(entry.address)? else {
        let address = entry.address;
        return Err(StoreError::NotFound { address });
    };
    let mut collected = Collected::default();
    for address in catalog.material_of(entry.batch)? {
        if let Frame::ValidationMaterial(material) = frames.read(address)? {
            collected.certificates.extend(material.certificates);
            collected.crls.extend(material.crls);
            collected.ocsp_responses.extend(material.ocsp_responses);
        }
    }
    let context = Context {
        anchors: by.anchors,
        certificates: &collected.certificates,
        crls: &collected.crls,
        ocsp_responses: &collected.ocsp_responses,
        policy: by.policy,
        time: by.now,
        cache: None,
        registry: None,
    };
    let mut facts = TokenFacts::judge(&stamp.token, &context);
    facts.stamped_at = entry.stamped_at;
    facts.tsa.clone_from(&entry.tsa);
    let anchors = by.anchors.iter();
    let anchors: Vec<Vec<u8>> = anchors.map(|one| one.certificate().to_vec()).collect();
    let gaps = missing_or_provisional(&stamp.token, &collected, &anchors, by.now);
    let lacks = gaps
        .into_iter()
        .filter_map(|gap| lack(gap, entry.stamped_at));
    facts.lacks = lacks.collect();
    Ok(facts)
}

impl TokenFacts {
    /// Judges a token by itself: that its tree leads to it is the business of verification.
    ///
    /// Where it does not pass as of now, it is judged once more as of its own time: what it rested on then is known, with its end.
    #[must_use]
    pub fn judge(token: &[u8], context: &Context<'_>) -> Self {
        let parsed = TimeStampToken::parse(token).ok();
        let imprint = parsed.as_ref().and_then(|token| token.info.imprint.value());
        let data = KnownDigests::computed("imprint", imprint.into_iter().collect());
        let judge = |judged_at| {
            let standing = Standing {
                judged_at,
                protected: false,
            };
            verify_token_standing(token, Some(&data), standing, context, &Place::root())
        };
        let now = judge(context.time);
        let mut facts = Self {
            stamped_at: now.time().unwrap_or(OffsetDateTime::UNIX_EPOCH),
            tsa: String::new(),
            ends: ends(&now),
            doubt: None,
            lacks: Vec::new(),
        };
        if now.judgement.is_passed() {
            return facts;
        }
        let then = judge(facts.stamped_at);
        facts.ends = ends(&then);
        let ended = facts.first_end().is_some_and(|end| end.at < context.time);
        if ended && then.judgement.is_passed() {
            return facts;
        }
        let code = reason(&now);
        let definite = now.judgement.conclusion() == Conclusion::TotalFailed
            || now.has(path_codes::CERTIFICATE_REVOKED);
        if definite {
            facts.ends.push(End {
                at: facts.stamped_at,
                reason: EndReason::DoesNotVerify(code),
                source: "verifier".to_owned(),
            });
            facts.ends.sort();
        } else {
            facts.doubt = Some(code);
        }
        facts
    }
}

/// What has to be asked for, and from when; `None` where nobody is named who could be asked.
fn lack(gap: Gap, stamped_at: OffsetDateTime) -> Option<Lack> {
    let (issued, since) = match gap.kind {
        GapKind::Provisional {
            issued,
            next_update,
        } => (Some(issued), next_update.unwrap_or(stamped_at)),
        GapKind::Missing => (None, stamped_at),
        GapKind::IssuerMissing if gap.worth_asking => (None, stamped_at),
        GapKind::IssuerMissing => return None,
    };
    Some(Lack {
        certificate: gap.certificate,
        issued,
        since,
    })
}

fn ends(report: &TimestampReport) -> Vec<End> {
    let mut ends: Vec<End> = report.ends.iter().filter_map(End::of).collect();
    ends.sort();
    ends.dedup();
    ends
}

/// The code of the gravest finding.
fn reason(report: &TimestampReport) -> String {
    report
        .findings
        .iter()
        .find(|finding| finding.severity() == Severity::Error)
        .map_or("NO_CONCLUSION", |finding| finding.code().id())
        .to_owned()
}
