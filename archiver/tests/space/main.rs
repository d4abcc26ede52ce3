//! Room of destroyed records, backups, and what a drill restores: on a whole archive.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and moves and writes files that are not the archive's"
)]

mod backups;
mod compacting;
mod erasing;
mod leftovers;

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archiver::archive::{self, Access, Archive, Environment, NewArchive};
use archiver::config::Config;
use archiver::evidence::batch::BatchMaker;
use archiver::evidence::package::{ExportError, Exporter};
use archiver::evidence::plan::BatchOptions;
use archiver::evidence::verify_records::{Outcome, RecordVerdict, RecordVerifier};
use archiver::intake::SourceName;
use archiver::intake::walk::Walk;
use archiver::keys::Passphrase;
use archiver::record::deposit::{DepositOptions, DepositRequest};
use archiver::record::outcome::DepositEvent;
use archiver::store::durable;
use archiver::tsa::client::EMBEDDED_NAME;
use firmware::clock::SimulatedClock;
use firmware::entropy::{Entropy, SeededEntropy};
use formats::id::{ArchiveId, VersionId};
use formats::manifest::Metadata;
use tempfile::TempDir;
use time::macros::datetime;
use verifier::context::Context;
use verifier::path::TrustAnchor;
use zeroize::Zeroizing;

/// Two data media, a key medium, and a folder for backups.
struct World {
    folder: TempDir,
    config: Config,
    clock: Arc<SimulatedClock>,
    openings: std::cell::Cell<u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "version = 1\narchive = \"{}\"\ndata = [\"data-a\", \"data-b\"]\nkeys = \"keys\"\nevaluation = true\n\
             [segments]\nmax_bytes = 4194304\n[[tsa]]\nname = \"{EMBEDDED_NAME}\"\nembedded = true\n",
            ArchiveId::from_bytes([0; 16])
        );
        let config = Config::parse(&folder.path().join("fumikura.toml"), &text).unwrap();
        let mut world = Self {
            config,
            clock: Arc::new(SimulatedClock::new(datetime!(2026-11-22 03:48:30 UTC))),
            openings: std::cell::Cell::new(seed * 1000),
            folder,
        };
        let new = NewArchive {
            config: world.config.clone(),
            token: None,
        };
        let environment = world.environment();
        world.config = archive::create(new, &passphrase("keys"), &environment)
            .unwrap()
            .0;
        world
    }

    fn environment(&self) -> Environment {
        self.openings.set(self.openings.get() + 1);
        Environment {
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(self.openings.get())),
            boot_id: [1; 16],
            disk: durable::system_disk(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, access: Access) -> Archive {
        self.open_config(self.config.clone(), access)
    }

    fn open_config(&self, config: Config, access: Access) -> Archive {
        let environment = self.environment();
        let opened = Archive::open(
            config,
            &passphrase("keys"),
            access,
            environment,
            &mut |_| {},
        );
        let archive = opened.unwrap().0;
        if access == Access::Write {
            archive.record_configuration("tester").unwrap();
        }
        archive
    }

    /// Time goes on.
    fn wait(&self) {
        self.clock.advance(time::Duration::minutes(1));
    }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(&Zeroizing::new(text.as_bytes().to_vec())).unwrap()
}

/// Deposits files of random bytes and stamps them.
fn fill(archive: &Archive, world: &World, count: u32, bytes: usize) -> Vec<VersionId> {
    let random = SeededEntropy::new(u64::from(count) + bytes as u64);
    let folder = world.path("in");
    std::fs::create_dir_all(&folder).unwrap();
    let mut paths = Vec::new();
    for number in 0..count {
        let mut content = vec![0; bytes];
        random.fill(&mut content).unwrap();
        let path = folder.join(format!("{number}.bin"));
        put(&path, &content);
        paths.push(path);
    }
    let request = DepositRequest {
        class: archive.classes().class("general").unwrap().clone(),
        given: Metadata::default(),
        depositor: "tester".into(),
        channel: "cli".into(),
    };
    let walk = Walk::new(paths, SourceName::from(std::ffi::OsStr::new("-")));
    let mut versions = Vec::new();
    let options = DepositOptions::default();
    let depositor = archive.depositor().unwrap();
    depositor.deposit_all(walk, &request, &options, &mut |events| {
        for event in events {
            let DepositEvent::Deposited(record) = event else {
                panic!("{event:?}");
            };
            versions.push(record.version);
        }
    });
    stamp(archive);
    versions.sort();
    versions
}

fn stamp(archive: &Archive) {
    let authorities = archive.authorities().unwrap();
    let appender = archive.store().appender().unwrap();
    let maker = BatchMaker {
        authority: &authorities.first,
        second: None,
        log: &appender,
        clock: archive.environment().clock.as_ref(),
        entropy: archive.environment().entropy.as_ref(),
    };
    let plan = archive.queue().plan(BatchOptions::default()).unwrap();
    for batch in plan.batches {
        let made = maker.make(&batch, &mut |_| {}).unwrap();
        made.apply(archive.catalog()).unwrap();
    }
}

/// Asks `act` for what depends on the trust anchors of the archive.
fn with_context<T>(archive: &Archive, act: impl FnOnce(Context<'_>) -> T) -> T {
    let anchors: Vec<TrustAnchor> = archive
        .anchors()
        .unwrap()
        .iter()
        .map(|der| TrustAnchor::from_certificate(der).unwrap())
        .collect();
    act(Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: archive.policy(),
        time: archive.environment().clock.now(),
        cache: None,
        registry: None,
    })
}

/// The versions that pass: content, digests, evidence.
fn passing(archive: &Archive, versions: &[VersionId]) -> Vec<VersionId> {
    with_context(archive, |context| {
        let verifier = RecordVerifier {
            retriever: archive.retriever(),
            catalog: archive.catalog(),
            frames: archive.store(),
            context,
            workers: NonZeroUsize::MIN,
            lang: archiver::cli::lang::Lang::En,
        };
        let mut passed = Vec::new();
        let mut each = |verdict: &RecordVerdict| {
            if matches!(verdict.outcome, Outcome::Passed { .. }) {
                passed.push(verdict.version);
            }
        };
        verifier.verify_versions(versions, &mut each).unwrap();
        passed
    })
}

/// Makes the evidence package of a version: the verifier has judged it then.
fn export(archive: &Archive, version: VersionId) -> Result<Vec<u8>, ExportError> {
    with_context(archive, |context| {
        let exporter = Exporter {
            retriever: archive.retriever(),
            catalog: archive.catalog(),
            frames: archive.store(),
            context,
            exported_by: "tester",
            evaluation: false,
        };
        let (_, sink) = exporter.export(version, Cursor::new(Vec::new()))?;
        Ok(sink.into_inner())
    })
}

fn destroy(archive: &Archive, versions: &[VersionId]) {
    let now = archive.environment().clock.now();
    archive.keys().destroy(versions, now, &mut |_| {}).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test makes and damages its own files"
)]
fn put(path: &Path, bytes: &[u8]) {
    drop(std::fs::remove_file(path));
    std::fs::write(path, bytes).unwrap();
}
