//! The phases. Each runs in a process of its own, on the archive that the one before left.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use archiver::archive::{self, Access, Archive, Environment, NewArchive};
use archiver::config::{
    AccountsConfig, AlarmsConfig, Config, IndexConfig, IntakesConfig, MediaConfig, RenewalConfig,
    SEGMENT_BYTES_MAX_DEFAULT, ScrubConfig, ServiceConfig, TsaConfig,
};
use archiver::evidence::assemble::EvidenceAssembler;
use archiver::evidence::batch::BatchMaker;
use archiver::evidence::leaves::group_of;
use archiver::evidence::plan::BatchOptions;
use archiver::evidence::renew::{RenewOptions, RenewalAction, RenewalAuthorities, Renewer};
use archiver::intake::{SourceName, Walk};
use archiver::keys::Passphrase;
use archiver::record::deposit::{DepositOptions, DepositRequest};
use archiver::store::ScanScope;
use archiver::tsa::checks::AcceptedToken;
use archiver::tsa::client::Timestamper;
use archiver::tsa::material::NoMaterial;
use archiver::tsa::refusal::TsaError;
use firmware::clock::{Clock, SimulatedClock, SystemClock};
use firmware::entropy::SystemEntropy;
use firmware::media;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::id::{ArchiveId, BatchId, VersionId};
use formats::manifest::Metadata;
use formats::segment::{FRAME_HEADER_BYTES, Frame};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::evidence::{Group, verify_record};
use verifier::finding::Place;
use verifier::path::TrustAnchor;
use verifier::source::{DigestSource, KnownDigests};
use zeroize::Zeroizing;

use crate::probe::Probe;

const OLD: DigestAlgorithm = DigestAlgorithm::Sha256;
const NEW: DigestAlgorithm = DigestAlgorithm::Sha512;

/// Runs a phase on the archive in `folder`, and gives what it cost.
pub(crate) fn run(phase: &str, folder: &Path, records: u64, batches: u64) -> Value {
    match phase {
        "make" => make(folder, records, batches),
        "time-stamp" => renew(folder, 100, |heads| RenewalAction::TimeStamp {
            track: 0,
            algorithm: OLD,
            heads,
        }),
        "hash-tree" => {
            // No frame of content can be read from here on.
            let chunks = flip_content(folder);
            let mut cost = renew(folder, 200, |heads| RenewalAction::HashTree {
                track: 0,
                from: OLD,
                to: NEW,
                heads,
            });
            assert_eq!(flip_content(folder), chunks);
            cost["unreadable_chunks"] = chunks.into();
            cost
        }
        "open" => open_again(folder),
        "rebuild" => rebuild(folder, records),
        "judge" => judge(folder),
        other => panic!("no such phase: {other}"),
    }
}

/// Deposits files, as the command does, and stamps each batch.
fn make(folder: &Path, records: u64, batches: u64) -> Value {
    let clock = Arc::new(SystemClock);
    fs::create_dir_all(folder.join("in")).unwrap();
    let probe = Probe::begin(folder);
    let environment = environment(clock);
    archive::create(
        NewArchive {
            config: config(folder),
            token: None,
        },
        &passphrase(),
        &environment,
    )
    .unwrap();
    let archive = open(folder, environment);
    let request = DepositRequest {
        class: archive.classes().class("general").unwrap().clone(),
        given: Metadata::default(),
        depositor: "bench".to_owned(),
        channel: "cli".to_owned(),
    };
    for batch in 0..batches {
        for number in batch * records / batches..(batch + 1) * records / batches {
            let mut file = File::create(folder.join("in").join(number.to_string())).unwrap();
            let text = format!("{{\"order\":{number},\"quantity\":{}}}\n", number % 97);
            file.write_all(text.repeat(3).as_bytes()).unwrap();
        }
        let walk = Walk::new(vec![folder.join("in")], SourceName::from(OsStr::new("-")));
        let mut events = 0;
        let depositor = archive.depositor().unwrap();
        depositor.deposit_all(walk, &request, &DepositOptions::default(), &mut |some| {
            events += some.len();
        });
        stamp(&archive);
        fs::remove_dir_all(folder.join("in")).unwrap();
        fs::create_dir(folder.join("in")).unwrap();
    }
    let counts = archive.catalog().counts().unwrap();
    assert_eq!(
        (counts.versions, counts.unstamped, counts.batches),
        (records, 0, batches)
    );
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

/// Renews all chains, as `archiver renew` does when the plan says so.
fn renew(folder: &Path, days: i64, action: impl FnOnce(Vec<BatchId>) -> RenewalAction) -> Value {
    let archive = open(folder, later(days));
    let probe = Probe::begin(folder);
    let heads = archive.catalog().heads().unwrap().into_iter();
    let live = heads
        .filter(|head| head.live > 0)
        .map(|head| head.entry.batch);
    let action = action(live.collect());
    let authorities = archive.authorities().unwrap();
    let counted = Counted {
        inner: &authorities.first,
        requests: AtomicU64::new(0),
    };
    let appender = archive.store().appender().unwrap();
    let environment = archive.environment();
    let renewer = Renewer {
        authorities: RenewalAuthorities {
            first: &counted,
            second: None,
        },
        log: &appender,
        frames: archive.store(),
        catalog: archive.catalog(),
        retriever: archive.retriever(),
        clock: environment.clock.as_ref(),
        entropy: environment.entropy.as_ref(),
        threads: threads(),
        material: &NoMaterial,
        anchors: &authorities.anchors,
        options: RenewOptions::default(),
    };
    let renewed = renewer.run(&action, &mut |_| {}).unwrap();
    assert!(renewed.is_whole(), "{renewed:?}");
    let requests = counted.requests.load(Ordering::Relaxed);
    drop((appender, authorities));
    archive.close().unwrap();
    let mut cost = probe.end(folder);
    cost["requests"] = requests.into();
    cost["chains"] = renewed.chains.into();
    cost
}

/// Opens the archive. Where the index is older than the segments, it is brought up to date.
fn open_again(folder: &Path) -> Value {
    let probe = Probe::begin(folder);
    let archive = open(folder, later(300));
    archive.close().unwrap();
    probe.end(folder)
}

fn rebuild(folder: &Path, records: u64) -> Value {
    let probe = Probe::begin(folder);
    let config = Config::read(&folder.join("fumikura.toml")).unwrap();
    let (archive, report) =
        Archive::rebuild(config, &passphrase(), later(300), &mut |_| {}).unwrap();
    assert_eq!(report.catalog.versions_applied, records);
    assert!(report.catalog.damaged.is_empty(), "{report:?}");
    archive.close().unwrap();
    probe.end(folder)
}

/// Puts the evidence of a sample together, and judges it in full.
fn judge(folder: &Path) -> Value {
    let archive = open(folder, later(300));
    let probe = Probe::begin(folder);
    let stride = (archive.catalog().counts().unwrap().versions / SAMPLE).max(1);
    let mut sample: Vec<VersionId> = Vec::new();
    let mut seen = 0;
    archive
        .catalog()
        .for_each(&mut |hit| {
            if seen % stride == 0 {
                sample.push(hit.version);
            }
            seen += 1;
            true
        })
        .unwrap();
    let anchors = archive.authorities().unwrap().anchors;
    let anchors: Vec<TrustAnchor> = anchors
        .iter()
        .map(|anchor| TrustAnchor::from_certificate(anchor).unwrap())
        .collect();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: archive.policy(),
        time: archive.environment().clock.now(),
        cache: None,
        registry: None,
    };
    let mut largest = 0;
    let assembler = EvidenceAssembler::new(archive.store(), archive.catalog());
    for version in &sample {
        let opened = archive.retriever().open(*version).unwrap();
        let group = |algorithm| group_of(&opened, archive.catalog(), archive.store(), algorithm);
        let record = assembler.evidence_record(*version, 0, &group).unwrap();
        largest = largest.max(record.len());
        let known = known(&group(OLD).unwrap(), &group(NEW).unwrap());
        let data: Vec<&dyn DigestSource> = known.iter().map(|one| one as _).collect();
        let report = verify_record(&record, &data, Group::Whole, &context, &Place::root());
        assert!(report.judgement.is_passed(), "{version}: {report:?}");
    }
    let mut cost = probe.end(folder);
    cost["judged"] = sample.len().into();
    cost["largest_record"] = largest.into();
    cost
}

fn known(old: &[DigestValue], new: &[DigestValue]) -> Vec<KnownDigests> {
    let pairs = old.iter().zip(new);
    pairs
        .map(|(old, new)| KnownDigests::computed("object", vec![*old, *new]))
        .collect()
}

/// Changes one bit in each frame of content, or changes it back: a frame that was changed cannot be read. Gives their number.
fn flip_content(folder: &Path) -> u64 {
    let archive = open(folder, later(0));
    let mut addresses = Vec::new();
    let frozen = folder.join("chunks");
    if let Ok(kept) = fs::read(&frozen) {
        // Of frames that cannot be read, the scan tells nothing.
        let places = kept.chunks_exact(16).map(|place| place.split_at(8));
        let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
        addresses.extend(places.map(|(segment, offset)| (number(segment), number(offset))));
        fs::remove_file(&frozen).unwrap();
    } else {
        for item in archive.store().scan(None, ScanScope::Everything) {
            let item = item.unwrap();
            if matches!(item.frame, Frame::ContentChunk(_)) {
                addresses.push((u64::from(item.address.segment), item.address.offset));
            }
        }
        let mut file = File::create(&frozen).unwrap();
        for (segment, offset) in &addresses {
            file.write_all(&[segment.to_be_bytes(), offset.to_be_bytes()].concat())
                .unwrap();
        }
    }
    archive.close().unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("data/segments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    files.sort();
    let first = addresses.first().map_or(0, |(segment, _)| *segment);
    let mut open: Option<(u64, File)> = None;
    for (segment, offset) in &addresses {
        if open.as_ref().is_none_or(|(number, _)| number != segment) {
            let path = &files[usize::try_from(segment - first).unwrap()];
            // Sealed segments are protected against writing; the superuser of a bench machine is not stopped by it.
            let file = File::options().read(true).write(true).open(path).unwrap();
            open = Some((*segment, file));
        }
        let (_, file) = open.as_ref().unwrap();
        let place = offset + FRAME_HEADER_BYTES as u64;
        let mut byte = [0];
        file.read_exact_at(&mut byte, place).unwrap();
        file.write_all_at(&[byte[0] ^ 1], place).unwrap();
    }
    addresses.len() as u64
}

/// Counts what an authority is asked.
#[derive(Debug)]
struct Counted<'a> {
    inner: &'a dyn Timestamper,
    requests: AtomicU64,
}

impl Timestamper for Counted<'_> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.inner.timestamp(imprint)
    }
}

fn open(folder: &Path, environment: Environment) -> Archive {
    let config = Config::read(&folder.join("fumikura.toml")).unwrap();
    let opened = Archive::open(
        config,
        &passphrase(),
        Access::Write,
        environment,
        &mut |_| {},
    );
    opened.unwrap().0
}

fn config(folder: &Path) -> Config {
    Config {
        path: folder.join("fumikura.toml"),
        archive: ArchiveId::from_bytes([0; 16]),
        data: vec![folder.join("data")],
        keys: folder.join("keys"),
        index: folder.join("index"),
        classes: None,
        evaluation: true,
        key_copies: Vec::new(),
        key_copies_min: None,
        key_responsible: None,
        passphrase_file: None,
        segment_bytes_max: SEGMENT_BYTES_MAX_DEFAULT,
        parity: None,
        scrub: ScrubConfig::default(),
        tsas: vec![TsaConfig::embedded("embedded")],
        registry: None,
        policy: None,
        media: MediaConfig::default(),
        renewal: RenewalConfig::default(),
        service: ServiceConfig::default(),
        alarms: AlarmsConfig::default(),
        accounts: AccountsConfig::default(),
        intakes: IntakesConfig::default(),
        index_options: IndexConfig::default(),
    }
}

fn environment(clock: Arc<dyn Clock>) -> Environment {
    Environment {
        clock,
        entropy: Arc::new(SystemEntropy),
        boot_id: media::boot_id().unwrap(),
        disk: archiver::store::durable::system_disk(),
    }
}

/// So many days from now.
fn later(days: i64) -> Environment {
    let now: OffsetDateTime = SystemClock.now();
    environment(Arc::new(SimulatedClock::new(now + Duration::days(days))))
}

fn passphrase() -> Passphrase {
    Passphrase::new(&Zeroizing::new(b"correct horse battery staple".to_vec())).unwrap()
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Evidence records that are judged.
const SAMPLE: u64 = 1000;
