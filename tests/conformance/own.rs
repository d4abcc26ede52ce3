//! What the project makes itself, through every door: these run wherever the suite runs, with or without foreign vectors.

use time::{Duration, OffsetDateTime};
use verifier::verdict::Conclusion;

use crate::doors::through_all_doors;
use tests::world::{World, put};

#[test]
fn a_package_of_the_archive_and_changed_ones_through_every_door() {
    let world = World::new();
    for name in ["one", "two", "three"] {
        let text = format!("document {name}\n").repeat(50);
        world.file(&format!("in/{name}.txt"), text.as_bytes());
    }
    let deposit = ["deposit", "in", "--class", "general"];
    world.archiver(deposit).expect_code(0);
    world.archiver(["stamp"]).expect_code(0);
    let hits = world.archiver(["search", "--text", "two", "--json"]);
    let record = hits.expect_code(0).json()[0]["record"].clone();
    let record = record.as_str().expect("a record id");
    let evidence = [
        "evidence",
        record,
        "-o",
        "e.asice",
        "--trust-anchors",
        "a.pem",
    ];
    world.archiver(evidence).expect_code(0);

    let (package, trust) = (world.at("e.asice"), world.at("a.pem"));
    let later = OffsetDateTime::now_utc() + Duration::hours(1);
    let report = through_all_doors(&package, &trust, later);
    assert_eq!(report.judgement.conclusion(), Conclusion::TotalPassed);

    let bytes = std::fs::read(&package).expect("a package");
    for part in 1..8 {
        let mut changed = bytes.clone();
        changed[bytes.len() * part / 8] ^= 1;
        let file = world.at("changed.asice");
        put(&file, &changed);
        let report = through_all_doors(&file, &trust, later);
        assert_ne!(
            report.judgement.conclusion(),
            Conclusion::TotalPassed,
            "bit {part}"
        );
    }
}
