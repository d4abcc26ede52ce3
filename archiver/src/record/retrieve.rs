//! Reading records: the manifest first, then any of its objects, compared with its digests.

use std::cell::RefCell;
use std::io::Write;
use std::ops::Range;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::id::{ArchiveId, VersionId};
use formats::lines::LineIndex;
use formats::manifest::{ContentObject, Manifest};
use formats::raw::Raw;
use formats::segment::{
    ContentChunk, Frame, FrameAddress, FurtherDigests, RecordVersion, line_index_object,
};

use super::error::RetrieveError;
use super::quarantine;
use crate::content::{ContentReader, ObjectShape, SealError, VersionOpener};
use crate::intake::malware;
use crate::keys::{DataKey, KeyLedger};
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
    reader: PooledReader,
    frame: RecordVersion,
    manifest: Raw<Manifest>,
    /// What a scanner found in it, where nobody released it.
    threat: Option<String>,
}

impl<'a> Retriever<'a> {
    /// The index of the archive.
    pub(crate) const fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// The ledger of its keys.
    pub(crate) const fn ledger(&self) -> &'a KeyLedger {
        self.ledger
    }

    /// A retriever.
    #[must_use]
    pub fn new(store: &'a Store, catalog: &'a Catalog, ledger: &'a KeyLedger) -> Self {
        Self {
            store,
            catalog,
            ledger,
        }
    }

    /// The data key of a version, for what else is sealed under it, with the archive that the seals name.
    ///
    /// # Errors
    /// [`RetrieveError::Keys`].
    pub(crate) fn key_of(&self, version: VersionId) -> Result<(ArchiveId, DataKey), RetrieveError> {
        Ok((self.store.archive(), self.ledger.data_key(version)?))
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
        let mut number = 0;
        let mut first = None;
        // A copy that is whole by its checksum and does not open is passed over for another one.
        loop {
            let frame = match number {
                0 => self.store.read(address),
                _ => self.store.read_another(address, number),
            };
            let opened = match (frame, first) {
                (Ok(frame), _) => self.open_frame(version, frame),
                (Err(_), Some(error)) => return Err(error),
                (Err(error), None) => return Err(error.into()),
            };
            match opened {
                Err(error) if error.is_of_this_copy() => first = Some(error),
                opened => return opened,
            }
            number += 1;
        }
    }

    /// Opens a version from one copy of its record version frame.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub(crate) fn open_frame(
        &self,
        version: VersionId,
        frame: Frame,
    ) -> Result<OpenedVersion<'a>, RetrieveError> {
        let Frame::RecordVersion(frame) = frame else {
            return Err(RetrieveError::WrongFrame { version });
        };
        if frame.version != version {
            return Err(RetrieveError::WrongFrame { version });
        }
        let key = self.ledger.data_key(version)?;
        let archive = self.store.archive();
        let opener = VersionOpener::new(archive, version, &key);
        let mut reader = PooledReader::take()?;
        let plain = reader.get()?.open_manifest::<StoreError>(&opener, &frame)?;
        let manifest = Manifest::parse(&plain).map_err(|error| RetrieveError::WrongManifest {
            version,
            error: Some(error),
        })?;
        if manifest.archive != archive || manifest.id() != Some(version) {
            let error = None;
            return Err(RetrieveError::WrongManifest { version, error });
        }
        let threat = match malware::threat_in(&manifest.facts) {
            Some(threat) if !quarantine::is_released(self.catalog, version)? => {
                Some(threat.to_owned())
            }
            Some(_) | None => None,
        };
        Ok(OpenedVersion {
            store: self.store,
            opener,
            reader,
            frame,
            manifest,
            threat,
        })
    }
}

impl OpenedVersion<'_> {
    /// The version.
    #[must_use]
    pub fn version(&self) -> VersionId {
        self.frame.version
    }

    /// The frame that was opened.
    #[must_use]
    pub fn frame(&self) -> &RecordVersion {
        &self.frame
    }

    /// Writes an object to `output` from chunks that `fetch` gives for their numbers; asked again for the same number, it gives another copy,
    /// as the one before does not open.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub fn write_object_from(
        &mut self,
        object: u32,
        fetch: &mut dyn FnMut(FrameAddress, u64) -> Result<ContentChunk, StoreError>,
        output: &mut dyn Write,
    ) -> Result<(), RetrieveError> {
        let (content, chunks) = self.object(object)?;
        let shape = shape(object, content, chunks);
        let digests = content.digests.values().to_vec();
        let chunks = chunks.to_vec();
        let fetch = |number: u64| fetch(address_of(&chunks, number), number);
        let reader = self.reader.get()?;
        reader.read(&self.opener, shape, &digests, fetch, output)?;
        Ok(())
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

    /// Refuses a content that is in quarantine. Whoever hands out what [`OpenedVersion::examine_object`] reads asks this first.
    ///
    /// # Errors
    /// [`RetrieveError::Quarantined`].
    pub fn refuse_quarantined(&self) -> Result<(), RetrieveError> {
        match &self.threat {
            None => Ok(()),
            Some(threat) => Err(RetrieveError::Quarantined {
                version: self.version(),
                threat: threat.clone(),
            }),
        }
    }

    /// Writes an object to `output`. An error after some output means that what was written is not the object: the caller
    /// throws it away.
    ///
    /// # Errors
    /// See [`RetrieveError`]; [`RetrieveError::Quarantined`] before any output.
    pub fn write_object(
        &mut self,
        object: u32,
        output: &mut dyn Write,
    ) -> Result<(), RetrieveError> {
        self.refuse_quarantined()?;
        self.examine_object(object, output)
    }

    /// As [`OpenedVersion::write_object`], also of a content that is in quarantine: for checks, which hand out nothing of it.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub fn examine_object(
        &mut self,
        object: u32,
        output: &mut dyn Write,
    ) -> Result<(), RetrieveError> {
        let (content, chunks) = self.object(object)?;
        let shape = shape(object, content, chunks);
        let digests = content.digests.values().to_vec();
        let chunks = chunks.to_vec();
        let store = self.store;
        let mut source = Copies::default();
        self.reader.get()?.read(
            &self.opener,
            shape,
            &digests,
            |number| source.fetch(store, address_of(&chunks, number), number),
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
        self.refuse_quarantined()?;
        let (content, chunks) = self.object(object)?;
        let shape = shape(object, content, chunks);
        let chunks = chunks.to_vec();
        let store = self.store;
        let mut source = Copies::default();
        self.reader.get()?.read_range(
            &self.opener,
            shape,
            range,
            |number| source.fetch(store, address_of(&chunks, number), number),
            output,
        )?;
        Ok(())
    }

    /// The digests in a frame of further digests, in the order of the manifest. `None`: they are of another version, were changed, or are
    /// not as many as there are objects.
    #[must_use]
    pub fn open_further_digests(&self, frame: &FurtherDigests) -> Option<Vec<DigestValue>> {
        let digests = self.opener.open_further_digests(frame).ok()?;
        (digests.len() == self.manifest.objects.len()).then_some(digests)
    }

    /// Seals the digests of all objects under a function that the manifest does not have. The caller has read every object to its end.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal_further_digests(
        &self,
        algorithm: DigestAlgorithm,
        digests: &[DigestValue],
    ) -> Result<FurtherDigests, SealError> {
        self.opener.seal_further_digests(algorithm, digests)
    }

    /// The line index of an object; `None` if its manifest has no line tree.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub fn line_index(&mut self, object: u32) -> Result<Option<LineIndex>, RetrieveError> {
        let store = self.store;
        let mut source = Copies::default();
        self.line_index_from(object, &mut |address, number| {
            source.fetch(store, address, number)
        })
    }

    /// The line index of an object from chunks that `fetch` gives, as [`OpenedVersion::write_object_from`] asks for them.
    ///
    /// # Errors
    /// See [`RetrieveError`].
    pub(crate) fn line_index_from(
        &mut self,
        object: u32,
        fetch: &mut dyn FnMut(FrameAddress, u64) -> Result<ContentChunk, StoreError>,
    ) -> Result<Option<LineIndex>, RetrieveError> {
        let version = self.frame.version;
        let (content, _) = self.object(object)?;
        let (size, Some(tree)) = (content.size, content.lines.clone()) else {
            return Ok(None);
        };
        let missing = RetrieveError::LineIndex {
            version,
            error: None,
        };
        let located = line_index_object(object)
            .and_then(|beside| self.frame.contents.iter().find(|one| one.object == beside));
        let (Some(located), Some(bytes)) = (located, LineIndex::bytes_of(tree.lines)) else {
            return Err(missing);
        };
        let shape = ObjectShape {
            object: located.object,
            size: bytes,
            chunks: u64::try_from(located.chunks.len()).unwrap_or(u64::MAX),
        };
        let chunks = located.chunks.clone();
        let mut plain = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        self.reader.get()?.read_range(
            &self.opener,
            shape,
            0..bytes,
            |number| fetch(address_of(&chunks, number), number),
            &mut plain,
        )?;
        let index = LineIndex::parse(plain, &tree, size);
        index.map(Some).map_err(|error| RetrieveError::LineIndex {
            version,
            error: Some(error),
        })
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

/// A decompressor with its buffers, taken from those that this thread has at rest: they are dear to make, and many records
/// are read one after the other. The buffers hold the content read last until they are used again or the thread ends.
#[derive(Debug)]
struct PooledReader {
    /// Absent only while it is being dropped.
    reader: Option<ContentReader>,
}

thread_local! {
    static AT_REST: RefCell<Vec<ContentReader>> = const { RefCell::new(Vec::new()) };
}

impl PooledReader {
    fn take() -> Result<Self, RetrieveError> {
        let at_rest = AT_REST.with_borrow_mut(Vec::pop);
        let reader = match at_rest {
            Some(reader) => reader,
            None => ContentReader::new().map_err(RetrieveError::Memory)?,
        };
        Ok(Self {
            reader: Some(reader),
        })
    }

    fn get(&mut self) -> Result<&mut ContentReader, RetrieveError> {
        self.reader
            .as_mut()
            .ok_or(RetrieveError::Memory(SealError::Packing))
    }
}

impl Drop for PooledReader {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        // When the thread is ending, what it has at rest may be gone already: then this one goes too.
        AT_REST
            .try_with(|at_rest| {
                let mut at_rest = at_rest.borrow_mut();
                if at_rest.len() < AT_REST_MAX {
                    at_rest.push(reader);
                }
            })
            .unwrap_or_default();
    }
}

/// Readers that a thread keeps for the next version.
const AT_REST_MAX: usize = 2;

fn shape(object: u32, content: &ContentObject, chunks: &[FrameAddress]) -> ObjectShape {
    ObjectShape {
        object,
        size: content.size,
        chunks: u64::try_from(chunks.len()).unwrap_or(u64::MAX),
    }
}

/// Where a chunk stands; where nothing does when there is none of this number.
fn address_of(chunks: &[FrameAddress], number: u64) -> FrameAddress {
    let place = usize::try_from(number).ok();
    let address = place.and_then(|place| chunks.get(place).copied());
    address.unwrap_or(FrameAddress::new(u32::MAX, u64::MAX))
}

/// Which copy of a chunk was given last: the reader asks again when it does not open.
#[derive(Debug, Default)]
struct Copies {
    last: Option<(u64, usize)>,
}

impl Copies {
    fn fetch(
        &mut self,
        store: &Store,
        address: FrameAddress,
        number: u64,
    ) -> Result<ContentChunk, StoreError> {
        let copy = match self.last {
            Some((last, copy)) if last == number => copy + 1,
            _ => 0,
        };
        self.last = Some((number, copy));
        let frame = match copy {
            0 => store.read(address)?,
            _ => store.read_another(address, copy)?,
        };
        if let Frame::ContentChunk(chunk) = frame {
            return Ok(chunk);
        }
        if copy < COPIES_MAX {
            // It is of another place: the next copy may be right.
            return self.fetch(store, address, number);
        }
        Err(StoreError::NotFound { address })
    }
}

/// Most copies that are tried.
const COPIES_MAX: usize = 8;
