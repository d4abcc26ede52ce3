//! Ed448 (RFC 8032 §5.2), and what else must not verify.

use crate::support::*;
use formats::oid;
use time::macros::datetime;
use verifier::algorithm::{SignatureAlgorithm, SignatureFamily};
use verifier::crypto::{SignatureCheck, Unsupported, verify_signature};
use verifier::policy::Policy;

/// id-Ed448 and a key of 57 octets.
fn spki(key: &[u8]) -> Vec<u8> {
    let header = [
        0x30, 0x43, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71, 0x03, 0x3a, 0x00,
    ];
    [&header[..], key].concat()
}

fn check(key: &[u8], message: &[u8], signature: &[u8]) -> SignatureCheck {
    verify_signature(&spki(key), &oid::ED448, None, None, message, signature)
}

/// RFC 8032 §7.4, blank message and 1 octet.
const KNOWN: [(&str, &str, &str); 2] = [
    (
        "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180",
        "",
        "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600",
    ),
    (
        "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
        "03",
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00",
    ),
];

#[test]
fn ed448_known_answers() {
    let expected = SignatureAlgorithm {
        family: SignatureFamily::Ed448,
        key_bits: 448,
        digest: None,
    };
    for (key, message, signature) in KNOWN {
        let [key, message, signature] =
            [key, message, signature].map(|hex| hex::decode(hex).unwrap());
        assert_eq!(
            check(&key, &message, &signature),
            SignatureCheck::Valid(expected)
        );
        assert_eq!(check(&key, b"other", &signature), SignatureCheck::Invalid);
        for position in 0..signature.len() {
            let mut altered = signature.clone();
            altered[position] ^= 0x40;
            assert!(!check(&key, &message, &altered).is_valid(), "{position}");
        }
        assert!(!check(&key, &message, &signature[..113]).is_valid());
        assert!(!check(&key, &message, &[&signature[..], &[0]].concat()).is_valid());
    }
    let late = datetime!(2060-01-01 0:00 UTC);
    assert!(
        Policy::default()
            .judge_signature(expected, late)
            .is_trusted()
    );
}

#[test]
fn ed448_by_openssl() {
    if !has_openssl() {
        return;
    }
    let key = Key::generate(&["-algorithm", "ED448"]).unwrap();
    let arguments = "pkeyutl -sign -inkey key.pem -rawin -in message";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let signature = openssl(key.directory.path(), &arguments).unwrap();
    let case = Case {
        spki: &key.spki,
        algorithm: oid::ED448,
        parameters: None,
        digest: None,
        signature,
    };
    case.changes_fail();
    assert!(case.check(MESSAGE, &case.signature).is_valid());
    assert_eq!(
        verify_signature(
            &key.spki,
            &oid::ED448,
            Some(NULL),
            None,
            MESSAGE,
            &case.signature
        ),
        SignatureCheck::Unsupported(Unsupported::Parameters)
    );
    assert_eq!(
        verify_signature(
            &key.spki,
            &oid::ED25519,
            None,
            None,
            MESSAGE,
            &case.signature
        ),
        SignatureCheck::Invalid
    );
}

/// The points of order 1, 2 and 4: with such a key anybody can make signatures. And y at and above the prime: second encodings.
#[test]
fn ed448_keys_of_small_order_and_second_encodings_are_none() {
    let mut identity = [0; 57];
    identity[0] = 1;
    let zero = [0; 57];
    let mut negative_zero = zero;
    negative_zero[56] = 0x80;
    // p = 2^448 - 2^224 - 1
    let mut prime = [0xff; 57];
    prime[28] = 0xfe;
    prime[56] = 0;
    let mut minus_one = prime;
    minus_one[0] = 0xfe;
    let mut above = prime;
    above[..28].fill(0);
    above[28] = 0xff;
    let mut bits_beyond = zero;
    bits_beyond[56] = 0x01;
    for key in [
        identity,
        zero,
        negative_zero,
        prime,
        minus_one,
        above,
        bits_beyond,
    ] {
        for point in [identity, zero, minus_one, key] {
            for scalar in [[0; 57], identity] {
                let signature = [point, scalar].concat();
                assert!(!check(&key, b"anything", &signature).is_valid(), "{key:x?}");
            }
        }
    }
    assert!(!check(&[0; 56], b"", &[0; 114]).is_valid());
}

/// A scalar at or above the order of the group is a second encoding of a signature (RFC 8032 §5.2.7).
#[test]
fn a_second_encoding_of_the_scalar_does_not_verify() {
    let order = hex::decode("f34458ab92c27823558fc58d72c26c219036d6ae49db4ec4e923ca7cffffffffffffffffffffffffffffffffffffffffffffffffffffff3f").unwrap();
    for (key, message, signature) in KNOWN {
        let [key, message, mut signature] =
            [key, message, signature].map(|hex| hex::decode(hex).unwrap());
        let mut carry = 0;
        for (octet, addend) in signature[57..].iter_mut().zip(order.iter().chain([&0])) {
            let sum = u16::from(*octet) + u16::from(*addend) + carry;
            *octet = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(check(&key, &message, &signature), SignatureCheck::Invalid);
    }
}
