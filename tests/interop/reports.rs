//! EU DSS reads our validation reports by ETSI TS 119 102-2 as it reads its own, under its schema, and finds the answer that we gave.

use std::path::Path;

use tests::peers::{Peers, Question};
use tests::world::World;

#[test]
fn dss_reads_our_reports_and_finds_the_same_answers() {
    let Some(peers) = Peers::found("our validation reports read by EU DSS") else {
        return;
    };
    let world = World::empty();
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let seed = |name: &str| std::fs::read(seeds.join(name)).expect("a seed of the fuzzer");
    let mut signature = seed("verification/signature.der");
    world.file("good.p7m", &signature);
    *signature.last_mut().expect("a byte") ^= 1;
    world.file("damaged.p7m", &signature);
    world.file("data", b"what existed");
    world.file("root.der", &seed("certificate/root.der"));
    world.file("list.crl", &seed("crl/good.der"));
    let trusted = ["--trust", "root.der", "--crl", "list.crl"];
    let cases: [(&str, &[&str], i32, &str); 3] = [
        ("good.p7m", &trusted, 0, "TOTAL_PASSED"),
        ("good.p7m", &[], 2, "INDETERMINATE"),
        ("damaged.p7m", &trusted, 1, "TOTAL_FAILED"),
    ];
    for (evidence, trust, code, indication) in cases {
        let judge = ["verify", evidence, "--data", "data", "--at", "2026-06-01"];
        let write = ["--format", "etsi", "-o", "report.xml"];
        let arguments = judge.iter().chain(trust).chain(&write);
        world.verifier(arguments).expect_code(code);
        let answer =
            peers.ask(&Question::new("dss-report").file("report", &world.at("report.xml")));
        let reports = answer["reports"].as_array().expect("a list of reports");
        assert_eq!(reports.len(), 1, "{answer}");
        assert_eq!(reports[0]["indication"], indication, "{answer}");
        assert_ne!(answer["objects"], 0, "{answer}");
        let passed = indication == "TOTAL_PASSED";
        assert_eq!(
            reports[0]["sub_indications"] == serde_json::json!([]),
            passed
        );
    }
    // A report that breaks the schema is refused, so the others were looked at.
    let text = std::fs::read_to_string(world.at("report.xml")).expect("a report");
    let broken = text.replace("MainIndication", "MeanIndication");
    let broken = world.file("broken.xml", broken.as_bytes());
    let answer = peers.ask(&Question::new("dss-report").file("report", &broken));
    assert!(answer["error"].is_string(), "{answer}");
}
