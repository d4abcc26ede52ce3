//! `kek.json` of a token: which token, and which of its keys is which epoch. It holds no key.

use std::collections::BTreeSet;
use std::path::PathBuf;

use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};

use crate::keys::provider::file::{CIPHER, SCHEMA_PROVIDER, is_zero};
use crate::keys::provider::key_file::KeyFile;

/// `kek.json` with provider `pkcs11`. Its bytes are RFC 8785 canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TokenFile {
    schema: String,
    provider: String,
    pub(super) archive: ArchiveId,
    /// Counts the replacements of the file: of two copies the higher one counts. Absent for 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) sequence: u64,
    /// The token's library.
    pub(super) module: PathBuf,
    pub(super) token: TokenName,
    cipher: String,
    pub(super) current_epoch: u32,
    pub(super) keys: Vec<TokenKey>,
    /// SHA-256 over the canonical JSON with this member empty.
    checksum: String,
}

/// Which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TokenName {
    pub(super) label: String,
    pub(super) serial: String,
}

/// The key of an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TokenKey {
    pub(super) epoch: u32,
    label: String,
    /// Hexadecimal.
    id: String,
}

/// By what a key is found in the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyName {
    /// `CKA_LABEL`.
    pub(super) label: String,
    /// `CKA_ID`.
    pub(super) id: Vec<u8>,
}

impl TokenKey {
    pub(super) fn new(epoch: u32, name: &KeyName) -> Self {
        Self {
            epoch,
            label: name.label.clone(),
            id: hex::encode(&name.id),
        }
    }

    pub(super) fn name(&self) -> KeyName {
        KeyName {
            label: self.label.clone(),
            id: hex::decode(&self.id).unwrap_or_default(),
        }
    }
}

impl KeyName {
    /// The name of an epoch's key: archive id ‖ epoch as `CKA_ID`.
    pub(super) fn new(archive: ArchiveId, epoch: u32) -> Self {
        let id = [archive.as_bytes().as_slice(), &epoch.to_be_bytes()].concat();
        Self {
            label: format!("fumikura {archive} epoch {epoch}"),
            id,
        }
    }
}

impl TokenFile {
    /// A file without keys.
    pub(super) fn new(archive: ArchiveId, module: PathBuf, token: TokenName) -> Self {
        Self {
            schema: SCHEMA_PROVIDER.to_owned(),
            provider: PROVIDER.to_owned(),
            archive,
            sequence: 0,
            module,
            token,
            cipher: CIPHER.to_owned(),
            current_epoch: 0,
            keys: Vec::new(),
            checksum: String::new(),
        }
    }

    /// Whether each epoch is listed once and by its own name: nobody who can write the file gets another key of the token used or destroyed.
    fn names_own_keys(&self) -> bool {
        let mut epochs = BTreeSet::new();
        self.keys.iter().all(|key| {
            epochs.insert(key.epoch) && key.name() == KeyName::new(self.archive, key.epoch)
        })
    }

    pub(super) fn key(&self, epoch: u32) -> Option<KeyName> {
        let key = self.keys.iter().find(|key| key.epoch == epoch);
        key.map(TokenKey::name)
    }
}

impl KeyFile for TokenFile {
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
            && self.names_own_keys()
    }
}

const PROVIDER: &str = "pkcs11";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::keys::error::KeyError;

    fn archive(byte: u8) -> ArchiveId {
        ArchiveId::from_bytes([byte; 16])
    }

    fn file(keys: Vec<TokenKey>) -> TokenFile {
        let name = TokenName {
            label: "archive keys".to_owned(),
            serial: "1".to_owned(),
        };
        TokenFile {
            current_epoch: 1,
            keys,
            ..TokenFile::new(archive(1), PathBuf::from("/lib/token.so"), name)
        }
    }

    fn own(epoch: u32) -> TokenKey {
        TokenKey::new(epoch, &KeyName::new(archive(1), epoch))
    }

    #[test]
    fn only_the_own_keys_of_archive_and_epoch_are_named() {
        let parse = |keys| TokenFile::parse(Path::new("x"), &file(keys).encode_checked().unwrap());
        assert!(parse(vec![own(1), own(2)]).unwrap().is_some());
        let of_another_epoch = TokenKey::new(1, &KeyName::new(archive(1), 2));
        let of_another_archive = TokenKey::new(1, &KeyName::new(archive(2), 1));
        let nameless = TokenKey {
            id: "no digits".to_owned(),
            ..own(1)
        };
        for keys in [
            vec![of_another_epoch, own(2)],
            vec![of_another_archive],
            vec![nameless],
            vec![own(1), own(1)],
        ] {
            let refused = parse(keys);
            assert!(matches!(refused, Err(KeyError::UnsupportedFormat { .. })));
        }
    }
}
