//! The DER of evidence records, written from parts that are encoded already.
//!
//! So a million of them are put together and not encoded anew. Tests compare the result with that of
//! [`formats::evidence::EvidenceRecord::encode`].

use formats::der::{Integer, Tag, Writer};
use formats::digest::DigestAlgorithm;

/// A `SEQUENCE` of these elements.
pub(super) fn wrap(elements: &[&[u8]]) -> Vec<u8> {
    Writer::single(Tag::SEQUENCE, |w| {
        for element in elements {
            w.raw(element);
        }
    })
}

/// The DER of an `ArchiveTimeStampSequence` of these chains.
pub(super) fn sequence(chains: &[Vec<u8>]) -> Vec<u8> {
    let chains: Vec<&[u8]> = chains.iter().map(Vec::as_slice).collect();
    wrap(&chains)
}

/// The evidence record around these chains (RFC 4998 §3.1).
pub(super) fn around(algorithms: &[DigestAlgorithm], chains: &[Vec<u8>]) -> Vec<u8> {
    Writer::single(Tag::SEQUENCE, |record| {
        record.integer(&Integer::from(1u64));
        record.sequence(|declared| {
            for algorithm in algorithms {
                declared.sequence(|w| {
                    w.oid(&algorithm.oid());
                });
            }
        });
        record.raw(&sequence(chains));
    })
}
