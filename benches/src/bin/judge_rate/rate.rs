//! Judging over and over, and counting.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use formats::x509::read_certificates;
use verifier::bulk::Cache;
use verifier::context::Context;
use verifier::evidence::{Group, verify_record};
use verifier::finding::Place;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::DataBytes;
use verifier::timestamp::verify_token;

use crate::material::STAMPED_AT;

/// Judgements before the clock starts.
const WARM: usize = 200;

/// A record or token with its data, in memory.
struct Item {
    evidence: Vec<u8>,
    data: Vec<Vec<u8>>,
}

struct Trust {
    anchors: Vec<TrustAnchor>,
    policy: Policy,
}

impl Trust {
    /// The root beside the folder.
    fn beside(folder: &Path) -> Self {
        let pem = fs::read(folder.parent().unwrap().join("root.pem")).unwrap();
        let certificates = read_certificates(&pem).unwrap();
        let anchors = certificates.iter();
        let anchors = anchors.map(|root| TrustAnchor::from_certificate(root.raw()).unwrap());
        Self {
            anchors: anchors.collect(),
            policy: Policy::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            anchors: &self.anchors,
            certificates: &[],
            crls: &[],
            ocsp_responses: &[],
            policy: &self.policy,
            time: STAMPED_AT + time::Duration::DAY,
            cache: None,
            registry: None,
        }
    }
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == ending));
    files.sort();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    files
}

fn read(path: &Path, endings: &[&str]) -> Item {
    let data = endings.iter();
    Item {
        evidence: fs::read(path).unwrap(),
        data: data
            .map(|ending| fs::read(path.with_extension(ending)).unwrap())
            .collect(),
    }
}

fn judge_record(item: &Item, context: &Context<'_>) {
    let [a, b] = &item.data[..] else {
        panic!("a record of two objects")
    };
    let a = DataBytes::new("a", a.as_slice());
    let b = DataBytes::new("b", b.as_slice());
    let data = [&a as _, &b as _];
    let report = verify_record(&item.evidence, &data, Group::Whole, context, &Place::root());
    assert!(report.judgement.is_passed(), "{:?}", report.judgement);
}

fn judge_token(item: &Item, context: &Context<'_>) {
    let data = DataBytes::new("data", item.data[0].as_slice());
    let report = verify_token(&item.evidence, Some(&data), context, &Place::root());
    assert!(report.judgement.is_passed(), "{:?}", report.judgement);
}

/// Judgements in `seconds`, by one thread, after warming up. Every pass over the items is a run of its own: what a cache knows is forgotten
/// before the next, so that nothing is measured that was known from the pass before.
fn count(
    items: &[Item],
    seconds: u64,
    cached: bool,
    alone: &Context<'_>,
    judge: impl Fn(&Item, &Context<'_>),
) -> (usize, Duration) {
    items
        .iter()
        .cycle()
        .take(WARM)
        .for_each(|item| judge(item, alone));
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed().as_secs() < seconds {
        let cache = Cache::new(alone);
        let context = Context {
            cache: cached.then_some(&cache),
            ..*alone
        };
        for item in items {
            judge(item, &context);
            done += 1;
        }
    }
    (done, start.elapsed())
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn per_second(done: usize, time: Duration) -> f64 {
    done as f64 / time.as_secs_f64()
}

/// Records per second, by all of `threads` threads together; with a cache as a run over many records has it, or each record for itself.
pub(crate) fn records(folder: &Path, seconds: u64, threads: usize, cached: bool) {
    let files = files(folder, "ers");
    let items: Vec<Item> = files.iter().map(|path| read(path, &["a", "b"])).collect();
    let trust = Trust::beside(folder);
    let rates: Vec<f64> = std::thread::scope(|scope| {
        let one = || {
            let (done, time) = count(&items, seconds, cached, &trust.context(), judge_record);
            per_second(done, time)
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let rates = workers.into_iter().map(|worker| worker.join().unwrap());
        rates.collect()
    });
    println!("{:.0}", rates.iter().sum::<f64>());
}

/// Tokens per second, by one thread.
pub(crate) fn tokens(folder: &Path, seconds: u64) {
    let files = files(folder, "tst");
    let items: Vec<Item> = files.iter().map(|path| read(path, &["data"])).collect();
    let trust = Trust::beside(folder);
    let (done, time) = count(&items, seconds, false, &trust.context(), judge_token);
    println!("{:.0}", per_second(done, time));
}

/// The peak of memory after so many records, each read from the folder when its turn comes, with the cache of a run.
pub(crate) fn memory(folder: &Path, wanted: usize) {
    let files = files(folder, "ers");
    let trust = Trust::beside(folder);
    let alone = trust.context();
    let cache = Cache::new(&alone);
    let context = Context {
        cache: Some(&cache),
        ..alone
    };
    for path in files.iter().cycle().take(wanted) {
        judge_record(&read(path, &["a", "b"]), &context);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("{}", peak.unwrap().trim());
}
