//! Thirty years of an archive in a minute: a simulated clock, simulated time-stamping services, real evidence.
//!
//! One authority changes its key because RSA-2048 ends, one closes, one loses its key and revokes its certificate, one is down for six
//! weeks, and SHA-256 is retired in the twelfth year. `FUMIKURA_SEED` gives another world.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says what it did"
)]

mod archive;
mod authority;
mod calendar;
mod client;
mod keys;
mod life;

use time::Duration;

use life::Life;

const MONTHS: u32 = 360;

fn seed() -> u64 {
    let given = std::env::var("FUMIKURA_SEED").ok();
    let seed = given.and_then(|text| text.parse().ok());
    seed.unwrap_or(0x6675_6d69)
}

/// Every year every record's package passes, whatever has befallen the authorities.
#[test]
fn thirty_years_with_renewal() {
    let seed = seed();
    println!("seed {seed}");
    let mut life = Life::new(seed, true);
    for month in 0..MONTHS {
        life.month(month);
        if month % 60 == 59 {
            life.judge_all();
        }
    }
    println!("{:?}", life.tally);
}

/// Without renewal each record passes until the better of its first two tokens ends, and not a second longer.
#[test]
fn thirty_years_without_renewal() {
    let seed = seed();
    println!("seed {seed}");
    let mut life = Life::new(seed, false);
    for month in 0..MONTHS {
        life.month(month);
    }
    let anchors = life.services.anchors();
    for record in &life.records {
        let package = life.archive.export(record.version, anchors);
        let judge = |time| life.archive.judge(&package, anchors, &[], time);
        let last = judge(record.first_end);
        assert!(
            last.judgement.is_passed(),
            "{record:?}: {:#?}",
            last.findings
        );
        let after = judge(record.first_end + Duration::SECOND);
        assert!(!after.judgement.is_passed(), "{record:?}");
    }
}
