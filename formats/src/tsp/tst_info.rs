//! What a TSA signs.

use ::time::OffsetDateTime;
use rasn::{AsnType, Decode, Decoder as _};

use super::request::MessageImprint;
use crate::der::typed::{Flag, FromElement, Number, decode, rasn_type};
use crate::der::{Element, Integer, Reader, Tag, Writer, format_generalized_time};
use crate::error::{ErrorKind, FormatError, Result};
use crate::oid::Oid;
use crate::raw::Raw;
use crate::x509::{Extension, Extensions};

/// The content of a time-stamp token (RFC 3161 §2.4.2).
///
/// ```text
/// TSTInfo ::= SEQUENCE  {
///    version                      INTEGER  { v1(1) },
///    policy                       TSAPolicyId,
///    messageImprint               MessageImprint,
///    serialNumber                 INTEGER,
///    genTime                      GeneralizedTime,
///    accuracy                     Accuracy                 OPTIONAL,
///    ordering                     BOOLEAN             DEFAULT FALSE,
///    nonce                        INTEGER                  OPTIONAL,
///    tsa                          [0] GeneralName          OPTIONAL,
///    extensions                   [1] IMPLICIT Extensions   OPTIONAL  }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TstInfo {
    /// 1.
    pub version: u32,
    /// The policy under which the token was made.
    pub policy: Oid,
    /// What existed at the time.
    pub imprint: MessageImprint,
    /// The number of the token; unique per TSA.
    pub serial: Integer,
    /// The time.
    pub gen_time: OffsetDateTime,
    /// The time as written, for reports.
    pub gen_time_text: String,
    /// How far the time may be off.
    pub accuracy: Option<Accuracy>,
    /// Whether tokens of this TSA can be ordered by their times alone.
    pub ordering: bool,
    /// The number of the request.
    pub nonce: Option<Integer>,
    /// The exact bytes of the GeneralName of the TSA: its claim.
    pub tsa: Option<Vec<u8>>,
    /// Extensions.
    pub extensions: Vec<Extension>,
}

/// How far a time may be off, to both sides (RFC 3161 §2.4.2). An absent member counts as zero.
///
/// ```text
/// Accuracy ::= SEQUENCE {
///      seconds        INTEGER              OPTIONAL,
///      millis     [0] INTEGER  (1..999)    OPTIONAL,
///      micros     [1] INTEGER  (1..999)    OPTIONAL  }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Accuracy {
    /// Seconds.
    pub seconds: Option<u32>,
    /// Milliseconds.
    pub millis: Option<u32>,
    /// Microseconds.
    pub micros: Option<u32>,
}

impl TstInfo {
    /// Reads one TSTInfo and nothing else.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input; [`ErrorKind::UnsupportedVersion`] if the version is not 1.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        let element = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
        let members: Members = decode(&element, STRUCTURE)?;
        if members.version.0 != 1 {
            return Err(FormatError::new(ErrorKind::UnsupportedVersion, STRUCTURE));
        }
        let value = Self {
            version: 1,
            policy: members.policy,
            imprint: members.message_imprint,
            serial: members.serial_number,
            gen_time: members.gen_time.time,
            gen_time_text: members.gen_time.text,
            accuracy: members.accuracy,
            ordering: members.ordering.0,
            nonce: members.nonce,
            tsa: members.tsa.map(|name| name.0),
            extensions: members.extensions.map(|list| list.0).unwrap_or_default(),
        };
        Ok(Raw::new(value, bytes.to_vec()))
    }

    /// The DER bytes. `gen_time` is written; `gen_time_text` is not regarded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotEncodable`] if the time is outside of the years 0 to 9999 or the accuracy outside of its range.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let not_encodable = FormatError::new(ErrorKind::NotEncodable, STRUCTURE);
        let gen_time = format_generalized_time(self.gen_time).ok_or(not_encodable)?;
        if self.accuracy.is_some_and(|accuracy| !accuracy.is_valid()) {
            return Err(not_encodable);
        }
        Ok(Writer::single(Tag::SEQUENCE, |w| {
            w.integer(&Integer::from(u64::from(self.version)));
            w.oid(&self.policy);
            self.imprint.write(w);
            w.integer(&self.serial);
            w.primitive(Tag::GENERALIZED_TIME, gen_time.as_bytes());
            if let Some(accuracy) = &self.accuracy {
                accuracy.write(w);
            }
            if self.ordering {
                w.boolean(true);
            }
            if let Some(nonce) = &self.nonce {
                w.integer(nonce);
            }
            if let Some(tsa) = &self.tsa {
                w.constructed(Tag::context(0), |w| {
                    w.raw(tsa);
                });
            }
            if !self.extensions.is_empty() {
                w.constructed(Tag::context(1), |w| {
                    self.extensions.iter().for_each(|e| e.write(w));
                });
            }
        }))
    }
}

impl Accuracy {
    /// The accuracy as one duration.
    #[must_use]
    pub fn duration(&self) -> ::time::Duration {
        let part = |value: Option<u32>| i64::from(value.unwrap_or(0));
        ::time::Duration::seconds(part(self.seconds))
            .saturating_add(::time::Duration::milliseconds(part(self.millis)))
            .saturating_add(::time::Duration::microseconds(part(self.micros)))
    }

    /// Zero is outside of `1..999`, yet TSAs write it.
    fn is_valid(self) -> bool {
        [self.millis, self.micros]
            .into_iter()
            .flatten()
            .all(|value| value <= 999)
    }

    fn write(self, writer: &mut Writer) {
        writer.sequence(|w| {
            let parts = [
                (Tag::INTEGER, self.seconds),
                (Tag::context(0), self.millis),
                (Tag::context(1), self.micros),
            ];
            for (tag, value) in parts {
                if let Some(value) = value {
                    w.primitive(tag, Integer::from(u64::from(value)).as_bytes());
                }
            }
        });
    }
}

#[derive(AsnType, Decode)]
struct Members {
    version: Number,
    policy: Oid,
    message_imprint: MessageImprint,
    serial_number: Integer,
    gen_time: GenTime,
    accuracy: Option<Accuracy>,
    #[rasn(default)]
    ordering: Flag,
    nonce: Option<Integer>,
    #[rasn(tag(0))]
    tsa: Option<TaggedName>,
    #[rasn(tag(1))]
    extensions: Option<Extensions>,
}

/// A GeneralizedTime and its text. `rasn` keeps no text, and reads local times too.
struct GenTime {
    time: OffsetDateTime,
    text: String,
}

/// The exact bytes of a GeneralName inside of its tag: it is a CHOICE, so the tag is EXPLICIT even in a module with IMPLICIT tags
/// (X.680 §31.2.7).
struct TaggedName(Vec<u8>);

#[derive(AsnType, Decode)]
struct AccuracyMembers {
    seconds: Option<Number>,
    #[rasn(tag(0))]
    millis: Option<Number>,
    #[rasn(tag(1))]
    micros: Option<Number>,
}

impl FromElement for GenTime {
    const TAG: Tag = Tag::GENERALIZED_TIME;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        Ok(Self {
            time: element.generalized_time()?,
            text: element.ascii().unwrap_or_default().to_owned(),
        })
    }
}

impl FromElement for TaggedName {
    const TAG: Tag = Tag::context(0);

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let mut reader = element.children("TSTInfo.tsa")?;
        let name = reader.read()?.raw().to_vec();
        reader.finish()?;
        Ok(Self(name))
    }
}

impl FromElement for Accuracy {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: AccuracyMembers = decode(element, "Accuracy")?;
        let accuracy = Self {
            seconds: members.seconds.map(|number| number.0),
            millis: members.millis.map(|number| number.0),
            micros: members.micros.map(|number| number.0),
        };
        if accuracy.is_valid() {
            return Ok(accuracy);
        }
        Err(element.error(ErrorKind::InvalidValue))
    }
}

rasn_type!(GenTime, TaggedName, Accuracy);

const STRUCTURE: &str = "TSTInfo";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use proptest::prelude::*;

    #[test]
    fn another_codec_reads_what_we_write() {
        let mut info = samples::tst_info(b"data");
        info.tsa = Some(vec![0x86, 0x01, b'a']);
        info.extensions = vec![Extension {
            oid: crate::oid::DATA,
            critical: false,
            value: vec![5, 0],
        }];
        let bytes = info.encode().unwrap();
        assert_eq!(*TstInfo::parse(&bytes).unwrap(), info);
        let other: rasn_cms::tsp::TstInfo = rasn::der::decode(&bytes).unwrap();
        assert_eq!(other.serial_number, 4711.into());
        assert_eq!(rasn::der::encode(&other).unwrap(), bytes);
    }

    #[test]
    fn another_version_is_refused() {
        let mut info = samples::tst_info(b"data");
        info.version = 2;
        assert_eq!(
            TstInfo::parse(&info.encode().unwrap()).unwrap_err().kind(),
            ErrorKind::UnsupportedVersion
        );
    }

    #[test]
    fn an_impossible_accuracy_is_refused() {
        let accuracy = |micros| Accuracy {
            micros: Some(micros),
            ..Accuracy::default()
        };
        let mut info = samples::tst_info(b"data");
        info.accuracy = Some(accuracy(1000));
        assert_eq!(info.encode().unwrap_err().kind(), ErrorKind::NotEncodable);
        info.accuracy = Some(accuracy(999));
        let bytes = info.encode().unwrap();
        let position = bytes.windows(2).position(|pair| pair == [0x03, 0xe7]);
        let mut changed = bytes.clone();
        changed[position.unwrap() + 1] = 0xe8;
        assert_eq!(
            TstInfo::parse(&changed).unwrap_err().kind(),
            ErrorKind::InvalidValue
        );
    }

    #[test]
    fn accuracy_adds_up() {
        let accuracy = Accuracy {
            seconds: Some(1),
            millis: Some(2),
            micros: Some(3),
        };
        assert_eq!(
            accuracy.duration(),
            ::time::Duration::microseconds(1_002_003)
        );
        assert!(Accuracy::default().duration().is_zero());
    }

    #[test]
    fn a_time_beyond_four_digits_is_not_written() {
        let mut info = samples::tst_info(b"data");
        info.gen_time = ::time::macros::datetime!(-1-01-01 00:00 UTC);
        assert_eq!(info.encode().unwrap_err().kind(), ErrorKind::NotEncodable);
    }

    #[test]
    fn each_bit_counts() {
        let bytes = samples::tst_info(b"data").encode().unwrap();
        samples::each_bit_counts(&bytes, |bytes| {
            TstInfo::parse(bytes).ok().map(|info| info.into_parts().0)
        });
    }

    #[test]
    fn a_damaged_one_does_no_harm() {
        let bytes = samples::tst_info(b"data").encode().unwrap();
        samples::each_damage(&bytes, |damaged| {
            if let Ok(info) = TstInfo::parse(damaged) {
                assert_eq!(info.raw(), damaged);
            }
        });
    }

    proptest! {
        #[test]
        fn written_and_read_again(
            seconds in 0_i64..253_402_300_799,
            micros in 0_u32..1_000_000,
            serial in proptest::collection::vec(any::<u8>(), 1..40),
            accuracy in proptest::option::of((0_u32.., 0_u32..1000, 0_u32..1000)),
            nonce: Option<u64>,
            ordering: bool,
        ) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_microsecond(micros).unwrap();
            let value = TstInfo {
                serial: Integer::from_unsigned(&serial),
                gen_time: time,
                gen_time_text: format_generalized_time(time).unwrap(),
                accuracy: accuracy.map(|(seconds, millis, micros)| Accuracy {
                    seconds: Some(seconds),
                    millis: Some(millis),
                    micros: Some(micros),
                }),
                nonce: nonce.map(Integer::from),
                ordering,
                ..samples::tst_info(b"data")
            };
            let bytes = value.encode().unwrap();
            let parsed = TstInfo::parse(&bytes).unwrap();
            prop_assert_eq!(parsed.raw(), &bytes[..]);
            prop_assert_eq!(parsed.value(), &value);
        }
    }
}
