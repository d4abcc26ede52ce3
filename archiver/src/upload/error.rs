//! What can be wrong with an upload.

use std::io;

use crate::cli::lang::Lang;
use crate::keys::KeyError;

/// Why an upload does not go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum UploadError {
    /// There is none, or not of this account.
    NotFound,
    /// The part does not begin where the one before ended.
    Offset {
        /// Where it must begin, in bytes.
        expected: u64,
    },
    /// More bytes than were announced.
    TooMuch {
        /// Bytes that were announced.
        length: u64,
    },
    /// It was said to be the last part, and bytes are missing.
    TooFew {
        /// Bytes that came.
        offset: u64,
        /// Bytes that were announced.
        length: u64,
    },
    /// The content has another SHA-256 than was announced.
    Digest,
    /// What waited on the disk is not what was written.
    Damaged,
    /// As many wait as may.
    TooMany {
        /// The most.
        most: usize,
    },
    /// The same key of idempotency came with something else.
    KeyReused,
    /// It is being deposited.
    Busy,
    /// The part ended before its end, or another request took its place. What came stays.
    CutOff,
    /// The folder of uploads cannot be read or written.
    Storage(io::Error),
    /// A key cannot be made or found.
    Keys(KeyError),
}

impl UploadError {
    /// Its HTTP status (RFC 9110).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Offset { .. } | Self::Busy => 409,
            Self::TooMuch { .. } | Self::TooFew { .. } | Self::Digest | Self::KeyReused => 422,
            Self::TooMany { .. } => 429,
            Self::CutOff => 400,
            Self::Storage(error) if is_full(error) => 507,
            Self::Storage(_) | Self::Keys(_) => 503,
            Self::Damaged => 500,
        }
    }

    /// Its code: stable, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Offset { .. } => "upload-offset",
            Self::TooMuch { .. } | Self::TooFew { .. } => "upload-length",
            Self::Digest => "upload-digest",
            Self::Damaged => "upload-damaged",
            Self::TooMany { .. } => "too-many-uploads",
            Self::KeyReused => "idempotency-key-reused",
            Self::Busy => "busy",
            Self::CutOff => "cut-off",
            Self::Storage(_) | Self::Keys(_) => "upload-storage",
        }
    }

    /// One line for people: what is wrong, and what to do.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let (ja, en) = match self {
            Self::NotFound => (
                "送信はありません。期限が切れたか、取り消されました。初めから送ってください".to_owned(),
                "there is no such upload; it is over or was given up: begin anew".to_owned(),
            ),
            Self::Offset { expected } => (
                format!("{expected} バイト目から続けてください"),
                format!("go on at byte {expected}"),
            ),
            Self::TooMuch { length } => (
                format!("予告された {length} バイトを超えています。預け入れていません"),
                format!("more than the {length} bytes that were announced; nothing was deposited"),
            ),
            Self::TooFew { offset, length } => (
                format!("予告された {length} バイトのうち {offset} バイトしか届いていません。続きを送ってください"),
                format!("{offset} of the {length} bytes that were announced have come: send the rest"),
            ),
            Self::Digest => (
                "届いた内容の SHA-256 が予告と違います。預け入れていません。初めから送ってください".to_owned(),
                "the SHA-256 of what came is not the announced one; nothing was deposited: begin anew".to_owned(),
            ),
            Self::Damaged => (
                "届いていた部分がサービスのディスク上で壊れていました。預け入れていません。初めから送り、運用者に知らせてください".to_owned(),
                "what had come was damaged on the disk of the service; nothing was deposited: begin anew, and tell the operator".to_owned(),
            ),
            Self::TooMany { most } => (
                format!("途中の送信が多すぎます({most} 件まで)。ほかを終えるか取り消してください"),
                format!("too many uploads wait ({most} are the most): finish or give up others first"),
            ),
            Self::KeyReused => (
                "同じ Idempotency-Key が別の内容に使われています。新しいキーにしてください".to_owned(),
                "this Idempotency-Key came with another request before: choose a new one".to_owned(),
            ),
            Self::Busy => (
                "預け入れ中です。少し待ってからもう一度どうぞ".to_owned(),
                "it is being deposited: ask again in a while".to_owned(),
            ),
            Self::CutOff => (
                "送信が途中で切れました。届いた分は残っています。続きから送ってください".to_owned(),
                "the transfer was cut off; what came is kept: ask for the offset, and go on there".to_owned(),
            ),
            Self::Storage(error) if is_full(error) => (
                "途中の送信を置く場所がいっぱいです。届いた分は残っています。運用者に知らせてください".to_owned(),
                "the place where uploads wait is full; what came is kept: tell the operator".to_owned(),
            ),
            Self::Storage(error) => (
                format!("途中の送信を置く場所に書けないか、読めません。運用者に知らせてください: {error}"),
                format!("the place where uploads wait cannot be written or read: tell the operator: {error}"),
            ),
            Self::Keys(error) => (
                format!("途中の送信の鍵を使えません。運用者に知らせてください: {error}"),
                format!("the key of uploads cannot be used: tell the operator: {error}"),
            ),
        };
        lang.pick(ja, en)
    }
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        Self::Storage(error)
    }
}

impl From<KeyError> for UploadError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
