//! Trying again: how often, how long to wait between, and who waits.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use firmware::clock::SimulatedClock;
use firmware::entropy::Entropy;
use time::Duration;

/// Something that lets time pass.
pub trait Sleeper: Debug + Send + Sync {
    /// Waits for so long.
    fn sleep(&self, duration: Duration);
}

/// Waits in earnest.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSleeper;

impl Sleeper for SystemSleeper {
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration.try_into().unwrap_or_default());
    }
}

/// Lets a simulated clock go on instead of waiting, and remembers for how long. For tests and simulations.
#[derive(Debug)]
pub struct SimulatedSleeper {
    clock: Arc<SimulatedClock>,
    slept: Mutex<Vec<Duration>>,
}

impl SimulatedSleeper {
    /// A sleeper that moves this clock.
    #[must_use]
    pub const fn new(clock: Arc<SimulatedClock>) -> Self {
        Self {
            clock,
            slept: Mutex::new(Vec::new()),
        }
    }

    /// Every wait so far.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        self.slept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Sleeper for SimulatedSleeper {
    fn sleep(&self, duration: Duration) {
        self.clock.advance(duration);
        self.slept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(duration);
    }
}

/// How often an authority is asked again when it fails in a way that may pass, and how long is waited between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often it is asked again.
    pub retries: u32,
    /// The wait before the first of them; each further one is twice as long.
    pub wait_first: Duration,
    /// The longest wait. An authority that asks for a longer one is not waited for.
    pub wait_max: Duration,
}

impl RetryPolicy {
    /// Asks once.
    pub const NEVER: Self = Self {
        retries: 0,
        wait_first: Duration::ZERO,
        wait_max: Duration::ZERO,
    };

    /// So many retries, with the usual waits of 1, 2, 4 … seconds, 30 at most.
    #[must_use]
    pub const fn usual(retries: u32) -> Self {
        Self {
            retries,
            wait_first: Duration::SECOND,
            wait_max: Duration::seconds(30),
        }
    }

    /// The wait before a retry, counted from 0: between a half and the whole of the doubled wait, so that archives that lost the same
    /// authority at the same moment do not come back at the same moment. `None` when it is not asked again.
    #[must_use]
    pub fn wait(
        &self,
        retry: u32,
        asked_for: Option<Duration>,
        entropy: &dyn Entropy,
    ) -> Option<Duration> {
        if retry >= self.retries || asked_for.is_some_and(|asked| asked > self.wait_max) {
            return None;
        }
        let factor = 1i32.checked_shl(retry.min(30)).unwrap_or(i32::MAX);
        let whole = self.wait_first.saturating_mul(factor).min(self.wait_max);
        let mut random = [0u8; 2];
        // Without a random source there is no jitter; the wait itself matters more.
        let share = entropy.fill(&mut random).map_or(1.0_f64, |()| {
            f64::from(u16::from_be_bytes(random)) / 65_535.0
        });
        let jittered: Duration = whole * (0.5 + share / 2.0);
        Some(jittered.max(asked_for.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use firmware::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_lie_in_their_upper_half() {
        let policy = RetryPolicy::usual(8);
        let entropy = SeededEntropy::new(7);
        for (retry, whole) in (0..).zip([1, 2, 4, 8, 16, 30, 30, 30]) {
            let whole = Duration::seconds(whole);
            for _ in 0..50 {
                let wait = policy.wait(retry, None, &entropy).unwrap();
                assert!(wait >= whole / 2 && wait <= whole, "{retry}: {wait}");
            }
        }
        assert_eq!(policy.wait(8, None, &entropy), None);
        assert_eq!(RetryPolicy::NEVER.wait(0, None, &entropy), None);
    }

    #[test]
    fn what_the_authority_asks_for_is_kept_or_it_is_not_waited_for() {
        let policy = RetryPolicy::usual(2);
        let entropy = SeededEntropy::new(7);
        let wait = |seconds| policy.wait(0, Some(Duration::seconds(seconds)), &entropy);
        assert_eq!(wait(20), Some(Duration::seconds(20)));
        assert_eq!(wait(31), None);
    }

    #[test]
    fn two_archives_do_not_come_back_at_once() {
        let policy = RetryPolicy::usual(5);
        let waits = |seed| policy.wait(4, None, &SeededEntropy::new(seed));
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }
}
