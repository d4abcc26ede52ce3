//! Records in quarantine: seen, and released by two different people.

use formats::id::{EventId, VersionId};

use super::actor::Actor;
use super::approval::{find, is_person};
use super::desk::{Desk, Subject};
use super::people::given;
use super::refusal::Refusal;
use crate::access::Right;
use crate::approval::Waiting;
use crate::audit::Act;
use crate::record::quarantine::Withheld;
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
                let clockwork = self.clockwork();
                for mut withheld in self.archive.quarantined()? {
                    withheld.request = withheld.request.filter(|one| one.is_open(clockwork));
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
                is_person(actor, Right::ManageRecords)?;
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
                is_person(actor, Right::ManageRecords)?;
                let asked = self.asked_release(request)?;
                let version = asked.what;
                self.reached(actor, version)?;
                subject.record = Some(version.to_string());
                subject.fact("reason", &asked.reason);
                subject.fact("requested-by", &asked.requested_by);
                let by = actor.account.as_str();
                // Whoever asked may lose the role meanwhile, but not between this and the release.
                let people = self.people();
                let directory = people.directory();
                asked.check_approval(by, Right::ManageRecords, directory, self.clockwork())?;
                let people = [asked.requested_by.as_str(), by];
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

    /// Refuses the release that was asked for; whoever asked withdraws it this way.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a request that is none or was replaced, [`Refusal::Access`] without a reason.
    pub fn refuse_release(
        &self,
        actor: &Actor,
        request: EventId,
        reason: &str,
    ) -> Result<(), Refusal> {
        let mut subject = Subject::default();
        subject.fact("request", request);
        subject.fact("reason", reason);
        let right = Right::ManageRecords;
        self.act(actor, Act::QuarantineRefuse, right, subject, |subject| {
            is_person(actor, right)?;
            let reason = given(reason)?;
            let asked = self.asked_release(request)?;
            self.reached(actor, asked.what)?;
            subject.record = Some(asked.what.to_string());
            subject.fact("ending", asked.ended_by(&actor.account).code());
            let about = (asked.what, request);
            self.archive.refuse_release(&actor.account, about, reason)?;
            Ok(())
        })
    }

    fn asked_release(&self, request: EventId) -> Result<Waiting<VersionId>, Refusal> {
        let held = self.archive.quarantined()?;
        find(held.into_iter().filter_map(|one| one.request), request)
    }
}

fn not_held() -> Refusal {
    Refusal::invalid(
        "version",
        "この記録は隔離されていません",
        "this record is not in quarantine",
    )
}
