//! How often somebody may ask: buckets that fill up again with time.

use std::collections::HashMap;
use std::hash::Hash;

use time::{Duration, OffsetDateTime};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRules {
    /// So many at once.
    pub burst: f64,
    /// And so many more each second.
    pub per_second: f64,
}

/// One bucket for each that asks.
#[derive(Debug)]
pub struct Rate<K> {
    rules: RateRules,
    buckets: HashMap<K, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: OffsetDateTime,
}

impl RateRules {
    /// Log-ins from one address: a person who mistypes is not stopped, a program that guesses is.
    pub const LOG_INS: Self = Self {
        burst: 30.0,
        per_second: 0.5,
    };

    /// Requests of one account.
    pub const REQUESTS: Self = Self {
        burst: 2_000.0,
        per_second: 1_000.0,
    };
}

impl<K: Eq + Hash> Rate<K> {
    /// Full buckets.
    #[must_use]
    pub fn new(rules: RateRules) -> Self {
        Self {
            rules,
            buckets: HashMap::new(),
        }
    }

    /// Takes one out of a bucket.
    ///
    /// # Errors
    /// The seconds after which there is one again.
    pub fn take(&mut self, key: K, now: OffsetDateTime) -> Result<(), u32> {
        let rules = self.rules;
        if self.buckets.len() >= BUCKETS_MAX {
            // Those that are full again are as those that never were.
            self.buckets
                .retain(|_, bucket| bucket.level_at(rules, now) < rules.burst);
        }
        if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&key) {
            return Err(WAIT_WHEN_CROWDED);
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket {
            level: rules.burst,
            at: now,
        });
        let level = bucket.level_at(rules, now);
        bucket.at = now;
        bucket.level = level;
        if level < 1.0 {
            // Between 1 and a few thousand seconds: a whole number of them.
            let wait = ((1.0 - level) / rules.per_second)
                .ceil()
                .clamp(1.0, 3_600.0);
            return Err(wait as u32);
        }
        bucket.level = level - 1.0;
        Ok(())
    }
}

impl Bucket {
    fn level_at(self, rules: RateRules, now: OffsetDateTime) -> f64 {
        // A clock that was set back fills nothing.
        let passed = (now - self.at).max(Duration::ZERO);
        (self.level + passed.as_seconds_f64() * rules.per_second).min(rules.burst)
    }
}

/// Some megabytes.
const BUCKETS_MAX: usize = 50_000;

/// Seconds, where too many different ones ask.
const WAIT_WHEN_CROWDED: u32 = 60;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-04-01 00:00 UTC);
    const RULES: RateRules = RateRules {
        burst: 3.0,
        per_second: 0.5,
    };

    #[test]
    fn a_bucket_is_emptied_and_fills_up_again() {
        let mut rate = Rate::new(RULES);
        for _ in 0..3 {
            assert_eq!(rate.take("a", NOW), Ok(()));
        }
        assert_eq!(rate.take("a", NOW), Err(2));
        assert_eq!(rate.take("b", NOW), Ok(()), "others are not meant");
        assert_eq!(rate.take("a", NOW + Duration::SECOND), Err(1));
        assert_eq!(rate.take("a", NOW + Duration::SECOND * 2), Ok(()));
        assert_eq!(rate.take("a", NOW), Err(2), "a clock that was set back");
        let late = NOW + Duration::HOUR;
        for _ in 0..3 {
            assert_eq!(rate.take("a", late), Ok(()));
        }
        assert!(
            rate.take("a", late).is_err(),
            "it holds no more than the burst"
        );
    }

    #[test]
    fn whoever_comes_under_many_names_fills_no_memory() {
        let mut rate = Rate::new(RULES);
        for key in 0..BUCKETS_MAX {
            assert_eq!(rate.take(key, NOW), Ok(()));
        }
        assert_eq!(rate.take(BUCKETS_MAX, NOW), Err(WAIT_WHEN_CROWDED));
        assert_eq!(rate.take(7, NOW), Ok(()), "those that are known go on");
        assert_eq!(rate.take(BUCKETS_MAX, NOW + Duration::MINUTE), Ok(()));
    }
}
