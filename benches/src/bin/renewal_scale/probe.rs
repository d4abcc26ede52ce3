//! What one phase costs: wall time, CPU time, memory at its highest, and the bytes that it read and wrote.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A phase that is being measured.
#[derive(Debug)]
pub(crate) struct Probe {
    began: Instant,
    cpu: Duration,
    memory: u64,
    written: u64,
    read: u64,
    segments: u64,
    index: u64,
}

impl Probe {
    /// Begins here. The kernel's highest mark of memory starts anew, so that what came before does not count.
    pub(crate) fn begin(archive: &Path) -> Self {
        fs::File::options()
            .write(true)
            .open("/proc/self/clear_refs")
            .and_then(|mut file| file.write_all(b"5"))
            .unwrap();
        Self {
            cpu: cpu(),
            memory: status("VmRSS:"),
            written: io("wchar:"),
            read: io("rchar:"),
            segments: bytes_below(&archive.join("data")),
            index: bytes_below(&archive.join("index")),
            began: Instant::now(),
        }
    }

    /// What it cost until now. The archive must be closed, so that everything is on its medium.
    pub(crate) fn end(&self, archive: &Path) -> Value {
        let wall = self.began.elapsed();
        let grown =
            |folder: &str, before: u64| bytes_below(&archive.join(folder)).saturating_sub(before);
        json!({
            "wall_s": wall.as_secs_f64(),
            "cpu_s": (cpu() - self.cpu).as_secs_f64(),
            "memory_before": self.memory,
            "memory_peak": status("VmHWM:"),
            "written": io("wchar:") - self.written,
            "read": io("rchar:") - self.read,
            "segments": grown("data", self.segments),
            "index": grown("index", self.index),
        })
    }
}

/// Bytes of all files below a folder.
pub(crate) fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_below(&entry.path()),
        Ok(about) => about.len(),
        // Removed meanwhile.
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(bytes).sum()
}

/// User and system time of this process.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name of the program, in parentheses, may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

fn status(field: &str) -> u64 {
    number("/proc/self/status", field) * 1024
}

fn io(field: &str) -> u64 {
    number("/proc/self/io", field)
}

fn number(file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    let digits = line.split_whitespace().next().unwrap();
    digits.parse().unwrap()
}

/// `USER_HZ`: the same on every Linux of today.
const TICKS_PER_SECOND: u64 = 100;
