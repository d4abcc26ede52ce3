//! Plaintext buffers that a hashing thread and a sealing thread share.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::CHUNK_BYTES;

/// One chunk of plaintext.
pub(super) struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    filled: usize,
}

/// The buffers of one writer or reader. They are made when they are first needed, so small content needs only one.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    kept: Vec<Arc<Buffer>>,
    made: usize,
}

impl Buffer {
    fn new() -> Self {
        Self {
            bytes: Zeroizing::new(vec![0; CHUNK_BYTES]),
            filled: 0,
        }
    }

    /// The plaintext.
    pub(super) fn plain(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Whether no further byte fits.
    pub(super) fn is_full(&self) -> bool {
        self.filled == self.bytes.len()
    }

    /// Room for a chunk of `count` bytes, which become the plaintext; `None` when it is longer than a chunk.
    pub(super) fn room(&mut self, count: usize) -> Option<&mut [u8]> {
        let room = self.bytes.get_mut(..count)?;
        self.filled = count;
        Some(room)
    }

    /// Fills the buffer as far as `input` goes.
    pub(super) fn fill(&mut self, input: &mut dyn Read) -> io::Result<()> {
        self.filled = 0;
        while let Some(rest) = self.bytes.get_mut(self.filled..).filter(|r| !r.is_empty()) {
            match input.read(rest) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Buffers {
    /// Starts anew after whatever came before; buffers that a failure lost may be made again.
    pub(super) fn begin(&mut self) {
        self.made = self.kept.len();
    }

    /// Takes out a buffer that nobody else uses; `None` when all are in use. Give it back with [`Buffers::put`].
    pub(super) fn take(&mut self) -> Option<Arc<Buffer>> {
        let free = self
            .kept
            .iter_mut()
            .rposition(|buffer| Arc::get_mut(buffer).is_some());
        if let Some(place) = free {
            return Some(self.kept.remove(place));
        }
        if self.made == COUNT {
            return None;
        }
        self.made += 1;
        Some(Arc::new(Buffer::new()))
    }

    /// Keeps a buffer for later, also while the hashing thread still reads it.
    pub(super) fn put(&mut self, buffer: Arc<Buffer>) {
        self.kept.push(buffer);
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").finish_non_exhaustive()
    }
}

/// One being sealed, one being read, and two on their way to the hash.
const COUNT: usize = 4;
