use super::*;
use crate::error::ErrorKind;
use crate::limits::{EVIDENCE_HASHES_MAX, EVIDENCE_PARTIAL_TREES_MAX};

const HEAD: &str = "<EvidenceRecord Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:ers\"><ArchiveTimeStampSequence>";
const FOOT: &str = "</ArchiveTimeStampSequence></EvidenceRecord>";
const METHODS: &str = "<DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
    <CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>";
const TOKEN: &str = "<TimeStamp><TimeStampToken Type=\"RFC3161\">MAA=</TimeStampToken></TimeStamp>";

fn record(chains: &str) -> String {
    format!("{HEAD}{chains}{FOOT}")
}

fn chain(order: &str, stamps: &str) -> String {
    format!("<ArchiveTimeStampChain Order=\"{order}\">{METHODS}{stamps}</ArchiveTimeStampChain>")
}

fn stamp(order: &str, content: &str) -> String {
    format!("<ArchiveTimeStamp Order=\"{order}\">{content}</ArchiveTimeStamp>")
}

fn tree(lists: &str) -> String {
    record(&chain(
        "1",
        &stamp("1", &format!("<HashTree>{lists}</HashTree>{TOKEN}")),
    ))
}

fn good() -> String {
    tree("<Sequence Order=\"1\"><DigestValue> AA\n== </DigestValue></Sequence>")
}

fn kind_of(text: &str) -> Option<ErrorKind> {
    let answer = XmlEvidenceRecord::parse(text.as_bytes());
    answer.err().map(|error| error.kind())
}

#[test]
fn a_record_has_chains_time_stamps_and_trees() {
    let parsed = XmlEvidenceRecord::parse(good().as_bytes()).unwrap();
    assert!(parsed.encryption.is_none() && parsed.supporting_information.is_empty());
    let (_, _, stamp) = parsed.time_stamps().next().unwrap();
    assert_eq!(stamp.hash_tree.as_ref().unwrap()[0].values, [vec![0]]);
    assert_eq!(stamp.token, XmlToken::Rfc3161(vec![0x30, 0]));
    assert_eq!(
        parsed.chains[0].algorithm(),
        Some(crate::digest::DigestAlgorithm::Sha256)
    );
    assert!(parsed.chains[0].canonicalization.method.is_some());
}

#[test]
fn what_the_schema_does_not_have_is_refused() {
    let good = good();
    for (from, to, kind) in [
        ("Version=\"1.0\" ", "", ErrorKind::MissingElement),
        (
            "Version=\"1.0\"",
            "Version=\"2.0\"",
            ErrorKind::UnsupportedVersion,
        ),
        (
            "Version=\"1.0\"",
            "Version=\"one\"",
            ErrorKind::InvalidValue,
        ),
        ("ns:ers", "ns:other", ErrorKind::WrongType),
        (
            "<HashTree>",
            "<HashTree/><HashTree>",
            ErrorKind::MissingElement,
        ),
        ("<HashTree>", "<Other/><HashTree>", ErrorKind::WrongType),
        ("<HashTree>", "text<HashTree>", ErrorKind::InvalidXml),
        (
            "<TimeStamp>",
            "<Attributes/><TimeStamp>",
            ErrorKind::WrongType,
        ),
        (" AA\n== ", "A", ErrorKind::InvalidValue),
        (" AA\n== ", "", ErrorKind::InvalidValue),
        (" AA\n== ", "<b/>", ErrorKind::WrongType),
        ("MAA=", "?", ErrorKind::InvalidValue),
        (" Type=\"RFC3161\"", "", ErrorKind::MissingElement),
        (
            "<Sequence Order=\"1\">",
            "<Sequence>",
            ErrorKind::MissingElement,
        ),
        (
            "<Sequence Order=\"1\">",
            "<Sequence Order=\"0\">",
            ErrorKind::InvalidValue,
        ),
        (
            "<Sequence Order=\"1\">",
            "<Sequence Order=\"-1\">",
            ErrorKind::InvalidValue,
        ),
        (
            "<Sequence Order=\"1\">",
            "<Sequence Order=\"2147483648\">",
            ErrorKind::InvalidValue,
        ),
        ("<DigestMethod ", "<Digestmethod ", ErrorKind::WrongType),
        (
            "<ArchiveTimeStampSequence>",
            "<ArchiveTimeStampSequence/><ArchiveTimeStampSequence>",
            ErrorKind::WrongType,
        ),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        assert_eq!(kind_of(&text), Some(kind), "{from} -> {to}");
    }
    assert_eq!(kind_of("<EvidenceRecord/>"), Some(ErrorKind::WrongType));
    assert_eq!(kind_of(&record("")), Some(ErrorKind::MissingElement));
    assert_eq!(
        kind_of(&record(&chain("1", ""))),
        Some(ErrorKind::MissingElement)
    );
}

#[test]
fn order_ascends_and_none_stands_twice() {
    let chains = |first: &str, second: &str| {
        let one = stamp("1", TOKEN);
        record(&format!("{}{}", chain(first, &one), chain(second, &one)))
    };
    let stamps = |first: &str, second: &str| {
        let both = format!("{}{}", stamp(first, TOKEN), stamp(second, TOKEN));
        record(&chain("1", &both))
    };
    let lists = |first: &str, second: &str| {
        let list =
            |order| format!("<Sequence Order='{order}'><DigestValue>AA==</DigestValue></Sequence>");
        tree(&format!("{}{}", list(first), list(second)))
    };
    for build in [&chains as &dyn Fn(&str, &str) -> String, &stamps, &lists] {
        for (first, second) in [("1", "2"), ("1", "+3"), ("2", "7")] {
            assert_eq!(kind_of(&build(first, second)), None);
        }
        for (first, second) in [("1", "1"), ("2", "1"), ("1", ""), ("1", "x")] {
            assert_eq!(
                kind_of(&build(first, second)),
                Some(ErrorKind::InvalidValue)
            );
        }
    }
}

#[test]
fn versions_are_two_integers() {
    for version in ["1.0", " 1.0 ", "01.00", "1"] {
        assert_eq!(
            kind_of(&good().replace("\"1.0\"", &format!("\"{version}\""))),
            None
        );
    }
}

#[test]
fn prefixes_comments_and_other_attributes_do_not_matter() {
    let text = good()
        .replace("xmlns=", "xmlns:x='u:x' x:id='1' Id='2' xmlns=")
        .replace("<HashTree>", "<!-- c --><?i?><HashTree>")
        .replace("AA\n==", "A<!-- c -->A\n=<![CDATA[=]]>");
    assert_eq!(kind_of(&text), None);
    let prefixed = "<e:EvidenceRecord xmlns:e='urn:ietf:params:xml:ns:ers' Version='1.0'/>";
    assert_eq!(kind_of(prefixed), Some(ErrorKind::MissingElement));
}

#[test]
fn parameters_of_a_method_count() {
    let with = |uri: &str, content: &str| {
        let method =
            format!("<CanonicalizationMethod Algorithm='{uri}'>{content}</CanonicalizationMethod>");
        let old = "<CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>";
        let text = good().replace(old, &method);
        let record = XmlEvidenceRecord::parse(text.as_bytes()).unwrap();
        record.chains[0].canonicalization.method.clone()
    };
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let list = format!("<i:InclusiveNamespaces xmlns:i='{exclusive}' PrefixList='a #default b'/>");
    let method = with(exclusive, &list).unwrap();
    assert_eq!(method.inclusive_prefixes, ["a", "", "b"]);
    let inclusive = "http://www.w3.org/2006/12/xml-c14n11";
    assert!(with(inclusive, "").is_some());
    assert!(with(inclusive, &list).is_none());
    assert!(with(exclusive, "<x/>").is_none());
    assert!(with("urn:other", "").is_none());
}

#[test]
fn lists_and_values_have_limits() {
    let list = |order: usize| {
        format!("<Sequence Order='{order}'><DigestValue>AA==</DigestValue></Sequence>")
    };
    let lists = |count: usize| -> String { (1..=count).map(list).collect() };
    assert_eq!(kind_of(&tree(&lists(EVIDENCE_PARTIAL_TREES_MAX))), None);
    let too_many = tree(&lists(EVIDENCE_PARTIAL_TREES_MAX + 1));
    assert_eq!(kind_of(&too_many), Some(ErrorKind::LimitExceeded));
    let values = "<DigestValue>AA==</DigestValue>".repeat(EVIDENCE_HASHES_MAX + 1);
    let too_many = tree(&format!("<Sequence Order='1'>{values}</Sequence>"));
    assert_eq!(kind_of(&too_many), Some(ErrorKind::LimitExceeded));
}

/// What is hashed is what stands there, in its context, and of a sequence only the chains before.
#[test]
fn canonical_parts_are_those_of_the_document() {
    let text = format!(
        "{HEAD}\n {}\n {}\n{FOOT}",
        chain("1", &stamp("1", TOKEN)),
        chain("2", &stamp("1", TOKEN))
    );
    let record = XmlEvidenceRecord::parse(text.as_bytes()).unwrap();
    let method = record.chains[0].canonicalization.method.clone().unwrap();
    let mut out = Vec::new();
    let (_, _, first) = record.time_stamps().next().unwrap();
    record
        .canonical_time_stamp(first, &method, &mut |part| out.extend_from_slice(part))
        .unwrap();
    let expected = TOKEN.replacen(
        "<TimeStamp>",
        "<TimeStamp xmlns=\"urn:ietf:params:xml:ns:ers\">",
        1,
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let mut out = Vec::new();
    record
        .canonical_sequence(1, &method, &mut |part| out.extend_from_slice(part))
        .unwrap();
    let sequence = String::from_utf8(out).unwrap();
    assert!(sequence.starts_with(
        "<ArchiveTimeStampSequence xmlns=\"urn:ietf:params:xml:ns:ers\">\n <ArchiveTimeStampChain"
    ));
    assert!(sequence.ends_with("</ArchiveTimeStampChain>\n \n</ArchiveTimeStampSequence>"));
    assert_eq!(sequence.matches("<TimeStampToken").count(), 1);
}
