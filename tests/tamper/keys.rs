//! Bits of the key medium, the index, the labels and the configuration: an error or the right bytes, never wrong ones; and nothing that
//! was acknowledged is thrown away because of them.

use std::collections::BTreeMap;
use std::fs;

use tests::random::Random;
use tests::world::Run;

use crate::archive::{Archive, Kept, flip, text_of};

const SEED: u64 = 0x6b65_7973;
const LEDGER: &str = "keys/ledger/0000000001.led";
/// `formats/SPEC.md`: header and entries of a ledger file.
const LEDGER_HEADER_BYTES: u64 = 64;

fn small() -> Archive {
    let texts = [("in/one.txt", "one"), ("in/two.txt", "two")];
    let files: BTreeMap<String, Vec<u8>> = texts
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    Archive::of(&files)
}

/// What was told, but for the notice that every command of a trial archive prints.
fn told(run: &Run) -> Vec<&str> {
    let lines = run.stderr.lines();
    lines.filter(|line| !line.contains("EVALUATION")).collect()
}

#[test]
fn a_bit_of_the_key_ledger_is_found_and_costs_no_other_key() {
    let mut archive = small();
    let mut random = Random::new(SEED);
    let ledger = archive.world.at(LEDGER);
    let length = fs::metadata(&ledger).expect("a ledger").len();
    let header = (0..LEDGER_HEADER_BYTES).step_by(12);
    let entries = (LEDGER_HEADER_BYTES..length).step_by(9);
    for (number, position) in header.chain(entries).enumerate() {
        let bit = u8::try_from(random.below(8)).expect("a bit");
        let what = format!("{LEDGER}, byte {position}, bit {bit}");
        flip(&ledger, position, bit);
        let run = archive.world.archiver(["verify", "--json"]);
        assert_eq!(run.code, 7, "{what}: {}{}", run.stdout, run.stderr);
        archive.fetch_all(&what, &[7]);
        // Writing must not take the damage for a torn end and cut it off.
        if number % 5 == 0 {
            let text = format!("deposited beside a damaged ledger, {number}");
            let file = format!("more/{number}.txt");
            archive.world.file(&file, text.as_bytes());
            let deposit = ["deposit", &file, "--class", "general", "--json"];
            let run = archive.world.archiver(deposit);
            if run.code == 0 {
                let record = text_of(&run.json()[0]["record"]);
                archive.records.insert(record, text.into_bytes());
            } else {
                assert_eq!(run.code, 7, "{what}: {}", run.stderr);
            }
        }
        flip(&ledger, position, bit);
    }
    archive.world.archiver(["stamp"]).expect_code(0);
    archive.verify_finds_nothing();
    archive.fetch_all("the ledger as it was", &[]);
}

#[test]
fn an_index_made_without_a_key_says_so_and_is_whole_again_after_a_rebuild() {
    let archive = small();
    let search = || {
        archive
            .world
            .archiver(["search", "--text", "one.txt", "--json"])
    };
    let before = search().expect_code(0).stdout;
    let ledger = archive.world.at(LEDGER);
    let last = fs::metadata(&ledger).expect("a ledger").len() - 1;
    for position in [last, last - 96] {
        fs::remove_dir_all(archive.world.at("index")).expect("an index");
        flip(&ledger, position, 0);
        let run = search();
        assert!(!told(&run).is_empty(), "nothing told: {}", run.stdout);
        flip(&ledger, position, 0);
        archive.world.archiver(["rebuild"]).expect_code(0);
        assert_eq!(search().expect_code(0).stdout, before);
    }
}

#[test]
fn a_bit_of_the_index_changes_no_answer() {
    let archive = small();
    let mut random = Random::new(SEED);
    let search = || archive.world.archiver(["search", "--json"]);
    let before = search().expect_code(0).stdout;
    for number in 0..40 {
        // The index is made anew where it is found damaged, so its files are looked for each time.
        let folder = fs::read_dir(archive.world.at("index/records")).expect("an index");
        let mut files: Vec<_> = folder
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.retain(|path| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0));
        files.sort();
        let file = &files[number % files.len()];
        let length = fs::metadata(file).expect("a file").len().min(8192);
        let (position, bit) = (
            random.below(length),
            u8::try_from(random.below(8)).expect("a bit"),
        );
        flip(file, position, bit);
        let what = format!("{}, byte {position}, bit {bit}", file.display());
        let run = search();
        assert_eq!(run.code, 0, "{what}: {}", run.stderr);
        assert_eq!(run.stdout, before, "{what}");
    }
    archive.verify_finds_nothing();
}

#[test]
fn a_bit_of_the_wrapped_key_closes_the_archive() {
    let archive = small();
    let mut random = Random::new(SEED);
    let file = archive.world.at("keys/kek.json");
    let length = fs::metadata(&file).expect("a file").len();
    for _ in 0..40 {
        let (position, bit) = (
            random.below(length),
            u8::try_from(random.below(8)).expect("a bit"),
        );
        flip(&file, position, bit);
        let run = archive.world.archiver(["search"]);
        let what = format!("kek.json, byte {position}, bit {bit}: {}", run.stderr);
        assert!([3, 7].contains(&run.code), "{what}");
        assert_eq!(told(&run).len(), 1, "{what}");
        flip(&file, position, bit);
    }
    archive.verify_finds_nothing();
}

#[test]
fn a_bit_of_a_label_or_of_the_configuration_never_gives_wrong_bytes() {
    let archive = small();
    let mut random = Random::new(SEED);
    let files = [
        ("data-a/MEDIUM.json", 12, &[0, 3][..]),
        ("data-b/MEDIUM.json", 12, &[0, 3]),
        // Damage of this label is told as damage: there is no other one.
        ("keys/MEDIUM.json", 6, &[0, 3, 7]),
        // Nothing relies on these two.
        ("data-a/SPEC.md", 3, &[0]),
        ("data-a/segments/growing", 12, &[0]),
        ("fumikura.toml", 40, &[0, 2, 3, 4]),
    ];
    for (name, count, codes) in files {
        let path = archive.world.at(name);
        let kept = Kept::of(&path);
        let length = fs::metadata(&path).expect("a file").len();
        for _ in 0..count {
            let (position, bit) = (
                random.below(length),
                u8::try_from(random.below(8)).expect("a bit"),
            );
            let what = format!("{name}, byte {position}, bit {bit}");
            flip(&path, position, bit);
            let run = archive.world.archiver(["search", "--json"]);
            assert!(
                codes.contains(&run.code),
                "{what}: {} {}",
                run.code,
                run.stderr
            );
            if run.code == 0 {
                let (found, kept) = (run.json().len(), archive.records.len());
                assert_eq!(found, kept, "{what}: {}", run.stderr);
                archive.fetch_all(&what, &[]);
            } else {
                archive.fetch_all(&what, codes);
            }
            kept.put_back();
        }
    }
    archive.verify_finds_nothing();
}

#[test]
fn a_bit_of_the_authority_s_key_or_certificates_makes_no_bad_token() {
    let mut archive = small();
    let mut random = Random::new(SEED);
    for name in ["authority.pem", "key.sealed", "root.pem"] {
        let path = archive.world.at("keys/tsa").join(name);
        let kept = Kept::of(&path);
        let length = fs::metadata(&path).expect("a file").len();
        for number in 0..12 {
            let text = format!("{name} {number}");
            let file = format!("more/{name}-{number}.txt");
            archive.world.file(&file, text.as_bytes());
            let deposit = ["deposit", &file, "--class", "general", "--json"];
            let run = archive.world.archiver(deposit).expect_code(0);
            let record = text_of(&run.json()[0]["record"]);
            archive.records.insert(record, text.into_bytes());

            let (position, bit) = (
                random.below(length),
                u8::try_from(random.below(8)).expect("a bit"),
            );
            flip(&path, position, bit);
            let run = archive.world.archiver(["stamp"]);
            let what = format!(
                "{name}, byte {position}, bit {bit}: {} {}",
                run.code, run.stderr
            );
            assert!([0, 3, 6, 7].contains(&run.code), "{what}");
            assert!(run.code == 0 || told(&run).len() == 1, "{what}");
            kept.put_back();
            // Whatever was stamped under the changed files is good under the right ones.
            archive.world.archiver(["stamp"]).expect_code(0);
        }
    }
    archive.verify_finds_nothing();
}
