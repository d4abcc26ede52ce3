//! The one list of secrets that are sealed under the key-encryption key beside the ledger.
//!
//! Each is a file `….sealed` in a folder of the key medium. A rotation wraps all of them anew. A file that this list does not know stops the
//! rotation before the old epoch is destroyed: without its label it could never be opened again.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use formats::id::ArchiveId;
use formats::medium::SPECIFICATION_FILE;
use zeroize::Zeroizing;

use super::error::KeyError;
use super::medium::KeyMedium;
use super::provider::{KekProvider, WrappedSecret};
use super::secret::NONCE_BYTES;
use crate::store::durable::{
    create_directories, erase_file, read_settled, replace_and_erase, settle,
};

/// The label of the private key of the embedded timestamp authority.
pub const TSA_KEY: &str = "embedded timestamp authority";
/// The label of the private key of the archive's own authority.
pub const SIGNING_AUTHORITY: &str = "archive signing authority";
/// The label of the archive's signing keys.
pub const SIGNING_KEY: &str = "archive signing key";

/// The bytes of a file, and what they say.
type Said = (Vec<u8>, Zeroizing<Vec<u8>>);

/// A kind of sealed secret: folder, beginning of the file's name, label, and what it is for.
pub(super) struct SealedKind {
    folder: &'static str,
    prefix: &'static str,
    pub(super) label: &'static str,
    pub(super) purpose: &'static str,
}

/// All kinds. A module that seals a secret adds its line here.
const KINDS: [SealedKind; 3] = [
    SealedKind {
        folder: "tsa",
        prefix: "key",
        label: TSA_KEY,
        purpose: "signs the tokens of the embedded timestamp authority",
    },
    SealedKind {
        folder: "signing",
        prefix: "ca",
        label: SIGNING_AUTHORITY,
        purpose: "issues the certificates of the archive's signing keys",
    },
    SealedKind {
        folder: "signing",
        prefix: "key-",
        label: SIGNING_KEY,
        purpose: "signs records and receipts",
    },
];

/// What a sealed file is, by its path on the key medium.
pub(super) fn kind_of(relative: &Path) -> Option<&'static SealedKind> {
    let folder = relative.parent()?.to_str()?;
    let name = relative.file_name()?.to_str()?;
    KINDS
        .iter()
        .find(|kind| kind.folder == folder && name.starts_with(kind.prefix))
}

/// The files of a key medium beside ledger, label and provider's file, relative to its root. What was never finished is none of them.
pub(super) fn files(root: &Path) -> Result<BTreeSet<PathBuf>, KeyError> {
    let mut files = BTreeSet::new();
    collect(root, Path::new(""), &mut |relative, name| {
        if !name.ends_with(".new") {
            // What is being replaced is known by its own name.
            files.insert(relative.with_file_name(name.trim_end_matches(".old")));
        }
    })
    .map_err(|error| KeyError::io(root, "read the directory", error))?;
    Ok(files)
}

fn collect(root: &Path, below: &Path, found: &mut dyn FnMut(&Path, &str)) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let relative = below.join(entry.file_name());
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        let first = below.as_os_str().is_empty();
        if kind.is_dir() {
            if !(first && ["ledger", "lost+found"].contains(&name)) {
                collect(root, &relative, found)?;
            }
        } else if kind.is_file() {
            let own = name.trim_end_matches(".new").trim_end_matches(".old");
            if !(first && ["kek.json", "MEDIUM.json"].contains(&own)) {
                found(&relative, name);
            }
        }
    }
    Ok(())
}

/// What stands at `path`; `None` where nothing does. What cannot be read is there all the same.
fn read_present(path: &Path) -> Result<Option<Vec<u8>>, KeyError> {
    match read_settled(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(KeyError::Damaged {
            path: path.to_path_buf(),
            part: "contents",
        }),
    }
}

/// The secret; `None` where it does not open. What the provider's device says besides is no answer.
pub(super) fn opened(
    opened: Result<Zeroizing<Vec<u8>>, KeyError>,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    match opened {
        Ok(secret) => Ok(Some(secret)),
        Err(
            KeyError::SecretDamaged { .. } | KeyError::UnknownEpoch { .. } | KeyError::WriteOnly,
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the sealed file at `path`, of the kind that its relative path tells, is there and opens.
///
/// # Errors
/// [`KeyError::Damaged`] where it is there and cannot be read; what the provider's device says.
pub(super) fn opens_at(
    provider: &dyn KekProvider,
    archive: ArchiveId,
    path: &Path,
    relative: &Path,
) -> Result<bool, KeyError> {
    let (Some(kind), Some(sealed)) = (kind_of(relative), read_present(path)?) else {
        return Ok(false);
    };
    Ok(opened(open_sealed(provider, archive, kind.label, &sealed))?.is_some())
}

/// Opens what [`KeyMedium::seal_secret`] sealed under the same label.
pub(super) fn open_sealed(
    provider: &dyn KekProvider,
    archive: ArchiveId,
    label: &'static str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let damaged = KeyError::SecretDamaged { label };
    let Some((epoch, rest)) = sealed.split_first_chunk() else {
        return Err(damaged);
    };
    let Some((nonce, body)) = rest.split_first_chunk::<NONCE_BYTES>() else {
        return Err(damaged);
    };
    let wrapped = WrappedSecret {
        epoch: u32::from_be_bytes(*epoch),
        nonce: *nonce,
        sealed: body.to_vec(),
    };
    provider
        .unwrap(&secret_context(archive, label), &wrapped)?
        .ok_or(damaged)
}

/// What a sealed secret is bound to.
pub(super) fn secret_context(archive: ArchiveId, label: &str) -> Vec<u8> {
    [
        b"fumikura secret 1\0".as_slice(),
        archive.as_bytes(),
        label.as_bytes(),
        b"\0",
    ]
    .concat()
}

impl KeyMedium {
    /// Opens every other secret once: what does not open on any key medium could not be wrapped anew.
    ///
    /// # Errors
    /// [`KeyError::SecretDamaged`], [`KeyError::UnsupportedFormat`] for a kind that this program does not know.
    pub(super) fn require_secrets(&self) -> Result<(), KeyError> {
        let roots = self.roots_in_service();
        for (relative, kind) in self.secrets(&roots)? {
            let mut opens = false;
            for root in &roots {
                let path = root.join(&relative);
                opens |= opens_at(self.provider(), self.archive(), &path, &relative)?;
            }
            if !opens {
                return Err(KeyError::SecretDamaged { label: kind.label });
            }
        }
        Ok(())
    }

    fn secrets(&self, roots: &[PathBuf]) -> Result<Vec<(PathBuf, &'static SealedKind)>, KeyError> {
        let mut all = BTreeSet::new();
        for root in roots {
            all.extend(files(root)?.into_iter().filter(|one| is_sealed(one)));
        }
        let known = |relative: PathBuf| match kind_of(&relative) {
            Some(kind) => Ok((relative, kind)),
            None => Err(KeyError::UnsupportedFormat {
                path: self.root().join(&relative),
            }),
        };
        all.into_iter().map(known).collect()
    }

    /// Wraps every other secret under the current epoch on every key medium in service; tells how many there are. May be repeated.
    pub(super) fn rewrap_secrets(&self) -> Result<u64, KeyError> {
        let roots = self.roots_in_service();
        let mut count = 0;
        for (relative, kind) in self.secrets(&roots)? {
            self.rewrap_secret(&roots, &relative, kind.label)?;
            count += 1;
        }
        Ok(count)
    }

    /// Each medium keeps the secret that it has; one that has none, or one that does not open, gets that of another.
    fn rewrap_secret(
        &self,
        roots: &[PathBuf],
        relative: &Path,
        label: &'static str,
    ) -> Result<(), KeyError> {
        let read = |root: &PathBuf| self.read_file(&root.join(relative), Some(label));
        let found: Vec<Option<Said>> = roots.iter().map(read).collect::<Result<_, _>>()?;
        let first = found.iter().flatten().next();
        let (_, first) = first.ok_or(KeyError::SecretDamaged { label })?;
        let mut current: Vec<(Vec<u8>, &Zeroizing<Vec<u8>>)> = found
            .iter()
            .flatten()
            .filter(|(sealed, _)| epoch_of(sealed) == Some(self.current_epoch()))
            .map(|(sealed, plain)| (sealed.clone(), plain))
            .collect();
        for (root, own) in roots.iter().zip(&found) {
            let plain = own.as_ref().map_or(first, |(_, plain)| plain);
            let known = current.iter().find(|(_, other)| *other == plain);
            let wrapped = match known {
                Some((wrapped, _)) => wrapped.clone(),
                None => {
                    let wrapped = self.seal_secret(label, plain)?;
                    current.push((wrapped.clone(), plain));
                    wrapped
                }
            };
            if own.as_ref().is_none_or(|(own, _)| *own != wrapped) {
                self.write_file(root, relative, &wrapped)?;
            } else {
                let path = root.join(relative);
                settle(self.disk(), &path).map_err(|e| KeyError::io(&path, "write", e))?;
            }
        }
        Ok(())
    }

    /// A file and what it says: where a secret does not open, or no file stands, it says nothing.
    fn read_file(
        &self,
        path: &Path,
        label: Option<&'static str>,
    ) -> Result<Option<Said>, KeyError> {
        let Some(bytes) = read_present(path)? else {
            return Ok(None);
        };
        let plain = match label {
            Some(label) => opened(self.open_secret(label, &bytes))?,
            None => Some(Zeroizing::new(bytes.clone())),
        };
        Ok(plain.map(|plain| (bytes, plain)))
    }

    /// Gives every key medium in service the files that only others have, and each sealed secret where it does not open; tells which files differ.
    /// What differs stays as it is: nobody can tell which is the right one, but on a medium that was behind a rotation. So does what cannot be read.
    pub(super) fn copy_other_files(&self) -> Result<Vec<PathBuf>, KeyError> {
        let mut roots = self.roots_in_service();
        // The medium that is read comes first.
        roots.sort_by_key(|root| root != self.root());
        let mut all = BTreeSet::new();
        for root in &roots {
            if let Err(error) = self.erase_unfinished(root) {
                self.ledger().fail_copy(root, error)?;
            }
            all.extend(files(root)?);
        }
        if roots.len() < 2 {
            return Ok(Vec::new());
        }
        let mut differing = Vec::new();
        for relative in all {
            self.copy_file(&roots, &relative, &mut differing)?;
        }
        Ok(differing)
    }

    fn copy_file(
        &self,
        roots: &[PathBuf],
        relative: &Path,
        differing: &mut Vec<PathBuf>,
    ) -> Result<(), KeyError> {
        let kind = kind_of(relative).filter(|_| is_sealed(relative));
        let mut found = Vec::new();
        let mut unreadable = Vec::new();
        for root in roots {
            let path = root.join(relative);
            found.push(match self.read_file(&path, kind.map(|kind| kind.label)) {
                Err(KeyError::Damaged { path, .. }) => {
                    unreadable.push(root);
                    differing.push(path);
                    None
                }
                read => read?,
            });
        }
        let Some((bytes, plain)) = found.iter().flatten().next() else {
            return Ok(());
        };
        for (root, own) in roots.iter().zip(&found) {
            match own {
                // Nobody knows what stands there.
                None if unreadable.contains(&root) => {}
                Some((_, own)) if own == plain => {}
                // Each program brings its own edition.
                Some(_) if relative == Path::new(SPECIFICATION_FILE) => {}
                Some(_) if !self.was_behind(root) => differing.push(root.join(relative)),
                Some(_) | None => {
                    if let Err(error) = self.write_file(root, relative, bytes) {
                        self.ledger().fail_copy(root, error)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Overwrites and removes what a killed program never finished.
    fn erase_unfinished(&self, root: &Path) -> Result<(), KeyError> {
        let listed = |error| KeyError::io(root, "read the directory", error);
        let mut unfinished = BTreeSet::new();
        collect(root, Path::new(""), &mut |relative, name| {
            let Some(name) = name.strip_suffix(".new") else {
                return;
            };
            let name = name.trim_end_matches(".new");
            let stands = |name: &str| root.join(relative.with_file_name(name)).exists();
            if name.ends_with(".sealed") && !stands(name) && !stands(&format!("{name}.old")) {
                unfinished.insert(root.join(relative));
            }
        })
        .map_err(listed)?;
        for path in unfinished {
            erase_file(self.disk(), &path).map_err(|e| KeyError::io(&path, "overwrite", e))?;
        }
        Ok(())
    }

    fn was_behind(&self, root: &Path) -> bool {
        let copies = self.ledger().copies();
        copies.iter().any(|copy| copy.root == root && copy.stale)
    }

    /// Writes a file on one key medium, and overwrites what stood there.
    pub(super) fn write_file(
        &self,
        root: &Path,
        relative: &Path,
        contents: &[u8],
    ) -> Result<(), KeyError> {
        let path = root.join(relative);
        let written = (|| {
            create_directories(self.disk(), path.parent().unwrap_or(root))?;
            replace_and_erase(self.disk(), &path, contents)
        })();
        written.map_err(|error| KeyError::io(&path, "write", error))
    }
}

pub(super) fn is_sealed(relative: &Path) -> bool {
    relative.extension().is_some_and(|end| end == "sealed")
}

/// The epoch in front of a sealed secret.
pub(super) fn epoch_of(sealed: &[u8]) -> Option<u32> {
    let (epoch, _) = sealed.split_first_chunk()?;
    Some(u32::from_be_bytes(*epoch))
}
