//! Where the members of a foreign ZIP file stand (APPNOTE.TXT §4.3).
//!
//! ZIP says most things twice, in the central directory and in front of each member. Programs that believe the one see other
//! contents than programs that believe the other. So both must agree here, members must not share bytes, the directory must end
//! where its own record begins, and bytes that belong to no member are reported.

use super::directory::{Directory, END_PLACE};
use super::fields::Fields;
use super::layout::{
    CENTRAL, DEFLATED, DESCRIPTOR, EXTRA_UNICODE_PATH, EXTRA_ZIP64, FLAG_DESCRIPTOR,
    FLAGS_ENCRYPTED, LOCAL, STORED, StoredMember, end_records,
};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{ZIP_INFLATED_BYTES_MAX, ZIP_MEMBERS_MAX, ZIP_RATIO_FREE_BYTES, ZIP_RATIO_MAX};

/// The members, in the order of the central directory, and what is odd about the file.
#[derive(Debug)]
pub(super) struct Structure<'a> {
    pub(super) members: Vec<Member<'a>>,
    /// First byte that belongs to no member.
    pub(super) unlisted: Option<usize>,
    pub(super) comment: bool,
    /// Whether these are the bytes that our own writer makes of these members.
    pub(super) canonical: bool,
}

/// One member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) name: &'a [u8],
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) size: u64,
    /// The bytes as they stand in the file.
    pub(super) data: &'a [u8],
    /// Where the local header begins.
    pub(super) offset: usize,
    /// Where the central directory header begins.
    pub(super) listed_at: usize,
    /// Where data and descriptor end.
    end: usize,
    pub(super) has_extra: bool,
    pub(super) has_other_name: bool,
}

/// A record of the central directory.
struct Listed<'a> {
    at: usize,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    offset: u64,
    name: &'a [u8],
    extra: &'a [u8],
}

impl<'a> Structure<'a> {
    pub(super) fn read(file: &'a [u8]) -> Result<Self> {
        let directory = Directory::find(file)?;
        if directory.members > ZIP_MEMBERS_MAX {
            return Err(error(ErrorKind::LimitExceeded, END_PLACE, directory.end));
        }
        let mut fields = Fields::at(file, directory.start, CENTRAL_PLACE)?;
        let mut members = Vec::new();
        for _ in 0..directory.members {
            let listed = Listed::read(&mut fields)?;
            members.push(Member::locate(file, &listed, directory.start)?);
        }
        if fields.offset() != directory.end {
            return Err(fields.error(ErrorKind::Inconsistent));
        }
        check_inflated_size(&members)?;
        let unlisted = first_unlisted(&members, directory.start)?;
        let canonical = is_canonical(file, &members, &directory);
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
        let (_internal, _external) = (fields.u16()?, fields.u32()?);
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
        })
    }
}

impl<'a> Member<'a> {
    fn locate(file: &'a [u8], listed: &Listed<'a>, limit: usize) -> Result<Self> {
        listed.check()?;
        let outside = error(ErrorKind::Truncated, CENTRAL_PLACE, listed.at);
        let offset = usize::try_from(listed.offset).map_err(|_| outside)?;
        let length = usize::try_from(listed.compressed).map_err(|_| outside)?;
        let mut fields = Fields::at(file, offset, LOCAL_PLACE)?;
        let has_local_extra = listed.check_local(&mut fields)?;
        let data = fields.take(length)?;
        if fields.offset() > limit {
            return Err(error(ErrorKind::Overlap, LOCAL_PLACE, offset));
        }
        if listed.flags & FLAG_DESCRIPTOR != 0 {
            listed.skip_descriptor(&mut fields);
        }
        Ok(Self {
            name: listed.name,
            flags: listed.flags,
            method: listed.method,
            crc: listed.crc,
            size: listed.size,
            data,
            offset,
            listed_at: listed.at,
            end: fields.offset(),
            has_extra: has_local_extra || !listed.extra.is_empty(),
            has_other_name: extra_field(listed.extra, EXTRA_UNICODE_PATH).is_some(),
        })
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

    /// Compares the header in front of the data, and says whether it has extra fields.
    fn check_local(&self, fields: &mut Fields<'_>) -> Result<bool> {
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
            Ok(!extra.is_empty())
        } else {
            Err(error(ErrorKind::Inconsistent, LOCAL_PLACE, at))
        }
    }

    /// Moves behind a data descriptor (§4.3.9), with or without its signature, with sizes of 32 or 64 bits. What matches none of these
    /// forms is left: it will be reported as bytes of no member.
    fn skip_descriptor(&self, fields: &mut Fields<'_>) {
        let crc = self.crc.to_le_bytes();
        let wide = [self.compressed.to_le_bytes(), self.size.to_le_bytes()].concat();
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        let narrow = [narrow(self.compressed), narrow(self.size)].concat();
        for signature in [DESCRIPTOR.to_le_bytes().as_slice(), &[]] {
            for sizes in [&wide, &narrow] {
                let expected = [signature, crc.as_slice(), sizes.as_slice()].concat();
                let mut probe = *fields;
                if probe
                    .take(expected.len())
                    .is_ok_and(|found| found == expected)
                {
                    *fields = probe;
                    return;
                }
            }
        }
    }
}

/// The 64-bit values of an extra field, in the order of the 32-bit fields that are all ones (§4.5.3).
struct WideValues<'a>(Option<Fields<'a>>);

impl<'a> WideValues<'a> {
    fn of(extra: &'a [u8]) -> Self {
        Self(extra_field(extra, EXTRA_ZIP64).and_then(|body| Fields::at(body, 0, EXTRA_PLACE).ok()))
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
    let mut fields = Fields::at(extra, 0, CENTRAL_PLACE).ok()?;
    loop {
        let (found, length) = (fields.u16().ok()?, fields.u16().ok()?);
        let body = fields.take(length.into()).ok()?;
        if found == id {
            return Some(body);
        }
    }
}

fn check_inflated_size(members: &[Member<'_>]) -> Result<()> {
    let deflated = members.iter().filter(|member| member.method == DEFLATED);
    let total = deflated.fold(0_u64, |total, member| total.saturating_add(member.size));
    if total > ZIP_INFLATED_BYTES_MAX {
        return Err(FormatError::new(ErrorKind::LimitExceeded, CENTRAL_PLACE));
    }
    Ok(())
}

/// Refuses members that share bytes; finds bytes that belong to none.
fn first_unlisted(members: &[Member<'_>], directory_start: usize) -> Result<Option<usize>> {
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

/// Whether the file is, byte for byte, what [`super::AsicWriter`] writes for these members.
fn is_canonical(file: &[u8], members: &[Member<'_>], directory: &Directory) -> bool {
    let rest_of = |at: usize| file.get(at..).unwrap_or_default();
    let mut position = 0;
    let mut central = Vec::new();
    for member in members {
        let Ok(offset) = u64::try_from(member.offset) else {
            return false;
        };
        let stored = StoredMember {
            name: member.name,
            crc: member.crc,
            size: member.size,
            offset,
        };
        let (Some(header), Some(record)) = (stored.local_header(), stored.central_header()) else {
            return false;
        };
        let here = member.offset == position && member.method == STORED;
        if !here || !rest_of(position).starts_with(&header) {
            return false;
        }
        position = position
            .saturating_add(header.len())
            .saturating_add(member.data.len());
        central.extend_from_slice(&record);
    }
    let as_u64 = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    let end = end_records(
        as_u64(members.len()),
        as_u64(position),
        as_u64(central.len()),
    );
    central.extend_from_slice(&end);
    position == directory.start && rest_of(position) == central
}

pub(super) const fn error(kind: ErrorKind, structure: &'static str, offset: usize) -> FormatError {
    FormatError::new(kind, structure).at(offset)
}

const LOCAL_PLACE: &str = "ZIP local file header";
const CENTRAL_PLACE: &str = "ZIP central directory header";
const EXTRA_PLACE: &str = "ZIP zip64 extended information";
