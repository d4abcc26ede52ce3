//! From a source to a record that only has to be committed.

mod inspect;
mod lines;

use std::io::{self, Cursor, Read};

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::id::{RecordId, VersionId};
use formats::lines::LineTree;
use formats::manifest::{ClassReference, ContentObject, Digests, Manifest, Role};
use formats::raw::Raw;
use formats::segment::{ContentLocations, RecordVersion};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::lines::{append_to, tell_without_lines};
use super::deposit::{DepositRequest, Depositor};
use super::error::DepositError;
use super::examine::Examined;
use super::identity::{DepositIdentity, same_content};
use super::in_flight::Claim;
use super::outcome::{DepositEvent, DepositProgress, DepositedRecord};
use super::received::ReceivedRecord;
use super::retrieve::Retriever;
use crate::content::{
    ContentSummary, ContentWriter, NoLines, SealError, VersionSealer, WriteError,
};
use crate::intake::malware::Teed;
use crate::intake::{IntakeError, Source, SourceName, StableSource};
use crate::keys::LedgerTicket;

/// Prepares one source after another. Keeps its compressor and buffers.
pub(super) struct Worker<'a> {
    depositor: &'a Depositor<'a>,
    request: &'a DepositRequest,
    progress: &'a DepositProgress,
    writer: Option<ContentWriter>,
}

/// What came of a source.
pub(super) enum Prepared {
    /// A record to commit, and what its depositor is told once it is durable.
    Record(Box<PreparedRecord>, Box<DepositedRecord>),
    /// Nothing to commit.
    Settled(DepositEvent),
}

/// A record whose content is appended and whose key is staged. The claim on its identity lasts until it is dropped, that is, until the index
/// knows it.
pub(super) struct PreparedRecord {
    pub(super) ticket: LedgerTicket,
    pub(super) frame: RecordVersion,
    pub(super) manifest: Raw<Manifest>,
    _claim: Claim,
}

/// Why a source was not prepared.
pub(super) enum Refusal {
    /// For its own reasons; the others go on.
    Source(IntakeError),
    /// The archive takes nothing more.
    Stop(DepositError),
}

/// Content that is stored but not yet part of a record.
struct Stored {
    sealer: VersionSealer,
    content: ContentSummary,
    contents: Vec<ContentLocations>,
    /// The tree over the lines, or why a class that asks for one does not get it.
    lines: Option<Result<LineTree, NoLines>>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        depositor: &'a Depositor<'a>,
        request: &'a DepositRequest,
        progress: &'a DepositProgress,
    ) -> Self {
        Self {
            depositor,
            request,
            progress,
            writer: None,
        }
    }

    pub(super) fn prepare(&mut self, source: Source) -> Result<Prepared, Refusal> {
        match source {
            Source::File(file) => self.prepare_file(file),
            Source::Stream { name, reader } => self.prepare_stream(name, reader),
        }
    }

    fn prepare_file(&mut self, mut file: StableSource) -> Result<Prepared, Refusal> {
        let name = file.name().clone();
        let head_length =
            usize::try_from(file.size()).map_or(HEAD_BYTES, |size| size.min(HEAD_BYTES));
        let head = file
            .head(head_length)
            .map_err(|error| IntakeError::from_io(name.clone(), error))?;
        let mut examined = Examined::new(name, head, Some(file.size()), self.request)?;
        examined.read_document(self.request.class.policy(), &mut file.preview());
        if let Some(modified) = file.modified().and_then(|time| time.format(&Rfc3339).ok()) {
            examined
                .facts
                .insert("source-modified".to_owned(), modified);
        }
        let identity = self.identity(&examined);
        let mut digests = None;
        let claimed = self.claim(&identity, examined.is_whole(), &mut || {
            if let Some(known) = digests {
                return Ok(known);
            }
            let read = self
                .digests_of(&mut file.preview())
                .map_err(|error| IntakeError::from_io(file.name().clone(), error))?;
            file.confirm_unchanged()?;
            digests = Some(read);
            Ok(read)
        })?;
        let claim = match claimed {
            Claimed::New(claim) => claim,
            Claimed::There(version) => {
                file.confirm_unchanged()?;
                return Ok(already_there(version, examined, file.size()));
            }
        };
        self.inspect_file(&file, &mut examined)?;
        let stored = if examined.is_whole() {
            let stored = self.store(&examined, &mut Cursor::new(&examined.head))?;
            file.confirm_unchanged()?;
            stored
        } else {
            let stored = self.store(&examined, &mut file)?;
            file.finish()?;
            stored
        };
        self.describe(examined, stored, claim)
    }

    fn prepare_stream(
        &mut self,
        name: SourceName,
        mut reader: Box<dyn Read + Send>,
    ) -> Result<Prepared, Refusal> {
        let mut head = Vec::new();
        reader
            .by_ref()
            .take(u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX))
            .read_to_end(&mut head)
            .map_err(|error| IntakeError::from_io(name.clone(), error))?;
        let size = if head.len() < HEAD_BYTES {
            u64::try_from(head.len()).ok()
        } else {
            None
        };
        let mut examined = Examined::new(name, head, size, self.request)?;
        let beginning = examined.head.clone();
        examined.read_document(self.request.class.policy(), &mut beginning.as_slice());
        let identity = self.identity(&examined);
        let mut content = Cursor::new(beginning).chain(reader);
        let mut teed = Teed::new(&mut content, self.begin_scan());
        let stored = self.store(&examined, &mut teed)?;
        if let Some(examination) = teed.finish() {
            self.take_verdict(&mut examined, examination)?;
        }
        let digests = [stored.content.sha256, stored.content.sha512];
        let size = stored.content.size;
        match self.claim(&identity, examined.is_whole(), &mut || Ok(digests))? {
            Claimed::New(claim) => self.describe(examined, stored, claim),
            Claimed::There(version) => Ok(already_there(version, examined, size)),
        }
    }

    fn identity(&self, examined: &Examined) -> DepositIdentity {
        DepositIdentity::new(
            &self.request.class.policy().id,
            examined.name.as_bytes(),
            &self.request.given,
            examined.size,
            &examined.head,
        )
    }

    /// Finds the version that holds this content, or claims the identity under which it is to be deposited.
    ///
    /// `digests` gives those of the whole content; it is asked only when there is a candidate and its code does not already
    /// cover the whole content (`is_whole`).
    fn claim(
        &self,
        identity: &DepositIdentity,
        is_whole: bool,
        digests: &mut dyn FnMut() -> Result<[DigestValue; 2], IntakeError>,
    ) -> Result<Claimed, Refusal> {
        let mut attempt = 0;
        loop {
            let code = identity.code(&self.depositor.identity_key, attempt);
            let claim = self.depositor.resources.in_flight.claim(code);
            let candidate = self.depositor.catalog.by_deposit_identity(&code)?;
            let Some(version) = candidate else {
                return Ok(Claimed::New(claim));
            };
            if is_whole || self.holds(version, &digests()?)? {
                return Ok(Claimed::There(version));
            }
            attempt += 1;
        }
    }

    /// Whether a version's first object has these digests. A version that cannot be read holds nothing as far as this goes:
    /// the content is then deposited anew.
    fn holds(&self, version: VersionId, digests: &[DigestValue]) -> Result<bool, Refusal> {
        let depositor = self.depositor;
        let retriever = Retriever::new(depositor.store, depositor.catalog, depositor.ledger);
        let Ok(opened) = retriever.open(version) else {
            return Ok(false);
        };
        let object = opened.manifest().objects.first();
        Ok(object.is_some_and(|object| same_content(object.digests.values(), digests)))
    }

    fn digests_of(&self, content: &mut dyn Read) -> io::Result<[DigestValue; 2]> {
        let mut hashers =
            [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512].map(DigestAlgorithm::hasher);
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => return Ok(hashers.map(formats::digest::Hasher::finish)),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.progress.add(count);
            for hasher in &mut hashers {
                hasher.update(buffer.get(..count).unwrap_or_default());
            }
        }
    }

    /// Stages a key and appends the content, sealed under it.
    fn store(&mut self, examined: &Examined, content: &mut dyn Read) -> Result<Stored, Refusal> {
        let depositor = self.depositor;
        let mut random = [0; 10];
        depositor.entropy.fill(&mut random)?;
        let milliseconds = depositor.clock.now().unix_timestamp_nanos() / 1_000_000;
        let milliseconds = u64::try_from(milliseconds).map_err(|_| DepositError::Clock)?;
        let version = VersionId::first(RecordId::new(milliseconds, &random));
        let key = depositor.ledger.wrap_new(version)?;
        let mut sealer = VersionSealer::new(depositor.archive, key);
        let mut input = Counted {
            inner: content,
            progress: self.progress,
        };
        let key = self.line_key()?;
        let mut located = ContentLocations::default();
        let written = self
            .writer()?
            .write_lines(&mut sealer, 0, &mut input, key, |chunk| {
                append_to(depositor, &mut located, chunk)
            });
        match written {
            Ok((content, lines)) => self.store_lines(sealer, content, located, lines),
            Err(WriteError::Source(error)) => {
                Err(IntakeError::from_io(examined.name.clone(), error).into())
            }
            Err(WriteError::Append(error)) => Err(error.into()),
            Err(WriteError::Seal(SealError::TooLong)) => {
                let error = FormatError::new(ErrorKind::LimitExceeded, "content");
                Err(unfit(&examined.name, error))
            }
            Err(WriteError::Seal(error)) => Err(Refusal::Stop(DepositError::Seal(error))),
        }
    }

    /// Makes the manifest and the record version.
    fn describe(
        &mut self,
        mut examined: Examined,
        mut stored: Stored,
        claim: Claim,
    ) -> Result<Prepared, Refusal> {
        let version = stored.sealer.version();
        if let Some(Err(reason)) = stored.lines {
            tell_without_lines(&mut examined, reason);
        }
        let manifest = self.manifest(&examined, &stored)?;
        let encoded = manifest
            .encode()
            .map_err(|error| unfit(&examined.name, error))?;
        let manifest = Manifest::parse(&encoded)
            .map_err(|error| Refusal::Stop(DepositError::Manifest(error)))?;
        let sealed = self
            .writer()?
            .seal_manifest(&mut stored.sealer, &encoded)
            .map_err(|error| Refusal::Stop(DepositError::Seal(error)))?;
        let frame = RecordVersion {
            version,
            identity: claim.code(),
            contents: stored.contents,
            manifest_codec: sealed.codec,
            manifest_plain_bytes: sealed.plain_bytes,
            manifest_sealed: sealed.sealed,
        };
        let received = ReceivedRecord::of(&manifest)
            .map_err(|error| Refusal::Stop(DepositError::Manifest(error)))?;
        let outcome = Box::new(DepositedRecord {
            version,
            received: Some(received),
            name: examined.name,
            size: stored.content.size,
            stored_bytes: stored.content.sealed_bytes,
            lines: stored.lines.and_then(Result::ok).map(|tree| tree.lines),
            media_type: examined.media_type.name,
            metadata: examined.metadata,
            received_at: manifest.received_at,
            warnings: examined.warnings,
        });
        let record = PreparedRecord {
            ticket: stored.sealer.ticket(),
            frame,
            manifest,
            _claim: claim,
        };
        Ok(Prepared::Record(Box::new(record), outcome))
    }

    fn manifest(&self, examined: &Examined, stored: &Stored) -> Result<Manifest, Refusal> {
        let depositor = self.depositor;
        let class = &self.request.class;
        let mut salt = [0; 16];
        depositor.entropy.fill(&mut salt)?;
        let unfit = |error| unfit(&examined.name, error);
        let digests = vec![stored.content.sha256, stored.content.sha512];
        Ok(Manifest {
            archive: depositor.archive,
            record: stored.sealer.version().record(),
            version: stored.sealer.version().version(),
            supersedes: None,
            class: ClassReference {
                id: class.policy().id.clone(),
                digests: Digests::new(class.digests().to_vec()).map_err(unfit)?,
            },
            metadata: examined.metadata.clone(),
            objects: vec![ContentObject {
                name: examined.object_name.clone(),
                role: Role::Original,
                media_type: examined.media_type.name.clone(),
                size: stored.content.size,
                digests: Digests::new(digests).map_err(unfit)?,
                lines: stored.lines.clone().and_then(Result::ok),
            }],
            depositor: self.request.depositor.clone(),
            channel: self.request.channel.clone(),
            received_at: whole_microseconds(depositor.clock.now()),
            facts: examined.facts.clone(),
            salt,
        })
    }

    /// The compressor and its buffers, made when they are first needed: a run over one file has one.
    fn writer(&mut self) -> Result<&mut ContentWriter, Refusal> {
        if self.writer.is_none() {
            let writer = self.depositor.resources.writer();
            let writer = writer.map_err(|error| Refusal::Stop(DepositError::Seal(error)))?;
            self.writer = Some(writer);
        }
        self.writer
            .as_mut()
            .ok_or(Refusal::Stop(DepositError::Seal(SealError::Packing)))
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.depositor.resources.put_back(writer);
        }
    }
}

/// What a search for the same content found.
enum Claimed {
    /// Nothing.
    New(Claim),
    /// The version that holds it.
    There(VersionId),
}

/// A reader that tells how much it has read.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    progress: &'a DepositProgress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.add(count);
        Ok(count)
    }
}

fn already_there(version: VersionId, examined: Examined, size: u64) -> Prepared {
    Prepared::Settled(DepositEvent::AlreadyThere {
        version,
        name: examined.name,
        size,
    })
}

fn unfit(name: &SourceName, error: FormatError) -> Refusal {
    Refusal::Source(IntakeError::Unfit {
        name: name.clone(),
        error,
    })
}

/// Manifests hold microseconds.
fn whole_microseconds(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_microsecond(time.microsecond()).unwrap_or(time)
}

impl From<IntakeError> for Refusal {
    fn from(error: IntakeError) -> Self {
        Self::Source(error)
    }
}

impl<E: Into<DepositError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Stop(error.into())
    }
}

/// How much of a source is looked at before it is stored. A source that is not larger is read once and held in memory.
const HEAD_BYTES: usize = 256 * 1024;

const COPY_BYTES: usize = 64 * 1024;
