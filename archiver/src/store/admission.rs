//! Taking a medium into service: sealed segments are copied and read back while the archive works, the growing one by the writer itself.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::{CommitMark, Frame, FrameAddress, SegmentSeal};
use sha2::{Digest, Sha256};

use super::durable::{DirectoryLock, Disk};
use super::medium::read_label;
use super::presence::Survey;
use super::recovery::seal;
use super::replica::{GrowingSegment, Replica};
use super::walk::Copy;
use super::{CopyPolicy, MediumProblem, MediumProblemKind, StoreError, lock};

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
/// # Errors
/// [`StoreError::CopyDiffers`] when the medium does not give back what was written; [`StoreError::Locked`] while another process copies
/// to it; the refusal of the first medium when none can be read; errors of reading and writing.
pub fn copy_sealed(
    directories: &[PathBuf],
    archive: ArchiveId,
    copies: &CopyPolicy,
    disk: &Arc<dyn Disk>,
    target: &Path,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<CopyReport, StoreError> {
    let _lock: DirectoryLock = lock(target, true)?;
    let now = time::OffsetDateTime::UNIX_EPOCH;
    let survey = Survey::of(directories, archive, copies.note.as_deref(), now);
    let mut sources = Vec::new();
    for present in survey
        .in_service
        .iter()
        .filter(|one| one.directory != target)
    {
        sources.push(Arc::new(Replica::of(present, disk)));
    }
    for (present, out) in survey
        .stale
        .iter()
        .filter(|(one, _)| one.directory != target)
    {
        let replica = Replica::of(present, disk);
        replica.end_before(out.from.segment);
        sources.push(Arc::new(replica));
    }
    if sources.is_empty() {
        return Err(survey.refusal());
    }
    let label = read_label(target)?;
    let target = Arc::new(Replica::new(target, label.medium, Arc::clone(disk)));
    target.prepare()?;
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

/// The medium gets what it lacks up to `at`, where the writer stands; `digest` is over the growing segment up to there.
pub(super) fn bring_up(
    sources: &[Arc<Replica>],
    target: &Arc<Replica>,
    at: FrameAddress,
    digest: &Sha256,
) -> Result<GrowingSegment, StoreError> {
    let whole = Arc::new(target.without_end());
    require_behind(sources, &whole, at)?;
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

/// A medium that holds commits which the archive does not have was written elsewhere: it is not overwritten.
fn require_behind(
    sources: &[Arc<Replica>],
    target: &Arc<Replica>,
    at: FrameAddress,
) -> Result<(), StoreError> {
    let Some((segment, _)) = target.segments()?.last().copied() else {
        return Ok(());
    };
    let diverged = || {
        StoreError::from(MediumProblem {
            directory: target.directory.clone(),
            medium: Some(target.medium),
            kind: MediumProblemKind::Diverged,
        })
    };
    let Some(mut own) = open_copy(target, segment)? else {
        return Ok(());
    };
    let Some(mark) = own.mark_before(segment, u64::MAX) else {
        return Ok(());
    };
    if FrameAddress::new(segment, mark) >= at {
        return Err(diverged());
    }
    let bytes = CommitMark::FRAME_BYTES;
    for source in sources {
        let Some(mut copy) = open_copy(source, segment)? else {
            continue;
        };
        let Ok(Ok(Frame::CommitMark(_))) = copy.bytes(mark, bytes).map(Frame::parse) else {
            continue;
        };
        if copy.bytes(mark, bytes).ok() != own.bytes(mark, bytes).ok() {
            return Err(diverged());
        }
        return Ok(());
    }
    Err(diverged())
}

fn open_copy(replica: &Replica, segment: u32) -> Result<Option<Copy>, StoreError> {
    let file = replica.open(segment)?;
    let path = replica.path(segment);
    file.map(Copy::new)
        .transpose()
        .map_err(|error| replica.error("reading", &path, error))
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

fn same(one: &SegmentSeal, other: &SegmentSeal) -> bool {
    (one.digest, one.length, one.index_offset) == (other.digest, other.length, other.index_offset)
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
