//! What our archive renewed over decades is accepted by Bouncy Castle, EU DSS and our verifier, and refused when tampered with.
//!
//! The archive is the real one; its clock and that of its authorities are simulated. The authorities are Bouncy Castle's and put their
//! lists of revoked certificates into each token, so that EU DSS judges by its own default policy, long after they have ended.

use tests::peers::Question;

use crate::decades::{Decades, START};
use crate::evidence::{Evidence, dss_passes_record, tampered};

/// What happens in which year, and which authority is asked then. The ends are those of the authorities and of the built-in policy: for
/// SHA-256 and P-256 that is the end of 2050.
const YEARS: [(&str, &str, &str); 5] = [
    ("stamped", START, "one"),
    ("time-stamp renewed once", "2035-09-01T00:00:00Z", "two"),
    ("time-stamp renewed twice", "2045-09-01T00:00:00Z", "three"),
    ("hash tree renewed", "2050-06-01T00:00:00Z", "four"),
    (
        "time-stamp renewed after that",
        "2060-09-01T00:00:00Z",
        "five",
    ),
];

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
    for (what, time, authority) in YEARS {
        if time != START {
            decades.ask_only(authority);
            decades.run(time, &["renew"]);
        }
        let (package, good) = decades.hand_over(time, "3.txt");
        let (_, alone) = decades.hand_over(time, "alone.txt");
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
