//! A new file in place of a segment, or of its parity: all of it, or what stood there before.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::segment::{Frame, SegmentSeal};
use sha2::{Digest, Sha256};

use crate::store::StoreError;
use crate::store::durable;
use crate::store::replica::Replica;
use crate::store::segment_file::SegmentFile;
use crate::store::walk::{Copy, Gate};

/// A file that is being written beside the one that stands there, under a name that no reader looks at.
#[derive(Debug)]
pub(in crate::store) struct Replacement<'a> {
    replica: &'a Replica,
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    offset: u64,
    digest: Sha256,
}

impl<'a> Replacement<'a> {
    /// Begins a file. One that an interrupted run left is thrown away.
    pub(in crate::store) fn begin(replica: &'a Replica, path: PathBuf) -> Result<Self, StoreError> {
        let mut temporary = path.clone().into_os_string();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        let disk = replica.disk();
        let failed = |error| replica.error("making", &temporary, error);
        match disk.remove(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(error));
            }
            _ => {}
        }
        let file = disk.create(&temporary).map_err(failed)?;
        Ok(Self {
            replica,
            path,
            temporary,
            file,
            offset: 0,
            digest: Sha256::new(),
        })
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.update(bytes);
        self.write_at(bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Writes bytes anywhere; the digest over the whole is then the caller's affair.
    pub(in crate::store) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StoreError> {
        let disk = self.replica.disk();
        disk.write_at(&self.file, &mut [IoSlice::new(bytes)], offset)
            .map_err(|error| self.replica.error("writing", &self.temporary, error))
    }

    /// The replica.
    pub(in crate::store) const fn replica(&self) -> &Replica {
        self.replica
    }

    /// The file that it is to take the place of.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes appended.
    pub(super) const fn length(&self) -> u64 {
        self.offset
    }

    /// The digest over what was appended.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// Synchronises the file, reads it back from the medium, and if it is what was to be written puts it in place.
    ///
    /// # Errors
    /// [`StoreError::NotWhole`] when something else is read back; errors of the medium. The old file then still stands, unless the
    /// last step (the directory's `fsync`) failed: then either may.
    pub(in crate::store) fn finish(self, expected: [u8; 32]) -> Result<u64, StoreError> {
        self.finish_checked(|mut copy| Ok(digest_of(&mut copy)? == expected))
    }

    /// The same, where `check` looks at what is read back.
    ///
    /// # Errors
    /// As [`Replacement::finish`].
    pub(in crate::store) fn finish_checked(
        self,
        check: impl FnOnce(Copy) -> io::Result<bool>,
    ) -> Result<u64, StoreError> {
        let result = self.settle(check);
        if result.is_err() {
            self.give_up();
        }
        result
    }

    /// Leaves what stands there as it is.
    pub(in crate::store) fn give_up(&self) {
        // The error to report is another one; a file that stays is thrown away by the next attempt.
        drop(self.replica.disk().remove(&self.temporary));
    }

    fn settle(&self, check: impl FnOnce(Copy) -> io::Result<bool>) -> Result<u64, StoreError> {
        let (replica, disk) = (self.replica, self.replica.disk());
        let temporary = &self.temporary;
        disk.sync(&self.file)
            .map_err(|error| replica.error("synchronising", temporary, error))?;
        let failed = |error| replica.error("reading back", temporary, error);
        let file = File::open(temporary).map_err(failed)?;
        let file = SegmentFile::new(file).map_err(failed)?;
        let copy = Copy::from_medium(Arc::new(file), None).map_err(failed)?;
        let length = copy.length();
        if !check(copy).map_err(failed)? {
            return Err(StoreError::NotWhole {
                path: temporary.clone(),
            });
        }
        disk.protect(&self.file)
            .map_err(|error| replica.error("protecting", temporary, error))?;
        durable::move_into_place(disk, temporary, &self.path)
            .map_err(|error| replica.error("putting in place", &self.path, error))?;
        Ok(length)
    }
}

fn digest_of(copy: &mut Copy) -> io::Result<[u8; 32]> {
    let end = copy.length();
    digest_up_to(copy, end)
}

/// The seal of a copy, and how often it was compacted, if it was read from the medium and matches. What cannot be read does not.
pub(in crate::store) fn whole(replica: &Replica, segment: u32) -> Option<(u32, SegmentSeal)> {
    let file = replica.open(segment).ok()??;
    let file = Arc::new(SegmentFile::new(file).ok()?);
    let mut copy = Copy::from_medium(file, None).ok()?;
    let seal = copy.seal().ok()??;
    let digest = digest_up_to(&mut copy, seal.length).ok()?;
    (digest == seal.digest).then(|| (copy.generation(), seal))
}

fn digest_up_to(copy: &mut Copy, end: u64) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut at = 0;
    while at < end {
        let count = usize::try_from(end - at).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let bytes = copy.bytes(at, count)?;
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        at += bytes.len() as u64;
    }
    Ok(digest.finalize().into())
}

/// Copies a sealed segment from one replica to another, in place of what the other one has: a new file, synchronised, read back,
/// renamed. The source is compared with its seal while it is read. `told` hears of each piece's bytes. Answers the bytes written.
///
/// # Errors
/// [`StoreError::NotWhole`] when the source is not a whole sealed segment; errors of the media. The target then is as it was.
pub(in crate::store) fn copy_segment(
    from: &Replica,
    to: &Replica,
    segment: u32,
    gate: Option<Gate>,
    told: &mut dyn FnMut(u64),
) -> Result<u64, StoreError> {
    let path = from.path(segment);
    let not_whole = || StoreError::NotWhole { path: path.clone() };
    let failed = |error| from.error("reading", &path, error);
    let file = from.open(segment)?.ok_or_else(not_whole)?;
    let file = SegmentFile::new(file).map_err(failed)?;
    let mut source = Copy::from_medium(Arc::new(file), gate).map_err(failed)?;
    let end = source
        .length()
        .checked_sub(SegmentSeal::FRAME_BYTES as u64)
        .ok_or_else(not_whole)?;
    let seal = match Frame::parse(
        source
            .bytes(end, SegmentSeal::FRAME_BYTES)
            .map_err(failed)?,
    ) {
        Ok(Frame::SegmentSeal(seal)) if seal.length == end => seal,
        _ => return Err(not_whole()),
    };
    let mut target = Replacement::begin(to, to.path(segment))?;
    let copied = copy_bytes(&mut source, &mut target, end, &failed, told).and_then(|()| {
        if target.digest() != seal.digest {
            return Err(not_whole());
        }
        copy_bytes(
            &mut source,
            &mut target,
            end + SegmentSeal::FRAME_BYTES as u64,
            &failed,
            told,
        )
    });
    match copied {
        Ok(()) => {
            let expected = target.digest();
            target.finish(expected)
        }
        Err(error) => {
            target.give_up();
            Err(error)
        }
    }
}

fn copy_bytes(
    source: &mut Copy,
    target: &mut Replacement<'_>,
    end: u64,
    failed: &dyn Fn(io::Error) -> StoreError,
    told: &mut dyn FnMut(u64),
) -> Result<(), StoreError> {
    while target.length() < end {
        let at = target.length();
        let count = usize::try_from(end - at)
            .unwrap_or(usize::MAX)
            .min(PIECE_BYTES);
        let bytes = source.bytes(at, count).map_err(failed)?;
        if bytes.is_empty() {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        target.append(bytes)?;
        told(bytes.len() as u64);
    }
    Ok(())
}

/// Bytes copied at once.
const PIECE_BYTES: usize = 1024 * 1024;
