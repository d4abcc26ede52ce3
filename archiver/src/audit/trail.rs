//! Writing the trail: one thread, entries in groups, each durable before its act is answered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use firmware::clock::Clock;
use formats::audit::{AuditEntry, ChainPlace, Outcome};
use formats::error::FormatError;
use time::OffsetDateTime;

use super::{Act, AuditLines};
use crate::archive::{Archive, ArchiveError};
use crate::keys::KeyError;

/// An entry that is to be written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The account that acted; empty where nobody was known.
    pub person: String,
    /// From where.
    pub client: String,
    /// What.
    pub act: Act,
    /// On which record version or other object.
    pub record: Option<String>,
    /// What for.
    pub purpose: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Further facts; never content, never a secret.
    pub details: BTreeMap<String, String>,
    /// When.
    pub time: OffsetDateTime,
}

/// Why the trail cannot be written any more. Mend the medium or the index that it names, and open the archive anew: what became of the entries that were under way
/// is known then, and the trail goes on behind the last one that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFault {
    since: OffsetDateTime,
    what: String,
}

/// Why an entry was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditError {
    /// It is no line: too long, or a time that cannot be written.
    Entry(FormatError),
    /// Nothing can be written any more.
    Stopped(AuditFault),
}

/// Where entries are handed in. An open archive has one of them; two would give the same numbers twice.
#[derive(Debug)]
pub struct AuditTrail {
    sender: Mutex<Option<Sender<Waiting>>>,
    fault: Arc<Mutex<Option<AuditFault>>>,
    clock: Arc<dyn Clock>,
    writer: Option<JoinHandle<()>>,
}

struct Waiting {
    entry: NewEntry,
    answer: SyncSender<Result<u64, AuditError>>,
}

struct Writer {
    archive: Arc<Archive>,
    place: ChainPlace,
    fault: Arc<Mutex<Option<AuditFault>>>,
}

impl AuditTrail {
    /// The trail of an open archive, behind its last line.
    ///
    /// # Errors
    /// The archive was opened for reading or as an intake host; the index is damaged or not whole yet; the last lines cannot be read; no thread can be started.
    pub fn open(archive: Arc<Archive>) -> Result<Self, AuditFault> {
        let clock = Arc::clone(&archive.environment().clock);
        let fail = |why: &dyn fmt::Display| AuditFault::new(clock.now(), why);
        writable(&archive).map_err(|error| fail(&error))?;
        let place = match super::reading::end(&archive) {
            Ok(Some(place)) => place,
            Ok(None) => return Err(fail(&UNREADABLE)),
            Err(error) => return Err(fail(&error)),
        };
        let fault = Arc::new(Mutex::new(None));
        let (sender, receiver) = channel();
        let mut writer = Writer {
            archive,
            place,
            fault: Arc::clone(&fault),
        };
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.work(&receiver))
            .map_err(|error| fail(&error))?;
        Ok(Self {
            sender: Mutex::new(Some(sender)),
            fault,
            clock,
            writer: Some(thread),
        })
    }

    /// Writes an entry: it is durable on every medium when this returns, and has this number.
    ///
    /// # Errors
    /// [`AuditError`]. What was done must then not be answered as done.
    pub fn write(&self, entry: NewEntry) -> Result<u64, AuditError> {
        let (answer, answered) = sync_channel(1);
        let sent = {
            let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = Waiting { entry, answer };
            sender
                .as_ref()
                .is_some_and(|sender| sender.send(waiting).is_ok())
        };
        if !sent {
            return Err(self.gone());
        }
        answered.recv().unwrap_or_else(|_| Err(self.gone()))
    }

    /// Why the trail cannot be written any more, where it cannot.
    #[must_use]
    pub fn is_broken(&self) -> Option<AuditFault> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.clone()
    }

    /// The writer is gone without a word: from now on that is the fault, where none is known.
    fn gone(&self) -> AuditError {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = fault.get_or_insert_with(|| AuditFault::new(self.clock.now(), &GONE));
        AuditError::Stopped(fault.clone())
    }

    /// Ends the writing; what was handed in is written first.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let sender = self
            .sender
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        drop(sender.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has answered nobody: everybody was refused.
            drop(writer.join());
        }
    }
}

impl Drop for AuditTrail {
    fn drop(&mut self) {
        self.end();
    }
}

impl Writer {
    fn work(&mut self, waiting: &Receiver<Waiting>) {
        while let Ok(first) = waiting.recv() {
            let more = waiting.try_iter().take(GROUP_MAX);
            self.write(std::iter::once(first).chain(more));
        }
    }

    /// Writes a group: as one event with one commit, or as several where it is large.
    fn write(&mut self, group: impl Iterator<Item = Waiting>) {
        let mut gathered = Gathered::behind(self.place);
        for waiting in group {
            gathered.take(waiting);
            if gathered.bytes >= EVENT_BYTES_MAX {
                let next = Gathered::behind(gathered.place);
                self.commit(std::mem::replace(&mut gathered, next));
            }
        }
        self.commit(gathered);
    }

    /// Makes what was gathered durable, and then answers each.
    fn commit(&mut self, gathered: Gathered) {
        let known = self
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(fault) = known {
            gathered.refuse(&fault);
            return;
        }
        if gathered.lines.is_empty() {
            return;
        }
        let facts = AuditLines {
            first: self.place.sequence.saturating_add(1),
            lines: gathered.lines,
        };
        match self.archive.record_event(WRITTEN_BY, &facts) {
            Ok(_) => {
                self.place = gathered.place;
                for (answer, sequence) in gathered.answers {
                    // Whoever asked may be gone.
                    drop(answer.send(Ok(sequence)));
                }
            }
            Err(error) => {
                // Whether the lines are durable is not known: the next opening finds out.
                let fault = AuditFault::new(self.archive.environment().clock.now(), &error);
                *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.clone());
                Gathered {
                    lines: Vec::new(),
                    ..gathered
                }
                .refuse(&fault);
            }
        }
    }
}

/// Lines that will be durable together, and who waits for that.
struct Gathered {
    place: ChainPlace,
    lines: Vec<String>,
    bytes: usize,
    answers: Vec<(SyncSender<Result<u64, AuditError>>, u64)>,
}

impl Gathered {
    const fn behind(place: ChainPlace) -> Self {
        Self {
            place,
            lines: Vec::new(),
            bytes: 0,
            answers: Vec::new(),
        }
    }

    fn take(&mut self, Waiting { entry, answer }: Waiting) {
        match line(entry, self.place) {
            Ok((text, place)) => {
                self.place = place;
                self.bytes = self.bytes.saturating_add(text.len());
                self.lines.push(text);
                self.answers.push((answer, place.sequence));
            }
            // It stands nowhere, so the next one takes its number.
            Err(error) => drop(answer.send(Err(AuditError::Entry(error)))),
        }
    }

    fn refuse(self, fault: &AuditFault) {
        for (answer, _) in self.answers {
            drop(answer.send(Err(AuditError::Stopped(fault.clone()))));
        }
    }
}

/// Whether events can be recorded in this archive.
fn writable(archive: &Archive) -> Result<(), ArchiveError> {
    if archive.keys().is_write_only() {
        return Err(KeyError::WriteOnly.into());
    }
    archive.store().appender()?;
    Ok(())
}

/// The line of an entry behind a place, without its LF, and the place behind it.
fn line(entry: NewEntry, behind: ChainPlace) -> Result<(String, ChainPlace), FormatError> {
    let sequence = behind.sequence.saturating_add(1);
    let entry = AuditEntry {
        sequence,
        // The line holds microseconds.
        time: entry
            .time
            .replace_nanosecond(entry.time.microsecond() * 1_000)
            .unwrap_or(entry.time),
        person: entry.person,
        client: entry.client,
        act: entry.act.code().to_owned(),
        record: entry.record,
        purpose: entry.purpose,
        outcome: entry.outcome,
        details: entry.details,
        previous: behind.digest,
    };
    let bytes = entry.to_line()?;
    let place = ChainPlace::behind(sequence, &bytes);
    let text = String::from_utf8_lossy(&bytes);
    Ok((text.trim_end_matches('\n').to_owned(), place))
}

impl AuditFault {
    fn new(since: OffsetDateTime, why: &dyn fmt::Display) -> Self {
        Self {
            since,
            what: why.to_string(),
        }
    }

    /// Since when nothing can be written.
    #[must_use]
    pub const fn since(&self) -> OffsetDateTime {
        self.since
    }
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for AuditFault {}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(error) => write!(f, "the entry cannot be written: {error}"),
            Self::Stopped(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for AuditError {}

/// Who records events of the trail.
const WRITTEN_BY: &str = "archiver";

/// Most entries that are gathered before they are committed.
const GROUP_MAX: usize = 255;

/// Lines of one event: with so many bytes no more are put to them.
const EVENT_BYTES_MAX: usize = 256 * 1024;

const GONE: &str = "the thread that writes the audit trail has ended; open the archive anew";

const UNREADABLE: &str = "the last lines of the audit trail cannot be read; rebuild the index";
