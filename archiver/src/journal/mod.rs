//! The operation journal (運用日誌): what happened on a day in five items (JNSA 001 §4.11(2), 002 SYS §4.11(2)), made by the service from what stands in the
//! archive anyway, closed daily into a record of its own, and then confirmed, inspected and added to, never changed.
//!
//! The five items: ① log-ins and log-outs, ② changes of settings, ③ storage of logs, ④ backups, ⑤ errors and what was done about them. With them stand the
//! work of the day in numbers and what people noted.

mod closing;
mod collect;
mod facts;
mod lines;
mod report;
mod text;

use time::{Date, OffsetDateTime};

pub use closing::{CLASS, ClosedJournal, close_journals};
pub use collect::journal_of;
pub use facts::{JournalClosed, JournalNoted, JournalSigned, Signature, Signed, Standing};
pub use report::{ReportMade, analyse, make_reports, reports};
pub use text::text;

/// The journal of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The archive.
    pub archive: String,
    /// The day in Japan.
    pub day: Date,
    /// The numbers of the first and the last entry of the trail that it was made from.
    pub entries: Option<(u64, u64)>,
    /// ① Who was logged in when.
    pub sessions: Vec<SessionSpan>,
    /// ② What was changed of settings, accounts, media and keys.
    pub settings: Vec<JournalLine>,
    /// ③ Which logs were put away.
    pub logs: Vec<JournalLine>,
    /// ④ Which backups were made, and which restores tried.
    pub backups: Vec<JournalLine>,
    /// ⑤ What failed and what was to be reported, and what was done about it.
    pub errors: Vec<JournalLine>,
    /// How often what was done.
    pub work: Vec<WorkCount>,
    /// What people noted.
    pub notes: Vec<JournalLine>,
}

/// Somebody was logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSpan {
    /// Who.
    pub person: String,
    /// From where.
    pub client: String,
    /// Since when; `None`: since a day before.
    pub begun: Option<OffsetDateTime>,
    /// Until when; `None`: there was no log-out on this day: the session went on, or ended by itself.
    pub ended: Option<OffsetDateTime>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// When.
    pub time: OffsetDateTime,
    /// Who; empty: the service.
    pub by: String,
    /// In Japanese.
    pub ja: String,
    /// In English.
    pub en: String,
}

/// How often something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkCount {
    /// The act as a code.
    pub act: String,
    /// Done.
    pub done: u64,
    /// Not allowed.
    pub denied: u64,
    /// Failed.
    pub failed: u64,
}

/// Classes of records that the service makes of itself: nobody else adds to them.
pub const SERVICE_CLASSES: [&str; 2] = [crate::audit::closing::CLASS, CLASS];

/// The day in Japan of a time.
#[must_use]
pub fn day_of(time: OffsetDateTime) -> Date {
    time.to_offset(time::macros::offset!(+9)).date()
}

/// The first moment of a day in Japan.
#[must_use]
pub fn begin_of(day: Date) -> OffsetDateTime {
    day.midnight().assume_offset(time::macros::offset!(+9))
}

/// `2026-11-23`.
#[must_use]
pub fn day_text(day: Date) -> String {
    let (year, month, day) = day.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// The day of such a text.
#[must_use]
pub fn parse_day(text: &str) -> Option<Date> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(text, &format).ok()
}

#[cfg(test)]
mod tests;
