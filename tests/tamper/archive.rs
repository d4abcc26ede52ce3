//! An archive with sealed segments, and ways to damage it and mend it again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use formats::id::RecordId;
use formats::segment::{FRAME_HEADER_BYTES, FrameHeader, FrameType};
use serde_json::Value;
use tests::random::Random;
use tests::world::{Run, World};

/// The smallest segments that the configuration accepts.
const SEGMENT_BYTES: &str = "4194304";

/// An archive whose first segments are sealed.
pub(crate) struct Archive {
    pub(crate) world: World,
    /// What was deposited, by record.
    pub(crate) records: BTreeMap<String, Vec<u8>>,
}

/// A frame in a segment file.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) frame_type: FrameType,
    /// The record, for frames that belong to one.
    pub(crate) record: Option<String>,
}

impl Archive {
    /// More than two segments of random bytes, and short texts between them, all stamped.
    pub(crate) fn sealed(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut files = BTreeMap::new();
        for number in 0..5 {
            files.insert(format!("in/{number}.bin"), random.bytes(2_000_000));
            files.insert(
                format!("in/{number}.txt"),
                format!("text {number}").into_bytes(),
            );
        }
        let archive = Self::of(&files);
        assert_eq!(archive.world.segments("data-a").len(), 3, "two are sealed");
        archive
    }

    /// An archive of these files.
    pub(crate) fn of(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let world = World::new();
        let configuration = fs::read_to_string(world.at("fumikura.toml")).expect("readable");
        let configuration = configuration.replace("268435456", SEGMENT_BYTES);
        assert!(configuration.contains(SEGMENT_BYTES));
        world.file("fumikura.toml", configuration.as_bytes());
        for (name, bytes) in files {
            world.file(name, bytes);
        }
        let deposit = ["deposit", "in", "--class", "general", "--json"];
        let events = world.archiver(deposit).expect_code(0).json();
        let records = events
            .iter()
            .filter(|event| event["event"] == "deposited")
            .map(|event| {
                let name = event["name"].as_str().expect("a name");
                (text_of(&event["record"]), files[name].clone())
            })
            .collect();
        world.archiver(["stamp"]).expect_code(0);
        Self { world, records }
    }

    /// `archiver verify`, which must find damage, and the damage that it found.
    pub(crate) fn verify_finds_damage(&self, what: &str) -> Vec<Value> {
        let run = self.world.archiver(["verify", "--json"]);
        assert_eq!(run.code, 7, "{what}: {}{}", run.stdout, run.stderr);
        let events = run.json();
        let damaged = |event: &&Value| event["event"] == "damaged";
        let found: Vec<Value> = events.iter().filter(damaged).cloned().collect();
        assert!(!found.is_empty(), "{what}: no damage told: {}", run.stdout);
        found
    }

    /// `archiver verify` finds nothing wrong, and every record passes.
    pub(crate) fn verify_finds_nothing(&self) {
        let run = self.world.archiver(["verify", "--json"]).expect_code(0);
        let events = run.json();
        let summary = events.last().expect("a summary");
        assert_eq!(summary["damaged"], 0, "{}", run.stdout);
        assert_eq!(summary["passed"], self.records.len(), "{}", run.stdout);
    }

    /// Fetches every record: each comes back as it was deposited or, with one of these exit codes, not at all.
    pub(crate) fn fetch_all(&self, what: &str, failures: &[i32]) {
        for (record, bytes) in &self.records {
            let run = self.get(record);
            if run.code == 0 {
                let back = fs::read(self.world.at("back")).expect("fetched");
                assert!(
                    back == *bytes,
                    "{what}: {record} came back as something else"
                );
            } else {
                assert!(
                    failures.contains(&run.code),
                    "{what}: {record}: {}",
                    run.stderr
                );
                assert!(
                    !self.world.at("back").exists(),
                    "{what}: {record}: a failed fetch left a file"
                );
            }
        }
    }

    /// Fetches one record to `back`.
    pub(crate) fn get(&self, record: &str) -> Run {
        drop(fs::remove_file(self.world.at("back")));
        self.world.archiver(["get", record, "-o", "back"])
    }
}

/// The frames of a segment that is whole.
pub(crate) fn frames(segment: &Path) -> Vec<Placed> {
    let bytes = fs::read(segment).expect("a segment");
    let mut offset = 0;
    let mut found = Vec::new();
    while offset < bytes.len() {
        let header = FrameHeader::parse(&bytes[offset..]).expect("a frame");
        let body = &bytes[offset + FRAME_HEADER_BYTES..offset + header.frame_bytes()];
        let owned = matches!(
            header.frame_type,
            FrameType::ContentChunk | FrameType::RecordVersion
        );
        found.push(Placed {
            offset: offset as u64,
            bytes: header.frame_bytes() as u64,
            frame_type: header.frame_type,
            record: owned.then(|| {
                let record = body.first_chunk().expect("a record id");
                RecordId::from_bytes(*record).to_string()
            }),
        });
        offset += header.frame_bytes();
    }
    found
}

/// Flips one bit of a file in place.
pub(crate) fn flip(file: &Path, offset: u64, bit: u8) {
    let file = writable(file);
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).expect("read");
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, offset).expect("written");
}

/// Opens a file for writing, sealed or not.
pub(crate) fn writable(file: &Path) -> File {
    fs::set_permissions(file, Permissions::from_mode(0o600)).expect("permissions");
    let mut options = OpenOptions::new();
    options.read(true).write(true).open(file).expect("opened")
}

/// A file as it is now; putting it back makes it so again, whatever happened.
pub(crate) struct Kept {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Kept {
    pub(crate) fn of(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            bytes: fs::read(path).expect("readable"),
        }
    }

    pub(crate) fn put_back(&self) {
        drop(fs::remove_file(&self.path));
        tests::world::put(&self.path, &self.bytes);
    }
}

/// The text of a JSON string.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
