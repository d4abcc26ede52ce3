//! Writing an evidence package.

use std::io::{self, Read, Seek, Write};

use super::{
    AUDIT, EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, MANIFEST, MANIFEST_MEDIA_TYPE, REPORT,
    SECOND_EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD_MANIFEST, SIGNATURE, SIGNATURE_MANIFEST,
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
    second_record: Option<Vec<u8>>,
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
            second_record: None,
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

    /// Takes the evidence record of a second authority. Its initial archive time-stamp has the same digest algorithm as that of the first.
    pub fn set_second_record(&mut self, evidence_record: Vec<u8>) {
        self.second_record = Some(evidence_record);
    }

    /// Adds the archive's signature, after all documents: the detached CAdES and the `ASiCManifest` that it is over.
    ///
    /// # Errors
    ///
    /// [`WriteError::Format`] with [`ErrorKind::MissingElement`] if a document has not been added; [`WriteError::Sink`].
    pub fn add_signature(&mut self, covered: &[u8], signature: &[u8]) -> Result<(), WriteError> {
        if self.next_document().is_some() {
            return Err(FormatError::new(ErrorKind::MissingElement, OBJECTS).into());
        }
        self.container.add_bytes(SIGNATURE_MANIFEST, covered)?;
        self.container.add_bytes(SIGNATURE, signature)
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
        let covered = self.covered(EVIDENCE_RECORD)?.encode()?;
        self.container
            .add_bytes(EVIDENCE_RECORD_MANIFEST, &covered)?;
        self.container.add_bytes(EVIDENCE_RECORD, evidence_record)?;
        if let Some(second) = self.second_record.take() {
            let covered = self.covered(SECOND_EVIDENCE_RECORD)?.encode()?;
            self.container
                .add_bytes(SECOND_EVIDENCE_RECORD_MANIFEST, &covered)?;
            self.container.add_bytes(SECOND_EVIDENCE_RECORD, &second)?;
        }
        self.container.add_bytes(AUDIT, audit)?;
        self.container.add_bytes(REPORT, report)?;
        self.container.finish()
    }

    fn covered(&self, record: &str) -> Result<AsicManifest> {
        Ok(AsicManifest {
            signature: SignatureReference {
                uri: uri::encode(record),
                mime_type: None,
            },
            references: references_of(self.manifest, &self.members, self.algorithm)?,
            has_critical_extension: false,
        })
    }
}

/// References to the record manifest and to every content object.
pub(super) fn references_of(
    manifest: &Raw<Manifest>,
    members: &[String],
    algorithm: DigestAlgorithm,
) -> Result<Vec<DataObjectReference>> {
    let names = std::iter::once(MANIFEST).chain(members.iter().map(String::as_str));
    let objects = manifest.objects.iter();
    let media_types = std::iter::once(MANIFEST_MEDIA_TYPE)
        .chain(objects.map(|object| object.media_type.as_str()));
    let group = Manifest::group(manifest, algorithm)?;
    let reference = |((name, media_type), digest): ((&str, &str), DigestValue)| {
        DataObjectReference::new(name, media_type, digest)
    };
    names.zip(media_types).zip(group).map(reference).collect()
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::asic::AsicReader;
    use crate::manifest::tests::sample;

    fn manifest() -> Raw<Manifest> {
        Manifest::parse(&sample().encode().unwrap()).unwrap()
    }

    fn package() -> Vec<u8> {
        let manifest = manifest();
        let mut writer =
            PackageWriter::new(Cursor::new(Vec::new()), &manifest, DigestAlgorithm::Sha256)
                .unwrap();
        writer.add_document(b"<Invoice/>".as_slice()).unwrap();
        writer.add_document(b"%PDF-1.7".as_slice()).unwrap();
        writer
            .finish(b"evidence", b"{}", b"<html>")
            .unwrap()
            .into_inner()
    }

    fn kind<T: std::fmt::Debug>(result: Result<T, WriteError>) -> ErrorKind {
        match result {
            Err(WriteError::Format(error)) => error.kind(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn members_stand_where_the_layout_says() {
        let bytes = package();
        let reader = AsicReader::open(&bytes).unwrap();
        let names: Vec<_> = reader.entries().iter().map(|entry| entry.name()).collect();
        let documents = ["documents/__.xml", "documents/読み/請求書.pdf"];
        let evidence = [EVIDENCE_RECORD_MANIFEST, EVIDENCE_RECORD, AUDIT, REPORT];
        assert_eq!(
            names,
            [&["mimetype", MANIFEST], documents.as_slice(), &evidence].concat()
        );
        assert_eq!(document_members(&manifest()), documents);
        assert_eq!(reader.mimetype(), Some(MIMETYPE_ASIC_E));
        assert!(reader.is_canonical() && reader.notes().is_empty());
        assert_eq!(
            reader.entry(MANIFEST).unwrap().read().unwrap(),
            manifest().raw()
        );
        assert_eq!(bytes, package());
    }

    #[test]
    fn the_evidence_manifest_lists_the_group() {
        let bytes = package();
        let reader = AsicReader::open(&bytes).unwrap();
        let covered = AsicManifest::parse(
            &reader
                .entry(EVIDENCE_RECORD_MANIFEST)
                .unwrap()
                .read()
                .unwrap(),
        )
        .unwrap();
        assert_eq!(
            reader.resolve(&covered.signature.uri).unwrap().name(),
            EVIDENCE_RECORD
        );
        let group: Vec<_> = covered
            .references
            .iter()
            .map(|reference| reference.digest_value().unwrap())
            .collect();
        assert_eq!(
            group,
            Manifest::group(&manifest(), DigestAlgorithm::Sha256).unwrap()
        );
        for (reference, digest) in covered.references.iter().zip(group) {
            let content = reader.resolve(&reference.uri).unwrap().read().unwrap();
            assert_eq!(DigestAlgorithm::Sha256.digest(&content), digest);
        }
    }

    #[test]
    fn content_that_is_not_the_manifests_is_refused() {
        let manifest = manifest();
        let new = || {
            PackageWriter::new(Cursor::new(Vec::new()), &manifest, DigestAlgorithm::Sha512).unwrap()
        };
        assert_eq!(
            kind(new().add_document(b"<invoice/>".as_slice())),
            ErrorKind::DigestMismatch
        );
        assert_eq!(
            kind(new().add_document(b"<Invoice>".as_slice())),
            ErrorKind::SizeMismatch
        );
        assert_eq!(kind(new().finish(b"", b"", b"")), ErrorKind::MissingElement);
        let mut writer = new();
        writer.add_document(b"<Invoice/>".as_slice()).unwrap();
        assert_eq!(writer.next_document().unwrap().size, 8);
        writer.add_document(b"%PDF-1.7".as_slice()).unwrap();
        assert_eq!(
            kind(writer.add_document(b"".as_slice())),
            ErrorKind::TrailingBytes
        );
    }

    #[test]
    fn an_algorithm_without_digests_is_refused() {
        let manifest = manifest();
        let result = PackageWriter::new(
            Cursor::new(Vec::new()),
            &manifest,
            DigestAlgorithm::Sha3_256,
        );
        assert_eq!(kind(result), ErrorKind::UnknownAlgorithm);
    }
}
