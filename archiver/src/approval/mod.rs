//! Acts that take two people: one asks and says why, another one approves.
//!
//! Accounts and releases from quarantine share these rules. They are decided here, with the time, the accounts and what waits as arguments; each part of the
//! program records its own events, so what an archive holds of earlier requests is read as it always was. What nobody decided in time is not decided any more.

use formats::id::EventId;
use time::{Duration, OffsetDateTime};

use crate::access::{AccessError, AccountKind, Directory, Right};
use crate::archive::Archive;

/// What was asked for and waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<T> {
    /// The event that asked.
    pub id: EventId,
    /// What shall be done.
    pub what: T,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: OffsetDateTime,
}

/// How long something waits, and what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clockwork {
    /// Now.
    pub now: OffsetDateTime,
    /// After so long a request is over.
    pub expires_after: Duration,
}

/// How a request that was not approved ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Whoever asked took it back.
    Withdrawn,
    /// Somebody else said no.
    Refused,
}

impl Clockwork {
    /// Those of an archive.
    #[must_use]
    pub fn of(archive: &Archive) -> Self {
        Self {
            now: archive.environment().clock.now(),
            expires_after: Duration::days(archive.config().accounts.approval_days.into()),
        }
    }
}

impl<T> Waiting<T> {
    /// When it is over.
    #[must_use]
    pub fn expires_at(&self, clockwork: Clockwork) -> OffsetDateTime {
        self.requested_at.saturating_add(clockwork.expires_after)
    }

    /// Whether it still waits.
    #[must_use]
    pub fn is_open(&self, clockwork: Clockwork) -> bool {
        clockwork.now < self.expires_at(clockwork)
    }

    /// Whether somebody may approve it now, by whom it takes this right to ask for it and to approve it.
    ///
    /// # Errors
    /// [`AccessError`]: it is over, the same person asked for it, or whoever asked could not ask for it any more.
    pub fn check_approval(
        &self,
        approver: &str,
        right: Right,
        directory: &Directory,
        clockwork: Clockwork,
    ) -> Result<(), AccessError> {
        if !self.is_open(clockwork) {
            return Err(AccessError::RequestExpired { request: self.id });
        }
        let is_allowed = |name: &str| {
            let account = directory.account(name);
            account.is_some_and(|one| one.facts.kind == AccountKind::Person && one.may(right))
        };
        if self.requested_by == approver || !is_allowed(approver) {
            let person = approver.to_owned();
            return Err(AccessError::SamePerson { person });
        }
        if !is_allowed(&self.requested_by) {
            let person = self.requested_by.clone();
            return Err(AccessError::RequesterLost { person });
        }
        Ok(())
    }

    /// What it is when this person ends it without an approval.
    #[must_use]
    pub fn ended_by(&self, person: &str) -> Ending {
        if self.requested_by == person {
            Ending::Withdrawn
        } else {
            Ending::Refused
        }
    }
}

impl Ending {
    /// Its name in the audit trail.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
