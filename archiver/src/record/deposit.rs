//! Depositing: sources in, acknowledged records out.
//!
//! Several workers read, compress and seal; one committer, the caller's own thread, makes what they prepared durable. The
//! order for each record:
//!
//! 1. The data key is staged in the key ledger; the chunks are appended to the segments.
//! 2. The key ledger is committed.
//! 3. The record version is appended, and the store is committed.
//! 4. The index is told, the claim on the deposit's identity is released, and the record is acknowledged.
//!
//! A failure or crash before 3 leaves chunks that nothing refers to and a key that opens nothing. Steps 2 and 3 are shared by
//! all records that are ready at the time: while one group is being made durable, the next one gathers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use formats::manifest::Metadata;
use formats::segment::{Frame, FrameAddress};

use super::error::DepositError;
use super::outcome::{DepositEvent, DepositProgress, DepositSummary, DepositedRecord};
use super::prepare::{Prepared, PreparedRecord, Refusal, Worker};
use super::resources::DepositResources;
use crate::class::RegisteredClass;
use crate::intake::malware::Inspection;
use crate::intake::{FoundSource, Source, SourceName, StableSource, WalkItem};
use crate::keys::{DataKey, KeyLedger};
use crate::store::catalog::Catalog;
use crate::store::{Appender, Store, StoreError};

/// Takes sources into one archive.
#[derive(Debug)]
pub struct Depositor<'a> {
    pub(super) archive: ArchiveId,
    pub(super) store: &'a Store,
    pub(super) appender: Appender,
    pub(super) catalog: &'a Catalog,
    pub(super) ledger: &'a KeyLedger,
    pub(super) clock: &'a dyn Clock,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) identity_key: DataKey,
    pub(super) resources: Arc<DepositResources>,
    pub(super) inspection: Option<Inspection>,
}

/// What all sources of one deposit share.
#[derive(Clone, Debug)]
pub struct DepositRequest {
    /// The class under which they are kept.
    pub class: RegisteredClass,
    /// What was given as metadata; it wins over what documents say.
    pub given: Metadata,
    /// Who deposits.
    pub depositor: String,
    /// Through which channel: `cli`, `api`.
    pub channel: String,
}

/// How a run works.
#[derive(Clone, Debug)]
pub struct DepositOptions {
    /// How many sources are read at the same time.
    pub workers: usize,
    /// Where the run tells how far it is.
    pub progress: Arc<DepositProgress>,
}

impl Default for DepositOptions {
    /// Twice as many workers as processors, at least 4, at most [`WORKERS_MAX`].
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            workers: processors.saturating_mul(2).clamp(4, WORKERS_MAX),
            progress: Arc::default(),
        }
    }
}

impl<'a> Depositor<'a> {
    /// A depositor.
    ///
    /// # Errors
    /// The store was opened for reading, or the key of the archive's catalog cannot be found.
    pub fn new(
        store: &'a Store,
        catalog: &'a Catalog,
        ledger: &'a KeyLedger,
        clock: &'a dyn Clock,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, DepositError> {
        Ok(Self {
            archive: store.archive(),
            store,
            appender: store.appender()?,
            catalog,
            ledger,
            clock,
            entropy,
            identity_key: ledger.catalog_key()?.subkey("deposit identity"),
            resources: Arc::default(),
            inspection: None,
        })
    }

    /// The same, with what other deposits into this archive share.
    #[must_use]
    pub fn with_resources(self, resources: Arc<DepositResources>) -> Self {
        Self { resources, ..self }
    }

    /// Scans every source for malware before it is compressed (a stream, which can be read only once, while it is).
    #[must_use]
    pub fn inspecting(mut self, inspection: Option<Inspection>) -> Self {
        self.inspection = inspection;
        self
    }

    /// Deposits one opened source and waits until it is acknowledged. An index that fails after the commit does not undo the
    /// deposit; the next call meets the failure.
    ///
    /// # Errors
    /// The archive takes nothing more. What is wrong with the source alone is told in the event.
    pub fn deposit(
        &self,
        source: Source,
        request: &DepositRequest,
    ) -> Result<DepositEvent, DepositError> {
        let progress = DepositProgress::default();
        let mut worker = Worker::new(self, request, &progress);
        match worker.prepare(source) {
            Ok(Prepared::Record(record, outcome)) => {
                let group = std::slice::from_ref(&record);
                let addresses = self.make_durable(group)?;
                // A damaged index is mended at the next opening; the record is durable whatever it says.
                drop(self.index(group, &addresses));
                Ok(DepositEvent::Deposited(outcome))
            }
            Ok(Prepared::Settled(event)) => Ok(event),
            Err(Refusal::Source(error)) => Ok(DepositEvent::Failed(error)),
            Err(Refusal::Stop(error)) => Err(error),
        }
    }

    /// Deposits everything that `sources` finds. Gives each item to `on_events` once, on the calling thread and as soon as its
    /// fate is certain: for deposited records after their commit, all records of one commit together, so that they can be told in
    /// one write.
    ///
    /// A source that cannot be taken does not disturb the others. A failing medium stops the run; what is left is told as
    /// [`DepositEvent::LeftOut`], and the reason stands in the summary.
    pub fn deposit_all(
        &self,
        sources: impl Iterator<Item = WalkItem> + Send,
        request: &DepositRequest,
        options: &DepositOptions,
        on_events: &mut dyn FnMut(Vec<DepositEvent>),
    ) -> DepositSummary {
        let run = Run {
            depositor: self,
            request,
            progress: &options.progress,
            sources: Mutex::new(sources),
            stop: AtomicBool::new(false),
        };
        let (sender, receiver) = sync_channel(READY_MAX);
        let mut summary = DepositSummary::default();
        std::thread::scope(|scope| {
            for _ in 0..options.workers.clamp(1, WORKERS_MAX) {
                let sender = sender.clone();
                scope.spawn(|| run.work(sender));
            }
            drop(sender);
            run.commit(receiver, &mut summary, on_events);
        });
        summary
    }

    /// Steps 2 and 3 for a group of records. When this returns `Ok`, all of them are durable and must be acknowledged.
    fn make_durable(
        &self,
        records: &[Box<PreparedRecord>],
    ) -> Result<Vec<FrameAddress>, DepositError> {
        let Some(ticket) = records.iter().map(|record| record.ticket).max() else {
            return Ok(Vec::new());
        };
        self.ledger.commit(ticket)?;
        let addresses = records
            .iter()
            .map(|record| {
                let frame = Frame::RecordVersion(record.frame.clone());
                self.appender.append(frame)
            })
            .collect::<Result<Vec<FrameAddress>, StoreError>>()?;
        if let Some(last) = addresses.last() {
            self.appender.commit(*last)?;
        }
        Ok(addresses)
    }

    /// Step 4, after the acknowledgement, so that nothing stands between the commit and its being told: the index learns of the
    /// records. Its failure takes nothing back, and is mended at the next opening.
    fn index(
        &self,
        records: &[Box<PreparedRecord>],
        addresses: &[FrameAddress],
    ) -> Result<(), StoreError> {
        let mut pairs = records.iter().zip(addresses);
        pairs.try_for_each(|(record, address)| {
            self.catalog
                .apply_version(*address, &record.frame, &record.manifest)
        })
    }
}

/// One run over many sources.
struct Run<'a, I> {
    depositor: &'a Depositor<'a>,
    request: &'a DepositRequest,
    progress: &'a DepositProgress,
    sources: Mutex<I>,
    stop: AtomicBool,
}

/// What a worker hands to the committer.
enum Ready {
    Record(Box<PreparedRecord>, Box<DepositedRecord>),
    Event(DepositEvent),
    Stop {
        name: SourceName,
        error: DepositError,
    },
}

impl<I: Iterator<Item = WalkItem> + Send> Run<'_, I> {
    fn work(&self, ready: SyncSender<Ready>) {
        let mut worker = Worker::new(self.depositor, self.request, self.progress);
        while let Some(item) = self.next_source() {
            let result = match item {
                WalkItem::Found(found) if self.is_stopped() => {
                    Ready::Event(DepositEvent::LeftOut {
                        name: found.name().clone(),
                    })
                }
                WalkItem::Found(found) => take(&mut worker, found),
                WalkItem::Skipped { name, reason } => {
                    Ready::Event(DepositEvent::Skipped { name, reason })
                }
                WalkItem::Failed(error) => Ready::Event(DepositEvent::Failed(error)),
            };
            if matches!(result, Ready::Stop { .. }) {
                self.stop.store(true, Ordering::Relaxed);
            }
            // The committer is gone only when the caller's callback panicked: nobody is left to report to.
            if ready.send(result).is_err() {
                return;
            }
        }
    }

    /// The committer: takes whatever is ready, makes it durable as one group, and reports.
    fn commit(
        &self,
        ready: Receiver<Ready>,
        summary: &mut DepositSummary,
        on_events: &mut dyn FnMut(Vec<DepositEvent>),
    ) {
        while let Ok(first) = ready.recv() {
            let (mut group, mut outcomes, mut events) = (Vec::new(), Vec::new(), Vec::new());
            for item in std::iter::once(first)
                .chain(ready.try_iter())
                .take(GROUP_MAX)
            {
                match item {
                    Ready::Record(record, outcome) => {
                        group.push(record);
                        outcomes.push(outcome);
                    }
                    Ready::Event(event) => events.push(event),
                    Ready::Stop { name, error } => {
                        summary.stopped.get_or_insert(error);
                        events.push(DepositEvent::LeftOut { name });
                    }
                }
            }
            let durable = match &summary.stopped {
                None => self.depositor.make_durable(&group).map(Some),
                Some(_) => Ok(None),
            };
            events.extend(outcomes.into_iter().map(|outcome| match &durable {
                Ok(Some(_)) => DepositEvent::Deposited(outcome),
                Ok(None) | Err(_) => DepositEvent::LeftOut { name: outcome.name },
            }));
            for event in &events {
                summary.count(event);
            }
            on_events(events);
            let failure = match durable {
                Ok(Some(addresses)) => {
                    let indexed = self.depositor.index(&group, &addresses);
                    indexed.err().map(DepositError::Store)
                }
                Ok(None) => None,
                Err(error) => Some(error),
            };
            if let Some(error) = failure {
                self.stop.store(true, Ordering::Relaxed);
                summary.stopped.get_or_insert(error);
            }
        }
    }

    fn next_source(&self) -> Option<WalkItem> {
        self.sources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn take(worker: &mut Worker<'_>, found: FoundSource) -> Ready {
    let name = found.name().clone();
    let source = match found {
        FoundSource::File { path, name } => match StableSource::open(&path, name) {
            Ok(source) => Source::File(source),
            Err(error) => return Ready::Event(DepositEvent::Failed(error)),
        },
        FoundSource::StandardInput { name } => Source::Stream {
            name,
            reader: Box::new(std::io::stdin()),
        },
    };
    match worker.prepare(source) {
        Ok(Prepared::Record(record, outcome)) => Ready::Record(record, outcome),
        Ok(Prepared::Settled(event)) => Ready::Event(event),
        Err(Refusal::Source(error)) => Ready::Event(DepositEvent::Failed(error)),
        Err(Refusal::Stop(error)) => Ready::Stop { name, error },
    }
}

/// Each worker holds a few MiB of buffers.
pub const WORKERS_MAX: usize = 16;

/// Records that may wait for the committer; each is a manifest and its chunks' addresses.
const READY_MAX: usize = 256;

/// Records that are made durable together.
const GROUP_MAX: usize = 128;

#[cfg(test)]
#[path = "deposit_tests.rs"]
mod tests;
