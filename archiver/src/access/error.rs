//! Why somebody is not let in, or something about accounts cannot be done.

use std::fmt;

use formats::id::EventId;

use super::role::Role;
use crate::cli::lang::Lang;

/// What is wrong with an act on accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessError {
    /// The text cannot name an account.
    Name {
        /// The text.
        name: String,
    },
    /// The account was closed; names are never used twice.
    NameUsed {
        /// The name.
        name: String,
    },
    /// No account has that name.
    NoAccount {
        /// The name.
        name: String,
    },
    /// Something about the account waits for approval already.
    RequestPending {
        /// The name.
        name: String,
    },
    /// A reason is missing.
    NoReason,
    /// An account needs a role.
    NoRole,
    /// Two roles that one account must not hold together.
    RolesConflict {
        /// One of them.
        one: Role,
        /// The other one.
        other: Role,
    },
    /// A system needs a client certificate, a person has none.
    Certificates {
        /// Whether it is a system.
        is_system: bool,
    },
    /// Another account has that certificate.
    CertificateUsed {
        /// Its SHA-256, hexadecimal.
        certificate: String,
    },
    /// A system logs in with its certificate alone.
    OpenidOfSystem,
    /// Another account is the one whom the OpenID provider names so.
    OpenidUsed {
        /// Whom it names.
        openid: String,
    },
    /// No request waits under that id.
    NoRequest {
        /// The id.
        request: EventId,
    },
    /// Nobody decided in time.
    RequestExpired {
        /// The id.
        request: EventId,
    },
    /// Whoever asked could not ask for it any more.
    RequesterLost {
        /// Who it was.
        person: String,
    },
    /// The second person must be another one.
    SamePerson {
        /// Who it was.
        person: String,
    },
    /// Fewer administrators would be left than there must be.
    TooFewAdministrators,
    /// The text cannot name a search.
    SearchName,
    /// The account keeps as many searches as it may.
    TooManySearches,
    /// A password that must not be used.
    Password(super::password::PasswordFault),
    /// The file of credentials cannot be read or written.
    Vault {
        /// What happened.
        what: String,
    },
}

impl AccessError {
    /// One clear line, with what to do next.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Name { name } => lang.pick(
                format!("アカウント名「{name}」は使えません。小文字で始まる英小文字・数字・「.」「_」「-」の 2〜64 字にしてください"),
                format!("'{name}' cannot name an account: use 2 to 64 of a-z, 0-9, '.', '_', '-', beginning with a letter"),
            ),
            Self::NameUsed { name } => lang.pick(
                format!("アカウント名「{name}」は終了したアカウントのものです。名前は再利用しません。別の名前にしてください"),
                format!("'{name}' was the name of an account that was closed; names are never used twice: choose another one"),
            ),
            Self::NoAccount { name } => lang.pick(
                format!("アカウント「{name}」はありません"),
                format!("there is no account '{name}'"),
            ),
            Self::RequestPending { name } => lang.pick(
                format!("アカウント「{name}」には承認待ちの申請があります。先に承認か却下をしてください"),
                format!("a request about '{name}' waits for approval: approve or refuse it first"),
            ),
            Self::NoReason => lang.pick("理由を書いてください".to_owned(), "give a reason".to_owned()),
            Self::NoRole => lang.pick(
                "役割を 1 つ以上選んでください".to_owned(),
                "choose one role or more".to_owned(),
            ),
            Self::RolesConflict { one, other } => lang.pick(
                format!("「{}」と「{}」は同じ人が兼ねられません。別のアカウント(別の人)に分けてください", one.title(lang), other.title(lang)),
                format!("{} and {} must not be held together: give them to different people", one.title(lang), other.title(lang)),
            ),
            Self::Certificates { is_system: true } => lang.pick(
                "システムのアカウントにはクライアント証明書が要ります".to_owned(),
                "the account of a system needs a client certificate".to_owned(),
            ),
            Self::Certificates { is_system: false } => lang.pick(
                "人のアカウントにクライアント証明書は登録できません".to_owned(),
                "the account of a person has no client certificate".to_owned(),
            ),
            Self::CertificateUsed { certificate } => lang.pick(
                format!("この証明書(SHA-256 {certificate})は別のアカウントに登録されています"),
                format!("another account has this certificate (SHA-256 {certificate})"),
            ),
            Self::OpenidOfSystem => lang.pick(
                "システムのアカウントに OpenID の識別子は登録できません".to_owned(),
                "the account of a system has no OpenID subject".to_owned(),
            ),
            Self::OpenidUsed { openid } => lang.pick(
                format!("OpenID の識別子「{openid}」は別のアカウント(承認待ちを含む)に登録されています"),
                format!("another account, or one that waits for approval, has the OpenID subject '{openid}'"),
            ),
            Self::NoRequest { request } => gone_text(*request, lang),
            Self::RequestExpired { request } => expired_text(*request, lang),
            Self::RequesterLost { person } => lost_text(person, lang),
            Self::SamePerson { person } => lang.pick(
                format!("「{person}」は申請者か対象者本人です。別の人が行ってください"),
                format!("'{person}' asked for it, or it is about that account: another person must do it"),
            ),
            Self::SearchName | Self::TooManySearches => self.search_text(lang).to_owned(),
            Self::TooFewAdministrators => lang.pick(
                "管理者は 2 人以上必要です。先に別の人を管理者にしてください".to_owned(),
                "two administrators are the least: make another person one first".to_owned(),
            ),
            Self::Password(fault) => fault.text(lang),
            Self::Vault { what } => lang.pick(
                format!("認証情報を読み書きできません: {what}"),
                format!("the credentials cannot be read or written: {what}"),
            ),
        }
    }
}

fn gone_text(request: EventId, lang: Lang) -> String {
    lang.pick(
        format!("承認待ちの申請 {request} はありません(処理済みかもしれません)"),
        format!("no request {request} waits; it may have been decided already"),
    )
}

fn expired_text(request: EventId, lang: Lang) -> String {
    lang.pick(
        format!("申請 {request} は期限を過ぎて無効になりました。必要であれば、もう一度申請してください"),
        format!("request {request} was not decided in time and is over: ask again where it is still wanted"),
    )
}

fn lost_text(person: &str, lang: Lang) -> String {
    lang.pick(
        format!("申請者「{person}」は、今はこの申請をできる人ではありません。却下して、できる人が申請し直してください"),
        format!("'{person}', who asked, could not ask for it any more: refuse it, and have somebody ask who may"),
    )
}

impl AccessError {
    const fn search_text(&self, lang: Lang) -> &'static str {
        match (matches!(self, Self::SearchName), lang) {
            (true, Lang::Ja) => "検索の名前は 1〜100 字で、前後に空白を付けずに入力してください",
            (true, Lang::En) => "name the search in 1 to 100 characters, without spaces around it",
            (false, Lang::Ja) => "保存できる検索は 50 件までです。要らないものを消してください",
            (false, Lang::En) => "50 searches can be kept: drop one first",
        }
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for AccessError {}
