//! The bytes of the ledger: a header, and entries of one length.

use formats::id::ArchiveId;
use time::OffsetDateTime;

use crate::keys::provider::WrappedSecret;
use crate::keys::secret::{KEY_BYTES, KeyOwner, NONCE_BYTES, TAG_BYTES};

/// Bytes of the header of a ledger file.
pub(super) const HEADER_BYTES: usize = 64;
/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = 96;

/// The header of a ledger file.
///
/// ```text
/// header = "FUMIKEYS" | format version u16 (1) | reserved 2 | file number u32 | archive id 16 | generation u32 | reserved 24 |
///          CRC32C u32
/// ```
///
/// A generation above 0 says that the file replaces all files of lower numbers: it was written when the ledger was wrapped anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LedgerHeader {
    pub(super) number: u32,
    pub(super) archive: ArchiveId,
    pub(super) generation: u32,
}

/// One wrapped data key.
///
/// ```text
/// entry = type u8 (1) | reserved 3 | record id 16 | version u32 | KEK epoch u32 | nonce 12 | ciphertext 32 | tag 16 |
///         reserved 4 | CRC32C u32
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LedgerEntry {
    pub(super) owner: KeyOwner,
    pub(super) wrapped: WrappedSecret,
}

/// Says that the key of a version was destroyed: whatever entry for it stands elsewhere, before or behind, counts for nothing.
///
/// ```text
/// entry = type u8 (2) | reserved 3 | record id 16 | version u32 | KEK epoch u32 | time i64 | reserved 56 | CRC32C u32
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tombstone {
    pub(super) owner: KeyOwner,
    /// The last epoch under which the key was ever wrapped: it must be destroyed, too.
    pub(super) epoch: u32,
    /// When, in microseconds since 1970.
    pub(super) time: i64,
}

/// What a damaged entry seems to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) entry: LedgerEntry,
    /// Zeros stand where it begins or ends, or nearly everywhere: it was never written whole, so nobody was told of it, or it is a tombstone.
    pub(super) is_no_key: bool,
}

/// What stands in the place of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryState {
    /// A whole entry.
    Whole(LedgerEntry),
    /// A whole tombstone.
    Destroyed(Tombstone),
    /// Zeros: the file system made the file longer, but a crash came before the bytes.
    Hole,
    /// The checksum does not hold.
    Damaged,
    /// Whole, but of a type or with values that this format version does not have.
    Unknown,
}

impl LedgerHeader {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut writer = FixedWriter::<HEADER_BYTES>::new();
        writer.put(MAGIC);
        writer.put(&FORMAT_VERSION.to_be_bytes());
        writer.put(&[0; 2]);
        writer.put(&self.number.to_be_bytes());
        writer.put(self.archive.as_bytes());
        writer.put(&self.generation.to_be_bytes());
        writer.put(&[0; 24]);
        writer.finish_with_checksum()
    }

    /// The header, or `None` when its checksum does not hold. The second value is the format version.
    pub(super) fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<(Self, u16)> {
        let mut reader = FixedReader::after_checksum(bytes)?;
        if reader.array::<8>()? != *MAGIC {
            return None;
        }
        let version = u16::from_be_bytes(reader.array()?);
        reader.array::<2>()?;
        let header = Self {
            number: u32::from_be_bytes(reader.array()?),
            archive: ArchiveId::from_bytes(reader.array()?),
            generation: u32::from_be_bytes(reader.array()?),
        };
        Some((header, version))
    }
}

impl LedgerEntry {
    /// The bytes of the entry; `None` when the wrapped key does not have the length of a data key.
    pub(super) fn encode(&self) -> Option<[u8; ENTRY_BYTES]> {
        if self.wrapped.sealed.len() != KEY_BYTES + TAG_BYTES {
            return None;
        }
        let mut writer = FixedWriter::<ENTRY_BYTES>::new();
        writer.put(&[TYPE_DATA_KEY, 0, 0, 0]);
        writer.put(self.owner.id());
        writer.put(&self.owner.version().to_be_bytes());
        writer.put(&self.wrapped.epoch.to_be_bytes());
        writer.put(&self.wrapped.nonce);
        writer.put(&self.wrapped.sealed);
        writer.put(&[0; 4]);
        Some(writer.finish_with_checksum())
    }

    pub(super) fn parse(bytes: &[u8; ENTRY_BYTES]) -> EntryState {
        if bytes.iter().all(|&byte| byte == 0) {
            return EntryState::Hole;
        }
        let Some(mut reader) = FixedReader::after_checksum(bytes) else {
            return EntryState::Damaged;
        };
        let read = match reader.array() {
            Some([TYPE_DATA_KEY, 0, 0, 0]) => Self::read(&mut reader).map(EntryState::Whole),
            Some([TYPE_TOMBSTONE, 0, 0, 0]) => {
                Tombstone::read(&mut reader).map(EntryState::Destroyed)
            }
            _ => None,
        };
        read.unwrap_or(EntryState::Unknown)
    }

    /// What an entry whose checksum does not hold would say. Only the tag of the wrapped key can tell whether it is true.
    pub(super) fn guess(bytes: &[u8; ENTRY_BYTES]) -> Option<Guess> {
        let (rest, _) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let (_, rest) = rest.split_first_chunk::<4>()?;
        let (rest, _) = rest.split_last_chunk::<4>()?;
        let entry = Self::read(&mut FixedReader {
            rest: &[rest, &[0; 4]].concat(),
        })?;
        let zeros = |bytes: &[u8]| bytes.iter().all(|&byte| byte == 0);
        let is_no_key = bytes
            .first_chunk::<HEAD_BYTES>()
            .is_some_and(|it| zeros(it))
            || bytes
                .last_chunk::<CHECKSUM_BYTES>()
                .is_some_and(|it| zeros(it))
            || entry
                .wrapped
                .sealed
                .iter()
                .filter(|&&byte| byte == 0)
                .count()
                > KEY_BYTES;
        Some(Guess { entry, is_no_key })
    }

    fn read(reader: &mut FixedReader<'_>) -> Option<Self> {
        let owner = KeyOwner::from_parts(reader.array()?, u32::from_be_bytes(reader.array()?));
        let epoch = u32::from_be_bytes(reader.array()?);
        let nonce = reader.array::<NONCE_BYTES>()?;
        let sealed = reader.array::<{ KEY_BYTES + TAG_BYTES }>()?.to_vec();
        if reader.array()? != [0; 4] {
            return None;
        }
        Some(Self {
            owner,
            wrapped: WrappedSecret {
                epoch,
                nonce,
                sealed,
            },
        })
    }
}

impl Tombstone {
    /// When the key was destroyed.
    pub(super) fn when(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.time) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    pub(super) fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut writer = FixedWriter::<ENTRY_BYTES>::new();
        writer.put(&[TYPE_TOMBSTONE, 0, 0, 0]);
        writer.put(self.owner.id());
        writer.put(&self.owner.version().to_be_bytes());
        writer.put(&self.epoch.to_be_bytes());
        writer.put(&self.time.to_be_bytes());
        writer.put(&[0; 56]);
        writer.finish_with_checksum()
    }

    fn read(reader: &mut FixedReader<'_>) -> Option<Self> {
        let tombstone = Self {
            owner: KeyOwner::from_parts(reader.array()?, u32::from_be_bytes(reader.array()?)),
            epoch: u32::from_be_bytes(reader.array()?),
            time: i64::from_be_bytes(reader.array()?),
        };
        (reader.array()? == [0; 56]).then_some(tombstone)
    }
}

/// The associated data under which a data key is wrapped; the provider appends the epoch.
pub(super) fn wrap_context(archive: ArchiveId, owner: KeyOwner) -> Vec<u8> {
    [
        b"fumikura ledger 1\0".as_slice(),
        archive.as_bytes(),
        owner.id(),
        &owner.version().to_be_bytes(),
    ]
    .concat()
}

/// Fills an array field by field.
struct FixedWriter<const N: usize> {
    bytes: Vec<u8>,
}

impl<const N: usize> FixedWriter<N> {
    fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(N),
        }
    }

    fn put(&mut self, field: &[u8]) {
        self.bytes.extend_from_slice(field);
    }

    fn finish_with_checksum(mut self) -> [u8; N] {
        debug_assert_eq!(self.bytes.len() + CHECKSUM_BYTES, N);
        let checksum = crc32c::crc32c(&self.bytes);
        self.put(&checksum.to_be_bytes());
        let mut fixed = [0; N];
        for (target, source) in fixed.iter_mut().zip(self.bytes) {
            *target = source;
        }
        fixed
    }
}

/// Takes fields from bytes whose checksum holds.
struct FixedReader<'a> {
    rest: &'a [u8],
}

impl<'a> FixedReader<'a> {
    fn after_checksum(bytes: &'a [u8]) -> Option<Self> {
        let (rest, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        (crc32c::crc32c(rest) == u32::from_be_bytes(*checksum)).then_some(Self { rest })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*field)
    }
}

const MAGIC: &[u8; 8] = b"FUMIKEYS";
/// The version of the ledger format that is written.
pub(super) const FORMAT_VERSION: u16 = 1;
const TYPE_DATA_KEY: u8 = 1;
const TYPE_TOMBSTONE: u8 = 2;
const CHECKSUM_BYTES: usize = 4;
/// Type and owner.
const HEAD_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(owner: [u8; 16], version: u32, epoch: u32) -> LedgerEntry {
        LedgerEntry {
            owner: KeyOwner::from_parts(owner, version),
            wrapped: WrappedSecret {
                epoch,
                nonce: [3; NONCE_BYTES],
                sealed: vec![4; KEY_BYTES + TAG_BYTES],
            },
        }
    }

    proptest! {
        #[test]
        fn an_entry_survives_the_way_to_bytes_and_back(owner: [u8; 16], version: u32, epoch: u32) {
            let entry = entry(owner, version, epoch);
            let bytes = entry.encode().unwrap();
            prop_assert_eq!(LedgerEntry::parse(&bytes), EntryState::Whole(entry));
        }

        #[test]
        fn foreign_bytes_are_no_entry(bytes: [u8; ENTRY_BYTES]) {
            prop_assert!(!matches!(LedgerEntry::parse(&bytes), EntryState::Whole(_)));
        }
    }

    #[test]
    fn each_flipped_bit_of_an_entry_is_noticed() {
        let bytes = entry([1; 16], 2, 1).encode().unwrap();
        for bit in 0..ENTRY_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(LedgerEntry::parse(&flipped), EntryState::Damaged, "{bit}");
        }
    }

    #[test]
    fn a_tombstone_survives_the_way_to_bytes_and_back() {
        let tombstone = Tombstone {
            owner: KeyOwner::from_parts([1; 16], 2),
            epoch: 3,
            time: -4,
        };
        let bytes = tombstone.encode();
        assert_eq!(LedgerEntry::parse(&bytes), EntryState::Destroyed(tombstone));
        for bit in 0..ENTRY_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(LedgerEntry::parse(&flipped), EntryState::Damaged, "{bit}");
        }
        let mut longer = bytes;
        longer[91] = 1;
        let checksum = crc32c::crc32c(&longer[..92]);
        longer[92..].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(LedgerEntry::parse(&longer), EntryState::Unknown);
    }

    #[test]
    fn a_whole_entry_of_another_type_is_not_taken_for_a_key() {
        let mut bytes = entry([1; 16], 2, 1).encode().unwrap();
        for (place, value) in [(0, 3), (1, 1), (91, 1)] {
            let before = std::mem::replace(&mut bytes[place], value);
            let checksum = crc32c::crc32c(&bytes[..92]);
            bytes[92..].copy_from_slice(&checksum.to_be_bytes());
            assert_eq!(LedgerEntry::parse(&bytes), EntryState::Unknown, "{place}");
            bytes[place] = before;
        }
        assert_eq!(LedgerEntry::parse(&[0; ENTRY_BYTES]), EntryState::Hole);
    }

    #[test]
    fn a_wrapped_key_of_another_length_is_not_written() {
        let mut entry = entry([1; 16], 2, 1);
        entry.wrapped.sealed.push(0);
        assert_eq!(entry.encode(), None);
        entry.wrapped.sealed.clear();
        assert_eq!(entry.encode(), None);
    }

    #[test]
    fn each_flipped_bit_of_a_header_is_noticed() {
        let header = LedgerHeader {
            number: 7,
            archive: ArchiveId::from_bytes([9; 16]),
            generation: 3,
        };
        let bytes = header.encode();
        assert_eq!(LedgerHeader::parse(&bytes), Some((header, FORMAT_VERSION)));
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(LedgerHeader::parse(&flipped), None, "{bit}");
        }
    }
}
