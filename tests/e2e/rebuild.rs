//! The index is only derived: throw it away, or all but one data medium, and everything comes back.

use std::fs;

use tests::world::World;

use crate::invoice;

fn filled() -> World {
    let world = World::new();
    for number in 0..20 {
        let day = number % 28 + 1;
        let bytes = invoice(
            &format!("INV-{number}"),
            &format!("2026-02-{day:02}"),
            &format!("{}", 1000 * number),
            "合同会社試験",
        );
        world.file(&format!("in/{number:02}.xml"), &bytes);
    }
    world
        .archiver(["deposit", "in", "--class", "received-invoice"])
        .expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    world.file("late/late.txt", b"not stamped yet");
    world
        .archiver(["deposit", "late", "--class", "general"])
        .expect_code(0);
    world
}

fn everything(world: &World) -> (Vec<String>, String) {
    let mut hits: Vec<String> = world
        .archiver(["search", "--json"])
        .expect_code(0)
        .stdout
        .lines()
        .map(str::to_owned)
        .collect();
    hits.sort();
    (
        hits,
        world.archiver(["status", "--json"]).expect_code(0).stdout,
    )
}

#[test]
fn rebuild_brings_everything_back() {
    let world = filled();
    let before = everything(&world);
    assert_eq!(before.0.len(), 21);
    fs::remove_dir_all(world.at("index")).expect("the index is a folder");
    world.archiver(["rebuild"]).expect_code(0);
    assert_eq!(everything(&world), before);
    world.archiver(["verify"]).expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
}

#[test]
fn a_deleted_index_needs_no_command_at_all() {
    let world = filled();
    let before = everything(&world);
    fs::remove_dir_all(world.at("index")).expect("the index is a folder");
    assert_eq!(everything(&world), before);
}

#[test]
fn a_damaged_index_is_set_aside_and_built_anew() {
    let world = filled();
    let before = everything(&world);
    let mut damaged = 0;
    let mut pending = vec![world.at("index")];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).expect("index folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let length =
                    usize::try_from(fs::metadata(&path).expect("file").len()).expect("fits");
                tests::world::put(&path, &vec![0x5a; length.min(1 << 20)]);
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0, "the index has files");
    assert_eq!(everything(&world), before);
}

#[test]
fn one_data_medium_and_the_key_medium_are_enough() {
    let world = filled();
    let before = everything(&world).0;
    fs::remove_dir_all(world.at("index")).expect("the index is a folder");
    fs::remove_dir_all(world.at("data-a")).expect("a data medium is a folder");
    let text = fs::read_to_string(world.at("fumikura.toml")).expect("configuration");
    let text = text.replace("\"data-a\", \"data-b\"", "\"data-b\"");
    tests::world::put(&world.at("fumikura.toml"), text.as_bytes());
    world.archiver(["rebuild"]).expect_code(0);
    assert_eq!(everything(&world).0, before);
    world.archiver(["verify"]).expect_code(0);
}

/// Nothing is left but one data medium and the key medium: no configuration, no classes, no index.
#[test]
fn a_configuration_comes_back_from_the_media() {
    let world = World::new();
    let class = world.archiver(["classes", "--json"]).expect_code(0);
    assert!(class.stdout.contains("general"));
    let general = include_str!("../../archiver/classes/general.toml");
    let own = general.replacen("id = \"general\"", "id = \"own-minutes\"", 1);
    assert_ne!(own, general);
    world.file("our classes/own-minutes.toml", own.as_bytes());
    let file = world.at("fumikura.toml");
    let text = fs::read_to_string(&file).expect("configuration");
    let text = text.replacen("\n[segments]", "classes = \"our classes\"\n\n[segments]", 1);
    let text = text + "\n[service]\nlook_minutes = 17\n";
    tests::world::put(&file, text.as_bytes());
    world.file("in/minutes.txt", b"what was said");
    let deposit = ["deposit", "in", "--class", "own-minutes"];
    world.archiver(deposit).expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    let before = world.archiver(["search", "--json"]).expect_code(0).stdout;
    for gone in ["index", "data-a", "our classes"] {
        fs::remove_dir_all(world.at(gone)).expect("a folder");
    }
    fs::remove_file(&file).expect("a file");

    let rebuild = [
        "rebuild",
        "--data",
        "data-b",
        "--keys",
        "keys",
        "--config",
        "new/fumikura.toml",
    ];
    let run = world.archiver(rebuild).expect_code(0);
    assert!(
        run.stderr.contains("add the missing copies"),
        "{}",
        run.stderr
    );
    let at = |words: &[&str]| {
        let mut command = vec!["--config", "new/fumikura.toml"];
        command.extend(words);
        world.archiver(command).expect_code(0).stdout
    };
    assert_eq!(at(&["search", "--json"]), before);
    at(&["verify"]);
    assert!(at(&["classes", "--json"]).contains("own-minutes"));
    let text = fs::read_to_string(world.at("new/fumikura.toml")).expect("configuration");
    assert!(text.contains("look_minutes = 17"), "{text}");
    world.file("more/minutes.txt", b"what was said later");
    at(&["deposit", "more", "--class", "own-minutes"]);
    at(&["stamp"]);

    // A configuration that stands there is never overwritten, and media that do not belong together are refused.
    world.archiver(rebuild).expect_code(3);
    let swapped = [
        "rebuild", "--data", "keys", "--keys", "data-b", "--config", "x.toml",
    ];
    world.archiver(swapped).expect_code(3);
    assert!(!world.at("x.toml").exists());
    let half = ["rebuild", "--data", "data-b", "--config", "x.toml"];
    world.archiver(half).expect_code(2);
}

/// The recorded configuration, one data medium and the key medium of it: nothing of the old machine is asked for.
fn restored(world: &World) -> (tests::world::Run, String) {
    let rebuild = ["rebuild", "--data", "data-b", "--keys", "keys"];
    let to = ["--config", "new/fumikura.toml", "--json"];
    let run = world.archiver(rebuild.iter().chain(&to)).expect_code(0);
    let text = fs::read_to_string(world.at("new/fumikura.toml")).expect("configuration");
    world.file("more/later.txt", b"what came later");
    for words in [
        &["deposit", "more", "--class", "general"][..],
        &["stamp"],
        &["verify"],
    ] {
        let at = ["--config", "new/fumikura.toml"];
        world.archiver(at.iter().chain(words)).expect_code(0);
    }
    (run, text)
}

fn departures(run: &tests::world::Run) -> Vec<String> {
    let lines = run.json();
    let restored = crate::events(&lines, "restored");
    let list = restored[0]["departures"].as_array().expect("a list");
    let key = |one: &serde_json::Value| one["key"].as_str().unwrap_or_default().to_owned();
    list.iter().map(key).collect()
}

#[test]
fn what_asks_for_media_that_are_gone_is_lowered_and_said() {
    let world = World::new();
    world.archiver(["keys", "copy", "key-copy"]).expect_code(0);
    let file = world.at("fumikura.toml");
    let text = fs::read_to_string(&file).expect("configuration");
    let copies = "keys = \"keys\"\nkey_copies = [\"key-copy\"]\nkey_copies_min = 2\n";
    assert!(text.contains("\nkeys = \"keys\"\n"), "{text}");
    let text = text.replacen("keys = \"keys\"\n", copies, 1);
    let text = text + "\n[media]\ncopies_min = 2\nstock_take_days = 99\n";
    tests::world::put(&file, text.as_bytes());
    world.file("in/a.txt", b"a document");
    world
        .archiver(["deposit", "in", "--class", "general"])
        .expect_code(0);
    for gone in ["data-a", "key-copy", "index"] {
        fs::remove_dir_all(world.at(gone)).expect("a folder");
    }
    fs::remove_file(&file).expect("a file");

    let (run, text) = restored(&world);
    assert!(text.contains("stock_take_days = 99"), "{text}");
    assert!(text.contains("copies_min = 1"), "{text}");
    assert!(!text.contains("key_copies"), "{text}");
    let expected = ["media.copies_min", "key_copies", "key_copies_min"];
    assert_eq!(departures(&run), expected);
    assert!(run.stderr.contains("key-copy"), "{}", run.stderr);
}

#[test]
fn files_that_did_not_come_back_are_left_out_and_said() {
    let world = World::new();
    let file = world.at("fumikura.toml");
    let built_in = tests::workspace_root().join("verifier/policy/default.json");
    world.file("policy.json", &fs::read(built_in).expect("a policy"));
    world.file("rules/roots.pem", b"roots of another program");
    let text = fs::read_to_string(&file).expect("configuration");
    let absolute = world.at("rules/roots.pem");
    let text = format!(
        "policy = \"policy.json\"\n{text}\n[registry]\nfile = \"never-there.toml\"\n\
         [alarms]\nwebhook = \"https://alarms.example/\"\nwebhook_tls_roots = \"{}\"\n\
         [[tsa]]\nname = \"other\"\nurl = \"https://tsa.example/\"\ntrust = \"never-there.pem\"\npriority = 900\n",
        absolute.display()
    );
    tests::world::put(&file, text.as_bytes());
    world.file("in/a.txt", b"a document");
    world
        .archiver(["deposit", "in", "--class", "general"])
        .expect_code(0);
    for gone in ["data-a", "rules", "index"] {
        fs::remove_dir_all(world.at(gone)).expect("a folder");
    }
    for gone in ["fumikura.toml", "policy.json"] {
        fs::remove_file(world.at(gone)).expect("a file");
    }

    let (run, text) = restored(&world);
    assert!(world.at("new/policy.json").is_file());
    assert!(world.at("new/rules/roots.pem").is_file());
    assert!(text.contains("policy = \"policy.json\""), "{text}");
    let roots = "webhook_tls_roots = \"rules/roots.pem\"";
    assert!(text.contains(roots), "{text}");
    assert!(!text.contains("never-there"), "{text}");
    assert_eq!(departures(&run), ["registry.file", "tsa"]);
    assert!(run.stderr.contains("never-there.toml"), "{}", run.stderr);
}

#[test]
fn the_engine_of_the_index_is_chosen_by_a_command() {
    let world = filled();
    let before = everything(&world);
    for engine in ["fjall", "sled", "auto"] {
        world
            .archiver(["rebuild", "--index", engine])
            .expect_code(0);
        assert_eq!(everything(&world), before, "{engine}");
        let note = fs::read_to_string(world.at("index/engine")).expect("a note");
        let kept = engine == "auto" || note.starts_with(engine);
        assert!(
            kept && note.contains("chosen") == (engine != "auto"),
            "{note}"
        );
    }
    world
        .archiver(["rebuild", "--index", "rocksdb"])
        .expect_code(2);
    let file = world.at("fumikura.toml");
    let text = fs::read_to_string(&file).expect("configuration");
    let text = text.replacen("index = \"index\"\n", "", 1) + "\n[index]\nengine = \"fjall\"\n";
    tests::world::put(&file, text.as_bytes());
    let run = world.archiver(["status"]).expect_code(0);
    assert!(run.stderr.contains("fjall"), "{}", run.stderr);
    assert_eq!(everything(&world), before);
    world
        .archiver(["rebuild", "--index", "sled"])
        .expect_code(2);
}
