//! Putting new files in the place of old ones, one replica after the other.

use std::path::PathBuf;
use std::sync::Arc;

use formats::id::ArchiveId;

use super::new_file::{NewFile, UNFINISHED, write_compacted, write_copy};
use super::survey::Dropped;
use super::{Compacted, CompactionStep, SegmentResult};
use crate::store::fixity::{self, FixityProblemKind};
use crate::store::reader::Reader;
use crate::store::replica::Replica;
use crate::store::{ReplicaFixity, StoreError};

/// Writes a segment anew on every replica. `before` hears what will be dropped; nothing is changed if it fails.
pub(super) fn compact_segment<E: From<StoreError>>(
    reader: &Reader,
    archive: ArchiveId,
    segment: u32,
    dropped: &Dropped,
    progress: &mut dyn FnMut(&CompactionStep),
    before: &mut dyn FnMut(&SegmentResult) -> Result<(), E>,
) -> Result<Compacted, E> {
    let bytes_after = dropped.bytes_after(segment);
    let drops = !dropped.frames.is_empty() && bytes_after < dropped.bytes;
    if !drops && dropped.behind.is_empty() {
        return Ok(Compacted::Nothing);
    }
    progress(&CompactionStep::Checking { segment });
    let fixity = fixity::verify_segment(reader, archive, segment, false);
    if let Some(unhealthy) = fixity.replicas.iter().find_map(unhealthy) {
        return Ok(unhealthy);
    }
    let newest = fixity.replicas.iter().map(|copy| copy.generation).max();
    let generation = newest.unwrap_or(0);
    if generation != dropped.generation {
        return Ok(Compacted::Nothing);
    }
    let current = |copy: &ReplicaFixity| copy.generation == generation;
    let Some(first) = fixity.replicas.iter().position(current) else {
        return Ok(Compacted::Nothing);
    };
    let behind: Vec<bool> = fixity.replicas.iter().map(|copy| !current(copy)).collect();
    let mut replaced = |directory: PathBuf| {
        reader.forget(segment);
        progress(&CompactionStep::Replaced { segment, directory });
    };
    for (replica, is_behind) in reader.replicas.iter().zip(behind) {
        if is_behind {
            copy_of(reader, archive, segment, first, replica)?.put_in_place()?;
            replaced(replica.directory.clone());
        }
    }
    if !drops {
        return Ok(Compacted::BroughtUp);
    }
    let result = SegmentResult {
        generation: generation + 1,
        bytes_before: dropped.bytes,
        bytes_after,
        versions: dropped.versions.clone(),
        chunks: dropped.destroyed_chunks + dropped.orphan_chunks,
        pages: dropped.pages,
    };
    before(&result)?;
    write_everywhere(reader, archive, segment, first, dropped, &mut replaced)?;
    Ok(Compacted::Done(result))
}

/// Puts the new file in place on the replica `first`, and then copies of it on the others.
fn write_everywhere(
    reader: &Reader,
    archive: ArchiveId,
    segment: u32,
    first: usize,
    dropped: &Dropped,
    replaced: &mut dyn FnMut(PathBuf),
) -> Result<(), StoreError> {
    let mut sources = reader.copies(segment);
    let missing = || StoreError::SegmentDamaged { segment };
    let source = sources.get_mut(first).and_then(Option::as_mut);
    let source = source.ok_or_else(missing)?;
    let replica = reader.replicas.get(first).ok_or_else(missing)?;
    let new = write_compacted(replica, archive, segment, source, dropped)?;
    let digest = new.seal.digest;
    drop(sources);
    new.put_in_place()?;
    replaced(replica.directory.clone());
    for (number, other) in reader.replicas.iter().enumerate() {
        if number != first {
            let new = copy_of(reader, archive, segment, first, other)?;
            if new.seal.digest != digest {
                return Err(missing());
            }
            new.put_in_place()?;
            replaced(other.directory.clone());
        }
    }
    Ok(())
}

/// A copy, beside the old file of `to`, of what replica number `from` has.
fn copy_of<'a>(
    reader: &Reader,
    archive: ArchiveId,
    segment: u32,
    from: usize,
    to: &'a Arc<Replica>,
) -> Result<NewFile<'a>, StoreError> {
    let mut sources = reader.raw_copies(segment);
    let source = sources.get_mut(from).and_then(Option::as_mut);
    let source = source.ok_or(StoreError::SegmentDamaged { segment })?;
    write_copy(to, archive, segment, source)
}

fn unhealthy(copy: &ReplicaFixity) -> Option<Compacted> {
    let problem = match copy.problems.first() {
        Some(problem) => problem.kind,
        None if !copy.sealed => FixityProblemKind::NotSealed,
        None => return None,
    };
    Some(Compacted::Unhealthy {
        directory: copy.directory.clone(),
        problem,
    })
}

/// Removes the files that a compaction did not finish.
pub(in crate::store) fn remove_leftovers(replica: &Replica) -> Result<(), StoreError> {
    let directory = replica.segments_directory();
    let failed = |error| replica.error("reading the directory", &directory, error);
    for entry in std::fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
            let path = entry.path();
            let removed = replica.disk().remove(&path);
            removed.map_err(|error| replica.error("removing", &path, error))?;
        }
    }
    Ok(())
}
