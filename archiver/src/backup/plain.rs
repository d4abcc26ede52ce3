//! The sealed chunks of a backup, opened one after the other.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::BackupError;
use crate::keys::ValueKey;

/// The plaintext of the chunks, one after the other.
pub(super) struct Plain<'a> {
    path: &'a Path,
    file: BufReader<File>,
    left: u64,
    key: ValueKey,
    bound: [u8; 32],
    by_passphrase: bool,
    chunk: u64,
    is_last: bool,
    bytes: Zeroizing<Vec<u8>>,
    at: usize,
}

impl<'a> Plain<'a> {
    /// The chunks of a file from where it stands on, in so many bytes.
    pub(super) fn new(
        path: &'a Path,
        file: File,
        left: u64,
        key: ValueKey,
        bound: [u8; 32],
        by_passphrase: bool,
    ) -> Self {
        Self {
            path,
            file: BufReader::new(file),
            left,
            key,
            bound,
            by_passphrase,
            chunk: 0,
            is_last: false,
            bytes: Zeroizing::new(Vec::new()),
            at: 0,
        }
    }

    /// Whether everything was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_last && self.at == self.bytes.len() && self.left == 0
    }

    pub(super) fn fill(&mut self, target: &mut [u8]) -> Result<(), BackupError> {
        let mut filled = 0;
        while let Some(rest) = target.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let held = self.bytes.get(self.at..).unwrap_or_default();
            if held.is_empty() {
                self.next()?;
                continue;
            }
            let count = held.len().min(rest.len());
            for (place, byte) in rest.iter_mut().zip(held) {
                *place = *byte;
            }
            filled += count;
            self.at += count;
        }
        Ok(())
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut array = [0; N];
        self.fill(&mut array)?;
        Ok(array)
    }

    fn next(&mut self) -> Result<(), BackupError> {
        if self.is_last {
            return Err(self.damaged());
        }
        let mut head = [0; 5];
        self.take(&mut head)?;
        let [last, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if last > 1 || length > CHUNK_BYTES + 28 {
            return Err(self.damaged());
        }
        let mut sealed = vec![0; length];
        self.take(&mut sealed)?;
        let context = context(&self.bound, self.chunk, last == 1);
        // The checksum of the whole file was right: what does not open was sealed under another passphrase. A key that was
        // sealed proves itself: then it is the content that was exchanged.
        self.bytes = self
            .key
            .open(&context, &sealed)
            .ok_or_else(|| match self.chunk {
                0 if self.by_passphrase => BackupError::WrongPassphrase {
                    path: self.path.to_path_buf(),
                },
                _ => self.damaged(),
            })?;
        self.chunk += 1;
        self.at = 0;
        self.is_last = last == 1;
        Ok(())
    }

    fn take(&mut self, target: &mut [u8]) -> Result<(), BackupError> {
        let count = target.len() as u64;
        self.left = self.left.checked_sub(count).ok_or_else(|| self.damaged())?;
        let read = self.file.read_exact(target);
        read.map_err(|error| BackupError::io(self.path, error))
    }

    pub(super) fn damaged(&self) -> BackupError {
        BackupError::Damaged {
            path: self.path.to_path_buf(),
        }
    }
}

/// The associated data of a chunk.
pub(super) fn context(bound: &[u8; 32], chunk: u64, last: bool) -> Vec<u8> {
    let mut context = b"fumikura backup 1\0".to_vec();
    context.extend(bound);
    context.extend(chunk.to_be_bytes());
    context.push(u8::from(last));
    context
}

/// Bytes of plaintext in a chunk.
pub(super) const CHUNK_BYTES: usize = 1024 * 1024;
