//! Flips bits of evidence and makes sure that the verifier says so.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use verifier::finding::Severity;
use verifier::report::Report;
use verifier::verdict::Conclusion;

/// Flips each of these bits alone and makes sure that the report says so.
///
/// # Panics
/// When a report does not: that is the failure of the test.
pub fn flip_each(name: &str, good: &[u8], bits: &[usize], judge: impl Fn(&[u8]) -> Report + Sync) {
    let report = judge(good);
    let conclusion = report.judgement.conclusion();
    assert_eq!(conclusion, Conclusion::TotalPassed, "{name} as it was made");
    let next = AtomicUsize::new(0);
    let work = || {
        let mut bytes = good.to_vec();
        let mut answers: Vec<(&'static str, &'static str)> = Vec::new();
        let mut wrong = Vec::new();
        while let Some(&bit) = bits.get(next.fetch_add(1, Ordering::Relaxed)) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let report = judge(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Err(why) = found_out(&report) {
                wrong.push(format!("byte {} bit {}: {why}", bit / 8, bit % 8));
            }
            let judgement = report.judgement;
            answers.push((judgement.conclusion().name(), judgement.integrity().name()));
        }
        (answers, wrong)
    };
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (answers, more) = thread.join().expect("a worker");
            for answer in answers {
                *counts.entry(answer).or_insert(0_u32) += 1;
            }
            wrong.extend(more);
        }
    });
    println!(
        "{name}: {} of {} bits, {counts:?}",
        bits.len(),
        good.len() * 8
    );
    assert!(
        wrong.is_empty(),
        "{name}: {} flips were not found out:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A changed file never passes, and a finding that names the file says why.
fn found_out(report: &Report) -> Result<(), String> {
    let judgement = report.judgement;
    if judgement.is_passed() || report.best_signature_time.is_some() {
        return Err(format!("passed as of {:?}", report.best_signature_time));
    }
    let names = |place: &str| {
        let mut files = report.files.iter();
        files.any(|file| place.starts_with(file.name.as_str()))
    };
    let told = report
        .findings
        .iter()
        .any(|finding| finding.severity() != Severity::Info && names(finding.place().as_str()));
    if told {
        return Ok(());
    }
    let findings = &report.findings;
    Err(format!("no finding says why: {judgement:?} {findings:?}"))
}
