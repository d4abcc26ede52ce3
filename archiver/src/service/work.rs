//! What the service does with the archive, as the scheduler sees it.

use std::ops::ControlFlow;

use time::OffsetDateTime;

use super::alarms::Condition;
use super::schedule::{Seen, Todo};
use crate::evidence::calendar::RenewalPlan;

/// Visits the archive.
pub trait Work {
    /// Opens the archive, asks `decide` what to do about what is seen there, does it, and releases the archive. While the index is being made
    /// `filling` is told how far it is, and can break off: then nothing is done, and the answer is `None`.
    ///
    /// # Errors
    /// [`WorkError`] when the archive could not be opened. What fails after that is part of the visit.
    fn visit(
        &mut self,
        filling: &mut dyn FnMut(IndexFilling) -> ControlFlow<()>,
        decide: &mut dyn FnMut(&Seen) -> Todo,
    ) -> Result<Option<Visit>, WorkError>;
}

/// How far an index is that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexFilling {
    /// Record versions that are in it.
    pub versions: u64,
    /// About how many the archive holds.
    pub versions_expected: u64,
}

/// What a visit found and did.
#[derive(Debug, Clone, Default)]
pub struct Visit {
    /// What waits for a timestamp after the visit.
    pub seen: Seen,
    /// Record versions that were stamped.
    pub stamped: u64,
    /// Tokens that were made, for new records and for renewals.
    pub tokens: u64,
    /// Chains that were renewed.
    pub renewed: u64,
    /// The plan as it is after the visit, if one was made.
    pub plan: Option<RenewalPlan>,
    /// What failed, in words.
    pub failures: Vec<String>,
    /// What is remembered of each authority.
    pub authorities: Vec<AuthorityState>,
    /// What is to be told of the media; `None` where that could not be found out.
    pub media: Option<Vec<Condition>>,
}

/// What is remembered of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityState {
    /// Its name.
    pub name: String,
    /// Failures since its last token.
    pub failures: u32,
    /// Why it failed last.
    pub reason: Option<String>,
    /// When its last token was accepted.
    pub last_success: Option<OffsetDateTime>,
}

/// Why the archive could not be visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkError {
    /// In words: what is wrong, and what to do.
    pub text: String,
}
