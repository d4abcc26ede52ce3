//! Verifying what the archive holds: for each version its contents against its manifest, and its manifest against its evidence.
//!
//! Contents are read whole, from whichever replica is good, and compared with both digests. The way from each version to the tokens of
//! its chains is computed for each; the tokens are judged by the verifier once, since they are the same bytes for all versions of a chain.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use formats::id::{BatchId, VersionId};
use formats::segment::FrameAddress;
use time::OffsetDateTime;
use verifier::context::Context;
use verifier::finding::Severity;

use super::assemble::{AssembleError, EvidenceAssembler};
use super::leaves::ComputedDigests;
use super::log::FrameSource;
use super::package::{assembled, judge_records};
pub use super::record_verdict::{Outcome, RecordVerdict, VerifySummary};
use crate::record::error::RetrieveError;
use crate::record::retrieve::Retriever;
use crate::store::StoreError;
use crate::store::catalog::{Catalog, Hit, Stamp};

/// Verifies versions.
#[derive(Clone, Copy)]
pub struct RecordVerifier<'a> {
    /// Opens versions.
    pub retriever: Retriever<'a>,
    /// Knows the batches.
    pub catalog: &'a Catalog,
    /// Holds the pages of the trees.
    pub frames: &'a (dyn FrameSource + Sync),
    /// Trust, policy and time.
    pub context: Context<'a>,
    /// Threads that read and compute.
    pub workers: NonZeroUsize,
}

/// Which versions are verified.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// Received at this time or later.
    pub from: Option<OffsetDateTime>,
    /// Received before this time.
    pub to: Option<OffsetDateTime>,
}

/// Why verifying stopped before its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum VerifyError {
    /// The index cannot be read.
    Store(StoreError),
    /// A thread could not be started.
    Machine(io::Error),
}

impl RecordVerifier<'_> {
    /// Verifies all versions of a period, in the order of their identifiers, and calls `each` for every verdict in that order.
    ///
    /// # Errors
    /// [`VerifyError`]. What is wrong with a version is a verdict and no error.
    pub fn verify_period(
        &self,
        period: Period,
        each: &mut dyn FnMut(&RecordVerdict),
    ) -> Result<VerifySummary, VerifyError> {
        self.run(each, |send| {
            self.catalog
                .for_each(&mut |hit| !period.contains(hit.received_at) || send(hit))
        })
    }

    /// Verifies these versions, in this order.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify_versions(
        &self,
        versions: &[VersionId],
        each: &mut dyn FnMut(&RecordVerdict),
    ) -> Result<VerifySummary, VerifyError> {
        let mut missing = Vec::new();
        let mut summary = self.run(each, |send| {
            for &version in versions {
                match self.catalog.version(version)? {
                    Some(hit) => {
                        if !send(hit) {
                            break;
                        }
                    }
                    None => missing.push(version),
                }
            }
            Ok(())
        })?;
        for version in missing {
            let outcome = Outcome::Unreadable(RetrieveError::NotFound { version });
            let verdict = RecordVerdict { version, outcome };
            summary.count(&verdict);
            each(&verdict);
        }
        Ok(summary)
    }

    /// One thread reads the index, `workers` verify, and this one puts the verdicts back into order.
    fn run<P>(
        &self,
        each: &mut dyn FnMut(&RecordVerdict),
        produce: P,
    ) -> Result<VerifySummary, VerifyError>
    where
        P: FnOnce(&mut dyn FnMut(Hit) -> bool) -> Result<(), StoreError> + Send,
    {
        let (tasks_in, tasks) = sync_channel::<(u64, Task)>(QUEUE_MAX);
        let tasks = Mutex::new(tasks);
        let (verdicts_in, verdicts) = sync_channel(QUEUE_MAX);
        let mut summary = VerifySummary::default();
        thread::scope(|scope| {
            let spawn = || thread::Builder::new();
            // Workers first: when one cannot be started, nothing has been sent that somebody would wait for.
            for _ in 0..self.workers.get() {
                let verdicts_in = verdicts_in.clone();
                let tasks = &tasks;
                spawn().spawn_scoped(scope, move || self.work(tasks, &verdicts_in))?;
            }
            let producer = spawn().spawn_scoped(scope, move || {
                let mut number = 0u64..;
                produce(&mut |hit| {
                    let number = number.next().unwrap_or(u64::MAX);
                    tasks_in.send((number, Task::of(&hit))).is_ok()
                })
            })?;
            drop(verdicts_in);
            in_order(&verdicts, |verdict| {
                summary.count(verdict);
                each(verdict);
            });
            Ok(producer.join())
        })
        .map_err(VerifyError::Machine)?
        .map_err(|_| VerifyError::Machine(io::Error::other("the index thread ended")))??;
        Ok(summary)
    }

    fn work(
        &self,
        tasks: &Mutex<Receiver<(u64, Task)>>,
        verdicts: &SyncSender<(u64, RecordVerdict)>,
    ) {
        let mut evidence = EvidenceCache::new(self);
        loop {
            let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((number, task)) = task else { return };
            let outcome = self.judge(&task, &mut evidence);
            let version = task.version;
            if verdicts
                .send((number, RecordVerdict { version, outcome }))
                .is_err()
            {
                return;
            }
        }
    }

    fn judge(&self, task: &Task, evidence: &mut EvidenceCache<'_>) -> Outcome {
        match self.try_judge(task, evidence) {
            Ok(outcome) => outcome,
            Err(Failure::Retrieve(error)) => Outcome::Unreadable(error),
            Err(Failure::Assemble(error)) => Outcome::NoEvidence(error),
        }
    }

    fn try_judge(&self, task: &Task, evidence: &mut EvidenceCache<'_>) -> Result<Outcome, Failure> {
        let version = task.version;
        let mut opened = self.retriever.open_at(version, task.address)?;
        let manifest = opened.manifest().clone();
        let algorithms = evidence.assembler.algorithms(version)?;
        let further = ComputedDigests::missing(&manifest, algorithms);
        let mut digests = ComputedDigests::new(manifest.clone());
        for _ in &manifest.objects {
            digests.read_next(&mut opened, &further, &mut io::sink())?;
        }
        if task.stamp.is_none() {
            let received_at = manifest.received_at;
            return Ok(Outcome::Unstamped { received_at });
        }
        let mut records = Vec::new();
        for record in assembled(&evidence.assembler, version, &digests)? {
            records.push(record?);
        }
        let heads = evidence.assembler.heads(version)?;
        if let Some(existence) = evidence.proven.get(&heads) {
            return Ok(Outcome::Passed {
                existence: Some(*existence),
            });
        }
        let report = judge_records(&records, &digests, &self.context);
        if report.judgement.is_passed() {
            if let Some(existence) = report.best_signature_time {
                evidence.note(heads, existence);
            }
            return Ok(Outcome::Passed {
                existence: report.best_signature_time,
            });
        }
        let findings = report.findings.into_iter();
        Ok(Outcome::NotPassed {
            judgement: report.judgement,
            findings: findings
                .filter(|finding| finding.severity() == Severity::Error)
                .collect(),
        })
    }
}

impl Period {
    fn contains(&self, time: OffsetDateTime) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }
}

/// What a worker needs of a hit.
#[derive(Debug, Clone, Copy)]
struct Task {
    version: VersionId,
    address: FrameAddress,
    stamp: Option<Stamp>,
}

impl Task {
    fn of(hit: &Hit) -> Self {
        Self {
            version: hit.version,
            address: hit.address,
            stamp: hit.stamp,
        }
    }
}

/// The evidence that a worker used last.
struct EvidenceCache<'a> {
    assembler: EvidenceAssembler<'a>,
    /// The existence that tokens prove, by the chains that they stand in: versions in the same chains share every token.
    proven: HashMap<Vec<BatchId>, OffsetDateTime>,
}

impl<'a> EvidenceCache<'a> {
    fn new(verifier: &'a RecordVerifier<'_>) -> Self {
        Self {
            assembler: EvidenceAssembler::new(verifier.frames, verifier.catalog),
            proven: HashMap::new(),
        }
    }

    fn note(&mut self, heads: Vec<BatchId>, existence: OffsetDateTime) {
        if self.proven.len() >= PROVEN_MAX {
            self.proven.clear();
        }
        self.proven.insert(heads, existence);
    }
}

/// Hands out what arrives in the order of its numbers.
fn in_order(verdicts: &Receiver<(u64, RecordVerdict)>, mut each: impl FnMut(&RecordVerdict)) {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, verdict) in verdicts {
        early.insert(number, verdict);
        while let Some(verdict) = early.remove(&next) {
            each(&verdict);
            next += 1;
        }
    }
}

enum Failure {
    Retrieve(RetrieveError),
    Assemble(AssembleError),
}

impl From<RetrieveError> for Failure {
    fn from(error: RetrieveError) -> Self {
        Self::Retrieve(error)
    }
}

impl From<AssembleError> for Failure {
    fn from(error: AssembleError) -> Self {
        Self::Assemble(error)
    }
}

impl fmt::Debug for RecordVerifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordVerifier").finish_non_exhaustive()
    }
}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Machine(error) => write!(f, "the machine cannot run another thread: {error}"),
        }
    }
}

impl std::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Machine(error) => Some(error),
        }
    }
}

/// Versions that wait between the index and the workers.
const QUEUE_MAX: usize = 64;
/// Chains whose judgement each worker keeps.
const PROVEN_MAX: usize = 4096;
