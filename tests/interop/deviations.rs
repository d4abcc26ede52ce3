//! Where judges read RFC 4998 in different ways, or could: EU DSS and our verifier agree, Bouncy Castle is wrong in two places.

use formats::cms::SignedData;
use formats::digest::DigestAlgorithm;
use formats::evidence::EvidenceRecord;
use formats::evidence::hash_tree::group_hash;

use crate::evidence::{Evidence, JUDGES, Judge};
use crate::place::Place;

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const SHA512: DigestAlgorithm = DigestAlgorithm::Sha512;

/// RFC 4998 §4.3: the hash of a list joins the next list, and all are sorted and hashed together. Bouncy Castle hashes the values
/// of the next list first where they are two or more, so it computes another root than the RFC, EU DSS and we do.
#[test]
fn bouncy_castle_is_wrong_on_later_lists_of_two_values() {
    let Some(place) = Place::make("records that Bouncy Castle is wrong about") else {
        return;
    };
    let digest = |name: &str| SHA256.digest(&std::fs::read(place.world.at(name)).expect("a file"));
    let [a, b, c] = ["a.txt", "b.txt", "c.txt"].map(digest);
    let root = group_hash(SHA256, &[a, b, c]).expect("a hash");
    let stamp = place.stamp(vec![vec![a], vec![b, c]], &root, "2019-01-01T00:00:00Z");
    let record = place.written("two.ers", vec![stamp]);
    let evidence = place.evidence(&record, &["a.txt"], "2024-01-01T00:00:00Z");
    for judge in JUDGES {
        let said = evidence.said_by(judge, place.peers);
        assert_eq!(
            said.accepted,
            judge != Judge::BouncyCastle,
            "{judge:?}: {}",
            said.text
        );
    }
    let said = evidence.said_by(Judge::BouncyCastle, place.peers);
    assert!(
        said.text.contains("timestamp hash does not match root"),
        "{}",
        said.text
    );
}

/// RFC 4998 §5.3 asks that a renewal contain the hash of the time-stamp before it. Bouncy Castle asks for all before it, and so
/// refuses a third time-stamp that covers the second alone. We write all and accept both.
#[test]
fn bouncy_castle_asks_a_renewal_for_all_earlier_tokens() {
    let Some(place) = Place::make("renewals that Bouncy Castle asks too much of") else {
        return;
    };
    let document = std::fs::read(place.world.at("a.txt")).expect("a file");
    let mut stamps = Vec::new();
    let mut covered = SHA256.digest(&document);
    for year in ["2019", "2020", "2021"] {
        let time = format!("{year}-01-01T00:00:00Z");
        let stamp = place.stamp(vec![vec![covered]], &covered, &time);
        covered = SHA256.digest(&stamp.time_stamp);
        stamps.push(stamp);
    }
    let two = place.written("two.ers", stamps[..2].to_vec());
    let two = place.evidence(&two, &["a.txt"], "2024-01-01T00:00:00Z");
    two.expect_accepted("one predecessor", place.peers);
    let three = place.written("three.ers", stamps);
    let three = place.evidence(&three, &["a.txt"], "2024-01-01T00:00:00Z");
    for judge in JUDGES {
        let said = three.said_by(judge, place.peers);
        assert_eq!(
            said.accepted,
            judge != Judge::BouncyCastle,
            "{judge:?}: {}",
            said.text
        );
    }
}

/// DER sorts the members of a set, and many authorities do not: a renewal covers the bytes as they are. All judges do so, and so do we.
#[test]
fn a_renewal_covers_unsorted_certificates_as_they_are() {
    let Some(place) = Place::make("renewals of tokens with unsorted certificates") else {
        return;
    };
    let document = std::fs::read(place.world.at("a.txt")).expect("a file");
    let covered = SHA256.digest(&document);
    let mut first = place.stamp(vec![vec![covered]], &covered, "2019-01-01T00:00:00Z");
    let mut orders = Vec::new();
    for _ in 0..2 {
        first.time_stamp = swapped(&first.time_stamp);
        orders.push(certificates(&first.time_stamp).is_sorted());
        let digest = SHA256.digest(&first.time_stamp);
        let second = place.stamp(vec![vec![digest]], &digest, "2020-01-01T00:00:00Z");
        let chain = place.chain(vec![first.clone(), second]);
        let renewed = EvidenceRecord::new(vec![chain]).expect("a record");
        judged(&place, &renewed).expect_accepted("time-stamp renewed", place.peers);

        let chain = place.chain(vec![first.clone()]);
        let old = EvidenceRecord::new(vec![chain.clone()]).expect("a record");
        let sequence = SHA512.digest(&old.sequence_bytes(1));
        let both = [SHA512.digest(&document).as_bytes(), sequence.as_bytes()].concat();
        let leaf = SHA512.digest(&both);
        let next = place.stamp(vec![vec![leaf]], &leaf, "2020-01-01T00:00:00Z");
        let chains = vec![chain, place.chain(vec![next])];
        let renewed = EvidenceRecord::new(chains).expect("a record");
        judged(&place, &renewed).expect_accepted("hash tree renewed", place.peers);
    }
    orders.sort_unstable();
    assert_eq!(orders, [false, true], "both orders were tried");
}

fn judged(place: &Place, record: &EvidenceRecord) -> Evidence {
    let record = place
        .world
        .file("renewed.ers", &record.encode().expect("a record"));
    place.evidence(&record, &["a.txt"], "2024-01-01T00:00:00Z")
}

fn certificates(token: &[u8]) -> Vec<Vec<u8>> {
    let token = SignedData::parse(token).expect("a token");
    token.x509_certificates().map(<[u8]>::to_vec).collect()
}

/// The token with its two certificates in the other order.
fn swapped(token: &[u8]) -> Vec<u8> {
    let [a, b] = certificates(token).try_into().expect("two certificates");
    let together = [a.as_slice(), b.as_slice()].concat();
    let at = token
        .windows(together.len())
        .position(|w| w == together)
        .expect("adjacent");
    let mut token = token.to_vec();
    token[at..at + together.len()].copy_from_slice(&[b, a].concat());
    token
}
