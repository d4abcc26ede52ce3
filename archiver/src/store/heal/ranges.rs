//! Bytes of a segment from a copy whose medium gives them back.

use std::ops::Range;

use super::merge::bytes;
use super::replacement::Replacement;
use crate::store::StoreError;
use crate::store::walk::Copy;

/// From which copy the bytes of a gap are taken, this one's first, and whether they can be read there. Bytes that no copy has count as read.
pub(super) fn source_of_gap(
    copies: &mut [Option<Copy>],
    own: usize,
    range: &Range<u64>,
) -> (usize, bool) {
    let all = 0..copies.len();
    let others = all.filter(|&one| one != own);
    let holding: Vec<usize> = std::iter::once(own)
        .chain(others)
        .filter(|&one| {
            let copy = copies.get(one).and_then(Option::as_ref);
            copy.is_some_and(|copy| copy.length() >= range.end)
        })
        .collect();
    let read = holding.iter().find(|&&one| reads(copies, one, range));
    match read.or(holding.first()) {
        Some(&source) => (source, read.is_some()),
        None => (own, true),
    }
}

/// Whether the medium of a copy gives back a range.
pub(super) fn reads(copies: &mut [Option<Copy>], source: usize, range: &Range<u64>) -> bool {
    let Some(Some(copy)) = copies.get_mut(source) else {
        return false;
    };
    let mut at = range.start;
    while at < range.end {
        let count = piece_bytes(at, range.end);
        if copy.bytes(at, count).is_err() {
            return false;
        }
        at += count as u64;
    }
    true
}

fn piece_bytes(at: u64, end: u64) -> usize {
    usize::try_from(end - at)
        .unwrap_or(usize::MAX)
        .min(PIECE_BYTES)
}

/// Appends a range of a copy, zeros where it has none. Answers whether it gave all of it.
pub(super) fn append_range(
    copies: &mut [Option<Copy>],
    source: usize,
    range: Range<u64>,
    target: &mut Replacement<'_>,
) -> Result<bool, StoreError> {
    let mut is_whole = true;
    let mut at = range.start;
    while at < range.end {
        let count = piece_bytes(at, range.end);
        let mut piece = bytes(copies, source, at, count).to_vec();
        is_whole &= piece.len() == count;
        // What no copy can read is zeros from now on.
        piece.resize(count, 0);
        target.append(&piece)?;
        at += count as u64;
    }
    Ok(is_whole)
}

/// Bytes copied at once.
const PIECE_BYTES: usize = 1024 * 1024;
