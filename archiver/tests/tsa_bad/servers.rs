//! Servers that give no timestamp answer at all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use formats::tsp::TimeStampRequest;

use crate::row::Row;
use crate::support::authority::{Bent, GOOD};
use crate::support::{Request, send, send_reply};

pub fn rows() -> Vec<Row> {
    [statuses(), bodies(), redirections(), broken()]
        .into_iter()
        .flatten()
        .collect()
}

fn status(what: &'static str, line: &'static str, en: &'static str, ja: &'static str) -> Row {
    Row::raw(what, en, ja, move |_, _, stream| {
        send(stream, line, &[], b"no");
    })
}

fn statuses() -> Vec<Row> {
    vec![
        status(
            "HTTP 400",
            "400 Bad",
            "HTTP status 400: ask its operator",
            "HTTP ステータス 400",
        ),
        status(
            "HTTP 401",
            "401 Who",
            "agreement or credentials",
            "契約と認証",
        ),
        status(
            "HTTP 404",
            "404 Where",
            "HTTP status 404: check that the address",
            "アドレスを確かめて",
        ),
        status(
            "HTTP 500",
            "500 Oops",
            "HTTP status 500",
            "HTTP ステータス 500",
        ),
        status(
            "HTTP 204, nothing to say",
            "204 Nothing",
            "HTTP status 204",
            "HTTP ステータス 204",
        ),
        Row::raw(
            "HTTP 503 with Retry-After in seconds",
            "status 503, again after 120 s: it is busy",
            "503、120 秒後",
            |_, _, stream| {
                send(stream, "503 Busy", &[("Retry-After", "120")], b"");
            },
        ),
        Row::raw(
            "HTTP 503 with Retry-After as a date",
            "again after 3600 s",
            "3600 秒後",
            |_, _, stream| {
                let dates = [
                    ("Date", "Sun, 22 Nov 2026 03:00:00 GMT"),
                    ("Retry-After", "Sun, 22 Nov 2026 04:00:00 GMT"),
                ];
                send(stream, "503 Busy", &dates, b"");
            },
        ),
        Row::raw(
            "HTTP 429 with nonsense in Retry-After",
            "status 429: it is busy",
            "429 を返しました",
            |_, _, stream| {
                send(stream, "429 Slow", &[("Retry-After", "soon")], b"");
            },
        ),
    ]
}

fn bodies() -> Vec<Row> {
    vec![
        Row::raw(
            "a web page",
            "'text/html'",
            "'text/html'",
            |_, _, stream| {
                send(
                    stream,
                    "200 OK",
                    &[("content-type", "text/html")],
                    b"<html>",
                );
            },
        ),
        Row::raw(
            "no content type",
            "answered with ''",
            "''",
            |bent, request, stream| {
                send(stream, "200 OK", &[], &honest(bent, &request));
            },
        ),
        Row::raw(
            "the content type of a request",
            "'application/timestamp-query'",
            "timestamp-query",
            |bent, request, stream| {
                let kind = ("content-type", "application/timestamp-query");
                send(stream, "200 OK", &[kind], &honest(bent, &request));
            },
        ),
        Row::raw(
            "100 MiB announced",
            "longer than 1048576 bytes",
            "1048576 バイト",
            |_, _, stream| {
                write(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: 104857600\r\n\r\n",
                );
            },
        ),
        Row::raw(
            "100 MiB sent",
            "longer than 1048576 bytes",
            "1048576 バイト",
            |_, _, stream| {
                write(stream, HEAD_WITHOUT_LENGTH);
                let block = vec![0u8; 1 << 20];
                for _ in 0..100 {
                    if stream.write_all(&block).is_err() {
                        return;
                    }
                }
            },
        ),
        Row::raw(
            "an answer that never ends, byte by byte",
            "did not answer in time",
            "時間内に応答しません",
            |_, _, stream| {
                write(stream, HEAD_WITHOUT_LENGTH);
                stream
                    .set_read_timeout(Some(Duration::from_millis(20)))
                    .unwrap();
                while stream.write_all(b"0").is_ok() && !has_hung_up(stream) {}
            },
        )
        .with(|setting| setting.transport.exchange_wait_max = Duration::from_millis(300)),
        Row::raw(
            "an answer that breaks off",
            "broke off",
            "途中で切れました",
            |_, _, stream| {
                write(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: 50\r\n\r\nhalf",
                );
            },
        ),
    ]
}

fn redirect(what: &'static str, to: &'static [(&'static str, &'static str)]) -> Row {
    Row::raw(
        what,
        "redirects in a way that is not followed",
        "従えない転送",
        move |_, _, stream| send(stream, "302 Found", to, b""),
    )
}

fn redirections() -> Vec<Row> {
    vec![
        redirect("a redirection loop", &[("location", "/")]),
        redirect("a redirection to nowhere", &[]),
        redirect("a redirection to ftp", &[("location", "ftp://127.0.0.1/")]),
        redirect(
            "a redirection to a file",
            &[("location", "file:///etc/passwd")],
        ),
    ]
}

fn broken() -> Vec<Row> {
    vec![
        Row::raw(
            "a server that hangs up",
            "broke off",
            "途中で切れました",
            |_, _, _| {},
        ),
        Row::raw(
            "a server that speaks another protocol",
            "broke off",
            "途中で切れました",
            |_, _, stream| {
                write(stream, "220 mail.example ESMTP\r\n");
            },
        ),
        Row::raw(
            "a server that keeps silent",
            "did not answer in time",
            "時間内に応答しません",
            |_, _, stream| {
                has_hung_up(stream);
            },
        )
        .with(|setting| setting.transport.exchange_wait_max = Duration::from_millis(200)),
        Row::raw(
            "TLS at a port without TLS",
            "no connection to the TSA (tls handshake eof)",
            "接続できません",
            |_, _, _| {},
        )
        .with(|setting| {
            setting.scheme = "https";
            setting.transport.tls_roots_only = true;
        }),
    ]
}

pub fn accepted() -> Vec<Row> {
    vec![
        Row::raw("created instead of OK", "", "", |bent, request, stream| {
            let kind = ("content-type", "application/timestamp-reply");
            send(stream, "201 Created", &[kind], &honest(bent, &request));
        }),
        Row::raw(
            "a content type with parameters",
            "",
            "",
            |bent, request, stream| {
                let kind = (
                    "content-type",
                    "Application/Timestamp-Reply; charset=binary",
                );
                send(stream, "200 OK", &[kind], &honest(bent, &request));
            },
        ),
        Row::raw("one redirection", "", "", |bent, request, stream| {
            if request.line == "POST /" {
                send(stream, "308 P", &[("location", "/there")], b"");
            } else {
                send_reply(stream, &honest(bent, &request));
            }
        }),
    ]
}

fn honest(bent: &Bent, request: &Request) -> Vec<u8> {
    let request = TimeStampRequest::parse(&request.body).unwrap();
    bent.answer(&request, GOOD)
}

/// Waits until the client is gone, or the time to read is over.
fn has_hung_up(stream: &mut TcpStream) -> bool {
    stream.read(&mut [0]).is_ok_and(|read| read == 0)
}

fn write(stream: &mut TcpStream, text: &str) {
    // The client may have hung up already, which is its right.
    drop(stream.write_all(text.as_bytes()));
}

const HEAD_WITHOUT_LENGTH: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\nconnection: close\r\n\r\n";
