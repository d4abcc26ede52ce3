//! Which records stand under a timestamp that the law takes, by the archive's registry of accredited services.

use std::cell::RefCell;
use std::collections::BTreeMap;

use formats::id::{BatchId, VersionId};
use formats::segment::Frame;

use super::{Archive, ArchiveError};
use crate::store::StoreError;
use crate::tsa::registry::{Registry, Statutory, Unstatutory, judge};

/// Answers for the records of one archive. Each token is read once.
#[derive(Debug)]
pub struct Accreditations<'a> {
    archive: &'a Archive,
    registry: Option<Registry>,
    known: RefCell<BTreeMap<BatchId, Statutory>>,
}

impl<'a> Accreditations<'a> {
    /// Reads the registry, if the configuration names one.
    ///
    /// # Errors
    /// [`ArchiveError::Registry`].
    pub fn of(archive: &'a Archive) -> Result<Self, ArchiveError> {
        Ok(Self {
            archive,
            registry: archive.registry()?,
            known: RefCell::default(),
        })
    }

    /// Whether a version's first timestamp counts as statutory, that of the first authority or of the second one. Renewals do not matter:
    /// the law asks when the record got its timestamp. `None` while it waits for one.
    ///
    /// # Errors
    /// [`StoreError`] when the index or a token cannot be read.
    pub fn version(&self, version: VersionId) -> Result<Option<Statutory>, StoreError> {
        let mut best = None;
        for track in [0, 1] {
            let chains = self.archive.catalog().chains_of(version, track)?;
            let Some(first) = chains.first() else {
                continue;
            };
            let found = self.batch(first.head)?;
            if found.is_statutory() {
                return Ok(Some(found));
            }
            best.get_or_insert(found);
        }
        Ok(best)
    }

    /// Whether the token of a batch counts as statutory.
    ///
    /// # Errors
    /// [`StoreError`] when the index or the token cannot be read.
    pub fn batch(&self, batch: BatchId) -> Result<Statutory, StoreError> {
        if self.registry.is_none() {
            return Ok(Statutory::No(Unstatutory::NoRegistry));
        }
        if let Some(known) = self.known.borrow().get(&batch) {
            return Ok(known.clone());
        }
        let Some(entry) = self.archive.catalog().batch(batch)? else {
            return Ok(Statutory::No(Unstatutory::Unreadable));
        };
        let Frame::ArchiveTimeStamp(frame) = self.archive.store().read(entry.address)? else {
            return Ok(Statutory::No(Unstatutory::Unreadable));
        };
        let found = judge(&frame.token, self.registry.as_ref());
        self.known.borrow_mut().insert(batch, found.clone());
        Ok(found)
    }
}
