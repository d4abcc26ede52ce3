//! A time-stamping authority that is down or answers wrongly: exit code 6, one clear line, and the records stay queued.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use tests::world::World;

/// Answers every HTTP request with the same bytes until it is asked to stop.
struct FixedServer {
    address: String,
}

impl FixedServer {
    fn start(status: &'static str, content_type: &'static str, body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                read_request(&mut stream);
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                drop(
                    stream
                        .write_all(head.as_bytes())
                        .and_then(|()| stream.write_all(&body)),
                );
            }
        });
        Self { address }
    }
}

/// Reads head and body of a request, as far as they come.
fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some(end) = text.find("\r\n\r\n") else {
            continue;
        };
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|value| value.trim().parse::<usize>().ok())
            .unwrap_or_default();
        if request.len() >= end + 4 + length {
            return;
        }
    }
}

/// Points the archive at an authority and stamps.
fn stamp_with(world: &World, original: &str, url: &str) -> tests::world::Run {
    let text = original.replace(
        "embedded = true",
        &format!("url = \"{url}\"\ntrust = \"keys/tsa/root.pem\"\ntimeout_s = 5"),
    );
    assert_ne!(text, original);
    world.file("fumikura.toml", text.as_bytes());
    world.archiver(["stamp"])
}

fn unstamped(world: &World) -> u64 {
    world.archiver(["status", "--json"]).expect_code(0).json()[0]["unstamped"]
        .as_u64()
        .expect("a count")
}

#[test]
fn a_failing_authority_leaves_the_records_queued_with_one_clear_line() {
    let world = World::new();
    world.file("in/a.txt", b"a");
    world.file("in/b.txt", b"b");
    world
        .archiver(["deposit", "in", "--class", "general"])
        .expect_code(0);
    let original = std::fs::read_to_string(world.at("fumikura.toml")).expect("configuration");

    let reply = "application/timestamp-reply";
    // `TimeStampResp { status { rejection, failInfo systemFailure } }`, RFC 3161 §2.4.2.
    let refusal = vec![
        0x30, 0x0b, 0x30, 0x09, 0x02, 0x01, 0x02, 0x03, 0x04, 0x06, 0x00, 0x00, 0x40,
    ];
    let closed = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let cases = [
        ("down", format!("http://{closed}/")),
        (
            "error 500",
            served("500 Internal Server Error", "text/plain", b"oops".to_vec()),
        ),
        (
            "a web page",
            served("200 OK", "text/html", b"<html></html>".to_vec()),
        ),
        (
            "garbage",
            served("200 OK", reply, b"not DER at all".to_vec()),
        ),
        ("a refusal", served("200 OK", reply, refusal)),
        (
            "an old answer to another request",
            served("200 OK", reply, answer_of_the_embedded_authority(&world)),
        ),
    ];
    for (what, url) in cases {
        let run = stamp_with(&world, &original, &url);
        assert_eq!(run.code, 6, "{what}: {}{}", run.stdout, run.stderr);
        let lines: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| !line.contains("EVALUATION"))
            .collect();
        assert_eq!(lines.len(), 1, "{what}: {}", run.stderr);
        assert!(lines[0].contains("queued"), "{what}: {}", run.stderr);
        assert_eq!(unstamped(&world), 2, "{what}");
    }

    world.file("fumikura.toml", original.as_bytes());
    world.archiver(["stamp"]).expect_code(0);
    assert_eq!(unstamped(&world), 0);
    world.archiver(["verify"]).expect_code(0);
}

fn served(status: &'static str, content_type: &'static str, body: Vec<u8>) -> String {
    format!(
        "http://{}/",
        FixedServer::start(status, content_type, body).address
    )
}

/// `archiver tsa serve` in the background.
struct Authority(Child, String);

impl Authority {
    fn start(world: &World) -> Self {
        let mut child = world
            .archiver_command(["tsa", "serve", "--listen", "127.0.0.1:0", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("archiver starts");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
        std::io::BufRead::read_line(&mut output, &mut line).expect("a line");
        let event: serde_json::Value = serde_json::from_str(&line).expect("the listening event");
        let url = event["url"].as_str().expect("an address").to_owned();
        Self(child, url)
    }

    /// Sends one `TimeStampReq` and gives the body of the answer.
    fn ask(&self, request: &[u8]) -> Vec<u8> {
        let address = self.1.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).expect("the authority listens");
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/timestamp-query\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            request.len()
        );
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(request))
            .expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let end = answer
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a head");
        answer.split_off(end + 4)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A whole, valid answer over another imprint, without nonce: what a replay looks like.
fn answer_of_the_embedded_authority(world: &World) -> Vec<u8> {
    let authority = Authority::start(world);
    // TimeStampReq v1, SHA-256 of nothing in particular, certReq TRUE.
    let mut request = vec![
        0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09,
    ];
    request.extend([
        0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
    ]);
    request.extend([0x55; 32]);
    request.extend([0x01, 0x01, 0xff]);
    let answer = authority.ask(&request);
    assert!(answer.len() > 500, "a token: {answer:02x?}");
    answer
}

/// Runs `openssl` in the archive's folder. Gives whether it succeeded, and what it said.
fn openssl(world: &World, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(world.path())
        .output()
        .expect("openssl");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn openssl_accepts_what_the_embedded_authority_serves() {
    if !tests::has_program("openssl", "version") {
        println!("left out: the embedded authority judged by openssl (openssl is not installed)");
        return;
    }
    let world = World::new();
    world.file("data.txt", b"what existed");
    world
        .archiver(["tsa", "trust-anchors", "-o", "root.pem"])
        .expect_code(0);
    let authority = Authority::start(&world);
    for digest in ["-sha256", "-sha384", "-sha512"] {
        assert!(
            openssl(
                &world,
                &[
                    "ts", "-query", "-data", "data.txt", digest, "-cert", "-out", "q.tsq"
                ]
            )
            .0
        );
        let answer = authority.ask(&std::fs::read(world.at("q.tsq")).expect("request"));
        world.file("r.tsr", &answer);
        let (accepted, why) = openssl(
            &world,
            &[
                "ts",
                "-verify",
                "-queryfile",
                "q.tsq",
                "-in",
                "r.tsr",
                "-CAfile",
                "root.pem",
            ],
        );
        assert!(accepted, "{digest}: {why}");
        world
            .verifier([
                "verify", "r.tsr", "--data", "data.txt", "--trust", "root.pem",
            ])
            .expect_code(0);
    }
    world.file("other.txt", b"what did not");
    assert!(
        !openssl(
            &world,
            &[
                "ts",
                "-verify",
                "-data",
                "other.txt",
                "-in",
                "r.tsr",
                "-CAfile",
                "root.pem"
            ]
        )
        .0
    );
    world
        .verifier([
            "verify",
            "r.tsr",
            "--data",
            "other.txt",
            "--trust",
            "root.pem",
        ])
        .expect_code(1);
}
