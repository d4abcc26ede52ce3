//! Log-ins that were begun: each is one browser's, used once, and over after minutes.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firmware::entropy::{Entropy, EntropyError};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::error::StateFault;

/// All log-ins that wait for their answer. It knows digests of states and cookies, and neither of them.
#[derive(Debug, Default)]
pub(super) struct PendingLogIns {
    by_state: HashMap<[u8; 32], PendingLogIn>,
}

/// A log-in that waits for its answer.
pub(super) struct PendingLogIn {
    browser: [u8; 32],
    pub(super) begun_at: OffsetDateTime,
    /// What the ID token must carry.
    pub(super) nonce: Zeroizing<String>,
    /// What proves to the provider that the code is ours (RFC 7636 §4.1).
    pub(super) verifier: Zeroizing<String>,
}

impl std::fmt::Debug for PendingLogIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingLogIn")
            .field("begun_at", &self.begun_at)
            .finish_non_exhaustive()
    }
}

/// What was drawn for a new log-in.
pub(super) struct Drawn {
    /// Goes through the provider and comes back.
    pub(super) state: Zeroizing<String>,
    /// Stays in the browser.
    pub(super) browser: Zeroizing<String>,
    pub(super) nonce: Zeroizing<String>,
    pub(super) verifier: Zeroizing<String>,
}

impl PendingLogIns {
    /// Begins a log-in. Where too many wait, the oldest one is over.
    pub(super) fn begin(
        &mut self,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<Drawn, EntropyError> {
        self.by_state
            .retain(|_, one| now - one.begun_at <= LIFE_MAX);
        while self.by_state.len() >= WAITING_MAX {
            let oldest = self.by_state.iter().min_by_key(|(_, one)| one.begun_at);
            let Some(oldest) = oldest.map(|(state, _)| *state) else {
                break;
            };
            self.by_state.remove(&oldest);
        }
        let drawn = Drawn {
            state: random_text(entropy)?,
            browser: random_text(entropy)?,
            nonce: random_text(entropy)?,
            verifier: random_text(entropy)?,
        };
        let waits = PendingLogIn {
            browser: digest(&drawn.browser),
            begun_at: now,
            nonce: drawn.nonce.clone(),
            verifier: drawn.verifier.clone(),
        };
        self.by_state.insert(digest(&drawn.state), waits);
        Ok(drawn)
    }

    /// Takes the log-in of a state out, for the browser that began it. Whatever comes of it, it is used up.
    pub(super) fn take(
        &mut self,
        state: &str,
        browser: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<PendingLogIn, StateFault> {
        let waits = self.by_state.remove(&digest(state));
        let waits = waits.ok_or(StateFault::Unknown)?;
        if browser.map(digest) != Some(waits.browser) {
            return Err(StateFault::Elsewhere);
        }
        if now - waits.begun_at > LIFE_MAX || now < waits.begun_at {
            return Err(StateFault::Expired);
        }
        Ok(waits)
    }
}

/// 256 random bits as URL-safe text: 43 characters, as RFC 7636 §4.1 recommends.
fn random_text(entropy: &dyn Entropy) -> Result<Zeroizing<String>, EntropyError> {
    let mut bytes = Zeroizing::new([0; 32]);
    entropy.fill(bytes.as_mut_slice())?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Time for a password and a second factor at the provider.
pub(super) const LIFE_MAX: Duration = Duration::minutes(10);

/// Waiting at once: some megabytes.
const WAITING_MAX: usize = 4_096;

#[cfg(test)]
mod tests {
    use firmware::entropy::SeededEntropy;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-04-01 09:00 UTC);

    #[test]
    fn an_answer_counts_once_and_in_its_browser_only() {
        let mut pending = PendingLogIns::default();
        let entropy = SeededEntropy::new(7);
        let mine = pending.begin(NOW, &entropy).expect("random");
        let other = pending.begin(NOW, &entropy).expect("random");
        let taken = pending.take(&mine.state, Some(&mine.browser), NOW);
        let taken = taken.expect("it is mine");
        assert_eq!(
            (&taken.nonce, &taken.verifier),
            (&mine.nonce, &mine.verifier)
        );
        let again = pending.take(&mine.state, Some(&mine.browser), NOW);
        assert_eq!(again.expect_err("used"), StateFault::Unknown);
        let stolen = pending.take(&other.state, Some(&mine.browser), NOW);
        assert_eq!(stolen.expect_err("another's"), StateFault::Elsewhere);
        let late = pending.take(&other.state, Some(&other.browser), NOW);
        assert_eq!(
            late.expect_err("used up by the wrong browser"),
            StateFault::Unknown
        );
        let bare = pending.begin(NOW, &entropy).expect("random");
        let without = pending.take(&bare.state, None, NOW);
        assert_eq!(without.expect_err("no cookie"), StateFault::Elsewhere);
    }

    #[test]
    fn a_log_in_is_over_after_minutes_and_only_so_many_wait() {
        let mut pending = PendingLogIns::default();
        let entropy = SeededEntropy::new(7);
        let first = pending.begin(NOW, &entropy).expect("random");
        let last = NOW + LIFE_MAX;
        let late = pending.take(&first.state, Some(&first.browser), last + Duration::SECOND);
        assert_eq!(late.expect_err("too late"), StateFault::Expired);
        let oldest = pending.begin(NOW, &entropy).expect("random");
        let second = pending
            .begin(NOW + Duration::SECOND, &entropy)
            .expect("random");
        for _ in 2..=WAITING_MAX {
            pending.begin(last, &entropy).expect("random");
        }
        assert_eq!(pending.by_state.len(), WAITING_MAX);
        let gone = pending.take(&oldest.state, Some(&oldest.browser), last);
        assert_eq!(gone.expect_err("made room"), StateFault::Unknown);
        pending
            .take(&second.state, Some(&second.browser), last)
            .expect("just in time");
    }
}
