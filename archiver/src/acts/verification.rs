//! Verifying: one version, or all that a search finds.

use std::num::NonZeroUsize;

use formats::id::VersionId;
use time::OffsetDateTime;
use verifier::bulk::Cache;
use verifier::context::Context;

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::records::{query_text, within};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::cli::lang::Lang;
use crate::evidence::verify_records::{
    Outcome, RecordVerdict, RecordVerifier, VerifyError, VerifySummary,
};
use crate::store::catalog::{Hit, Query};

/// What was found about one version.
#[derive(Debug, Clone)]
pub struct VerdictRow {
    /// The version as the index knows it.
    pub hit: Hit,
    /// `passed`, `unstamped`, `not-passed`, `unreadable`, `destroyed`, `no-evidence`.
    pub result: &'static str,
    /// Whether it, or its evidence, is not what it was.
    pub is_integrity_failure: bool,
    /// Since when it is proven to exist.
    pub existence: Option<OffsetDateTime>,
    /// In words, where it did not pass.
    pub text: String,
}

/// All of a verification.
#[derive(Debug, Clone)]
pub struct VerdictTable {
    /// When it was made.
    pub verified_at: OffsetDateTime,
    /// One row for each version, in the order of the search.
    pub rows: Vec<VerdictRow>,
    /// The rows, counted.
    pub summary: VerifySummary,
}

impl Desk {
    /// Verifies one version now: its content against its manifest, and its evidence as an outsider would judge it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; what is wrong with the record is a verdict.
    pub fn verify_version(
        &self,
        actor: &Actor,
        version: VersionId,
        lang: Lang,
    ) -> Result<VerdictTable, Refusal> {
        let subject = Subject::of(version);
        self.act(
            actor,
            Act::RecordVerify,
            Right::Verify,
            subject,
            |subject| {
                let hit = self.reached(actor, version)?;
                let table = self.verify(vec![hit], lang)?;
                if let Some(row) = table.rows.first() {
                    subject.fact("result", row.result);
                }
                Ok(table)
            },
        )
    }

    /// Verifies all that a search finds and the account reaches (施行規則4①: any period inside a taxation period).
    ///
    /// # Errors
    /// [`Refusal::Filling`]; [`Refusal::Invalid`] where there are more than [`VERDICTS_MAX`].
    pub fn verify_search(
        &self,
        actor: &Actor,
        query: &Query,
        lang: Lang,
    ) -> Result<VerdictTable, Refusal> {
        let mut subject = Subject::default();
        subject.fact("query", query_text(query));
        self.act(
            actor,
            Act::RecordVerify,
            Right::Verify,
            subject,
            |subject| {
                let hits = self.archive.catalog().search(&within(actor, query))?;
                if hits.len() > VERDICTS_MAX {
                    return Err(Refusal::invalid(
                        "date",
                        "一度に検証できるのは 20,000 件までです。期間を分けてください",
                        "at most 20,000 records are verified at a time: take a shorter period",
                    ));
                }
                let table = self.verify(hits, lang)?;
                subject.fact("versions", table.summary.versions);
                subject.fact("passed", table.summary.passed);
                subject.fact("failed", table.summary.failed);
                Ok(table)
            },
        )
    }

    fn verify(&self, hits: Vec<Hit>, lang: Lang) -> Result<VerdictTable, Refusal> {
        let archive = &self.archive;
        let anchors = self.archive.trust()?;
        let registry = archive.registry()?;
        let verified_at = self.now();
        let bare = Context {
            anchors: &anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy: archive.policy(),
            time: verified_at,
            cache: None,
            registry: registry.as_ref(),
        };
        let cache = Cache::new(&bare);
        let verifier = RecordVerifier {
            retriever: archive.retriever(),
            catalog: archive.catalog(),
            frames: archive.store(),
            context: Context {
                cache: Some(&cache),
                ..bare
            },
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            lang,
        };
        let versions: Vec<VersionId> = hits.iter().map(|hit| hit.version).collect();
        let mut rows = Vec::new();
        let mut rest = hits.into_iter();
        let summary = verifier
            .verify_versions(&versions, &mut |verdict| {
                if let Some(hit) = rest.next() {
                    rows.push(row(hit, verdict, lang));
                }
            })
            .map_err(|error| match error {
                VerifyError::Store(error) => error.into(),
                error @ (VerifyError::Machine(_) | VerifyError::Changed) => {
                    Refusal::Evidence(error.to_string())
                }
            })?;
        Ok(VerdictTable {
            verified_at,
            rows,
            summary,
        })
    }
}

fn row(hit: Hit, verdict: &RecordVerdict, lang: Lang) -> VerdictRow {
    let (result, existence, text) = match &verdict.outcome {
        Outcome::Passed { existence } => ("passed", *existence, String::new()),
        Outcome::Unstamped { .. } => ("unstamped", None, String::new()),
        Outcome::NotPassed { findings, .. } => {
            let texts: Vec<String> = findings
                .iter()
                .map(|finding| finding.code().id().to_owned())
                .collect();
            ("not-passed", None, texts.join(", "))
        }
        Outcome::Unreadable(error) => ("unreadable", None, error.text(lang)),
        Outcome::NoEvidence(error) => ("no-evidence", None, error.to_string()),
    };
    VerdictRow {
        hit,
        result,
        is_integrity_failure: verdict.is_integrity_failure(),
        existence,
        text,
    }
}

/// Rows of one verification: all of them are in memory.
pub const VERDICTS_MAX: usize = 20_000;
