//! The phases. Each runs in a process of its own, on the archive that the one before left.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use archiver::archive::{self, Access, Archive, Environment, NewArchive};
use archiver::config::Config;
use archiver::evidence::batch::BatchMaker;
use archiver::evidence::plan::BatchOptions;
use archiver::intake::{SourceName, Walk};
use archiver::keys::Passphrase;
use archiver::record::deposit::{DepositOptions, DepositRequest};
use archiver::store::catalog::{EngineChoice, IndexEngine, Query, ValueMatch};
use archiver::store::durable;
use firmware::clock::SystemClock;
use firmware::entropy::SystemEntropy;
use firmware::media;
use formats::id::{ArchiveId, RecordId};
use formats::manifest::Metadata;
use serde_json::{Value, json};
use time::{Date, Duration};
use zeroize::Zeroizing;

use crate::probe::{Probe, bytes_below};

/// So many groups of records, each with its date, amount and counterparty.
const GROUPS: u64 = 100;
/// Groups under one token.
const GROUPS_PER_BATCH: u64 = 10;

/// Runs a phase on the archive in `folder`, and gives what it cost.
pub(crate) fn run(phase: &str, folder: &Path, engine: IndexEngine, records: u64) -> Value {
    let mut cost = match phase {
        "deposit" => deposit(folder, engine, records),
        "open" => open_again(folder),
        "search" => search(folder, records),
        "open-killed" => {
            // A killed process leaves no note of closing: every entry is checked.
            fs::remove_file(folder.join("index/closed")).unwrap();
            open_again(folder)
        }
        "rebuild" => rebuild(folder, records),
        "read" => read(folder),
        "move" => move_over(folder, engine),
        other => panic!("no such phase: {other}"),
    };
    cost["index_bytes"] = allocated_below(&folder.join("index")).into();
    cost["segment_bytes"] = bytes_below(&folder.join("data")).into();
    cost
}

/// Bytes that the files below a folder take on the medium: journals are made larger than what is in them.
fn allocated_below(folder: &Path) -> u64 {
    let bytes = |entry: fs::DirEntry| {
        let about = entry.metadata().unwrap();
        if about.is_dir() {
            allocated_below(&entry.path())
        } else {
            about.blocks() * 512
        }
    };
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| bytes(entry.unwrap())).sum()
}

/// Deposits files, as the command does, and stamps them.
fn deposit(folder: &Path, engine: IndexEngine, records: u64) -> Value {
    let input = folder.join("in");
    fs::create_dir_all(&input).unwrap();
    let config = config(folder, engine);
    let new = NewArchive {
        config,
        token: None,
    };
    archive::create(new, &passphrase(), &environment()).unwrap();
    let probe = Probe::begin(folder);
    let archive = open(folder, Access::Write);
    let class = archive.classes().class("general").unwrap().clone();
    for group in 0..GROUPS {
        for number in group * records / GROUPS..(group + 1) * records / GROUPS {
            let mut file = File::create(input.join(number.to_string())).unwrap();
            let text = format!("{{\"order\":{number},\"quantity\":{}}}\n", number % 97);
            file.write_all(text.repeat(3).as_bytes()).unwrap();
        }
        let request = DepositRequest {
            class: class.clone(),
            given: metadata(group),
            depositor: "bench".to_owned(),
            channel: "cli".to_owned(),
        };
        let walk = Walk::new(vec![input.clone()], SourceName::from(OsStr::new("-")));
        let depositor = archive.depositor().unwrap();
        depositor.deposit_all(walk, &request, &DepositOptions::default(), &mut |_| {});
        fs::remove_dir_all(&input).unwrap();
        fs::create_dir(&input).unwrap();
        if (group + 1) % GROUPS_PER_BATCH == 0 {
            stamp(&archive);
        }
    }
    let counts = archive.catalog().counts().unwrap();
    assert_eq!((counts.versions, counts.unstamped), (records, 0));
    archive.close().unwrap();
    probe.end(folder)
}

fn stamp(archive: &Archive) {
    let authorities = archive.authorities().unwrap();
    let appender = archive.store().appender().unwrap();
    let environment = archive.environment();
    let maker = BatchMaker {
        authority: &authorities.first,
        second: None,
        log: &appender,
        clock: environment.clock.as_ref(),
        entropy: environment.entropy.as_ref(),
    };
    for batch in archive
        .queue()
        .plan(BatchOptions::default())
        .unwrap()
        .batches
    {
        let made = maker.make(&batch, &mut |_| {}).unwrap();
        made.apply(archive.catalog()).unwrap();
    }
}

fn open_again(folder: &Path) -> Value {
    let probe = Probe::begin(folder);
    let archive = open(folder, Access::Write);
    archive.close().unwrap();
    probe.end(folder)
}

/// Each question ten times; the median.
fn search(folder: &Path, records: u64) -> Value {
    let probe = Probe::begin(folder);
    let archive = open(folder, Access::Read);
    let mut ids: Vec<RecordId> = Vec::new();
    let stride = (records / SAMPLE).max(1);
    let mut seen = 0;
    let each = &mut |hit: archiver::store::catalog::Hit| {
        if seen % stride == 0 {
            ids.push(hit.version.record());
        }
        seen += 1;
        true
    };
    archive.catalog().for_each(each).unwrap();
    let group = metadata(GROUPS / 2);
    let date = ValueMatch::Between(group.date, group.date);
    let amount = ValueMatch::Between(group.amount.clone(), group.amount);
    let questions = [
        (
            "date_ms",
            Query {
                date,
                ..Query::default()
            },
        ),
        (
            "amount_ms",
            Query {
                amount,
                ..Query::default()
            },
        ),
        (
            "counterparty_ms",
            Query {
                counterparty: group.counterparty,
                ..Query::default()
            },
        ),
    ];
    let mut times = json!({});
    for (name, query) in questions {
        let mut took = Vec::new();
        for _ in 0..10 {
            let began = Instant::now();
            let hits = archive.catalog().search(&query).unwrap().len() as u64;
            took.push(began.elapsed().as_secs_f64() * 1e3);
            assert_eq!(hits, records / GROUPS);
            times["hits"] = hits.into();
        }
        times[name] = median(took).into();
    }
    let took = ids.iter().map(|id| {
        let began = Instant::now();
        assert!(archive.catalog().latest(*id).unwrap().is_some());
        began.elapsed().as_secs_f64() * 1e3
    });
    times["id_ms"] = median(took.collect()).into();
    archive.close().unwrap();
    let mut cost = probe.end(folder);
    cost.as_object_mut()
        .unwrap()
        .extend(times.as_object().unwrap().clone());
    cost
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rebuild(folder: &Path, records: u64) -> Value {
    let probe = Probe::begin(folder);
    let config = Config::read(&folder.join("fumikura.toml")).unwrap();
    let (archive, report) =
        Archive::rebuild(config, &passphrase(), environment(), &mut |_| {}).unwrap();
    assert_eq!(report.catalog.versions_applied, records);
    assert!(report.catalog.damaged.is_empty(), "{report:?}");
    archive.close().unwrap();
    probe.end(folder)
}

/// Compares every stored byte with its checksums.
fn read(folder: &Path) -> Value {
    let probe = Probe::begin(folder);
    let archive = open(folder, Access::Read);
    for segment in archive.store().segments().unwrap() {
        let fixity = archive.store().verify_segment(segment).unwrap();
        assert!(fixity.replicas.iter().all(|one| one.problems.is_empty()));
    }
    archive.close().unwrap();
    let mut cost = probe.end(folder);
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let mebibytes = bytes_below(&folder.join("data")) as f64 / 1_048_576.0;
    cost["read_mib"] = mebibytes.into();
    cost
}

/// Opens the archive with the other engine configured: the index is copied there.
fn move_over(folder: &Path, engine: IndexEngine) -> Value {
    let other = match engine {
        IndexEngine::Sled => IndexEngine::Fjall,
        IndexEngine::Fjall => IndexEngine::Sled,
    };
    let mut config = Config::read(&folder.join("fumikura.toml")).unwrap();
    config.index_options.engine = EngineChoice::Use(other);
    let probe = Probe::begin(folder);
    let opened = Archive::open(
        config,
        &passphrase(),
        Access::Write,
        environment(),
        &mut |_| {},
    );
    let (archive, report) = opened.unwrap();
    assert_eq!(report.catalog.moved, Some(other));
    archive.close().unwrap();
    probe.end(folder)
}

/// What a group of records is about.
fn metadata(group: u64) -> Metadata {
    let first = Date::from_calendar_date(2026, time::Month::January, 1).unwrap();
    Metadata {
        date: Some(first + Duration::days(group.cast_signed())),
        amount: Some((1000 + group).to_string().parse().unwrap()),
        currency: Some("JPY".parse().unwrap()),
        counterparty: Some(format!("株式会社取引先{group:03}")),
        title: Some("注文書".to_owned()),
        ..Metadata::default()
    }
}

fn open(folder: &Path, access: Access) -> Archive {
    let config = Config::read(&folder.join("fumikura.toml")).unwrap();
    let opened = Archive::open(config, &passphrase(), access, environment(), &mut |_| {});
    opened.unwrap().0
}

fn config(folder: &Path, engine: IndexEngine) -> Config {
    let text = format!(
        "version = 1\narchive = \"{}\"\ndata = [\"data\"]\nkeys = \"keys\"\nevaluation = true\n[index]\nengine = \"{}\"\n[[tsa]]\nname = \"embedded\"\nembedded = true\n",
        ArchiveId::from_bytes([0; 16]),
        engine.name()
    );
    Config::parse(&folder.join("fumikura.toml"), &text).unwrap()
}

fn environment() -> Environment {
    Environment {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        boot_id: media::boot_id().unwrap(),
        disk: durable::system_disk(),
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new(&Zeroizing::new(b"correct horse battery staple".to_vec())).unwrap()
}

/// Records that are asked for by their id.
const SAMPLE: u64 = 1000;
