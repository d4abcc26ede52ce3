//! RSA.

use crate::support::*;
use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use verifier::algorithm::{SignatureAlgorithm, SignatureFamily};
use verifier::crypto::{SignatureCheck, Unsupported, verify_signature};

const DIGESTS: &[(&str, DigestAlgorithm, Oid)] = &[
    ("-md5", DigestAlgorithm::Md5, oid::MD5_WITH_RSA),
    ("-sha1", DigestAlgorithm::Sha1, oid::SHA1_WITH_RSA),
    (
        "-ripemd160",
        DigestAlgorithm::Ripemd160,
        oid::RIPEMD160_WITH_RSA,
    ),
    ("-sha224", DigestAlgorithm::Sha224, oid::SHA224_WITH_RSA),
    ("-sha256", DigestAlgorithm::Sha256, oid::SHA256_WITH_RSA),
    ("-sha384", DigestAlgorithm::Sha384, oid::SHA384_WITH_RSA),
    ("-sha512", DigestAlgorithm::Sha512, oid::SHA512_WITH_RSA),
    (
        "-sha512-256",
        DigestAlgorithm::Sha512_256,
        oid::SHA512_256_WITH_RSA,
    ),
    (
        "-sha3-224",
        DigestAlgorithm::Sha3_224,
        oid::SHA3_224_WITH_RSA,
    ),
    (
        "-sha3-256",
        DigestAlgorithm::Sha3_256,
        oid::SHA3_256_WITH_RSA,
    ),
    (
        "-sha3-384",
        DigestAlgorithm::Sha3_384,
        oid::SHA3_384_WITH_RSA,
    ),
    (
        "-sha3-512",
        DigestAlgorithm::Sha3_512,
        oid::SHA3_512_WITH_RSA,
    ),
];

#[test]
fn rsa_pkcs1_with_every_digest() {
    if !has_openssl() {
        return;
    }
    for bits in ["1024", "2048"] {
        let option = format!("rsa_keygen_bits:{bits}");
        let key = Key::generate(&["-algorithm", "RSA", "-pkeyopt", &option]).unwrap();
        let mut seen = 0;
        for (name, digest, algorithm) in DIGESTS {
            // RIPEMD-160 is in a provider that may be absent.
            let Some(signature) = key.sign(&[name]) else {
                println!("left out: openssl has no {name}");
                continue;
            };
            seen += 1;
            let expected = SignatureAlgorithm {
                family: SignatureFamily::RsaPkcs1,
                key_bits: bits.parse().unwrap(),
                digest: Some(*digest),
            };
            let mut case = Case {
                spki: &key.spki,
                algorithm: algorithm.clone(),
                parameters: Some(NULL),
                digest: None,
                signature,
            };
            case.hold(expected);
            case.algorithm = oid::RSA_ENCRYPTION;
            assert_eq!(
                case.check(MESSAGE, &case.signature),
                SignatureCheck::Unsupported(Unsupported::Digest)
            );
            case.digest = Some(*digest);
            case.hold(expected);
        }
        assert!(seen >= 10, "{seen}");
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()][..], content].concat()
}

fn algorithm(digest: DigestAlgorithm) -> Vec<u8> {
    let oid = tlv(0x06, digest.oid().as_bytes());
    tlv(0x30, &[&oid[..], NULL].concat())
}

fn pss_parameters(digest: DigestAlgorithm, mask: DigestAlgorithm, salt: u8) -> Vec<u8> {
    let mgf1 = [tlv(0x06, oid::MGF1.as_bytes()), algorithm(mask)].concat();
    tlv(
        0x30,
        &[
            tlv(0xa0, &algorithm(digest)),
            tlv(0xa1, &tlv(0x30, &mgf1)),
            tlv(0xa2, &tlv(0x02, &[salt])),
        ]
        .concat(),
    )
}

use DigestAlgorithm as D;

/// Digest of the message for openssl, the same here, digest of the mask, length of the salt.
const PSS: &[(&str, D, D, u8)] = &[
    ("-sha256", D::Sha256, D::Sha256, 32),
    ("-sha512", D::Sha512, D::Sha512, 64),
    ("-sha384", D::Sha384, D::Sha384, 0),
    ("-sha1", D::Sha1, D::Sha1, 20),
    ("-sha3-256", D::Sha3_256, D::Sha3_256, 11),
];

#[test]
fn rsa_pss_with_its_parameters() {
    if !has_openssl() {
        return;
    }
    for bits in ["2048", "2050", "2058"] {
        let option = format!("rsa_keygen_bits:{bits}");
        let key = Key::generate(&["-algorithm", "RSA", "-pkeyopt", &option]).unwrap();
        for (name, digest, mask, salt) in PSS {
            let parameters = pss_parameters(*digest, *mask, *salt);
            let case = Case {
                spki: &key.spki,
                algorithm: oid::RSASSA_PSS,
                parameters: Some(&parameters),
                digest: None,
                signature: sign_pss(&key, name, *mask, *salt),
            };
            case.hold(SignatureAlgorithm {
                family: SignatureFamily::RsaPss,
                key_bits: bits.parse().unwrap(),
                digest: Some(*digest),
            });
            // The mask with another digest than the message is not computed, and never a reason to fail.
            let two_digests = SignatureCheck::Unsupported(Unsupported::MaskDigest);
            for (other, expected) in [
                (
                    pss_parameters(*digest, *mask, salt + 1),
                    SignatureCheck::Invalid,
                ),
                (
                    pss_parameters(D::Sha224, D::Sha224, *salt),
                    SignatureCheck::Invalid,
                ),
                (pss_parameters(*digest, D::Sha224, *salt), two_digests),
                (pss_parameters(D::Sha224, *mask, *salt), two_digests),
            ] {
                let check = verify_signature(
                    &key.spki,
                    &oid::RSASSA_PSS,
                    Some(&other),
                    None,
                    MESSAGE,
                    &case.signature,
                );
                assert_eq!(check, expected);
            }
        }
        let refused = verify_signature(&key.spki, &oid::RSASSA_PSS, None, None, MESSAGE, &[0; 256]);
        assert_eq!(
            refused,
            SignatureCheck::Unsupported(Unsupported::Parameters)
        );
    }
}

fn sign_pss(key: &Key, digest: &str, mask: DigestAlgorithm, salt: u8) -> Vec<u8> {
    let salt = format!("rsa_pss_saltlen:{salt}");
    let mask = format!("rsa_mgf1_md:{}", mask.name().replace("SHA-", "SHA"));
    let pss = "rsa_padding_mode:pss";
    key.sign(&[digest, "-sigopt", pss, "-sigopt", &salt, "-sigopt", &mask])
        .unwrap()
}

/// The largest key that is computed with: made by hand from a Mersenne prime (2^11213 - 1) and a random one.
#[test]
fn rsa_16384() {
    let spki = include_bytes!("rsa-16384.spki");
    let signature = include_bytes!("rsa-16384.sig");
    let check = |message: &[u8], signature: &[u8]| {
        verify_signature(
            spki,
            &oid::SHA256_WITH_RSA,
            Some(NULL),
            None,
            message,
            signature,
        )
    };
    assert!(check(MESSAGE, signature).is_valid());
    assert_eq!(check(b"other", signature), SignatureCheck::Invalid);
    let mut changed = signature.to_vec();
    changed[2000] ^= 1;
    assert_eq!(check(MESSAGE, &changed), SignatureCheck::Invalid);
}
