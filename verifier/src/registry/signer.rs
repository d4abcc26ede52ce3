//! Which certificate a token was made with.

use formats::cms::SignerIdentifier;
use formats::tsp::TimeStampToken;
use formats::x509::Certificate;

/// The certificate in the token that its one signer names and, where it says so, signed as its own (RFC 5652 §5.3, RFC 5035 §5).
///
/// Whether the signature holds is not asked here.
#[must_use]
pub fn signer_certificate(token: &TimeStampToken) -> Option<Certificate> {
    let [signer] = token.signed_data.signers.as_slice() else {
        return None;
    };
    let references = signer.signing_certificates().ok()?;
    token
        .signed_data
        .x509_certificates()
        .filter_map(|bytes| Certificate::parse(bytes).ok())
        .filter(|certificate| match &signer.identifier {
            SignerIdentifier::IssuerAndSerial { issuer, serial } => {
                certificate.issuer() == issuer && certificate.serial() == serial
            }
            SignerIdentifier::KeyIdentifier(_) => true,
        })
        .find(|certificate| {
            references
                .signer_ids()
                .all(|id| id.matches(certificate.raw()) == Some(true))
        })
}
