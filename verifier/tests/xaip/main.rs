//! XML archive packages (XAIP, BSI TR-03125) of our own: what holds, and one change at a time.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, in its helpers too"
)]

#[path = "../support/mod.rs"]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::digest::DigestValue;
use formats::limits::XAIP_RECORDS_MAX;
use formats::xml::{Canonicalization, Document, NodeId};
use support::authority::{Authority, Profile};
use support::judging;
use support::record::{ALGORITHM, RECEIVED, batch};
use time::macros::datetime;
use verifier::finding::{Code, Language, package as package_codes, xaip as codes};
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::report::document::Depth;
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::verdict::{Conclusion, Integrity};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const DOCUMENT: &[u8] = b"a document";

fn authority() -> Authority {
    Authority::new(Profile {
        seed: 1,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2030-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

/// A package over two data objects and metadata in XML, each part apart from the others so that a test can change it.
#[derive(Clone)]
struct Parts {
    header: String,
    metadata: String,
    data: String,
    credentials: String,
}

impl Parts {
    fn text(&self) -> String {
        format!(
            "<x:XAIP xmlns:x=\"http://www.bsi.bund.de/tr-esor/xaip\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n{}\n{}\n{}\n{}\n</x:XAIP>",
            self.header, self.metadata, self.data, self.credentials
        )
    }
}

fn unsigned(protects_itself: bool) -> Parts {
    let itself = if protects_itself {
        "<x:protectedObjectPointer>V1</x:protectedObjectPointer>"
    } else {
        ""
    };
    let (one, two) = (STANDARD.encode(DOCUMENT), STANDARD.encode(b"another"));
    Parts {
        header: format!(
            "<x:packageHeader packageID=\"P\"><x:AOID>one</x:AOID><x:versionManifest VersionID=\"V1\"><x:packageInfoUnit packageUnitID=\"U\"><x:protectedObjectPointer>D1</x:protectedObjectPointer><x:packageInfoUnit packageUnitID=\"W\"><x:protectedObjectPointer>D2</x:protectedObjectPointer></x:packageInfoUnit><x:protectedObjectPointer>M1</x:protectedObjectPointer>{itself}</x:packageInfoUnit></x:versionManifest><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/></x:packageHeader>"
        ),
        metadata: "<x:metaDataSection><x:metaDataObject metaDataID=\"M1\"><x:xmlMetaData><name xmlns=\"urn:n\">11</name></x:xmlMetaData></x:metaDataObject></x:metaDataSection>".to_owned(),
        data: format!(
            "<x:dataObjectsSection><x:dataObject dataObjectID=\"D1\"><x:binaryData>{one}</x:binaryData></x:dataObject><x:dataObject dataObjectID=\"D2\"><x:binaryData>{two}</x:binaryData></x:dataObject></x:dataObjectsSection>"
        ),
        credentials: String::new(),
    }
}

fn element(document: &Document, name: &str) -> Option<NodeId> {
    let mut open = vec![document.root().unwrap()];
    while let Some(here) = open.pop() {
        if here.name() == name {
            return Some(here.id());
        }
        open.extend(here.elements());
    }
    None
}

fn canonical(document: &Document, name: &str) -> DigestValue {
    let method = Canonicalization::from_uri(EXCLUSIVE).unwrap();
    let mut hasher = ALGORITHM.hasher();
    document
        .canonicalize_element(
            element(document, name).unwrap(),
            &[],
            &method,
            &mut |part| {
                hasher.update(part);
            },
        )
        .unwrap();
    hasher.finish()
}

fn evidence(parts: &Parts, protects_itself: bool) -> Vec<u8> {
    let document = Document::parse(parts.text().as_bytes()).unwrap();
    let mut group = vec![
        ALGORITHM.digest(DOCUMENT),
        ALGORITHM.digest(b"another"),
        canonical(&document, "metaDataObject"),
    ];
    if protects_itself {
        group.push(canonical(&document, "versionManifest"));
    }
    let other = vec![ALGORITHM.digest(b"a neighbour")];
    let records = batch(&[group, other], &authority(), RECEIVED);
    records[0].encode().unwrap()
}

fn credential(record: &[u8]) -> String {
    let record = STANDARD.encode(record);
    format!(
        "<x:credentialsSection><x:credential credentialID=\"E1\"><x:evidenceRecord AOID=\"one\" VersionID=\"V1\"><x:asn1EvidenceRecord>{record}</x:asn1EvidenceRecord></x:evidenceRecord></x:credential></x:credentialsSection>"
    )
}

fn good(protects_itself: bool) -> Parts {
    let mut parts = unsigned(protects_itself);
    parts.credentials = credential(&evidence(&parts, protects_itself));
    parts
}

fn judge(text: &str, data: &[&dyn DigestSource]) -> Report {
    let policy = Policy::default();
    let anchors = [authority().anchor()];
    let context = judging(&anchors, &policy, RECEIVED + time::Duration::days(1));
    verify(
        &[InputFile::new("package.xml", text.as_bytes())],
        data,
        &context,
    )
}

fn has(report: &Report, code: Code) -> bool {
    report.findings.iter().any(|finding| finding.code() == code)
}

#[test]
fn a_whole_package_passes() {
    for protects_itself in [true, false] {
        let report = judge(&good(protects_itself).text(), &[]);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        assert_eq!(report.best_signature_time, Some(RECEIVED));
        assert_eq!(has(&report, codes::XAIP_UNPROTECTED), !protects_itself);
    }
    let text = good(true).text();
    let inside = DataBytes::new("inside", DOCUMENT);
    assert!(judge(&text, &[&inside]).judgement.is_passed());
    let outside = DataBytes::new("outside", b"something else".as_slice());
    assert!(!judge(&text, &[&outside]).judgement.is_passed());
}

/// Metadata in XML is compared in its canonical form, whatever the syntax of the record.
#[test]
fn the_first_page_promises_no_bit_of_xml() {
    let parts = good(false);
    let text = parts.text();
    let written_otherwise = text.replacen("<x:metaDataObject ", "<x:metaDataObject  ", 1);
    assert_ne!(text, written_otherwise);
    for text in [text, written_otherwise] {
        let report = judge(&text, &[]);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        let document = verifier::report::document::Document::of(&report, None, Language::English);
        let page = verifier::report::text::write(&document, Depth::Brief);
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!page.contains("not one bit"), "{page}");
        assert!(page.contains("canonical form leaves out"), "{page}");
    }
}

#[test]
fn every_change_is_noticed() {
    let parts = good(true);
    let one = STANDARD.encode(DOCUMENT);
    let changes = [
        (STANDARD.encode(b"another"), STANDARD.encode(b"another!")),
        (one.clone(), STANDARD.encode(b"b document")),
        (">11<".to_owned(), ">12<".to_owned()),
        (
            "metaDataID=\"M1\"".to_owned(),
            "metaDataID=\"M1\" relatedObjects=\"D1\"".to_owned(),
        ),
        ("<x:AOID>one".to_owned(), "<x:AOID>two".to_owned()),
        ("AOID=\"one\"".to_owned(), "AOID=\"two\"".to_owned()),
        (
            "VersionID=\"V1\"><x:asn1".to_owned(),
            "VersionID=\"V2\"><x:asn1".to_owned(),
        ),
        (
            "dataObjectID=\"D2\"".to_owned(),
            "dataObjectID=\"D1\"".to_owned(),
        ),
        (
            "dataObjectID=\"D2\"".to_owned(),
            "dataObjectID=\"D3\"".to_owned(),
        ),
        ("packageID=\"P\"".to_owned(), "packageID=\"D1\"".to_owned()),
        (
            "packageUnitID=\"U\"".to_owned(),
            "packageUnitID=\"T\"".to_owned(),
        ),
        (format!("<x:binaryData>{one}</x:binaryData>"), String::new()),
        (
            one.clone(),
            format!("{one}</x:binaryData><x:binaryData>{one}"),
        ),
    ];
    for (from, to) in changes {
        let text = parts.text();
        assert!(text.contains(&from), "{from}");
        let report = judge(&text.replacen(&from, &to, 1), &[]);
        assert!(!report.judgement.is_passed(), "{from} -> {to}");
        let open = to.is_empty();
        let failed = report.judgement.conclusion() == Conclusion::TotalFailed;
        assert!(failed || open, "{from} -> {to}: {:?}", report.findings);
    }
}

/// Also where the version itself is not protected.
#[test]
fn no_pointer_can_be_taken_away_or_added() {
    for protects_itself in [true, false] {
        let parts = good(protects_itself);
        let pointer = "<x:protectedObjectPointer>D2</x:protectedObjectPointer>";
        let without = judge(&parts.text().replace(pointer, ""), &[]);
        assert_eq!(without.judgement.integrity(), Integrity::Broken);
        let more = "<x:protectedObjectPointer>D9</x:protectedObjectPointer>";
        let with = judge(
            &parts.text().replace(pointer, &format!("{pointer}{more}")),
            &[],
        );
        assert!(has(&with, codes::XAIP_OBJECT_MISSING));
        assert_eq!(with.judgement.conclusion(), Conclusion::TotalFailed);
    }
}

#[test]
fn the_record_of_another_package_and_none_do_not_pass() {
    let mut parts = good(true);
    let other = batch(&[vec![ALGORITHM.digest(b"other")]], &authority(), RECEIVED).remove(0);
    parts.credentials = credential(&other.encode().unwrap());
    let report = judge(&parts.text(), &[]);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    parts.credentials = String::new();
    let report = judge(&parts.text(), &[]);
    assert!(has(&report, package_codes::PACKAGE_WITHOUT_EVIDENCE));
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
}

#[test]
fn what_no_record_covers_is_told() {
    let mut parts = good(true);
    parts.data = parts.data.replace(
        "</x:dataObjectsSection>",
        "<x:dataObject dataObjectID=\"D3\"><x:binaryData>AAAA</x:binaryData></x:dataObject></x:dataObjectsSection>",
    );
    let report = judge(&parts.text(), &[]);
    assert!(has(&report, package_codes::PACKAGE_MEMBER_UNCOVERED));
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    let signature = "<x:credential credentialID=\"S1\"><s:SignatureObject xmlns:s=\"urn:oasis:names:tc:dss:1.0:core:schema\"><s:Base64Signature>AAAA</s:Base64Signature></s:SignatureObject></x:credential></x:credentialsSection>";
    let text = good(true)
        .text()
        .replace("</x:credentialsSection>", signature);
    let report = judge(&text, &[]);
    assert!(has(&report, codes::XAIP_SIGNATURE_NOT_JUDGED));
    assert_eq!(report.judgement.conclusion(), Conclusion::Indeterminate);
    assert_eq!(report.judgement.integrity(), Integrity::Intact);
    let version = "</x:versionManifest><x:versionManifest VersionID=\"V2\"/>";
    let report = judge(
        &good(true).text().replace("</x:versionManifest>", version),
        &[],
    );
    assert!(has(&report, codes::XAIP_VERSION_WITHOUT_RECORD));
    assert!(!report.judgement.is_passed());
}

fn xml_record(group: &[DigestValue]) -> String {
    let mut values = group.to_vec();
    values.sort_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
    let octets: Vec<u8> = values
        .iter()
        .flat_map(|one| one.as_bytes().to_vec())
        .collect();
    let token = STANDARD.encode(authority().token(&ALGORITHM.digest(&octets), RECEIVED));
    let values: String = values
        .iter()
        .map(|one| {
            format!(
                "<DigestValue>{}</DigestValue>",
                STANDARD.encode(one.as_bytes())
            )
        })
        .collect();
    let method = ALGORITHM.xml_uri().unwrap();
    format!(
        "<EvidenceRecord xmlns=\"urn:ietf:params:xml:ns:ers\" Version=\"1.0\"><ArchiveTimeStampSequence><ArchiveTimeStampChain Order=\"1\"><DigestMethod Algorithm=\"{method}\"/><CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/><ArchiveTimeStamp Order=\"1\"><HashTree><Sequence Order=\"1\">{values}</Sequence></HashTree><TimeStamp><TimeStampToken Type=\"RFC3161\">{token}</TimeStampToken></TimeStamp></ArchiveTimeStamp></ArchiveTimeStampChain></ArchiveTimeStampSequence></EvidenceRecord>"
    )
}

/// Another program may take the other one of two.
#[test]
fn a_record_in_xml_stands_alone_in_its_element() {
    let mut parts = unsigned(false);
    let document = Document::parse(parts.text().as_bytes()).unwrap();
    let good = xml_record(&[
        ALGORITHM.digest(DOCUMENT),
        ALGORITHM.digest(b"another"),
        canonical(&document, "metaDataObject"),
    ]);
    let other = xml_record(&[ALGORITHM.digest(b"other"), ALGORITHM.digest(b"more")]);
    let mut judge = |records: &[&str]| {
        parts.credentials = format!(
            "<x:credentialsSection><x:credential credentialID=\"E1\"><x:evidenceRecord AOID=\"one\" VersionID=\"V1\"><x:xmlEvidenceRecord>{}</x:xmlEvidenceRecord></x:evidenceRecord></x:credential></x:credentialsSection>",
            records.concat()
        );
        judge(&parts.text(), &[])
    };
    let report = judge(&[&good]);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    for records in [
        &[&*good, &*other][..],
        &[&good, &good],
        &[&good, "<more/>"],
        &[],
    ] {
        let report = judge(records);
        assert!(!report.judgement.is_passed(), "{records:?}");
        assert_eq!(report.best_signature_time, None);
    }
}

#[test]
fn the_number_of_records_is_bounded() {
    let mut parts = good(false);
    let one = parts.credentials.clone();
    let judge = |parts: &mut Parts, count: usize| {
        let more: String = (0..count)
            .map(|number| one.replacen("\"E1\"", &format!("\"E{number}\""), 1))
            .collect();
        let border = "</x:credentialsSection><x:credentialsSection>";
        parts.credentials = more.replace(border, "");
        judge(&parts.text(), &[])
    };
    let report = judge(&mut parts, XAIP_RECORDS_MAX);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
    let report = judge(&mut parts, XAIP_RECORDS_MAX + 1);
    assert!(has(&report, codes::XAIP_MALFORMED), "{:?}", report.findings);
    assert!(!report.judgement.is_passed());
}
