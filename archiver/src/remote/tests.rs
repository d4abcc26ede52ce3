//! The client against a real service over TLS, and against what stands in its way.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use firmware::clock::{Clock, SystemClock};
use indicatif::ProgressBar;

use super::fixture::Service;
use super::{FoundPage, FoundRecord, Outgoing, Profile, ProfileStore, Profiles, RemoteError};
use crate::cli::exit::Exit;
use crate::cli::lang::Lang;
use crate::https::self_signed;
use crate::store::durable::{replace_file, system_disk};

fn facts(name: &str) -> Vec<(&'static str, String)> {
    vec![
        ("class", "general".to_owned()),
        ("name", name.to_owned()),
        ("counterparty", "文蔵商事".to_owned()),
    ]
}

fn written(service: &Service, name: &str, bytes: &[u8]) -> std::path::PathBuf {
    let path = service.folder.path().join(name);
    replace_file(system_disk().as_ref(), &path, bytes).unwrap();
    path
}

#[test]
fn what_is_deposited_is_found_and_comes_back_with_its_digest() {
    let service = Service::new();
    let bytes: Vec<u8> = (0..90_000_u32).map(|at| (at % 251) as u8).collect();
    let path = written(&service, "a.bin", &bytes);
    let bar = ProgressBar::hidden();
    let depositor = service.client("depositor");
    let first = depositor.deposit(&facts("a.bin"), "key-1", Outgoing::File(&path), &bar);
    let first = first.unwrap();
    assert!(!first.was_there);
    assert_eq!(first.size, 90_000);
    let again = depositor.deposit(&facts("a.bin"), "key-1", Outgoing::File(&path), &bar);
    let again = again.unwrap();
    assert_eq!((again.was_there, &again.record), (true, &first.record));
    let retriever = service.client("retriever");
    let query = [("counterparty", "文蔵".to_owned())];
    let page: FoundPage = retriever.get(&["records"], &query).unwrap();
    assert_eq!(page.records.len(), 1);
    let record: FoundRecord = retriever.get(&["records", &first.record], &[]).unwrap();
    let mut back = Vec::new();
    let path = ["records", &first.record, "versions", "1", "objects", "0"];
    let purpose = [("purpose", "test".to_owned())];
    let fetched = retriever.fetch(&path, &purpose, &mut back, &bar).unwrap();
    assert_eq!(back, bytes);
    assert_eq!(Some(&fetched.sha256), record.digests.first());
}

#[test]
fn a_server_of_another_authority_is_refused_before_anything_is_sent() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let service = Service::behind(move |router| {
        router.layer(from_fn(move |request: Request, next: Next| {
            counter.fetch_add(1, Ordering::Relaxed);
            next.run(request)
        }))
    });
    let other = self_signed(&["localhost".to_owned()], SystemClock.now()).unwrap();
    let other = written(&service, "other.pem", other.certificate.as_bytes());
    let token = service.hall.tokens["retriever"].clone();
    let client = service.client_of(other, Some(token)).unwrap();
    let error = client.get::<FoundPage>(&["records"], &[]).unwrap_err();
    assert!(matches!(error, RemoteError::NotTrusted { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Unusable);
    assert!(error.text(Lang::En).contains("nothing was sent"));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    // The counter counts: the right authority is asked.
    let client = service.client("retriever");
    client.get::<FoundPage>(&["records"], &[]).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn what_the_service_refuses_is_told_in_its_words() {
    let service = Service::new();
    let path = written(&service, "a.txt", b"text");
    let bar = ProgressBar::hidden();
    let auditor = service.client("auditor");
    let refused = auditor.deposit(&facts("a.txt"), "k", Outgoing::File(&path), &bar);
    let refused = refused.unwrap_err();
    assert_eq!(refused.exit(), Exit::NotAllowed);
    assert!(refused.text(Lang::En).contains("your roles do not allow"));
    let stranger = service
        .client_of(service.ca.clone(), Some("no-such-token".to_owned()))
        .unwrap();
    let refused = stranger.get::<FoundPage>(&["records"], &[]).unwrap_err();
    assert!(refused.is_log_in_wanted());
    assert_eq!(refused.exit(), Exit::Passphrase);
    assert!(refused.text(Lang::En).contains("archiver login"));
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again_and_the_deposit_is_one() {
    let lost = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&lost);
    // The service takes the deposit in, and its first two answers break off in their bodies.
    let service = Service::behind(move |router: Router| {
        router.layer(from_fn(move |request: Request, next: Next| {
            let counter = Arc::clone(&counter);
            async move {
                let is_deposit = request.method() == "POST";
                let answer = next.run(request).await;
                if is_deposit && counter.fetch_add(1, Ordering::Relaxed) < 2 {
                    return broken();
                }
                answer
            }
        }))
    });
    let path = written(&service, "a.txt", b"text");
    let bar = ProgressBar::hidden();
    let client = service.client("depositor");
    let deposited = client.deposit(&facts("a.txt"), "k", Outgoing::File(&path), &bar);
    assert!(deposited.unwrap().was_there);
    assert_eq!(lost.load(Ordering::Relaxed), 3);
    assert_eq!(bar.position(), 4);
    let page: FoundPage = service.client("retriever").get(&["records"], &[]).unwrap();
    assert_eq!(page.records.len(), 1);
}

fn broken() -> Response {
    let (sender, pieces) = crate::api::pieces();
    drop(sender.try_send(Err(std::io::ErrorKind::ConnectionReset.into())));
    (StatusCode::CREATED, axum::body::Body::new(pieces)).into_response()
}

#[test]
fn an_upload_that_stops_deposits_nothing() {
    struct Stops(u32);
    impl Read for Stops {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1..=3 => {
                    buffer.fill(b'x');
                    Ok(buffer.len().min(1000))
                }
                _ => Err(std::io::Error::other("the tape tore")),
            }
        }
    }
    let service = Service::new();
    let bar = ProgressBar::hidden();
    let outgoing = Outgoing::Once(Box::new(Stops(0)));
    let client = service.client("depositor");
    let stopped = client.deposit(&facts("a.txt"), "k", outgoing, &bar);
    let stopped = stopped.unwrap_err();
    assert!(
        stopped.text(Lang::En).contains("the tape tore"),
        "{stopped:?}"
    );
    assert_eq!(stopped.exit(), Exit::Partial);
    let page: FoundPage = service.client("retriever").get(&["records"], &[]).unwrap();
    assert_eq!(page.records.len(), 0);
}

#[test]
fn a_server_that_is_down_is_said_to_be_down() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let made = self_signed(&["localhost".to_owned()], SystemClock.now()).unwrap();
    let place = super::ServerPlace {
        server: format!("https://localhost:{port}"),
        ca: made.certificate.into_bytes(),
        token: None,
        client: None,
    };
    let client = super::RemoteClient::new(&place, Lang::En, super::Patience::USUAL).unwrap();
    // With the usual patience: one that was never reached is not waited for.
    let error = client.get::<FoundPage>(&["records"], &[]).unwrap_err();
    assert!(
        matches!(error, RemoteError::Unreachable { .. }),
        "{error:?}"
    );
    assert_eq!(error.exit(), Exit::Unusable);
    for bad in [
        "http://localhost:1",
        "localhost",
        "https://a:b@localhost",
        "https://localhost/x",
    ] {
        let place = super::ServerPlace {
            server: bad.to_owned(),
            ..place.clone()
        };
        let refused = super::RemoteClient::new(&place, Lang::En, super::Patience::USUAL);
        assert!(matches!(refused, Err(RemoteError::Address { .. })), "{bad}");
    }
}

#[test]
fn profiles_are_the_owners_alone_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fumikura").join("profiles.toml");
    let disk = system_disk();
    let store = ProfileStore {
        path: &path,
        disk: disk.as_ref(),
    };
    assert!(store.load().unwrap().is_empty());
    let profile = Profile {
        server: "https://localhost:8443".to_owned(),
        ca: "-----BEGIN CERTIFICATE-----\n".to_owned(),
        account: Some("homu".to_owned()),
        token: Some("very-secret".to_owned().into()),
        client: None,
    };
    assert!(!format!("{profile:?}").contains("very-secret"));
    store
        .save(&Profiles::from([("books".to_owned(), profile)]))
        .unwrap();
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o600);
    let back = store.load().unwrap();
    let token = back["books"].token.as_ref().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(token), "very-secret");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = store.load().unwrap_err();
    assert!(matches!(
        refused,
        RemoteError::ProfilesOpen { mode: 0o644, .. }
    ));
    assert!(refused.text(Lang::En).contains("chmod 600"));
    // What cannot be read is not shown either: it may hold a token.
    replace_file(disk.as_ref(), &path, b"version = 1\ntoken = 'very-secret").unwrap();
    let refused = store.load().unwrap_err();
    assert!(matches!(refused, RemoteError::Unusable { .. }));
    assert!(!refused.text(Lang::En).contains("very-secret"));
}
