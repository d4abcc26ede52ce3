//! How fast, and when: a scrub leaves the media to those who work with them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use firmware::clock::Clock;
use time::macros::offset;
use time::{OffsetDateTime, Time};

use crate::store::walk::Gate;

/// Waits. In tests nobody does.
pub trait Sleeper: Send + Sync + fmt::Debug {
    /// Waits for so long.
    fn sleep(&self, duration: Duration);
}

/// Really waits.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSleeper;

impl Sleeper for SystemSleeper {
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Hours of the day in Japan (JST, UTC+9) in which a scrub reads. `22-6` goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: Time,
    to: Time,
}

impl Hours {
    /// Reads `22-6` or `22:00-06:30`. `None`: it is not of this form, or both ends are the same.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let hours = Self {
            from: moment(from)?,
            to: moment(to)?,
        };
        (hours.from != hours.to).then_some(hours)
    }

    /// How long it is from `now` until a scrub may read; zero within the hours.
    #[must_use]
    pub fn wait(&self, now: OffsetDateTime) -> Duration {
        let clock = now.to_offset(offset!(+9)).time();
        let is_open = if self.from < self.to {
            (self.from..self.to).contains(&clock)
        } else {
            clock >= self.from || clock < self.to
        };
        if is_open {
            return Duration::ZERO;
        }
        // The difference of two times of a day is negative when the hours begin tomorrow.
        let mut wait = self.from - clock;
        if wait.is_negative() {
            wait += time::Duration::days(1);
        }
        wait.try_into().unwrap_or(Duration::ZERO)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from.hour(),
            from.minute(),
            to.hour(),
            to.minute()
        )
    }
}

/// The pace of a scrub.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Most bytes read in a second, over all media; `None` is as fast as they are.
    pub bytes_per_second: Option<u64>,
    /// When it reads; `None` is always.
    pub hours: Option<Hours>,
    /// Told of the bytes that are read next.
    pub meter: Option<Meter>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who waits.
    pub sleeper: Arc<dyn Sleeper>,
}

/// Told of each reading, with the number of bytes.
#[derive(Clone)]
pub struct Meter(pub Arc<dyn Fn(u64) + Send + Sync>);

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

/// Bytes that were read since a moment.
#[derive(Debug, Clone, Copy)]
struct Spent {
    since: OffsetDateTime,
    bytes: u64,
}

impl Pace {
    /// As fast as the media are, at any time.
    #[must_use]
    pub fn unbounded(clock: Arc<dyn Clock>) -> Self {
        Self {
            bytes_per_second: None,
            hours: None,
            meter: None,
            clock,
            sleeper: Arc::new(SystemSleeper),
        }
    }

    /// Waits until the hours begin, if they have not.
    pub fn wait_for_hours(&self) {
        let Some(hours) = self.hours else { return };
        let mut wait = hours.wait(self.clock.now());
        while !wait.is_zero() {
            // In short pieces: a clock that is set meanwhile is noticed.
            self.sleeper.sleep(wait.min(PIECE));
            wait = hours.wait(self.clock.now());
        }
    }

    /// What each reading passes.
    pub(in crate::store) fn gate(&self) -> Gate {
        let pace = self.clone();
        let spent = Mutex::new(Spent {
            since: self.clock.now(),
            bytes: 0,
        });
        Gate(Arc::new(move |bytes| {
            pace.wait_for_hours();
            let wait = {
                let mut spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
                spent.wait(bytes, pace.bytes_per_second, pace.clock.now())
            };
            if !wait.is_zero() {
                pace.sleeper.sleep(wait);
            }
            if let Some(Meter(meter)) = &pace.meter {
                meter(bytes);
            }
        }))
    }
}

impl Spent {
    /// How long to wait before `bytes` more are read.
    fn wait(&mut self, bytes: u64, rate: Option<u64>, now: OffsetDateTime) -> Duration {
        let Some(rate) = rate.filter(|&rate| rate > 0) else {
            return Duration::ZERO;
        };
        let elapsed: Duration = (now - self.since).try_into().unwrap_or(Duration::ZERO);
        let due = Duration::from_secs_f64(self.bytes as f64 / rate as f64);
        let wait = due.saturating_sub(elapsed);
        if wait.is_zero() && elapsed > PIECE {
            // A pause is not made up for by a burst.
            *self = Self {
                since: now,
                bytes: 0,
            };
        }
        self.bytes = self.bytes.saturating_add(bytes);
        wait.min(WAIT_MAX)
    }
}

/// An hour, or an hour and minutes.
fn moment(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let number = |text: &str| {
        let digits = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u8>().ok().filter(|_| digits)
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    // 24:00 is the end of the day.
    let hour = if (hour, minute) == (24, 0) { 0 } else { hour };
    Time::from_hms(hour, minute, 0).ok()
}

/// How long is waited at once.
const PIECE: Duration = Duration::from_secs(30);

/// The longest wait for one reading: a clock that was set back does not stop a scrub for long.
const WAIT_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use firmware::clock::SimulatedClock;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn hours_go_over_midnight_in_japan() {
        let night = Hours::parse("22-6").unwrap();
        assert_eq!(night, Hours::parse("22:00-06:00").unwrap());
        assert_eq!(night.to_string(), "22:00-06:00");
        for (now, hours) in [
            (datetime!(2026-11-22 22:00 +9), 0),
            (datetime!(2026-11-22 23:59 +9), 0),
            (datetime!(2026-11-22 20:59:59 UTC), 0),
            (datetime!(2026-11-23 06:00 +9), 16),
            (datetime!(2026-11-22 12:00 UTC), 1),
        ] {
            let wait = night.wait(now);
            assert_eq!(wait.as_secs().div_ceil(3600), hours, "{now}");
        }
        let day = Hours::parse("9:30-17").unwrap();
        let wait = day.wait(datetime!(2026-11-22 18:30 +9));
        assert_eq!(wait, Duration::from_secs(15 * 3600));
        for bad in [
            "25-3", "24:01-3", "", "22", "22-", "22-22", "25:00", "a-b", "22-6-7", "+1-2", "1:60-2",
        ] {
            assert!(Hours::parse(bad).is_none(), "{bad}");
        }
    }

    /// Waiting moves the clock.
    #[derive(Debug)]
    struct Simulated(Arc<SimulatedClock>);

    impl Sleeper for Simulated {
        fn sleep(&self, duration: Duration) {
            self.0.advance(duration.try_into().unwrap());
        }
    }

    fn pace(rate: Option<u64>, hours: Option<&str>, now: OffsetDateTime) -> Pace {
        let clock = Arc::new(SimulatedClock::new(now));
        Pace {
            bytes_per_second: rate,
            hours: hours.map(|text| Hours::parse(text).unwrap()),
            meter: None,
            sleeper: Arc::new(Simulated(Arc::clone(&clock))),
            clock,
        }
    }

    #[test]
    fn the_pace_is_kept_over_a_long_reading() {
        let start = datetime!(2026-11-22 00:00 UTC);
        let pace = pace(Some(1 << 20), None, start);
        let Gate(gate) = pace.gate();
        for _ in 0..101 {
            gate(1 << 20);
        }
        let seconds = (pace.clock.now() - start).whole_seconds();
        assert!((99..=101).contains(&seconds), "{seconds}");
    }

    #[test]
    fn outside_of_the_hours_it_waits() {
        let start = datetime!(2026-11-22 07:00 +9);
        let pace = pace(None, Some("22-6"), start);
        let Gate(gate) = pace.gate();
        gate(1);
        assert!(pace.clock.now() >= datetime!(2026-11-22 22:00 +9));
        let before = pace.clock.now();
        gate(1 << 40);
        assert_eq!(pace.clock.now(), before);
    }
}
