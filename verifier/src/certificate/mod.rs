//! Certificates (RFC 5280 §4), read for judgement: strictly, without copying, and with the bytes that were signed at hand.
//!
//! `x509-parser` reads; the shape of the bytes is checked before, and what RFC 5280 demands beyond its grammar after.

mod extensions;
mod general_name;
mod name;
mod schema;
mod shape;

use formats::oid::Oid;
use time::OffsetDateTime;
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Result;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

pub use extensions::{
    BasicConstraints, DistributionPoint, DistributionPointName, ExtendedKeyUsage, Extensions,
    NameConstraints, PolicyConstraints, key_usage,
};
pub(crate) use extensions::{Extension, authority_key_identifier, distribution_point_name};
pub use general_name::GeneralName;
pub use name::Name;

pub use crate::der::Malformed;
use crate::der::{BIT_STRING, OBJECT_IDENTIFIER, Reader, Result, SEQUENCE};

/// Most bytes of one certificate. Real ones have 1 to 5 kB, with many names up to some 100 kB.
pub const CERTIFICATE_BYTES_MAX: usize = 1024 * 1024;

/// What `x509-parser` read, if it read all of it.
pub(crate) fn whole<T>(read: X509Result<'_, T>, structure: &'static str) -> Result<T> {
    match read {
        Ok(([], value)) => Ok(value),
        _ => Err(Malformed { structure }),
    }
}

/// A Time (RFC 5280 §4.1.2.5): UTCTime or GeneralizedTime, to the second, in UTC.
pub(crate) fn time(der: &[u8], structure: &'static str) -> Result<OffsetDateTime> {
    schema::TIME.check(der, structure)?;
    whole(ASN1Time::from_der(der), structure).map(|time| time.to_datetime())
}

/// An AlgorithmIdentifier: `SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY DEFINED BY algorithm OPTIONAL }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Algorithm<'a> {
    /// The DER.
    pub raw: &'a [u8],
    /// The algorithm.
    pub oid: Oid,
    /// The DER of the parameters, tag included.
    pub parameters: Option<&'a [u8]>,
}

impl<'a> Algorithm<'a> {
    /// Splits the DER of an AlgorithmIdentifier. `x509-parser` has the parameters without their tag and length, with which they go to the signature crates.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self> {
        const STRUCTURE: &str = "AlgorithmIdentifier";
        let mut fields = Reader::single(der, SEQUENCE, STRUCTURE)?.reader(STRUCTURE);
        let oid = Oid::from_content(fields.expect(OBJECT_IDENTIFIER)?.content)
            .map_err(|_| fields.error())?;
        let parameters = if fields.is_empty() {
            None
        } else {
            Some(fields.read()?.raw)
        };
        fields.finish()?;
        Ok(Self {
            raw: der,
            oid,
            parameters,
        })
    }
}

/// A signed structure: the bytes that were signed, the algorithm, the signature.
///
/// ```text
/// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
/// ```
///
/// Split here, for certificates and CRLs alike: `x509-parser` lends the signed bytes only for the life of its own value.
#[derive(Debug, Clone)]
pub(crate) struct Signed<'a> {
    pub(crate) message: &'a [u8],
    pub(crate) algorithm: Algorithm<'a>,
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn parse(der: &'a [u8], structure: &'static str) -> Result<Self> {
        let mut fields = Reader::single(der, SEQUENCE, structure)?.reader(structure);
        let message = fields.expect(SEQUENCE)?.raw;
        let algorithm = Algorithm::parse(fields.expect(SEQUENCE)?.raw)?;
        let signature = fields.expect(BIT_STRING)?.octet_aligned_bits(structure)?;
        fields.finish()?;
        Ok(Self {
            message,
            algorithm,
            signature,
        })
    }
}

/// A certificate.
#[derive(Debug, Clone)]
pub struct Certificate<'a> {
    raw: &'a [u8],
    signed: Signed<'a>,
    version: u8,
    serial: &'a [u8],
    algorithms_agree: bool,
    issuer: Name<'a>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    subject: Name<'a>,
    spki: &'a [u8],
    extensions: Extensions<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate from its DER.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is not one. A known extension that cannot be read is no error here, but no path passes with it.
    pub fn parse(der: &'a [u8]) -> Result<Self> {
        const STRUCTURE: &str = "Certificate";
        let error = Malformed {
            structure: STRUCTURE,
        };
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(error);
        }
        schema::CERTIFICATE.check(der, STRUCTURE)?;
        let read = whole(X509Certificate::from_der(der), STRUCTURE)?;
        let version = match read.version {
            X509Version::V1 => 1,
            X509Version::V2 => 2,
            X509Version::V3 => 3,
            _ => return Err(error),
        };
        let unique_identifiers = read.issuer_uid.is_some() || read.subject_uid.is_some();
        if (unique_identifiers && version < 2) || (!read.extensions().is_empty() && version < 3) {
            return Err(error);
        }
        Ok(Self {
            raw: der,
            signed: Signed::parse(der, STRUCTURE)?,
            version,
            serial: read.raw_serial(),
            algorithms_agree: read.tbs_certificate.signature == read.signature_algorithm,
            issuer: Name::of(&read.issuer)?,
            not_before: read.validity.not_before.to_datetime(),
            not_after: read.validity.not_after.to_datetime(),
            subject: Name::of(&read.subject)?,
            spki: read.subject_pki.raw,
            extensions: Extensions::interpret(&Extension::all(read.extensions())?),
        })
    }

    /// The DER.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The version, 1 to 3.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// The content octets of the serial number.
    #[must_use]
    pub const fn serial(&self) -> &'a [u8] {
        self.serial
    }

    /// The issuer.
    #[must_use]
    pub const fn issuer(&self) -> &Name<'a> {
        &self.issuer
    }

    /// The subject.
    #[must_use]
    pub const fn subject(&self) -> &Name<'a> {
        &self.subject
    }

    /// The first moment of its period.
    #[must_use]
    pub const fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// The last moment of its period (RFC 5280 §4.1.2.5: inclusive).
    #[must_use]
    pub const fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// The DER of the SubjectPublicKeyInfo.
    #[must_use]
    pub const fn spki(&self) -> &'a [u8] {
        self.spki
    }

    /// What the known extensions say.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    /// The algorithm of the signature on it, as it stands outside of what is signed.
    #[must_use]
    pub const fn signature_algorithm(&self) -> &Algorithm<'a> {
        &self.signed.algorithm
    }

    pub(crate) const fn signed(&self) -> &Signed<'a> {
        &self.signed
    }

    /// Do the signed and the unsigned notation of the signature algorithm agree (RFC 5280 §4.1.1.2)?
    #[must_use]
    pub const fn algorithms_agree(&self) -> bool {
        self.algorithms_agree
    }

    /// Are issuer and subject the same (RFC 5280 §3.2: self-issued)?
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Is it the certificate of a certificate authority by its own words?
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.extensions
            .basic_constraints
            .is_some_and(|constraints| constraints.ca)
    }

    /// Does its key usage, if it has one, hold one of `bits`?
    #[must_use]
    pub fn allows_key_usage(&self, bits: u16) -> bool {
        self.extensions
            .key_usage
            .is_none_or(|usage| usage & bits != 0)
    }

    /// Is `time` in its period? Both ends are inclusive and in seconds (RFC 5280 §4.1.2.5), so the whole last second belongs to it.
    #[must_use]
    pub fn is_in_period(&self, time: OffsetDateTime) -> bool {
        let time = time.truncate_to_second();
        self.not_before <= time && time <= self.not_after
    }

    /// How it is named in findings: subject, or the serial number if that is empty.
    #[must_use]
    pub fn title(&self) -> String {
        if self.subject.is_empty() {
            format!("serial number {}", hex::encode(self.serial))
        } else {
            self.subject.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn read(tag: u8, text: &str) -> Option<OffsetDateTime> {
        let length = u8::try_from(text.len()).unwrap();
        let der = [&[tag, length], text.as_bytes()].concat();
        time(&der, "x").ok()
    }

    #[test]
    fn times_are_strict() {
        let utc = |text| read(crate::der::UTC_TIME, text);
        assert_eq!(
            utc("491231235959Z"),
            Some(datetime!(2049-12-31 23:59:59 UTC))
        );
        assert_eq!(utc("500101000000Z"), Some(datetime!(1950-01-01 0:00 UTC)));
        assert_eq!(utc("000229000000Z"), Some(datetime!(2000-02-29 0:00 UTC)));
        for bad in [
            "4912312359Z",
            "491231235959",
            "491331235959Z",
            "490230000000Z",
            "490229000000Z",
            "49123123595aZ",
            "491231235959+0000",
            "+91231235959Z",
        ] {
            assert_eq!(utc(bad), None, "{bad}");
        }
        let general = |text| read(crate::der::GENERALIZED_TIME, text);
        assert_eq!(
            general("99991231235959Z"),
            Some(datetime!(9999-12-31 23:59:59 UTC))
        );
        assert_eq!(
            general("19000101000000Z"),
            Some(datetime!(1900-01-01 0:00 UTC))
        );
        for bad in [
            "20200101000000.5Z",
            "200101000000Z",
            "20200101000000",
            "20201301000000Z",
            "20200101240000Z",
        ] {
            assert_eq!(general(bad), None, "{bad}");
        }
    }
}
