//! Taking a medium into service: sealed segments are copied and read back while the archive works, the growing one by the writer itself.

mod history;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::FrameAddress;
use sha2::{Digest, Sha256};

use super::durable::{DirectoryLock, Disk};
use super::joining;
use super::presence::{Present, Survey, of_archive};
use super::recovery::seal;
use super::replica::{GrowingSegment, Replica};
use super::{CopyPolicy, MediumProblem, MediumProblemKind, StoreError, lock};
use history::{require_behind, same};

/// How far copying is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// Sealed segments that the medium has, read back and found equal.
    pub segments: u32,
    /// Of so many.
    pub segments_all: u32,
    /// Bytes written by this run.
    pub bytes: u64,
    /// Bytes that this run has to write.
    pub bytes_all: u64,
}

/// What copying did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// How far it came.
    pub progress: CopyProgress,
    /// Segments that are damaged on every medium at hand, and were copied as they are.
    pub damaged: Vec<u32>,
}

/// Copies all sealed segments to the medium at `target` that it does not have. Each is read back and compared before it counts; what an
/// interrupted run had copied is not copied again. The archive may be written to meanwhile.
///
/// Nothing is written to a medium that belongs to another archive, is no member of this one, or holds commits that this one does not have.
///
/// # Errors
/// [`StoreError::MediumUnusable`] for such a medium; [`StoreError::CopyDiffers`] when the medium does not give back what was written; [`StoreError::Locked`] while another process copies
/// to it; the refusal of the first medium when none can be read; errors of reading and writing.
pub fn copy_sealed(
    directories: &[PathBuf],
    archive: ArchiveId,
    copies: &CopyPolicy,
    disk: &Arc<dyn Disk>,
    target: &Path,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<CopyReport, StoreError> {
    let present = of_archive(target, archive)?;
    let _lock: DirectoryLock = lock(target, true)?;
    let now = time::OffsetDateTime::UNIX_EPOCH;
    let survey = Survey::of(directories, archive, copies.note.as_deref(), now);
    require_member(&survey, archive, &present)?;
    let sources = sources(&survey, &present, disk)?;
    let target = Arc::new(Replica::of(&present, disk));
    target.prepare()?;
    require_behind(&sources, &target, None)?;
    let mut missing = Vec::new();
    let mut report = CopyReport::default();
    for (segment, bytes) in sealed_segments(&sources)? {
        report.progress.segments_all += 1;
        if has_it(&sources, &target, segment)? {
            report.progress.segments += 1;
        } else {
            report.progress.bytes_all += bytes;
            missing.push(segment);
        }
    }
    progress(report.progress);
    for segment in missing {
        let at = &mut report.progress;
        let whole = copy_verified(&sources, &target, segment, &mut |bytes| {
            at.bytes += bytes;
            progress(*at);
        })?;
        if !whole {
            report.damaged.push(segment);
        }
        report.progress.segments += 1;
        progress(report.progress);
    }
    Ok(report)
}

/// Only a medium of the archive, or one that is being prepared for it, is written to.
fn require_member(
    survey: &Survey,
    archive: ArchiveId,
    present: &Present,
) -> Result<(), StoreError> {
    let is_joining =
        || joining::read(&present.directory).is_some_and(|joining| joining.archive == archive);
    if survey.roster.member(present.medium).is_some() || is_joining() {
        return Ok(());
    }
    Err(MediumProblem {
        directory: present.directory.clone(),
        medium: Some(present.medium),
        kind: MediumProblemKind::NotMember,
    }
    .into())
}

/// The media that can be copied from: those in service, then those that were.
fn sources(
    survey: &Survey,
    target: &Present,
    disk: &Arc<dyn Disk>,
) -> Result<Vec<Arc<Replica>>, StoreError> {
    let in_service = survey.in_service.iter().map(|one| (one, u32::MAX));
    let stale = survey.stale.iter();
    let stale = stale.map(|(one, out)| (one, out.from.segment));
    let mut sources = Vec::new();
    for (present, end) in in_service.chain(stale) {
        if is_same_folder(&present.directory, &target.directory) {
            continue;
        }
        if present.medium == target.medium {
            return Err(StoreError::MediumTwice {
                directory: target.directory.clone(),
            });
        }
        let replica = Replica::of(present, disk);
        replica.end_before(end);
        sources.push(Arc::new(replica));
    }
    if sources.is_empty() {
        return Err(survey.refusal());
    }
    Ok(sources)
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one == other || whole(one) == whole(other)
}

/// The medium gets what it lacks up to `at`, where the writer stands; `digest` is over the growing segment up to there.
pub(super) fn bring_up(
    sources: &[Arc<Replica>],
    target: &Arc<Replica>,
    at: FrameAddress,
    digest: &Sha256,
) -> Result<GrowingSegment, StoreError> {
    let whole = Arc::new(target.without_end());
    require_behind(sources, &whole, Some(at))?;
    for (segment, _) in sealed_segments(sources)? {
        if segment < at.segment && !has_it(sources, &whole, segment)? {
            copy_verified(sources, &whole, segment, &mut |_| ())?;
        }
    }
    let growing = target.grow(at.segment, whole.open(at.segment)?.is_none())?;
    growing.cut(0)?;
    let mut failure = StoreError::NotFound { address: at };
    for source in sources {
        match copy_start(source, &growing, at) {
            Ok(()) => {
                growing.sync()?;
                let found = digest_of(&whole, at.segment, at.offset)?;
                if found == <[u8; 32]>::from(digest.clone().finalize()) {
                    return Ok(growing);
                }
                failure = differs(target, at.segment);
            }
            Err(error) => failure = error,
        }
        growing.cut(0)?;
    }
    Err(failure)
}

/// The beginning of the growing segment, up to `at`.
fn copy_start(
    source: &Replica,
    growing: &GrowingSegment,
    at: FrameAddress,
) -> Result<(), StoreError> {
    let Some(file) = source.open(at.segment)? else {
        return Err(StoreError::NotFound { address: at });
    };
    let path = source.path(at.segment);
    let mut file = file.take(at.offset);
    let mut offset = 0;
    loop {
        let piece = read_piece(&mut file).map_err(|error| source.error("reading", &path, error))?;
        if piece.is_empty() {
            return Ok(());
        }
        let bytes = piece.len() as u64;
        growing.write(&[piece], offset)?;
        offset += bytes;
    }
}

/// Numbers and lengths of the segments that are sealed on one of the sources.
fn sealed_segments(sources: &[Arc<Replica>]) -> Result<Vec<(u32, u64)>, StoreError> {
    let mut all = std::collections::BTreeMap::new();
    for source in sources {
        for (segment, bytes) in source.segments()? {
            if !all.contains_key(&segment) && seal(source, segment)?.is_some() {
                all.insert(segment, bytes);
            }
        }
    }
    Ok(all.into_iter().collect())
}

/// Whether the medium has the segment as a source has it. A copy gets its protection only after it was read back.
fn has_it(sources: &[Arc<Replica>], target: &Replica, segment: u32) -> Result<bool, StoreError> {
    let Some(own) = seal(target, segment)?.filter(|_| target.is_protected(segment)) else {
        return Ok(false);
    };
    for source in sources {
        if let Some(seal) = seal(source, segment)? {
            return Ok(same(&seal, &own));
        }
    }
    Ok(false)
}

/// Copies a sealed segment from the first source that has it whole. Answers whether one had.
pub(super) fn copy_verified(
    sources: &[Arc<Replica>],
    target: &Arc<Replica>,
    segment: u32,
    progress: &mut dyn FnMut(u64),
) -> Result<bool, StoreError> {
    let mut failure = StoreError::NotFound {
        address: FrameAddress::new(segment, 0),
    };
    let mut damaged = None;
    for source in sources {
        let seal = match seal(source, segment) {
            Ok(Some(seal)) => seal,
            Ok(None) => continue,
            Err(error) => {
                failure = error;
                continue;
            }
        };
        match digest_of(source, segment, seal.length) {
            Ok(digest) if digest == seal.digest => {
                copy_one(source, target, segment, progress)?;
                return Ok(true);
            }
            Ok(_) => damaged = damaged.or(Some(source)),
            Err(error) => failure = error,
        }
    }
    match damaged {
        Some(source) => copy_one(source, target, segment, progress).map(|()| false),
        None => Err(failure),
    }
}

/// Copies a file, makes it durable, reads it back from the medium and compares, then protects it.
fn copy_one(
    source: &Replica,
    target: &Arc<Replica>,
    segment: u32,
    progress: &mut dyn FnMut(u64),
) -> Result<(), StoreError> {
    let path = source.path(segment);
    let absent = StoreError::NotFound {
        address: FrameAddress::new(segment, 0),
    };
    let mut file = source.open(segment)?.ok_or(absent)?;
    let growing = target.grow(segment, target.open(segment)?.is_none())?;
    let mut digest = Sha256::new();
    let mut offset = 0;
    loop {
        let piece = read_piece(&mut file).map_err(|error| source.error("reading", &path, error))?;
        if piece.is_empty() {
            break;
        }
        digest.update(&piece);
        let bytes = piece.len() as u64;
        growing.write(&[piece], offset)?;
        offset += bytes;
        progress(bytes);
    }
    growing.cut(offset)?;
    if digest_of(target, segment, offset)? != <[u8; 32]>::from(digest.finalize()) {
        return Err(differs(target, segment));
    }
    growing.protect()
}

/// SHA-256 over the first bytes of a segment file, read past the page cache as far as the system allows.
fn digest_of(replica: &Replica, segment: u32, length: u64) -> Result<[u8; 32], StoreError> {
    let absent = StoreError::NotFound {
        address: FrameAddress::new(segment, 0),
    };
    let file = replica.open(segment)?.ok_or(absent)?;
    replica.forget(&file);
    let path = replica.path(segment);
    let mut file = file.take(length);
    let mut digest = Sha256::new();
    loop {
        let piece =
            read_piece(&mut file).map_err(|error| replica.error("reading", &path, error))?;
        if piece.is_empty() {
            return Ok(digest.finalize().into());
        }
        digest.update(&piece);
    }
}

fn read_piece(file: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    file.by_ref()
        .take(PIECE_BYTES as u64)
        .read_to_end(&mut piece)?;
    Ok(piece)
}

fn differs(target: &Replica, segment: u32) -> StoreError {
    StoreError::CopyDiffers {
        directory: target.directory.clone(),
        segment,
    }
}

/// Bytes copied at once.
const PIECE_BYTES: usize = 1024 * 1024;
