//! What has to be done to a signature, and when: decided without touching anything.

use formats::cades::Level;
use time::{Duration, OffsetDateTime};

/// What the decision needs to know of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureFacts {
    /// The level that it has.
    pub level: Level,
    /// The time of its newest timestamp.
    pub newest_timestamp: Option<OffsetDateTime>,
    /// When the certificate of that timestamp's authority ends.
    pub newest_ends: Option<OffsetDateTime>,
}

/// By what it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RaiseOptions {
    /// How long after the signature timestamp validation material is collected: a revocation takes this long to be published
    /// (EN 319 102-1 §5.2.5.4, the grace period).
    pub grace: Duration,
    /// How long before the end of the newest timestamp the next one is made.
    pub lead: Duration,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Sign the record: ES-BES.
    Sign,
    /// A timestamp over the signature: ES-T.
    Timestamp,
    /// References to validation material: ES-C.
    References,
    /// Validation material: ES-X Long.
    LongTerm,
    /// The first archive timestamp: ES-A.
    Archive,
    /// A further archive timestamp, before the newest one ends.
    Restamp,
}

/// A step, and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// What is to be done.
    pub step: Step,
    /// From when on.
    pub at: OffsetDateTime,
    /// Until when it can be done: later the proof has a gap. `None` where nothing ends.
    pub latest: Option<OffsetDateTime>,
}

impl Default for RaiseOptions {
    /// A day for revocations to be published, and a year before the end, as for evidence records.
    fn default() -> Self {
        Self {
            grace: Duration::DAY,
            lead: Duration::days(365),
        }
    }
}

impl Step {
    /// How many timestamps it asks an authority for.
    #[must_use]
    pub const fn requests(self) -> u64 {
        match self {
            Self::Timestamp | Self::Archive | Self::Restamp => 1,
            Self::Sign | Self::References | Self::LongTerm => 0,
        }
    }

    /// The level that a signature has after it.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Sign => Level::Bes,
            Self::Timestamp => Level::T,
            Self::References => Level::C,
            Self::LongTerm => Level::XLong,
            Self::Archive | Self::Restamp => Level::A,
        }
    }
}

/// The next step for a signature that shall have a level; `None` when nothing will ever be due. `signed` is `None` for a record
/// without a signature, which is due at once.
#[must_use]
pub fn due(
    signed: Option<&SignatureFacts>,
    wanted: Level,
    options: &RaiseOptions,
    now: OffsetDateTime,
) -> Option<Due> {
    let at_once = |step| Due {
        step,
        at: now,
        latest: None,
    };
    let Some(facts) = signed else {
        return Some(at_once(Step::Sign));
    };
    if wanted == Level::Bes {
        return None;
    }
    if facts.level < Level::T {
        return Some(at_once(Step::Timestamp));
    }
    let stamped = facts.newest_timestamp.unwrap_or(now);
    let after_grace = |step| Due {
        step,
        at: stamped.saturating_add(options.grace),
        latest: facts.newest_ends,
    };
    if facts.level < wanted {
        return Some(after_grace(match wanted {
            Level::C => Step::References,
            Level::XLong => Step::LongTerm,
            Level::Bes | Level::T | Level::A => Step::Archive,
        }));
    }
    if facts.level < Level::A {
        return None;
    }
    let ends = facts.newest_ends?;
    Some(Due {
        step: Step::Restamp,
        at: restamp_at(stamped, ends, options.lead),
        latest: Some(ends),
    })
}

/// Ahead of the end. Where the authority still signs with a certificate that ends soon, a new timestamp each day would help nobody: then after half of the time that
/// is left.
fn restamp_at(stamped: OffsetDateTime, ends: OffsetDateTime, lead: Duration) -> OffsetDateTime {
    let at = ends.saturating_sub(lead);
    if stamped < at {
        return at;
    }
    let left: Duration = ends - stamped;
    stamped.saturating_add(Duration::max(left / 2_i32, Duration::DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

    fn facts(level: Level) -> SignatureFacts {
        SignatureFacts {
            level,
            newest_timestamp: (level > Level::Bes).then_some(NOW),
            newest_ends: (level > Level::Bes).then_some(datetime!(2036-11-20 08:00 UTC)),
        }
    }

    fn step(level: Option<Level>, wanted: Level) -> Option<Step> {
        let facts = level.map(facts);
        due(facts.as_ref(), wanted, &RaiseOptions::default(), NOW).map(|due| due.step)
    }

    #[test]
    fn each_level_has_its_next_step() {
        for (level, wanted, next) in [
            (None, Level::Bes, Some(Step::Sign)),
            (None, Level::A, Some(Step::Sign)),
            (Some(Level::Bes), Level::Bes, None),
            (Some(Level::Bes), Level::T, Some(Step::Timestamp)),
            (Some(Level::Bes), Level::A, Some(Step::Timestamp)),
            (Some(Level::T), Level::T, None),
            (Some(Level::T), Level::C, Some(Step::References)),
            (Some(Level::T), Level::XLong, Some(Step::LongTerm)),
            (Some(Level::T), Level::A, Some(Step::Archive)),
            (Some(Level::C), Level::C, None),
            (Some(Level::C), Level::XLong, Some(Step::LongTerm)),
            (Some(Level::XLong), Level::XLong, None),
            (Some(Level::XLong), Level::A, Some(Step::Archive)),
            (Some(Level::A), Level::A, Some(Step::Restamp)),
            (Some(Level::A), Level::T, Some(Step::Restamp)),
        ] {
            assert_eq!(step(level, wanted), next, "{level:?} {wanted:?}");
        }
    }

    #[test]
    fn material_waits_for_the_grace_period() {
        let due = due(
            Some(&facts(Level::T)),
            Level::A,
            &RaiseOptions::default(),
            NOW,
        );
        let due = due.unwrap();
        assert_eq!(due.at, datetime!(2026-11-23 08:00 UTC));
        assert_eq!(due.latest, Some(datetime!(2036-11-20 08:00 UTC)));
    }

    #[test]
    fn the_next_archive_timestamp_comes_before_the_last_one_ends() {
        let options = RaiseOptions::default();
        let due = due(Some(&facts(Level::A)), Level::A, &options, NOW).unwrap();
        assert_eq!(due.at, datetime!(2035-11-21 08:00 UTC));
        assert_eq!(due.latest, Some(datetime!(2036-11-20 08:00 UTC)));
        let late = SignatureFacts {
            newest_timestamp: Some(datetime!(2036-05-20 08:00 UTC)),
            ..facts(Level::A)
        };
        let due = super::due(Some(&late), Level::A, &options, NOW).unwrap();
        assert_eq!(due.at, datetime!(2036-08-20 08:00 UTC));
        let last = SignatureFacts {
            newest_timestamp: Some(datetime!(2036-11-20 07:00 UTC)),
            ..facts(Level::A)
        };
        let due = super::due(Some(&last), Level::A, &options, NOW).unwrap();
        assert_eq!(due.at, datetime!(2036-11-21 07:00 UTC));
        let endless = SignatureFacts {
            newest_ends: None,
            ..facts(Level::A)
        };
        assert_eq!(super::due(Some(&endless), Level::A, &options, NOW), None);
    }
}
