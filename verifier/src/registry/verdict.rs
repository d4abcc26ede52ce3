//! The verdict on a token's accreditation, in words.

use serde_json::{Value, json};
use time::Date;

use crate::finding::{Finding, Language, Place, registry as codes};

/// Whether a token counts as statutory (法定).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statutory {
    /// It does: this service was accredited at its time.
    Yes(Accreditation),
    /// It does not, or it cannot be told.
    No(Unstatutory),
}

/// The accreditation under which a token was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accreditation {
    /// The service.
    pub service: String,
    /// Who runs it.
    pub operator: String,
    /// The scheme, in words for people.
    pub scheme: String,
}

/// Why a token does not count as statutory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unstatutory {
    /// No registry was given: `[registry]` in the configuration of an archive, `--tsa-registry` for the verifier.
    NoRegistry,
    /// The token cannot be read.
    Unreadable,
    /// Which certificate the token was made with cannot be told.
    NoCertificate,
    /// The signature of the token does not hold, or could not be computed: anybody may have made it.
    NotIntact,
    /// No service of the registry has the token's certificate.
    NotRegistered,
    /// The service was accredited only later.
    BeforeAccreditation {
        /// The service.
        service: String,
        /// The first day of its accreditation.
        from: Date,
    },
    /// The accreditation had ended.
    AfterAccreditation {
        /// The service.
        service: String,
        /// The last day of its accreditation.
        to: Date,
    },
    /// The token was made under a policy that is not part of the accreditation.
    PolicyNotAccredited {
        /// The service.
        service: String,
        /// The policy of the token.
        policy: String,
    },
    /// The law did not take tokens of this scheme at that time.
    SchemeNotRecognised {
        /// The service.
        service: String,
        /// The scheme.
        scheme: String,
    },
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatutoryAnswer {
    /// It counts.
    Yes,
    /// It does not.
    No,
    /// It cannot be told.
    Unknown,
}

impl StatutoryAnswer {
    /// The word in reports: `yes`, `no`, `unknown`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// The answer of a word in a report.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Yes, Self::No, Self::Unknown];
        all.into_iter().find(|answer| answer.name() == name)
    }
}

impl Statutory {
    /// The answer in one word: what cannot be told is told apart from what does not count.
    #[must_use]
    pub const fn answer(&self) -> StatutoryAnswer {
        match self {
            Self::Yes(_) => StatutoryAnswer::Yes,
            Self::No(
                Unstatutory::NoRegistry
                | Unstatutory::Unreadable
                | Unstatutory::NoCertificate
                | Unstatutory::NotIntact,
            ) => StatutoryAnswer::Unknown,
            Self::No(_) => StatutoryAnswer::No,
        }
    }

    /// Whether it counts.
    #[must_use]
    pub const fn is_statutory(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// The verdict in one line.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::Yes(by) => pick(
                language,
                format!(
                    "法定のタイムスタンプです({}、{}、{})",
                    by.service, by.operator, by.scheme
                ),
                format!(
                    "statutory: {} of {}, {}",
                    by.service, by.operator, by.scheme
                ),
            ),
            Self::No(reason) => pick(
                language,
                format!(
                    "法定のタイムスタンプではありません: {}",
                    reason.text(language)
                ),
                format!("not statutory: {}", reason.text(language)),
            ),
        }
    }

    /// The verdict as a finding about a token.
    #[must_use]
    pub fn finding(&self, place: Place) -> Finding {
        let new = |code| Finding::new(code, place);
        match self {
            Self::Yes(by) => new(codes::TSA_ACCREDITED)
                .with(&by.service)
                .with(&by.operator)
                .with(&by.scheme),
            Self::No(reason) => match reason {
                Unstatutory::NoRegistry
                | Unstatutory::Unreadable
                | Unstatutory::NoCertificate
                | Unstatutory::NotIntact => new(codes::TSA_ACCREDITATION_UNKNOWN),
                Unstatutory::NotRegistered => new(codes::TSA_NOT_REGISTERED),
                Unstatutory::BeforeAccreditation { service, from } => {
                    new(codes::TSA_BEFORE_ACCREDITATION)
                        .with(service)
                        .with(from)
                }
                Unstatutory::AfterAccreditation { service, to } => {
                    new(codes::TSA_AFTER_ACCREDITATION).with(service).with(to)
                }
                Unstatutory::PolicyNotAccredited { service, policy } => {
                    new(codes::TSA_POLICY_NOT_ACCREDITED)
                        .with(service)
                        .with(policy)
                }
                Unstatutory::SchemeNotRecognised { service, scheme } => {
                    new(codes::TSA_SCHEME_NOT_RECOGNISED)
                        .with(service)
                        .with(scheme)
                }
            },
        }
    }

    /// The verdict for machines.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Yes(by) => json!({
                "statutory": true, "service": by.service, "operator": by.operator, "scheme": by.scheme,
            }),
            Self::No(reason) => json!({
                "statutory": false, "reason": reason.id(), "text": reason.text(Language::English),
            }),
        }
    }
}

impl Unstatutory {
    /// A name for machines.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::NoRegistry => "no-registry",
            Self::Unreadable => "unreadable",
            Self::NoCertificate => "no-certificate",
            Self::NotIntact => "not-intact",
            Self::NotRegistered => "not-registered",
            Self::BeforeAccreditation { .. } => "before-accreditation",
            Self::AfterAccreditation { .. } => "after-accreditation",
            Self::PolicyNotAccredited { .. } => "policy-not-accredited",
            Self::SchemeNotRecognised { .. } => "scheme-not-recognised",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match self {
            Self::NoRegistry => pick(
                language,
                "認定業務の登録簿が設定されていません",
                "no registry of accredited services is configured",
            )
            .to_owned(),
            Self::Unreadable => pick(
                language,
                "トークンを読み取れません",
                "the token cannot be read",
            )
            .to_owned(),
            Self::NoCertificate => pick(
                language,
                "どの証明書で作られたか分かりません",
                "which certificate it was made with cannot be told",
            )
            .to_owned(),
            Self::NotIntact => pick(
                language,
                "署名を確認できないため、誰が作ったものか分かりません",
                "its signature is not proven, so anybody may have made it",
            )
            .to_owned(),
            Self::NotRegistered => pick(
                language,
                "証明書が登録簿にありません",
                "its certificate is not in the registry",
            )
            .to_owned(),
            Self::BeforeAccreditation { service, from } => pick(
                language,
                format!("{service} の認定は {from} からです"),
                format!("{service} is accredited from {from}"),
            ),
            Self::AfterAccreditation { service, to } => pick(
                language,
                format!("{service} の認定は {to} までです"),
                format!("{service} was accredited until {to}"),
            ),
            Self::PolicyNotAccredited { service, policy } => pick(
                language,
                format!("ポリシー {policy} は {service} の認定に含まれません"),
                format!("the policy {policy} is not part of the accreditation of {service}"),
            ),
            Self::SchemeNotRecognised { service, scheme } => pick(
                language,
                format!("{service} の認定制度({scheme})は、その時点の法令で認められていません"),
                format!("the law did not take the scheme of {service} ({scheme}) at that time"),
            ),
        }
    }
}

fn pick<T>(language: Language, ja: T, en: T) -> T {
    match language {
        Language::Japanese => ja,
        Language::English => en,
    }
}
