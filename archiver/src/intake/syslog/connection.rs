//! The sockets: connections, their limits, and messages out of them.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use firmware::clock::Clock;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::framing::{Frames, FramingError};
use super::line::Received;
use super::sender::{Sender, Senders};
use super::{Shared, SyslogSettings};

/// What all connections share.
#[derive(Clone)]
pub(super) struct Listening {
    pub(super) acceptor: TlsAcceptor,
    pub(super) lines: mpsc::Sender<Received>,
    pub(super) settings: SyslogSettings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<Shared>,
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) senders: Arc<Senders>,
}

/// Why a connection ended before its sender ended it.
struct Refused;

impl Listening {
    /// Takes connections until it is stopped, and then waits for those that are open.
    pub(super) async fn run(self, listener: TcpListener) {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            return;
        };
        let mut stopped = self.stopped.clone();
        let mut open = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopped.changed() => break,
                Some(_) = open.join_next(), if !open.is_empty() => continue,
            };
            let Ok((stream, peer)) = accepted else {
                // Out of file descriptors, most likely: some time may free one.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let connections = &self.shared.connections;
            if connections.load(Ordering::Relaxed) >= self.settings.connections_max {
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            connections.fetch_add(1, Ordering::Relaxed);
            let listening = self.clone();
            open.spawn(async move { listening.serve(stream, peer.ip()).await });
        }
        drop(listener);
        // A connection that waits for a full spool is given up: its sender has not been told that anything arrived.
        let ended = async { while open.join_next().await.is_some() {} };
        drop(timeout(ENDING_TIME_MAX, ended).await);
    }

    async fn serve(mut self, stream: TcpStream, from: IpAddr) {
        let shared = Arc::clone(&self.shared);
        if self.hear(stream, from).await.is_err() {
            shared.refused.fetch_add(1, Ordering::Relaxed);
        }
        shared.connections.fetch_sub(1, Ordering::Relaxed);
    }

    async fn hear(&mut self, stream: TcpStream, from: IpAddr) -> Result<(), Refused> {
        let accepted = timeout(HANDSHAKE_TIME, self.acceptor.accept(stream)).await;
        let mut stream = accepted.map_err(|_| Refused)?.map_err(|_| Refused)?;
        let client = client_of(&stream);
        let sender = Sender {
            from,
            client: client.clone(),
        };
        let turn = self.senders.enter(sender);
        turn.come(|| *self.stopped.borrow()).await;
        let mut frames = Frames::new(self.settings.message_max);
        let mut buffer = vec![0; READ_BYTES];
        let mut wait = self.settings.idle;
        let mut ends = None;
        while ends.is_none_or(|ends| Instant::now() < ends) {
            turn.waits();
            let read = tokio::select! {
                read = timeout(wait, stream.read(&mut buffer)) => read,
                _ = self.stopped.changed(), if ends.is_none() => {
                    // The sender is told that it is over, and what is on its way is still read.
                    ends = Some(Instant::now() + STOPPING_TIME_MAX);
                    wait = STOPPING_TIME;
                    drop(timeout(STOPPING_TIME, stream.shutdown()).await);
                    continue;
                }
            };
            let count = match read {
                // Silent for too long, the end, or a broken connection: what came whole was taken.
                Err(_) | Ok(Err(_)) => return Ok(()),
                Ok(Ok(0)) if frames.is_between() => return Ok(()),
                Ok(Ok(0)) => return Err(Refused),
                Ok(Ok(count)) => count,
            };
            turn.reads();
            frames.push(buffer.get(..count).unwrap_or_default());
            self.pass_on(&mut frames, from, client.as_ref()).await?;
        }
        Ok(())
    }

    /// Hands all whole messages over. Waits where the spool is behind; meanwhile nothing is read.
    async fn pass_on(
        &self,
        frames: &mut Frames,
        from: IpAddr,
        client: Option<&Arc<str>>,
    ) -> Result<(), Refused> {
        loop {
            let message = match frames.next() {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(()),
                Err(FramingError::NoLength | FramingError::TooLong) => return Err(Refused),
            };
            let received = Received {
                at: self.clock.now(),
                from,
                client: client.map(Arc::clone),
                message,
            };
            self.lines.send(received).await.map_err(|_| Refused)?;
        }
    }
}

/// SHA-256 of the certificate that a client showed, in hexadecimal.
fn client_of(stream: &TlsStream<TcpStream>) -> Option<Arc<str>> {
    let (_, connection) = stream.get_ref();
    let certificate = connection.peer_certificates()?.first()?;
    Some(hex::encode(Sha256::digest(certificate)).into())
}

/// Longest time for a handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How long a connection may be silent when the receiver stops.
const STOPPING_TIME: Duration = Duration::from_millis(500);

/// How long a connection is still read when the receiver stops.
const STOPPING_TIME_MAX: Duration = Duration::from_secs(2);

/// How long the receiver waits for its connections when it stops.
const ENDING_TIME_MAX: Duration = Duration::from_secs(20);

/// How long no connection is taken after one could not be.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;
