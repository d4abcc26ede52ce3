//! HTTPS to a time-stamping authority: real handshakes, with the right root, a wrong one, and certificates that are wrong in each way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use archiver::cli::lang::Lang;
use archiver::tsa::transport::{HttpTransport, TransportError, TransportOptions};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion, version};
use time::OffsetDateTime;
use time::macros::datetime;

/// What a server shows.
struct Server {
    name: &'static str,
    root: &'static str,
    from: OffsetDateTime,
    to: OffsetDateTime,
    versions: &'static [&'static SupportedProtocolVersion],
    /// What it answers with, after the handshake.
    answer: &'static str,
}

const GOOD: Server = Server {
    name: "localhost",
    root: "TLS root",
    from: datetime!(2020-01-01 0:00 UTC),
    to: datetime!(2200-01-01 0:00 UTC),
    versions: &[&version::TLS13, &version::TLS12],
    answer: "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: 5\r\n\r\nreply",
};

impl Server {
    /// Starts it under a fresh root; gives the port and the root (DER).
    fn start(&self) -> (u16, Vec<u8>) {
        let (root, config) = self.config();
        let answer = self.answer;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                // A client that refuses the certificate hangs up here.
                let mut buffer = [0; 4096];
                let mut request = Vec::new();
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    request.extend_from_slice(&buffer[..read]);
                    if request.ends_with(b"query") {
                        drop(stream.write_all(answer.as_bytes()));
                        drop(stream.flush());
                        break;
                    }
                }
            }
        });
        (port, root)
    }

    fn config(&self) -> (Vec<u8>, Arc<ServerConfig>) {
        let root_key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, self.root);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_certificate = root.self_signed(&root_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut own = CertificateParams::new(vec![self.name.to_owned()]).unwrap();
        own.not_before = self.from;
        own.not_after = self.to;
        let issuer = Issuer::from_params(&root, &root_key);
        let certificate = own.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(certificate.der().to_vec())],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        (root_certificate.der().to_vec(), Arc::new(config))
    }
}

fn exchange(url: &str, roots: Vec<Vec<u8>>) -> Result<Vec<u8>, TransportError> {
    let options = TransportOptions {
        tls_roots: roots,
        tls_roots_only: true,
        ..TransportOptions::default()
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(HttpTransport::new(url, options)?.exchange(b"query"))
}

#[test]
fn a_server_that_proves_its_name_is_spoken_to() {
    const ONE_EACH: [&[&SupportedProtocolVersion]; 2] = [&[&version::TLS12], &[&version::TLS13]];
    for versions in ONE_EACH {
        let (port, root) = Server { versions, ..GOOD }.start();
        let answer = exchange(&format!("https://localhost:{port}/"), vec![root]);
        assert_eq!(answer.unwrap(), b"reply");
    }
}

#[test]
fn a_root_is_found_among_others() {
    let other_root = GOOD.config().0;
    let (port, root) = GOOD.start();
    let answer = exchange(
        &format!("https://localhost:{port}/"),
        vec![other_root, root],
    );
    assert_eq!(answer.unwrap(), b"reply");
}

fn refused(server: &Server, host: &str, roots: Option<Vec<Vec<u8>>>) -> String {
    let (port, root) = server.start();
    let answer = exchange(
        &format!("https://{host}:{port}/"),
        roots.unwrap_or_else(|| vec![root]),
    );
    let Err(error @ TransportError::Tls { .. }) = answer else {
        panic!("{answer:?}");
    };
    assert!(!error.is_transient(), "{error}");
    assert!(
        error.text(Lang::Ja).contains("TLS 接続が成立しません"),
        "{error}"
    );
    let text = error.to_string();
    assert!(text.contains("check tls_roots"), "{text}");
    println!("{text}");
    text
}

#[test]
fn a_server_under_another_root_is_not_spoken_to() {
    let other = Server {
        root: "another root",
        ..GOOD
    };
    let others = vec![other.config().0];
    assert!(refused(&GOOD, "localhost", Some(others)).contains("UnknownIssuer"));
    let same_name = vec![GOOD.config().0];
    assert!(refused(&GOOD, "localhost", Some(same_name)).contains("BadSignature"));
    assert!(refused(&GOOD, "localhost", Some(Vec::new())).contains("UnknownIssuer"));
}

#[test]
fn a_server_with_another_name_is_not_spoken_to() {
    let other = Server {
        name: "tsa.example",
        ..GOOD
    };
    assert!(refused(&other, "localhost", None).contains("not valid for name"));
    assert!(refused(&GOOD, "127.0.0.1", None).contains("not valid for name"));
}

#[test]
fn a_certificate_outside_of_its_validity_is_not_accepted() {
    let expired = Server {
        to: datetime!(2021-01-01 0:00 UTC),
        ..GOOD
    };
    assert!(refused(&expired, "localhost", None).contains("expired"));
    let early = Server {
        from: datetime!(2199-01-01 0:00 UTC),
        ..GOOD
    };
    assert!(refused(&early, "localhost", None).contains("not valid yet"));
}

#[test]
fn nobody_is_led_from_https_to_http() {
    let downgrade = Server {
        answer: "HTTP/1.1 302 Found\r\nlocation: http://localhost/\r\ncontent-length: 0\r\n\r\n",
        ..GOOD
    };
    let (port, root) = downgrade.start();
    let answer = exchange(&format!("https://localhost:{port}/"), vec![root]);
    assert_eq!(answer, Err(TransportError::Redirection));
}
