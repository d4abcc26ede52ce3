//! What a bulk verification says of one piece of evidence.

use time::OffsetDateTime;

use crate::finding::{Finding, Language, Severity};
use crate::judgement::Judgement;
use crate::registry::StatutoryAnswer;
use crate::report::{ObjectKind, ObjectReport, Report};
use crate::verdict::Conclusion;

/// Most characters of the reasons in a row: the full report of a single piece of evidence has them all.
const REASONS_CHARACTERS_MAX: usize = 1000;

/// How the judgement of one item ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Status {
    /// It was judged.
    Judged(Conclusion),
    /// It could not be judged: it cannot be read, or is no evidence.
    CannotJudge,
}

impl Status {
    /// Every status, the best first. A run as a whole has the worst of its items.
    pub const ALL: [Self; 4] = [
        Self::Judged(Conclusion::TotalPassed),
        Self::Judged(Conclusion::Indeterminate),
        Self::CannotJudge,
        Self::Judged(Conclusion::TotalFailed),
    ];

    /// The name in tables and summaries: that of EN 319 102-1, or `NOT-JUDGED`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Judged(conclusion) => conclusion.name(),
            Self::CannotJudge => "NOT-JUDGED",
        }
    }

    /// The status of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The word for people.
    #[must_use]
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Judged(Conclusion::TotalPassed), Language::Japanese) => "合格",
            (Self::Judged(Conclusion::TotalPassed), Language::English) => "passed",
            (Self::Judged(Conclusion::Indeterminate), Language::Japanese) => "不確定",
            (Self::Judged(Conclusion::Indeterminate), Language::English) => "undecided",
            (Self::Judged(Conclusion::TotalFailed), Language::Japanese) => "不合格",
            (Self::Judged(Conclusion::TotalFailed), Language::English) => "failed",
            (Self::CannotJudge, Language::Japanese) => "検証できず",
            (Self::CannotJudge, Language::English) => "could not be judged",
        }
    }
}

/// One row of the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// The file or the record.
    pub item: String,
    /// The data that it was judged over, if any was given.
    pub data: String,
    /// How it ended.
    pub status: Status,
    /// The reason by its name in EN 319 102-1.
    pub sub_indication: Option<&'static str>,
    /// Whether everything that can be computed holds: `INTACT`, `BROKEN`, `UNKNOWN`.
    pub integrity: &'static str,
    /// The time as of which it was judged.
    pub verified_at: OffsetDateTime,
    /// The subject of the certificate of the first time-stamp.
    pub authority: String,
    /// The serial number of the first time-stamp, hexadecimal.
    pub serial: String,
    /// The time that the first time-stamp states.
    pub time: Option<OffsetDateTime>,
    /// Until when the newest time-stamp can be verified, by the clock of Japan.
    pub valid_until: String,
    /// Algorithm and value of the digest, like `SHA-256:2cf2…`: of the data where it was given, otherwise the one in the time-stamp.
    pub digest: String,
    /// Whether the first time-stamp counts as statutory.
    pub statutory: StatutoryAnswer,
    /// Why it did not pass, in words.
    pub reasons: String,
}

impl Row {
    /// A row about something that could not be judged.
    #[must_use]
    pub fn not_judged(
        item: impl Into<String>,
        verified_at: OffsetDateTime,
        reasons: impl Into<String>,
    ) -> Self {
        Self {
            item: item.into(),
            data: String::new(),
            status: Status::CannotJudge,
            sub_indication: None,
            integrity: "UNKNOWN",
            verified_at,
            authority: String::new(),
            serial: String::new(),
            time: None,
            valid_until: String::new(),
            digest: String::new(),
            statutory: StatutoryAnswer::Unknown,
            reasons: reasons.into(),
        }
    }

    /// A row about what was judged, with the facts of its first time-stamp. `digest` is that of the data, where it is known.
    #[must_use]
    pub fn of_report(
        item: impl Into<String>,
        report: &Report,
        digest: Option<String>,
        language: Language,
    ) -> Self {
        let mut row = Self::of_judgement(item, report.judgement, report.verified_at);
        row.reasons = reasons(&report.findings, language);
        row.add_time_stamps(&report.objects);
        if let Some(digest) = digest {
            row.digest = digest;
        }
        row
    }

    /// A row with a judgement and nothing else yet.
    #[must_use]
    pub fn of_judgement(
        item: impl Into<String>,
        judgement: Judgement,
        verified_at: OffsetDateTime,
    ) -> Self {
        Self {
            status: Status::Judged(judgement.conclusion()),
            sub_indication: judgement.sub_indication().map(|reason| reason.name()),
            integrity: judgement.integrity().name(),
            ..Self::not_judged(item, verified_at, "")
        }
    }

    /// The law asks when something got its time-stamp, so the first one answers: of those that passed, if any did. The newest one says
    /// until when the evidence can be verified.
    fn add_time_stamps(&mut self, objects: &[ObjectReport]) {
        let stamps = || {
            let stamps = objects
                .iter()
                .filter(|object| object.kind == ObjectKind::Timestamp && object.time.is_some());
            stamps.filter(|object| !is_inside_signature(object) || !has_other(objects))
        };
        let passed = || stamps().filter(|object| object.judgement.is_passed());
        let first = passed()
            .min_by_key(|object| object.time)
            .or_else(|| stamps().min_by_key(|object| object.time));
        let newest = passed()
            .max_by_key(|object| object.time)
            .or_else(|| stamps().max_by_key(|object| object.time));
        let detail = |object: Option<&ObjectReport>, name| {
            let value = object.and_then(|object| object.detail(name));
            value.unwrap_or_default().to_owned()
        };
        self.time = first.and_then(|object| object.time);
        self.authority = detail(first, "signer");
        self.serial = detail(first, "serial");
        let until = detail(newest, "holds-until");
        self.valid_until = until
            .split_once(" JST")
            .map_or(until.clone(), |(japan, _)| japan.to_owned());
        let algorithm = detail(first, "digest-algorithm");
        if !algorithm.is_empty() {
            self.digest = format!("{algorithm}:{}", detail(first, "imprint"));
        }
        // One that was passed over, though accredited, is not what the document passed by.
        let any_passed = passed().next().is_some();
        self.statutory = stamps()
            .filter(|object| object.time == self.time)
            .filter(|object| !any_passed || object.judgement.is_passed())
            .filter_map(|object| StatutoryAnswer::from_name(object.detail("statutory")?))
            .max_by_key(|answer| match answer {
                StatutoryAnswer::Yes => 2,
                StatutoryAnswer::No => 1,
                StatutoryAnswer::Unknown => 0,
            })
            .unwrap_or(StatutoryAnswer::Unknown);
    }
}

/// Whether a time-stamp belongs to a signature and not to the document itself.
fn is_inside_signature(object: &ObjectReport) -> bool {
    object.place.as_str().contains("signer[")
}

fn has_other(objects: &[ObjectReport]) -> bool {
    let mut stamps = objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Timestamp && object.time.is_some());
    stamps.any(|object| !is_inside_signature(object))
}

/// The findings that kept something from passing, each with its code.
#[must_use]
pub fn reasons(findings: &[Finding], language: Language) -> String {
    let mut text = String::new();
    for finding in findings {
        if finding.severity() != Severity::Error {
            continue;
        }
        let said = format!("{}: {}", finding.code().id(), finding.text(language));
        if text.contains(&said) {
            continue;
        }
        if text.chars().count().saturating_add(said.chars().count()) > REASONS_CHARACTERS_MAX {
            text.push_str(" …");
            break;
        }
        if !text.is_empty() {
            text.push_str(" / ");
        }
        text.push_str(&said);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;
    use crate::verdict::SubIndication;
    use time::macros::datetime;

    const STAMPED: OffsetDateTime = datetime!(2026-11-22 0:00 UTC);
    const LATER: OffsetDateTime = datetime!(2027-11-22 0:00 UTC);

    fn stamp(
        time: OffsetDateTime,
        judgement: Judgement,
        statutory: StatutoryAnswer,
    ) -> ObjectReport {
        let mut object = ObjectReport::new(ObjectKind::Timestamp, Place::root(), judgement);
        object.time = Some(time);
        object.with("statutory", statutory.name())
    }

    fn statutory(stamps: &[ObjectReport]) -> StatutoryAnswer {
        let mut row = Row::not_judged("item", LATER, "");
        row.add_time_stamps(stamps);
        row.statutory
    }

    /// An accredited one that did not pass lends nothing to another that did.
    #[test]
    fn statutory_is_what_the_time_stamp_that_passed_is() {
        use StatutoryAnswer::{No, Unknown, Yes};
        let aged = Judgement::because(SubIndication::OutOfBoundsNoPoe);
        let accredited = stamp(STAMPED, aged, Yes);
        for answer in [No, Unknown] {
            let passed = stamp(STAMPED, Judgement::PASSED, answer);
            assert_eq!(statutory(&[accredited.clone(), passed.clone()]), answer);
            assert_eq!(statutory(&[passed, accredited.clone()]), answer);
        }
        // Of those that passed at the same second, one is enough; one that came later is not the first.
        let [yes, no] = [Yes, No].map(|answer| stamp(STAMPED, Judgement::PASSED, answer));
        assert_eq!(statutory(&[no.clone(), yes]), Yes);
        assert_eq!(statutory(&[no, stamp(LATER, Judgement::PASSED, Yes)]), No);
        // Where none passed, the row says so in its verdict.
        assert_eq!(statutory(&[accredited, stamp(STAMPED, aged, No)]), Yes);
        assert_eq!(statutory(&[]), Unknown);
    }
}
