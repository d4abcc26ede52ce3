//! Manifests of stored versions, opened with the keys of the ledger.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use formats::error::{ErrorKind, FormatError};
use formats::manifest::Manifest;
use formats::raw::Raw;
use formats::segment::{Event, RecordVersion};

use super::error::SealError;
use super::reader::ContentReader;
use super::sealing::VersionOpener;
use crate::event::{EventSealer, RecordedEvent};
use crate::keys::{KeyError, KeyMedium};
use crate::store::catalog::{ManifestFailure, ManifestOpener};

/// Opens manifests with the keys of an unlocked key medium.
pub struct Manifests {
    keys: Arc<KeyMedium>,
    /// Made at the first event.
    events: OnceLock<Option<EventSealer>>,
    reader: Mutex<ContentReader>,
}

impl Manifests {
    /// An opener for the archive whose key medium this is.
    ///
    /// # Errors
    /// [`SealError::Packing`] when there is no memory for the decompressor.
    pub fn new(keys: Arc<KeyMedium>) -> Result<Self, SealError> {
        Ok(Self {
            keys,
            events: OnceLock::new(),
            reader: Mutex::new(ContentReader::new()?),
        })
    }
}

impl ManifestOpener for Manifests {
    fn open_manifest(&self, record: &RecordVersion) -> Result<Raw<Manifest>, ManifestFailure> {
        let key = self
            .keys
            .ledger()
            .data_key(record.version)
            .map_err(|error| {
                if matches!(error, KeyError::KeyDestroyed { .. }) {
                    return ManifestFailure::KeyDestroyed;
                }
                if matches!(error, KeyError::KeyDamaged { .. }) {
                    return ManifestFailure::NotAuthentic;
                }
                ManifestFailure::KeyMissing
            })?;
        let opener = VersionOpener::new(self.keys.archive(), record.version, &key);
        let bytes = self
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .open_manifest::<Infallible>(&opener, record)
            .map_err(|_| ManifestFailure::NotAuthentic)?;
        let manifest = Manifest::parse(&bytes).map_err(ManifestFailure::Malformed)?;
        if manifest.archive != self.keys.archive() || manifest.id() != Some(record.version) {
            let other = FormatError::new(ErrorKind::InvalidValue, "Manifest");
            return Err(ManifestFailure::Malformed(other));
        }
        Ok(manifest)
    }

    fn open_event(&self, event: &Event) -> Option<RecordedEvent> {
        let sealer = self
            .events
            .get_or_init(|| EventSealer::of(&self.keys).ok())
            .as_ref();
        sealer?.open(event)
    }
}

impl fmt::Debug for Manifests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifests").finish_non_exhaustive()
    }
}
