//! The audit trail of an archive: who did what, written before it is answered.
//!
//! Entries are lines that hang together by digests ([`formats::audit`]). One thread writes them in groups as events of the archive, so that they are sealed,
//! durable on every medium and given back by a rebuild, as everything else. Where they cannot be written, nothing is served (ECOM 2003 Tb1.12).

mod act;
mod analysis;
#[cfg(test)]
mod analysis_tests;
mod analysis_text;
pub mod closing;
mod detector;
#[cfg(test)]
mod fixture;
mod month;
mod reading;
mod trail;
mod watch;

#[cfg(test)]
mod tests;

pub use act::Act;
pub use analysis::{Analyst, Counts, MonthAnalysis, NOTICES_MAX, OfPerson};
pub use analysis_text::text as analysis_text;
pub use detector::{EventDetector, EventRules, Notice, NoticeKind};
pub use month::{BadMonth, ReportMonth};
pub use reading::{
    AuditFilter, BadCursor, Page, PageCursor, ReadLine, for_each_in, for_each_line, page, span,
};
pub use trail::{AuditError, AuditFault, AuditTrail, NewEntry};
pub(crate) use watch::ANSWERED;
pub use watch::{OpenEvents, TrailWatch};

use serde::{Deserialize, Serialize};

use crate::event::{EventBody, Topic};

/// Lines of the trail that were made durable together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLines {
    /// The number of the first one.
    pub first: u64,
    /// The lines, without their LF.
    pub lines: Vec<String>,
}

impl EventBody for AuditLines {
    const KIND: &'static str = "audit-lines";
    const TOPIC: Topic = Topic::Audit;
}
