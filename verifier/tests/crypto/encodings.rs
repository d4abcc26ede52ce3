//! Values and encodings of ECDSA and DSA signatures that must not verify, in the manner of Project Wycheproof.

use crate::support::*;
use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use verifier::crypto::{SignatureCheck, verify_signature};

/// Orders of the curves, for values at and above them.
const ORDERS: [(&str, &str); 3] = [
    (
        "P-256",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    ),
    (
        "P-384",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    (
        "brainpoolP256r1",
        "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
    ),
];

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()][..], content].concat()
}

/// A positive INTEGER.
fn integer(magnitude: &[u8]) -> Vec<u8> {
    let start = magnitude.iter().position(|octet| *octet != 0);
    let magnitude = start.map_or(&[0][..], |start| &magnitude[start..]);
    let sign = if magnitude[0] & 0x80 == 0 {
        &[][..]
    } else {
        &[0]
    };
    tlv(2, &[sign, magnitude].concat())
}

/// The two magnitudes of a signature.
fn split(der: &[u8]) -> [Vec<u8>; 2] {
    let first = &der[4..4 + usize::from(der[3])];
    let at = 4 + first.len();
    let second = &der[at + 2..at + 2 + usize::from(der[at + 1])];
    [first, second].map(|content| content.strip_prefix(&[0]).unwrap_or(content).to_vec())
}

/// `a - b` for magnitudes of any length, `a` the greater.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = a.to_vec();
    let mut borrow = 0;
    for (position, octet) in out.iter_mut().rev().enumerate() {
        let other = b
            .len()
            .checked_sub(position + 1)
            .map_or(0, |at| i16::from(b[at]));
        let value = i16::from(*octet) - other - borrow;
        borrow = i16::from(value < 0);
        *octet = value.rem_euclid(256) as u8;
    }
    out
}

fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let length = a.len().max(b.len()) + 1;
    let at = |list: &[u8], position: usize| {
        list.len()
            .checked_sub(position + 1)
            .map_or(0, |at| u16::from(list[at]))
    };
    let mut out = vec![0; length];
    let mut carry = 0;
    for position in 0..length {
        let value = at(a, position) + at(b, position) + carry;
        out[length - 1 - position] = value as u8;
        carry = value >> 8;
    }
    out
}

fn sequence(members: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &members.concat())
}

fn bad_encodings(r: &[u8], s: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (r_der, s_der) = (integer(r), integer(s));
    let plain = sequence(&[&r_der, &s_der]);
    let padded = |der: &[u8]| tlv(2, &[&[0, 0][..], &der[2..]].concat());
    let mut long_length = vec![0x30, 0x81];
    long_length.extend(&plain[1..]);
    let mut indefinite = vec![0x30, 0x80];
    indefinite.extend(&plain[2..]);
    indefinite.extend([0, 0]);
    let mut negative = plain.clone();
    let place = 4 + usize::from(negative[4] == 0);
    negative[place] |= 0x80;
    if place == 5 {
        negative.remove(4);
        negative[1] -= 1;
        negative[3] -= 1;
    }
    vec![
        ("leading zeros of r", sequence(&[&padded(&r_der), &s_der])),
        ("leading zeros of s", sequence(&[&r_der, &padded(&s_der)])),
        ("length in the long form", long_length),
        ("indefinite length", indefinite),
        ("negative r", negative),
        ("three members", sequence(&[&r_der, &s_der, &s_der])),
        ("NULL at the end", sequence(&[&r_der, &s_der, NULL])),
        ("one member", sequence(&[&r_der])),
        ("a SET", [&[0x31], &plain[1..]].concat()),
        (
            "an OCTET STRING for r",
            sequence(&[&[&[4], &r_der[1..]].concat(), &s_der]),
        ),
        ("octets after it", [&plain[..], &[0]].concat()),
        ("r and s one after the other", [r, s].concat()),
        ("empty integers", sequence(&[&[2, 0], &[2, 0]])),
    ]
}

#[test]
fn ecdsa_values_out_of_range_and_second_encodings_do_not_verify() {
    if !has_openssl() {
        return;
    }
    for (curve, order) in ORDERS {
        let order = hex::decode(order).unwrap();
        let option = format!("ec_paramgen_curve:{curve}");
        let key = Key::generate(&["-algorithm", "EC", "-pkeyopt", &option]).unwrap();
        let [r, s] = split(&key.sign(&["-sha256"]).unwrap());
        let check = |signature: &[u8]| {
            verify_signature(
                &key.spki,
                &oid::ECDSA_WITH_SHA256,
                None,
                None,
                MESSAGE,
                signature,
            )
        };
        assert!(check(&sequence(&[&integer(&r), &integer(&s)])).is_valid());
        // No second encoding but a second value: both are signatures by FIPS 186-5, and a verifier may not refuse one.
        let other = integer(&difference(&order, &s));
        assert!(
            check(&sequence(&[&integer(&r), &other])).is_valid(),
            "{curve}"
        );
        let one = [1];
        for bad in [
            [vec![], s.clone()],
            [r.clone(), vec![]],
            [vec![], vec![]],
            [order.clone(), s.clone()],
            [r.clone(), order.clone()],
            [order.clone(), order.clone()],
            [vec![1], order.clone()],
            [sum(&order, &one), s.clone()],
            [sum(&r, &order), s.clone()],
            [r.clone(), sum(&s, &order)],
            [difference(&order, &r), s.clone()],
            [s.clone(), r.clone()],
            [vec![1], vec![1]],
        ] {
            let signature = sequence(&[&integer(&bad[0]), &integer(&bad[1])]);
            assert_eq!(
                check(&signature),
                SignatureCheck::Invalid,
                "{curve} {bad:x?}"
            );
        }
        for (what, bad) in bad_encodings(&r, &s) {
            assert_eq!(check(&bad), SignatureCheck::Invalid, "{curve}: {what}");
        }
    }
}

#[test]
fn dsa_second_encodings_do_not_verify() {
    if !has_openssl() {
        return;
    }
    let key = Key::dsa("1024").unwrap();
    let [r, s] = split(&key.sign(&["-sha1"]).unwrap());
    let check = |signature: &[u8]| {
        verify_signature(
            &key.spki,
            &oid::DSA_WITH_SHA1,
            None,
            None,
            MESSAGE,
            signature,
        )
    };
    assert!(check(&sequence(&[&integer(&r), &integer(&s)])).is_valid());
    for (what, bad) in bad_encodings(&r, &s) {
        assert_eq!(check(&bad), SignatureCheck::Invalid, "{what}");
    }
}

/// The twisted curves of RFC 5639, with an identifier that no other table knows.
#[test]
fn twisted_brainpool_curves_verify() {
    if !has_openssl() {
        return;
    }
    for (curve, bits) in [("brainpoolP256t1", 256), ("brainpoolP384t1", 384)] {
        let option = format!("ec_paramgen_curve:{curve}");
        let key = Key::generate(&["-algorithm", "EC", "-pkeyopt", &option]).unwrap();
        let case = Case {
            spki: &key.spki,
            algorithm: oid::ECDSA_WITH_SHA384,
            parameters: None,
            digest: None,
            signature: key.sign(&["-sha384"]).unwrap(),
        };
        case.hold(verifier::algorithm::SignatureAlgorithm {
            family: verifier::algorithm::SignatureFamily::Ecdsa,
            key_bits: bits,
            digest: Some(DigestAlgorithm::Sha384),
        });
    }
}

/// PKCS #1 v1.5: a padding that is not of full length, garbage behind the digest, another digest inside. OpenSSL signs them raw.
#[test]
fn rsa_paddings_that_are_none_do_not_verify() {
    if !has_openssl() {
        return;
    }
    let key = Key::generate(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]).unwrap();
    let info = hex::decode("3031300d060960864801650304020105000420").unwrap();
    let digest = DigestAlgorithm::Sha256.digest(MESSAGE);
    let info = [&info[..], digest.as_bytes()].concat();
    let block = |start: &[u8], fill: usize, end: &[u8]| {
        let mut out = [start, &vec![0xff; fill], &[0], end].concat();
        out.resize(256, 0);
        out
    };
    let full = 256 - 3 - info.len();
    let second = DigestAlgorithm::Sha256.digest(b"other");
    let other = [&info[..19], second.as_bytes()].concat();
    let mut ber = info.clone();
    ber.splice(1..2, [0x81, 0x31]);
    let algorithm: &Oid = &oid::SHA256_WITH_RSA;
    for (what, bytes, valid) in [
        ("the right one", block(&[0, 1], full, &info), true),
        (
            "short padding, garbage behind",
            block(&[0, 1], 8, &info),
            false,
        ),
        ("block type 2", block(&[0, 2], full, &info), false),
        ("block type 0", block(&[0, 0], full, &info), false),
        ("another digest", block(&[0, 1], full, &other), false),
        ("a length in BER", block(&[0, 1], full - 1, &ber), false),
        ("no digest", block(&[0, 1], 253, &[]), false),
    ] {
        put(&key.directory.path().join("block"), &bytes);
        let arguments = "pkeyutl -decrypt -inkey key.pem -pkeyopt rsa_padding_mode:none -in block";
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let signature = openssl(key.directory.path(), &arguments).unwrap();
        let check = verify_signature(&key.spki, algorithm, Some(NULL), None, MESSAGE, &signature);
        assert_eq!(check.is_valid(), valid, "{what}");
    }
}
