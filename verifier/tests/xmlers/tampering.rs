//! One change at a time.

use formats::xmlers::XmlEvidenceRecord;
use verifier::evidence::Group;
use verifier::finding::{Code, xmlers as codes};
use verifier::source::DataBytes;
use verifier::verdict::{Conclusion, Integrity};

use crate::record::{
    AFTER, RENEWED, STAMPED, initial, judge, renewed_in_time, renewed_in_tree, write,
};

const DOCUMENT: &[u8] = b"a document";

fn document() -> DataBytes<'static> {
    DataBytes::new("document", DOCUMENT)
}

#[test]
fn every_changed_digest_is_noticed() {
    for chains in [
        initial(DOCUMENT),
        renewed_in_time(DOCUMENT),
        renewed_in_tree(DOCUMENT),
    ] {
        for (chain, content) in chains.iter().enumerate() {
            for (position, stamp) in content.stamps.iter().enumerate() {
                for (list, values) in stamp.lists.iter().enumerate() {
                    for value in 0..values.len() {
                        let mut changed = chains.clone();
                        changed[chain].stamps[position].lists[list][value][0] ^= 1;
                        let report = judge(&write(&changed), &[&document()], Group::Members, AFTER);
                        assert_eq!(report.judgement.integrity(), Integrity::Broken);
                        assert!(report.has(codes::XML_EVIDENCE_ROOT_MISMATCH));
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_left_out_or_changes_places_is_noticed() {
    let mut chains = renewed_in_tree(DOCUMENT);
    chains.remove(0);
    let report = judge(&write(&chains), &[&document()], Group::Whole, AFTER);
    // What is left begins with a list that has one value more than the data.
    assert!(!report.judgement.is_passed());
    let mut chains = renewed_in_time(DOCUMENT);
    chains[0].stamps.swap(0, 1);
    let report = judge(&write(&chains), &[&document()], Group::Members, AFTER);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    let mut chains = initial(DOCUMENT);
    chains[0].stamps[0].lists.swap(1, 2);
    let report = judge(&write(&chains), &[&document()], Group::Members, STAMPED);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    let text =
        write(&renewed_in_time(DOCUMENT)).replacen("Stamp Order=\"2\"", "Stamp Order=\"1\"", 1);
    let report = judge(&text, &[&document()], Group::Members, AFTER);
    assert!(report.has(codes::XML_EVIDENCE_MALFORMED));
    assert_eq!(report.judgement.conclusion(), Conclusion::TotalFailed);
}

/// Order is stated by numbers that no time-stamp protects in the newest part; a gap is told and harms nothing.
#[test]
fn a_gap_in_the_numbers_is_told() {
    let text = write(&initial(DOCUMENT)).replace("Sequence Order=\"3\"", "Sequence Order=\"4\"");
    let report = judge(&text, &[&document()], Group::Members, STAMPED);
    assert!(report.judgement.is_passed());
    assert!(report.has(codes::XML_EVIDENCE_ORDER_GAPS));
}

/// What is not known here is neither passed nor failed.
#[test]
fn what_is_not_known_leaves_the_question_open() {
    let text = write(&initial(DOCUMENT));
    let changes: [(&str, &str, Code); 3] = [
        (
            "xmlenc#sha256",
            "xmlenc#sha999",
            codes::XML_EVIDENCE_DIGEST_UNKNOWN,
        ),
        (
            "REC-xml-c14n-20010315",
            "REC-xml-c14n-20991231",
            codes::XML_EVIDENCE_CANONICALIZATION_UNKNOWN,
        ),
        (
            "\"RFC3161\"",
            "\"XMLENTRUST\"",
            codes::XML_EVIDENCE_TOKEN_KIND,
        ),
    ];
    for (from, to, code) in changes {
        let report = judge(
            &text.replace(from, to),
            &[&document()],
            Group::Members,
            STAMPED,
        );
        assert!(report.has(code));
        assert_eq!(report.judgement.integrity(), Integrity::Unknown, "{to}");
        assert_eq!(
            report.judgement.conclusion(),
            Conclusion::Indeterminate,
            "{to}"
        );
    }
    let encrypted = text.replacen(
        " <ArchiveTimeStampSequence>",
        "<EncryptionInformation><EncryptionInformationType>1.2.3</EncryptionInformationType>\
         <EncryptionInformationValue/></EncryptionInformation><ArchiveTimeStampSequence>",
        1,
    );
    let report = judge(&encrypted, &[&document()], Group::Members, STAMPED);
    assert!(report.has(codes::XML_EVIDENCE_ENCRYPTED));
    assert!(!report.judgement.is_passed());
}

#[test]
fn what_nothing_protects_is_told() {
    let text = write(&renewed_in_time(DOCUMENT));
    let list = "<Attributes><Attribute Order=\"1\">x</Attribute></Attributes></ArchiveTimeStamp>";
    let newest = text.rfind("</ArchiveTimeStamp>").unwrap();
    let (head, tail) = text.split_at(newest);
    let with = format!("{head}{}", tail.replacen("</ArchiveTimeStamp>", list, 1));
    let report = judge(&with, &[&document()], Group::Members, RENEWED);
    assert!(report.has(codes::XML_EVIDENCE_ATTRIBUTES_UNPROTECTED));
    assert!(!report.judgement.is_passed());
    let supporting = text.replacen(
        " <ArchiveTimeStampSequence>",
        "<SupportingInformationList><SupportingInformation Type=\"x\">y</SupportingInformation></SupportingInformationList>\
         <ArchiveTimeStampSequence>",
        1,
    );
    let report = judge(&supporting, &[&document()], Group::Members, RENEWED);
    assert!(report.judgement.is_passed());
    assert!(report.has(codes::XML_EVIDENCE_SUPPORTING_INFORMATION));
}

/// What the record says, apart from how it is written.
fn content(text: &str) -> Option<Vec<String>> {
    let record = XmlEvidenceRecord::parse(text.as_bytes()).ok()?;
    let mut said = Vec::new();
    for chain in &record.chains {
        said.push(format!(
            "{} {:?}",
            chain.digest_method, chain.canonicalization
        ));
        for stamp in &chain.time_stamps {
            let lists = stamp.hash_tree.iter().flatten().map(|list| &list.values);
            said.push(format!("{:?} {:?}", lists.collect::<Vec<_>>(), stamp.token));
        }
    }
    Some(said)
}

/// No changed character makes a record pass that says something else than before.
#[test]
fn a_changed_character_is_noticed_or_says_the_same() {
    let text = write(&initial(DOCUMENT));
    let said = content(&text);
    let characters: Vec<char> = text.chars().collect();
    let mut passed = 0;
    for place in (0..characters.len()).step_by(5) {
        let mut changed = characters.clone();
        changed[place] = match changed[place] {
            'A' => 'B',
            '<' => ' ',
            _ => 'A',
        };
        let changed: String = changed.into_iter().collect();
        let report = judge(&changed, &[&document()], Group::Members, STAMPED);
        if report.judgement.is_passed() {
            passed += 1;
            assert_eq!(content(&changed), said, "at {place}");
        }
    }
    println!("{passed} changes say the same");
}
