//! The contract of an engine, for every engine: after a crash the batches up to some point are there, whole, and none behind it; damaged files
//! are noticed or do not matter, and never lead to another answer.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;
use crate::store::durable::faults::Random;
use crate::store::durable::{replace_file, system_disk};

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

const CACHE_BYTES: u64 = 1 << 20;

/// Batch `number`: it puts its own entries, changes one that all batches change, and removes one of the batch before.
fn batch(number: u32) -> Vec<Change> {
    let mut changes: Vec<Change> = (0..20)
        .map(|entry| {
            let value = [number.to_be_bytes().as_slice(), &[7; 100]].concat();
            (key(number, entry), Some(value))
        })
        .collect();
    changes.push((b"last".to_vec(), Some(number.to_be_bytes().to_vec())));
    if let Some(before) = number.checked_sub(1) {
        changes.push((key(before, 5), None));
    }
    changes
}

/// Batches lie among each other, so that engines have to move what was there.
fn key(number: u32, entry: u32) -> Vec<u8> {
    let spread = (number * 20 + entry).wrapping_mul(0x9E37_79B1);
    [b"v".as_slice(), &spread.to_be_bytes()].concat()
}

fn expected(batches: u32) -> Entries {
    let mut entries = Entries::new();
    for (key, value) in (0..batches).flat_map(batch) {
        match value {
            Some(value) => entries.insert(key, value),
            None => entries.remove(&key),
        };
    }
    entries
}

fn entries(engine: &dyn RecordIndex) -> Result<Entries, IndexError> {
    let mut entries = Entries::new();
    engine.scan(&[], &[], &mut |key, value| {
        entries.insert(key.to_vec(), value.to_vec());
        ControlFlow::Continue(())
    })?;
    Ok(entries)
}

/// How many batches are there, whole. Panics when it is a part of one, or one without an earlier one.
fn batches(engine: &dyn RecordIndex) -> Result<u32, IndexError> {
    let found = entries(engine)?;
    let batches = found.get(b"last".as_slice()).map_or(0, |last| {
        u32::from_be_bytes(last.as_slice().try_into().unwrap()) + 1
    });
    assert!(
        found == expected(batches),
        "not the first {batches} batches"
    );
    Ok(batches)
}

fn filled(engine: IndexEngine, folder: &Path, count: u32) {
    let index = engine.open(folder, CACHE_BYTES).unwrap();
    for number in 0..count {
        index.apply(batch(number)).unwrap();
    }
    index.flush().unwrap();
}

#[test]
fn what_was_applied_is_found_now_and_later() {
    for engine in IndexEngine::ALL {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("records");
        let index = engine.open(&folder, CACHE_BYTES).unwrap();
        assert!(entries(index.as_ref()).unwrap().is_empty());
        assert!(index.get(b"nothing").unwrap().is_none());
        for number in 0..50 {
            index.apply(batch(number)).unwrap();
            assert_eq!(batches(index.as_ref()).unwrap(), number + 1);
        }
        assert!(index.contains(&key(3, 4)).unwrap());
        assert!(!index.contains(&key(3, 5)).unwrap(), "removed");
        let value = index.get(&key(3, 4)).unwrap().unwrap();
        assert_eq!(value[..4], 3_u32.to_be_bytes());
        index.flush().unwrap();
        drop(index);
        let index = engine.open(&folder, CACHE_BYTES).unwrap();
        assert_eq!(batches(index.as_ref()).unwrap(), 50, "{engine:?}");
    }
}

#[test]
fn a_scan_keeps_to_its_prefix_and_stops_when_told() {
    for engine in IndexEngine::ALL {
        let place = tempfile::tempdir().unwrap();
        let index = engine.open(place.path(), CACHE_BYTES).unwrap();
        let put = |key: &[u8]| (key.to_vec(), Some(key.to_vec()));
        index
            .apply(vec![
                put(b"a1"),
                put(b"b1"),
                put(b"b2"),
                put(b"b3"),
                put(b"c"),
            ])
            .unwrap();
        let seen = |prefix: &[u8], from: &[u8], most: usize| {
            let mut seen = Vec::new();
            index
                .scan(prefix, from, &mut |key, value| {
                    assert_eq!(key, value);
                    seen.push(String::from_utf8(key.to_vec()).unwrap());
                    if seen.len() == most {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })
                .unwrap();
            seen
        };
        assert_eq!(seen(b"b", b"b", 9), ["b1", "b2", "b3"]);
        assert_eq!(seen(b"b", b"b2", 9), ["b2", "b3"]);
        assert_eq!(seen(b"b", b"b", 2), ["b1", "b2"]);
        assert_eq!(seen(b"", b"", 9).len(), 5);
        assert!(seen(b"d", b"d", 9).is_empty());
        let last = |prefix: &[u8]| {
            let key = index.last(prefix).unwrap();
            key.map(|key| String::from_utf8(key).unwrap())
        };
        assert_eq!(last(b"b").as_deref(), Some("b3"));
        assert_eq!(last(b"").as_deref(), Some("c"));
        assert_eq!(last(b"b2").as_deref(), Some("b2"));
        assert_eq!((last(b"d"), last(b"b0")), (None, None));
    }
}

/// Does nothing in an ordinary run. As the child of the test below, it applies batches until it is killed, and says how many it has flushed.
#[test]
fn apply_until_killed() {
    let Ok(task) = std::env::var("FUMIKURA_TEST_ENGINE") else {
        return;
    };
    let (engine, folder) = task.split_once(' ').unwrap();
    let engine: IndexEngine = engine.parse().unwrap();
    let index = engine.open(Path::new(folder), CACHE_BYTES).unwrap();
    let first = batches(index.as_ref()).unwrap();
    for number in first..first + 100_000 {
        index.apply(batch(number)).unwrap();
        if number % 16 == 0 {
            index.flush().unwrap();
            eprint!("{number:08}");
        }
    }
}

#[test]
fn a_killed_process_leaves_the_batches_up_to_some_point() {
    for engine in IndexEngine::ALL {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("records");
        let mut random = Random(42);
        let mut damaged = 0;
        for round in 0..8 {
            let task = format!("{} {}", engine.name(), folder.display());
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--nocapture", CHILD])
                .env("FUMIKURA_TEST_ENGINE", task)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = child.stderr.take().unwrap();
            let mut number = [0; 8];
            // Killed after so many flushes: how fast the machine is does not matter.
            for _ in 0..=random.below(12) {
                said.read_exact(&mut number).unwrap();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let mut rest = Vec::new();
            said.read_to_end(&mut rest).unwrap();
            let last = rest.chunks_exact(8).last().unwrap_or(&number);
            let flushed: u32 = std::str::from_utf8(last).unwrap().parse().unwrap();
            match engine.open(&folder, CACHE_BYTES) {
                Ok(index) => {
                    let found = batches(index.as_ref()).unwrap();
                    assert!(
                        found > flushed,
                        "{engine:?} round {round}: {found} of {flushed}"
                    );
                }
                // Found corrupt: what the catalog then does is its own test.
                Err(IndexError::Damaged) => {
                    damaged += 1;
                    std::fs::remove_dir_all(&folder).unwrap();
                }
                Err(error) => panic!("{engine:?} round {round}: {error:?}"),
            }
        }
        // sled may find its own files corrupt after a kill, but not as a rule.
        let damaged_max = if engine == IndexEngine::Fjall { 0 } else { 4 };
        assert!(damaged <= damaged_max, "{engine:?}: {damaged} of 8");
    }
}

const CHILD: &str = "store::catalog::engine::tests::apply_until_killed";

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Cuts, empties, zeroes, extends, replaces, removes a file, or flips a bit of it.
fn damage(path: &Path, kind: u32, random: &mut Random) {
    let mut bytes = std::fs::read(path).unwrap();
    let length = bytes.len();
    match kind {
        0 => bytes.truncate(length / 2),
        1 => bytes.clear(),
        2 => bytes
            .iter_mut()
            .for_each(|byte| *byte = random.below(256) as u8),
        3 => bytes.truncate(length.saturating_sub(1)),
        4 => bytes.fill(0),
        5 => bytes.extend([7; 100]),
        6 => bytes = b"a foreign file\n".to_vec(),
        _ if length == 0 => {}
        _ => {
            // Lengths at the end of a table are what the catalog's note is for: the engine would take them for memory.
            let is_journal = path.extension().is_some_and(|extension| extension == "jnl");
            let reach = if is_journal {
                length
            } else {
                length.div_ceil(2)
            };
            let bit = random.below(reach as u64 * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
    std::fs::remove_file(path).unwrap();
    if kind != 7 {
        replace_file(system_disk().as_ref(), path, &bytes).unwrap();
    }
}

/// Each file of a closed engine, damaged in each way: it is an error, or the batches up to some point are there. The catalog reads the rest from
/// the segments.
#[test]
fn damage_is_an_error_or_takes_the_end_away() {
    for engine in IndexEngine::ALL {
        let place = tempfile::tempdir().unwrap();
        let good = place.path().join("good");
        filled(engine, &good, 40);
        let mut random = Random(7);
        let mut noticed = 0;
        for file in 0..files(&good).len() {
            for kind in 0..20 {
                let folder = place.path().join("damaged");
                copy(&good, &folder);
                damage(&files(&folder)[file], kind, &mut random);
                let opened = engine.open(&folder, CACHE_BYTES);
                match opened.and_then(|index| entries(index.as_ref())) {
                    Ok(found) => {
                        let last = found.get(b"last".as_slice());
                        let found_batches = last.map_or(0, |last| {
                            u32::from_be_bytes(last.as_slice().try_into().unwrap()) + 1
                        });
                        let name = files(&good)[file].clone();
                        assert!(
                            found == expected(found_batches),
                            "{engine:?}, {}, damage {kind}",
                            name.display()
                        );
                    }
                    Err(_) => noticed += 1,
                }
                std::fs::remove_dir_all(&folder).unwrap();
            }
        }
        assert!(noticed > 5, "{engine:?}: {noticed}");
    }
}

#[test]
fn engines_are_known_by_their_names() {
    for engine in IndexEngine::ALL {
        assert_eq!(engine.name().parse(), Ok(engine));
        assert_eq!(engine.name().parse(), Ok(EngineChoice::Use(engine)));
    }
    assert_eq!("auto".parse(), Ok(EngineChoice::Auto));
    for wrong in ["", "Sled", "rocksdb", "auto "] {
        assert_eq!(wrong.parse::<EngineChoice>(), Err(UnknownEngine), "{wrong}");
    }
    assert_eq!("auto".parse::<IndexEngine>(), Err(UnknownEngine));
}

#[test]
fn the_size_chooses_and_never_goes_back() {
    use EngineChoice::{Auto, Use};
    use IndexEngine::{Fjall, Sled};
    let few = SLED_VERSIONS_MAX;
    let many = SLED_VERSIONS_MAX + 1;
    assert_eq!(
        (Auto.for_versions(few), Auto.for_versions(many)),
        (Sled, Fjall)
    );
    assert_eq!(Auto.instead_of(Sled, few), None);
    assert_eq!(Auto.instead_of(Sled, many), Some(Fjall));
    assert_eq!(Auto.instead_of(Fjall, 0), None);
    assert_eq!(Use(Sled).instead_of(Fjall, many), Some(Sled));
    assert_eq!(Use(Sled).instead_of(Sled, many), None);
}
