//! The answer about one version of a record, and the answers counted.

use formats::id::VersionId;
use time::OffsetDateTime;
use verifier::bulk::{Row, Status};
use verifier::finding::Finding;
use verifier::judgement::Judgement;
use verifier::verdict::{Conclusion, Integrity};

use super::assemble::AssembleError;
use crate::cli::lang::Lang;
use crate::keys::KeyError;
use crate::record::error::RetrieveError;

/// The answer about one version.
#[derive(Debug)]
pub struct RecordVerdict {
    /// The version.
    pub version: VersionId,
    /// What was found.
    pub outcome: Outcome,
    /// The same as a row of a table.
    pub row: Row,
}

/// What was found about one version.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The contents are what was deposited, and the evidence proves since when.
    Passed {
        /// The earliest proven existence.
        existence: Option<OffsetDateTime>,
    },
    /// The contents are what was deposited, and wait for a timestamp.
    Unstamped {
        /// Since when it waits.
        received_at: OffsetDateTime,
    },
    /// The verifier does not accept the evidence, or cannot decide.
    NotPassed {
        /// What it concludes.
        judgement: Judgement,
        /// Why: its findings of severity error.
        findings: Vec<Finding>,
    },
    /// The version cannot be read, or is not what was deposited.
    Unreadable(RetrieveError),
    /// The evidence record cannot be put together, or does not lead from the version to its token.
    NoEvidence(AssembleError),
}

/// All verdicts, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerifySummary {
    /// Versions that were verified.
    pub versions: u64,
    /// Passed.
    pub passed: u64,
    /// Intact and waiting for a timestamp.
    pub unstamped: u64,
    /// The verifier could not decide, with integrity not broken.
    pub indeterminate: u64,
    /// Damaged, or evidence that fails.
    pub failed: u64,
    /// Could not be read for a reason other than damage (key or medium missing).
    pub unreadable: u64,
    /// Of these, those for which the key ledger holds no key.
    pub without_key: u64,
    /// Their keys were destroyed, which is on record: nobody can read them, as was decided.
    pub destroyed: u64,
}

impl RecordVerdict {
    /// A verdict without evidence that was judged.
    pub(super) fn without_evidence(
        version: VersionId,
        outcome: Outcome,
        now: OffsetDateTime,
        lang: Lang,
    ) -> Self {
        let (text, integrity) = match &outcome {
            Outcome::Unstamped { .. } => (
                lang.pick(
                    "内容は預入時のままです。タイムスタンプを待っています",
                    "the content is what was deposited; it waits for its timestamp",
                )
                .to_owned(),
                Integrity::Intact,
            ),
            Outcome::Unreadable(error) => (error.text(lang), Integrity::Unknown),
            Outcome::NoEvidence(error) => (error.to_string(), Integrity::Unknown),
            Outcome::Passed { .. } | Outcome::NotPassed { .. } => {
                (String::new(), Integrity::Unknown)
            }
        };
        let mut row = Row::not_judged(version.to_string(), now, text);
        row.integrity = integrity.name();
        let mut verdict = Self {
            version,
            outcome,
            row,
        };
        if verdict.is_integrity_failure() {
            verdict.row.status = Status::Judged(Conclusion::TotalFailed);
            verdict.row.integrity = Integrity::Broken.name();
        }
        verdict
    }

    /// Whether this version or its evidence is not what it was: the answer for which a person has to be woken.
    #[must_use]
    pub fn is_integrity_failure(&self) -> bool {
        match &self.outcome {
            Outcome::Passed { .. } | Outcome::Unstamped { .. } => false,
            Outcome::NotPassed { judgement, .. } => judgement.integrity() == Integrity::Broken,
            Outcome::Unreadable(error) => error.is_integrity_failure(),
            Outcome::NoEvidence(error) => error.is_integrity_failure(),
        }
    }
}

impl RecordVerdict {
    /// Whether the verifier refuses the evidence, be it whole: an authority's certificate that ended without renewal, for example.
    fn is_refused(&self) -> bool {
        matches!(&self.outcome, Outcome::NotPassed { judgement, .. } if judgement.conclusion() == Conclusion::TotalFailed)
    }
}

impl VerifySummary {
    /// Whether every version passed, waits for its timestamp, or was destroyed as decided.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.failed == 0 && self.indeterminate == 0 && self.unreadable == 0
    }

    pub(super) fn count(&mut self, verdict: &RecordVerdict) {
        self.versions += 1;
        let failed = verdict.is_integrity_failure() || verdict.is_refused();
        if let Outcome::Unreadable(error) = &verdict.outcome {
            self.without_key += u64::from(!failed && error.is_without_key());
        }
        let counter = match &verdict.outcome {
            Outcome::Passed { .. } => &mut self.passed,
            Outcome::Unstamped { .. } => &mut self.unstamped,
            _ if failed => &mut self.failed,
            Outcome::Unreadable(RetrieveError::Keys(KeyError::KeyDestroyed { .. })) => {
                &mut self.destroyed
            }
            Outcome::NotPassed { .. } => &mut self.indeterminate,
            Outcome::Unreadable(_) | Outcome::NoEvidence(_) => &mut self.unreadable,
        };
        *counter += 1;
    }
}
