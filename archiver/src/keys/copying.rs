//! Making a copy of the key medium, and making a lost one anew.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use formats::id::MediumId;
use formats::medium::{LABEL_FILE, MediumLabel, SPECIFICATION_FILE};
use formats::segment::SPECIFICATION;

use super::beside::{self, Beside};
use super::copy_events::{KeyCopyBegun, KeyCopyFailed, KeyCopyGone, KeyCopyJoined};
use super::error::KeyError;
use super::events::{KeyCopyMade, KeyMediumFact};
use super::ledger::{CopyCondition, CopyOptions};
use super::medium::KeyMedium;
use super::provider::{KEK_FILE, ProviderFile, require_one_provider};
use super::sealed;
use crate::archive::{Archive, ArchiveError};
use crate::store::durable::{create_directories, read_settled, replace_file};
use crate::store::{StoreError, read_label};

/// What making a copy of the key medium did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyReport {
    /// Where it stands.
    pub root: PathBuf,
    /// Keys and tombstones on it, each compared with the original.
    pub entries: u64,
    /// Other files: certificates, sealed secrets.
    pub files: u64,
    /// Keys and sealed secrets that only the old copy held, and that are gone with it.
    pub dropped: u64,
}

impl KeyMedium {
    /// Makes the directory a copy of this key medium, or makes a copy anew that stands there. It may be repeated after an interruption. The new ledger,
    /// `kek.json` and the other files are written beside the old ones, whole, then each is renamed, and only then the old ledger is erased and every
    /// entry compared: where this medium fails meanwhile, the copy opens, as it was or as it is to be.
    ///
    /// `replace` allows to overwrite a copy that holds keys which this medium does not hold, or that is of a later state. One that knows of destroyed
    /// keys which this medium still holds is never overwritten.
    ///
    /// # Errors
    /// [`KeyError::AlreadyCreated`] when something else stands there; [`KeyError::ProvidersDiffer`], [`KeyError::OtherArchive`],
    /// [`KeyError::CopiesDiverge`], [`KeyError::KeysDiverge`], [`KeyError::DestructionsUnknown`]; [`KeyError::SecretDamaged`] where a
    /// sealed secret of this medium does not open: the copy's may be the only whole one;
    /// [`KeyError::EntriesDamaged`] where damaged entries of the copy stand whole nowhere else;
    /// [`KeyError::InUse`] when somebody writes to it; errors of reading and writing.
    pub fn copy_to(
        &self,
        root: &Path,
        label: &MediumLabel,
        replace: bool,
        progress: &mut dyn FnMut(u64),
    ) -> Result<CopyReport, KeyError> {
        let options = CopyOptions {
            replace,
            ..CopyOptions::default()
        };
        self.copy_with(root, label, options, progress)
    }

    /// As [`KeyMedium::copy_to`]; damaged entries of the copy that stands there may be given up.
    ///
    /// # Errors
    /// As [`KeyMedium::copy_to`].
    pub fn copy_with(
        &self,
        root: &Path,
        label: &MediumLabel,
        options: CopyOptions,
        progress: &mut dyn FnMut(u64),
    ) -> Result<CopyReport, KeyError> {
        let files = self.check_copy(root, options)?;
        let written = |path: &Path| {
            let path = path.to_path_buf();
            move |error| KeyError::io(path, "write", error)
        };
        create_directories(self.disk(), root).map_err(written(root))?;
        let path = root.join(SPECIFICATION_FILE);
        replace_file(self.disk(), &path, SPECIFICATION.as_bytes()).map_err(written(&path))?;
        let path = root.join(LABEL_FILE);
        if !path.exists() {
            let text = label.encode().map_err(|_| KeyError::Damaged {
                path: path.clone(),
                part: "label",
            })?;
            replace_file(self.disk(), &path, &text).map_err(written(&path))?;
        }
        let beside = Beside::new(self.provider().file()?, files.clone());
        let ledger = self.ledger();
        let (entries, mut dropped) = ledger.copy_to(root, options, &beside, progress)?;
        if options.replace {
            dropped += beside::erase_others(self.disk(), root, &files)?;
        }
        Ok(CopyReport {
            root: root.to_path_buf(),
            entries,
            files: files.len() as u64,
            dropped,
        })
    }

    /// Refuses what may not become a copy, before anything is written; gives the files beside the ledger that go there.
    fn check_copy(
        &self,
        root: &Path,
        options: CopyOptions,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, KeyError> {
        self.refuse_foreign(root)?;
        let files = self.other_files()?;
        self.ledger().check_target(root, options)?;
        if root.is_dir() && !options.replace {
            self.refuse_lone_secrets(root, &files)?;
        }
        Ok(files)
    }

    /// The files beside ledger and `kek.json`, read before anything is written. Each sealed secret opens.
    fn other_files(&self) -> Result<Vec<(PathBuf, Vec<u8>)>, KeyError> {
        let mut files = Vec::new();
        for relative in sealed::files(self.root())? {
            let path = self.root().join(&relative);
            let contents = read_settled(&path).map_err(|e| KeyError::io(&path, "read", e))?;
            if sealed::is_sealed(&relative) {
                let kind = sealed::kind_of(&relative);
                let kind = kind.ok_or(KeyError::UnsupportedFormat { path })?;
                self.open_secret(kind.label, &contents)?;
            }
            files.push((relative, contents));
        }
        Ok(files)
    }

    /// The key of a secret that stands only there is overwritten only where that is asked for: one that this medium does not have, another one
    /// of the same name, or one that opens with the keys there alone.
    fn refuse_lone_secrets(&self, root: &Path, own: &[(PathBuf, Vec<u8>)]) -> Result<(), KeyError> {
        let diverge = || KeyError::KeysDiverge {
            one: self.root().join(KEK_FILE),
            other: root.join(KEK_FILE),
        };
        for relative in sealed::files(root)? {
            let Some(kind) = sealed::kind_of(&relative).filter(|_| sealed::is_sealed(&relative))
            else {
                if sealed::is_sealed(&relative) {
                    return Err(diverge());
                }
                continue;
            };
            let (_, own) = own
                .iter()
                .find(|(name, _)| *name == relative)
                .ok_or_else(diverge)?;
            let path = root.join(&relative);
            let there = read_settled(&path).map_err(|e| KeyError::io(&path, "read", e))?;
            if there == *own {
                continue;
            }
            let is_same = match sealed::opened(self.open_secret(kind.label, &there))? {
                Some(plain) => plain == self.open_secret(kind.label, own)?,
                None => self.ledger().is_spent(root, &there)?,
            };
            if !is_same {
                return Err(diverge());
            }
        }
        Ok(())
    }

    /// Only an empty directory, or a key medium of this archive, may become a copy.
    fn refuse_foreign(&self, root: &Path) -> Result<(), KeyError> {
        if !root.exists() {
            return Ok(());
        }
        if self.roots_in_service().iter().any(|own| own == root) {
            return Err(KeyError::AlreadyCreated {
                path: root.to_path_buf(),
            });
        }
        super::medium::check_label(root, self.archive())?;
        // An intake medium may be the only place with the keys of what was taken in.
        require_one_provider(&ProviderFile::read_only([self.root(), root]))?;
        let is_ours = root.join(LABEL_FILE).exists() || root.join(KEK_FILE).exists();
        let read_error = |error| KeyError::io(root, "read the directory", error);
        for entry in fs::read_dir(root).map_err(read_error)? {
            let name = entry.map_err(read_error)?.file_name();
            let begun = [
                SPECIFICATION_FILE,
                "SPEC.md.new",
                "MEDIUM.json.new",
                "lost+found",
            ];
            if !is_ours && !begun.iter().any(|own| name == *own) {
                return Err(KeyError::AlreadyCreated {
                    path: root.to_path_buf(),
                });
            }
        }
        Ok(())
    }
}

impl Archive {
    /// Makes a copy of the key medium, as an act of the archive: that there is to be one is recorded before anything is written, so that a crash
    /// leaves no copy that nobody knows of.
    ///
    /// # Errors
    /// As [`KeyMedium::copy_to`]; [`ArchiveError`] when it cannot be recorded.
    pub fn copy_keys(
        &self,
        by: &str,
        root: &Path,
        label: &MediumLabel,
        options: CopyOptions,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(KeyCopyMade, CopyReport), ArchiveError> {
        self.keys().check_copy(root, options)?;
        let mut copy = KeyMediumFact::of(root);
        if copy.medium.is_none() {
            (copy.medium, copy.number) = (Some(label.medium), Some(label.number));
        }
        let epoch = self.keys().provider().current_epoch();
        let begun = KeyCopyBegun {
            copy: copy.clone(),
            epoch,
        };
        self.record_event(by, &begun)?;
        let copied = self.keys().copy_with(root, label, options, progress);
        if let Err(error) = &copied {
            let failed = KeyCopyFailed {
                copy: copy.clone(),
                cause: error.to_string(),
                is_empty: holds_nothing(root),
            };
            // What is reported is why there is no copy.
            drop(self.record_event(by, &failed));
        }
        let report = copied?;
        let made = KeyCopyMade {
            copy,
            entries: report.entries,
            epoch,
        };
        self.record_event(by, &made)?;
        Ok((made, report))
    }

    /// Records that a copy of the key medium is no more, or that one which was begun was never made: from then on no list names it.
    ///
    /// # Errors
    /// [`KeyError::MediumUnlisted`] when no such copy is on the list; [`KeyError::MediumStillThere`] when it stands where it was last, or takes
    /// part; errors of reading there, and of recording.
    pub fn record_copy_gone(
        &self,
        medium: MediumId,
        how: &str,
        by: &str,
    ) -> Result<KeyCopyGone, ArchiveError> {
        let mut listed = self.copies_made()?.into_iter();
        let found = listed.find(|one| one.medium == Some(medium));
        let copy = found.ok_or(KeyError::MediumUnlisted { medium })?;
        let last = PathBuf::from(&copy.place);
        for path in self.keys().place().roots.iter().chain([&last]) {
            match read_label(path) {
                Ok(label) if label.medium == medium && !holds_nothing(path) => {
                    let path = path.clone();
                    return Err(KeyError::MediumStillThere { path }.into());
                }
                Ok(_) | Err(StoreError::MediumMissing { .. }) => {}
                // It may be the medium: what cannot be read is not gone.
                Err(error) => return Err(error.into()),
            }
        }
        let how = how.to_owned();
        let gone = KeyCopyGone { copy, how };
        self.record_event(by, &gone)?;
        Ok(gone)
    }

    /// Records each copy of the key medium that takes part and that no event names: one that was made with other means.
    ///
    /// # Errors
    /// As [`Archive::record_event`].
    pub fn record_copies(&self, by: &str) -> Result<(), ArchiveError> {
        let recorded = self.copies_made()?;
        let copies = self.keys().ledger().copies();
        let first = self.keys().place().roots.first();
        for state in copies {
            let copy = KeyMediumFact::of(&state.root);
            let known = recorded.iter().any(|one| one.medium == copy.medium);
            let joins = state.condition == CopyCondition::InService && first != Some(&state.root);
            if joins && copy.medium.is_some() && !known {
                let epoch = self.keys().provider().current_epoch();
                self.record_event(by, &KeyCopyJoined { copy, epoch })?;
            }
        }
        Ok(())
    }
}

/// Whether no file with keys stands in a folder that can be read.
fn holds_nothing(root: &Path) -> bool {
    let is_plain = |name: &str| {
        [SPECIFICATION_FILE, LABEL_FILE].contains(&name.trim_end_matches(".new"))
            || name == "lost+found"
    };
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == ErrorKind::NotFound && folder == root => return true,
            Err(_) => return false,
        };
        for entry in listed {
            let Ok(entry) = entry else {
                return false;
            };
            let name = entry.file_name();
            let is_known = folder == root && name.to_str().is_some_and(is_plain);
            match entry.file_type() {
                _ if is_known => {}
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                // The lock of the ledger.
                Ok(kind) if kind.is_file() && entry.metadata().is_ok_and(|it| it.len() == 0) => {}
                Ok(_) | Err(_) => return false,
            }
        }
    }
    true
}
