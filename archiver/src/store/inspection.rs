//! What somebody who opens the archive for writing would find of its data media. Nothing is written, and nothing is waited for.

use std::path::PathBuf;
use std::sync::Arc;

use formats::id::{ArchiveId, MediumId};
use time::OffsetDateTime;

use super::durable::Disk;
use super::presence::{Present, Survey};
use super::replica::Replica;
use super::{CopyPolicy, MediumProblem, MediumProblemKind, StoreError};

/// What was found in the configured folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaFound {
    /// Data media that each commit reaches, and their folders.
    pub in_service: Vec<(MediumId, PathBuf)>,
    /// The folders of which no commit reaches the medium, and why.
    pub problems: Vec<MediumProblem>,
}

/// Looks which data media a writer could use.
#[must_use]
pub fn inspect_media(
    directories: &[PathBuf],
    archive: ArchiveId,
    copies: &CopyPolicy,
    disk: &Arc<dyn Disk>,
    now: OffsetDateTime,
) -> MediaFound {
    let survey = Survey::of(directories, archive, copies.note.as_deref(), now);
    let ends: Vec<_> = survey
        .in_service
        .iter()
        .map(|present| last_segment(present, disk))
        .collect();
    let lasts = ends.iter().flatten().copied();
    let newest = lasts.max().unwrap_or(0);
    let mut found = MediaFound {
        in_service: Vec::new(),
        problems: survey.problems,
    };
    for (present, end) in survey.in_service.into_iter().zip(ends) {
        let kind = match end {
            Err(error) => Some(MediumProblemKind::Failed {
                cause: error.to_string(),
            }),
            // As opening has it: no crash leaves a medium so far behind.
            Ok(last) if last + 1 < newest => Some(MediumProblemKind::Behind { last, newest }),
            Ok(last) => can_only_be_read(&present, last, disk),
        };
        match kind {
            None => found.in_service.push((present.medium, present.directory)),
            Some(kind) => found.problems.push(MediumProblem {
                directory: present.directory,
                medium: Some(present.medium),
                kind,
            }),
        }
    }
    found
}

fn last_segment(present: &Present, disk: &Arc<dyn Disk>) -> Result<u32, StoreError> {
    let segments = Replica::of(present, disk).segments()?;
    Ok(segments.last().map_or(0, |(segment, _)| *segment))
}

/// Opened for writing, as a writer does, and closed again.
fn can_only_be_read(
    present: &Present,
    last: u32,
    disk: &Arc<dyn Disk>,
) -> Option<MediumProblemKind> {
    let file = disk.open(&Replica::of(present, disk).path(last));
    let error = file.err()?.kind();
    (error == std::io::ErrorKind::ReadOnlyFilesystem).then_some(MediumProblemKind::ReadOnly)
}
