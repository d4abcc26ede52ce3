//! The digests of one content object under several algorithms.

use super::place;
use crate::digest::{DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::MANIFEST_DIGESTS_MAX;

/// Digests of the same bytes under at least two different algorithms, in the order in which the manifest writes them.
///
/// Two, because the hash-tree renewal of RFC 4998 §5.3 needs a new digest of every data object. The second one is taken at
/// intake and stands under the first time-stamp, so that a renewal need not read cold media again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digests(Vec<DigestValue>);

impl Digests {
    /// Takes at least two digests under different algorithms.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingElement`] for fewer than two, [`ErrorKind::DuplicateElement`] if an algorithm occurs twice,
    /// [`ErrorKind::LimitExceeded`] for more than [`MANIFEST_DIGESTS_MAX`].
    pub fn new(values: Vec<DigestValue>) -> Result<Self> {
        let fail = |kind| Err(FormatError::new(kind, place::DIGESTS));
        if values.len() < 2 {
            return fail(ErrorKind::MissingElement);
        }
        if values.len() > MANIFEST_DIGESTS_MAX {
            return fail(ErrorKind::LimitExceeded);
        }
        let mut algorithms: Vec<DigestAlgorithm> =
            values.iter().map(DigestValue::algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        if algorithms.len() != values.len() {
            return fail(ErrorKind::DuplicateElement);
        }
        Ok(Self(values))
    }

    /// SHA-256 and SHA-512 of `bytes`: what this version of the format writes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(vec![
            DigestAlgorithm::Sha256.digest(bytes),
            DigestAlgorithm::Sha512.digest(bytes),
        ])
    }

    /// The digest under `algorithm`, if there is one.
    #[must_use]
    pub fn under(&self, algorithm: DigestAlgorithm) -> Option<DigestValue> {
        self.0
            .iter()
            .copied()
            .find(|value| value.algorithm() == algorithm)
    }

    /// All of them.
    #[must_use]
    pub fn values(&self) -> &[DigestValue] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_under_different_algorithms() {
        let digests = Digests::of(b"abc");
        assert_eq!(digests.values().len(), 2);
        assert_eq!(
            digests.under(DigestAlgorithm::Sha256).unwrap().to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(digests.under(DigestAlgorithm::Sha384), None);
        assert_eq!(Digests::new(digests.values().to_vec()).unwrap(), digests);
    }

    #[test]
    fn fewer_repeated_or_too_many_are_refused() {
        let one = DigestAlgorithm::Sha256.digest(b"abc");
        let kind = |values| Digests::new(values).unwrap_err().kind();
        assert_eq!(kind(vec![]), ErrorKind::MissingElement);
        assert_eq!(kind(vec![one]), ErrorKind::MissingElement);
        assert_eq!(
            kind(vec![one, DigestAlgorithm::Sha256.digest(b"x")]),
            ErrorKind::DuplicateElement
        );
        let many: Vec<_> = DigestAlgorithm::ALL
            .iter()
            .take(MANIFEST_DIGESTS_MAX + 1)
            .map(|a| a.digest(b""))
            .collect();
        assert_eq!(kind(many), ErrorKind::LimitExceeded);
    }
}
