//! The listener with real TLS connections: who is let in, and what of his certificate is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};
use firmware::clock::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use super::{Limits, Peer, TlsFiles, configuration, self_signed, serve};

/// An authority of client certificates, and a service that accepts them.
struct Place {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
    files: TlsFiles,
    server: CertificateDer<'static>,
}

/// A client's certificate and key.
struct Client {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let disk = crate::store::durable::system_disk();
    crate::store::durable::replace_file(disk.as_ref(), &path, text.as_bytes()).unwrap();
    path
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn client(authority: &CertifiedIssuer<'static, KeyPair>, serial: u64, until: Duration) -> Client {
    let now = SystemClock.now();
    let mut params = CertificateParams::new(vec!["system.example".to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = now - Duration::days(30);
    params.not_after = now + until;
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Client {
        certificate: certificate.der().clone(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = self_signed(&["localhost".to_owned()], SystemClock.now()).unwrap();
        let authority = authority();
        let files = TlsFiles {
            certificate: write(folder.path(), "certificate.pem", &made.certificate),
            key: write(folder.path(), "key.pem", &made.key),
            client_roots: Some(write(folder.path(), "roots.pem", &authority.pem())),
            client_crls: Vec::new(),
        };
        let server = CertificateDer::from_pem_slice(made.certificate.as_bytes()).unwrap();
        Self {
            folder,
            authority,
            files,
            server,
        }
    }

    /// A list of revoked certificates that names one serial number, valid for so long.
    fn revoke(&mut self, serial: u64, until: Duration) {
        let now = SystemClock.now();
        let list = CertificateRevocationListParams {
            this_update: now - Duration::days(9),
            next_update: now + until,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: now - Duration::days(10),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.authority).unwrap().pem().unwrap();
        self.files.client_crls = vec![write(self.folder.path(), "crl.pem", &list)];
    }

    /// What the service answers a client; `Err` where no connection comes about.
    async fn ask(
        &self,
        client: Option<Client>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<String, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let router = Router::new().route(
            "/",
            get(async |Extension(peer): Extension<Peer>| {
                peer.certificate.unwrap_or_else(|| "nobody".to_owned())
            }),
        );
        let tls = Arc::new(configuration(&self.files).unwrap());
        let server = tokio::spawn(serve(listener, tls, router, Limits::new(4), async {
            drop(ended.await);
        }));
        let answer = self.connect(address, client, versions).await;
        let _sent = end.send(());
        server.await.unwrap();
        answer
    }

    async fn connect(
        &self,
        address: SocketAddr,
        client: Option<Client>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<String, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => builder
                .with_client_auth_cert(vec![client.certificate], client.key)
                .unwrap(),
        };
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .map_err(|error| error.to_string())?;
        let question = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let mut answer = Vec::new();
        stream
            .write_all(question)
            .await
            .map_err(|error| error.to_string())?;
        stream
            .read_to_end(&mut answer)
            .await
            .map_err(|error| error.to_string())?;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        Ok(body.to_owned())
    }
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

#[tokio::test]
async fn a_certificate_that_holds_names_its_system_and_others_let_nobody_in() {
    let place = Place::new();
    assert_eq!(place.ask(None, BOTH).await.as_deref(), Ok("nobody"));
    let good = client(&place.authority, 7, Duration::days(9));
    let digest = hex::encode(Sha256::digest(&good.certificate));
    assert_eq!(place.ask(Some(good), BOTH).await, Ok(digest));
    let expired = client(&place.authority, 8, Duration::days(-1));
    let foreign = client(&authority(), 9, Duration::days(9));
    for wrong in [expired, foreign] {
        assert!(place.ask(Some(wrong), BOTH).await.is_err());
    }
}

#[tokio::test]
async fn a_revoked_certificate_lets_nobody_in_and_neither_does_a_list_that_is_too_old() {
    let mut place = Place::new();
    place.revoke(8, Duration::days(9));
    let make = |place: &Place, serial| Some(client(&place.authority, serial, Duration::days(9)));
    assert!(place.ask(make(&place, 7), BOTH).await.is_ok());
    assert!(place.ask(make(&place, 8), BOTH).await.is_err());
    place.revoke(8, Duration::days(-1));
    assert!(place.ask(make(&place, 7), BOTH).await.is_err());
    assert_eq!(
        place.ask(None, BOTH).await.as_deref(),
        Ok("nobody"),
        "people need no certificate"
    );
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_what_is_no_tls_is_not_answered() {
    let place = Place::new();
    for version in BOTH {
        assert!(place.ask(None, &[version]).await.is_ok(), "{version:?}");
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let tls = Arc::new(configuration(&place.files).unwrap());
    let server = tokio::spawn(serve(listener, tls, Router::new(), Limits::new(4), async {
        drop(ended.await);
    }));
    // TLS 1.0 by its first bytes, and HTTP without TLS.
    for hello in [
        &b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x01"[..],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(hello).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    let _sent = end.send(());
    server.await.unwrap();
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let place = Place::new();
    let good = &place.files;
    assert!(configuration(good).is_ok());
    let empty = write(place.folder.path(), "empty.pem", "nothing\n");
    let missing = place.folder.path().join("missing.pem");
    for (files, name) in [
        (
            TlsFiles {
                certificate: empty.clone(),
                ..good.clone()
            },
            "empty.pem",
        ),
        (
            TlsFiles {
                key: empty.clone(),
                ..good.clone()
            },
            "empty.pem",
        ),
        (
            TlsFiles {
                key: missing.clone(),
                ..good.clone()
            },
            "missing.pem",
        ),
        (
            TlsFiles {
                client_roots: Some(empty.clone()),
                ..good.clone()
            },
            "empty.pem",
        ),
        (
            TlsFiles {
                client_crls: vec![empty],
                ..good.clone()
            },
            "empty.pem",
        ),
        (
            TlsFiles {
                client_roots: Some(missing),
                ..good.clone()
            },
            "missing.pem",
        ),
    ] {
        let error = configuration(&files).expect_err(name);
        for lang in [crate::cli::lang::Lang::Ja, crate::cli::lang::Lang::En] {
            assert!(error.text(lang).contains(name), "{error}");
        }
    }
}
