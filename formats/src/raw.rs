//! A value together with the exact bytes that it came from.

use std::ops::Deref;

/// A parsed value and the bytes it was parsed from.
///
/// What was hashed or signed is the received bytes. Two encoders seldom agree on the order of a SET OF or on the form of a
/// length, so a value that was decoded and encoded again often has another digest. Verification therefore takes [`Raw::raw`]
/// and never encodes. For every parser of this crate, `parse(x)?.raw() == x`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Raw<T> {
    value: T,
    raw: Vec<u8>,
}

impl<T> Raw<T> {
    /// Pairs a value with its bytes. Only a parser, or a writer that has just made both, should call this.
    #[must_use]
    pub const fn new(value: T, raw: Vec<u8>) -> Self {
        Self { value, raw }
    }

    /// The exact bytes.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The value and the bytes.
    #[must_use]
    pub fn into_parts(self) -> (T, Vec<u8>) {
        (self.value, self.raw)
    }
}

impl<T> Deref for Raw<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_value_and_bytes() {
        let raw = Raw::new(7_u8, vec![2, 1, 7]);
        assert_eq!(*raw, 7);
        assert_eq!(raw.raw(), [2, 1, 7]);
        assert_eq!(raw.into_parts(), (7, vec![2, 1, 7]));
    }
}
