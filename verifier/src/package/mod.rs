//! Judges containers (EN 319 162-1): the archive's own evidence packages, and foreign ASiC containers with time-stamps and
//! evidence records.
//!
//! An own package is judged strictly: it has exactly the members that its manifest demands, in exactly the form in which the
//! archive writes them. Of a foreign container every piece of evidence is judged over what it covers, and whatever no
//! evidence covers is told.

mod contents;
mod foreign;
mod lines;
mod own;
mod records;

use std::borrow::Cow;

use formats::asic::{AsicEntry, AsicManifest, AsicReader, ContainerNote, uri};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::manifest::SCHEMA as MANIFEST_SCHEMA;
use formats::package::MANIFEST;
use formats::raw::Raw;
use time::OffsetDateTime;

use crate::context::Context;
use crate::finding::{Code, Finding, Place, package as codes};
use crate::judgement::Judgement;
use crate::notes::{NONE, Notes};
use crate::report::ObjectReport;
use crate::source::{DataBytes, DigestSource};
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

/// Judges a container as of `context.time`.
#[must_use]
pub fn verify_package(bytes: &[u8], context: &Context<'_>, place: &Place) -> PackageReport {
    let reader = match AsicReader::open(bytes) {
        Ok(reader) => reader,
        Err(error) => {
            let finding = Finding::new(codes::PACKAGE_MALFORMED, place.clone()).with(error);
            let judgement = Judgement::broken(SubIndication::FormatFailure);
            let kind = crate::report::ObjectKind::Package;
            return PackageReport {
                judgement,
                existence: None,
                documents: Vec::new(),
                findings: vec![finding],
                objects: vec![ObjectReport::new(kind, place.clone(), judgement)],
            };
        }
    };
    if !is_own(&reader) {
        foreign::judge(&reader, context, place)
    } else if lines::is_for_lines(&reader) {
        lines::judge(&reader, context, place)
    } else {
        own::judge(&reader, context, place)
    }
}

/// An own package has a record manifest of the archive, whatever else is in it.
#[must_use]
pub fn is_own(reader: &AsicReader<'_>) -> bool {
    let needle = MANIFEST_SCHEMA.as_bytes();
    reader
        .entry(MANIFEST)
        .and_then(|entry| entry.read().ok())
        .is_some_and(|content| content.windows(needle.len()).any(|window| window == needle))
}

impl Notes<'_> {
    /// The content of a member; a damaged one breaks the container.
    fn read<'e>(&mut self, entry: &AsicEntry<'e>) -> Option<Cow<'e, [u8]>> {
        match entry.read() {
            Ok(content) => Some(content),
            Err(error) => {
                let detail = format!("{}: {error}", entry.name());
                self.add(
                    Judgement::broken(SubIndication::HashFailure),
                    codes::PACKAGE_MEMBER_DAMAGED,
                    [&detail],
                );
                None
            }
        }
    }

    /// What the container layer found odd (EN 319 162-1 §A.1, APPNOTE.TXT).
    fn container_notes(&mut self, reader: &AsicReader<'_>) {
        for note in reader.notes() {
            let text = note_text(*note);
            match note {
                ContainerNote::MimetypeMissing
                | ContainerNote::MimetypeNotFirst
                | ContainerNote::MimetypeCompressed
                | ContainerNote::MimetypeExtraField => self.note(codes::PACKAGE_MIMETYPE, [text]),
                ContainerNote::MimetypeUnknown => self.add(
                    Judgement::because(SubIndication::SigConstraintsFailure),
                    codes::PACKAGE_MIMETYPE_WRONG,
                    NONE,
                ),
                ContainerNote::UnlistedBytes { .. }
                | ContainerNote::OtherName { .. }
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
        ContainerNote::UnlistedBytes { .. } => "bytes that belong to no member",
        ContainerNote::Comment => "a comment at the end",
        ContainerNote::NameEncodingUnknown { .. } => "a name in an unknown character set",
        ContainerNote::OtherName { .. } => "a member with two names",
        _ => "unknown",
    }
}

/// Compares what an ASiCManifest says with the members (EN 319 162-1 §A.4); gives the names that it refers to.
fn check_references(
    notes: &mut Notes<'_>,
    reader: &AsicReader<'_>,
    name: &str,
    manifest: &Raw<AsicManifest>,
) -> Vec<String> {
    if manifest.has_critical_extension {
        notes.add(
            Judgement::because(SubIndication::SigConstraintsFailure),
            codes::PACKAGE_MANIFEST_EXTENSION,
            [name],
        );
    }
    let mut names = Vec::with_capacity(manifest.references.len());
    for reference in &manifest.references {
        let Some(entry) = reader.resolve(&reference.uri) else {
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
        names.push(entry.name().to_owned());
        let Some(content) = notes.read(entry) else {
            continue;
        };
        let algorithm = stated.algorithm();
        if algorithm.digest(&content) != stated {
            notes.add(
                Judgement::broken(SubIndication::HashFailure),
                codes::PACKAGE_DIGEST_MISMATCH,
                [entry.name(), name, algorithm.name()],
            );
        }
    }
    names
}

/// The members of these names as data objects.
fn data_of<'e>(reader: &AsicReader<'e>, names: &[String]) -> Vec<DataBytes<'e>> {
    names
        .iter()
        .filter_map(|name| {
            let content = reader.entry(name)?.read().ok()?;
            Some(DataBytes::new(name.clone(), content))
        })
        .collect()
}

fn as_sources<'d>(data: &'d [DataBytes<'_>]) -> Vec<&'d dyn DigestSource> {
    let mut sources: Vec<&dyn DigestSource> = Vec::with_capacity(data.len());
    for data in data {
        sources.push(data);
    }
    sources
}

/// The SHA-256 digests of the members of these names.
fn digests_of(reader: &AsicReader<'_>, names: &[String]) -> Vec<DigestValue> {
    data_of(reader, names)
        .iter()
        .filter_map(|data| data.digest(DigestAlgorithm::Sha256))
        .collect()
}
