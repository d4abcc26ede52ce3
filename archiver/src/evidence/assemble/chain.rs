//! One chain of archive timestamps as it is stored.

use std::fmt;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::segment::FrameAddress;

use super::error::AssembleError;
use super::record::wrap;
use super::stored_batch::StoredBatch;

/// A chain (RFC 4998 §5.1). The renewals are the same for every version in it; only the way to the first token differs.
pub struct StoredChain<'a> {
    head: StoredBatch<'a>,
    links: Vec<Link>,
}

/// An archive timestamp that renews the chain.
struct Link {
    /// Where its frame stands.
    address: FrameAddress,
    /// Its DER.
    time_stamp: Vec<u8>,
    /// The digest of its token.
    token: DigestValue,
}

impl<'a> StoredChain<'a> {
    pub(super) const fn new(head: StoredBatch<'a>) -> Self {
        let links = Vec::new();
        Self { head, links }
    }

    /// Adds the next renewal.
    pub(super) fn add(
        &mut self,
        address: FrameAddress,
        renewal: &StoredBatch<'_>,
        leaf: u64,
    ) -> Result<(), AssembleError> {
        // RFC 4998 §5.2: all of a chain have the same digest algorithm.
        if renewal.algorithm() != self.algorithm() {
            return Err(AssembleError::NotCovered);
        }
        let time_stamp = renewal.time_stamp(leaf, &self.token_digests())?;
        self.links.push(Link {
            address,
            time_stamp,
            token: self.algorithm().digest(renewal.token()),
        });
        Ok(())
    }

    /// The batch that starts it.
    #[must_use]
    pub const fn head(&self) -> &StoredBatch<'a> {
        &self.head
    }

    /// Its digest algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.head.algorithm()
    }

    /// The digests of its tokens, oldest first: the data object group of its next renewal.
    #[must_use]
    pub fn token_digests(&self) -> Vec<DigestValue> {
        let first = self.algorithm().digest(self.head.token());
        let later = self.links.iter().map(|link| link.token);
        std::iter::once(first).chain(later).collect()
    }

    /// The DER of the chain for a leaf of its head whose group has these values, without the renewals from `end` on.
    pub(super) fn encode(
        &self,
        leaf: u64,
        values: &[DigestValue],
        end: Option<FrameAddress>,
    ) -> Result<Vec<u8>, AssembleError> {
        let first = self.head.time_stamp(leaf, values)?;
        let later = self
            .links
            .iter()
            .filter(|link| end.is_none_or(|end| link.address < end))
            .map(|link| link.time_stamp.as_slice());
        let members: Vec<&[u8]> = std::iter::once(first.as_slice()).chain(later).collect();
        Ok(wrap(&members))
    }
}

impl fmt::Debug for StoredChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredChain")
            .field("head", &self.head)
            .field("renewals", &self.links.len())
            .finish()
    }
}
