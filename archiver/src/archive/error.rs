//! Why an archive cannot be made, opened or used: the errors of its parts under one roof.

use std::path::PathBuf;

use crate::class::ClassError;
use crate::config::ConfigError;
use crate::content::SealError;
use crate::keys::KeyError;
use crate::media::Disagreement;
use crate::record::error::DepositError;
use crate::signature::SignatureError;
use crate::store::StoreError;
use crate::tsa::error::EmbeddedError;
use crate::tsa::registry::RegistryError;
use crate::tsa::vault::VaultError;

/// Why an archive cannot be made, opened or used. Each text says where and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The configuration.
    Config(ConfigError),
    /// The key medium.
    Keys(KeyError),
    /// Another medium is mounted where the key medium should be.
    KeyMedium(Disagreement),
    /// A data medium or the index.
    Store(StoreError),
    /// A class file.
    Class(ClassError),
    /// Sealing or opening content.
    Seal(SealError),
    /// Taking records in.
    Deposit(DepositError),
    /// The embedded time-stamping authority.
    Authority(EmbeddedError),
    /// The embedded authority's place on the key medium.
    Vault(VaultError),
    /// A time-stamping authority cannot be used as it is configured. Correct the configuration.
    Tsa {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of trust anchors or TLS roots cannot be used. Correct the configuration.
    TrustFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A trust anchor is no certificate that can be read. Correct `trust` in the configuration.
    TrustAnchor,
    /// The registry of accredited authorities cannot be used. Correct it, or the configuration.
    Registry(RegistryError),
    /// The algorithm policy cannot be used. Correct it, or the configuration.
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A configuration stands there already; it is not overwritten. Choose another place, or use the archive that is there.
    AlreadyConfigured {
        /// The file.
        path: PathBuf,
    },
    /// The machine does not tell what is needed (the boot id, free space). Mount `/proc`.
    Machine(firmware::media::MediaError),
    /// The archive's signing key, or a signature.
    Signature(SignatureError),
    /// The random source failed.
    Entropy(firmware::entropy::EntropyError),
}

impl std::fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::KeyMedium(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Class(error) => f.write_str(&error.text(crate::cli::lang::Lang::En)),
            Self::Seal(error) => error.fmt(f),
            Self::Deposit(error) => f.write_str(&error.text(crate::cli::lang::Lang::En)),
            Self::Authority(error) => error.fmt(f),
            Self::Vault(error) => error.fmt(f),
            Self::Tsa { name, reason } => write!(
                f,
                "time-stamping authority {name}: {reason}; correct the configuration"
            ),
            Self::TrustAnchor => f.write_str(
                "a trust anchor is no certificate that can be read: check trust in the configuration",
            ),
            Self::TrustFile { path, source } => {
                write!(f, "{}: {source}; correct the configuration", path.display())
            }
            Self::Registry(error) => {
                write!(f, "registry of accredited authorities {error}; correct it")
            }
            Self::Policy { path, reason } => write!(
                f,
                "algorithm policy {}: {reason}; correct it, or the configuration",
                path.display()
            ),
            Self::AlreadyConfigured { path } => write!(
                f,
                "{} is there already and is not overwritten: use that archive, or name another file with --config",
                path.display()
            ),
            Self::Machine(error) => error.fmt(f),
            Self::Signature(error) => error.fmt(f),
            Self::Entropy(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ArchiveError {}

impl ArchiveError {
    /// Whether another process is at work in the archive: most often the service, and soon gone.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Locked { .. } | StoreError::IndexInUse { .. })
                | Self::Keys(KeyError::InUse { .. })
        )
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident),* $(,)?) => {
        $(impl From<$source> for ArchiveError {
            fn from(error: $source) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    ConfigError => Config,
    KeyError => Keys,
    StoreError => Store,
    ClassError => Class,
    SealError => Seal,
    DepositError => Deposit,
    EmbeddedError => Authority,
    VaultError => Vault,
    SignatureError => Signature,
    RegistryError => Registry,
    firmware::media::MediaError => Machine,
    firmware::entropy::EntropyError => Entropy,
}
