//! CAdES signatures of other people's tools: attributes are read, and the imprints of their archive timestamps computed.

use formats::cades::{
    HashIndex, RevocationReferences, RevocationValues, SignatureParts, SignerParts,
    archive_time_stamp_input, archive_time_stamp_v2_input, parse_certificate_references,
    parse_certificate_values,
};
use formats::cms::Attribute;
use formats::error::ErrorKind;
use formats::oid;
use formats::tsp::TimeStampToken;

use crate::files::{Vector, is_cms, vectors};

/// Files whose index was made not to fit, or whose contents were changed under it.
const INDEX_INVALID: &[&str] = &[
    "cades-ats-v3-wrong-cert.p7m",
    "cades-broken-sig-tst-and-ats-v3.cms",
    "cades-dss1997.p7m",
    "dss-1220__CAdES-BpLTA_modified_ats_hash_element.p7m",
    "dss-1220__CAdES-BpLTA_removed_ocsp.p7m",
];

/// The file whose index was changed itself, so that the imprint no longer fits.
const IMPRINT_WRONG: &str = "dss-1220__CAdES-BpLTA_modified_ats_hash_element.p7m";

fn signatures() -> impl Iterator<Item = (Vector, SignatureParts)> {
    let vectors = vectors("cades").into_iter().filter(is_cms);
    vectors.filter_map(|vector| {
        let parts = SignatureParts::parse(&vector.bytes).ok()?;
        Some((vector, parts))
    })
}

fn of_type<'a>(signer: &'a SignerParts, oid: &'a oid::Oid) -> impl Iterator<Item = &'a Attribute> {
    let attributes = signer.unsigned_attributes.iter();
    attributes.filter(move |attribute| attribute.oid == *oid)
}

#[test]
fn imprints_of_archive_timestamps_are_those_of_their_tokens() {
    let mut count = 0;
    for (Vector { name, .. }, parts) in signatures() {
        let Some(content) = &parts.content else {
            continue;
        };
        for signer in &parts.signers {
            for attribute in of_type(signer, &oid::ARCHIVE_TIME_STAMP_V3) {
                let token = TimeStampToken::parse(&attribute.values[0]).unwrap();
                let index = match HashIndex::of_token(&token.signed_data.signers[0]) {
                    Ok(Some(index)) => index,
                    Ok(None) => {
                        // A signature timestamp was copied into the attribute.
                        assert_eq!(name, "cades-lta-copied-atst.p7m");
                        continue;
                    }
                    Err(error) => {
                        assert_eq!(name, "cades-dss1956.p7m");
                        assert_eq!(error.kind(), ErrorKind::DuplicateElement);
                        continue;
                    }
                };
                let imprint = &token.info.imprint;
                let algorithm = imprint.algorithm.digest_algorithm().unwrap();
                let content = algorithm.digest(content);
                let input = archive_time_stamp_input(&parts, signer, &content, &index);
                let same = algorithm.digest(&input).as_bytes() == imprint.bytes;
                assert_eq!(same, name != IMPRINT_WRONG, "{name}");
                let coverage = index.coverage(&parts, signer).unwrap();
                let valid = coverage.unmatched == 0;
                assert_eq!(valid, !INDEX_INVALID.contains(&name.as_str()), "{name}");
                count += 1;
            }
        }
    }
    eprintln!("{count} archive timestamps of version 3");
}

#[test]
fn imprints_of_the_second_version_are_those_of_their_tokens() {
    let mut count = 0;
    for (Vector { name, .. }, parts) in signatures() {
        if parts.content.is_none() {
            continue;
        }
        for signer in &parts.signers {
            for attribute in of_type(signer, &oid::ARCHIVE_TIME_STAMP_V2) {
                let token = TimeStampToken::parse(&attribute.values[0]).unwrap();
                let imprint = &token.info.imprint;
                let algorithm = imprint.algorithm.digest_algorithm().unwrap();
                // The order of the set tells nothing; the times of the tokens do.
                let made_before = |other: &Attribute| {
                    let archive = [oid::ARCHIVE_TIME_STAMP_V2, oid::ARCHIVE_TIME_STAMP_V3];
                    let time = || {
                        TimeStampToken::parse(&other.values[0])
                            .unwrap()
                            .info
                            .gen_time
                    };
                    !archive.contains(&other.oid) || time() < token.info.gen_time
                };
                let attributes = signer.unsigned_attributes.iter();
                let before: Vec<&Attribute> = attributes.filter(|a| made_before(a)).collect();
                let input = archive_time_stamp_v2_input(&parts, signer, &[], &before, true);
                assert_eq!(algorithm.digest(&input).as_bytes(), imprint.bytes, "{name}");
                count += 1;
            }
        }
    }
    eprintln!("{count} archive timestamps of version 2");
}

#[test]
fn references_and_values_are_read() {
    let mut count = 0;
    for (Vector { name, .. }, parts) in signatures() {
        for signer in &parts.signers {
            for attribute in &signer.unsigned_attributes {
                let value = &attribute.values[0];
                let read = if attribute.oid == oid::COMPLETE_CERTIFICATE_REFERENCES {
                    parse_certificate_references(value).map(|list| list.len())
                } else if attribute.oid == oid::COMPLETE_REVOCATION_REFERENCES {
                    RevocationReferences::parse(value).map(|list| list.len())
                } else if attribute.oid == oid::CERTIFICATE_VALUES {
                    parse_certificate_values(value).map(|list| list.len())
                } else if attribute.oid == oid::REVOCATION_VALUES {
                    RevocationValues::parse(value).map(|values| values.crls.len())
                } else {
                    continue;
                };
                read.unwrap_or_else(|error| panic!("{name}: {}: {error}", attribute.oid));
                count += 1;
            }
        }
    }
    eprintln!("{count} attributes with references and values");
}
