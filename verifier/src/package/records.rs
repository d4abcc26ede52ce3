//! The proofs in the archive's own package: evidence records of one or two authorities, and the archive's signature if it signs records.
//!
//! Each covers the same group of members, so they are alternatives (ADR 0015).

use formats::asic::{AsicManifest, AsicReader};
use formats::digest::DigestAlgorithm;
use formats::limits::EVIDENCE_BYTES_MAX;
use formats::package::{
    EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, SECOND_EVIDENCE_RECORD,
    SECOND_EVIDENCE_RECORD_MANIFEST, SIGNATURE, SIGNATURE_MANIFEST,
};
use time::OffsetDateTime;

use super::check_references;
use super::members::{Members, as_sources};
use crate::alternatives::pass_over;
use crate::context::Context;
use crate::evidence::{Group, initial_algorithm, verify_record};
use crate::finding::{Finding, Place, package as codes};
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::report::ObjectReport;
use crate::signature::verify_signature_file;
use crate::verdict::SubIndication;

/// The evidence records: the name of each, and that of the manifest which says what it covers.
const RECORDS: [(&str, &str); 2] = [
    (EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST),
    (SECOND_EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD_MANIFEST),
];

/// What the proofs of a package say together.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) judgement: Option<Judgement>,
    pub(super) existence: Option<OffsetDateTime>,
    pub(super) objects: Vec<ObjectReport>,
}

/// One proof.
struct Proof {
    place: Place,
    judgement: Judgement,
    existence: Option<OffsetDateTime>,
    findings: Vec<Finding>,
    objects: Vec<ObjectReport>,
}

/// The algorithms under which the evidence records will ask for digests.
pub(super) fn algorithms(reader: &AsicReader<'_>) -> Vec<DigestAlgorithm> {
    let entries = RECORDS.iter().filter_map(|(name, _)| reader.entry(name));
    entries
        .filter_map(|entry| initial_algorithm(&entry.read_up_to(EVIDENCE_BYTES_MAX).ok()?))
        .collect()
}

/// Each evidence record covers the group, and nothing else if that is the whole one.
pub(super) fn judge_records(
    notes: &mut Notes<'_>,
    members: &Members<'_>,
    group: &[String],
    relation: Group,
    context: &Context<'_>,
) -> Evidence {
    let reader = members.reader;
    let data = members.data(group);
    if data.len() != group.len() {
        // A member is missing or damaged, which has been told; the record is judged over the others.
        notes
            .judgement
            .add(Judgement::unknown(SubIndication::SignedDataNotFound));
    }
    let sources = as_sources(&data);
    let mut proofs = Vec::new();
    for names in RECORDS {
        check_evidence_manifest(notes, members, names, group);
        let (name, _) = names;
        if let Some(content) = reader.entry(name).and_then(|entry| notes.read(entry)) {
            let place = notes.place.child(name);
            let report = verify_record(&content, &sources, relation, context, &place);
            proofs.push(Proof {
                place,
                judgement: report.judgement,
                existence: report.existence,
                findings: report.findings,
                objects: report.objects,
            });
        }
    }
    proofs.extend(judge_signature(notes, members, group, context));
    weigh(notes, proofs)
}

/// The archive's signature is over a manifest of the same group.
fn judge_signature(
    notes: &mut Notes<'_>,
    members: &Members<'_>,
    group: &[String],
    context: &Context<'_>,
) -> Option<Proof> {
    check_evidence_manifest(notes, members, (SIGNATURE, SIGNATURE_MANIFEST), group);
    let content = notes.read(members.reader.entry(SIGNATURE)?)?;
    let place = notes.place.child(SIGNATURE);
    let data = members.data([SIGNATURE_MANIFEST]);
    let mut report = verify_signature_file(&content, &as_sources(&data), context, &place);
    if report.covered.contains(&false) && report.judgement.is_passed() {
        // A signature that holds its content, and another than that of the package.
        report
            .judgement
            .add(Judgement::broken(SubIndication::HashFailure));
        let finding = Finding::new(codes::PACKAGE_MEMBER_UNCOVERED, place.clone());
        report.findings.push(finding.with(SIGNATURE_MANIFEST));
    }
    Some(Proof {
        place,
        judgement: report.judgement,
        existence: report.existence,
        findings: report.findings,
        objects: report.objects,
    })
}

/// One proof that has passed is enough, as long as nothing is wrong with the others but the trust in them.
fn weigh(notes: &mut Notes<'_>, proofs: Vec<Proof>) -> Evidence {
    // A signature without a time-stamp that holds says nothing of the time: it can fail the whole, but not carry it.
    let carries = |proof: &&Proof| !proof.judgement.is_passed() || proof.existence.is_some();
    let judgements: Vec<Judgement> = proofs
        .iter()
        .filter(carries)
        .map(|proof| proof.judgement)
        .collect();
    let judgement = Judgement::of_alternatives(&judgements);
    let mut evidence = Evidence {
        judgement,
        existence: proofs.iter().filter_map(|proof| proof.existence).min(),
        objects: Vec::new(),
    };
    let passed = judgement.is_some_and(|whole| whole.is_passed());
    notes
        .judgement
        .add(judgement.unwrap_or(Judgement::NOT_JUDGED));
    for mut proof in proofs {
        if passed && proof.judgement.can_be_passed_over() {
            pass_over(proof.judgement, &proof.place, &mut proof.findings);
        }
        notes.findings.append(&mut proof.findings);
        evidence.objects.append(&mut proof.objects);
    }
    evidence
}

/// The manifest of a proof lists exactly the record manifest and its documents, with their digests.
fn check_evidence_manifest(
    notes: &mut Notes<'_>,
    members: &Members<'_>,
    (record, name): (&str, &str),
    group: &[String],
) {
    let reader = members.reader;
    let Some(entry) = reader.entry(name) else {
        return;
    };
    let Some(content) = notes.read(entry) else {
        return;
    };
    let manifest = match AsicManifest::parse(&content) {
        Ok(manifest) => manifest,
        Err(error) => {
            notes.add(
                Judgement::broken(SubIndication::FormatFailure),
                codes::PACKAGE_MANIFEST_MALFORMED,
                [name, &error.to_string()],
            );
            return;
        }
    };
    let named = reader.resolve(&manifest.signature.uri);
    if named.is_none_or(|entry| entry.name() != record) {
        notes.add(
            Judgement::broken(SubIndication::FormatFailure),
            codes::PACKAGE_MANIFEST_WITHOUT_EVIDENCE,
            [name, &manifest.signature.uri],
        );
    }
    let references = check_references(notes, members, name, &manifest);
    let mut listed: Vec<String> = references.into_iter().map(|found| found.name).collect();
    let mut expected = group.to_vec();
    listed.sort_unstable();
    expected.sort_unstable();
    if listed != expected {
        let differing = expected
            .iter()
            .find(|name| !listed.contains(name))
            .or_else(|| listed.iter().find(|name| !expected.contains(name)));
        let differing = differing.map_or("-", String::as_str).to_owned();
        notes.add(
            Judgement::broken(SubIndication::FormatFailure),
            codes::PACKAGE_REFERENCES_NOT_EXACT,
            [&differing],
        );
    }
}
