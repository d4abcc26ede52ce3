//! Handing out: the evidence package of one version, and the trust anchors to check it with.

use std::fmt;
use std::io::{self, Seek, Write};
use std::thread;

use formats::asic::WriteError;
use formats::cades::detach;
use formats::digest::DigestAlgorithm;
use formats::error::FormatError;
use formats::id::VersionId;
use formats::manifest::Manifest;
use formats::package::{
    EVIDENCE_RECORD, MANIFEST, PackageWriter, SECOND_EVIDENCE_RECORD, document_members,
};
use formats::x509::encode_pem;
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::judge;
use verifier::judgement::Judgement;
use verifier::report::Report;
use verifier::source::{DigestSource, InputFile, KnownDigests};

use super::assemble::{AssembleError, EvidenceAssembler};
use super::audit::{AuditError, AuditEvent, AuditExcerpt};
use super::leaves::ComputedDigests;
use super::log::FrameSource;
use super::report_page;
use crate::record::error::RetrieveError;
use crate::record::retrieve::{OpenedVersion, Retriever};
use crate::signature::{SignatureError, keeper};
use crate::store::StoreError;
use crate::store::catalog::Catalog;

/// Makes evidence packages.
#[derive(Clone, Copy)]
pub struct Exporter<'a> {
    /// Opens versions.
    pub retriever: Retriever<'a>,
    /// Knows the batch of a version.
    pub catalog: &'a Catalog,
    /// Holds the pages of the trees.
    pub frames: &'a dyn FrameSource,
    /// By what the package is judged for its report; `time` is the time of the export.
    pub context: Context<'a>,
    /// Who exports, for the audit excerpt.
    pub exported_by: &'a str,
    /// Whether the archive is for trying the product out: the report and the audit excerpt say so.
    pub evaluation: bool,
}

/// What went into a package.
#[derive(Debug, Clone)]
pub struct ExportedPackage {
    /// The version.
    pub version: VersionId,
    /// How many documents.
    pub documents: usize,
    /// Since when the version is proven to exist; only if the judgement has passed.
    pub existence: Option<OffsetDateTime>,
    /// What the verifier says about it.
    pub judgement: Judgement,
    /// Bytes of its evidence records.
    pub evidence_bytes: usize,
}

/// Why there is no package. What was written is not one: the caller throws it away.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// No archive timestamp covers the version yet. Stamp first.
    NotStamped {
        /// The version.
        version: VersionId,
    },
    /// The version cannot be read, or is not what was deposited.
    Retrieve(RetrieveError),
    /// The evidence record cannot be put together.
    Assemble(AssembleError),
    /// The package cannot be written.
    Write(WriteError),
    /// A pipe or thread between reading and writing could not be made: the machine is out of file descriptors or threads.
    Machine(io::Error),
    /// A time of the audit excerpt cannot be written.
    Audit(AuditError),
    /// The archive's signature over the version cannot be opened.
    Signature(SignatureError),
}

impl Exporter<'_> {
    /// Writes the package of a version. Contents are streamed; every digest is compared on the way.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn export<W: Write + Seek>(
        &self,
        version: VersionId,
        sink: W,
    ) -> Result<(ExportedPackage, W), ExportError> {
        let mut opened = self.retriever.open(version)?;
        let manifest = opened.manifest().clone();
        let assembler = EvidenceAssembler::new(self.frames, self.catalog);
        let algorithms = assembler.algorithms(version)?;
        let first = *algorithms
            .first()
            .ok_or(ExportError::NotStamped { version })?;
        let further = ComputedDigests::missing(&manifest, algorithms);

        let mut writer = PackageWriter::new(sink, &manifest, first)?;
        // Every digest of every content is compared while it is written, so those of the manifest are computed ones then.
        let mut digests = ComputedDigests::new(manifest.clone());
        while writer.next_document().is_some() {
            add_document(&mut writer, &mut opened, &mut digests, &further)?;
        }
        if let Some(kept) = keeper::kept(&self.retriever, self.catalog, self.frames, version)? {
            let (signature, covered) = detach(&kept.signature)?;
            writer.add_signature(&covered, &signature)?;
        }
        let records = usable(assembled(&assembler, version, &digests)?)?;
        let report = judge_records(&records, &digests, &self.context);
        let audit = self.audit(&manifest, version, &assembler)?.to_json()?;
        let page = report_page::render(&manifest, &report, self.evaluation);
        let evidence_bytes = records.iter().map(Vec::len).sum();
        let mut records = records.into_iter();
        let record = records.next().ok_or(AssembleError::NotStamped)?;
        if let Some(second) = records.next() {
            writer.set_second_record(second);
        }
        let sink = writer.finish(&record, &audit, page.as_bytes())?;
        let exported = ExportedPackage {
            version,
            documents: manifest.objects.len(),
            existence: report.best_signature_time,
            judgement: report.judgement,
            evidence_bytes,
        };
        Ok((exported, sink))
    }

    pub(super) fn audit(
        &self,
        manifest: &Manifest,
        version: VersionId,
        assembler: &EvidenceAssembler<'_>,
    ) -> Result<AuditExcerpt, ExportError> {
        let mut events = vec![AuditEvent::Deposited {
            at: manifest.received_at,
            by: manifest.depositor.clone(),
            channel: manifest.channel.clone(),
        }];
        for track in assembler.tracks(version)? {
            let members = assembler.members(version, track)?;
            events.extend(members.iter().map(|one| AuditEvent::of_batch(&one.batch)));
        }
        // Of the same time, the first authority's come first.
        events.sort_by_key(AuditEvent::at);
        events.push(AuditEvent::Exported {
            at: self.context.time,
            by: self.exported_by.to_owned(),
        });
        Ok(AuditExcerpt {
            archive: manifest.archive,
            version,
            evaluation: self.evaluation,
            events,
        })
    }
}

/// Those records that could be put together: one is enough to hand out. The first failure, when there is none.
pub(super) fn usable(
    records: Vec<Result<Vec<u8>, AssembleError>>,
) -> Result<Vec<Vec<u8>>, AssembleError> {
    let (good, bad): (Vec<_>, Vec<_>) = records.into_iter().partition(Result::is_ok);
    match bad.into_iter().next() {
        Some(Err(error)) if good.is_empty() => Err(error),
        _ => Ok(good.into_iter().flatten().collect()),
    }
}

/// The evidence records of a version whose contents were read: that of the first authority, and that of the second one if there is one.
pub(super) fn assembled(
    assembler: &EvidenceAssembler<'_>,
    version: VersionId,
    digests: &ComputedDigests,
) -> Result<Vec<Result<Vec<u8>, AssembleError>>, AssembleError> {
    let group = |algorithm| digests.group(algorithm);
    let tracks = assembler.tracks(version)?.into_iter();
    Ok(tracks
        .map(|track| assembler.evidence_record(version, track, &group))
        .collect())
}

/// Judges the evidence records of a version whose contents were read and compared with its manifest. They are alternatives.
pub(super) fn judge_records(
    records: &[Vec<u8>],
    digests: &ComputedDigests,
    context: &Context<'_>,
) -> Report {
    let manifest = digests.manifest();
    let of_manifest = DigestAlgorithm::ALL
        .iter()
        .map(|algorithm| algorithm.digest(manifest.raw()));
    let mut data = vec![KnownDigests::computed(MANIFEST, of_manifest.collect())];
    for (object, member) in document_members(manifest).into_iter().enumerate() {
        data.push(KnownDigests::computed(
            member,
            digests.of_object(object).collect(),
        ));
    }
    let data: Vec<&dyn DigestSource> = data
        .iter()
        .map(|one| -> &dyn DigestSource { one })
        .collect();
    let names = [EVIDENCE_RECORD, SECOND_EVIDENCE_RECORD];
    let files: Vec<InputFile<'_>> = names
        .into_iter()
        .zip(records)
        .map(|(name, record)| InputFile::new(name, record))
        .collect();
    judge::verify(&files, &data, context)
}

/// Streams one content from the store into the package, through a pipe: one side opens chunks, the other compresses nothing and writes.
fn add_document<W: Write + Seek>(
    writer: &mut PackageWriter<'_, W>,
    opened: &mut OpenedVersion<'_>,
    digests: &mut ComputedDigests,
    further: &[DigestAlgorithm],
) -> Result<(), ExportError> {
    opened.refuse_quarantined()?;
    let (reading_end, mut writing_end) = io::pipe().map_err(ExportError::Machine)?;
    let (read, written) = thread::scope(|scope| {
        let reading = thread::Builder::new().spawn_scoped(scope, move || {
            digests.read_next(opened, further, &mut writing_end)
        })?;
        let written = writer.add_document(reading_end);
        let read = reading
            .join()
            .map_err(|_| io::Error::other("the reading thread ended"))?;
        Ok((read, written))
    })
    .map_err(ExportError::Machine)?;
    match (read, written) {
        // Damage is the cause, and the short document in the package its effect.
        (Err(damage), _) if damage.is_integrity_failure() => Err(damage.into()),
        (_, Err(error)) => Err(error.into()),
        (Err(error), Ok(())) => Err(error.into()),
        (Ok(()), Ok(())) => Ok(()),
    }
}

/// Trust anchors as PEM text, to be handed over beside packages, by another way than the packages.
#[must_use]
pub fn trust_anchors_pem(anchors: &[Vec<u8>]) -> String {
    anchors
        .iter()
        .map(|anchor| encode_pem("CERTIFICATE", anchor))
        .collect()
}

impl fmt::Debug for Exporter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl From<RetrieveError> for ExportError {
    fn from(error: RetrieveError) -> Self {
        Self::Retrieve(error)
    }
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Retrieve(error.into())
    }
}

impl From<AssembleError> for ExportError {
    fn from(error: AssembleError) -> Self {
        Self::Assemble(error)
    }
}

impl From<WriteError> for ExportError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<FormatError> for ExportError {
    fn from(error: FormatError) -> Self {
        Self::Assemble(error.into())
    }
}

impl From<SignatureError> for ExportError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<AuditError> for ExportError {
    fn from(error: AuditError) -> Self {
        Self::Audit(error)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStamped { version } => {
                write!(
                    f,
                    "{version} has no timestamp yet: run `archiver stamp` first"
                )
            }
            Self::Retrieve(error) => error.fmt(f),
            Self::Assemble(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
            Self::Machine(error) => {
                write!(f, "the machine cannot run another thread or pipe: {error}")
            }
            Self::Audit(error) => error.fmt(f),
            Self::Signature(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Retrieve(error) => Some(error),
            Self::Assemble(error) => Some(error),
            Self::Write(error) => Some(error),
            Self::Machine(error) => Some(error),
            Self::Audit(error) => Some(error),
            Self::Signature(error) => Some(error),
            Self::NotStamped { .. } => None,
        }
    }
}
