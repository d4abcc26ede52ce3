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
        if month % 12 == 11 {
            life.judge_all();
        }
    }
    println!("{:?}", life.tally);
    let tally = &life.tally;
    assert_eq!(tally.batches, u64::from(MONTHS));
    assert_eq!(tally.second_tokens, u64::from(MONTHS));
    assert_eq!(tally.packages, 12 * (1..=30).sum::<u64>());
    assert!(
        tally.second_missing > 0,
        "delta's six weeks fall on a stamping"
    );
    assert!(tally.hash_tree_renewals >= 2, "SHA-256 ends on both tracks");
    assert!(
        tally.blocked > 0,
        "alpha's RSA key cannot renew its own tokens"
    );
    assert!(
        tally.one_proof > 0,
        "gamma's tokens are worth nothing after its key was stolen"
    );
    let requests = tally.time_stamp_renewals + tally.hash_tree_renewals;
    assert!(
        requests < 30,
        "{requests} tokens renew everything for thirty years"
    );
}

/// The same seed gives the same world to the last byte.
#[test]
fn one_seed_gives_one_world() {
    let packages = |seed| {
        let mut life = Life::new(seed, true);
        (0..4).for_each(|month| life.month(month));
        let records = life.records.iter();
        let packages = records.map(|record| life.archive.export(record.version));
        packages.collect::<Vec<_>>()
    };
    let seed = seed();
    assert!(packages(seed) == packages(seed));
    assert!(packages(seed) != packages(seed + 1));
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
        let package = life.archive.export(record.version);
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
