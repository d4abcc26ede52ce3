//! The index at the end of a sealed segment.

use super::codec::{Reader, Writer};
use super::frame::{EncodedFrame, FrameType};
use super::{FRAME_BODY_BYTES_MAX, FRAME_HEADER_BYTES};
use crate::error::{ErrorKind, FormatError, Result};

/// Where the frames of a segment stand that are neither content chunks nor commit marks.
///
/// A reader that rebuilds the record index reads these and skips the contents. The entries are collected while the segment
/// grows, in the form in which they are written.
///
/// ```text
/// body = content chunk count u64 | commit mark count u64 | entries, to the end
/// entry = type u8 | bytes since the end of the entry before varint | body length varint
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentIndex {
    /// How many content chunks the segment holds.
    pub content_chunks: u64,
    /// How many commit marks the segment holds.
    pub commit_marks: u64,
    entries: Vec<u8>,
    end: u64,
}

/// A frame named by a [`SegmentIndex`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// Type of the frame.
    pub frame_type: FrameType,
    /// Offset of its header in the segment.
    pub offset: u64,
    /// Bytes of its body.
    pub body_bytes: u32,
}

impl SegmentIndex {
    /// Adds the next frame of the segment.
    ///
    /// # Errors
    /// [`ErrorKind::NotEncodable`] when the frame stands before the end of the one added last.
    pub fn add(&mut self, entry: IndexEntry) -> Result<()> {
        match entry.frame_type {
            FrameType::ContentChunk => {
                self.content_chunks = self.content_chunks.saturating_add(1);
                return Ok(());
            }
            FrameType::CommitMark => {
                self.commit_marks = self.commit_marks.saturating_add(1);
                return Ok(());
            }
            // It has no address in the segment that it is about.
            FrameType::CompactionMap => return Ok(()),
            FrameType::SegmentHeader
            | FrameType::RecordVersion
            | FrameType::TreePage
            | FrameType::ArchiveTimeStamp
            | FrameType::Event
            | FrameType::SegmentIndex
            | FrameType::SegmentSeal
            | FrameType::LeafPage
            | FrameType::FurtherDigests
            | FrameType::ValidationMaterial
            | FrameType::Signature
            | FrameType::Receipt => {}
        }
        let gap = entry
            .offset
            .checked_sub(self.end)
            .ok_or(FormatError::new(ErrorKind::NotEncodable, STRUCTURE))?;
        let mut writer = Writer::after(std::mem::take(&mut self.entries));
        writer.u8(entry.frame_type.code());
        writer.varint(gap);
        writer.varint(u64::from(entry.body_bytes));
        self.entries = writer.finish();
        self.end = entry.end();
        Ok(())
    }

    /// Bytes that the entries take. A segment is sealed before they fill a frame.
    #[must_use]
    pub const fn entry_bytes(&self) -> usize {
        self.entries.len()
    }

    /// The frames, in order.
    ///
    /// # Errors
    /// Any error of a malformed entry.
    pub fn entries(&self) -> Result<Vec<IndexEntry>> {
        let mut reader = Reader::new(STRUCTURE, &self.entries);
        let mut entries = Vec::new();
        let mut end = 0;
        while let Some(entry) = next(&mut reader, end)? {
            end = entry.end();
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The same, one at a time: what is in memory is the index as it is written. It ends before an entry that is malformed; an index that was
    /// parsed has none.
    #[must_use]
    pub fn into_entries(self) -> IndexEntries {
        IndexEntries {
            bytes: self.entries,
            at: 0,
            end: 0,
        }
    }

    pub(super) fn encode(&self) -> Result<EncodedFrame> {
        let mut writer = EncodedFrame::writer(self.entries.len().saturating_add(16));
        writer.u64(self.content_chunks);
        writer.u64(self.commit_marks);
        writer.raw(&self.entries);
        EncodedFrame::new(FrameType::SegmentIndex, writer, Vec::new())
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(STRUCTURE, body);
        let mut index = Self {
            content_chunks: reader.u64()?,
            commit_marks: reader.u64()?,
            entries: reader.remainder().to_vec(),
            end: 0,
        };
        let mut entries = Reader::new(STRUCTURE, &index.entries);
        let mut end = 0;
        while let Some(entry) = next(&mut entries, end)? {
            end = entry.end();
        }
        index.end = end;
        Ok(index)
    }
}

/// The frames that a [`SegmentIndex`] names, in order.
#[derive(Debug, Clone)]
pub struct IndexEntries {
    bytes: Vec<u8>,
    at: usize,
    /// Where the frame before ends.
    end: u64,
}

impl Iterator for IndexEntries {
    type Item = IndexEntry;

    fn next(&mut self) -> Option<IndexEntry> {
        let rest = self.bytes.get(self.at..)?;
        let mut reader = Reader::new(STRUCTURE, rest);
        let entry = next(&mut reader, self.end).ok()??;
        let taken = rest.len().saturating_sub(reader.remainder().len());
        self.at = self.at.saturating_add(taken);
        self.end = entry.end();
        Some(entry)
    }
}

/// The entry of the next frame, when the one before ends at `end`. `None`: that was the last one.
fn next(reader: &mut Reader<'_>, end: u64) -> Result<Option<IndexEntry>> {
    if reader.clone().finish().is_ok() {
        return Ok(None);
    }
    let frame_type =
        FrameType::from_code(reader.u8()?).ok_or_else(|| reader.error(ErrorKind::InvalidValue))?;
    let gap = reader.varint()?;
    let length = reader.count(FRAME_BODY_BYTES_MAX)?;
    let entry = end.checked_add(gap).and_then(|offset| {
        Some(IndexEntry {
            frame_type,
            offset,
            body_bytes: u32::try_from(length).ok()?,
        })
    });
    match entry {
        Some(entry) => Ok(Some(entry)),
        None => Err(reader.error(ErrorKind::InvalidValue)),
    }
}

impl IndexEntry {
    /// Offset of the first byte after the frame.
    #[must_use]
    pub fn end(&self) -> u64 {
        let header = u64::try_from(FRAME_HEADER_BYTES).unwrap_or(u64::MAX);
        self.offset
            .saturating_add(header)
            .saturating_add(u64::from(self.body_bytes))
    }
}

const STRUCTURE: &str = "SegmentIndex";
