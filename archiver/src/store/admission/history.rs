//! Whether a medium was written apart from the archive: then nothing on it is overwritten.

use std::sync::Arc;

use formats::segment::{CommitMark, Frame, FrameAddress, SegmentSeal};

use crate::store::replica::Replica;
use crate::store::segment_file::SegmentFile;
use crate::store::walk::{Committed, Copy, Unread};
use crate::store::{MediumProblem, MediumProblemKind, StoreError};

/// A medium that holds commits which the archive does not have was written elsewhere. `end` is where the archive ends; `None`: where the
/// sources do. It may be written to meanwhile, but not by this medium, which is out.
///
/// # Errors
/// [`MediumProblemKind::Diverged`]; errors of reading the medium: what cannot be read may be such a commit.
pub(super) fn require_behind(
    sources: &[Arc<Replica>],
    target: &Arc<Replica>,
    end: Option<FrameAddress>,
) -> Result<(), StoreError> {
    let end = match end {
        Some(end) => end,
        None => end_of(sources)?,
    };
    let segments = target.segments()?;
    for (segment, _) in segments.iter().rev() {
        let mut own = OwnMarks::of(target, *segment)?;
        while let Some((offset, mark)) = own.previous()? {
            if FrameAddress::new(*segment, offset) >= end {
                return Err(diverged(target));
            }
            match own.find(sources, offset, &mark)? {
                Committed::Same if are_sealed_alike(sources, target, *segment)? => return Ok(()),
                Committed::Same | Committed::Another => return Err(diverged(target)),
                // What the archive has there is damaged: the commit before tells as much.
                Committed::Unknown => {}
            }
        }
    }
    Ok(())
}

/// The same of one segment alone, where it ends on the medium before it does in the sources.
///
/// # Errors
/// As [`require_behind`].
pub(in crate::store) fn require_no_other_commit(
    sources: &[Arc<Replica>],
    target: &Replica,
    segment: u32,
) -> Result<(), StoreError> {
    let mut own = OwnMarks::of(target, segment)?;
    while let Some((offset, mark)) = own.previous()? {
        match own.find(sources, offset, &mark)? {
            Committed::Same => break,
            Committed::Another => return Err(diverged(target)),
            Committed::Unknown => {}
        }
    }
    Ok(())
}

fn diverged(target: &Replica) -> StoreError {
    StoreError::from(MediumProblem {
        directory: target.directory.clone(),
        medium: Some(target.medium),
        kind: MediumProblemKind::Diverged,
    })
}

/// Where the longest copy of the last segment ends.
fn end_of(sources: &[Arc<Replica>]) -> Result<FrameAddress, StoreError> {
    let mut end = FrameAddress::new(0, 0);
    for source in sources {
        let Some((segment, _)) = source.segments()?.pop() else {
            continue;
        };
        if let Some(file) = source.open(segment)? {
            let path = source.path(segment);
            let failed = |error| source.error("reading", &path, error);
            let length = Copy::new(file).map_err(failed)?.length();
            end = end.max(FrameAddress::new(segment, length));
        }
    }
    Ok(end)
}

/// The commit marks of one segment on the medium, from the last one on backwards.
struct OwnMarks<'a> {
    replica: &'a Replica,
    segment: u32,
    copy: Option<Copy>,
    /// The last one, where a seal tells its place.
    sealed: Option<(u64, Vec<u8>)>,
    end: u64,
}

impl<'a> OwnMarks<'a> {
    fn of(replica: &'a Replica, segment: u32) -> Result<Self, StoreError> {
        let path = replica.path(segment);
        let failed = |error| replica.error("reading", &path, error);
        let (mut copy, mut sealed) = (None, None);
        if let Some(file) = replica.open(segment)? {
            let file = Arc::new(SegmentFile::new(file).map_err(failed)?);
            let mut raw = Copy::raw(Arc::clone(&file)).map_err(failed)?;
            sealed = mark_before_index(&mut raw, segment).map_err(failed)?;
            copy = Some(Copy::of(file).map_err(failed)?);
        }
        Ok(Self {
            replica,
            segment,
            copy,
            sealed,
            end: u64::MAX,
        })
    }

    /// The next one that commits anything.
    fn previous(&mut self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let segment = self.segment;
        while let Some((offset, mark)) = self.previous_mark()? {
            self.end = offset;
            let path = self.replica.path(segment);
            let failed = |error| self.replica.error("reading", &path, error);
            let says_nothing = match &mut self.copy {
                Some(copy) => copy.commits_nothing(segment, offset).map_err(failed)?,
                None => false,
            };
            if !says_nothing {
                return Ok(Some((offset, mark)));
            }
        }
        Ok(None)
    }

    fn previous_mark(&mut self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        if let Some(sealed) = self.sealed.take() {
            return Ok(Some(sealed));
        }
        let Some(copy) = &mut self.copy else {
            return Ok(None);
        };
        let path = self.replica.path(self.segment);
        let failed = |error| self.replica.error("reading", &path, error);
        let Some(offset) = copy.mark_before(self.segment, self.end).map_err(failed)? else {
            return Ok(None);
        };
        let mark = copy.bytes(offset, CommitMark::FRAME_BYTES);
        Ok(Some((offset, mark.map_err(failed)?.to_vec())))
    }

    /// What the sources have of a commit: the best that one of them says.
    fn find(
        &mut self,
        sources: &[Arc<Replica>],
        offset: u64,
        mark: &[u8],
    ) -> Result<Committed, StoreError> {
        let (mut found, mut failure) = (None, None);
        let Some(own) = &mut self.copy else {
            return Ok(Committed::Unknown);
        };
        let segment = self.segment;
        for source in sources {
            let path = source.path(segment);
            let Some(file) = source.open(segment)? else {
                continue;
            };
            let looked = match Copy::new(file) {
                Ok(mut copy) => copy.committed(own, mark, segment, offset),
                Err(error) => Err(Unread { copy: 0, error }),
            };
            match looked {
                Ok(Committed::Same) => return Ok(Committed::Same),
                Ok(Committed::Another) => found = Some(Committed::Another),
                Ok(Committed::Unknown) => found = found.or(Some(Committed::Unknown)),
                Err(Unread { copy: 0, error }) => {
                    failure = Some(source.error("reading", &path, error));
                }
                Err(Unread { error, .. }) => {
                    let path = self.replica.path(segment);
                    return Err(self.replica.error("reading", &path, error));
                }
            }
        }
        match (found, failure) {
            (Some(found), _) => Ok(found),
            (None, Some(failure)) => Err(failure),
            // The file is lost.
            (None, None) => Ok(Committed::Unknown),
        }
    }
}

/// A segment is sealed behind a commit mark: that stands before its index, in a compacted one, too.
fn mark_before_index(raw: &mut Copy, segment: u32) -> std::io::Result<Option<(u64, Vec<u8>)>> {
    let bytes = CommitMark::FRAME_BYTES;
    let place = raw
        .seal()?
        .and_then(|seal| seal.index_offset.checked_sub(bytes as u64));
    let Some(place) = place else {
        return Ok(None);
    };
    let mark = raw.bytes(place, bytes)?;
    Ok(match Frame::parse(mark) {
        Ok(Frame::CommitMark(found)) if found.address.segment == segment => {
            Some((found.address.offset, mark.to_vec()))
        }
        _ => None,
    })
}

/// Whether the segments before `last` that are sealed on both sides, and were compacted as often, are the same.
fn are_sealed_alike(
    sources: &[Arc<Replica>],
    target: &Replica,
    last: u32,
) -> Result<bool, StoreError> {
    for (segment, _) in target.segments()? {
        if segment >= last {
            break;
        }
        let Some(own) = origin(target, segment)? else {
            continue;
        };
        for source in sources {
            // One that cannot be read says nothing.
            let Ok(Some(theirs)) = origin(source, segment) else {
                continue;
            };
            if theirs.generation == own.generation && theirs != own {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// What a segment was when it was sealed.
#[derive(PartialEq, Eq)]
struct Origin {
    /// How often it was compacted since.
    generation: u32,
    length: u64,
    digest: [u8; 32],
}

/// Copies that were compacted apart from each other may have dropped other frames: their maps say what they were.
fn origin(replica: &Replica, segment: u32) -> Result<Option<Origin>, StoreError> {
    let Some((generation, seal)) = sealed(replica, segment)? else {
        return Ok(None);
    };
    let mut origin = Origin {
        generation,
        length: seal.length + SegmentSeal::FRAME_BYTES as u64,
        digest: seal.digest,
    };
    if generation > 0 {
        let path = replica.path(segment);
        let failed = |error| replica.error("reading", &path, error);
        let file = replica.open(segment)?;
        let copy = file.map(Copy::new).transpose().map_err(failed)?;
        let Some(map) = copy.and_then(|copy| copy.map()) else {
            return Ok(None);
        };
        (origin.length, origin.digest) = (map.original_length, map.original_digest);
    }
    Ok(Some(origin))
}

/// The seal of a copy, and how often it was compacted.
pub(super) fn sealed(
    replica: &Replica,
    segment: u32,
) -> Result<Option<(u32, SegmentSeal)>, StoreError> {
    let Some(file) = replica.open(segment)? else {
        return Ok(None);
    };
    let path = replica.path(segment);
    let read = Copy::new(file).and_then(|mut copy| {
        // Without its map nobody knows what the seal of a compacted one is over.
        let seal = if copy.is_map_lost() {
            None
        } else {
            copy.seal()?
        };
        Ok(seal.map(|seal| (copy.generation(), seal)))
    });
    read.map_err(|error| replica.error("reading", &path, error))
}

/// Whether two seals say the same.
pub(super) fn same(one: &SegmentSeal, other: &SegmentSeal) -> bool {
    (one.digest, one.length, one.index_offset) == (other.digest, other.length, other.index_offset)
}
