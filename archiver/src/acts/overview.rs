//! Reading what the archive is: classes, media, keys, system.

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::class::RegisteredClass;
use crate::evidence::calendar::gather::JudgedBy;
use crate::evidence::calendar::{Assumptions, Forecast, RenewalOptions, forecast, gather};
use crate::keys::inventory::KeyInventory;
use crate::media::{MediaLedger, MediumEntry};
use crate::store::catalog::Counts;

/// What the system page shows.
#[derive(Debug, Clone)]
pub struct SystemFacts {
    /// The id of the archive.
    pub archive: String,
    /// The version of the program.
    pub version: &'static str,
    /// Record versions, unstamped ones, batches.
    pub counts: Counts,
    /// Whether keys and data share a device: a trial.
    pub evaluation: bool,
    /// The time of the service's clock.
    pub now: time::OffsetDateTime,
}

impl Desk {
    /// The classes that the account may deposit in or search.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`].
    pub fn read_classes(&self, actor: &Actor) -> Result<Vec<RegisteredClass>, Refusal> {
        self.allowed(actor, Right::ReadClasses)?;
        let within = |class: &&RegisteredClass| {
            let classes = actor.scope.classes.as_ref();
            classes.is_none_or(|classes| classes.contains(&class.policy().id))
        };
        Ok(self
            .archive
            .classes()
            .iter()
            .filter(within)
            .cloned()
            .collect())
    }

    /// The ledger of media.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_media(&self, actor: &Actor) -> Result<Vec<MediumEntry>, Refusal> {
        self.act(
            actor,
            Act::MediaRead,
            Right::ReadMedia,
            Subject::default(),
            |_| {
                let ledger = MediaLedger::of(self.archive.catalog())?;
                Ok(ledger.all().into_iter().cloned().collect())
            },
        )
    }

    /// The inventory of keys.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_keys(&self, actor: &Actor) -> Result<KeyInventory, Refusal> {
        self.act(
            actor,
            Act::KeysRead,
            Right::ReadKeys,
            Subject::default(),
            |_| Ok(self.archive.key_inventory()?),
        )
    }

    /// What of today's evidence ends when in thirty years, and what will be done before.
    ///
    /// # Errors
    /// [`Refusal`]: a token cannot be read.
    pub fn read_forecast(&self, actor: &Actor) -> Result<Forecast, Refusal> {
        self.allowed(actor, Right::ReadJobs)?;
        let anchors = self.archive.trust()?;
        let now = self.now();
        let by = JudgedBy {
            anchors: &anchors,
            policy: self.archive.policy(),
            now,
        };
        let chains = gather(self.archive.catalog(), self.archive.store(), by)?;
        let options = RenewalOptions::from(&self.archive.config().renewal);
        let assumptions = Assumptions::from_facts(&chains);
        let until = now.saturating_add(time::Duration::days(FORECAST_DAYS));
        let policy = self.archive.policy();
        Ok(forecast(&chains, policy, &options, assumptions, now, until))
    }

    /// What the system is and how it stands.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_system(&self, actor: &Actor) -> Result<SystemFacts, Refusal> {
        self.allowed(actor, Right::ReadSystem)?;
        Ok(SystemFacts {
            archive: self.archive.config().archive.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            counts: self.archive.catalog().counts()?,
            evaluation: self.archive.notice().is_some(),
            now: self.now(),
        })
    }

    /// For what is read again and again and tells nothing of any record: only refusals are recorded.
    pub(super) fn allowed(&self, actor: &Actor, right: Right) -> Result<(), Refusal> {
        self.working()?;
        if actor.may(right) {
            return Ok(());
        }
        self.act(actor, Act::ApiDenied, right, Subject::default(), |_| Ok(()))
    }
}

/// Thirty years.
const FORECAST_DAYS: i64 = 30 * 365;
