//! The HTTP side of the embedded authority, spoken to as a stranger would.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use archiver::tsa::checks::Trust;
use archiver::tsa::client::{ClientOptions, Link, Timestamper, TsaClient};
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use archiver::tsa::server::{REQUEST_BYTES_MAX, Responder, serve};
use archiver::tsa::transport::{HttpTransport, TransportOptions};
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::digest::DigestAlgorithm;
use time::macros::datetime;

struct Reverse;

impl Responder for Reverse {
    fn respond(&self, request: &[u8]) -> Vec<u8> {
        request.iter().rev().copied().collect()
    }

    fn root_pem(&self) -> String {
        "-----BEGIN CERTIFICATE-----\n".into()
    }
}

#[test]
fn the_client_accepts_the_embedded_authority_over_http() {
    let now = datetime!(2026-11-22 04:00 UTC);
    let clock = Arc::new(SimulatedClock::new(now));
    let entropy = Arc::new(SeededEntropy::new(1));
    let material = AuthorityMaterial::make("test", now, entropy.as_ref()).unwrap();
    let root = material.root.clone();
    let authority = EmbeddedAuthority::new(material, clock.clone(), entropy.clone()).unwrap();
    with_responder(Arc::new(authority), |address| {
        let address = format!("http://{address}/tsa");
        let transport = HttpTransport::new(&address, TransportOptions::default()).unwrap();
        let options = ClientOptions::new("over http", Trust::anchors(vec![root]));
        let client = TsaClient::new(Link::Http(Box::new(transport)), options, clock, entropy);
        let token = client
            .timestamp(&DigestAlgorithm::Sha512.digest(b"x"))
            .unwrap();
        assert_eq!(token.authority(), "over http");
        assert_eq!(token.gen_time(), now);
    });
}

/// Serves for the time of one conversation, then stops and waits for the server's end.
fn with_server(conversation: impl FnOnce(SocketAddr)) {
    with_responder(Arc::new(Reverse), conversation);
}

fn with_responder(responder: Arc<dyn Responder>, conversation: impl FnOnce(SocketAddr)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = runtime.spawn(serve(listener, responder, async {
        stopped.await.unwrap_or_default();
    }));
    conversation(address);
    stop.send(()).unwrap();
    runtime.block_on(server).unwrap().unwrap();
}

fn ask(address: SocketAddr, line: &str, content_type: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A server that refuses a long body may stop reading it.
    drop(stream.write_all(body));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let split = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&answer[..split]).to_ascii_lowercase();
    (head, answer[split + 4..].to_vec())
}

const QUERY: &str = "application/timestamp-query";

#[test]
fn a_query_is_answered_with_a_reply() {
    with_server(|address| {
        for line in ["POST /", "POST /tsa"] {
            let (head, body) = ask(address, line, QUERY, b"abc");
            assert!(head.starts_with("http/1.1 200"), "{head}");
            assert!(
                head.contains("content-type: application/timestamp-reply\r\n"),
                "{head}"
            );
            assert_eq!(body, b"cba");
        }
        let (head, _) = ask(
            address,
            "POST /",
            "Application/Timestamp-Query; x=y",
            b"abc",
        );
        assert!(head.starts_with("http/1.1 200"), "{head}");
    });
}

#[test]
fn what_is_not_a_query_is_refused() {
    with_server(|address| {
        let long = vec![0; REQUEST_BYTES_MAX + 1];
        let cases: [(&str, &str, &[u8], &str); 6] = [
            ("POST /", "text/plain", b"abc", "415"),
            ("POST /", "", b"abc", "415"),
            ("POST /", QUERY, &long, "413"),
            ("POST /elsewhere", QUERY, b"abc", "404"),
            ("PUT /", QUERY, b"abc", "405"),
            ("DELETE /root.pem", QUERY, b"", "405"),
        ];
        for (line, content_type, body, status) in cases {
            let (head, _) = ask(address, line, content_type, body);
            assert!(
                head.starts_with(&format!("http/1.1 {status}")),
                "{line} {content_type}: {head}"
            );
        }
    });
}

#[test]
fn it_says_what_it_is_and_hands_out_its_root() {
    with_server(|address| {
        let (_, text) = ask(address, "GET /", "", b"");
        assert!(String::from_utf8_lossy(&text).contains("NOT ACCREDITED"));
        let (_, root) = ask(address, "GET /root.pem", "", b"");
        assert!(root.starts_with(b"-----BEGIN CERTIFICATE-----"));
    });
}
