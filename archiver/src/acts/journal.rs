//! The operation journal: read, noted, confirmed by an administrator, inspected by an auditor.

use time::Date;

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::events::check_remark;
use super::refusal::Refusal;
use crate::access::{AccountKind, Right};
use crate::audit::Act;
use crate::journal::{
    Journal, JournalNoted, JournalSigned, Signature, Standing, day_of, day_text, journal_of,
    parse_day,
};

/// A journal as it is shown.
#[derive(Debug, Clone)]
pub struct ShownJournal {
    /// What happened.
    pub journal: Journal,
    /// What was recorded of it.
    pub standing: Standing,
    /// Today, in Japan.
    pub today: Date,
}

impl Desk {
    /// The journal of a day; of today, as far as it goes. `None`: today's.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a day to come.
    pub fn read_journal(&self, actor: &Actor, day: Option<Date>) -> Result<ShownJournal, Refusal> {
        let today = day_of(self.now());
        let day = day.unwrap_or(today);
        self.act(
            actor,
            Act::JournalRead,
            Right::ReadEvents,
            of_day(day),
            |_| {
                not_to_come(day, today)?;
                Ok(ShownJournal {
                    journal: journal_of(&self.archive, day, self.rules.events)?,
                    standing: Standing::of(&self.archive, day)?,
                    today,
                })
            },
        )
    }

    /// The days of which something is recorded, newest first, at most `count_max`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_journals(
        &self,
        actor: &Actor,
        count_max: usize,
    ) -> Result<Vec<(Date, Standing)>, Refusal> {
        self.act(
            actor,
            Act::JournalRead,
            Right::ReadEvents,
            Subject::default(),
            |_| {
                let days = Standing::of_all(&self.archive)?;
                Ok(days.into_iter().rev().take(count_max).collect())
            },
        )
    }

    /// Writes something into the journal of a day; after it was closed, beside it.
    ///
    /// # Errors
    /// [`Refusal::Invalid`].
    pub fn note_journal(&self, actor: &Actor, day: Date, note: &str) -> Result<(), Refusal> {
        let mut subject = of_day(day);
        subject.fact("text", note.trim());
        self.act(
            actor,
            Act::JournalNote,
            Right::AnswerEvents,
            subject,
            |_| {
                not_to_come(day, day_of(self.now()))?;
                check_remark(note)?;
                let noted = JournalNoted::new(day, note);
                self.archive.record_event(&actor.account, &noted)?;
                Ok(())
            },
        )
    }

    /// Puts a name to a closed journal: an administrator confirms it, an auditor inspects it. Once each person and day.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a day that is not closed, for who signed it already, and for who is no person.
    pub fn sign_journal(
        &self,
        actor: &Actor,
        day: Date,
        signature: Signature,
        remark: &str,
    ) -> Result<(), Refusal> {
        let (act, right) = match signature {
            Signature::Confirmed => (Act::JournalConfirm, Right::ManageSystem),
            Signature::Inspected => (Act::JournalInspect, Right::ReadAudit),
        };
        let mut subject = of_day(day);
        if !remark.trim().is_empty() {
            subject.fact("remark", remark.trim());
        }
        self.act(actor, act, right, subject, |subject| {
            if actor.kind != AccountKind::Person {
                return Err(not_so("人が署名してください", "a person signs it"));
            }
            if !remark.trim().is_empty() {
                check_remark(remark)?;
            }
            let standing = Standing::of(&self.archive, day)?;
            let Some((_, closed)) = &standing.closed else {
                return Err(not_so(
                    "まだ締められていない日です。翌日以降に確認してください",
                    "this day is not closed yet: come back when it is over",
                ));
            };
            if standing.signed.iter().any(|one| one.by == actor.account) {
                return Err(not_so(
                    "すでに署名しています。ほかに気づいたことは追記してください",
                    "you signed this journal already: add a note for what else there is to say",
                ));
            }
            subject.record = Some(closed.version.to_string());
            let signed = JournalSigned {
                day: day_text(day),
                sha256: closed.sha256.clone(),
                signature,
                remark: remark.trim().to_owned(),
            };
            self.archive.record_event(&actor.account, &signed)?;
            Ok(())
        })
    }
}

/// The day that somebody asks for.
///
/// # Errors
/// [`Refusal::Invalid`].
pub fn asked_day(text: &str) -> Result<Date, Refusal> {
    parse_day(text).ok_or_else(|| {
        not_so(
            "日付は 2026-01-31 の形にしてください",
            "give a day as 2026-01-31",
        )
    })
}

fn of_day(day: Date) -> Subject {
    let mut subject = Subject::default();
    subject.fact("day", day_text(day));
    subject
}

fn not_to_come(day: Date, today: Date) -> Result<(), Refusal> {
    if day <= today {
        return Ok(());
    }
    Err(not_so(
        "これからの日です。今日までの日を選んでください",
        "this day is to come: choose today or a day before",
    ))
}

fn not_so(ja: &str, en: &str) -> Refusal {
    Refusal::invalid("day", ja, en)
}
