//! Rows of the fault table on an archive that has its keys in a PKCS#11 token: the token is not there, its library is not, it goes away.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use tests::random::Random;
use tests::world::{Run, World};
use tests::{has_program, left_out};

use crate::calls::can_trace;
use crate::faults::{Outcome, Row, SEED, copy_folder, fill, judge, media, try_row};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "48151623";

pub(crate) const ROWS: &[Row] = &[
    Row {
        fault: "HSM missing",
        how: "the token not plugged in",
        inject: pull_out,
        command: "deposit more --class general",
        calls: "",
        exit: 3,
        says: "plug it in",
        outcome: Outcome::WholeOncePutBack(plug_in),
    },
    Row {
        fault: "HSM library missing",
        how: "ENOENT from opening the token's library",
        inject: |_| (),
        command: "deposit more --class general",
        calls: "-P /usr/lib/softhsm/libsofthsm2.so -e inject=openat:error=ENOENT",
        exit: 3,
        says: "install the token's software",
        outcome: Outcome::Whole,
    },
    Row {
        fault: "HSM gone",
        how: "the token pulled out after the first acknowledgement of a deposit, and put back after its end",
        inject: |_| (),
        command: "deposit more - --class general --json",
        calls: "",
        exit: 5,
        says: "is gone",
        outcome: Outcome::Whole,
    },
];

fn pull_out(world: &World) {
    fs::rename(world.at("tokens"), world.at("drawer")).expect("moved");
    fs::create_dir(world.at("tokens")).expect("an empty reader");
}

fn plug_in(world: &World) {
    fs::remove_dir_all(world.at("tokens")).expect("removed");
    fs::rename(world.at("drawer"), world.at("tokens")).expect("moved");
}

#[test]
fn a_token_that_is_gone_loses_nothing() {
    let Some(base) = base() else {
        return;
    };
    let mut wrong = Vec::new();
    for row in ROWS {
        if !row.calls.is_empty() && !can_trace() {
            left_out("ptrace", row.fault);
            continue;
        }
        let said = if row.fault == "HSM gone" {
            gone_in_the_midst(row, &base)
        } else {
            try_row(row, &base)
        };
        if !said.is_empty() {
            wrong.push(format!("{}: {said}", row.fault));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The deposit waits for its standard input when the token goes, so it is always met at the same place.
fn gone_in_the_midst(row: &Row, base: &World) -> String {
    let world = World::empty();
    copy_folder(base.path(), world.path());
    let before = media(&world);
    let mut child = world
        .archiver_command(row.command.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first = String::new();
    output.read_line(&mut first).expect("a line");
    assert!(first.contains(r#""event":"deposited""#), "{first}");
    pull_out(&world);
    let mut input = child.stdin.take().expect("a pipe");
    // Whether it reads on is its own affair.
    drop(input.write_all(&Random::new(SEED).bytes(100_000)));
    drop(input);
    let run = Run::of(child.wait_with_output().expect("ended"));
    plug_in(&world);
    let lines = run.stderr.lines();
    let told = lines.filter(|line| line.contains(row.says)).count();
    if told != 1 {
        return format!("told {told} times: {}", run.stderr);
    }
    // What was acknowledged before is there, besides the ten.
    let hits = world.archiver(["search", "--json"]).expect_code(0).json();
    if hits.iter().filter(|hit| hit["event"].is_null()).count() != 11 {
        return format!("{} records", hits.len());
    }
    judge(row, &world, &run, &before)
}

/// As the archive of the other rows, with its keys in a token of SoftHSM; `None`, with one line, where that is not installed.
fn base() -> Option<World> {
    if !fs::exists(MODULE).is_ok_and(|there| there) || !has_program("softhsm2-util", "--version") {
        let what = "faults of tokens (SoftHSM is not installed; tests/run installs it)";
        left_out("softhsm", what);
        return None;
    }
    let world = World::empty();
    world.file("passphrase.txt", format!("{PIN}\n").as_bytes());
    fs::create_dir(world.at("tokens")).expect("a reader");
    // Where the tokens of the folder are in which the program runs, so that each copy has its own.
    let configuration = b"directories.tokendir = tokens\nlog.level = ERROR\n";
    world.file("softhsm2.conf", configuration);
    let words = "--init-token --free --label archive-keys --so-pin officer-1 --pin";
    let made = Command::new("softhsm2-util")
        .args(words.split(' '))
        .arg(PIN)
        .env("SOFTHSM2_CONF", world.at("softhsm2.conf"))
        .current_dir(world.path())
        .output()
        .expect("it starts");
    assert!(made.status.success(), "{made:?}");
    let init = "init --data data-a --data data-b --keys keys --evaluation --kek pkcs11 --token archive-keys --module";
    let init = init.split(' ').chain([MODULE]);
    world.archiver(init).expect_code(0);
    fill(&world);
    Some(world)
}
