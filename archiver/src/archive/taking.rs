//! Taking in for the intakes of the service, and the acts of the quarantine.

use formats::id::{EventId, VersionId};

use super::{Archive, ArchiveError};
use crate::cli::lang::Lang;
use crate::intake::malware::threat_in;
use crate::intake::{Source, TakeError, TakeUnder, Taken, TakesIn};
use crate::record::deposit::DepositRequest;
use crate::record::outcome::{DepositEvent, DepositWarning};
use crate::record::quarantine::{
    QuarantineEntered, QuarantineReleaseRefused, QuarantineReleaseRequested, QuarantineReleased,
    Withheld, withheld,
};

impl TakesIn for Archive {
    fn take(&self, source: Source, under: &TakeUnder<'_>) -> Result<Taken, TakeError> {
        let class = self.classes.class(under.class);
        let class = class.map_err(|error| TakeError::later(|lang| error.text(lang)))?;
        let request = DepositRequest {
            class: class.clone(),
            given: under.given.clone(),
            depositor: under.depositor.to_owned(),
            channel: under.channel.to_owned(),
        };
        let depositor = self.depositor().map_err(|error| later(&error))?;
        let outcome = depositor.deposit(source, &request);
        let outcome = outcome.map_err(|error| TakeError::later(|lang| error.text(lang)))?;
        match outcome {
            DepositEvent::Deposited(record) => {
                let threat = self.note_threat(&request.depositor, record.version, &record.warnings);
                Ok(Taken {
                    version: record.version,
                    was_there: false,
                    threat,
                })
            }
            DepositEvent::AlreadyThere { version, .. } => Ok(Taken {
                version,
                was_there: true,
                threat: self.threat_of(version),
            }),
            DepositEvent::Failed(error) => Err(error.into()),
            DepositEvent::Skipped { .. } | DepositEvent::LeftOut { .. } => {
                Err(TakeError::later(|lang| outcome.text(lang)))
            }
        }
    }
}

impl Archive {
    /// Puts on record that a deposit went into quarantine, where its warnings say so, and gives what was found. The manifest holds it there
    /// whether or not the event could be recorded.
    pub fn note_threat(
        &self,
        by: &str,
        version: VersionId,
        warnings: &[DepositWarning],
    ) -> Option<String> {
        let threat = warnings.iter().find_map(|warning| match warning {
            DepositWarning::Quarantined(threat) => Some(threat.clone()),
            DepositWarning::Empty
            | DepositWarning::MetadataUnread(_)
            | DepositWarning::KeysMissing(_)
            | DepositWarning::NoLines(_)
            | DepositWarning::NotScanned(_) => None,
        })?;
        let entered = QuarantineEntered {
            version,
            threat: threat.clone(),
        };
        drop(self.record_event(by, &entered));
        Some(threat)
    }

    /// Releases a record from quarantine: two different people, and why. From then on it is handed out like any other; what the scanner
    /// found stays in its manifest.
    ///
    /// # Errors
    /// [`ArchiveError`] as for [`Archive::record_event`]. `Ok(None)`: the people are one, a name or the reason is missing, or the record is
    /// in no quarantine.
    pub fn release_from_quarantine(
        &self,
        by: &str,
        version: VersionId,
        people: [&str; 2],
        reason: &str,
    ) -> Result<Option<EventId>, ArchiveError> {
        let Some(released) = QuarantineReleased::new(version, people, reason) else {
            return Ok(None);
        };
        let opened = self.retriever().open(version);
        if !opened.is_ok_and(|opened| opened.refuse_quarantined().is_err()) {
            return Ok(None);
        }
        self.record_event(by, &released).map(Some)
    }

    /// Asks for the release of a record. `Ok(None)`: there is no reason, or the record is in no quarantine.
    ///
    /// # Errors
    /// [`ArchiveError`] as for [`Archive::record_event`].
    pub fn request_release(
        &self,
        by: &str,
        version: VersionId,
        reason: &str,
    ) -> Result<Option<EventId>, ArchiveError> {
        let reason = reason.trim().to_owned();
        if reason.is_empty() || self.threat_of(version).is_none() {
            return Ok(None);
        }
        let asked = QuarantineReleaseRequested { version, reason };
        self.record_event(by, &asked).map(Some)
    }

    /// Records that a release that was asked for is refused, or withdrawn.
    ///
    /// # Errors
    /// [`ArchiveError`] as for [`Archive::record_event`].
    pub fn refuse_release(
        &self,
        by: &str,
        (version, request): (VersionId, EventId),
        reason: String,
    ) -> Result<EventId, ArchiveError> {
        let refused = QuarantineReleaseRefused {
            version,
            request,
            reason,
        };
        self.record_event(by, &refused)
    }

    /// The versions in quarantine, with what was found, in the order of their deposits.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged.
    pub fn quarantined(&self) -> Result<Vec<Withheld>, ArchiveError> {
        Ok(withheld(&self.catalog)?)
    }

    /// What a scanner found in a version that is in quarantine.
    #[must_use]
    pub fn threat_of(&self, version: VersionId) -> Option<String> {
        let opened = self.retriever().open(version).ok()?;
        let is_held = opened.refuse_quarantined().is_err();
        let threat = threat_in(&opened.manifest().facts).filter(|_| is_held);
        threat.map(str::to_owned)
    }
}

fn later(error: &ArchiveError) -> TakeError {
    TakeError::later(|lang| match lang {
        Lang::Ja => format!("保管庫に預けられません ({error})"),
        Lang::En => error.to_string(),
    })
}

#[cfg(test)]
#[path = "taking_tests.rs"]
mod tests;
