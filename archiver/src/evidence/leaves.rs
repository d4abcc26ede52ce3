//! Leaves under another digest algorithm than the one that the index keeps.

use formats::digest::DigestAlgorithm;
use formats::evidence::hash_tree::group_hash;
use formats::manifest::Manifest;

use crate::record::retrieve::Retriever;
use crate::store::catalog::Unstamped;

/// The waiting versions with their leaves under `algorithm`.
///
/// The index keeps leaves under SHA-256. For another algorithm each manifest is opened, but no content: the manifest holds its digest.
/// A version whose manifest cannot be opened gets no leaf.
#[must_use]
pub fn under(
    algorithm: DigestAlgorithm,
    mut waiting: Vec<Unstamped>,
    retriever: &Retriever<'_>,
) -> Vec<Unstamped> {
    for one in &mut waiting {
        if one.leaf.is_some_and(|leaf| leaf.algorithm() == algorithm) {
            continue;
        }
        one.leaf = retriever
            .open_at(one.version, one.address)
            .ok()
            .and_then(|opened| Manifest::group(opened.manifest(), algorithm).ok())
            .and_then(|group| group_hash(algorithm, &group));
    }
    waiting
}
