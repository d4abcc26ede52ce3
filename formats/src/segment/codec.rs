//! Reading and writing of the fields in a frame's body.

use time::OffsetDateTime;

use super::FrameAddress;
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};

/// Collects the fields of a body.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty body with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
        }
    }

    /// Goes on after `bytes`.
    #[must_use]
    pub const fn after(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Writes bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Writes a big-endian 16-bit number.
    pub fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    /// Writes a big-endian 32-bit number.
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    /// Writes a big-endian 64-bit number.
    pub fn u64(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }

    /// Writes an unsigned LEB128 number in its shortest form.
    pub fn varint(&mut self, mut value: u64) {
        loop {
            let [.., low] = value.to_be_bytes();
            value = value.wrapping_shr(7);
            if value == 0 {
                self.u8(low & 0x7f);
                return;
            }
            self.u8(low | 0x80);
        }
    }

    /// Writes a signed number as a zigzag varint.
    pub fn signed_varint(&mut self, value: i64) {
        let doubled = value.wrapping_shl(1) ^ value.wrapping_shr(63);
        self.varint(u64::from_be_bytes(doubled.to_be_bytes()));
    }

    /// Writes a varint length and then the bytes.
    pub fn sized(&mut self, bytes: &[u8]) {
        self.varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.raw(bytes);
    }

    /// Writes a time as microseconds since 1970-01-01T00:00:00Z, signed, 64 bits. Finer parts are cut off.
    pub fn time(&mut self, time: OffsetDateTime) {
        let micros = time.unix_timestamp_nanos().div_euclid(1000);
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        self.raw(&micros.to_be_bytes());
    }

    /// Writes the name of a digest algorithm.
    pub fn algorithm(&mut self, algorithm: DigestAlgorithm) {
        self.sized(algorithm.name().as_bytes());
    }

    /// Writes a list of addresses: count, then each as its difference from the one before.
    pub fn addresses(&mut self, addresses: &[FrameAddress]) {
        self.varint(u64::try_from(addresses.len()).unwrap_or(u64::MAX));
        let mut last = FrameAddress::new(0, 0);
        for address in addresses {
            let segments = i64::from(address.segment).wrapping_sub(i64::from(last.segment));
            self.signed_varint(segments);
            let base = if segments == 0 { last.offset } else { 0 };
            let difference = address.offset.wrapping_sub(base);
            self.signed_varint(i64::from_be_bytes(difference.to_be_bytes()));
            last = *address;
        }
    }

    /// The bytes written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes the fields of a body, one after the other. Each method fails with the offset where the field should stand.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    structure: &'static str,
    bytes: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over a whole body; `structure` is named in errors.
    #[must_use]
    pub const fn new(structure: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            structure,
            bytes,
            rest: bytes,
        }
    }

    /// An error of this structure at the present offset.
    #[must_use]
    pub const fn error(&self, kind: ErrorKind) -> FormatError {
        let offset = self.bytes.len().saturating_sub(self.rest.len());
        FormatError::new(kind, self.structure).at(offset)
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when fewer are left.
    pub fn raw(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.error(ErrorKind::Truncated));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// Takes a fixed number of bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(ErrorKind::Truncated));
        };
        self.rest = rest;
        Ok(*taken)
    }

    /// Takes one byte.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Takes a big-endian 16-bit number.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when fewer than two bytes are left.
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Takes a big-endian 32-bit number.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when fewer than four bytes are left.
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Takes a big-endian 64-bit number.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when fewer than eight bytes are left.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Takes a varint; a form longer than needed is refused.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`], or [`ErrorKind::InvalidEncoding`] for a longer form or more than 64 bits.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0_u32..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if (shift == 63 && bits > 1) || (byte == 0 && shift > 0) {
                return Err(self.error(ErrorKind::InvalidEncoding));
            }
            value |= bits.wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.error(ErrorKind::InvalidEncoding))
    }

    /// Takes a zigzag varint.
    ///
    /// # Errors
    /// As [`Reader::varint`].
    pub fn signed_varint(&mut self) -> Result<i64> {
        let value = self.varint()?;
        let sign = 0_u64.wrapping_sub(value & 1);
        let value = value.wrapping_shr(1) ^ sign;
        Ok(i64::from_be_bytes(value.to_be_bytes()))
    }

    /// Takes a varint that counts things, of which `max` are allowed.
    ///
    /// # Errors
    /// [`ErrorKind::LimitExceeded`] above `max`; else as [`Reader::varint`].
    pub fn count(&mut self, max: usize) -> Result<usize> {
        let count = self.varint()?;
        match usize::try_from(count) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(self.error(ErrorKind::LimitExceeded)),
        }
    }

    /// Takes a varint length of at most `max`, and that many bytes.
    ///
    /// # Errors
    /// As [`Reader::count`] and [`Reader::raw`].
    pub fn sized(&mut self, max: usize) -> Result<&'a [u8]> {
        let count = self.count(max)?;
        self.raw(count)
    }

    /// Takes a time.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidTime`] outside of the years -9999 to 9999.
    pub fn time(&mut self) -> Result<OffsetDateTime> {
        let micros = self.array().map(i64::from_be_bytes)?;
        let nanos = i128::from(micros).saturating_mul(1000);
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .map_err(|_| self.error(ErrorKind::InvalidTime))
    }

    /// Takes the name of a digest algorithm.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAlgorithm`] for a name that is not known.
    pub fn algorithm(&mut self) -> Result<DigestAlgorithm> {
        let name = self.sized(32)?;
        std::str::from_utf8(name)
            .ok()
            .and_then(DigestAlgorithm::from_name)
            .ok_or_else(|| self.error(ErrorKind::UnknownAlgorithm))
    }

    /// Takes a list of at most `max` addresses.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`] for a segment number out of its range; else as [`Reader::varint`].
    pub fn addresses(&mut self, max: usize) -> Result<Vec<FrameAddress>> {
        let count = self.count(max.min(self.rest.len()))?;
        let mut addresses = Vec::with_capacity(count);
        let mut last = FrameAddress::new(0, 0);
        for _ in 0..count {
            let segments = self.signed_varint()?;
            let segment = i64::from(last.segment)
                .checked_add(segments)
                .and_then(|segment| u32::try_from(segment).ok())
                .ok_or_else(|| self.error(ErrorKind::InvalidValue))?;
            let base = if segments == 0 { last.offset } else { 0 };
            let offset = base.wrapping_add_signed(self.signed_varint()?);
            last = FrameAddress::new(segment, offset);
            addresses.push(last);
        }
        Ok(addresses)
    }

    /// Takes all that is left.
    #[must_use]
    pub const fn remainder(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.rest = &[];
        rest
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`ErrorKind::TrailingBytes`] when something is left.
    pub const fn finish(self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(ErrorKind::TrailingBytes))
        }
    }
}
