//! Foreign ASiC containers: time-stamps and evidence records in `META-INF/`, and what they cover.
//!
//! What a member is, its content says; only where a name promises evidence (`.tst`, `.ers`) and the content is none, the name
//! counts. A time-stamp covers the manifest that names it, and through the digests in it the members that the manifest lists;
//! an evidence record covers the listed members themselves; evidence that no manifest names covers the one document of a
//! simple container. Evidence that covers other evidence proves that this existed, so the outermost is judged first.

use std::collections::BTreeMap;

use formats::asic::{AsicReader, META_INF, MIMETYPE_ASIC_S};
use time::OffsetDateTime;

use super::contents::{Contents, Evidence, EvidenceKind, Listed};
use super::{PackageReport, as_sources, data_of, digests_of};
use crate::alternatives::pass_over;
use crate::context::Context;
use crate::evidence::{EvidenceReport, Group, initial_algorithm, verify_record_standing};
use crate::finding::{Finding, Place, package as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::report::{ObjectKind, ObjectReport};
use crate::signature::verify_signature_standing;
use crate::source::DataBytes;
use crate::timestamp::{Standing, verify_token_standing};
use crate::verdict::SubIndication;

const MIMETYPE: &str = "mimetype";

/// What evidence says after it was judged.
struct Proven {
    time: Option<OffsetDateTime>,
    judgement: Judgement,
    findings: Vec<Finding>,
    objects: Vec<ObjectReport>,
}

impl Proven {
    fn passed(&self) -> bool {
        self.judgement.is_passed()
    }
}

/// Judges a foreign container.
pub(super) fn judge(
    reader: &AsicReader<'_>,
    context: &Context<'_>,
    place: &Place,
) -> PackageReport {
    let mut notes = Notes::new(place);
    notes.container_notes(reader);
    let documents = documents(reader);
    check_simple_container(&mut notes, reader, &documents);
    let mut contents = Contents::read(&mut notes, reader);
    contents.tell_unjudged(&mut notes);
    let evidence = contents.evidence(&mut notes, reader, &documents);
    if evidence.is_empty() && contents.unjudged.is_empty() {
        let judgement = Judgement::unknown(SubIndication::Custom);
        notes.add(judgement, codes::PACKAGE_WITHOUT_EVIDENCE, NONE);
    }
    let mut proven = judge_evidence(&notes, reader, context, &evidence);
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
    let digests = digests_of(reader, &documents);
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
fn documents(reader: &AsicReader<'_>) -> Vec<String> {
    reader
        .entries()
        .iter()
        .filter(|entry| !entry.is_folder())
        .map(|entry| entry.name().to_owned())
        .filter(|name| name != MIMETYPE && !name.starts_with(META_INF))
        .collect()
}

/// A simple container has one document, in its root (EN 319 162-1 §4.3.3.1).
fn check_simple_container(notes: &mut Notes<'_>, reader: &AsicReader<'_>, documents: &[String]) {
    if reader.mimetype() != Some(MIMETYPE_ASIC_S) {
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

/// Whether others have proven all that this evidence covers, or every document where it covers other evidence alone.
fn is_passed_over(
    evidence: &Evidence,
    proof: &Proven,
    judged: &[ObjectReport],
    documents: &[String],
) -> bool {
    let covers = |name: &String| evidence.covers.contains(name);
    let some = documents.iter().any(covers);
    !evidence.is_signature()
        && proof.judgement.can_be_passed_over()
        && !documents.is_empty()
        && documents
            .iter()
            .zip(judged)
            .all(|(name, object)| (some && !covers(name)) || object.judgement.is_passed())
}

/// Judges the evidence, that which nothing else covers first.
fn judge_evidence(
    notes: &Notes<'_>,
    reader: &AsicReader<'_>,
    context: &Context<'_>,
    evidence: &[Evidence],
) -> BTreeMap<String, Proven> {
    let mut proven: BTreeMap<String, Proven> = BTreeMap::new();
    let mut left: Vec<&Evidence> = evidence.iter().collect();
    while !left.is_empty() {
        let is_ready = |candidate: &Evidence| {
            !left
                .iter()
                .any(|other| other.name != candidate.name && other.covers.contains(&candidate.name))
        };
        // Two that cover each other cannot both be true; then the first is judged alone.
        let next = left.iter().position(|candidate| is_ready(candidate));
        let candidate = left.remove(next.unwrap_or(0));
        let standing = standing_of(candidate, evidence, &proven, context);
        let answer = judge_one(notes, reader, context, candidate, standing);
        proven.insert(candidate.name.clone(), answer);
    }
    proven
}

/// A later proof that has passed says as of when the earlier one is judged (EN 319 102-1 §5.6.2).
fn standing_of(
    candidate: &Evidence,
    evidence: &[Evidence],
    proven: &BTreeMap<String, Proven>,
    context: &Context<'_>,
) -> Standing {
    let earliest = evidence
        .iter()
        .filter(|other| other.covers.contains(&candidate.name))
        .filter_map(|other| proven.get(&other.name))
        .filter(|proof| proof.passed())
        .filter_map(|proof| proof.time)
        .min();
    match earliest {
        Some(time) => Standing {
            judged_at: time.min(context.time),
            protected: true,
        },
        None => Standing {
            judged_at: context.time,
            protected: false,
        },
    }
}

fn judge_one(
    notes: &Notes<'_>,
    reader: &AsicReader<'_>,
    context: &Context<'_>,
    evidence: &Evidence,
    standing: Standing,
) -> Proven {
    let place = notes.place.child(&evidence.name);
    let Some(content) = reader
        .entry(&evidence.name)
        .and_then(|entry| entry.read().ok())
    else {
        return Proven {
            time: None,
            judgement: Judgement::NOT_JUDGED,
            findings: Vec::new(),
            objects: Vec::new(),
        };
    };
    match &evidence.kind {
        EvidenceKind::Token(target) => {
            let data = target.as_ref().map(|name| vec![name.clone()]);
            let data: Vec<DataBytes<'_>> = data_of(reader, &data.unwrap_or_default());
            let sources = as_sources(&data);
            let source = sources.first().copied();
            let report = verify_token_standing(&content, source, standing, context, &place);
            let time = report.time();
            let mut object = report.object;
            object.covers.clone_from(&evidence.covers);
            Proven {
                time,
                judgement: report.judgement,
                findings: report.findings,
                objects: vec![object],
            }
        }
        EvidenceKind::Signature(target) => judge_signature(
            (reader, context),
            evidence,
            target.as_deref(),
            &content,
            standing,
            &place,
        ),
        EvidenceKind::Record { listed } => {
            let data: Vec<DataBytes<'_>> = data_of(reader, &evidence.covers);
            let sources = as_sources(&data);
            let mut report = verify_record_standing(
                &content,
                &sources,
                Group::Members,
                standing,
                context,
                &place,
            );
            check_listed_algorithm(&mut report, &content, listed.as_ref(), &place);
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
    (reader, context): (&AsicReader<'_>, &Context<'_>),
    evidence: &Evidence,
    target: Option<&str>,
    content: &[u8],
    standing: Standing,
    place: &Place,
) -> Proven {
    let data: Vec<String> = target.map(str::to_owned).into_iter().collect();
    let data = data_of(reader, &data);
    let mut report =
        verify_signature_standing(content, &as_sources(&data), standing, context, place);
    if report.covered.contains(&false) && report.judgement.is_passed() {
        // A signature that holds its content, and another than that of the container.
        let judgement = Judgement::broken(SubIndication::HashFailure);
        report.judgement.add(judgement);
        let finding = Finding::new(codes::PACKAGE_MEMBER_UNCOVERED, place.clone());
        report.findings.push(finding.with(target.unwrap_or("-")));
    }
    let signatures = report.objects.iter_mut();
    for object in signatures.filter(|object| object.kind == ObjectKind::Signature) {
        object.covers.clone_from(&evidence.covers);
    }
    Proven {
        time: report.stated,
        judgement: report.judgement,
        findings: report.findings,
        objects: report.objects,
    }
}

/// The manifest of an evidence record states digests under the algorithm of the record's first tree (EN 319 162-1 §A.4): other
/// ones are not those that were time-stamped.
fn check_listed_algorithm(
    report: &mut EvidenceReport,
    record: &[u8],
    listed: Option<&Listed>,
    place: &Place,
) {
    let (Some(listed), Some(algorithm)) = (listed, initial_algorithm(record)) else {
        return;
    };
    for other in &listed.algorithms {
        if *other != algorithm {
            let judgement = Judgement::broken(SubIndication::HashFailure);
            report.judgement.add(judgement);
            report.findings.push(
                Finding::new(codes::PACKAGE_DIGEST_ALGORITHM_DIFFERS, place.clone())
                    .with(&listed.manifest)
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
            .filter(|evidence| evidence.covers.contains(name));
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
