//! Evidence is renewed in time, in hash trees, on two tracks, and the verifier accepts what comes of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use archiver::evidence::calendar::gather;
use archiver::evidence::calendar::gather::JudgedBy;
use archiver::evidence::renew::{LeftOut, RenewError, RenewalAction};
use archiver::tsa::material::{Collected, MaterialSource};
use formats::digest::DigestAlgorithm;
use formats::evidence::EvidenceRecord;
use formats::id::BatchId;
use formats::segment::Frame;
use formats::tsp::TimeStampToken;
use support::years::{Years, single};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const START: OffsetDateTime = datetime!(2026-11-22 03:48:30.123 UTC);
const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const SHA512: DigestAlgorithm = DigestAlgorithm::Sha512;

fn shape(record: &[u8]) -> Vec<usize> {
    let record = EvidenceRecord::parse(record).unwrap();
    let lengths = record.sequence.iter().map(|chain| chain.time_stamps.len());
    lengths.collect()
}

#[test]
fn batches_of_any_size_are_renewed_in_any_order_and_outlive_their_first_certificate() {
    for count in [1, 2, 3, 5] {
        let mut years = Years::new(START);
        years.deposit(&single(count, 0));
        years.stamp(SHA256, usize::MAX);
        years.assert_all_pass(0, START + Duration::days(9 * 365));
        // The authority's certificate lives ten years; nine years on, another one renews.
        years.pass(9 * 365);
        years.world.client = years.authority("next");
        assert_eq!(years.renew_time_stamps(0), 1);
        let at = START + Duration::days(12 * 365);
        let records = years.assert_all_pass(0, at);
        assert!(records.iter().all(|record| shape(record) == [2]));
        let renewed = years.renew_hash_trees(0, SHA512);
        assert_eq!((renewed.versions, renewed.batches.len()), (count, 1));
        assert_eq!(renewed.batches[0].frame.leaf_count, count);
        let records = years.assert_all_pass(0, at);
        assert!(records.iter().all(|record| shape(record) == [2, 1]));
        years.pass(8 * 365);
        years.world.client = years.authority("third");
        assert_eq!(years.renew_time_stamps(0), 1);
        years.pass(30);
        assert_eq!(years.renew_time_stamps(0), 1);
        let records = years.assert_all_pass(0, START + Duration::days(23 * 365));
        assert!(records.iter().all(|record| shape(record) == [2, 3]));
        let years = years.rebuild();
        let again = years.assert_all_pass(0, START + Duration::days(23 * 365));
        assert_eq!(again, records);
    }
}

#[test]
fn without_renewal_evidence_ends_with_the_certificate() {
    let mut years = Years::new(START);
    let versions = years.deposit(&single(2, 0));
    years.stamp(SHA256, usize::MAX);
    let record = years.record(versions[0], 0).unwrap();
    let report = years.judge(versions[0], &record, START + Duration::days(11 * 365));
    assert!(!report.judgement.is_passed());
}

#[test]
fn many_leaves_stand_in_pages_and_are_renewed() {
    let mut years = Years::new(START);
    let versions = years.deposit(&single(4097, 0));
    years.stamp(SHA256, usize::MAX);
    years.pass(365);
    assert_eq!(years.renew_time_stamps(0), 1);
    let renewed = years.renew_hash_trees(0, SHA512);
    assert_eq!(renewed.versions, 4097);
    assert_eq!(renewed.batches[0].frame.leaf_pages.len(), 2);
    years.pass(365);
    assert_eq!(years.renew_time_stamps(0), 1);
    for version in [0, 1, 4094, 4095, 4096].map(|place: usize| versions[place]) {
        let record = years.record(version, 0).unwrap();
        let report = years.judge(version, &record, years.now());
        assert!(report.judgement.is_passed(), "{:#?}", report.findings);
        assert_eq!(shape(&record), [2, 2]);
    }
}

#[test]
fn one_token_renews_many_chains_and_one_tree_takes_versions_of_many() {
    let mut years = Years::new(START);
    for day in 0..5 {
        years.deposit(&single(3, day));
        years.stamp(SHA256, 2);
        years.pass(30);
    }
    assert_eq!(years.heads(0, SHA256).len(), 10);
    assert_eq!(years.renew_time_stamps(0), 1);
    years.pass(30);
    years.deposit(&single(4, 99));
    years.stamp(SHA512, usize::MAX);
    years.options.leaves_max = 6;
    let renewed = years.renew_hash_trees(0, SHA512);
    assert_eq!((renewed.versions, renewed.batches.len()), (15, 3));
    assert_eq!(years.heads(0, SHA256), []);
    assert_eq!(years.heads(0, SHA512).len(), 4);
    years.options.leaves_max = 3;
    // Four chains, three leaves at most under a token.
    assert_eq!(years.renew_time_stamps(0), 2);
    years.assert_all_pass(0, years.now());
}

#[test]
fn groups_of_several_contents_and_equal_contents_are_renewed() {
    let mut years = Years::new(START);
    let same = b"the same".to_vec();
    years.deposit(&[
        vec![b"a".to_vec(), b"b".to_vec(), Vec::new()],
        vec![same.clone(), same.clone(), same.clone()],
        vec![same.clone()],
        vec![same],
    ]);
    years.stamp(SHA256, usize::MAX);
    years.renew_hash_trees(0, SHA512);
    years.renew_time_stamps(0);
    let renewed = years.renew_hash_trees(0, SHA256);
    assert_eq!(renewed.versions, 4);
    let records = years.assert_all_pass(0, years.now());
    assert!(records.iter().all(|record| shape(record) == [1, 2, 1]));
}

#[test]
fn two_authorities_give_two_records() {
    let mut years = Years::new(START);
    years.deposit(&single(3, 0));
    years.stamp(SHA256, usize::MAX);
    // The second authority comes later; it catches up over the stored tree.
    let second = years.authority("second");
    years.second = Some(second);
    let missing = archiver::evidence::batch::missing_second(&years.world.catalog).unwrap();
    assert_eq!(missing.len(), 1);
    catch_up(&years);
    years.deposit(&single(2, 1));
    years.stamp(SHA256, usize::MAX);
    let missing = archiver::evidence::batch::missing_second(&years.world.catalog).unwrap();
    assert!(missing.is_empty());
    assert_eq!(years.assert_all_pass(0, years.now()).len(), 5);
    assert_eq!(years.assert_all_pass(1, years.now()).len(), 5);
    // Each track is renewed by itself.
    years.renew_time_stamps(1);
    years.renew_hash_trees(0, SHA512);
    years.renew_time_stamps(1);
    let first = years.assert_all_pass(0, years.now());
    let second = years.assert_all_pass(1, years.now());
    assert!(first.iter().all(|record| shape(record) == [1, 1]));
    assert!(second.iter().all(|record| shape(record) == [3]));
    for version in years.groups.keys() {
        let (exported, package) = years.world.export(*version, years.now()).unwrap();
        assert!(exported.judgement.is_passed());
        let reader = formats::asic::AsicReader::open(&package).unwrap();
        assert!(reader.entry("META-INF/evidencerecord-2.ers").is_some());
        let audit = reader.entry("META-INF/fumikura/audit.json").unwrap();
        let audit: serde_json::Value = serde_json::from_slice(&audit.read().unwrap()).unwrap();
        let events = audit["events"].as_array().unwrap();
        let count = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
        assert_eq!((count("stamped"), count("renewed")), (2, 3));
    }
    let years = years.rebuild();
    assert_eq!(years.assert_all_pass(0, years.now()), first);
    assert_eq!(years.assert_all_pass(1, years.now()), second);
}

fn catch_up(years: &Years) {
    let world = &years.world;
    let appender = world.store.appender().unwrap();
    let maker = archiver::evidence::batch::BatchMaker {
        authority: &world.client,
        second: years
            .second
            .as_ref()
            .map(|second| -> &dyn archiver::tsa::client::Timestamper { second }),
        log: &appender,
        clock: world.clock.as_ref(),
        entropy: world.entropy.as_ref(),
    };
    for batch in archiver::evidence::batch::missing_second(&world.catalog).unwrap() {
        let made = maker.catch_up(&world.store, &batch).unwrap();
        assert_eq!(made.frame.tree, batch.batch);
        made.apply(&world.catalog).unwrap();
    }
}

/// Material for a token of this time.
#[derive(Debug)]
struct Given(Vec<u8>, OffsetDateTime);

impl MaterialSource for Given {
    fn collect(&self, _: &[Vec<u8>], _: &[Vec<u8>], made: OffsetDateTime) -> Collected {
        assert_eq!(made, self.1, "the time that the token states");
        Collected {
            certificates: vec![self.0.clone()],
            ..Collected::default()
        }
    }
}

fn gen_time(token: &[u8]) -> OffsetDateTime {
    TimeStampToken::parse(token).unwrap().info.gen_time
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn material_joins_the_token_until_a_renewal_freezes_it() {
    let mut years = Years::new(START);
    let version = years.deposit(&single(2, 0))[0];
    let stamped = years.stamp(SHA256, usize::MAX).remove(0).frame;
    let (head, made) = (stamped.batch, gen_time(&stamped.token));
    let certificate = |years: &Years, name: &str| {
        let entropy = years.world.entropy.as_ref();
        let made = archiver::tsa::embedded::AuthorityMaterial::make(name, START, entropy);
        made.unwrap().root
    };
    let (early, late) = (certificate(&years, "early"), certificate(&years, "late"));
    let action = RenewalAction::Material {
        batches: vec![head],
    };
    years.material = Arc::new(Given(early.clone(), made));
    assert_eq!(years.run(&action).materials, 1);
    // What is there already is not written again.
    assert_eq!(years.run(&action).materials, 0);
    let record = years.record(version, 0).unwrap();
    assert!(contains(&record, &early));
    years.assert_all_pass(0, years.now());
    // What is stored stays the token that the authority sent, as programs like `openssl ts` read it.
    let entry = years.world.catalog.batch(head).unwrap().unwrap();
    let Frame::ArchiveTimeStamp(stored) = years.world.store.read(entry.address).unwrap() else {
        panic!("a frame of another kind");
    };
    assert_eq!(stored.token, stamped.token);
    assert!(!contains(&stored.token, &early));
    assert!(!contains(&record, &stored.token));

    years.renew_time_stamps(0);
    years.material = Arc::new(Given(late.clone(), made));
    let left = years.run(&action);
    assert!(matches!(left.chains_left[..], [(_, LeftOut::NotLive)]));
    let newest = years.world.catalog.head(head).unwrap().unwrap().newest();
    let address = years.world.catalog.batch(newest).unwrap().unwrap().address;
    let Frame::ArchiveTimeStamp(renewal) = years.world.store.read(address).unwrap() else {
        panic!("a frame of another kind");
    };
    years.material = Arc::new(Given(late.clone(), gen_time(&renewal.token)));
    let action = RenewalAction::Material {
        batches: vec![newest],
    };
    assert_eq!(years.run(&action).materials, 1);
    years.renew_hash_trees(0, SHA512);
    let records = years.assert_all_pass(0, years.now());
    assert!(contains(&records[0], &early) && contains(&records[0], &late));
    let years = years.rebuild();
    assert_eq!(years.assert_all_pass(0, years.now()), records);
}

#[derive(Debug)]
struct Asked(Given, Arc<std::sync::Mutex<Vec<OffsetDateTime>>>);

impl MaterialSource for Asked {
    fn collect(&self, own: &[Vec<u8>], anchors: &[Vec<u8>], moment: OffsetDateTime) -> Collected {
        self.1.lock().unwrap().push(moment);
        self.0.collect(own, anchors, moment)
    }
}

#[test]
fn one_question_serves_all_tokens_of_an_authority_and_the_newest_asks() {
    let mut years = Years::new(START);
    let (mut batches, mut times) = (Vec::new(), Vec::new());
    for day in 0..3 {
        years.deposit(&single(1, day));
        for made in years.stamp(SHA256, usize::MAX) {
            batches.push(made.frame.batch);
            times.push(gen_time(&made.frame.token));
        }
        years.pass(1);
    }
    let entropy = years.world.entropy.as_ref();
    let other = archiver::tsa::embedded::AuthorityMaterial::make("other", START, entropy)
        .unwrap()
        .root;
    let asked = Arc::<std::sync::Mutex<Vec<OffsetDateTime>>>::default();
    years.material = Arc::new(Asked(Given(other, times[2]), Arc::clone(&asked)));
    let missing = BatchId::new(1, &[9; 10]);
    let mut named = batches.clone();
    named.push(missing);
    let done = years.run(&RenewalAction::Material { batches: named });
    assert_eq!(done.materials, 3);
    assert!(matches!(done.chains_left[..], [(left, LeftOut::NotInPlan)] if left == missing));
    assert_eq!(*asked.lock().unwrap(), times[2..]);
    years.assert_all_pass(0, years.now());
}

#[test]
fn the_facts_of_many_tokens_are_those_of_each() {
    let mut years = Years::new(START);
    let mut stamped = Vec::new();
    for day in 0..20 {
        years.deposit(&single(1, day));
        stamped.extend(years.stamp(SHA256, usize::MAX));
        years.pass(1);
    }
    let world = &years.world;
    let policy = verifier::policy::Policy::default();
    let by = JudgedBy {
        anchors: &world.anchors,
        policy: &policy,
        now: years.now(),
    };
    let chains = gather(&world.catalog, &world.store, by).unwrap();
    assert_eq!(chains.len(), stamped.len());
    for (chain, made) in chains.iter().zip(&stamped) {
        assert_eq!(chain.head, made.frame.batch, "oldest first");
        assert_eq!(chain.newest.stamped_at, made.frame.stamped_at);
        assert_eq!(
            (&chain.newest.doubt, &chain.newest.lacks[..]),
            (&None, &[][..])
        );
        assert!(chain.newest.first_end().unwrap().at > by.now);
    }
    // Without the root each is doubtful by itself.
    let by = JudgedBy { anchors: &[], ..by };
    let chains = gather(&world.catalog, &world.store, by).unwrap();
    assert!(chains.iter().all(|chain| chain.newest.doubt.is_some()));
}

#[test]
fn a_third_function_needs_a_re_hash_which_goes_on_where_it_stopped() {
    let mut years = Years::new(START);
    let to = DigestAlgorithm::Sha3_256;
    years.deposit(&[
        vec![b"a".to_vec(), b"b".to_vec()],
        vec![b"c".to_vec()],
        vec![vec![7; 3_000_000]],
    ]);
    years.stamp(SHA256, usize::MAX);
    let left = years.renew_hash_trees(0, to);
    assert_eq!(left.versions_left.len(), 3);
    assert!(
        left.versions_left
            .iter()
            .all(|(_, why)| matches!(why, LeftOut::NoDigests))
    );
    assert!(left.batches.is_empty());
    years.assert_all_pass(0, years.now());

    let action = RenewalAction::ReHash {
        algorithm: to,
        versions: 3,
    };
    years.options.re_hash_versions_max = Some(2);
    let first = years.run(&action);
    assert_eq!((first.versions, first.is_partial), (2, true));
    let second = years.run(&action);
    assert_eq!((second.versions, second.is_partial), (1, false));
    assert_eq!(years.run(&action).versions, 0);
    let renewed = years.renew_hash_trees(0, to);
    assert_eq!(renewed.versions, 3);
    let years = years.rebuild();
    years.renew_hash_trees(0, SHA512);
    let records = years.assert_all_pass(0, years.now());
    assert!(records.iter().all(|record| shape(record) == [1, 1, 1]));
    for version in years.groups.keys() {
        let (exported, _) = years.world.export(*version, years.now()).unwrap();
        assert!(exported.judgement.is_passed(), "{:?}", exported.judgement);
    }
    let (_, summary) = years.world.verify(
        years.now(),
        archiver::evidence::verify_records::Period::default(),
    );
    assert_eq!(summary.passed, 3);
}

#[test]
fn a_version_keeps_its_chain_as_it_was_when_it_left_it() {
    let mut years = Years::new(START);
    let versions = years.deposit(&single(4, 0));
    years.stamp(SHA256, usize::MAX);
    years.renew_time_stamps(0);
    // Only those versions whose key is there can move on.
    let head = years.heads(0, SHA256);
    years.options.leaves_max = 2;
    let action = RenewalAction::HashTree {
        track: 0,
        from: SHA256,
        to: SHA512,
        heads: head.clone(),
    };
    // The authority answers once, and then no more: two versions move on, two stay.
    let once = support::years::Once::new(&years.world.client);
    let failed = years.run_with(&once, &action);
    assert!(matches!(failed, Err(RenewError::Stamp(_))), "{failed:?}");
    assert_eq!(years.heads(0, SHA512).len(), 1);
    years.assert_all_pass(0, years.now());
    // The old chain goes on for those that stayed; for the others it ended.
    years.renew_time_stamps(0);
    let shapes: Vec<_> = versions
        .iter()
        .map(|version| shape(&years.record(*version, 0).unwrap()))
        .collect();
    assert_eq!(shapes, [vec![2, 2], vec![2, 2], vec![3], vec![3]]);
    years.assert_all_pass(0, years.now());
    // The action again takes the rest.
    let rest = years.run(&action);
    assert_eq!(rest.versions, 2);
    let records = years.assert_all_pass(0, years.now());
    let years = years.rebuild();
    assert_eq!(years.assert_all_pass(0, years.now()), records);
}

#[test]
fn old_plans_and_failing_authorities_change_nothing() {
    let mut years = Years::new(START);
    years.deposit(&single(2, 0));
    let head = years.stamp(SHA256, usize::MAX)[0].frame.batch;
    let records = years.assert_all_pass(0, years.now());
    let wrong = [
        (0, SHA512, head),
        (1, SHA256, head),
        (0, SHA256, BatchId::from_bytes([1; 16])),
    ];
    for (track, algorithm, head) in wrong {
        let renewed = years.run(&RenewalAction::TimeStamp {
            track,
            algorithm,
            heads: vec![head],
        });
        assert!(renewed.batches.is_empty());
        assert!(matches!(renewed.chains_left[..], [(_, LeftOut::NotInPlan)]));
    }
    let never = support::years::Once::never(&years.world.client);
    for action in [
        RenewalAction::TimeStamp {
            track: 0,
            algorithm: SHA256,
            heads: vec![head],
        },
        RenewalAction::HashTree {
            track: 0,
            from: SHA256,
            to: SHA512,
            heads: vec![head],
        },
    ] {
        assert!(years.run_with(&never, &action).is_err());
        assert_eq!(years.assert_all_pass(0, years.now()), records);
    }
    // A token that is older than what it renews would break the chain.
    years.world.clock.set(START - Duration::minutes(30));
    let action = RenewalAction::TimeStamp {
        track: 0,
        algorithm: SHA256,
        heads: vec![head],
    };
    let refused = years.run_with(&years.world.client, &action);
    assert!(
        matches!(refused, Err(RenewError::TimeRunsBack { .. })),
        "{refused:?}"
    );
    years.world.clock.set(START);
    assert_eq!(years.assert_all_pass(0, years.now()), records);
}
