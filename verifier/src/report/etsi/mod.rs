//! The validation report of ETSI TS 119 102-2 V1.4.1 in XML.
//!
//! Each signature has a report of its own; time-stamps, evidence records, documents, certificates and revocation information are validation
//! objects with theirs. The schema demands the report of a signature: where there is none, one says so (ADR 0021). The same report always
//! becomes the same bytes: identifiers are digests of the objects that they name.

mod names;
mod objects;
mod signature;
mod status;
mod table;
mod xml;

use std::collections::HashMap;

use self::table::Table;
use self::xml::Xml;
use super::{ObjectKind, ObjectReport, Report};
use crate::finding::{Finding, Language, Severity};
use crate::judgement::Judgement;

/// The report as an XML document, with the texts of its findings in `language`.
#[must_use]
pub fn to_text(report: &Report, language: Language) -> String {
    let view = View::new(report, language);
    let mut xml = Xml::new();
    let namespaces = [
        ("xmlns", names::NAMESPACE),
        ("xmlns:ds", names::NAMESPACE_DS),
        ("xmlns:xades", names::NAMESPACE_XADES),
        ("xmlns:tsl", names::NAMESPACE_TSL),
    ];
    xml.with("ValidationReport", &namespaces, |xml| {
        signature::write_all(xml, &view);
        objects::write_all(xml, &view);
        write_validator(xml);
    });
    xml.into_text()
}

/// Who validated. A program on anybody's computer has no certificate of its own: it gives its name.
fn write_validator(xml: &mut Xml) {
    xml.element("SignatureValidator", |xml| {
        xml.element("DigitalId", |xml| {
            let name = concat!(
                "Fumikura ",
                env!("CARGO_PKG_NAME"),
                " ",
                env!("CARGO_PKG_VERSION")
            );
            xml.text("tsl:Other", name);
        });
    });
}

/// The report, with what belongs together found once.
struct View<'r> {
    report: &'r Report,
    language: Language,
    table: Table<'r>,
    /// By object, the findings about it.
    findings: Vec<Vec<&'r Finding>>,
    /// By object, the time-stamps in it, if it is a signature or an evidence record.
    stamps: Vec<Vec<usize>>,
    /// By object, the signature or evidence record that the time-stamp is in.
    outer: Vec<Option<usize>>,
    /// The judgement of the whole, where it is worse than that of every signature: because of something that belongs to none of them.
    beyond: Option<Judgement>,
}

impl<'r> View<'r> {
    fn new(report: &'r Report, language: Language) -> Self {
        let mut by_place: HashMap<&str, usize> = HashMap::new();
        for (number, object) in report.objects.iter().enumerate() {
            by_place.entry(object.place.as_str()).or_insert(number);
        }
        let beyond = beyond(report);
        let mut findings = vec![Vec::new(); report.objects.len()];
        let mut outside = Vec::new();
        for finding in &report.findings {
            let about = nearest(&by_place, finding.place().as_str()).unwrap_or(0);
            if beyond.is_some() && finding.severity() == Severity::Error {
                outside.push((about, finding));
            }
            if let Some(list) = findings.get_mut(about) {
                list.push(finding);
            }
        }
        let mut stamps = vec![Vec::new(); report.objects.len()];
        let mut around = vec![None; report.objects.len()];
        for (number, object) in report.objects.iter().enumerate() {
            let place = object.place.as_str();
            if object.kind != ObjectKind::Timestamp {
                continue;
            }
            let outer = place
                .rsplit_once('/')
                .and_then(|(outer, _)| nearest(&by_place, outer));
            if let Some(slot) = around.get_mut(number) {
                *slot = outer;
            }
            if let Some(list) = outer.and_then(|outer| stamps.get_mut(outer)) {
                list.push(number);
            }
        }
        let is_signature = |number: usize| {
            let object = report.objects.get(number);
            object.is_some_and(|object| object.kind == ObjectKind::Signature)
        };
        let in_signature = |number: usize| {
            around
                .get(number)
                .copied()
                .flatten()
                .is_some_and(is_signature)
        };
        outside.retain(|(about, _)| !is_signature(*about) && !in_signature(*about));
        for (number, list) in findings.iter_mut().enumerate() {
            if is_signature(number) {
                list.extend(outside.iter().map(|(_, finding)| *finding));
            }
        }
        Self {
            report,
            language,
            table: Table::new(report, &stamps),
            findings,
            stamps,
            outer: around,
            beyond,
        }
    }

    /// What is said of an object. The reports of signatures are all that some readers look at: together they say what is said of the whole.
    fn judgement(&self, object: &ObjectReport) -> Judgement {
        match (object.kind, self.beyond) {
            (ObjectKind::Signature, Some(whole)) => object.judgement.and(whole),
            _ => object.judgement,
        }
    }

    fn object(&self, number: usize) -> Option<&'r ObjectReport> {
        self.report.objects.get(number)
    }

    /// The findings about an object itself, not about its parts; for a signature also those that speak against the whole from outside of it.
    fn findings(&self, number: usize) -> &[&'r Finding] {
        self.findings
            .get(number)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn stamps(&self, number: usize) -> &[usize] {
        self.stamps
            .get(number)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

fn beyond(report: &Report) -> Option<Judgement> {
    let signatures = report.objects.iter();
    let signatures = signatures.filter(|object| object.kind == ObjectKind::Signature);
    let worst = signatures.map(|object| object.judgement.conclusion()).max();
    let is_worse = worst.is_some_and(|worst| report.judgement.conclusion() > worst);
    is_worse.then_some(report.judgement)
}

/// The object at a place, or at the nearest one around it.
fn nearest(by_place: &HashMap<&str, usize>, place: &str) -> Option<usize> {
    let mut place = place;
    loop {
        if let Some(number) = by_place.get(place) {
            return Some(*number);
        }
        (place, _) = place.rsplit_once('/')?;
    }
}
