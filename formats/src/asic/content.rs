//! The content of a member: whole if it is short, and otherwise in blocks.

use std::borrow::Cow;
use std::ops::ControlFlow;

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::fields::{error, length_of};
use super::layout::STORED;
use super::structure::Member;
use crate::access::{BLOCK_BYTES, Bytes};
use crate::error::{ErrorKind, FormatError, Result};

/// A member of a container.
#[derive(Debug, Clone)]
pub struct AsicEntry<'a> {
    pub(super) file: Bytes<'a>,
    pub(super) member: Member,
}

/// Takes the next block; `Break` wants no more.
type Sink<'s> = dyn FnMut(&[u8]) -> ControlFlow<()> + 's;

impl<'a> AsicEntry<'a> {
    /// The name, with `/` between its components. A folder ends with `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.member.name
    }

    /// Whether this is a folder, which has no content.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.name().ends_with('/')
    }

    /// Size of the content in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.member.size
    }

    /// Whether the content stands uncompressed in the file.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.member.method == STORED
    }

    /// The content, after a check of its size and CRC. It is taken into memory unless it stands there uncompressed: for a large
    /// member there is [`AsicEntry::pass_on`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChecksumMismatch`], [`ErrorKind::SizeMismatch`] or [`ErrorKind::InvalidEncoding`] if the content is damaged;
    /// [`ErrorKind::Unreadable`] if the medium does not give it.
    pub fn read(&self) -> Result<Cow<'a, [u8]>> {
        if let (Bytes::Memory(_), true) = (self.file, self.is_stored()) {
            let length = usize::try_from(self.member.compressed);
            let length = length.map_err(|_| self.error(ErrorKind::LimitExceeded))?;
            let content = self.file.get(self.member.data_at, length, CONTENT_PLACE)?;
            return if crc32fast::hash(&content) == self.member.crc {
                Ok(content)
            } else {
                Err(self.error(ErrorKind::ChecksumMismatch))
            };
        }
        let mut content = Vec::new();
        self.pass_on(|block| content.extend_from_slice(block))?;
        Ok(Cow::Owned(content))
    }

    /// The content, if it has no more than `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] if it has more; otherwise as [`AsicEntry::read`].
    pub fn read_up_to(&self, bytes_max: u64) -> Result<Cow<'a, [u8]>> {
        if self.size() > bytes_max {
            return Err(self.error(ErrorKind::LimitExceeded));
        }
        self.read()
    }

    /// Passes the content on in blocks, in memory that does not grow with it. What was passed on holds only if this succeeds: size
    /// and CRC are known at the end.
    ///
    /// # Errors
    ///
    /// As [`AsicEntry::read`].
    pub fn pass_on(&self, mut sink: impl FnMut(&[u8])) -> Result<()> {
        let mut crc = crc32fast::Hasher::new();
        self.blocks(&mut |block| {
            crc.update(block);
            sink(block);
            ControlFlow::Continue(())
        })?;
        if crc.finalize() == self.member.crc {
            Ok(())
        } else {
            Err(self.error(ErrorKind::ChecksumMismatch))
        }
    }

    /// The first bytes of the content, at most `count` of them. Nothing is checked: this is for telling what a member is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidEncoding`] or [`ErrorKind::SizeMismatch`] if even these cannot be inflated, [`ErrorKind::Unreadable`].
    pub fn head(&self, count: usize) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        self.blocks(&mut |block| {
            let missing = count.saturating_sub(head.len());
            head.extend(block.iter().take(missing));
            if head.len() < count {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(head)
    }

    fn blocks(&self, sink: &mut Sink<'_>) -> Result<()> {
        if self.is_stored() {
            let mut source = Compressed::of(self);
            while let Some(block) = source.next_block()? {
                if sink(&block).is_break() {
                    break;
                }
            }
            Ok(())
        } else {
            self.inflate(sink)
        }
    }

    /// The stated size ends it: opening has checked that against the limits.
    fn inflate(&self, sink: &mut Sink<'_>) -> Result<()> {
        let mut state = InflateState::new_boxed(DataFormat::Raw);
        let mut source = Compressed::of(self);
        let mut out = vec![0; BLOCK_BYTES];
        let mut block = Cow::Borrowed(&[][..]);
        let (mut consumed, mut produced) = (0, 0_u64);
        loop {
            if consumed == block.len()
                && let Some(next) = source.next_block()?
            {
                (block, consumed) = (next, 0);
            }
            let rest = block.get(consumed..).unwrap_or_default();
            let step = inflate(&mut state, rest, &mut out, MZFlush::None);
            consumed = consumed.saturating_add(step.bytes_consumed);
            let inflated = out.get(..step.bytes_written).unwrap_or_default();
            produced = produced.saturating_add(length_of(inflated));
            if produced > self.member.size {
                return Err(self.error(ErrorKind::SizeMismatch));
            }
            if sink(inflated).is_break() {
                return Ok(());
            }
            let moved = step.bytes_consumed > 0 || step.bytes_written > 0;
            match step.status {
                Ok(MZStatus::StreamEnd) => break,
                Ok(_) | Err(MZError::Buf) if moved => {}
                _ => return Err(self.error(ErrorKind::InvalidEncoding)),
            }
        }
        let is_whole = consumed == block.len() && source.left == 0;
        if is_whole && produced == self.member.size {
            Ok(())
        } else {
            Err(self.error(ErrorKind::SizeMismatch))
        }
    }

    fn error(&self, kind: ErrorKind) -> FormatError {
        error(kind, CONTENT_PLACE, self.member.offset)
    }
}

/// The bytes of a member as they stand in the file, block by block.
struct Compressed<'a> {
    file: Bytes<'a>,
    at: u64,
    left: u64,
}

impl<'a> Compressed<'a> {
    fn of(entry: &AsicEntry<'a>) -> Self {
        Self {
            file: entry.file,
            at: entry.member.data_at,
            left: entry.member.compressed,
        }
    }

    fn next_block(&mut self) -> Result<Option<Cow<'a, [u8]>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let count = usize::try_from(self.left).map_or(BLOCK_BYTES, |left| left.min(BLOCK_BYTES));
        let block = self.file.get(self.at, count, CONTENT_PLACE)?;
        let count = length_of(&block);
        self.at = self.at.saturating_add(count);
        self.left = self.left.saturating_sub(count);
        Ok(Some(block))
    }
}

const CONTENT_PLACE: &str = "ZIP member content";
