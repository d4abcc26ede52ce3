//! The file of one upload that waits: made whole, then grown frame by frame, with a mark up to where it was synchronised.

use std::fs::File;
use std::io::{self, IoSlice, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use firmware::entropy::Entropy;
use time::OffsetDateTime;

use super::error::UploadError;
use super::facts::{UploadFacts, UploadId};
use super::sealing::{ContentKey, HeadKey, MARK_BYTES, Mark, SEAL_BYTES};
use crate::store::durable::{Disk, replace_file};

/// What stands before the frames.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) facts: UploadFacts,
    pub(super) key: ContentKey,
    pub(super) mark: Mark,
    /// In which slot the mark stands.
    slot: u8,
    /// Where the frames begin.
    begin: u64,
}

/// A file that is open for the next frame.
#[derive(Debug)]
pub(super) struct PartFile {
    disk: Arc<dyn Disk>,
    file: File,
    key: ContentKey,
    /// Bytes of content that were written.
    offset: u64,
    /// Bytes of the file that are whole.
    end: u64,
    /// Up to where both are known to be on the medium.
    mark: Mark,
    slot: u8,
}

/// A file's place, and by whom it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) disk: &'a Arc<dyn Disk>,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) path: &'a Path,
}

impl Head {
    /// Makes the file of a new upload, durably.
    pub(super) fn create(
        place: Place<'_>,
        head_key: &HeadKey,
        (id, facts): (UploadId, UploadFacts),
        now: OffsetDateTime,
    ) -> Result<Self, UploadError> {
        let (sealed, key) = head_key.seal_head(place.entropy, id, &facts)?;
        let length = u32::try_from(sealed.len()).map_err(|_| UploadError::Damaged)?;
        let mark = Mark {
            offset: 0,
            end: FRONT_BYTES as u64 + u64::from(length),
            at: now,
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend(key.seal_mark(place.entropy, 0, mark)?);
        bytes.resize(MAGIC.len() + 2 * SLOT_BYTES, 0);
        bytes.extend(length.to_be_bytes());
        bytes.extend(sealed);
        replace_file(place.disk.as_ref(), place.path, &bytes)?;
        Ok(Self {
            facts,
            key,
            begin: mark.end,
            mark,
            slot: 0,
        })
    }

    /// Reads it. [`UploadError::Damaged`]: it was changed, or is another archive's.
    pub(super) fn read(path: &Path, head_key: &HeadKey, id: UploadId) -> Result<Self, UploadError> {
        let mut file = File::open(path)?;
        let mut front = [0; FRONT_BYTES];
        file.read_exact(&mut front).map_err(ended)?;
        let (magic, rest) = front.split_at(MAGIC.len());
        let (slots, length) = rest.split_at(2 * SLOT_BYTES);
        let length: [u8; 4] = length.try_into().map_err(|_| UploadError::Damaged)?;
        let length = u32::from_be_bytes(length);
        if magic != MAGIC || length > HEAD_BYTES_MAX {
            return Err(UploadError::Damaged);
        }
        let mut sealed = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        file.read_exact(&mut sealed).map_err(ended)?;
        let opened = head_key.open_head(id, &sealed);
        let (facts, key) = opened.ok_or(UploadError::Damaged)?;
        let marks = (0..2_u8).zip(slots.chunks_exact(SLOT_BYTES));
        let marks = marks.filter_map(|(slot, bytes)| {
            let mark = key.open_mark(slot, bytes.get(..MARK_BYTES)?)?;
            Some((mark, slot))
        });
        let newest = marks.max_by_key(|(mark, _)| (mark.end, mark.at));
        let (mark, slot) = newest.ok_or(UploadError::Damaged)?;
        Ok(Self {
            facts,
            key,
            mark,
            slot,
            begin: FRONT_BYTES as u64 + u64::from(length),
        })
    }

    /// Where the frames begin.
    pub(super) const fn frames_begin(&self) -> u64 {
        self.begin
    }

    /// What an open file knows newer.
    pub(super) fn keep(&mut self, file: &PartFile) {
        (self.mark, self.slot) = (file.mark, file.slot);
    }
}

impl PartFile {
    /// Opens the file for its next frame. What stands behind the mark was never acknowledged: whole frames stay, unless `drops_tail`, and the rest is
    /// cut off.
    pub(super) fn open(
        disk: &Arc<dyn Disk>,
        path: &Path,
        head: &Head,
        drops_tail: bool,
    ) -> Result<Self, UploadError> {
        let file = disk.open(path)?;
        let mut part = Self {
            disk: Arc::clone(disk),
            file,
            key: head.key.clone(),
            offset: head.mark.offset,
            end: head.mark.end,
            mark: head.mark,
            slot: head.slot,
        };
        let length = part.file.metadata()?.len();
        if length < head.mark.end {
            return Err(UploadError::Damaged);
        }
        while !drops_tail && part.offset < head.facts.length {
            let Some((plain, stored)) = part.whole_frame(head.facts.length)? else {
                break;
            };
            part.offset += plain;
            part.end += stored;
        }
        if length > part.end {
            disk.truncate(&part.file, part.end)?;
        }
        Ok(part)
    }

    /// Bytes of content that are acknowledged.
    pub(super) const fn mark(&self) -> Mark {
        self.mark
    }

    /// Bytes of content that were written.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes the next bytes of the content.
    pub(super) fn append(
        &mut self,
        entropy: &dyn Entropy,
        plain: &[u8],
    ) -> Result<(), UploadError> {
        let frame = self.key.seal_frame(entropy, self.offset, plain)?;
        let slices = &mut [IoSlice::new(&frame)];
        self.disk.write_at(&self.file, slices, self.end)?;
        self.offset += plain.len() as u64;
        self.end += frame.len() as u64;
        Ok(())
    }

    /// Makes durable what was written. The mark itself goes to the medium with the next bytes: it says the least that is there.
    pub(super) fn acknowledge(
        &mut self,
        entropy: &dyn Entropy,
        now: OffsetDateTime,
    ) -> Result<(), UploadError> {
        if self.end == self.mark.end {
            return Ok(());
        }
        self.disk.sync(&self.file)?;
        let mark = Mark {
            offset: self.offset,
            end: self.end,
            at: now,
        };
        let slot = 1 - self.slot;
        let sealed = self.key.seal_mark(entropy, slot, mark)?;
        let at = MAGIC.len() as u64 + u64::from(slot) * SLOT_BYTES as u64;
        self.disk
            .write_at(&self.file, &mut [IoSlice::new(&sealed)], at)?;
        (self.mark, self.slot) = (mark, slot);
        Ok(())
    }

    /// Drops what a write that failed left behind the last whole frame.
    pub(super) fn drop_torn(&self) -> Result<(), UploadError> {
        Ok(self.disk.truncate(&self.file, self.end)?)
    }

    /// The frame at the end, if all of it is what was written: its bytes of content, and of the file.
    fn whole_frame(&self, content_bytes: u64) -> Result<Option<(u64, u64)>, UploadError> {
        let Some((length, sealed)) = read_frame(&self.file, self.end)? else {
            return Ok(None);
        };
        let plain = u64::from(length);
        let is_whole = self.offset + plain <= content_bytes
            && self.key.open_frame(self.offset, length, &sealed).is_some();
        Ok(is_whole.then_some((plain, 4 + sealed.len() as u64)))
    }
}

/// The frame at a place of a file: its bytes of content, and itself; `None` where no whole one can stand.
pub(super) fn read_frame(file: &File, at: u64) -> io::Result<Option<(u32, Vec<u8>)>> {
    let mut length = [0; 4];
    if !filled(file.read_exact_at(&mut length, at))? {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length);
    let plain = usize::try_from(length).unwrap_or(usize::MAX);
    if plain == 0 || plain > FRAME_BYTES_MAX {
        return Ok(None);
    }
    let mut sealed = vec![0; plain + SEAL_BYTES];
    let is_there = filled(file.read_exact_at(&mut sealed, at + 4))?;
    Ok(is_there.then_some((length, sealed)))
}

fn filled(read: io::Result<()>) -> io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file that ends too early is damaged; one that cannot be read is something else.
fn ended(error: io::Error) -> UploadError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return UploadError::Damaged;
    }
    UploadError::Storage(error)
}

/// The path of an upload's file in a folder.
pub(super) fn path_of(folder: &Path, id: UploadId, ending: &str) -> PathBuf {
    folder.join(format!("{id}.{ending}"))
}

const MAGIC: &[u8] = b"FUMIUPL1";

/// A sealed mark, in the space of a slot: a torn write of one leaves the other.
const SLOT_BYTES: usize = 64;

/// What stands before the sealed head.
const FRONT_BYTES: usize = 8 + 2 * SLOT_BYTES + 4;

/// Metadata is bounded far below.
const HEAD_BYTES_MAX: u32 = 1024 * 1024;

/// Bytes of content in a frame: what a reader holds in memory.
pub(super) const FRAME_BYTES_MAX: usize = 1024 * 1024;
