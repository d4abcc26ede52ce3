//! The backup file: a clear header, sealed chunks, a checksum that needs no key.
//!
//! ```text
//! file  = "FUMIBKUP" 8 | format version u16 | header length u32 | header, canonical JSON | chunks | SHA-256 over all before 32
//! chunk = last u8 | length u32 | nonce 12, ciphertext, tag 16
//! ```
//!
//! The key is Argon2id of the passphrase with the header's salt, fresh for each file; or it is random, and the header holds it sealed to the
//! archive's custodians. The associated data of a chunk is
//! `"fumikura backup 1\0"` | SHA-256 of everything before the chunks | chunk number u64 | last u8.

use std::fs::File;
use std::io::{IoSlice, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use firmware::entropy::Entropy;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::BackupError;
use super::header::{BackupHeader, MAGIC, Opening, read_header};
use super::plain::{CHUNK_BYTES, Plain, context};
use crate::keys::ValueKey;
use crate::store::durable::Disk;

/// Is given what a backup holds, file by file.
pub trait EntrySink {
    /// A file begins.
    ///
    /// # Errors
    /// Stops the reading.
    fn begin(&mut self, path: &str) -> Result<(), BackupError>;

    /// Its next bytes.
    ///
    /// # Errors
    /// Stops the reading.
    fn piece(&mut self, bytes: &[u8]) -> Result<(), BackupError>;

    /// It is complete, and its digest is right.
    ///
    /// # Errors
    /// Stops the reading.
    fn end(&mut self) -> Result<(), BackupError>;
}

/// Writes a backup under a temporary name.
pub(super) struct Sealer<'a> {
    disk: &'a dyn Disk,
    entropy: &'a dyn Entropy,
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    at: u64,
    digest: Sha256,
    key: ValueKey,
    bound: [u8; 32],
    chunk: u64,
    plain: Zeroizing<Vec<u8>>,
}

impl<'a> Sealer<'a> {
    pub(super) fn create(
        disk: &'a dyn Disk,
        path: &Path,
        header: &BackupHeader,
        opening: Opening<'_>,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, BackupError> {
        let temporary = path.with_extension("backup.new");
        match disk.remove(&temporary) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(BackupError::io(&temporary, error));
            }
            _ => {}
        }
        let key = header.key(path, opening)?;
        let file = disk
            .create(&temporary)
            .map_err(|error| BackupError::io(&temporary, error))?;
        let head = header.encode();
        let mut sealer = Self {
            disk,
            entropy,
            path: path.to_path_buf(),
            temporary,
            file,
            at: 0,
            digest: Sha256::new(),
            key,
            bound: Sha256::digest(&head).into(),
            chunk: 0,
            plain: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES)),
        };
        sealer.write(&head)?;
        Ok(sealer)
    }

    /// Adds bytes of the plaintext.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = CHUNK_BYTES - self.plain.len();
            let (now, later) = rest.split_at(rest.len().min(room));
            self.plain.extend_from_slice(now);
            rest = later;
            if self.plain.len() == CHUNK_BYTES && !rest.is_empty() {
                self.seal(false)?;
            }
        }
        Ok(())
    }

    /// Completes the file, durably. Answers its length and digest.
    pub(super) fn finish(mut self) -> Result<(u64, [u8; 32]), BackupError> {
        // A path of no bytes: nothing follows.
        self.put(&[0, 0])?;
        self.seal(true)?;
        let digest: [u8; 32] = self.digest.clone().finalize().into();
        self.write(&digest)?;
        let failed = |error| BackupError::io(&self.path, error);
        self.disk.sync(&self.file).map_err(failed)?;
        self.disk.protect(&self.file).map_err(failed)?;
        self.disk.begin_write_back(&self.file, 0, self.at);
        crate::store::durable::move_into_place(self.disk, &self.temporary, &self.path)
            .map_err(failed)?;
        Ok((self.at, digest))
    }

    fn seal(&mut self, last: bool) -> Result<(), BackupError> {
        let context = context(&self.bound, self.chunk, last);
        let sealed = self.key.seal(self.entropy, &context, &self.plain)?;
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        let mut head = vec![u8::from(last)];
        head.extend(length.to_be_bytes());
        self.write(&head)?;
        self.write(&sealed)?;
        self.chunk += 1;
        self.plain.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.disk
            .write_at(&self.file, &mut [IoSlice::new(bytes)], self.at)
            .map_err(|error| BackupError::io(&self.temporary, error))?;
        self.digest.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }
}

impl Drop for Sealer<'_> {
    fn drop(&mut self) {
        // After finish the name is gone; else the next run removes what stays here.
        drop(self.disk.remove(&self.temporary));
    }
}

/// Reads a backup whole: its checksum, then each chunk, then each file in it. Answers the header, the number of files, and the digest.
///
/// # Errors
/// [`BackupError::Damaged`] and [`BackupError::WrongPassphrase`] are told apart; errors of `sink`.
pub fn read<'a>(
    path: &Path,
    opening: impl Into<Opening<'a>>,
    sink: &mut dyn EntrySink,
) -> Result<(BackupHeader, u64, [u8; 32]), BackupError> {
    let (header, start) = read_header(path)?;
    let (digest, end) = check_sum(path)?;
    let mut file = open_from_medium(path)?;
    let mut head = vec![0; usize::try_from(start).unwrap_or(0)];
    file.read_exact(&mut head)
        .and_then(|()| file.seek(SeekFrom::Start(start)))
        .map_err(|error| BackupError::io(path, error))?;
    let left = end.saturating_sub(start);
    let bound = Sha256::digest(&head).into();
    let opening = opening.into();
    let key = header.key(path, opening)?;
    let by_passphrase = matches!(opening, Opening::Passphrase(_));
    let mut plain = Plain::new(path, file, left, key, bound, by_passphrase);
    let mut files = 0;
    loop {
        let length = usize::from(u16::from_be_bytes(plain.array()?));
        if length == 0 {
            break;
        }
        let mut name = vec![0; length];
        plain.fill(&mut name)?;
        let name = String::from_utf8(name).map_err(|_| plain.damaged())?;
        sink.begin(&name)?;
        let mut left = u64::from_be_bytes(plain.array()?);
        let mut digest = Sha256::new();
        let mut piece = Zeroizing::new(vec![0; PIECE_BYTES]);
        while left > 0 {
            let count = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
            let piece = piece.get_mut(..count).unwrap_or_default();
            plain.fill(piece)?;
            digest.update(&*piece);
            sink.piece(piece)?;
            left -= count as u64;
        }
        if plain.array::<32>()? != <[u8; 32]>::from(digest.finalize()) {
            return Err(plain.damaged());
        }
        sink.end()?;
        files += 1;
    }
    if !plain.is_at_end() {
        return Err(plain.damaged());
    }
    Ok((header, files, digest))
}

/// As [`read`], keeping nothing.
///
/// # Errors
/// As [`read`].
pub fn check<'a>(
    path: &Path,
    opening: impl Into<Opening<'a>>,
) -> Result<(BackupHeader, u64, [u8; 32]), BackupError> {
    struct Nothing;
    impl EntrySink for Nothing {
        fn begin(&mut self, _: &str) -> Result<(), BackupError> {
            Ok(())
        }
        fn piece(&mut self, _: &[u8]) -> Result<(), BackupError> {
            Ok(())
        }
        fn end(&mut self) -> Result<(), BackupError> {
            Ok(())
        }
    }
    read(path, opening, &mut Nothing)
}

/// Whether the destruction of a backup of so many bytes was begun at this path and not ended: its first bytes are zeros in place of what every backup
/// begins with, and it is as long as it was.
pub(super) fn is_overwritten(path: &Path, bytes: u64) -> bool {
    let mut start = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| {
        file.read_exact(&mut start)?;
        Ok(file.metadata()?.len())
    });
    let mut pairs = start.iter().zip(MAGIC);
    read.is_ok_and(|length| length == bytes)
        && start != MAGIC
        && pairs.all(|(found, whole)| *found == 0 || *found == whole)
}

/// Overwrites a backup with zeros, waits until they are on the medium, and removes it.
pub(super) fn destroy(disk: &dyn Disk, path: &Path) -> Result<(), BackupError> {
    let failed = |error| BackupError::io(path, error);
    disk.unprotect(path).map_err(failed)?;
    let file = disk.open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let zeros = vec![0; PIECE_BYTES];
    let mut at = 0;
    while at < length {
        let count = usize::try_from(length - at).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let zeros = zeros.get(..count).unwrap_or_default();
        disk.write_at(&file, &mut [IoSlice::new(zeros)], at)
            .map_err(failed)?;
        at += count as u64;
    }
    disk.sync(&file).map_err(failed)?;
    disk.remove(path).map_err(failed)?;
    disk.sync_directory(path.parent().unwrap_or(Path::new(".")))
        .map_err(failed)
}

/// Opens a file that is synchronised so that it is read from the medium, not from the page cache, as far as the system lets go of it.
fn open_from_medium(path: &Path) -> Result<File, BackupError> {
    let file = File::open(path).map_err(|error| BackupError::io(path, error))?;
    // Without it the reading is the same, only of what the cache holds.
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).ok();
    Ok(file)
}

/// Compares the file with the checksum at its end. Answers it, and where it stands.
fn check_sum(path: &Path) -> Result<([u8; 32], u64), BackupError> {
    let failed = |error| BackupError::io(path, error);
    let damaged = || BackupError::Damaged {
        path: path.to_path_buf(),
    };
    let mut file = open_from_medium(path)?;
    let length = file.metadata().map_err(failed)?.len();
    let end = length.checked_sub(32).ok_or_else(damaged)?;
    let mut digest = Sha256::new();
    let mut left = end;
    let mut piece = vec![0; PIECE_BYTES];
    while left > 0 {
        let count = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let piece = piece.get_mut(..count).unwrap_or_default();
        file.read_exact(piece).map_err(failed)?;
        digest.update(&*piece);
        left -= count as u64;
    }
    let mut stated = [0; 32];
    file.read_exact(&mut stated).map_err(failed)?;
    let digest: [u8; 32] = digest.finalize().into();
    if digest == stated {
        Ok((digest, end))
    } else {
        Err(damaged())
    }
}

/// Bytes handled at once.
const PIECE_BYTES: usize = 256 * 1024;
