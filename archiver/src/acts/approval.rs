//! Everything that waits for a second person, in one list.

use formats::id::{EventId, VersionId};
use time::OffsetDateTime;

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::directory::AccountChange;
use crate::access::{AccountKind, Right};
use crate::approval::{Clockwork, Waiting};
use crate::audit::Act;

/// What shall be done when it is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// An account is made, or changed.
    Account(AccountChange),
    /// A record is released from quarantine.
    Release(VersionId),
}

/// What waits, as it is listed.
#[derive(Debug, Clone)]
pub struct AwaitedAct {
    /// The request.
    pub waiting: Waiting<Awaited>,
    /// Until when it may be approved.
    pub expires_at: OffsetDateTime,
    /// Whether whoever reads the list may refuse it, or withdraw it.
    pub may_end: bool,
    /// Whether whoever reads the list may approve it.
    pub may_approve: bool,
}

impl Desk {
    /// How long requests wait, and what time it is.
    #[must_use]
    pub fn clockwork(&self) -> Clockwork {
        Clockwork::of(&self.archive)
    }

    /// Everything that waits for a second person and that the account may see, oldest first.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] for whoever sees neither accounts nor the quarantine.
    pub fn read_approvals(&self, actor: &Actor) -> Result<Vec<AwaitedAct>, Refusal> {
        let sees_records = actor.may(Right::ReadQuarantine);
        let right = match sees_records {
            true => Right::ReadQuarantine,
            false => Right::ReadPeople,
        };
        let subject = Subject::default();
        self.act(actor, Act::ApprovalsRead, right, subject, |subject| {
            let clockwork = self.clockwork();
            let mut awaited = Vec::new();
            if actor.may(Right::ReadPeople) {
                let people = self.people();
                for one in people.directory().waiting(clockwork) {
                    let what = Awaited::Account(one.what.clone());
                    awaited.push(self.listed(actor, one, what, Right::ManagePeople));
                }
            }
            if sees_records {
                for held in self.archive.quarantined()? {
                    let hit = self.archive.catalog().version(held.version)?;
                    let is_seen = hit.is_some_and(|hit| actor.reaches(&hit));
                    let open = held.request.filter(|one| is_seen && one.is_open(clockwork));
                    if let Some(one) = open {
                        let what = Awaited::Release(one.what);
                        awaited.push(self.listed(actor, &one, what, Right::ManageRecords));
                    }
                }
            }
            awaited.sort_by_key(|one| one.waiting.id);
            subject.fact("found", awaited.len());
            Ok(awaited)
        })
    }

    fn listed<T>(
        &self,
        actor: &Actor,
        one: &Waiting<T>,
        what: Awaited,
        right: Right,
    ) -> AwaitedAct {
        let may_end = actor.may(right) && actor.kind == AccountKind::Person;
        let is_about_oneself =
            matches!(&what, Awaited::Account(change) if change.account == actor.account);
        AwaitedAct {
            expires_at: one.expires_at(self.clockwork()),
            may_end,
            may_approve: may_end && one.requested_by != actor.account && !is_about_oneself,
            waiting: Waiting {
                id: one.id,
                what,
                reason: one.reason.clone(),
                requested_by: one.requested_by.clone(),
                requested_at: one.requested_at,
            },
        }
    }
}

/// Two people are two persons: a system decides nothing for which it takes two.
pub(super) fn is_person(actor: &Actor, right: Right) -> Result<(), Refusal> {
    match actor.kind {
        AccountKind::Person => Ok(()),
        AccountKind::System => Err(Refusal::NotAllowed { right }),
    }
}

/// A request of a list by its id.
pub(super) fn find<T>(
    mut waiting: impl Iterator<Item = Waiting<T>>,
    request: EventId,
) -> Result<Waiting<T>, Refusal> {
    waiting
        .find(|one| one.id == request)
        .ok_or(Refusal::NotFound)
}
