//! A very small HTTP server whose every answer is chosen by the test.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

pub mod archive;
pub mod authority;
pub mod client;
pub mod log;
pub mod openssl;
pub mod signing;
pub mod tokens;
pub mod years;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// One request as it arrived.
pub struct Request {
    /// Method and path, e.g. `POST /tsa`.
    pub line: String,
    /// All header lines, lower case.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Starts a server on a free port; it ends with the test process.
pub fn start(answer: impl Fn(Request, &mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            if let Some(request) = read_request(&stream) {
                answer(request, &mut stream);
            }
        }
    });
    address
}

/// Writes a whole response with a length and closes the connection.
pub fn send(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let mut head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    // The client may have hung up already, which is its right.
    drop(
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body)),
    );
}

/// The usual answer of an authority.
pub fn send_reply(stream: &mut TcpStream, body: &[u8]) {
    send(
        stream,
        "200 OK",
        &[("content-type", "application/timestamp-reply")],
        body,
    );
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        headers.push(header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line
        .rsplit_once(' ')
        .map_or(line.clone(), |(front, _)| front.to_string());
    Some(Request {
        line,
        headers,
        body,
    })
}
