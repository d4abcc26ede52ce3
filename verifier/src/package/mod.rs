//! Judges containers (EN 319 162-1): the archive's own evidence packages, and foreign ASiC containers with time-stamps and
//! evidence records.
//!
//! An own package is judged strictly: it has exactly the members that its manifest demands, in exactly the form in which the
//! archive writes them. Of a foreign container every piece of evidence is judged over what it covers, and whatever no
//! evidence covers is told.

mod contents;
mod foreign;
mod lines;
mod members;
mod order;
mod own;
mod records;

use std::borrow::Cow;

use formats::access::Bytes;
use formats::asic::{AsicEntry, AsicManifest, AsicReader, ContainerNote, uri};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::limits::{EVIDENCE_BYTES_MAX, MANIFEST_BYTES_MAX};
use formats::manifest::SCHEMA as MANIFEST_SCHEMA;
use formats::package::MANIFEST;
use time::OffsetDateTime;

use self::members::Members;
use crate::context::Context;
use crate::finding::{Code, Finding, Place, package as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::report::ObjectReport;
use crate::verdict::SubIndication;

/// What was found about one container.
#[derive(Clone, Debug)]
pub struct PackageReport {
    /// The judgement.
    pub judgement: Judgement,
    /// Since when everything in it is proven to exist; only if the judgement has passed.
    pub existence: Option<OffsetDateTime>,
    /// The SHA-256 digests of the documents in it, so that a file beside it can be recognised as one of them.
    pub documents: Vec<DigestValue>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// The container, its documents and its evidence, for the report.
    pub objects: Vec<ObjectReport>,
}

impl PackageReport {
    /// Whether `code` is among the findings.
    #[must_use]
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code() == code)
    }
}

/// Judges a container in memory as of `context.time`.
#[must_use]
pub fn verify_package(bytes: &[u8], context: &Context<'_>, place: &Place) -> PackageReport {
    verify_container(Bytes::Memory(bytes), context, place)
}

/// Judges a container wherever it is, in memory that does not grow with its documents.
#[must_use]
pub fn verify_container(file: Bytes<'_>, context: &Context<'_>, place: &Place) -> PackageReport {
    let reader = match AsicReader::open_bytes(file) {
        Ok(reader) => reader,
        Err(error) => return refused(error, place),
    };
    let members = Members::new(&reader);
    if !is_own(&reader) {
        foreign::judge(&members, context, place)
    } else if lines::is_for_lines(&reader) {
        lines::judge(&members, context, place)
    } else {
        own::judge(&members, context, place)
    }
}

/// The answer on a file that is no container, or one that is not read further.
fn refused(error: FormatError, place: &Place) -> PackageReport {
    let judgement = if error.kind() == ErrorKind::Unreadable {
        judgement_of(error)
    } else {
        Judgement::broken(SubIndication::FormatFailure)
    };
    let finding = Finding::new(codes::PACKAGE_MALFORMED, place.clone()).with(error);
    let kind = crate::report::ObjectKind::Package;
    PackageReport {
        judgement,
        existence: None,
        documents: Vec::new(),
        findings: vec![finding],
        objects: vec![ObjectReport::new(kind, place.clone(), judgement)],
    }
}

/// An own package has a record manifest of the archive, whatever else is in it.
#[must_use]
pub fn is_own(reader: &AsicReader<'_>) -> bool {
    let needle = MANIFEST_SCHEMA.as_bytes();
    let bytes_max = u64::try_from(MANIFEST_BYTES_MAX).unwrap_or(u64::MAX);
    reader
        .entry(MANIFEST)
        .and_then(|entry| entry.read_up_to(bytes_max).ok())
        .is_some_and(|content| content.windows(needle.len()).any(|window| window == needle))
}

/// What it means that a member cannot be read.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else is wrong with a member is damage"
)]
const fn judgement_of(error: FormatError) -> Judgement {
    match error.kind() {
        ErrorKind::LimitExceeded => Judgement::unknown(SubIndication::Custom),
        ErrorKind::Unreadable => Judgement::unknown(SubIndication::SignedDataNotFound),
        _ => Judgement::broken(SubIndication::HashFailure),
    }
}

impl Notes<'_> {
    /// The content of a member that is evidence or about evidence.
    fn read<'e>(&mut self, entry: &AsicEntry<'e>) -> Option<Cow<'e, [u8]>> {
        match entry.read_up_to(EVIDENCE_BYTES_MAX) {
            Ok(content) => Some(content),
            Err(error) => {
                self.damaged(entry.name(), error);
                None
            }
        }
    }

    /// A member that could not be read: a damaged one breaks the container, one that the medium does not give leaves it open.
    fn damaged(&mut self, name: &str, error: FormatError) {
        let detail = format!("{name}: {error}");
        if error.kind() == ErrorKind::LimitExceeded {
            let most = EVIDENCE_BYTES_MAX.to_string();
            self.note(codes::PACKAGE_MEMBER_TOO_LARGE, [name, &most]);
        } else {
            self.note(codes::PACKAGE_MEMBER_DAMAGED, [&detail]);
        }
        self.judgement.add(judgement_of(error));
    }

    /// What the container layer found odd (EN 319 162-1 §A.1, APPNOTE.TXT).
    fn container_notes(&mut self, reader: &AsicReader<'_>) {
        for note in reader.notes() {
            let text = note_text(*note);
            match note {
                ContainerNote::MimetypeMissing
                | ContainerNote::MimetypeNotFirst
                | ContainerNote::MimetypeCompressed
                | ContainerNote::MimetypeExtraField
                | ContainerNote::MimetypeInComment
                | ContainerNote::MimetypeOfDocument => self.note(codes::PACKAGE_MIMETYPE, [text]),
                ContainerNote::MimetypeUnknown => self.add(
                    Judgement::because(SubIndication::SigConstraintsFailure),
                    codes::PACKAGE_MIMETYPE_WRONG,
                    NONE,
                ),
                ContainerNote::UnlistedBytes { .. }
                | ContainerNote::OtherName { .. }
                | ContainerNote::NotPlainFile { .. }
                | ContainerNote::NameEncodingUnknown { .. } => self.add(
                    Judgement::because(SubIndication::SigConstraintsFailure),
                    codes::PACKAGE_AMBIGUOUS,
                    [text],
                ),
                ContainerNote::Comment | _ => self.note(codes::PACKAGE_UNUSUAL, [text]),
            }
        }
    }
}

const fn note_text(note: ContainerNote) -> &'static str {
    match note {
        ContainerNote::MimetypeMissing => "missing",
        ContainerNote::MimetypeNotFirst => "not the first member",
        ContainerNote::MimetypeCompressed => "compressed",
        ContainerNote::MimetypeExtraField => "with extra fields",
        ContainerNote::MimetypeUnknown => "unknown",
        ContainerNote::MimetypeInComment => "in the comment of the file only",
        ContainerNote::MimetypeOfDocument => "that of an OpenDocument or EPUB file",
        ContainerNote::UnlistedBytes { .. } => "bytes that belong to no member",
        ContainerNote::Comment => "a comment at the end",
        ContainerNote::NameEncodingUnknown { .. } => "a name in an unknown character set",
        ContainerNote::OtherName { .. } => "a member with two names",
        ContainerNote::NotPlainFile { .. } => {
            "a member that is a link, a device or a folder with content"
        }
        _ => "unknown",
    }
}

/// A reference of a manifest to a member that is there.
struct Reference {
    name: String,
    algorithm: DigestAlgorithm,
    /// Whether the member has the digest that is stated.
    holds: bool,
}

/// Compares what an ASiCManifest says with the members (EN 319 162-1 §A.4); gives the references to members that are there, under
/// algorithms that are known. Every member has been read before, and its damage told.
fn check_references(
    notes: &mut Notes<'_>,
    members: &Members<'_>,
    name: &str,
    manifest: &AsicManifest,
) -> Vec<Reference> {
    if manifest.has_critical_extension {
        notes.add(
            Judgement::because(SubIndication::SigConstraintsFailure),
            codes::PACKAGE_MANIFEST_EXTENSION,
            [name],
        );
    }
    let mut references = Vec::with_capacity(manifest.references.len());
    for reference in &manifest.references {
        let Some(entry) = members.reader.resolve(&reference.uri) else {
            notes.add(
                Judgement::unknown(SubIndication::SignedDataNotFound),
                codes::PACKAGE_MEMBER_MISSING,
                [&reference.uri],
            );
            continue;
        };
        if uri::decode(&reference.uri).as_deref() != Some(entry.name()) {
            // Only the undecoded text names a member: programs that decode it, as they should, find another member or none.
            notes.add(
                Judgement::because(SubIndication::SigConstraintsFailure),
                codes::PACKAGE_REFERENCE_UNENCODED,
                [name, &reference.uri],
            );
        }
        let Some(stated) = reference.digest_value() else {
            notes.add(
                Judgement::unknown(SubIndication::Custom),
                codes::PACKAGE_DIGEST_UNKNOWN,
                [entry.name(), name],
            );
            continue;
        };
        let algorithm = stated.algorithm();
        let found = members.digest(entry, algorithm);
        if found.is_ok_and(|found| found != stated) {
            notes.add(
                Judgement::broken(SubIndication::HashFailure),
                codes::PACKAGE_DIGEST_MISMATCH,
                [entry.name(), name, algorithm.name()],
            );
        }
        references.push(Reference {
            name: entry.name().to_owned(),
            algorithm,
            holds: found == Ok(stated),
        });
    }
    references
}
