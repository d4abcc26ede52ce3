//! Makes a SignedData with one signer.

use super::attributes::{Attribute, SignedAttributes};
use super::revocation::RevocationInfo;
use super::signed_data::{CertificateChoice, SignedData};
use super::signer_info::{SignerIdentifier, SignerInfo};
use crate::der::Writer;
use crate::digest::DigestAlgorithm;
use crate::error::{ErrorKind, FormatError, Result};
use crate::oid::{self, Oid};
use crate::raw::Raw;
use crate::x509::AlgorithmIdentifier;

/// What goes into a SignedData with one signer and its content inside.
///
/// [`prepare`](Self::prepare) answers the bytes to be signed, [`PreparedSignedData::finish`] takes the signature: no key comes near this crate.
#[derive(Debug, Clone)]
pub struct SignedDataBuilder {
    /// What the content is.
    pub content_type: Oid,
    /// The content octets.
    pub content: Vec<u8>,
    /// The certificate of the signer.
    pub identifier: SignerIdentifier,
    /// The digest over content and signed attributes.
    pub digest_algorithm: DigestAlgorithm,
    /// The algorithm of the signature.
    pub signature_algorithm: AlgorithmIdentifier,
    /// Signed attributes besides contentType and messageDigest, which are added.
    pub signed_attributes: Vec<Attribute>,
    /// The exact bytes of the certificates to put in.
    pub certificates: Vec<Vec<u8>>,
    /// CRLs and OCSP responses to put in.
    pub revocations: Vec<RevocationInfo>,
}

/// A SignedData that only lacks its signature.
#[derive(Debug, Clone)]
pub struct PreparedSignedData {
    signed_data: SignedData,
    signer: SignerInfo,
    signed_bytes: Vec<u8>,
}

impl SignedDataBuilder {
    /// Adds contentType and messageDigest and fixes the bytes to be signed.
    #[must_use]
    pub fn prepare(self) -> PreparedSignedData {
        let digest = self.digest_algorithm.digest(&self.content);
        let mut content_type = Writer::new();
        content_type.oid(&self.content_type);
        let mut message_digest = Writer::new();
        message_digest.octet_string(digest.as_bytes());
        let mut attributes = vec![
            Attribute::new(oid::CONTENT_TYPE, vec![content_type.into_bytes()]),
            Attribute::new(oid::MESSAGE_DIGEST, vec![message_digest.into_bytes()]),
        ];
        attributes.extend(self.signed_attributes);
        let signed_attributes = SignedAttributes::new(attributes);
        let signed_bytes = signed_attributes.signed_bytes().to_vec();
        let digest_algorithm = AlgorithmIdentifier::of_digest(self.digest_algorithm);
        let signer = SignerInfo {
            version: match self.identifier {
                SignerIdentifier::IssuerAndSerial { .. } => 1,
                SignerIdentifier::KeyIdentifier(_) => 3,
            },
            identifier: self.identifier,
            digest_algorithm: digest_algorithm.clone(),
            signed_attributes: Some(signed_attributes),
            signature_algorithm: self.signature_algorithm,
            signature: Vec::new(),
            unsigned_attributes: Vec::new(),
        };
        let certificates = self.certificates.into_iter();
        let mut signed_data = SignedData {
            version: 0,
            digest_algorithms: vec![digest_algorithm],
            content_type: self.content_type,
            content: Some(self.content),
            certificates: certificates.map(CertificateChoice::Certificate).collect(),
            revocations: self.revocations,
            signers: Vec::new(),
        };
        signed_data.version = version_of(&signed_data, &signer);
        PreparedSignedData {
            signed_data,
            signer,
            signed_bytes,
        }
    }

    /// Prepares, signs and finishes in one step. `sign` gets the bytes to be signed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SigningFailed`] if `sign` answers nothing, and those of [`PreparedSignedData::finish`].
    pub fn build(self, sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Result<Raw<SignedData>> {
        let prepared = self.prepare();
        let signature = sign(prepared.signed_bytes())
            .ok_or(FormatError::new(ErrorKind::SigningFailed, "SignedData"))?;
        prepared.finish(signature)
    }
}

impl PreparedSignedData {
    /// The bytes over which the signature is made: the signed attributes as a DER SET OF (RFC 5652 §5.4).
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        &self.signed_bytes
    }

    /// Leaves the content out of the structure: it is handed over beside it (RFC 5652 §5.2, an external signature).
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.signed_data.content = None;
        self
    }

    /// Puts the signature in and writes DER.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotEncodable`] if what the caller gave cannot be read again: a certificate or attribute that is no ASN.1.
    pub fn finish(mut self, signature: Vec<u8>) -> Result<Raw<SignedData>> {
        self.signer.signature = signature;
        self.signed_data.signers = vec![self.signer];
        let bytes = self.signed_data.encode();
        let written = SignedData::parse(&bytes)
            .map_err(|_| FormatError::new(ErrorKind::NotEncodable, "SignedData"))?;
        let signed = written.signers.first().and_then(|signer| {
            signer
                .signed_attributes
                .as_ref()
                .map(SignedAttributes::signed_bytes)
        });
        if signed != Some(&self.signed_bytes) {
            return Err(FormatError::new(ErrorKind::NotEncodable, "SignedData"));
        }
        Ok(written)
    }
}

/// RFC 5652 §5.1: 5 with other revocation information, 3 with a content type other than id-data or a signer of version 3, else 1.
fn version_of(signed_data: &SignedData, signer: &SignerInfo) -> u32 {
    let other = signed_data
        .revocations
        .iter()
        .any(|info| !matches!(info, RevocationInfo::Crl(_)));
    if other {
        5
    } else if signed_data.content_type != oid::DATA || signer.version == 3 {
        3
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn another_codec_reads_what_we_write() {
        let bytes = samples::token(b"data");
        let info: rasn_cms::ContentInfo = rasn::der::decode(&bytes).unwrap();
        assert_eq!(rasn::der::encode(&info).unwrap(), bytes);
        let inner = info.content.as_bytes();
        let signed_data: rasn_cms::SignedData = rasn::der::decode(inner).unwrap();
        assert_eq!(rasn::der::encode(&signed_data).unwrap(), inner);
        assert_eq!(signed_data.version, 3.into());
    }

    #[test]
    fn the_signature_covers_content_and_attributes() {
        let mut seen = Vec::new();
        let signed_data = samples::token_builder(b"data")
            .build(|bytes| {
                seen = bytes.to_vec();
                Some(vec![9])
            })
            .unwrap();
        let [signer] = signed_data.signers.as_slice() else {
            panic!("one signer");
        };
        let attributes = signer.signed_attributes.as_ref().unwrap();
        assert_eq!(attributes.signed_bytes(), seen);
        assert_eq!(attributes.signed_bytes_der_sorted(), seen);
        assert!(attributes.is_der_sorted());
        let digest = DigestAlgorithm::Sha256.digest(signed_data.content.as_deref().unwrap());
        assert_eq!(
            signer.message_digest().unwrap().as_deref(),
            Some(digest.as_bytes())
        );
        assert_eq!(signer.content_type(), Ok(Some(oid::TST_INFO)));
        assert_eq!(signer.signature, [9]);
    }

    #[test]
    fn the_version_follows_the_content() {
        let version = |change: fn(&mut SignedDataBuilder)| {
            let mut builder = samples::token_builder(b"data");
            change(&mut builder);
            let signed_data = builder.build(|_| Some(vec![9])).unwrap();
            (signed_data.version, signed_data.signers[0].version)
        };
        assert_eq!(version(|_| {}), (3, 1));
        assert_eq!(version(|b| b.content_type = oid::DATA), (1, 1));
        let key_identifier = |b: &mut SignedDataBuilder| {
            b.content_type = oid::DATA;
            b.identifier = SignerIdentifier::KeyIdentifier(vec![1, 2]);
        };
        assert_eq!(version(key_identifier), (3, 3));
        let ocsp = |b: &mut SignedDataBuilder| {
            b.revocations = vec![
                RevocationInfo::Crl(vec![0x30, 0x00]),
                RevocationInfo::Ocsp {
                    oid: oid::REVOCATION_OCSP_RESPONSE,
                    bytes: vec![0x30, 0x00],
                },
            ];
        };
        assert_eq!(version(ocsp), (5, 1));
    }

    #[test]
    fn a_refused_signature_and_broken_members_are_errors() {
        let kind = |result: Result<Raw<SignedData>>| result.unwrap_err().kind();
        let builder = samples::token_builder(b"data");
        assert_eq!(kind(builder.build(|_| None)), ErrorKind::SigningFailed);
        let mut builder = samples::token_builder(b"data");
        builder.certificates = vec![vec![0x30, 0x05]];
        assert_eq!(
            kind(builder.build(|_| Some(vec![9]))),
            ErrorKind::NotEncodable
        );
        let mut builder = samples::token_builder(b"data");
        builder.signed_attributes = vec![Attribute::new(oid::SIGNING_TIME, vec![vec![0x17]])];
        assert_eq!(
            kind(builder.build(|_| Some(vec![9]))),
            ErrorKind::NotEncodable
        );
    }
}
