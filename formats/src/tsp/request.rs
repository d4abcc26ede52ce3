//! What a client asks for.

use crate::der::typed::{Flag, FromElement, Number, decode, rasn_type};
use crate::der::{Element, Integer, Reader, Tag, Writer};
use crate::digest::{DIGEST_BYTES_MAX, DigestAlgorithm, DigestValue};
use crate::error::{ErrorKind, Result};
use crate::oid::Oid;
use crate::raw::Raw;
use crate::x509::{AlgorithmIdentifier, Extension, Extensions};
use rasn::{AsnType, Decode, Decoder as _};

/// A time-stamp request (RFC 3161 §2.4.1).
///
/// ```text
/// TimeStampReq ::= SEQUENCE  {
///    version                      INTEGER  { v1(1) },
///    messageImprint               MessageImprint,
///    reqPolicy             TSAPolicyId              OPTIONAL,
///    nonce                 INTEGER                  OPTIONAL,
///    certReq               BOOLEAN                  DEFAULT FALSE,
///    extensions            [0] IMPLICIT Extensions  OPTIONAL  }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TimeStampRequest {
    /// 1. Another number is read, so that a TSA can answer badRequest.
    pub version: u32,
    /// What is to be time-stamped.
    pub imprint: MessageImprint,
    /// The policy that the client wants.
    pub policy: Option<Oid>,
    /// The number that the answer must repeat.
    pub nonce: Option<Integer>,
    /// Whether the token shall carry the TSA's certificate.
    pub certificate_wanted: bool,
    /// Extensions.
    pub extensions: Vec<Extension>,
}

/// A digest and its algorithm (RFC 3161 §2.4.1).
///
/// ```text
/// MessageImprint ::= SEQUENCE  {
///      hashAlgorithm                AlgorithmIdentifier,
///      hashedMessage                OCTET STRING  }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageImprint {
    /// The digest algorithm, which may be one that this program does not know.
    pub algorithm: AlgorithmIdentifier,
    /// The digest. Its length may be wrong: see [`value`](Self::value).
    pub bytes: Vec<u8>,
}

impl TimeStampRequest {
    /// Reads one request and nothing else.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        let element = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
        let members: TimeStampReq = decode(&element, STRUCTURE)?;
        let value = Self {
            version: members.version.0,
            imprint: members.message_imprint,
            policy: members.req_policy,
            nonce: members.nonce,
            certificate_wanted: members.cert_req.0,
            extensions: members.extensions.map(|list| list.0).unwrap_or_default(),
        };
        Ok(Raw::new(value, bytes.to_vec()))
    }

    /// The DER bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            w.integer(&Integer::from(u64::from(self.version)));
            self.imprint.write(w);
            if let Some(policy) = &self.policy {
                w.oid(policy);
            }
            if let Some(nonce) = &self.nonce {
                w.integer(nonce);
            }
            if self.certificate_wanted {
                w.boolean(true);
            }
            if !self.extensions.is_empty() {
                w.constructed(Tag::context(0), |w| {
                    self.extensions.iter().for_each(|e| e.write(w));
                });
            }
        })
    }
}

impl MessageImprint {
    /// The imprint of a digest.
    #[must_use]
    pub fn of(value: &DigestValue) -> Self {
        Self {
            algorithm: AlgorithmIdentifier::of_digest(value.algorithm()),
            bytes: value.as_bytes().to_vec(),
        }
    }

    /// The digest algorithm, if this program knows it.
    #[must_use]
    pub fn digest_algorithm(&self) -> Option<DigestAlgorithm> {
        self.algorithm.digest_algorithm()
    }

    /// The digest, if the algorithm is known and the length is its own.
    #[must_use]
    pub fn value(&self) -> Option<DigestValue> {
        DigestValue::from_bytes(self.digest_algorithm()?, &self.bytes)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.sequence(|w| {
            self.algorithm.write(w);
            w.octet_string(&self.bytes);
        });
    }
}

#[derive(AsnType, Decode)]
struct TimeStampReq {
    version: Number,
    message_imprint: MessageImprint,
    req_policy: Option<Oid>,
    nonce: Option<Integer>,
    #[rasn(default)]
    cert_req: Flag,
    #[rasn(tag(0))]
    extensions: Option<Extensions>,
}

#[derive(AsnType, Decode)]
struct ImprintMembers {
    hash_algorithm: AlgorithmIdentifier,
    hashed_message: rasn::types::OctetString,
}

impl FromElement for MessageImprint {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: ImprintMembers = decode(element, "MessageImprint")?;
        if members.hashed_message.len() > IMPRINT_BYTES_MAX {
            return Err(element.error(ErrorKind::LimitExceeded));
        }
        Ok(Self {
            algorithm: members.hash_algorithm,
            bytes: members.hashed_message.to_vec(),
        })
    }
}

rasn_type!(MessageImprint);

const STRUCTURE: &str = "TimeStampReq";

/// Twice the longest digest that is known, for algorithms to come.
const IMPRINT_BYTES_MAX: usize = 2 * DIGEST_BYTES_MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::TSP_EXTENSIONS_MAX;
    use crate::samples;
    use proptest::prelude::*;

    fn request() -> TimeStampRequest {
        TimeStampRequest {
            version: 1,
            imprint: MessageImprint::of(&DigestAlgorithm::Sha256.digest(b"data")),
            policy: Some("1.3.6.1.4.1.32473.1".parse().unwrap()),
            nonce: Some(Integer::from(0x80)),
            certificate_wanted: true,
            extensions: vec![Extension {
                oid: crate::oid::DATA,
                critical: true,
                value: vec![5, 0],
            }],
        }
    }

    #[test]
    fn another_codec_reads_what_we_write() {
        let bytes = request().encode();
        let other: rasn_cms::tsp::TimeStampReq = rasn::der::decode(&bytes).unwrap();
        assert!(other.cert_req);
        assert_eq!(other.nonce, Some(0x80.into()));
        assert_eq!(rasn::der::encode(&other).unwrap(), bytes);
    }

    #[test]
    fn members_out_of_place_are_refused() {
        let reject = |fill: fn(&mut Writer)| {
            let bytes = Writer::single(Tag::SEQUENCE, fill);
            assert!(TimeStampRequest::parse(&bytes).is_err(), "{bytes:x?}");
        };
        reject(|_| {});
        reject(|w| {
            w.integer(&Integer::from(1));
        });
        reject(|w| {
            w.integer(&Integer::from(1)).sequence(|_| {});
        });
        reject(|w| {
            w.integer(&Integer::from(1));
            request().imprint.write(w);
            w.boolean(true).integer(&Integer::from(1));
        });
        reject(|w| {
            w.integer(&Integer::from(1));
            request().imprint.write(w);
            w.constructed(Tag::context(0), |_| {});
        });
    }

    #[test]
    fn a_duplicate_extension_is_refused() {
        let mut request = request();
        let extension = request.extensions[0].clone();
        request.extensions.push(extension);
        assert_eq!(
            TimeStampRequest::parse(&request.encode())
                .unwrap_err()
                .kind(),
            ErrorKind::DuplicateElement
        );
    }

    #[test]
    fn one_extension_or_octet_too_many_is_refused() {
        let kind = |request: &TimeStampRequest| {
            let parsed = TimeStampRequest::parse(&request.encode());
            parsed.map(|_| ()).map_err(|error| error.kind())
        };
        let mut request = request();
        let extension = |n: usize| Extension {
            oid: format!("1.2.{n}").parse().unwrap(),
            critical: false,
            value: vec![],
        };
        request.extensions = (0..TSP_EXTENSIONS_MAX).map(extension).collect();
        assert_eq!(kind(&request), Ok(()));
        request.extensions.push(extension(TSP_EXTENSIONS_MAX));
        assert_eq!(kind(&request), Err(ErrorKind::LimitExceeded));
        request.extensions.clear();
        request.imprint.bytes = vec![0; IMPRINT_BYTES_MAX];
        assert_eq!(kind(&request), Ok(()));
        request.imprint.bytes.push(0);
        assert_eq!(kind(&request), Err(ErrorKind::LimitExceeded));
    }

    #[test]
    fn an_unknown_or_wrong_imprint_is_read_but_has_no_value() {
        let mut imprint = request().imprint;
        assert!(imprint.value().is_some());
        imprint.bytes.pop();
        assert_eq!(imprint.value(), None);
        imprint.algorithm.oid = crate::oid::DATA;
        assert_eq!(imprint.digest_algorithm(), None);
    }

    #[test]
    fn each_bit_counts() {
        samples::each_bit_counts(&request().encode(), |bytes| {
            TimeStampRequest::parse(bytes)
                .ok()
                .map(|request| request.into_parts().0)
        });
    }

    #[test]
    fn a_damaged_request_does_no_harm() {
        samples::each_damage(&request().encode(), |damaged| {
            if let Ok(request) = TimeStampRequest::parse(damaged) {
                assert_eq!(request.raw(), damaged);
            }
        });
    }

    proptest! {
        #[test]
        fn written_and_read_again(
            version in 0_u32..9,
            digest in proptest::collection::vec(any::<u8>(), 0..IMPRINT_BYTES_MAX),
            nonce in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..33)),
            policy: bool,
            certificate_wanted: bool,
            extension: bool,
        ) {
            let mut value = request();
            value.version = version;
            value.imprint.bytes = digest;
            value.nonce = nonce.map(|bytes| Integer::from_unsigned(&bytes));
            value.policy = value.policy.filter(|_| policy);
            value.certificate_wanted = certificate_wanted;
            value.extensions.truncate(usize::from(extension));
            let bytes = value.encode();
            let parsed = TimeStampRequest::parse(&bytes).unwrap();
            prop_assert_eq!(parsed.raw(), &bytes[..]);
            prop_assert_eq!(parsed.value(), &value);
        }
    }
}
