//! The digests of data object groups, under whichever algorithm a chain has.

use std::io::{self, Write};

use formats::digest::{DigestAlgorithm, DigestValue, Hasher};
use formats::evidence::hash_tree::group_hash;
use formats::manifest::Manifest;
use formats::raw::Raw;
use formats::segment::Frame;

use super::log::FrameSource;
use crate::record::error::RetrieveError;
use crate::record::retrieve::{OpenedVersion, Retriever};
use crate::store::catalog::{Catalog, Unstamped};

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

/// The digests of a version's group under an algorithm, without reading its contents: those of its manifest, or those that a re-hash took.
/// `None`: there are none.
#[must_use]
pub fn group_of(
    opened: &OpenedVersion<'_>,
    catalog: &Catalog,
    frames: &dyn FrameSource,
    algorithm: DigestAlgorithm,
) -> Option<Vec<DigestValue>> {
    let manifest = opened.manifest();
    if let Ok(group) = Manifest::group(manifest, algorithm) {
        return Some(group);
    }
    let address = catalog
        .further_digests(opened.version(), algorithm)
        .ok()??;
    let Ok(Frame::FurtherDigests(frame)) = frames.read(address) else {
        return None;
    };
    let further = opened.open_further_digests(&frame)?;
    let first = algorithm.digest(manifest.raw());
    Some(std::iter::once(first).chain(further).collect())
}

/// The digests of a version whose contents were read: those of its manifest, which were compared, and further ones.
#[derive(Debug, Clone)]
pub struct ComputedDigests {
    manifest: Raw<Manifest>,
    /// For each object, its digests under the further algorithms.
    further: Vec<Vec<DigestValue>>,
}

impl ComputedDigests {
    /// Starts with the manifest alone.
    #[must_use]
    pub const fn new(manifest: Raw<Manifest>) -> Self {
        Self {
            manifest,
            further: Vec::new(),
        }
    }

    /// Reads the next object, passes it on, and adds its digests under algorithms that the manifest does not have.
    ///
    /// # Errors
    /// As [`OpenedVersion::examine_object`]. Who hands `output` on asks [`OpenedVersion::refuse_quarantined`] first.
    pub fn read_next(
        &mut self,
        opened: &mut OpenedVersion<'_>,
        algorithms: &[DigestAlgorithm],
        output: &mut dyn Write,
    ) -> Result<(), RetrieveError> {
        let object = u32::try_from(self.further.len()).unwrap_or(u32::MAX);
        let mut hashing = Hashing {
            output,
            hashers: algorithms
                .iter()
                .map(|algorithm| algorithm.hasher())
                .collect(),
        };
        opened.examine_object(object, &mut hashing)?;
        let digests = hashing.hashers.into_iter().map(Hasher::finish);
        self.further.push(digests.collect());
        Ok(())
    }

    /// The manifest.
    #[must_use]
    pub const fn manifest(&self) -> &Raw<Manifest> {
        &self.manifest
    }

    /// All digests of an object.
    pub fn of_object(&self, object: usize) -> impl Iterator<Item = DigestValue> + '_ {
        let stated = self.manifest.objects.get(object);
        let stated = stated
            .into_iter()
            .flat_map(|object| object.digests.values());
        stated
            .chain(self.further.get(object).into_iter().flatten())
            .copied()
    }

    /// The group under an algorithm.
    #[must_use]
    pub fn group(&self, algorithm: DigestAlgorithm) -> Option<Vec<DigestValue>> {
        let objects = (0..self.manifest.objects.len()).map(|object| {
            self.of_object(object)
                .find(|digest| digest.algorithm() == algorithm)
        });
        std::iter::once(Some(algorithm.digest(self.manifest.raw())))
            .chain(objects)
            .collect()
    }

    /// Those of the algorithms under which the manifest has no digests.
    #[must_use]
    pub fn missing(
        manifest: &Raw<Manifest>,
        mut algorithms: Vec<DigestAlgorithm>,
    ) -> Vec<DigestAlgorithm> {
        algorithms.retain(|algorithm| Manifest::group(manifest, *algorithm).is_err());
        algorithms.sort_unstable();
        algorithms.dedup();
        algorithms
    }
}

/// Passes content on, and hashes it.
struct Hashing<'w> {
    output: &'w mut dyn Write,
    hashers: Vec<Hasher>,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.output.write(bytes)?;
        for hasher in &mut self.hashers {
            hasher.update(bytes.get(..count).unwrap_or_default());
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
