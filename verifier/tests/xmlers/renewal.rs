//! Renewals in time and in the hash tree, and what they prove about the time-stamps before them.

use formats::digest::DigestValue;
use time::Duration;
use verifier::evidence::Group;
use verifier::finding::xmlers as codes;
use verifier::source::DataBytes;
use verifier::verdict::Integrity;

use crate::record::{
    AFTER, C14N, Chain, EXCLUSIVE, RENEWED, SHA256, SHA512, STAMPED, Stamp, digest, first, initial,
    judge, last_time_stamp, renewed_in_time, renewed_in_tree, second, sequence, write,
};
use crate::support::authority::TokenOptions;

const DOCUMENT: &[u8] = b"a document";

fn document() -> DataBytes<'static> {
    DataBytes::new("document", DOCUMENT)
}

#[test]
fn a_renewal_carries_the_proof_beyond_the_end_of_the_first_certificate() {
    let alone = judge(
        &write(&initial(DOCUMENT)),
        &[&document()],
        Group::Whole,
        AFTER,
    );
    assert!(!alone.judgement.is_passed());
    assert_eq!(alone.judgement.integrity(), Integrity::Intact);
    for chains in [renewed_in_time(DOCUMENT), renewed_in_tree(DOCUMENT)] {
        let report = judge(&write(&chains), &[&document()], Group::Whole, AFTER);
        assert!(report.judgement.is_passed(), "{:?}", report.findings);
        assert_eq!(report.existence, Some(STAMPED));
    }
}

#[test]
fn a_renewal_without_a_tree_is_over_the_time_stamp_itself() {
    let mut chains = initial(DOCUMENT);
    let covered = last_time_stamp(&chains, SHA256, C14N);
    let mut stamp = Stamp::new(&second(), SHA256, vec![vec![covered]], RENEWED);
    stamp.lists.clear();
    chains[0].stamps.push(stamp);
    let report = judge(&write(&chains), &[&document()], Group::Members, AFTER);
    assert!(report.judgement.is_passed(), "{:?}", report.findings);
}

#[test]
fn a_renewal_over_something_else_is_no_link() {
    let mut chains = initial(DOCUMENT);
    let token = digest(SHA256, &chains[0].stamps[0].token);
    // The digest of the token alone, as RFC 4998 has it, is not that of the element.
    let stamp = Stamp::new(&second(), SHA256, vec![vec![token]], RENEWED);
    chains[0].stamps.push(stamp);
    let report = judge(&write(&chains), &[&document()], Group::Members, AFTER);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    assert!(report.has(codes::XML_EVIDENCE_LINK_BROKEN));
}

#[test]
fn material_added_after_the_renewal_breaks_the_link() {
    let mut chains = renewed_in_time(DOCUMENT);
    chains[0].stamps[0].information = vec![("CERT", first().certificate().to_vec())];
    let report = judge(&write(&chains), &[&document()], Group::Members, AFTER);
    assert!(report.has(codes::XML_EVIDENCE_LINK_BROKEN));
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
    // In the newest nothing covers it yet.
    let mut chains = renewed_in_time(DOCUMENT);
    chains[0].stamps[1].information = vec![("SCVP", vec![0x30, 0]), ("OTHER", vec![1])];
    let report = judge(&write(&chains), &[&document()], Group::Members, AFTER);
    assert!(report.judgement.is_passed());
    assert!(report.has(codes::XML_EVIDENCE_INFORMATION_NOT_USED));
}

#[test]
fn certificates_beside_the_token_are_used() {
    let value = digest(SHA256, DOCUMENT);
    let imprint = DigestValue::from_bytes(SHA256, &value).unwrap();
    let mut options = TokenOptions::at(STAMPED);
    options.with_certificate = false;
    let stamp = Stamp {
        lists: vec![vec![value]],
        token: first().token_with(&imprint, options),
        information: Vec::new(),
    };
    let mut chains = vec![Chain {
        algorithm: SHA256,
        method: C14N,
        stamps: vec![stamp],
    }];
    let without = judge(&write(&chains), &[&document()], Group::Members, STAMPED);
    assert!(!without.judgement.is_passed());
    chains[0].stamps[0].information = vec![("CERT", first().certificate().to_vec())];
    let with = judge(&write(&chains), &[&document()], Group::Members, STAMPED);
    assert!(with.judgement.is_passed(), "{:?}", with.findings);
    chains[0].stamps[0].information = vec![("CERT", second().certificate().to_vec())];
    let wrong = judge(&write(&chains), &[&document()], Group::Members, STAMPED);
    assert!(!wrong.judgement.is_passed());
}

fn renewed_over(lists: Vec<Vec<Vec<u8>>>) -> String {
    let mut chains = initial(DOCUMENT);
    chains.push(Chain {
        algorithm: SHA512,
        method: EXCLUSIVE,
        stamps: vec![Stamp::new(&second(), SHA512, lists, RENEWED)],
    });
    write(&chains)
}

#[test]
fn a_new_chain_covers_the_data_and_the_chains_before_it_each_by_itself() {
    let chains = initial(DOCUMENT);
    let data = digest(SHA512, DOCUMENT);
    let before = sequence(&chains, SHA512, EXCLUSIVE);
    let report = |lists| judge(&renewed_over(lists), &[&document()], Group::Members, AFTER);
    let good = report(vec![vec![data.clone(), before.clone()]]);
    assert!(good.judgement.is_passed(), "{:?}", good.findings);
    let alone = report(vec![vec![before.clone()]]);
    assert!(alone.has(codes::XML_EVIDENCE_RENEWED_WITHOUT_DATA));
    assert!(alone.has(codes::XML_EVIDENCE_DATA_NOT_RENEWED));
    let without = report(vec![vec![data.clone()]]);
    assert!(without.has(codes::XML_EVIDENCE_CHAIN_LINK_BROKEN));
    // As RFC 4998 has it: the two digests together.
    let together = digest(SHA512, &[data.clone(), before.clone()].concat());
    let together = report(vec![vec![together]]);
    // Under another method than its own: comments stand in the record.
    let method = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
    let other = sequence(&chains, SHA512, method);
    let other = report(vec![vec![data.clone(), other]]);
    // In a later list instead of the first.
    let later = report(vec![vec![data], vec![before]]);
    for wrong in [alone, without, together, other, later] {
        assert_eq!(wrong.judgement.integrity(), Integrity::Broken);
    }
}

/// Even without data, a list that cannot hold any is told.
#[test]
fn a_new_chain_without_data_is_broken_whatever_the_data() {
    let before = sequence(&initial(DOCUMENT), SHA512, EXCLUSIVE);
    let record = renewed_over(vec![vec![before]]);
    let report = judge(&record, &[], Group::Members, AFTER);
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

#[test]
fn a_token_does_not_renew_itself() {
    let mut chains = initial(DOCUMENT);
    let again = chains[0].stamps[0].clone();
    chains[0].stamps.push(again);
    let report = judge(&write(&chains), &[&document()], Group::Members, STAMPED);
    assert!(report.has(codes::XML_EVIDENCE_TOKEN_REPEATED));
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}

#[test]
fn time_does_not_run_backwards() {
    let mut chains = initial(DOCUMENT);
    let covered = last_time_stamp(&chains, SHA256, C14N);
    let before = STAMPED - Duration::days(1);
    let stamp = Stamp::new(&first(), SHA256, vec![vec![covered]], before);
    chains[0].stamps.push(stamp);
    let report = judge(&write(&chains), &[&document()], Group::Members, STAMPED);
    assert!(report.has(codes::XML_EVIDENCE_ORDER_WRONG));
    assert!(!report.judgement.is_passed());
}

#[test]
fn a_chain_has_one_algorithm() {
    let mut chains = initial(DOCUMENT);
    let covered = last_time_stamp(&chains, SHA512, C14N);
    let stamp = Stamp::new(&second(), SHA512, vec![vec![covered]], RENEWED);
    chains[0].stamps.push(stamp);
    let report = judge(&write(&chains), &[&document()], Group::Members, AFTER);
    assert!(report.has(codes::XML_EVIDENCE_DIGEST_CONTRADICTS));
    assert_eq!(report.judgement.integrity(), Integrity::Broken);
}
