//! Media fail, are swapped, come back and are replaced, through the commands.

use std::path::Path;

use serde_json::Value;
use tests::random::Random;
use tests::world::{Run, World};

use super::events;

/// An archive of two data media, small segments, and some documents in it.
fn archive(world: &World) {
    let media = [
        "init",
        "--data",
        "data-a",
        "--data",
        "data-b",
        "--keys",
        "keys",
        "--evaluation",
    ];
    world.archiver(media).expect_code(0);
    let text = std::fs::read_to_string(world.at("fumikura.toml")).unwrap();
    let text = text.replace("max_bytes = 268435456", "max_bytes = 4194304");
    std::fs::write(
        world.at("fumikura.toml"),
        format!("# our own words\n{text}"),
    )
    .unwrap();
    let mut random = Random::new(3);
    for number in 0..6 {
        world.file(&format!("in/{number}.bin"), &random.bytes(1_500_000));
    }
    deposit(world, "in").expect_code(0);
}

fn deposit(world: &World, what: &str) -> Run {
    world.archiver(["deposit", what, "--class", "general", "--json"])
}

fn one_more(world: &World, name: &str) -> Run {
    world.file(&format!("in/{name}"), name.as_bytes());
    deposit(world, &format!("in/{name}"))
}

fn allow_one_copy(world: &World) {
    let text = std::fs::read_to_string(world.at("fumikura.toml")).unwrap();
    let media = "[media]\ncopies_min = 1\n";
    std::fs::write(world.at("fumikura.toml"), format!("{text}\n{media}")).unwrap();
}

/// How many records a search finds: its lines are hits and nothing else, whatever is to be said of media.
fn found(world: &World) -> usize {
    let lines = world.archiver(["search", "--json"]).expect_code(0).json();
    assert!(lines.iter().all(|line| line["event"].is_null()));
    lines.len()
}

fn states(world: &World) -> Vec<(String, String)> {
    let lines = world
        .archiver(["media", "list", "--json"])
        .expect_code(0)
        .json();
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    events(&lines, "medium")
        .iter()
        .map(|line| (text(line, "name"), text(line, "state")))
        .collect()
}

fn data(world: &World) -> String {
    let text = std::fs::read_to_string(world.at("fumikura.toml")).unwrap();
    assert!(text.starts_with("# our own words\n"), "comments stay");
    text.lines()
        .find(|line| line.starts_with("data = "))
        .unwrap()
        .to_owned()
}

#[test]
fn a_medium_is_added_lost_and_replaced() {
    let world = World::empty();
    archive(&world);
    let lines = world
        .archiver(["media", "add", "data-c", "--json"])
        .expect_code(0)
        .json();
    assert!(events(&lines, "copying").len() >= 3);
    assert_eq!(events(&lines, "medium-joined")[0]["data_in_service"], 3);
    assert_eq!(data(&world), "data = [\"data-a\", \"data-b\", \"data-c\"]");
    one_more(&world, "after-add").expect_code(0);

    // One is lost: nothing more is taken in, until a new medium has its place.
    std::fs::remove_dir_all(world.at("data-b")).unwrap();
    let refused = one_more(&world, "refused").expect_code(3);
    assert!(refused.stderr.contains("data-b"), "{}", refused.stderr);
    assert_eq!(states(&world)[1].1, "not-mounted");
    let run = world
        .archiver(["media", "replace", "data-2", "data-d"])
        .expect_code(0);
    assert!(!run.stderr.contains("no medium at"), "{}", run.stderr);
    assert!(
        run.stdout.contains("segments written: 0000000001 to"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("growing segment: "), "{}", run.stdout);
    assert_eq!(data(&world), "data = [\"data-a\", \"data-c\", \"data-d\"]");
    one_more(&world, "after-replace").expect_code(0);
    world
        .archiver(["media", "migrate", "data-1", "data-e"])
        .expect_code(0);
    assert_eq!(data(&world), "data = [\"data-c\", \"data-d\", \"data-e\"]");
    let named = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    let expected = [
        named("data-1", "left"),
        named("data-2", "left"),
        named("data-3", "in-service"),
        named("data-4", "in-service"),
        named("data-5", "in-service"),
        named("keys-1", "in-service"),
    ];
    assert_eq!(states(&world), expected);
    assert_eq!(found(&world), 8);
    // Given again it changes nothing; to yet another medium, or with what has left already, it is refused.
    world
        .archiver(["media", "migrate", "data-1", "data-e"])
        .expect_code(0);
    for words in [
        ["media", "migrate", "data-1", "data-f"].as_slice(),
        &["media", "replace", "data-2", "data-f"],
        &["media", "retire", "data-1"],
    ] {
        let run = world.archiver(words).expect_code(2);
        assert!(run.stderr.contains("left the archive"), "{}", run.stderr);
    }
    assert!(!world.at("data-f").exists());
    assert_eq!(states(&world), expected);
    world.archiver(["verify"]).expect_code(0);
}

#[test]
fn with_leave_the_archive_goes_on_and_says_so() {
    let world = World::empty();
    archive(&world);
    allow_one_copy(&world);
    std::fs::rename(world.at("data-b"), world.at("away")).unwrap();
    let run = one_more(&world, "alone").expect_code(0);
    let lines = run.json();
    // What is only for trying the product out says so on each line.
    assert!(lines.iter().all(|line| line["evaluation"] == true));
    for words in [
        ["classes", "--json"].as_slice(),
        &["tsa", "status", "--json"],
    ] {
        let run = world.archiver(words).expect_code(0);
        assert!(run.stderr.contains("EVALUATION"), "{}", run.stderr);
        assert!(run.json().iter().all(|line| line["evaluation"] == true));
    }
    assert_eq!(events(&lines, "medium-not-used").len(), 1, "{}", run.stdout);
    assert!(run.stderr.contains("data-b"), "{}", run.stderr);

    // Questions answer with hits alone, and say it beside them.
    assert_eq!(found(&world), 7);
    let run = world.archiver(["search", "--json"]).expect_code(0);
    assert!(run.stderr.contains("data-b"), "{}", run.stderr);

    // It comes back, and is known to be behind; alone it does not pass for the archive.
    std::fs::rename(world.at("away"), world.at("data-b")).unwrap();
    let run = one_more(&world, "stale").expect_code(0);
    assert!(run.stderr.contains("out of service"), "{}", run.stderr);
    assert_eq!(states(&world)[1].1, "out-of-service");
    std::fs::rename(world.at("data-a"), world.at("away")).unwrap();
    one_more(&world, "refused").expect_code(3);
    std::fs::rename(world.at("away"), world.at("data-a")).unwrap();

    let run = world.archiver(["media", "return", "data-b"]).expect_code(0);
    // The command does not advise itself.
    assert!(!run.stderr.contains("out of service"), "{}", run.stderr);
    assert!(run.stdout.contains("growing segment: "), "{}", run.stdout);
    assert_eq!(states(&world)[1].1, "in-service");
    // Now it is as good as the other one.
    std::fs::remove_dir_all(world.at("data-a")).unwrap();
    assert_eq!(found(&world), 8);
    one_more(&world, "on-b").expect_code(0);
}

#[test]
fn no_copy_is_given_up_by_mistake() {
    let world = World::empty();
    archive(&world);
    allow_one_copy(&world);
    let before = data(&world);
    // A copy cannot take the place of another one.
    let run = world
        .archiver(["media", "replace", "data-1", "data-b"])
        .expect_code(2);
    assert!(run.stderr.contains("data-2"), "{}", run.stderr);
    assert_eq!(data(&world), before);
    // The second medium stands where the third one was: the folder stays when the third one leaves.
    world.archiver(["media", "add", "data-c"]).expect_code(0);
    std::fs::remove_dir_all(world.at("data-c")).unwrap();
    std::fs::rename(world.at("data-b"), world.at("data-c")).unwrap();
    world.archiver(["media", "retire", "data-3"]).expect_code(0);
    assert_eq!(data(&world), "data = [\"data-a\", \"data-b\", \"data-c\"]");
    std::fs::remove_dir_all(world.at("data-a")).unwrap();
    assert_eq!(found(&world), 6);
    // The configuration is named by another path: the folder is the same.
    let config = world.at("fumikura.toml");
    let config = config.to_str().unwrap();
    one_more(&world, "alone").expect_code(0);
    world
        .archiver(["--config", config, "media", "replace", "data-1", "data-a"])
        .expect_code(0);
    assert_eq!(data(&world), "data = [\"data-a\", \"data-b\", \"data-c\"]");
}

#[test]
fn strange_media_are_named() {
    let (world, other) = (World::empty(), World::empty());
    archive(&world);
    archive(&other);
    // Swapped: harmless, and said.
    let swap = |one: &str, two: &str| {
        std::fs::rename(world.at(one), world.at("x")).unwrap();
        std::fs::rename(world.at(two), world.at(one)).unwrap();
        std::fs::rename(world.at("x"), world.at(two)).unwrap();
    };
    swap("data-a", "data-b");
    let run = one_more(&world, "swapped").expect_code(0);
    assert!(run.stderr.contains("swapped"), "{}", run.stderr);
    swap("data-a", "data-b");

    let foreign = |place: &str, text: &str| {
        std::fs::rename(world.at(place), world.at("own")).unwrap();
        std::fs::rename(other.at(place), world.at(place)).unwrap();
        let run = one_more(&world, "foreign").expect_code(3);
        assert!(
            run.stderr.contains(text) && run.stderr.contains(place),
            "{}",
            run.stderr
        );
        if place == "data-b" {
            // It gets nothing of this archive.
            let run = world.archiver(["media", "return", "data-2"]).expect_code(3);
            assert!(run.stderr.contains("not data-2"), "{}", run.stderr);
            let run = world.archiver(["media", "add", "data-b"]).expect_code(3);
            assert!(run.stderr.contains("data-b"), "{}", run.stderr);
        }
        std::fs::rename(world.at(place), other.at(place)).unwrap();
        std::fs::rename(world.at("own"), world.at(place)).unwrap();
    };
    foreign("data-b", "another archive");
    foreign("keys", "another archive");
    // A data medium where the keys should be.
    swap("data-b", "keys");
    let run = one_more(&world, "role").expect_code(3);
    assert!(run.stderr.contains("no key medium"), "{}", run.stderr);
    swap("data-b", "keys");
    one_more(&world, "right").expect_code(0);
}

#[test]
fn moves_and_counts_stand_in_the_ledger() {
    let world = World::empty();
    archive(&world);
    let moved = [
        "media",
        "move",
        "data-2",
        "--to",
        "金庫",
        "--place-class",
        "fire-safe",
    ];
    let alone = [&moved[..], &["--carrier", "佐藤", "--witness", "佐藤"]].concat();
    world.archiver(alone).expect_code(2);
    let two = [
        &moved[..],
        &["--carrier", "佐藤", "--witness", "鈴木", "--seal", "42"],
    ]
    .concat();
    world.archiver(two).expect_code(0);
    let shown = world.archiver(["media", "show", "data-2"]).expect_code(0);
    assert!(
        shown.stdout.contains("鈴木") && shown.stdout.contains("42"),
        "{}",
        shown.stdout
    );
    // The first move is from nowhere, and what is not known is not shown.
    assert!(
        shown.stdout.contains(" to 金庫 (fire-safe), carried"),
        "{}",
        shown.stdout
    );
    assert!(!shown.stdout.contains('?'), "{}", shown.stdout);
    let is_empty = |line: &str| line.trim_end().ends_with(':');
    assert!(!shown.stdout.lines().any(is_empty), "{}", shown.stdout);
    let shown = world.archiver(["--lang", "ja", "media", "show", "data-2"]);
    assert!(shown.expect_code(0).stdout.contains("金庫 (耐火金庫)"));
    world.archiver(["media", "show", "data-9"]).expect_code(8);
    let register = [
        "media",
        "register",
        "data-1",
        "--classification",
        "社外秘",
        "--custodian",
        "佐藤",
    ];
    world.archiver(register).expect_code(0);
    let label = std::fs::read_to_string(world.at("data-a/MEDIUM.json")).unwrap();
    assert!(
        label.contains("社外秘"),
        "the label says what the ledger says"
    );
    count(&world);
    // The ledger comes back with the archive.
    std::fs::remove_dir_all(world.at("index")).unwrap();
    world.archiver(["rebuild"]).expect_code(0);
    let shown = world.archiver(["media", "show", "data-2"]).expect_code(0);
    assert!(shown.stdout.contains("鈴木"), "{}", shown.stdout);
}

/// A count by a list on paper: what is on it, what is missing, what is strange.
fn count(world: &World) {
    world
        .archiver(["media", "stock-take", "--list", "-o", "list.txt"])
        .expect_code(0);
    world
        .archiver(["media", "stock-take", "--list", "-o", "list.html"])
        .expect_code(0);
    let list = std::fs::read_to_string(world.at("list.txt")).unwrap();
    let ticked = list.replacen("\n[ ]", "\n[x]", 2) + "[+] a stick without a label\n";
    world.file("ticked.txt", ticked.as_bytes());
    let enter = [
        "media",
        "stock-take",
        "--enter",
        "ticked.txt",
        "--counted-by",
        "鈴木",
    ];
    let run = world.archiver(enter).expect_code(1);
    assert!(
        run.stdout.contains("keys-1") && run.stdout.contains("without a label"),
        "{}",
        run.stdout
    );
    let listed = world.archiver(["media", "list"]).expect_code(0).stdout;
    let missing = listed.lines().find(|line| line.starts_with("keys-1"));
    assert!(
        missing.is_some_and(|line| line.contains("missing on ")),
        "{listed}"
    );
    let shown = world.archiver(["media", "show", "keys-1"]).expect_code(0);
    assert!(
        shown.stdout.contains("missing at the stock-take of"),
        "{}",
        shown.stdout
    );
    world.file("bad.txt", b"[?] everything is there\n");
    world
        .archiver([
            "media",
            "stock-take",
            "--enter",
            "bad.txt",
            "--counted-by",
            "x",
        ])
        .expect_code(2);
}

#[test]
fn going_down_to_one_data_medium_is_said() {
    let world = World::empty();
    archive(&world);
    allow_one_copy(&world);
    let run = world.archiver(["media", "retire", "data-2"]).expect_code(0);
    assert!(
        run.stderr.contains("only one data medium"),
        "{}",
        run.stderr
    );
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// The list has each medium in the state in which other commands find it.
#[test]
fn the_list_says_what_other_commands_find() {
    let world = World::empty();
    archive(&world);
    let rename = |from: &str, to: &str| std::fs::rename(world.at(from), world.at(to)).unwrap();
    let listed = || {
        let run = world.archiver(["media", "list"]).expect_code(0);
        let states: Vec<String> = states(&world).into_iter().map(|one| one.1).collect();
        (states, run.stdout, run.stderr)
    };
    let (states, text, _) = listed();
    assert_eq!(states, ["in-service"; 3]);
    assert!(text.contains("2 data media in service"), "{text}");
    // Every line has its columns at the same places; nobody entered labels.
    let places = |line: &str| line.find("in service").or(line.find("state"));
    let table: Vec<_> = text.lines().take(4).map(places).collect();
    assert!(
        table[0].is_some() && table.iter().all(|place| *place == table[0]),
        "{text}"
    );
    assert!(!text.contains("label"), "{text}");

    // Swapped: both are used.
    copy_folder(&world.at("data-b"), &world.at("old"));
    rename("data-a", "x");
    rename("data-b", "data-a");
    rename("x", "data-b");
    let (states, text, told) = listed();
    assert_eq!(states, ["in-service"; 3]);
    assert!(text.contains("the ledger has it at"), "{text}");
    assert!(told.contains("swapped"), "{told}");
    rename("data-a", "x");
    rename("data-b", "data-a");
    rename("x", "data-b");

    // Not mounted; another one in its folder; twice the same.
    rename("data-b", "away");
    let (states, text, _) = listed();
    assert_eq!(states, ["in-service", "not-mounted", "in-service"]);
    assert!(text.contains("1 data medium in service"), "{text}");
    copy_folder(&world.at("data-a"), &world.at("data-b"));
    let (states, text, told) = listed();
    assert_eq!(states, ["in-service", "not-mounted", "in-service"]);
    assert!(text.contains("data-1 is there"), "{text}");
    assert!(
        told.contains("already given") && !told.contains("swapped"),
        "{told}"
    );
    std::fs::remove_dir_all(world.at("data-b")).unwrap();
    rename("away", "data-b");

    // An old image.
    let mut random = Random::new(4);
    for number in 0..6 {
        world.file(&format!("more/{number}.bin"), &random.bytes(1_500_000));
    }
    deposit(&world, "more").expect_code(0);
    rename("data-b", "away");
    rename("old", "data-b");
    let (states, text, _) = listed();
    assert_eq!(states, ["in-service", "old-copy", "in-service"]);
    assert!(text.contains("an old copy (up to segment"), "{text}");
    one_more(&world, "refused").expect_code(3);
}
