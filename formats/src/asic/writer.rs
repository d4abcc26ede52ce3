//! Writing a container.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::layout::{LOCAL_CRC_OFFSET, StoredMember, end_records};
use super::name;
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{NAME_BYTES_MAX, ZIP_MEMBERS_MAX};

/// Writes a container whose bytes depend on nothing but the members: stored, without times, in the order of the calls.
///
/// Contents are not compressed: in thirty years a stored member can be cut out with a text editor, and no two versions of a
/// compressor make different files of the same evidence.
#[derive(Debug)]
pub struct AsicWriter<W> {
    sink: W,
    position: u64,
    members: Vec<Written>,
    names: BTreeSet<String>,
}

#[derive(Debug)]
struct Written {
    name: String,
    crc: u32,
    size: u64,
    offset: u64,
}

/// Why a container could not be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The content could not be read. Look at the source of the content.
    Source(io::Error),
    /// The container could not be written. Look at the disk that it is written to.
    Sink(io::Error),
    /// The content or its name is not what a container may hold, or not what the manifest says.
    Format(FormatError),
}

impl<W: Write + Seek> AsicWriter<W> {
    /// Starts a container with its `mimetype` member, at the present position of `sink`, which must be its beginning.
    ///
    /// # Errors
    ///
    /// [`WriteError::Sink`] if it cannot be written, or is not at its beginning.
    pub fn new(mut sink: W, mimetype: &str) -> Result<Self, WriteError> {
        if sink.stream_position().map_err(WriteError::Sink)? != 0 {
            return Err(WriteError::Sink(io::ErrorKind::NotSeekable.into()));
        }
        let mut writer = Self {
            sink,
            position: 0,
            members: Vec::new(),
            names: BTreeSet::new(),
        };
        writer.add_bytes("mimetype", mimetype.as_bytes())?;
        Ok(writer)
    }

    /// Adds a member that is in memory.
    ///
    /// # Errors
    ///
    /// As [`AsicWriter::add`].
    pub fn add_bytes(&mut self, name: &str, content: &[u8]) -> Result<(), WriteError> {
        let size =
            u64::try_from(content.len()).map_err(|_| format_error(ErrorKind::LimitExceeded))?;
        let offset = self.begin(name, crc32fast::hash(content), size)?;
        self.write(content)?;
        self.members.push(Written {
            name: name.to_owned(),
            crc: crc32fast::hash(content),
            size,
            offset,
        });
        Ok(())
    }

    /// Adds a member of `size` bytes from a reader.
    ///
    /// After an error the container is not complete: throw it away.
    ///
    /// # Errors
    ///
    /// [`WriteError::Format`] if the name is not a relative path, or was used before ([`ErrorKind::DuplicateElement`]), or the reader
    /// gives another number of bytes ([`ErrorKind::SizeMismatch`]); [`WriteError::Source`] and [`WriteError::Sink`].
    pub fn add(&mut self, name: &str, size: u64, mut content: impl Read) -> Result<(), WriteError> {
        let offset = self.begin(name, 0, size)?;
        let crc = self.copy(&mut content, size)?;
        let crc_position = offset
            .checked_add(LOCAL_CRC_OFFSET)
            .ok_or(format_error(ErrorKind::LimitExceeded))?;
        self.sink
            .seek(SeekFrom::Start(crc_position))
            .map_err(WriteError::Sink)?;
        self.sink
            .write_all(&crc.to_le_bytes())
            .map_err(WriteError::Sink)?;
        self.sink
            .seek(SeekFrom::Start(self.position))
            .map_err(WriteError::Sink)?;
        self.members.push(Written {
            name: name.to_owned(),
            crc,
            size,
            offset,
        });
        Ok(())
    }

    /// Writes the central directory and gives the sink back, flushed.
    ///
    /// # Errors
    ///
    /// [`WriteError::Sink`].
    pub fn finish(mut self) -> Result<W, WriteError> {
        let start = self.position;
        let mut directory = Vec::new();
        for member in &self.members {
            let record = member
                .stored()
                .central_header()
                .ok_or(format_error(ErrorKind::LimitExceeded))?;
            directory.extend_from_slice(&record);
        }
        let count = u64::try_from(self.members.len())
            .map_err(|_| format_error(ErrorKind::LimitExceeded))?;
        self.write(&directory)?;
        let end = end_records(count, start, self.position.saturating_sub(start));
        self.write(&end)?;
        self.sink.flush().map_err(WriteError::Sink)?;
        Ok(self.sink)
    }

    fn begin(&mut self, name: &str, crc: u32, size: u64) -> Result<u64, WriteError> {
        if name.len() > NAME_BYTES_MAX || self.members.len() >= ZIP_MEMBERS_MAX {
            return Err(format_error(ErrorKind::LimitExceeded));
        }
        if !name::is_acceptable(name) || name.ends_with('/') {
            return Err(format_error(ErrorKind::InvalidName));
        }
        if !self.names.insert(name.to_owned()) {
            return Err(format_error(ErrorKind::DuplicateElement));
        }
        let offset = self.position;
        let member = StoredMember {
            name: name.as_bytes(),
            crc,
            size,
            offset,
        };
        let header = member
            .local_header()
            .ok_or(format_error(ErrorKind::LimitExceeded))?;
        self.write(&header)?;
        Ok(offset)
    }

    fn copy(&mut self, content: &mut impl Read, size: u64) -> Result<u32, WriteError> {
        let mut crc = crc32fast::Hasher::new();
        let mut buffer = vec![0; COPY_BYTES];
        let mut left = size;
        loop {
            let count = match content.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(WriteError::Source(error)),
            };
            let chunk = buffer.get(..count).unwrap_or_default();
            if chunk.is_empty() {
                break;
            }
            let counted = u64::try_from(count)
                .ok()
                .and_then(|count| left.checked_sub(count));
            left = counted.ok_or(format_error(ErrorKind::SizeMismatch))?;
            crc.update(chunk);
            self.write(chunk)?;
        }
        if left == 0 {
            Ok(crc.finalize())
        } else {
            Err(format_error(ErrorKind::SizeMismatch))
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.sink.write_all(bytes).map_err(WriteError::Sink)?;
        let length = u64::try_from(bytes.len()).ok();
        let position = length.and_then(|length| self.position.checked_add(length));
        self.position = position.ok_or(format_error(ErrorKind::LimitExceeded))?;
        Ok(())
    }
}

impl Written {
    fn stored(&self) -> StoredMember<'_> {
        StoredMember {
            name: self.name.as_bytes(),
            crc: self.crc,
            size: self.size,
            offset: self.offset,
        }
    }
}

impl From<FormatError> for WriteError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(f, "the content could not be read: {error}"),
            Self::Sink(error) => write!(f, "the container could not be written: {error}"),
            Self::Format(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(error) | Self::Sink(error) => Some(error),
            Self::Format(error) => Some(error),
        }
    }
}

const fn format_error(kind: ErrorKind) -> WriteError {
    WriteError::Format(FormatError::new(kind, "ZIP member"))
}

const COPY_BYTES: usize = 256 * 1024;
