//! How much was proven when, and what is overdue.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::macros::offset;
use time::{Duration, OffsetDateTime};

use super::proofs::Proofs;
use crate::store::scrub::{StoredSegment, rfc3339};

/// What is stored, by the month in which it was last proven.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProofReport {
    /// Segments and bytes by month (`2026-11`, in Japan).
    pub months: BTreeMap<String, Amount>,
    /// Never read since they were written.
    pub never: Amount,
    /// Proven longer ago than is allowed, or never and begun longer ago.
    pub overdue: Amount,
    /// The overdue segments, at most 4096.
    pub overdue_segments: Vec<u32>,
    /// The oldest proof.
    pub oldest: Option<OffsetDateTime>,
}

/// So much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Segments.
    pub segments: u64,
    /// Bytes of all their copies.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, stored: StoredSegment) {
        self.segments += 1;
        self.bytes += stored.bytes;
    }

    fn json(self) -> Value {
        json!({ "segments": self.segments, "bytes": self.bytes })
    }
}

impl ProofReport {
    /// The report of what is stored. `begun` says when a segment was begun, for those that were never read.
    #[must_use]
    pub fn of(
        stored: &[StoredSegment],
        proofs: &Proofs,
        begun: &dyn Fn(u32) -> Option<OffsetDateTime>,
        overdue_days: u32,
        now: OffsetDateTime,
    ) -> Self {
        let mut report = Self::default();
        let limit = now - Duration::days(i64::from(overdue_days));
        for one in stored {
            let proven = proofs.segment(one.segment);
            match proven {
                Some(at) => {
                    let month = at.to_offset(offset!(+9));
                    let month = format!("{:04}-{:02}", month.year(), u8::from(month.month()));
                    report.months.entry(month).or_default().add(*one);
                    report.oldest = Some(report.oldest.map_or(at, |oldest| oldest.min(at)));
                }
                None => report.never.add(*one),
            }
            if proven
                .or_else(|| begun(one.segment))
                .is_none_or(|at| at < limit)
            {
                report.overdue.add(*one);
                if report.overdue_segments.len() < LISTED_MAX {
                    report.overdue_segments.push(one.segment);
                }
            }
        }
        report
    }

    /// For machines.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let months: BTreeMap<&String, Value> = self
            .months
            .iter()
            .map(|(month, amount)| (month, amount.json()))
            .collect();
        json!({
            "event": "scrub-report", "months": months, "never": self.never.json(), "overdue": self.overdue.json(),
            "overdue_segments": self.overdue_segments, "oldest": self.oldest.map(rfc3339),
        })
    }
}

/// Most segments that are listed.
const LISTED_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use formats::id::MediumId;
    use time::macros::datetime;

    use super::*;
    use crate::scrub::facts::{Proven, Scrubbed};

    #[test]
    fn months_are_those_of_japan_and_what_is_old_is_overdue() {
        let medium = MediumId::from_bytes([1; 16]);
        let mut proofs = Proofs::for_media(&[medium]);
        for (started, segments) in [
            ("2026-06-30T16:00:00Z", vec![[1, 2]]),
            ("2026-11-01T00:00:00Z", vec![[3, 3]]),
        ] {
            proofs.add(&Scrubbed {
                started: started.to_owned(),
                ended: started.to_owned(),
                deep: false,
                selection: String::new(),
                complete: true,
                bytes: 0,
                proven: vec![Proven {
                    medium: medium.to_string(),
                    segments,
                    growing: vec![],
                }],
                damaged: 0,
                healed: 0,
                lost: 0,
            });
        }
        let stored: Vec<StoredSegment> = (1..=5)
            .map(|segment| StoredSegment { segment, bytes: 10 })
            .collect();
        let begun = |segment| match segment {
            4 => Some(datetime!(2026-01-01 0:00 UTC)),
            _ => Some(datetime!(2026-11-20 0:00 UTC)),
        };
        let now = datetime!(2026-11-22 0:00 UTC);
        let report = ProofReport::of(&stored, &proofs, &begun, 90, now);
        let two = Amount {
            segments: 2,
            bytes: 20,
        };
        assert_eq!(report.months.get("2026-07"), Some(&two));
        assert_eq!(report.never, two);
        assert_eq!(report.overdue_segments, [1, 2, 4]);
        assert_eq!(report.oldest, Some(datetime!(2026-06-30 16:00 UTC)));
        assert_eq!(report.to_json()["overdue"]["segments"], 3);
    }
}
