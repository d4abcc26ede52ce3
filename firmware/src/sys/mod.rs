//! The one place with `unsafe`: pages of memory that the system is asked to keep from the swap and from core dumps, and the allocator's settings.

#![allow(
    unsafe_code,
    reason = "mapping and locking pages has no safe interface; see each SAFETY note"
)]

use std::io;
use std::ptr::{self, NonNull};

use rustix::mm::{self, Advice, MapFlags, ProtFlags};

/// Sets one parameter of the allocator (`mallopt(3)`). Answers whether it takes it; one of another libc does not.
#[cfg(target_env = "gnu")]
pub(crate) fn set_allocator(parameter: Allocator, value: i32) -> bool {
    let parameter = match parameter {
        Allocator::ArenasMax => libc::M_ARENA_MAX,
        Allocator::MappedFromBytes => libc::M_MMAP_THRESHOLD,
        Allocator::KeptFreeBytes => libc::M_TRIM_THRESHOLD,
    };
    // SAFETY: the call changes settings of the allocator under its own lock, and no memory that was given out.
    unsafe { libc::mallopt(parameter, value) == 1 }
}

#[cfg(not(target_env = "gnu"))]
pub(crate) const fn set_allocator(_parameter: Allocator, _value: i32) -> bool {
    false
}

/// A parameter of the allocator.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Allocator {
    /// Pools that threads take memory from.
    ArenasMax,
    /// From this size on, a piece is mapped for itself and goes back to the system when it is freed.
    MappedFromBytes,
    /// Free memory at the end of a pool that does not go back to the system.
    KeptFreeBytes,
}

/// One page of memory of its own: zeros at first, never given back.
pub(crate) struct LockedPage {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the page belongs to this value alone, and it has no state of a thread.
unsafe impl Send for LockedPage {}

impl LockedPage {
    /// Maps a page, locks it and keeps it from core dumps and from children of the process. What the system refused of that is told beside the page.
    pub(crate) fn map() -> io::Result<(Self, Vec<(&'static str, io::Error)>)> {
        let bytes = rustix::param::page_size();
        // SAFETY: a new private mapping at an address that the kernel chooses touches no memory of anybody else.
        let start = unsafe {
            mm::mmap_anonymous(
                ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        let start = NonNull::new(start.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut refused = Vec::new();
        // SAFETY: the range is the mapping that was just made; locking and these advices change no byte of it.
        let steps = unsafe {
            let whole = start.as_ptr().cast();
            [
                ("mlock", mm::mlock(whole, bytes)),
                (
                    "MADV_DONTDUMP",
                    mm::madvise(whole, bytes, Advice::LinuxDontDump),
                ),
                (
                    "MADV_DONTFORK",
                    mm::madvise(whole, bytes, Advice::LinuxDontFork),
                ),
            ]
        };
        for (step, result) in steps {
            if let Err(error) = result {
                refused.push((step, error.into()));
            }
        }
        Ok((Self { start, bytes }, refused))
    }

    /// Bytes of the page.
    pub(crate) const fn len(&self) -> usize {
        self.bytes
    }

    /// The `index`th piece of `N` bytes. Each piece must be handed out to one owner at a time.
    pub(crate) fn piece<const N: usize>(&self, index: usize) -> Option<Piece<N>> {
        let offset = index.checked_mul(N)?;
        if offset.checked_add(N)? > self.bytes {
            return None;
        }
        // SAFETY: offset + N lies within the mapping, as was just checked.
        let start = unsafe { self.start.add(offset) };
        Some(Piece {
            start: start.cast(),
        })
    }
}

/// `N` bytes of a locked page.
pub(crate) struct Piece<const N: usize> {
    start: NonNull<[u8; N]>,
}

// SAFETY: the caller of `LockedPage::piece` hands each piece to one owner; the memory has no state of a thread.
unsafe impl<const N: usize> Send for Piece<N> {}
// SAFETY: shared references only read.
unsafe impl<const N: usize> Sync for Piece<N> {}

impl<const N: usize> Piece<N> {
    pub(crate) fn get(&self) -> &[u8; N] {
        // SAFETY: the page is never unmapped, bytes need no alignment, and only the owner of the piece can write, through `&mut self`.
        unsafe { self.start.as_ref() }
    }

    pub(crate) fn get_mut(&mut self) -> &mut [u8; N] {
        // SAFETY: as for `get`; `&mut self` excludes every other reference.
        unsafe { self.start.as_mut() }
    }

    /// Where it stands, to look it up among the mappings.
    #[cfg(test)]
    pub(crate) fn address(&self) -> usize {
        self.start.as_ptr().addr()
    }
}
