//! What RFC 5280 §4 demands of those who issue certificates, and the algorithm of §6 does not look at.

use formats::oid::{self, Oid};
use time::OffsetDateTime;

use super::ProfileRule;
use super::failure::Problem;
use crate::certificate::{Certificate, key_usage};
use crate::finding::{Code, Finding, Severity, path as code};
use crate::report::text::civil_time;
use crate::verdict::SubIndication;

/// A departure.
struct Departure {
    problem: Problem,
    /// Does it contradict something else in the certificate, or take a constraint away? The others are carelessness.
    contradiction: bool,
}

/// The place of a certificate on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Anchor,
    Authority,
    Target,
}

/// Checks one certificate by the rule. What is no error is put among the findings as a warning.
pub(super) fn check(
    certificate: &Certificate<'_>,
    position: Position,
    time: OffsetDateTime,
    rule: ProfileRule,
    findings: &mut Vec<Finding>,
) -> Result<(), Problem> {
    if rule == ProfileRule::Ignore {
        return Ok(());
    }
    let mut departures = Vec::new();
    names(certificate, &mut departures);
    authority(certificate, position, &mut departures);
    criticality(certificate, &mut departures);
    habits(certificate, position, &mut departures);
    if position == Position::Anchor && rule == ProfileRule::Everything {
        departures.extend(out_of_period(certificate, time));
    }
    for departure in departures {
        if departure.contradiction || rule == ProfileRule::Everything {
            return Err(departure.problem);
        }
        findings.push(departure.problem.finding.with_severity(Severity::Warning));
    }
    Ok(())
}

fn contradiction(code: Code, certificate: &Certificate<'_>) -> Departure {
    Departure {
        problem: Problem::rule(code, &certificate.title()),
        contradiction: true,
    }
}

/// §4.1.2.4, §4.1.2.6: somebody is named on either side.
fn names(certificate: &Certificate<'_>, departures: &mut Vec<Departure>) {
    if certificate.issuer().is_empty() {
        departures.push(contradiction(code::ISSUER_NAME_EMPTY, certificate));
    }
    let extensions = certificate.extensions();
    let named = !extensions.subject_alternative_names.is_empty()
        && extensions.is_critical(&oid::CE_SUBJECT_ALT_NAME) == Some(true);
    if certificate.subject().is_empty() && (certificate.is_ca() || !named) {
        departures.push(contradiction(code::SUBJECT_NAME_EMPTY, certificate));
    }
}

/// §4.2.1.3, §4.2.1.9, §4.2.1.10: what only a certificate authority may have, and what it must have.
fn authority(certificate: &Certificate<'_>, position: Position, departures: &mut Vec<Departure>) {
    let extensions = certificate.extensions();
    let signs = extensions
        .key_usage
        .is_some_and(|usage| usage & key_usage::KEY_CERT_SIGN != 0);
    let length = extensions
        .basic_constraints
        .is_some_and(|constraints| constraints.path_length.is_some());
    if certificate.is_ca() {
        if length && extensions.key_usage.is_some() && !signs {
            departures.push(contradiction(code::KEY_CERT_SIGN_MISSING, certificate));
        }
        return;
    }
    if position == Position::Anchor {
        // A certificate of version 1 has no extensions to say it with; one of version 3 that does not say it may not be used (§4.2.1.9).
        if certificate.version() == 3 {
            departures.push(contradiction(code::ISSUER_NOT_CA, certificate));
        }
    } else if signs || length || extensions.name_constraints.is_some() {
        departures.push(contradiction(code::AUTHORITY_WITHOUT_FLAG, certificate));
    }
}

/// Which extensions must be critical, and which must not.
fn criticality(certificate: &Certificate<'_>, departures: &mut Vec<Departure>) {
    for (oid, must) in [
        (oid::CE_NAME_CONSTRAINTS, true),
        (oid::CE_INHIBIT_ANY_POLICY, true),
        (oid::CE_AUTHORITY_KEY_IDENTIFIER, false),
        (oid::CE_SUBJECT_KEY_IDENTIFIER, false),
    ] {
        let is = certificate.extensions().is_critical(&oid);
        if is.is_some_and(|is| is != must) {
            departures.push(wrong_criticality(certificate, &oid, true));
        }
    }
    // §4.2.1.9 and §4.2.1.11 too; but NIST PKITS (4.6.4, 4.8.13) holds such certificates for good, and both are read either way.
    for oid in [oid::CE_BASIC_CONSTRAINTS, oid::CE_POLICY_CONSTRAINTS] {
        if certificate.is_ca() && certificate.extensions().is_critical(&oid) == Some(false) {
            departures.push(wrong_criticality(certificate, &oid, false));
        }
    }
}

fn wrong_criticality(certificate: &Certificate<'_>, oid: &Oid, contradiction: bool) -> Departure {
    let problem = Problem::rule(code::EXTENSION_CRITICALITY, &certificate.title());
    Departure {
        problem: problem.with(oid),
        contradiction,
    }
}

/// What helps to find paths, and says nothing about whom to trust.
fn habits(certificate: &Certificate<'_>, position: Position, departures: &mut Vec<Departure>) {
    let title = certificate.title();
    let careless = |problem: Problem| Departure {
        problem,
        contradiction: false,
    };
    // §4.1.2.2: positive, at most 20 octets. NIST PKITS 4.4.14 holds negative ones for good.
    let serial = certificate.serial();
    let negative = serial.first().is_some_and(|first| first & 0x80 != 0);
    if negative || serial.len() > 20 || serial.iter().all(|octet| *octet == 0) {
        let problem = Problem::rule(code::SERIAL_NUMBER_FORM, &title);
        departures.push(careless(problem.with(hex::encode(serial))));
    }
    if certificate.version() < 3 {
        return;
    }
    let extensions = certificate.extensions();
    let missing = |oid: Oid| {
        let problem = Problem::rule(code::EXTENSION_MISSING, &title);
        careless(problem.with(oid))
    };
    // §4.2.1.1: a self-signed certificate may leave it out.
    if extensions.authority_key_identifier.is_none() && position != Position::Anchor {
        departures.push(missing(oid::CE_AUTHORITY_KEY_IDENTIFIER));
    }
    if certificate.is_ca() {
        if extensions.subject_key_identifier.is_none() {
            departures.push(missing(oid::CE_SUBJECT_KEY_IDENTIFIER));
        }
        if extensions.key_usage.is_none() {
            departures.push(missing(oid::CE_KEY_USAGE));
        }
    }
}

fn out_of_period(certificate: &Certificate<'_>, time: OffsetDateTime) -> Option<Departure> {
    let general = SubIndication::CertificateChainGeneralFailure;
    let (code, bound) = if certificate.is_in_period(time) {
        return None;
    } else if time < certificate.not_before() {
        (code::CERTIFICATE_NOT_YET_VALID, certificate.not_before())
    } else {
        (code::CERTIFICATE_EXPIRED, certificate.not_after())
    };
    let problem = Problem::new(code, &certificate.title(), general, true);
    Some(Departure {
        problem: problem.with(civil_time(bound)).with(civil_time(time)),
        contradiction: false,
    })
}
