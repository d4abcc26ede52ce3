//! Verifying what the archive holds: for each version its contents against its manifest, and its manifest against its evidence.
//!
//! Contents are read whole, from whichever replica is good, and compared with both digests, and with their line index where they have one.
//! The evidence of each version is put together and judged in full by the verifier, as an outsider would judge it. The versions of a batch share
//! their tokens; with a cache in the context these are judged once.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use formats::digest::{DigestAlgorithm, DigestValue, Hasher};
use formats::error::{ErrorKind, FormatError};
use formats::id::VersionId;
use formats::lines::LineTree;
use formats::segment::FrameAddress;
use time::OffsetDateTime;
use verifier::bulk::Row;
use verifier::context::Context;
use verifier::finding::Severity;
use zeroize::Zeroizing;

use super::assemble::{AssembleError, EvidenceAssembler};
use super::in_order::window;
use super::leaves::ComputedDigests;
use super::log::FrameSource;
use super::package::{assembled, judge_records};
pub use super::record_verdict::{Outcome, RecordVerdict, VerifySummary};
use crate::cli::lang::Lang;
use crate::content::LineCheck;
use crate::record::error::RetrieveError;
use crate::record::retrieve::{OpenedVersion, Retriever};
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
    /// The language of rows.
    pub lang: Lang,
}

/// Which versions are verified. One whose manifest cannot be opened belongs to every period and class: what it was, nobody can say.
#[derive(Debug, Clone, Default)]
pub struct Period {
    /// Received at this time or later.
    pub from: Option<OffsetDateTime>,
    /// Received before this time.
    pub to: Option<OffsetDateTime>,
    /// Only of this class.
    pub class: Option<String>,
    /// How many versions at the beginning were verified before, and the digest of their names from [`Passed::finish`].
    pub passed: Option<(u64, DigestValue)>,
}

/// Takes a digest over the names of versions in their order.
pub struct Passed(Hasher);

impl Passed {
    /// Over none yet.
    #[must_use]
    pub fn new() -> Self {
        Self(DigestAlgorithm::Sha256.hasher())
    }

    /// Adds a name.
    pub fn add(&mut self, name: &str) {
        self.0.update(name.as_bytes());
        self.0.update(b"\n");
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> DigestValue {
        self.0.finish()
    }
}

impl Default for Passed {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passed")
    }
}

/// Why verifying stopped before its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum VerifyError {
    /// The index cannot be read.
    Store(StoreError),
    /// A thread could not be started.
    Machine(io::Error),
    /// The versions that were verified before are not the first ones of the period any more. Start anew.
    Changed,
}

impl RecordVerifier<'_> {
    /// Verifies all versions of a period, in the order of their identifiers, and calls `each` for every verdict in that order.
    ///
    /// # Errors
    /// [`VerifyError`]. What is wrong with a version is a verdict and no error.
    pub fn verify_period(
        &self,
        period: &Period,
        each: &mut dyn FnMut(&RecordVerdict),
    ) -> Result<VerifySummary, VerifyError> {
        let skip = period.passed.as_ref().map_or(0, |(count, _)| *count);
        let mut skipped = 0;
        let mut names = Passed::new();
        let mut is_same = period.passed.is_none();
        let summary = self.run(each, |send| {
            self.catalog.for_each(&mut |hit| {
                if !period.contains(&hit) {
                    return true;
                }
                if skipped < skip {
                    names.add(&hit.version.to_string());
                    skipped += 1;
                    return true;
                }
                if !is_same {
                    let digest = std::mem::take(&mut names).finish();
                    is_same = period.passed.is_some_and(|(_, known)| known == digest);
                }
                is_same && send(hit)
            })?;
            if !is_same && skipped == skip {
                let digest = names.finish();
                is_same = period.passed.is_some_and(|(_, known)| known == digest);
            }
            Ok(is_same)
        })?;
        let (summary, is_same) = summary;
        if is_same {
            Ok(summary)
        } else {
            Err(VerifyError::Changed)
        }
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
        let (mut summary, ()) = self.run(each, |send| {
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
            let verdict =
                RecordVerdict::without_evidence(version, outcome, self.context.time, self.lang);
            summary.count(&verdict);
            each(&verdict);
        }
        Ok(summary)
    }

    /// One thread reads the index, `workers` verify, and this one puts the verdicts back into order.
    fn run<P, T>(
        &self,
        each: &mut dyn FnMut(&RecordVerdict),
        produce: P,
    ) -> Result<(VerifySummary, T), VerifyError>
    where
        P: FnOnce(&mut dyn FnMut(Hit) -> bool) -> Result<T, StoreError> + Send,
        T: Send,
    {
        let (tasks_in, tasks) = sync_channel::<(u64, Task)>(QUEUE_MAX);
        let tasks = Mutex::new(tasks);
        let (verdicts_in, verdicts) = sync_channel(QUEUE_MAX);
        let (permits, mut order) = window(WINDOW);
        let mut summary = VerifySummary::default();
        let produced = thread::scope(|scope| {
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
                    permits.take() && tasks_in.send((number, Task::of(&hit))).is_ok()
                })
            })?;
            drop(verdicts_in);
            for (number, verdict) in verdicts {
                // Without a verdict its worker has panicked: nothing after it can be in its turn, and the scope tells it.
                let Some(verdict) = verdict else { break };
                order.add(number, verdict, |verdict| {
                    summary.count(verdict);
                    each(verdict);
                });
            }
            drop(order);
            Ok(producer.join())
        })
        .map_err(VerifyError::Machine)?
        .map_err(|_| VerifyError::Machine(io::Error::other("the index thread ended")))??;
        Ok((summary, produced))
    }

    fn work(
        &self,
        tasks: &Mutex<Receiver<(u64, Task)>>,
        verdicts: &SyncSender<(u64, Option<RecordVerdict>)>,
    ) {
        let assembler = EvidenceAssembler::new(self.frames, self.catalog);
        loop {
            let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((number, task)) = task else { return };
            let mut answer = Answer {
                number,
                verdict: None,
                verdicts,
            };
            answer.verdict = Some(self.judge(&task, &assembler));
        }
    }

    fn judge(&self, task: &Task, assembler: &EvidenceAssembler<'_>) -> RecordVerdict {
        let outcome = match self.try_judge(task, assembler) {
            Ok(verdict) => return verdict,
            Err(Failure::Retrieve(error)) => Outcome::Unreadable(error),
            Err(Failure::Assemble(error)) => Outcome::NoEvidence(error),
        };
        RecordVerdict::without_evidence(task.version, outcome, self.context.time, self.lang)
    }

    fn try_judge(
        &self,
        task: &Task,
        assembler: &EvidenceAssembler<'_>,
    ) -> Result<RecordVerdict, Failure> {
        let version = task.version;
        let mut opened = self.retriever.open_at(version, task.address)?;
        let manifest = opened.manifest().clone();
        let algorithms = assembler.algorithms(version)?;
        let further = ComputedDigests::missing(&manifest, algorithms);
        let mut digests = ComputedDigests::new(manifest.clone());
        for (object, content) in (0_u32..).zip(&manifest.objects) {
            match &content.lines {
                None => digests.read_next(&mut opened, &further, &mut io::sink())?,
                Some(tree) => read_lines(&mut opened, object, tree, &further, &mut digests)?,
            }
        }
        if task.stamp.is_none() {
            let received_at = manifest.received_at;
            let outcome = Outcome::Unstamped { received_at };
            let now = self.context.time;
            return Ok(RecordVerdict::without_evidence(
                version, outcome, now, self.lang,
            ));
        }
        let mut records = Vec::new();
        for record in assembled(assembler, version, &digests)? {
            records.push(record?);
        }
        let report = judge_records(&records, &digests, &self.context);
        let content = manifest.objects.first();
        let digest = content.and_then(|content| content.digests.values().first());
        let digest = digest.map(|digest| {
            let name = digest.algorithm().name();
            format!("{name}:{}", hex::encode(digest.as_bytes()))
        });
        let mut row = Row::of_report(version.to_string(), &report, digest, self.lang.into());
        if let Some(content) = content {
            row.data = content.name.to_string();
        }
        let outcome = if report.judgement.is_passed() {
            Outcome::Passed {
                existence: report.best_signature_time,
            }
        } else {
            let findings = report.findings.into_iter();
            Outcome::NotPassed {
                judgement: report.judgement,
                findings: findings
                    .filter(|finding| finding.severity() == Severity::Error)
                    .collect(),
            }
        };
        Ok(RecordVerdict {
            version,
            outcome,
            row,
        })
    }
}

/// Reads a log, and compares it with its line index on the way.
fn read_lines(
    opened: &mut OpenedVersion<'_>,
    object: u32,
    tree: &LineTree,
    further: &[DigestAlgorithm],
    digests: &mut ComputedDigests,
) -> Result<(), RetrieveError> {
    let version = opened.version();
    let wrong = |kind| RetrieveError::LineIndex {
        version,
        error: Some(FormatError::new(kind, "LineIndex")),
    };
    let missing = RetrieveError::LineIndex {
        version,
        error: None,
    };
    let index = opened.line_index(object)?.ok_or(missing)?;
    let mut check = LineCheck::new(&index).ok_or(wrong(ErrorKind::MissingElement))?;
    digests.read_next(opened, further, &mut check)?;
    let holds = check.holds(tree, &index);
    drop(Zeroizing::new(index.into_bytes()));
    if holds {
        Ok(())
    } else {
        Err(wrong(ErrorKind::Inconsistent))
    }
}

impl Period {
    fn contains(&self, hit: &Hit) -> bool {
        let time = hit.received_at;
        !hit.readable
            || (self.from.is_none_or(|from| time >= from)
                && self.to.is_none_or(|to| time < to)
                && self.class.as_ref().is_none_or(|class| *class == hit.class))
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

/// Sends a verdict when it goes out of scope, and without one that the worker has panicked: nobody may wait for it.
struct Answer<'a> {
    number: u64,
    verdict: Option<RecordVerdict>,
    verdicts: &'a SyncSender<(u64, Option<RecordVerdict>)>,
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        drop(self.verdicts.send((self.number, self.verdict.take())));
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
            Self::Changed => f.write_str(
                "the archive holds other records now than when the run was interrupted: start anew",
            ),
        }
    }
}

impl std::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Machine(error) => Some(error),
            Self::Changed => None,
        }
    }
}

/// Versions that wait between the index and the workers.
const QUEUE_MAX: usize = 64;

/// How far the workers run ahead of a version that takes long: the verdicts of so many are some megabytes.
const WINDOW: usize = 1024;
