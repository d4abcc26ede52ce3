//! Since when is it known that something is whole: a fold over the events of all scrubs.

use std::collections::BTreeMap;

use formats::id::MediumId;
use formats::segment::{FrameAddress, RecordVersion};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::facts::Scrubbed;
use crate::event::{RecordedEvent, Topic};
use crate::store::StoreError;
use crate::store::catalog::Catalog;

/// Since when each segment is known to be whole on each medium that is in use.
#[derive(Debug, Clone, Default)]
pub struct Proofs {
    media: BTreeMap<String, Segments>,
    /// Segments whose record versions were decrypted and compared with their manifests.
    deep: Segments,
}

type Segments = BTreeMap<u32, Proof>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Proof {
    at: OffsetDateTime,
    /// Up to where; `u64::MAX` for a sealed segment.
    end: u64,
}

impl Proofs {
    /// What is known of these media.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn of(catalog: &Catalog, media: &[MediumId]) -> Result<Self, StoreError> {
        let mut proofs = Self::for_media(media);
        catalog.events(Topic::Fixity, &mut |event| {
            proofs.fold(&event);
            true
        })?;
        Ok(proofs)
    }

    /// Nothing is known yet of these media.
    #[must_use]
    pub fn for_media(media: &[MediumId]) -> Self {
        let media = media.iter();
        Self {
            media: media
                .map(|medium| (medium.to_string(), Segments::new()))
                .collect(),
            deep: Segments::new(),
        }
    }

    /// Adds what an event tells.
    pub fn fold(&mut self, event: &RecordedEvent) {
        if let Some(scrubbed) = event.as_::<Scrubbed>() {
            self.add(&scrubbed);
        }
    }

    /// Adds what a run proved. It is said to be whole since the run began: earlier than that, so never too new.
    pub fn add(&mut self, scrubbed: &Scrubbed) {
        let Ok(at) = OffsetDateTime::parse(&scrubbed.started, &Rfc3339) else {
            return;
        };
        for proven in &scrubbed.proven {
            let segments = if scrubbed.deep {
                &mut self.deep
            } else {
                match self.media.get_mut(&proven.medium) {
                    Some(segments) => segments,
                    None => continue,
                }
            };
            for [first, last] in &proven.segments {
                for segment in *first..=(*last).min(first.saturating_add(RANGE_MAX)) {
                    note(segments, segment, Proof { at, end: u64::MAX });
                }
            }
            for (segment, end) in &proven.growing {
                note(segments, *segment, Proof { at, end: *end });
            }
        }
    }

    /// Since when a segment is known to be whole on every medium; `None` if on one of them it never was read.
    #[must_use]
    pub fn segment(&self, segment: u32) -> Option<OffsetDateTime> {
        self.address(FrameAddress::new(segment, 0))
    }

    /// Since when the copy of a segment on one medium is known to be whole.
    #[must_use]
    pub fn copy(&self, medium: &str, segment: u32) -> Option<OffsetDateTime> {
        self.media.get(medium)?.get(&segment).map(|proof| proof.at)
    }

    /// The same for the frame at an address.
    #[must_use]
    pub fn address(&self, address: FrameAddress) -> Option<OffsetDateTime> {
        let mut oldest = None;
        for segments in self.media.values() {
            let proof = proof(segments, address)?;
            oldest = Some(oldest.map_or(proof, |oldest: OffsetDateTime| oldest.min(proof)));
        }
        oldest
    }

    /// Since when every stored byte of a record version is known to be whole on every medium.
    #[must_use]
    pub fn version(&self, frame: &RecordVersion, address: FrameAddress) -> Option<OffsetDateTime> {
        let mut oldest = self.address(address)?;
        // One chunk of each segment stands for those beside it, except in a segment that still grows.
        let mut last = None;
        for chunk in frame.contents.iter().flat_map(|content| &content.chunks) {
            let proof = match last {
                Some((segment, proof)) if segment == chunk.segment && self.is_sealed(segment) => {
                    proof
                }
                _ => self.address(*chunk)?,
            };
            last = Some((chunk.segment, proof));
            oldest = oldest.min(proof);
        }
        Some(oldest)
    }

    /// Since when the content of the record versions of a segment is known to be what their manifests say.
    #[must_use]
    pub fn deep(&self, address: FrameAddress) -> Option<OffsetDateTime> {
        proof(&self.deep, address)
    }

    fn is_sealed(&self, segment: u32) -> bool {
        let mut media = self.media.values();
        media.all(|segments| {
            segments
                .get(&segment)
                .is_some_and(|one| one.end == u64::MAX)
        })
    }
}

fn note(segments: &mut Segments, segment: u32, proof: Proof) {
    let known = segments.entry(segment).or_insert(proof);
    if proof.end >= known.end && proof.at >= known.at || proof.end > known.end {
        *known = proof;
    }
}

fn proof(segments: &Segments, address: FrameAddress) -> Option<OffsetDateTime> {
    let proof = segments.get(&address.segment)?;
    (address.offset < proof.end).then_some(proof.at)
}

/// Most segments that one range can name: an event cannot make the fold work for ever.
const RANGE_MAX: u32 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::scrub::facts::Proven;

    fn medium(number: u8) -> MediumId {
        MediumId::from_bytes([number; 16])
    }

    /// Number of the medium, ranges of segments, growing segments with their ends.
    type ProvenParts = (u8, Vec<[u32; 2]>, Vec<(u32, u64)>);

    fn scrubbed(started: &str, proven: Vec<ProvenParts>) -> Scrubbed {
        let proven = proven
            .into_iter()
            .map(|(number, segments, growing)| Proven {
                medium: medium(number).to_string(),
                segments,
                growing,
            });
        Scrubbed {
            started: started.to_owned(),
            ended: started.to_owned(),
            deep: false,
            selection: "all".to_owned(),
            complete: true,
            bytes: 0,
            proven: proven.collect(),
            damaged: 0,
            healed: 0,
            lost: 0,
        }
    }

    #[test]
    fn the_oldest_of_the_media_counts_and_a_medium_never_read_is_no_proof() {
        let mut proofs = Proofs::for_media(&[medium(1), medium(2)]);
        proofs.add(&scrubbed(
            "2026-01-01T00:00:00Z",
            vec![(1, vec![[1, 9]], vec![]), (2, vec![[1, 4]], vec![])],
        ));
        proofs.add(&scrubbed(
            "2026-02-01T00:00:00Z",
            vec![
                (1, vec![[3, 3]], vec![(10, 500)]),
                (7, vec![[1, 9]], vec![]),
            ],
        ));
        let january = datetime!(2026-01-01 0:00 UTC);
        assert_eq!(proofs.segment(1), Some(january));
        assert_eq!(proofs.segment(3), Some(january));
        assert_eq!(proofs.segment(5), None);
        proofs.add(&scrubbed(
            "2026-03-01T00:00:00Z",
            vec![(2, vec![[3, 3]], vec![(10, 900)])],
        ));
        assert_eq!(proofs.segment(3), Some(datetime!(2026-02-01 0:00 UTC)));
        let growing = |offset| proofs.address(FrameAddress::new(10, offset));
        assert_eq!(growing(499), Some(datetime!(2026-02-01 0:00 UTC)));
        assert_eq!(growing(500), None);
    }

    #[test]
    fn what_is_malformed_proves_nothing() {
        let mut proofs = Proofs::for_media(&[medium(1)]);
        proofs.add(&scrubbed("yesterday", vec![(1, vec![[1, 9]], vec![])]));
        proofs.add(&scrubbed(
            "2026-01-01T00:00:00Z",
            vec![(1, vec![[9, 1]], vec![])],
        ));
        assert_eq!(proofs.segment(1), None);
        assert_eq!(proofs.segment(9), None);
    }
}
