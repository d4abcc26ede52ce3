//! Where the embedded authority is kept: the folder `tsa` on the key medium.
//!
//! | file | what it holds |
//! |---|---|
//! | `root.pem` | the root certificate: the trust anchor |
//! | `authority.pem` | the authority's certificate |
//! | `key.sealed` | its private key (PKCS #8), sealed under the key-encryption key; written last |

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use firmware::entropy::Entropy;
use formats::x509::{encode_pem, read_certificates};
use time::OffsetDateTime;

use super::embedded::AuthorityMaterial;
use super::error::EmbeddedError;
use super::key::AuthorityKey;
use crate::keys::{KeyError, KeyMedium, sealed};
use crate::store::durable::{Disk, create_directories, read_settled, replace_file};

/// Why the embedded authority could not be made or found.
#[derive(Debug)]
#[non_exhaustive]
pub enum VaultError {
    /// The key medium holds no embedded authority. It is made with the archive; restore the folder from the medium's copy.
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The key medium holds one already, and it is never overwritten: tokens under the old root would lose their anchor.
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
    /// The private key could not be sealed or opened.
    Keys(KeyError),
    /// What stands there is damaged, or nothing could be made.
    Authority(EmbeddedError),
}

/// Whether the key medium holds an embedded authority.
#[must_use]
pub fn exists(medium: &KeyMedium) -> bool {
    read_settled(&folder(medium).join(KEY_FILE)).is_ok()
}

/// Makes an authority and keeps it.
///
/// # Errors
/// [`VaultError`]. A failure leaves a folder without key, which counts as none.
pub fn create(
    medium: &KeyMedium,
    disk: &dyn Disk,
    now: OffsetDateTime,
    entropy: &dyn Entropy,
) -> Result<AuthorityMaterial, VaultError> {
    let folder = folder(medium);
    if exists(medium) {
        return Err(VaultError::AlreadyCreated { path: folder });
    }
    let material = AuthorityMaterial::make(&label(medium), now, entropy)?;
    let sealed = medium.seal_secret(KEY_LABEL, &material.key.to_pkcs8()?)?;
    let root = encode_pem(CERTIFICATE, &material.root);
    let certificate = encode_pem(CERTIFICATE, &material.certificate);
    for (name, contents) in [
        (ROOT_FILE, root.as_bytes()),
        (AUTHORITY_FILE, certificate.as_bytes()),
        (KEY_FILE, sealed.as_slice()),
    ] {
        for root in medium.roots_in_service() {
            let folder = root.join(FOLDER);
            create_directories(disk, &folder).map_err(|source| failed(&folder, source))?;
            let path = folder.join(name);
            replace_file(disk, &path, contents).map_err(|source| failed(&path, source))?;
        }
    }
    Ok(material)
}

/// Reads the authority of the key medium.
///
/// # Errors
/// [`VaultError`].
pub fn open(medium: &KeyMedium) -> Result<AuthorityMaterial, VaultError> {
    let folder = folder(medium);
    if !exists(medium) {
        return Err(VaultError::Missing { path: folder });
    }
    let sealed = read(&folder.join(KEY_FILE))?;
    let key = AuthorityKey::from_pkcs8(&medium.open_secret(KEY_LABEL, &sealed)?)?;
    Ok(AuthorityMaterial {
        root: certificate(&folder.join(ROOT_FILE))?,
        certificate: certificate(&folder.join(AUTHORITY_FILE))?,
        key,
    })
}

/// The trust anchor of a key medium, DER, without its key being opened.
///
/// # Errors
/// [`VaultError`].
pub fn trust_anchor(key_medium_root: &Path) -> Result<Vec<u8>, VaultError> {
    certificate(&key_medium_root.join(FOLDER).join(ROOT_FILE))
}

fn certificate(path: &Path) -> Result<Vec<u8>, VaultError> {
    let bytes = read(path)?;
    let certificates = read_certificates(&bytes).map_err(|_| EmbeddedError::Certificate)?;
    match certificates.as_slice() {
        [one] => Ok(one.raw().to_vec()),
        _ => Err(EmbeddedError::Certificate.into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, VaultError> {
    read_settled(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> VaultError {
    VaultError::Io {
        path: path.to_path_buf(),
        source,
    }
}

fn folder(medium: &KeyMedium) -> PathBuf {
    medium.root().join(FOLDER)
}

/// The last group of the archive's identifier, which is random: enough to tell two archives' authorities apart.
fn label(medium: &KeyMedium) -> String {
    let archive = medium.archive().to_string();
    archive.rsplit('-').next().unwrap_or_default().to_owned()
}

impl From<KeyError> for VaultError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error)
    }
}

impl From<EmbeddedError> for VaultError {
    fn from(error: EmbeddedError) -> Self {
        Self::Authority(error)
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                f,
                "no embedded TSA in {}: restore the folder from the copy of the key medium",
                path.display()
            ),
            Self::AlreadyCreated { path } => write!(
                f,
                "{} already holds an embedded TSA, which is never overwritten",
                path.display()
            ),
            Self::Io { path, source } => {
                write!(f, "{}: {source}; look at the key medium", path.display())
            }
            Self::Keys(error) => error.fmt(f),
            Self::Authority(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for VaultError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Keys(error) => Some(error),
            Self::Authority(error) => Some(error),
            Self::Missing { .. } | Self::AlreadyCreated { .. } => None,
        }
    }
}

const FOLDER: &str = "tsa";
const ROOT_FILE: &str = "root.pem";
const AUTHORITY_FILE: &str = "authority.pem";
const KEY_FILE: &str = "key.sealed";
const KEY_LABEL: &str = sealed::TSA_KEY;
const CERTIFICATE: &str = "CERTIFICATE";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use firmware::entropy::SeededEntropy;
    use formats::id::ArchiveId;
    use time::macros::datetime;
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::{KdfParameters, Passphrase};
    use crate::store::durable::SystemDisk;

    const NOW: OffsetDateTime = datetime!(2026-11-22 04:00 UTC);

    fn medium(root: &Path) -> KeyMedium {
        let passphrase =
            Passphrase::new(&Zeroizing::new(b"correct horse battery".to_vec())).unwrap();
        let archive = ArchiveId::new(1, &[9; 10]);
        let parameters = KdfParameters {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let entropy = Arc::new(SeededEntropy::new(4));
        KeyMedium::create(
            crate::store::durable::system_disk(),
            root,
            archive,
            &passphrase,
            parameters,
            entropy,
        )
        .unwrap()
    }

    #[test]
    fn what_was_made_is_found_again_and_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let medium = medium(root.path());
        assert!(matches!(open(&medium), Err(VaultError::Missing { .. })));
        let entropy = SeededEntropy::new(1);
        let made = create(&medium, &SystemDisk, NOW, &entropy).unwrap();
        let found = open(&medium).unwrap();
        assert_eq!(made.root, found.root);
        assert_eq!(made.certificate, found.certificate);
        assert_eq!(made.key.sign_message(b"x"), found.key.sign_message(b"x"));
        assert_eq!(trust_anchor(root.path()).unwrap(), made.root);
        let again = create(&medium, &SystemDisk, NOW, &entropy);
        assert!(matches!(again, Err(VaultError::AlreadyCreated { .. })));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        let medium = medium(root.path());
        create(&medium, &SystemDisk, NOW, &SeededEntropy::new(1)).unwrap();
        let folder = root.path().join("tsa");
        for name in ["root.pem", "authority.pem", "key.sealed"] {
            let path = folder.join(name);
            let good = fs::read(&path).unwrap();
            for bad in [
                good.split_at(good.len() / 2).0.to_vec(),
                Vec::new(),
                b"nothing".to_vec(),
            ] {
                replace_file(&SystemDisk, &path, &bad).unwrap();
                assert!(open(&medium).is_err(), "{name}");
            }
            replace_file(&SystemDisk, &path, &good).unwrap();
        }
        open(&medium).unwrap();
        fs::remove_file(folder.join("root.pem")).unwrap();
        assert!(matches!(open(&medium), Err(VaultError::Io { .. })));
    }

    #[test]
    fn the_private_key_does_not_stand_in_the_clear() {
        let root = tempfile::tempdir().unwrap();
        let medium = medium(root.path());
        let made = create(&medium, &SystemDisk, NOW, &SeededEntropy::new(1)).unwrap();
        let pkcs8 = made.key.to_pkcs8().unwrap();
        let scalar = &pkcs8[36..68];
        for entry in fs::read_dir(root.path().join("tsa")).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(scalar.len()).any(|window| window == scalar));
        }
    }
}
