//! What was concluded, why, and on what it rests: SignatureValidationStatus and ValidationConstraintsEvaluationReport.

use super::objects::reference;
use super::xml::Xml;
use super::{View, names};
use crate::finding::{self, Code, Finding, Severity};
use crate::policy::RevocationRule;
use crate::report::{AlgorithmName, ObjectReport, UsedAlgorithm, UsedRevocation, UsedRole};
use crate::verdict::{Conclusion, Integrity};

/// Writes the status of an object that has this indication and identifier.
pub(super) fn write(
    xml: &mut Xml,
    view: &View<'_>,
    number: usize,
    object: &ObjectReport,
    (indication, id): (&str, &str),
) {
    xml.element("SignatureValidationStatus", |xml| {
        xml.text("MainIndication", indication);
        if let Some(reason) = view.judgement(object).sub_indication() {
            xml.text("SubIndication", &names::sub_indication(reason));
        }
        write_data(xml, view, number, object, id);
    });
}

/// AssociatedValidationReportData: one holds one algorithm and one revocation, so there may be several.
fn write_data(xml: &mut Xml, view: &View<'_>, number: usize, object: &ObjectReport, id: &str) {
    let findings = view.findings(number);
    let chain: Vec<(UsedRole, &str)> = chain_of(view, object);
    let rests_on = object
        .used
        .iter()
        .filter(|used| matches!(used.role, UsedRole::Crl | UsedRole::OcspResponse))
        .filter_map(|used| view.table.id_of(used));
    let rests_on: Vec<&str> = rests_on.collect();
    let count = object.algorithms.len().max(object.revoked.len()).max(1);
    if count == 1
        && chain.is_empty()
        && findings.is_empty()
        && object.algorithms.is_empty()
        && object.revoked.is_empty()
    {
        return;
    }
    for position in 0..count {
        xml.element("AssociatedValidationReportData", |xml| {
            if position == 0 {
                write_chain(xml, &chain);
                for source in &rests_on {
                    reference(xml, "RelatedValidationObject", source);
                }
            }
            if let Some(revocation) = object.revoked.get(position) {
                write_revocation(xml, view, revocation);
            }
            if let Some(algorithm) = object.algorithms.get(position) {
                write_algorithm(xml, algorithm, id);
            }
            if position == 0 && !findings.is_empty() {
                write_findings(xml, view, findings);
            }
        });
    }
}

fn chain_of<'v>(view: &'v View<'_>, object: &ObjectReport) -> Vec<(UsedRole, &'v str)> {
    let on_path = object.used.iter().filter(|used| {
        matches!(
            used.role,
            UsedRole::SigningCertificate | UsedRole::Certificate | UsedRole::TrustAnchor
        )
    });
    on_path
        .filter_map(|used| Some((used.role, view.table.id_of(used)?)))
        .collect()
}

fn write_chain(xml: &mut Xml, chain: &[(UsedRole, &str)]) {
    let in_role = |role: UsedRole| {
        let chain = chain.iter();
        chain
            .filter(move |(own, _)| *own == role)
            .map(|(_, id)| *id)
    };
    let anchor = in_role(UsedRole::TrustAnchor).next();
    if let Some(anchor) = anchor {
        reference(xml, "TrustAnchor", anchor);
    }
    let Some(signing) = in_role(UsedRole::SigningCertificate).next() else {
        return;
    };
    xml.element("CertificateChain", |xml| {
        reference(xml, "SigningCertificate", signing);
        for id in in_role(UsedRole::Certificate) {
            reference(xml, "IntermediateCertificate", id);
        }
        if let Some(anchor) = anchor {
            reference(xml, "TrustAnchor", anchor);
        }
    });
}

fn write_revocation(xml: &mut Xml, view: &View<'_>, revocation: &UsedRevocation) {
    let Some(certificate) = view.table.id_of(&revocation.certificate) else {
        return;
    };
    xml.element("RevocationStatusInformation", |xml| {
        reference(xml, "ValidationObjectId", certificate);
        xml.time("RevocationTime", revocation.time);
        if let Some(reason) = names::revocation_reason(revocation.reason) {
            xml.text("RevocationReason", &reason);
        }
        if let Some(source) = view.table.id_of(&revocation.source) {
            reference(xml, "RevocationObject", source);
        }
    });
}

fn write_algorithm(xml: &mut Xml, used: &UsedAlgorithm, id: &str) {
    xml.element("CryptoInformation", |xml| {
        reference(xml, "ValidationObjectId", id);
        xml.text("Algorithm", &names::algorithm(used.name));
        if let AlgorithmName::Signature(algorithm) = used.name {
            xml.element("AlgorithmParameters", |xml| {
                xml.text("Type", "urn:fumikura:key-bits");
                xml.text("Value", &algorithm.key_bits.to_string());
            });
        }
        xml.text(
            "SecureAlgorithm",
            if used.trusted { "true" } else { "false" },
        );
        if let Some(until) = used.until {
            xml.time("NotAfter", until);
        }
    });
}

fn write_findings(xml: &mut Xml, view: &View<'_>, findings: &[&Finding]) {
    xml.element("AdditionalValidationReportData", |xml| {
        for finding in findings {
            xml.element("ReportData", |xml| {
                xml.text("Type", names::finding(finding.severity()));
                let code = finding.code();
                let text = finding.text(view.language);
                let place = finding.place();
                let value = format!("{}: {text} [{}; {place}]", code.id(), code.clause());
                xml.text("Value", &value);
            });
        }
    });
}

/// A group of checks that is reported together.
struct Constraint {
    name: &'static str,
    /// What was demanded, as data.
    parameter: Option<(&'static str, String)>,
    /// Whether it was applied at all.
    applied: bool,
    /// How it ended.
    indication: &'static str,
}

/// Writes the constraints that were applied to an object, each with its own result.
pub(super) fn write_constraints(
    xml: &mut Xml,
    view: &View<'_>,
    number: usize,
    object: &ObjectReport,
) {
    let rules = &view.report.rules;
    xml.element("ValidationConstraintsEvaluationReport", |xml| {
        xml.element("SignatureValidationPolicy", |xml| {
            xml.element("SignaturePolicyIdentifier", |xml| {
                xml.empty("xades:SignaturePolicyImplied", &[]);
            });
            xml.text("PolicyName", &rules.policy);
        });
        for constraint in constraints(view, number, object) {
            xml.element("ValidationConstraint", |xml| {
                xml.text("ValidationConstraintIdentifier", constraint.name);
                if let Some((name, value)) = &constraint.parameter {
                    xml.element("ValidationConstraintParameter", |xml| {
                        xml.text("Type", name);
                        xml.text("Value", value);
                    });
                }
                xml.element("ConstraintStatus", |xml| {
                    let applied = constraint.applied;
                    xml.text(
                        "Status",
                        if applied {
                            names::APPLIED
                        } else {
                            names::DISABLED
                        },
                    );
                });
                if constraint.applied {
                    xml.element("ValidationStatus", |xml| {
                        xml.text("MainIndication", constraint.indication);
                    });
                }
            });
        }
    });
}

fn constraints(view: &View<'_>, number: usize, object: &ObjectReport) -> [Constraint; 5] {
    let rules = &view.report.rules;
    let findings = view.findings(number);
    let judgement = view.judgement(object);
    let worst = if judgement.conclusion() == Conclusion::TotalFailed {
        names::FAILED
    } else {
        names::INDETERMINATE
    };
    let of = |tables: &[&[Code]]| {
        let mut findings = findings.iter();
        let is_wrong = findings.any(|finding| {
            finding.severity() == Severity::Error
                && tables.iter().any(|table| table.contains(&finding.code()))
        });
        if is_wrong { worst } else { names::PASSED }
    };
    let has_path = object.used_as(UsedRole::SigningCertificate).is_some();
    let integrity = match judgement.integrity() {
        Integrity::Intact => names::PASSED,
        Integrity::Broken => names::FAILED,
        Integrity::Unknown => names::INDETERMINATE,
    };
    // Acceptance is whatever is not one of the others: a new table of findings is in it by itself.
    let others = [
        finding::path::TABLE,
        finding::revocation::TABLE,
        finding::crypto::TABLE,
    ];
    let accepted: Vec<&[Code]> = finding::ALL
        .iter()
        .copied()
        .filter(|table| !others.iter().any(|other| std::ptr::eq(*other, *table)))
        .collect();
    let plain = |name, applied, indication| Constraint {
        name,
        parameter: None,
        applied,
        indication,
    };
    [
        plain("urn:fumikura:constraint:integrity", true, integrity),
        plain("urn:fumikura:constraint:acceptance", true, of(&accepted)),
        Constraint {
            parameter: Some(("urn:fumikura:trust-anchors", rules.anchors.to_string())),
            ..plain(
                "urn:fumikura:constraint:certificate-path",
                has_path,
                of(&[finding::path::TABLE]),
            )
        },
        Constraint {
            parameter: Some((
                "urn:fumikura:revocation-rule",
                rules.revocation.name().to_owned(),
            )),
            ..plain(
                "urn:fumikura:constraint:revocation",
                has_path && rules.revocation != RevocationRule::Off,
                of(&[finding::revocation::TABLE]),
            )
        },
        plain(
            "urn:fumikura:constraint:algorithms",
            !object.algorithms.is_empty(),
            of(&[finding::crypto::TABLE]),
        ),
    ]
}
