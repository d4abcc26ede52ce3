//! The deep scrub: every copy of a record is what was deposited, not only what was written.
//!
//! Content is read once from each medium. Copies that are the same bytes are opened once; where they differ, each is opened until one is
//! authentic, and the others are healed from it. The plaintext goes nowhere but into its digests.

use formats::id::{MediumId, VersionId};
use formats::segment::{ContentChunk, Frame, FrameAddress, RecordVersion};

use crate::archive::Archive;
use crate::record::error::RetrieveError;
use crate::record::retrieve::OpenedVersion;
use crate::store::scrub::{LossFact, Suspect};
use crate::store::{Store, StoreError};

/// What a deep scrub found.
#[derive(Debug, Clone, Default)]
pub struct DeepFindings {
    /// Versions whose content is what their manifests say.
    pub versions: u64,
    /// Versions that cannot be opened because their keys were destroyed.
    pub without_key: u64,
    /// Plaintext that was compared.
    pub bytes: u64,
    /// Frames that are wrong on one medium and right on another.
    pub suspects: Vec<Suspect>,
    /// Versions of which no medium has what was deposited.
    pub wrong: Vec<LossFact>,
}

/// Compares records with their manifests, on every medium.
#[derive(Debug)]
pub struct DeepScrub<'a> {
    archive: &'a Archive,
    media: &'a [MediumId],
}

impl<'a> DeepScrub<'a> {
    /// For an open archive; `media` are those of its store, in their order.
    #[must_use]
    pub const fn new(archive: &'a Archive, media: &'a [MediumId]) -> Self {
        Self { archive, media }
    }

    /// Compares one version.
    pub fn version(&self, version: VersionId, address: FrameAddress, found: &mut DeepFindings) {
        let opened = match self.archive.retriever().open_at(version, address) {
            Ok(opened) => opened,
            Err(error) if error.is_without_key() => {
                found.without_key += 1;
                return;
            }
            Err(error) => {
                found.wrong.push(wrong(version, address, &error));
                return;
            }
        };
        let store = self.archive.store();
        let right = Frame::RecordVersion(opened.frame().clone());
        compare(store, self.media, address, &right, &mut found.suspects);
        let before = found.suspects.len();
        match self.contents(opened, found) {
            Ok(bytes) => {
                found.versions += 1;
                found.bytes += bytes;
            }
            Err((error, at)) => {
                // Nobody can say which copy is right: nothing is healed for it.
                found.suspects.truncate(before);
                found
                    .wrong
                    .push(wrong(version, at.unwrap_or(address), &error));
            }
        }
    }

    /// Reads every object and every line index. Answers the bytes that were compared.
    fn contents(
        &self,
        mut opened: OpenedVersion<'_>,
        found: &mut DeepFindings,
    ) -> Result<u64, (RetrieveError, Option<FrameAddress>)> {
        let frame = opened.frame().clone();
        let sizes: Vec<u64> = opened
            .manifest()
            .objects
            .iter()
            .map(|one| one.size)
            .collect();
        let mut bytes = 0;
        for (object, size) in (0..).zip(sizes) {
            let mut copies = Copies::new(self.archive.store(), self.media);
            let written = opened.write_object_from(
                object,
                &mut |address, number| copies.give(address, number),
                &mut std::io::sink(),
            );
            copies.settle();
            let last = copies.address;
            found.suspects.append(&mut copies.suspects);
            written.map_err(|error| (error, last))?;
            opened.line_index(object).map_err(|error| (error, None))?;
            bytes += size;
        }
        self.side_objects(&frame, found);
        Ok(bytes)
    }

    /// Line indexes were opened from one copy: the others must be the same.
    fn side_objects(&self, frame: &RecordVersion, found: &mut DeepFindings) {
        let store = self.archive.store();
        let beside = frame
            .contents
            .iter()
            .filter(|content| content.object >= formats::segment::SIDE_OBJECTS);
        for address in beside.flat_map(|content| &content.chunks) {
            if let Ok(right) = store.read(*address) {
                compare(store, self.media, *address, &right, &mut found.suspects);
            }
        }
    }
}

/// The copies of one chunk after the other.
struct Copies<'a> {
    store: &'a Store,
    media: &'a [MediumId],
    number: Option<u64>,
    address: Option<FrameAddress>,
    copies: Vec<Option<Frame>>,
    /// Which copy was given last.
    given: usize,
    suspects: Vec<Suspect>,
}

impl<'a> Copies<'a> {
    const fn new(store: &'a Store, media: &'a [MediumId]) -> Self {
        Self {
            store,
            media,
            number: None,
            address: None,
            copies: Vec::new(),
            given: 0,
            suspects: Vec::new(),
        }
    }

    /// Gives the chunk from the first medium that has it whole; asked again, from the next one with other bytes.
    fn give(&mut self, address: FrameAddress, number: u64) -> Result<ContentChunk, StoreError> {
        let start = if self.number == Some(number) {
            self.given + 1
        } else {
            self.settle();
            self.number = Some(number);
            self.address = Some(address);
            self.copies = self.store.read_each(address);
            0
        };
        for (place, copy) in self.copies.iter().enumerate().skip(start) {
            let tried = self.copies.get(..place).unwrap_or_default();
            if let Some(Frame::ContentChunk(chunk)) = copy
                && !tried.contains(copy)
            {
                self.given = place;
                return Ok(chunk.clone());
            }
        }
        self.given = self.copies.len();
        Err(StoreError::NotFound { address })
    }

    /// The copy that was given last is right: whoever has others is suspected.
    fn settle(&mut self) {
        let copies = std::mem::take(&mut self.copies);
        let (Some(address), Some(right)) = (self.address, copies.get(self.given)) else {
            return;
        };
        for (copy, medium) in copies.iter().zip(self.media) {
            if copy != right {
                self.suspects.push(suspect(*medium, address));
            }
        }
    }
}

/// Suspects the media whose frame is not the right one.
fn compare(
    store: &Store,
    media: &[MediumId],
    address: FrameAddress,
    right: &Frame,
    suspects: &mut Vec<Suspect>,
) {
    let copies = store.read_each(address);
    let others = copies.iter().zip(media);
    suspects.extend(
        others
            .filter(|(copy, _)| copy.as_ref() != Some(right))
            .map(|(_, medium)| suspect(*medium, address)),
    );
}

const fn suspect(medium: MediumId, address: FrameAddress) -> Suspect {
    Suspect {
        medium,
        segment: address.segment,
        offset: address.offset,
    }
}

fn wrong(version: VersionId, address: FrameAddress, error: &RetrieveError) -> LossFact {
    LossFact {
        segment: address.segment,
        offset: address.offset,
        end: address.offset,
        records: vec![version.to_string()],
        text: Some(error.to_string()),
    }
}
