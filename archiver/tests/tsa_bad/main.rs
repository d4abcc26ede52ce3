//! Every way in which an answer, a token, a certificate, a CRL, an OCSP response or a server can be wrong, one row each: through the real
//! client over real HTTP, into a real batch. Each row is refused for its own reason, in words for an operator, and nothing is written.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table is one function per topic, however many rows it has"
)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod certificates;
mod revocation;
mod row;
mod servers;
mod tokens;

use std::sync::Arc;

use archiver::cli::lang::Lang;
use archiver::evidence::batch::{BatchMaker, StampError};
use archiver::evidence::plan::PlannedBatch;
use archiver::tsa::client::Timestamper;
use archiver::tsa::refusal::TsaError;
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::digest::DigestAlgorithm;
use formats::id::{RecordId, VersionId};
use row::Row;
use support::client::NOW;
use support::log::MemoryLog;

/// One version that waits, in a batch of its own, stamped by this authority.
fn stamp(authority: &dyn Timestamper, log: &MemoryLog) -> Result<(), StampError> {
    let clock = SimulatedClock::new(NOW);
    let entropy = SeededEntropy::new(9);
    let maker = BatchMaker {
        authority,
        second: None,
        log,
        clock: &clock,
        entropy: &entropy,
    };
    let algorithm = DigestAlgorithm::Sha256;
    let batch = PlannedBatch {
        algorithm,
        versions: vec![VersionId::new(RecordId::new(1, &[1; 10]), 1).unwrap()],
        leaves: algorithm.digest(b"a group").as_bytes().to_vec(),
    };
    maker.make(&batch, &mut |_| {}).map(drop)
}

#[test]
fn nothing_wrong_reaches_the_archive_and_each_reason_is_told() {
    let rows: Vec<Row> = [
        servers::rows(),
        answers::rows(),
        tokens::rows(),
        certificates::rows(),
        revocation::rows(),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        if let Err(why) = judge(row) {
            wrong.push(format!("{}: {why}", row.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} ways to be wrong", rows.len());
}

/// Whether a row is refused as it says, with nothing written.
fn judge(row: &Row) -> Result<(), String> {
    let log = MemoryLog::default();
    let error = match stamp(&row.client(), &log) {
        Err(StampError::Authority(error)) => error,
        other => return Err(format!("{other:?}")),
    };
    println!("{}: {error}", row.what);
    for (lang, expected) in [(Lang::En, row.en), (Lang::Ja, row.ja)] {
        let text = error.text(lang);
        if !text.contains(expected) || text.lines().count() != 1 {
            return Err(text);
        }
    }
    if log.len() > 0 {
        return Err("something was written".to_owned());
    }
    Ok(())
}

#[test]
fn what_is_odd_but_right_is_accepted() {
    for row in answers::accepted()
        .into_iter()
        .chain(servers::accepted())
        .chain(certificates::accepted())
        .chain(revocation::accepted())
    {
        let what = row.what;
        let log = MemoryLog::default();
        stamp(&row.client(), &log).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(!log.committed().is_empty(), "{what}");
    }
}

#[test]
fn the_entropy_of_the_machine_is_no_excuse() {
    #[derive(Debug)]
    struct Dry;
    impl firmware::entropy::Entropy for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), firmware::entropy::EntropyError> {
            Err(firmware::entropy::EntropyError::default())
        }
    }
    let row = answers::accepted().remove(0);
    let client = row.client_with(Arc::new(Dry));
    let log = MemoryLog::default();
    let failed = stamp(&client, &log);
    assert!(
        matches!(failed, Err(StampError::Authority(TsaError::Request))),
        "{failed:?}"
    );
    assert_eq!(log.len(), 0);
}
