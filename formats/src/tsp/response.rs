//! What a TSA answers.

use crate::der::typed::{FromElement, List, Number, RawSequence, decode, rasn_type};
use crate::der::{Element, Integer, Reader, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::limits::{TSP_STATUS_TEXT_BYTES_MAX, TSP_STATUS_TEXTS_MAX};
use crate::raw::Raw;
use rasn::{AsnType, Decode, Decoder as _};

/// A time-stamp response (RFC 3161 §2.4.2).
///
/// ```text
/// TimeStampResp ::= SEQUENCE  {
///     status                  PKIStatusInfo,
///     timeStampToken          TimeStampToken     OPTIONAL  }
///
/// PKIStatusInfo ::= SEQUENCE {
///     status        PKIStatus,
///     statusString  PKIFreeText     OPTIONAL,
///     failInfo      PKIFailureInfo  OPTIONAL  }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimeStampResponse {
    /// Whether the TSA granted it.
    pub status: Status,
    /// What the TSA says about it, in its own words.
    pub texts: Vec<String>,
    /// Why it did not.
    pub failures: Vec<Failure>,
    /// The exact bytes of the token.
    pub token: Option<Vec<u8>>,
}

/// PKIStatus (RFC 3161 §2.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// granted (0): the token is as requested.
    Granted,
    /// grantedWithMods (1): the token differs from the request.
    GrantedWithMods,
    /// rejection (2).
    Rejection,
    /// waiting (3).
    Waiting,
    /// revocationWarning (4).
    RevocationWarning,
    /// revocationNotification (5).
    RevocationNotification,
    /// A number that RFC 3161 does not know.
    Other(u32),
}

/// One reason of PKIFailureInfo (RFC 3161 §2.4.2): a bit of a BIT STRING.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// badAlg (0): the digest algorithm is not supported.
    BadAlgorithm,
    /// badRequest (2): the transaction is not permitted or supported.
    BadRequest,
    /// badDataFormat (5): the data submitted has the wrong format.
    BadDataFormat,
    /// timeNotAvailable (14): the TSA has no time.
    TimeNotAvailable,
    /// unacceptedPolicy (15): the requested policy is not supported.
    UnacceptedPolicy,
    /// unacceptedExtension (16): a requested extension is not supported.
    UnacceptedExtension,
    /// addInfoNotAvailable (17): the additional information is not understood or not there.
    AdditionalInfoNotAvailable,
    /// systemFailure (25): the TSA is out of order.
    SystemFailure,
    /// A bit that RFC 3161 does not know.
    Other(u8),
}

impl TimeStampResponse {
    /// An answer with a token, whose bytes are inserted as they are.
    #[must_use]
    pub const fn granted(token: Vec<u8>) -> Self {
        Self {
            status: Status::Granted,
            texts: Vec::new(),
            failures: Vec::new(),
            token: Some(token),
        }
    }

    /// An answer without a token.
    #[must_use]
    pub fn rejected(failure: Failure, text: &str) -> Self {
        Self {
            status: Status::Rejection,
            texts: vec![text.to_owned()],
            failures: vec![failure],
            token: None,
        }
    }

    /// Whether the status allows a token.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        matches!(self.status, Status::Granted | Status::GrantedWithMods)
    }

    /// Reads one response and nothing else. Whether status and token agree is not judged here.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input. The token is only checked to be one element.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        let element = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
        let members: TimeStampResp = decode(&element, STRUCTURE)?;
        let value = Self {
            status: members.status.status,
            texts: members.status.texts,
            failures: members.status.failures,
            token: members.time_stamp_token.map(|token| token.0),
        };
        Ok(Raw::new(value, bytes.to_vec()))
    }

    /// The DER bytes; the token is inserted as it is.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                w.integer(&Integer::from(u64::from(self.status.number())));
                if !self.texts.is_empty() {
                    w.sequence(|w| {
                        for text in &self.texts {
                            w.primitive(Tag::UTF8_STRING, text.as_bytes());
                        }
                    });
                }
                if !self.failures.is_empty() {
                    w.primitive(Tag::BIT_STRING, &failure_bits(&self.failures));
                }
            });
            if let Some(token) = &self.token {
                w.raw(token);
            }
        })
    }
}

impl Status {
    const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Granted,
            1 => Self::GrantedWithMods,
            2 => Self::Rejection,
            3 => Self::Waiting,
            4 => Self::RevocationWarning,
            5 => Self::RevocationNotification,
            other => Self::Other(other),
        }
    }

    /// The number of PKIStatus.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Granted => 0,
            Self::GrantedWithMods => 1,
            Self::Rejection => 2,
            Self::Waiting => 3,
            Self::RevocationWarning => 4,
            Self::RevocationNotification => 5,
            Self::Other(number) => number,
        }
    }

    /// The name of RFC 3161.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::GrantedWithMods => "grantedWithMods",
            Self::Rejection => "rejection",
            Self::Waiting => "waiting",
            Self::RevocationWarning => "revocationWarning",
            Self::RevocationNotification => "revocationNotification",
            Self::Other(_) => "unknown status",
        }
    }
}

impl Failure {
    const fn from_bit(bit: u8) -> Self {
        match bit {
            0 => Self::BadAlgorithm,
            2 => Self::BadRequest,
            5 => Self::BadDataFormat,
            14 => Self::TimeNotAvailable,
            15 => Self::UnacceptedPolicy,
            16 => Self::UnacceptedExtension,
            17 => Self::AdditionalInfoNotAvailable,
            25 => Self::SystemFailure,
            other => Self::Other(other),
        }
    }

    /// The number of the bit in PKIFailureInfo.
    #[must_use]
    pub const fn bit(self) -> u8 {
        match self {
            Self::BadAlgorithm => 0,
            Self::BadRequest => 2,
            Self::BadDataFormat => 5,
            Self::TimeNotAvailable => 14,
            Self::UnacceptedPolicy => 15,
            Self::UnacceptedExtension => 16,
            Self::AdditionalInfoNotAvailable => 17,
            Self::SystemFailure => 25,
            Self::Other(bit) => bit,
        }
    }

    /// The name of RFC 3161.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadAlgorithm => "badAlg",
            Self::BadRequest => "badRequest",
            Self::BadDataFormat => "badDataFormat",
            Self::TimeNotAvailable => "timeNotAvailable",
            Self::UnacceptedPolicy => "unacceptedPolicy",
            Self::UnacceptedExtension => "unacceptedExtension",
            Self::AdditionalInfoNotAvailable => "addInfoNotAvailable",
            Self::SystemFailure => "systemFailure",
            Self::Other(_) => "unknown failure",
        }
    }
}

#[derive(AsnType, Decode)]
struct TimeStampResp {
    status: StatusInfo,
    time_stamp_token: Option<RawSequence>,
}

struct StatusInfo {
    status: Status,
    texts: Vec<String>,
    failures: Vec<Failure>,
}

/// PKIStatus is a plain INTEGER here: the type of `rasn-cms` refuses numbers that RFC 3161 does not know.
#[derive(AsnType, Decode)]
struct StatusInfoMembers {
    status: Number,
    status_string: Option<List<Text, TSP_STATUS_TEXTS_MAX>>,
    fail_info: Option<Failures>,
}

/// A UTF8String of bounded length.
struct Text(String);

/// PKIFailureInfo: the bits that are set.
struct Failures(Vec<Failure>);

impl FromElement for StatusInfo {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: StatusInfoMembers = decode(element, "PKIStatusInfo")?;
        let texts = members.status_string.map(|list| list.0).unwrap_or_default();
        Ok(Self {
            status: Status::from_number(members.status.0),
            texts: texts.into_iter().map(|text| text.0).collect(),
            failures: members.fail_info.map(|list| list.0).unwrap_or_default(),
        })
    }
}

impl FromElement for Text {
    const TAG: Tag = Tag::UTF8_STRING;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        if element.content().len() > TSP_STATUS_TEXT_BYTES_MAX {
            return Err(element.error(ErrorKind::LimitExceeded));
        }
        element.utf8().map(Self)
    }
}

impl FromElement for Failures {
    const TAG: Tag = Tag::BIT_STRING;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let (octets, _) = element.bit_string()?;
        if octets.len() > FAILURE_OCTETS_MAX {
            return Err(element.error(ErrorKind::LimitExceeded));
        }
        let is_set = |bit: &u8| {
            let octet = octets.get(usize::from(bit >> 3));
            octet.is_some_and(|octet| octet & (0x80 >> (bit & 7)) != 0)
        };
        Ok(Self(
            (0..=u8::MAX)
                .filter(is_set)
                .map(Failure::from_bit)
                .collect(),
        ))
    }
}

rasn_type!(StatusInfo, Failures);

/// The octets of a named-bit BIT STRING without zeros at the end (X.690 §11.2.2).
fn failure_bits(failures: &[Failure]) -> Vec<u8> {
    let highest = failures
        .iter()
        .map(|failure| failure.bit())
        .max()
        .unwrap_or(0);
    let mut octets = vec![0_u8; usize::from(highest >> 3).saturating_add(1)];
    for failure in failures {
        let bit = failure.bit();
        if let Some(octet) = octets.get_mut(usize::from(bit >> 3)) {
            *octet |= 0x80 >> (bit & 7);
        }
    }
    let unused = !highest & 7;
    octets.insert(0, unused);
    octets
}

const STRUCTURE: &str = "TimeStampResp";

/// The bits of PKIFailureInfo are counted by one octet.
const FAILURE_OCTETS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use proptest::prelude::*;

    #[test]
    fn the_token_keeps_its_bytes() {
        let token = samples::token(b"data");
        let bytes = TimeStampResponse::granted(token.clone()).encode();
        let response = TimeStampResponse::parse(&bytes).unwrap();
        assert!(response.is_granted());
        assert_eq!(response.token.as_ref(), Some(&token));
        let other: rasn_cms::tsp::TimeStampResp = rasn::der::decode(&bytes).unwrap();
        assert_eq!(rasn::der::encode(&other).unwrap(), bytes);
    }

    #[test]
    fn each_failure_has_its_bit() {
        for bit in 0..=255 {
            let failure = Failure::from_bit(bit);
            assert_eq!(failure.bit(), bit);
            assert!(!failure.name().is_empty());
            let bytes = TimeStampResponse::rejected(failure, "Nein, danke: 拒否").encode();
            let response = TimeStampResponse::parse(&bytes).unwrap();
            assert_eq!(response.failures, [failure]);
            assert_eq!(response.texts, ["Nein, danke: 拒否"]);
            assert!(!response.is_granted());
            let other: rasn_cms::tsp::TimeStampResp = rasn::der::decode(&bytes).unwrap();
            assert_eq!(rasn::der::encode(&other).unwrap(), bytes);
        }
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bytes in [
            &[0x30, 0x00][..],
            &[0x30, 0x02, 0x30, 0x00],
            &[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x80],
            &[
                0x30, 0x09, 0x30, 0x07, 0x02, 0x01, 0x02, 0x30, 0x02, 0x04, 0x00,
            ],
            &[0x30, 0x07, 0x30, 0x03, 0x02, 0x01, 0x00, 0x05, 0x00],
        ] {
            assert!(TimeStampResponse::parse(bytes).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn too_much_text_is_refused() {
        let mut response = TimeStampResponse::rejected(Failure::BadRequest, "");
        let mut with = |texts: Vec<String>| {
            response.texts = texts;
            TimeStampResponse::parse(&response.encode()).map(|_| ())
        };
        assert!(with(vec!["a".to_owned(); TSP_STATUS_TEXTS_MAX]).is_ok());
        assert!(with(vec!["a".to_owned(); TSP_STATUS_TEXTS_MAX + 1]).is_err());
        assert!(with(vec!["a".repeat(TSP_STATUS_TEXT_BYTES_MAX)]).is_ok());
        assert!(with(vec!["a".repeat(TSP_STATUS_TEXT_BYTES_MAX + 1)]).is_err());
    }

    #[test]
    fn a_damaged_response_does_no_harm() {
        let mut response = TimeStampResponse::granted(vec![0x30, 0x00]);
        response.texts = vec!["text".to_owned()];
        response.failures = vec![Failure::SystemFailure];
        samples::each_damage(&response.encode(), |damaged| {
            if let Ok(response) = TimeStampResponse::parse(damaged) {
                assert_eq!(response.raw(), damaged);
            }
        });
    }

    proptest! {
        #[test]
        fn written_and_read_again(
            status in 0_u32..9,
            texts in proptest::collection::vec(".{0,20}", 0..4),
            bits in proptest::collection::btree_set(any::<u8>(), 0..5),
            token: bool,
        ) {
            let value = TimeStampResponse {
                status: Status::from_number(status),
                texts,
                failures: bits.into_iter().map(Failure::from_bit).collect(),
                token: token.then(|| samples::token(b"data")),
            };
            let bytes = value.encode();
            let parsed = TimeStampResponse::parse(&bytes).unwrap();
            prop_assert_eq!(parsed.raw(), &bytes[..]);
            prop_assert_eq!(parsed.value(), &value);
        }
    }
}
