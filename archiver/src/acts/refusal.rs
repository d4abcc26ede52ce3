//! Why an act was not done: a stable code for programs, a line for people.

use formats::id::VersionId;

use crate::access::session::Standing;
use crate::access::{AccessError, Right};
use crate::archive::ArchiveError;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::evidence::package::ExportError;
use crate::intake::{IntakeError, MetadataError};
use crate::keys::KeyError;
use crate::openid::OpenidError;
use crate::record::error::{DepositError, RetrieveError};
use crate::store::StoreError;
use crate::upload::UploadError;

/// Why an act was not done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is logged in, or the session is over.
    LogInWanted,
    /// Name, password or code is wrong, or the account is locked: which, is told to nobody.
    LogInWrong,
    /// The password is right; a code of the authenticator is wanted besides.
    CodeWanted,
    /// The session proves less than the act wants.
    Standing(Standing),
    /// The account has no role that may do this.
    NotAllowed {
        /// What it takes.
        right: Right,
    },
    /// The form, or the request that came with a cookie, does not carry the session's token.
    FormToken,
    /// Too many requests in too short a time.
    TooMany {
        /// After so many seconds there may be another one.
        seconds: u32,
    },
    /// There is no such thing, or not for this account.
    NotFound,
    /// A value that cannot be used.
    Invalid {
        /// The field.
        field: &'static str,
        /// What it must be: Japanese, English.
        text: (String, String),
    },
    /// About accounts and passwords.
    Access(AccessError),
    /// Metadata that cannot be used.
    Metadata(MetadataError),
    /// What was sent cannot be taken in.
    Intake(IntakeError),
    /// More bytes than one deposit may have.
    TooLarge {
        /// The most.
        bytes_max: u64,
    },
    /// The body ended before its end.
    CutOff,
    /// The same key of idempotency came with something else.
    KeyReused,
    /// The version waits for its timestamp.
    NotStamped {
        /// The version.
        version: VersionId,
    },
    /// The work is under way already.
    Busy,
    /// The index is being made: the answer would not be whole.
    Filling,
    /// The audit trail cannot be written: nothing is served until that is mended.
    AuditStopped {
        /// What failed.
        why: String,
    },
    /// The archive or a part of it failed.
    Archive(ArchiveError),
    /// A record cannot be read.
    Retrieve(RetrieveError),
    /// The evidence cannot be made.
    Evidence(String),
    /// Nobody was let in by the OpenID provider.
    Openid(OpenidError),
    /// About a deposit in parts.
    Upload(UploadError),
}

impl Refusal {
    /// A value that cannot be used.
    #[must_use]
    pub fn invalid(field: &'static str, ja: &str, en: &str) -> Self {
        Self::Invalid {
            field,
            text: (ja.to_owned(), en.to_owned()),
        }
    }

    /// Its HTTP status (RFC 9110).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::LogInWanted | Self::LogInWrong | Self::CodeWanted => 401,
            Self::Standing(_) | Self::NotAllowed { .. } | Self::FormToken => 403,
            Self::TooMany { .. } => 429,
            Self::NotFound => 404,
            Self::Access(AccessError::NoAccount { .. } | AccessError::NoRequest { .. }) => 404,
            Self::Access(AccessError::Vault { .. }) => 500,
            Self::Access(AccessError::SamePerson { .. }) => 403,
            Self::Access(
                AccessError::NameUsed { .. }
                | AccessError::RequestPending { .. }
                | AccessError::RequestExpired { .. }
                | AccessError::RequesterLost { .. }
                | AccessError::CertificateUsed { .. }
                | AccessError::OpenidUsed { .. },
            ) => 409,
            Self::Access(_) | Self::Invalid { .. } | Self::Metadata(_) | Self::KeyReused => 422,
            Self::Intake(_) => 422,
            Self::CutOff => 400,
            Self::TooLarge { .. } => 413,
            Self::NotStamped { .. } | Self::Busy => 409,
            Self::Filling | Self::AuditStopped { .. } => 503,
            Self::Archive(error) if is_full(error) => 507,
            Self::Archive(error) if is_out_of_service(error) => 503,
            Self::Archive(_) | Self::Evidence(_) => 500,
            Self::Retrieve(error) => retrieve_status(error),
            Self::Openid(error) => error.status(),
            Self::Upload(error) => error.status(),
        }
    }

    /// Its code: stable, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LogInWanted => "login-wanted",
            Self::LogInWrong => "login-wrong",
            Self::CodeWanted => "code-wanted",
            Self::Standing(Standing::MustChangePassword) => "password-change-wanted",
            Self::Standing(Standing::MustSetSecondFactor) => "authenticator-wanted",
            Self::Standing(Standing::Full) => "login-done",
            Self::NotAllowed { .. } => "not-allowed",
            Self::FormToken => "form-token",
            Self::TooMany { .. } => "too-many",
            Self::NotFound => "not-found",
            Self::Invalid { .. } => "invalid-value",
            Self::Access(AccessError::Password(_)) => "password-refused",
            Self::Access(AccessError::SamePerson { .. }) => "second-person-wanted",
            Self::Access(_) => "account",
            Self::Metadata(_) => "metadata",
            Self::Intake(_) => "intake",
            Self::TooLarge { .. } => "too-large",
            Self::CutOff => "cut-off",
            Self::KeyReused => "idempotency-key-reused",
            Self::NotStamped { .. } => "not-stamped",
            Self::Busy => "busy",
            Self::Filling => "index-filling",
            Self::AuditStopped { .. } => "audit-stopped",
            Self::Archive(_) => "archive",
            Self::Retrieve(RetrieveError::Keys(KeyError::KeyDestroyed { .. })) => "destroyed",
            Self::Retrieve(RetrieveError::NotFound { .. } | RetrieveError::NoObject { .. }) => {
                "not-found"
            }
            Self::Retrieve(RetrieveError::Quarantined { .. }) => "quarantined",
            Self::Retrieve(_) => "unreadable",
            Self::Evidence(_) => "evidence",
            Self::Openid(error) => error.code(),
            Self::Upload(error) => error.code(),
        }
    }

    /// One line for people: what is wrong, and what to do.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        if let Some((ja, en)) = self.plain() {
            return lang.pick(ja, en).to_owned();
        }
        match self {
            Self::TooMany { seconds } => lang.pick(
                format!("要求が多すぎます。{seconds} 秒後にもう一度どうぞ"),
                format!("too many requests: try again in {seconds} seconds"),
            ),
            Self::Invalid { text, .. } => lang.pick(text.0.clone(), text.1.clone()),
            Self::Access(error) => error.text(lang),
            Self::Metadata(error) => error.text(lang),
            Self::Intake(error) => error.text(lang),
            Self::TooLarge { bytes_max } => lang.pick(
                format!("大きすぎます。{bytes_max} バイトまでです"),
                format!("too large: {bytes_max} bytes are the most"),
            ),
            Self::NotStamped { version } => lang.pick(
                format!("記録 {version} はまだタイムスタンプを待っています"),
                format!("record {version} still waits for its timestamp"),
            ),
            Self::AuditStopped { why } => lang.pick(
                format!("監査証跡に書けないため、サービスを止めています。運用者に連絡してください({why})"),
                format!("the audit trail cannot be written, so the service has stopped; tell the operator ({why})"),
            ),
            Self::Archive(error) => crate::cli::archive_texts::archive_text(error, lang),
            Self::Retrieve(RetrieveError::Keys(error)) => {
                lang.pick(crate::cli::key_texts::key(error), error.to_string())
            }
            Self::Retrieve(error) => error.text(lang),
            Self::Evidence(why) => lang.pick(
                format!("証拠を作れません: {why}"),
                format!("the evidence cannot be made: {why}"),
            ),
            Self::Openid(error) => error.text(lang),
            Self::Upload(error) => error.text(lang),
            Self::LogInWanted
            | Self::LogInWrong
            | Self::CodeWanted
            | Self::Standing(_)
            | Self::NotAllowed { .. }
            | Self::FormToken
            | Self::NotFound
            | Self::CutOff
            | Self::KeyReused
            | Self::Busy
            | Self::Filling => String::new(),
        }
    }

    /// The lines that name nothing: Japanese, English.
    const fn plain(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::LogInWanted => (
                "ログインしていないか、時間切れです。ログインしてください",
                "nobody is logged in, or the session is over: log in",
            ),
            Self::LogInWrong => (
                "アカウント名、パスワード、確認コードのいずれかが違うか、アカウントがロックされています。続けて間違えるとロックされます",
                "name, password or code is wrong, or the account is locked for now; several wrong ones in a row lock it",
            ),
            Self::CodeWanted => (
                "認証アプリの確認コードを入力してください",
                "enter the code of your authenticator as well",
            ),
            Self::Standing(Standing::MustChangePassword) => (
                "先にパスワードを変更してください",
                "change your password first",
            ),
            Self::Standing(Standing::MustSetSecondFactor) => (
                "先に認証アプリを登録してください",
                "set up your authenticator first",
            ),
            Self::Standing(Standing::Full) => ("すでに済んでいます", "that is done already"),
            Self::NotAllowed { .. } => (
                "この操作の権限がありません。必要であれば管理者に役割を申請してください",
                "your roles do not allow this; ask an administrator for one that does",
            ),
            Self::FormToken => (
                "画面が古くなっています。読み込み直してからもう一度操作してください",
                "the page is out of date: load it again and repeat what you did",
            ),
            Self::NotFound => (
                "見つかりません。ないか、閲覧できる範囲の外です",
                "there is no such thing, or not within what you may see",
            ),
            Self::CutOff => (
                "送信が途中で切れました。預け入れていません。もう一度送ってください",
                "the transfer was cut off; nothing was deposited: send it again",
            ),
            Self::KeyReused => (
                "同じ Idempotency-Key が別の内容に使われています。新しいキーにしてください",
                "this Idempotency-Key came with another request before: choose a new one",
            ),
            Self::Busy => (
                "同じ処理が実行中です。終わってからもう一度どうぞ",
                "that work is under way; try again when it is done",
            ),
            Self::Filling => (
                "索引を作り直しています。終わるまでお待ちください",
                "the index is being made anew: try again when it is whole",
            ),
            Self::TooMany { .. }
            | Self::Invalid { .. }
            | Self::Access(_)
            | Self::Metadata(_)
            | Self::Intake(_)
            | Self::TooLarge { .. }
            | Self::NotStamped { .. }
            | Self::AuditStopped { .. }
            | Self::Archive(_)
            | Self::Retrieve(_)
            | Self::Evidence(_)
            | Self::Openid(_)
            | Self::Upload(_) => return None,
        })
    }
}

fn is_full(error: &ArchiveError) -> bool {
    if let ArchiveError::Deposit(error) = error {
        return error.is_medium_full();
    }
    matches!(error, ArchiveError::Store(error) if error.is_medium_full())
}

fn is_out_of_service(error: &ArchiveError) -> bool {
    matches!(
        error,
        ArchiveError::Store(_)
            | ArchiveError::Deposit(DepositError::Store(_) | DepositError::Keys(_))
    )
}

fn retrieve_status(error: &RetrieveError) -> u16 {
    if matches!(
        error,
        RetrieveError::NotFound { .. } | RetrieveError::NoObject { .. }
    ) {
        404
    } else if matches!(error, RetrieveError::Quarantined { .. }) {
        403
    } else if matches!(error, RetrieveError::Keys(KeyError::KeyDestroyed { .. })) {
        410
    } else {
        500
    }
}

impl From<ArchiveError> for Refusal {
    fn from(error: ArchiveError) -> Self {
        if matches!(error, ArchiveError::Store(StoreError::IndexFilling { .. })) {
            return Self::Filling;
        }
        Self::Archive(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        ArchiveError::from(error).into()
    }
}

impl From<DepositError> for Refusal {
    fn from(error: DepositError) -> Self {
        ArchiveError::from(error).into()
    }
}

impl From<RetrieveError> for Refusal {
    fn from(error: RetrieveError) -> Self {
        if matches!(error, RetrieveError::Store(StoreError::IndexFilling { .. })) {
            return Self::Filling;
        }
        Self::Retrieve(error)
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<MetadataError> for Refusal {
    fn from(error: MetadataError) -> Self {
        Self::Metadata(error)
    }
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NotStamped { version } => Self::NotStamped { version },
            ExportError::Retrieve(error) => error.into(),
            other @ (ExportError::Assemble(_)
            | ExportError::Write(_)
            | ExportError::Machine(_)
            | ExportError::Audit(_)
            | ExportError::Signature(_)) => Self::Evidence(other.to_string()),
        }
    }
}

impl From<OpenidError> for Refusal {
    fn from(error: OpenidError) -> Self {
        Self::Openid(error)
    }
}

impl From<UploadError> for Refusal {
    fn from(error: UploadError) -> Self {
        Self::Upload(error)
    }
}

/// The line of a command's failure, for work that both share.
impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Archive(error) => error.into(),
            Failure::Retrieve(error) => error.into(),
            Failure::Metadata(error) => error.into(),
            failure @ (Failure::Stamp(_) | Failure::Said { .. }) => {
                Self::Evidence(failure.text(Lang::En))
            }
        }
    }
}
