//! Frames that the keys showed to be wrong.

use std::sync::Arc;

use formats::id::MediumId;
use formats::segment::{Frame, FrameAddress};
use sha2::{Digest, Sha256};

use crate::store::heal::{Site, Suspects};
use crate::store::segment_file::SegmentFile;
use crate::store::walk::Copy;

/// A frame that the keys showed to be wrong on one medium although its checksum is right, or that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspect {
    /// The medium.
    pub medium: MediumId,
    /// The segment.
    pub segment: u32,
    /// Where the frame begins.
    pub offset: u64,
    /// The digest of the frame that was found wrong; `None` when there was no whole one.
    pub seen: Option<[u8; 32]>,
}

impl Suspect {
    /// Suspects what a medium gave for an address.
    #[must_use]
    pub fn new(medium: MediumId, address: FrameAddress, seen: Option<&Frame>) -> Self {
        Self {
            medium,
            segment: address.segment,
            offset: address.offset,
            seen: seen.and_then(|frame| digest(frame.clone())),
        }
    }
}

/// The suspects that still hold the frame that was found wrong. It was found without a lock: another process may have healed or replaced the
/// copy since. A frame that is absent, or damaged by its checksum, is found by the examination itself.
pub(super) fn confirmed(sites: &[Site], segment: u32, suspects: &[Suspect]) -> Suspects {
    let mut confirmed = Suspects::new();
    for (number, site) in sites.iter().enumerate() {
        let of_copy = |one: &&Suspect| one.segment == segment && one.medium == site.medium;
        let mut of_copy = suspects.iter().filter(of_copy).peekable();
        if of_copy.peek().is_none() {
            continue;
        }
        let Some(mut copy) = open_from_medium(site, segment) else {
            continue;
        };
        let mut is_same = |one: &&Suspect| {
            let now = digest_at(&mut copy, one.offset);
            now.is_some() && now == one.seen
        };
        let same = of_copy.filter(&mut is_same);
        confirmed.extend(same.map(|one| (number, one.offset)));
    }
    confirmed
}

/// A copy to be read by address; what the page cache holds of it is let go of first.
fn open_from_medium(site: &Site, segment: u32) -> Option<Copy> {
    let file = site.replica.open(segment).ok()??;
    let file = Arc::new(SegmentFile::new(file).ok()?);
    Copy::from_medium(Arc::clone(&file), None).ok()?;
    Copy::of(file).ok()
}

fn digest_at(copy: &mut Copy, offset: u64) -> Option<[u8; 32]> {
    let header = copy.frame(offset).ok()?.ok()?;
    let bytes = copy.bytes(offset, header.frame_bytes()).ok()?;
    digest(Frame::parse(bytes).ok()?)
}

/// SHA-256 over a frame as it is written; `None` for one that cannot be.
fn digest(frame: Frame) -> Option<[u8; 32]> {
    let bytes = frame.encode().ok()?.into_bytes();
    Some(Sha256::digest(bytes).into())
}
