//! Records that are made to hurt: refused or judged in little time, never with a panic.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use verifier::evidence::Group;
use verifier::finding::xmlers as codes;
use verifier::source::DataBytes;
use verifier::verdict::Integrity;

use crate::record::{STAMPED, initial, judge, write};

const DOCUMENT: &[u8] = b"a document";
/// Tests run unoptimised and beside others.
const PATIENCE: Duration = Duration::from_secs(20);

fn refuse(text: &str) {
    let data = DataBytes::new("data", DOCUMENT);
    let before = Instant::now();
    let report = judge(text, &[&data], Group::Members, STAMPED);
    assert!(before.elapsed() < PATIENCE);
    assert!(!report.judgement.is_passed());
}

#[test]
fn depth_and_width_are_refused() {
    let good = write(&initial(DOCUMENT));
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    refuse(&good.replacen("<HashTree>", &format!("<HashTree>{deep}"), 1));
    let wide = format!("<HashTree a=\"{}\">", "x".repeat(4 << 20));
    let data = DataBytes::new("data", DOCUMENT);
    let report = judge(
        &good.replacen("<HashTree>", &wide, 1),
        &[&data],
        Group::Members,
        STAMPED,
    );
    assert_ne!(report.judgement.integrity(), Integrity::Broken);
    let attributes: String = (0..50_000).map(|n| format!(" a{n}=\"\"")).collect();
    refuse(&good.replacen("<HashTree", &format!("<HashTree{attributes}"), 1));
    let namespaces: String = (0..50_000)
        .map(|n| format!(" xmlns:n{n}=\"x:{n}\""))
        .collect();
    refuse(&good.replacen("<HashTree", &format!("<HashTree{namespaces}"), 1));
}

#[test]
fn entities_are_refused() {
    let mut bomb = String::from("<!DOCTYPE EvidenceRecord [<!ENTITY e0 \"ha\">");
    for level in 1..40 {
        let before = level - 1;
        bomb.push_str(&format!("<!ENTITY e{level} \"&e{before};&e{before};\">"));
    }
    bomb.push_str("]>");
    let good = write(&initial(DOCUMENT));
    let text = good.replacen("?>\n", &format!("?>\n{bomb}"), 1);
    refuse(&text.replacen("<!-- level -->", "&e39;", 1));
    refuse(&good.replacen("<!-- level -->", "&undefined;", 1));
}

#[test]
fn a_megabyte_of_lists_does_not_lead_to_the_token() {
    let value = format!("<DigestValue>{}</DigestValue>", STANDARD.encode([7_u8; 32]));
    let values = value.repeat((1 << 20) / value.len());
    let good = write(&initial(DOCUMENT));
    let data = DataBytes::new("data", DOCUMENT);
    let text = good.replacen("</Sequence>", &format!("{values}</Sequence>"), 1);
    let report = judge(&text, &[&data], Group::Members, STAMPED);
    assert!(report.has(codes::XML_EVIDENCE_ROOT_MISMATCH));
}

/// Each chain is over all before it: many of them are a lot to hash, and more than a limit is not hashed.
#[test]
fn many_chains_are_bounded() {
    let mut chains = initial(DOCUMENT);
    chains[0].stamps[0].information = vec![("CERT", vec![0x30; 300])];
    let one = chains[0].clone();
    chains.extend(std::iter::repeat_n(one, 100));
    refuse(&write(&chains));
}

#[test]
fn damaged_text_never_panics() {
    let text = write(&initial(DOCUMENT));
    let data = DataBytes::new("data", DOCUMENT);
    for end in (0..text.len()).step_by(97) {
        let report = judge(&text[..end], &[&data], Group::Members, STAMPED);
        assert!(!report.judgement.is_passed());
    }
}

#[test]
fn data_that_is_hostile_xml_is_not_read() {
    let deep = "<a>".repeat(100_000);
    let data = DataBytes::new("data", deep.as_bytes());
    let report = judge(
        &write(&initial(DOCUMENT)),
        &[&data],
        Group::Members,
        STAMPED,
    );
    assert!(report.has(codes::XML_EVIDENCE_DATA_NOT_CANONICAL));
    assert_eq!(report.judgement.integrity(), Integrity::Unknown);
}
