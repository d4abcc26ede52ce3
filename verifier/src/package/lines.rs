//! The archive's own package for single lines of a log: `formats::package` tells its members, `formats::lines` the mathematics.
//!
//! The chain that has to hold: the bytes shown are the lines of these numbers → with their salts and the hashes beside them they lead to
//! the roots in the manifest, under every function that the manifest names → the manifest is covered by the evidence record.
//! Nothing covers the log's other lines here, and nothing is said about them.

use formats::asic::AsicReader;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::limits::LINE_BYTES_MAX;
use formats::lines::{LineProof, LineTree, leaf, range_root, split_lines};
use formats::manifest::{ContentObject, Manifest};
use formats::package::{LINE_PROOF, MANIFEST, line_member};

use super::members::Members;
use super::{PackageReport, own, records};
use crate::context::Context;
use crate::evidence::Group;
use crate::finding::{Code, Place, lines as codes, package as package_codes};
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::report::{ObjectKind, ObjectReport};
use crate::timestamp::algorithm_finding;
use crate::verdict::SubIndication;

/// Whether an own package is for single lines.
pub(super) fn is_for_lines(reader: &AsicReader<'_>) -> bool {
    reader.entry(LINE_PROOF).is_some()
}

/// Judges a package of lines.
pub(super) fn judge(members: &Members<'_>, context: &Context<'_>, place: &Place) -> PackageReport {
    let mut notes = Notes::new(place);
    let manifest = own::read_manifest(&mut notes, members);
    own::check_container(&mut notes, members);
    let reader = members.reader;
    let Some(manifest) = manifest else {
        return own::report(
            notes,
            place,
            None,
            Vec::new(),
            Vec::new(),
            records::Evidence::default(),
        );
    };
    let proof = read_proof(&mut notes, reader);
    let member = proof
        .as_ref()
        .and_then(|proof| line_member(&manifest, proof.object));
    let shown: Vec<String> = member.iter().cloned().collect();
    own::check_members(&mut notes, members, &[LINE_PROOF], &shown);
    let mut objects = Vec::new();
    if let Some(proof) = &proof {
        let member = member.unwrap_or_default();
        let subject = Subject {
            manifest: &manifest,
            proof,
            member: &member,
        };
        objects.push(subject.judge(&mut notes, reader, context));
    }
    let group = [MANIFEST.to_owned()];
    // The others in its group are the log as a whole, which is not in the package.
    let evidence = records::judge_records(&mut notes, members, &group, Group::Members, context);
    let digests = members.documents(&shown);
    own::report(notes, place, Some(&manifest), objects, digests, evidence)
}

fn read_proof(notes: &mut Notes<'_>, reader: &AsicReader<'_>) -> Option<LineProof> {
    let content = notes.read(reader.entry(LINE_PROOF)?)?;
    match LineProof::parse(&content) {
        Ok(proof) => Some(proof),
        Err(error) => {
            let judgement = Judgement::broken(SubIndication::FormatFailure);
            notes.add(judgement, codes::LINE_PROOF_MALFORMED, [&error.to_string()]);
            None
        }
    }
}

/// What is to be proven by what.
struct Subject<'a> {
    manifest: &'a Manifest,
    proof: &'a LineProof,
    member: &'a str,
}

impl Subject<'_> {
    /// Judges the lines, and tells of them in the report.
    fn judge(
        &self,
        notes: &mut Notes<'_>,
        reader: &AsicReader<'_>,
        context: &Context<'_>,
    ) -> ObjectReport {
        let before = std::mem::replace(&mut notes.judgement, Judgement::PASSED);
        let name = self.check(notes, reader, context);
        let judgement = notes.judgement;
        notes.judgement.add(before);
        let last = self.proof.last().unwrap_or_default();
        let place = notes.place.child(self.member);
        ObjectReport::new(ObjectKind::Lines, place, judgement)
            .with("name", name.unwrap_or_default())
            .with("first", self.proof.first.to_string())
            .with("last", last.to_string())
            .with("count", self.proof.salts.len().to_string())
    }

    /// Gives the name of the log, where there is one.
    fn check(
        &self,
        notes: &mut Notes<'_>,
        reader: &AsicReader<'_>,
        context: &Context<'_>,
    ) -> Option<String> {
        if self.manifest.id() != Some(self.proof.version) {
            let manifest = format!("{}/{}", self.manifest.record, self.manifest.version);
            let proof = self.proof.version.to_string();
            fail(notes, codes::LINE_PROOF_OTHER_RECORD, [&proof, &manifest]);
        }
        let (object, tree) = self.tree(notes)?;
        let name = object.name.to_string();
        let (first, last) = (self.proof.first, self.proof.last()?);
        if last > tree.lines {
            let [first, last, lines] = [first, last, tree.lines].map(|number| number.to_string());
            fail(notes, codes::LINE_RANGE_BEYOND_END, [&first, &last, &lines]);
            return Some(name);
        }
        let Some(entry) = reader.entry(self.member) else {
            notes.add(
                Judgement::unknown(SubIndication::SignedDataNotFound),
                package_codes::PACKAGE_MEMBER_MISSING,
                [self.member],
            );
            return Some(name);
        };
        let Some(content) = notes.read(entry) else {
            return Some(name);
        };
        if let Some(lines) = self.whole_lines(notes, &content, tree.lines) {
            self.check_roots(notes, &lines, tree);
            check_functions(notes, tree, context);
        }
        if notes.judgement.is_passed() {
            let [first, last, lines] = [first, last, tree.lines].map(|number| number.to_string());
            notes.note(codes::LINES_PROVEN, [&first, &last, &name, &lines]);
        }
        Some(name)
    }

    /// The log that the lines are of.
    fn tree(&self, notes: &mut Notes<'_>) -> Option<(&ContentObject, &LineTree)> {
        let object = usize::try_from(self.proof.object)
            .ok()
            .and_then(|place| self.manifest.objects.get(place));
        let Some(object) = object else {
            let [number, count] = [
                self.proof.object.to_string(),
                self.manifest.objects.len().to_string(),
            ];
            fail(notes, codes::LINE_OBJECT_MISSING, [&number, &count]);
            return None;
        };
        if object.lines.is_none() {
            let name = object.name.to_string();
            fail(notes, codes::LINE_TREE_MISSING, [&name]);
        }
        object.lines.as_ref().map(|tree| (object, tree))
    }

    /// The lines shown: as many as there are salts, each of them whole.
    fn whole_lines<'c>(
        &self,
        notes: &mut Notes<'_>,
        content: &'c [u8],
        lines_of_log: u64,
    ) -> Option<Vec<&'c [u8]>> {
        let count = self.proof.salts.len();
        let lines: Vec<&[u8]> = split_lines(content).take(count.saturating_add(1)).collect();
        if lines.len() != count {
            let found = split_lines(content).count().to_string();
            let details = [self.member, &found, &count.to_string()];
            fail(notes, codes::LINE_COUNT_MISMATCH, details);
            return None;
        }
        let mut whole = true;
        for (number, line) in (self.proof.first..).zip(&lines) {
            let number_text = number.to_string();
            if line.len() > LINE_BYTES_MAX {
                fail(notes, codes::LINE_TOO_LONG, [&number_text]);
                whole = false;
            }
            if line.last() != Some(&b'\n') && number != lines_of_log {
                fail(notes, codes::LINE_WITHOUT_END, [&number_text]);
                whole = false;
            }
        }
        whole.then_some(lines)
    }

    /// The lines lead to every root of the manifest, and the proof is under no other function.
    fn check_roots(&self, notes: &mut Notes<'_>, lines: &[&[u8]], tree: &LineTree) {
        for proof in &self.proof.proofs {
            if tree.roots.under(proof.algorithm).is_none() {
                let name = proof.algorithm.name();
                fail(notes, codes::LINE_ROOT_WITHOUT_PROOF, [name]);
            }
        }
        for root in tree.roots.values() {
            let algorithm = root.algorithm();
            let name = algorithm.name();
            let Some(hashes) = self.proof.under(algorithm) else {
                fail(notes, codes::LINE_ROOT_WITHOUT_PROOF, [name]);
                continue;
            };
            let leaves = self.leaves(algorithm, lines);
            let first = self.proof.first.saturating_sub(1);
            match range_root(algorithm, tree.lines, first, leaves, hashes) {
                Ok(found) if found == *root => {}
                Ok(_) => fail(notes, codes::LINE_ROOT_MISMATCH, [name]),
                Err(error) => {
                    fail(notes, codes::LINE_HASHES_WRONG, [name, &error.to_string()]);
                }
            }
        }
    }

    fn leaves(&self, algorithm: DigestAlgorithm, lines: &[&[u8]]) -> Vec<DigestValue> {
        (self.proof.first..)
            .zip(&self.proof.salts)
            .zip(lines)
            .map(|((number, salt), line)| leaf(algorithm, salt, number, line))
            .collect()
    }
}

/// No renewal protects the lines shown, as they are under no tree but this: one of its functions has to be trusted today. That every one of
/// them leads to its root has been checked.
fn check_functions(notes: &mut Notes<'_>, tree: &LineTree, context: &Context<'_>) {
    let mut trusted = false;
    let mut refused = Vec::new();
    for root in tree.roots.values() {
        let algorithm = root.algorithm();
        let judged = context.policy.judge_digest(algorithm, context.time);
        match algorithm_finding(algorithm.name(), judged, context.time, notes.place) {
            Ok(_) => trusted = true,
            Err(finding) => refused.push(finding),
        }
    }
    if !trusted {
        notes.judgement.add(Judgement::because(
            SubIndication::CryptoConstraintsFailureNoPoe,
        ));
        notes.findings.extend(refused);
    }
}

fn fail<const N: usize>(notes: &mut Notes<'_>, code: Code, details: [&str; N]) {
    let hash = [
        codes::LINE_ROOT_MISMATCH,
        codes::LINE_COUNT_MISMATCH,
        codes::LINE_WITHOUT_END,
        codes::LINE_PROOF_OTHER_RECORD,
    ];
    let reason = if hash.contains(&code) {
        SubIndication::HashFailure
    } else {
        SubIndication::FormatFailure
    };
    notes.add(Judgement::broken(reason), code, details);
}
