//! The service: started, asked, alarmed and stopped, with a real listener for its alarms.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tests::world::World;

/// A service that runs; it is killed when the test ends.
struct Service {
    child: Child,
    lines: Receiver<Value>,
    address: String,
}

impl Service {
    fn start(world: &World) -> Self {
        let mut child = world
            .archiver_command(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let stderr = child.stderr.take().expect("standard error");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line)
                    .unwrap_or_else(|e| panic!("a log line is JSON ({e}): {line}"));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut service = Self {
            child,
            lines,
            address: String::new(),
        };
        let url = service.line("listening")["url"].clone();
        let url = url.as_str().expect("an address").trim_end_matches('/');
        service.address = url.trim_start_matches("http://").to_owned();
        service
    }

    /// Waits for a log line of an event.
    fn line(&self, event: &str) -> Value {
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|e| panic!("no line '{event}': {e}"));
            if line["event"] == event {
                assert!(
                    line["time"].is_string() && line["level"].is_string(),
                    "{line}"
                );
                return line;
            }
        }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n"
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Asks again until the answer has this in it.
    fn get_until(&self, path: &str, wanted: &str) -> String {
        for _ in 0..300 {
            let answer = self.get(path);
            if answer.contains(wanted) {
                return answer;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{path} never had {wanted}: {}", self.get(path));
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.expect("kill").success());
        self.line("stopped");
        assert!(self.child.wait().expect("it ended").success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A receiver of alarms: the head and the body of each request.
fn receiver() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (sender, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0_usize);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() {
                continue;
            }
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            drop(reader.get_mut().write_all(answer));
            let body = serde_json::from_slice(&body).expect("JSON");
            if sender.send((head, body)).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/alarms"), received)
}

fn configure(world: &World, parts: &str) {
    let text = std::fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
    world.file("fumikura.toml", format!("{text}\n{parts}\n").as_bytes());
}

fn deposit(world: &World) {
    world.file("in/one.txt", b"a contract\n");
    let arguments = ["deposit", "in", "--class", "general"];
    world.archiver(arguments).expect_code(0);
}

/// Passphrases are slow to try, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn the_service_stamps_tells_how_it_is_and_stops() {
    let world = World::new();
    deposit(&world);
    configure(&world, "[service]\nstamp_count = 1");
    let service = Service::start(&world);
    assert!(service.get("/healthz").starts_with("HTTP/1.1 200"));
    service.get_until("/readyz", "200 OK");
    let metrics = service.get("/metrics");
    for sample in [
        "fumikura_up 1\n",
        "fumikura_unstamped_records 0\n",
        "fumikura_stamped_records_total 1\n",
        "fumikura_evidence_lost_records 0\n",
        "fumikura_alarms{kind=\"unstamped\"} 0\n",
        "text/plain; version=0.0.4",
    ] {
        assert!(metrics.contains(sample), "{sample}: {metrics}");
    }
    assert!(service.get("/other").starts_with("HTTP/1.1 404"));
    // Between its visits the archive is free.
    let status = world.archiver(["status", "--json"]).expect_code(0).json();
    assert_eq!(
        (&status[0]["unstamped"], &status[0]["versions"]),
        (&0.into(), &1.into())
    );
    service.stop();
}

#[test]
fn an_authority_that_is_away_is_an_alarm_at_the_webhook() {
    let world = World::new();
    deposit(&world);
    let (webhook, received) = receiver();
    world.file("secret.txt", b"s3cret\n");
    world
        .archiver(["tsa", "trust-anchors", "-o", "roots.pem"])
        .expect_code(0);
    let nobody = tests::http::nobody();
    let text = std::fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
    let (before, _) = text.split_once("[[tsa]]").expect("the embedded authority");
    world.file("fumikura.toml", before.as_bytes());
    configure(
        &world,
        &format!(
            "[service]\nstamp_count = 1\n\n[alarms]\ntsa_failures = 1\nwebhook = \"{webhook}\"\nwebhook_secret_file = \"secret.txt\"\n\n\
             [[tsa]]\nname = \"away\"\nurl = \"{nobody}\"\ntrust = \"roots.pem\"\nretries = 0\n"
        ),
    );
    let service = Service::start(&world);
    let (head, alarm) = received.recv_timeout(PATIENCE).expect("an alarm");
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /alarms http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer s3cret"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(alarm["schema"], "urn:fumikura:alarm:1");
    assert_eq!(
        (&alarm["alarm"], &alarm["subject"]),
        (&"authority-failing".into(), &"away".into())
    );
    assert_eq!(alarm["state"], "raised");
    assert!(alarm["text"]["ja"].is_string() && alarm["text"]["en"].is_string());
    service.get_until(
        "/metrics",
        "fumikura_alarms{kind=\"authority-failing\"} 1\n",
    );
    service.get_until("/metrics", "fumikura_unstamped_records 1\n");
    service.stop();
    // The memory of alarms is kept: a restart does not tell them again.
    let service = Service::start(&world);
    service.get_until(
        "/metrics",
        "fumikura_alarms{kind=\"authority-failing\"} 1\n",
    );
    service.stop();
    let again: Vec<Value> = received.try_iter().map(|(_, alarm)| alarm).collect();
    assert!(
        again
            .iter()
            .all(|alarm| alarm["alarm"] != "authority-failing"),
        "{again:?}"
    );
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let world = World::new();
    configure(&world, "[alarms]\nwebhook_credential = \"alarms\"");
    world.archiver(["serve"]).expect_code(2);
    let world = World::new();
    configure(
        &world,
        "[alarms]\nwebhook = \"http://127.0.0.1:1/\"\nwebhook_secret_file = \"missing.txt\"",
    );
    let run = world.archiver(["serve"]).expect_code(3);
    assert!(run.stderr.contains("missing.txt"), "{}", run.stderr);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let world = World::new();
    world
        .archiver(["serve", "--listen", &address])
        .expect_code(3);
}
