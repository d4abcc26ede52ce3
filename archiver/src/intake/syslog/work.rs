//! The two threads behind the sockets: one writes the spool, one deposits its batches.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use firmware::clock::Clock;
use time::OffsetDateTime;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::batch::Summary;
use super::line::Received;
use super::spool::{self, Spool};
use super::{Shared, SyslogEnvironment, SyslogSettings};
use crate::intake::taking::{TakeError, TakeUnder, Taken};
use crate::intake::{Source, SourceName, StableSource};

/// Writes lines to the spool.
pub(super) struct Writer {
    pub(super) spool: Spool,
    pub(super) received: mpsc::Receiver<Received>,
    pub(super) settings: SyslogSettings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<Shared>,
    /// What waits for a line no longer than it may.
    pub(super) clockwork: Runtime,
}

impl Writer {
    /// Until all connections are gone and their last line is durable.
    pub(super) fn run(mut self) {
        let mut unsynced = Unsynced::default();
        let mut is_full = self.is_full();
        loop {
            // Once the connections are gone, the last lines are taken in any case.
            if is_full && !self.is_over() {
                // Only a batch that is closed is deposited, and makes room.
                self.close(&mut unsynced);
                std::thread::sleep(FULL_PAUSE);
                is_full = self.is_full();
                continue;
            }
            match self.next(unsynced.wait(self.settings.sync)) {
                Next::Line(received) => {
                    self.spool.append(&received.line(), received.at);
                    unsynced.count();
                }
                Next::Nothing => {}
                Next::End => break,
            }
            let is_due = unsynced.wait(self.settings.sync).is_zero()
                || self.spool.pending_bytes() >= PENDING_BYTES_MAX;
            if is_due {
                self.sync(&mut unsynced);
                is_full = self.is_full();
            }
            if self.is_batch_due(self.clock.now()) {
                self.close(&mut unsynced);
                is_full = self.is_full();
            }
        }
        self.close(&mut unsynced);
    }

    fn next(&mut self, wait: Duration) -> Next {
        let received = &mut self.received;
        let wait = wait.min(LOOK_PAUSE);
        let waited = self
            .clockwork
            .block_on(async { timeout(wait, received.recv()).await });
        match waited {
            Ok(Some(received)) => Next::Line(Box::new(received)),
            Ok(None) => Next::End,
            Err(_) => Next::Nothing,
        }
    }

    /// Whether the spool takes nothing more until batches are deposited.
    fn is_full(&self) -> bool {
        let stored = spool::stored_bytes(&self.settings.spool).unwrap_or(0);
        let is_full = stored >= self.settings.spool_bytes_max;
        let text = is_full.then(|| "the spool is full".to_owned());
        set(&self.shared.spool_trouble, text);
        is_full
    }

    fn is_batch_due(&self, now: OffsetDateTime) -> bool {
        self.spool.batch().is_some_and(|(since, bytes)| {
            now - since >= self.settings.batch_age || bytes >= self.settings.batch_bytes
        })
    }

    /// Makes durable what was taken. While that fails nothing more is taken.
    fn sync(&mut self, unsynced: &mut Unsynced) {
        let mut failed = false;
        while let Err(error) = self.spool.sync() {
            failed = true;
            self.tell(&error);
            std::thread::sleep(FAILED_PAUSE);
            if self.is_over() {
                return;
            }
        }
        if failed {
            // What the failure left open becomes a batch at the next start, where it cannot now.
            let mended = self.spool.mend().unwrap_or_default();
            self.hand_over(mended);
            set(&self.shared.spool_trouble, None);
        }
        self.shared
            .lines
            .fetch_add(unsynced.lines, Ordering::Relaxed);
        *unsynced = Unsynced::default();
    }

    fn close(&mut self, unsynced: &mut Unsynced) {
        self.sync(unsynced);
        match self.spool.close_batch() {
            Ok(closed) => self.hand_over(closed),
            Err(error) => self.tell(&error),
        }
    }

    fn hand_over(&self, closed: impl IntoIterator<Item = PathBuf>) {
        waiting(&self.shared).extend(closed);
    }

    /// Whether nobody waits for a failing medium any more: the receiver was stopped.
    fn is_over(&self) -> bool {
        self.received.is_closed()
    }

    fn tell(&self, error: &io::Error) {
        let text = format!("the spool cannot be written ({error})");
        set(&self.shared.spool_trouble, Some(text));
    }
}

/// What came to the writer.
enum Next {
    Line(Box<Received>),
    Nothing,
    End,
}

/// Lines that are not durable yet, and since when.
#[derive(Default)]
struct Unsynced {
    since: Option<Instant>,
    lines: u64,
}

impl Unsynced {
    fn count(&mut self) {
        self.since.get_or_insert_with(Instant::now);
        self.lines += 1;
    }

    /// How long the next synchronisation may wait.
    fn wait(&self, sync: Duration) -> Duration {
        self.since
            .map_or(LOOK_PAUSE, |since| sync.saturating_sub(since.elapsed()))
    }
}

/// Deposits batches.
pub(super) struct Depositor {
    pub(super) settings: SyslogSettings,
    pub(super) environment: SyslogEnvironment,
    pub(super) shared: Arc<Shared>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Depositor {
    /// Until it is stopped; the batch that is being deposited is finished.
    pub(super) fn run(self) {
        let mut pause = LOOK_PAUSE;
        while !*self.stopped.borrow() {
            match self.deposit_ready() {
                Ok(()) => {
                    set(&self.shared.archive_trouble, None);
                    pause = LOOK_PAUSE;
                }
                Err(error) => {
                    let text = format!("the archive takes no log records: {error}");
                    set(&self.shared.archive_trouble, Some(text));
                    pause = (pause * 2).min(RETRY_PAUSE_MAX);
                }
            }
            let until = Instant::now() + pause;
            while Instant::now() < until && !*self.stopped.borrow() {
                std::thread::sleep(LOOK_PAUSE);
            }
        }
    }

    /// Deposits what is ready, the oldest first, and keeps that order: where one is not taken, the next ones wait.
    fn deposit_ready(&self) -> Result<(), TakeError> {
        while !*self.stopped.borrow() {
            let Some(path) = waiting(&self.shared).front().cloned() else {
                return Ok(());
            };
            self.deposit(&path)?;
            self.shared.batches.fetch_add(1, Ordering::Relaxed);
            let erased = spool::erase(self.environment.disk.as_ref(), &path);
            erased.map_err(|error| unreadable(&error))?;
            waiting(&self.shared).pop_front();
        }
        Ok(())
    }

    fn deposit(&self, path: &Path) -> Result<Taken, TakeError> {
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let summary = Summary::of(&mut BufReader::new(file)).map_err(|error| unreadable(&error))?;
        let given = summary.metadata();
        let given = given.map_err(|error| TakeError::later(|lang| error.text(lang)))?;
        let name = Path::new(path.file_name().unwrap_or_default()).with_extension("jsonl");
        let name = SourceName::from_bytes(name.as_os_str().as_encoded_bytes());
        let source = StableSource::open_no_follow(path, name)?;
        let under = TakeUnder {
            class: &self.settings.class,
            given: &given,
            depositor: DEPOSITOR,
            channel: CHANNEL,
        };
        self.environment.taker.take(Source::File(source), &under)
    }
}

fn waiting(shared: &Shared) -> MutexGuard<'_, VecDeque<PathBuf>> {
    shared.ready.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set(place: &Mutex<Option<String>>, text: Option<String>) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = text;
}

fn unreadable(error: &io::Error) -> TakeError {
    TakeError::later(|lang| {
        lang.pick(
            format!("受信したログのフォルダを読めません ({error})"),
            format!("the spool cannot be read ({error})"),
        )
    })
}

/// The depositor of log records: no account can have a colon in its name.
const DEPOSITOR: &str = "syslog:receiver";

/// Their channel.
const CHANNEL: &str = "syslog";

/// How often the threads look whether something is due.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// How long the writer waits for room.
const FULL_PAUSE: Duration = Duration::from_millis(200);

/// How long the writer waits for a medium that failed.
const FAILED_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause between two tries to deposit.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(30);

/// Bytes that are not durable: more are synchronised at once.
const PENDING_BYTES_MAX: usize = 1024 * 1024;
