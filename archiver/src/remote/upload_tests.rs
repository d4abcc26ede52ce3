//! Large files over lines that break.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use indicatif::ProgressBar;

use super::super::fixture::Service;
use super::super::{FoundPage, Outgoing, RemoteClient, RemoteError};
use super::InParts;
use crate::store::durable::{replace_file, system_disk};

const PARTS: InParts = InParts {
    above_bytes: 1_000,
    part_bytes: 20_000,
};

fn content() -> Vec<u8> {
    (0..90_000_u32).map(|at| (at % 251) as u8).collect()
}

fn facts() -> Vec<(&'static str, String)> {
    vec![
        ("class", "general".to_owned()),
        ("name", "a.bin".to_owned()),
        ("title", "文蔵".to_owned()),
    ]
}

fn written(service: &Service, bytes: &[u8]) -> std::path::PathBuf {
    let path = service.folder.path().join("a.bin");
    replace_file(system_disk().as_ref(), &path, bytes).unwrap();
    path
}

fn client(service: &Service) -> RemoteClient {
    service.client("depositor").sending(PARTS)
}

/// The only record there is, read back.
fn read_back(service: &Service, record: &str) -> Vec<u8> {
    let retriever = service.client("retriever");
    let page: FoundPage = retriever.get(&["records"], &[]).unwrap();
    assert_eq!(page.records.len(), 1);
    let path = ["records", record, "versions", "1", "objects", "0"];
    let purpose = [("purpose", "test".to_owned())];
    let mut back = Vec::new();
    let bar = ProgressBar::hidden();
    retriever.fetch(&path, &purpose, &mut back, &bar).unwrap();
    back
}

/// A service behind a line that does something to each request, by the number of requests of its kind before it.
fn behind<F, A>(method: Method, line: F) -> Service
where
    F: Fn(usize, Request, Next) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let count = Arc::new(AtomicUsize::new(0));
    Service::behind(move |router: Router| {
        router.layer(from_fn(move |request: Request, next: Next| {
            let is_one =
                *request.method() == method && request.uri().path().starts_with("/api/v1/uploads");
            let number = is_one.then(|| count.fetch_add(1, Ordering::SeqCst));
            let line = line.clone();
            async move {
                match number {
                    None => next.run(request).await,
                    Some(number) => line(number, request, next).await,
                }
            }
        }))
    })
}

fn broken() -> Response {
    let (sender, pieces) = crate::api::pieces();
    drop(sender.try_send(Err(std::io::ErrorKind::ConnectionReset.into())));
    (StatusCode::OK, Body::new(pieces)).into_response()
}

/// The service gets so many bytes of a body, and then the line is cut.
async fn cut(request: Request, bytes: usize, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let all = body.collect().await.unwrap().to_bytes();
    let (sender, pieces) = crate::api::pieces();
    sender.try_send(Ok(all.slice(..bytes))).unwrap();
    drop(sender.try_send(Err(std::io::ErrorKind::ConnectionReset.into())));
    drop(
        next.run(Request::from_parts(parts, Body::new(pieces)))
            .await,
    );
    broken()
}

#[test]
fn a_large_file_goes_on_where_it_was_cut_off_and_is_one_record() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let service = behind(Method::PATCH, move |number, request, next| {
        let counted = Arc::clone(&counted);
        async move {
            let offset = request.headers()["upload-offset"].to_str().unwrap();
            let offset: usize = offset.parse().unwrap();
            assert!(offset >= counted.fetch_max(offset, Ordering::SeqCst));
            match number {
                // In the middle of a part; an answer that is lost; and that of the deposit itself.
                1 => cut(request, 7_000, next).await,
                3 | 6 => {
                    drop(next.run(request).await);
                    broken()
                }
                _ => next.run(request).await,
            }
        }
    });
    let content = content();
    let path = written(&service, &content);
    let bar = ProgressBar::hidden();
    let client = client(&service);
    let deposited = client.deposit(&facts(), "k", Outgoing::File(&path), &bar);
    let deposited = deposited.unwrap();
    assert_eq!((deposited.was_there, deposited.size), (false, 90_000));
    assert_eq!(bar.position(), 90_000);
    assert_eq!(read_back(&service, &deposited.record), content);
    // The command once more: it is there, and nothing is sent.
    let before = sent.load(Ordering::SeqCst);
    let again = client.deposit(&facts(), "l", Outgoing::File(&path), &bar);
    let again = again.unwrap();
    assert_eq!((again.was_there, &again.record), (true, &deposited.record));
    assert_eq!(sent.load(Ordering::SeqCst), before);
}

#[test]
fn a_line_that_stays_broken_is_told_and_the_next_run_goes_on() {
    let is_broken = Arc::new(AtomicUsize::new(1));
    let state = Arc::clone(&is_broken);
    let service = behind(Method::PATCH, move |number, request, next| {
        let state = Arc::clone(&state);
        async move {
            let offset = request.headers()["upload-offset"].clone();
            if state.load(Ordering::SeqCst) == 1 && number > 0 {
                return broken();
            }
            assert!(number == 0 || offset != "0", "it goes on");
            next.run(request).await
        }
    });
    let content = content();
    let path = written(&service, &content);
    let bar = ProgressBar::hidden();
    let lost = client(&service).deposit(&facts(), "k", Outgoing::File(&path), &bar);
    assert!(matches!(lost, Err(RemoteError::Lost { .. })), "{lost:?}");
    is_broken.store(0, Ordering::SeqCst);
    bar.reset();
    let deposited = client(&service).deposit(&facts(), "l", Outgoing::File(&path), &bar);
    let deposited = deposited.unwrap();
    assert!(!deposited.was_there);
    assert_eq!(read_back(&service, &deposited.record), content);
}

#[test]
fn a_file_that_changes_between_its_parts_is_not_deposited() {
    let folder = Arc::new(std::sync::Mutex::new(None::<std::path::PathBuf>));
    let place = Arc::clone(&folder);
    let service = behind(Method::PATCH, move |number, request, next| {
        let place = Arc::clone(&place);
        async move {
            if number == 2 {
                let path = place.lock().unwrap().clone().unwrap();
                let file = std::fs::OpenOptions::new().append(true).open(path);
                std::io::Write::write_all(&mut file.unwrap(), b"more").unwrap();
            }
            next.run(request).await
        }
    });
    let path = written(&service, &content());
    *folder.lock().unwrap() = Some(path.clone());
    let bar = ProgressBar::hidden();
    let changed = client(&service).deposit(&facts(), "k", Outgoing::File(&path), &bar);
    assert!(
        matches!(changed, Err(RemoteError::Source { .. })),
        "{changed:?}"
    );
    let page: FoundPage = service.client("retriever").get(&["records"], &[]).unwrap();
    assert_eq!(page.records.len(), 0);
}

#[test]
fn what_the_service_refuses_is_told_and_not_tried_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let service = behind(Method::POST, move |number, request, next| {
        let counted = Arc::clone(&counted);
        async move {
            counted.store(number + 1, Ordering::SeqCst);
            next.run(request).await
        }
    });
    let path = written(&service, &vec![b'x'; 100_001]);
    let bar = ProgressBar::hidden();
    let refused = client(&service).deposit(&facts(), "k", Outgoing::File(&path), &bar);
    assert!(
        matches!(&refused, Err(RemoteError::Problem(problem)) if problem.code == "too-large"),
        "{refused:?}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
