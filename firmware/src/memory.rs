//! Memory for keys: never written to the swap, never part of a core dump, overwritten when it is given back.

use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroize;

use crate::sys::{LockedPage, Piece};

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;

/// 32 secret bytes in locked memory. They cannot be printed or cloned, and are overwritten with zeros when the value is dropped.
pub struct LockedSecret {
    /// `None` only when no page could be had: then the bytes stand in ordinary memory, and [`failure`] says so.
    piece: Option<Piece<SECRET_BYTES>>,
    ordinary: Option<Box<[u8; SECRET_BYTES]>>,
}

impl LockedSecret {
    /// Copies the bytes into locked memory. The caller overwrites its own.
    #[must_use]
    pub fn new(bytes: &[u8; SECRET_BYTES]) -> Self {
        if let Some(mut piece) = pool().take() {
            piece.get_mut().copy_from_slice(bytes);
            return Self {
                piece: Some(piece),
                ordinary: None,
            };
        }
        Self {
            piece: None,
            ordinary: Some(Box::new(*bytes)),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; SECRET_BYTES] {
        match (&self.piece, &self.ordinary) {
            (Some(piece), _) => piece.get(),
            (None, Some(ordinary)) => ordinary,
            (None, None) => &[0; SECRET_BYTES],
        }
    }
}

impl Drop for LockedSecret {
    fn drop(&mut self) {
        if let Some(mut piece) = self.piece.take() {
            piece.get_mut().zeroize();
            pool().free.push(piece);
        }
        if let Some(ordinary) = &mut self.ordinary {
            ordinary.zeroize();
        }
    }
}

impl fmt::Debug for LockedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedSecret")
    }
}

/// What the system refused when memory for keys was asked for; `None` when every key of this process stands in locked memory that no core dump
/// shows. Say it to the operator: with less, a key may reach the swap.
#[must_use]
pub fn failure() -> Option<String> {
    let pool = pool();
    let (step, error) = pool.refused.first()?;
    Some(format!("{step}: {error}"))
}

/// How many pages are locked.
#[must_use]
pub fn pages() -> usize {
    pool().pages.len()
}

struct Pool {
    pages: Vec<LockedPage>,
    free: Vec<Piece<SECRET_BYTES>>,
    refused: Vec<(&'static str, io::Error)>,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    pages: Vec::new(),
    free: Vec::new(),
    refused: Vec::new(),
});

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn take(&mut self) -> Option<Piece<SECRET_BYTES>> {
        if self.free.is_empty() {
            match LockedPage::map() {
                Ok((page, refused)) => {
                    // One page after the other would say the same.
                    if self.refused.is_empty() {
                        self.refused = refused;
                    }
                    let pieces = page.len() / SECRET_BYTES;
                    self.free
                        .extend((0..pieces).rev().filter_map(|index| page.piece(index)));
                    self.pages.push(page);
                }
                Err(error) => self.refused.push(("mmap", error)),
            }
        }
        self.free.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `/proc/self/smaps` about the mapping that holds an address.
    fn mapping_of(address: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut found = String::new();
        let mut inside = false;
        for line in maps.lines() {
            let range = line
                .split_once(' ')
                .and_then(|(range, _)| range.split_once('-'));
            let range = range.and_then(|(from, to)| {
                let number = |text| usize::from_str_radix(text, 16).ok();
                Some(number(from)?..number(to)?)
            });
            if let Some(range) = range {
                inside = range.contains(&address);
            }
            if inside {
                found.push_str(line);
                found.push('\n');
            }
        }
        found
    }

    #[test]
    fn a_secret_stands_in_memory_that_is_locked_and_not_dumped() {
        let secret = LockedSecret::new(&[7; SECRET_BYTES]);
        assert_eq!(secret.expose(), &[7; SECRET_BYTES]);
        assert_eq!(failure(), None);
        let address = secret.piece.as_ref().unwrap().address();
        let mapping = mapping_of(address);
        let flags = mapping.lines().find(|line| line.starts_with("VmFlags:"));
        let flags: Vec<&str> = flags.unwrap().split_whitespace().collect();
        for flag in ["lo", "dd", "dc"] {
            assert!(flags.contains(&flag), "{flag}: {mapping}");
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let locked = status.lines().find(|line| line.starts_with("VmLck:"));
        let kib: u64 = locked
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        assert!(kib >= 4, "{kib}");
    }

    #[test]
    fn a_secret_is_overwritten_before_its_place_is_used_again() {
        let secrets: Vec<LockedSecret> = (0..1000)
            .map(|_| LockedSecret::new(&[9; SECRET_BYTES]))
            .collect();
        let mut places: Vec<usize> = secrets
            .iter()
            .map(|secret| secret.piece.as_ref().unwrap().address())
            .collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 1000, "each has a place of its own");
        drop(secrets);
        let pool = pool();
        let old = pool
            .free
            .iter()
            .filter(|piece| places.contains(&piece.address()));
        assert!(old.clone().count() > 0);
        assert!(
            old.into_iter()
                .all(|piece| piece.get() == &[0; SECRET_BYTES])
        );
    }

    #[test]
    fn nothing_prints_a_secret() {
        let secret = LockedSecret::new(&[0x41; SECRET_BYTES]);
        assert_eq!(format!("{secret:?}"), "LockedSecret");
    }
}
