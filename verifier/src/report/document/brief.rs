//! The first page: what is proven, for what time, and what is not, for somebody who has never seen the product.

use super::subject::{
    Subject, grouped, grouped_usize, listed, name_of, names_of_evidence, of_kind, quoted,
    subject_of,
};
use super::{Block, Fact, Tone, said};
use crate::finding::{
    Code, Language, Severity, evidence, package, printable, revocation, signature, xmlers,
};
use crate::registry::StatutoryAnswer;
use crate::report::calendar::{civil_time, spoken_time, spoken_utc};
use crate::report::wording::{Cause, causes};
use crate::report::{ObjectKind, ObjectReport, Report};
use crate::verdict::{Conclusion, Integrity, SubIndication};

/// Causes that the first page tells.
const CAUSES_TOLD_MAX: usize = 3;

/// The first page.
pub(super) fn blocks(report: &Report, language: Language) -> Vec<Block> {
    let brief = Brief {
        report,
        language,
        subject: subject_of(report),
        causes: causes(report),
    };
    let mut blocks = vec![brief.answer(), Block::Facts(brief.facts())];
    blocks.extend(brief.documents());
    blocks.push(brief.basis());
    blocks
}

pub(super) struct Brief<'a> {
    pub(super) report: &'a Report,
    pub(super) language: Language,
    subject: Subject,
    pub(super) causes: Vec<(Cause, Vec<String>)>,
}

impl Brief<'_> {
    pub(super) fn say(&self, ja: &str, en: &str) -> String {
        said(self.language, ja, en)
    }

    fn conclusion(&self) -> Conclusion {
        self.report.judgement.conclusion()
    }

    fn answer(&self) -> Block {
        let word = match self.conclusion() {
            Conclusion::TotalPassed if self.report.best_signature_time.is_none() => {
                self.say("署名は正しい", "Signed")
            }
            Conclusion::TotalPassed => self.say("証明されています", "Proven"),
            Conclusion::Indeterminate => self.say("判断できません", "Undecided"),
            Conclusion::TotalFailed => self.say("証明できません（不合格）", "Not proven: failed"),
        };
        let text = match self.conclusion() {
            Conclusion::TotalPassed => self.passed(),
            Conclusion::Indeterminate | Conclusion::TotalFailed => self.not_passed(),
        };
        Block::Answer {
            tone: Tone::of(self.report.judgement),
            word,
            text,
        }
    }

    /// What the sentences are about, as their subject.
    fn what(&self) -> String {
        let documents = || of_kind(self.report, ObjectKind::Document);
        match (self.subject, self.language) {
            (Subject::Documents(1), language) => {
                let name = documents().next().map(name_of).unwrap_or_default();
                let name = quoted(&name, language);
                match language {
                    Language::Japanese => format!("文書{name}"),
                    Language::English => format!("The document {name}"),
                }
            }
            (Subject::Documents(count), Language::Japanese) => {
                format!("下記の文書 {} 件", grouped_usize(count))
            }
            (Subject::Documents(count), Language::English) => {
                format!("The {} documents below", grouped_usize(count))
            }
            (Subject::Lines(count), Language::Japanese) => {
                format!("示されたログの {} 行", grouped(count))
            }
            (Subject::Lines(1), Language::English) => {
                "The line of the log that is shown".to_owned()
            }
            (Subject::Lines(count), Language::English) => {
                format!("The {} lines of the log that are shown", grouped(count))
            }
            (Subject::Digest, Language::Japanese) => {
                "指定された照合値（文書の指紋にあたる値）をもつ文書".to_owned()
            }
            (Subject::Digest, Language::English) => {
                "The document with the given digest (its fingerprint)".to_owned()
            }
            (Subject::Signed, Language::Japanese) => "署名された内容".to_owned(),
            (Subject::Signed, Language::English) => "What was signed".to_owned(),
        }
    }

    fn is_many(&self) -> bool {
        match self.subject {
            Subject::Documents(count) => count > 1,
            Subject::Lines(count) => count > 1,
            Subject::Digest | Subject::Signed => false,
        }
    }

    fn passed(&self) -> String {
        let what = self.what();
        let Some(time) = self.report.best_signature_time else {
            return match self.language {
                Language::Japanese => format!(
                    "{what}に付けられた署名は正しく、署名の後に変更されていません。ただし、いつ署名されたかは証明されていません。"
                ),
                Language::English => {
                    let has = if self.is_many() { "have" } else { "has" };
                    format!(
                        "{what} {has} not been changed since being signed, and the signature is right. When that was is not proven."
                    )
                }
            };
        };
        let time = spoken_time(time, self.language);
        match self.language {
            Language::Japanese => {
                let form = if self.is_canonical() {
                    "（XML は正規形でみて）"
                } else {
                    ""
                };
                format!(
                    "{what}は、{time}には存在し、それ以後{form}変更されていないことが証明されています。"
                )
            }
            Language::English => {
                let has = if self.is_many() { "have" } else { "has" };
                let form = if self.is_canonical() {
                    " (XML: in its canonical form)"
                } else {
                    ""
                };
                format!(
                    "{what} existed on {time} and {has} not been changed since{form}. This is proven."
                )
            }
        }
    }

    /// Whether evidence covers not the bytes of a document but the canonical form of its XML, which is the same for many documents.
    fn is_canonical(&self) -> bool {
        let code = xmlers::XML_EVIDENCE_DATA_CANONICAL;
        let mut findings = self.report.findings.iter();
        let mut documents = of_kind(self.report, ObjectKind::Document);
        findings.any(|finding| finding.code() == code)
            || documents.any(|object| object.detail("canonicalization").is_some())
    }

    fn not_passed(&self) -> String {
        let mut text = self
            .causes
            .first()
            .map(|(cause, names)| self.sentence(*cause, names))
            .unwrap_or_default();
        if self.language == Language::English {
            text.push(' ');
        }
        text.push_str(&match self.conclusion() {
            Conclusion::TotalFailed => self.say(
                "この証拠では、渡されたもの全体がいつの時点で存在していたか、その後変更されていないかを証明できません。",
                "This evidence cannot prove at what time all that was handed over existed, or that it was not changed since.",
            ),
            Conclusion::TotalPassed | Conclusion::Indeterminate => self.say(
                "このため、渡されたもの全体がいつの時点で存在していたか、その後変更されていないかを判断できません。",
                "So it cannot be decided at what time all that was handed over existed, or whether it was changed since.",
            ),
        });
        text
    }

    fn sentence(&self, cause: Cause, names: &[String]) -> String {
        let listed = listed(names, self.language);
        cause.sentence(&listed, names.len(), self.language)
    }

    fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![
            Fact::list(
                self.say("証明されていること", "What is proven"),
                self.proven(),
            ),
            Fact::new(self.say("証明された時刻", "For what time"), self.time()),
            Fact::list(
                self.say("証明されていないこと", "What is not proven"),
                self.not_proven(),
            ),
        ];
        let Some(sub) = self.report.judgement.sub_indication() else {
            return facts;
        };
        facts.push(Fact::list(self.say("理由", "Why"), self.reasons()));
        let first = self.causes.first().map(|(cause, _)| *cause);
        if let Some(cause) = first {
            let next = cause.next(self.conclusion(), sub).text(self.language);
            facts.push(Fact::new(self.say("次にすること", "What to do next"), next));
        }
        facts
    }

    fn reasons(&self) -> Vec<String> {
        self.causes
            .iter()
            .take(CAUSES_TOLD_MAX)
            .map(|(cause, names)| self.sentence(*cause, names))
            .collect()
    }

    fn proven(&self) -> Vec<String> {
        let mut proven = Vec::new();
        if self.conclusion() == Conclusion::TotalPassed {
            if self.report.best_signature_time.is_some() && self.is_canonical() {
                proven.push(self.say(
                    "下記の時刻に存在していたこと、その後変更されていないこと（XML については、その正規形）。",
                    "That it existed at the time below, and that it was not changed since (of XML: its canonical form).",
                ));
            } else if self.report.best_signature_time.is_some() {
                proven.push(self.say(
                    "下記の時刻に存在していたこと、その後 1 ビットも変更されていないこと。",
                    "That it existed at the time below, and that not one bit was changed since.",
                ));
            } else {
                proven.push(self.say(
                    "署名の後に 1 ビットも変更されていないこと。",
                    "That not one bit was changed since it was signed.",
                ));
            }
            proven.extend(self.signers());
            if self.statutory() == Some(StatutoryAnswer::Yes) {
                proven.push(self.say(
                    "タイムスタンプ局（時刻を証明した機関）が、与えられた名簿によれば国の認定を受けたものであること。",
                    "That the time-stamping authority is accredited by law, by the register that was given.",
                ));
            }
            return proven;
        }
        let alone: Vec<String> = of_kind(self.report, ObjectKind::Document)
            .filter(|object| self.is_proven(object))
            .map(name_of)
            .collect();
        if !alone.is_empty() {
            let names = listed(&alone, self.language);
            proven.push(match self.language {
                Language::Japanese => format!(
                    "文書{names}だけについては、一覧に示す時刻に存在し、その後変更されていないこと。"
                ),
                Language::English => format!(
                    "Of {names} alone: that it existed at the time in the list, unaltered since."
                ),
            });
            return proven;
        }
        proven.push(match self.conclusion() {
            Conclusion::TotalFailed => self.say(
                "ありません。この証拠から証明されることはありません。",
                "Nothing. This evidence proves nothing.",
            ),
            _ if self.report.judgement.integrity() == Integrity::Intact => self.say(
                "まだありません。変更された跡は見つかっていませんが、それだけでは証明になりません。",
                "Nothing yet. No sign of a change was found, but that alone is no proof.",
            ),
            Conclusion::TotalPassed | Conclusion::Indeterminate => {
                self.say("まだありません。", "Nothing yet.")
            }
        });
        proven
    }

    /// Whether a document is proven, be it alone: what is wrong with the container or with a proof in it speaks against all that it holds.
    pub(super) fn is_proven(&self, object: &ObjectReport) -> bool {
        let against_all = [
            Cause::ManifestDiffers,
            Cause::MemberAdded,
            Cause::EvidenceAltered,
            Cause::ContainerAltered,
        ];
        let mut causes = self.causes.iter();
        object.judgement.is_passed()
            && object.time.is_some()
            && !causes.any(|(cause, _)| against_all.contains(cause))
    }

    /// Who signed, by the certificates of the signatures that passed.
    fn signers(&self) -> Vec<String> {
        let mut signers: Vec<String> = Vec::new();
        for object in of_kind(self.report, ObjectKind::Signature) {
            let signer = object
                .detail("signer-name")
                .or_else(|| object.detail("signer"))
                .filter(|_| object.judgement.is_passed());
            if let Some(signer) = signer.map(printable)
                && !signers.contains(&signer)
            {
                signers.push(signer);
            }
        }
        if signers.is_empty() {
            return Vec::new();
        }
        let names = listed(&signers, self.language);
        vec![match self.language {
            Language::Japanese => {
                format!("証明書の名義が{names}である者の鍵で署名されていること。")
            }
            Language::English => {
                format!(
                    "That it was signed with the key of the holder of the certificate of {names}."
                )
            }
        }]
    }

    fn time(&self) -> String {
        let Some(time) = self.report.best_signature_time else {
            return self.say("証明された時刻はありません。", "No time is proven.");
        };
        let spoken = spoken_time(time, self.language);
        let utc = spoken_utc(time, self.language);
        match self.language {
            Language::Japanese => {
                format!("{spoken}、{utc}。遅くともこの時刻には存在していました。")
            }
            Language::English => format!("{spoken}; {utc}. It existed at the latest then."),
        }
    }

    fn not_proven(&self) -> Vec<String> {
        if self.conclusion() != Conclusion::TotalPassed {
            let mut lines = vec![self.say(
                "渡されたもの全体がいつの時点で存在していたか、その後変更されていないか。",
                "At what time all that was handed over existed, and whether it was changed since.",
            )];
            lines.extend(self.uncovered());
            return lines;
        }
        let signed = !self.signers().is_empty();
        let mut lines = vec![match (self.report.best_signature_time, signed) {
            (None, _) => self.say(
                "内容が真実であること、誰が作ったか（署名した者とは限りません）、いつ作られ、いつ署名されたか。",
                "That what it says is true, who made it (not always whoever signed it), and when it was made and signed.",
            ),
            (Some(_), false) => self.say(
                "内容が真実であること、誰が作ったか、この時刻より前のいつ作られたか。",
                "That what it says is true, who made it, and when before that time it was made.",
            ),
            (Some(_), true) => self.say(
                "内容が真実であること、誰が作ったか（署名した者とは限りません）、この時刻より前のいつ作られたか。",
                "That what it says is true, who made it (not always whoever signed it), and when before that time it was made.",
            ),
        }];
        lines.extend(self.limits());
        lines
    }

    /// Documents that no evidence covers.
    fn uncovered(&self) -> Option<String> {
        let (_, names) = self
            .causes
            .iter()
            .find(|(cause, _)| *cause == Cause::NotCovered)?;
        let names = listed(names, self.language);
        Some(match self.language {
            Language::Japanese => format!("{names}: この証拠の対象ではありません。"),
            Language::English => format!("{names}: not covered by this evidence."),
        })
    }

    /// What limits the statement although everything has passed.
    fn limits(&self) -> Vec<String> {
        let has = |code: Code| {
            let mut findings = self.report.findings.iter();
            findings.any(|finding| finding.code() == code && finding.severity() != Severity::Error)
        };
        let lines = matches!(self.subject, Subject::Lines(_));
        let mut limits = Vec::new();
        if lines {
            limits.push(self.say(
                "示されていない行の内容。",
                "What the lines say that are not shown.",
            ));
        } else if has(evidence::EVIDENCE_GROUP_INCOMPLETE) {
            limits.push(self.say(
                "これらの文書がすべてであること（一緒に証明された文書がほかにもあります）。",
                "That these are all: other documents were proven together with them.",
            ));
        }
        if self.is_canonical() {
            limits.push(self.say(
                "XML のうち正規形に現れないもの（コメント、タグの中の空白、文字や改行の書き表し方など）が変更されていないこと。",
                "That nothing was changed in XML that its canonical form leaves out: comments, white space in tags, how characters and line ends are written.",
            ));
        }
        if self.subject == Subject::Digest {
            limits.push(self.say(
                "その照合値がどの文書のものか（文書そのものは与えられていません）。",
                "Which document has that digest: the document itself was not given.",
            ));
        }
        if has(package::PROOF_PASSED_OVER) || has(signature::SIGNATURE_STAMP_NOT_COUNTED) {
            limits.push(self.say(
                "証拠のうち一部は成立していません（ほかの証拠が同じことを証明しています。理由は 2 ページ以降）。",
                "A part of the evidence did not hold; another part proves the same. The reasons stand on the following pages.",
            ));
        }
        if has(revocation::REVOCATION_KNOWN_UNTIL) {
            limits.push(self.say(
                "最後の失効情報が出された後に、証明書が失効していないこと。",
                "That no certificate was withdrawn after the last information about that.",
            ));
        }
        limits.extend(match self.statutory() {
            Some(StatutoryAnswer::Yes) => None,
            Some(StatutoryAnswer::No) => Some(self.say(
                "タイムスタンプ局（時刻を証明した機関）が国の認定を受けたものであること（与えられた名簿では、認定の対象でないものが含まれています）。",
                "That the time-stamping authority is accredited by law: by the register that was given, not every time-stamp is.",
            )),
            Some(StatutoryAnswer::Unknown) => Some(self.say(
                "タイムスタンプ局（時刻を証明した機関）が国の認定を受けたものであること（確認していません）。",
                "That the time-stamping authority is accredited by law: this was not checked.",
            )),
            None => None,
        });
        limits
    }

    /// Whether the time-stamps come from accredited authorities: the worst answer counts, and none is "unknown". `None` without time-stamps.
    fn statutory(&self) -> Option<StatutoryAnswer> {
        of_kind(self.report, ObjectKind::Timestamp)
            .map(|stamp| {
                let word = stamp.detail("statutory").unwrap_or_default();
                StatutoryAnswer::from_name(word).unwrap_or(StatutoryAnswer::Unknown)
            })
            .reduce(|one, other| match (one, other) {
                (StatutoryAnswer::No, _) | (_, StatutoryAnswer::No) => StatutoryAnswer::No,
                (StatutoryAnswer::Yes, StatutoryAnswer::Yes) => StatutoryAnswer::Yes,
                _ => StatutoryAnswer::Unknown,
            })
    }

    /// What was judged, as of when, and the verdict by its name in the standard.
    fn basis(&self) -> Block {
        let judgement = self.report.judgement;
        let evidence = names_of_evidence(self.report, self.language);
        let time = civil_time(self.report.verified_at);
        let verdict = judgement.conclusion().name();
        let reason = judgement.sub_indication().map(SubIndication::name);
        let reason = reason.map(|name| format!(" / {name}")).unwrap_or_default();
        Block::Text(match self.language {
            Language::Japanese => format!(
                "{evidence}。検証の基準時刻: {time}。規格 (ETSI EN 319 102-1) による判定: {verdict}{reason}。"
            ),
            Language::English => format!(
                "{evidence}. Judged as of {time}. Verdict by the standard (ETSI EN 319 102-1): {verdict}{reason}."
            ),
        })
    }
}
