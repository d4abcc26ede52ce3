//! Raising a signature from one level to the next (EN 319 122-1 §6, RFC 5126 §4.4).

use formats::cades::{
    CrlReference, HashIndex, Level, OcspReference, RevocationReferences, SignatureParts,
    add_unsigned_attributes, archive_time_stamp_input, encode_certificate_references, level_of,
};
use formats::cms::{Attribute, RevocationInfo, SignedData};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::oid;
use formats::tsp::TimeStampToken;
use formats::x509::Certificate;
use time::OffsetDateTime;

use super::due::SignatureFacts;
use super::error::SignatureError;
use super::signer::ArchiveSigner;
use crate::tsa::checks::signer_certificate;
use crate::tsa::client::Timestamper;
use crate::tsa::material::{Collected, MaterialSource};

/// Raises signatures. What a signature holds already keeps its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Raiser<'a> {
    /// Gives the timestamps.
    pub authority: &'a dyn Timestamper,
    /// Where validation material comes from.
    pub material: &'a dyn MaterialSource,
    /// Roots of the timestamp authorities, DER.
    pub anchors: &'a [Vec<u8>],
    /// The archive as a signer, for the revocation list of its own authority.
    pub signer: &'a ArchiveSigner,
    /// The digest of new timestamps and indices.
    pub digest: DigestAlgorithm,
}

impl Raiser<'_> {
    /// Raises a signature, step by step, until it has the level that is wanted. One that is higher is left as it is.
    ///
    /// `content` is what was signed, where it does not stand inside.
    ///
    /// # Errors
    /// [`SignatureError::Authority`] when no timestamp can be had: nothing is lost, try again later. [`SignatureError::Format`].
    pub fn raise(
        &self,
        signature: &[u8],
        content: Option<&[u8]>,
        wanted: Level,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, SignatureError> {
        let mut signature = signature.to_vec();
        if level(&signature)? < Level::T && wanted >= Level::T {
            signature = self.timestamp(&signature)?;
        }
        if level(&signature)? < Level::C && wanted == Level::C {
            return self.add_references(&signature, now);
        }
        if level(&signature)? < Level::XLong && wanted >= Level::XLong {
            signature = self.add_material(&signature, now)?;
        }
        if level(&signature)? < Level::A && wanted >= Level::A {
            signature = self.archive(&signature, content, now)?;
        }
        Ok(signature)
    }

    /// ES-T, B-T: signature-time-stamp over the octets of the signature (EN 319 122-1 §5.3).
    ///
    /// # Errors
    /// [`SignatureError::Authority`], [`SignatureError::Format`].
    pub fn timestamp(&self, signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let parts = SignatureParts::parse(signature)?;
        let imprint = self.digest.digest(&parts.signer(0)?.signature);
        let token = self.token(&imprint)?;
        let attribute = Attribute::new(oid::SIGNATURE_TIME_STAMP, vec![token]);
        Ok(add_unsigned_attributes(signature, 0, &[attribute])?)
    }

    /// ES-C: references to the certificates and the revocation information of the signer's path (RFC 5126 §6.2).
    ///
    /// # Errors
    /// [`SignatureError::Format`] when material cannot be read.
    pub fn add_references(
        &self,
        signature: &[u8],
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, SignatureError> {
        let signed = SignedData::parse(signature)?;
        let chain: Vec<Vec<u8>> = signed.x509_certificates().map(<[u8]>::to_vec).collect();
        let collected = self.signer_material(&chain, now)?;
        let certificates: Vec<Certificate> = self
            .signer
            .chain()
            .iter()
            .skip(1)
            .chain(&collected.certificates)
            .map(|bytes| Certificate::parse(bytes))
            .collect::<Result<_, _>>()?;
        let crls = collected.crls.iter();
        let answers = basic_responses(&collected.ocsp_responses)?;
        let answers = answers.iter();
        let references = RevocationReferences {
            crls: crls
                .map(|crl| CrlReference::of(crl, self.digest))
                .collect::<Result<_, _>>()?,
            ocsp_responses: answers
                .map(|answer| OcspReference::of(answer, self.digest))
                .collect::<Result<_, _>>()?,
        };
        // The signer's certificate comes first; the root at the end of the path needs none (RFC 5126 §6.2.2).
        let mut entries = vec![references];
        entries.resize_with(certificates.len().max(1), RevocationReferences::default);
        let attributes = [
            encode_certificate_references(&certificates, self.digest),
            RevocationReferences::to_attribute(&entries),
        ];
        Ok(add_unsigned_attributes(signature, 0, &attributes)?)
    }

    /// ES-X Long, B-LT: certificates, CRLs and OCSP responses for the signer and for every timestamp, in SignedData (EN 319 122-1 §5.4.2, §6.3).
    ///
    /// # Errors
    /// [`SignatureError::Format`] when material cannot be read.
    pub fn add_material(
        &self,
        signature: &[u8],
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, SignatureError> {
        let signed = SignedData::parse(signature)?;
        let chain: Vec<Vec<u8>> = signed.x509_certificates().map(<[u8]>::to_vec).collect();
        let mut collected = self.signer_material(&chain, now)?;
        for token in timestamps(&signed)? {
            let certificates: Vec<Vec<u8>> = token
                .signed_data
                .x509_certificates()
                .map(<[u8]>::to_vec)
                .collect();
            let of_token = self
                .material
                .collect(&certificates, self.anchors, token.info.gen_time);
            collected.merge(of_token);
            collected.certificates.extend(certificates);
            collected.certificates.extend(roots(&token, self.anchors));
        }
        Ok(collected.put_into(signature)?)
    }

    /// ES-A, B-LTA: one more archive-time-stamp-v3 with its ats-hash-index-v3 (EN 319 122-1 §5.5), over everything that the signature holds then. Where timestamps stand in it already,
    /// the material for them goes in before.
    ///
    /// # Errors
    /// [`SignatureError::Authority`], [`SignatureError::Format`].
    pub fn archive(
        &self,
        signature: &[u8],
        content: Option<&[u8]>,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, SignatureError> {
        let signature = self.add_material(signature, now)?;
        let parts = SignatureParts::parse(&signature)?;
        let signer = parts.signer(0)?;
        let missing = FormatError::new(
            ErrorKind::MissingElement,
            "EncapsulatedContentInfo.eContent",
        );
        let content = parts.content.as_deref().or(content).ok_or(missing)?;
        let index = HashIndex::over(&parts, signer, self.digest);
        let content = self.digest.digest(content);
        let input = archive_time_stamp_input(&parts, signer, &content, &index);
        let token = self.token(&self.digest.digest(&input))?;
        let token = add_unsigned_attributes(&token, 0, &[index.to_attribute()])?;
        let attribute = Attribute::new(oid::ARCHIVE_TIME_STAMP_V3, vec![token]);
        Ok(add_unsigned_attributes(&signature, 0, &[attribute])?)
    }

    /// A token, with the validation material that its acceptance used inside: the authority may not give it again.
    fn token(&self, imprint: &DigestValue) -> Result<Vec<u8>, SignatureError> {
        let token = self.authority.timestamp(imprint)?;
        Ok(token.material().put_into(token.bytes())?)
    }

    fn signer_material(
        &self,
        chain: &[Vec<u8>],
        now: OffsetDateTime,
    ) -> Result<Collected, SignatureError> {
        let anchor = [self.signer.trust_anchor()];
        let mut collected = self.material.collect(chain, &anchor, now);
        collected.certificates.extend(anchor);
        collected.crls.extend(self.signer.crl(now)?);
        Ok(collected)
    }
}

/// The level that a signature claims.
///
/// # Errors
/// [`SignatureError::Format`] if it is no CAdES signature with one signer.
pub fn level(signature: &[u8]) -> Result<Level, SignatureError> {
    let signed = SignedData::parse(signature)?;
    let wrong = FormatError::new(ErrorKind::WrongType, "SignerInfo");
    let [signer] = signed.signers.as_slice() else {
        return Err(wrong.into());
    };
    Ok(level_of(&signed, signer).ok_or(wrong)?)
}

/// What the decision about a signature needs to know of it.
///
/// # Errors
/// [`SignatureError::Format`].
pub fn facts(signature: &[u8]) -> Result<SignatureFacts, SignatureError> {
    let newest = newest(signature)?;
    Ok(SignatureFacts {
        level: level(signature)?,
        newest_timestamp: newest.as_ref().map(|token| token.info.gen_time),
        newest_ends: newest.as_ref().and_then(end_of),
    })
}

/// The newest timestamp of a signature, archive timestamps included; `None` if it has none.
///
/// # Errors
/// [`SignatureError::Format`].
pub fn newest_token(signature: &[u8]) -> Result<Option<Vec<u8>>, SignatureError> {
    Ok(newest(signature)?.map(|token| token.raw().to_vec()))
}

fn newest(signature: &[u8]) -> Result<Option<TimeStampToken>, SignatureError> {
    let signed = SignedData::parse(signature)?;
    let tokens = timestamps(&signed)?.into_iter();
    Ok(tokens.max_by_key(|token| token.info.gen_time))
}

/// The tokens in a signature's unsigned attributes.
fn timestamps(signed: &SignedData) -> Result<Vec<TimeStampToken>, SignatureError> {
    let types = [oid::SIGNATURE_TIME_STAMP, oid::ARCHIVE_TIME_STAMP_V3];
    let mut tokens = Vec::new();
    for signer in &signed.signers {
        let attributes = signer.unsigned_attributes.iter();
        for attribute in attributes.filter(|attribute| types.contains(&attribute.oid)) {
            for value in &attribute.values {
                tokens.push(TimeStampToken::parse(value)?);
            }
        }
    }
    Ok(tokens)
}

/// The basic responses, which the references are over.
fn basic_responses(answers: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, SignatureError> {
    let mut basic = Vec::new();
    for bytes in answers {
        let info = RevocationInfo::Ocsp {
            oid: oid::REVOCATION_OCSP_RESPONSE,
            bytes: bytes.clone(),
        };
        basic.extend(info.basic_ocsp_response()?);
    }
    Ok(basic)
}

/// When the certificate of the token's signer ends.
fn end_of(token: &TimeStampToken) -> Option<OffsetDateTime> {
    let certificate = signer_certificate(token)?;
    let parsed = certificate.x509().ok()?;
    Some(parsed.validity().not_after.to_datetime())
}

/// The roots that issued a certificate of the token: a verifier that has them as trust anchors does not need them, one that follows names does.
fn roots(token: &TimeStampToken, anchors: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let issuers: Vec<Vec<u8>> = token
        .signed_data
        .x509_certificates()
        .filter_map(|bytes| Certificate::parse(bytes).ok())
        .map(|certificate| certificate.issuer().to_vec())
        .collect();
    let issues = |anchor: &&Vec<u8>| {
        Certificate::parse(anchor).is_ok_and(|anchor| {
            issuers
                .iter()
                .any(|issuer| issuer.as_slice() == anchor.subject())
        })
    };
    anchors.iter().filter(issues).cloned().collect()
}
