//! Whose lost bytes are.

use formats::segment::{Frame, FrameAddress};

use crate::archive::{Archive, ArchiveError};
use crate::store::scrub::LossFact;

/// Names the records whose frames stand in the lost places, with the names of their contents: by where their chunks are, which their record
/// versions say, or the index where these are lost, too.
///
/// # Errors
/// Errors of the index.
pub fn name(archive: &Archive, losses: &mut [LossFact]) -> Result<(), ArchiveError> {
    let store = archive.store();
    archive.catalog().for_each(&mut |hit| {
        let frame = match store.read(hit.address) {
            Ok(Frame::RecordVersion(frame)) => Some(frame),
            Ok(_) | Err(_) => None,
        };
        let chunks = frame.iter().flat_map(|frame| &frame.contents);
        let mut places: Vec<FrameAddress> =
            chunks.flat_map(|content| content.chunks.clone()).collect();
        places.push(hit.address);
        for loss in losses.iter_mut() {
            let is_lost = |place: &FrameAddress| {
                place.segment == loss.segment && (loss.offset..loss.end).contains(&place.offset)
            };
            let id = hit.version.to_string();
            let is_named = loss.records.contains(&id);
            if !is_named && !places.iter().any(is_lost) {
                continue;
            }
            let mut names: Vec<String> = hit
                .objects
                .iter()
                .take(NAMES_MAX)
                .map(|object| object.name.to_string())
                .collect();
            if hit.objects.len() > NAMES_MAX {
                names.push("…".to_owned());
            }
            let named = format!("{id} ({})", names.join(", "));
            loss.records.retain(|known| *known != id && *known != named);
            if loss.records.len() < RECORDS_MAX {
                loss.records.push(named);
            }
        }
        true
    })?;
    Ok(())
}

/// Takes the names of contents away again: what is kept in a file of the machine has ids alone.
pub fn unname(losses: &mut [LossFact]) {
    for record in losses.iter_mut().flat_map(|loss| &mut loss.records) {
        if let Some((id, _)) = record.split_once(' ') {
            *record = id.to_owned();
        }
    }
}

/// Most contents of a record that are named; the id says the rest.
const NAMES_MAX: usize = 3;

/// Most records that are named for one place.
const RECORDS_MAX: usize = 4096;
