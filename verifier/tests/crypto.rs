//! Known answers for signature verification, made by OpenSSL while the test runs, and literal ones from the standards.
//!
//! Without an `openssl` program the tests that need it print one line and pass.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "clippy sees only functions marked as tests as tests"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use formats::digest::DigestAlgorithm;
use formats::oid::{self, Oid};
use verifier::algorithm::{SignatureAlgorithm, SignatureFamily};
use verifier::crypto::{SignatureCheck, Unsupported, verify_signature};

/// Runs openssl in `directory`; `None` if there is none or it refuses.
fn openssl(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .ok()?;
    if output.status.success() {
        Some(output.stdout)
    } else {
        let text = String::from_utf8_lossy(&output.stderr);
        println!("openssl {arguments:?}: {text}");
        None
    }
}

fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        println!("left out: no openssl program");
    }
    found
}

const MESSAGE: &[u8] = b"What was signed, in the words of its signer.";

/// A private key with its public key, in a directory that lives as long.
struct Key {
    directory: tempfile::TempDir,
    spki: Vec<u8>,
}

impl Key {
    fn generate(arguments: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut all = vec!["genpkey", "-out", "key.pem"];
        all.extend(arguments);
        openssl(directory.path(), &all)?;
        Self::finish(directory)
    }

    fn dsa(bits: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let option = format!("dsa_paramgen_bits:{bits}");
        let arguments = [
            "genpkey",
            "-genparam",
            "-algorithm",
            "DSA",
            "-pkeyopt",
            &option,
            "-out",
            "par.pem",
        ];
        openssl(directory.path(), &arguments)?;
        openssl(
            directory.path(),
            &["genpkey", "-paramfile", "par.pem", "-out", "key.pem"],
        )?;
        Self::finish(directory)
    }

    fn finish(directory: tempfile::TempDir) -> Option<Self> {
        let spki = openssl(
            directory.path(),
            &["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"],
        )?;
        put(&directory.path().join("message"), MESSAGE);
        Some(Self { directory, spki })
    }

    fn sign(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let mut all = vec!["dgst", "-sign", "key.pem"];
        all.extend(arguments);
        all.push("message");
        openssl(self.directory.path(), &all)
    }
}

fn put(path: &PathBuf, bytes: &[u8]) {
    use std::io::Write as _;
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

/// What is the same for one signature.
struct Case<'a> {
    spki: &'a [u8],
    algorithm: Oid,
    parameters: Option<&'a [u8]>,
    digest: Option<DigestAlgorithm>,
    signature: Vec<u8>,
}

impl Case<'_> {
    fn check(&self, message: &[u8], signature: &[u8]) -> SignatureCheck {
        verify_signature(
            self.spki,
            &self.algorithm,
            self.parameters,
            self.digest,
            message,
            signature,
        )
    }

    /// The signature holds, and no change of it does.
    fn hold(&self, expected: SignatureAlgorithm) {
        assert_eq!(
            self.check(MESSAGE, &self.signature),
            SignatureCheck::Valid(expected),
            "{expected}"
        );
        self.changes_fail();
    }

    fn changes_fail(&self) {
        assert!(!self.check(b"something else", &self.signature).is_valid());
        let mut longer = self.signature.clone();
        longer.push(0);
        assert!(!self.check(MESSAGE, &longer).is_valid(), "longer");
        let shorter = &self.signature[..self.signature.len() - 1];
        assert!(!self.check(MESSAGE, shorter).is_valid(), "shorter");
        assert!(!self.check(MESSAGE, &[]).is_valid(), "empty");
        let step = self.signature.len() / 12 + 1;
        for position in (0..self.signature.len()).step_by(step) {
            let mut changed = self.signature.clone();
            changed[position] ^= 1 << (position % 8);
            assert!(
                !self.check(MESSAGE, &changed).is_valid(),
                "octet {position}"
            );
        }
    }
}

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

const NULL: &[u8] = &[0x05, 0x00];

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

#[test]
fn rsa_pss_with_its_parameters() {
    if !has_openssl() {
        return;
    }
    for bits in ["2048", "2050", "2058"] {
        let option = format!("rsa_keygen_bits:{bits}");
        let key = Key::generate(&["-algorithm", "RSA", "-pkeyopt", &option]).unwrap();
        for (name, digest, mask, salt) in [
            (
                "-sha256",
                DigestAlgorithm::Sha256,
                DigestAlgorithm::Sha256,
                32,
            ),
            (
                "-sha512",
                DigestAlgorithm::Sha512,
                DigestAlgorithm::Sha512,
                64,
            ),
            ("-sha384", DigestAlgorithm::Sha384, DigestAlgorithm::Sha1, 0),
            ("-sha1", DigestAlgorithm::Sha1, DigestAlgorithm::Sha1, 20),
            (
                "-sha3-256",
                DigestAlgorithm::Sha3_256,
                DigestAlgorithm::Sha512,
                11,
            ),
        ] {
            let salt_option = format!("rsa_pss_saltlen:{salt}");
            let mask_option = format!("rsa_mgf1_md:{}", mask.name().replace("SHA-", "SHA"));
            let signature = key
                .sign(&[
                    name,
                    "-sigopt",
                    "rsa_padding_mode:pss",
                    "-sigopt",
                    &salt_option,
                    "-sigopt",
                    &mask_option,
                ])
                .unwrap();
            let parameters = pss_parameters(digest, mask, salt);
            let case = Case {
                spki: &key.spki,
                algorithm: oid::RSASSA_PSS,
                parameters: Some(&parameters),
                digest: None,
                signature,
            };
            case.hold(SignatureAlgorithm {
                family: SignatureFamily::RsaPss,
                key_bits: bits.parse().unwrap(),
                digest: Some(digest),
            });
            for other in [
                pss_parameters(digest, mask, salt + 1),
                pss_parameters(digest, DigestAlgorithm::Sha224, salt),
                pss_parameters(DigestAlgorithm::Sha224, mask, salt),
            ] {
                let refused = verify_signature(
                    &key.spki,
                    &oid::RSASSA_PSS,
                    Some(&other),
                    None,
                    MESSAGE,
                    &case.signature,
                );
                assert_eq!(refused, SignatureCheck::Invalid);
            }
        }
        let refused = verify_signature(&key.spki, &oid::RSASSA_PSS, None, None, MESSAGE, &[0; 256]);
        assert_eq!(
            refused,
            SignatureCheck::Unsupported(Unsupported::Parameters)
        );
    }
}

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

/// The largest key that is computed with: made by hand from a Mersenne prime (2^11213 - 1) and a random one.
#[test]
fn rsa_16384() {
    let spki = include_bytes!("data/rsa-16384.spki");
    let signature = include_bytes!("data/rsa-16384.sig");
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
