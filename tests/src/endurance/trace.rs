//! The calls that the archive makes, in their order.

use std::path::Path;
use std::sync::Arc;

use archiver::archive::{Access, Archive};
use archiver::store::durable::Disk;
use firmware::clock::SimulatedClock;

use super::oracle::Oracle;
use super::place::{BIRTH, Base, environment, passphrase};
use super::steps::Step;
use crate::power::{Call, Names, PowerDisk};
use crate::random::Random;
use crate::world::put;

/// What was called while one file was deposited.
#[derive(Debug, Clone)]
pub struct Traced {
    /// From the first byte to the acknowledgement, on the key medium and on the first data medium.
    pub deposit: Vec<String>,
    /// The same on the second data medium.
    pub second: Vec<String>,
    /// When the archive was closed.
    pub close: Vec<String>,
}

/// Deposits one file of so many bytes and closes the archive. Paths are relative to the media, and writes to one file without anything between
/// them are one line.
///
/// # Panics
/// When that fails.
#[must_use]
pub fn trace(bytes: usize) -> Traced {
    let place = Base::new(7).copy();
    let disk = PowerDisk::new(place.at("graves"), Names::Any, true);
    let clock = Arc::new(SimulatedClock::new(BIRTH));
    let on = environment(&clock, 7, 1, Arc::clone(&disk) as Arc<dyn Disk>);
    let open = || {
        let config = place.config(false);
        let opened = Archive::open(
            config,
            &passphrase(),
            Access::Write,
            on.clone(),
            &mut |_| {},
        );
        opened.expect("it opens").0
    };
    open().close().expect("closed");
    let archive = open();
    let sources = place.at("in/general");
    put(&sources.join("one.bin"), &Random::new(7).bytes(bytes));
    disk.restart(None);
    let mut oracle = Oracle::default();
    let done = Step::Deposit.run(&archive, &sources, &mut oracle);
    done.expect("deposited");
    let deposit = disk.calls();
    disk.restart(None);
    archive.close().expect("closed");
    let root = place.at("");
    let lines = |calls: &[(Call, std::path::PathBuf)], media: &[&str]| {
        let mut lines: Vec<String> = calls
            .iter()
            .filter_map(|(call, path)| line(*call, path.strip_prefix(&root).ok()?, media))
            .collect();
        lines.dedup();
        lines
    };
    Traced {
        deposit: lines(&deposit, &["keys", "data-a"]),
        second: lines(&deposit, &["data-b"]),
        close: lines(&disk.calls(), &["keys", "data-a"]),
    }
}

fn line(call: Call, path: &Path, media: &[&str]) -> Option<String> {
    let medium = path.iter().next()?.to_str()?;
    let rest = path.strip_prefix(medium).ok()?.display();
    let name = match call {
        Call::Create => "create",
        Call::Open => "open",
        Call::Write => "write",
        Call::Sync => "sync",
        Call::Truncate => "truncate",
        Call::Protect => "protect",
        Call::Unprotect => "unprotect",
        Call::Rename => "rename",
        Call::Remove => "remove",
        Call::CreateDirectory => "mkdir",
        Call::SyncDirectory => "sync-directory",
    };
    let medium_shown = medium.split('-').next()?;
    media
        .contains(&medium)
        .then(|| format!("{name} {medium_shown}/{rest}"))
}
