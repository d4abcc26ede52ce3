//! Plaintext buffers that a hashing thread and a sealing thread share.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

use super::CHUNK_BYTES;

/// One chunk of plaintext. It grows with what is put into it: most contents are far smaller than a chunk, and a service has many at a time.
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
            bytes: Zeroizing::new(Vec::new()),
            filled: 0,
        }
    }

    /// The plaintext.
    pub(super) fn plain(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Whether no further byte fits.
    pub(super) fn is_full(&self) -> bool {
        self.filled == CHUNK_BYTES
    }

    /// Room for a chunk of `count` bytes, which become the plaintext; `None` when it is longer than a chunk.
    pub(super) fn room(&mut self, count: usize) -> Option<&mut [u8]> {
        if count > CHUNK_BYTES {
            return None;
        }
        self.filled = 0;
        self.grow(count);
        self.filled = count;
        self.bytes.get_mut(..count)
    }

    /// Fills the buffer as far as `input` goes.
    pub(super) fn fill(&mut self, input: &mut dyn Read) -> io::Result<()> {
        self.filled = 0;
        while !self.is_full() {
            if self.filled == self.bytes.len() {
                let first = self.bytes.is_empty();
                self.grow(if first { FIRST_BYTES } else { CHUNK_BYTES });
            }
            let rest = self.bytes.get_mut(self.filled..).unwrap_or_default();
            match input.read(rest) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes room for `count` bytes in all. What is left behind is overwritten first: a vector that grows by itself leaves its plaintext in freed memory.
    fn grow(&mut self, count: usize) {
        if count > self.bytes.len() {
            let mut larger = Zeroizing::new(vec![0; count]);
            if let Some(place) = larger.get_mut(..self.filled) {
                place.copy_from_slice(self.plain());
            }
            self.bytes = larger;
        }
    }

    fn clear(&mut self) {
        self.bytes.as_mut_slice().zeroize();
        self.filled = 0;
    }
}

impl Buffers {
    /// Starts anew after whatever came before; buffers that a failure lost may be made again.
    pub(super) fn begin(&mut self) {
        self.made = self.kept.len();
    }

    /// Overwrites all plaintext. Buffers that are large are let go: only the next large content needs them again.
    pub(super) fn clear(&mut self) {
        self.kept.retain_mut(|buffer| {
            let free = Arc::get_mut(buffer).filter(|buffer| buffer.bytes.len() <= FIRST_BYTES);
            free.map(Buffer::clear).is_some()
        });
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

/// Most documents are smaller. Below the size from which the allocator asks the kernel for pages of their own each time.
const FIRST_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_with_its_content_and_not_beyond_a_chunk() {
        let mut buffer = Buffer::new();
        for size in [
            0,
            1,
            FIRST_BYTES,
            FIRST_BYTES + 1,
            CHUNK_BYTES,
            CHUNK_BYTES + 1,
        ] {
            let content: Vec<u8> = (0..size)
                .map(|place| place.to_le_bytes()[0] ^ 0x5a)
                .collect();
            let mut input = content.as_slice();
            buffer.fill(&mut input).unwrap();
            let kept = size.min(CHUNK_BYTES);
            assert_eq!(buffer.plain(), &content[..kept]);
            assert_eq!(input.len(), size - kept);
            assert_eq!(buffer.is_full(), kept == CHUNK_BYTES);
        }
        assert_eq!(buffer.room(CHUNK_BYTES).unwrap().len(), CHUNK_BYTES);
        assert!(buffer.room(CHUNK_BYTES + 1).is_none());
    }

    #[test]
    fn cleared_buffers_hold_nothing_and_large_ones_are_let_go() {
        let mut buffers = Buffers::default();
        let mut taken: Vec<_> = [10, CHUNK_BYTES, 20]
            .into_iter()
            .map(|size| {
                let mut taken = buffers.take().unwrap();
                let buffer = Arc::get_mut(&mut taken).unwrap();
                buffer.fill(&mut vec![7; size].as_slice()).unwrap();
                taken
            })
            .collect();
        let still_read = taken.remove(2);
        buffers.put(Arc::clone(&still_read));
        for buffer in taken {
            buffers.put(buffer);
        }
        buffers.clear();
        assert_eq!(buffers.kept.len(), 1);
        assert!(buffers.kept[0].bytes.iter().all(|byte| *byte == 0));
        assert_eq!(buffers.made, 1);
    }
}
