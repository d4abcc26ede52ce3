//! Judges a set of files together: each by what its content says that it is, over the data objects that were given.

use formats::access::Bytes;
use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError};
use formats::limits::EVIDENCE_BYTES_MAX;
use formats::tsp::{TimeStampResponse, TimeStampToken};
use time::OffsetDateTime;

use crate::alternatives::pass_over;
use crate::armour::unwrapped;
use crate::context::Context;
use crate::evidence::{EvidenceReport, Group, verify_any_record};
use crate::finding::{Finding, Language, Place, Severity, package as codes};
use crate::judgement::Judgement;
use crate::package::{PackageReport, verify_container};
use crate::recognise::{Kind, is_container, recognise};
use crate::report::{AppliedRules, FileEntry, FileRole, ObjectKind, ObjectReport, Report};
use crate::signature::verify_signature_file;
use crate::source::{DigestSource, InputFile};
use crate::timestamp::{TimestampReport, token_of_response, verify_request, verify_token};
use crate::verdict::{Integrity, SubIndication};
use crate::xaip::verify_archive_package;

/// What one evidence file says.
struct FileAnswer {
    judgement: Judgement,
    existence: Option<OffsetDateTime>,
    /// Per data object, whether this file covers it.
    covered: Vec<bool>,
    /// Whether the kind of evidence is one that is judged.
    judged: bool,
    /// Whether it proves nothing but the data objects, so that another proof of them can take its place.
    detached: bool,
    findings: Vec<Finding>,
    objects: Vec<ObjectReport>,
}

/// Judges `files` over `data` as of `context.time`.
///
/// Every data object has to be covered by evidence that has passed. Several pieces of evidence over the same data are alternatives: one
/// that has passed is enough, as long as nothing is wrong with the others but the trust in them (ADR 0015). Every other file has to pass.
#[must_use]
pub fn verify(
    files: &[InputFile<'_>],
    data: &[&dyn DigestSource],
    context: &Context<'_>,
) -> Report {
    let mut answers = Vec::with_capacity(files.len());
    let mut entries = Vec::with_capacity(files.len().saturating_add(data.len()));
    for file in files {
        let (kind, answer) = judge_input(file, data, files.len(), context);
        entries.push(FileEntry {
            name: file.name.clone(),
            size: Some(file.size()),
            role: FileRole::Evidence,
            kind: Some(kind),
        });
        let answer = if kind == Kind::TimestampRequest {
            judge_request(file, files, data)
        } else {
            answer
        };
        answers.push(answer);
    }
    entries.extend(data.iter().map(|data| FileEntry {
        name: data.name().to_owned(),
        size: data.size(),
        role: FileRole::Data,
        kind: None,
    }));
    compose(entries, answers, data, context)
}

/// A container is judged wherever it is; whatever else is small enough is taken into memory, and what is larger is not read.
fn judge_input(
    file: &InputFile<'_>,
    data: &[&dyn DigestSource],
    files: usize,
    context: &Context<'_>,
) -> (Kind, FileAnswer) {
    let place = Place::root().child(&file.name);
    match is_container(file.bytes()) {
        Ok(true) => {
            return (
                Kind::Package,
                judge_package(file.bytes(), data, context, &place),
            );
        }
        Ok(false) => {}
        Err(error) => return (Kind::Unknown, unreadable(error, data, &place)),
    }
    let bytes = match file.whole() {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::LimitExceeded => {
            let head = file
                .bytes()
                .get_up_to(0, HEAD_BYTES, "file")
                .unwrap_or_default();
            let finding = Finding::new(codes::INPUT_TOO_LARGE, place.clone())
                .with(file.size())
                .with(EVIDENCE_BYTES_MAX);
            return (recognise(&head), not_judged(finding, data, &place));
        }
        Err(error) => return (Kind::Unknown, unreadable(error, data, &place)),
    };
    let Some(inner) = unwrapped(&bytes) else {
        let kind = recognise(&bytes);
        return (kind, judge_file(&bytes, kind, data, files, context, &place));
    };
    let kind = recognise(&inner);
    let mut answer = judge_file(&inner, kind, data, files, context, &place);
    let finding = Finding::new(codes::INPUT_UNWRAPPED, place.clone());
    answer.findings.insert(0, finding);
    (kind, answer)
}

fn unreadable(error: FormatError, data: &[&dyn DigestSource], place: &Place) -> FileAnswer {
    let finding = Finding::new(codes::INPUT_UNREADABLE, place.clone()).with(error);
    not_judged(finding, data, place)
}

/// Bytes that tell the kind of a file that is too large to be judged.
const HEAD_BYTES: usize = 64 * 1024;

fn judge_file(
    bytes: &[u8],
    kind: Kind,
    data: &[&dyn DigestSource],
    files: usize,
    context: &Context<'_>,
    place: &Place,
) -> FileAnswer {
    match kind {
        Kind::Package => judge_package(Bytes::Memory(bytes), data, context, place),
        Kind::EvidenceRecord | Kind::XmlEvidenceRecord => {
            judge_record(bytes, data, files, context, place)
        }
        Kind::TimestampToken => judge_token(bytes, data, context, place),
        Kind::TimestampResponse => judge_response(bytes, data, context, place),
        Kind::CmsSignature => judge_signature(bytes, data, context, place),
        Kind::XmlArchivePackage => {
            let report = verify_archive_package(bytes, context, place);
            let mut answer = of_package(report, data);
            answer.judged = answer.judgement.integrity() != Integrity::Unknown;
            answer
        }
        Kind::TimestampRequest
        | Kind::TimestampedData
        | Kind::Certificate
        | Kind::RevocationList
        | Kind::XmlSignature
        | Kind::Pdf
        | Kind::Pem => {
            let label = kind.label(Language::English);
            let finding = Finding::new(codes::NOT_JUDGED_YET, place.clone()).with(label);
            not_judged(finding, data, place)
        }
        Kind::Unknown if bytes.is_empty() => {
            not_judged(Finding::new(codes::INPUT_EMPTY, place.clone()), data, place)
        }
        Kind::Unknown => {
            let finding = Finding::new(codes::INPUT_NOT_RECOGNISED, place.clone());
            not_judged(finding, data, place)
        }
    }
}

fn not_judged(finding: Finding, data: &[&dyn DigestSource], place: &Place) -> FileAnswer {
    let judgement = Judgement::NOT_JUDGED;
    FileAnswer {
        judgement,
        existence: None,
        covered: vec![false; data.len()],
        judged: false,
        detached: false,
        findings: vec![finding],
        objects: vec![ObjectReport::new(
            ObjectKind::NotJudged,
            place.clone(),
            judgement,
        )],
    }
}

/// A data object beside a package belongs to it if it is one of its documents.
fn judge_package(
    file: Bytes<'_>,
    data: &[&dyn DigestSource],
    context: &Context<'_>,
    place: &Place,
) -> FileAnswer {
    of_package(verify_container(file, context, place), data)
}

fn of_package(report: PackageReport, data: &[&dyn DigestSource]) -> FileAnswer {
    let is_document = |data: &&dyn DigestSource| {
        let digest = data.digest(DigestAlgorithm::Sha256);
        digest.is_some_and(|digest| report.documents.contains(&digest))
    };
    FileAnswer {
        judgement: report.judgement,
        existence: report.existence,
        covered: data.iter().map(is_document).collect(),
        judged: true,
        detached: false,
        findings: report.findings,
        objects: report.objects,
    }
}

fn judge_record(
    bytes: &[u8],
    data: &[&dyn DigestSource],
    files: usize,
    context: &Context<'_>,
    place: &Place,
) -> FileAnswer {
    let mut report = verify_any_record(bytes, data, Group::Members, context, place);
    let mut covered = report.covered.clone();
    let some = covered.iter().any(|covered| *covered);
    if files > 1 && some && !covered.iter().all(|covered| *covered) {
        let own: Vec<&dyn DigestSource> = data
            .iter()
            .zip(&covered)
            .filter(|(_, covered)| **covered)
            .map(|(data, _)| *data)
            .collect();
        report = verify_any_record(bytes, &own, Group::Members, context, place);
    } else {
        covered.clone_from(&report.covered);
    }
    let EvidenceReport {
        judgement,
        existence,
        findings,
        objects,
        ..
    } = report;
    FileAnswer {
        judgement,
        existence,
        covered,
        judged: true,
        detached: true,
        findings,
        objects,
    }
}

/// A signature says who signed, which no other proof does: it is never passed over.
fn judge_signature(
    bytes: &[u8],
    data: &[&dyn DigestSource],
    context: &Context<'_>,
    place: &Place,
) -> FileAnswer {
    let report = verify_signature_file(bytes, data, context, place);
    FileAnswer {
        judgement: report.judgement,
        existence: report.existence,
        covered: report.covered,
        judged: true,
        detached: false,
        findings: report.findings,
        objects: report.objects,
    }
}

/// A token covers one data object: the first whose digest it has, or else it is compared with the first one.
fn judge_token(
    bytes: &[u8],
    data: &[&dyn DigestSource],
    context: &Context<'_>,
    place: &Place,
) -> FileAnswer {
    let without = verify_token(bytes, None, context, place);
    let matching = data
        .iter()
        .position(|data| is_imprint_of(&without, *data))
        .or((!data.is_empty()).then_some(0));
    let report = match matching.and_then(|position| data.get(position)) {
        Some(data) => verify_token(bytes, Some(*data), context, place),
        None => without,
    };
    let existence = report.time().filter(|_| report.judgement.is_passed());
    let covered = data
        .iter()
        .map(|data| is_imprint_of(&report, *data))
        .collect();
    FileAnswer {
        judgement: report.judgement,
        existence,
        covered,
        judged: true,
        detached: true,
        findings: report.findings,
        objects: vec![report.object],
    }
}

fn is_imprint_of(report: &TimestampReport, data: &dyn DigestSource) -> bool {
    let digest = || {
        let imprint = &report.token.as_ref()?.info.imprint;
        let digest = data.digest(imprint.algorithm.digest_algorithm()?)?;
        (digest.as_bytes() == imprint.bytes).then_some(())
    };
    digest().is_some()
}

fn judge_response(
    bytes: &[u8],
    data: &[&dyn DigestSource],
    context: &Context<'_>,
    place: &Place,
) -> FileAnswer {
    let response = token_of_response(bytes, place);
    let Some(token) = response.token else {
        let judgement = response.judgement;
        let kind = ObjectKind::Response;
        return FileAnswer {
            judgement,
            existence: None,
            covered: vec![false; data.len()],
            judged: judgement.integrity() == Integrity::Broken,
            detached: true,
            findings: response.findings,
            objects: vec![ObjectReport::new(kind, place.clone(), judgement)],
        };
    };
    let mut answer = judge_token(&token, data, context, &place.child("token"));
    answer.judgement.add(response.judgement);
    answer.findings.extend(response.findings);
    answer.existence = answer.existence.filter(|_| answer.judgement.is_passed());
    answer
}

/// A request is compared with the tokens that stand beside it.
fn judge_request(
    request: &InputFile<'_>,
    files: &[InputFile<'_>],
    data: &[&dyn DigestSource],
) -> FileAnswer {
    let bytes = content_of(request).unwrap_or_default();
    let place = Place::root().child(&request.name);
    let tokens: Vec<TimeStampToken> = files.iter().filter_map(token_in).collect();
    let report = verify_request(&bytes, &tokens, &place);
    FileAnswer {
        judgement: report.judgement,
        // A request proves no time of its own; that of its answer is said with the answer.
        existence: report.answered_at,
        covered: vec![false; data.len()],
        judged: report.is_answered,
        detached: false,
        findings: report.findings,
        objects: vec![report.object],
    }
}

/// The token in a file that is one, or an answer with one.
fn token_in(file: &InputFile<'_>) -> Option<TimeStampToken> {
    let bytes = content_of(file)?;
    let kind = recognise(&bytes);
    if kind == Kind::TimestampResponse {
        let response = TimeStampResponse::parse(&bytes).ok()?;
        return TimeStampToken::parse(response.token.as_ref()?).ok();
    }
    if kind == Kind::TimestampToken {
        return TimeStampToken::parse(&bytes).ok();
    }
    None
}

/// The bytes of a file that is no container, out of whatever text stands around them.
fn content_of(file: &InputFile<'_>) -> Option<Vec<u8>> {
    if is_container(file.bytes()) != Ok(false) {
        return None;
    }
    let whole = file.whole().ok()?;
    Some(unwrapped(&whole).unwrap_or_else(|| whole.into_owned()))
}

/// Puts the answers together; nothing passes that one of them does not pass, unless another one proves all that it proves.
fn compose(
    files: Vec<FileEntry>,
    mut answers: Vec<FileAnswer>,
    data: &[&dyn DigestSource],
    context: &Context<'_>,
) -> Report {
    let mut judgement = Judgement::PASSED;
    if answers.is_empty() {
        judgement = Judgement::NOT_JUDGED;
    }
    let mut of_data = Vec::new();
    let mut objects = Vec::new();
    for (number, data) in data.iter().enumerate() {
        let object = judge_data(number, *data, &answers, &mut of_data);
        judgement.add(object.judgement);
        objects.push(object);
    }
    let mut times: Vec<Option<OffsetDateTime>> = objects.iter().map(|object| object.time).collect();
    let mut findings = Vec::new();
    for (answer, file) in answers.iter_mut().zip(&files) {
        if is_passed_over(answer, &objects) {
            let place = Place::root().child(&file.name);
            pass_over(answer.judgement, &place, &mut answer.findings);
        } else {
            judgement.add(answer.judgement);
        }
        if !answer.covered.contains(&true) {
            times.push(answer.existence);
        }
        findings.append(&mut answer.findings);
    }
    findings.append(&mut of_data);
    for answer in &mut answers {
        objects.append(&mut answer.objects);
    }
    let has_error = findings
        .iter()
        .any(|finding: &Finding| finding.severity() == Severity::Error);
    if judgement.is_passed() && has_error {
        // Every error has a judgement of its own; this is the net under them.
        judgement.add(Judgement::because(SubIndication::Custom));
    }
    let times: Option<Vec<OffsetDateTime>> = times.into_iter().collect();
    let best_signature_time = times
        .and_then(|times| times.into_iter().max())
        .filter(|_| judgement.is_passed());
    Report {
        verified_at: context.time,
        judgement,
        best_signature_time,
        files,
        objects,
        findings,
        rules: AppliedRules::of(context),
    }
}

/// Whether other evidence proves every data object that this evidence covers.
fn is_passed_over(answer: &FileAnswer, data: &[ObjectReport]) -> bool {
    answer.judgement.can_be_passed_over()
        && answer.detached
        && answer.covered.contains(&true)
        && answer
            .covered
            .iter()
            .zip(data)
            .all(|(covered, data)| !covered || data.judgement.is_passed())
}

/// The proofs that cover a data object are alternatives.
fn judge_data(
    number: usize,
    data: &dyn DigestSource,
    answers: &[FileAnswer],
    findings: &mut Vec<Finding>,
) -> ObjectReport {
    let place = Place::root().child(data.name());
    let covering: Vec<&FileAnswer> = answers
        .iter()
        .filter(|answer| answer.covered.get(number) == Some(&true))
        .collect();
    let judgements: Vec<Judgement> = covering.iter().map(|answer| answer.judgement).collect();
    let judgement = Judgement::of_alternatives(&judgements).unwrap_or_else(|| {
        findings.push(Finding::new(codes::DATA_NOT_COVERED, place.clone()).with(data.name()));
        if data.digest(DigestAlgorithm::Sha256).is_some()
            && answers.iter().all(|answer| answer.judged)
        {
            Judgement::broken(SubIndication::HashFailure)
        } else {
            Judgement::unknown(SubIndication::SignedDataNotFound)
        }
    });
    let mut object = ObjectReport::new(ObjectKind::Document, place, judgement);
    object.time = covering.iter().filter_map(|answer| answer.existence).min();
    if let Some(size) = data.size() {
        object = object.with("size", size.to_string());
    }
    object
}
