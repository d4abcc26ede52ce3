//! Tests of the algorithm policy.

use super::*;
use time::macros::datetime;

fn signature(
    family: SignatureFamily,
    key_bits: u32,
    digest: Option<DigestAlgorithm>,
) -> SignatureAlgorithm {
    SignatureAlgorithm {
        family,
        key_bits,
        digest,
    }
}

#[test]
fn the_built_in_policy_lists_everything() {
    let policy = Policy::parse(DEFAULT.as_bytes()).unwrap();
    assert_eq!(policy, Policy::default());
    assert_eq!(policy.revocation(), RevocationRule::IfNamed);
    for digest in DigestAlgorithm::ALL {
        assert!(policy.digest_trust(*digest).is_some(), "{}", digest.name());
    }
    for family in SignatureFamily::ALL {
        let largest = signature(*family, 16_384, None);
        assert!(policy.signature_trust(largest).is_some(), "{family:?}");
    }
}

#[test]
fn rsa_2048_ends_with_2030_in_japan() {
    let policy = Policy::default();
    let rsa = signature(
        SignatureFamily::RsaPkcs1,
        2048,
        Some(DigestAlgorithm::Sha256),
    );
    assert!(
        policy
            .judge_signature(rsa, datetime!(2030-12-31 23:59:59 +9))
            .is_trusted()
    );
    assert!(
        !policy
            .judge_signature(rsa, datetime!(2031-01-01 0:00:00 +9))
            .is_trusted()
    );
}

#[test]
fn the_digest_bounds_the_signature() {
    let policy = Policy::default();
    let time = datetime!(2015-01-01 0:00 UTC);
    let strong = signature(SignatureFamily::Ecdsa, 521, Some(DigestAlgorithm::Sha512));
    let weak = signature(SignatureFamily::Ecdsa, 521, Some(DigestAlgorithm::Sha1));
    assert!(policy.judge_signature(strong, time).is_trusted());
    assert!(matches!(
        policy.judge_signature(weak, time),
        AlgorithmJudgement::Ended(_)
    ));
}

#[test]
fn a_key_below_every_row_is_not_trusted() {
    let policy = Policy::default();
    let tiny = signature(
        SignatureFamily::RsaPkcs1,
        512,
        Some(DigestAlgorithm::Sha512),
    );
    assert_eq!(
        policy.judge_signature(tiny, datetime!(1999-01-01 0:00 UTC)),
        AlgorithmJudgement::NotListed
    );
}

#[test]
fn new_protection_ends_with_trust_or_before_it() {
    let policy = Policy::default();
    let at = datetime!(2027-01-01 0:00 UTC);
    let dsa = signature(SignatureFamily::Dsa, 2048, Some(DigestAlgorithm::Sha256));
    assert!(policy.judge_signature(dsa, at).is_trusted());
    let new = policy.for_new_protection();
    assert!(!new.judge_signature(dsa, at).is_trusted());
    let sha256 = DigestAlgorithm::Sha256;
    assert_eq!(policy.new_digest_trust(sha256), policy.digest_trust(sha256));
    assert_eq!(new.digest_trust(sha256), policy.digest_trust(sha256));
    let later = DEFAULT.replace("\"new_until\": \"2023-02-03", "\"new_until\": \"2099-02-03");
    assert_eq!(
        Policy::parse(later.as_bytes()),
        Err(PolicyError::SignatureRow(9))
    );
}

#[test]
fn malformed_policies_are_refused() {
    let good = DEFAULT;
    for (bad, why) in [
        (String::new(), "empty"),
        (good.replace("policy:1", "policy:2"), "schema"),
        (good.replace("\"if-named\"", "\"sometimes\""), "revocation"),
        (
            good.replace("\"revocation\"", "\"revokation\""),
            "unknown member",
        ),
        (good.replace("\"MD5\"", "\"MD6\""), "unknown digest"),
        (good.replace("\"MD5\"", "\"SHA-1\""), "digest twice"),
        (good.replace("\"DSA\"", "\"ECDSA2\""), "unknown family"),
        (good.replace("2004-08-01T00:00:00Z", "2004-08-01"), "date"),
        (good.replace(", \"trusted_until\": null", ""), "no end"),
        (
            good.replace(
                "\"new_until\": \"2023-02-03T00:00:00Z\"",
                "\"new_until\": null",
            ),
            "an own end that is none",
        ),
        (
            good.replace("\"key_bits_min\": 786", "\"key_bits_min\": 1024"),
            "row twice",
        ),
        (
            good.replace("\"key_bits_min\": 786", "\"key_bits_min\": -1"),
            "negative",
        ),
        (" ".repeat(POLICY_BYTES_MAX + 1), "too long"),
    ] {
        assert!(Policy::parse(bad.as_bytes()).is_err(), "{why}");
    }
}
