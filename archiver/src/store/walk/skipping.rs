//! Going on behind what cannot be read. A medium fails by whole pages: what stands behind them may be as it was.

use super::{Copy, SegmentWalk};

impl Copy {
    /// Behind the page of the medium that `offset` is on, or behind what stands together there.
    pub(super) fn behind_page(&self, offset: u64) -> u64 {
        let (place, left) = self.place(offset).unwrap_or((offset, u64::MAX));
        offset.saturating_add(left.min(PAGE_BYTES - place % PAGE_BYTES).max(1))
    }
}

impl SegmentWalk {
    /// If no copy that has something at `offset` can be read there: where one may be readable next.
    pub(super) fn behind_unreadable(&mut self, offset: u64) -> Option<u64> {
        let mut behind: Option<u64> = None;
        for copy in self.copies.iter_mut().flatten() {
            match copy.bytes(offset, 1) {
                Ok([]) => {}
                Ok(_) => return None,
                Err(_) => {
                    let end = copy.behind_page(offset);
                    behind = Some(behind.map_or(end, |behind| behind.min(end)));
                }
            }
        }
        behind
    }

    /// The first commit mark behind `offset`, in any copy, that names its own place. Of copies that cannot be read on the way is noted that they
    /// could not.
    pub(super) fn mark_after(&mut self, offset: u64) -> Option<u64> {
        let mut first: Option<u64> = None;
        let mut failures = Vec::new();
        for (source, copy) in self.copies.iter_mut().enumerate() {
            let Some(copy) = copy else { continue };
            let mut unread = None;
            let mark = copy.mark_after(self.segment, offset, &mut unread);
            first = first.into_iter().chain(mark).min();
            failures.extend(unread.map(|error| (source, error)));
        }
        for (source, error) in failures {
            self.note(source, error);
        }
        first
    }
}

/// What the system reads, or fails to read, at once.
const PAGE_BYTES: u64 = 4096;
