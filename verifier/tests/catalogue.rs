//! The catalogues that ETSI and EU DSS publish, read as policies. Left out where the vectors are not at hand.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and says what it left out"
)]

use std::path::{Path, PathBuf};

use formats::digest::DigestAlgorithm;
use time::macros::datetime;
use verifier::algorithm::{SignatureAlgorithm, SignatureFamily};
use verifier::policy::Policy;

fn read(name: &str) -> Option<Policy> {
    let folder = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let path = folder.join("policy/dss").join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        println!("left out: no {}", path.display());
        return None;
    };
    Some(Policy::parse(&bytes).unwrap())
}

#[test]
fn published_catalogues_are_policies() {
    for name in ["19312MachineReadable.json", "dss-crypto-suite.json"] {
        let Some(policy) = read(name) else { continue };
        assert!(policy.name().contains("2024-10-13"), "{}", policy.name());
        let until = |digest| policy.digest_trust(digest).map(|trust| trust.until);
        assert_eq!(until(DigestAlgorithm::Sha256), Some(None), "{name}");
        assert_eq!(until(DigestAlgorithm::Sha3_512), Some(None), "{name}");
        assert!(until(DigestAlgorithm::Sha224).unwrap().is_some(), "{name}");
        let signature = |family, key_bits| {
            let digest = Some(DigestAlgorithm::Sha256);
            let signature = SignatureAlgorithm {
                family,
                key_bits,
                digest,
            };
            policy.signature_trust(signature).map(|trust| trust.until)
        };
        let rsa = signature(SignatureFamily::RsaPkcs1, 2048).unwrap().unwrap();
        assert!((datetime!(2028-12-31 0:00 UTC)..=datetime!(2029-01-01 0:00 UTC)).contains(&rsa));
        assert_eq!(
            signature(SignatureFamily::RsaPss, 3072),
            Some(None),
            "{name}"
        );
        assert_eq!(signature(SignatureFamily::Ecdsa, 256), Some(None), "{name}");
        assert_eq!(signature(SignatureFamily::Ed25519, 256), None, "{name}");
    }
}

#[test]
fn what_only_looks_like_a_catalogue_is_refused() {
    for text in [
        r#"{"SecuritySuitabilityPolicy": 1}"#,
        r#"{"SecuritySuitabilityPolicy": {}}"#,
        r#"{"securitySuitabilityPolicy": {}}"#,
    ] {
        assert!(Policy::parse(text.as_bytes()).is_err(), "{text}");
    }
}
