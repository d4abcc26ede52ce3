//! Makes the index: entries as those of deposits, under ten timestamps.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use archiver::archive::{self, Access, Archive, Environment, NewArchive};
use archiver::config::Config;
use archiver::evidence::batch::BatchMaker;
use archiver::evidence::plan::BatchOptions;
use archiver::keys::Passphrase;
use archiver::store::catalog::EngineChoice;
use archiver::store::durable;
use firmware::clock::{Clock, SystemClock};
use firmware::entropy::SystemEntropy;
use firmware::media;
use formats::id::{ArchiveId, RecordId, VersionId};
use formats::manifest::{
    ClassReference, ContentObject, Digests, Manifest, Metadata, ObjectName, Role, Superseded,
};
use formats::segment::{ChunkCodec, Frame, RecordVersion};
use serde_json::Value;
use time::{Date, Duration};
use zeroize::Zeroizing;

use crate::Size;
use crate::probe::Probe;

/// A small generator: one seed, one archive.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

/// Makes an archive whose index holds so many records.
pub(crate) fn make(folder: &Path, size: Size) -> Value {
    fs::create_dir_all(folder).unwrap();
    let new = NewArchive {
        config: config(folder, size),
        token: None,
    };
    archive::create(new, &passphrase(), &environment()).unwrap();
    let probe = Probe::begin(folder);
    let archive = open(folder, Access::Write);
    let began = SystemClock.now().unix_timestamp_nanos() / 1_000_000;
    let began = u64::try_from(began).unwrap() - size.records;
    let mut random = Random(1);
    let mut before = None;
    for number in 0..size.records {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&number.to_be_bytes());
        // Each twentieth is a new version of the record before it.
        let version = match before.take() {
            Some(record) if number.is_multiple_of(20) => VersionId::new(record, 2).unwrap(),
            _ => VersionId::first(RecordId::new(began + number, &bytes)),
        };
        before = Some(version.record());
        add(&archive, version, number, metadata(&mut random, size));
        if (number + 1).is_multiple_of((size.records / BATCHES).max(1)) {
            stamp(&archive);
        }
    }
    let counts = archive.catalog().counts().unwrap();
    assert_eq!((counts.versions, counts.unstamped), (size.records, 0));
    archive.close().unwrap();
    probe.end(folder)
}

/// A frame without contents and manifest, and the entry that its manifest makes.
fn add(archive: &Archive, version: VersionId, number: u64, metadata: Metadata) {
    let manifest = Manifest {
        archive: ArchiveId::from_bytes([0; 16]),
        record: version.record(),
        version: version.version(),
        supersedes: (version.version() > 1).then(|| Superseded {
            version: 1,
            digests: Digests::of(b"before"),
        }),
        class: ClassReference {
            id: format!("class-{}", number % CLASSES),
            digests: Digests::of(b"class"),
        },
        metadata,
        objects: vec![ContentObject {
            name: ObjectName::new(&format!("注文書-{number}.pdf")).unwrap(),
            role: Role::Original,
            media_type: "application/pdf".to_owned(),
            size: 100_000,
            digests: Digests::of(&number.to_be_bytes()),
            lines: None,
        }],
        depositor: "bench".to_owned(),
        channel: "cli".to_owned(),
        received_at: SystemClock.now(),
        facts: BTreeMap::new(),
        salt: [5; 16],
    };
    let manifest = Manifest::parse(&manifest.encode().unwrap()).unwrap();
    let mut identity = [0; 32];
    identity[..8].copy_from_slice(&number.to_be_bytes());
    let frame = RecordVersion {
        version,
        identity,
        contents: Vec::new(),
        manifest_codec: ChunkCodec::Stored,
        manifest_plain_bytes: 0,
        manifest_sealed: Vec::new(),
    };
    let appender = archive.store().appender().unwrap();
    let address = appender
        .append(Frame::RecordVersion(frame.clone()))
        .unwrap();
    if number.is_multiple_of(COMMIT_EVERY) {
        appender.commit(address).unwrap();
    }
    archive
        .catalog()
        .apply_version(address, &frame, &manifest)
        .unwrap();
}

/// Days of ten years; amounts from 1 to 100,000,000 yen, small ones more often; counterparties, a few of them far more often than others.
fn metadata(random: &mut Random, size: Size) -> Metadata {
    let date = first_day() + Duration::days(random.below(DAYS).cast_signed());
    let digits = random.below(8);
    let amount = 1 + random.below(10_u64.pow(u32::try_from(digits).unwrap() + 1));
    let often = random.below(size.names) * random.below(size.names) / size.names.max(1);
    let matter = random.below(MATTERS);
    Metadata {
        date: (random.below(50) > 0).then_some(date),
        amount: (random.below(50) > 0).then(|| amount.to_string().parse().unwrap()),
        currency: Some(["JPY", "JPY", "JPY", "USD"][random.below(4) as usize])
            .map(|code| code.parse().unwrap()),
        counterparty: (random.below(50) > 0).then(|| name(often)),
        title: Some("注文書".to_owned()),
        document_number: Some(format!("PO-{}", random.below(10_000_000))),
        additional: BTreeMap::from([("matter".to_owned(), format!("m-{matter}"))]),
        ..Metadata::default()
    }
}

/// A counterparty: a place, a trade, a number and a form of company, written in several ways.
pub(crate) fn name(number: u64) -> String {
    let place = PLACES[number as usize % PLACES.len()];
    let trade = TRADES[number as usize / PLACES.len() % TRADES.len()];
    match number % 3 {
        0 => format!("株式会社{place}{trade}{number}"),
        1 => format!("{place}{trade}{number}㈱"),
        _ => format!("（有）{place} {trade} {number}"),
    }
}

pub(crate) fn first_day() -> Date {
    Date::from_calendar_date(2017, time::Month::January, 1).unwrap()
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
    let plan = archive.queue().plan(BatchOptions::default()).unwrap();
    for batch in plan.batches {
        let made = maker.make(&batch, &mut |_| {}).unwrap();
        made.apply(archive.catalog()).unwrap();
    }
}

pub(crate) fn open(folder: &Path, access: Access) -> Archive {
    let config = Config::read(&folder.join("fumikura.toml")).unwrap();
    let opened = Archive::open(config, &passphrase(), access, environment(), &mut |_| {});
    opened.unwrap().0
}

/// With the engine that an archive of this size has.
fn config(folder: &Path, size: Size) -> Config {
    let engine = EngineChoice::Auto.for_versions(size.records);
    let text = format!(
        "version = 1\narchive = \"{}\"\ndata = [\"data\"]\nkeys = \"keys\"\nevaluation = true\n[index]\nengine = \"{}\"\n[[tsa]]\nname = \"embedded\"\nembedded = true\n",
        ArchiveId::from_bytes([0; 16]),
        engine.name(),
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

pub(crate) const PLACES: [&str; 12] = [
    "東京",
    "大阪",
    "名古屋",
    "札幌",
    "仙台",
    "横浜",
    "京都",
    "神戸",
    "広島",
    "福岡",
    "那覇",
    "Yokohama",
];
pub(crate) const TRADES: [&str; 14] = [
    "商事",
    "製作所",
    "運輸",
    "システム",
    "食品",
    "ﾃｸﾉﾛｼﾞｰ",
    "不動産",
    "印刷",
    "電機",
    "建設",
    "薬品",
    "会計事務所",
    "ふみくら",
    "Trading",
];
/// Ten years.
pub(crate) const DAYS: u64 = 3652;
const BATCHES: u64 = 10;
const CLASSES: u64 = 20;
const MATTERS: u64 = 200;
const COMMIT_EVERY: u64 = 10_000;
