//! Compression of one chunk at a time, with contexts that are kept.

use std::fmt;
use std::io;

use formats::segment::ChunkCodec;
use zeroize::Zeroizing;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::compress_bound;

/// Packs plaintext.
pub(super) struct Packer {
    context: Compressor<'static>,
    packed: Zeroizing<Vec<u8>>,
}

/// Unpacks what a [`Packer`] packed.
pub(super) struct Unpacker {
    context: Decompressor<'static>,
    packed: Zeroizing<Vec<u8>>,
}

impl Packer {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            context: Compressor::new(LEVEL)?,
            packed: Zeroizing::new(Vec::new()),
        })
    }

    /// The codec, and the bytes to seal: packed ones, or `plain` itself when packing saves less than 2 %.
    pub(super) fn pack<'a>(&'a mut self, plain: &'a [u8]) -> io::Result<(ChunkCodec, &'a [u8])> {
        let room = compress_bound(plain.len());
        if self.packed.len() < room {
            // A new buffer instead of a longer one: moving would leave a copy behind.
            self.packed = Zeroizing::new(vec![0; room]);
        }
        let count = self
            .context
            .compress_to_buffer(plain, self.packed.as_mut_slice())?;
        match self.packed.get(..count) {
            Some(packed) if count < plain.len() - plain.len() / 50 => {
                Ok((ChunkCodec::Zstd, packed))
            }
            _ => Ok((ChunkCodec::Stored, plain)),
        }
    }
}

impl Unpacker {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            context: Decompressor::new()?,
            packed: Zeroizing::new(Vec::new()),
        })
    }

    /// A buffer of `count` bytes for packed bytes on their way from the seal to [`Unpacker::unpack`].
    pub(super) fn packed(&mut self, count: usize) -> &mut [u8] {
        if self.packed.len() < count {
            self.packed = Zeroizing::new(vec![0; count]);
        }
        self.packed.get_mut(..count).unwrap_or_default()
    }

    /// Unpacks the first `count` bytes of the buffer so that they fill `plain`; false when they do not.
    pub(super) fn unpack(&mut self, count: usize, plain: &mut [u8]) -> bool {
        let expected = plain.len();
        let packed = self.packed.get(..count).unwrap_or_default();
        self.context
            .decompress_to_buffer(packed, plain)
            .is_ok_and(|length| length == expected)
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

/// Where logs shrink by 5 to 10 times at several hundred MiB/s.
const LEVEL: i32 = 3;
