//! The key medium: one directory, on a device of its own, with the key-encryption keys, the ledger and other secrets.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware::entropy::Entropy;
use formats::id::{ArchiveId, VersionId};
use formats::medium::{LABEL_FILE, MediumLabel, MediumRole};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::beside;
use super::error::KeyError;
use super::ledger::{
    CopyCondition, DamagedEntries, KeyLedger, LedgerAccess, LedgerPlace, RotationProgress,
    RotationReport,
};
use super::place::KeyPlace;
use super::provider::{self, KEK_FILE, KekProvider, ProviderFile, UnlockWith};
use super::sealed;
use super::secret::DataKey;
use crate::store::durable::{Disk, read_settled, replace_and_erase, settle};

/// An unlocked key medium.
///
/// Layout: `kek.json` (the sealed key-encryption keys), `ledger/NNNNNNNNNN.led`. Other secrets of the archive, such as the
/// private key of the embedded TSA, are sealed with [`KeyMedium::seal_secret`] and kept beside them.
pub struct KeyMedium {
    root: PathBuf,
    place: KeyPlace,
    disk: Arc<dyn Disk>,
    archive: ArchiveId,
    provider: Arc<dyn KekProvider>,
    ledger: KeyLedger,
    differing: Vec<PathBuf>,
    /// Why an interrupted destruction could not be brought to its end.
    hindrance: Option<KeyError>,
}

impl KeyMedium {
    /// Unlocks the key medium at `root` with a passphrase, with shares, or with a token and its PIN.
    ///
    /// # Errors
    /// [`KeyError::MediumMissing`], [`KeyError::WrongPassphrase`] and [`KeyError::Damaged`] are told apart; and what
    /// [`KeyLedger::open`] says.
    pub fn open<'a>(
        disk: Arc<dyn Disk>,
        place: impl Into<KeyPlace>,
        archive: ArchiveId,
        unlock: impl Into<UnlockWith<'a>>,
        access: LedgerAccess,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let place = place.into();
        let file = provider_file(&disk, &place, access);
        let kek = provider::open(file, archive, unlock.into(), Arc::clone(&entropy))?;
        Self::with_provider(disk, place, archive, kek, access, entropy)
    }

    /// Opens the key media with key-encryption keys that another provider holds, on a chosen disk. Opened to be written, they are brought into
    /// step, and a destruction of keys that was interrupted is brought to its end.
    ///
    /// # Errors
    /// What [`KeyLedger::open`] says; [`KeyError::OtherArchive`], [`KeyError::NotAKeyMedium`] when a label says so.
    pub fn with_provider(
        disk: Arc<dyn Disk>,
        place: impl Into<KeyPlace>,
        archive: ArchiveId,
        provider: Arc<dyn KekProvider>,
        access: LedgerAccess,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let place = place.into();
        for root in place.present() {
            check_label(root, archive)?;
            if access == LedgerAccess::Write {
                beside::finish(&*disk, root)?;
            }
        }
        let ledger_place = LedgerPlace {
            disk: Arc::clone(&disk),
            roots: place.roots.clone(),
            copies_min: place.copies_min,
        };
        let ledger = KeyLedger::open(
            ledger_place,
            archive,
            access,
            Arc::clone(&provider),
            entropy,
        )?;
        let root = ledger.leading_root()?.to_path_buf();
        let mut medium = Self {
            root,
            place,
            disk,
            archive,
            provider,
            ledger,
            differing: Vec::new(),
            hindrance: None,
        };
        if access == LedgerAccess::Write {
            medium.differing = medium.bring_into_step()?;
            if medium.ledger.is_destruction_unfinished() {
                // A damaged key or secret must not keep everybody from depositing.
                medium.hindrance = match medium.rotate(&mut |_| ()) {
                    Ok(_) => None,
                    Err(error)
                        if error.is_damage()
                            || error.is_unknown_kind()
                            || matches!(error, KeyError::CopiesMissing { .. }) =>
                    {
                        Some(error)
                    }
                    Err(error) => return Err(error),
                };
            }
        }
        Ok(medium)
    }

    fn bring_into_step(&self) -> Result<Vec<PathBuf>, KeyError> {
        let file = self.provider.file()?;
        for root in self.roots_in_service() {
            let path = root.join(KEK_FILE);
            // While the medium is being made there is none yet: it is written last.
            let is_made = self
                .roots_in_service()
                .iter()
                // A crash in replacing it may have left it without its name for the moment.
                .any(|one| read_settled(&one.join(KEK_FILE)).is_ok());
            let written = if is_made && !read_settled(&path).is_ok_and(|own| own == file) {
                replace_and_erase(&*self.disk, &path, &file)
            } else if is_made {
                settle(&*self.disk, &path)
            } else {
                Ok(())
            };
            if let Err(error) = written {
                let error = KeyError::io(&path, "write", error);
                self.ledger.fail_copy(&root, error)?;
            }
        }
        self.copy_other_files()
    }

    /// Wraps every key and every other secret under a new epoch of the key-encryption key, or brings an interrupted rotation to its end.
    ///
    /// # Errors
    /// As [`KeyLedger::rotate`]; before anything is done, [`KeyError::SecretDamaged`] for a sealed file that does not open on any key medium,
    /// and [`KeyError::UnsupportedFormat`] for one that this program does not know; [`KeyError::CopiesMissing`] where a key medium is there and
    /// failed: its ledger would stay under the old keys, while `kek.json` on it gets the new ones.
    pub fn rotate(
        &self,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, KeyError> {
        self.rotate_with(DamagedEntries::Keep, progress)
    }

    /// As [`KeyMedium::rotate`]; damaged entries may be given up.
    ///
    /// # Errors
    /// As [`KeyMedium::rotate`].
    pub fn rotate_with(
        &self,
        damaged: DamagedEntries,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, KeyError> {
        self.require_secrets()?;
        let others = &mut || self.rewrap_secrets();
        self.ledger.rotate(damaged, others, progress)
    }

    /// Destroys the keys of versions on every key medium. Use `Archive::destroy_keys`, which records it.
    ///
    /// # Errors
    /// As [`KeyLedger::destroy`].
    pub fn destroy(
        &self,
        versions: &[VersionId],
        now: OffsetDateTime,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, KeyError> {
        self.destroy_with(versions, now, DamagedEntries::Keep, progress)
    }

    /// As [`KeyMedium::destroy`]; damaged entries of other versions may be given up.
    ///
    /// # Errors
    /// As [`KeyLedger::destroy`].
    pub fn destroy_with(
        &self,
        versions: &[VersionId],
        now: OffsetDateTime,
        damaged: DamagedEntries,
        progress: &mut dyn FnMut(RotationProgress),
    ) -> Result<RotationReport, KeyError> {
        self.require_secrets()?;
        let others = &mut || self.rewrap_secrets();
        self.ledger
            .destroy(versions, now, damaged, others, progress)
    }

    /// Where the key medium is mounted that is read.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Files that are not the same on all key media; they were left as they are.
    #[must_use]
    pub fn differing_files(&self) -> &[PathBuf] {
        &self.differing
    }

    /// Why a destruction that was interrupted is not at its end yet.
    #[must_use]
    pub const fn hindrance(&self) -> Option<&KeyError> {
        self.hindrance.as_ref()
    }

    /// The key medium and its copies, as they are configured.
    #[must_use]
    pub const fn place(&self) -> &KeyPlace {
        &self.place
    }

    /// The key media that hold every key and get each new one.
    #[must_use]
    pub fn roots_in_service(&self) -> Vec<PathBuf> {
        let in_service =
            |state: &super::ledger::CopyState| state.condition == CopyCondition::InService;
        let copies = self.ledger.copies().into_iter().filter(in_service);
        copies.map(|state| state.root).collect()
    }

    /// Keeps a file of the archive on every key medium, in place of what stood there.
    ///
    /// # Errors
    /// [`KeyError::Io`], [`KeyError::Full`].
    pub fn keep(&self, relative: &Path, contents: &[u8]) -> Result<(), KeyError> {
        for root in self.roots_in_service() {
            self.write_file(&root, relative, contents)?;
        }
        Ok(())
    }

    /// What holds the key-encryption keys.
    #[must_use]
    pub fn provider(&self) -> &dyn KekProvider {
        &*self.provider
    }

    pub(super) fn current_epoch(&self) -> u32 {
        self.provider.current_epoch()
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// The archive whose keys these are.
    #[must_use]
    pub const fn archive(&self) -> ArchiveId {
        self.archive
    }

    /// The data keys.
    #[must_use]
    pub const fn ledger(&self) -> &KeyLedger {
        &self.ledger
    }

    /// The key of the archive's catalog and events. Use [`DataKey::subkey`] for each purpose.
    ///
    /// # Errors
    /// As [`KeyLedger::catalog_key`].
    pub fn catalog_key(&self) -> Result<DataKey, KeyError> {
        self.ledger.catalog_key()
    }

    /// Seals a secret of the archive under the key-encryption key: epoch u32 ‖ nonce ‖ ciphertext ‖ tag. The label is
    /// authenticated, so that a secret cannot be passed off as another.
    ///
    /// # Errors
    /// What the provider says.
    pub fn seal_secret(&self, label: &'static str, secret: &[u8]) -> Result<Vec<u8>, KeyError> {
        let wrapped = self
            .provider
            .wrap(&sealed::secret_context(self.archive, label), secret)?;
        Ok([
            wrapped.epoch.to_be_bytes().as_slice(),
            &wrapped.nonce,
            &wrapped.sealed,
        ]
        .concat())
    }

    /// Opens what [`KeyMedium::seal_secret`] sealed under the same label.
    ///
    /// # Errors
    /// [`KeyError::SecretDamaged`], [`KeyError::UnknownEpoch`], or what the provider says.
    pub fn open_secret(
        &self,
        label: &'static str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        sealed::open_sealed(&*self.provider, self.archive, label, sealed)
    }
}

/// The provider's file on the key media that are there.
fn provider_file(disk: &Arc<dyn Disk>, place: &KeyPlace, access: LedgerAccess) -> ProviderFile {
    let mut roots = place.present();
    if roots.is_empty() {
        // So that the error names it.
        roots.extend(place.roots.first().map(PathBuf::as_path));
    }
    match access {
        LedgerAccess::Read => ProviderFile::read_only(roots),
        LedgerAccess::Write => ProviderFile::new(Arc::clone(disk), roots),
    }
}

/// The label of a key medium, where it has one, must name this archive and this role.
pub(super) fn check_label(root: &Path, archive: ArchiveId) -> Result<(), KeyError> {
    let path = root.join(LABEL_FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(KeyError::io(&path, "read", error)),
    };
    let Ok(label) = MediumLabel::parse(&text) else {
        return Err(KeyError::Damaged {
            path,
            part: "label",
        });
    };
    if label.archive != archive {
        return Err(KeyError::OtherArchive {
            path,
            expected: archive,
            found: label.archive,
        });
    }
    if label.role != MediumRole::Keys {
        return Err(KeyError::NotAKeyMedium { path });
    }
    Ok(())
}

impl fmt::Debug for KeyMedium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMedium")
            .field("root", &self.root)
            .field("archive", &self.archive)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KdfParameters, Passphrase};
    use firmware::entropy::SeededEntropy;
    use std::fs;

    use crate::store::durable::{replace_file, system_disk};

    const CHEAP: KdfParameters = KdfParameters {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    fn archive() -> ArchiveId {
        ArchiveId::from_bytes([1; 16])
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(&Zeroizing::new(text.as_bytes().to_vec())).unwrap()
    }

    fn create(root: &Path) -> Result<KeyMedium, KeyError> {
        let entropy = Arc::new(SeededEntropy::new(1));
        KeyMedium::create(
            system_disk(),
            root,
            archive(),
            &passphrase("right"),
            CHEAP,
            entropy,
        )
    }

    fn open(root: &Path, text: &str) -> Result<KeyMedium, KeyError> {
        open_to(root, text, LedgerAccess::Read)
    }

    fn open_to(root: &Path, text: &str, access: LedgerAccess) -> Result<KeyMedium, KeyError> {
        let entropy = Arc::new(SeededEntropy::new(2));
        let passphrase = passphrase(text);
        KeyMedium::open(system_disk(), root, archive(), &passphrase, access, entropy)
    }

    #[test]
    fn a_made_key_medium_opens_again_with_the_same_catalog_key() {
        let place = tempfile::tempdir().unwrap();
        let made = create(place.path()).unwrap();
        let key = *made.catalog_key().unwrap().expose();
        drop(made);
        let opened = open(place.path(), "right").unwrap();
        assert_eq!(opened.catalog_key().unwrap().expose(), &key);
        assert_eq!(opened.ledger().report().entries, 1);
    }

    #[test]
    fn missing_wrong_and_damaged_are_told_apart() {
        let place = tempfile::tempdir().unwrap();
        let nowhere = place.path().join("nowhere");
        let missing = |root: &Path| matches!(open(root, "right"), Err(KeyError::MediumMissing { path }) if path == root);
        assert!(missing(&nowhere), "no directory");
        assert!(missing(place.path()), "an empty mount point");
        create(place.path()).unwrap();
        let wrong = open(place.path(), "wrong").unwrap_err();
        assert!(matches!(wrong, KeyError::WrongPassphrase));
        fs::remove_file(place.path().join(KEK_FILE)).unwrap();
        let damaged = open(place.path(), "right").unwrap_err();
        assert!(matches!(damaged, KeyError::Damaged { .. }), "{damaged}");
    }

    #[test]
    fn a_replacement_that_a_crash_cut_is_brought_to_its_end() {
        let place = tempfile::tempdir().unwrap();
        drop(create(place.path()).unwrap());
        let path = place.path().join(KEK_FILE);
        let good = fs::read(&path).unwrap();
        for (new, old) in [(Some(good.as_slice()), "what was before"), (None, "")] {
            let old = if old.is_empty() {
                good.as_slice()
            } else {
                old.as_bytes()
            };
            let disk = system_disk();
            let beside = |name: &str| place.path().join(format!("{KEK_FILE}{name}"));
            replace_file(&*disk, &beside(".old"), old).unwrap();
            if let Some(new) = new {
                replace_file(&*disk, &beside(".new"), new).unwrap();
            }
            fs::remove_file(&path).unwrap();
            // Reading finds it, and changes nothing; the next writer gives it its name.
            drop(open(place.path(), "right").unwrap());
            assert!(!path.exists());
            drop(open_to(place.path(), "right", LedgerAccess::Write).unwrap());
            assert_eq!(fs::read(&path).unwrap(), good);
            assert!(!beside(".old").exists() && !beside(".new").exists());
        }
    }

    #[test]
    fn an_existing_key_medium_is_never_overwritten() {
        let place = tempfile::tempdir().unwrap();
        assert!(matches!(
            create(&place.path().join("nowhere")),
            Err(KeyError::MediumMissing { .. })
        ));
        create(place.path()).unwrap();
        let again = |root: &Path| matches!(create(root), Err(KeyError::AlreadyCreated { .. }));
        assert!(again(place.path()));
        fs::remove_file(place.path().join(KEK_FILE)).unwrap();
        assert!(again(place.path()), "a ledger without kek.json");
    }

    #[test]
    fn a_sealed_secret_opens_only_unchanged_and_under_its_label() {
        let place = tempfile::tempdir().unwrap();
        let medium = create(place.path()).unwrap();
        let sealed = medium.seal_secret("tsa key", b"private").unwrap();
        let opened = open(place.path(), "right").unwrap();
        let secret = opened.open_secret("tsa key", &sealed).unwrap();
        assert_eq!(secret.as_slice(), b"private");
        assert!(matches!(
            opened.open_secret("tsa", &sealed),
            Err(KeyError::SecretDamaged { label: "tsa" })
        ));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(opened.open_secret("tsa key", &flipped).is_err(), "{bit}");
        }
        for length in 0..sealed.len() {
            assert!(opened.open_secret("tsa key", &sealed[..length]).is_err());
        }
        assert!(!format!("{medium:?}").contains("private"));
    }
}
