//! What our archive renewed over decades is accepted by Bouncy Castle, EU DSS and our verifier, and refused when tampered with.
//!
//! The archive is the real one; its clock and that of its authorities are simulated. The authorities are Bouncy Castle's and put their
//! lists of revoked certificates into each token, so that EU DSS judges by its own default policy, long after they have ended.

use std::fs;

use tests::peers::Question;
use tests::workspace_root;

use crate::decades::{Decades, START};
use crate::evidence::{Evidence, dss_passes_record, tampered};

/// What happens in which year: which authority is asked, and how many archive time-stamps each chain has afterwards.
///
/// The ends are those of the authorities and of the built-in policy, where SHA-256 and P-256 end with 2050. For the last step the
/// policy is changed: SHA-512 ends, too, and the archive goes on with a digest that it has to take from the contents.
const YEARS: [(&str, &str, &str, &[usize]); 6] = [
    ("stamped", START, "one", &[1]),
    ("time-stamp renewed", "2035-09-01T00:00:00Z", "two", &[2]),
    (
        "time-stamp renewed again",
        "2045-09-01T00:00:00Z",
        "three",
        &[3],
    ),
    ("hash tree renewed", "2050-06-01T00:00:00Z", "four", &[3, 1]),
    (
        "time-stamp renewed after that",
        "2060-09-01T00:00:00Z",
        "five",
        &[3, 2],
    ),
    ("hash tree renewed again", RETIREMENT, "five", &[3, 2, 1]),
];

/// When the policy says that SHA-512 ends within the year.
const RETIREMENT: &str = "2065-03-01T00:00:00Z";

#[test]
fn all_judges_accept_each_renewal_of_ours_and_no_tampered_one() {
    let Some(decades) = Decades::begin("our renewals judged by Bouncy Castle and EU DSS") else {
        return;
    };
    for number in 0..5 {
        let text = format!("document {number}\n").repeat(40);
        let name = format!("in/{number}.txt");
        decades.world.file(&name, text.as_bytes());
    }
    decades
        .world
        .file("later/alone.txt", b"alone under its token\n");
    for folder in ["in", "later"] {
        decades.ask_only("one");
        decades.run(START, &["deposit", folder, "--class", "general"]);
        decades.run(START, &["stamp"]);
    }
    for (what, time, authority, chains) in YEARS {
        if time == RETIREMENT {
            retire_sha512(&decades);
        }
        if time != START {
            decades.ask_only(authority);
            decades.run(time, &["renew"]);
        }
        let (package, good) = decades.hand_over(time, "3.txt");
        let (_, alone) = decades.hand_over(time, "alone.txt");
        let found = good.parsed().sequence;
        let found: Vec<usize> = found.iter().map(|chain| chain.time_stamps.len()).collect();
        assert_eq!(found, chains, "{what}");
        good.expect_accepted(what, decades.peers);
        alone.expect_accepted(what, decades.peers);
        Evidence::expect_refused(&tampered(&good, &alone), decades.peers);
        let question = Question::new("dss-asic")
            .file("file", &package)
            .file("trust", &decades.world.at("roots.pem"))
            .with("time", time);
        let answer = decades.peers.ask(&question);
        assert!(dss_passes_record(&answer, 2), "{what}: {answer}");
    }
}

/// Gives the archive a policy under which SHA-512 ends on the last day of 2065.
fn retire_sha512(decades: &Decades) {
    let built_in = workspace_root().join("verifier/policy/default.json");
    let built_in = fs::read_to_string(built_in).expect("the built-in policy");
    let without_end = r#""SHA-512", "trusted_until": null"#;
    assert!(built_in.contains(without_end), "{built_in}");
    let ending = r#""SHA-512", "trusted_until": "2065-12-31T14:59:59Z""#;
    let policy = built_in.replace(without_end, ending);
    decades.world.file("policy.json", policy.as_bytes());
    let configuration = fs::read_to_string(decades.world.at("fumikura.toml")).expect("readable");
    let configuration = format!("policy = \"policy.json\"\n{configuration}");
    decades
        .world
        .file("fumikura.toml", configuration.as_bytes());
}
