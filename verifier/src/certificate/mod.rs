//! Certificates (RFC 5280 §4), read for judgement: strictly, without copying, and with the bytes that were signed at hand.

mod extensions;
mod general_name;
mod name;

use formats::oid::Oid;
use time::OffsetDateTime;

pub use extensions::{
    BasicConstraints, DistributionPoint, DistributionPointName, ExtendedKeyUsage, Extensions,
    NameConstraints, PolicyConstraints, key_usage,
};
pub(crate) use extensions::{Extension, authority_key_identifier, distribution_point_name};
pub use general_name::GeneralName;
pub use name::Name;

pub use crate::der::Malformed;
use crate::der::{
    BIT_STRING, INTEGER, OBJECT_IDENTIFIER, Reader, Result, SEQUENCE, context, context_constructed,
};

/// Most bytes of one certificate. Real ones have 1 to 5 kB, with many names up to some 100 kB.
pub const CERTIFICATE_BYTES_MAX: usize = 1024 * 1024;

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
    /// Reads the DER of an AlgorithmIdentifier.
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
    inner_algorithm: &'a [u8],
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
    /// ```text
    /// TBSCertificate ::= SEQUENCE {
    ///      version [0] EXPLICIT Version DEFAULT v1, serialNumber CertificateSerialNumber, signature AlgorithmIdentifier, issuer Name,
    ///      validity Validity, subject Name, subjectPublicKeyInfo SubjectPublicKeyInfo,
    ///      issuerUniqueID [1] IMPLICIT UniqueIdentifier OPTIONAL, subjectUniqueID [2] IMPLICIT UniqueIdentifier OPTIONAL,
    ///      extensions [3] EXPLICIT Extensions OPTIONAL }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is not one. A known extension that cannot be read is no error here, but no path passes with it.
    pub fn parse(der: &'a [u8]) -> Result<Self> {
        const STRUCTURE: &str = "Certificate";
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(Malformed {
                structure: STRUCTURE,
            });
        }
        let signed = Signed::parse(der, STRUCTURE)?;
        let mut fields =
            Reader::single(signed.message, SEQUENCE, "TBSCertificate")?.reader("TBSCertificate");
        let version = version(&mut fields)?;
        let serial = fields.expect(INTEGER)?.integer("serialNumber")?;
        let inner_algorithm = fields.expect(SEQUENCE)?.raw;
        let issuer = Name::parse(fields.expect(SEQUENCE)?.raw)?;
        let mut validity = fields.expect(SEQUENCE)?.reader("Validity");
        let not_before = validity.read()?.time("notBefore")?;
        let not_after = validity.read()?.time("notAfter")?;
        validity.finish()?;
        let subject = Name::parse(fields.expect(SEQUENCE)?.raw)?;
        let spki = fields.expect(SEQUENCE)?.raw;
        let unique_issuer = fields.optional(context(1))?;
        let unique_subject = fields.optional(context(2))?;
        let extensions = fields.optional(context_constructed(3))?;
        fields.finish()?;
        if (unique_issuer.is_some() || unique_subject.is_some()) && version < 2 {
            return Err(fields.error());
        }
        let extensions = match extensions {
            None => Extensions::default(),
            Some(_) if version < 3 => return Err(fields.error()),
            Some(element) => Extensions::interpret(&Extension::list(element.content)?),
        };
        Ok(Self {
            raw: der,
            signed,
            version,
            serial,
            inner_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
            extensions,
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
    pub fn algorithms_agree(&self) -> bool {
        self.inner_algorithm == self.signed.algorithm.raw
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

    /// Is `time` in its period?
    #[must_use]
    pub fn is_in_period(&self, time: OffsetDateTime) -> bool {
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

fn version(fields: &mut Reader<'_>) -> Result<u8> {
    let Some(element) = fields.optional(context_constructed(0))? else {
        return Ok(1);
    };
    let error = fields.error();
    match Reader::single(element.content, INTEGER, "version")?.content {
        [0] => Ok(1),
        [1] => Ok(2),
        [2] => Ok(3),
        _ => Err(error),
    }
}
