//! Connections: accepted up to a limit, shaken hands with in time, served, and ended gracefully.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::Peer;
use super::patience::{Patient, PatientWriter};
use crate::config::{HEAD_SECONDS, HttpsConfig, PAUSE_SECONDS};

/// What connections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most at the same time; more wait in the system's queue.
    pub connections_max: u32,
    /// How long the TLS handshake, and the head of a request, may take.
    pub head_max: Duration,
    /// How long the service waits for the next 16 KiB of a request's body, and for the client to take the next 16 KiB of an answer.
    pub pause_max: Duration,
    /// How long answers that are under way at the end are waited for.
    pub end_max: Duration,
}

impl Limits {
    /// The usual times for so many connections.
    #[must_use]
    pub const fn new(connections_max: u32) -> Self {
        Self {
            connections_max,
            head_max: Duration::from_secs(HEAD_SECONDS as u64),
            pause_max: Duration::from_secs(PAUSE_SECONDS as u64),
            end_max: Duration::from_secs(30),
        }
    }

    /// Those of a configuration.
    #[must_use]
    pub fn of(https: &HttpsConfig) -> Self {
        Self {
            head_max: Duration::from_secs(https.head_seconds.into()),
            pause_max: Duration::from_secs(https.pause_seconds.into()),
            ..Self::new(https.connections_max)
        }
    }
}

/// Serves `router` until `stop` is done: then nobody new is let in, and what is under way is brought to its end.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(
        usize::try_from(limits.connections_max).unwrap_or(usize::MAX),
    ));
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = async {
            // A place first: whoever has none waits in the system's queue and takes no memory here.
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            let accepted = listener.accept().await;
            Some((place, accepted))
        };
        let next = tokio::select! {
            () = &mut stop => break,
            next = accepted => next,
        };
        let Some((place, accepted)) = next else { break };
        match accepted {
            Ok((stream, address)) => {
                let connection = Connection {
                    acceptor: acceptor.clone(),
                    router: router.clone(),
                    limits,
                    address,
                    place,
                };
                tokio::spawn(connection.run(stream, graceful.watcher()));
            }
            // Out of descriptors, or a connection that was gone at once: a moment later there may be room again.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    // Whoever does not let go of a connection does not keep the service alive.
    drop(tokio::time::timeout(limits.end_max, graceful.shutdown()).await);
}

struct Connection {
    acceptor: TlsAcceptor,
    router: Router,
    limits: Limits,
    address: SocketAddr,
    place: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, stream: TcpStream, watcher: hyper_util::server::graceful::Watcher) {
        let _place = self.place;
        // Small answers leave at once.
        drop(stream.set_nodelay(true));
        let handshake = self
            .acceptor
            .accept(PatientWriter::new(stream, self.limits.pause_max));
        let Ok(Ok(stream)) = tokio::time::timeout(self.limits.head_max, handshake).await else {
            return;
        };
        let peer = Peer {
            address: self.address,
            certificate: certificate(&stream),
        };
        let router = self.router;
        let (head_max, pause_max) = (self.limits.head_max, self.limits.pause_max);
        let asked = Arc::new(AtomicBool::new(false));
        let has_asked = Arc::clone(&asked);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(peer.clone());
            let patient = |body| axum::body::Body::new(Patient::new(body, pause_max));
            router.clone().oneshot(request.map(patient))
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_max)
            .max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_LIST_BYTES_MAX)
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(self.limits.head_max);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        // How a connection ends is the other side's affair; what was asked over it is in the audit trail.
        let mut connection = pin!(watcher.watch(connection.into_owned()));
        // Neither the choice between HTTP/1.1 and HTTP/2 nor the preface of the latter has a limit in hyper: the first request must be there in time.
        tokio::select! {
            _ended = &mut connection => return,
            () = tokio::time::sleep(head_max) => {}
        }
        if has_asked.load(Ordering::Relaxed) {
            drop(connection.await);
        }
    }
}

/// SHA-256 of the certificate that the client showed, hexadecimal. TLS has verified it.
fn certificate(stream: &TlsStream<PatientWriter<TcpStream>>) -> Option<String> {
    let (_, session) = stream.get_ref();
    let first = session.peer_certificates()?.first()?;
    Some(hex::encode(Sha256::digest(first.as_ref())))
}

/// A request's head over HTTP/1.1.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// The same over HTTP/2.
const HEAD_LIST_BYTES_MAX: u32 = 32 * 1024;

/// Requests at the same time over one HTTP/2 connection.
const STREAMS_MAX: u32 = 100;

/// How often a silent HTTP/2 connection is asked whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long nothing is accepted after accepting failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
