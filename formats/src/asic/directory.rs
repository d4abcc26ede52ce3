//! Where the central directory of a foreign ZIP file stands (APPNOTE.TXT §4.3.14 to §4.3.16).

use super::fields::Fields;
use super::layout::{END, END_BYTES, END64, END64_BYTES, LOCAL, LOCATOR64, LOCATOR64_BYTES};
use super::structure::error;
use crate::error::{ErrorKind, FormatError, Result};

/// What the end of the file says about the central directory.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) members: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) comment: bool,
}

impl Directory {
    pub(super) fn find(file: &[u8]) -> Result<Self> {
        let (at, mut fields) = find_end(file)?;
        fields.signature(END)?;
        let (disk, directory_disk) = (fields.u16()?, fields.u16()?);
        let (here, total) = (fields.u16()?, fields.u16()?);
        let (size, start) = (fields.u32()?, fields.u32()?);
        let comment = fields.u16()? != 0;
        if disk != 0 || directory_disk != 0 || here != total {
            return Err(error(ErrorKind::InvalidValue, END_PLACE, at));
        }
        let mut end = at;
        let (mut members, mut long_size, mut long_start) =
            (u64::from(total), u64::from(size), u64::from(start));
        if let Some(wide) = Wide::find(file, at)? {
            let differs = |short: u64, full: u64, long: u64| short != full && short != long;
            if differs(members, u16::MAX.into(), wide.members)
                || differs(long_size, u32::MAX.into(), wide.size)
                || differs(long_start, u32::MAX.into(), wide.start)
            {
                return Err(error(ErrorKind::Inconsistent, END_PLACE, at));
            }
            (members, long_size, long_start) = (wide.members, wide.size, wide.start);
            end = wide.at;
        }
        if long_start.checked_add(long_size) != u64::try_from(end).ok() {
            return Err(error(ErrorKind::Inconsistent, END_PLACE, at));
        }
        let narrow = |value| {
            usize::try_from(value).map_err(|_| error(ErrorKind::LimitExceeded, END_PLACE, at))
        };
        Ok(Self {
            members: narrow(members)?,
            start: narrow(long_start)?,
            end,
            comment,
        })
    }
}

/// The zip64 end of the central directory (§4.3.14).
struct Wide {
    at: usize,
    members: u64,
    size: u64,
    start: u64,
}

impl Wide {
    fn find(file: &[u8], end: usize) -> Result<Option<Self>> {
        let Some(locator_at) = end.checked_sub(LOCATOR64_BYTES) else {
            return Ok(None);
        };
        let mut locator = Fields::at(file, locator_at, END64_PLACE)?;
        if locator.u32()? != LOCATOR64 {
            return Ok(None);
        }
        let (disk, at, disks) = (locator.u32()?, locator.u64()?, locator.u32()?);
        let inconsistent = error(ErrorKind::Inconsistent, END64_PLACE, locator_at);
        let at = usize::try_from(at).map_err(|_| inconsistent)?;
        // Some writers say 0 disks, for one.
        if disk != 0 || disks > 1 || at.checked_add(END64_BYTES) != Some(locator_at) {
            return Err(inconsistent);
        }
        let mut fields = Fields::at(file, at, END64_PLACE)?;
        fields.signature(END64)?;
        let (length, _versions) = (fields.u64()?, fields.u32()?);
        let (disk, directory_disk) = (fields.u32()?, fields.u32()?);
        let (here, members, size, start) =
            (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
        if length != 44 || disk != 0 || directory_disk != 0 || here != members {
            return Err(error(ErrorKind::InvalidValue, END64_PLACE, at));
        }
        Ok(Some(Self {
            at,
            members,
            size,
            start,
        }))
    }
}

/// The record ends the file, after a comment of up to 65,535 bytes: the last place whose comment ends exactly there.
fn find_end(file: &[u8]) -> Result<(usize, Fields<'_>)> {
    let missing = FormatError::new(ErrorKind::WrongType, END_PLACE);
    let last = file.len().checked_sub(END_BYTES).ok_or(missing)?;
    let first = last.saturating_sub(u16::MAX.into());
    for at in (first..=last).rev() {
        let fields = Fields::at(file, at, END_PLACE)?;
        let mut probe = fields;
        if probe.u32()? == END {
            probe.take(16)?;
            if usize::from(probe.u16()?) == last.saturating_sub(at) {
                return Ok((at, fields));
            }
        }
    }
    let begins_as_zip = file.starts_with(&LOCAL.to_le_bytes());
    Err(if begins_as_zip {
        FormatError::new(ErrorKind::Truncated, END_PLACE).at(file.len())
    } else {
        missing
    })
}

pub(super) const END_PLACE: &str = "ZIP end of central directory";
const END64_PLACE: &str = "ZIP zip64 end of central directory";
