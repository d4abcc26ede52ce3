//! Renewal planned, done, looked at thirty years ahead, and asked as a drill, through the programs.

use serde_json::Value;
use tests::world::World;

use crate::events;

const START: &str = "2027-03-01T00:00:00Z";

/// An archive of the year 2027 with two stamped records.
pub(crate) fn archive() -> World {
    let world = World::empty();
    let init = [
        "init",
        "--data",
        "data-a",
        "--data",
        "data-b",
        "--keys",
        "keys",
        "--evaluation",
    ];
    world.archiver_at(START, init).expect_code(0);
    world.file("in/one.log", b"first line\nsecond line\n");
    world.file("in/two.txt", b"a contract\n");
    let deposit = ["deposit", "in", "--class", "general"];
    world.archiver_at(START, deposit).expect_code(0);
    world.archiver_at(START, ["stamp"]).expect_code(0);
    world
}

/// Puts lines at the head of the configuration, and parts at its end.
pub(crate) fn configure(world: &World, head: &str, parts: &str) {
    let text = std::fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
    let text = format!("{head}\n{text}\n{parts}\n");
    world.file("fumikura.toml", text.as_bytes());
}

/// The built-in policy with another end for one digest.
pub(crate) fn policy_with(world: &World, digest: &str, until: &str) {
    let path = tests::workspace_root().join("verifier/policy/default.json");
    let mut policy: Value =
        serde_json::from_slice(&std::fs::read(path).expect("a policy")).expect("JSON");
    for row in policy["digests"].as_array_mut().expect("rows") {
        if row["algorithm"] == digest {
            row["trusted_until"] = until.into();
        }
    }
    world.file("policy.json", policy.to_string().as_bytes());
}

pub(crate) fn json(world: &World, time: &str, arguments: &[&str], code: i32) -> Vec<Value> {
    let arguments = arguments.iter().chain(&["--json"]);
    world.archiver_at(time, arguments).expect_code(code).json()
}

fn evidence_passes(world: &World, time: &str) -> String {
    let hits = json(world, time, &["search", "--text", "one.log"], 0);
    let record = hits[0]["record"].as_str().expect("a record id");
    let export = [
        "evidence",
        record,
        "-o",
        "one.asice",
        "--trust-anchors",
        "roots.pem",
    ];
    world.archiver_at(time, export).expect_code(0);
    let judged = world.verifier([
        "verify",
        "one.asice",
        "--trust",
        "roots.pem",
        "--at",
        time,
        "--format",
        "json",
    ]);
    judged.expect_code(0).stdout
}

#[test]
fn a_young_archive_has_nothing_to_do_and_knows_what_will_come() {
    let world = archive();
    let lines = json(&world, "2027-03-02T00:00:00Z", &["renew", "--plan"], 0);
    let plan = &events(&lines, "renewal-plan")[0];
    assert_eq!((&plan["due"], &plan["lost"]), (&0.into(), &0.into()));
    let later = events(&lines, "renewal-later");
    assert_eq!(later[0]["action"], "time-stamp-renewal");
    assert_eq!(later[0]["records"], 2);

    let lines = json(&world, "2027-03-02T00:00:00Z", &["evidence", "forecast"], 0);
    let ends = events(&lines, "forecast-end");
    assert!(ends.iter().any(|end| end["reason"] == "certificate-path"));
    assert!(ends.iter().all(|end| end["source"] != ""));
    let steps = events(&lines, "forecast-step");
    let hash_tree = steps
        .iter()
        .find(|step| step["action"] == "hash-tree-renewal");
    assert_eq!(hash_tree.expect("until 2050")["to"], "SHA-512");
    let years = ["evidence", "forecast", "--years", "5"];
    let short = json(&world, "2027-03-02T00:00:00Z", &years, 0);
    assert!(events(&short, "forecast-step").is_empty());

    let text = world
        .archiver_at(
            "2027-03-02T00:00:00Z",
            ["--lang", "ja", "evidence", "forecast"],
        )
        .expect_code(0)
        .stdout;
    for word in ["JST", "UTC", "ハッシュ木の更新 SHA-256 → SHA-512", "前提"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_drill_says_what_must_be_done_and_what_would_be_lost() {
    let world = archive();
    let drill = ["renew", "--drill", "sha256@2031-04-01"];
    let lines = json(&world, "2027-03-02T00:00:00Z", &drill, 0);
    let drill = &events(&lines, "drill")[0];
    assert_eq!(
        drill["last"], "2031-03-31T14:59:59Z",
        "the day begins in Japan"
    );
    let names: Vec<&str> = drill["must_do"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|step| step["action"].as_str())
        .collect();
    assert!(names.contains(&"hash-tree-renewal"), "{names:?}");
    assert_eq!(drill["requests"], 1);
    assert!(drill["seconds"].as_f64().expect("measured") > 0.0);
    let lost = &drill["lost_if_nothing_is_done"];
    assert_eq!(
        (&lost["records"], &lost["classes"]["general"]),
        (&2.into(), &2.into())
    );
    assert!(lost["oldest"]["record"].is_string());

    let harmless = ["renew", "--drill", "md5@2031-04-01"];
    let lines = json(&world, "2027-03-02T00:00:00Z", &harmless, 0);
    assert_eq!(
        events(&lines, "drill")[0]["lost_if_nothing_is_done"]["records"],
        0
    );
    for bad in ["sha256", "sha255@2031-04-01", "sha256@soon", "@2031-04-01"] {
        world.archiver(["renew", "--drill", bad]).expect_code(2);
    }
}

#[test]
fn what_is_due_is_renewed_and_then_nothing_is_due() {
    let world = archive();
    configure(&world, "", "[renewal]\nage_max_days = 1000");
    let later = "2030-06-01T00:00:00Z";
    let lines = json(&world, later, &["renew", "--plan"], 0);
    let due = events(&lines, "renewal-due");
    assert_eq!(due.last().expect("by age")["cause"]["reason"], "age");
    let lines = json(&world, later, &["renew"], 0);
    let renewed = events(&lines, "renewed");
    let token = renewed
        .iter()
        .find(|one| one["tokens"] == 1)
        .expect("a token");
    assert_eq!(token["chains"], 1);
    let lines = json(&world, later, &["renew"], 0);
    assert_eq!(events(&lines, "renewal-plan")[0]["due"], 0);
    assert!(events(&lines, "renewed").is_empty());
    let report = evidence_passes(&world, later);
    assert!(report.contains("\"time-stamps\""), "{report}");
    world.archiver_at(later, ["verify"]).expect_code(0);
}

#[test]
fn the_policy_decides_when_a_hash_tree_is_renewed() {
    let world = archive();
    policy_with(&world, "SHA-256", "2030-12-31T14:59:59Z");
    configure(&world, "policy = \"policy.json\"", "");
    let later = "2030-02-01T00:00:00Z";
    let lines = json(&world, later, &["renew", "--plan"], 0);
    let due = events(&lines, "renewal-due");
    let hash_tree = due.iter().find(|one| one["action"] == "hash-tree-renewal");
    assert_eq!(hash_tree.expect("it ends this year")["to"], "SHA-512");
    json(&world, later, &["renew"], 0);
    // The embedded authority still signs with SHA-256: that is said, and that nothing can be done about it here.
    let lines = json(&world, later, &["renew", "--plan"], 1);
    assert!(events(&lines, "renewal-due").is_empty());
    let blocked = events(&lines, "renewal-blocked");
    assert_eq!(blocked[0]["end"]["reason"], "signature-algorithm");
    evidence_passes(&world, later);
    // New records get the digest that lasts at once.
    world.file("in/three.txt", b"a third one\n");
    let deposit = ["deposit", "in", "--class", "general"];
    world.archiver_at(later, deposit).expect_code(0);
    let lines = json(&world, later, &["stamp"], 0);
    assert_eq!(events(&lines, "stamped")[0]["digest"], "SHA-512");
    world.archiver_at(later, ["verify"]).expect_code(0);
}

#[test]
fn what_was_not_renewed_in_time_is_lost() {
    let world = archive();
    let lines = json(&world, "2040-01-01T00:00:00Z", &["renew", "--plan"], 1);
    let lost = events(&lines, "renewal-lost");
    assert_eq!((lost.len(), &lost[0]["records"]), (1, &2.into()));
    assert_eq!(lost[0]["end"]["reason"], "certificate-path");
    assert!(events(&lines, "renewal-due").is_empty());
}

#[test]
fn a_policy_that_cannot_be_used_is_named() {
    let world = archive();
    configure(&world, "policy = \"policy.json\"", "");
    let missing = world.archiver(["renew", "--plan"]).expect_code(3);
    assert!(missing.stderr.contains("policy.json"), "{}", missing.stderr);
    world.file("policy.json", b"{}");
    let broken = world.archiver(["verify"]).expect_code(3);
    assert!(broken.stderr.contains("schema"), "{}", broken.stderr);
    policy_with(&world, "SHA-256", "2050-12-31T14:59:59Z");
    configure(&world, "", "[renewal]\npath_days = 0");
    world.archiver(["renew", "--plan"]).expect_code(2);
}
