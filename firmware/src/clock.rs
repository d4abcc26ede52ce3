//! Time as an argument: everything above this crate asks a [`Clock`], so that a test can choose the time.

use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::PoisonError;

use time::{Duration, OffsetDateTime};

/// Where the time comes from.
///
/// The answer is always in UTC. Nothing promises that it never goes backwards: code that needs an order uses a counter.
pub trait Clock: Debug + Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the system clock"
    )]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// A clock that stands still until it is told otherwise. For tests and simulations.
#[derive(Debug)]
pub struct SimulatedClock {
    now: Mutex<OffsetDateTime>,
}

impl SimulatedClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: OffsetDateTime) -> Self {
        Self {
            now: Mutex::new(in_utc(start)),
        }
    }

    /// Sets the time, also backwards.
    pub fn set(&self, now: OffsetDateTime) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = in_utc(now);
    }

    /// Moves the time by `step`, at most to the ends of the calendar.
    pub fn advance(&self, step: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(step);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> OffsetDateTime {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_utc(time: OffsetDateTime) -> OffsetDateTime {
    time.to_offset(time::UtcOffset::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_simulated_clock_moves_only_when_told() {
        let clock = SimulatedClock::new(datetime!(2026-11-22 12:00 +9));
        assert_eq!(clock.now(), datetime!(2026-11-22 03:00 UTC));
        assert_eq!(clock.now().offset(), time::UtcOffset::UTC);
        clock.advance(Duration::days(1));
        assert_eq!(clock.now(), datetime!(2026-11-23 03:00 UTC));
        clock.set(datetime!(2020-01-01 00:00 UTC));
        assert_eq!(clock.now(), datetime!(2020-01-01 00:00 UTC));
    }

    #[test]
    fn the_simulated_clock_stops_at_the_end_of_the_calendar() {
        let clock = SimulatedClock::new(datetime!(9999-12-31 23:59 UTC));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now().year(), 9999);
    }

    #[test]
    fn the_system_clock_is_in_utc_and_after_this_was_written() {
        let now = SystemClock.now();
        assert!(now > datetime!(2026-01-01 00:00 UTC));
        assert_eq!(now.offset(), time::UtcOffset::UTC);
    }
}
