//! The verdict on a token's accreditation, in words.

use serde_json::{Value, json};
use time::Date;

use crate::cli::lang::Lang;

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
    /// The archive has no registry. Name one in `[registry]` of the configuration.
    NoRegistry,
    /// The token cannot be read.
    Unreadable,
    /// Which certificate the token was made with cannot be told.
    NoCertificate,
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

impl Statutory {
    /// Whether it counts.
    #[must_use]
    pub const fn is_statutory(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// The verdict in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Yes(by) => lang.pick(
                format!(
                    "法定のタイムスタンプです({}、{}、{})",
                    by.service, by.operator, by.scheme
                ),
                format!(
                    "statutory: {} of {}, {}",
                    by.service, by.operator, by.scheme
                ),
            ),
            Self::No(reason) => lang.pick(
                format!("法定のタイムスタンプではありません: {}", reason.text(lang)),
                format!("not statutory: {}", reason.text(lang)),
            ),
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
                "statutory": false, "reason": reason.id(), "text": reason.text(Lang::En),
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
            Self::NotRegistered => "not-registered",
            Self::BeforeAccreditation { .. } => "before-accreditation",
            Self::AfterAccreditation { .. } => "after-accreditation",
            Self::PolicyNotAccredited { .. } => "policy-not-accredited",
            Self::SchemeNotRecognised { .. } => "scheme-not-recognised",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::NoRegistry => lang
                .pick(
                    "認定業務の登録簿が設定されていません([registry] file)",
                    "no registry of accredited services is configured ([registry] file)",
                )
                .to_owned(),
            Self::Unreadable => lang
                .pick("トークンを読み取れません", "the token cannot be read")
                .to_owned(),
            Self::NoCertificate => lang
                .pick(
                    "どの証明書で作られたか分かりません",
                    "which certificate it was made with cannot be told",
                )
                .to_owned(),
            Self::NotRegistered => lang
                .pick(
                    "証明書が登録簿にありません",
                    "its certificate is not in the registry",
                )
                .to_owned(),
            Self::BeforeAccreditation { service, from } => lang.pick(
                format!("{service} の認定は {from} からです"),
                format!("{service} is accredited from {from}"),
            ),
            Self::AfterAccreditation { service, to } => lang.pick(
                format!("{service} の認定は {to} までです"),
                format!("{service} was accredited until {to}"),
            ),
            Self::PolicyNotAccredited { service, policy } => lang.pick(
                format!("ポリシー {policy} は {service} の認定に含まれません"),
                format!("the policy {policy} is not part of the accreditation of {service}"),
            ),
            Self::SchemeNotRecognised { service, scheme } => lang.pick(
                format!("{service} の認定制度({scheme})は、その時点の法令で認められていません"),
                format!("the law did not take the scheme of {service} ({scheme}) at that time"),
            ),
        }
    }
}
