//! How long renewals take here: the reading part of them, done for a sample of this archive and extrapolated.

use std::io;
use std::time::{Duration, Instant};

use formats::digest::DigestAlgorithm;
use formats::id::VersionId;

use crate::archive::Archive;
use crate::cli::failure::Failure;
use crate::evidence::assemble::EvidenceAssembler;
use crate::evidence::calendar::ChainFacts;
use crate::evidence::leaves::group_of;

/// A measured sample.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    /// How many units were measured: versions, chains, or bytes.
    pub(super) units: u64,
    /// How long they took.
    pub(super) took: Duration,
}

impl Sample {
    /// How long so many units would take; nothing where nothing could be measured.
    pub(super) fn extrapolated(&self, units: u64) -> Option<Duration> {
        if self.units == 0 {
            return (units == 0).then_some(Duration::ZERO);
        }
        #[allow(
            clippy::cast_precision_loss,
            reason = "an estimate: three digits of it count"
        )]
        let seconds = self.took.as_secs_f64() / self.units as f64 * units as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// The leaves of a hash-tree renewal: manifests opened, evidence assembled and hashed. Versions that cannot be read are left out.
pub(super) fn hash_tree(archive: &Archive, versions: &[VersionId], to: DigestAlgorithm) -> Sample {
    let (retriever, assembler) = (
        archive.retriever(),
        EvidenceAssembler::new(archive.store(), archive.catalog()),
    );
    let started = Instant::now();
    let mut units = 0;
    for version in versions {
        let Ok(opened) = retriever.open(*version) else {
            continue;
        };
        let group = |algorithm| group_of(&opened, archive.catalog(), archive.store(), algorithm);
        let Ok(sequence) = assembler.sequence(*version, 0, &group) else {
            continue;
        };
        // A third digest is not there yet: the one that is there stands in for it.
        if let Some(digests) = group(to).or_else(|| group(DigestAlgorithm::Sha512)) {
            drop(sequence.renewed(to, &digests));
            units += 1;
        }
    }
    Sample {
        units,
        took: started.elapsed(),
    }
}

/// The leaves of a time-stamp renewal: the tokens of each chain read and hashed.
pub(super) fn time_stamp(archive: &Archive, chains: &[ChainFacts]) -> Sample {
    let assembler = EvidenceAssembler::new(archive.store(), archive.catalog());
    let started = Instant::now();
    let sampled = chains.iter().take(SAMPLE_MAX);
    let units = sampled
        .filter(|chain| assembler.renewal_leaf(chain.head).is_ok())
        .count();
    Sample {
        units: units as u64,
        took: started.elapsed(),
    }
}

/// Content read for a re-hash: its bytes.
///
/// # Errors
/// [`Failure`] when a record of the sample cannot be read.
pub(super) fn content(archive: &Archive, versions: &[VersionId]) -> Result<Sample, Failure> {
    let retriever = archive.retriever();
    let started = Instant::now();
    let mut units = 0;
    for version in versions {
        let mut opened = retriever.open(*version)?;
        let sizes: Vec<u64> = opened.manifest().objects.iter().map(|o| o.size).collect();
        for (object, size) in (0_u32..).zip(sizes) {
            opened.examine_object(object, &mut io::sink())?;
            units += size;
        }
        if units > SAMPLE_BYTES_MAX {
            break;
        }
    }
    Ok(Sample {
        units,
        took: started.elapsed(),
    })
}

/// Most versions or chains of a sample.
pub(super) const SAMPLE_MAX: usize = 1000;

/// Content is sampled until so many bytes were read.
const SAMPLE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_extrapolated() {
        let sample = Sample {
            units: 100,
            took: Duration::from_millis(250),
        };
        assert_eq!(sample.extrapolated(0), Some(Duration::ZERO));
        assert_eq!(
            sample.extrapolated(1_000_000),
            Some(Duration::from_secs(2500))
        );
        assert_eq!(Sample::default().extrapolated(1), None);
        assert_eq!(Sample::default().extrapolated(0), Some(Duration::ZERO));
    }
}
