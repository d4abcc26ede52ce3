//! What is remembered of each authority between runs: its failures, when it may be asked again, and the time in its last token.
//!
//! The memory is derived and may be deleted at any time; then every authority counts as ready. An authority that fails is asked again
//! at each run until it has failed [`FAILURES_MAX`] times in a row; then its circuit is open and it is asked last, until a pause that
//! doubles with each further failure is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use firmware::clock::Clock;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::checks::{AcceptedToken, Earlier};
use super::refusal::TsaError;
use crate::store::durable::{DerivedPlace, replace_derived_file};

/// The memory of all authorities of an archive.
#[derive(Debug)]
pub struct Health {
    clock: Arc<dyn Clock>,
    file: Option<DerivedPlace>,
    known: Mutex<BTreeMap<String, Remembered>>,
}

/// What is known of one authority.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorityHealth {
    /// Failures since the last token.
    pub failures: u32,
    /// The last failure: when, and why in English.
    pub last_failure: Option<(OffsetDateTime, String)>,
    /// When the last token was accepted, by our clock.
    pub last_success: Option<OffsetDateTime>,
    /// How it is treated now.
    pub state: CircuitState,
}

/// How an authority is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CircuitState {
    /// Asked in its turn.
    #[default]
    Ready,
    /// It failed often: asked only when no other gives a token, until this time.
    Open(OffsetDateTime),
    /// It asked to be left alone until this time, and is.
    Waiting(OffsetDateTime),
}

/// The file's form. Times are microseconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Remembered {
    #[serde(default)]
    failures: u32,
    #[serde(default)]
    failed_at: Option<i64>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    succeeded_at: Option<i64>,
    #[serde(default)]
    open_until: Option<i64>,
    #[serde(default)]
    waiting_until: Option<i64>,
    #[serde(default)]
    token_time: Option<i64>,
    #[serde(default)]
    token_accuracy: Option<i64>,
}

impl Health {
    /// A memory that ends with the process.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            file: None,
            known: Mutex::default(),
        }
    }

    /// A memory that is kept in a file. A file that is missing or damaged counts as empty: it is derived.
    #[must_use]
    pub fn kept_in(file: DerivedPlace, clock: Arc<dyn Clock>) -> Self {
        let read = std::fs::read(&file.path).ok();
        let known = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            clock,
            file: Some(file),
            known: Mutex::new(known.unwrap_or_default()),
        }
    }

    /// What is known of an authority now.
    #[must_use]
    pub fn of(&self, name: &str) -> AuthorityHealth {
        let now = self.clock.now();
        self.locked(|known| {
            let Some(one) = known.get(name) else {
                return AuthorityHealth::default();
            };
            // A pause longer than any that is given comes from a clock that was wrong.
            let pending = |until: Option<i64>, longest| {
                moment(until).filter(|until| *until > now && *until - now <= longest)
            };
            let state = match (
                pending(one.waiting_until, WAIT_ASKED_MAX),
                pending(one.open_until, PAUSE_MAX),
            ) {
                (Some(until), _) => CircuitState::Waiting(until),
                (None, Some(until)) => CircuitState::Open(until),
                (None, None) => CircuitState::Ready,
            };
            AuthorityHealth {
                failures: one.failures,
                last_failure: moment(one.failed_at).zip(one.reason.clone()),
                last_success: moment(one.succeeded_at),
                state,
            }
        })
    }

    /// The last token of an authority.
    #[must_use]
    pub fn earlier(&self, name: &str) -> Option<Earlier> {
        self.locked(|known| {
            let one = known.get(name)?;
            Some(Earlier {
                gen_time: moment(one.token_time)?,
                accuracy: Duration::microseconds(one.token_accuracy.unwrap_or(1_000_000)),
            })
        })
    }

    /// Remembers a token.
    pub fn succeeded(&self, name: &str, token: &AcceptedToken) {
        let now = micros(self.clock.now());
        self.change(name, |one| {
            *one = Remembered {
                failed_at: one.failed_at,
                reason: one.reason.take(),
                succeeded_at: Some(now),
                token_time: Some(micros(token.gen_time())),
                token_accuracy: token.accuracy().map(whole_micros),
                ..Remembered::default()
            };
        });
    }

    /// Remembers a failure. A wrong answer opens the circuit at once: an authority that gives bad tokens is not asked first again.
    pub fn failed(&self, name: &str, error: &TsaError) {
        if matches!(
            error,
            TsaError::Waiting { .. } | TsaError::Request | TsaError::Runtime
        ) {
            return;
        }
        let now = self.clock.now();
        let weight = if error.is_transient() {
            1
        } else {
            FAILURES_MAX
        };
        let asked = error.retry_after().map(|wait| wait.min(WAIT_ASKED_MAX));
        self.change(name, |one| {
            one.failures = one.failures.saturating_add(weight);
            one.failed_at = Some(micros(now));
            one.reason = Some(error.to_string());
            one.waiting_until = asked.map(|wait| micros(now.saturating_add(wait)));
            if let Some(beyond) = one.failures.checked_sub(FAILURES_MAX) {
                let factor = 1i32.checked_shl(beyond.min(30)).unwrap_or(i32::MAX);
                let pause = PAUSE_FIRST.saturating_mul(factor).min(PAUSE_MAX);
                one.open_until = Some(micros(now.saturating_add(pause)));
            }
        });
    }

    fn locked<T>(&self, look: impl FnOnce(&mut BTreeMap<String, Remembered>) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Remembered)) {
        let text = self.locked(|known| {
            change(known.entry(name.to_owned()).or_default());
            serde_json::to_vec_pretty(&*known)
        });
        if let (Some(file), Ok(text)) = (&self.file, text) {
            // What cannot be kept is learnt again; a stamp that succeeded must not fail for it.
            drop(replace_derived_file(file.disk.as_ref(), &file.path, &text));
        }
    }
}

fn micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

fn whole_micros(duration: Duration) -> i64 {
    i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX)
}

fn moment(micros: Option<i64>) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros?).checked_mul(1000)?).ok()
}

/// So many failures in a row open the circuit.
pub const FAILURES_MAX: u32 = 3;
/// The first pause of an open circuit; it doubles with each further failure.
pub const PAUSE_FIRST: Duration = Duration::minutes(1);
/// The longest pause.
pub const PAUSE_MAX: Duration = Duration::hours(1);
/// An authority that asks to be left alone for longer is asked again after this all the same.
pub const WAIT_ASKED_MAX: Duration = Duration::days(1);

#[cfg(test)]
mod tests {
    use firmware::clock::SimulatedClock;
    use time::macros::datetime;

    use super::*;
    use crate::store::durable::system_disk;
    use crate::tsa::refusal::Refusal;
    use crate::tsa::transport::TransportError;

    const NOW: OffsetDateTime = datetime!(2026-11-22 03:00 UTC);
    const TIME_OUT: TsaError = TsaError::Transport(TransportError::TimeOut);

    #[test]
    fn the_circuit_opens_after_three_failures_and_the_pause_doubles() {
        let clock = Arc::new(SimulatedClock::new(NOW));
        let health = Health::in_memory(clock.clone());
        for _ in 0..2 {
            health.failed("a", &TIME_OUT);
            assert_eq!(health.of("a").state, CircuitState::Ready);
        }
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            health.failed("a", &TIME_OUT);
            let until = clock.now() + Duration::minutes(minutes);
            assert_eq!(health.of("a").state, CircuitState::Open(until), "{minutes}");
            clock.set(until);
            assert_eq!(health.of("a").state, CircuitState::Ready, "{minutes}");
        }
        assert_eq!(health.of("a").failures, 10);
        assert_eq!(health.of("b"), AuthorityHealth::default());
    }

    #[test]
    fn a_wrong_answer_opens_it_at_once_and_a_clock_set_back_closes_it() {
        let clock = Arc::new(SimulatedClock::new(NOW));
        let health = Health::in_memory(clock.clone());
        health.failed("a", &Refusal::NotTrusted.into());
        assert!(matches!(health.of("a").state, CircuitState::Open(_)));
        clock.advance(-Duration::days(2));
        assert_eq!(health.of("a").state, CircuitState::Ready);
    }

    #[test]
    fn what_the_authority_asks_for_is_kept_for_a_day_at_most() {
        let clock = Arc::new(SimulatedClock::new(NOW));
        let health = Health::in_memory(clock.clone());
        for (asked, kept) in [
            (Duration::hours(2), Duration::hours(2)),
            (Duration::days(9), Duration::days(1)),
        ] {
            let error = TransportError::HttpStatus {
                status: 503,
                retry_after: Some(asked),
            };
            health.failed("a", &error.into());
            assert_eq!(health.of("a").state, CircuitState::Waiting(NOW + kept));
        }
        health.failed("a", &TIME_OUT);
        assert!(matches!(health.of("a").state, CircuitState::Open(_)));
    }

    #[test]
    fn the_memory_survives_the_process_and_garbage_counts_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = DerivedPlace {
            path: folder.path().join("tsa.json"),
            disk: system_disk(),
        };
        let clock = Arc::new(SimulatedClock::new(NOW));
        let health = Health::kept_in(file.clone(), clock.clone());
        health.failed("a", &TIME_OUT);
        let again = Health::kept_in(file.clone(), clock.clone());
        assert_eq!(again.of("a"), health.of("a"));
        assert_eq!(again.of("a").failures, 1);
        for garbage in ["", "[]", "{\"a\": 3}", "{\"a\": {\"failures\": -1}}"] {
            replace_derived_file(file.disk.as_ref(), &file.path, garbage.as_bytes()).unwrap();
            let again = Health::kept_in(file.clone(), clock.clone());
            assert_eq!(again.of("a"), AuthorityHealth::default(), "{garbage}");
        }
    }
}
