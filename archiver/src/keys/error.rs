//! What can go wrong with keys, and what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use firmware::entropy::EntropyError;
use firmware::media::MediaError;
use formats::id::{ArchiveId, MediumId};
use time::OffsetDateTime;

use super::ledger::CustodyDiverging;
use super::provider::custodians::ShareError;
use super::provider::token::TokenError;
use super::secret::KeyOwner;

/// Why a key could not be made, kept or found. Holds no secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The key medium is not where it should be: the directory is missing, or holds no `kek.json` (an empty mount point).
    /// Attach and mount the key medium, or correct the path.
    MediumMissing {
        /// Where the key medium was expected.
        path: PathBuf,
    },
    /// The file is whole, but the passphrase does not open it. Try again; look at the keyboard layout.
    WrongPassphrase,
    /// A file on the key medium was changed or is damaged. Restore it from the copy of the key medium.
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// The part of the file.
        part: &'static str,
    },
    /// A file on the key medium is of a later format. Use a newer program.
    UnsupportedFormat {
        /// The file.
        path: PathBuf,
    },
    /// The key medium belongs to another archive. Attach the right one.
    OtherArchive {
        /// Where the key medium was expected.
        path: PathBuf,
        /// The archive to open.
        expected: ArchiveId,
        /// The archive that the key medium names.
        found: ArchiveId,
    },
    /// The label says that this medium is for data. Attach the key medium, or correct the path.
    NotAKeyMedium {
        /// The label.
        path: PathBuf,
    },
    /// Keys stand there already. Choose an empty directory: an existing key medium is never overwritten.
    AlreadyCreated {
        /// The file that stands there.
        path: PathBuf,
    },
    /// Another process writes to this ledger. Wait for it, or end it.
    InUse {
        /// The ledger file.
        path: PathBuf,
    },
    /// A key was wrapped under a KEK epoch that the key medium does not hold. Attach the key medium that holds it.
    UnknownEpoch {
        /// The epoch of the wrapped key.
        epoch: u32,
    },
    /// The current epoch of the key-encryption key cannot be destroyed. Make a new one first.
    EpochInUse {
        /// The epoch.
        epoch: u32,
    },
    /// The ledger holds no key for this version: it was destroyed, or its deposit was never acknowledged.
    KeyMissing {
        /// The version.
        owner: KeyOwner,
        /// How many entries of the ledger are damaged: where it is not 0, the key may stand in one of them.
        damaged_entries: u64,
    },
    /// The key of this version was destroyed: its content is gone for good.
    KeyDestroyed {
        /// The version.
        owner: KeyOwner,
        /// When.
        at: OffsetDateTime,
    },
    /// Fewer key media are there than the configuration asks for.
    CopiesMissing {
        /// Those that are not there, or failed.
        missing: Vec<PathBuf>,
        /// How many must be there (`keys.copies_min`).
        copies_min: usize,
    },
    /// A copy of the key medium holds keys that the latest one does not, and was not there when the keys were rotated: whether they were
    /// destroyed nobody can tell. Look which medium is the right one; `archiver keys copy` makes the other one anew.
    CopiesDiverge {
        /// The copy.
        path: PathBuf,
        /// How many keys only it holds.
        keys: u64,
    },
    /// The key medium that was to be overwritten knows of destroyed keys that the others still hold: they would come back. Use that medium, and make
    /// the others anew from it.
    DestructionsUnknown {
        /// The medium.
        path: PathBuf,
        /// How many destroyed keys only it knows of.
        keys: u64,
    },
    /// Key media went on apart from each other and hold different key-encryption keys: bringing them into step would destroy the only key of
    /// what was wrapped meanwhile. Nothing was written. Attach only one of them; `archiver keys copy` makes the other one anew.
    KeysDiverge {
        /// The provider's file on one of them.
        one: PathBuf,
        /// The provider's file on the other.
        other: PathBuf,
    },
    /// The ledger's entry for this version does not open: it was changed. Restore the ledger from the copy of the key medium.
    KeyDamaged {
        /// The version.
        owner: KeyOwner,
    },
    /// Damaged entries of the ledger open on no key medium that is there, and a rotation would lose them for good. Nothing was changed. Attach a copy
    /// that is whole, or make the damaged medium anew from it, or give them up.
    EntriesDamaged {
        /// The key medium on which one of them stands.
        path: PathBuf,
        /// How many.
        entries: u64,
    },
    /// Two key media whose passphrase or ceremony was changed apart.
    CustodyDiverges(Box<CustodyDiverging>),
    /// No medium with this id is on the list: of the copies of the key medium, or of those of intake hosts. `archiver keys inventory` shows both.
    MediumUnlisted {
        /// The id.
        medium: MediumId,
    },
    /// A medium that somebody says is no more stands where it was last. Destroy it first.
    MediumStillThere {
        /// Where.
        path: PathBuf,
    },
    /// A key was asked for a version that has one. A key must never seal two contents.
    AlreadyHasKey {
        /// The version.
        owner: KeyOwner,
    },
    /// A sealed secret on the key medium does not open: it was changed, or belongs under another label.
    SecretDamaged {
        /// What the secret is for.
        label: &'static str,
    },
    /// A share, or the shares together, do not unlock. The share is named.
    Share(ShareError),
    /// The token that holds the key-encryption keys, or its library, is not right.
    Token(TokenError),
    /// Two key media hold the files of different providers: one of them is that of an intake host, or of another archive's kind. Nothing is
    /// written to either. Unmount the one that does not belong, or take it out of `key_copies`.
    ProvidersDiffer {
        /// The file on one medium.
        one: PathBuf,
        /// The file on the other.
        other: PathBuf,
    },
    /// This key medium is that of an intake host: it takes records in and reads none. Use the archive's key medium.
    WriteOnly,
    /// The key medium of an intake host holds as many keys as it may. Have the archive accept what it took in, and make it anew.
    IntakeFull,
    /// Not the key medium of an intake host of this archive.
    NotAnIntake {
        /// Its provider's file.
        path: PathBuf,
    },
    /// Shares were given, but a passphrase seals the key medium. Give the passphrase.
    NoCustodians,
    /// The key that was held for this archive opens the key medium no more: passphrase or custodians were changed. Unlock again.
    HeldKeyStale,
    /// The parameters of the key derivation are outside of what this program accepts. The file was changed.
    KeyDerivation,
    /// Destroying needs two people: who does it, and somebody else who approved it.
    TwoPeople,
    /// Too many versions for one act. Destroy them in several.
    TooMany {
        /// How many at most.
        max: usize,
    },
    /// Two key media stand on one device: what destroys one destroys the other. Use another device, or `--evaluation` for a trial.
    CopiesOnOneDevice {
        /// One of them.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// The ledger was opened for reading only.
    ReadOnly,
    /// An earlier write to the ledger failed, so nothing more is written to it. Correct the cause and start again.
    Stopped,
    /// The key medium and a data medium stand on one device: who takes one takes both. Use another device, or
    /// `--evaluation` for a trial.
    SameDevice {
        /// The key medium.
        keys: PathBuf,
        /// The data medium.
        data: PathBuf,
    },
    /// No passphrase was given, or an empty one. Give `--passphrase-file`, the credential, or type it.
    PassphraseMissing,
    /// The passphrase is longer than [`super::passphrase::PASSPHRASE_BYTES_MAX`].
    PassphraseTooLong,
    /// The two entries of a new passphrase differ. Type it again.
    PassphrasesDiffer,
    /// The key medium is full. Nothing was acknowledged; make room on it.
    Full {
        /// The file that could not be written.
        path: PathBuf,
    },
    /// The system refused an operation on a file.
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        act: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The random source failed.
    Entropy(EntropyError),
    /// A device could not be examined.
    Media(MediaError),
}

impl KeyError {
    /// An input or output error, with a full medium told apart.
    pub(crate) fn io(path: impl Into<PathBuf>, act: &'static str, source: io::Error) -> Self {
        let path = path.into();
        if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            return Self::Full { path };
        }
        Self::Io { path, act, source }
    }

    /// Whether something stands on the key medium that this program does not know.
    #[must_use]
    pub const fn is_unknown_kind(&self) -> bool {
        matches!(self, Self::UnsupportedFormat { .. })
    }

    /// Whether what stands on the key medium is not what was written there. A key that is missing beside damaged entries
    /// stood in one of them, as far as anybody can tell.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. }
                | Self::KeyDamaged { .. }
                | Self::EntriesDamaged { .. }
                | Self::SecretDamaged { .. }
                | Self::KeyMissing {
                    damaged_entries: 1..,
                    ..
                }
        )
    }
}

impl fmt::Display for KeyError {
    #[allow(clippy::too_many_lines, reason = "one arm per variant")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MediumMissing { path } => write!(
                f,
                "no key medium at {}: attach and mount it, or correct the path",
                path.display()
            ),
            Self::WrongPassphrase => f.write_str(
                "wrong passphrase: the key medium is whole, but this passphrase does not open it",
            ),
            Self::Damaged { path, part } => write!(
                f,
                "{} is damaged ({part}): restore it from the copy of the key medium",
                path.display()
            ),
            Self::UnsupportedFormat { path } => write!(
                f,
                "{} is of a format that this program does not know: use a newer program",
                path.display()
            ),
            Self::OtherArchive {
                path,
                expected,
                found,
            } => write!(
                f,
                "the key medium at {} belongs to archive {found}, not {expected}: attach the right one",
                path.display()
            ),
            Self::NotAKeyMedium { path } => write!(
                f,
                "{} is the label of a data medium: attach the key medium, or correct the path",
                path.display()
            ),
            Self::AlreadyCreated { path } => write!(
                f,
                "{} exists already: a key medium is never overwritten, choose an empty directory",
                path.display()
            ),
            Self::InUse { path } => write!(
                f,
                "{} is being written by another process: wait for it, or end it",
                path.display()
            ),
            Self::UnknownEpoch { epoch } => write!(
                f,
                "this key medium holds no key-encryption key of epoch {epoch}: attach the one that does"
            ),
            Self::EpochInUse { epoch } => write!(
                f,
                "epoch {epoch} of the key-encryption key is the current one: rotate the keys before it is destroyed"
            ),
            Self::KeyMissing {
                owner,
                damaged_entries: 0,
            } => write!(
                f,
                "the key ledger holds no key for {owner}: it was destroyed, or never acknowledged"
            ),
            Self::KeyMissing {
                owner,
                damaged_entries,
            } => write!(
                f,
                "the key ledger holds no readable key for {owner}, and {damaged_entries} of its entries are damaged: \
                 restore it from the copy of the key medium"
            ),
            Self::KeyDestroyed { owner, at } => write!(
                f,
                "the key of {owner} was destroyed on {}: its content is gone for good",
                crate::cli::output::day(*at)
            ),
            Self::CopiesMissing {
                missing,
                copies_min,
            } => {
                let missing: Vec<String> =
                    missing.iter().map(|one| one.display().to_string()).collect();
                write!(
                    f,
                    "{copies_min} key media must be there, and these are not: {}: attach them, or make a lost one anew with \
                     'archiver keys copy'",
                    missing.join(", ")
                )
            }
            Self::CopiesDiverge { path, keys } => write!(
                f,
                "the key medium at {} and the other copies diverge ({keys} keys stand only on it): find out which of them is the \
                 right one, and make the other anew with 'archiver keys copy'",
                path.display()
            ),
            Self::DestructionsUnknown { path, keys } => write!(
                f,
                "the key medium at {} knows of {keys} destroyed keys that the others still hold, and is not overwritten: make the others anew from it",
                path.display()
            ),
            Self::KeysDiverge { one, other } => write!(
                f,
                "{} and {} went on apart from each other and hold different key-encryption keys; nothing was written: attach only one of \
                 these key media and keep the other, which may hold the only keys of what was deposited with it",
                one.display(),
                other.display()
            ),
            Self::KeyDamaged { owner } => write!(
                f,
                "the key of {owner} is damaged: restore the ledger from the copy of the key medium"
            ),
            Self::EntriesDamaged { path, entries } => write!(
                f,
                "{entries} damaged entries of the key ledger at {} open on no key medium that is there, and would be lost for good; nothing was \
                 changed: attach a copy of the key medium that is whole first, or make this one anew from it with 'archiver keys copy'; \
                 '--give-up-damaged' gives them up",
                path.display()
            ),
            Self::MediumUnlisted { medium } => write!(f, "no medium {medium} is on the list"),
            Self::MediumStillThere { path } => {
                write!(f, "the medium still stands at {}", path.display())
            }
            Self::AlreadyHasKey { owner } => write!(f, "{owner} has a key already"),
            Self::SecretDamaged { label } => write!(
                f,
                "the sealed secret \"{label}\" is damaged: restore it from the copy of the key medium"
            ),
            Self::CustodyDiverges(diverging) => diverging.fmt(f),
            Self::Share(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::ProvidersDiffer { one, other } => write!(
                f,
                "{} and {} are of different kinds of key media, and one must not overwrite the other: unmount the one that does not belong to this archive, or take it out of key_copies",
                one.display(),
                other.display()
            ),
            Self::WriteOnly => f.write_str(
                "this key medium belongs to an intake host, which takes records in and reads none: use the archive's key medium",
            ),
            Self::IntakeFull => f.write_str(
                "the intake host's key medium is full: have the archive accept it ('archiver keys intake accept'), then make it anew",
            ),
            Self::NotAnIntake { path } => write!(
                f,
                "{} is not the file of an intake host of this archive",
                path.display()
            ),
            Self::NoCustodians => f.write_str(
                "this key medium opens with a passphrase, not with shares: give the passphrase",
            ),
            Self::HeldKeyStale => f.write_str(
                "the key that is held opens this key medium no more, its passphrase or custodians were changed: unlock again",
            ),
            Self::KeyDerivation => f.write_str(
                "the key derivation parameters are not acceptable: restore kek.json from the copy of the key medium",
            ),
            Self::TwoPeople => f.write_str(
                "destroying needs two people: name who does it (--by) and somebody else who approved it (--approved-by)",
            ),
            Self::TooMany { max } => {
                write!(f, "at most {max} versions can be destroyed at once: do it in several parts")
            }
            Self::CopiesOnOneDevice { one, other } => write!(
                f,
                "key media {} and {} stand on one device: use another device for the copy, or --evaluation for a trial",
                one.display(),
                other.display()
            ),
            Self::ReadOnly => f.write_str("the key ledger was opened for reading only"),
            Self::Stopped => f.write_str(
                "an earlier write to the key medium failed: correct the cause and start again",
            ),
            Self::SameDevice { keys, data } => write!(
                f,
                "key medium {} and data medium {} stand on one device: use another device for the keys, \
                 or --evaluation for a trial",
                keys.display(),
                data.display()
            ),
            Self::PassphraseMissing => f.write_str(
                "no passphrase: give --passphrase-file or the credential fumikura-passphrase, or type it",
            ),
            Self::PassphraseTooLong => {
                f.write_str("the passphrase is too long: 1024 bytes are the limit")
            }
            Self::PassphrasesDiffer => f.write_str("the two passphrases differ: type them again"),
            Self::Full { path } => write!(
                f,
                "the key medium is full, {} could not be written: make room on it",
                path.display()
            ),
            Self::Io { path, act, source } => {
                write!(f, "{}: cannot {act}: {source}", path.display())
            }
            Self::Entropy(source) => source.fmt(f),
            Self::Media(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Io { source, .. } = self {
            return Some(source);
        }
        None
    }
}

impl From<EntropyError> for KeyError {
    fn from(source: EntropyError) -> Self {
        Self::Entropy(source)
    }
}

impl From<ShareError> for KeyError {
    fn from(source: ShareError) -> Self {
        Self::Share(source)
    }
}

impl From<TokenError> for KeyError {
    fn from(source: TokenError) -> Self {
        Self::Token(source)
    }
}

impl From<MediaError> for KeyError {
    fn from(source: MediaError) -> Self {
        Self::Media(source)
    }
}
