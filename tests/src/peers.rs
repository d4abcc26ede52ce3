//! Bouncy Castle and EU DSS, behind one Java program that is started once for a test process (`tests/interop/peers`).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::has_program;
use crate::programs::target_folder;

/// The program of the peers, until this process ends.
#[derive(Debug)]
pub struct Peers {
    pipes: Mutex<(Child, BufReader<ChildStdout>)>,
}

/// A command for the peers, or the answer to one: a word, and after it names with values.
#[derive(Debug, Clone)]
pub struct Question {
    line: String,
}

impl Peers {
    /// The peers, or one line that says what is left out where they are not there.
    ///
    /// # Panics
    /// When they are there but do not start.
    #[must_use]
    pub fn found(left_out: &str) -> Option<&'static Self> {
        static PEERS: OnceLock<Option<Peers>> = OnceLock::new();
        let jar = target_folder().join("peers").join("peers.jar");
        let peers = PEERS.get_or_init(|| {
            let there = jar.is_file() && has_program("java", "-version");
            there.then(|| Self::start(&jar))
        });
        if peers.is_none() {
            let jar = jar.display();
            let why = format!("java or {jar} is missing; tests/run builds it");
            crate::left_out("java", &format!("{left_out} ({why})"));
        }
        peers.as_ref()
    }

    fn start(jar: &Path) -> Self {
        // The small compiler and collector: the program lives for seconds.
        let mut child = Command::new("java")
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar"])
            .arg(jar)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("java starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            pipes: Mutex::new((child, output)),
        }
    }

    /// What they answer.
    ///
    /// # Panics
    /// When the program has gone.
    #[must_use]
    pub fn ask(&self, question: &Question) -> Value {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (child, output) = &mut *pipes;
        let input = child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{}", question.line).expect("the peers listen");
        input.flush().expect("the peers listen");
        let mut answer = String::new();
        output.read_line(&mut answer).expect("a line");
        serde_json::from_str(&answer)
            .unwrap_or_else(|e| panic!("not JSON ({e}): {answer}\n{}", question.line))
    }

    /// Has them do something that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub fn order(&self, question: &Question) {
        let answer = self.ask(question);
        assert!(answer["made"].is_string(), "{}: {answer}", question.line);
    }

    /// Whether they accept, of commands that answer so; the whole answer goes into the message of a failed test.
    ///
    /// # Panics
    /// When the answer is not what is expected.
    pub fn expect(&self, question: &Question, accepted: bool) {
        let answer = self.ask(question);
        assert_eq!(answer["accepted"], accepted, "{}: {answer}", question.line);
    }
}

impl Question {
    /// A command.
    #[must_use]
    pub fn new(command: &str) -> Self {
        Self {
            line: command.to_owned(),
        }
    }

    /// The same with a value.
    ///
    /// # Panics
    /// When the value has a tab or a line end in it, which no line can carry.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        assert!(!value.contains(['\t', '\n']), "{value}");
        self.line.push_str(&format!("\t{name}={value}"));
        self
    }

    /// The same with a file.
    #[must_use]
    pub fn file(self, name: &str, path: &Path) -> Self {
        self.with(name, &path.to_string_lossy())
    }
}
