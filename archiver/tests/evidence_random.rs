//! Whatever the order of stamps and renewals is, the verifier passes what comes of it; and refuses what was changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use archiver::evidence::assemble::{AssembleError, EvidenceAssembler};
use archiver::evidence::log::FrameSource;
use archiver::evidence::renew::{LeftOut, RenewalAction};
use archiver::store::StoreError;
use archiver::store::catalog::BatchEntry;
use formats::digest::DigestAlgorithm;
use formats::id::VersionId;
use formats::segment::{ArchiveTimeStamp, Frame, FrameAddress};
use proptest::prelude::*;
use support::years::{Years, single};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const START: OffsetDateTime = datetime!(2026-11-22 03:48:30.123 UTC);
const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const SHA512: DigestAlgorithm = DigestAlgorithm::Sha512;

#[derive(Debug, Clone, Copy)]
enum Act {
    Deposit(u64),
    Stamp(DigestAlgorithm),
    TimeStamp(u8),
    HashTree(u8, DigestAlgorithm),
    SecondAuthority,
    Rebuild,
}

fn act() -> impl Strategy<Value = Act> {
    let algorithm = || prop_oneof![Just(SHA256), Just(SHA512)];
    prop_oneof![
        3 => (1_u64..4).prop_map(Act::Deposit),
        3 => algorithm().prop_map(Act::Stamp),
        3 => (0_u8..2).prop_map(Act::TimeStamp),
        2 => (0_u8..2, algorithm()).prop_map(|(track, to)| Act::HashTree(track, to)),
        1 => Just(Act::SecondAuthority),
        1 => Just(Act::Rebuild),
    ]
}

fn carry_out(mut years: Years, number: u64, act: Act) -> Years {
    match act {
        Act::Deposit(count) => {
            years.deposit(&single(count, number));
        }
        Act::Stamp(algorithm) => {
            years.stamp(algorithm, 2);
        }
        Act::TimeStamp(track) => {
            years.renew_time_stamps(track);
        }
        Act::HashTree(track, to) => {
            assert!(years.renew_hash_trees(track, to).is_whole());
        }
        Act::SecondAuthority => {
            if years.second.is_none() {
                let second = years.authority("second");
                years.second = Some(second);
            }
        }
        Act::Rebuild => years = years.rebuild(),
    }
    years.pass(60);
    years
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_stamps_and_renewals_passes(acts in proptest::collection::vec(act(), 1..14)) {
        let mut years = Years::new(START);
        years.deposit(&single(2, 1000));
        years.stamp(SHA256, 2);
        for (number, act) in (0..).zip(&acts) {
            years = carry_out(years, number, *act);
        }
        // Before the first certificates end, others renew; afterwards everything still passes.
        years.world.clock.set(START + Duration::days(9 * 365));
        years.world.client = years.authority("next");
        if years.second.is_some() {
            let second = years.authority("next second");
            years.second = Some(second);
        }
        for track in [0, 1] {
            years.renew_time_stamps(track);
        }
        let late = START + Duration::days(15 * 365);
        let records = [0, 1].map(|track| years.assert_all_pass(track, late));
        let years = years.rebuild();
        prop_assert_eq!(records, [0, 1].map(|track| years.assert_all_pass(track, late)));
    }
}

/// The frames of an archive, some of which are others.
struct Bent<'a> {
    inner: &'a dyn FrameSource,
    bent: Vec<(FrameAddress, Frame)>,
}

impl FrameSource for Bent<'_> {
    fn read(&self, address: FrameAddress) -> Result<Frame, StoreError> {
        let bent = self.bent.iter().find(|(place, _)| *place == address);
        match bent {
            Some((_, frame)) => Ok(frame.clone()),
            None => self.inner.read(address),
        }
    }
}

/// An archive with a version whose chain was renewed in time, then in its hash tree, then in time.
fn renewed() -> (Years, VersionId) {
    let mut years = Years::new(START);
    let version = years.deposit(&single(5, 0))[2];
    years.stamp(SHA256, usize::MAX);
    years.deposit(&single(2, 1));
    years.stamp(SHA256, usize::MAX);
    years.pass(100);
    years.renew_time_stamps(0);
    years.pass(100);
    years.renew_hash_trees(0, SHA512);
    years.pass(100);
    years.renew_time_stamps(0);
    (years, version)
}

fn assembled(
    years: &Years,
    frames: &dyn FrameSource,
    version: VersionId,
) -> Result<Vec<u8>, AssembleError> {
    let assembler = EvidenceAssembler::new(frames, &years.world.catalog);
    assembler.evidence_record(version, 0, &|algorithm| years.group(version, algorithm))
}

/// The archive time-stamps in the chains of the version, with their frames.
fn stamps_of(years: &Years, version: VersionId) -> Vec<(BatchEntry, ArchiveTimeStamp)> {
    let store = &years.world.store;
    let assembler = EvidenceAssembler::new(store, &years.world.catalog);
    let members = assembler.members(version, 0).unwrap().into_iter();
    members
        .map(|member| {
            let Frame::ArchiveTimeStamp(stamp) = store.read(member.batch.address).unwrap() else {
                panic!("{member:?}");
            };
            (member.batch, stamp)
        })
        .collect()
}

#[test]
fn changed_pages_give_no_evidence() {
    let (years, version) = renewed();
    let store = &years.world.store;
    assembled(&years, store, version).unwrap();
    let mut bends = 0;
    for (entry, stamp) in stamps_of(&years, version) {
        for address in &stamp.tree_pages {
            let Frame::TreePage(mut page) = store.read(*address).unwrap() else {
                panic!("{address}");
            };
            // The root is not on the way.
            if page.node_count() == 1 {
                continue;
            }
            // A bit of every node: the way uses one of each level, but for a last node without a neighbour.
            for node in page.nodes.chunks_mut(page.algorithm.len()) {
                node[7] ^= 1;
            }
            let bent = Bent {
                inner: store,
                bent: vec![(*address, Frame::TreePage(page))],
            };
            let result = assembled(&years, &bent, version);
            assert!(
                matches!(result, Err(AssembleError::NotCovered)),
                "{entry:?} {result:?}"
            );
            bends += 1;
        }
    }
    assert!(bends >= 6, "{bends}");
}

#[test]
fn changed_tokens_give_no_evidence() {
    let (years, version) = renewed();
    let stamps = stamps_of(&years, version);
    assert_eq!(stamps.len(), 4);
    // The newest token is covered by nothing; a verifier judges its signature.
    for (entry, stamp) in &stamps[..3] {
        let mut other = stamp.clone();
        let last = other.token.len() - 1;
        other.token[last] ^= 1;
        let bent = Bent {
            inner: &years.world.store,
            bent: vec![(entry.address, Frame::ArchiveTimeStamp(other))],
        };
        let result = assembled(&years, &bent, version);
        assert!(
            matches!(result, Err(AssembleError::NotCovered)),
            "{entry:?} {result:?}"
        );
    }
    // A token of another batch is not over this root.
    let mut other = stamps[0].1.clone();
    other.token.clone_from(&stamps[1].1.token);
    let bent = Bent {
        inner: &years.world.store,
        bent: vec![(stamps[0].0.address, Frame::ArchiveTimeStamp(other))],
    };
    let result = assembled(&years, &bent, version);
    assert!(matches!(result, Err(AssembleError::NotCovered)));
}

#[test]
fn changed_digests_give_no_evidence() {
    let (years, version) = renewed();
    let assembler = EvidenceAssembler::new(&years.world.store, &years.world.catalog);
    // Under each algorithm alone: one that fell may be forged, and the other one still holds.
    for changed in [SHA256, SHA512] {
        let result = assembler.evidence_record(version, 0, &|algorithm| {
            let mut group = years.group(version, algorithm)?;
            if algorithm == changed {
                group[1] = algorithm.digest(b"changed");
            }
            Some(group)
        });
        assert!(matches!(result, Err(AssembleError::NotCovered)));
    }
    let result = assembler.evidence_record(version, 0, &|algorithm| {
        (algorithm == SHA256).then(|| years.group(version, algorithm))?
    });
    assert!(matches!(result, Err(AssembleError::NoDigests { .. })));
}

#[test]
fn the_verifier_refuses_what_was_changed_in_an_evidence_record() {
    let (years, version) = renewed();
    let record = years.record(version, 0).unwrap();
    let at = years.now();
    assert!(years.judge(version, &record, at).judgement.is_passed());
    let step = record.len() / 97;
    for place in (0..record.len()).step_by(step) {
        let mut changed = record.clone();
        changed[place] ^= 4;
        let report = years.judge(version, &changed, at);
        assert!(!report.judgement.is_passed(), "byte {place}");
    }
}

#[test]
fn a_damaged_chain_is_named_and_the_others_are_renewed() {
    let mut years = Years::new(START);
    years.deposit(&single(2, 0));
    years.stamp(SHA256, usize::MAX);
    years.deposit(&single(2, 1));
    years.stamp(SHA256, usize::MAX);
    years.renew_time_stamps(0);
    let heads = years.heads(0, SHA256);
    let bad = years.world.catalog.batch(heads[0]).unwrap().unwrap();
    // The segment is damaged where the first chain's token stands.
    let segment = &years.world.segments()[0];
    let mut bytes = std::fs::read(segment).unwrap();
    let place = usize::try_from(bad.address.offset).unwrap() + 200;
    bytes[place] ^= 1;
    support::openssl::put(segment, &bytes);
    let renewed = years.run(&RenewalAction::TimeStamp {
        track: 0,
        algorithm: SHA256,
        heads: heads.clone(),
    });
    assert_eq!(renewed.batches.len(), 1);
    assert_eq!(renewed.chains, 1);
    assert!(
        matches!(&renewed.chains_left[..], [(head, LeftOut::Evidence(AssembleError::Store(_)))] if *head == heads[0]),
        "{:?}",
        renewed.chains_left
    );
    let renewed = years.renew_hash_trees(0, SHA512);
    assert_eq!(renewed.versions, 2);
    assert_eq!(renewed.chains_left.len(), 1);
}
