//! Known answers.

use super::*;

/// Digests of "abc" from RFC 1321, FIPS 180-4 and FIPS 202 examples, and the RIPEMD-160 page.
const ABC: &[(DigestAlgorithm, &str)] = &[
    (DigestAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
    (
        DigestAlgorithm::Sha1,
        "a9993e364706816aba3e25717850c26c9cd0d89d",
    ),
    (
        DigestAlgorithm::Ripemd160,
        "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    ),
    (
        DigestAlgorithm::Sha224,
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    ),
    (
        DigestAlgorithm::Sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        DigestAlgorithm::Sha384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        DigestAlgorithm::Sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        DigestAlgorithm::Sha512_256,
        "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
    ),
    (
        DigestAlgorithm::Sha3_224,
        "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
    ),
    (
        DigestAlgorithm::Sha3_256,
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
    ),
    (
        DigestAlgorithm::Sha3_384,
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    ),
    (
        DigestAlgorithm::Sha3_512,
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
    ),
];

#[test]
fn known_answers() {
    assert_eq!(ABC.len(), DigestAlgorithm::ALL.len());
    for (algorithm, expected) in ABC {
        let value = algorithm.digest(b"abc");
        assert_eq!(value.to_hex(), *expected, "{algorithm}");
        assert_eq!(value.as_bytes().len(), algorithm.len());
        let mut hasher = algorithm.hasher();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hasher.finish(), value);
        assert_eq!(format!("{value:?}"), format!("{algorithm}:{expected}"));
    }
}

#[test]
fn names_and_identifiers_are_unique_and_reversible() {
    for algorithm in DigestAlgorithm::ALL.iter().copied() {
        assert_eq!(DigestAlgorithm::from_oid(&algorithm.oid()), Some(algorithm));
        assert_eq!(
            DigestAlgorithm::from_name(algorithm.name()),
            Some(algorithm)
        );
        if let Some(uri) = algorithm.xml_uri() {
            assert_eq!(DigestAlgorithm::from_xml_uri(uri), Some(algorithm));
        }
    }
    assert_eq!(DigestAlgorithm::from_name("sha256"), None);
    assert_eq!(DigestAlgorithm::from_oid(&oid::DATA), None);
    assert_eq!(DigestAlgorithm::from_xml_uri(""), None);
}

#[test]
fn a_wrong_length_is_refused() {
    assert!(DigestValue::from_bytes(DigestAlgorithm::Sha256, &[0; 31]).is_none());
    assert!(DigestValue::from_bytes(DigestAlgorithm::Sha256, &[0; 33]).is_none());
    assert!(DigestValue::from_bytes(DigestAlgorithm::Sha256, &[0; 32]).is_some());
}

#[test]
fn order_is_by_bytes() {
    let low = DigestValue::from_bytes(DigestAlgorithm::Sha256, &[1; 32]).unwrap();
    let high = DigestValue::from_bytes(DigestAlgorithm::Sha256, &[2; 32]).unwrap();
    let other = DigestValue::from_bytes(DigestAlgorithm::Sha3_256, &[1; 32]).unwrap();
    assert!(low < high && other < high && low < other);
    assert_ne!(low, other);
}
