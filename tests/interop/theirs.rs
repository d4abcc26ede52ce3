//! What Bouncy Castle makes is judged by our verifier, and by EU DSS, which says whether a deviation is Bouncy Castle's or ours.

use std::path::{Path, PathBuf};

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::group_hash;
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord, PartialHashTree};
use formats::x509::AlgorithmIdentifier;
use tests::peers::{Peers, Question};
use tests::world::World;

use crate::evidence::{Evidence, JUDGES, Judge, Tampered, tampered};

/// The first authority ends before the records are judged. All lies in the past: Bouncy Castle renews by the clock of the machine.
const FIRST: (&str, [&str; 2]) = ("first", ["2010-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]);
/// The second lives on.
const SECOND: (&str, [&str; 2]) = ("second", ["2018-01-01T00:00:00Z", "2035-01-01T00:00:00Z"]);

/// An empty folder with documents, and two authorities of Bouncy Castle's make whose tokens carry what proves them unrevoked.
struct Place {
    world: World,
    peers: &'static Peers,
    trust: Vec<PathBuf>,
}

impl Place {
    fn make(left_out: &str) -> Option<Self> {
        let peers = Peers::found(left_out)?;
        let world = World::empty();
        for name in ["a", "b", "c", "d", "e"] {
            world.file(
                &format!("{name}.txt"),
                format!("document {name}\n").as_bytes(),
            );
        }
        let mut place = Self {
            world,
            peers,
            trust: Vec::new(),
        };
        for (name, life) in [FIRST, SECOND] {
            place.authority(name, "EC", life);
            place.trust.push(place.world.at(&format!("{name}.pem")));
        }
        Some(place)
    }

    /// Makes an authority and its root certificate, `name.pem`.
    fn authority(&self, name: &str, algorithm: &str, [from, to]: [&str; 2]) {
        let make = Question::new("authority")
            .with("name", &self.named(name))
            .with("algorithm", algorithm)
            .with("from", from)
            .with("to", to)
            .with("list", "in-tokens");
        let root = self.world.at(&format!("{name}.pem"));
        self.peers.order(&make.file("root", &root));
    }

    /// The peers serve all tests of this process, so each test's authorities have names of their own.
    fn named(&self, authority: &str) -> String {
        format!("{authority} of {}", self.world.path().display())
    }

    fn evidence(&self, record: &Path, data: &[&str], time: &str) -> Evidence {
        Evidence {
            record: record.to_path_buf(),
            data: data.iter().map(|name| self.world.at(name)).collect(),
            trust: self.trust.clone(),
            time: Some(time.to_owned()),
            policy: "default",
        }
    }

    /// A record of `a.txt` and `b.txt` beside others: after no renewal, and after each of several.
    fn records(&self) -> Vec<(&'static str, Evidence)> {
        let group = ["a.txt", "b.txt"];
        let mut records = Vec::new();
        let mut last = self.world.at("0.ers");
        let make = Question::new("bc-make-record")
            .with("authority", &self.named(FIRST.0))
            .with("digest", "SHA-256")
            .with("time", "2016-06-01T00:00:00Z");
        let make = self.files(make, "data", &group);
        let make = self.files(make, "beside", &["c.txt", "d.txt", "e.txt"]);
        self.peers.order(&make.file("out", &last));
        records.push(("new", self.evidence(&last, &group, "2019-12-31T00:00:00Z")));
        let steps = [
            ("time-stamp renewed once", "", "2019-06-01T00:00:00Z"),
            ("time-stamp renewed twice", "", "2020-06-01T00:00:00Z"),
            ("hash tree renewed", "SHA-384", "2021-06-01T00:00:00Z"),
            ("time-stamp renewed after that", "", "2022-06-01T00:00:00Z"),
            ("hash tree renewed again", "SHA-512", "2023-06-01T00:00:00Z"),
        ];
        for (number, (what, digest, time)) in (1..).zip(steps) {
            let next = self.world.at(&format!("{number}.ers"));
            let renew = if digest.is_empty() {
                Question::new("bc-renew-timestamp")
            } else {
                self.files(Question::new("bc-renew-hash"), "data", &group)
                    .with("digest", digest)
            };
            let renew = renew
                .with("authority", &self.named(SECOND.0))
                .with("time", time);
            self.peers
                .order(&renew.file("record", &last).file("out", &next));
            records.push((what, self.evidence(&next, &group, "2024-01-01T00:00:00Z")));
            last = next;
        }
        records
    }

    fn files(&self, question: Question, name: &str, files: &[&str]) -> Question {
        files.iter().fold(question, |question, file| {
            question.file(name, &self.world.at(file))
        })
    }

    /// A token over a digest by the second authority.
    fn token(&self, imprint: &DigestValue, time: &str) -> Vec<u8> {
        let out = self.world.at("token");
        let stamp = Question::new("stamp")
            .with("authority", &self.named(SECOND.0))
            .with("digest", "SHA-256")
            .with("imprint", &imprint.to_hex())
            .with("time", time);
        self.peers.order(&stamp.file("out", &out));
        std::fs::read(&out).expect("a token")
    }

    /// An archive time-stamp over these lists of hashes.
    fn stamp(
        &self,
        lists: Vec<Vec<DigestValue>>,
        root: &DigestValue,
        time: &str,
    ) -> ArchiveTimeStamp {
        let values = |list: Vec<DigestValue>| {
            PartialHashTree(list.iter().map(|value| value.as_bytes().to_vec()).collect())
        };
        ArchiveTimeStamp {
            digest_algorithm: Some(AlgorithmIdentifier::bare(SHA256.oid())),
            attributes: Vec::new(),
            reduced_hash_tree: Some(lists.into_iter().map(values).collect()),
            time_stamp: self.token(root, time),
        }
    }

    fn written(&self, name: &str, stamps: Vec<ArchiveTimeStamp>) -> PathBuf {
        let stamps = stamps
            .into_iter()
            .map(|stamp| stamp.into_raw().expect("a time-stamp"));
        let chain = ArchiveTimeStampChain::new(stamps.collect()).expect("a chain");
        let record = EvidenceRecord::new(vec![chain]).expect("a record");
        self.world.file(name, &record.encode().expect("a record"))
    }
}

const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;

#[test]
fn tokens_of_bouncy_castle_pass_and_changed_ones_do_not() {
    let Some(place) = Place::make("tokens of Bouncy Castle judged by the verifier") else {
        return;
    };
    let Place { world, peers, .. } = &place;
    for algorithm in ["EC", "RSA"] {
        place.authority(algorithm, algorithm, [FIRST.1[0], SECOND.1[1]]);
        for digest in ["SHA-256", "SHA-384", "SHA-512"] {
            let stamp = Question::new("stamp")
                .with("authority", &place.named(algorithm))
                .with("digest", digest)
                .file("data", &world.at("a.txt"));
            peers.order(&stamp.file("out", &world.at("t.tst")));
            let judge = |data: &str, trust: &str, code: i32| {
                let arguments = ["verify", "t.tst", "--data", data, "--trust", trust];
                let run = world.verifier(arguments);
                assert_eq!(run.code, code, "{algorithm} {digest}: {}", run.stdout);
            };
            let root = format!("{algorithm}.pem");
            judge("a.txt", &root, 0);
            judge("b.txt", &root, 1);
            judge("a.txt", "first.pem", 2);
        }
    }
}

#[test]
fn records_of_bouncy_castle_pass_after_each_renewal_and_changed_ones_do_not() {
    let Some(place) = Place::make("evidence records of Bouncy Castle judged by the verifier")
    else {
        return;
    };
    let records = place.records();
    let other = place.world.at("other.ers");
    let make = Question::new("bc-make-record")
        .with("authority", &place.named(FIRST.0))
        .with("digest", "SHA-256")
        .with("time", "2016-06-01T00:00:00Z");
    let make = place.files(make, "data", &["c.txt"]);
    place
        .peers
        .order(&place.files(make, "beside", &["d.txt"]).file("out", &other));
    let other = place.evidence(&other, &["c.txt"], "2019-12-31T00:00:00Z");
    other.expect_accepted("another record", place.peers);
    for (what, good) in &records {
        good.expect_accepted(what, place.peers);
        Evidence::expect_refused(&tampered(good, &other), place.peers);
    }
    let (_, first) = records.first().expect("a record");
    let too_late = Evidence {
        time: Some("2024-01-01T00:00:00Z".to_owned()),
        ..first.clone()
    };
    Evidence::expect_refused(
        &[Tampered {
            what: "not renewed, and the authority's certificate has ended".to_owned(),
            evidence: too_late,
            // It looks at the certificate at the time of the token only.
            blind: &[Judge::BouncyCastle],
        }],
        place.peers,
    );
}

/// RFC 4998 §4.3: the hash of a list joins the next list, and all are sorted and hashed together. Bouncy Castle hashes the values
/// of the next list first where they are two or more, so it computes another root than the RFC, EU DSS and we do.
#[test]
fn bouncy_castle_is_wrong_on_later_lists_of_two_values() {
    let Some(place) = Place::make("records that Bouncy Castle is wrong about") else {
        return;
    };
    let digest = |name: &str| SHA256.digest(&std::fs::read(place.world.at(name)).expect("a file"));
    let [a, b, c] = ["a.txt", "b.txt", "c.txt"].map(digest);
    let root = group_hash(SHA256, &[a.clone(), b.clone(), c.clone()]).expect("a hash");
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
        let stamp = place.stamp(vec![vec![covered.clone()]], &covered, &time);
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
