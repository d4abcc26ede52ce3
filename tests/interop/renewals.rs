//! What our archive renewed over decades is accepted by Bouncy Castle, EU DSS and our verifier, and refused when tampered with.
//!
//! The archive is the real one; its clock and that of its authorities are simulated. The authorities are Bouncy Castle's and put their
//! lists of revoked certificates into each token, so that EU DSS judges by its own default policy, long after they have ended.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tests::http::Answer;
use tests::peers::{Peers, Question};
use tests::world::{World, put};

use crate::evidence::{Evidence, dss_passes_record, tampered};

/// Each authority with its key and its life.
const AUTHORITIES: [(&str, &str, [&str; 2]); 5] = [
    (
        "one",
        "EC",
        ["2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z"],
    ),
    (
        "two",
        "EC",
        ["2034-01-01T00:00:00Z", "2046-01-01T00:00:00Z"],
    ),
    (
        "three",
        "EC",
        ["2044-01-01T00:00:00Z", "2056-01-01T00:00:00Z"],
    ),
    (
        "four",
        "EC-384",
        ["2049-01-01T00:00:00Z", "2061-01-01T00:00:00Z"],
    ),
    (
        "five",
        "EC-384",
        ["2059-01-01T00:00:00Z", "2071-01-01T00:00:00Z"],
    ),
];

/// What happens in which year, and which authority is asked then. The ends are those of the authorities and of the built-in policy: for
/// SHA-256 and P-256 that is the end of 2050.
const YEARS: [(&str, &str, &str); 5] = [
    ("stamped", "2027-03-01T00:00:00Z", "one"),
    ("time-stamp renewed once", "2035-09-01T00:00:00Z", "two"),
    ("time-stamp renewed twice", "2045-09-01T00:00:00Z", "three"),
    ("hash tree renewed", "2050-06-01T00:00:00Z", "four"),
    (
        "time-stamp renewed after that",
        "2060-09-01T00:00:00Z",
        "five",
    ),
];

/// An archive with a simulated clock, and its authorities.
struct Decades {
    world: World,
    peers: &'static Peers,
    /// The time that the authorities tell.
    time: Arc<Mutex<String>>,
}

impl Decades {
    fn begin(left_out: &str) -> Option<Self> {
        let peers = Peers::found(left_out)?;
        let decades = Self {
            world: World::empty(),
            peers,
            time: Arc::new(Mutex::new(String::new())),
        };
        let mut trust = String::new();
        for (name, algorithm, [from, to]) in AUTHORITIES {
            let root = decades.world.at(&format!("{name}.pem"));
            let make = Question::new("authority")
                .with("name", &decades.named(name))
                .with("algorithm", algorithm)
                .with("from", from)
                .with("to", to)
                .with("list", "in-tokens");
            peers.order(&make.file("root", &root));
            trust.push_str(&fs::read_to_string(&root).expect("a root"));
        }
        decades.world.file("roots.pem", trust.as_bytes());
        let init = [
            "init",
            "--data",
            "a",
            "--data",
            "b",
            "--keys",
            "keys",
            "--evaluation",
        ];
        decades.run(YEARS[0].1, &init);
        Some(decades)
    }

    /// Each test's authorities have names of their own.
    fn named(&self, authority: &str) -> String {
        format!("{authority} of {}", self.world.path().display())
    }

    /// Runs the archive at a time; it must succeed.
    fn run(&self, time: &str, arguments: &[&str]) -> Vec<serde_json::Value> {
        time.clone_into(&mut self.time.lock().unwrap_or_else(PoisonError::into_inner));
        let json = arguments.iter().chain(&["--json"]);
        self.world.archiver_at(time, json).expect_code(0).json()
    }

    /// From now on the archive asks this authority and nobody else.
    fn ask_only(&self, authority: &str) {
        let (request, answer) = (self.world.at("request.tsq"), self.world.at("answer.tsr"));
        let (peers, time) = (self.peers, Arc::clone(&self.time));
        let reply = Question::new("reply")
            .with("authority", &self.named(authority))
            .file("request", &request)
            .file("out", &answer);
        let url = tests::http::serve(move |bytes| {
            put(&request, &bytes);
            let time = time.lock().unwrap_or_else(PoisonError::into_inner);
            peers.order(&reply.clone().with("time", &time));
            Answer::reply(fs::read(&answer).expect("an answer"))
        });
        crate::name_authority(&self.world, &url, "roots.pem", crate::java_peers::POLICY);
    }

    /// Hands the evidence of a document over at a time: the package, and what is in it.
    fn hand_over(&self, time: &str, text: &str) -> (PathBuf, Evidence) {
        let hits = self.run(time, &["search", "--text", text]);
        let record = hits[0]["record"].as_str().expect("a record id");
        let name = format!("{text} of {time}");
        let package = self.world.at(&format!("{name}.asice"));
        let path = package.to_str().expect("a path");
        self.run(time, &["evidence", record, "-o", path]);
        let folder = self.world.at(&name);
        let evidence = Evidence::unpack(&package, &folder, &self.world.at("roots.pem"));
        let time = Some(time.to_owned());
        (package, Evidence { time, ..evidence })
    }
}

#[test]
fn all_judges_accept_each_renewal_of_ours_and_no_tampered_one() {
    let Some(decades) = Decades::begin("our renewals judged by Bouncy Castle and EU DSS") else {
        return;
    };
    let [(_, start, _), ..] = YEARS;
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
        decades.run(start, &["deposit", folder, "--class", "general"]);
        decades.run(start, &["stamp"]);
    }
    for (what, time, authority) in YEARS.into_iter().take(1) {
        if time != start {
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
