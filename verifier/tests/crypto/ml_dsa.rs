//! ML-DSA (FIPS 204). The keys and signatures were made by Bouncy Castle 1.86.

use formats::oid::{self, Oid};
use verifier::algorithm::SignatureFamily;
use verifier::crypto::{SignatureCheck, Unsupported, key_size, verify_signature};
use verifier::policy::Policy;

const MESSAGE: &[u8] = b"a message for ML-DSA";

type Row = (Oid, SignatureFamily, &'static [u8], &'static [u8]);

fn rows() -> [Row; 3] {
    [
        (
            oid::ML_DSA_44,
            SignatureFamily::MlDsa44,
            include_bytes!("ml-dsa-44.spki"),
            include_bytes!("ml-dsa-44.sig"),
        ),
        (
            oid::ML_DSA_65,
            SignatureFamily::MlDsa65,
            include_bytes!("ml-dsa-65.spki"),
            include_bytes!("ml-dsa-65.sig"),
        ),
        (
            oid::ML_DSA_87,
            SignatureFamily::MlDsa87,
            include_bytes!("ml-dsa-87.spki"),
            include_bytes!("ml-dsa-87.sig"),
        ),
    ]
}

fn check(spki: &[u8], algorithm: &Oid, message: &[u8], signature: &[u8]) -> SignatureCheck {
    verify_signature(spki, algorithm, None, None, message, signature)
}

#[test]
fn each_parameter_set_verifies() {
    for (algorithm, family, spki, signature) in rows() {
        let SignatureCheck::Valid(used) = check(spki, &algorithm, MESSAGE, signature) else {
            panic!("{}", family.name());
        };
        assert_eq!((used.family, used.digest), (family, None));
        assert_eq!(key_size(spki), Ok((family, used.key_bits)));
        assert!(Policy::default().signature_trust(used).is_some());
    }
}

#[test]
fn what_is_altered_does_not() {
    for (algorithm, _, spki, signature) in rows() {
        let invalid = SignatureCheck::Invalid;
        assert_eq!(check(spki, &algorithm, b"another", signature), invalid);
        for position in [0, 31, signature.len() / 2, signature.len() - 1] {
            let mut altered = signature.to_vec();
            altered[position] ^= 1;
            assert_eq!(check(spki, &algorithm, MESSAGE, &altered), invalid);
        }
        let mut altered = spki.to_vec();
        let last = altered.len() - 1;
        altered[last] ^= 1;
        assert_eq!(check(&altered, &algorithm, MESSAGE, signature), invalid);
        for length in [0, 1, signature.len() - 1] {
            assert_eq!(
                check(spki, &algorithm, MESSAGE, &signature[..length]),
                invalid
            );
        }
    }
}

#[test]
fn keys_and_signatures_of_different_sets_do_not_mix() {
    let [(small, _, spki, signature), (middle, ..), _] = rows();
    assert_eq!(
        check(spki, &middle, MESSAGE, signature),
        SignatureCheck::Invalid
    );
    let unsupported = SignatureCheck::Unsupported(Unsupported::Parameters);
    let null = Some(&[5, 0][..]);
    assert_eq!(
        verify_signature(spki, &small, null, None, MESSAGE, signature),
        unsupported
    );
    let mut short = spki.to_vec();
    short.pop();
    assert!(!check(&short, &small, MESSAGE, signature).is_valid());
}
