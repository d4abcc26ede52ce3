//! Where the central directory of a foreign ZIP file stands (APPNOTE.TXT §4.3.14 to §4.3.16).

use super::fields::{Fields, error, length_of};
use super::layout::{END, END_BYTES, END64, END64_BYTES, LOCAL, LOCATOR64, LOCATOR64_BYTES};
use crate::access::Bytes;
use crate::error::{ErrorKind, FormatError, Result};

/// What the end of the file says about the central directory.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) members: usize,
    pub(super) start: u64,
    pub(super) end: u64,
    /// The comment of the file, if it has one.
    pub(super) comment: Option<Vec<u8>>,
}

impl Directory {
    pub(super) fn find(file: Bytes<'_>) -> Result<Self> {
        let tail = file.len().saturating_sub(TAIL_BYTES_MAX);
        let bytes = file.get_up_to(tail, usize::MAX, END_PLACE)?;
        let Some(at) = find_end(&bytes) else {
            return Err(missing(file));
        };
        let rest = bytes.get(at..).unwrap_or_default();
        let at = tail.saturating_add(length_of(bytes.get(..at).unwrap_or_default()));
        // Other programs take the last signature, whatever length of comment stands beside it, so there may be one only: a whole other
        // container could stand in the comment.
        let signature = END.to_le_bytes();
        let behind = rest.get(signature.len()..).unwrap_or_default();
        if behind
            .windows(signature.len())
            .any(|bytes| bytes == signature)
        {
            return Err(error(ErrorKind::Inconsistent, END_PLACE, at));
        }
        let mut fields = Fields::over(rest, at, END_PLACE);
        fields.signature(END)?;
        let (disk, directory_disk) = (fields.u16()?, fields.u16()?);
        let (here, total) = (fields.u16()?, fields.u16()?);
        let (size, start) = (fields.u32()?, fields.u32()?);
        let comment_length = fields.u16()?;
        let comment = fields.take(comment_length.into())?;
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
        if long_start.checked_add(long_size) != Some(end) {
            return Err(error(ErrorKind::Inconsistent, END_PLACE, at));
        }
        Ok(Self {
            members: usize::try_from(members)
                .map_err(|_| error(ErrorKind::LimitExceeded, END_PLACE, at))?,
            start: long_start,
            end,
            comment: (!comment.is_empty()).then(|| comment.to_vec()),
        })
    }
}

/// The zip64 end of the central directory (§4.3.14).
struct Wide {
    at: u64,
    members: u64,
    size: u64,
    start: u64,
}

impl Wide {
    fn find(file: Bytes<'_>, end: u64) -> Result<Option<Self>> {
        let Some(locator_at) = end.checked_sub(LOCATOR64_BYTES) else {
            return Ok(None);
        };
        let locator = file.get_up_to(locator_at, BOTH_BYTES, END64_PLACE)?;
        let mut locator = Fields::over(&locator, locator_at, END64_PLACE);
        if locator.u32()? != LOCATOR64 {
            return Ok(None);
        }
        let (disk, at, disks) = (locator.u32()?, locator.u64()?, locator.u32()?);
        // Some writers say 0 disks, for one.
        if disk != 0 || disks > 1 || at.checked_add(END64_BYTES) != Some(locator_at) {
            return Err(error(ErrorKind::Inconsistent, END64_PLACE, locator_at));
        }
        let record = file.get_up_to(at, BOTH_BYTES, END64_PLACE)?;
        let mut fields = Fields::over(&record, at, END64_PLACE);
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

/// The record ends the file, after a comment of up to 65,535 bytes: the last place in the file's tail whose comment ends exactly there.
pub(super) fn find_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END_BYTES)?;
    let first = last.saturating_sub(u16::MAX.into());
    (first..=last).rev().find(|at| {
        let mut probe = Fields::over(tail.get(*at..).unwrap_or_default(), 0, END_PLACE);
        let is_end = probe.u32().is_ok_and(|signature| signature == END);
        let length = is_end.then(|| probe.take(16).and_then(|_| probe.u16()));
        matches!(length, Some(Ok(length)) if usize::from(length) == last.saturating_sub(*at))
    })
}

fn missing(file: Bytes<'_>) -> FormatError {
    let first = file.get_up_to(0, 4, END_PLACE).unwrap_or_default();
    if *first == LOCAL.to_le_bytes() {
        error(ErrorKind::Truncated, END_PLACE, file.len())
    } else {
        FormatError::new(ErrorKind::WrongType, END_PLACE)
    }
}

/// Most bytes of the record that ends the file, and of its comment.
pub(super) const TAIL_BYTES_MAX: u64 = 22 + 65_535;

/// Bytes that hold the locator and the record it points to, whichever is read.
const BOTH_BYTES: usize = 128;

pub(super) const END_PLACE: &str = "ZIP end of central directory";
const END64_PLACE: &str = "ZIP zip64 end of central directory";
