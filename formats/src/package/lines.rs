//! The package that proves some lines of a log and shows no others.

use std::io::{Seek, Write};

use super::{
    AUDIT, DOCUMENTS, EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, LINE_PROOF, LINES, MANIFEST,
    MANIFEST_MEDIA_TYPE, REPORT, SECOND_EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD_MANIFEST,
    document_members,
};
use crate::asic::{
    AsicManifest, AsicWriter, DataObjectReference, MIMETYPE_ASIC_E, SignatureReference, WriteError,
    uri,
};
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};
use crate::lines::LineProof;
use crate::manifest::Manifest;
use crate::raw::Raw;

/// What stands beside the lines in a package.
#[derive(Debug, Clone, Copy)]
pub struct EvidenceMembers<'a> {
    /// The evidence records: that of the first authority, and perhaps that of a second one.
    pub records: &'a [Vec<u8>],
    /// The digest algorithm of their initial archive time-stamps.
    pub algorithm: DigestAlgorithm,
    /// The audit excerpt.
    pub audit: &'a [u8],
    /// The report.
    pub report: &'a [u8],
}

/// The member name of the lines of a content object; `None` if the manifest has no such object.
#[must_use]
pub fn line_member(manifest: &Manifest, object: u32) -> Option<String> {
    let place = usize::try_from(object).ok()?;
    let members = document_members(manifest);
    let name = members.get(place)?.strip_prefix(DOCUMENTS)?;
    Some(format!("{LINES}{name}.txt"))
}

/// Writes a package with `lines`, whose bytes are those of the lines that `proof` is for.
///
/// The same lines, evidence, audit excerpt and report always make the same bytes.
///
/// # Errors
///
/// [`WriteError::Sink`]; [`WriteError::Format`] if the manifest has no such object.
pub fn write_line_package<W: Write + Seek>(
    sink: W,
    manifest: &Raw<Manifest>,
    lines: &[u8],
    proof: &LineProof,
    evidence: &EvidenceMembers<'_>,
) -> std::result::Result<W, WriteError> {
    let missing = FormatError::new(ErrorKind::MissingElement, "manifest.objects");
    let member = line_member(manifest, proof.object).ok_or(missing)?;
    let mut container = AsicWriter::new(sink, MIMETYPE_ASIC_E)?;
    container.add_bytes(MANIFEST, manifest.raw())?;
    container.add_bytes(&member, lines)?;
    for (record, (name, name_of_manifest)) in evidence.records.iter().zip(RECORDS) {
        let covered = covered(manifest, evidence.algorithm, name)?.encode()?;
        container.add_bytes(name_of_manifest, &covered)?;
        container.add_bytes(name, record)?;
    }
    container.add_bytes(LINE_PROOF, &proof.encode()?)?;
    container.add_bytes(AUDIT, evidence.audit)?;
    container.add_bytes(REPORT, evidence.report)?;
    container.finish()
}

/// The evidence records, and the manifests that say what they cover.
const RECORDS: [(&str, &str); 2] = [
    (EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST),
    (SECOND_EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD_MANIFEST),
];

/// The evidence record covers the manifest; what else is in its group is not in the package.
fn covered(
    manifest: &Raw<Manifest>,
    algorithm: DigestAlgorithm,
    record: &str,
) -> Result<AsicManifest> {
    let digest = algorithm.digest(manifest.raw());
    Ok(AsicManifest {
        signature: SignatureReference {
            uri: uri::encode(record),
            mime_type: None,
        },
        references: vec![DataObjectReference::new(
            MANIFEST,
            MANIFEST_MEDIA_TYPE,
            digest,
        )?],
        has_critical_extension: false,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::asic::AsicReader;
    use crate::manifest::tests::sample;

    fn proof(object: u32) -> LineProof {
        let manifest = sample();
        LineProof {
            version: manifest.id().unwrap(),
            object,
            first: 3,
            salts: vec![[1; 16]],
            proofs: Vec::new(),
        }
    }

    fn package(object: u32) -> std::result::Result<Vec<u8>, WriteError> {
        let manifest = Manifest::parse(&sample().encode().unwrap()).unwrap();
        let evidence = EvidenceMembers {
            records: &[b"evidence".to_vec()],
            algorithm: DigestAlgorithm::Sha256,
            audit: b"{}",
            report: b"<html>",
        };
        let sink = Cursor::new(Vec::new());
        write_line_package(sink, &manifest, b"line 3\n", &proof(object), &evidence)
            .map(Cursor::into_inner)
    }

    #[test]
    fn members_stand_where_the_layout_says() {
        let bytes = package(1).unwrap();
        let reader = AsicReader::open(&bytes).unwrap();
        let names: Vec<_> = reader.entries().iter().map(|entry| entry.name()).collect();
        let expected = [
            "mimetype",
            MANIFEST,
            "lines/読み/請求書.pdf.txt",
            EVIDENCE_RECORD_MANIFEST,
            EVIDENCE_RECORD,
            LINE_PROOF,
            AUDIT,
            REPORT,
        ];
        assert_eq!(names, expected);
        assert!(reader.is_canonical() && reader.notes().is_empty());
        let read = |name: &str| reader.entry(name).unwrap().read().unwrap().into_owned();
        assert_eq!(read("lines/読み/請求書.pdf.txt"), b"line 3\n");
        assert_eq!(LineProof::parse(&read(LINE_PROOF)), Ok(proof(1)));
        let covered = AsicManifest::parse(&read(EVIDENCE_RECORD_MANIFEST)).unwrap();
        assert_eq!(covered.references.len(), 1);
        assert_eq!(bytes, package(1).unwrap());
    }

    #[test]
    fn an_object_that_is_not_there_has_no_lines() {
        assert_eq!(line_member(&sample(), 2), None);
        assert!(
            matches!(package(2), Err(WriteError::Format(error)) if error.kind() == ErrorKind::MissingElement)
        );
    }
}
