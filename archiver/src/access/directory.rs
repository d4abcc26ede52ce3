//! The directory of accounts: the fold over their events, and what may be done with it next.

use std::collections::BTreeMap;

use formats::id::EventId;
use time::OffsetDateTime;

use super::account::{
    Account, AccountApproved, AccountClosed, AccountFacts, AccountKind, AccountRefused,
    AccountRequested, AccountResumed, AccountState, AccountSuspended, AccountsReviewed,
    AccountsUsed, SuspensionCause, is_account_name,
};
use super::error::AccessError;
use super::review::{Decision, LastReview};
use super::role::{Right, conflict};
use crate::approval::{Clockwork, Waiting};
use crate::event::{RecordedEvent, Topic};
use crate::store::StoreError;
use crate::store::catalog::Catalog;

/// An account as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChange {
    /// The account.
    pub account: String,
    /// As it shall be.
    pub facts: AccountFacts,
}

/// A change that was asked for and waits for a second person.
pub type PendingRequest = Waiting<AccountChange>;

/// All accounts that ever were, and what waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    accounts: BTreeMap<String, Account>,
    pending: BTreeMap<EventId, PendingRequest>,
}

impl Directory {
    /// The directory of an archive.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn of(catalog: &Catalog) -> Result<Self, StoreError> {
        let mut directory = Self::default();
        catalog.events(Topic::People, &mut |event| {
            directory.fold(&event);
            true
        })?;
        Ok(directory)
    }

    /// Takes one event in. Events of other kinds, and those that name no account, change nothing.
    pub fn fold(&mut self, event: &RecordedEvent) {
        if let Some(asked) = event.as_::<AccountRequested>() {
            self.requested(event, asked);
        } else if let Some(approved) = event.as_::<AccountApproved>() {
            self.approved(event.time, &approved);
        } else if let Some(refused) = event.as_::<AccountRefused>() {
            self.refused(&refused);
        } else if let Some(suspended) = event.as_::<AccountSuspended>() {
            self.with_open(&suspended.account, |account| {
                account.state = AccountState::Suspended;
                account.suspended = Some(suspended.cause);
            });
        } else if let Some(resumed) = event.as_::<AccountResumed>() {
            self.with_open(&resumed.account, |account| {
                account.state = AccountState::Active;
                // Whoever resumes what no review confirmed has confirmed it.
                if account.suspended == Some(SuspensionCause::Review) {
                    account.reviewed_at = account.reviewed_at.max(Some(event.time));
                }
                account.suspended = None;
                // It starts anew: it would be dormant again at once.
                account.last_used_at = account.last_used_at.max(Some(event.time));
            });
        } else if let Some(closed) = event.as_::<AccountClosed>() {
            self.with_open(&closed.account, |account| {
                account.state = AccountState::Closed;
            });
            self.pending
                .retain(|_, one| one.what.account != closed.account);
        } else if let Some(reviewed) = event.as_::<AccountsReviewed>() {
            self.reviewed(event, reviewed);
        } else if let Some(used) = event.as_::<AccountsUsed>() {
            for (name, at) in &used.last_used {
                let at = OffsetDateTime::from_unix_timestamp(*at).ok();
                self.with_open(name, |account| {
                    account.last_used_at = account.last_used_at.max(at);
                });
            }
        }
    }

    /// An account.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The system whose client certificate has this SHA-256, hexadecimal.
    #[must_use]
    pub fn system_with(&self, certificate: &str) -> Option<&Account> {
        self.accounts.values().find(|account| {
            account.facts.kind == AccountKind::System
                && account.state == AccountState::Active
                && account.facts.certificates.contains(certificate)
        })
    }

    /// The person whom the OpenID provider names so, whatever the state of the account; closed ones are over.
    #[must_use]
    pub fn person_named(&self, openid: &str) -> Option<&Account> {
        self.accounts.values().find(|account| {
            account.facts.kind == AccountKind::Person
                && account.state != AccountState::Closed
                && account.state != AccountState::Requested
                && account.facts.openid.as_deref() == Some(openid)
        })
    }

    /// What nobody decided, oldest first; also what is over.
    pub fn pending(&self) -> impl Iterator<Item = &PendingRequest> {
        self.pending.values()
    }

    /// What waits for a second person, oldest first.
    pub fn waiting(&self, clockwork: Clockwork) -> impl Iterator<Item = &PendingRequest> {
        self.pending().filter(move |one| one.is_open(clockwork))
    }

    /// Whether an account, or a change of one, may be asked for.
    ///
    /// # Errors
    /// [`AccessError`] with the reason why not.
    pub fn check_request(
        &self,
        asked: &AccountRequested,
        clockwork: Clockwork,
    ) -> Result<(), AccessError> {
        let name = &asked.account;
        // Nobody is to be taken for the program itself, which signs its own acts so.
        if !is_account_name(name) || name == PROGRAM {
            return Err(AccessError::Name { name: name.clone() });
        }
        if self
            .accounts
            .get(name)
            .is_some_and(|one| one.state == AccountState::Closed)
        {
            return Err(AccessError::NameUsed { name: name.clone() });
        }
        if self.waiting(clockwork).any(|one| one.what.account == *name) {
            return Err(AccessError::RequestPending { name: name.clone() });
        }
        if asked.reason.trim().is_empty() {
            return Err(AccessError::NoReason);
        }
        let roles: Vec<_> = asked.facts.roles.iter().copied().collect();
        if roles.is_empty() {
            return Err(AccessError::NoRole);
        }
        if let Some((one, other)) = conflict(&roles) {
            return Err(AccessError::RolesConflict { one, other });
        }
        let is_system = asked.facts.kind == AccountKind::System;
        if is_system == asked.facts.certificates.is_empty() {
            return Err(AccessError::Certificates { is_system });
        }
        let taken = asked.facts.certificates.iter().find(|certificate| {
            self.system_with(certificate)
                .is_some_and(|one| one.name != *name)
        });
        if let Some(certificate) = taken {
            return Err(AccessError::CertificateUsed {
                certificate: certificate.clone(),
            });
        }
        self.check_openid(asked, clockwork)
    }

    /// Whom the provider names is one account's, one that waits included, and a person's.
    fn check_openid(
        &self,
        asked: &AccountRequested,
        clockwork: Clockwork,
    ) -> Result<(), AccessError> {
        let Some(openid) = &asked.facts.openid else {
            return Ok(());
        };
        if asked.facts.kind == AccountKind::System {
            return Err(AccessError::OpenidOfSystem);
        }
        let of_account = self.person_named(openid).map(|one| &one.name);
        let waits = self
            .waiting(clockwork)
            .filter(|one| one.what.facts.openid.as_ref() == Some(openid));
        let mut taken = waits.map(|one| &one.what.account).chain(of_account);
        match taken.find(|name| **name != asked.account) {
            Some(_) => Err(AccessError::OpenidUsed {
                openid: openid.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The request that `approver` may approve.
    ///
    /// # Errors
    /// [`AccessError`]: no such request, it is over, the same person asked for it, whoever asked could not ask any more, or it is about the approver's own account.
    pub fn check_approval(
        &self,
        request: EventId,
        approver: &str,
        clockwork: Clockwork,
    ) -> Result<&PendingRequest, AccessError> {
        let pending = self
            .pending
            .get(&request)
            .ok_or(AccessError::NoRequest { request })?;
        if pending.what.account == approver {
            return Err(AccessError::SamePerson {
                person: approver.to_owned(),
            });
        }
        pending.check_approval(approver, Right::ManagePeople, self, clockwork)?;
        Ok(pending)
    }

    /// How many active persons may do that: two administrators are the least (000–002: `B08`).
    #[must_use]
    pub fn persons_with(&self, right: Right) -> usize {
        let is_person =
            |account: &&Account| account.facts.kind == AccountKind::Person && account.may(right);
        self.accounts.values().filter(is_person).count()
    }

    fn requested(&mut self, event: &RecordedEvent, asked: AccountRequested) {
        self.accounts
            .entry(asked.account.clone())
            .or_insert_with(|| Account {
                name: asked.account.clone(),
                facts: asked.facts.clone(),
                state: AccountState::Requested,
                suspended: None,
                requested_at: event.time,
                approved_at: None,
                reviewed_at: None,
                review: None,
                last_used_at: None,
            });
        let pending = PendingRequest {
            id: event.id,
            what: AccountChange {
                account: asked.account,
                facts: asked.facts,
            },
            reason: asked.reason,
            requested_by: event.by.clone(),
            requested_at: event.time,
        };
        self.pending.insert(event.id, pending);
    }

    fn approved(&mut self, at: OffsetDateTime, approved: &AccountApproved) {
        let Some(pending) = self.pending.remove(&approved.request) else {
            return;
        };
        self.with_open(&approved.account, |account| {
            account.facts = pending.what.facts;
            if account.state == AccountState::Requested {
                account.state = AccountState::Active;
                account.approved_at = Some(at);
            }
        });
    }

    fn reviewed(&mut self, event: &RecordedEvent, reviewed: AccountsReviewed) {
        for (name, decided) in reviewed.decided() {
            let decision = decided.decision;
            self.with_open(&name, |account| {
                match decision {
                    Decision::Keep => account.reviewed_at = Some(event.time),
                    Decision::Suspend => {
                        account.state = AccountState::Suspended;
                        account.suspended = Some(SuspensionCause::Review);
                        // Somebody has looked at it: it is not due again at once.
                        account.reviewed_at = Some(event.time);
                    }
                    Decision::Close => account.state = AccountState::Closed,
                }
                account.review = Some(LastReview {
                    at: event.time,
                    by: event.by.clone(),
                    decided,
                });
            });
            if decision == Decision::Close {
                self.pending.retain(|_, one| one.what.account != name);
            }
        }
    }

    fn refused(&mut self, refused: &AccountRefused) {
        self.pending.remove(&refused.request);
        // The name stays: a request that was refused is a fact, too. It may be asked for again.
    }

    fn with_open(&mut self, name: &str, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(name)
            && account.state != AccountState::Closed
        {
            change(account);
        }
    }
}

/// The name under which the program writes down what it did by itself.
pub(crate) const PROGRAM: &str = "archiver";

#[cfg(test)]
#[path = "directory_tests.rs"]
pub(crate) mod tests;
