//! Files that are cut off or altered.

use formats::cms::SignedData;
use formats::der::to_der_lengths;
use formats::digest::DigestAlgorithm;
use formats::evidence::{EvidenceRecord, hash_tree};
use formats::tsp::{TimeStampRequest, TimeStampResponse, TimeStampToken, TstInfo};
use formats::x509;

use crate::files::{evidence_records, is_cms, vectors};

/// Cut off anywhere, or with a bit turned anywhere, nothing panics, and what is still read is kept byte for byte.
#[test]
fn damaged_evidence_does_no_harm() {
    let mut files = evidence_records();
    files.extend(vectors("tst"));
    files.extend(vectors("cades").into_iter().filter(is_cms));
    for vector in files.iter().filter(|v| v.bytes.len() < 20_000) {
        // A prime step meets every kind of byte over the files without taking minutes.
        for position in (0..vector.bytes.len()).step_by(211) {
            read_all(&vector.bytes[..position]);
            let mut flipped = vector.bytes.clone();
            flipped[position] ^= 1 << (position % 8);
            read_all(&flipped);
        }
    }
}

fn read_all(bytes: &[u8]) {
    if let Ok(record) = EvidenceRecord::parse(bytes) {
        assert_eq!(record.raw(), bytes);
        for (_, _, time_stamp) in record.time_stamps() {
            if let Ok(token) = time_stamp.token() {
                read_signers(&token.signed_data);
            }
            if let Some(lists) = &time_stamp.reduced_hash_tree {
                let _root = hash_tree::root_of(DigestAlgorithm::Sha256, lists);
            }
        }
    }
    if let Ok(signed_data) = SignedData::parse(bytes) {
        assert_eq!(signed_data.raw(), bytes);
        read_signers(&signed_data);
        if let Some(content) = &signed_data.content {
            let _info = TstInfo::parse(content);
        }
    }
    if let Ok(response) = TimeStampResponse::parse(bytes) {
        assert_eq!(response.raw(), bytes);
        if let Some(token) = &response.token {
            let _token = TimeStampToken::parse(token);
        }
    }
    if let Ok(request) = TimeStampRequest::parse(bytes) {
        assert_eq!(request.raw(), bytes);
    }
    let _definite = to_der_lengths(bytes);
    let _certificates = x509::read_certificates(bytes);
}

fn read_signers(signed_data: &SignedData) {
    for signer in &signed_data.signers {
        let _ids = signer.signing_certificates();
        let _time = signer.signing_time();
        let _digest = signer.message_digest();
        let _type = signer.content_type();
        if let Some(attributes) = &signer.signed_attributes {
            assert_eq!(attributes.signed_bytes()[0], 0x31);
            let _sorted = attributes.signed_bytes_der_sorted();
        }
    }
    for revocation in &signed_data.revocations {
        let _response = revocation.basic_ocsp_response();
    }
    for bytes in signed_data.x509_certificates() {
        if let Ok(certificate) = x509::Certificate::parse(bytes) {
            let _subject = certificate.subject_text();
            let _other = certificate.x509();
        }
    }
}
