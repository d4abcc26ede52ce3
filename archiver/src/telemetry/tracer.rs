//! Spans go to a collector over OTLP/HTTP, from a thread of their own. Nothing ever waits for it: what it cannot take is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde_json::json;
use time::OffsetDateTime;
use tokio::runtime::Handle;

use super::otlp::{self, SpanOver};
use crate::service::log::{self, Level, Log};
use crate::service::outgoing;

/// What a tracer needs.
pub struct TracerParts<'a> {
    /// Where the collector takes traces.
    pub endpoint: &'a str,
    /// Root certificates of its TLS as DER, where it does not use a public one.
    pub tls_roots: &'a [Vec<u8>],
    /// Which archive this is.
    pub archive: String,
    /// When spans begin and end.
    pub clock: Arc<dyn Clock>,
    /// What ids are made from.
    pub entropy: Arc<dyn Entropy>,
    /// Where it is told that the collector takes nothing.
    pub log: Box<dyn Log>,
    /// What waits for the network.
    pub runtime: Handle,
}

impl std::fmt::Debug for TracerParts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TracerParts")
            .field("archive", &self.archive)
            .finish_non_exhaustive()
    }
}

/// What takes spans, and sends them on.
#[derive(Debug)]
pub struct Tracer {
    orders: SyncSender<Order>,
    lost: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

#[derive(Debug)]
enum Order {
    Span(Box<SpanOver>),
    /// Everything before it was sent when it is answered.
    Finish(SyncSender<()>),
}

impl Tracer {
    /// Prepares the collector, and starts the thread; nothing is sent before the first span.
    ///
    /// # Errors
    /// What is wrong with the address or the TLS roots, in words.
    pub fn start(parts: TracerParts<'_>) -> Result<Self, String> {
        let endpoint = Url::parse(parts.endpoint).map_err(|error| error.to_string())?;
        let client = outgoing::client(&endpoint, parts.tls_roots)?;
        let (sender, orders) = sync_channel(SPANS_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let worker = Worker {
            orders,
            collector: Collector {
                client,
                endpoint,
                archive: parts.archive,
            },
            lost: Arc::clone(&lost),
            clock: Arc::clone(&parts.clock),
            log: parts.log,
            runtime: parts.runtime,
            has_failed: false,
        };
        let thread = std::thread::Builder::new().name("traces".to_owned());
        let started = thread.spawn(move || worker.run());
        started.map_err(|error| error.to_string())?;
        Ok(Self {
            orders: sender,
            lost,
            clock: parts.clock,
            entropy: parts.entropy,
        })
    }

    /// Takes a span that is over. Where too many wait, it is counted and dropped.
    pub(super) fn take(&self, span: SpanOver) {
        match self.orders.try_send(Order::Span(Box::new(span))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Spans that were dropped and not yet told of.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything so far was sent, but not for long.
    pub fn finish(&self) {
        let (done, finished) = sync_channel(1);
        if self.orders.try_send(Order::Finish(done)).is_ok() {
            // A collector that does not answer does not keep the service from its end.
            let _in_time = finished.recv_timeout(FINISH_MAX);
        }
    }

    /// A new id, never zero.
    pub(super) fn new_id<const N: usize>(&self) -> [u8; N] {
        let mut id = [0; N];
        // Where there is no randomness nothing else works either.
        let _filled = self.entropy.fill(&mut id);
        if let (true, Some(last)) = (id.iter().all(|byte| *byte == 0), id.last_mut()) {
            *last = 1;
        }
        id
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }
}

struct Worker {
    orders: Receiver<Order>,
    collector: Collector,
    lost: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    log: Box<dyn Log>,
    runtime: Handle,
    has_failed: bool,
}

impl Worker {
    fn run(mut self) {
        while let Ok(first) = self.orders.recv() {
            let (mut spans, mut finisher) = (Vec::new(), None);
            let end = Instant::now() + GATHER_MAX;
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Span(span) => spans.push(*span),
                    Order::Finish(done) => finisher = Some(done),
                }
                let left = end.saturating_duration_since(Instant::now());
                let is_enough = spans.len() >= BATCH_MAX || finisher.is_some();
                next = match is_enough {
                    true => None,
                    false => self.orders.recv_timeout(left).ok(),
                };
            }
            self.send(spans);
            if let Some(done) = finisher {
                // Whoever does not wait any more does not have to be told.
                let _sent = done.send(());
            }
        }
    }

    fn send(&mut self, spans: Vec<SpanOver>) {
        let count = spans.len() as u64;
        if count == 0 {
            return;
        }
        let sent = self.runtime.block_on(self.collector.take(&spans));
        if sent.is_err() {
            self.lost.fetch_add(count, Ordering::Relaxed);
        }
        match (&sent, self.has_failed) {
            (Err(error), false) => {
                self.tell(Level::Warning, "traces-failed", json!({ "text": error }));
            }
            (Ok(()), true) => self.tell(Level::Info, "traces-taken-again", json!({})),
            (Ok(()), false) | (Err(_), true) => {}
        }
        self.has_failed = sent.is_err();
        if sent.is_ok() {
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                self.tell(Level::Warning, "spans-lost", json!({ "spans": lost }));
            }
        }
    }

    fn tell(&self, level: Level, event: &str, details: serde_json::Value) {
        let line = log::line(self.clock.now(), level, event, details);
        self.log.line(&line);
    }
}

struct Collector {
    client: Client,
    endpoint: Url,
    archive: String,
}

impl Collector {
    async fn take(&self, spans: &[SpanOver]) -> Result<(), String> {
        let request = self
            .client
            .post(self.endpoint.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(otlp::request(&self.archive, spans).to_string());
        let answer = request
            .send()
            .await
            .map_err(|error| error.without_url().to_string())?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(format!("the collector answered {}", answer.status())),
        }
    }
}

/// Spans that wait for the collector.
const SPANS_MAX: usize = 4_096;

/// Spans that are sent at once.
const BATCH_MAX: usize = 512;

/// How long spans are gathered.
const GATHER_MAX: Duration = Duration::from_secs(1);

/// How long the end waits for what is still to be sent.
const FINISH_MAX: Duration = Duration::from_secs(3);
