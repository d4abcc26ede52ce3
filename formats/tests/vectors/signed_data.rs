//! SignedData (RFC 5652) and what is in it.

use formats::cms::{SignedData, SignerInfo};
use formats::der::{has_indefinite_length, to_der_lengths};
use formats::error::ErrorKind;
use formats::evidence::EvidenceRecord;
use formats::x509;

use crate::files::{Vector, evidence_records, is_cms, members, vectors};

#[test]
fn signed_data_is_read_whatever_its_encoding() {
    let mut count = 0;
    let mut indefinite = 0;
    for vector in vectors("cades").iter().filter(|v| is_cms(v)) {
        let Vector { name, bytes, .. } = vector;
        let parsed = SignedData::parse(bytes);
        if name == "cades-double-signing-certificate.p7m" {
            // A line end follows the structure.
            assert_eq!(parsed.unwrap_err().kind(), ErrorKind::TrailingBytes);
            continue;
        }
        let signed_data = parsed.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(signed_data.raw(), bytes, "{name}");
        let definite = to_der_lengths(bytes).unwrap();
        let again = SignedData::parse(&definite).unwrap();
        assert_eq!(again.content, signed_data.content, "{name}");
        let signed = |signer: &SignerInfo| {
            let attributes = signer.signed_attributes.clone();
            attributes.map(|a| a.signed_bytes().to_vec())
        };
        for (before, after) in signed_data.signers.iter().zip(&again.signers) {
            assert_eq!(signed(before), signed(after), "{name}");
            assert_eq!(before.signature, after.signature, "{name}");
        }
        if has_indefinite_length(bytes).unwrap() {
            assert_ne!(&definite, bytes, "{name}");
            indefinite += 1;
        } else {
            assert_eq!(&definite, bytes, "{name}");
        }
        count += 1;
    }
    eprintln!("{count} SignedData, {indefinite} with indefinite lengths");
}

#[test]
fn evidence_inside_of_containers_is_read() {
    let mut count = 0;
    for vector in vectors("asic") {
        for (member, bytes) in members(&vector.bytes) {
            let name = format!("{} {member}", vector.name);
            let lower = member.to_lowercase();
            if bytes.first() != Some(&0x30) {
                continue;
            }
            if lower.ends_with(".ers") {
                let record =
                    EvidenceRecord::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(record.encode().as_ref(), Ok(&bytes), "{name}");
                count += 1;
            } else if lower.ends_with(".tst") || lower.ends_with(".p7s") {
                let signed_data =
                    SignedData::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(signed_data.raw(), bytes, "{name}");
                count += 1;
            }
        }
    }
    eprintln!("{count} structures in containers");
}

#[test]
fn certificates_in_bags_agree_with_another_parser() {
    let mut count = 0;
    for vector in evidence_records() {
        let record = EvidenceRecord::parse(&vector.bytes).unwrap();
        for (_, _, time_stamp) in record.time_stamps() {
            let token = time_stamp.token().unwrap();
            for bytes in token.signed_data.x509_certificates() {
                let certificate = x509::Certificate::parse(bytes).unwrap();
                let other = certificate.x509().unwrap();
                assert_eq!(certificate.serial().as_bytes(), other.raw_serial());
                assert_eq!(certificate.issuer(), other.issuer().as_raw());
                assert_eq!(certificate.subject(), other.subject().as_raw());
                assert_eq!(certificate.spki(), other.public_key().raw);
                assert_eq!(certificate.tbs(), other.tbs_certificate.as_ref());
                count += 1;
            }
        }
    }
    eprintln!("{count} certificates");
}
