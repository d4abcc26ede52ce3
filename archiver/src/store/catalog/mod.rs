//! The record index: a fold over the segments, kept in sled, and rebuilt from the segments whenever it is missing or damaged.
//!
//! Values are sealed under a key of the key medium: the index of a stolen data medium tells nothing about metadata.

mod chain_entry;
mod chains;
mod columns;
mod copying;
mod engine;
mod entry;
mod events;
mod filling;
mod fold;
mod key;
mod lacking;
mod lookups;
mod matching;
mod normal;
mod opening;
mod place;
mod query;
mod reading;
mod rereading;
mod seal;
mod searching;
mod state;
#[cfg(test)]
mod tests;
mod visiting;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use formats::error::FormatError;
use formats::id::{BatchId, RecordId, VersionId};
use formats::manifest::Manifest;
use formats::raw::Raw;
use formats::segment::{Event, Frame, FrameAddress, RecordVersion};

use super::durable::Disk;
use super::{Store, StoreError};
use crate::event::RecordedEvent;
use entry::leaf_of;
use fold::Fold;
use opening::Opening;
use place::Place;
use visiting::stamp_of;

pub use chain_entry::{ChainHead, ChainLink, ChainStart, ReceiptEntry};
pub use columns::{ColumnsProgress, ColumnsSize};
pub use engine::{EngineChoice, IndexEngine, SLED_VERSIONS_MAX, UnknownEngine, panics_are_answers};
pub use entry::{BatchEntry, Hit, ObjectEntry, Stamp, Unstamped};
pub use filling::{Filler, Filling};
pub use query::{MATTER, Query, ValueMatch};
pub use seal::ValueSealer;
pub use searching::{Cursor, InvalidCursor, SearchPage};

/// Opens sealed manifests and events for the fold.
pub trait ManifestOpener: Send + Sync {
    /// The manifest of a version.
    ///
    /// # Errors
    /// [`ManifestFailure`]; the version then stands in the index without metadata, and the report names it.
    fn open_manifest(&self, version: &RecordVersion) -> Result<Raw<Manifest>, ManifestFailure>;

    /// An event. `None`: it does not open, and the report names it.
    fn open_event(&self, event: &Event) -> Option<RecordedEvent>;
}

/// Why a manifest could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestFailure {
    /// The key of the version was destroyed: it stands in the index without metadata, and that is as it should be.
    KeyDestroyed,
    /// The ledger holds no key for the version: the ledger is not complete.
    KeyMissing,
    /// The ciphertext does not match its tag, its key or its place.
    NotAuthentic,
    /// What was sealed is not a manifest of this version.
    Malformed(FormatError),
}

/// Where the index stands and how it is sealed.
#[derive(Debug, Clone)]
pub struct CatalogOptions {
    /// The directory of the index. It is made when it is missing. Nothing else may stand in it.
    pub directory: PathBuf,
    /// Seals the values.
    pub sealer: Arc<dyn ValueSealer>,
    /// Bytes of memory for the index's cache.
    pub cache_bytes: u64,
    /// Which engine holds it.
    pub engine: EngineChoice,
    /// About how many record versions the archive holds: an index that is begun takes the engine for that many.
    pub versions_expected: u64,
    /// The writing system calls for what the index notes about its engine; the engine makes its own.
    pub disk: Arc<dyn Disk>,
}

/// What opening, catching up or rebuilding did.
#[derive(Debug, Clone, Default)]
pub struct CatalogReport {
    /// Where a damaged index was set aside.
    pub set_aside: Option<PathBuf>,
    /// Segments that no medium at hand has, as far as they were read now.
    pub gaps: Vec<u32>,
    /// Segments that were missing when the index was made, and are back: it was made anew.
    pub returned: Vec<u32>,
    /// The engine that the index was moved to, because it had grown.
    pub moved: Option<IndexEngine>,
    /// Why it could not be moved. It goes on where it is.
    pub not_moved: Option<StoreError>,
    /// Whether the index was made from nothing.
    pub rebuilt: bool,
    /// Record versions read from the segments.
    pub versions_applied: u64,
    /// Archive time-stamps read from the segments.
    pub batches_applied: u64,
    /// Versions whose manifest could not be opened.
    pub without_manifest: Vec<(VersionId, FrameAddress, ManifestFailure)>,
    /// Frames that are damaged on every replica, and what is wrong.
    pub damaged: Vec<(FrameAddress, FormatError)>,
}

/// How far a fold is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldProgress {
    /// The frame read last.
    pub at: FrameAddress,
    /// Record versions so far.
    pub versions: u64,
    /// What is being done.
    pub stage: FoldStage,
}

/// What is done to an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldStage {
    /// Segments are read into it.
    Reading,
    /// Its entries are copied to another engine.
    Moving(IndexEngine),
}

/// How much the archive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Record versions.
    pub versions: u64,
    /// Versions without an archive time-stamp.
    pub unstamped: u64,
    /// Batches.
    pub batches: u64,
}

impl Counts {
    /// Versions with an archive time-stamp.
    #[must_use]
    pub const fn stamped(&self) -> u64 {
        self.versions.saturating_sub(self.unstamped)
    }
}

/// The record index. It may be shared between threads; every method takes `&self`.
///
/// Changes are gathered and written in batches. They need no synchronisation of their own: the index notes how far it is,
/// and the next opening reads the segments from there. Closing (or dropping) writes everything.
#[derive(Debug)]
pub struct Catalog {
    store: Store,
    place: Place,
    /// `None` only while the index is being closed: the engine must be gone before its files are measured.
    fold: Mutex<Option<Arc<Fold>>>,
    /// Held while evidence is renewed.
    renewing: Mutex<()>,
    /// A frame that is durable could not be applied: the index does not know all that is in the segments.
    behind: AtomicBool,
    /// While a thread reads the segments into it.
    unfinished: filling::Unfinished,
}

impl Catalog {
    /// Opens the index, sets it aside when it is damaged, and reads what the segments hold beyond it (all, when it is empty).
    ///
    /// # Errors
    /// [`StoreError::IndexInUse`]; errors of reading the segments.
    pub fn open(
        store: &Store,
        options: CatalogOptions,
        opener: &dyn ManifestOpener,
        progress: &mut dyn FnMut(FoldProgress),
    ) -> Result<(Self, CatalogReport), StoreError> {
        let place = Place::take(&options.directory, Arc::clone(&options.disk))?;
        let mut report = CatalogReport::default();
        let opening = Opening {
            place: &place,
            store,
            options: &options,
        };
        let fold = opening.open(progress, &mut report)?;
        let catalog = Self::new(store, place, fold);
        catalog.read_segments(opener, progress, &mut report)?;
        Ok((catalog, report))
    }

    /// Makes the index anew from the segments, beside the one that counts. That one is removed when the new one is whole; an attempt that
    /// was interrupted is gone on with. An engine that the options name is kept from then on, whatever the size of the archive.
    ///
    /// # Errors
    /// As [`Catalog::open`].
    pub fn rebuild(
        store: &Store,
        options: CatalogOptions,
        opener: &dyn ManifestOpener,
        progress: &mut dyn FnMut(FoldProgress),
    ) -> Result<(Self, CatalogReport), StoreError> {
        let place = Place::take(&options.directory, Arc::clone(&options.disk))?;
        let opening = Opening {
            place: &place,
            store,
            options: &options,
        };
        let (seat, fold) = opening.open_building()?;
        let mut report = CatalogReport::default();
        let catalog = Self::new(store, place, fold);
        let lacks = catalog.read_into(reading::Into::Building, opener, progress, &mut report)?;
        catalog.checkpoint()?;
        catalog.place.take_over(&seat)?;
        catalog.place.note_lacks(&lacks)?;
        Ok((catalog, report))
    }

    /// Reads what other processes, or an earlier failure, left in the segments beyond the index.
    ///
    /// # Errors
    /// Errors of reading the segments; [`StoreError::IndexDamaged`].
    pub fn catch_up(
        &self,
        opener: &dyn ManifestOpener,
        progress: &mut dyn FnMut(FoldProgress),
    ) -> Result<CatalogReport, StoreError> {
        let mut report = CatalogReport::default();
        self.read_segments(opener, progress, &mut report)?;
        self.behind.store(false, Ordering::Relaxed);
        Ok(report)
    }

    /// Applies a record version whose manifest is at hand, after its commit. Applying twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]. The deposit is durable all the same: the next opening applies it.
    pub fn apply_version(
        &self,
        address: FrameAddress,
        frame: &RecordVersion,
        manifest: &Raw<Manifest>,
    ) -> Result<(), StoreError> {
        let hit = Hit::of_manifest(frame.version, address, manifest);
        let leaf = leaf_of(manifest);
        self.fold()?
            .add_version(&hit, &frame.identity, leaf.as_ref())?;
        self.store.set_applied(address);
        Ok(())
    }

    /// Applies an archive time-stamp, further digests, validation material, a signature or a receipt, after its commit. Other frames are
    /// passed over; for a record version there is [`Catalog::apply_version`], for an event [`Catalog::apply_event`]. Applying twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; errors of reading leaf pages.
    pub fn apply(&self, address: FrameAddress, frame: &Frame) -> Result<(), StoreError> {
        let applied = match frame {
            Frame::ArchiveTimeStamp(stamp) => self.apply_stamp(address, stamp),
            Frame::FurtherDigests(frame) => self.fold()?.add_further_digests(address, frame),
            Frame::ValidationMaterial(frame) => self.fold()?.add_material(address, frame),
            Frame::Signature(frame) => self.fold()?.add_signature(address, frame),
            Frame::Receipt(frame) => self.fold()?.add_receipt(address, frame),
            Frame::SegmentHeader(_)
            | Frame::ContentChunk(_)
            | Frame::RecordVersion(_)
            | Frame::TreePage(_)
            | Frame::Event(_)
            | Frame::CommitMark(_)
            | Frame::SegmentIndex(_)
            | Frame::SegmentSeal(_)
            | Frame::CompactionMap(_)
            | Frame::LeafPage(_) => return Ok(()),
        };
        if applied.is_err() {
            self.behind.store(true, Ordering::Relaxed);
        } else {
            self.store.set_applied(address);
        }
        applied
    }

    /// Removes what is known of a version whose key was destroyed: it stands in the index without metadata from now on, and the same document can be
    /// deposited again. Doing it twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; errors of reading the version's frame.
    pub fn purge_version(&self, version: VersionId) -> Result<(), StoreError> {
        let Some(hit) = self.version(version)? else {
            return Ok(());
        };
        let Frame::RecordVersion(frame) = self.store.read(hit.address)? else {
            return Ok(());
        };
        let hit = Hit::unreadable(version, hit.address);
        self.fold()?.add_destroyed(&hit, &frame.identity)
    }

    /// Makes what was applied durable and notes how far the fold is, so that the next opening starts there. Closing does it, too.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; errors of writing.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.fold()?.flush()
    }

    /// Writes everything and leaves the index in order. Dropping it does the same, without telling a failure.
    ///
    /// # Errors
    /// As [`Catalog::checkpoint`].
    pub fn close(self) -> Result<(), StoreError> {
        self.end()
    }

    /// One version.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn version(&self, version: VersionId) -> Result<Option<Hit>, StoreError> {
        let versions = self.versions_of(version.record(), Some(version))?;
        Ok(versions.into_iter().find(|hit| hit.version == version))
    }

    /// All versions of a record, oldest first.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn versions(&self, record: RecordId) -> Result<Vec<Hit>, StoreError> {
        self.versions_of(record, None)
    }

    /// The newest version of a record.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn latest(&self, record: RecordId) -> Result<Option<Hit>, StoreError> {
        Ok(self.versions(record)?.pop())
    }

    /// Calls `each` for every version in the order of record ids, until it answers `false`.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn for_each(&self, each: &mut dyn FnMut(Hit) -> bool) -> Result<(), StoreError> {
        let query = Query {
            all_versions: true,
            ..Query::default()
        };
        self.visit(&query, each)
    }

    /// The versions that no archive time-stamp covers, at most `limit`, in the order of record ids.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn unstamped(&self, limit: usize) -> Result<Vec<Unstamped>, StoreError> {
        self.whole()?.unstamped(None, limit)
    }

    /// The next of them, behind a version: whoever goes through all of them holds a few at a time.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn unstamped_after(
        &self,
        after: Option<VersionId>,
        limit: usize,
    ) -> Result<Vec<Unstamped>, StoreError> {
        self.whole()?.unstamped(after, limit)
    }

    /// The batch that covers a version, and its leaf in it.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn batch_of(&self, version: VersionId) -> Result<Option<Stamp>, StoreError> {
        stamp_of(&*self.whole()?, version)
    }

    /// A batch.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn batch(&self, batch: BatchId) -> Result<Option<BatchEntry>, StoreError> {
        let fold = self.whole()?;
        let value = fold.get(&key::of_batch(batch))?;
        value
            .map(|value| BatchEntry::decode(&value).map_err(|_| fold.damaged()))
            .transpose()
    }

    /// All batches, oldest first.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn batches(&self) -> Result<Vec<BatchEntry>, StoreError> {
        let mut batches = Vec::new();
        let table = [key::BATCHES];
        self.whole()?.scan(&table, &table, &mut |_, value| {
            batches.push(BatchEntry::decode(value)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(batches)
    }

    /// The version that was deposited under this identity ([`RecordVersion::identity`]). Of several, one of them.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn by_deposit_identity(
        &self,
        identity: &[u8; 32],
    ) -> Result<Option<VersionId>, StoreError> {
        let fold = self.whole()?;
        let value = fold.get(&key::of_identity(identity))?;
        value
            .map(|value| key::version(&value).ok_or_else(|| fold.damaged()))
            .transpose()
    }

    /// How much the archive holds.
    ///
    /// # Errors
    /// [`StoreError::Closed`]; [`StoreError::IndexFilling`].
    pub fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.whole()?.counts())
    }

    fn new(store: &Store, place: Place, fold: Fold) -> Self {
        Self {
            store: store.clone(),
            place,
            fold: Mutex::new(Some(Arc::new(fold))),
            renewing: Mutex::new(()),
            behind: AtomicBool::new(false),
            unfinished: filling::Unfinished::default(),
        }
    }

    fn fold(&self) -> Result<Arc<Fold>, StoreError> {
        let fold = self.fold.lock().unwrap_or_else(PoisonError::into_inner);
        fold.as_ref().map(Arc::clone).ok_or(StoreError::Closed)
    }

    fn end(&self) -> Result<(), StoreError> {
        let mut held = self.fold.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(fold) = held.take() else {
            return Ok(());
        };
        fold.flush()?;
        let suspect = fold.is_suspect();
        drop(fold);
        if suspect {
            return Ok(());
        }
        self.place.note_closed()
    }
}

impl Drop for Catalog {
    fn drop(&mut self) {
        // What is not written here is read from the segments by the next opening.
        drop(self.end());
    }
}
