//! `kek.json` of an intake host: the archive's public key, and the key-encryption keys sealed to it.

use std::path::PathBuf;

use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};

use crate::keys::error::KeyError;
use crate::keys::provider::ProviderFile;
use crate::keys::provider::file::{CIPHER, FILE_BYTES_MAX, SCHEMA_PROVIDER, is_zero};
use crate::keys::provider::hpke::SUITE;
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

/// What can still be read of an intake host's file.
pub(super) struct FoundFile {
    /// The keys, each of which its own seal proves.
    pub(super) keys: Vec<IntakeKey>,
    /// The public key; `None` where it cannot be read.
    pub(super) public_key: Option<Vec<u8>>,
    /// Whether all of it is as it was written.
    pub(super) is_whole: bool,
}

/// Reads the file for the archive. The checksum tells whether it is whole; the keys in it are taken one by one all the same.
pub(super) fn read(place: &ProviderFile, archive: ArchiveId) -> Result<FoundFile, KeyError> {
    let Some((path, bytes)) = place.read().into_iter().next() else {
        return Err(KeyError::NotAnIntake {
            path: PathBuf::new(),
        });
    };
    let bytes = bytes?;
    let error = match IntakeFile::parse(path, &bytes) {
        Ok(Some(file)) if file.archive != archive => {
            return Err(KeyError::OtherArchive {
                path: path.to_path_buf(),
                expected: archive,
                found: file.archive,
            });
        }
        Ok(Some(file)) => {
            return Ok(FoundFile {
                public_key: hex::decode(&file.public_key).ok(),
                keys: file.keys,
                is_whole: true,
            });
        }
        Ok(None) => KeyError::NotAnIntake {
            path: path.to_path_buf(),
        },
        Err(error @ KeyError::Damaged { .. }) => error,
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let keys = salvaged(&text);
    if keys.is_empty() || !MARKS.iter().any(|mark| text.contains(mark)) {
        return Err(error);
    }
    Ok(FoundFile {
        keys,
        public_key: None,
        is_whole: false,
    })
}

/// The keys in a file that is damaged somewhere: each object that can still be read.
fn salvaged(text: &str) -> Vec<IntakeKey> {
    let places = text.match_indices(KEY_BEGINS).map(|(place, _)| place);
    let read = |place| {
        let rest = text.get(place..)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IntakeKey>();
        values.next()?.ok()
    };
    places.filter_map(read).collect()
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
/// What stands in the file of no other provider.
const MARKS: [&str; 2] = [r#""host-key":"#, r#""provider":"intake""#];
/// How the object of a key begins in canonical JSON.
const KEY_BEGINS: &str = "{\"epoch\":";
