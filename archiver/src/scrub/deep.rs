//! The deep scrub: every copy of a record is what was deposited, not only what was written.
//!
//! Content is read once from each medium. Copies that are the same bytes are opened once; where they differ, each is opened until one is
//! authentic, and the others are healed from it. The plaintext goes nowhere but into its digests.
//!
//! Where the chunks of a record version stand, and its code for repeated deposits, are not sealed: of record version frames that differ, the
//! right one is the only one whose contents are what its manifest says. Where there are several such, nobody can say, and none is healed.

use std::ops::Range;

use formats::id::{MediumId, VersionId};
use formats::segment::{ContentChunk, Frame, FrameAddress};

use crate::archive::Archive;
use crate::keys::KeyError;
use crate::record::error::RetrieveError;
use crate::record::retrieve::{OpenedVersion, Retriever};
use crate::store::heal::{CopyOutcome, SegmentHealing};
use crate::store::scrub::{LossFact, SegmentDone, Suspect};
use crate::store::{Store, StoreError};

/// What a deep scrub found.
#[derive(Debug, Clone, Default)]
pub struct DeepFindings {
    /// Versions whose content is what their manifests say.
    pub versions: u64,
    /// Versions that cannot be opened because there is no key for them.
    pub without_key: u64,
    /// Those of them whose key was not destroyed: it ought to be there.
    pub key_missing: u64,
    /// Plaintext that was compared.
    pub bytes: u64,
    /// Frames that are wrong on one medium and right on another.
    pub suspects: Vec<Suspect>,
    /// Versions of which no medium has what was deposited, or of which nobody can say which medium has.
    pub wrong: Vec<LossFact>,
}

/// The record versions of a segment, compared.
#[derive(Debug, Clone)]
pub struct DeepSegment {
    segment: u32,
    /// The media that would be proven.
    media: Vec<MediumId>,
    /// Which of the suspects were found by them.
    suspects: Range<usize>,
    /// Whether each of them was found to be right, or its key was destroyed.
    is_right: bool,
    /// Behind the last one.
    end: Option<u64>,
}

impl DeepSegment {
    /// What is proven of it: a medium that had something wrong is proven only when it was healed.
    #[must_use]
    pub fn done(&self, suspects: &[Suspect], healings: &[SegmentHealing]) -> SegmentDone {
        let suspects = suspects.get(self.suspects.clone()).unwrap_or_default();
        let is_healed = |suspect: &Suspect| {
            let healings = healings.iter().filter(|one| one.segment == suspect.segment);
            let mut copies = healings.flat_map(|one| &one.copies);
            copies.any(|copy| {
                copy.medium == suspect.medium && matches!(copy.outcome, CopyOutcome::Healed { .. })
            })
        };
        let is_proven = |medium: &&MediumId| {
            let mut own = suspects.iter().filter(|one| one.medium == **medium);
            self.is_right && own.all(is_healed)
        };
        SegmentDone {
            segment: self.segment,
            whole: self
                .media
                .iter()
                .filter(is_proven)
                .map(ToString::to_string)
                .collect(),
            end: self.end,
        }
    }
}

/// Compares records with their manifests, on every medium.
#[derive(Debug)]
pub struct DeepScrub<'a> {
    retriever: Retriever<'a>,
    store: &'a Store,
    media: &'a [MediumId],
}

/// A copy of a record version whose contents are what its manifest says.
struct Right<'a> {
    frame: &'a Frame,
    bytes: u64,
    suspects: Vec<Suspect>,
}

/// Why a copy of a record version is not right, and where.
type Wrong = (RetrieveError, Option<FrameAddress>);

impl<'a> DeepScrub<'a> {
    /// For an open archive; `media` are those of its store, in their order.
    #[must_use]
    pub fn new(archive: &'a Archive, media: &'a [MediumId]) -> Self {
        Self::of(archive.retriever(), archive.store(), media)
    }

    pub(super) const fn of(
        retriever: Retriever<'a>,
        store: &'a Store,
        media: &'a [MediumId],
    ) -> Self {
        Self {
            retriever,
            store,
            media,
        }
    }

    /// Compares the versions of a segment, which are in the order of their addresses.
    pub fn segment(
        &self,
        segment: u32,
        versions: &[(VersionId, FrameAddress)],
        found: &mut DeepFindings,
    ) -> DeepSegment {
        let first = found.suspects.len();
        let before = (found.wrong.len(), found.key_missing);
        for (version, address) in versions {
            self.version(*version, *address, found);
        }
        DeepSegment {
            segment,
            media: self.media.to_vec(),
            suspects: first..found.suspects.len(),
            is_right: before == (found.wrong.len(), found.key_missing),
            end: versions.last().map(|(_, address)| address.offset + 1),
        }
    }

    /// Compares one version.
    pub fn version(&self, version: VersionId, address: FrameAddress, found: &mut DeepFindings) {
        let copies = self.store.read_each(address);
        let mut right: Vec<Right<'_>> = Vec::new();
        let mut first: Option<Wrong> = None;
        for frame in distinct(&copies) {
            match self.copy(version, frame) {
                Ok(copy) => right.push(copy),
                Err((error, _)) if is_without_key(&error) => {
                    found.without_key += 1;
                    found.key_missing += u64::from(error.is_without_key());
                    return;
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        let mut right = right.into_iter();
        match (right.next(), right.next()) {
            (Some(only), None) => {
                compare(
                    self.media,
                    address,
                    &copies,
                    only.frame,
                    &mut found.suspects,
                );
                found.versions += 1;
                found.bytes += only.bytes;
                found.suspects.extend(only.suspects);
            }
            (Some(one), Some(_)) => {
                // What was found of its contents holds all the same: chunks are sealed.
                found.suspects.extend(one.suspects);
                found
                    .wrong
                    .push(wrong(version, address, DISPUTED.to_owned()));
            }
            (None, _) => {
                // Nobody can say which copy is right: nothing is healed for it.
                let (error, at) = first.unwrap_or_else(|| self.unreadable(version, address));
                let at = at.unwrap_or(address);
                found.wrong.push(wrong(version, at, error.to_string()));
            }
        }
    }

    /// Why no medium has a whole frame.
    fn unreadable(&self, version: VersionId, address: FrameAddress) -> Wrong {
        let error = match self.store.read(address) {
            Ok(_) => RetrieveError::NotFound { version },
            Err(error) => error.into(),
        };
        (error, None)
    }

    /// Opens one copy of a record version and reads everything that it names: every object and every line index.
    fn copy<'f>(&self, version: VersionId, frame: &'f Frame) -> Result<Right<'f>, Wrong> {
        let opened = self.retriever.open_frame(version, frame.clone());
        let mut opened = opened.map_err(|error| (error, None))?;
        let sizes: Vec<u64> = opened
            .manifest()
            .objects
            .iter()
            .map(|one| one.size)
            .collect();
        let mut right = Right {
            frame,
            bytes: 0,
            suspects: Vec::new(),
        };
        for (object, size) in (0..).zip(sizes) {
            self.object(&mut opened, object, &mut right.suspects)?;
            right.bytes += size;
        }
        Ok(right)
    }

    fn object(
        &self,
        opened: &mut OpenedVersion<'_>,
        object: u32,
        suspects: &mut Vec<Suspect>,
    ) -> Result<(), Wrong> {
        let mut copies = Copies::new(self.store, self.media);
        let mut give = |address, number| copies.give(address, number);
        let written = opened.write_object_from(object, &mut give, &mut std::io::sink());
        copies.settle();
        written.map_err(|error| (error, copies.address))?;
        suspects.append(&mut copies.suspects);
        let mut copies = Copies::new(self.store, self.media);
        let mut give = |address, number| copies.give(address, number);
        let lines = opened.line_index_from(object, &mut give);
        copies.settle();
        lines.map_err(|error| (error, copies.address))?;
        suspects.append(&mut copies.suspects);
        Ok(())
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
        if let (Some(address), Some(Some(right))) = (self.address, copies.get(self.given)) {
            compare(self.media, address, &copies, right, &mut self.suspects);
        }
    }
}

/// The whole frames among the copies, each once.
fn distinct(copies: &[Option<Frame>]) -> Vec<&Frame> {
    let mut distinct: Vec<&Frame> = Vec::new();
    for frame in copies.iter().flatten() {
        if !distinct.contains(&frame) {
            distinct.push(frame);
        }
    }
    distinct
}

/// Suspects the media whose frame is not the right one.
fn compare(
    media: &[MediumId],
    address: FrameAddress,
    copies: &[Option<Frame>],
    right: &Frame,
    suspects: &mut Vec<Suspect>,
) {
    let others = copies.iter().zip(media);
    let others = others.filter(|(copy, _)| copy.as_ref() != Some(right));
    suspects.extend(others.map(|(copy, medium)| Suspect::new(*medium, address, copy.as_ref())));
}

const fn is_without_key(error: &RetrieveError) -> bool {
    let destroyed = matches!(error, RetrieveError::Keys(KeyError::KeyDestroyed { .. }));
    destroyed || error.is_without_key()
}

fn wrong(version: VersionId, address: FrameAddress, text: String) -> LossFact {
    LossFact {
        segment: address.segment,
        offset: address.offset,
        end: address.offset,
        records: vec![version.to_string()],
        text: Some(text),
    }
}

/// Record version frames that differ only in what is not sealed, and of which each opens.
const DISPUTED: &str =
    "the media name different places or codes for it, and nobody can say which are right";

#[cfg(test)]
#[path = "deep_tests.rs"]
mod tests;
