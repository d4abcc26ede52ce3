//! Every way in which an exchange with a timestamp authority can fail has its own error.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use archiver::tsa::transport::{HttpTransport, TransportError, TransportOptions};
use support::{send, send_reply, start};

fn exchange(address: &str, options: TransportOptions) -> Result<Vec<u8>, TransportError> {
    let transport = HttpTransport::new(address, options)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(transport.exchange(b"query"))
}

fn short() -> TransportOptions {
    TransportOptions {
        connect_wait_max: Duration::from_millis(300),
        exchange_wait_max: Duration::from_millis(300),
        ..TransportOptions::default()
    }
}

#[test]
fn the_answer_comes_back_unchanged() {
    let address = start(|request, stream| {
        assert_eq!(request.line, "POST /tsa");
        assert!(
            request
                .headers
                .contains(&"content-type: application/timestamp-query".into())
        );
        let mut answer = request.body;
        answer.reverse();
        send_reply(stream, &answer);
    });
    let answer = exchange(
        &format!("http://{address}/tsa"),
        TransportOptions::default(),
    );
    assert_eq!(answer.unwrap(), b"yreuq");
}

#[test]
fn a_content_type_with_parameters_is_the_same_type() {
    let address = start(|_, stream| {
        let kind = "Application/Timestamp-Reply; charset=binary";
        send(stream, "200 OK", &[("content-type", kind)], b"x");
    });
    assert!(exchange(&format!("http://{address}"), TransportOptions::default()).is_ok());
}

#[test]
fn a_redirected_request_stays_a_post_with_its_body() {
    for status in ["301 M", "302 F", "307 T", "308 P"] {
        let address = start(move |request, stream| {
            if request.line == "POST /" {
                send(stream, status, &[("location", "/there")], b"");
            } else {
                assert_eq!(request.line, "POST /there");
                send_reply(stream, &request.body);
            }
        });
        let answer = exchange(&format!("http://{address}"), TransportOptions::default());
        assert_eq!(answer.unwrap(), b"query", "{status}");
    }
}

#[test]
fn a_redirection_that_goes_nowhere_is_refused() {
    let targets: [&[(&str, &str)]; 4] = [
        &[("location", "/")],
        &[],
        &[("location", "ftp://127.0.0.1/")],
        &[("location", "http://[bad")],
    ];
    for headers in targets {
        let address = start(move |_, stream| send(stream, "302 Found", headers, b""));
        let answer = exchange(&format!("http://{address}"), TransportOptions::default());
        assert_eq!(answer, Err(TransportError::Redirection), "{headers:?}");
    }
}

#[test]
fn http_errors_keep_their_status() {
    for (line, status) in [("500 Oops", 500), ("401 No", 401), ("204 Empty", 204)] {
        let address = start(move |_, stream| send(stream, line, &[], b""));
        let answer = exchange(&format!("http://{address}"), TransportOptions::default());
        assert_eq!(
            answer,
            Err(TransportError::HttpStatus {
                status,
                retry_after: None
            })
        );
    }
}

#[test]
fn a_web_page_is_not_a_timestamp() {
    for (kind, found) in [("text/html", "text/html"), ("text/\u{9b}31m", "")] {
        let address =
            start(move |_, stream| send(stream, "200 OK", &[("content-type", kind)], b"<html>"));
        let answer = exchange(&format!("http://{address}"), TransportOptions::default());
        let found = found.to_string();
        assert_eq!(answer, Err(TransportError::ContentType { found }));
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let address = start(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\nconnection: close\r\n\r\n";
        drop(stream.write_all(head.as_bytes()));
        let block = vec![0u8; 1 << 20];
        for _ in 0..100 {
            if stream.write_all(&block).is_err() {
                return;
            }
        }
    });
    let answer = exchange(&format!("http://{address}"), TransportOptions::default());
    assert_eq!(
        answer,
        Err(TransportError::AnswerTooLong { limit: 1024 * 1024 })
    );
}

#[test]
fn an_answer_announced_as_too_long_is_not_read() {
    let address = start(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: 104857600\r\n\r\n";
        drop(stream.write_all(head.as_bytes()));
    });
    let answer = exchange(&format!("http://{address}"), TransportOptions::default());
    assert_eq!(
        answer,
        Err(TransportError::AnswerTooLong { limit: 1024 * 1024 })
    );
}

#[test]
fn an_answer_that_breaks_off_is_no_answer() {
    let address = start(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: 50\r\n\r\nhalf";
        drop(stream.write_all(head.as_bytes()));
    });
    let answer = exchange(&format!("http://{address}"), TransportOptions::default());
    assert!(
        matches!(answer, Err(TransportError::Interrupted { .. })),
        "{answer:?}"
    );
}

#[test]
fn something_that_is_not_http_is_no_answer() {
    let address = start(|_, stream| drop(stream.write_all(b"220 mail.example ESMTP\r\n")));
    let answer = exchange(&format!("http://{address}"), TransportOptions::default());
    assert!(
        matches!(answer, Err(TransportError::Interrupted { .. })),
        "{answer:?}"
    );
}

#[test]
fn a_listener_that_never_answers_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(
        exchange(&format!("http://{address}"), short()),
        Err(TransportError::TimeOut)
    );
    // The same for TLS: the handshake never ends.
    let secure = TransportOptions {
        tls_roots_only: true,
        ..short()
    };
    assert_eq!(
        exchange(&format!("https://{address}"), secure),
        Err(TransportError::TimeOut)
    );
}

#[test]
fn no_connection_tells_the_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = exchange(&format!("http://{address}"), TransportOptions::default());
    let Err(TransportError::Connect { reason }) = answer else {
        panic!("{answer:?}");
    };
    assert!(reason.contains("refused"), "{reason}");
}

#[test]
fn a_wrong_configuration_is_found_before_anything_is_sent() {
    for address in [
        "",
        "tsa.example",
        "ftp://tsa.example/",
        "file:///etc/passwd",
    ] {
        let refused = HttpTransport::new(address, TransportOptions::default());
        assert_eq!(refused.err(), Some(TransportError::Address), "{address}");
    }
    for root in [b"".to_vec(), b"no certificate".to_vec(), vec![0x30, 0x80]] {
        let options = TransportOptions {
            tls_roots: vec![root],
            tls_roots_only: true,
            ..TransportOptions::default()
        };
        let refused = HttpTransport::new("https://tsa.example/", options);
        assert_eq!(refused.err(), Some(TransportError::Configuration));
    }
}
