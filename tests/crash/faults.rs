//! The fault table of `docs/en/durability.md`, row by row: what is injected, how the program ends, what it says, what becomes of the records.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use formats::digest::{DigestAlgorithm, DigestValue};
use tests::random::Random;
use tests::world::{Run, World};
use tests::{left_out, workspace_root};

use crate::calls::can_trace;
use crate::fault_rows::ROWS;
use crate::token;

pub(crate) const SEED: u64 = 0x0066_6175_6c74;

/// One row of the table.
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    /// How it is injected, in words.
    pub(crate) how: &'static str,
    pub(crate) inject: fn(&World),
    /// The command after it, what is injected into its system calls, and how it ends.
    pub(crate) command: &'static str,
    pub(crate) calls: &'static str,
    pub(crate) exit: i32,
    /// What the command must say.
    pub(crate) says: &'static str,
    pub(crate) outcome: Outcome,
}

/// What becomes of the records.
#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    /// All come back as they were deposited, from whatever copy is whole; verification names the damage until it is healed.
    ServedFromOtherCopy,
    /// All come back, and verification finds nothing wrong.
    Whole,
    /// So many come back; those of the damaged place do not, and none comes back as something else.
    OthersServed(usize),
    /// So many come back, none as something else; nobody knows the records that are lost, and every command that looks names the segment.
    LossNamed(usize),
    /// Nothing is read or written until the right medium, key or passphrase is there; then all are whole.
    WholeOncePutBack(fn(&World)),
}

impl Outcome {
    const fn text(self) -> &'static str {
        match self {
            Self::ServedFromOtherCopy => {
                "all records served from the other copy; `verify` names the place until it is healed"
            }
            Self::Whole => "all records whole; `verify` finds nothing",
            Self::OthersServed(_) => {
                "the records of that place are named and refused; all others served"
            }
            Self::LossNamed(_) => {
                "the segment is named by `rebuild`, `status`, `scrub` and `verify` until it is back; all records of the others served"
            }
            Self::WholeOncePutBack(_) => {
                "nothing is touched; all records whole once the right one is back"
            }
        }
    }
}

#[test]
fn every_fault_has_its_expected_result() {
    let base = base();
    let strace = can_trace();
    let wrong = Mutex::new(Vec::new());
    for row in ROWS {
        if !row.calls.is_empty() && !strace {
            let what = format!("{} (strace is not installed, or may not trace)", row.fault);
            left_out("ptrace", &what);
            continue;
        }
        let said = try_row(row, &base);
        if !said.is_empty() {
            wrong.lock().unwrap().push(format!("{}: {said}", row.fault));
        }
    }
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table in the document says what the rows say, and has no other ones.
#[test]
fn the_table_is_in_the_document() {
    let document = workspace_root().join("docs/en/durability.md");
    let document = fs::read_to_string(document).expect("the document");
    let table = document.split("## Fault table").nth(1).expect("the table");
    let table = table.split("\n## ").next().expect("its end");
    let lines: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let rows = ROWS.iter().chain(token::ROWS);
    let rows: Vec<String> = rows.map(Row::line).collect();
    for row in &rows {
        assert!(
            lines.contains(&row.as_str()),
            "not in the document:\n{row}\nall rows:\n{}",
            rows.join("\n")
        );
    }
    assert_eq!(lines.len(), rows.len() + 1, "rows that no test knows");
}

impl Row {
    fn line(&self) -> String {
        let command = self.command.split(' ').find(|word| !word.starts_with('@'));
        format!(
            "| {} | {} | `{}`: {} | {} |",
            self.fault,
            self.how,
            command.unwrap_or_default(),
            self.exit,
            self.outcome.text()
        )
    }
}

/// What is not as the row says; empty when all is.
pub(crate) fn try_row(row: &Row, base: &World) -> String {
    let world = World::empty();
    copy_folder(base.path(), world.path());
    (row.inject)(&world);
    let before = media(&world);
    let run = run(&world, row);
    judge(row, &world, &run, &before)
}

/// What is not as the row says, after its command. `before`: the media before that.
pub(crate) fn judge(
    row: &Row,
    world: &World,
    run: &Run,
    before: &BTreeMap<PathBuf, DigestValue>,
) -> String {
    if run.code != row.exit {
        return format!("exit {} {}{}", run.code, run.stdout, run.stderr);
    }
    if !run.stderr.contains(row.says) && !run.stdout.contains(row.says) {
        return format!("did not say {:?}: {}{}", row.says, run.stdout, run.stderr);
    }
    if let Outcome::WholeOncePutBack(put_back) = row.outcome {
        let after = media(world);
        let touched = differing(before, &after);
        if !touched.is_empty() {
            return format!("touched: {touched:?}");
        }
        put_back(world);
    }
    let (back, others) = fetch(world);
    let all = back == 10;
    let verified = world.archiver(["verify", "--json"]);
    match row.outcome {
        _ if others > 0 => format!("{others} records came back as something else"),
        Outcome::ServedFromOtherCopy if all && verified.code == 7 => String::new(),
        Outcome::Whole | Outcome::WholeOncePutBack(_) if all && verified.code == 0 => String::new(),
        Outcome::OthersServed(served) if back == served && verified.code == row.exit => {
            String::new()
        }
        Outcome::LossNamed(served) if back == served && verified.code == row.exit => {
            let looks = [&["status"][..], &["scrub", "--no-record"]];
            let silent = looks.into_iter().find(|words| {
                let run = world.archiver(*words);
                run.code != row.exit || !(run.stdout + &run.stderr).contains(row.says)
            });
            silent.map_or_else(String::new, |words| format!("{words:?} did not name it"))
        }
        Outcome::ServedFromOtherCopy
        | Outcome::Whole
        | Outcome::LossNamed(_)
        | Outcome::WholeOncePutBack(_)
        | Outcome::OthersServed(_) => format!(
            "{back} of 10 records came back, verify {} {}{}",
            verified.code, verified.stdout, verified.stderr
        ),
    }
}

fn run(world: &World, row: &Row) -> Run {
    let command = row.command.split(' ');
    if let Some(rest) = row.command.strip_prefix('@') {
        let (time, rest) = rest.split_once(' ').expect("a time and a command");
        return world.archiver_at(time, rest.split(' '));
    }
    if row.calls.is_empty() {
        return world.archiver(command);
    }
    let traced = world.archiver_command(command);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    for word in row.calls.split(' ') {
        if word.starts_with("data") || word.starts_with("keys") {
            strace.arg(world.at(word));
        } else {
            strace.arg(word);
        }
    }
    strace.arg(traced.get_program()).args(traced.get_args());
    let given = traced.get_envs();
    strace.envs(given.filter_map(|(name, value)| Some((name, value?))));
    Run::of(
        strace
            .current_dir(world.path())
            .output()
            .expect("strace runs"),
    )
}

/// Every file of the media, with the digest of what it holds.
pub(crate) fn media(world: &World) -> BTreeMap<PathBuf, DigestValue> {
    let mut files = Vec::new();
    for medium in ["data-a", "data-b", "keys"] {
        if world.at(medium).is_dir() {
            list(&world.at(medium), &mut files);
        }
    }
    let digest = |path: PathBuf| {
        let bytes = fs::read(&path).expect("read");
        (path, DigestAlgorithm::Sha256.digest(&bytes))
    };
    files.into_iter().map(digest).collect()
}

/// The files that are new, gone or others.
fn differing<'a>(
    before: &'a BTreeMap<PathBuf, DigestValue>,
    after: &'a BTreeMap<PathBuf, DigestValue>,
) -> BTreeSet<&'a PathBuf> {
    let paths = before.keys().chain(after.keys());
    let changed = paths.filter(|path| before.get(*path) != after.get(*path));
    changed.collect()
}

/// How many of the ten first records come back, and how many as something else.
fn fetch(world: &World) -> (usize, usize) {
    // What cannot be read is left out, and told by the exit code.
    world.archiver(["export", "out"]);
    let (mut back, mut others) = (0, 0);
    let mut found = Vec::new();
    if world.at("out").is_dir() {
        list(&world.at("out"), &mut found);
    }
    for path in found {
        let ours = world.at("in").join(path.file_name().expect("a name"));
        if let Ok(ours) = fs::read(ours) {
            let same = fs::read(&path).expect("fetched") == ours;
            back += usize::from(same);
            others += usize::from(!same);
        }
    }
    (back, others)
}

/// Ten records in three segments, all stamped, and one file more that waits.
fn base() -> World {
    let world = World::new();
    fill(&world);
    world
}

pub(crate) fn fill(world: &World) {
    let configuration = fs::read_to_string(world.at("fumikura.toml")).expect("readable");
    let configuration = configuration.replace("268435456", "4194304");
    world.file("fumikura.toml", configuration.as_bytes());
    let mut random = Random::new(SEED);
    for number in 0..5 {
        let (large, small) = (format!("in/{number}.bin"), format!("in/{number}.txt"));
        world.file(&large, &random.bytes(2_000_000));
        world.file(&small, format!("text {number}").as_bytes());
        // One after the other, so that each stands in the same segment in every run.
        for name in [&large, &small] {
            world
                .archiver(["deposit", name, "--class", "general"])
                .expect_code(0);
        }
    }
    world.archiver(["stamp"]).expect_code(0);
    world.file("more/one.txt", b"one more");
    assert_eq!(world.segments("data-a").len(), 3, "two are sealed");
}

pub(crate) fn segment(world: &World, medium: &str, place: usize) -> PathBuf {
    world.segments(medium)[place].clone()
}

pub(crate) fn change(path: &PathBuf, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("read");
    change(&mut bytes);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("writable");
    let file: File = OpenOptions::new().write(true).open(path).expect("opened");
    file.set_len(bytes.len() as u64).expect("set");
    file.write_all_at(&bytes, 0).expect("written");
}

pub(crate) fn exchange(world: &World, one: &str, other: &str) {
    fs::rename(world.at(one), world.at("between")).expect("moved");
    fs::rename(world.at(other), world.at(one)).expect("moved");
    fs::rename(world.at("between"), world.at(other)).expect("moved");
}

pub(crate) fn list(folder: &PathBuf, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}

pub(crate) fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    crate::renewals::copy_folder(from, to);
}
