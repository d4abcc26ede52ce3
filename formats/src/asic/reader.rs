//! Reading a container.

use super::content::AsicEntry;
use super::fields::error;
use super::structure::Structure;
use super::uri;
use crate::access::{Bytes, RandomAccess};
use crate::error::{ErrorKind, Result};

/// An ASiC container, or any other ZIP file, in memory or elsewhere.
///
/// Opening checks the whole structure and every limit, and reads no content but that of `mimetype`. Stored members in memory are never copied.
#[derive(Debug)]
pub struct AsicReader<'a> {
    entries: Vec<AsicEntry<'a>>,
    /// Places in `entries`, in the order of the names.
    by_name: Vec<usize>,
    mimetype: Option<String>,
    notes: Vec<ContainerNote>,
    canonical: bool,
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
    /// The `mimetype` member cannot be read, or is not a media type that an ASiC container may have.
    MimetypeUnknown,
    /// The media type is that of an OpenDocument or EPUB file, which an ASiC-E container may keep (TS 102 918 §6.2.1).
    MimetypeOfDocument,
    /// There is no `mimetype` member, but the comment at the end states the media type (EN 319 162-1 §A.1).
    MimetypeInComment,
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
    /// A member that becomes a link or a device where it is unpacked, or a folder with content: what a reader sees is not what stands here.
    NotPlainFile {
        /// Its place in [`AsicReader::entries`].
        entry: usize,
    },
}

impl<'a> AsicReader<'a> {
    /// Opens a container in memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongType`] if this is no ZIP file; [`ErrorKind::Truncated`] if it is cut off; [`ErrorKind::InvalidName`] and
    /// [`ErrorKind::DuplicateElement`] for names that climb out of the folder or occur twice; [`ErrorKind::Inconsistent`] and
    /// [`ErrorKind::Overlap`] if the headers contradict each other; [`ErrorKind::Encrypted`] and
    /// [`ErrorKind::UnsupportedCompression`]; [`ErrorKind::LimitExceeded`] for a bomb.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        Self::open_bytes(Bytes::Memory(bytes))
    }

    /// Opens a container that need not be in memory.
    ///
    /// # Errors
    ///
    /// As [`AsicReader::open`], and [`ErrorKind::Unreadable`] if the medium does not give the bytes.
    pub fn open_at(file: &'a dyn RandomAccess) -> Result<Self> {
        Self::open_bytes(Bytes::Elsewhere(file))
    }

    /// Opens a container wherever it is.
    ///
    /// # Errors
    ///
    /// As [`AsicReader::open_at`].
    pub fn open_bytes(file: Bytes<'a>) -> Result<Self> {
        let structure = Structure::read(file)?;
        let mut notes = Vec::new();
        for (index, member) in structure.members.iter().enumerate() {
            if member.name_guessed {
                notes.push(ContainerNote::NameEncodingUnknown { entry: index });
            }
            if member.has_other_name {
                notes.push(ContainerNote::OtherName { entry: index });
            }
            if !member.is_plain {
                notes.push(ContainerNote::NotPlainFile { entry: index });
            }
        }
        let members = structure.members.into_iter();
        let entries: Vec<_> = members.map(|member| AsicEntry { file, member }).collect();
        let by_name = sorted_by_name(&entries)?;
        if let Some(offset) = structure.unlisted {
            notes.push(ContainerNote::UnlistedBytes {
                offset: usize::try_from(offset).unwrap_or(usize::MAX),
            });
        }
        if structure.comment.is_some() {
            notes.push(ContainerNote::Comment);
        }
        let mut reader = Self {
            entries,
            by_name,
            mimetype: None,
            notes,
            canonical: structure.canonical,
        };
        reader.read_mimetype(structure.comment.as_deref());
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
        let name_at = |index: &usize| self.entries.get(*index).map_or("", AsicEntry::name);
        let found = self
            .by_name
            .binary_search_by(|index| name_at(index).cmp(name));
        self.entries.get(*self.by_name.get(found.ok()?)?)
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

    fn read_mimetype(&mut self, comment: Option<&[u8]>) {
        let Some(entry) = self.entry(MIMETYPE) else {
            let stated = comment.and_then(|comment| comment.strip_prefix(b"mimetype="));
            let stated = stated
                .and_then(|text| str::from_utf8(text).ok())
                .map(str::trim);
            let known = super::MIMETYPES
                .iter()
                .find(|known| Some(**known) == stated);
            self.mimetype = known.map(|known| (*known).to_owned());
            self.notes.push(match known {
                Some(_) => ContainerNote::MimetypeInComment,
                None => ContainerNote::MimetypeMissing,
            });
            return;
        };
        let mut notes = Vec::new();
        if entry.member.offset != 0 {
            notes.push(ContainerNote::MimetypeNotFirst);
        }
        if !entry.is_stored() {
            notes.push(ContainerNote::MimetypeCompressed);
        }
        if entry.member.has_extra {
            notes.push(ContainerNote::MimetypeExtraField);
        }
        let content = entry.read_up_to(super::MIMETYPE_BYTES_MAX).ok();
        let text = content
            .as_deref()
            .and_then(|content| str::from_utf8(content).ok());
        let text = text
            .filter(|text| text.is_ascii())
            .map(|text| text.trim().to_owned());
        let is_kept = |text: &str| KEPT_MIMETYPES.iter().any(|start| text.starts_with(start));
        match text.as_deref() {
            Some(text) if super::MIMETYPES.contains(&text) => {}
            Some(text) if is_kept(text) => notes.push(ContainerNote::MimetypeOfDocument),
            _ => notes.push(ContainerNote::MimetypeUnknown),
        }
        self.mimetype = text;
        self.notes.append(&mut notes);
    }
}

/// The places of the members in the order of their names, each of which may occur once.
fn sorted_by_name(entries: &[AsicEntry<'_>]) -> Result<Vec<usize>> {
    let name_at = |index: usize| entries.get(index).map_or("", AsicEntry::name);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|one, other| name_at(*one).cmp(name_at(*other)));
    for pair in order.windows(2) {
        if let [one, other] = pair
            && name_at(*one) == name_at(*other)
        {
            let at = entries
                .get(*other)
                .map_or(0, |entry| entry.member.listed_at);
            return Err(error(ErrorKind::DuplicateElement, "ZIP member name", at));
        }
    }
    Ok(order)
}

const MIMETYPE: &str = "mimetype";

/// Media types that a container may keep from the document that it is at the same time (TS 102 918 §6.2.1: ODF, UCF).
const KEPT_MIMETYPES: &[&str] = &[
    "application/vnd.oasis.opendocument.",
    "application/epub+zip",
];
