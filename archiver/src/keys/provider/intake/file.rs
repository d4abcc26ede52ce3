//! `kek.json` of an intake host: the archive's public key, and the key-encryption keys sealed to it.

use std::path::Path;

use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::seal::SUITE;
use crate::keys::error::KeyError;
use crate::keys::provider::ProviderFile;
use crate::keys::provider::file::{CIPHER, FILE_BYTES_MAX, SCHEMA_PROVIDER, is_zero};

/// `kek.json` with provider `intake`. Its bytes are RFC 8785 canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct IntakeFile {
    schema: String,
    provider: String,
    pub(super) archive: ArchiveId,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) sequence: u64,
    suite: String,
    /// The archive's public key, hexadecimal.
    pub(super) public_key: String,
    /// The host's own key, in the clear, hexadecimal: it wraps the key of the deposit identities and nothing of a record.
    pub(super) host_key: String,
    cipher: String,
    pub(super) current_epoch: u32,
    /// One key for each time that the host took something in.
    pub(super) keys: Vec<IntakeKey>,
    /// SHA-256 over the canonical JSON with this member empty.
    checksum: String,
}

/// A key-encryption key that only the archive opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct IntakeKey {
    pub(super) epoch: u32,
    /// Encapsulated key ‖ ciphertext ‖ tag, hexadecimal.
    pub(super) sealed: String,
}

impl IntakeFile {
    pub(super) fn new(archive: ArchiveId, public_key: &[u8], host_key: &[u8]) -> Self {
        Self {
            schema: SCHEMA_PROVIDER.to_owned(),
            provider: PROVIDER.to_owned(),
            archive,
            sequence: 0,
            suite: SUITE.to_owned(),
            public_key: hex::encode(public_key),
            host_key: hex::encode(host_key),
            cipher: CIPHER.to_owned(),
            current_epoch: 0,
            keys: Vec::new(),
            checksum: String::new(),
        }
    }

    /// # Errors
    /// [`KeyError::IntakeFull`] when it holds as many keys as a file may.
    pub(super) fn encode(&self) -> Result<Vec<u8>, KeyError> {
        let mut file = self.clone();
        file.checksum.clear();
        file.checksum = hex::encode(Sha256::digest(file.canonical()?));
        let bytes = file.canonical()?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err(KeyError::IntakeFull);
        }
        Ok(bytes)
    }

    /// The file at `place`; `None` where it is that of another provider, or cannot be read.
    pub(super) fn read(place: &ProviderFile, archive: ArchiveId) -> Result<Option<Self>, KeyError> {
        let mut latest: Option<Self> = None;
        for (path, bytes) in place.read() {
            let Ok(bytes) = bytes else {
                continue;
            };
            let Some(file) = Self::parse(path, &bytes)? else {
                continue;
            };
            if file.archive != archive {
                return Err(KeyError::OtherArchive {
                    path: path.to_path_buf(),
                    expected: archive,
                    found: file.archive,
                });
            }
            if latest
                .as_ref()
                .is_none_or(|other| file.sequence > other.sequence)
            {
                latest = Some(file);
            }
        }
        Ok(latest)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Self>, KeyError> {
        let path_buf = || path.to_path_buf();
        if bytes.len() > FILE_BYTES_MAX {
            return Ok(None);
        }
        let Ok(mut file) = serde_json::from_slice::<Self>(bytes) else {
            return Ok(None);
        };
        let checksum = std::mem::take(&mut file.checksum);
        let is_whole = checksum == hex::encode(Sha256::digest(file.canonical()?));
        file.checksum = checksum;
        if !is_whole || file.canonical()? != bytes {
            return Err(KeyError::Damaged {
                path: path_buf(),
                part: "checksum",
            });
        }
        let is_known = file.schema == SCHEMA_PROVIDER && file.provider == PROVIDER;
        if !is_known || file.cipher != CIPHER || file.suite != SUITE {
            return Err(KeyError::UnsupportedFormat { path: path_buf() });
        }
        Ok(Some(file))
    }

    fn canonical(&self) -> Result<Vec<u8>, KeyError> {
        serde_json_canonicalizer::to_vec(self).map_err(|_| KeyError::KeyDerivation)
    }
}

const PROVIDER: &str = "intake";
