//! A real archive whose clock is simulated, and authorities of Bouncy Castle's make for half a century.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tests::http::Answer;
use tests::peers::{Peers, Question};
use tests::world::{World, put};

use crate::evidence::Evidence;

/// When each archive is made.
pub(crate) const START: &str = "2027-03-01T00:00:00Z";

/// Each authority with its key and its life.
pub(crate) const AUTHORITIES: [(&str, &str, [&str; 2]); 7] = [
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
    (
        "beside",
        "EC",
        ["2026-01-01T00:00:00Z", "2046-01-01T00:00:00Z"],
    ),
    (
        "aside",
        "EC",
        ["2044-01-01T00:00:00Z", "2058-01-01T00:00:00Z"],
    ),
];

/// An archive with a simulated clock, and its authorities.
pub(crate) struct Decades {
    pub(crate) world: World,
    pub(crate) peers: &'static Peers,
    /// The time that the authorities tell.
    time: Arc<Mutex<String>>,
}

impl Decades {
    pub(crate) fn begin(left_out: &str) -> Option<Self> {
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
        decades.run(START, &init);
        Some(decades)
    }

    /// Each test's authorities have names of their own.
    pub(crate) fn named(&self, authority: &str) -> String {
        format!("{authority} of {}", self.world.path().display())
    }

    /// Runs the archive at a time; it must succeed.
    pub(crate) fn run(&self, time: &str, arguments: &[&str]) -> Vec<serde_json::Value> {
        time.clone_into(&mut self.time.lock().unwrap_or_else(PoisonError::into_inner));
        let json = arguments.iter().chain(&["--json"]);
        self.world.archiver_at(time, json).expect_code(0).json()
    }

    /// From now on the archive asks this authority and nobody else.
    pub(crate) fn ask_only(&self, authority: &str) {
        let section = self.section(authority);
        crate::name_authorities(&self.world, &[section]);
    }

    /// From now on the archive asks both of these authorities for each token.
    pub(crate) fn ask_both(&self, first: &str, second: &str) {
        let second = format!("{}second = true\n", self.section(second));
        crate::name_authorities(&self.world, &[self.section(first), second]);
    }

    /// Serves an authority, and names it for the configuration.
    fn section(&self, authority: &str) -> String {
        let request = self.world.at(&format!("{authority}.tsq"));
        let answer = self.world.at(&format!("{authority}.tsr"));
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
        crate::section(authority, &url, "roots.pem", crate::java_peers::POLICY)
    }

    /// Hands the evidence of a document over at a time: the package, and what is in it.
    pub(crate) fn hand_over(&self, time: &str, text: &str) -> (PathBuf, Evidence) {
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
