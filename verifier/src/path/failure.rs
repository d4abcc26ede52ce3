//! Why one path does not hold.

use crate::budget::Exhausted;
use crate::finding::{Code, Finding, Place, path as code};
use crate::verdict::SubIndication;

/// A reason, with what it means for the verdict.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) finding: Finding,
    pub(super) sub_indication: SubIndication,
    /// Would the answer stay the same with more material or a newer program?
    pub(super) definite: bool,
}

impl Problem {
    /// A rule of RFC 5280 or of the purpose is broken.
    pub(super) fn rule(code: Code, title: &str) -> Self {
        Self::new(code, title, SubIndication::ChainConstraintsFailure, true)
    }

    /// Something else is wrong with the chain.
    pub(super) fn chain(code: Code, title: &str) -> Self {
        Self::new(
            code,
            title,
            SubIndication::CertificateChainGeneralFailure,
            true,
        )
    }

    /// It cannot be told.
    pub(super) fn open(code: Code, title: &str, sub_indication: SubIndication) -> Self {
        Self::new(code, title, sub_indication, false)
    }

    pub(super) fn new(
        code: Code,
        title: &str,
        sub_indication: SubIndication,
        definite: bool,
    ) -> Self {
        Self {
            finding: Finding::new(code, Place::root()).with(title),
            sub_indication,
            definite,
        }
    }

    pub(super) fn with(mut self, detail: impl std::fmt::Display) -> Self {
        self.finding = self.finding.with(detail);
        self
    }
}

/// Why validation of a path stopped.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    Problem(Box<Problem>),
    Exhausted(Exhausted),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Exhausted> for Stop {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

/// The finding for an exhausted budget.
pub(super) fn exhausted(error: Exhausted) -> Finding {
    Finding::new(code::BUDGET_EXHAUSTED, Place::root()).with(error)
}
