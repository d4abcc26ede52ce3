//! ECDSA, DSA, Ed25519, and keys that do not fit.

use crate::support::*;
use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use verifier::algorithm::{SignatureAlgorithm, SignatureFamily};
use verifier::crypto::{SignatureCheck, Unsupported, verify_signature};

#[test]
fn ecdsa_on_each_curve_with_short_and_long_digests() {
    if !has_openssl() {
        return;
    }
    for (curve, bits) in [
        ("P-256", 256),
        ("P-384", 384),
        ("P-521", 521),
        ("brainpoolP256r1", 256),
        ("brainpoolP384r1", 384),
    ] {
        let option = format!("ec_paramgen_curve:{curve}");
        let named = "ec_param_enc:named_curve";
        let key =
            Key::generate(&["-algorithm", "EC", "-pkeyopt", &option, "-pkeyopt", named]).unwrap();
        for (name, digest, algorithm) in [
            ("-sha1", DigestAlgorithm::Sha1, oid::ECDSA_WITH_SHA1),
            ("-sha256", DigestAlgorithm::Sha256, oid::ECDSA_WITH_SHA256),
            ("-sha512", DigestAlgorithm::Sha512, oid::ECDSA_WITH_SHA512),
            (
                "-sha3-384",
                DigestAlgorithm::Sha3_384,
                oid::ECDSA_WITH_SHA3_384,
            ),
        ] {
            let case = Case {
                spki: &key.spki,
                algorithm,
                parameters: None,
                digest: None,
                signature: key.sign(&[name]).unwrap(),
            };
            case.hold(SignatureAlgorithm {
                family: SignatureFamily::Ecdsa,
                key_bits: bits,
                digest: Some(digest),
            });
        }
    }
}

#[test]
fn an_unknown_curve_is_unsupported_and_not_invalid() {
    if !has_openssl() {
        return;
    }
    for option in [
        "ec_paramgen_curve:brainpoolP512r1",
        "ec_paramgen_curve:secp256k1",
    ] {
        let Some(key) = Key::generate(&["-algorithm", "EC", "-pkeyopt", option]) else {
            continue;
        };
        let signature = key.sign(&["-sha512"]).unwrap();
        assert_eq!(
            verify_signature(
                &key.spki,
                &oid::ECDSA_WITH_SHA512,
                None,
                None,
                MESSAGE,
                &signature
            ),
            SignatureCheck::Unsupported(Unsupported::Curve)
        );
    }
}

#[test]
fn dsa_for_old_evidence() {
    if !has_openssl() {
        return;
    }
    for bits in ["1024", "2048"] {
        let key = Key::dsa(bits).unwrap();
        for (name, digest, algorithm) in [
            ("-sha1", DigestAlgorithm::Sha1, oid::DSA_WITH_SHA1),
            ("-sha256", DigestAlgorithm::Sha256, oid::DSA_WITH_SHA256),
        ] {
            let Some(signature) = key.sign(&[name]) else {
                continue;
            };
            let case = Case {
                spki: &key.spki,
                algorithm,
                parameters: None,
                digest: None,
                signature,
            };
            case.hold(SignatureAlgorithm {
                family: SignatureFamily::Dsa,
                key_bits: bits.parse().unwrap(),
                digest: Some(digest),
            });
        }
    }
}

/// RFC 8032 §7.1, test 3.
#[test]
fn ed25519_known_answer() {
    let spki = hex::decode(
        "302a300506032b6570032100fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    )
    .unwrap();
    let signature = hex::decode("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a").unwrap();
    let check = |message: &[u8], signature: &[u8]| {
        verify_signature(&spki, &oid::ED25519, None, None, message, signature)
    };
    assert!(check(&[0xaf, 0x82], &signature).is_valid());
    assert_eq!(check(&[0xaf, 0x83], &signature), SignatureCheck::Invalid);
    assert_eq!(
        check(&[0xaf, 0x82], &signature[..63]),
        SignatureCheck::Invalid
    );
    let with_parameters = verify_signature(
        &spki,
        &oid::ED25519,
        Some(NULL),
        None,
        &[0xaf, 0x82],
        &signature,
    );
    assert_eq!(
        with_parameters,
        SignatureCheck::Unsupported(Unsupported::Parameters)
    );
}

#[test]
fn a_key_of_another_type_is_invalid_and_garbage_unsupported() {
    let ed25519 = hex::decode(
        "302a300506032b6570032100fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    )
    .unwrap();
    let check = |spki: &[u8], algorithm: &Oid| {
        verify_signature(
            spki,
            algorithm,
            None,
            None,
            MESSAGE,
            &[0x30, 0x06, 2, 1, 1, 2, 1, 1],
        )
    };
    assert_eq!(
        check(&ed25519, &oid::ECDSA_WITH_SHA256),
        SignatureCheck::Invalid
    );
    assert_eq!(
        check(&[], &oid::ECDSA_WITH_SHA256),
        SignatureCheck::Unsupported(Unsupported::Key)
    );
    assert_eq!(
        check(&ed25519, &oid::SIGNED_DATA),
        SignatureCheck::Unsupported(Unsupported::SignatureAlgorithm)
    );
}

/// RFC 3370 §3.2: the identifier of a key stands for the signature. No bit of its parameters is signed, so none may be ignored.
#[test]
fn parameters_beside_the_identifier_of_a_key_are_null_absent_or_the_key_s() {
    if !has_openssl() {
        return;
    }
    let check = |key: &Key, algorithm: &Oid, parameters: Option<&[u8]>, signature: &[u8]| {
        let digest = Some(DigestAlgorithm::Sha256);
        verify_signature(&key.spki, algorithm, parameters, digest, MESSAGE, signature)
    };
    let refused = SignatureCheck::Unsupported(Unsupported::Parameters);

    let rsa = Key::generate(&["-algorithm", "RSA"]).unwrap();
    let signature = rsa.sign(&["-sha256"]).unwrap();
    for good in [None, Some(NULL)] {
        assert!(check(&rsa, &oid::RSA_ENCRYPTION, good, &signature).is_valid());
    }
    for bad in [&[0x04, 0x00], &[0x85, 0x00]] {
        assert_eq!(
            check(&rsa, &oid::RSA_ENCRYPTION, Some(bad), &signature),
            refused
        );
    }

    let curve = "ec_paramgen_curve:P-256";
    let ec = Key::generate(&["-algorithm", "EC", "-pkeyopt", curve]).unwrap();
    let signature = ec.sign(&["-sha256"]).unwrap();
    let mut curve = vec![0x06, 0x08];
    curve.extend([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    for good in [None, Some(NULL), Some(curve.as_slice())] {
        assert!(check(&ec, &oid::EC_PUBLIC_KEY, good, &signature).is_valid());
    }
    for place in 0..curve.len() {
        let mut bad = curve.clone();
        bad[place] ^= 1;
        assert_eq!(
            check(&ec, &oid::EC_PUBLIC_KEY, Some(&bad), &signature),
            refused
        );
    }
}
