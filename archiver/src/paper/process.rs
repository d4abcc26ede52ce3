//! The text of a PDF, read by a process of its own under limits of memory, time and size.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, setrlimit};

/// Has texts read by a program that answers [`serve`] to its only argument.
#[derive(Debug)]
pub struct PaperReader {
    program: PathBuf,
    argument: String,
    /// One after the other: together they could take all memory.
    turn: Mutex<()>,
    /// How many wait for their turn: each holds a thread that others need.
    waiting: AtomicUsize,
}

impl PaperReader {
    /// By this program, called with this argument.
    #[must_use]
    pub const fn new(program: PathBuf, argument: String) -> Self {
        Self {
            program,
            argument,
            turn: Mutex::new(()),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The text of a PDF. `None`: it has none, it cannot be read within the limits, or too many others wait.
    pub fn text(&self, pdf: &[u8]) -> Option<String> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let text = match before < WAITING_MAX {
            true => self.read(pdf),
            false => None,
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        text
    }

    fn read(&self, pdf: &[u8]) -> Option<String> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Command::new(&self.program)
            .arg(&self.argument)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut reader = started.ok()?;
        let text = exchange(&mut reader, pdf);
        // One that went on after it was heard is not waited for.
        drop(reader.kill());
        drop(reader.wait());
        let text = String::from_utf8(text.ok()?).ok()?;
        Some(text).filter(|text| !text.trim().is_empty())
    }
}

/// It reads all before it writes anything, so neither side waits for the other.
fn exchange(reader: &mut Child, pdf: &[u8]) -> io::Result<Vec<u8>> {
    if let Some(mut input) = reader.stdin.take() {
        input.write_all(pdf)?;
    }
    let mut text = Vec::new();
    if let Some(output) = reader.stdout.take() {
        output.take(TEXT_BYTES_MAX).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// The other side: reads a PDF from the input and writes its text. It gives itself limits first; whatever the file does to it ends this process alone.
///
/// # Errors
/// The limits cannot be set, or what was read cannot be written.
pub fn serve(input: &mut dyn Read, output: &mut dyn Write) -> io::Result<()> {
    for (resource, most) in [
        (Resource::As, MEMORY_BYTES_MAX),
        (Resource::Cpu, SECONDS_MAX),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    let mut pdf = Vec::new();
    input.take(PDF_BYTES_MAX).read_to_end(&mut pdf)?;
    let read = pdf_extract::extract_text_from_mem(&pdf);
    let mut text = read.unwrap_or_default();
    text.truncate(text.floor_char_boundary(usize::try_from(TEXT_BYTES_MAX).unwrap_or(usize::MAX)));
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Bytes of a file: what the page sends at most.
const PDF_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Bytes of a text; what is looked for stands on its first pages.
const TEXT_BYTES_MAX: u64 = 1024 * 1024;

/// Address space of the process.
const MEMORY_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Seconds of processor time.
const SECONDS_MAX: u64 = 5;

/// Of those who ask at the same moment so many wait; the fields of the others stay empty.
const WAITING_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> PaperReader {
        PaperReader::new(PathBuf::from("/bin/cat"), "-".to_owned())
    }

    #[test]
    fn what_the_other_process_writes_is_the_text() {
        let reader = echo();
        assert_eq!(reader.text(b"a text").as_deref(), Some("a text"));
        assert_eq!(reader.text(b" \n"), None, "nothing to look at");
        assert_eq!(reader.text(b"\xff\xfe"), None, "no text");
        let missing = PaperReader::new(PathBuf::from("/none/such"), String::new());
        assert_eq!(missing.text(b"a text"), None);
    }

    #[test]
    fn who_would_wait_behind_too_many_gets_nothing_at_once() {
        let reader = echo();
        reader.waiting.store(WAITING_MAX, Ordering::Relaxed);
        // Whoever waited for the turn here would wait for ever.
        let turn = reader.turn.lock().unwrap();
        assert_eq!(reader.text(b"a text"), None);
        drop(turn);
        reader.waiting.store(WAITING_MAX - 1, Ordering::Relaxed);
        assert_eq!(reader.text(b"a text").as_deref(), Some("a text"));
    }
}
