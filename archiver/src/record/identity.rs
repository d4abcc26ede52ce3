//! How a repeated deposit is recognised without showing what was deposited.

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::manifest::Metadata;

use crate::keys::DataKey;

/// What makes a deposit the same as an earlier one, as far as it is known before the whole content is read: class, name,
/// what was given as metadata, size, and the digest of the content's head.
///
/// Its keyed digest stands with each record version. Two different contents can agree in all of this, so a match is a
/// candidate, whose full digests decide; a content that differs after all takes the next `attempt`.
#[derive(Debug)]
pub(super) struct DepositIdentity {
    description: Vec<u8>,
}

/// The keyed digest of a [`DepositIdentity`].
pub(super) type IdentityCode = [u8; 32];

impl DepositIdentity {
    /// `size` is `None` for a stream whose end lies behind the head.
    pub(super) fn new(
        class: &str,
        name: &[u8],
        given: &Metadata,
        size: Option<u64>,
        head: &[u8],
    ) -> Self {
        let mut description = Description::default();
        description.field(class.as_bytes());
        description.field(name);
        description.metadata(given);
        description.field(&size.unwrap_or(u64::MAX).to_be_bytes());
        description.field(DigestAlgorithm::Sha256.digest(head).as_bytes());
        Self {
            description: description.bytes,
        }
    }

    /// The code of the `attempt`-th content with this description, under the archive's key for identities.
    pub(super) fn code(&self, key: &DataKey, attempt: u32) -> IdentityCode {
        key.keyed_digest(&[&self.description, &attempt.to_be_bytes()])
    }
}

/// Whether the digests of two contents agree. Both carry SHA-256 and SHA-512.
pub(super) fn same_content(left: &[DigestValue], right: &[DigestValue]) -> bool {
    let mut compared = 0_usize;
    for digest in left {
        for other in right {
            if digest.algorithm() == other.algorithm() {
                if digest != other {
                    return false;
                }
                compared += 1;
            }
        }
    }
    compared > 0
}

/// Fields with their lengths in front, so that no two lists of fields give the same bytes.
#[derive(Default)]
struct Description {
    bytes: Vec<u8>,
}

impl Description {
    fn field(&mut self, field: &[u8]) {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(field);
    }

    fn metadata(&mut self, metadata: &Metadata) {
        let texts = [
            ("date", metadata.date.map(|date| date.to_string())),
            ("amount", metadata.amount.as_ref().map(ToString::to_string)),
            ("currency", metadata.currency.map(|code| code.to_string())),
            ("counterparty", metadata.counterparty.clone()),
            ("title", metadata.title.clone()),
            ("document-number", metadata.document_number.clone()),
            (
                "registration-number",
                metadata
                    .registration_number
                    .as_ref()
                    .map(ToString::to_string),
            ),
            ("supplier", metadata.supplier.clone()),
            ("customer", metadata.customer.clone()),
        ];
        let mut inner = Self::default();
        for (key, value) in texts {
            if let Some(value) = value {
                inner.field(key.as_bytes());
                inner.field(value.as_bytes());
            }
        }
        for (key, value) in &metadata.additional {
            inner.field(key.as_bytes());
            inner.field(value.as_bytes());
        }
        self.field(&inner.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::metadata::from_arguments;

    fn code(
        class: &str,
        name: &[u8],
        meta: &[&str],
        size: Option<u64>,
        head: &[u8],
    ) -> IdentityCode {
        let given = from_arguments(meta.iter().copied()).unwrap();
        let key = DataKey::from_bytes(&[7; 32]);
        DepositIdentity::new(class, name, &given, size, head).code(&key, 0)
    }

    #[test]
    fn the_same_deposit_has_the_same_code() {
        let one = || {
            code(
                "general",
                b"a",
                &["date=2026-01-31", "k=v"],
                Some(3),
                b"abc",
            )
        };
        assert_eq!(one(), one());
    }

    #[test]
    fn every_part_counts() {
        let base = code("general", b"a", &["k=v"], Some(3), b"abc");
        assert_ne!(base, code("contract", b"a", &["k=v"], Some(3), b"abc"));
        assert_ne!(base, code("general", b"b", &["k=v"], Some(3), b"abc"));
        assert_ne!(base, code("general", b"a", &["k=w"], Some(3), b"abc"));
        assert_ne!(base, code("general", b"a", &["kv=v"], Some(3), b"abc"));
        assert_ne!(base, code("general", b"a", &["k=v"], Some(4), b"abc"));
        assert_ne!(base, code("general", b"a", &["k=v"], None, b"abc"));
        assert_ne!(base, code("general", b"a", &["k=v"], Some(3), b"abd"));
        assert_ne!(base, code("generala", b"", &["k=v"], Some(3), b"abc"));
    }

    #[test]
    fn key_and_attempt_count() {
        let identity = DepositIdentity::new("c", b"n", &Metadata::default(), Some(0), b"");
        let key = DataKey::from_bytes(&[7; 32]);
        assert_ne!(identity.code(&key, 0), identity.code(&key, 1));
        assert_ne!(
            identity.code(&key, 0),
            identity.code(&DataKey::from_bytes(&[8; 32]), 0)
        );
    }

    #[test]
    fn contents_are_compared_by_every_common_digest() {
        let digests = |data: &[u8]| {
            [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512]
                .map(|algorithm| algorithm.digest(data))
        };
        assert!(same_content(&digests(b"a"), &digests(b"a")));
        assert!(!same_content(&digests(b"a"), &digests(b"b")));
        assert!(!same_content(&digests(b"a"), &[]));
        let mixed = [digests(b"a")[0], digests(b"b")[1]];
        assert!(!same_content(&digests(b"a"), &mixed));
    }
}
