//! The little HTTP that timestamps need (RFC 3161 §3.4): a server whose answers the test chooses, and a client.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// The media type of a request.
pub const QUERY: &str = "application/timestamp-query";

/// The media type of an answer.
pub const REPLY: &str = "application/timestamp-reply";

/// What a server says.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Code and reason, like `200 OK`.
    pub status: &'static str,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer of a time-stamping authority, good or bad.
    #[must_use]
    pub fn reply(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: "200 OK",
            content_type: REPLY,
            body: body.into(),
        }
    }
}

/// Starts a server on a free port, which lives as long as the test process, and gives its address.
///
/// # Panics
/// When there is no free port.
pub fn serve(answer: impl Fn(Vec<u8>) -> Answer + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(body) = read_body(&mut stream) else {
                continue;
            };
            let Answer {
                status,
                content_type,
                body,
            } = answer(body);
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // A client that has gone away is not this server's trouble.
            let sent = stream.write_all(head.as_bytes());
            drop(sent.and_then(|()| stream.write_all(&body)));
        }
    });
    format!("http://{address}/")
}

/// An address where nobody listens.
///
/// # Panics
/// When there is no free port.
#[must_use]
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    format!("http://{address}/")
}

/// Sends a timestamp request and gives the body of the answer.
///
/// # Panics
/// When the server does not answer with code 200.
#[must_use]
pub fn ask(url: &str, request: &[u8]) -> Vec<u8> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).expect("the authority listens");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: {QUERY}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        request.len()
    );
    let sent = stream.write_all(head.as_bytes());
    sent.and_then(|()| stream.write_all(request)).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = head_bytes(&answer).expect("a head");
    assert!(
        answer.starts_with(b"HTTP/1.1 200 "),
        "{}",
        String::from_utf8_lossy(&answer[..end])
    );
    answer.split_off(end)
}

/// Reads a request and gives its body; `None` when it ends too early.
fn read_body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
        let Some(end) = head_bytes(&request) else {
            continue;
        };
        let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse::<usize>().ok())
            .unwrap_or_default();
        if request.len() >= end + length {
            return Some(request.split_off(end));
        }
    }
}

/// Bytes of the head, with the empty line.
fn head_bytes(message: &[u8]) -> Option<usize> {
    let mut windows = message.windows(4);
    windows
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}
