//! The random source as the crates for secret sharing and HPKE want it.

use std::convert::Infallible;

use firmware::entropy::{Entropy, EntropyError};
use rand_core::{TryCryptoRng, TryRng};

/// Random numbers from an [`Entropy`] for an interface that knows no failure: a failure is remembered, and what was made with
/// it is thrown away in [`EntropyNumbers::finish`].
pub(super) struct EntropyNumbers<'a> {
    entropy: &'a dyn Entropy,
    failed: Option<EntropyError>,
}

impl<'a> EntropyNumbers<'a> {
    pub(super) const fn new(entropy: &'a dyn Entropy) -> Self {
        Self {
            entropy,
            failed: None,
        }
    }

    /// `made`, unless the source failed while it was made.
    pub(super) fn finish<T>(self, made: T) -> Result<T, EntropyError> {
        self.failed.map_or(Ok(made), Err)
    }
}

impl TryRng for EntropyNumbers<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        if let Err(error) = self.entropy.fill(bytes) {
            self.failed = Some(error);
            // Rejection sampling must come to an end although the source has failed; nothing made of these is used.
            for (place, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(place % 251).unwrap_or_default() ^ 0x5a;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for EntropyNumbers<'_> {}
