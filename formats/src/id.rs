//! Identifiers of archives, records, media, batches and receipts: UUIDv7 (RFC 9562 §5.7), 16 bytes in binary, hyphenated text elsewhere.
//!
//! Time and randomness are arguments: this crate has neither.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{ErrorKind, FormatError, Result};

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new UUIDv7 from milliseconds since 1970 and ten random bytes.
            #[must_use]
            pub fn new(unix_ms: u64, random: &[u8; 10]) -> Self {
                Self(*uuid::Builder::from_unix_timestamp_millis(unix_ms, random).into_uuid().as_bytes())
            }

            /// From the 16 bytes in which it stands on a medium.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Milliseconds since 1970 at which it was made, as the UUID says it.
            #[must_use]
            pub fn unix_ms(&self) -> u64 {
                let [a, b, c, d, e, f, ..] = self.0;
                u64::from_be_bytes([0, 0, a, b, c, d, e, f])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(uuid::Uuid::from_bytes(self.0).as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = FormatError;

            /// Hyphenated text, in any letter case: people type it.
            fn from_str(text: &str) -> Result<Self> {
                parse_uuid(text, stringify!($name)).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            /// Only the canonical text, in lower case: what is stored has one form.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                deserializer.deserialize_str(CanonicalText::<Self>::new())
            }
        }
    )+};
}

identifiers! {
    /// Names an archive.
    ArchiveId;
    /// Names a record.
    RecordId;
    /// Names a medium.
    MediumId;
    /// Names a batch: the records under one archive time-stamp.
    BatchId;
    /// Names a receipt for deposited versions.
    ReceiptId;
    /// Names an event: an act or a fact that belongs to no version.
    EventId;
}

/// Names a version of a record. Its text is `RECORD/VERSION`, for example `0192f0c1-…/1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId {
    record: RecordId,
    version: NonZeroU32,
}

impl VersionId {
    /// Version `version` of `record`. `None` if `version` is 0: versions count from 1.
    #[must_use]
    pub const fn new(record: RecordId, version: u32) -> Option<Self> {
        match NonZeroU32::new(version) {
            Some(version) => Some(Self { record, version }),
            None => None,
        }
    }

    /// The first version of `record`.
    #[must_use]
    pub const fn first(record: RecordId) -> Self {
        Self {
            record,
            version: NonZeroU32::MIN,
        }
    }

    /// The record.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// The number of the version, from 1.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version.get()
    }

    /// Reads what people type: a record (`None` = no version given), or a version of a record.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidText`] if it is neither.
    pub fn parse_reference(text: &str) -> Result<(RecordId, Option<u32>)> {
        if text.contains('/') {
            let id: Self = text.parse()?;
            return Ok((id.record, Some(id.version())));
        }
        Ok((text.parse()?, None))
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.record, self.version)
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionId({self})")
    }
}

impl FromStr for VersionId {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = FormatError::new(ErrorKind::InvalidText, "VersionId");
        let (record, version) = text.split_once('/').ok_or(invalid)?;
        let canonical = !version.starts_with(['0', '+']);
        let version = version.parse().ok().filter(|_| canonical).ok_or(invalid)?;
        Self::new(record.parse()?, version).ok_or(invalid)
    }
}

impl Serialize for VersionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_str(CanonicalText::<Self>::new())
    }
}

fn parse_uuid(text: &str, structure: &'static str) -> Result<[u8; 16]> {
    let invalid = FormatError::new(ErrorKind::InvalidText, structure);
    if text.len() != uuid::fmt::Hyphenated::LENGTH {
        return Err(invalid);
    }
    let uuid = uuid::Uuid::try_parse(text).map_err(|_| invalid)?;
    Ok(uuid.into_bytes())
}

struct CanonicalText<T>(std::marker::PhantomData<T>);

impl<T> CanonicalText<T> {
    const fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<T: FromStr + fmt::Display> de::Visitor<'_> for CanonicalText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier in lower-case hyphenated form")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<T, E> {
        text.parse::<T>()
            .ok()
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_a_uuid_of_version_7() {
        let id = RecordId::new(0x0192_f0c1_2345, &[0xff; 10]);
        assert_eq!(id.to_string(), "0192f0c1-2345-7fff-bfff-ffffffffffff");
        assert_eq!(id.unix_ms(), 0x0192_f0c1_2345);
    }

    #[test]
    fn bad_text_is_refused() {
        for text in [
            "",
            "0192f0c123457fffbfffffffffffffff",
            "{0192f0c1-2345-7fff-bfff-ffffffffffff}",
            "0192f0c1-2345-7fff-bfff-fffffffffffg",
            "0192f0c1-2345-7fff-bfff-ffffffffffff ",
            "urn:uuid:0192f0c1-2345-7fff-bfff-ffffffffffff",
        ] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
    }

    #[test]
    fn stored_text_has_one_form() {
        let text = "\"0192f0c1-2345-7fff-bfff-ffffffffffff\"";
        let id: RecordId = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), text);
        assert!(serde_json::from_str::<RecordId>(&text.to_uppercase()).is_err());
        assert!(serde_json::from_str::<RecordId>("1").is_err());
    }

    #[test]
    fn a_version_counts_from_one() {
        let record = RecordId::from_bytes([7; 16]);
        assert!(VersionId::new(record, 0).is_none());
        let id = VersionId::new(record, 12).unwrap();
        assert_eq!(id.to_string(), format!("{record}/12"));
        assert_eq!(id.to_string().parse::<VersionId>().unwrap(), id);
        for bad in ["/1", "x/1"] {
            assert!(bad.parse::<VersionId>().is_err());
        }
        for bad in ["", "/", "/0", "/01", "/+1", "/-1", "/4294967296", "/1/1"] {
            let text = format!("{record}{bad}");
            assert!(text.parse::<VersionId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_reference_may_leave_the_version_out() {
        let record = RecordId::from_bytes([7; 16]);
        let with = format!("{record}/3");
        assert_eq!(
            VersionId::parse_reference(&with).unwrap(),
            (record, Some(3))
        );
        assert_eq!(
            VersionId::parse_reference(&record.to_string()).unwrap(),
            (record, None)
        );
        assert!(VersionId::parse_reference("7").is_err());
    }

    proptest! {
        #[test]
        fn text_and_back(bytes: [u8; 16], version in 1_u32..) {
            let record = RecordId::from_bytes(bytes);
            prop_assert_eq!(record.to_string().parse::<RecordId>().unwrap(), record);
            let id = VersionId::new(record, version).unwrap();
            prop_assert_eq!(id.to_string().parse::<VersionId>().unwrap(), id);
        }
    }
}
