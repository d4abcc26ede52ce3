//! Who signs for the archive, and the signature at its first level.

use formats::cades::{Commitment, mime_type, signing_time};
use formats::cms::{
    AlgorithmIdentifier, Attribute, SignedDataBuilder, SignerIdentifier, SigningCertificates,
};
use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError};
use formats::oid::{self, Oid};
use formats::x509::Certificate;
use time::OffsetDateTime;

use super::certificate;
use super::error::SignatureError;
use crate::tsa::key::AuthorityKey;

/// The archive as a signer: its key and the certificates from the signer's own to the root.
#[derive(Debug)]
pub struct ArchiveSigner {
    key: AuthorityKey,
    chain: Vec<Certificate>,
    authority: Option<OwnAuthority>,
}

/// The archive's authority, where it has issued the certificate of the signer.
#[derive(Debug)]
pub struct OwnAuthority {
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: AuthorityKey,
}

/// What is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct SigningRequest<'a> {
    /// The content octets.
    pub content: &'a [u8],
    /// Their media type.
    pub media_type: &'a str,
    /// What the archive commits to (EN 319 122-1 §5.2.3).
    pub commitment: &'a Oid,
    /// The digest: SHA-256 or SHA-512.
    pub digest: DigestAlgorithm,
    /// The claimed time.
    pub at: OffsetDateTime,
}

impl ArchiveSigner {
    /// A signer. The first certificate of the chain is that of the key.
    ///
    /// # Errors
    /// [`SignatureError::Damaged`] when key and certificate do not belong together.
    pub fn new(
        key: AuthorityKey,
        chain: Vec<Certificate>,
        authority: Option<OwnAuthority>,
    ) -> Result<Self, SignatureError> {
        let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        if chain.first().is_none_or(|own| own.spki() != spki) {
            return Err(SignatureError::Damaged {
                what: "the signing key",
            });
        }
        Ok(Self {
            key,
            chain,
            authority,
        })
    }

    /// The certificates from the signer's own upwards, DER.
    #[must_use]
    pub fn chain(&self) -> Vec<Vec<u8>> {
        self.chain.iter().map(|one| one.raw().to_vec()).collect()
    }

    /// The last certificate of the chain, DER: what a relying party must trust.
    #[must_use]
    pub fn trust_anchor(&self) -> Vec<u8> {
        let last = self.chain.last();
        last.map(|one| one.raw().to_vec()).unwrap_or_default()
    }

    /// Whether the archive has issued the certificate to itself.
    #[must_use]
    pub const fn is_self_issued(&self) -> bool {
        self.authority.is_some()
    }

    /// A fresh list of revoked certificates of the archive's own authority; `None` where another one has issued the certificate.
    ///
    /// # Errors
    /// [`SignatureError::Damaged`].
    pub fn crl(&self, now: OffsetDateTime) -> Result<Option<Vec<u8>>, SignatureError> {
        let own = self.authority.as_ref();
        own.map(|own| certificate::issue_crl(&own.certificate, &own.key, now))
            .transpose()
    }

    /// Signs: CAdES ES-BES, B-B (EN 319 122-1 §6), with its content inside.
    ///
    /// # Errors
    /// [`SignatureError::Format`]; [`ErrorKind::UnknownAlgorithm`] for a digest that no signature is made with.
    pub fn sign(&self, request: &SigningRequest<'_>) -> Result<Vec<u8>, SignatureError> {
        let missing = SignatureError::Damaged {
            what: "the signing certificate",
        };
        let own = self.chain.first().ok_or(missing)?;
        let known = [
            (DigestAlgorithm::Sha256, oid::ECDSA_WITH_SHA256),
            (DigestAlgorithm::Sha512, oid::ECDSA_WITH_SHA512),
        ];
        let (_, signature_algorithm) = known
            .into_iter()
            .find(|(digest, _)| *digest == request.digest)
            .ok_or(FormatError::new(ErrorKind::UnknownAlgorithm, "SignerInfo"))?;
        let ess = SigningCertificates::encode_v2(own, request.digest);
        let builder = SignedDataBuilder {
            content_type: oid::DATA,
            content: request.content.to_vec(),
            identifier: SignerIdentifier::of(own),
            digest_algorithm: request.digest,
            signature_algorithm: AlgorithmIdentifier::bare(signature_algorithm),
            signed_attributes: vec![
                Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![ess]),
                signing_time(request.at)?,
                mime_type(request.media_type),
                Commitment(request.commitment.clone()).to_attribute(),
            ],
            certificates: self.chain(),
            revocations: Vec::new(),
        };
        let signed = builder.build(|bytes| {
            let digest = request.digest.digest(bytes);
            self.key.sign_digest(digest.as_bytes())
        })?;
        Ok(signed.raw().to_vec())
    }
}
