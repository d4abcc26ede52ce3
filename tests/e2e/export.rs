//! Everything that a search finds, in a folder with a table of it.

use tests::world::{World, put};

use crate::token_rotation::destroy_command;
use crate::{events, invoice};

fn world() -> World {
    let world = World::new();
    world.file("=a.txt", b"first");
    world.file("docs/below/b.txt", b"second");
    world.file(
        "invoices/1.xml",
        &invoice("1", "2026-04-01", "11000", "株式会社あさひ"),
    );
    world.file(
        "invoices/2.xml",
        &invoice("2", "2026-05-01", "22000", "株式会社ゆうひ"),
    );
    world
        .archiver(["deposit", "=a.txt", "docs", "--class", "general"])
        .expect_code(0);
    world
        .archiver(["deposit", "invoices", "--class", "received-invoice"])
        .expect_code(0);
    world
}

#[test]
fn everything_is_written_with_a_table() {
    let world = world();
    let run = world
        .archiver(["export", "out", "--json", "--lang", "en"])
        .expect_code(0);
    let output = run.json();
    assert_eq!(events(&output, "exported")[0]["records"], 4);
    let table = std::fs::read_to_string(world.at("out/index.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 5);
    assert!(lines[0].contains("\"counterparty\""));
    let named = |name: &str| {
        let mut found = lines.iter().filter(|line| line.contains(name));
        found.next().expect(name).to_string()
    };
    // A name that a spreadsheet would compute is made harmless; the file keeps it.
    assert!(named("=a.txt").contains("\"'=a.txt\""));
    for (name, content) in [("=a.txt", "first"), ("docs/below/b.txt", "second")] {
        let line = named(name);
        let record = line.split('"').nth(1).unwrap();
        let file = world.at(&format!("out/{record}/{name}"));
        assert_eq!(std::fs::read_to_string(file).unwrap(), content);
    }
    let asahi = named("あさひ");
    assert!(
        asahi.contains("\"2026-04-01\",\"11000\",\"JPY\""),
        "{asahi}"
    );
}

#[test]
fn only_what_is_found_is_written_and_nothing_is_mixed() {
    let world = world();
    let found = ["export", "out", "--counterparty", "ゆうひ", "--json"];
    let output = world.archiver(found).expect_code(0).json();
    assert_eq!(events(&output, "exported")[0]["records"], 1);
    assert_eq!(std::fs::read_dir(world.at("out")).unwrap().count(), 2);
    world.archiver(found).expect_code(2);
    let nothing = ["export", "none", "--counterparty", "だれも", "--json"];
    let output = world.archiver(nothing).expect_code(0).json();
    assert_eq!(events(&output, "exported")[0]["records"], 0);
    world
        .archiver(["export", "x", "--date", "soon"])
        .expect_code(2);
}

#[test]
fn a_record_that_cannot_be_read_whole_is_named_and_not_there() {
    let world = world();
    for medium in ["data-a", "data-b"] {
        for segment in world.segments(medium) {
            let mut bytes = std::fs::read(&segment).unwrap();
            // A content chunk of five bytes: 38 of header and 16 of tag beside them.
            let frame = [0, 0, 0, 59, 2, 0, 0, 0];
            let mut windows = bytes.windows(frame.len());
            let place = windows.position(|window| window == frame);
            let place = place.expect("the chunk of the first document");
            bytes[place + 12 + 38] ^= 1;
            put(&segment, &bytes);
        }
    }
    let run = world.archiver(["export", "out", "--json"]).expect_code(7);
    let output = run.json();
    assert_eq!(events(&output, "failed").len(), 1);
    assert_eq!(events(&output, "exported")[0]["records"], 3);
    let table = std::fs::read_to_string(world.at("out/index.csv")).unwrap();
    assert!(!table.contains("=a.txt"));
    // Three records and the table: nothing is left of the one that is not there.
    assert_eq!(std::fs::read_dir(world.at("out")).unwrap().count(), 4);
}

#[test]
fn a_destroyed_record_is_no_failure() {
    let world = world();
    let search = ["search", "--text", "=a.txt", "--json"];
    let hits = world.archiver(search).expect_code(0).json();
    let record = hits[0]["record"].as_str().unwrap().to_owned();
    let nothing: [&str; 0] = [];
    destroy_command(world.archiver_command(nothing), &record).expect_code(0);

    let run = world.archiver(["export", "out", "--json"]).expect_code(0);
    let output = run.json();
    assert_eq!(events(&output, "failed").len(), 0, "{}", run.stdout);
    assert_eq!(events(&output, "destroyed")[0]["record"], record);
    let exported = events(&output, "exported")[0];
    assert_eq!(exported["records"], 3);
    assert_eq!(exported["destroyed"], 1);
    assert_eq!(std::fs::read_dir(world.at("out")).unwrap().count(), 4);
}
