//! The events that are to be reported: found in the trail as it grows, told, and answered for by somebody else than whom they are about.

use std::sync::MutexGuard;

use formats::audit::Outcome;

use super::actor::Actor;
use super::desk::{Desk, LOCAL, Subject, held};
use super::refusal::Refusal;
use crate::access::{AccessError, Right};
use crate::audit::{ANSWERED, Act, Notice, OpenEvents, TrailWatch};
use crate::service::alarms::{self, NoticeState};

impl Desk {
    /// Reads the trail on, up to its end, or as far as a moment allows.
    ///
    /// # Errors
    /// [`Refusal`]: the index is damaged or not whole yet.
    pub fn follow_trail(&self) -> Result<(), Refusal> {
        let mut watch = self.watch();
        for _ in 0..ROUNDS_MAX {
            watch.follow(&self.archive)?;
            if watch.open().is_whole {
                break;
            }
        }
        Ok(())
    }

    /// Events of entries up to this one were told before the service was started.
    pub fn told_up_to(&self, told: u64) {
        self.watch().told_up_to(told);
    }

    /// What is to be told since the last time that this was asked, and the number of the last entry that was read.
    #[must_use]
    pub fn take_news(&self) -> (Vec<Notice>, u64) {
        let mut watch = self.watch();
        (watch.take_news(), watch.read())
    }

    /// The events for which nobody answered yet.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_events(&self, actor: &Actor) -> Result<OpenEvents, Refusal> {
        self.act(
            actor,
            Act::EventRead,
            Right::ReadEvents,
            Subject::default(),
            |_| {
                self.follow_trail()?;
                Ok(self.watch().open().clone())
            },
        )
    }

    /// How many entries have events for which nobody answered yet; `None`: the account may not see them, or the trail is being read just now.
    #[must_use]
    pub fn open_events(&self, actor: &Actor) -> Option<u64> {
        if !actor.may(Right::ReadEvents) {
            return None;
        }
        let watch = self.watch.try_lock().ok()?;
        let open = u64::try_from(watch.open().len()).ok()?;
        Some(open.saturating_add(watch.open().left_out))
    }

    /// Answers for the events of some entries: what was found out, and what was done. It closes them, and stands in the operation journal.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] without a remark, for more than [`ANSWERED_MAX`] entries and for one without open events; [`Refusal::Access`] for what the account
    /// did itself.
    pub fn answer_events(
        &self,
        actor: &Actor,
        entries: &[u64],
        remark: &str,
    ) -> Result<(), Refusal> {
        let mut subject = Subject::default();
        let numbers = entries.iter().take(ANSWERED_MAX).map(u64::to_string);
        subject.fact(ANSWERED, numbers.collect::<Vec<_>>().join(" "));
        subject.fact("remark", remark.trim());
        self.act(
            actor,
            Act::EventAnswer,
            Right::AnswerEvents,
            subject,
            |_| {
                check_remark(remark)?;
                if entries.is_empty() || entries.len() > ANSWERED_MAX {
                    return Err(Refusal::invalid(
                        "entries",
                        "1 から 20 件の事象を選んでください",
                        "choose 1 to 20 events",
                    ));
                }
                self.follow_trail()?;
                let watch = self.watch();
                for entry in entries {
                    let open = watch.open().of(*entry);
                    if open.is_empty() {
                        return Err(Refusal::invalid(
                            "entries",
                            "対応済みか、事象のない行です。画面を開き直してください",
                            "somebody answered already, or there is no event at that entry: look again",
                        ));
                    }
                    if open.iter().any(|one| one.person == actor.account) {
                        let person = actor.account.clone();
                        return Err(AccessError::SamePerson { person }.into());
                    }
                }
                Ok(())
            },
        )
    }

    /// Writes down that the service raised an alarm, or that it is over. That one still stands after a day is not written again.
    ///
    /// # Errors
    /// [`Refusal::AuditStopped`].
    pub fn told_alarm(&self, notice: &alarms::Notice) -> Result<(), Refusal> {
        let act = match notice.state {
            NoticeState::Raised => Act::AlarmRaise,
            NoticeState::Solved => Act::AlarmSolve,
            NoticeState::Standing => return Ok(()),
        };
        let mut subject = Subject::default();
        subject.fact("alarm", notice.condition.kind.name());
        if !notice.condition.subject.is_empty() {
            subject.fact("subject", &notice.condition.subject);
        }
        subject.fact("text", &notice.condition.en);
        subject.fact("text-ja", &notice.condition.ja);
        self.record("", LOCAL, (act, Outcome::Done), subject)
    }

    fn watch(&self) -> MutexGuard<'_, TrailWatch> {
        held(&self.watch)
    }
}

/// What somebody writes down must say something, and not everything.
pub(super) fn check_remark(remark: &str) -> Result<(), Refusal> {
    let length = remark.trim().chars().count();
    if (1..=REMARK_CHARACTERS_MAX).contains(&length) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "remark",
        "1 字から 500 字で書いてください",
        "write 1 to 500 characters",
    ))
}

/// So many entries are answered for at once: their numbers stand in one fact of the trail.
pub const ANSWERED_MAX: usize = 20;

/// Of a remark; all of it stands in the trail.
pub const REMARK_CHARACTERS_MAX: usize = 500;

/// Reading goes on so long in one act; the next one goes on from there.
const ROUNDS_MAX: usize = 20;
