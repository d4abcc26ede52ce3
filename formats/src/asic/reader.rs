//! Reading a container.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::layout::STORED;
use super::structure::{Member, Structure};
use super::{name, uri};
use crate::error::{ErrorKind, FormatError, Result};

/// An ASiC container, or any other ZIP file, in memory.
///
/// Opening checks the whole structure and every limit, and reads no content. Stored members are never copied.
#[derive(Debug)]
pub struct AsicReader<'a> {
    entries: Vec<AsicEntry<'a>>,
    by_name: BTreeMap<String, usize>,
    mimetype: Option<String>,
    notes: Vec<ContainerNote>,
    canonical: bool,
}

/// A member of a container.
#[derive(Debug, Clone)]
pub struct AsicEntry<'a> {
    name: String,
    member: Member<'a>,
}

/// Something about a container that is not as EN 319 162-1 or APPNOTE.TXT want it, and does not stop it from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContainerNote {
    /// There is no `mimetype` member (EN 319 162-1 §A.1 recommends it).
    MimetypeMissing,
    /// The `mimetype` member is not the first one.
    MimetypeNotFirst,
    /// The `mimetype` member is compressed.
    MimetypeCompressed,
    /// The header of the `mimetype` member has extra fields, so that the media type does not stand at byte 38.
    MimetypeExtraField,
    /// The `mimetype` member cannot be read, or is not the media type of an ASiC container.
    MimetypeUnknown,
    /// Bytes of the file, from this offset, belong to no member. Programs that read from the front may see other members there.
    UnlistedBytes {
        /// The first of them.
        offset: usize,
    },
    /// The file ends with a comment, which nothing protects.
    Comment,
    /// A member's name is not ASCII and not marked as UTF-8: programs may show different names.
    NameEncodingUnknown {
        /// Its place in [`AsicReader::entries`].
        entry: usize,
    },
    /// A member has a second name in an extra field, which other programs may show.
    OtherName {
        /// Its place in [`AsicReader::entries`].
        entry: usize,
    },
}

impl<'a> AsicReader<'a> {
    /// Opens a container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongType`] if this is no ZIP file; [`ErrorKind::Truncated`] if it is cut off; [`ErrorKind::InvalidName`] and
    /// [`ErrorKind::DuplicateElement`] for names that climb out of the folder or occur twice; [`ErrorKind::Inconsistent`] and
    /// [`ErrorKind::Overlap`] if the headers contradict each other; [`ErrorKind::Encrypted`] and
    /// [`ErrorKind::UnsupportedCompression`]; [`ErrorKind::LimitExceeded`] for a bomb.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let structure = Structure::read(bytes)?;
        let mut entries = Vec::new();
        let mut by_name = BTreeMap::new();
        let mut notes = Vec::new();
        for (index, member) in structure.members.into_iter().enumerate() {
            let (name, guessed) = name::decode(member.name, member.flags, member.listed_at)?;
            if guessed {
                notes.push(ContainerNote::NameEncodingUnknown { entry: index });
            }
            if member.has_other_name {
                notes.push(ContainerNote::OtherName { entry: index });
            }
            if by_name.insert(name.clone(), index).is_some() {
                return Err(
                    FormatError::new(ErrorKind::DuplicateElement, "ZIP member name")
                        .at(member.listed_at),
                );
            }
            entries.push(AsicEntry { name, member });
        }
        if let Some(offset) = structure.unlisted {
            notes.push(ContainerNote::UnlistedBytes { offset });
        }
        if structure.comment {
            notes.push(ContainerNote::Comment);
        }
        let mut reader = Self {
            entries,
            by_name,
            mimetype: None,
            notes,
            canonical: structure.canonical,
        };
        reader.read_mimetype();
        Ok(reader)
    }

    /// The members, in the order of the central directory.
    #[must_use]
    pub fn entries(&self) -> &[AsicEntry<'a>] {
        &self.entries
    }

    /// The member of this name.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&AsicEntry<'a>> {
        self.by_name
            .get(name)
            .and_then(|index| self.entries.get(*index))
    }

    /// The member that a URI reference in a manifest means: percent-decoded, or else as it stands, since some writers do not encode.
    #[must_use]
    pub fn resolve(&self, reference: &str) -> Option<&AsicEntry<'a>> {
        uri::decode(reference)
            .and_then(|name| self.entry(&name))
            .or_else(|| self.entry(reference))
    }

    /// The content of the `mimetype` member, without white space around it, if it is ASCII text.
    #[must_use]
    pub fn mimetype(&self) -> Option<&str> {
        self.mimetype.as_deref()
    }

    /// What is odd about the container.
    #[must_use]
    pub fn notes(&self) -> &[ContainerNote] {
        &self.notes
    }

    /// Whether the headers are, bit for bit, those that [`AsicWriter`](super::AsicWriter) writes for these members.
    ///
    /// Then a change of any bit of the file is found: in a header by this, in the content by its CRC. Foreign containers are not canonical.
    #[must_use]
    pub const fn is_canonical(&self) -> bool {
        self.canonical
    }

    fn read_mimetype(&mut self) {
        let Some(index) = self.by_name.get("mimetype").copied() else {
            self.notes.push(ContainerNote::MimetypeMissing);
            return;
        };
        let Some(entry) = self.entries.get(index) else {
            return;
        };
        if entry.member.offset != 0 {
            self.notes.push(ContainerNote::MimetypeNotFirst);
        }
        if !entry.is_stored() {
            self.notes.push(ContainerNote::MimetypeCompressed);
        }
        if entry.member.has_extra {
            self.notes.push(ContainerNote::MimetypeExtraField);
        }
        let text = entry.read_short(super::MIMETYPE_BYTES_MAX);
        self.mimetype = text.filter(|text| text.is_ascii());
        if !self
            .mimetype()
            .is_some_and(|text| super::MIMETYPES.contains(&text))
        {
            self.notes.push(ContainerNote::MimetypeUnknown);
        }
    }
}

impl<'a> AsicEntry<'a> {
    /// The name, with `/` between its components. A folder ends with `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is a folder, which has no content.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
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

    /// The content, after a check of its size and CRC.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChecksumMismatch`], [`ErrorKind::SizeMismatch`] or [`ErrorKind::InvalidEncoding`] if the content is damaged.
    pub fn read(&self) -> Result<Cow<'a, [u8]>> {
        let content = if self.is_stored() {
            Cow::Borrowed(self.member.data)
        } else {
            Cow::Owned(self.inflate()?)
        };
        if crc32fast::hash(&content) == self.member.crc {
            Ok(content)
        } else {
            Err(self.error(ErrorKind::ChecksumMismatch))
        }
    }

    /// The stated size bounds the memory: opening has checked it against the limits.
    fn inflate(&self) -> Result<Vec<u8>> {
        use miniz_oxide::inflate::TINFLStatus;
        use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF as WHOLE;
        use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

        let size =
            usize::try_from(self.member.size).map_err(|_| self.error(ErrorKind::LimitExceeded))?;
        let mut out = vec![0; size];
        let mut state = Box::<DecompressorOxide>::default();
        let (status, consumed, produced) =
            decompress(&mut state, self.member.data, &mut out, 0, WHOLE);
        let whole = produced == size && consumed == self.member.data.len();
        if status == TINFLStatus::Done && whole {
            Ok(out)
        } else if matches!(status, TINFLStatus::Done | TINFLStatus::HasMoreOutput) {
            Err(self.error(ErrorKind::SizeMismatch))
        } else {
            Err(self.error(ErrorKind::InvalidEncoding))
        }
    }

    fn read_short(&self, bytes_max: u64) -> Option<String> {
        if self.size() > bytes_max {
            return None;
        }
        let content = self.read().ok()?;
        str::from_utf8(&content)
            .ok()
            .map(|text| text.trim().to_owned())
    }

    const fn error(&self, kind: ErrorKind) -> FormatError {
        FormatError::new(kind, "ZIP member content").at(self.member.offset)
    }
}
