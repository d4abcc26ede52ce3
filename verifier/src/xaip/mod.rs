//! Judges XML archive packages (XAIP, BSI TR-03125 Annex F) as containers of evidence records.
//!
//! A version of a package points to the objects that are protected; an evidence record is for one version, and covers exactly these:
//! of an object in base64 the bytes, of one in XML the canonical form of its element by the package's method. What stands around them
//! (names, media types, relations, as long as the version itself is not protected) no record covers. Signatures in the package are named.

mod contents;
mod parts;
mod read;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError};
use formats::limits::READINGS_BYTES_MAX;
use formats::xml::Document;
use time::OffsetDateTime;

use self::contents::Contents;
use self::read::{ArchivePackage, Content, NAMESPACES, ObjectRole, Record, Version};
use crate::alternatives::pass_over;
use crate::context::Context;
use crate::evidence::{EvidenceReport, Group, covers_any, verify_any_record};
use crate::finding::{Finding, Place, package as package_codes, xaip as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::package::PackageReport;
use crate::report::{ObjectKind, ObjectReport};
use crate::source::{DataBytes, DigestSource};
use crate::verdict::SubIndication;

/// Judges a package as of `context.time`.
pub(crate) fn verify_archive_package(
    bytes: &[u8],
    context: &Context<'_>,
    place: &Place,
) -> PackageReport {
    let document = match Document::parse(bytes) {
        Ok(document) => document,
        Err(error) => return refused(error, place),
    };
    if let Some(form) = other_form(&document) {
        let finding = Finding::new(codes::XAIP_OTHER_FORM, place.clone()).with(form);
        return answer(Judgement::NOT_JUDGED, finding, place);
    }
    let package = match ArchivePackage::read(&document) {
        Ok(package) => package,
        Err(error) => return refused(error, place),
    };
    let mut judge = PackageJudge {
        contents: Contents::read(&package),
        package: &package,
        context,
        notes: Notes::new(place),
        readings_left: Cell::new(READINGS_BYTES_MAX),
    };
    judge.judge()
}

/// The name of a form that is not judged: one whose data is elsewhere, or of a version that is not known.
fn other_form(document: &Document) -> Option<String> {
    let root = document.root()?;
    let is_known = root.name() == "XAIP" && NAMESPACES.contains(&root.namespace());
    (!is_known).then(|| format!("{} {}", root.name(), root.namespace()))
}

fn refused(error: FormatError, place: &Place) -> PackageReport {
    let is_limit = matches!(
        error.kind(),
        ErrorKind::LimitExceeded | ErrorKind::UnsupportedXml
    );
    let judgement = if is_limit {
        Judgement::unknown(SubIndication::Custom)
    } else {
        Judgement::broken(SubIndication::FormatFailure)
    };
    let finding = Finding::new(codes::XAIP_MALFORMED, place.clone()).with(error);
    answer(judgement, finding, place)
}

fn answer(judgement: Judgement, finding: Finding, place: &Place) -> PackageReport {
    PackageReport {
        judgement,
        existence: None,
        documents: Vec::new(),
        findings: vec![finding],
        objects: vec![ObjectReport::new(
            ObjectKind::Package,
            place.clone(),
            judgement,
        )],
    }
}

/// What one evidence record says.
struct Proof {
    place: Place,
    judgement: Judgement,
    existence: Option<OffsetDateTime>,
    /// The places of the objects that it covers.
    covers: BTreeSet<usize>,
    findings: Vec<Finding>,
    objects: Vec<ObjectReport>,
}

struct PackageJudge<'a> {
    package: &'a ArchivePackage<'a>,
    contents: Contents<'a>,
    context: &'a Context<'a>,
    notes: Notes<'a>,
    /// Bytes that may still be read while forms of objects are tried.
    readings_left: Cell<usize>,
}

impl PackageJudge<'_> {
    fn judge(&mut self) -> PackageReport {
        let package = self.package;
        for part in &package.others {
            self.notes
                .because(SubIndication::Custom, codes::XAIP_UNKNOWN_PART, [part]);
        }
        self.check_objects();
        let mut proofs: BTreeMap<usize, Vec<Proof>> = BTreeMap::new();
        for record in &package.records {
            if let Some((number, proof)) = self.judge_record(record) {
                proofs.entry(number).or_default().push(proof);
            }
        }
        self.check_versions(&proofs);
        let documents = self.judge_objects(&proofs);
        let objects = self.weigh(proofs);
        self.name_signatures();
        self.compose(documents, objects)
    }

    /// Every object that a version protects is there, and has the check sums that stand beside it.
    fn check_objects(&mut self) {
        for version in &self.package.versions {
            for id in &version.protected {
                if self.package.find(id).is_none() {
                    let reason = SubIndication::FormatFailure;
                    let details = [version.id.as_str(), id.as_str()];
                    self.notes
                        .broken(reason, codes::XAIP_OBJECT_MISSING, details);
                }
            }
        }
        for object in &self.package.objects {
            let Content::Binary(bytes) = &object.content else {
                continue;
            };
            for (algorithm, stated) in &object.check_sums {
                if algorithm.digest(bytes).to_hex() != *stated {
                    self.notes.because(
                        SubIndication::SigConstraintsFailure,
                        codes::XAIP_CHECKSUM_MISMATCH,
                        [object.id.as_str(), algorithm.name()],
                    );
                }
            }
        }
    }

    /// Judges a record over the objects of its version.
    fn judge_record(&mut self, record: &Record) -> Option<(usize, Proof)> {
        let place = self.notes.place.child(&record.credential);
        let mut notes = Notes::new(&place);
        let number = self.version_of(record, &mut notes);
        let bytes = record.bytes.as_deref();
        if bytes.is_none() {
            notes.unknown(SubIndication::Custom, codes::XAIP_RECORD_FORM, NONE);
        }
        let version = number.and_then(|number| self.package.versions.get(number));
        let (Some(number), Some(version), Some(bytes)) = (number, version, bytes) else {
            self.notes.judgement.add(notes.judgement);
            self.notes.findings.append(&mut notes.findings);
            return None;
        };
        let (places, data, is_whole) = self.group(version, bytes, &mut notes);
        let mut sources: Vec<&dyn DigestSource> = Vec::with_capacity(data.len());
        for object in &data {
            sources.push(object);
        }
        let group = if is_whole {
            Group::Whole
        } else {
            Group::Members
        };
        let report = verify_any_record(bytes, &sources, group, self.context, &place);
        let EvidenceReport {
            judgement,
            existence,
            covered,
            findings,
            mut objects,
            ..
        } = report;
        let judgement = judgement.and(notes.judgement);
        if let Some(object) = objects.first_mut() {
            object.judgement.add(notes.judgement);
            object.time = object.time.filter(|_| judgement.is_passed());
        }
        notes.findings.extend(findings);
        let covers = places.into_iter().zip(covered);
        let proof = Proof {
            judgement,
            existence: existence.filter(|_| judgement.is_passed()),
            covers: covers
                .filter(|(_, covered)| *covered)
                .map(|(place, _)| place)
                .collect(),
            findings: notes.findings,
            objects,
            place: place.clone(),
        };
        Some((number, proof))
    }

    /// The version that a record is for: the one it names, by itself or by its credential, or the only one.
    fn version_of(&self, record: &Record, notes: &mut Notes<'_>) -> Option<usize> {
        let package = self.package;
        if let Some(stated) = &record.aoid
            && package.aoid.as_ref() != Some(stated)
        {
            let own = package.aoid.as_deref().unwrap_or("-");
            let details = [stated.as_str(), own];
            let reason = SubIndication::FormatFailure;
            notes.broken(reason, codes::XAIP_AOID_DIFFERS, details);
        }
        let mut named: Vec<&str> = record.version.iter().map(String::as_str).collect();
        named.extend(record.related.iter().map(String::as_str));
        named.sort_unstable();
        named.dedup();
        let find = |id: &str| {
            let mut versions = package.versions.iter();
            versions.position(|version| version.id == id)
        };
        let number = match (named.as_slice(), package.versions.len()) {
            ([], 1) => Some(0),
            ([id], _) => find(id),
            _ => None,
        };
        if number.is_none() {
            let told = named.join(" ");
            let judgement = if named.is_empty() {
                Judgement::unknown(SubIndication::Custom)
            } else {
                Judgement::broken(SubIndication::FormatFailure)
            };
            notes.add(judgement, codes::XAIP_VERSION_UNKNOWN, [told]);
        }
        number
    }

    /// The protected objects of a version as far as they are at hand, and whether these are all.
    fn group(
        &self,
        version: &Version,
        record: &[u8],
        notes: &mut Notes<'_>,
    ) -> (Vec<usize>, Vec<DataBytes<'_>>, bool) {
        let (mut places, mut data) = (Vec::new(), Vec::new());
        for id in &version.protected {
            let Some((place, _)) = self.package.find(id) else {
                // That it is missing has been told.
                continue;
            };
            let forms = self.contents.of(place);
            let is_covered = |bytes: &&Cow<'_, [u8]>| {
                if forms.len() == 1 {
                    return true;
                }
                // Each attempt reads the record. Without one left no form is covered, and nothing passes for that.
                let cost = record.len().saturating_add(bytes.len());
                let Some(left) = self.readings_left.get().checked_sub(cost) else {
                    return false;
                };
                self.readings_left.set(left);
                covers_any(record, &DataBytes::new(id.as_str(), &***bytes))
            };
            let Some(bytes) = forms.iter().find(is_covered).or(forms.first()) else {
                let reason = SubIndication::SignedDataNotFound;
                notes.unknown(reason, codes::XAIP_OBJECT_NOT_AT_HAND, [id]);
                continue;
            };
            places.push(place);
            data.push(DataBytes::new(id.as_str(), &**bytes));
        }
        let is_whole = places.len() == version.protected.len() && !places.is_empty();
        (places, data, is_whole)
    }

    /// Every version has a record.
    fn check_versions(&mut self, proofs: &BTreeMap<usize, Vec<Proof>>) {
        let judgement = Judgement::unknown(SubIndication::Custom);
        if self.package.records.is_empty() {
            self.notes
                .add(judgement, package_codes::PACKAGE_WITHOUT_EVIDENCE, NONE);
            return;
        }
        for (number, version) in self.package.versions.iter().enumerate() {
            if !proofs.contains_key(&number) {
                let code = codes::XAIP_VERSION_WITHOUT_RECORD;
                self.notes.add(judgement, code, [&version.id]);
            }
        }
    }

    /// What is proven of each object.
    fn judge_objects(
        &mut self,
        proofs: &BTreeMap<usize, Vec<Proof>>,
    ) -> Vec<(usize, ObjectReport)> {
        let mut reports = Vec::new();
        for (place, object) in self.package.objects.iter().enumerate() {
            let covering: Vec<&Proof> = proofs
                .values()
                .flatten()
                .filter(|proof| proof.covers.contains(&place))
                .collect();
            let judgements: Vec<Judgement> = covering.iter().map(|proof| proof.judgement).collect();
            let judgement = match (Judgement::of_alternatives(&judgements), object.kind) {
                (Some(judgement), _) => judgement,
                (None, ObjectRole::Data | ObjectRole::Metadata) => {
                    let judgement = Judgement::because(SubIndication::Custom);
                    let code = package_codes::PACKAGE_MEMBER_UNCOVERED;
                    self.notes.add(judgement, code, [&object.id]);
                    judgement
                }
                (None, ObjectRole::Record | ObjectRole::Value) => continue,
                (None, kind) => {
                    let details = [kind.name(), &object.id];
                    self.notes.note(codes::XAIP_UNPROTECTED, details);
                    continue;
                }
            };
            let child = self.notes.place.child(&object.id);
            let mut report = ObjectReport::new(ObjectKind::Document, child, judgement);
            report.time = covering.iter().filter_map(|proof| proof.existence).min();
            if let [bytes] = self.contents.of(place) {
                report = report.with("size", bytes.len().to_string());
            }
            if let (Content::Xml(_), Some(method)) = (&object.content, &self.package.method) {
                report = report.with("canonicalization", method.uri());
            }
            reports.push((place, report));
        }
        reports
    }

    /// Records over the same version are alternatives (ADR 0015); every version has to be proven.
    fn weigh(&mut self, proofs: BTreeMap<usize, Vec<Proof>>) -> Vec<ObjectReport> {
        let mut objects = Vec::new();
        for proofs in proofs.into_values() {
            let judgements: Vec<Judgement> = proofs.iter().map(|proof| proof.judgement).collect();
            let whole = Judgement::of_alternatives(&judgements).unwrap_or(Judgement::NOT_JUDGED);
            self.notes.judgement.add(whole);
            for mut proof in proofs {
                if whole.is_passed() && proof.judgement.can_be_passed_over() {
                    pass_over(proof.judgement, &proof.place, &mut proof.findings);
                }
                self.notes.findings.append(&mut proof.findings);
                objects.append(&mut proof.objects);
            }
        }
        objects
    }

    /// A signature says who signed, which no record does: the whole is open as long as it is not judged.
    fn name_signatures(&mut self) {
        let objects = self.package.objects.iter();
        for object in objects.filter(|object| object.kind == ObjectRole::Signature) {
            let code = codes::XAIP_SIGNATURE_NOT_JUDGED;
            self.notes
                .because(SubIndication::Custom, code, [&object.id]);
        }
    }

    fn compose(
        &mut self,
        documents: Vec<(usize, ObjectReport)>,
        evidence: Vec<ObjectReport>,
    ) -> PackageReport {
        let judgement = self.notes.judgement;
        let times: Option<Vec<OffsetDateTime>> =
            documents.iter().map(|(_, report)| report.time).collect();
        let existence = times
            .and_then(|times| times.into_iter().max())
            .filter(|_| judgement.is_passed());
        let mut package =
            ObjectReport::new(ObjectKind::Package, self.notes.place.clone(), judgement);
        package.time = existence;
        if let Some(aoid) = &self.package.aoid {
            package.set("archive-object", aoid.as_str());
        }
        let mut digests = Vec::new();
        for (place, _) in &documents {
            let Some(object) = self.package.objects.get(*place) else {
                continue;
            };
            package.covers.push(object.id.clone());
            if let Content::Binary(bytes) = &object.content {
                digests.push(DigestAlgorithm::Sha256.digest(bytes));
            }
        }
        let mut objects = vec![package];
        objects.extend(documents.into_iter().map(|(_, report)| report));
        objects.extend(evidence);
        PackageReport {
            judgement,
            existence,
            documents: digests,
            findings: std::mem::take(&mut self.notes.findings),
            objects,
        }
    }
}
