//! Evidence records in XML for tests, written as text.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::xml::Canonicalization;
use formats::xmlers::XmlEvidenceRecord;
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::evidence::{EvidenceReport, Group, verify_any_record};
use verifier::finding::Place;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::DigestSource;

use crate::support::authority::{Authority, Profile};
use crate::support::judging;

pub(crate) const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(crate) const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
pub(crate) const SHA512: DigestAlgorithm = DigestAlgorithm::Sha512;

pub(crate) const STAMPED: OffsetDateTime = datetime!(2026-11-22 03:00 UTC);
pub(crate) const RENEWED: OffsetDateTime = datetime!(2029-06-01 00:00 UTC);
pub(crate) const AFTER: OffsetDateTime = datetime!(2031-01-01 00:00 UTC);

/// An authority whose certificate ends in 2030.
pub(crate) fn first() -> Authority {
    authority(
        1,
        datetime!(2026-01-01 00:00 UTC),
        datetime!(2030-01-01 00:00 UTC),
    )
}

/// One that takes over.
pub(crate) fn second() -> Authority {
    authority(
        2,
        datetime!(2029-01-01 00:00 UTC),
        datetime!(2040-01-01 00:00 UTC),
    )
}

fn authority(seed: u8, from: OffsetDateTime, to: OffsetDateTime) -> Authority {
    Authority::new(Profile {
        seed,
        from,
        to,
        for_time_stamps: true,
    })
}

pub(crate) fn anchors() -> Vec<TrustAnchor> {
    vec![first().anchor(), second().anchor()]
}

pub(crate) fn judge(
    record: &str,
    data: &[&dyn DigestSource],
    group: Group,
    time: OffsetDateTime,
) -> EvidenceReport {
    let policy = Policy::default();
    let anchors = anchors();
    let context = judging(&anchors, &policy, time);
    verify_any_record(record.as_bytes(), data, group, &context, &Place::root())
}

/// One chain of a record.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) algorithm: DigestAlgorithm,
    pub(crate) method: &'static str,
    pub(crate) stamps: Vec<Stamp>,
}

/// One archive time-stamp.
#[derive(Clone)]
pub(crate) struct Stamp {
    pub(crate) lists: Vec<Vec<Vec<u8>>>,
    pub(crate) token: Vec<u8>,
    /// Type and bytes.
    pub(crate) information: Vec<(&'static str, Vec<u8>)>,
}

pub(crate) fn digest(algorithm: DigestAlgorithm, bytes: &[u8]) -> Vec<u8> {
    algorithm.digest(bytes).as_bytes().to_vec()
}

/// The value that lists lead to: sorted, put together, hashed; a single value of the first list passes.
pub(crate) fn root(algorithm: DigestAlgorithm, lists: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut carried: Option<Vec<u8>> = None;
    for list in lists {
        let mut values = list.clone();
        values.extend(carried.take());
        values.sort();
        carried = Some(match values.as_slice() {
            [single] => single.clone(),
            several => digest(algorithm, &several.concat()),
        });
    }
    carried.unwrap()
}

impl Stamp {
    pub(crate) fn new(
        authority: &Authority,
        algorithm: DigestAlgorithm,
        lists: Vec<Vec<Vec<u8>>>,
        time: OffsetDateTime,
    ) -> Self {
        let imprint = DigestValue::from_bytes(algorithm, &root(algorithm, &lists)).unwrap();
        Self {
            lists,
            token: authority.token(&imprint, time),
            information: Vec::new(),
        }
    }
}

/// The text of a record. White space and comments stand in it, as many programs write them.
pub(crate) fn write(chains: &[Chain]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<EvidenceRecord Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:ers\">\n <ArchiveTimeStampSequence>\n",
    );
    for (number, chain) in chains.iter().enumerate() {
        writeln!(
            text,
            "  <ArchiveTimeStampChain Order=\"{}\"><DigestMethod Algorithm=\"{}\"/><CanonicalizationMethod Algorithm=\"{}\"/>",
            number + 1,
            chain.algorithm.xml_uri().unwrap(),
            chain.method
        )
        .unwrap();
        for (position, stamp) in chain.stamps.iter().enumerate() {
            write_stamp(&mut text, position + 1, stamp);
        }
        text.push_str("  </ArchiveTimeStampChain>\n");
    }
    text.push_str(" </ArchiveTimeStampSequence>\n</EvidenceRecord>\n");
    text
}

fn write_stamp(text: &mut String, order: usize, stamp: &Stamp) {
    write!(text, "   <ArchiveTimeStamp Order=\"{order}\">").unwrap();
    if !stamp.lists.is_empty() {
        text.push_str("<HashTree>");
        for (number, list) in stamp.lists.iter().enumerate() {
            write!(text, "<Sequence Order=\"{}\"><!-- level -->", number + 1).unwrap();
            for value in list {
                write!(
                    text,
                    "<DigestValue>{}</DigestValue>",
                    STANDARD.encode(value)
                )
                .unwrap();
            }
            text.push_str("</Sequence>");
        }
        text.push_str("</HashTree>");
    }
    let token = STANDARD.encode(&stamp.token);
    write!(
        text,
        "<TimeStamp><TimeStampToken Type=\"RFC3161\">{token}</TimeStampToken>"
    )
    .unwrap();
    if !stamp.information.is_empty() {
        text.push_str("<CryptographicInformationList>");
        for (number, (kind, bytes)) in stamp.information.iter().enumerate() {
            write!(
                text,
                "<CryptographicInformation Order=\"{}\" Type=\"{kind}\">{}</CryptographicInformation>",
                number + 1,
                STANDARD.encode(bytes)
            )
            .unwrap();
        }
        text.push_str("</CryptographicInformationList>");
    }
    text.push_str("</TimeStamp></ArchiveTimeStamp>\n");
}

/// The digest of the last `TimeStamp` element, as a renewal covers it.
pub(crate) fn last_time_stamp(
    chains: &[Chain],
    algorithm: DigestAlgorithm,
    method: &str,
) -> Vec<u8> {
    let record = XmlEvidenceRecord::parse(write(chains).as_bytes()).unwrap();
    let (_, _, stamp) = record.time_stamps().last().unwrap();
    let mut hasher = algorithm.hasher();
    record
        .canonical_time_stamp(
            stamp,
            &Canonicalization::from_uri(method).unwrap(),
            &mut |part| {
                hasher.update(part);
            },
        )
        .unwrap();
    hasher.finish().as_bytes().to_vec()
}

/// The digest of the chains so far, as a new chain under `method` covers them. The white space that the next chain will add stands in it.
pub(crate) fn sequence(chains: &[Chain], algorithm: DigestAlgorithm, method: &str) -> Vec<u8> {
    let mut more = chains.to_vec();
    more.push(chains.last().unwrap().clone());
    let record = XmlEvidenceRecord::parse(write(&more).as_bytes()).unwrap();
    let mut hasher = algorithm.hasher();
    record
        .canonical_sequence(
            chains.len(),
            &Canonicalization::from_uri(method).unwrap(),
            &mut |part| hasher.update(part),
        )
        .unwrap();
    hasher.finish().as_bytes().to_vec()
}

/// A record over one data object among others.
pub(crate) fn initial(data: &[u8]) -> Vec<Chain> {
    let lists = vec![
        vec![digest(SHA256, data)],
        vec![digest(SHA256, b"a neighbour")],
        vec![digest(SHA256, b"another"), digest(SHA256, b"a third")],
    ];
    vec![Chain {
        algorithm: SHA256,
        method: C14N,
        stamps: vec![Stamp::new(&first(), SHA256, lists, STAMPED)],
    }]
}

/// The same, renewed in time by the second authority.
pub(crate) fn renewed_in_time(data: &[u8]) -> Vec<Chain> {
    let mut chains = initial(data);
    let covered = last_time_stamp(&chains, SHA256, C14N);
    let lists = vec![vec![covered], vec![digest(SHA256, b"a neighbour")]];
    let stamp = Stamp::new(&second(), SHA256, lists, RENEWED);
    chains[0].stamps.push(stamp);
    chains
}

/// The same, renewed in its hash tree under another digest algorithm and another method.
pub(crate) fn renewed_in_tree(data: &[u8]) -> Vec<Chain> {
    let mut chains = initial(data);
    let covered = vec![digest(SHA512, data), sequence(&chains, SHA512, EXCLUSIVE)];
    let lists = vec![covered, vec![digest(SHA512, b"a neighbour")]];
    chains.push(Chain {
        algorithm: SHA512,
        method: EXCLUSIVE,
        stamps: vec![Stamp::new(&second(), SHA512, lists, RENEWED)],
    });
    chains
}
