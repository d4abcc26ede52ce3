//! A crash at any step of a renewal loses no evidence, makes no second batch, and the job goes on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use archiver::evidence::log::FrameLog;
use archiver::evidence::renew::RenewalAction;
use archiver::store::{Appender, StoreError};
use formats::digest::DigestAlgorithm;
use formats::segment::{Frame, FrameAddress};
use support::years::{Years, single};
use time::OffsetDateTime;
use time::macros::datetime;

const START: OffsetDateTime = datetime!(2026-11-22 03:48:30.123 UTC);
const SHA256: DigestAlgorithm = DigestAlgorithm::Sha256;
const THIRD: DigestAlgorithm = DigestAlgorithm::Sha3_256;

/// What the log does at its last step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Nothing.
    Lost,
    /// It does it, and the process dies before it hears so.
    DoneButReportedLost,
}

/// A log that does so many steps.
struct Dying<'a> {
    inner: &'a Appender,
    fault: Fault,
    left: AtomicUsize,
}

impl Dying<'_> {
    fn step<T>(&self, act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            if self.fault == Fault::DoneButReportedLost {
                act()?;
            }
            return Err(StoreError::Closed);
        }
        self.left.store(left - 1, Ordering::SeqCst);
        act()
    }
}

impl FrameLog for Dying<'_> {
    fn append(&self, frame: Frame) -> Result<FrameAddress, StoreError> {
        self.step(|| self.inner.append(frame))
    }

    fn commit(&self, upto: FrameAddress) -> Result<(), StoreError> {
        self.step(|| self.inner.commit(upto))
    }
}

/// Two chains, five versions; three of them have digests under a third function.
fn archive() -> Years {
    let mut years = Years::new(START);
    years.deposit(&single(2, 0));
    years.stamp(SHA256, usize::MAX);
    years.deposit(&single(3, 1));
    years.stamp(SHA256, usize::MAX);
    years.pass(100);
    years
}

fn time_stamp(years: &Years) -> RenewalAction {
    RenewalAction::TimeStamp {
        track: 0,
        algorithm: SHA256,
        heads: years.heads(0, SHA256),
    }
}

fn hash_tree(years: &Years) -> RenewalAction {
    RenewalAction::HashTree {
        track: 0,
        from: SHA256,
        to: DigestAlgorithm::Sha512,
        heads: years.heads(0, SHA256),
    }
}

fn re_hash(_: &Years) -> RenewalAction {
    RenewalAction::ReHash {
        algorithm: THIRD,
        versions: 5,
    }
}

/// Lets the action die at each of its steps in turn, and gives the number of steps.
fn die_at_each_step(
    action: fn(&Years) -> RenewalAction,
    fault: Fault,
    check: impl Fn(&Years),
) -> usize {
    for steps in 0.. {
        let mut years = archive();
        let before = years.assert_all_pass(0, years.now());
        let appender = years.world.store.appender().unwrap();
        let dying = Dying {
            inner: &appender,
            fault,
            left: steps.into(),
        };
        let planned = action(&years);
        let done = years.run_on(&dying, &planned).is_ok();
        drop(appender);
        // The machine starts again; what was not committed is gone.
        years = years.rebuild();
        let after = years.assert_all_pass(0, years.now());
        assert_eq!(after.len(), before.len());
        // Each version has the evidence that it had, or more.
        for (before, after) in before.iter().zip(&after) {
            assert!(after.len() >= before.len());
        }
        let again = action(&years);
        years.run(&again);
        check(&years);
        let records = years.assert_all_pass(0, years.now());
        let years = years.rebuild();
        assert_eq!(years.assert_all_pass(0, years.now()), records);
        if done {
            return steps;
        }
    }
    unreachable!("the action ends");
}

#[test]
fn time_stamp_renewals_die_at_any_step() {
    for fault in [Fault::Lost, Fault::DoneButReportedLost] {
        let steps = die_at_each_step(time_stamp, fault, |years| {
            // One renewal, or two when the first one was done before the crash; each chain has them all.
            let heads = years.world.catalog.heads().unwrap();
            let renewals: Vec<usize> = heads.iter().map(|head| head.renewals.len()).collect();
            assert!(renewals == [1, 1] || renewals == [2, 2], "{renewals:?}");
        });
        // Two pages, the archive timestamp, the commit.
        assert_eq!(steps, 4);
    }
}

#[test]
fn hash_tree_renewals_die_at_any_step() {
    for fault in [Fault::Lost, Fault::DoneButReportedLost] {
        let steps = die_at_each_step(hash_tree, fault, |years| {
            assert_eq!(years.heads(0, SHA256), []);
            // Nothing is renewed twice: there is one new chain, of all versions.
            let heads = years.world.catalog.heads().unwrap();
            let live: Vec<u64> = heads.iter().map(|head| head.live).collect();
            assert_eq!(live, [0, 0, 5]);
        });
        assert_eq!(steps, 6);
    }
}

#[test]
fn re_hashes_die_at_any_step() {
    for fault in [Fault::Lost, Fault::DoneButReportedLost] {
        let steps = die_at_each_step(re_hash, fault, |years| {
            for version in years.groups.keys() {
                let found = years.world.catalog.further_digests(*version, THIRD);
                assert!(found.unwrap().is_some());
            }
        });
        assert_eq!(steps, 6);
    }
}
