//! `kek.json`: the bytes of the file, and how what seals it is derived.

use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::KdfParameters;
use crate::keys::error::KeyError;
use crate::keys::passphrase::Passphrase;
use crate::keys::provider::custodians::{Ceremony, Collector, Share, ShareError, ShareKind};
use crate::keys::provider::{ProviderFile, UnlockWith};
use crate::keys::secret::{DataKey, KEY_BYTES};

/// By what the keys in a file are sealed.
pub(super) enum Sealing {
    Passphrase(Derivation),
    Custodians(Ceremony),
}

/// By what a file is sealed, as everybody may know it.
pub(in crate::keys) enum SealedBy {
    /// A passphrase.
    Passphrase {
        /// The beginning of SHA-256 of its salt: another passphrase, or the same one set again, has another.
        name: String,
        /// How it becomes a key.
        parameters: KdfParameters,
    },
    /// The shares of a ceremony.
    Custodians(Ceremony),
}

/// By what the file with these bytes is sealed; `None` where it is no sealed file.
pub(in crate::keys) fn sealed_by(bytes: &[u8]) -> Option<SealedBy> {
    let file = KekFile::parse(bytes)?;
    if let Some(ceremony) = file.custodians {
        return Some(SealedBy::Custodians(ceremony));
    }
    let derivation = file.derivation?;
    Some(SealedBy::Passphrase {
        name: passphrase_name(&derivation.salt),
        parameters: derivation.parameters,
    })
}

/// The name of a passphrase: it says nothing about it.
fn passphrase_name(salt: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(salt).into();
    hex::encode(digest.get(..NAME_BYTES).unwrap_or_default())
}

/// By what a file is sealed, in words: the passphrase with this salt, or the shares of this ceremony.
pub(in crate::keys) fn sealing_name(salt: Option<&str>, ceremony: Option<&str>) -> Option<String> {
    let passphrase = || Some(format!("passphrase {}", passphrase_name(salt?)));
    let ceremony = ceremony.map(|code| format!("ceremony {code}"));
    ceremony.or_else(passphrase)
}

/// `kek.json`. Its bytes are RFC 8785 canonical JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct KekFile {
    pub(super) schema: String,
    pub(super) archive: ArchiveId,
    /// Counts the replacements of the file: of two copies the higher one counts. Absent for 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) sequence: u64,
    /// How a passphrase becomes the key that seals. Schema 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) derivation: Option<Derivation>,
    /// What holds the key that seals. Schema 2: `custodians`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// Who holds the shares of the key that seals. Schema 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) custodians: Option<Ceremony>,
    /// By what the file was sealed before, by name, the oldest first: a copy that is sealed by none of these was sealed anew by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<String>,
    pub(super) cipher: String,
    pub(super) current_epoch: u32,
    pub(super) keys: Vec<SealedKek>,
    /// SHA-256 over the canonical JSON with this member empty. It tells damage from a wrong passphrase; it guards against
    /// nothing else, and covers nothing secret.
    pub(super) checksum: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Derivation {
    pub(super) algorithm: String,
    pub(super) version: u32,
    pub(super) parameters: KdfParameters,
    pub(super) salt: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SealedKek {
    pub(super) epoch: u32,
    /// Nonce ‖ ciphertext ‖ tag.
    pub(super) sealed: String,
}

impl KekFile {
    /// A file without keys, of schema 1 or 2 as its sealing demands.
    pub(super) fn new(archive: ArchiveId, sealing: Sealing) -> Self {
        let mut file = Self {
            schema: String::new(),
            archive,
            sequence: 0,
            derivation: None,
            provider: None,
            custodians: None,
            earlier: Vec::new(),
            cipher: CIPHER.to_owned(),
            current_epoch: FIRST_EPOCH,
            keys: Vec::new(),
            checksum: String::new(),
        };
        file.set_sealing(sealing);
        file
    }

    /// Says by what the keys are sealed from now on.
    pub(super) fn set_sealing(&mut self, sealing: Sealing) {
        let salt = self.derivation.as_ref().map(|one| one.salt.as_str());
        let ceremony = self.custodians.as_ref().map(Ceremony::code);
        self.earlier.extend(sealing_name(salt, ceremony));
        let surplus = self.earlier.len().saturating_sub(EARLIER_MAX);
        self.earlier.drain(..surplus);
        (self.schema, self.provider) = match &sealing {
            Sealing::Passphrase(_) => (SCHEMA_PASSPHRASE.to_owned(), None),
            Sealing::Custodians(_) => (SCHEMA_PROVIDER.to_owned(), Some(CUSTODIANS.to_owned())),
        };
        (self.derivation, self.custodians) = match sealing {
            Sealing::Passphrase(derivation) => (Some(derivation), None),
            Sealing::Custodians(ceremony) => (None, Some(ceremony)),
        };
    }

    fn sealing_is_known(&self) -> bool {
        match (&self.derivation, &self.custodians) {
            (Some(derivation), None) => {
                self.schema == SCHEMA_PASSPHRASE
                    && self.provider.is_none()
                    && derivation.algorithm == ALGORITHM
                    && derivation.version == u32::from(Version::V0x13)
            }
            (None, Some(ceremony)) => {
                self.schema == SCHEMA_PROVIDER
                    && self.provider.as_deref() == Some(CUSTODIANS)
                    && ceremony.kind == ShareKind::Keys
                    && ceremony.is_sound()
            }
            (Some(_), Some(_)) | (None, None) => false,
        }
    }

    /// The key that seals this file, from what somebody unlocks with.
    pub(super) fn lock(&self, path: &Path, unlock: UnlockWith<'_>) -> Result<DataKey, KeyError> {
        match (unlock, &self.derivation, &self.custodians) {
            (UnlockWith::Lock(lock), _, _) => Ok(DataKey::from_bytes(lock.expose())),
            (UnlockWith::Passphrase(passphrase), Some(derivation), _) => {
                derivation.lock(path, passphrase)
            }
            (UnlockWith::Shares(shares), _, Some(ceremony)) => {
                combined(self.archive, ceremony, shares)
            }
            (UnlockWith::Passphrase(_), _, Some(ceremony)) => Err(ShareError::Missing {
                missing: usize::from(ceremony.threshold),
            }
            .into()),
            (UnlockWith::Shares(_), ..) => Err(KeyError::NoCustodians),
            (UnlockWith::Nothing, ..) => Err(KeyError::PassphraseMissing),
            (UnlockWith::Passphrase(_), None, None) => Err(KeyError::KeyDerivation),
        }
    }

    /// Whether what opens the one opens the other.
    pub(super) fn is_sealed_like(&self, other: &Self) -> bool {
        self.derivation == other.derivation && self.custodians == other.custodians
    }

    /// What is said when the key does not open the file.
    pub(super) const fn refusal(unlock: UnlockWith<'_>) -> KeyError {
        match unlock {
            UnlockWith::Passphrase(_) => KeyError::WrongPassphrase,
            UnlockWith::Shares(_) => KeyError::Share(ShareError::DoNotOpen),
            UnlockWith::Lock(_) | UnlockWith::Nothing => KeyError::HeldKeyStale,
        }
    }

    pub(super) fn encode(mut self) -> Result<Vec<u8>, KeyError> {
        let encoded = |file: &Self| file.canonical().ok_or(KeyError::KeyDerivation);
        self.checksum.clear();
        self.checksum = hex::encode(Sha256::digest(encoded(&self)?));
        encoded(&self)
    }

    fn canonical(&self) -> Option<Vec<u8>> {
        serde_json_canonicalizer::to_vec(self).ok()
    }

    pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Self, KeyError> {
        let path_buf = || PathBuf::from(path);
        let file = Self::parse(bytes).ok_or_else(|| KeyError::Damaged {
            path: path_buf(),
            part: "checksum",
        })?;
        if file.cipher != CIPHER || !file.sealing_is_known() {
            return Err(KeyError::UnsupportedFormat { path: path_buf() });
        }
        Ok(file)
    }

    /// The file, when its checksum holds and its bytes are the canonical ones, so that no changed bit goes unnoticed.
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > FILE_BYTES_MAX {
            return None;
        }
        let mut file: Self = serde_json::from_slice(bytes).ok()?;
        let checksum = std::mem::take(&mut file.checksum);
        if checksum != hex::encode(Sha256::digest(file.canonical()?)) {
            return None;
        }
        file.checksum = checksum;
        (file.canonical()? == bytes).then_some(file)
    }
}

impl Derivation {
    /// A derivation with a fresh salt.
    pub(super) fn new(parameters: KdfParameters, salt: [u8; SALT_BYTES]) -> Self {
        Self {
            algorithm: ALGORITHM.to_owned(),
            version: u32::from(Version::V0x13),
            parameters,
            salt: hex::encode(salt),
        }
    }

    fn lock(&self, path: &Path, passphrase: &Passphrase) -> Result<DataKey, KeyError> {
        let salt = fixed::<SALT_BYTES>(&self.salt).ok_or_else(|| KeyError::Damaged {
            path: path.to_path_buf(),
            part: "salt",
        })?;
        derive(passphrase, self.parameters, &salt)
    }
}

fn combined(
    archive: ArchiveId,
    ceremony: &Ceremony,
    shares: &[Share],
) -> Result<DataKey, KeyError> {
    let mut collector = Collector::new(archive, ceremony.clone());
    for share in shares {
        collector.add(Share::again(share))?;
    }
    Ok(collector.combine()?)
}

/// The key that seals the key-encryption keys.
pub(super) fn derive(
    passphrase: &Passphrase,
    parameters: KdfParameters,
    salt: &[u8; SALT_BYTES],
) -> Result<DataKey, KeyError> {
    if parameters.memory_kib > KDF_MEMORY_KIB_MAX || parameters.passes > KDF_PASSES_MAX {
        return Err(KeyError::KeyDerivation);
    }
    let params = Params::new(
        parameters.memory_kib,
        parameters.passes,
        parameters.lanes,
        Some(KEY_BYTES),
    )
    .map_err(|_| KeyError::KeyDerivation)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, key.as_mut_slice())
        .map_err(|_| KeyError::KeyDerivation)?;
    Ok(DataKey::from_bytes(&key))
}

/// The latest whole file, and where it stands.
pub(super) fn latest(
    place: &ProviderFile,
    archive: ArchiveId,
) -> Result<(PathBuf, KekFile), KeyError> {
    let mut latest: Option<(PathBuf, KekFile)> = None;
    let mut first_error = None;
    for (path, bytes) in place.read() {
        match bytes.and_then(|bytes| KekFile::read(path, &bytes)) {
            Ok(file) if file.archive != archive => {
                return Err(KeyError::OtherArchive {
                    path: path.to_path_buf(),
                    expected: archive,
                    found: file.archive,
                });
            }
            Ok(file) => {
                if latest
                    .as_ref()
                    .is_none_or(|(_, other)| file.sequence > other.sequence)
                {
                    latest = Some((path.to_path_buf(), file));
                }
            }
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    let missing = KeyError::MediumMissing {
        path: PathBuf::new(),
    };
    latest.ok_or_else(|| first_error.unwrap_or(missing))
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(in crate::keys::provider) const fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Bytes of the name of a passphrase.
const NAME_BYTES: usize = 8;
/// How many earlier sealings a file names.
pub(in crate::keys) const EARLIER_MAX: usize = 64;
const SCHEMA_PASSPHRASE: &str = "urn:fumikura:kek:1";
/// Also the schema of the file of a PKCS#11 token.
pub(in crate::keys::provider) const SCHEMA_PROVIDER: &str = "urn:fumikura:kek:2";
pub(in crate::keys::provider) const CUSTODIANS: &str = "custodians";
pub(super) const ALGORITHM: &str = "Argon2id";
pub(in crate::keys::provider) const CIPHER: &str = "AES-256-GCM";
pub(in crate::keys::provider) const FIRST_EPOCH: u32 = 1;
/// RFC 9106 §3.1 recommends 16 bytes.
pub(super) const SALT_BYTES: usize = 16;
/// A few epochs fit many times.
pub(in crate::keys::provider) const FILE_BYTES_MAX: usize = 1024 * 1024;
/// RFC 9106 §4, first recommended choice: a changed file must not be able to ask for more.
const KDF_MEMORY_KIB_MAX: u32 = 2 * 1024 * 1024;
/// Keeps a changed file from holding the program for hours.
const KDF_PASSES_MAX: u32 = 64;
