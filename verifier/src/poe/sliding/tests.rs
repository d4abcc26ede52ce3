//! Each step of the sliding, with a good and a bad case.

use super::*;
use crate::algorithm::SignatureFamily;
use crate::path::StatusKind;
use formats::digest::DigestAlgorithm;
use time::macros::datetime;

const SIGNED: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);
const ARCHIVED: OffsetDateTime = datetime!(2027-01-01 0:00 UTC);
const LATER: OffsetDateTime = datetime!(2028-01-01 0:00 UTC);
const NOW: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

/// SHA-1 ends between the archive time-stamp and the present.
const POLICY: &str = r#"{"schema": "urn:fumikura:verification-policy:1", "name": "test", "revocation": "required",
    "digests": [{"algorithm": "SHA-1", "trusted_until": "2028-01-01T00:00:00Z", "source": "test"},
        {"algorithm": "SHA-256", "trusted_until": null, "source": "test"}],
    "signatures": [{"algorithm": "ECDSA", "key_bits_min": 256, "trusted_until": null, "source": "test"}]}"#;

fn algorithm(digest: DigestAlgorithm) -> SignatureAlgorithm {
    SignatureAlgorithm {
        family: SignatureFamily::Ecdsa,
        key_bits: 256,
        digest: Some(digest),
    }
}

fn source(bytes: &[u8], revoked: Option<(OffsetDateTime, Reason)>) -> StatusSource {
    StatusSource {
        kind: StatusKind::Crl,
        bytes: bytes.to_vec(),
        issued: SIGNED,
        revoked,
        is_current: true,
        algorithms: vec![algorithm(DigestAlgorithm::Sha256)],
        signer_until: None,
    }
}

fn step(name: &[u8], digest: DigestAlgorithm, sources: Vec<StatusSource>) -> PathStep {
    PathStep {
        certificate: name.to_vec(),
        algorithm: Some(algorithm(digest)),
        sources,
    }
}

fn path() -> Vec<PathStep> {
    let sha256 = DigestAlgorithm::Sha256;
    vec![
        step(
            b"authority",
            sha256,
            vec![source(b"list of the root", None)],
        ),
        step(
            b"signer",
            sha256,
            vec![source(b"list of the authority", None)],
        ),
    ]
}

fn judge(steps: &[PathStep], proven: &[&[u8]], signed: OffsetDateTime) -> Option<SubIndication> {
    judge_as(steps, proven, signed, false)
}

fn judge_as(
    steps: &[PathStep],
    proven: &[&[u8]],
    signed: OffsetDateTime,
    of_time_stamp: bool,
) -> Option<SubIndication> {
    let policy = Policy::parse(POLICY.as_bytes()).unwrap();
    let mut proofs = PoeSet::default();
    for object in proven {
        proofs.add(object, ARCHIVED, &Place::root());
    }
    let sliding = Sliding {
        policy: &policy,
        proofs: &proofs,
        now: NOW,
        of_time_stamp,
    };
    sliding
        .judge(steps, signed)
        .err()
        .map(|failure| failure.reason)
}

const ALL: &[&[u8]] = &[
    b"authority",
    b"list of the root",
    b"signer",
    b"list of the authority",
];

#[test]
fn nothing_needs_a_proof_while_everything_holds() {
    assert_eq!(judge(&path(), &[], NOW), None);
    assert_eq!(judge(&path(), ALL, SIGNED), None);
    assert_eq!(judge(&[], &[], NOW), None);
}

#[test]
fn below_an_authority_that_was_revoked_everything_has_to_be_older() {
    let mut steps = path();
    steps[0].sources[0].revoked = Some((LATER, Reason::CaCompromise));
    let reason = Some(SubIndication::RevokedCaNoPoe);
    assert_eq!(judge(&steps, ALL, SIGNED), None);
    for missing in [2, 3] {
        let proven: Vec<&[u8]> = (0..ALL.len())
            .filter(|n| *n != missing)
            .map(|n| ALL[n])
            .collect();
        assert_eq!(judge(&steps, &proven, SIGNED), reason, "{missing}");
    }
    // The signature itself is younger.
    assert_eq!(
        judge(&steps, ALL, LATER + time::Duration::seconds(1)),
        reason
    );
    // And so is everything, where the revocation came before the proof.
    steps[0].sources[0].revoked = Some((SIGNED, Reason::CaCompromise));
    assert_eq!(judge(&steps, ALL, SIGNED), reason);
}

#[test]
fn a_revocation_without_compromise_reaches_no_time_stamp() {
    let mut steps = path();
    steps[0].sources[0].revoked = Some((LATER, Reason::CessationOfOperation));
    assert_eq!(judge_as(&steps, &[], NOW, true), None);
    assert!(judge_as(&steps, &[], NOW, false).is_some());
    steps[0].sources[0].revoked = Some((LATER, Reason::Absent));
    assert!(judge_as(&steps, &[], NOW, true).is_some());
}

#[test]
fn a_revoked_signer_needs_an_older_signature() {
    let mut steps = path();
    steps[1].sources[0].revoked = Some((LATER, Reason::KeyCompromise));
    assert_eq!(judge(&steps, &[], SIGNED), None);
    assert_eq!(judge(&steps, &[], NOW), Some(SubIndication::RevokedNoPoe));
    // A hold that was taken back is none.
    steps[1].sources[0].revoked = Some((SIGNED, Reason::CertificateHold));
    let mut released = source(b"newer list", None);
    released.issued = LATER;
    steps[1].sources.push(released);
    assert_eq!(judge(&steps, &[], NOW), None);
}

#[test]
fn what_uses_an_algorithm_has_to_be_older_than_its_end() {
    let mut steps = path();
    steps[0].algorithm = Some(algorithm(DigestAlgorithm::Sha1));
    let reason = Some(SubIndication::CryptoConstraintsFailureNoPoe);
    assert_eq!(judge(&steps, ALL, SIGNED), None);
    assert_eq!(judge(&steps, &ALL[1..], SIGNED), reason, "the certificate");
    assert_eq!(judge(&steps, &ALL[..2], SIGNED), reason, "what is below it");
    assert_eq!(judge(&steps, ALL, NOW), reason, "the signature");
    let mut steps = path();
    steps[1].sources[0].algorithms = vec![algorithm(DigestAlgorithm::Sha1)];
    assert_eq!(judge(&steps, ALL, SIGNED), None);
    assert_eq!(judge(&steps, &ALL[..3], SIGNED), reason, "the list");
    // Another list that holds is enough.
    steps[1].sources.push(source(b"another list", None));
    assert_eq!(judge(&steps, &ALL[..3], SIGNED), None);
    steps[1].sources.clear();
    steps[1].algorithm = Some(algorithm(DigestAlgorithm::Md5));
    assert_eq!(judge(&steps, ALL, SIGNED), reason, "never listed");
}

#[test]
fn information_has_to_be_older_than_the_end_of_its_signer() {
    let mut steps = path();
    let reason = Some(SubIndication::RevocationOutOfBoundsNoPoe);
    steps[1].sources[0].signer_until = Some(LATER);
    assert_eq!(judge(&steps, ALL, SIGNED), None);
    assert_eq!(judge(&steps, &[], SIGNED), reason);
    assert_eq!(judge_as(&steps, &[], NOW, true), None, "ADR 0012");
    steps[1].sources.push(source(b"of the trust anchor", None));
    assert_eq!(judge(&steps, &[], SIGNED), None);
}
