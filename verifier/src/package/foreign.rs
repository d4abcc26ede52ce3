//! Foreign ASiC containers: time-stamps and evidence records in `META-INF/`, and what they cover.
//!
//! What a member is, its content says; only where a name promises evidence (`.tst`, `.ers`) and the content is none, the name
//! counts. A time-stamp covers the manifest that names it, and through the digests in it the members that the manifest lists;
//! an evidence record covers the listed members themselves; evidence that no manifest names covers the one document of a
//! simple container. Evidence that covers other evidence proves that this existed, so the outermost is judged first.

use std::collections::BTreeMap;

use formats::asic::{META_INF, MIMETYPE_ASIC_S};
use formats::limits::EVIDENCE_BYTES_MAX;

use super::PackageReport;
use super::contents::{Contents, Evidence, EvidenceKind, open};
use super::members::{Members, as_sources};
use super::order::{Proven, judge_in_order};
use crate::alternatives::pass_over;
use crate::context::Context;
use crate::evidence::{EvidenceReport, Group, any_initial_algorithm, verify_any_record_standing};
use crate::finding::{Finding, Place, evidence as evidence_codes, package as codes, xmlers};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::report::{ObjectKind, ObjectReport};
use crate::signature::verify_signature_standing;
use crate::timestamp::{Standing, verify_token_standing};
use crate::verdict::SubIndication;

const MIMETYPE: &str = "mimetype";

/// Judges a foreign container.
pub(super) fn judge(members: &Members<'_>, context: &Context<'_>, place: &Place) -> PackageReport {
    let mut notes = Notes::new(place);
    notes.container_notes(members.reader);
    let documents = documents(members);
    check_simple_container(&mut notes, members, &documents);
    let mut contents = Contents::read(&mut notes, members);
    check_documents(&mut notes, members, &documents);
    let evidence = contents.evidence(&mut notes, members, &documents);
    if evidence.is_empty() && contents.unjudged.is_empty() {
        let judgement = Judgement::unknown(SubIndication::Custom);
        notes.add(judgement, codes::PACKAGE_WITHOUT_EVIDENCE, NONE);
    }
    let mut proven = judge_in_order(&evidence, context, place, |evidence, standing| {
        judge_one(members, context, place, evidence, standing)
    });
    let document_objects = judge_documents(&mut notes, &documents, &evidence, &proven, &contents);
    let mut objects = Vec::new();
    for evidence in &evidence {
        if let Some(mut proof) = proven.remove(&evidence.name) {
            let place = notes.place.child(&evidence.name);
            if is_passed_over(evidence, &proof, &document_objects, &documents) {
                pass_over(proof.judgement, &place, &mut proof.findings);
            } else {
                notes.judgement.add(proof.judgement);
            }
            notes.findings.append(&mut proof.findings);
            objects.append(&mut proof.objects);
        }
    }
    let judgement = notes.judgement;
    let existence = document_objects
        .iter()
        .map(|document| document.time)
        .collect::<Option<Vec<_>>>()
        .and_then(|times| times.into_iter().max())
        .filter(|_| judgement.is_passed());
    let mut package = ObjectReport::new(ObjectKind::Package, place.clone(), judgement);
    package.time = existence;
    let digests = members.documents(&documents);
    package.covers = documents;
    let mut all = vec![package];
    all.extend(document_objects);
    all.extend(contents.objects);
    all.extend(objects);
    PackageReport {
        judgement,
        existence,
        documents: digests,
        findings: notes.findings,
        objects: all,
    }
}

/// Every member that is neither the media type nor under `META-INF/`.
fn documents(members: &Members<'_>) -> Vec<String> {
    let entries = members.reader.entries();
    entries
        .iter()
        .filter(|entry| !entry.is_folder())
        .map(|entry| entry.name().to_owned())
        .filter(|name| name != MIMETYPE && !name.starts_with(META_INF))
        .collect()
}

/// A simple container has one document, in its root (EN 319 162-1 §4.3.3.1).
fn check_simple_container(notes: &mut Notes<'_>, members: &Members<'_>, documents: &[String]) {
    if members.reader.mimetype() != Some(MIMETYPE_ASIC_S) {
        return;
    }
    let in_folder = documents.iter().any(|name| name.contains('/'));
    if documents.len() > 1 || in_folder {
        notes.add(
            Judgement::because(SubIndication::SigConstraintsFailure),
            codes::PACKAGE_SEVERAL_DATA_OBJECTS,
            [&documents.len().to_string()],
        );
    }
}

/// Every document is whole; one that is a container itself is named, and not looked into.
fn check_documents(notes: &mut Notes<'_>, members: &Members<'_>, documents: &[String]) {
    for name in documents {
        let Some(entry) = members.reader.entry(name) else {
            continue;
        };
        if let Err(error) = members.check(entry) {
            notes.damaged(name, error);
        } else if entry
            .head(CONTAINER_HEAD_BYTES)
            .is_ok_and(|head| is_container(&head))
        {
            notes.note(codes::PACKAGE_NESTED, [name]);
        }
    }
}

/// An ASiC container says so at byte 30 (EN 319 162-1 §A.1).
fn is_container(head: &[u8]) -> bool {
    let media_type = b"mimetypeapplication/vnd.etsi.asic-";
    head.starts_with(b"PK\x03\x04")
        && head
            .get(30..)
            .is_some_and(|rest| rest.starts_with(media_type))
}

const CONTAINER_HEAD_BYTES: usize = 30 + 34;

/// Whether others have proven all that this evidence covers, or every document where it covers other evidence alone.
fn is_passed_over(
    evidence: &Evidence,
    proof: &Proven,
    judged: &[ObjectReport],
    documents: &[String],
) -> bool {
    let covers = |name: &String| evidence.holds(name);
    let some = documents.iter().any(covers);
    !evidence.is_signature()
        && proof.judgement.can_be_passed_over()
        && !documents.is_empty()
        && documents
            .iter()
            .zip(judged)
            .all(|(name, object)| (some && !covers(name)) || object.judgement.is_passed())
}

fn judge_one(
    members: &Members<'_>,
    context: &Context<'_>,
    place: &Place,
    evidence: &Evidence,
    standing: Standing,
) -> Proven {
    let place = place.child(&evidence.name);
    let entry = members.reader.entry(&evidence.name);
    let content = entry.and_then(|entry| entry.read_up_to(EVIDENCE_BYTES_MAX).ok());
    let Some(content) = content else {
        return Proven {
            time: None,
            judgement: Judgement::NOT_JUDGED,
            findings: Vec::new(),
            objects: Vec::new(),
        };
    };
    let content = open(content);
    match evidence.kind {
        EvidenceKind::Token => {
            let data = members.data(evidence.target());
            let sources = as_sources(&data);
            let source = sources.first().copied();
            let report = verify_token_standing(&content, source, standing, context, &place);
            let time = report.time();
            let mut object = report.object;
            object.covers = evidence.covers.keys().cloned().collect();
            Proven {
                time,
                judgement: report.judgement,
                findings: report.findings,
                objects: vec![object],
            }
        }
        EvidenceKind::Signature => {
            judge_signature((members, context), evidence, &content, standing, &place)
        }
        EvidenceKind::Record => {
            let data = members.data(evidence.covers.keys());
            let sources = as_sources(&data);
            let mut report = verify_any_record_standing(
                &content,
                &sources,
                Group::Members,
                standing,
                context,
                &place,
            );
            check_listed_algorithm(&mut report, &content, evidence, &place);
            if members.reader.mimetype() != Some(MIMETYPE_ASIC_S) {
                check_unlisted(&mut report, evidence, &place);
            }
            Proven {
                time: report.stated,
                judgement: report.judgement,
                findings: report.findings,
                objects: report.objects,
            }
        }
    }
}

fn judge_signature(
    (members, context): (&Members<'_>, &Context<'_>),
    evidence: &Evidence,
    content: &[u8],
    standing: Standing,
    place: &Place,
) -> Proven {
    let data = members.data(evidence.target());
    let mut report =
        verify_signature_standing(content, &as_sources(&data), standing, context, place);
    if report.covered.contains(&false) && report.judgement.is_passed() {
        // A signature that holds its content, and another than that of the container.
        let judgement = Judgement::broken(SubIndication::HashFailure);
        report.judgement.add(judgement);
        let finding = Finding::new(codes::PACKAGE_MEMBER_UNCOVERED, place.clone());
        report
            .findings
            .push(finding.with(evidence.target().unwrap_or("-")));
    }
    let signatures = report.objects.iter_mut();
    for object in signatures.filter(|object| object.kind == ObjectKind::Signature) {
        object.covers = evidence.covers.keys().cloned().collect();
    }
    Proven {
        time: report.stated,
        judgement: report.judgement,
        findings: report.findings,
        objects: report.objects,
    }
}

/// Without a manifest nothing tells whether a document was taken away, which the record covers too.
fn check_unlisted(report: &mut EvidenceReport, evidence: &Evidence, place: &Place) {
    let incomplete = [
        evidence_codes::EVIDENCE_GROUP_INCOMPLETE,
        xmlers::XML_EVIDENCE_GROUP_INCOMPLETE,
    ];
    if evidence.manifest.is_none() && incomplete.into_iter().any(|code| report.has(code)) {
        let judgement = Judgement::because(SubIndication::SignedDataNotFound);
        report.judgement.add(judgement);
        let finding = Finding::new(codes::PACKAGE_EVIDENCE_UNLISTED, place.clone());
        report.findings.push(finding.with(&evidence.name));
    }
}

/// The manifest of an evidence record states digests under the algorithm of the record's first tree (EN 319 162-1 §A.4): other
/// ones are not those that were time-stamped.
fn check_listed_algorithm(
    report: &mut EvidenceReport,
    record: &[u8],
    evidence: &Evidence,
    place: &Place,
) {
    let (Some(manifest), Some(algorithm)) = (&evidence.manifest, any_initial_algorithm(record))
    else {
        return;
    };
    for other in &evidence.algorithms {
        if *other != algorithm {
            let judgement = Judgement::broken(SubIndication::HashFailure);
            report.judgement.add(judgement);
            report.findings.push(
                Finding::new(codes::PACKAGE_DIGEST_ALGORITHM_DIFFERS, place.clone())
                    .with(manifest)
                    .with(other.name())
                    .with(algorithm.name()),
            );
        }
    }
}

/// Each document with the evidence that covers it: several proofs are alternatives.
fn judge_documents(
    notes: &mut Notes<'_>,
    documents: &[String],
    evidence: &[Evidence],
    proven: &BTreeMap<String, Proven>,
    contents: &Contents,
) -> Vec<ObjectReport> {
    let mut objects = Vec::with_capacity(documents.len());
    for name in documents {
        let covering = evidence
            .iter()
            .filter(|evidence| evidence.covers.contains_key(name));
        let altered = covering.clone().any(|evidence| !evidence.holds(name));
        let covering = covering.filter(|evidence| evidence.holds(name));
        let proofs: Vec<(bool, &Proven)> = covering
            .filter_map(|evidence| Some((evidence.is_signature(), proven.get(&evidence.name)?)))
            .collect();
        let judgements = |signatures: bool| -> Vec<Judgement> {
            let of_kind = proofs.iter().filter(|(is, _)| *is == signatures);
            of_kind.map(|(_, proof)| proof.judgement).collect()
        };
        let signed = judgements(true).into_iter().reduce(Judgement::and);
        let judgement = match (Judgement::of_alternatives(&judgements(false)), signed) {
            (Some(existence), Some(signed)) => Some(existence.and(signed)),
            (one, other) => one.or(other),
        };
        let judgement = match judgement {
            // That a member does not have the digest of a manifest has been told.
            other if altered => {
                let altered = Judgement::broken(SubIndication::HashFailure);
                other.map_or(altered, |judgement| altered.and(judgement))
            }
            Some(judgement) => judgement,
            // A signature that is not judged may cover it; otherwise nothing does.
            None if contents.unjudged.is_empty() && !contents.referred.contains(name) => {
                let judgement = Judgement::because(SubIndication::Custom);
                notes.add(judgement, codes::PACKAGE_MEMBER_UNCOVERED, [name]);
                judgement
            }
            None => Judgement::NOT_JUDGED,
        };
        notes.judgement.add(judgement);
        let mut object =
            ObjectReport::new(ObjectKind::Document, notes.place.child(name), judgement);
        object.time = proofs
            .iter()
            .filter(|(_, proof)| proof.passed())
            .filter_map(|(_, proof)| proof.time)
            .min();
        objects.push(object.with("name", name.clone()));
    }
    objects
}
