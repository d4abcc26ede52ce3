//! An engine that panics on damaged files is an engine that says that they are damaged.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::IndexError;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is caught and taken as "the index is damaged". A program's panic hook that asks this need not print it.
#[must_use]
pub fn panics_are_answers() -> bool {
    GUARDED.get()
}

/// Calls the engine. A panic is [`IndexError::Damaged`]: nothing that it leaves half done is used again, for the caller sets the files aside.
pub(super) fn guarded<T>(act: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    let before = GUARDED.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(act));
    GUARDED.set(before);
    answer.unwrap_or(Err(IndexError::Damaged))
}

/// Tells what the operating system refused from what only looks strange: engines report unexpected bytes as I/O errors without a number, and
/// a file that is missing, unexpectedly there or something else as the error of opening it.
pub(super) fn of_io(error: io::Error) -> IndexError {
    let of_the_files = matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
    );
    if error.raw_os_error().is_some() && !of_the_files {
        IndexError::Io(error)
    } else {
        IndexError::Damaged
    }
}
