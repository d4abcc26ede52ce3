//! Parts of tokens that only old authorities write.

use formats::der::{Tag, Writer};
use formats::digest::DigestAlgorithm;

/// `SigningCertificate` of RFC 2634 §5.4, by SHA-1.
pub fn reference_v1(certificate: &[u8]) -> Vec<u8> {
    Writer::single(Tag::SEQUENCE, |w| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.octet_string(DigestAlgorithm::Sha1.digest(certificate).as_bytes());
            });
        });
    })
}
