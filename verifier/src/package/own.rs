//! The archive's own evidence package: `formats::package` tells its members.

use std::collections::BTreeSet;

use formats::asic::MIMETYPE_ASIC_E;
use formats::digest::DigestValue;
use formats::manifest::{ContentObject, Manifest};
use formats::package::{
    AUDIT, EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, MANIFEST, REPORT, SECOND_EVIDENCE_RECORD,
    SECOND_EVIDENCE_RECORD_MANIFEST, SIGNATURE, SIGNATURE_MANIFEST, document_members,
};
use formats::raw::Raw;

use super::members::Members;
use super::records::{self, Evidence, judge_records};
use super::{PackageReport, judgement_of};
use crate::context::Context;
use crate::evidence::Group;
use crate::finding::{Place, package as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::report::text::civil_time;
use crate::report::{ObjectKind, ObjectReport};
use crate::verdict::SubIndication;

const MIMETYPE: &str = "mimetype";

/// Judges an own package.
pub(super) fn judge(members: &Members<'_>, context: &Context<'_>, place: &Place) -> PackageReport {
    let mut notes = Notes::new(place);
    let manifest = read_manifest(&mut notes, members);
    check_container(&mut notes, members);
    let Some(manifest) = manifest else {
        return report(
            notes,
            place,
            None,
            Vec::new(),
            Vec::new(),
            Evidence::default(),
        );
    };
    let names = document_members(&manifest);
    check_members(&mut notes, members, &[], &names);
    let mut documents = Vec::with_capacity(names.len());
    for (object, name) in manifest.objects.iter().zip(&names) {
        documents.push(judge_document(&mut notes, members, object, name));
    }
    let mut group = vec![MANIFEST.to_owned()];
    group.extend(names.iter().cloned());
    let evidence = judge_records(&mut notes, members, &group, Group::Whole, context);
    let digests = members.documents(&names);
    report(notes, place, Some(&manifest), documents, digests, evidence)
}

/// Every bit of the container is the archive's own, and every member can be read.
pub(super) fn check_container(notes: &mut Notes<'_>, members: &Members<'_>) {
    let reader = members.reader;
    if !reader.is_canonical() {
        notes.add(
            Judgement::because(SubIndication::SigConstraintsFailure),
            codes::PACKAGE_CONTAINER_ALTERED,
            NONE,
        );
    }
    notes.container_notes(reader);
    if reader.mimetype() != Some(MIMETYPE_ASIC_E) {
        notes.add(
            Judgement::because(SubIndication::FormatFailure),
            codes::PACKAGE_MIMETYPE_WRONG,
            NONE,
        );
    }
    members.expect(records::algorithms(reader));
    for entry in reader.entries() {
        if let Err(error) = members.check(entry) {
            notes.damaged(entry.name(), error);
        }
    }
}

/// Reads the manifest, and announces the digests that it states.
pub(super) fn read_manifest(notes: &mut Notes<'_>, members: &Members<'_>) -> Option<Raw<Manifest>> {
    let content = members.reader.entry(MANIFEST)?.read().ok()?;
    match Manifest::parse(&content) {
        Ok(manifest) => {
            let digests = manifest
                .objects
                .iter()
                .flat_map(|object| object.digests.values());
            members.expect(digests.map(DigestValue::algorithm));
            Some(manifest)
        }
        Err(error) => {
            notes.add(
                Judgement::broken(SubIndication::FormatFailure),
                codes::RECORD_MANIFEST_MALFORMED,
                [&error.to_string()],
            );
            None
        }
    }
}

/// A package has the members that it must have and no others.
pub(super) fn check_members(
    notes: &mut Notes<'_>,
    members: &Members<'_>,
    more: &[&'static str],
    documents: &[String],
) {
    let reader = members.reader;
    let mut demanded = vec![
        MIMETYPE,
        MANIFEST,
        EVIDENCE_RECORD_MANIFEST,
        EVIDENCE_RECORD,
    ];
    // What a package may have it must have whole: evidence together with the manifest that says what it covers.
    for pair in [
        [SECOND_EVIDENCE_RECORD_MANIFEST, SECOND_EVIDENCE_RECORD],
        [SIGNATURE_MANIFEST, SIGNATURE],
    ] {
        if pair.iter().any(|name| reader.entry(name).is_some()) {
            demanded.extend(pair);
        }
    }
    demanded.extend(more);
    for name in &demanded {
        if reader.entry(name).is_none() {
            notes.add(
                Judgement::unknown(SubIndication::SignedDataNotFound),
                codes::PACKAGE_MEMBER_MISSING,
                [name],
            );
        }
    }
    let informative = [AUDIT, REPORT];
    let documents: BTreeSet<&str> = documents.iter().map(String::as_str).collect();
    for entry in reader.entries() {
        let name = entry.name();
        if informative.contains(&name) {
            notes.note(codes::PACKAGE_INFORMATIVE, [name]);
        } else if !demanded.contains(&name) && !documents.contains(name) {
            notes.add(
                Judgement::broken(SubIndication::FormatFailure),
                codes::PACKAGE_MEMBER_UNLISTED,
                [name],
            );
        }
    }
}

/// A document has the size and every digest that the manifest states.
fn judge_document(
    notes: &mut Notes<'_>,
    members: &Members<'_>,
    object: &ContentObject,
    member: &str,
) -> ObjectReport {
    let before = notes.judgement;
    notes.judgement = Judgement::PASSED;
    match members.reader.entry(member) {
        None => notes.add(
            Judgement::unknown(SubIndication::SignedDataNotFound),
            codes::PACKAGE_MEMBER_MISSING,
            [member],
        ),
        Some(entry) => {
            if entry.size() != object.size {
                let (found, stated) = (entry.size().to_string(), object.size.to_string());
                notes.add(
                    Judgement::broken(SubIndication::HashFailure),
                    codes::PACKAGE_SIZE_MISMATCH,
                    [member, &found, &stated],
                );
            }
            for stated in object.digests.values() {
                let algorithm = stated.algorithm();
                match members.digest(entry, algorithm) {
                    Ok(found) if found == *stated => {}
                    Ok(_) => notes.add(
                        Judgement::broken(SubIndication::HashFailure),
                        codes::PACKAGE_DIGEST_MISMATCH,
                        [member, MANIFEST, algorithm.name()],
                    ),
                    // What is damaged has been told.
                    Err(error) => notes.judgement.add(judgement_of(error)),
                }
            }
        }
    }
    let judgement = notes.judgement;
    notes.judgement.add(before);
    let digests = object.digests.values().iter();
    let digests: Vec<String> = digests.map(|value| format!("{value:?}")).collect();
    ObjectReport::new(ObjectKind::Document, notes.place.child(member), judgement)
        .with("name", object.name.to_string())
        .with("media-type", object.media_type.clone())
        .with("size", object.size.to_string())
        .with("digests", digests.join(" "))
}

pub(super) fn report(
    mut notes: Notes<'_>,
    place: &Place,
    manifest: Option<&Raw<Manifest>>,
    mut documents: Vec<ObjectReport>,
    digests: Vec<DigestValue>,
    evidence: Evidence,
) -> PackageReport {
    if let Some(manifest) = manifest {
        let record = manifest.record.to_string();
        let received = civil_time(manifest.received_at);
        let (version, count) = (
            manifest.version.to_string(),
            manifest.objects.len().to_string(),
        );
        notes.note(
            codes::RECORD_MANIFEST_READ,
            [&record, &version, &count, &received],
        );
    }
    let judgement = notes.judgement;
    let existence = evidence.existence.filter(|_| judgement.is_passed());
    let mut package = ObjectReport::new(ObjectKind::Package, place.clone(), judgement);
    package.time = existence;
    package.covers = documents
        .iter()
        .map(|document| document.place.to_string())
        .collect();
    let mut objects = vec![package];
    if let Some(manifest) = manifest {
        objects.push(manifest_object(place, manifest, judgement));
    }
    for document in &mut documents {
        document
            .judgement
            .add(evidence.judgement.unwrap_or(Judgement::NOT_JUDGED));
        document.time = existence;
    }
    objects.extend(documents);
    objects.extend(evidence.objects);
    PackageReport {
        judgement,
        existence,
        documents: digests,
        findings: notes.findings,
        objects,
    }
}

fn manifest_object(place: &Place, manifest: &Manifest, judgement: Judgement) -> ObjectReport {
    ObjectReport::new(ObjectKind::Manifest, place.child(MANIFEST), judgement)
        .with("archive", manifest.archive.to_string())
        .with("record", manifest.record.to_string())
        .with("version", manifest.version.to_string())
        .with("class", manifest.class.id.clone())
        .with("depositor", manifest.depositor.clone())
        .with("channel", manifest.channel.clone())
        .with("received-at", civil_time(manifest.received_at))
}
