//! What evidence still lacks: the signers that a first judgement met, and what their tokens carry.

use formats::tsp::TimeStampToken;
use verifier::context::Context;
use verifier::finding::{Finding, Place, revocation as code};
use verifier::path::Material;
use verifier::report::text::civil_time;
use verifier::report::{ObjectReport, Report, UsedRole};
use verifier::revocation::{Service, services};

use super::{Gathered, Online};

impl Online {
    /// Fetches what the signers of a report still lack, until nothing new comes. `given` is the context of the report.
    pub(crate) fn complete(&mut self, report: &Report, given: &Context<'_>) {
        loop {
            let wanted: Vec<Service> = report
                .objects
                .iter()
                .flat_map(|object| lacking(object, given, self.gathered()))
                .collect();
            if !self.fetch(&wanted) {
                return;
            }
        }
    }
}

impl Gathered {
    /// What was fetched from where, as findings.
    pub(crate) fn findings(&self) -> impl Iterator<Item = Finding> {
        self.fetched.iter().map(|one| {
            let (code, last) = match &one.result {
                Ok(bytes) => (code::FETCHED, bytes.to_string()),
                Err(why) => (code::NOT_FETCHED, why.clone()),
            };
            let finding = Finding::new(code, Place::root()).with(civil_time(one.at));
            finding.with(&one.address).with(&one.certificate).with(last)
        })
    }
}

/// What could be fetched for the signer of one object.
fn lacking(object: &ObjectReport, given: &Context<'_>, gathered: &Gathered) -> Vec<Service> {
    let used = |role| {
        let of_role = object.used.iter().filter(move |used| used.role == role);
        of_role.filter_map(|used| used.bytes().map(AsRef::as_ref))
    };
    let Some(target) = used(UsedRole::SigningCertificate).next() else {
        return Vec::new();
    };
    let tokens: Vec<TimeStampToken> = used(UsedRole::TimestampToken)
        .filter_map(|bytes| TimeStampToken::parse(bytes).ok())
        .collect();
    let carried = tokens
        .iter()
        .flat_map(|token| token.signed_data.x509_certificates());
    let certificates = given.certificates.iter().chain(&gathered.certificates);
    let crls = given.crls.iter().chain(&gathered.crls);
    let responses = given.ocsp_responses.iter().chain(&gathered.ocsp_responses);
    let material = Material {
        certificates: certificates
            .map(Vec::as_slice)
            .chain(used(UsedRole::Certificate))
            .chain(carried)
            .collect(),
        crls: crls.map(Vec::as_slice).chain(used(UsedRole::Crl)).collect(),
        ocsp_responses: responses
            .map(Vec::as_slice)
            .chain(used(UsedRole::OcspResponse))
            .collect(),
    };
    services(target, &material, given.anchors, given.time, None)
}
