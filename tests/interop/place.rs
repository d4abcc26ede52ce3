//! A folder with documents and two authorities of Bouncy Castle's make, and what is made there.

use std::path::{Path, PathBuf};

use formats::digest::DigestValue;
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord, PartialHashTree};
use formats::raw::Raw;
use formats::x509::AlgorithmIdentifier;
use tests::peers::{Peers, Question};
use tests::world::World;

use crate::evidence::Evidence;

/// The first authority ends before the records are judged. All lies in the past: Bouncy Castle renews by the clock of the machine.
pub(crate) const FIRST: (&str, [&str; 2]) =
    ("first", ["2010-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]);
/// The second lives on.
pub(crate) const SECOND: (&str, [&str; 2]) =
    ("second", ["2018-01-01T00:00:00Z", "2035-01-01T00:00:00Z"]);

/// An empty folder with documents, and two authorities of Bouncy Castle's make whose tokens carry what proves them unrevoked.
pub(crate) struct Place {
    pub(crate) world: World,
    pub(crate) peers: &'static Peers,
    pub(crate) trust: Vec<PathBuf>,
}

impl Place {
    pub(crate) fn make(left_out: &str) -> Option<Self> {
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
    pub(crate) fn authority(&self, name: &str, algorithm: &str, [from, to]: [&str; 2]) {
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
    pub(crate) fn named(&self, authority: &str) -> String {
        format!("{authority} of {}", self.world.path().display())
    }

    pub(crate) fn evidence(&self, record: &Path, data: &[&str], time: &str) -> Evidence {
        Evidence {
            record: record.to_path_buf(),
            data: data.iter().map(|name| self.world.at(name)).collect(),
            trust: self.trust.clone(),
            time: Some(time.to_owned()),
            policy: "default",
        }
    }

    /// A record of `a.txt` and `b.txt` beside others: after no renewal, and after each of several.
    pub(crate) fn records(&self) -> Vec<(&'static str, Evidence)> {
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

    pub(crate) fn files(&self, question: Question, name: &str, files: &[&str]) -> Question {
        files.iter().fold(question, |question, file| {
            question.file(name, &self.world.at(file))
        })
    }

    /// A token over a digest by the second authority.
    pub(crate) fn token(&self, imprint: &DigestValue, time: &str) -> Vec<u8> {
        let out = self.world.at("token");
        let stamp = Question::new("stamp")
            .with("authority", &self.named(SECOND.0))
            .with(
                "digest",
                if imprint.as_bytes().len() == 32 {
                    "SHA-256"
                } else {
                    "SHA-512"
                },
            )
            .with("imprint", &imprint.to_hex())
            .with("time", time);
        self.peers.order(&stamp.file("out", &out));
        std::fs::read(&out).expect("a token")
    }

    /// An archive time-stamp over these lists of hashes.
    pub(crate) fn stamp(
        &self,
        lists: Vec<Vec<DigestValue>>,
        root: &DigestValue,
        time: &str,
    ) -> ArchiveTimeStamp {
        let values = |list: Vec<DigestValue>| {
            PartialHashTree(list.iter().map(|value| value.as_bytes().to_vec()).collect())
        };
        ArchiveTimeStamp {
            digest_algorithm: Some(AlgorithmIdentifier::bare(root.algorithm().oid())),
            attributes: Vec::new(),
            reduced_hash_tree: Some(lists.into_iter().map(values).collect()),
            time_stamp: self.token(root, time),
        }
    }

    pub(crate) fn written(&self, name: &str, stamps: Vec<ArchiveTimeStamp>) -> PathBuf {
        let chain = self.chain(stamps);
        let record = EvidenceRecord::new(vec![chain]).expect("a record");
        self.world.file(name, &record.encode().expect("a record"))
    }

    pub(crate) fn chain(&self, stamps: Vec<ArchiveTimeStamp>) -> Raw<ArchiveTimeStampChain> {
        let stamps = stamps.into_iter();
        let stamps = stamps.map(|stamp| stamp.into_raw().expect("a time-stamp"));
        ArchiveTimeStampChain::new(stamps.collect()).expect("a chain")
    }
}
