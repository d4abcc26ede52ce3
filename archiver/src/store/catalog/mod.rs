//! The record index: a fold over the segments, kept in sled, and rebuilt from the segments whenever it is missing or damaged.
//!
//! Values are sealed under a key of the key medium: the index of a stolen data medium tells nothing about metadata.

mod entry;
mod query;
mod seal;

use std::path::PathBuf;
use std::sync::Arc;

use formats::digest::DigestValue;
use formats::error::FormatError;
use formats::id::{BatchId, RecordId, VersionId};
use formats::manifest::Manifest;
use formats::raw::Raw;
use formats::segment::{Frame, FrameAddress, RecordVersion};

use super::{Store, StoreError};

pub use entry::{BatchEntry, Hit, ObjectEntry, Stamp, Unstamped};
pub use query::{Query, ValueMatch};
pub use seal::ValueSealer;

/// Opens sealed manifests for the fold.
pub trait ManifestOpener: Send + Sync {
    /// The manifest of a version.
    ///
    /// # Errors
    /// [`ManifestFailure`]; the version then stands in the index without metadata, and the report names it.
    fn open_manifest(&self, version: &RecordVersion) -> Result<Raw<Manifest>, ManifestFailure>;
}

/// Why a manifest could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestFailure {
    /// The ledger holds no key for the version: it was disposed of, or the ledger is not complete.
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
}

/// What opening, catching up or rebuilding did.
#[derive(Debug, Clone, Default)]
pub struct CatalogReport {
    /// Where a damaged index was set aside.
    pub set_aside: Option<PathBuf>,
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

/// The record index. It may be shared between threads; every method takes `&self`.
#[derive(Debug)]
pub struct Catalog {
    store: Store,
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
        let _ = (store, options, opener, progress);
        Err(StoreError::Closed)
    }

    /// Sets the index aside, whatever its state, and makes it anew. The old one is removed when this succeeded.
    ///
    /// # Errors
    /// As [`Catalog::open`].
    pub fn rebuild(
        store: &Store,
        options: CatalogOptions,
        opener: &dyn ManifestOpener,
        progress: &mut dyn FnMut(FoldProgress),
    ) -> Result<(Self, CatalogReport), StoreError> {
        let _ = (store, options, opener, progress);
        Err(StoreError::Closed)
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
        let _ = (address, frame, manifest);
        Err(StoreError::Closed)
    }

    /// Applies any other frame, after its commit: archive time-stamps count; the rest is passed over. Applying twice does no harm.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; errors of reading leaf pages.
    pub fn apply(&self, address: FrameAddress, frame: &Frame) -> Result<(), StoreError> {
        let _ = (address, frame, &self.store);
        Err(StoreError::Closed)
    }

    /// Makes what was applied durable and notes how far the fold is, so that the next opening starts there. Called on closing too.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// One version.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn version(&self, version: VersionId) -> Result<Option<Hit>, StoreError> {
        let _ = version;
        Err(StoreError::Closed)
    }

    /// All versions of a record, oldest first.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn versions(&self, record: RecordId) -> Result<Vec<Hit>, StoreError> {
        let _ = record;
        Err(StoreError::Closed)
    }

    /// The newest version of a record.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn latest(&self, record: RecordId) -> Result<Option<Hit>, StoreError> {
        Ok(self.versions(record)?.pop())
    }

    /// What matches all conditions of the query, by record id (that is, in the order of deposit).
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, StoreError> {
        let _ = query;
        Err(StoreError::Closed)
    }

    /// Calls `each` for every version in the order of record ids, until it answers `false`.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn for_each(&self, each: &mut dyn FnMut(Hit) -> bool) -> Result<(), StoreError> {
        let _ = each;
        Err(StoreError::Closed)
    }

    /// The versions that no archive time-stamp covers, at most `limit`, in the order of record ids.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn unstamped(&self, limit: usize) -> Result<Vec<Unstamped>, StoreError> {
        let _ = limit;
        Err(StoreError::Closed)
    }

    /// The batch that covers a version, and its leaf in it.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn batch_of(&self, version: VersionId) -> Result<Option<Stamp>, StoreError> {
        let _ = version;
        Err(StoreError::Closed)
    }

    /// A batch.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn batch(&self, batch: BatchId) -> Result<Option<BatchEntry>, StoreError> {
        let _ = batch;
        Err(StoreError::Closed)
    }

    /// All batches, oldest first.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn batches(&self) -> Result<Vec<BatchEntry>, StoreError> {
        Err(StoreError::Closed)
    }

    /// The version that was deposited under this identity ([`RecordVersion::identity`]).
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn by_deposit_identity(
        &self,
        identity: &[u8; 32],
    ) -> Result<Option<VersionId>, StoreError> {
        let _ = identity;
        Err(StoreError::Closed)
    }

    /// How much the archive holds.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn counts(&self) -> Result<Counts, StoreError> {
        Err(StoreError::Closed)
    }
}

/// The leaf hash of a version under SHA-256, as it goes into the next batch.
pub type LeafHash = DigestValue;
