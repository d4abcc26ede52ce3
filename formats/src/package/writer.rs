//! Writing an evidence package.

use std::io::{self, Read, Seek, Write};

use super::{
    AUDIT, EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, MANIFEST, MANIFEST_MEDIA_TYPE, REPORT,
    document_members,
};
use crate::asic::{
    AsicManifest, AsicWriter, DataObjectReference, MIMETYPE_ASIC_E, SignatureReference, WriteError,
    uri,
};
use crate::digest::{DigestAlgorithm, DigestValue, Hasher};
use crate::error::{ErrorKind, FormatError, Result};
use crate::manifest::{ContentObject, Manifest};
use crate::raw::Raw;

/// Writes a package: first each document in the order of the manifest, then the evidence.
///
/// The same record, evidence, audit excerpt and report always make the same bytes.
#[derive(Debug)]
pub struct PackageWriter<'a, W> {
    container: AsicWriter<W>,
    manifest: &'a Raw<Manifest>,
    algorithm: DigestAlgorithm,
    members: Vec<String>,
    /// How many documents are written.
    written: usize,
}

impl<'a, W: Write + Seek> PackageWriter<'a, W> {
    /// Starts a package with the manifest. `algorithm` is that of the initial archive time-stamp of the evidence record: the list of what
    /// the record covers uses it too, as other programs expect.
    ///
    /// # Errors
    ///
    /// [`WriteError::Sink`] if the package cannot be written, [`WriteError::Format`] if the manifest has no digests under `algorithm`.
    pub fn new(
        sink: W,
        manifest: &'a Raw<Manifest>,
        algorithm: DigestAlgorithm,
    ) -> Result<Self, WriteError> {
        Manifest::group(manifest, algorithm)?;
        let mut container = AsicWriter::new(sink, MIMETYPE_ASIC_E)?;
        container.add_bytes(MANIFEST, manifest.raw())?;
        Ok(Self {
            container,
            manifest,
            algorithm,
            members: document_members(manifest),
            written: 0,
        })
    }

    /// The next content object to be given to [`PackageWriter::add_document`].
    #[must_use]
    pub fn next_document(&self) -> Option<&'a ContentObject> {
        let manifest: &'a Manifest = self.manifest.value();
        manifest.objects.get(self.written)
    }

    /// Adds the next content object.
    ///
    /// # Errors
    ///
    /// [`WriteError::Format`] with [`ErrorKind::SizeMismatch`] or [`ErrorKind::DigestMismatch`] if the content is not what the manifest
    /// says: nobody must hand out such a package. [`WriteError::Source`] and [`WriteError::Sink`].
    pub fn add_document(&mut self, content: impl Read) -> Result<(), WriteError> {
        let fail = |kind| WriteError::Format(FormatError::new(kind, OBJECTS));
        let object = self.next_document().ok_or(fail(ErrorKind::TrailingBytes))?;
        let member = self
            .members
            .get(self.written)
            .ok_or(fail(ErrorKind::TrailingBytes))?;
        let mut hashed = Hashed {
            content,
            hasher: self.algorithm.hasher(),
        };
        self.container.add(member, object.size, &mut hashed)?;
        if Some(hashed.hasher.finish()) != object.digests.under(self.algorithm) {
            return Err(fail(ErrorKind::DigestMismatch));
        }
        self.written = self.written.saturating_add(1);
        Ok(())
    }

    /// Adds the evidence and finishes the package.
    ///
    /// # Errors
    ///
    /// [`WriteError::Format`] with [`ErrorKind::MissingElement`] if a document has not been added; [`WriteError::Sink`].
    pub fn finish(
        mut self,
        evidence_record: &[u8],
        audit: &[u8],
        report: &[u8],
    ) -> Result<W, WriteError> {
        if self.next_document().is_some() {
            return Err(FormatError::new(ErrorKind::MissingElement, OBJECTS).into());
        }
        let covered = self.covered()?.encode()?;
        self.container
            .add_bytes(EVIDENCE_RECORD_MANIFEST, &covered)?;
        self.container.add_bytes(EVIDENCE_RECORD, evidence_record)?;
        self.container.add_bytes(AUDIT, audit)?;
        self.container.add_bytes(REPORT, report)?;
        self.container.finish()
    }

    fn covered(&self) -> Result<AsicManifest> {
        let names = std::iter::once(MANIFEST).chain(self.members.iter().map(String::as_str));
        let objects = self
            .manifest
            .objects
            .iter()
            .map(|object| object.media_type.as_str());
        let media_types = std::iter::once(MANIFEST_MEDIA_TYPE).chain(objects);
        let group = Manifest::group(self.manifest, self.algorithm)?;
        let reference = |((name, media_type), digest): ((&str, &str), DigestValue)| {
            DataObjectReference::new(name, media_type, digest)
        };
        Ok(AsicManifest {
            signature: SignatureReference {
                uri: uri::encode(EVIDENCE_RECORD),
                mime_type: None,
            },
            references: names
                .zip(media_types)
                .zip(group)
                .map(reference)
                .collect::<Result<_>>()?,
            has_critical_extension: false,
        })
    }
}

/// Passes content on, and hashes it.
struct Hashed<R> {
    content: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

const OBJECTS: &str = "manifest.objects";
