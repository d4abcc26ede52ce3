//! Taking in a part: what came is written and synchronised, also when the part is cut off.

use std::io::{self, Read};
use std::sync::atomic::Ordering;

use super::error::UploadError;
use super::facts::{UploadId, UploadReceipt, UploadStanding};
use super::file::{FRAME_BYTES_MAX, PartFile, path_of};
use super::folder::PART_ENDING;
use super::uploads::{Phase, State, Upload, Uploads, Waiting};

/// What a request says of the part that it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where it begins.
    pub offset: u64,
    /// How long it is, if that is known before.
    pub length: Option<u64>,
    /// Whether it is said to be the last one.
    pub is_last: bool,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is on the disk, and more is to come.
    Waits(UploadStanding),
    /// It is on the disk, and with it everything.
    Whole,
    /// The upload was deposited before; this is the answer.
    Deposited(UploadReceipt),
}

impl Uploads {
    /// Takes a part in. What came of it is on the disk when this returns, whatever it returns.
    ///
    /// # Errors
    /// [`UploadError::NotFound`], [`UploadError::Offset`], [`UploadError::TooMuch`], [`UploadError::TooFew`], [`UploadError::Busy`],
    /// [`UploadError::CutOff`], [`UploadError::Damaged`], [`UploadError::Storage`], [`UploadError::Keys`].
    pub fn append(
        &self,
        account: &str,
        id: &str,
        part: Part,
        reader: &mut dyn Read,
    ) -> Result<Appended, UploadError> {
        let upload = self.owned(account, id)?;
        // Whoever comes again does so because the connection before was lost: that one may write nothing more.
        let turn = upload.turn.fetch_add(1, Ordering::SeqCst) + 1;
        {
            let mut state = upload.state();
            let waiting = match &mut state.phase {
                Phase::Waiting(waiting) => waiting,
                Phase::Depositing => return Err(UploadError::Busy),
                Phase::Done(receipt) => return Ok(Appended::Deposited(receipt.clone())),
                Phase::Gone => return Err(UploadError::NotFound),
            };
            acknowledged(self, upload.id, waiting)?;
            let expected = waiting.head.mark.offset;
            if part.offset != expected {
                return Err(UploadError::Offset { expected });
            }
            let length = upload.facts.length;
            if part.length.is_some_and(|one| one > length - expected) {
                return Err(UploadError::TooMuch { length });
            }
        }
        self.take_all(&upload, turn, reader)?;
        let standing = self.standing_of(&upload)?;
        let (offset, length) = (standing.offset, standing.length);
        if offset == length {
            return Ok(Appended::Whole);
        }
        if part.is_last {
            return Err(UploadError::TooFew { offset, length });
        }
        Ok(Appended::Waits(standing))
    }

    /// Writes what comes until its end.
    fn take_all(
        &self,
        upload: &Upload,
        turn: u64,
        reader: &mut dyn Read,
    ) -> Result<(), UploadError> {
        let mut buffer = vec![0; FRAME_BYTES_MAX];
        loop {
            let (filled, ended) = fill(reader, &mut buffer);
            let piece = buffer.get(..filled).unwrap_or_default();
            let mut state = upload.state();
            let State { phase, last } = &mut *state;
            let Phase::Waiting(waiting) = phase else {
                return Err(UploadError::CutOff);
            };
            if upload.turn.load(Ordering::SeqCst) != turn {
                return Err(UploadError::CutOff);
            }
            let written = self.write(upload, waiting, piece);
            let is_due = ended.is_some()
                || written.is_err()
                || waiting.file.as_ref().is_none_or(|file| {
                    file.offset() - file.mark().offset >= UNSYNCHRONISED_BYTES_MAX
                        || self.now() - file.mark().at >= UNSYNCHRONISED_TIME_MAX
                });
            if is_due {
                let known = acknowledged(self, upload.id, waiting);
                if filled > 0 && written.is_ok() {
                    *last = self.now();
                }
                written.and(known)?;
            }
            match ended {
                None => {}
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
                    let length = upload.facts.length;
                    return Err(UploadError::TooMuch { length });
                }
                Some(Err(_)) => return Err(UploadError::CutOff),
            }
        }
    }

    fn write(
        &self,
        upload: &Upload,
        waiting: &mut Waiting,
        piece: &[u8],
    ) -> Result<(), UploadError> {
        if piece.is_empty() {
            return Ok(());
        }
        let length = upload.facts.length;
        let file = opened(self, upload.id, waiting)?;
        if piece.len() as u64 > length - file.offset() {
            return Err(UploadError::TooMuch { length });
        }
        let appended = file.append(self.environment.entropy.as_ref(), piece);
        if appended.is_err() && file.drop_torn().is_err() {
            // The next opening cuts it.
            waiting.file = None;
        }
        appended
    }
}

/// The open file of an upload that waits.
fn opened<'a>(
    uploads: &Uploads,
    id: UploadId,
    waiting: &'a mut Waiting,
) -> Result<&'a mut PartFile, UploadError> {
    let file = match waiting.file.take() {
        Some(file) => file,
        None => {
            let path = path_of(&uploads.folder, id, PART_ENDING);
            let disk = &uploads.environment.disk;
            PartFile::open(disk, &path, &waiting.head, waiting.drops_tail)?
        }
    };
    waiting.drops_tail = false;
    Ok(waiting.file.insert(file))
}

/// Makes durable what was written of an upload. Where that fails, all that was not acknowledged before is dropped: the page cache may call clean what never
/// reached the medium.
pub(super) fn acknowledged(
    uploads: &Uploads,
    id: UploadId,
    waiting: &mut Waiting,
) -> Result<(), UploadError> {
    let now = uploads.now();
    let entropy = uploads.environment.entropy.as_ref();
    let file = opened(uploads, id, waiting)?;
    match file.acknowledge(entropy, now) {
        Ok(()) => {
            if let Some(file) = &waiting.file {
                waiting.head.keep(file);
            }
            Ok(())
        }
        Err(error) => {
            waiting.file = None;
            waiting.drops_tail = true;
            Err(error)
        }
    }
}

/// Fills the buffer as far as the reader gives something, and how it ended, if it did.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> (usize, Option<io::Result<()>>) {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => return (filled, Some(Ok(()))),
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(Err(error))),
        }
    }
    (filled, None)
}

/// What a power loss in the middle of a part costs at most: a second or so of a fast line.
const UNSYNCHRONISED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The same for a slow line.
const UNSYNCHRONISED_TIME_MAX: time::Duration = time::Duration::seconds(60);
