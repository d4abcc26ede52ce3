//! Records in quarantine: seen, and released by two different people.

use formats::id::{EventId, VersionId};

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::people::given;
use super::refusal::Refusal;
use crate::access::{AccessError, AccountKind, Right};
use crate::audit::Act;
use crate::record::quarantine::{ReleaseRequest, Withheld};
use crate::store::catalog::Hit;

/// A record in quarantine, as it is shown.
#[derive(Debug, Clone)]
pub struct HeldRecord {
    /// What is known of the version.
    pub hit: Hit,
    /// What was found, since when, and who asked for its release.
    pub withheld: Withheld,
}

impl Desk {
    /// The records in quarantine that the account reaches, in the order in which they came into it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_quarantine(&self, actor: &Actor) -> Result<Vec<HeldRecord>, Refusal> {
        let subject = Subject::default();
        self.act(
            actor,
            Act::QuarantineRead,
            Right::ReadQuarantine,
            subject,
            |subject| {
                let mut held = Vec::new();
                for withheld in self.archive.quarantined()? {
                    let hit = self.archive.catalog().version(withheld.version)?;
                    if let Some(hit) = hit.filter(|hit| actor.reaches(hit)) {
                        held.push(HeldRecord { hit, withheld });
                    }
                }
                subject.fact("found", held.len());
                Ok(held)
            },
        )
    }

    /// Asks for the release of a record; another person approves it. A later request takes the place of an earlier one.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Invalid`] for a record in no quarantine, [`Refusal::Access`] without a reason.
    pub fn request_release(
        &self,
        actor: &Actor,
        version: VersionId,
        reason: &str,
    ) -> Result<EventId, Refusal> {
        let mut subject = Subject::of(version);
        subject.fact("reason", reason);
        self.act(
            actor,
            Act::QuarantineRequest,
            Right::ManageRecords,
            subject,
            |subject| {
                is_person(actor)?;
                let reason = given(reason)?;
                self.reached(actor, version)?;
                let asked = self
                    .archive
                    .request_release(&actor.account, version, &reason)?;
                let request = asked.ok_or_else(not_held)?;
                subject.fact("request", request);
                Ok(request)
            },
        )
    }

    /// Releases the record that another person asked for: from then on it is handed out like any other.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a request that is none or was replaced, [`Refusal::Access`] for one's own.
    pub fn approve_release(&self, actor: &Actor, request: EventId) -> Result<VersionId, Refusal> {
        let mut subject = Subject::default();
        subject.fact("request", request);
        self.act(
            actor,
            Act::QuarantineRelease,
            Right::ManageRecords,
            subject,
            |subject| {
                is_person(actor)?;
                let (version, asked) = self.asked_release(request)?;
                self.reached(actor, version)?;
                subject.record = Some(version.to_string());
                subject.fact("reason", &asked.reason);
                subject.fact("requested-by", &asked.by);
                if asked.by == actor.account {
                    return Err(AccessError::SamePerson { person: asked.by }.into());
                }
                let people = [asked.by.as_str(), actor.account.as_str()];
                let released = self.archive.release_from_quarantine(
                    &actor.account,
                    version,
                    people,
                    &asked.reason,
                )?;
                released.map(|_| version).ok_or_else(not_held)
            },
        )
    }

    fn asked_release(&self, request: EventId) -> Result<(VersionId, ReleaseRequest), Refusal> {
        let held = self.archive.quarantined()?;
        held.into_iter()
            .filter_map(|one| Some((one.version, one.request?)))
            .find(|(_, asked)| asked.id == request)
            .ok_or(Refusal::NotFound)
    }
}

/// Two people are two persons: a system decides nothing here.
fn is_person(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        AccountKind::Person => Ok(()),
        AccountKind::System => Err(Refusal::NotAllowed {
            right: Right::ManageRecords,
        }),
    }
}

fn not_held() -> Refusal {
    Refusal::invalid(
        "version",
        "この記録は隔離されていません",
        "this record is not in quarantine",
    )
}
