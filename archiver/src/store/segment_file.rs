//! An open copy of a segment, and where its frames stand in the file: a compacted segment has fewer bytes and the same addresses.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use formats::segment::{
    CompactionMap, FRAME_HEADER_BYTES, Frame, FrameHeader, FrameType, Located, RunTable,
    SegmentHeader, SegmentSeal,
};

/// An open copy of a segment.
#[derive(Debug)]
pub(super) struct SegmentFile {
    file: File,
    layout: Layout,
}

/// Where original offsets are in the file.
#[derive(Debug)]
enum Layout {
    /// Where they say.
    Original,
    /// Where the table says.
    Compacted(RunTable),
    /// Nobody knows: the segment was compacted, and both of its maps are damaged.
    Lost,
}

impl SegmentFile {
    /// Finds out whether the segment was compacted. A file that is too short, or damaged at its start, counts as an ordinary one unless
    /// a map is found.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let layout = layout(&file)?;
        Ok(Self { file, layout })
    }

    /// The file.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Where the byte at an original offset is. `None`: it cannot be found.
    pub(super) fn locate(&self, offset: u64) -> Option<Located> {
        match &self.layout {
            Layout::Original => Some(Located::Kept {
                place: offset,
                left: u64::MAX,
            }),
            Layout::Compacted(table) => Some(table.locate(offset)),
            Layout::Lost => None,
        }
    }

    /// The map of a compacted segment, whole.
    pub(super) fn map(&self) -> io::Result<Option<CompactionMap>> {
        Ok(match map_at(&self.file, CompactionMap::OFFSET)? {
            Some((map, _)) => Some(map),
            None => second_map(&self.file)?.map(|(map, _)| map),
        })
    }

    /// The table of a compacted segment.
    pub(super) const fn table(&self) -> Option<&RunTable> {
        match &self.layout {
            Layout::Compacted(table) => Some(table),
            Layout::Original | Layout::Lost => None,
        }
    }
}

fn layout(file: &File) -> io::Result<Layout> {
    let header = Frame::parse(&read(file, 0, SegmentHeader::FRAME_BYTES)?);
    let compacted = match header {
        Ok(Frame::SegmentHeader(header)) if !header.compacted => return Ok(Layout::Original),
        Ok(Frame::SegmentHeader(_)) => true,
        _ => false,
    };
    let map = match map_at(file, CompactionMap::OFFSET)? {
        None => second_map(file)?,
        map => map,
    };
    Ok(match map {
        Some((map, bytes)) => Layout::Compacted(RunTable::new(&map, bytes)),
        None if compacted => Layout::Lost,
        None => Layout::Original,
    })
}

/// The map between the index and the seal.
fn second_map(file: &File) -> io::Result<Option<(CompactionMap, usize)>> {
    let seal_bytes = SegmentSeal::FRAME_BYTES as u64;
    let Some(offset) = file.metadata()?.len().checked_sub(seal_bytes) else {
        return Ok(None);
    };
    let Ok(Frame::SegmentSeal(seal)) = Frame::parse(&read(file, offset, SegmentSeal::FRAME_BYTES)?)
    else {
        return Ok(None);
    };
    match FrameHeader::parse(&read(file, seal.index_offset, FRAME_HEADER_BYTES)?) {
        Ok(header) if header.frame_type == FrameType::SegmentIndex => {
            map_at(file, seal.index_offset + header.frame_bytes() as u64)
        }
        _ => Ok(None),
    }
}

/// The map at a place of the file, and the bytes of its frame.
fn map_at(file: &File, offset: u64) -> io::Result<Option<(CompactionMap, usize)>> {
    let header = match FrameHeader::parse(&read(file, offset, FRAME_HEADER_BYTES)?) {
        Ok(header) if header.frame_type == FrameType::CompactionMap => header,
        _ => return Ok(None),
    };
    let bytes = read(file, offset, header.frame_bytes())?;
    Ok(match Frame::parse(&bytes) {
        Ok(Frame::CompactionMap(map)) => Some((map, bytes.len())),
        _ => None,
    })
}

/// The one call that reads segments by walking them, so that tests can let it fail.
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(test)]
    let bytes = super::durable::faults::readable(file, bytes, offset)?;
    file.read_at(bytes, offset)
}

/// So many bytes, or as many as the file has.
fn read(file: &File, offset: u64, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_at(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
