//! Hardening of the process that holds keys.

use std::fmt;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};

use crate::sys::{Allocator, set_allocator};

/// Closes the ways by which memory and new files of this process reach others. Call it first, before any key or
/// passphrase is read.
///
/// * no core dump: `RLIMIT_CORE` is 0, soft and hard;
/// * no dump and no `ptrace` by other processes of the same user: `PR_SET_DUMPABLE` is 0;
/// * new files and directories are for their owner alone: the umask is 077.
///
/// # Errors
/// [`HardenError`] names the step that the system refused.
pub fn harden() -> Result<(), HardenError> {
    rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )
    .map_err(|error| HardenError::CoreLimit(error.into()))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| HardenError::Dumpable(error.into()))?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}

/// Keeps little memory that was freed: few pools for the threads, and large pieces go back to the system at once. Call it before the first
/// thread starts. Answers whether the allocator took it; one that did not works the same and holds more.
pub fn keep_little_memory() -> bool {
    [
        (Allocator::ArenasMax, 2),
        (Allocator::MappedFromBytes, 256 * 1024),
        (Allocator::KeptFreeBytes, 4 * 1024 * 1024),
    ]
    .into_iter()
    .all(|(parameter, value)| set_allocator(parameter, value))
}

/// A step of [`harden`] that the operating system refused. Do not go on: secrets could reach the disk.
#[derive(Debug)]
#[non_exhaustive]
pub enum HardenError {
    /// The limit on core dumps could not be set to zero.
    CoreLimit(std::io::Error),
    /// The process could not be marked as not dumpable.
    Dumpable(std::io::Error),
}

impl fmt::Display for HardenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoreLimit(error) => write!(f, "core dumps could not be switched off: {error}"),
            Self::Dumpable(error) => write!(
                f,
                "the process could not be closed to debuggers (PR_SET_DUMPABLE): {error}"
            ),
        }
    }
}

impl std::error::Error for HardenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::CoreLimit(error) | Self::Dumpable(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{dumpable_behavior, getrlimit, umask};

    #[test]
    #[cfg(all(target_env = "gnu", target_pointer_width = "64"))]
    fn the_allocator_gives_large_pieces_back() {
        assert!(keep_little_memory());
        // Where nothing is set, giving back a large piece makes the allocator keep pieces of up to its size in its pools from then on.
        drop(std::hint::black_box(vec![1_u8; 1024 * 1024]));
        let piece = std::hint::black_box(vec![1_u8; 300 * 1024]);
        // A piece that was mapped for itself begins right behind the allocator's note of 16 bytes at the start of a page.
        assert_eq!(piece.as_ptr().addr() % 4096, 16);
    }

    #[test]
    fn a_hardened_process_dumps_no_core_and_makes_private_files() {
        harden().unwrap();
        harden().unwrap(); // a second call does no harm
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let fields: Vec<&str> = core.unwrap().split_whitespace().collect();
        assert_eq!(fields.get(4..6), Some(&["0", "0"][..]), "{core:?}");
        let core = getrlimit(Resource::Core);
        assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let mask = umask(Mode::RWXG | Mode::RWXO);
        assert_eq!(mask, Mode::RWXG | Mode::RWXO);
    }
}
