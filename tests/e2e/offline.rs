//! An offline machine that has a package, the verifier and a root certificate reaches the verdict of the archive.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tests::programs;
use tests::world::{Run, World};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::events;
use crate::renewal::{archive, configure, json, policy_with};

/// What is said about a record or its package.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    conclusion: String,
    best_signature_time: Option<OffsetDateTime>,
    /// The errors found, by their codes.
    errors: Vec<String>,
}

fn sorted(mut codes: Vec<String>) -> Vec<String> {
    codes.sort();
    codes.dedup();
    codes
}

fn moment(value: &Value) -> Option<OffsetDateTime> {
    let text = value.as_str()?;
    Some(OffsetDateTime::parse(text, &Rfc3339).expect("RFC 3339"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What the archive says about its own record.
fn inside(world: &World, time: &str, record: &str) -> Said {
    let arguments = ["verify", record, "--json"];
    let lines = world.archiver_at(time, arguments).json();
    let told = events(&lines, "record");
    let detail = &told[0]["detail"];
    if told[0]["result"] == "passed" {
        return Said {
            conclusion: "TOTAL-PASSED".to_owned(),
            best_signature_time: moment(&detail["best_signature_time"]),
            errors: Vec::new(),
        };
    }
    assert_eq!(told[0]["result"], "not-passed", "{told:?}");
    let codes = detail["findings"].as_array().expect("codes").iter();
    Said {
        conclusion: text(&detail["conclusion"]),
        best_signature_time: None,
        errors: sorted(codes.map(text).collect()),
    }
}

/// Runs the verifier alone: a folder with a package and a root certificate, an empty environment, and no network where the machine lets us take it away.
fn alone(folder: &Path, time: &str) -> Run {
    let verifier = folder.join("verifier");
    let apart = ["--user", "--map-root-user", "--net"];
    let unshare = |what: &Path| {
        let mut command = Command::new("unshare");
        command.args(apart).arg("--").arg(what);
        command
    };
    let can = unshare(Path::new("true")).stderr(Stdio::null()).status();
    let mut command = if can.is_ok_and(|status| status.success()) {
        unshare(&verifier)
    } else {
        println!("left out: the verifier without a network (unshare is not allowed here)");
        Command::new(&verifier)
    };
    let arguments = [
        "verify",
        "package.asice",
        "--trust",
        "root.pem",
        "--at",
        time,
        "--format",
        "json",
    ];
    let output = command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output();
    Run::of(output.expect("the verifier starts"))
}

/// What the verifier alone says about the package of a record.
fn outside(world: &World, time: &str, record: &str) -> Said {
    let export = [
        "evidence",
        record,
        "-o",
        "package.asice",
        "--trust-anchors",
        "root.pem",
    ];
    // The archive hands out what it has, and says by its exit code what it thinks of it.
    world.archiver_at(time, export);
    let empty = tempfile::tempdir().expect("an empty folder");
    for name in ["package.asice", "root.pem"] {
        fs::copy(world.at(name), empty.path().join(name)).expect("a copy");
    }
    fs::copy(programs::verifier(), empty.path().join("verifier")).expect("a copy");
    let roots = fs::read_to_string(empty.path().join("root.pem")).expect("PEM");
    assert_eq!(roots.matches("BEGIN CERTIFICATE").count(), 1);
    let report: Value = serde_json::from_str(&alone(empty.path(), time).stdout).expect("a report");
    let findings = report["findings"].as_array().expect("findings").iter();
    let errors = findings.filter(|finding| finding["severity"] == "error");
    Said {
        conclusion: text(&report["conclusion"]),
        best_signature_time: moment(&report["best_signature_time"]),
        errors: sorted(errors.map(|finding| text(&finding["code"])).collect()),
    }
}

fn record(world: &World, time: &str) -> String {
    let hits = json(world, time, &["search", "--text", "one.log"], 0);
    text(&hits[0]["record"])
}

/// Both say the same; gives it.
fn agree(world: &World, time: &str) -> Said {
    let record = record(world, time);
    let (inside, outside) = (inside(world, time, &record), outside(world, time, &record));
    assert_eq!(inside, outside, "{time}");
    inside
}

fn expect_passed(world: &World, time: &str, since: OffsetDateTime) {
    let said = agree(world, time);
    assert_eq!(said.conclusion, "TOTAL-PASSED", "{said:?}");
    assert_eq!(said.best_signature_time, Some(since));
}

/// Renews at a time, and expects a token.
fn renew(world: &World, time: &str, action: &str) {
    let lines = json(world, time, &["renew"], 0);
    let due = events(&lines, "renewal-due");
    assert!(due.iter().any(|one| one["action"] == action), "{lines:?}");
    let renewed = events(&lines, "renewed");
    assert!(renewed.iter().any(|one| one["tokens"] == 1), "{lines:?}");
}

#[test]
fn a_package_says_alone_what_the_archive_says_after_every_renewal() {
    for (time_stamp, hash_tree) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = archive();
        let since = agree(&world, "2027-03-02T00:00:00Z").best_signature_time;
        let since = since.expect("a time");
        if time_stamp {
            configure(&world, "", "[renewal]\nage_max_days = 1000");
            renew(&world, "2030-01-10T00:00:00Z", "time-stamp-renewal");
            expect_passed(&world, "2030-01-11T00:00:00Z", since);
        }
        if hash_tree {
            policy_with(&world, "SHA-256", "2030-12-31T14:59:59Z");
            configure(&world, "policy = \"policy.json\"", "");
            renew(&world, "2030-02-01T00:00:00Z", "hash-tree-renewal");
        }
        expect_passed(&world, "2030-02-02T00:00:00Z", since);
        // Nothing lasts for ever; the archive's own policy would go with it, so it is not changed here.
        if !hash_tree {
            let ended = agree(&world, "2050-01-01T00:00:00Z");
            assert_eq!(ended.conclusion, "INDETERMINATE", "{ended:?}");
        }
    }
}

#[test]
fn a_package_says_alone_what_the_archive_says_when_nothing_was_renewed() {
    let world = archive();
    let said = agree(&world, "2050-01-01T00:00:00Z");
    assert_eq!(said.conclusion, "INDETERMINATE");
    assert_eq!(said.best_signature_time, None);
    assert!(!said.errors.is_empty());
}
