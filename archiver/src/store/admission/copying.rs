//! Copying sealed segments: beside what the medium has, read back, and only then in its place.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use formats::id::ArchiveId;
use formats::segment::SegmentSeal;

use super::differs;
use super::history::{same, sealed};
use crate::store::StoreError;
use crate::store::heal::{Patient, Site, Suspects, copy_segment, gather, whole};
use crate::store::replica::Replica;

/// The sealed segments that the sources or the medium have, and the numbers between them that nobody has.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Numbers and lengths, in order.
    pub(super) segments: Vec<(u32, u64)>,
    /// Numbers that are missing everywhere.
    pub(super) missing: Vec<RangeInclusive<u32>>,
}

/// Looks what there is. The last segment grows unless it is sealed; all before it are sealed, whether their seals can be read or not.
pub(super) fn inventory(
    sources: &[Arc<Replica>],
    target: &Replica,
) -> Result<Inventory, StoreError> {
    let mut lengths = BTreeMap::new();
    for source in sources {
        for (segment, bytes) in source.segments()? {
            let length = lengths.entry(segment).or_insert(bytes);
            *length = bytes.max(*length);
        }
    }
    let Some(newest) = lengths.keys().next_back().copied() else {
        return Ok(Inventory::default());
    };
    let is_sealed = |source: &Arc<Replica>| matches!(sealed(source, newest), Ok(Some(_)));
    if !sources.iter().any(is_sealed) {
        lengths.remove(&newest);
    }
    for (segment, bytes) in target.segments()? {
        if segment < newest {
            lengths.entry(segment).or_insert(bytes);
        }
    }
    let mut missing = Vec::new();
    let mut next = 1;
    for segment in lengths.keys().copied().chain([newest]) {
        if segment > next {
            missing.push(next..=segment - 1);
        }
        next = segment.saturating_add(1);
    }
    Ok(Inventory {
        segments: lengths.into_iter().collect(),
        missing,
    })
}

/// What a medium has of a segment, beside what the sources have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The same, or more: it stays.
    Right,
    /// Less, or something else.
    Lacking,
    /// Neither the medium nor a source has anything that could be copied.
    Nowhere,
}

/// Compares seals; `own` is that of the medium.
pub(super) fn standing(
    sources: &[Arc<Replica>],
    segment: u32,
    own: Option<(u32, SegmentSeal)>,
) -> Standing {
    // A seal that cannot be read says nothing.
    let seals = sources
        .iter()
        .filter_map(|source| sealed(source, segment).ok()?);
    let theirs: Vec<(u32, SegmentSeal)> = seals.collect();
    let is_right = |(generation, seal): (u32, SegmentSeal)| {
        let is_same = |(_, other): &(u32, SegmentSeal)| same(other, &seal);
        let is_behind = |(other, _): &(u32, SegmentSeal)| *other < generation;
        theirs.iter().any(is_same) || theirs.iter().all(is_behind)
    };
    if own.is_some_and(is_right) {
        return Standing::Right;
    }
    let has = |source: &Arc<Replica>| !matches!(source.open(segment), Ok(None));
    if sources.iter().any(has) {
        Standing::Lacking
    } else {
        Standing::Nowhere
    }
}

/// Copies a sealed segment from the first source that has it whole, else from what all have between them. Answers whether the medium has
/// it whole now.
///
/// # Errors
/// [`StoreError::NotWhole`] where the medium has a whole copy that is another one than the damaged ones: nobody can say which is right;
/// [`StoreError::CopyDiffers`]; errors of writing. What the medium had is then as it was.
pub(super) fn copy_verified(
    sources: &[Arc<Replica>],
    target: &Arc<Replica>,
    archive: ArchiveId,
    segment: u32,
    told: &mut dyn FnMut(u64),
) -> Result<bool, StoreError> {
    let generation =
        |source: &Arc<Replica>| sealed(source, segment).ok().flatten().map(|one| one.0);
    let mut ordered: Vec<&Arc<Replica>> = sources.iter().collect();
    ordered.sort_by_key(|source| std::cmp::Reverse(generation(source)));
    for source in &ordered {
        match copy_segment(source, target, segment, None, told) {
            Ok(_) => return Ok(true),
            Err(error) if is_of(&error, source) => {}
            Err(StoreError::NotWhole { .. }) => return Err(differs(target, segment)),
            Err(error) => return Err(error),
        }
    }
    if let Some((own, _)) = whole(target, segment) {
        let another = ordered
            .iter()
            .find(|source| generation(source) == Some(own));
        return match another {
            Some(source) => Err(StoreError::NotWhole {
                path: source.path(segment),
            }),
            None => target.settle(segment).map(|()| true),
        };
    }
    let sites: Vec<Site> = [target].into_iter().chain(ordered).map(site).collect();
    gather(Patient {
        archive,
        segment,
        newest: false,
        sites: &sites,
        suspects: &Suspects::new(),
        gate: None,
    })
}

fn site(replica: &Arc<Replica>) -> Site {
    Site {
        medium: replica.medium,
        replica: Arc::clone(replica),
    }
}

/// Whether the source is to blame, not the medium that is copied to.
fn is_of(error: &StoreError, source: &Replica) -> bool {
    let (StoreError::NotWhole { path } | StoreError::Io { path, .. }) = error else {
        return false;
    };
    path.starts_with(&source.directory)
}
