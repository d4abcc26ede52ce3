//! ContentInfo and SignedData.

use super::revocation::RevocationInfo;
use super::signer_info::SignerInfo;
use crate::der::typed::read_list;
use crate::der::{Element, Integer, Reader, Tag, Writer};
use crate::error::{ErrorKind, Result};
use crate::limits::{
    CMS_CERTIFICATES_MAX, CMS_REVOCATIONS_MAX, CMS_SIGNERS_MAX, DIGEST_ALGORITHMS_MAX,
};
use crate::oid::{self, Oid};
use crate::raw::Raw;
use crate::x509::AlgorithmIdentifier;

/// Signed data (RFC 5652 §5.1).
///
/// ```text
/// ContentInfo ::= SEQUENCE {
///   contentType ContentType,
///   content [0] EXPLICIT ANY DEFINED BY contentType }
///
/// SignedData ::= SEQUENCE {
///   version CMSVersion,
///   digestAlgorithms DigestAlgorithmIdentifiers,
///   encapContentInfo EncapsulatedContentInfo,
///   certificates [0] IMPLICIT CertificateSet OPTIONAL,
///   crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
///   signerInfos SignerInfos }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedData {
    /// 1, 3, 4 or 5. Archives write other numbers than RFC 5652 demands; a profile may judge it.
    pub version: u32,
    /// The digest algorithms of all signers, in the order received.
    pub digest_algorithms: Vec<AlgorithmIdentifier>,
    /// What the content is.
    pub content_type: Oid,
    /// The content octets, joined; `None` if the signature is detached.
    pub content: Option<Vec<u8>>,
    /// The certificates, in the order received.
    pub certificates: Vec<CertificateChoice>,
    /// CRLs and OCSP responses, in the order received.
    pub revocations: Vec<RevocationInfo>,
    /// The signers, in the order received.
    pub signers: Vec<SignerInfo>,
}

/// A member of the certificate set (RFC 5652 §10.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CertificateChoice {
    /// The exact bytes of an X.509 certificate. They may still be malformed inside.
    Certificate(Vec<u8>),
    /// The exact bytes of an attribute certificate or another choice.
    Other(Vec<u8>),
}

impl SignedData {
    /// Reads a ContentInfo with a SignedData and nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongType`] if the content type is another, and every other [`ErrorKind`] of malformed input.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        let content_info = Reader::single(bytes, Tag::SEQUENCE, "ContentInfo")?;
        let value = Self::from_content_info(&content_info)?;
        Ok(Raw::new(value, bytes.to_vec()))
    }

    fn from_content_info(content_info: &Element<'_>) -> Result<Self> {
        let mut reader = content_info.children("ContentInfo")?;
        let content_type = reader.expect(Tag::OID)?;
        if content_type.oid()? != oid::SIGNED_DATA {
            return Err(content_type.error(ErrorKind::WrongType));
        }
        let content = reader.expect(Tag::context(0))?;
        reader.finish()?;
        Self::from_element(&content.explicit(Tag::SEQUENCE, "SignedData")?)
    }

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let mut reader = element.children("SignedData")?;
        let version = reader.expect(Tag::INTEGER)?.small_integer()?;
        let digest_algorithms = reader.expect(Tag::SET)?;
        let (content_type, content) = read_content(&reader.expect(Tag::SEQUENCE)?)?;
        let certificates = match reader.optional(Tag::context(0))? {
            Some(set) => read_certificates(&set)?,
            None => Vec::new(),
        };
        let revocations = match reader.optional(Tag::context(1))? {
            Some(set) => read_revocations(&set)?,
            None => Vec::new(),
        };
        let signers = reader.expect(Tag::SET)?;
        reader.finish()?;
        Ok(Self {
            version,
            digest_algorithms: read_algorithms(&digest_algorithms)?,
            content_type,
            content,
            certificates,
            revocations,
            signers: read_signers(&signers)?,
        })
    }

    /// The exact bytes of each X.509 certificate.
    pub fn x509_certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.iter().filter_map(|choice| match choice {
            CertificateChoice::Certificate(bytes) => Some(bytes.as_slice()),
            CertificateChoice::Other(_) => None,
        })
    }

    /// The exact bytes of each CRL.
    pub fn crls(&self) -> impl Iterator<Item = &[u8]> {
        self.revocations.iter().filter_map(|info| match info {
            RevocationInfo::Crl(bytes) => Some(bytes.as_slice()),
            RevocationInfo::Ocsp { .. } | RevocationInfo::Other { .. } => None,
        })
    }

    /// The DER bytes of the ContentInfo. Members of sets are sorted; certificates, CRLs and attributes are inserted as they are.
    ///
    /// This makes new structures. Bytes that were received are never replaced by its result.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            w.oid(&oid::SIGNED_DATA);
            w.constructed(Tag::context(0), |w| {
                w.sequence(|w| self.write_members(w));
            });
        })
    }

    fn write_members(&self, w: &mut Writer) {
        w.integer(&Integer::from(u64::from(self.version)));
        let algorithms = self.digest_algorithms.iter();
        w.set_of(
            Tag::SET,
            algorithms.map(AlgorithmIdentifier::encode).collect(),
        );
        w.sequence(|w| {
            w.oid(&self.content_type);
            if let Some(content) = &self.content {
                w.constructed(Tag::context(0), |w| {
                    w.octet_string(content);
                });
            }
        });
        if !self.certificates.is_empty() {
            let certificates = self.certificates.iter().map(|choice| choice.raw().to_vec());
            w.set_of(Tag::context(0), certificates.collect());
        }
        if !self.revocations.is_empty() {
            let revocations = self.revocations.iter().map(RevocationInfo::encode);
            w.set_of(Tag::context(1), revocations.collect());
        }
        let signers = self.signers.iter().map(|signer| {
            let mut writer = Writer::new();
            signer.write(&mut writer);
            writer.into_bytes()
        });
        w.set_of(Tag::SET, signers.collect());
    }
}

impl CertificateChoice {
    /// The exact bytes.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        match self {
            Self::Certificate(bytes) | Self::Other(bytes) => bytes,
        }
    }
}

/// ```text
/// EncapsulatedContentInfo ::= SEQUENCE {
///   eContentType ContentType,
///   eContent [0] EXPLICIT OCTET STRING OPTIONAL }
/// ```
fn read_content(element: &Element<'_>) -> Result<(Oid, Option<Vec<u8>>)> {
    let mut reader = element.children("EncapsulatedContentInfo")?;
    let content_type = reader.expect(Tag::OID)?.oid()?;
    let content = match reader.optional(Tag::context(0))? {
        Some(wrapped) => {
            let octets = wrapped.explicit(Tag::OCTET_STRING, "EncapsulatedContentInfo.eContent")?;
            Some(octets.octets()?.into_owned())
        }
        None => None,
    };
    reader.finish()?;
    Ok((content_type, content))
}

fn read_algorithms(set: &Element<'_>) -> Result<Vec<AlgorithmIdentifier>> {
    read_list(set, "SignedData.digestAlgorithms", DIGEST_ALGORITHMS_MAX)
}

fn read_certificates(set: &Element<'_>) -> Result<Vec<CertificateChoice>> {
    let elements = set
        .children("SignedData.certificates")?
        .all(CMS_CERTIFICATES_MAX)?;
    let choice = |element: &Element<'_>| match element.tag() {
        Tag::SEQUENCE => CertificateChoice::Certificate(element.raw().to_vec()),
        _ => CertificateChoice::Other(element.raw().to_vec()),
    };
    Ok(elements.iter().map(choice).collect())
}

fn read_revocations(set: &Element<'_>) -> Result<Vec<RevocationInfo>> {
    let elements = set.children("SignedData.crls")?.all(CMS_REVOCATIONS_MAX)?;
    elements.iter().map(RevocationInfo::from_element).collect()
}

fn read_signers(set: &Element<'_>) -> Result<Vec<SignerInfo>> {
    let elements = set
        .children("SignedData.signerInfos")?
        .all(CMS_SIGNERS_MAX)?;
    elements.iter().map(SignerInfo::from_element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FormatError;
    use crate::samples;

    #[test]
    fn written_and_read_again() {
        let bytes = samples::token(b"data");
        let parsed = SignedData::parse(&bytes).unwrap();
        assert_eq!(parsed.raw(), bytes);
        assert_eq!(parsed.encode(), bytes);
        assert_eq!(parsed.x509_certificates().count(), 1);
        assert_eq!(parsed.crls().count(), 0);
    }

    #[test]
    fn other_content_types_are_told_apart() {
        let bytes = Writer::single(Tag::SEQUENCE, |w| {
            w.oid(&oid::DATA).constructed(Tag::context(0), |w| {
                w.octet_string(b"data");
            });
        });
        assert_eq!(
            SignedData::parse(&bytes).unwrap_err(),
            FormatError::new(ErrorKind::WrongType, "ContentInfo").at(2)
        );
    }

    #[test]
    fn what_follows_the_structure_is_refused() {
        let mut bytes = samples::token(b"data");
        bytes.push(b'\n');
        assert_eq!(
            SignedData::parse(&bytes).unwrap_err().kind(),
            ErrorKind::TrailingBytes
        );
    }

    #[test]
    fn every_choice_of_the_sets_is_kept() {
        let mut signed_data = SignedData::parse(&samples::token(b"data"))
            .unwrap()
            .value()
            .clone();
        signed_data
            .certificates
            .push(CertificateChoice::Other(vec![0xa2, 0x02, 0x05, 0x00]));
        signed_data.revocations = vec![
            RevocationInfo::Crl(vec![0x30, 0x00]),
            RevocationInfo::Ocsp {
                oid: oid::OCSP_BASIC,
                bytes: vec![0x30, 0x02, 0x30, 0x00],
            },
            RevocationInfo::Other {
                oid: oid::REVOCATION_SCVP,
                bytes: vec![0x05, 0x00],
            },
        ];
        let parsed = SignedData::parse(&signed_data.encode()).unwrap();
        assert_eq!(parsed.certificates, signed_data.certificates);
        assert_eq!(parsed.crls().count(), 1);
        for revocation in &signed_data.revocations {
            assert!(parsed.revocations.contains(revocation));
        }
    }

    #[test]
    fn one_member_too_many_is_refused() {
        let set = |member: &[u8], count| {
            Writer::single(Tag::SET, |w| {
                w.raw(&member.repeat(count));
            })
        };
        let kind = |result: Result<usize>| result.map_err(|error| error.kind());
        let too_many = Err(ErrorKind::LimitExceeded);
        let element = |bytes: &[u8], read: &dyn Fn(&Element<'_>) -> Result<usize>| {
            kind(read(&Reader::single(bytes, Tag::SET, "test").unwrap()))
        };
        let algorithm = AlgorithmIdentifier::bare(oid::SHA256).encode();
        let algorithms: &dyn Fn(&Element<'_>) -> Result<usize> = &|e| Ok(read_algorithms(e)?.len());
        let max = DIGEST_ALGORITHMS_MAX;
        assert_eq!(element(&set(&algorithm, max), algorithms), Ok(max));
        assert_eq!(element(&set(&algorithm, max + 1), algorithms), too_many);
        let revocations: &dyn Fn(&Element<'_>) -> Result<usize> =
            &|e| Ok(read_revocations(e)?.len());
        let max = CMS_REVOCATIONS_MAX;
        assert_eq!(element(&set(&[0x30, 0x00], max), revocations), Ok(max));
        assert_eq!(element(&set(&[0x30, 0x00], max + 1), revocations), too_many);
        let mut writer = Writer::new();
        SignedData::parse(&samples::token(b"data")).unwrap().signers[0].write(&mut writer);
        let signer = writer.into_bytes();
        let signers: &dyn Fn(&Element<'_>) -> Result<usize> = &|e| Ok(read_signers(e)?.len());
        let max = CMS_SIGNERS_MAX;
        assert_eq!(element(&set(&signer, max), signers), Ok(max));
        assert_eq!(element(&set(&signer, max + 1), signers), too_many);
    }

    #[test]
    fn one_certificate_too_many_is_refused() {
        let mut signed_data = SignedData::parse(&samples::token(b"data"))
            .unwrap()
            .value()
            .clone();
        let mut with = |count| {
            signed_data.certificates =
                vec![CertificateChoice::Certificate(vec![0x30, 0x00]); count];
            SignedData::parse(&signed_data.encode()).map(|_| ())
        };
        assert_eq!(with(CMS_CERTIFICATES_MAX), Ok(()));
        assert_eq!(
            with(CMS_CERTIFICATES_MAX + 1).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }
}
