//! Taking a medium into service: sealed segments are copied and read back while the archive works, the growing one by the writer itself.

mod copying;
mod history;
mod leaving;

use std::io::Read;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::FrameAddress;
use sha2::{Digest, Sha256};

use super::durable::{DirectoryLock, Disk};
use super::heal::whole;
use super::joining;
use super::medium::is_same_folder;
use super::presence::{Present, Survey, of_archive};
use super::replica::{GrowingSegment, Replica};
use super::{CopyPolicy, MediumProblem, MediumProblemKind, StoreError, lock};
use copying::{Standing, copy_verified, inventory, standing};
use history::{require_behind, sealed};

pub(super) use history::require_no_other_commit;
pub(super) use leaving::{Look, require_copies_elsewhere};

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
    /// Segments that this run wrote.
    pub written: Vec<u32>,
    /// Segments that are damaged on every medium at hand: what they have between them was copied.
    pub damaged: Vec<u32>,
    /// Segments that are missing on every medium at hand.
    pub missing: Vec<RangeInclusive<u32>>,
}

/// Copies all sealed segments to the medium at `target` that it does not have whole. Each is read back and compared before it counts, and
/// before it takes the place of what stood there; what an interrupted run had copied is read and not copied again. The archive may be
/// written to meanwhile.
///
/// Nothing is written to a medium that belongs to another archive, is no member of this one, or holds commits that this one does not have.
///
/// # Errors
/// [`StoreError::MediumUnusable`] for such a medium; [`StoreError::CopyDiffers`] when the medium does not give back what was written; [`StoreError::Locked`] while another process copies
/// to it; [`StoreError::RosterUnreadable`] where a roster that counts cannot be read; the refusal of the first medium when none can be read; errors of reading and writing.
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
    // It may be the newest one: which of these media are good to copy from is not known.
    if let Some(error) = survey.unreadable {
        return Err(error);
    }
    require_member(&survey, archive, &present)?;
    let sources = sources(&survey, &present, disk)?;
    let target = Arc::new(Replica::of(&present, disk));
    target.prepare()?;
    require_behind(&sources, &target, None)?;
    let inventory = inventory(&sources, &target)?;
    let mut report = CopyReport {
        missing: inventory.missing,
        ..CopyReport::default()
    };
    report.progress.segments_all = u32::try_from(inventory.segments.len()).unwrap_or(u32::MAX);
    let mut lacking = Vec::new();
    for (segment, bytes) in inventory.segments {
        match standing(&sources, segment, whole(&target, segment)) {
            Standing::Right => {
                if !target.is_protected(segment) {
                    target.settle(segment)?;
                }
                report.progress.segments += 1;
            }
            Standing::Lacking => {
                report.progress.bytes_all += bytes;
                lacking.push(segment);
            }
            Standing::Nowhere => report.damaged.push(segment),
        }
        progress(report.progress);
    }
    for segment in lacking {
        let at = &mut report.progress;
        let whole = copy_verified(&sources, &target, archive, segment, &mut |bytes| {
            at.bytes += bytes;
            progress(*at);
        })?;
        report.written.push(segment);
        if whole {
            report.progress.segments += 1;
        } else {
            report.damaged.push(segment);
        }
        progress(report.progress);
    }
    report.damaged.sort_unstable();
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

/// The medium gets what it lacks up to `at`, where the writer stands; `digest` is over the growing segment up to there. Nothing is
/// written over before a source was read that matches.
pub(super) fn bring_up(
    sources: &[Arc<Replica>],
    target: &Arc<Replica>,
    archive: ArchiveId,
    at: FrameAddress,
    digest: &Sha256,
) -> Result<GrowingSegment, StoreError> {
    let whole = Arc::new(target.without_end());
    require_behind(sources, &whole, Some(at))?;
    for (segment, _) in inventory(sources, &whole)?.segments {
        // It was read back before it was protected.
        let own = || sealed(&whole, segment).ok().flatten();
        let own = whole.is_protected(segment).then(own).flatten();
        if segment < at.segment && standing(sources, segment, own) == Standing::Lacking {
            copy_verified(sources, &whole, archive, segment, &mut |_| ())?;
        }
    }
    let right: [u8; 32] = digest.clone().finalize().into();
    let (source, failure) = matching(sources, at, right);
    let source = source.ok_or(failure)?;
    let growing = target.grow(at.segment, whole.open(at.segment)?.is_none())?;
    growing.cut(0)?;
    copy_start(source, &growing, at)?;
    growing.sync()?;
    if digest_of(&whole, at.segment, at.offset)? != right {
        return Err(differs(target, at.segment));
    }
    Ok(growing)
}

/// The first source that holds the growing segment as the writer wrote it; else why none does.
fn matching(
    sources: &[Arc<Replica>],
    at: FrameAddress,
    right: [u8; 32],
) -> (Option<&Arc<Replica>>, StoreError) {
    let mut failure = StoreError::NotFound { address: at };
    for source in sources {
        match digest_of(source, at.segment, at.offset) {
            Ok(digest) if digest == right => return (Some(source), failure),
            Ok(_) => {
                failure = StoreError::NotWhole {
                    path: source.path(at.segment),
                };
            }
            Err(error) => failure = error,
        }
    }
    (None, failure)
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
