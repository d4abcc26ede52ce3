//! The evidence package: what legal hands to the other side.
//!
//! It is an ASiC-E container (EN 319 162-1 §4.4) with an RFC 4998 evidence record over the manifest and the documents:
//!
//! ```text
//! mimetype                                       application/vnd.etsi.asic-e+zip
//! manifest.json                                  the record manifest, the exact bytes that were time-stamped
//! documents/…                                    the content objects
//! META-INF/ASiCEvidenceRecordManifest.xml        what the evidence record covers
//! META-INF/evidencerecord.ers                    the evidence record
//! META-INF/ASiCEvidenceRecordManifest-2.xml      the same for a second authority, if there is one
//! META-INF/evidencerecord-2.ers                  its evidence record, over the same members
//! META-INF/ASiCManifest001.xml                   what the archive's signature covers; only where it signs records
//! META-INF/signature001.p7s                      the signature: detached CAdES over ASiCManifest001.xml
//! META-INF/fumikura/audit.json                   what happened to the record
//! META-INF/fumikura/report.html                  for a reader without any program
//! ```
//!
//! A package that proves lines of a log, and discloses no others, has instead of the documents ([`write_line_package`]):
//!
//! ```text
//! lines/….txt                                    exactly the bytes of the lines shown
//! META-INF/fumikura/lines.json                   which lines they are, their salts, and the hashes beside them
//! ```
//!
//! Its evidence record covers the manifest, which holds the roots of the line tree.
//!
//! Audit excerpt and report are not covered by the evidence record: they tell what the archive says, not what is proven.

mod lines;
mod member;
mod signature;
mod writer;

pub use self::lines::{EvidenceMembers, line_member, write_line_package};
pub use self::member::document_members;
pub use self::signature::signature_manifest;
pub use self::writer::PackageWriter;

/// The record manifest.
pub const MANIFEST: &str = "manifest.json";
/// Folder of the content objects.
pub const DOCUMENTS: &str = "documents/";
/// What the evidence record covers (EN 319 162-1 §4.4.4.2: any name that contains `ASiCEvidenceRecordManifest`).
pub const EVIDENCE_RECORD_MANIFEST: &str = "META-INF/ASiCEvidenceRecordManifest.xml";
/// The evidence record (EN 319 162-1 §4.4.4.2: `*.ers` for RFC 4998).
pub const EVIDENCE_RECORD: &str = "META-INF/evidencerecord.ers";
/// What the evidence record of a second, independent authority covers: the same as the first.
pub const SECOND_EVIDENCE_RECORD_MANIFEST: &str = "META-INF/ASiCEvidenceRecordManifest-2.xml";
/// The evidence record of a second, independent authority.
pub const SECOND_EVIDENCE_RECORD: &str = "META-INF/evidencerecord-2.ers";
/// What the archive's signature covers (EN 319 162-1 §4.4.3.2: `META-INF/ASiCManifest*.xml`).
pub const SIGNATURE_MANIFEST: &str = "META-INF/ASiCManifest001.xml";
/// The archive's signature (EN 319 162-1 §4.4.3.2: `META-INF/*signature*.p7s`).
pub const SIGNATURE: &str = "META-INF/signature001.p7s";
/// What happened to the record.
pub const AUDIT: &str = "META-INF/fumikura/audit.json";
/// For a reader without any program.
pub const REPORT: &str = "META-INF/fumikura/report.html";
/// Folder of the lines shown.
pub const LINES: &str = "lines/";
/// The proof for the lines shown.
pub const LINE_PROOF: &str = "META-INF/fumikura/lines.json";
/// Media type of the manifest.
pub const MANIFEST_MEDIA_TYPE: &str = "application/json";
