//! Looking after accounts: which nobody uses any more, which are to be confirmed again, and what somebody decided about each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::account::{Account, AccountKind, AccountState, AccountsReviewed};
use super::directory::Directory;
use super::error::AccessError;
use super::role::Right;

/// What is decided about an account in a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It stays as it is.
    Keep,
    /// It is not to be used for now.
    Suspend,
    /// It is over.
    Close,
}

/// A decision with its remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What.
    pub decision: Decision,
    /// Why; may be empty where the account stays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// What the last review decided about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReview {
    /// When.
    pub at: OffsetDateTime,
    /// Who.
    pub by: String,
    /// What, and why.
    pub decided: Decided,
}

impl Decision {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Keep, Self::Suspend, Self::Close];

    /// Its name in files and answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Suspend => "suspend",
            Self::Close => "close",
        }
    }

    /// The decision of that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

impl Decided {
    /// Accounts that stay as they are, without a remark.
    pub(crate) fn all_kept(names: BTreeSet<String>) -> BTreeMap<String, Self> {
        let keep = |name| {
            let remark = String::new();
            let decision = Decision::Keep;
            (name, Self { decision, remark })
        };
        names.into_iter().map(keep).collect()
    }
}

impl AccountsReviewed {
    /// The outcome of a review.
    #[must_use]
    pub fn new(decisions: BTreeMap<String, Decided>) -> Self {
        let kept = decisions
            .iter()
            .filter(|(_, one)| one.decision == Decision::Keep);
        Self {
            confirmed: kept.map(|(name, _)| name.clone()).collect(),
            decisions,
        }
    }

    /// What was decided about each account. Reviews of earlier versions of the program name those that were kept, and nothing else.
    pub(super) fn decided(self) -> BTreeMap<String, Decided> {
        let mut decisions = Decided::all_kept(self.confirmed);
        decisions.extend(self.decisions);
        decisions
    }
}

impl Directory {
    /// The active accounts that were not used for so long.
    #[must_use]
    pub fn dormant(&self, now: OffsetDateTime, after: Duration) -> Vec<&Account> {
        let is_dormant = |account: &&Account| {
            let seen = account.last_used_at.max(account.approved_at);
            account.state == AccountState::Active && seen.is_some_and(|seen| now - seen > after)
        };
        self.accounts().filter(is_dormant).collect()
    }

    /// The dormant accounts that are to be suspended: not the exempt ones, and not the last active administrator, who is the one that was used last. Longest unused first.
    #[must_use]
    pub fn dormant_to_suspend(
        &self,
        now: OffsetDateTime,
        after: Duration,
        exempt: &BTreeSet<String>,
    ) -> Vec<&Account> {
        let mut dormant = self.dormant(now, after);
        dormant.retain(|account| !exempt.contains(&account.name));
        dormant.sort_by_key(|account| account.last_used_at.max(account.approved_at));
        self.but_the_last_administrator(dormant)
    }

    /// The active accounts that nobody confirmed for so long, which are to be suspended: not the last active administrator, who is the one that was
    /// confirmed last. Longest unconfirmed first.
    #[must_use]
    pub fn unreviewed_to_suspend(&self, now: OffsetDateTime, after: Duration) -> Vec<&Account> {
        let mut late = self.due_for_review(now, after);
        late.retain(|account| account.state == AccountState::Active);
        late.sort_by_key(|account| account.reviewed_at.max(account.approved_at));
        self.but_the_last_administrator(late)
    }

    /// Somebody must be left who can resume the others.
    fn but_the_last_administrator<'a>(&self, mut accounts: Vec<&'a Account>) -> Vec<&'a Account> {
        let mut administrators = self.persons_with(Right::ManagePeople);
        accounts.retain(|account| {
            if !is_administrator(account) {
                return true;
            }
            let is_last = administrators <= 1;
            if !is_last {
                administrators -= 1;
            }
            !is_last
        });
        accounts
    }

    /// The accounts that were not confirmed for so long: the list of the yearly review.
    #[must_use]
    pub fn due_for_review(&self, now: OffsetDateTime, after: Duration) -> Vec<&Account> {
        let is_due = |account: &&Account| {
            let confirmed = account.reviewed_at.max(account.approved_at);
            account.is_open() && confirmed.is_some_and(|confirmed| now - confirmed > after)
        };
        self.accounts().filter(is_due).collect()
    }

    /// Whether `by` may decide so in a review.
    ///
    /// # Errors
    /// [`AccessError`]: an account that is not there, the own one, no remark where one is wanted, or too few administrators would be left.
    pub fn check_review(
        &self,
        decisions: &BTreeMap<String, Decided>,
        by: &str,
    ) -> Result<(), AccessError> {
        for (name, decided) in decisions {
            if self.account(name).is_none_or(|one| !one.is_open()) {
                return Err(AccessError::NoAccount { name: name.clone() });
            }
            if name == by {
                let person = name.clone();
                return Err(AccessError::SamePerson { person });
            }
            if decided.decision != Decision::Keep && decided.remark.trim().is_empty() {
                return Err(AccessError::NoReason);
            }
        }
        let goes = |name: &str| {
            let decided = decisions.get(name);
            decided.is_some_and(|one| one.decision != Decision::Keep)
        };
        let administrators = || self.accounts().filter(|one| is_administrator(one));
        let left = administrators().filter(|one| !goes(&one.name)).count();
        if left < ADMINISTRATORS_MIN && left < administrators().count() {
            return Err(AccessError::TooFewAdministrators);
        }
        Ok(())
    }
}

fn is_administrator(account: &Account) -> bool {
    account.facts.kind == AccountKind::Person && account.may(Right::ManagePeople)
}

/// 000–002: `B08`.
pub(crate) const ADMINISTRATORS_MIN: usize = 2;

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
