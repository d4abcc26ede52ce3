//! Proofs of existence (EN 319 102-1 §5.6.2.3): which object is proven to have existed since when, and by what.
//!
//! A time-stamp or evidence record that has passed proves every object that it covers. Judges go from the newest proof inwards, so that each
//! proof is judged with what the newer ones have proven; then `Sliding` asks for each certificate, CRL and OCSP response of a path since when
//! it exists. An object is known by the SHA-256 digest of its exact bytes: a certificate, a CRL, a BasicOCSPResponse, a time-stamp token, the
//! octets of a signature.

mod material;
mod sliding;

use std::collections::HashMap;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::ocsp::BasicOcspResponse;
use time::OffsetDateTime;

pub(crate) use self::material::Referable;
pub(crate) use self::sliding::Sliding;
use crate::finding::Place;

/// Objects that one set may hold. A signature with 256 time-stamps, each with ten certificates and lists, has some 3,000.
pub const PROVEN_OBJECTS_MAX: usize = 65_536;

/// The earliest proof of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Since when it exists.
    pub time: OffsetDateTime,
    /// What proves it.
    pub by: Place,
}

/// What is proven to exist, each object since the earliest time that any proof gives.
#[derive(Clone, Debug, Default)]
pub struct PoeSet {
    known: HashMap<DigestValue, Proof>,
}

impl PoeSet {
    /// Adds a proof of the object with these bytes. An earlier one stays. A set that is full proves nothing more, which is the safe side.
    pub fn add(&mut self, object: &[u8], time: OffsetDateTime, by: &Place) {
        let key = key(object);
        let better = match self.known.get(&key) {
            Some(known) => time < known.time,
            None => self.known.len() < PROVEN_OBJECTS_MAX,
        };
        if better {
            let by = by.clone();
            self.known.insert(key, Proof { time, by });
        }
    }

    /// The same for an OCSP response, whole or without its frame: what stands in the frame is not signed.
    pub fn add_ocsp(&mut self, response: &[u8], time: OffsetDateTime, by: &Place) {
        let basic = BasicOcspResponse::parse_either(response);
        self.add(basic.map_or(response, |basic| basic.raw), time, by);
    }

    /// The earliest proof of the object with these bytes.
    #[must_use]
    pub fn proof(&self, object: &[u8]) -> Option<&Proof> {
        self.known.get(&key(object))
    }

    /// Since when the object with these bytes is proven to exist.
    #[must_use]
    pub fn since(&self, object: &[u8]) -> Option<OffsetDateTime> {
        self.proof(object).map(|proof| proof.time)
    }

    /// How many objects are proven.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is proven.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

fn key(object: &[u8]) -> DigestValue {
    DigestAlgorithm::Sha256.digest(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const EARLY: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const LATE: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

    #[test]
    fn the_earliest_proof_stays() {
        let mut proofs = PoeSet::default();
        let (one, two) = (Place::root().child("one"), Place::root().child("two"));
        assert!(proofs.is_empty());
        proofs.add(b"object", LATE, &one);
        proofs.add(b"object", EARLY, &two);
        proofs.add(b"object", LATE, &one);
        assert_eq!(proofs.since(b"object"), Some(EARLY));
        assert_eq!(proofs.proof(b"object").map(|proof| &proof.by), Some(&two));
        assert_eq!(proofs.len(), 1);
    }

    #[test]
    fn nothing_else_is_proven() {
        let mut proofs = PoeSet::default();
        proofs.add(b"object", EARLY, &Place::root());
        for other in [&b""[..], b"objec", b"object "] {
            assert_eq!(proofs.since(other), None);
        }
        // What is no response is an object like others.
        proofs.add_ocsp(b"no response", LATE, &Place::root());
        assert_eq!(proofs.since(b"no response"), Some(LATE));
    }

    #[test]
    fn a_full_set_proves_nothing_more() {
        let mut proofs = PoeSet::default();
        let place = Place::root();
        for number in 0..PROVEN_OBJECTS_MAX {
            proofs.add(&number.to_be_bytes(), LATE, &place);
        }
        proofs.add(b"one too many", EARLY, &place);
        assert_eq!(proofs.since(b"one too many"), None);
        proofs.add(&0_usize.to_be_bytes(), EARLY, &place);
        assert_eq!(proofs.since(&0_usize.to_be_bytes()), Some(EARLY));
    }
}
