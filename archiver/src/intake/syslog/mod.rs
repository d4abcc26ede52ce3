//! A receiver of syslog over TLS (RFC 5425): messages become lines of JSON, lines become batches, batches become records of a log class.
//!
//! Syslog knows no acknowledgement: what a sender has handed to TCP it takes for sent. So:
//!
//! - A line is durable [`SyslogSettings::sync`] after it came, at the latest. A power loss takes what came since, and what the machine had not
//!   read yet; a receiver that is stopped in order reads on for a moment and loses nothing that it has read.
//! - Nothing is dropped: when the spool is full, its medium fails, or the archive takes nothing, the sockets are not read. TCP then holds the
//!   senders back, and they queue.
//! - A batch is erased from the spool after the archive has acknowledged it. A crash repeats its deposit, and the identity of the deposit
//!   recognises it.
//!
//! One thread each for the sockets (async), for writing the spool, and for deposits.

mod batch;
mod connection;
mod error;
mod framing;
mod line;
mod sender;
mod spool;
mod tls;
mod work;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use firmware::clock::Clock;
use tokio::sync::{mpsc, watch};

pub use self::error::SyslogError;
use self::spool::Spool;
use super::taking::TakesIn;
use crate::store::durable::Disk;

/// How a receiver works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogSettings {
    /// Where it listens; RFC 5425 names port 6514.
    pub listen: SocketAddr,
    /// PEM file of its certificate chain.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
    /// PEM file of the roots of clients' certificates. With it, only clients that show one are heard.
    pub client_roots: Option<PathBuf>,
    /// The folder of lines on their way; in the clear.
    pub spool: PathBuf,
    /// The class of the records.
    pub class: String,
    /// A batch is closed when its first line is so old,
    pub batch_age: Duration,
    /// or when it is so long in bytes.
    pub batch_bytes: u64,
    /// When the spool holds so many bytes, nothing is read.
    pub spool_bytes_max: u64,
    /// Longest message in bytes. A longer one ends its connection.
    pub message_max: usize,
    /// Most connections. One more is closed at once.
    pub connections_max: usize,
    /// A connection that is silent for so long is closed.
    pub idle: Duration,
    /// A line is durable after so long, at the latest.
    pub sync: Duration,
}

/// What a receiver takes from its surroundings.
#[derive(Clone)]
pub struct SyslogEnvironment {
    /// The archive.
    pub taker: Arc<dyn TakesIn>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The writing system calls.
    pub disk: Arc<dyn Disk>,
}

/// How a receiver is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyslogStatus {
    /// Connections that are open.
    pub connections: usize,
    /// Connections that were refused or broken off: too many, no TLS, no certificate, no framing, a message too long.
    pub refused: u64,
    /// Messages that are durable in the spool, or were.
    pub lines: u64,
    /// Batches that the archive has acknowledged.
    pub batches: u64,
    /// Why nothing is read at the moment, in English; `None` where all is well.
    pub trouble: Option<String>,
}

/// A receiver that runs until [`Receiver::stop`] or until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads tell.
#[derive(Debug, Default)]
struct Shared {
    connections: AtomicUsize,
    refused: AtomicU64,
    lines: AtomicU64,
    batches: AtomicU64,
    /// The batches that wait for their deposit, the oldest first.
    ready: Mutex<VecDeque<PathBuf>>,
    spool_trouble: Mutex<Option<String>>,
    archive_trouble: Mutex<Option<String>>,
}

impl Receiver {
    /// Begins to listen, and takes up what the spool holds.
    ///
    /// # Errors
    /// [`SyslogError`]: certificate, key or roots cannot be used, the address or the spool is in use, or the machine has no threads.
    pub fn start(
        settings: &SyslogSettings,
        environment: &SyslogEnvironment,
    ) -> Result<Self, SyslogError> {
        let acceptor = tls::acceptor(settings)?;
        let failed = |error| SyslogError::Spool {
            path: settings.spool.clone(),
            error,
        };
        let spool = Spool::open(Arc::clone(&environment.disk), &settings.spool).map_err(failed)?;
        let ready = spool::ready(&settings.spool).map_err(failed)?;
        let shared = Arc::new(Shared {
            ready: Mutex::new(ready.into()),
            ..Shared::default()
        });
        let listening = |error| SyslogError::Listen {
            address: settings.listen,
            error,
        };
        let listener = TcpListener::bind(settings.listen).map_err(listening)?;
        listener.set_nonblocking(true).map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("syslog")
            .enable_all()
            .build()
            .map_err(SyslogError::Machine)?;
        let (stop, stopped) = watch::channel(false);
        let (lines, received) = mpsc::channel(LINES_WAITING_MAX);
        let writer = work::Writer {
            spool,
            received,
            settings: settings.clone(),
            clock: Arc::clone(&environment.clock),
            shared: Arc::clone(&shared),
            clockwork: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .map_err(SyslogError::Machine)?,
        };
        let depositor = work::Depositor {
            settings: settings.clone(),
            environment: environment.clone(),
            shared: Arc::clone(&shared),
            stopped: stopped.clone(),
        };
        let listening = connection::Listening {
            acceptor,
            lines,
            settings: settings.clone(),
            clock: Arc::clone(&environment.clock),
            shared: Arc::clone(&shared),
            stopped,
            senders: Arc::default(),
        };
        let mut receiver = Self {
            address,
            stop,
            shared,
            threads: Vec::new(),
        };
        receiver.spawn("syslog-spool", move || writer.run())?;
        receiver.spawn("syslog-deposit", move || depositor.run())?;
        receiver.spawn("syslog-listen", move || {
            runtime.block_on(listening.run(listener));
        })?;
        Ok(receiver)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> SyslogStatus {
        let trouble = |place: &Mutex<Option<String>>| {
            place.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let shared = &self.shared;
        let spool = trouble(&shared.spool_trouble);
        SyslogStatus {
            connections: shared.connections.load(Ordering::Relaxed),
            refused: shared.refused.load(Ordering::Relaxed),
            lines: shared.lines.load(Ordering::Relaxed),
            batches: shared.batches.load(Ordering::Relaxed),
            trouble: spool.or_else(|| trouble(&shared.archive_trouble)),
        }
    }

    /// Stops in order: no new connections, what the open ones still send is read for a moment, every line that was read is durable and the open batch
    /// closed when this returns. Batches that wait for their deposit are taken up by the next start.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to finish.
            drop(thread.join());
        }
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), SyslogError> {
        let builder = std::thread::Builder::new().name(name.to_owned());
        let thread = builder.spawn(work).map_err(SyslogError::Machine)?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end();
    }
}

impl std::fmt::Debug for SyslogEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyslogEnvironment").finish_non_exhaustive()
    }
}

/// Lines that wait for the spool; when there are so many, the sockets are not read.
const LINES_WAITING_MAX: usize = 256;

#[cfg(test)]
mod tests;
