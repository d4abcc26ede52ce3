//! The clear header of a backup: whose it is, and what opens it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::BackupError;
use crate::keys::provider::custodians::{BackupKey, SealedContent};
use crate::keys::secret::KEY_BYTES;
use crate::keys::{DataKey, KdfParameters, KeyError, Passphrase, ValueKey};

/// The clear header of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BackupHeader {
    schema: String,
    /// The archive.
    pub archive: ArchiveId,
    /// Number of the backup, from 1.
    pub generation: u32,
    /// When it was taken, RFC 3339.
    pub created_at: String,
    cipher: String,
    /// How a passphrase becomes the key. Format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    derivation: Option<Derivation>,
    /// To which custodians the key is sealed. Format 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    custodians: Option<SealedContent>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Derivation {
    algorithm: String,
    version: u32,
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What opens a backup.
#[derive(Debug, Clone, Copy)]
pub enum Opening<'a> {
    /// Its passphrase.
    Passphrase(&'a Passphrase),
    /// The secret that enough shares of its custodians gave.
    Custodians(&'a DataKey),
    /// The key of its content: who has just written it has that.
    Content(&'a DataKey),
}

impl<'a> From<&'a Passphrase> for Opening<'a> {
    fn from(passphrase: &'a Passphrase) -> Self {
        Self::Passphrase(passphrase)
    }
}

impl BackupHeader {
    /// The header of a backup under a passphrase.
    pub(super) fn new(
        archive: ArchiveId,
        generation: u32,
        created_at: String,
        parameters: KdfParameters,
        entropy: &dyn Entropy,
    ) -> Result<Self, BackupError> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt).map_err(KeyError::from)?;
        Ok(Self {
            schema: SCHEMA_PASSPHRASE.to_owned(),
            archive,
            generation,
            created_at,
            cipher: CIPHER.to_owned(),
            derivation: Some(Derivation {
                algorithm: ALGORITHM.to_owned(),
                version: u32::from(Version::V0x13),
                salt: hex::encode(salt),
                memory_kib: parameters.memory_kib,
                passes: parameters.passes,
                lanes: parameters.lanes,
            }),
            custodians: None,
        })
    }

    /// The header of a backup that custodians open, and the key of its content.
    pub(super) fn for_custodians(
        archive: ArchiveId,
        generation: u32,
        created_at: String,
        to: &BackupKey,
        entropy: &dyn Entropy,
    ) -> Result<(Self, DataKey), BackupError> {
        let (sealed, content) = to.seal(archive, generation, entropy)?;
        let header = Self {
            schema: SCHEMA_CUSTODIANS.to_owned(),
            archive,
            generation,
            created_at,
            cipher: CIPHER.to_owned(),
            derivation: None,
            custodians: Some(sealed),
        };
        Ok((header, content))
    }

    /// The key that custodians share to whom the backup is sealed; `None` where a passphrase opens it.
    #[must_use]
    pub fn custodians(&self) -> Option<&BackupKey> {
        self.custodians.as_ref().map(|sealed| &sealed.to)
    }

    pub(super) fn key(&self, path: &Path, opening: Opening<'_>) -> Result<ValueKey, BackupError> {
        match (opening, &self.derivation, &self.custodians) {
            (Opening::Content(content), ..) => Ok(content.value_key()),
            (Opening::Passphrase(passphrase), Some(derivation), _) => {
                Ok(derivation.key(passphrase)?)
            }
            (Opening::Custodians(secret), _, Some(sealed)) => {
                let content = sealed.open(self.archive, self.generation, secret);
                Ok(content.map_err(KeyError::Share)?.value_key())
            }
            (Opening::Passphrase(_), _, Some(sealed)) => Err(BackupError::NeedsShares {
                path: path.to_path_buf(),
                ceremony: sealed.to.ceremony.to_string(),
                code: sealed.to.code(self.archive),
                epoch: sealed.to.epoch,
            }),
            (Opening::Custodians(_) | Opening::Passphrase(_), ..) => {
                Err(BackupError::NeedsPassphrase {
                    path: path.to_path_buf(),
                })
            }
        }
    }

    /// Whether this program reads such a backup.
    fn is_known(&self) -> bool {
        let sealing = match (&self.derivation, &self.custodians) {
            (Some(derivation), None) => {
                self.schema == SCHEMA_PASSPHRASE
                    && derivation.algorithm == ALGORITHM
                    && derivation.version == u32::from(Version::V0x13)
            }
            (None, Some(sealed)) => self.schema == SCHEMA_CUSTODIANS && sealed.to.is_known(),
            (Some(_), Some(_)) | (None, None) => false,
        };
        sealing && self.cipher == CIPHER
    }

    const fn format_version(&self) -> u16 {
        if self.custodians.is_some() {
            FORMAT_CUSTODIANS
        } else {
            FORMAT_PASSPHRASE
        }
    }

    /// All bytes before the chunks.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Strings and numbers always have a canonical form.
        let json = serde_json_canonicalizer::to_vec(self).unwrap_or_default();
        let mut head = MAGIC.to_vec();
        head.extend(self.format_version().to_be_bytes());
        head.extend(u32::try_from(json.len()).unwrap_or(u32::MAX).to_be_bytes());
        head.extend(json);
        head
    }
}

impl Derivation {
    fn key(&self, passphrase: &Passphrase) -> Result<ValueKey, KeyError> {
        let too_much = self.memory_kib > MEMORY_KIB_MAX || self.passes > PASSES_MAX;
        let salt = hex::decode(&self.salt).unwrap_or_default();
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_BYTES));
        let (Ok(params), false) = (params, too_much) else {
            return Err(KeyError::KeyDerivation);
        };
        let blocks = params.block_count();
        let mut memory: Vec<Block> = Vec::new();
        memory
            .try_reserve_exact(blocks)
            .map_err(|_| KeyError::KeyDerivation)?;
        memory.resize(blocks, Block::default());
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.reveal(),
                &salt,
                key.as_mut_slice(),
                &mut memory,
            )
            .map_err(|_| KeyError::KeyDerivation)?;
        Ok(DataKey::from_bytes(&key).value_key())
    }
}

/// Reads the clear header, and says how many bytes stand before the chunks.
///
/// # Errors
/// [`BackupError::NotABackup`], [`BackupError::UnsupportedVersion`], [`BackupError::Damaged`], [`BackupError::Io`].
pub fn read_header(path: &Path) -> Result<(BackupHeader, u64), BackupError> {
    let file = File::open(path).map_err(|error| BackupError::io(path, error))?;
    let not_one = || BackupError::NotABackup {
        path: path.to_path_buf(),
    };
    let mut start = Vec::new();
    file.take(HEADER_BYTES_MAX)
        .read_to_end(&mut start)
        .map_err(|error| BackupError::io(path, error))?;
    let rest = start.strip_prefix(&MAGIC).ok_or_else(not_one)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(not_one)?;
    let version = u16::from_be_bytes(*version);
    if ![FORMAT_PASSPHRASE, FORMAT_CUSTODIANS].contains(&version) {
        return Err(BackupError::UnsupportedVersion {
            path: path.to_path_buf(),
        });
    }
    let damaged = || BackupError::Damaged {
        path: path.to_path_buf(),
    };
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let json = rest.get(..length).ok_or_else(damaged)?;
    let header: BackupHeader = serde_json::from_slice(json).map_err(|_| damaged())?;
    if !header.is_known() || header.format_version() != version {
        return Err(BackupError::UnsupportedVersion {
            path: path.to_path_buf(),
        });
    }
    Ok((header, 14 + length as u64))
}

pub(super) const MAGIC: [u8; 8] = *b"FUMIBKUP";
const FORMAT_PASSPHRASE: u16 = 1;
const FORMAT_CUSTODIANS: u16 = 2;
const SCHEMA_PASSPHRASE: &str = "urn:fumikura:backup:1";
const SCHEMA_CUSTODIANS: &str = "urn:fumikura:backup:2";
const CIPHER: &str = "AES-256-GCM";
const ALGORITHM: &str = "Argon2id";

/// Most bytes of the header with what stands before it.
const HEADER_BYTES_MAX: u64 = 64 * 1024;

/// Bounds of the derivation that a foreign file may ask for: 1 GiB, and as many passes as for the key medium.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 64;

#[cfg(test)]
mod tests {
    use firmware::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn a_backup_does_not_ask_for_more_memory_than_there_may_be() {
        let secret = Passphrase::new(&Zeroizing::new(b"of a backup".to_vec())).unwrap();
        let key = |memory_kib, passes| {
            let parameters = KdfParameters {
                memory_kib,
                passes,
                lanes: 1,
            };
            let archive = ArchiveId::from_bytes([1; 16]);
            let entropy = SeededEntropy::new(1);
            let header = BackupHeader::new(archive, 1, String::new(), parameters, &entropy);
            header.unwrap().key(Path::new(""), (&secret).into())
        };
        assert!(key(64, 1).is_ok());
        for (memory_kib, passes) in [
            (MEMORY_KIB_MAX + 1, 1),
            (u32::MAX, 1),
            (64, PASSES_MAX + 1),
            (64, 0),
            (7, 1),
        ] {
            let refused = key(memory_kib, passes);
            assert!(matches!(
                refused,
                Err(BackupError::Keys(KeyError::KeyDerivation))
            ));
        }
    }
}
