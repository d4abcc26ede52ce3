//! What the files of the providers have in common: canonical JSON with its own checksum, of one archive, the latest of several counts.

use std::path::{Path, PathBuf};

use formats::id::ArchiveId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ProviderFile;
use super::file::{CUSTODIANS, FILE_BYTES_MAX};
use crate::keys::error::KeyError;

/// `kek.json` of a provider. Its bytes are RFC 8785 canonical JSON; the checksum is SHA-256 over them with the checksum empty. It tells
/// damage from a file that somebody else made, and guards against nothing.
pub(super) trait KeyFile: Serialize + DeserializeOwned + Clone {
    /// The archive whose keys these are.
    fn archive(&self) -> ArchiveId;

    /// How often the file was replaced.
    fn sequence(&self) -> u64;

    /// The checksum's place.
    fn checksum(&mut self) -> &mut String;

    /// Whether this program reads such a file: schema, provider, algorithms.
    fn is_known(&self) -> bool;

    /// The bytes of the file, with its checksum.
    fn encode_checked(&self) -> Result<Vec<u8>, KeyError> {
        let mut file = self.clone();
        file.checksum().clear();
        let digest = Sha256::digest(canonical(&file)?);
        *file.checksum() = hex::encode(digest);
        canonical(&file)
    }

    /// The file, when its checksum holds and its bytes are the canonical ones. `None`: it is the file of another provider, or
    /// no file of a provider at all.
    fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Self>, KeyError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Ok(None);
        }
        let Ok(mut file) = serde_json::from_slice::<Self>(bytes) else {
            return Ok(None);
        };
        let checksum = std::mem::take(file.checksum());
        let is_whole = checksum == hex::encode(Sha256::digest(canonical(&file)?));
        *file.checksum() = checksum;
        if !is_whole || canonical(&file)? != bytes {
            return Err(KeyError::Damaged {
                path: path.to_path_buf(),
                part: "checksum",
            });
        }
        if !file.is_known() {
            return Err(KeyError::UnsupportedFormat {
                path: path.to_path_buf(),
            });
        }
        Ok(Some(file))
    }

    /// The latest whole file of the key media; `None` where the files are those of another provider, or cannot be read. A damaged one does not
    /// matter where another is whole.
    fn latest(place: &ProviderFile, archive: ArchiveId) -> Result<Option<Self>, KeyError> {
        let mut latest: Option<Self> = None;
        let mut first_error = None;
        for (path, bytes) in place.read() {
            let Ok(bytes) = bytes else {
                continue;
            };
            let file = match Self::parse(path, &bytes) {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                Err(error) => {
                    first_error.get_or_insert(error);
                    continue;
                }
            };
            if file.archive() != archive {
                return Err(KeyError::OtherArchive {
                    path: path.to_path_buf(),
                    expected: archive,
                    found: file.archive(),
                });
            }
            if latest
                .as_ref()
                .is_none_or(|other| file.sequence() > other.sequence())
            {
                latest = Some(file);
            }
        }
        match (latest, first_error) {
            (None, Some(error)) => Err(error),
            (latest, _) => Ok(latest),
        }
    }
}

/// Refuses key media whose files are those of different providers: one of them belongs to something else, and must not overwrite the other. What
/// cannot be read says nothing.
pub(in crate::keys) fn require_one_provider(place: &ProviderFile) -> Result<(), KeyError> {
    let mut first: Option<(PathBuf, Option<String>)> = None;
    for (path, bytes) in place.read() {
        let Some(provider) = bytes.ok().and_then(|bytes| provider_of(&bytes)) else {
            continue;
        };
        match &first {
            None => first = Some((path.to_path_buf(), provider)),
            Some((one, of_it)) if *of_it != provider => {
                return Err(KeyError::ProvidersDiffer {
                    one: one.clone(),
                    other: path.to_path_buf(),
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What kind of provider a file is of: `None` inside for a sealed file, whatever opens it; `None` for what is no file of a provider.
fn provider_of(bytes: &[u8]) -> Option<Option<String>> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "schema")]
        _schema: String,
        provider: Option<String>,
    }
    if bytes.len() > FILE_BYTES_MAX {
        return None;
    }
    let kind: Kind = serde_json::from_slice(bytes).ok()?;
    Some(kind.provider.filter(|name| name != CUSTODIANS))
}

fn canonical(file: &impl Serialize) -> Result<Vec<u8>, KeyError> {
    serde_json_canonicalizer::to_vec(file).map_err(|_| KeyError::KeyDerivation)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::keys::provider::{KEK_FILE, kind};
    use crate::store::durable::{Disk, SystemDisk, replace_file};

    const SEALED: &str = r#"{"schema":"urn:fumikura:kek:1"}"#;
    const CEREMONY: &str = r#"{"provider":"custodians","schema":"urn:fumikura:kek:2"}"#;
    const INTAKE: &str = r#"{"provider":"intake","schema":"urn:fumikura:kek:2"}"#;
    const TOKEN: &str = r#"{"provider":"pkcs11","schema":"urn:fumikura:kek:2"}"#;

    /// Two key media with these files.
    fn media(one: &str, other: &str) -> (tempfile::TempDir, ProviderFile) {
        let folder = tempfile::tempdir().unwrap();
        let roots = ["a", "b"].map(|name| folder.path().join(name));
        let disk: Arc<dyn Disk> = Arc::new(SystemDisk);
        for (root, text) in roots.iter().zip([one, other]) {
            std::fs::create_dir(root).unwrap();
            replace_file(disk.as_ref(), &root.join(KEK_FILE), text.as_bytes()).unwrap();
        }
        let place = ProviderFile::new(disk, roots);
        (folder, place)
    }

    #[test]
    fn key_media_of_different_kinds_are_refused() {
        for (one, other) in [
            (SEALED, INTAKE),
            (INTAKE, SEALED),
            (CEREMONY, INTAKE),
            (TOKEN, INTAKE),
            (TOKEN, CEREMONY),
        ] {
            let (_folder, place) = media(one, other);
            let differ = |result: Result<(), KeyError>| {
                matches!(result, Err(KeyError::ProvidersDiffer { .. }))
            };
            assert!(differ(require_one_provider(&place)), "{one} {other}");
            let archive = ArchiveId::from_bytes([1; 16]);
            assert!(differ(kind(&place, archive).map(drop)), "{one} {other}");
        }
    }

    #[test]
    fn what_opens_a_sealed_file_may_differ_and_damage_says_nothing() {
        // A ceremony that reached one medium; a medium that cannot be read.
        for (one, other) in [(SEALED, CEREMONY), (INTAKE, "{"), ("", TOKEN)] {
            let (_folder, place) = media(one, other);
            require_one_provider(&place).unwrap();
        }
    }
}
