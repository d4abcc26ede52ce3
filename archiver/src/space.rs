//! Freeing the room of destroyed records, with events that say what was dropped and what was gained.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use formats::id::VersionId;
use serde::{Deserialize, Serialize};

use crate::archive::{Archive, ArchiveError};
use crate::event::{EventBody, Topic};
use crate::keys::KeyLedger;
use crate::store::compaction::{
    Compacted, CompactionPlan, CompactionStep, KeyFacts, SegmentResult,
};
use crate::store::{FixityProblemKind, SEGMENTS_DIRECTORY};

/// What is dropped from a segment. It is recorded before the segment is changed, so that what is gone is always named; a run that was
/// interrupted records it again, under the same generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentsDropped {
    /// Number of the segment.
    pub segment: u32,
    /// How often it was compacted, with this time.
    pub generation: u32,
    /// Bytes of its file before, on each medium.
    pub bytes_before: u64,
    /// Bytes of its file after.
    pub bytes_after: u64,
    /// Content chunks, those that belong to no version among them.
    pub chunks: u64,
    /// Pages of batches that were not completed.
    pub pages: u64,
    /// The destroyed versions whose contents are dropped. Where they are many, further events of the same segment go on.
    pub versions: Vec<String>,
}

/// What a compaction gained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceFreed {
    /// Segments that were written anew.
    pub segments: u64,
    /// Versions whose contents were dropped, those that stood in two segments counted twice.
    pub versions: u64,
    /// Bytes of the segments, on each medium, before less after.
    pub bytes: u64,
    /// Each medium before and after.
    pub media: Vec<MediumSpace>,
}

/// The room on a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumSpace {
    /// The medium's directory.
    pub directory: PathBuf,
    /// What the segments take in the file system, in bytes, before.
    pub stored_before: u64,
    /// And after.
    pub stored_after: u64,
    /// Free bytes of the file system before.
    pub free_before: u64,
    /// And after. Others may write to it meanwhile.
    pub free_after: u64,
}

impl EventBody for ContentsDropped {
    const KIND: &'static str = "contents-dropped";
    const TOPIC: Topic = Topic::Records;
}

impl EventBody for SpaceFreed {
    const KIND: &'static str = "space-freed";
    const TOPIC: Topic = Topic::Records;
}

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpaceReport {
    /// What was gained.
    pub freed: SpaceFreed,
    /// Segments whose copies that were behind are not any more.
    pub brought_up: Vec<u32>,
    /// Segments that were not touched because a copy is damaged: the medium, and what is wrong there.
    pub unhealthy: Vec<(u32, PathBuf, FixityProblemKind)>,
}

impl KeyFacts for KeyLedger {
    /// Both are asked: whether the destruction is on record, and whether the ledger does not hold the key.
    fn is_destroyed(&self, version: VersionId) -> bool {
        self.destroyed_at(version).is_some() && !self.holds(version)
    }

    fn is_held(&self, version: VersionId) -> bool {
        self.holds(version)
    }
}

/// Finds what can be freed. Nothing is changed.
///
/// # Errors
/// [`ArchiveError`] when the segments cannot be read.
pub fn plan(
    archive: &Archive,
    progress: &mut dyn FnMut(u32),
) -> Result<CompactionPlan, ArchiveError> {
    let ledger = archive.keys().ledger();
    Ok(archive.store().plan_compaction(ledger, progress)?)
}

/// Frees what a plan found due at a threshold, in percent. It may be interrupted at any point and started again.
///
/// # Errors
/// [`ArchiveError`] when the archive was opened for reading, or a medium is full or failed.
pub fn compact(
    archive: &Archive,
    by: &str,
    plan: &CompactionPlan,
    threshold_percent: u8,
    progress: &mut dyn FnMut(&CompactionStep),
) -> Result<SpaceReport, ArchiveError> {
    let due = plan.segments.iter();
    let due = due.filter(|segment| segment.is_due(threshold_percent));
    let due: Vec<u32> = due.map(|segment| segment.segment).collect();
    let mut report = SpaceReport::default();
    if due.is_empty() {
        return Ok(report);
    }
    let before = room(archive)?;
    let ledger = archive.keys().ledger();
    archive.store().compact::<ArchiveError>(
        &due,
        ledger,
        progress,
        &mut |segment, result| record_dropped(archive, by, segment, result),
        &mut |segment, compacted| {
            match compacted {
                Compacted::Done(result) => {
                    report.freed.segments += 1;
                    report.freed.versions += result.versions.len() as u64;
                    report.freed.bytes += result.bytes_before.saturating_sub(result.bytes_after);
                }
                Compacted::BroughtUp => report.brought_up.push(segment),
                Compacted::Nothing => {}
                Compacted::Unhealthy { directory, problem } => {
                    report
                        .unhealthy
                        .push((segment, directory.clone(), *problem));
                }
            }
            Ok(())
        },
    )?;
    let after = room(archive)?;
    let both = before.into_iter().zip(after);
    report.freed.media = both
        .map(
            |((directory, stored_before, free_before), (_, stored_after, free_after))| {
                MediumSpace {
                    directory,
                    stored_before,
                    stored_after,
                    free_before,
                    free_after,
                }
            },
        )
        .collect();
    if report.freed.segments > 0 {
        archive.record_event(by, &report.freed)?;
    }
    Ok(report)
}

fn record_dropped(
    archive: &Archive,
    by: &str,
    segment: u32,
    result: &SegmentResult,
) -> Result<(), ArchiveError> {
    let mut groups: Vec<&[VersionId]> = result.versions.chunks(VERSIONS_MAX).collect();
    if groups.is_empty() {
        groups.push(&[]);
    }
    for versions in groups {
        let dropped = ContentsDropped {
            segment,
            generation: result.generation,
            bytes_before: result.bytes_before,
            bytes_after: result.bytes_after,
            chunks: result.chunks,
            pages: result.pages,
            versions: versions.iter().map(ToString::to_string).collect(),
        };
        archive.record_event(by, &dropped)?;
    }
    Ok(())
}

/// For each medium: bytes that the segments take in the file system, and free bytes there.
fn room(archive: &Archive) -> Result<Vec<(PathBuf, u64, u64)>, ArchiveError> {
    let directories = archive.store().directories();
    let rooms = directories.into_iter().map(|directory| {
        let free = firmware::media::space(&directory)?.free_bytes;
        let stored = stored_bytes(&directory.join(SEGMENTS_DIRECTORY));
        Ok((directory, stored, free))
    });
    rooms.collect()
}

/// What `du` says. A file that vanishes meanwhile counts nothing.
fn stored_bytes(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| entry.metadata().ok());
    sizes.map(|metadata| metadata.blocks() * BLOCK_BYTES).sum()
}

/// Most versions in one event.
const VERSIONS_MAX: usize = 4096;

/// The unit of `st_blocks`.
const BLOCK_BYTES: u64 = 512;
