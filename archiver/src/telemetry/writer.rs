//! A log that never makes a request wait: lines go to a thread; what it cannot take is counted.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use firmware::clock::Clock;
use serde_json::json;

use crate::service::log::{self, Level, Log};

/// Where lines go.
pub enum LogTarget {
    /// To the end of a file. Where it was moved away, to a new one of its name: whoever keeps logs moves them.
    File(PathBuf),
    /// Among the lines of the service.
    Lines(Box<dyn Log>),
}

impl std::fmt::Debug for LogTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Lines(_) => f.write_str("Lines"),
        }
    }
}

/// A log with a thread of its own.
#[derive(Debug)]
pub struct LogWriter {
    orders: SyncSender<Order>,
    pub(super) lost: Arc<AtomicU64>,
}

enum Order {
    Line(String),
    /// Everything before it is written when it is answered.
    Finish(SyncSender<()>),
}

impl LogWriter {
    /// Opens the log, and starts its thread.
    ///
    /// # Errors
    /// The file cannot be opened, or there is no thread.
    pub fn start(target: LogTarget, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let (sender, orders) = sync_channel(LINES_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let output = match target {
            LogTarget::Lines(log) => Output::Lines(log),
            LogTarget::File(path) => Output::File(append(&path)?, path),
        };
        let worker = Worker {
            orders,
            output,
            lost: Arc::clone(&lost),
            clock,
        };
        let thread = std::thread::Builder::new().name("request-log".to_owned());
        thread.spawn(move || worker.run())?;
        Ok(Self {
            orders: sender,
            lost,
        })
    }

    /// Takes a line. Where too many wait, it is counted and dropped.
    pub(super) fn write(&self, line: String) {
        match self.orders.try_send(Order::Line(line)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Waits until everything so far is written, but not for long.
    pub fn finish(&self) {
        let (done, finished) = sync_channel(1);
        let mut order = Order::Finish(done);
        // A log that cannot be written does not keep the service from its end.
        for _ in 0..FINISH_TRIES {
            match self.orders.try_send(order) {
                Ok(()) => {
                    let _in_time = finished.recv_timeout(FINISH_MAX);
                    return;
                }
                Err(TrySendError::Full(back)) => order = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            std::thread::sleep(FINISH_PAUSE);
        }
    }
}

struct Worker {
    orders: Receiver<Order>,
    output: Output,
    lost: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

enum Output {
    File(File, PathBuf),
    Lines(Box<dyn Log>),
}

impl Worker {
    fn run(mut self) {
        while let Ok(first) = self.orders.recv() {
            let mut lines = Vec::new();
            let mut finishers = Vec::new();
            let more = std::iter::from_fn(|| self.orders.try_recv().ok());
            for order in std::iter::once(first).chain(more.take(BATCH_MAX)) {
                match order {
                    Order::Line(line) => lines.push(line),
                    Order::Finish(done) => finishers.push(done),
                }
            }
            let count = lines.len() as u64;
            let lost = self.tell_lost(&mut lines);
            if self.output.write(&lines).is_err() {
                self.lost
                    .fetch_add(count.saturating_add(lost), Ordering::Relaxed);
            }
            for done in finishers {
                // Whoever does not wait any more does not have to be told.
                let _sent = done.send(());
            }
        }
    }

    /// Says how many lines were lost since it was said last.
    fn tell_lost(&self, lines: &mut Vec<String>) -> u64 {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let details = json!({ "lines": lost });
            let event = "request-lines-lost";
            lines.push(log::line(self.clock.now(), Level::Warning, event, details));
        }
        lost
    }
}

impl Output {
    fn write(&mut self, lines: &[String]) -> std::io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        match self {
            Self::Lines(log) => {
                for line in lines {
                    log.line(line);
                }
                Ok(())
            }
            Self::File(file, path) => {
                if !is_at(file, path) {
                    *file = append(path)?;
                }
                let mut text = lines.join("\n");
                text.push('\n');
                file.write_all(text.as_bytes())
            }
        }
    }
}

/// Whether an open file still stands at its path.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

/// Names of accounts and addresses stand in it: not for everybody.
fn append(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640).open(path)
}

/// Lines that wait: some seconds of a busy service.
const LINES_MAX: usize = 8_192;

/// Lines that are written at once.
const BATCH_MAX: usize = 512;

/// How long the end waits for what is still to be written.
const FINISH_MAX: Duration = Duration::from_secs(2);

/// How often, and after what pause, it is tried to say that it is the end while too many lines wait.
const FINISH_TRIES: u32 = 100;
const FINISH_PAUSE: Duration = Duration::from_millis(20);
