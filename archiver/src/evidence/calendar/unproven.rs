//! Which versions have no proof left, when a chain has lost its own: those that no other track proves.

use std::collections::BTreeSet;

use formats::id::{BatchId, VersionId};
use formats::segment::{Frame, Leaves};

use super::facts::ChainFacts;
use crate::evidence::log::FrameSource;
use crate::store::StoreError;
use crate::store::catalog::Catalog;

/// Counts, for each chain whose proof has ended, the versions that no chain proves any more. A version that has lost several chains is
/// counted at the one of its first track, so that the sum counts none twice.
pub(super) fn count(
    chains: &mut [ChainFacts],
    catalog: &Catalog,
    frames: &dyn FrameSource,
    is_lost: &dyn Fn(&ChainFacts) -> bool,
) -> Result<(), StoreError> {
    let lost: BTreeSet<BatchId> = chains
        .iter()
        .filter(|chain| is_lost(chain))
        .map(|chain| chain.head)
        .collect();
    for chain in chains.iter_mut().filter(|chain| lost.contains(&chain.head)) {
        let Ok(versions) = versions_of(chain.head, catalog, frames) else {
            // Nobody can tell whom it protected: that is the worst case.
            chain.unproven = chain.live;
            continue;
        };
        chain.unproven = 0;
        for version in versions {
            let mut newest = Vec::new();
            for track in TRACKS {
                newest.extend(
                    catalog
                        .chains_of(version, track)?
                        .last()
                        .map(|last| last.head),
                );
            }
            let is_first = newest.first() == Some(&chain.head);
            chain.unproven += u64::from(is_first && newest.iter().all(|head| lost.contains(head)));
        }
    }
    Ok(())
}

/// The versions under a head, those with a later chain among them.
fn versions_of(
    head: BatchId,
    catalog: &Catalog,
    frames: &dyn FrameSource,
) -> Result<Vec<VersionId>, StoreError> {
    let mut versions = Vec::new();
    let mut take = |leaves| {
        if let Leaves::Versions(more) = leaves {
            versions.extend(more);
        }
    };
    if let Some(entry) = catalog.batch(head)?
        && let Frame::ArchiveTimeStamp(stamp) = frames.read(entry.address)?
    {
        take(stamp.leaves);
        for address in stamp.leaf_pages {
            let Frame::LeafPage(page) = frames.read(address)? else {
                return Err(StoreError::NotFound { address });
            };
            take(page.leaves);
        }
    }
    Ok(versions)
}

/// The first authority's and the second one's.
const TRACKS: [u8; 2] = [0, 1];
