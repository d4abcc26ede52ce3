//! Random bytes as an argument: keys, nonces, salts and identifiers come from an [`Entropy`].

use std::fmt;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Where random bytes come from.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// [`EntropyError`] when the source gives nothing. `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The random source of the operating system gave no bytes.
///
/// Nothing secret may be made without it: stop, and look at the kernel log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntropyError;

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the random source of the operating system gives no bytes: look at the kernel log",
        )
    }
}

impl std::error::Error for EntropyError {}

/// The random source of the operating system (`getrandom(2)`), seeded before it answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}

/// A predictable source: the same seed gives the same bytes. For tests and simulations, never for a key that guards anything.
///
/// Output block *n* is SHA-256(seed ‖ *n* as 64-bit big-endian).
pub struct SeededEntropy {
    seed: [u8; 32],
    blocks_used: Mutex<u64>,
}

impl SeededEntropy {
    /// A source that starts at block 0 of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed: Sha256::digest(seed.to_be_bytes()).into(),
            blocks_used: Mutex::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut used = self
            .blocks_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for part in bytes.chunks_mut(32) {
            let mut block: [u8; 32] = Sha256::new()
                .chain_update(self.seed)
                .chain_update(used.to_be_bytes())
                .finalize()
                .into();
            *used = used.wrapping_add(1);
            for (target, source) in part.iter_mut().zip(block) {
                *target = source;
            }
            block.zeroize();
        }
        Ok(())
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededEntropy").finish_non_exhaustive()
    }
}

impl Drop for SeededEntropy {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let draw = |seed| {
            let source = SeededEntropy::new(seed);
            let mut bytes = [0; 100];
            source.fill(&mut bytes).unwrap();
            let mut more = [0; 100];
            source.fill(&mut more).unwrap();
            (bytes, more)
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let (bytes, more) = draw(1);
        assert_ne!(bytes, more, "a stream never repeats");
    }

    #[test]
    fn the_system_source_fills_everything_and_differs() {
        let mut one = [0; 64];
        let mut two = [0; 64];
        SystemEntropy.fill(&mut one).unwrap();
        SystemEntropy.fill(&mut two).unwrap();
        assert_ne!(one, two);
        assert!(one.chunks(16).all(|part| part.iter().any(|&b| b != 0)));
    }

    #[test]
    fn the_error_says_what_to_do() {
        let text = EntropyError::default().to_string();
        assert!(text.contains("kernel log"), "{text}");
    }

    #[test]
    fn debug_shows_no_seed() {
        assert_eq!(
            format!("{:?}", SeededEntropy::new(7)),
            "SeededEntropy { .. }"
        );
    }
}
