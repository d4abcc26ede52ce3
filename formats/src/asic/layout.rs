//! The ZIP records as our own containers have them (APPNOTE.TXT §4.3).
//!
//! Every field has one value here: no times, no attributes but "regular file", no extra fields but the sizes that need 64 bits,
//! no compression. So a container is a function of its members' names and contents. The writer writes these bytes; the reader
//! compares with them, which finds a changed bit in any header that ZIP itself does not check.

/// Signature of a local file header (§4.3.7).
pub(super) const LOCAL: u32 = 0x0403_4b50;
/// Signature of a central directory header (§4.3.12).
pub(super) const CENTRAL: u32 = 0x0201_4b50;
/// Signature of a data descriptor (§4.3.9).
pub(super) const DESCRIPTOR: u32 = 0x0807_4b50;
/// Signature of the end of the central directory (§4.3.16).
pub(super) const END: u32 = 0x0605_4b50;
/// Signature of the zip64 end of the central directory (§4.3.14).
pub(super) const END64: u32 = 0x0606_4b50;
/// Signature of the zip64 locator (§4.3.15).
pub(super) const LOCATOR64: u32 = 0x0706_4b50;

/// Size of the end of the central directory without comment.
pub(super) const END_BYTES: usize = 22;
/// Size of the zip64 end of the central directory.
pub(super) const END64_BYTES: u64 = 56;
/// Size of the zip64 locator.
pub(super) const LOCATOR64_BYTES: u64 = 20;
/// Where the CRC stands in a local file header.
pub(super) const LOCAL_CRC_OFFSET: u64 = 14;

/// Extra field with 64-bit sizes (§4.5.3).
pub(super) const EXTRA_ZIP64: u16 = 0x0001;
/// Extra field with another name for the member (§4.6.9).
pub(super) const EXTRA_UNICODE_PATH: u16 = 0x7075;

/// General purpose bit 0, 6 and 13: encrypted in one way or another (§4.4.4).
pub(super) const FLAGS_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// General purpose bit 3: CRC and sizes follow the data.
pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// General purpose bit 11: the name is UTF-8.
pub(super) const FLAG_UTF8: u16 = 1 << 11;

/// Method of a stored member (§4.4.5).
pub(super) const STORED: u16 = 0;
/// Method of a member compressed with DEFLATE.
pub(super) const DEFLATED: u16 = 8;

/// Version needed to extract: plain, or with 64-bit sizes (§4.4.3).
const VERSION: u16 = 10;
const VERSION_ZIP64: u16 = 45;
/// Made by a program for Unix that knows version 4.5 (§4.4.2): the upper half says how to read the attributes.
const MADE_BY: u16 = 3 << 8 | VERSION_ZIP64;
/// `-rw-r--r--`, a regular file.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// 1980-01-01, the first date that ZIP can say (§4.4.6). When a record was received stands in its manifest.
const DATE: u16 = 1 << 5 | 1;
const TIME: u16 = 0;

const U16_FULL: u16 = u16::MAX;
const U32_FULL: u32 = u32::MAX;

/// One stored member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredMember<'a> {
    pub(super) name: &'a [u8],
    pub(super) crc: u32,
    pub(super) size: u64,
    pub(super) offset: u64,
}

impl StoredMember<'_> {
    /// The bytes before the content. `None` if the name is too long for ZIP.
    pub(super) fn local_header(&self) -> Option<Vec<u8>> {
        let size = saturated(self.size);
        let mut extra = Vec::new();
        if size == U32_FULL {
            put16(&mut extra, EXTRA_ZIP64);
            put16(&mut extra, 16);
            put64(&mut extra, self.size);
            put64(&mut extra, self.size);
        }
        let mut out = Vec::new();
        put32(&mut out, LOCAL);
        self.put_common(&mut out, !extra.is_empty(), size)?;
        put16(&mut out, u16::try_from(extra.len()).ok()?);
        out.extend_from_slice(self.name);
        out.extend_from_slice(&extra);
        Some(out)
    }

    /// The record in the central directory. `None` if the name is too long for ZIP.
    pub(super) fn central_header(&self) -> Option<Vec<u8>> {
        let (size, offset) = (saturated(self.size), saturated(self.offset));
        let mut values = Vec::new();
        if size == U32_FULL {
            put64(&mut values, self.size);
            put64(&mut values, self.size);
        }
        if offset == U32_FULL {
            put64(&mut values, self.offset);
        }
        let mut extra = Vec::new();
        if !values.is_empty() {
            put16(&mut extra, EXTRA_ZIP64);
            put16(&mut extra, u16::try_from(values.len()).ok()?);
            extra.extend_from_slice(&values);
        }
        let mut out = Vec::new();
        put32(&mut out, CENTRAL);
        put16(&mut out, MADE_BY);
        self.put_common(&mut out, !extra.is_empty(), size)?;
        put16(&mut out, u16::try_from(extra.len()).ok()?);
        // Comment length, disk number, internal attributes.
        out.extend_from_slice(&[0; 6]);
        put32(&mut out, ATTRIBUTES);
        put32(&mut out, offset);
        out.extend_from_slice(self.name);
        out.extend_from_slice(&extra);
        Some(out)
    }

    /// The fields that both headers share: from the version needed to the length of the name.
    fn put_common(&self, out: &mut Vec<u8>, zip64: bool, size: u32) -> Option<()> {
        put16(out, if zip64 { VERSION_ZIP64 } else { VERSION });
        put16(out, FLAG_UTF8);
        put16(out, STORED);
        put16(out, TIME);
        put16(out, DATE);
        put32(out, self.crc);
        put32(out, size);
        put32(out, size);
        put16(out, u16::try_from(self.name.len()).ok()?);
        Some(())
    }
}

/// The bytes after the central directory.
pub(super) fn end_records(members: u64, directory_offset: u64, directory_size: u64) -> Vec<u8> {
    let count = u16::try_from(members).unwrap_or(U16_FULL);
    let (offset, size) = (saturated(directory_offset), saturated(directory_size));
    let mut out = Vec::new();
    if count == U16_FULL || offset == U32_FULL || size == U32_FULL {
        put32(&mut out, END64);
        // The size of this record without its first twelve bytes.
        put64(&mut out, 44);
        put16(&mut out, MADE_BY);
        put16(&mut out, VERSION_ZIP64);
        out.extend_from_slice(&[0; 8]);
        put64(&mut out, members);
        put64(&mut out, members);
        put64(&mut out, directory_size);
        put64(&mut out, directory_offset);
        put32(&mut out, LOCATOR64);
        put32(&mut out, 0);
        put64(&mut out, directory_offset.saturating_add(directory_size));
        put32(&mut out, 1);
    }
    put32(&mut out, END);
    out.extend_from_slice(&[0; 4]);
    put16(&mut out, count);
    put16(&mut out, count);
    put32(&mut out, size);
    put32(&mut out, offset);
    put16(&mut out, 0);
    out
}

/// All ones stands for "see the 64-bit field".
fn saturated(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(U32_FULL)
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
