//! What the intakes of the service deposit: through the same archive, and on record in the audit trail.

use std::sync::Arc;

use formats::audit::Outcome;

use super::desk::{Desk, LOCAL, Subject};
use super::refusal::Refusal;
use crate::audit::Act;
use crate::intake::{Source, TakeError, TakeUnder, Taken, TakesIn};

/// The desk, as an intake deposits at it.
#[derive(Debug, Clone)]
pub struct DeskIntake(Arc<Desk>);

impl DeskIntake {
    /// An intake at this desk.
    #[must_use]
    pub const fn at(desk: Arc<Desk>) -> Self {
        Self(desk)
    }
}

impl TakesIn for DeskIntake {
    /// While the audit trail cannot be written nothing is taken. What may pass is not on record: it is tried again every few seconds.
    fn take(&self, source: Source, under: &TakeUnder<'_>) -> Result<Taken, TakeError> {
        let desk = &self.0;
        desk.working().map_err(later)?;
        let mut subject = Subject::default();
        subject.fact("class", under.class);
        subject.fact("channel", under.channel);
        subject.fact("name", source.name());
        let taken = desk.archive.take(source, under);
        let outcome = match &taken {
            Ok(taken) => {
                subject.record = Some(taken.version.to_string());
                if taken.was_there {
                    subject.fact("was-there", "yes");
                }
                if let Some(threat) = &taken.threat {
                    subject.fact("threat", threat);
                }
                Outcome::Done
            }
            Err(error) if error.may_pass() => return taken,
            Err(error) => {
                subject.fact("refusal", error);
                Outcome::Failed
            }
        };
        // What is in the archive and not on record is taken for not done: the next try finds it there, and writes it down.
        desk.record(
            under.depositor,
            LOCAL,
            (Act::RecordDeposit, outcome),
            subject,
        )
        .map_err(later)?;
        taken
    }
}

fn later(refusal: Refusal) -> TakeError {
    TakeError::later(|lang| refusal.text(lang))
}
