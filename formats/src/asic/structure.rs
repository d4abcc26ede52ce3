//! Where the members of a foreign ZIP file stand (APPNOTE.TXT §4.3).
//!
//! ZIP says most things twice, in the central directory and in front of each member. Programs that believe the one see other
//! contents than programs that believe the other. So both must agree here, members must not share bytes, the directory must end
//! where its own record begins, and bytes that belong to no member are reported.

use std::borrow::Cow;

use super::directory::{Directory, END_PLACE};
use super::fields::{Fields, error, length_of};
use super::layout::{
    CENTRAL, DEFLATED, DESCRIPTOR, EXTRA_UNICODE_PATH, EXTRA_ZIP64, FLAG_DESCRIPTOR,
    FLAGS_ENCRYPTED, LOCAL, STORED, StoredMember, end_records,
};
use super::name;
use crate::access::{BLOCK_BYTES, Bytes};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{
    ZIP_DIRECTORY_BYTES_MAX, ZIP_INFLATED_BYTES_MAX, ZIP_MEMBERS_MAX, ZIP_RATIO_FREE_BYTES,
    ZIP_RATIO_MAX,
};

/// The members, in the order of the central directory, and what is odd about the file.
#[derive(Debug)]
pub(super) struct Structure {
    pub(super) members: Vec<Member>,
    /// First byte that belongs to no member.
    pub(super) unlisted: Option<u64>,
    pub(super) comment: Option<Vec<u8>>,
    /// Whether these are the bytes that our own writer makes of these members.
    pub(super) canonical: bool,
}

/// One member.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    /// Whether the character set of the name had to be guessed.
    pub(super) name_guessed: bool,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) size: u64,
    /// Where the bytes stand in the file, and how many they are there.
    pub(super) data_at: u64,
    pub(super) compressed: u64,
    /// Where the local header begins.
    pub(super) offset: u64,
    /// Where the central directory header begins.
    pub(super) listed_at: u64,
    /// Where data and descriptor end.
    end: u64,
    pub(super) has_extra: bool,
    pub(super) has_other_name: bool,
    /// Whether unpacking makes a file, or an empty folder, of it, and no link or device.
    pub(super) is_plain: bool,
}

/// A record of the central directory.
struct Listed<'a> {
    at: u64,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    offset: u64,
    name: &'a [u8],
    extra: &'a [u8],
    /// The type of a file under Unix (the upper four bits of its mode); 0 where none is stated.
    file_type: u32,
}

impl Structure {
    /// Reads the directory in blocks, and in front of each member its header: nothing of the contents.
    pub(super) fn read(file: Bytes<'_>) -> Result<Self> {
        let directory = Directory::find(file)?;
        let size = directory.end.saturating_sub(directory.start);
        if directory.members > ZIP_MEMBERS_MAX || size > ZIP_DIRECTORY_BYTES_MAX {
            return Err(error(ErrorKind::LimitExceeded, END_PLACE, directory.end));
        }
        let mut at = directory.start;
        let mut block_at = at;
        let mut block = file.get_up_to(at, BLOCK_BYTES, CENTRAL_PLACE)?;
        let mut members = Vec::new();
        let mut form = CanonicalForm::default();
        for _ in 0..directory.members {
            let skipped = usize::try_from(at.saturating_sub(block_at)).unwrap_or(usize::MAX);
            if block.len().saturating_sub(skipped) < RECORD_BYTES_MAX {
                block = file.get_up_to(at, BLOCK_BYTES, CENTRAL_PLACE)?;
                block_at = at;
            }
            let skipped = usize::try_from(at.saturating_sub(block_at)).unwrap_or(usize::MAX);
            let bytes = block.get(skipped..).unwrap_or_default();
            let mut fields = Fields::over(bytes, at, CENTRAL_PLACE);
            let listed = Listed::read(&mut fields)?;
            at = fields.offset();
            let length = usize::try_from(at.saturating_sub(listed.at)).unwrap_or(usize::MAX);
            let record = bytes.get(..length).unwrap_or_default();
            members.push(Member::locate(
                file,
                &listed,
                directory.start,
                (&mut form, record),
            )?);
        }
        if at != directory.end {
            return Err(error(ErrorKind::Inconsistent, CENTRAL_PLACE, at));
        }
        check_inflated_size(&members)?;
        let unlisted = first_unlisted(&members, directory.start)?;
        let canonical = form.ends_with(file, members.len(), &directory)?;
        Ok(Self {
            members,
            unlisted,
            comment: directory.comment,
            canonical,
        })
    }
}

impl<'a> Listed<'a> {
    fn read(fields: &mut Fields<'a>) -> Result<Self> {
        let at = fields.offset();
        fields.signature(CENTRAL)?;
        let _versions = fields.u32()?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let _time = fields.u32()?;
        let (crc, compressed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (name_length, extra_length, comment_length) =
            (fields.u16()?, fields.u16()?, fields.u16()?);
        let disk = fields.u16()?;
        let (_internal, external) = (fields.u16()?, fields.u32()?);
        let offset = fields.u32()?;
        let name = fields.take(name_length.into())?;
        let extra = fields.take(extra_length.into())?;
        fields.take(comment_length.into())?;
        if disk != 0 {
            return Err(error(ErrorKind::InvalidValue, CENTRAL_PLACE, at));
        }
        let mut wide = WideValues::of(extra);
        let missing = error(ErrorKind::MissingElement, CENTRAL_PLACE, at);
        Ok(Self {
            at,
            flags,
            method,
            crc,
            size: wide.or_next(size).ok_or(missing)?,
            compressed: wide.or_next(compressed).ok_or(missing)?,
            offset: wide.or_next(offset).ok_or(missing)?,
            name,
            extra,
            file_type: external >> 28,
        })
    }
}

impl Member {
    fn locate(
        file: Bytes<'_>,
        listed: &Listed<'_>,
        limit: u64,
        (form, record): (&mut CanonicalForm, &[u8]),
    ) -> Result<Self> {
        listed.check()?;
        let offset = listed.offset;
        let header = local_header(file, offset)?;
        let mut fields = Fields::over(&header, offset, LOCAL_PLACE);
        let (has_local_extra, has_other_name) = listed.check_local(&mut fields)?;
        let data_at = fields.offset();
        let outside = error(ErrorKind::Truncated, LOCAL_PLACE, data_at);
        let mut end = data_at.checked_add(listed.compressed).ok_or(outside)?;
        if end > file.len() {
            return Err(outside);
        }
        if end > limit {
            return Err(error(ErrorKind::Overlap, LOCAL_PLACE, offset));
        }
        form.add(listed, &header, record);
        if listed.flags & FLAG_DESCRIPTOR != 0 {
            end = listed.skip_descriptor(file, end)?;
        }
        let (name, name_guessed) = name::decode(listed.name, listed.flags, listed.at)?;
        let is_plain = match (listed.file_type, name.ends_with('/')) {
            (0 | TYPE_DIRECTORY, true) => listed.size == 0,
            (0 | TYPE_REGULAR, false) => true,
            _ => false,
        };
        Ok(Self {
            name,
            name_guessed,
            method: listed.method,
            crc: listed.crc,
            size: listed.size,
            data_at,
            compressed: listed.compressed,
            offset,
            listed_at: listed.at,
            end,
            has_extra: has_local_extra || !listed.extra.is_empty(),
            has_other_name: has_other_name
                || extra_field(listed.extra, EXTRA_UNICODE_PATH).is_some(),
            is_plain,
        })
    }
}

/// A regular file, and a directory, in the upper four bits of a Unix mode (`S_IFREG`, `S_IFDIR`).
const TYPE_REGULAR: u32 = 8;
const TYPE_DIRECTORY: u32 = 4;

/// The header in front of a member, with its name and its extra fields.
fn local_header(file: Bytes<'_>, offset: u64) -> Result<Cow<'_, [u8]>> {
    let header = file.get_up_to(offset, LOCAL_BYTES_USUAL, LOCAL_PLACE)?;
    let mut fields = Fields::over(&header, offset, LOCAL_PLACE);
    fields.signature(LOCAL)?;
    fields.take(LOCAL_LENGTHS_OFFSET)?;
    let (name, extra) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
    let length = LOCAL_BYTES.saturating_add(name).saturating_add(extra);
    match header {
        Cow::Borrowed(_) => file.get(offset, length, LOCAL_PLACE),
        Cow::Owned(mut read) if read.len() >= length => {
            read.truncate(length);
            Ok(Cow::Owned(read))
        }
        Cow::Owned(_) => file.get(offset, length, LOCAL_PLACE),
    }
}

impl Listed<'_> {
    fn check(&self) -> Result<()> {
        let fail = |kind| Err(error(kind, CENTRAL_PLACE, self.at));
        if self.flags & FLAGS_ENCRYPTED != 0 {
            return fail(ErrorKind::Encrypted);
        }
        match self.method {
            STORED if self.compressed != self.size => fail(ErrorKind::Inconsistent),
            STORED => Ok(()),
            DEFLATED if self.is_bomb() => fail(ErrorKind::LimitExceeded),
            DEFLATED => Ok(()),
            _ => fail(ErrorKind::UnsupportedCompression),
        }
    }

    fn is_bomb(&self) -> bool {
        self.size > ZIP_RATIO_FREE_BYTES
            && self.size > self.compressed.saturating_mul(ZIP_RATIO_MAX)
    }

    /// Compares the header in front of the data, and says whether it has extra fields, and a second name among them.
    fn check_local(&self, fields: &mut Fields<'_>) -> Result<(bool, bool)> {
        let at = fields.offset();
        fields.signature(LOCAL)?;
        let _version = fields.u16()?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let _time = fields.u32()?;
        let (crc, compressed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (name_length, extra_length) = (fields.u16()?, fields.u16()?);
        let name = fields.take(name_length.into())?;
        let extra = fields.take(extra_length.into())?;
        let mut wide = WideValues::of(extra);
        let missing = error(ErrorKind::MissingElement, LOCAL_PLACE, at);
        let size = wide.or_next(size).ok_or(missing)?;
        let compressed = wide.or_next(compressed).ok_or(missing)?;
        let same_values = (crc, compressed, size) == (self.crc, self.compressed, self.size);
        let later = flags & FLAG_DESCRIPTOR != 0;
        let unsaid = later
            && (crc == 0 || crc == self.crc)
            && (compressed == 0 || compressed == self.compressed)
            && (size == 0 || size == self.size);
        let relevant = FLAGS_ENCRYPTED | FLAG_DESCRIPTOR;
        let same_flags = flags & relevant == self.flags & relevant;
        if name == self.name && method == self.method && same_flags && (same_values || unsaid) {
            let other_name = extra_field(extra, EXTRA_UNICODE_PATH);
            Ok((!extra.is_empty(), other_name.is_some()))
        } else {
            Err(error(ErrorKind::Inconsistent, LOCAL_PLACE, at))
        }
    }

    /// The place behind a data descriptor (§4.3.9), with or without its signature, with sizes of 32 or 64 bits. What matches none of these
    /// forms is left: it will be reported as bytes of no member.
    fn skip_descriptor(&self, file: Bytes<'_>, at: u64) -> Result<u64> {
        let found = file.get_up_to(at, DESCRIPTOR_BYTES_MAX, LOCAL_PLACE)?;
        let crc = self.crc.to_le_bytes();
        let wide = [self.compressed.to_le_bytes(), self.size.to_le_bytes()].concat();
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        let narrow = [narrow(self.compressed), narrow(self.size)].concat();
        for signature in [DESCRIPTOR.to_le_bytes().as_slice(), &[]] {
            for sizes in [&wide, &narrow] {
                let expected = [signature, crc.as_slice(), sizes.as_slice()].concat();
                if found.starts_with(&expected) {
                    return Ok(at.saturating_add(length_of(&expected)));
                }
            }
        }
        Ok(at)
    }
}

/// The 64-bit values of an extra field, in the order of the 32-bit fields that are all ones (§4.5.3).
struct WideValues<'a>(Option<Fields<'a>>);

impl<'a> WideValues<'a> {
    fn of(extra: &'a [u8]) -> Self {
        Self(extra_field(extra, EXTRA_ZIP64).map(|body| Fields::over(body, 0, EXTRA_PLACE)))
    }

    fn or_next(&mut self, value: u32) -> Option<u64> {
        match (&mut self.0, value) {
            (Some(fields), u32::MAX) => fields.u64().ok(),
            (_, value) => Some(value.into()),
        }
    }
}

/// The body of the first extra field with this id. Broken extra fields end the search: they are common, and nothing depends on the rest.
fn extra_field(extra: &[u8], id: u16) -> Option<&[u8]> {
    let mut fields = Fields::over(extra, 0, CENTRAL_PLACE);
    loop {
        let (found, length) = (fields.u16().ok()?, fields.u16().ok()?);
        let body = fields.take(length.into()).ok()?;
        if found == id {
            return Some(body);
        }
    }
}

fn check_inflated_size(members: &[Member]) -> Result<()> {
    let deflated = members.iter().filter(|member| member.method == DEFLATED);
    let total = deflated.fold(0_u64, |total, member| total.saturating_add(member.size));
    if total > ZIP_INFLATED_BYTES_MAX {
        return Err(FormatError::new(ErrorKind::LimitExceeded, CENTRAL_PLACE));
    }
    Ok(())
}

/// Refuses members that share bytes; finds bytes that belong to none.
fn first_unlisted(members: &[Member], directory_start: u64) -> Result<Option<u64>> {
    let mut extents: Vec<_> = members
        .iter()
        .map(|member| (member.offset, member.end))
        .collect();
    extents.sort_unstable();
    let mut position = 0;
    let mut unlisted = None;
    for (start, end) in extents {
        if start < position {
            return Err(error(ErrorKind::Overlap, LOCAL_PLACE, start));
        }
        if start > position {
            unlisted = unlisted.or(Some(position));
        }
        position = end;
    }
    Ok(unlisted.or((position < directory_start).then_some(position)))
}

/// Whether the file is, byte for byte, what [`super::AsicWriter`] writes for its members: found out while they are read.
#[derive(Debug)]
struct CanonicalForm {
    holds: bool,
    /// Where the next member has to begin.
    position: u64,
    directory_bytes: u64,
}

impl Default for CanonicalForm {
    fn default() -> Self {
        Self {
            holds: true,
            position: 0,
            directory_bytes: 0,
        }
    }
}

impl CanonicalForm {
    fn add(&mut self, listed: &Listed<'_>, header: &[u8], record: &[u8]) {
        let stored = StoredMember {
            name: listed.name,
            crc: listed.crc,
            size: listed.size,
            offset: listed.offset,
        };
        self.holds &= listed.offset == self.position
            && listed.method == STORED
            && stored.local_header().as_deref() == Some(header)
            && stored.central_header().as_deref() == Some(record);
        let member = length_of(header).saturating_add(listed.compressed);
        self.position = self.position.saturating_add(member);
        self.directory_bytes = self.directory_bytes.saturating_add(length_of(record));
    }

    fn ends_with(&self, file: Bytes<'_>, members: usize, directory: &Directory) -> Result<bool> {
        if !self.holds || self.position != directory.start {
            return Ok(false);
        }
        let members = u64::try_from(members).unwrap_or(u64::MAX);
        let expected = end_records(members, self.position, self.directory_bytes);
        let longer = expected.len().saturating_add(1);
        Ok(*file.get_up_to(directory.end, longer, END_PLACE)? == *expected)
    }
}

/// Bytes of a record of the central directory: the fixed part and three texts of 65,535 bytes (§4.3.12).
const RECORD_BYTES_MAX: usize = 46 + 3 * 65_535;

/// Bytes of the fixed part of a local header (§4.3.7), and where in it the lengths of name and extra fields stand, after the signature.
const LOCAL_BYTES: usize = 30;
const LOCAL_LENGTHS_OFFSET: usize = 22;

/// A local header with usual names is read at once.
const LOCAL_BYTES_USUAL: usize = 512;

/// Bytes of the longest data descriptor (§4.3.9).
const DESCRIPTOR_BYTES_MAX: usize = 24;

const LOCAL_PLACE: &str = "ZIP local file header";
const CENTRAL_PLACE: &str = "ZIP central directory header";
const EXTRA_PLACE: &str = "ZIP zip64 extended information";
