//! CRLs at past times.

use crate::support::*;
use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, KeyIdMethod, RevocationReason,
    RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::finding::{path as code, revocation as revocation_code};
use verifier::path::{Material, PathOptions, PathOutcome, Purpose};
use verifier::policy::RevocationRule;
use verifier::verdict::SubIndication;

/// A CRL of `issuer` about the serial number 77.
pub(crate) fn crl(
    issuer: &Issuer,
    this_update: OffsetDateTime,
    next_update: OffsetDateTime,
    entry: Option<RevokedCertParams>,
) -> Vec<u8> {
    let params = CertificateRevocationListParams {
        this_update,
        next_update,
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: entry.into_iter().collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}

pub(crate) fn entry(
    revocation_time: OffsetDateTime,
    reason_code: Option<RevocationReason>,
) -> Option<RevokedCertParams> {
    Some(RevokedCertParams {
        serial_number: SerialNumber::from(77_u64),
        revocation_time,
        reason_code,
        invalidity_date: None,
    })
}

pub(crate) struct Revocation {
    pub(crate) root: Issuer,
    pub(crate) target: Vec<u8>,
}

impl Revocation {
    pub(crate) fn new() -> Self {
        let root = root();
        let mut params = params("TSA");
        params.serial_number = Some(SerialNumber::from(77_u64));
        params.custom_extensions = vec![purposes(true, &[8])];
        params.crl_distribution_points = vec![CrlDistributionPoint {
            uris: vec!["http://crl.example/".into()],
        }];
        let target = leaf(&root, &params);
        Self { root, target }
    }

    pub(crate) fn judge(
        &self,
        crls: &[&[u8]],
        change: impl FnOnce(&mut PathOptions<'_>),
    ) -> PathOutcome {
        let material = Material {
            crls: crls.to_vec(),
            ..Material::default()
        };
        let mut options = PathOptions::default();
        change(&mut options);
        judge_with(&self.target, &material, &anchor(&self.root), NOW, &options)
    }
}

pub(crate) const BEFORE: OffsetDateTime = datetime!(2025-05-01 0:00 UTC);
pub(crate) const AFTER: OffsetDateTime = datetime!(2025-07-01 0:00 UTC);
pub(crate) const LATER: OffsetDateTime = datetime!(2025-08-01 0:00 UTC);

#[test]
fn revocation_is_asked_for_where_it_is_named() {
    let case = Revocation::new();
    let unknown = SubIndication::TryLater;
    refuses(
        &case.judge(&[], |_| ()),
        revocation_code::REVOCATION_UNKNOWN,
        unknown,
        false,
    );
    passes(&case.judge(&[], |options| options.revocation = RevocationRule::Off));
    let good = crl(&case.root, BEFORE, AFTER, None);
    passes(&case.judge(&[&good], |_| ()));
    // A certificate that names no service passes, unless every one needs it.
    let plain = chain(|_| (), |_| ());
    assert!(codes(&plain).contains(&revocation_code::REVOCATION_NOT_NAMED));
    let options = PathOptions {
        revocation: RevocationRule::Required,
        ..PathOptions::default()
    };
    let target = leaf(&case.root, &params("Leaf"));
    let outcome = judge_with(
        &target,
        &Material::default(),
        &anchor(&case.root),
        NOW,
        &options,
    );
    refuses(
        &outcome,
        revocation_code::REVOCATION_UNKNOWN,
        unknown,
        false,
    );
}

#[test]
fn a_crl_must_say_something_about_the_time() {
    let case = Revocation::new();
    let unknown = SubIndication::TryLater;
    let old = crl(&case.root, START, BEFORE, None);
    refuses(
        &case.judge(&[&old], |_| ()),
        revocation_code::CRL_OUT_OF_DATE,
        unknown,
        false,
    );
    let later = crl(&case.root, AFTER, LATER, None);
    refuses(
        &case.judge(&[&later], |_| ()),
        revocation_code::CRL_NOT_YET_ISSUED,
        unknown,
        false,
    );
    passes(&case.judge(&[&later], |options| options.material_time = Some(LATER)));
    let after_end = crl(
        &case.root,
        datetime!(2030-02-01 0:00 UTC),
        datetime!(2030-03-01 0:00 UTC),
        None,
    );
    let outcome = case.judge(&[&after_end], |options| {
        options.material_time = Some(datetime!(2030-02-15 0:00 UTC));
    });
    refuses(
        &outcome,
        revocation_code::CRL_AFTER_CERTIFICATE,
        unknown,
        false,
    );
    let forged = crl(&root(), BEFORE, AFTER, None);
    refuses(
        &case.judge(&[&forged], |_| ()),
        revocation_code::CRL_SIGNATURE_INVALID,
        unknown,
        false,
    );
    refuses(
        &case.judge(&[b"\x30\x00"], |_| ()),
        revocation_code::CRL_MALFORMED,
        unknown,
        false,
    );
}

#[test]
fn a_revocation_counts_from_its_time() {
    let case = Revocation::new();
    let revoked = code::CERTIFICATE_REVOKED;
    let superseded = Some(RevocationReason::Superseded);
    let early = crl(&case.root, BEFORE, AFTER, entry(BEFORE, superseded));
    refuses(
        &case.judge(&[&early], |_| ()),
        revoked,
        SubIndication::Revoked,
        true,
    );
    let late = crl(&case.root, AFTER, LATER, entry(AFTER, superseded));
    let outcome = case.judge(&[&late], |options| options.material_time = Some(LATER));
    passes(&outcome);
    assert!(codes(&outcome).contains(&revocation_code::REVOKED_LATER));
}

/// RFC 3161 §4.
#[test]
fn a_compromised_stamping_key_taints_all_its_tokens() {
    let case = Revocation::new();
    for reason in [None, Some(RevocationReason::KeyCompromise)] {
        let late = crl(&case.root, AFTER, LATER, entry(AFTER, reason));
        let judge = |proof| {
            case.judge(&[&late], |options| {
                options.material_time = Some(LATER);
                options.purpose = Purpose::TimeStamping;
                options.proof_of_existence = proof;
            })
        };
        refuses(
            &judge(None),
            code::CERTIFICATE_REVOKED,
            SubIndication::Revoked,
            true,
        );
        refuses(
            &judge(Some(LATER)),
            code::CERTIFICATE_REVOKED,
            SubIndication::Revoked,
            true,
        );
        passes(&judge(Some(NOW)));
    }
}
