//! The folder in which uploads wait: found again by the next service, and swept.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::error::UploadError;
use super::facts::{UploadFacts, UploadId, UploadReceipt};
use super::file::{Head, path_of};
use super::sealing::DONE;
use super::uploads::{Phase, Upload, Uploads};
use crate::store::durable::replace_file;

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    facts: UploadFacts,
    receipt: UploadReceipt,
    /// When it was deposited, in seconds since 1970.
    at: i64,
}

/// The uploads that an earlier service left: an answer takes the place of its bytes. What cannot be opened is none.
pub(super) fn scan(uploads: &Uploads) -> Result<BTreeMap<UploadId, Arc<Upload>>, UploadError> {
    let mut found = BTreeMap::new();
    for (id, ending) in names(&uploads.folder)? {
        let path = path_of(&uploads.folder, id, &ending);
        if ending == DONE_ENDING {
            let Some((answer, at)) = read_answer(uploads, id, &path)? else {
                continue;
            };
            remove(uploads, id, &[PART_ENDING])?;
            let phase = Phase::Done(answer.receipt);
            found.insert(id, Arc::new(Upload::new(id, answer.facts, phase, at)));
        } else if ending == PART_ENDING && !found.contains_key(&id) {
            match Head::read(&path, &uploads.head_key, id) {
                Ok(head) => {
                    let (facts, at) = (head.facts.clone(), head.mark.at);
                    let upload = Upload::new(id, facts, Phase::waiting(head), at);
                    found.insert(id, Arc::new(upload));
                }
                Err(UploadError::Damaged) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

/// Keeps the answer in place of the bytes.
pub(super) fn keep_answer(
    uploads: &Uploads,
    upload: &Upload,
    receipt: &UploadReceipt,
    now: OffsetDateTime,
) -> Result<(), UploadError> {
    let answer = Answer {
        facts: upload.facts.clone(),
        receipt: receipt.clone(),
        at: now.unix_timestamp(),
    };
    let plain = serde_json::to_vec(&answer).map_err(io::Error::from)?;
    let entropy = uploads.environment.entropy.as_ref();
    let sealed = uploads.head_key.seal(entropy, upload.id, DONE, &plain)?;
    let path = path_of(&uploads.folder, upload.id, DONE_ENDING);
    replace_file(uploads.environment.disk.as_ref(), &path, &sealed)?;
    remove(uploads, upload.id, &[PART_ENDING])
}

/// Removes files of an upload, durably; those that are not there are no error.
pub(super) fn remove(uploads: &Uploads, id: UploadId, endings: &[&str]) -> Result<(), UploadError> {
    let disk = uploads.environment.disk.as_ref();
    let mut is_changed = false;
    for ending in endings {
        match disk.remove(&path_of(&uploads.folder, id, ending)) {
            Ok(()) => is_changed = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    if is_changed {
        disk.sync_directory(&uploads.folder)?;
    }
    Ok(())
}

/// Removes files of uploads that nobody can open, and what was never finished, once they are older than that.
pub(super) fn sweep(uploads: &Uploads, before: OffsetDateTime) -> Result<(), UploadError> {
    for (id, ending) in names(&uploads.folder)? {
        let path = path_of(&uploads.folder, id, &ending);
        let is_known = match ending.as_str() {
            DONE_ENDING => read_answer(uploads, id, &path)?.is_some(),
            PART_ENDING => !matches!(
                Head::read(&path, &uploads.head_key, id),
                Err(UploadError::Damaged)
            ),
            _ => false,
        };
        let modified = fs::metadata(&path).and_then(|facts| facts.modified());
        let is_old = modified.is_ok_and(|at| OffsetDateTime::from(at) < before);
        if !is_known && is_old {
            remove(uploads, id, &[&ending])?;
        }
    }
    Ok(())
}

fn read_answer(
    uploads: &Uploads,
    id: UploadId,
    path: &Path,
) -> Result<Option<(Answer, OffsetDateTime)>, UploadError> {
    let sealed = match fs::read(path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let opened = uploads.head_key.open(id, DONE, &sealed);
    let answer = opened.and_then(|plain| serde_json::from_slice::<Answer>(&plain).ok());
    Ok(answer.and_then(|answer| {
        let at = OffsetDateTime::from_unix_timestamp(answer.at).ok()?;
        Some((answer, at))
    }))
}

/// The files whose names are an id and an ending, by id; answers come before bytes.
fn names(folder: &Path) -> Result<Vec<(UploadId, String)>, UploadError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let parts = name.to_str().and_then(|name| name.split_once('.'));
        let Some((id, ending)) = parts else {
            continue;
        };
        let Ok(id) = id.parse() else {
            continue;
        };
        names.push((id, ending.to_owned()));
    }
    names.sort();
    Ok(names)
}

/// What waits.
pub(super) const PART_ENDING: &str = "upload";

/// The answer. It sorts before the other.
pub(super) const DONE_ENDING: &str = "done";
