//! `kek.json` of an intake host: the archive's public key, and the key-encryption keys sealed to it.

use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};

use super::seal::SUITE;
use crate::keys::error::KeyError;
use crate::keys::provider::file::{CIPHER, FILE_BYTES_MAX, SCHEMA_PROVIDER, is_zero};
use crate::keys::provider::key_file::KeyFile;

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
        let bytes = self.encode_checked()?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err(KeyError::IntakeFull);
        }
        Ok(bytes)
    }
}

impl KeyFile for IntakeFile {
    fn archive(&self) -> ArchiveId {
        self.archive
    }

    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn checksum(&mut self) -> &mut String {
        &mut self.checksum
    }

    fn is_known(&self) -> bool {
        self.schema == SCHEMA_PROVIDER
            && self.provider == PROVIDER
            && self.cipher == CIPHER
            && self.suite == SUITE
    }
}

const PROVIDER: &str = "intake";
