//! A batch under somebody else's time-stamping authority: sigstore's `timestamp-server` on loopback, with keys in memory.
//!
//! `tests/run` installs it where Go is there. Where it is not, `openssl ts` behind HTTP stands in for it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tests::authority::{OpenSslAuthority, has_openssl, openssl};
use tests::http::{Answer, serve};
use tests::world::World;

/// The program: on the path, or where `tests/run` puts it.
fn program() -> Option<PathBuf> {
    let name = "timestamp-server";
    if tests::has_program(name, "version") {
        return Some(PathBuf::from(name));
    }
    let test = std::env::current_exe().ok()?;
    // …/target/<profile>/deps/<test>-<hash>
    let installed = test.ancestors().nth(3)?.join("tools/bin").join(name);
    installed.is_file().then_some(installed)
}

/// The running server. There can be one at a time: its metrics have a port that cannot be chosen.
struct TimestampServer {
    process: Child,
    port: u16,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl TimestampServer {
    /// Starts it on a free port. It takes the port's number and not the port, so another process may be faster; then with another one.
    fn start(program: &PathBuf, arguments: &[&str]) -> Self {
        let mut tries = (0..5).map(|_| Self::start_once(program, arguments));
        tries
            .find_map(|server| server)
            .expect("timestamp-server listens")
    }

    fn start_once(program: &PathBuf, arguments: &[&str]) -> Option<Self> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let port_text = port.to_string();
        let process = Command::new(program)
            .args(["serve", "--host", "127.0.0.1", "--port", &port_text])
            .args(["--timestamp-signer", "memory", "--disable-ntp-monitoring"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("timestamp-server starts");
        let mut server = Self {
            process,
            port,
            _alone: alone,
        };
        server.listens().then_some(server)
    }

    /// Waits until it listens; it makes keys before. `false` when it ended instead.
    fn listens(&mut self) -> bool {
        for _ in 0..600 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1/timestamp", self.port)
    }

    /// Its certificates, PEM: the signer's, the intermediate one, the root.
    fn chain(&self) -> Vec<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream
            .write_all(b"GET /api/v1/timestamp/certchain HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let ends = "-----END CERTIFICATE-----";
        let parts = text.split("-----BEGIN CERTIFICATE-----").skip(1);
        parts
            .map(|part| {
                let body = part.split(ends).next().unwrap_or_default();
                format!("-----BEGIN CERTIFICATE-----{body}{ends}\n")
            })
            .collect()
    }
}

impl Drop for TimestampServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Puts this authority alone into the configuration.
fn configure(world: &World, url: &str, trust: &str) {
    let text = std::fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
    let (head, _) = text.split_once("[[tsa]]").expect("a section");
    let text = format!(
        "{head}\n[[tsa]]\nname = \"peer\"\nurl = \"{url}\"\ntrust = \"{trust}\"\nretries = 0\naccuracy_max_ms = 1000\n"
    );
    world.file("fumikura.toml", text.as_bytes());
}

/// A batch under the authority, its check, and a package that an outsider judges with its root alone.
fn stamp_and_hand_over(world: &World) {
    let check = world
        .archiver(["tsa", "check", "peer", "--json"])
        .expect_code(0);
    let check = &check.json()[0];
    assert_eq!(check["accepted"], true, "{check}");
    let checks = check["checks"].as_array().expect("a list");
    assert!(checks.len() > 18 && checks.iter().all(|one| one["passed"] == true));
    crate::hand_over(world, "請求書");
    world.archiver(["verify"]).expect_code(0);
    let judged = [
        "verify",
        "e.asice",
        "--trust",
        "peer-root.pem",
        "--format",
        "json",
    ];
    let report: Value =
        serde_json::from_str(&world.verifier(judged).expect_code(0).stdout).expect("a report");
    assert_eq!(report["conclusion"], "TOTAL-PASSED");
    let other = ["verify", "e.asice", "--trust", "keys/tsa/root.pem"];
    world.verifier(other).expect_code(2);
}

fn documents(world: &World) {
    for name in ["one.txt", "two.txt", "請求書.txt"] {
        world.file(&format!("in/{name}"), name.repeat(99).as_bytes());
    }
}

#[test]
fn a_batch_stands_under_a_token_of_sigstore() {
    let Some(program) = program() else {
        stand_in();
        return;
    };
    let server = TimestampServer::start(&program, &["--include-chain-in-response"]);
    let chain = server.chain();
    let world = World::new();
    documents(&world);
    world.file("peer-root.pem", chain.last().expect("a root").as_bytes());
    configure(&world, &server.url(), "peer-root.pem");
    stamp_and_hand_over(&world);
}

/// Without the chain in its answers the way to the root is missing, and that is told before anything is kept.
#[test]
fn a_token_of_sigstore_without_its_chain_is_refused() {
    let Some(program) = program() else {
        println!("left out: sigstore without its chain (timestamp-server is not installed)");
        return;
    };
    let server = TimestampServer::start(&program, &[]);
    let chain = server.chain();
    let world = World::new();
    documents(&world);
    world.file("peer-root.pem", chain.last().expect("a root").as_bytes());
    configure(&world, &server.url(), "peer-root.pem");
    world
        .archiver(["deposit", "in", "--class", "general"])
        .expect_code(0);
    let run = world.archiver(["stamp"]).expect_code(6);
    assert!(run.stderr.contains("no path leads"), "{}", run.stderr);
    let status = world.archiver(["status", "--json"]).expect_code(0);
    assert_eq!(status.json()[0]["unstamped"], 3);
}

/// `openssl ts` behind HTTP, where sigstore's server is not there.
fn stand_in() {
    println!("left out: sigstore (timestamp-server is not installed); openssl ts stands in");
    if !has_openssl("the authority that stands in for sigstore") {
        return;
    }
    let world = World::new();
    documents(&world);
    let authority = OpenSslAuthority::make(&world.at("peer"), "Peer", "ec:curve.pem");
    let root = std::fs::read(authority.root()).expect("a root");
    world.file("peer-root.pem", &root);
    assert!(openssl(&world.at("peer"), "version").0);
    let url = serve(move |request| Answer::reply(authority.reply(&request)));
    configure(&world, &url, "peer-root.pem");
    stamp_and_hand_over(&world);
}
