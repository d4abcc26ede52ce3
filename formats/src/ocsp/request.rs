//! What a client asks.

use super::certificate_id::CertificateId;
use crate::der::{Tag, Writer};
use crate::oid;
use crate::x509::Extension;

/// An unsigned request (RFC 6960 §4.1.1).
///
/// ```text
/// OCSPRequest     ::=     SEQUENCE {
///     tbsRequest                  TBSRequest,
///     optionalSignature   [0]     EXPLICIT Signature OPTIONAL }
/// TBSRequest      ::=     SEQUENCE {
///     version             [0]     EXPLICIT Version DEFAULT v1,
///     requestorName       [1]     EXPLICIT GeneralName OPTIONAL,
///     requestList                 SEQUENCE OF Request,
///     requestExtensions   [2]     EXPLICIT Extensions OPTIONAL }
/// Request         ::=     SEQUENCE {
///     reqCert                     CertID,
///     singleRequestExtensions     [0] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OcspRequest {
    /// The certificates in question.
    pub certificates: Vec<CertificateId>,
    /// A random value that the answer repeats if the responder makes answers on demand (RFC 9654 §2.1: 1 to 128 octets).
    pub nonce: Option<Vec<u8>>,
}

impl OcspRequest {
    /// The DER bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            w.sequence(|w| {
                w.sequence(|w| {
                    for certificate in &self.certificates {
                        w.sequence(|w| certificate.write(w));
                    }
                });
                if let Some(nonce) = &self.nonce {
                    w.constructed(Tag::context(2), |w| {
                        w.sequence(|w| nonce_extension(nonce).write(w));
                    });
                }
            });
        })
    }
}

/// `Nonce ::= OCTET STRING`, inside the OCTET STRING of its extension (RFC 6960 §4.4.1).
fn nonce_extension(nonce: &[u8]) -> Extension {
    let mut value = Writer::new();
    value.octet_string(nonce);
    Extension {
        oid: oid::OCSP_NONCE,
        critical: false,
        value: value.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestAlgorithm;
    use crate::samples;

    #[test]
    fn another_codec_reads_what_we_write() {
        let certificate = samples::certificate(200);
        let id = CertificateId::new(
            DigestAlgorithm::Sha1,
            certificate.issuer(),
            certificate.spki(),
            certificate.serial().clone(),
        );
        let id = id.unwrap();
        for nonce in [None, Some(vec![7; 32])] {
            let request = OcspRequest {
                certificates: vec![id.clone()],
                nonce: nonce.clone(),
            };
            let bytes = request.encode();
            let read: rasn_ocsp::OcspRequest = rasn::der::decode(&bytes).unwrap();
            assert_eq!(rasn::der::encode(&read).unwrap(), bytes);
            let [one] = read.tbs_request.request_list.as_slice() else {
                panic!("one question");
            };
            assert_eq!(one.req_cert.issuer_key_hash.to_vec(), id.issuer_key_hash);
            assert_eq!(one.req_cert.serial_number, 200.into());
            assert_eq!(
                read.tbs_request.request_extensions.is_some(),
                nonce.is_some()
            );
        }
    }
}
