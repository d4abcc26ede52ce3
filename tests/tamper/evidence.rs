//! Packages, evidence records, tokens and what they cover: no bit can be changed and still pass.

use std::borrow::Cow;
use std::ops::Range;

use firmware::clock::{Clock, SystemClock};
use formats::asic::AsicReader;
use formats::evidence::EvidenceRecord;
use formats::evidence::hash_tree::root_of;
use formats::package::{EVIDENCE_RECORD, MANIFEST};
use formats::x509::read_certificates;
use tests::flips::flip_each;
use tests::random::Random;
use tests::world::World;
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::judge::verify;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::report::Report;
use verifier::source::{DataBytes, DigestSource, InputFile, KnownDigests};

const SEED: u64 = 0x7461_6d70;
/// How many bits are tried in the contents of a package, which are large and alike.
const CONTENT_BITS: usize = 4000;
/// How many bits are tried in a covered data object.
const DATA_BITS: usize = 400;

/// What an outsider gets, taken apart.
struct Handover {
    package: Vec<u8>,
    record: Vec<u8>,
    token: Vec<u8>,
    /// What the evidence record covers: the manifest and the document.
    members: [Vec<u8>; 2],
    /// What the token covers.
    root: KnownDigests,
    anchors: Vec<TrustAnchor>,
    now: OffsetDateTime,
}

impl Handover {
    /// Nine records under one timestamp, so that the way from a record to the root has siblings.
    fn make() -> Self {
        let world = World::new();
        for number in 0..9 {
            let text = format!("document {number}\n").repeat(40);
            world.file(&format!("in/{number}.txt"), text.as_bytes());
        }
        let deposit = ["deposit", "in", "--class", "general"];
        world.archiver(deposit).expect_code(0);
        world.archiver(["stamp"]).expect_code(0);
        let hits = world.archiver(["search", "--text", "4.txt", "--json"]);
        let record = hits.expect_code(0).json()[0]["record"].clone();
        let record = record.as_str().expect("a record id");
        let evidence = [
            "evidence",
            record,
            "-o",
            "e.asice",
            "--trust-anchors",
            "a.pem",
        ];
        world.archiver(evidence).expect_code(0);
        let package = std::fs::read(world.at("e.asice")).expect("a package");
        let anchors = std::fs::read(world.at("a.pem")).expect("trust anchors");
        Self::take_apart(package, &anchors)
    }

    fn take_apart(package: Vec<u8>, anchors: &[u8]) -> Self {
        let reader = AsicReader::open(&package).expect("a container");
        let member = |name: &str| {
            let entry = reader.entry(name).expect(name);
            entry.read().expect(name).into_owned()
        };
        let record = member(EVIDENCE_RECORD);
        let members = [member(MANIFEST), member("documents/in/4.txt")];
        let parsed = EvidenceRecord::parse(&record).expect("an evidence record");
        let (_, _, stamp) = parsed.time_stamps().next().expect("a timestamp");
        let token = stamp.time_stamp.clone();
        let tree = stamp.reduced_hash_tree.as_deref().expect("a hash tree");
        let imprint = &stamp.token().expect("a token").info.imprint;
        let algorithm = imprint.algorithm.digest_algorithm().expect("an algorithm");
        let root = root_of(algorithm, tree).expect("a root");
        let anchors = read_certificates(anchors).expect("certificates");
        let anchors = anchors.iter().map(|certificate| {
            TrustAnchor::from_certificate(certificate.raw()).expect("a trust anchor")
        });
        Self {
            record,
            token,
            members,
            root: KnownDigests::stated("root", vec![root]),
            anchors: anchors.collect(),
            now: SystemClock.now(),
            package,
        }
    }

    fn judge(&self, name: &str, bytes: &[u8], data: &[&dyn DigestSource]) -> Report {
        let policy = Policy::default();
        let context = Context {
            anchors: &self.anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy: &policy,
            time: self.now,
            cache: None,
            registry: None,
        };
        verify(&[InputFile::new(name, bytes)], data, &context)
    }

    fn judge_package(&self, bytes: &[u8]) -> Report {
        self.judge("e.asice", bytes, &[])
    }

    fn judge_record(&self, bytes: &[u8], members: &[Vec<u8>]) -> Report {
        let members: Vec<DataBytes<'_>> = members
            .iter()
            .map(|member| DataBytes::new("member", member.as_slice()))
            .collect();
        let sources: Vec<&dyn DigestSource> = members.iter().map(|m| m as _).collect();
        self.judge("e.ers", bytes, &sources)
    }

    fn judge_token(&self, bytes: &[u8]) -> Report {
        self.judge("t.tst", bytes, &[&self.root])
    }
}

#[test]
fn no_bit_of_what_was_handed_over_can_be_changed() {
    let handover = Handover::make();
    let Handover {
        package,
        record,
        token,
        members,
        ..
    } = &handover;
    flip_each("token", token, &all_bits(0..token.len()), |bytes| {
        handover.judge_token(bytes)
    });
    flip_each(
        "evidence record",
        record,
        &all_bits(0..record.len()),
        |bytes| handover.judge_record(bytes, members),
    );
    flip_each("package", package, &bits_of_package(package), |bytes| {
        handover.judge_package(bytes)
    });
    for (number, member) in members.iter().enumerate() {
        let bits = some_bits(0..member.len(), DATA_BITS);
        flip_each("covered data", member, &bits, |bytes| {
            let mut members = members.clone();
            members[number] = bytes.to_vec();
            handover.judge_record(record, &members)
        });
    }
}

fn all_bits(bytes: Range<usize>) -> Vec<usize> {
    (bytes.start * 8..bytes.end * 8).collect()
}

/// So many bits, chosen by the seed, of these bytes.
fn some_bits(bytes: impl Iterator<Item = usize>, count: usize) -> Vec<usize> {
    let mut random = Random::new(SEED);
    let bytes: Vec<usize> = bytes.collect();
    let mut choose = |end: usize| usize::try_from(random.below(end as u64)).expect("small");
    (0..count)
        .map(|_| bytes[choose(bytes.len())] * 8 + choose(8))
        .collect()
}

/// Every bit of the container's structure, and some of the contents.
fn bits_of_package(package: &[u8]) -> Vec<usize> {
    let reader = AsicReader::open(package).expect("a container");
    let mut contents: Vec<Range<usize>> = reader
        .entries()
        .iter()
        .map(|entry| match entry.read().expect("content") {
            Cow::Borrowed(content) => {
                let start = content.as_ptr().addr() - package.as_ptr().addr();
                start..start + content.len()
            }
            Cow::Owned(_) => panic!("{}: members are stored as they are", entry.name()),
        })
        .collect();
    contents.sort_by_key(|range| range.start);
    let mut bits = some_bits(contents.iter().cloned().flatten(), CONTENT_BITS);
    let mut from = 0;
    for content in contents {
        bits.extend(all_bits(from..content.start));
        from = content.end;
    }
    bits.extend(all_bits(from..package.len()));
    bits
}
