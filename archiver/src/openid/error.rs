//! Why nobody was let in by the provider.

use std::fmt;

use crate::cli::lang::Lang;

/// Why a log-in by the provider came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenidError {
    /// The provider cannot be reached.
    Unreachable {
        /// What happened.
        what: String,
    },
    /// What it says of itself, or answered, cannot be used.
    Provider {
        /// What is wrong.
        what: String,
    },
    /// The provider let nobody in, or the person declined.
    Declined {
        /// Its error code (RFC 6749 §4.1.2.1).
        code: String,
    },
    /// The answer belongs to no log-in of this browser.
    State(StateFault),
    /// The provider does not take the code (RFC 6749 §5.2).
    Code {
        /// Its error.
        what: String,
    },
    /// The ID token proves nothing.
    Token(TokenFault),
    /// Nobody who is in use has this name at the provider: which of it, is told to nobody but the audit trail.
    Account {
        /// Whom the provider names.
        openid: String,
    },
    /// No randomness.
    Entropy,
}

/// Why an answer belongs to no log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFault {
    /// It was never begun, is over, or was used already.
    Unknown,
    /// It took too long.
    Expired,
    /// Another browser began it.
    Elsewhere,
}

/// What is wrong with an ID token (OpenID Connect Core 1.0 §3.1.3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFault {
    /// There is none, or it is no token.
    Malformed,
    /// Another issuer made it.
    Issuer,
    /// It was made for somebody else.
    Audience,
    /// The signature is missing, wrong, or of an algorithm that is not accepted.
    Signature,
    /// The provider has no such key.
    UnknownKey,
    /// It is over.
    Expired,
    /// It was made before the log-in began, or is not valid yet.
    Untimely,
    /// It answers another log-in.
    Nonce,
    /// How the person was authenticated is not enough (`acr`, `amr`).
    Authentication,
    /// It names nobody.
    NoAccount {
        /// The claim that should.
        claim: String,
    },
    /// The rest of it cannot be used.
    Other,
}

impl TokenFault {
    const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "openid-token-malformed",
            Self::Issuer => "openid-token-issuer",
            Self::Audience => "openid-token-audience",
            Self::Signature => "openid-token-signature",
            Self::UnknownKey => "openid-token-unknown-key",
            Self::Expired => "openid-token-expired",
            Self::Untimely => "openid-token-untimely",
            Self::Nonce => "openid-token-nonce",
            Self::Authentication => "openid-token-authentication",
            Self::NoAccount { .. } => "openid-token-no-account",
            Self::Other => "openid-token-unusable",
        }
    }
}

impl OpenidError {
    /// Its code: stable, for programs and the audit trail.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "openid-unreachable",
            Self::Provider { .. } => "openid-provider",
            Self::Declined { .. } => "openid-declined",
            Self::State(StateFault::Unknown) => "openid-state-unknown",
            Self::State(StateFault::Expired) => "openid-state-expired",
            Self::State(StateFault::Elsewhere) => "openid-state-elsewhere",
            Self::Code { .. } => "openid-code",
            Self::Token(fault) => fault.code(),
            Self::Account { .. } => "openid-account",
            Self::Entropy => "openid-entropy",
        }
    }

    /// Its HTTP status (RFC 9110).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unreachable { .. } | Self::Provider { .. } => 503,
            Self::Entropy => 500,
            Self::Declined { .. }
            | Self::State(_)
            | Self::Code { .. }
            | Self::Token(_)
            | Self::Account { .. } => 401,
        }
    }

    /// What the audit trail keeps beside the code.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Unreachable { what } | Self::Provider { what } | Self::Code { what } => {
                Some(what)
            }
            Self::Declined { code } => Some(code),
            Self::Token(TokenFault::NoAccount { claim }) => Some(claim),
            Self::State(_) | Self::Token(_) | Self::Account { .. } | Self::Entropy => None,
        }
    }

    /// One line for people: what is wrong, and what to do.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Unreachable { .. } => lang.pick(
                "認証プロバイダーに接続できません。下のパスワードでログインするか、しばらくしてからもう一度どうぞ".to_owned(),
                "the OpenID provider cannot be reached: log in with your password below, or try again later".to_owned(),
            ),
            Self::Provider { .. } => lang.pick(
                "認証プロバイダーの応答が使えません。下のパスワードでログインし、運用者に連絡してください".to_owned(),
                "what the OpenID provider answers cannot be used: log in with your password below, and tell the operator".to_owned(),
            ),
            Self::Declined { code } => lang.pick(
                format!("認証プロバイダーがログインを認めませんでした({code})"),
                format!("the OpenID provider did not let you in ({code})"),
            ),
            Self::State(_) => lang.pick(
                "このログインは、このブラウザーで始めたものではないか、すでに使われたか、時間切れです。もう一度始めてください".to_owned(),
                "this log-in was not begun in this browser, was used already, or took too long: begin it again".to_owned(),
            ),
            Self::Code { .. } => lang.pick(
                "認証プロバイダーが確認を拒みました。もう一度始めてください".to_owned(),
                "the OpenID provider does not confirm this log-in: begin it again".to_owned(),
            ),
            Self::Token(TokenFault::Authentication) => lang.pick(
                "認証プロバイダーでの本人確認が足りません(多要素認証など)。認証方法を変えてもう一度どうぞ".to_owned(),
                "the way you were authenticated at the OpenID provider is not enough (a second factor, for one): log in there as your company demands".to_owned(),
            ),
            Self::Token(TokenFault::NoAccount { claim }) => lang.pick(
                format!("認証プロバイダーの応答に「{claim}」がありません。運用者に連絡してください"),
                format!("the OpenID provider does not tell '{claim}': tell the operator"),
            ),
            Self::Token(fault) => lang.pick(
                format!("認証プロバイダーの証明が確かめられません({})。運用者に連絡してください", fault.code()),
                format!("what the OpenID provider says cannot be verified ({}): tell the operator", fault.code()),
            ),
            Self::Account { openid } => lang.pick(
                format!("「{openid}」で使えるアカウントがありません。管理者に登録(申請と承認)を頼んでください"),
                format!("no account can be used by '{openid}': ask an administrator to have it registered and approved"),
            ),
            Self::Entropy => lang.pick(
                "乱数が得られません。運用者に連絡してください".to_owned(),
                "there is no randomness: tell the operator".to_owned(),
            ),
        }
    }
}

impl fmt::Display for OpenidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for OpenidError {}
