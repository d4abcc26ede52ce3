//! Reading records: the manifest first, then any of its objects, compared with its digests.

use std::io::Write;
use std::ops::Range;

use formats::id::VersionId;
use formats::manifest::{ContentObject, Manifest};
use formats::raw::Raw;
use formats::segment::{ContentChunk, Frame, FrameAddress, RecordVersion};

use super::error::RetrieveError;
use crate::content::{ContentReader, ObjectShape, VersionOpener};
use crate::keys::KeyLedger;
use crate::store::catalog::Catalog;
use crate::store::{Store, StoreError};

/// Reads the records of one archive.
#[derive(Clone, Copy, Debug)]
pub struct Retriever<'a> {
    store: &'a Store,
    catalog: &'a Catalog,
    ledger: &'a KeyLedger,
}

/// A version whose manifest was opened: it is authentic, and it is this version's.
#[derive(Debug)]
pub struct OpenedVersion<'a> {
    store: &'a Store,
    opener: VersionOpener,
    reader: ContentReader,
    frame: RecordVersion,
    manifest: Raw<Manifest>,
}

impl<'a> Retriever<'a> {
    /// A retriever.
    #[must_use]
    pub fn new(store: &'a Store, catalog: &'a Catalog, ledger: &'a KeyLedger) -> Self {
        Self {
            store,
            catalog,
            ledger,
        }
    }

    /// Opens a version.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub fn open(&self, version: VersionId) -> Result<OpenedVersion<'a>, RetrieveError> {
        let hit = self.catalog.version(version)?;
        let hit = hit.ok_or(RetrieveError::NotFound { version })?;
        self.open_at(version, hit.address)
    }

    /// Opens a version whose record version frame stands at a known address.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub fn open_at(
        &self,
        version: VersionId,
        address: FrameAddress,
    ) -> Result<OpenedVersion<'a>, RetrieveError> {
        let frame = self.store.read(address)?;
        let Frame::RecordVersion(frame) = frame else {
            return Err(RetrieveError::WrongFrame { version });
        };
        if frame.version != version {
            return Err(RetrieveError::WrongFrame { version });
        }
        let key = self.ledger.data_key(version)?;
        let archive = self.store.archive();
        let opener = VersionOpener::new(archive, version, &key);
        let mut reader = ContentReader::new().map_err(RetrieveError::Memory)?;
        let plain = reader.open_manifest::<StoreError>(&opener, &frame)?;
        let manifest = Manifest::parse(&plain).map_err(|error| RetrieveError::WrongManifest {
            version,
            error: Some(error),
        })?;
        if manifest.archive != archive || manifest.id() != Some(version) {
            let error = None;
            return Err(RetrieveError::WrongManifest { version, error });
        }
        Ok(OpenedVersion {
            store: self.store,
            opener,
            reader,
            frame,
            manifest,
        })
    }
}

impl OpenedVersion<'_> {
    /// The version.
    #[must_use]
    pub fn version(&self) -> VersionId {
        self.frame.version
    }

    /// The manifest with its exact bytes.
    #[must_use]
    pub fn manifest(&self) -> &Raw<Manifest> {
        &self.manifest
    }

    /// The number of the object with this name, given as it is shown or as its exact bytes.
    ///
    /// # Errors
    /// [`RetrieveError::NoObject`].
    pub fn object_named(&self, name: &[u8]) -> Result<u32, RetrieveError> {
        let is_named = |object: &ContentObject| {
            object.name.as_bytes() == name || object.name.as_str().as_bytes() == name
        };
        let place = self.manifest.objects.iter().position(is_named);
        place
            .and_then(|place| u32::try_from(place).ok())
            .ok_or(self.no_object())
    }

    /// Writes an object to `output`. An error after some output means that what was written is not the object: the caller
    /// throws it away.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub fn write_object(
        &mut self,
        object: u32,
        output: &mut dyn Write,
    ) -> Result<(), RetrieveError> {
        let (content, chunks) = self.object(object)?;
        let shape = shape(object, content, chunks);
        let digests = content.digests.values().to_vec();
        let chunks = chunks.to_vec();
        let store = self.store;
        self.reader.read(
            &self.opener,
            shape,
            &digests,
            |number| fetch(store, &chunks, number),
            output,
        )?;
        Ok(())
    }

    /// Writes part of an object. Each chunk is authentic; the digests of the whole object are not looked at.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub fn write_range(
        &mut self,
        object: u32,
        range: Range<u64>,
        output: &mut dyn Write,
    ) -> Result<(), RetrieveError> {
        let (content, chunks) = self.object(object)?;
        let shape = shape(object, content, chunks);
        let chunks = chunks.to_vec();
        let store = self.store;
        self.reader.read_range(
            &self.opener,
            shape,
            range,
            |number| fetch(store, &chunks, number),
            output,
        )?;
        Ok(())
    }

    fn object(&self, object: u32) -> Result<(&ContentObject, &[FrameAddress]), RetrieveError> {
        let content = usize::try_from(object)
            .ok()
            .and_then(|place| self.manifest.objects.get(place));
        let located = self
            .frame
            .contents
            .iter()
            .find(|located| located.object == object);
        match (content, located) {
            (Some(content), Some(located)) => Ok((content, &located.chunks)),
            _ => Err(self.no_object()),
        }
    }

    fn no_object(&self) -> RetrieveError {
        RetrieveError::NoObject {
            version: self.frame.version,
        }
    }
}

fn shape(object: u32, content: &ContentObject, chunks: &[FrameAddress]) -> ObjectShape {
    ObjectShape {
        object,
        size: content.size,
        chunks: u64::try_from(chunks.len()).unwrap_or(u64::MAX),
    }
}

fn fetch(store: &Store, chunks: &[FrameAddress], number: u64) -> Result<ContentChunk, StoreError> {
    let address = usize::try_from(number)
        .ok()
        .and_then(|place| chunks.get(place).copied())
        .unwrap_or(FrameAddress::new(u32::MAX, u64::MAX));
    match store.read(address)? {
        Frame::ContentChunk(chunk) => Ok(chunk),
        _ => Err(StoreError::NotFound { address }),
    }
}
