//! OCSP responses inside the tokens, records and signatures of others.

use formats::der::{Reader, Tag};
use formats::ocsp::{BasicOcspResponse, CertificateStatus};

use crate::files::vectors;

/// id-pkix-ocsp-basic, which stands before every basic response, whichever structure holds it.
const OCSP_BASIC: &[u8] = &[
    0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01,
];

/// Every basic response in these bytes.
fn responses(bytes: &[u8]) -> Vec<&[u8]> {
    let starts = bytes
        .windows(OCSP_BASIC.len())
        .enumerate()
        .filter(|(_, window)| *window == OCSP_BASIC);
    let after = starts.map(|(start, _)| &bytes[start + OCSP_BASIC.len()..]);
    after
        .filter_map(|rest| {
            let element = Reader::new(rest, "test").ok()?.read().ok()?;
            match element.tag() {
                Tag::OCTET_STRING => Some(element.content()),
                Tag::SEQUENCE => Some(element.raw()),
                _ => None,
            }
        })
        .collect()
}

#[test]
fn every_response_parses() {
    let (mut count, mut good, mut unreadable) = (0, 0, Vec::new());
    for folder in ["ers", "tst", "cades"] {
        for vector in vectors(folder) {
            for response in responses(&vector.bytes) {
                count += 1;
                match BasicOcspResponse::parse(response) {
                    Ok(read) => {
                        assert_eq!(read.raw, response, "{}", vector.name);
                        let mut answers = read.answers.iter();
                        good += usize::from(answers.all(|a| a.status == CertificateStatus::Good));
                    }
                    Err(error) => unreadable.push(format!("{}: {error}", vector.name)),
                }
            }
        }
    }
    // Broken on purpose, as its name says.
    unreadable.retain(|text| !text.starts_with("tst_with_broken_ocsp.tst"));
    eprintln!("{count} OCSP responses, {good} of them say good");
    assert!(unreadable.is_empty(), "{unreadable:#?}");
}
