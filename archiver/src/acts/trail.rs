//! Reading the audit trail, which is on record itself.

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::{Act, AuditFilter, Page, PageCursor, for_each_line, page};

impl Desk {
    /// Some of the trail, newest first.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a place that is none.
    pub fn read_audit(
        &self,
        actor: &Actor,
        filter: &AuditFilter,
        (from, limit): (Option<&str>, usize),
    ) -> Result<Page, Refusal> {
        let mut subject = Subject::default();
        subject.fact("filter", filter_text(filter));
        self.act(actor, Act::AuditRead, Right::ReadAudit, subject, |_| {
            let cursor: Option<PageCursor> = from
                .map(|text| {
                    text.parse().map_err(|_| {
                        Refusal::invalid(
                            "cursor",
                            "続きの位置が正しくありません。最初から表示してください",
                            "this is no place to go on from: start anew",
                        )
                    })
                })
                .transpose()?;
            Ok(page(&self.archive, filter, cursor, limit)?)
        })
    }

    /// The exact lines that a filter takes, oldest first, for whoever checks how they hang together.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] where they are more than 256 MiB.
    pub fn export_audit(&self, actor: &Actor, filter: &AuditFilter) -> Result<Vec<u8>, Refusal> {
        let mut subject = Subject::default();
        subject.fact("filter", filter_text(filter));
        self.act(
            actor,
            Act::AuditExport,
            Right::ReadAudit,
            subject,
            |subject| {
                let mut bytes = Vec::new();
                let mut is_too_large = false;
                for_each_line(&self.archive, filter, &mut |read| {
                    is_too_large = bytes.len().saturating_add(read.line.len()) > EXPORT_BYTES_MAX;
                    if !is_too_large {
                        bytes.extend_from_slice(&read.line);
                    }
                    !is_too_large
                })?;
                if is_too_large {
                    let bytes_max = EXPORT_BYTES_MAX as u64;
                    return Err(Refusal::TooLarge { bytes_max });
                }
                subject.fact("bytes", bytes.len());
                Ok(bytes)
            },
        )
    }
}

/// Of one export: some hundred thousand entries. A longer time is exported in parts.
pub(super) const EXPORT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What was asked for, in one line of the trail.
fn filter_text(filter: &AuditFilter) -> String {
    let moment = |at: &Option<time::OffsetDateTime>| at.map(crate::cli::query::rfc3339);
    let parts = [
        ("from", moment(&filter.from)),
        ("to", moment(&filter.to)),
        ("person", filter.person.clone()),
        ("act", filter.act.clone()),
        ("record", filter.record.clone()),
        (
            "outcome",
            filter.outcome.map(|one| format!("{one:?}").to_lowercase()),
        ),
    ];
    let given = parts
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value?)));
    given.collect::<Vec<_>>().join(" ")
}
