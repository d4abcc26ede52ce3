//! SLH-DSA (FIPS 205). The keys and signatures were made by Bouncy Castle 1.86.

use formats::oid::Oid;
use time::macros::datetime;
use verifier::algorithm::SignatureFamily;
use verifier::crypto::{SignatureCheck, Unsupported, key_size, verify_signature};
use verifier::policy::Policy;

const MESSAGE: &[u8] = b"a message for SLH-DSA";

/// The last arc of its identifier, its security, key and signature.
type Row = (u8, u32, &'static [u8], &'static [u8]);

macro_rules! row {
    ($arc:literal, $bits:literal, $name:literal) => {
        (
            $arc,
            $bits,
            include_bytes!(concat!("slh-dsa-", $name, ".spki")),
            include_bytes!(concat!("slh-dsa-", $name, ".sig")),
        )
    };
}

const ROWS: [Row; 12] = [
    row!(20, 128, "sha2-128s"),
    row!(21, 128, "sha2-128f"),
    row!(22, 192, "sha2-192s"),
    row!(23, 192, "sha2-192f"),
    row!(24, 256, "sha2-256s"),
    row!(25, 256, "sha2-256f"),
    row!(26, 128, "shake-128s"),
    row!(27, 128, "shake-128f"),
    row!(28, 192, "shake-192s"),
    row!(29, 192, "shake-192f"),
    row!(30, 256, "shake-256s"),
    row!(31, 256, "shake-256f"),
];

/// 2.16.840.1.101.3.4.3 and the last arc.
fn identifier(arc: u8) -> Oid {
    Oid::from_content(&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, arc]).unwrap()
}

fn check(spki: &[u8], arc: u8, message: &[u8], signature: &[u8]) -> SignatureCheck {
    verify_signature(spki, &identifier(arc), None, None, message, signature)
}

#[test]
fn each_parameter_set_verifies() {
    for (arc, bits, spki, signature) in ROWS {
        let SignatureCheck::Valid(used) = check(spki, arc, MESSAGE, signature) else {
            panic!("{arc}");
        };
        assert_eq!(used.family, SignatureFamily::SlhDsa);
        assert_eq!((used.key_bits, used.digest), (bits, None));
        assert_eq!(key_size(spki), Ok((SignatureFamily::SlhDsa, bits)));
        let policy = Policy::default();
        let late = datetime!(2051-01-01 0:00 UTC);
        assert!(
            policy
                .judge_signature(used, datetime!(2040-01-01 0:00 UTC))
                .is_trusted()
        );
        assert_eq!(policy.judge_signature(used, late).is_trusted(), bits > 128);
    }
}

#[test]
fn what_is_altered_does_not() {
    for (arc, _, spki, signature) in ROWS {
        let invalid = SignatureCheck::Invalid;
        assert_eq!(check(spki, arc, b"another", signature), invalid, "{arc}");
        for position in [0, 16, signature.len() / 2, signature.len() - 1] {
            let mut altered = signature.to_vec();
            altered[position] ^= 1;
            assert_eq!(check(spki, arc, MESSAGE, &altered), invalid, "{arc}");
        }
        let mut altered = spki.to_vec();
        let last = altered.len() - 1;
        altered[last] ^= 1;
        assert_eq!(check(&altered, arc, MESSAGE, signature), invalid, "{arc}");
        for length in [0, 1, signature.len() - 1] {
            assert_eq!(check(spki, arc, MESSAGE, &signature[..length]), invalid);
        }
        let longer = [signature, &[0]].concat();
        assert_eq!(check(spki, arc, MESSAGE, &longer), invalid, "{arc}");
    }
}

#[test]
fn sets_do_not_mix_and_other_forms_are_named() {
    let (arc, _, spki, signature) = ROWS[0];
    assert_eq!(
        check(spki, arc + 1, MESSAGE, signature),
        SignatureCheck::Invalid
    );
    // HashSLH-DSA-SHA2-128s-with-SHA256 and HashML-DSA-44-with-SHA512.
    for other in [35, 46, 32] {
        assert_eq!(
            check(spki, other, MESSAGE, signature),
            SignatureCheck::Unsupported(Unsupported::PreHash)
        );
    }
    // id-MLDSA44-RSA2048-PSS-SHA256 (PKIX), and its identifier of the drafts before.
    for composite in ["1.3.6.1.5.5.7.6.37", "2.16.840.1.114027.80.8.1.21"] {
        let composite: Oid = composite.parse().unwrap();
        assert_eq!(
            verify_signature(spki, &composite, None, None, MESSAGE, signature),
            SignatureCheck::Unsupported(Unsupported::Composite)
        );
    }
    let null = Some(&[5, 0][..]);
    assert_eq!(
        verify_signature(spki, &identifier(arc), null, None, MESSAGE, signature),
        SignatureCheck::Unsupported(Unsupported::Parameters)
    );
    let short = [&spki[..1], &[spki[1] - 1], &spki[2..spki.len() - 1]].concat();
    assert!(!check(&short, arc, MESSAGE, signature).is_valid());
}
