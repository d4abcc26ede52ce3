//! What went wrong, told from the findings: a finding names the document and says more than the sub-indication does.

use super::{Words, next_step, reason};
use crate::finding::{
    Code, Finding, Language, Severity, evidence, lines, package, path, signature, timestamp,
};
use crate::report::Report;
use crate::verdict::{Conclusion, SubIndication};

/// A cause, the most telling first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::report) enum Cause {
    /// Documents are not what they were, or others.
    DocumentDiffers,
    /// Lines are not what they were.
    LinesDiffer,
    /// The evidence covers nothing of what it came with.
    OfOther,
    /// The description of the record is not what it was.
    ManifestDiffers,
    /// Something was added.
    MemberAdded,
    /// Something is missing.
    MemberMissing,
    /// The proof itself was altered.
    EvidenceAltered,
    /// The container was packed anew.
    ContainerAltered,
    /// No evidence is about a document.
    NotCovered,
    /// What the evidence is about was not given.
    DataMissing,
    /// Nothing was given that is trusted.
    NoAnchors,
    /// A kind that is not judged.
    NotJudged,
    /// No evidence at all.
    NoEvidence,
    /// What the standard says.
    Standard(Option<SubIndicationOrder>),
}

/// A sub-indication in the order of the standard.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::report) struct SubIndicationOrder(usize);

impl SubIndicationOrder {
    fn of(sub: SubIndication) -> Option<Self> {
        let place = SubIndication::ALL.iter().position(|other| *other == sub);
        place.map(Self)
    }

    fn sub(self) -> Option<SubIndication> {
        SubIndication::ALL.get(self.0).copied()
    }
}

/// The record's own description, and where evidence lies, in a package of the archive.
const MANIFEST: &str = formats::package::MANIFEST;
const META_INF: &str = formats::asic::META_INF;

/// Why the report has not passed: each cause with the names that it is about.
pub(in crate::report) fn causes(report: &Report) -> Vec<(Cause, Vec<String>)> {
    let Some(sub) = report.judgement.sub_indication() else {
        return Vec::new();
    };
    let mut found: Vec<(Cause, Vec<String>)> = Vec::new();
    let errors = report
        .findings
        .iter()
        .filter(|finding| finding.severity() == Severity::Error);
    for finding in errors {
        let Some(cause) = cause_of(finding) else {
            continue;
        };
        let name = named(finding, cause);
        match found.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, names)) => {
                if let Some(name) = name.filter(|name| !names.contains(name)) {
                    names.push(name);
                }
            }
            None => found.push((cause, name.into_iter().collect())),
        }
    }
    tell_other_evidence(report, &mut found);
    found.sort_by_key(|(cause, _)| *cause);
    if found.is_empty() || !explains(&found, report.judgement.conclusion()) {
        found.insert(
            0,
            (Cause::Standard(SubIndicationOrder::of(sub)), Vec::new()),
        );
    }
    found
}

/// Whether one of the causes can have led to the conclusion: what is merely missing fails nothing.
fn explains(found: &[(Cause, Vec<String>)], conclusion: Conclusion) -> bool {
    let fails = |cause: Cause| cause <= Cause::ContainerAltered && cause != Cause::MemberMissing;
    let failed = conclusion == Conclusion::TotalFailed;
    !failed || found.iter().any(|(cause, _)| fails(*cause))
}

/// If nothing of what the evidence came with is covered, and everything is as the manifest describes it, the evidence is that of another record.
fn tell_other_evidence(report: &Report, found: &mut Vec<(Cause, Vec<String>)>) {
    let uncovered = |finding: &&Finding| finding.code() == evidence::EVIDENCE_DATA_NOT_COVERED;
    let errors = || {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity() == Severity::Error)
    };
    let manifest = errors()
        .filter(uncovered)
        .any(|finding| detail(finding) == Some(MANIFEST));
    let altered = errors().any(|finding| finding.code() == package::PACKAGE_DIGEST_MISMATCH);
    if manifest && !altered {
        let replaced = [
            Cause::DocumentDiffers,
            Cause::ManifestDiffers,
            Cause::LinesDiffer,
        ];
        found.retain(|(cause, _)| !replaced.contains(cause));
        found.push((Cause::OfOther, Vec::new()));
    }
}

fn detail(finding: &Finding) -> Option<&str> {
    finding.details().first().map(String::as_str)
}

/// The name of what a finding is about, for causes that name it.
fn named(finding: &Finding, cause: Cause) -> Option<String> {
    let names = matches!(
        cause,
        Cause::DocumentDiffers | Cause::MemberAdded | Cause::MemberMissing | Cause::NotCovered
    );
    let name = detail(finding).filter(|_| names)?;
    Some(name.rsplit('/').next().unwrap_or(name).to_owned())
}

fn cause_of(finding: &Finding) -> Option<Cause> {
    let code = finding.code();
    let about = detail(finding).unwrap_or_default();
    let is = |codes: &[Code]| codes.contains(&code);
    if is(DIFFERS) {
        return Some(match about {
            MANIFEST => Cause::ManifestDiffers,
            name if name.starts_with(META_INF) => Cause::EvidenceAltered,
            _ => Cause::DocumentDiffers,
        });
    }
    if code == package::PACKAGE_MEMBER_DAMAGED {
        return Some(Cause::ContainerAltered);
    }
    CAUSES
        .iter()
        .find(|(codes, _)| is(codes))
        .map(|(_, cause)| *cause)
}

/// The first detail names what is not as it was.
const DIFFERS: &[Code] = &[
    package::PACKAGE_DIGEST_MISMATCH,
    package::PACKAGE_SIZE_MISMATCH,
    timestamp::IMPRINT_MISMATCH,
    signature::SIGNATURE_DIGEST_MISMATCH,
    evidence::EVIDENCE_DATA_NOT_COVERED,
];

const CAUSES: &[(&[Code], Cause)] = &[
    (
        &[
            lines::LINE_ROOT_MISMATCH,
            lines::LINE_COUNT_MISMATCH,
            lines::LINE_WITHOUT_END,
            lines::LINE_RANGE_BEYOND_END,
        ],
        Cause::LinesDiffer,
    ),
    (
        &[package::RECORD_MANIFEST_MALFORMED],
        Cause::ManifestDiffers,
    ),
    (&[package::PACKAGE_MEMBER_UNLISTED], Cause::MemberAdded),
    (&[package::PACKAGE_MEMBER_MISSING], Cause::MemberMissing),
    (
        &[
            evidence::EVIDENCE_RECORD_MALFORMED,
            evidence::EVIDENCE_ROOT_MISMATCH,
            evidence::EVIDENCE_LINK_BROKEN,
            evidence::EVIDENCE_DATA_NOT_RENEWED,
            timestamp::TOKEN_MALFORMED,
            timestamp::MESSAGE_DIGEST_MISMATCH,
            timestamp::SIGNATURE_INVALID,
            signature::SIGNATURE_MALFORMED,
            signature::SIGNATURE_VALUE_INVALID,
            package::PACKAGE_MANIFEST_MALFORMED,
        ],
        Cause::EvidenceAltered,
    ),
    (
        &[
            package::PACKAGE_MALFORMED,
            package::PACKAGE_CONTAINER_ALTERED,
            package::PACKAGE_AMBIGUOUS,
        ],
        Cause::ContainerAltered,
    ),
    (
        &[package::DATA_NOT_COVERED, package::PACKAGE_MEMBER_UNCOVERED],
        Cause::NotCovered,
    ),
    (
        &[
            evidence::EVIDENCE_DATA_MISSING,
            timestamp::IMPRINT_NOT_CHECKED,
            signature::SIGNATURE_DATA_MISSING,
        ],
        Cause::DataMissing,
    ),
    (&[path::NO_TRUST_ANCHORS], Cause::NoAnchors),
    (
        &[
            package::NOT_JUDGED_YET,
            signature::SIGNATURE_PART_NOT_JUDGED,
        ],
        Cause::NotJudged,
    ),
    (
        &[
            package::INPUT_EMPTY,
            package::INPUT_NOT_RECOGNISED,
            package::PACKAGE_WITHOUT_EVIDENCE,
        ],
        Cause::NoEvidence,
    ),
];

impl Cause {
    /// The sentence; `{}` stands for the names.
    pub(in crate::report) fn words(self) -> Words {
        match self {
            Self::DocumentDiffers => Words::new(
                "文書{}は、証拠が作られた時のものと異なります（その後に変更されたか、別の文書です）。",
                "The document{s} {} {is} not what {it} {was} when the evidence was made: changed afterwards, or replaced by another one.",
            ),
            Self::LinesDiffer => Words::new(
                "示されたログの行は、証拠が作られた時のものと異なります（その後に変更されたか、別の行です）。",
                "The lines of the log are not what they were when the evidence was made: they were changed afterwards, or they are other lines.",
            ),
            Self::OfOther => Words::new(
                "同封された時刻の証明は、ここにある文書のものではありません（別の記録のものです）。",
                "The proof of time does not belong to what it came with: it is the proof of another record.",
            ),
            Self::ManifestDiffers => Words::new(
                "記録の目録（文書の名前、日付、預けた人などの記載）が、証拠が作られた時のものと異なります。",
                "The description of the record (names, dates, who deposited it) is not what it was when the evidence was made.",
            ),
            Self::MemberAdded => Words::new(
                "証拠が作られた時にはなかったファイル{}が入っています。",
                "The file{s} {} {was} not there when the evidence was made.",
            ),
            Self::MemberMissing => Words::new(
                "証拠の対象となっているファイル{}がありません。",
                "The file{s} {}, which the evidence is about, {is} missing.",
            ),
            Self::EvidenceAltered => Words::new(
                "時刻又は署名の証明そのものが、作られた時のものと異なるか、壊れています。",
                "The proof of time or signature itself is not what it was when it was made, or is damaged.",
            ),
            Self::ContainerAltered
            | Self::NotCovered
            | Self::DataMissing
            | Self::NoAnchors
            | Self::NotJudged
            | Self::NoEvidence
            | Self::Standard(_) => self.words_of_the_rest(),
        }
    }

    fn words_of_the_rest(self) -> Words {
        match self {
            Self::ContainerAltered => Words::new(
                "証拠をまとめたファイルが、作られた時のものと異なるか、壊れています。",
                "The file that holds the evidence is not what it was when it was made, or is damaged.",
            ),
            Self::NotCovered => Words::new(
                "文書{}は、どの証拠の対象にもなっていません。",
                "The document{s} {} {is} not covered by any of the evidence.",
            ),
            Self::DataMissing => Words::new(
                "証拠の対象となる文書が与えられていません。",
                "What the evidence is about was not given.",
            ),
            Self::NoAnchors => Words::new(
                "証拠を作った機関（タイムスタンプ局など）の証明書が、信頼するもの（信頼の起点）として示されていません。",
                "No certificate was given as trusted, so nobody vouches for whoever made the evidence, such as the time-stamping authority.",
            ),
            Self::NotJudged => Words::new(
                "証拠に、この検証プログラムがまだ判断しない種類のものがあります。",
                "There is a kind of evidence that this program does not judge yet.",
            ),
            Self::NoEvidence => Words::new(
                "与えられたファイルの中に、証拠と認められるものがありません。",
                "Among the given files there is nothing that is known as evidence.",
            ),
            Self::Standard(order) => reason(
                order
                    .and_then(SubIndicationOrder::sub)
                    .unwrap_or(SubIndication::Custom),
            ),
            Self::DocumentDiffers
            | Self::LinesDiffer
            | Self::OfOther
            | Self::ManifestDiffers
            | Self::MemberAdded
            | Self::MemberMissing
            | Self::EvidenceAltered => reason(SubIndication::Custom),
        }
    }

    /// What the reader can do next.
    pub(in crate::report) fn next(self, conclusion: Conclusion, sub: SubIndication) -> Words {
        match (self, conclusion) {
            (Self::NoAnchors, Conclusion::Indeterminate) => {
                next_step(conclusion, SubIndication::NoCertificateChainFound)
            }
            (Self::DataMissing, Conclusion::Indeterminate) => {
                next_step(conclusion, SubIndication::SignedDataNotFound)
            }
            (Self::MemberMissing, Conclusion::Indeterminate) => Words::new(
                "欠けているファイルを含む、完全な一式を渡した人に求めてください。",
                "Ask whoever handed it over for the complete set of files.",
            ),
            (Self::NotCovered, Conclusion::Indeterminate) => Words::new(
                "その文書についての証拠を渡した人に求めるか、その文書を除いて検証し直してください。",
                "Ask whoever handed it over for evidence of that document, or verify again without it.",
            ),
            (Self::NotJudged, Conclusion::Indeterminate) => Words::new(
                "その種類の証拠を検証できる別のプログラムで確かめてください。",
                "Check that kind of evidence with another program that knows it.",
            ),
            (Self::NoEvidence, Conclusion::Indeterminate) => Words::new(
                "渡されたファイルの中から証拠のファイル（.asice など）を選び、検証し直してください。",
                "Choose the file with the evidence (such as one that ends in .asice), and verify again.",
            ),
            _ => next_step(conclusion, sub),
        }
    }

    /// The sentence with its names, of which there are so many.
    pub(in crate::report) fn sentence(
        self,
        names: &str,
        count: usize,
        language: Language,
    ) -> String {
        let forms = match count {
            0 | 1 => [
                ("{s}", ""),
                ("{is}", "is"),
                ("{it}", "it"),
                ("{was}", "was"),
            ],
            _ => [
                ("{s}", "s"),
                ("{is}", "are"),
                ("{it}", "they"),
                ("{was}", "were"),
            ],
        };
        let mut text = self.words().text(language).to_owned();
        for (form, word) in forms {
            text = text.replace(form, word);
        }
        let empty = if names.is_empty() { " {}" } else { "{}" };
        text.replace(empty, names).replace("{}", names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_sentences() {
        let mut all: Vec<Cause> = CAUSES.iter().map(|(_, cause)| *cause).collect();
        all.extend([
            Cause::DocumentDiffers,
            Cause::OfOther,
            Cause::EvidenceAltered,
        ]);
        for sub in SubIndication::ALL {
            all.push(Cause::Standard(SubIndicationOrder::of(*sub)));
        }
        let custom = reason(SubIndication::Custom).text(Language::English);
        for cause in all {
            for language in [Language::Japanese, Language::English] {
                let text = cause.sentence("", 0, language);
                assert!(!text.contains('{') && text.ends_with(['。', '.']), "{text}");
            }
            let own = cause.sentence("", 0, Language::English);
            let is_custom = cause == Cause::Standard(SubIndicationOrder::of(SubIndication::Custom));
            assert!(
                own != custom || is_custom,
                "{cause:?} has no sentence of its own"
            );
        }
    }

    #[test]
    fn no_finding_stands_under_two_causes() {
        let mut seen: Vec<Code> = DIFFERS.to_vec();
        for code in CAUSES.iter().flat_map(|(codes, _)| codes.iter()) {
            assert!(!seen.contains(code), "{code:?}");
            seen.push(*code);
        }
    }
}
