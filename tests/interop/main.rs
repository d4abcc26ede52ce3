//! Programs of other people and Fumikura understand each other. A program that is not installed is named in one line.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says what it left out"
)]

mod containers;
mod decades;
mod deviations;
mod evidence;
mod java_peers;
mod ml_dsa;
mod openssl;
mod packages;
mod place;
mod renewals;
mod reports;
mod signatures;
mod sigstore;
mod status;
mod theirs;

use tests::world::World;

/// An archive with stamped documents, one of which is handed over as `e.asice` with `a.pem`.
fn handover() -> World {
    let world = World::new();
    for name in ["one.txt", "two.txt", "請求書 & more.txt"] {
        world.file(
            &format!("in/{name}"),
            format!("{name}\n").repeat(99).as_bytes(),
        );
    }
    hand_over(&world, "請求書");
    world
}

/// Deposits the folder `in`, stamps, and exports the evidence of the document whose name has this text.
fn hand_over(world: &World, text: &str) {
    hand_over_as(world, "in", text, "e.asice");
}

/// The same for a folder and a package of these names.
fn hand_over_as(world: &World, folder: &str, text: &str, package: &str) {
    let deposit = ["deposit", folder, "--class", "general"];
    world.archiver(deposit).expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    let hits = world.archiver(["search", "--text", text, "--json"]);
    let record = hits.expect_code(0).json()[0]["record"].clone();
    let record = record.as_str().expect("a record id");
    let evidence = [
        "evidence",
        record,
        "-o",
        package,
        "--trust-anchors",
        "a.pem",
    ];
    world.archiver(evidence).expect_code(0);
}

/// Puts an authority of somebody else into the configuration, in the place of those that are in it.
fn name_authority(world: &World, url: &str, trust: &str, policy: &str) {
    name_authorities(world, &[section("somebody", url, trust, policy)]);
}

/// The part of a configuration that names an authority.
fn section(name: &str, url: &str, trust: &str, policy: &str) -> String {
    format!(
        "[[tsa]]\nname = \"{name}\"\nurl = \"{url}\"\ntrust = \"{trust}\"\npolicy = \"{policy}\"\n"
    )
}

/// Puts these authorities into the configuration, in the place of those that are in it.
fn name_authorities(world: &World, sections: &[String]) {
    let configuration = std::fs::read_to_string(world.at("fumikura.toml")).expect("readable");
    let (head, _) = configuration.split_once("[[tsa]]").expect("a section");
    let text = format!("{head}{}", sections.concat());
    world.file("fumikura.toml", text.as_bytes());
}
