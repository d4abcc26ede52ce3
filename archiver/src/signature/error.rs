//! Why the archive cannot sign.

use std::fmt;
use std::io;
use std::path::PathBuf;

use firmware::entropy::EntropyError;
use formats::error::FormatError;
use formats::id::VersionId;

use crate::cli::lang::Lang;
use crate::keys::KeyError;
use crate::record::error::RetrieveError;
use crate::store::StoreError;
use crate::tsa::error::EmbeddedError;
use crate::tsa::refusal::TsaError;

/// Why a signature could not be made, raised, stored or found.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignatureError {
    /// The key medium holds no signing key. Make one with `archiver keys signing create`.
    NoKey {
        /// The folder where it is looked for.
        path: PathBuf,
    },
    /// The key medium holds a signing key already; it is never overwritten. Replace it with `archiver keys signing request` and `install`.
    AlreadyCreated {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read or written. Look at the key medium.
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A private key could not be sealed or opened.
    Keys(KeyError),
    /// A key or certificate of the folder `signing` is damaged. Restore it from the copy of the key medium.
    Damaged {
        /// What is damaged.
        what: &'static str,
    },
    /// A certificate chain cannot be installed. Ask the certificate authority.
    Chain {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The random source failed.
    Entropy,
    /// A signature or token cannot be read or written.
    Format(FormatError),
    /// No authority gave a timestamp. The signature keeps its level, and is raised later.
    Authority(TsaError),
    /// A data medium or the index.
    Store(StoreError),
    /// The record cannot be read.
    Retrieve(RetrieveError),
    /// A stored signature or receipt was changed, or belongs elsewhere. Run `archiver verify`.
    Sealed {
        /// Whose it is: a version or a receipt.
        owner: String,
    },
    /// The record has no signature. Its class asks for none, or it is not signed yet: `archiver stamp` does it.
    NoSignature {
        /// The version.
        version: VersionId,
    },
}

impl SignatureError {
    /// What is wrong and what to do, in one line.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let ja = match self {
            Self::NoKey { path } => format!(
                "{} に署名鍵がありません。archiver keys signing create で作ってください",
                path.display()
            ),
            Self::AlreadyCreated { path } => format!(
                "{} にはすでに署名鍵があり、上書きしません。証明書を替えるには archiver keys signing request と install を使ってください",
                path.display()
            ),
            Self::Io { path, source } => {
                format!("{}: {source}。鍵媒体を確かめてください", path.display())
            }
            Self::Damaged { what } => format!(
                "署名鍵のフォルダが壊れています({what})。鍵媒体の写しから signing を戻してください"
            ),
            Self::Chain { reason } => format!("証明書の鎖を入れられません: {reason}"),
            Self::Authority(error) => format!("署名にタイムスタンプを付けられません: {error}"),
            Self::Retrieve(error) => error.text(lang),
            Self::Sealed { owner } => format!(
                "{owner} の署名が変えられているか、別のものです。archiver verify で確かめてください"
            ),
            Self::NoSignature { version } => format!(
                "記録 {version} には署名がありません。保管要件が求めていないか、archiver stamp がまだです"
            ),
            Self::Keys(_) | Self::Entropy | Self::Format(_) | Self::Store(_) => self.to_string(),
        };
        lang.pick(ja, self.to_string())
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey { path } => write!(
                f,
                "no signing key in {}: make one with 'archiver keys signing create'",
                path.display()
            ),
            Self::AlreadyCreated { path } => write!(
                f,
                "{} already holds a signing key, which is never overwritten: replace its certificate with 'archiver keys signing request' and 'install'",
                path.display()
            ),
            Self::Io { path, source } => {
                write!(f, "{}: {source}; look at the key medium", path.display())
            }
            Self::Keys(error) => error.fmt(f),
            Self::Damaged { what } => write!(
                f,
                "{what} is damaged: restore the folder 'signing' of the key medium from its copy"
            ),
            Self::Chain { reason } => write!(f, "the chain cannot be installed: {reason}"),
            Self::Entropy => f.write_str("the random source gives no usable key material"),
            Self::Format(error) => write!(f, "the signature cannot be read or written: {error}"),
            Self::Authority(error) => write!(f, "no timestamp for the signature: {error}"),
            Self::Store(error) => error.fmt(f),
            Self::Retrieve(error) => error.fmt(f),
            Self::Sealed { owner } => write!(
                f,
                "the stored signature of {owner} was changed or belongs elsewhere: run 'archiver verify'"
            ),
            Self::NoSignature { version } => write!(
                f,
                "{version} has no signature: its class asks for none, or 'archiver stamp' has not run yet"
            ),
        }
    }
}

impl std::error::Error for SignatureError {}

macro_rules! from {
    ($($source:ty => $variant:ident),* $(,)?) => {
        $(impl From<$source> for SignatureError {
            fn from(error: $source) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    KeyError => Keys,
    FormatError => Format,
    TsaError => Authority,
    StoreError => Store,
    RetrieveError => Retrieve,
}

impl From<EmbeddedError> for SignatureError {
    fn from(error: EmbeddedError) -> Self {
        match error {
            EmbeddedError::Entropy => Self::Entropy,
            EmbeddedError::Key => Self::Damaged {
                what: "the signing key",
            },
            EmbeddedError::Certificate | EmbeddedError::Encoding => Self::Damaged {
                what: "a signing certificate",
            },
        }
    }
}

impl From<EntropyError> for SignatureError {
    fn from(_: EntropyError) -> Self {
        Self::Entropy
    }
}
