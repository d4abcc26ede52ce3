//! The parsers of `formats`, each behind one function that takes any bytes.
//!
//! What is read has to keep its bytes, and nothing may panic, run away or take memory without bound. The same functions are the fuzz targets and
//! what the replayed corpora go through in ordinary tests.

use formats::asic::{AsicManifest, AsicReader};
use formats::cades::{
    CertificateReference, Commitment, HashIndex, HashIndexVersion, RevocationReferences,
    RevocationValues, SignatureParts, SignaturePolicy, add_unsigned_attributes,
    archive_time_stamp_input, archive_time_stamp_v1_inputs, archive_time_stamp_v2_input,
    c_time_stamp_input, detach, level_of, mime_type, parse_certificate_references,
    parse_certificate_values, references_time_stamp_input,
};
use formats::cms::{Attribute, SignedData, SignerInfo};
use formats::der::{has_indefinite_length, to_der_lengths};
use formats::digest::DigestAlgorithm;
use formats::evidence::{EvidenceRecord, hash_tree};
use formats::lines::LineProof;
use formats::manifest::Manifest;
use formats::medium::MediumLabel;
use formats::ocsp::{BasicOcspResponse, OcspResponse};
use formats::segment::{Frame, FrameHeader, FrameType};
use formats::tsp::{TimeStampRequest, TimeStampResponse, TimeStampToken, TstInfo};
use formats::x509::{Certificate, read_certificates, read_crls};
use formats::xml::{Canonicalization, CanonicalizationKind, Document, Element, NodeId};
use formats::xmlers::XmlEvidenceRecord;

/// A parser under test.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("der", der),
    ("cms", cms),
    ("cades_attributes", cades_attributes),
    ("archive_inputs", archive_inputs),
    ("tsp_token", tsp_token),
    ("tsp_response", tsp_response),
    ("tsp_request", tsp_request),
    ("evidence_record", evidence_record),
    ("xml", xml),
    ("xml_subset", xml_subset),
    ("xml_evidence_record", xml_evidence_record),
    ("ocsp", ocsp),
    ("certificate", certificate),
    ("asic_container", asic_container),
    ("asic_manifest", asic_manifest),
    ("manifest", manifest),
    ("segment", segment),
    ("line_proof", line_proof),
    ("medium", medium),
];

/// Lengths made definite: what comes out is read again to the same bytes.
pub fn der(bytes: &[u8]) {
    let indefinite = has_indefinite_length(bytes);
    if let Ok(definite) = to_der_lengths(bytes) {
        assert_eq!(
            to_der_lengths(&definite).as_deref(),
            Ok(definite.as_slice())
        );
        assert_eq!(has_indefinite_length(&definite), Ok(false));
        assert!(indefinite.is_ok());
    }
}

/// SignedData with everything in it.
pub fn cms(bytes: &[u8]) {
    let Ok(signed_data) = SignedData::parse(bytes) else {
        return;
    };
    assert_eq!(signed_data.raw(), bytes);
    for signer in &signed_data.signers {
        signer_info(signer);
        let _level = level_of(&signed_data, signer);
    }
    for revocation in &signed_data.revocations {
        let _response = revocation.basic_ocsp_response();
    }
    for der in signed_data.x509_certificates() {
        certificate(der);
    }
    if let Ok(parts) = SignatureParts::parse(bytes) {
        for signer in &parts.signers {
            let _index = HashIndex::over(&parts, signer, DigestAlgorithm::Sha256);
        }
    }
}

fn signer_info(signer: &SignerInfo) {
    let _ids = signer.signing_certificates();
    let _time = signer.signing_time();
    let _digest = signer.message_digest();
    let _type = signer.content_type();
    let _index = HashIndex::of_token(signer);
    if let Some(attributes) = &signer.signed_attributes {
        assert_eq!(attributes.signed_bytes().first(), Some(&0x31));
        assert_eq!(
            attributes.signed_bytes().len(),
            attributes.signed_bytes_der_sorted().len()
        );
        let _commitments = Commitment::all(attributes);
        let _policy = SignaturePolicy::of(attributes);
    }
    for attribute in &signer.unsigned_attributes {
        for value in &attribute.values {
            cades_attributes(value);
        }
    }
}

/// The values of unsigned attributes.
pub fn cades_attributes(bytes: &[u8]) {
    let _values = parse_certificate_values(bytes);
    let _values = RevocationValues::parse(bytes);
    let _references: Result<Vec<CertificateReference>, _> = parse_certificate_references(bytes);
    let _references = RevocationReferences::parse(bytes);
    for version in [
        HashIndexVersion::V1,
        HashIndexVersion::V2,
        HashIndexVersion::V3,
    ] {
        if let Ok(index) = HashIndex::parse(bytes, version) {
            let _attribute = index.to_attribute();
        }
    }
}

/// A signature with what each form of archive-time-stamp covers of it, and with an attribute added.
pub fn archive_inputs(bytes: &[u8]) {
    let Ok(parts) = SignatureParts::parse(bytes) else {
        return;
    };
    let content = DigestAlgorithm::Sha256.digest(bytes);
    for signer in &parts.signers {
        let index = HashIndex::over(&parts, signer, DigestAlgorithm::Sha256);
        let _input = archive_time_stamp_input(&parts, signer, &content, &index);
        let before: Vec<&Attribute> = signer.unsigned_attributes.iter().collect();
        for with_header in [false, true] {
            let _input = archive_time_stamp_v2_input(&parts, signer, &[], &before, with_header);
        }
        let _inputs = archive_time_stamp_v1_inputs(signer, &[], &[], &before);
        let _input = c_time_stamp_input(signer);
        let _input = references_time_stamp_input(signer);
    }
    let _detached = detach(bytes);
    if let Ok(extended) = add_unsigned_attributes(bytes, 0, &[mime_type("text/plain")]) {
        let extended = SignatureParts::parse(&extended).expect("what was added to can be read");
        assert_eq!(extended.signers.len(), parts.signers.len());
    }
}

/// A token.
pub fn tsp_token(bytes: &[u8]) {
    if let Ok(token) = TimeStampToken::parse(bytes) {
        assert_eq!(token.raw(), bytes);
        for signer in &token.signed_data.signers {
            signer_info(signer);
        }
    }
    let _info = TstInfo::parse(bytes);
}

/// A response.
pub fn tsp_response(bytes: &[u8]) {
    if let Ok(response) = TimeStampResponse::parse(bytes) {
        assert_eq!(response.raw(), bytes);
        if let Some(token) = &response.token {
            tsp_token(token);
        }
    }
}

/// A request.
pub fn tsp_request(bytes: &[u8]) {
    if let Ok(request) = TimeStampRequest::parse(bytes) {
        assert_eq!(request.raw(), bytes);
    }
}

/// An evidence record (RFC 4998) and the roots of its trees.
pub fn evidence_record(bytes: &[u8]) {
    let Ok(record) = EvidenceRecord::parse(bytes) else {
        return;
    };
    assert_eq!(record.raw(), bytes);
    for (_, _, time_stamp) in record.time_stamps() {
        if let Ok(token) = time_stamp.token() {
            tsp_token(token.raw());
        }
        if let Some(lists) = &time_stamp.reduced_hash_tree {
            let _root = hash_tree::root_of(DigestAlgorithm::Sha256, lists);
            let _root = hash_tree::root_of_sets(DigestAlgorithm::Sha256, lists);
        }
    }
}

/// XML and its canonical forms: what is canonical stays as it is.
pub fn xml(bytes: &[u8]) {
    let Ok(document) = Document::parse(bytes) else {
        return;
    };
    for kind in [
        CanonicalizationKind::Inclusive10,
        CanonicalizationKind::Inclusive11,
        CanonicalizationKind::Exclusive10,
    ] {
        let method = Canonicalization::new(kind, true);
        let Some(canonical) = canonical(&document, &method) else {
            continue;
        };
        if let Ok(again) = Document::parse(&canonical) {
            assert_eq!(self::canonical(&again, &method), Some(canonical));
        }
    }
}

fn canonical(document: &Document, method: &Canonicalization) -> Option<Vec<u8>> {
    let mut canonical = Vec::new();
    let mut keep = |part: &[u8]| canonical.extend_from_slice(part);
    document.canonicalize(method, &mut keep).ok()?;
    Some(canonical)
}

/// The canonical form of each of the first elements, with and without its first child: what comes out is a part of the document, and can be read.
pub fn xml_subset(bytes: &[u8]) {
    let Ok(document) = Document::parse(bytes) else {
        return;
    };
    let mut method = Canonicalization::new(CanonicalizationKind::Exclusive10, false);
    method.inclusive_prefixes = vec![String::new(), "a".to_owned(), "ds".to_owned()];
    let methods = [
        Canonicalization::new(CanonicalizationKind::Inclusive10, true),
        Canonicalization::new(CanonicalizationKind::Inclusive11, false),
        method,
    ];
    let mut waiting: Vec<_> = document.root().into_iter().collect();
    let mut judged = 0;
    while let Some(element) = waiting.pop() {
        judged += 1;
        if judged > ELEMENTS_MAX {
            return;
        }
        let child = element.elements().next().map(|child| child.id());
        for method in &methods {
            let whole = canonical_element(&document, &element, &[], method);
            let less = canonical_element(&document, &element, child.as_slice(), method);
            assert!(whole.is_none() || less.is_some());
            if let (Some(whole), Some(less)) = (whole, less) {
                assert!(whole.len() >= less.len());
                assert_eq!(child.is_none(), whole == less);
            }
        }
        waiting.extend(element.elements().take(ELEMENTS_MAX));
    }
}

/// How many elements of one document are taken out of it: each costs as much as the document.
const ELEMENTS_MAX: usize = 16;

fn canonical_element(
    document: &Document,
    element: &Element<'_>,
    without: &[NodeId],
    method: &Canonicalization,
) -> Option<Vec<u8>> {
    let mut canonical = Vec::new();
    let mut keep = |part: &[u8]| canonical.extend_from_slice(part);
    document
        .canonicalize_element(element.id(), without, method, &mut keep)
        .ok()?;
    Some(canonical)
}

/// An evidence record in XML (RFC 6283).
pub fn xml_evidence_record(bytes: &[u8]) {
    if let Ok(record) = XmlEvidenceRecord::parse(bytes) {
        let _count = record.time_stamps().count();
    }
}

/// OCSP responses, whole and basic.
pub fn ocsp(bytes: &[u8]) {
    let _whole = OcspResponse::parse(bytes);
    let _basic = BasicOcspResponse::parse_either(bytes);
}

/// Certificates and lists, as DER and as PEM.
pub fn certificate(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::parse(bytes) {
        assert_eq!(certificate.raw(), bytes);
        let _subject = certificate.subject_text();
        let _other = certificate.x509();
    }
    let _certificates = read_certificates(bytes);
    let _lists = read_crls(bytes);
}

/// A container with its members and manifests.
pub fn asic_container(bytes: &[u8]) {
    let Ok(reader) = AsicReader::open(bytes) else {
        return;
    };
    for entry in reader.entries() {
        let Ok(content) = entry.read() else { continue };
        assert_eq!(u64::try_from(content.len()), Ok(entry.size()));
        if entry.name().ends_with(".xml") {
            asic_manifest(&content);
        }
    }
}

/// An ASiCManifest.
pub fn asic_manifest(bytes: &[u8]) {
    if let Ok(manifest) = AsicManifest::parse(bytes) {
        assert_eq!(manifest.raw(), bytes);
    }
}

/// A record manifest: what is read is canonical.
pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::parse(bytes) {
        assert_eq!(manifest.raw(), bytes);
    }
}

/// A frame, or a body whose type is the first byte.
pub fn segment(bytes: &[u8]) {
    let _header = FrameHeader::parse(bytes);
    let _frame = Frame::parse(bytes);
    if let Some((code, body)) = bytes.split_first()
        && let Some(frame_type) = FrameType::from_code(*code)
    {
        let _frame = Frame::parse_body(frame_type, body);
    }
}

/// A proof of lines.
pub fn line_proof(bytes: &[u8]) {
    let _proof = LineProof::parse(bytes);
}

/// The label of a medium.
pub fn medium(bytes: &[u8]) {
    let _label = MediumLabel::parse(bytes);
}
