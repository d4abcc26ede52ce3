//! The evidence record of one version, put together from the stored pages when somebody asks for it (RFC 4998 §4.2.2).

use std::cell::RefCell;
use std::fmt;

use formats::der::{Integer, Tag, Writer, to_der_lengths};
use formats::digest::DigestValue;
use formats::error::FormatError;
use formats::evidence::PartialHashTree;
use formats::evidence::hash_tree::{TreeLevels, reduced_hash_tree, root_of, siblings};
use formats::segment::{self, Frame, FrameAddress, TreePage};
use formats::tsp::TimeStampToken;

use super::geometry::TreeGeometry;
use super::log::FrameSource;
use crate::store::StoreError;

/// Why no evidence record could be put together.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AssembleError {
    /// A page or the archive timestamp could not be read.
    Store(StoreError),
    /// What stands at an address of the batch is not the page that should stand there. Restore the segment from another copy.
    WrongFrame {
        /// The address.
        address: FrameAddress,
    },
    /// The batch has no such leaf.
    NoSuchLeaf,
    /// The version's digests do not lead to what the token covers: the content, the tree or the index was changed.
    NotCovered,
    /// The token or the record cannot be read or written.
    Format(FormatError),
}

/// The batch of an archive timestamp, ready for the assembly of many evidence records.
///
/// The page read last of each level is kept, so leaves in ascending order read each page once.
pub struct StoredBatch<'a> {
    stamp: segment::ArchiveTimeStamp,
    geometry: TreeGeometry,
    covered: DigestValue,
    frame: RecordFrame,
    source: &'a dyn FrameSource,
    pages: RefCell<Vec<Option<TreePage>>>,
}

impl<'a> StoredBatch<'a> {
    /// Reads the archive timestamp at an address.
    ///
    /// # Errors
    /// [`AssembleError::Store`], [`AssembleError::WrongFrame`], [`AssembleError::Format`].
    pub fn open(source: &'a dyn FrameSource, address: FrameAddress) -> Result<Self, AssembleError> {
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "every other frame is the wrong one"
        )]
        match source.read(address)? {
            Frame::ArchiveTimeStamp(stamp) => Self::new(source, stamp),
            _ => Err(AssembleError::WrongFrame { address }),
        }
    }

    /// The batch of an archive timestamp that is at hand.
    ///
    /// # Errors
    /// [`AssembleError::Format`] when its token cannot be read.
    pub fn new(
        source: &'a dyn FrameSource,
        stamp: segment::ArchiveTimeStamp,
    ) -> Result<Self, AssembleError> {
        let token = TimeStampToken::parse(&stamp.token)?;
        let covered = token
            .info
            .imprint
            .value()
            .ok_or(AssembleError::NotCovered)?;
        let frame = RecordFrame::new(&stamp)?;
        let geometry = TreeGeometry::new(stamp.leaf_count);
        let pages = RefCell::new(vec![None; geometry.level_sizes().len()]);
        Ok(Self {
            stamp,
            geometry,
            covered,
            frame,
            source,
            pages,
        })
    }

    /// The archive timestamp.
    #[must_use]
    pub const fn stamp(&self) -> &segment::ArchiveTimeStamp {
        &self.stamp
    }

    /// The evidence record of a leaf whose data-object group has these digests, DER.
    ///
    /// The record is computed through to the token's imprint before it is given out.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn evidence_record(
        &self,
        leaf: u64,
        group: &[DigestValue],
    ) -> Result<Vec<u8>, AssembleError> {
        if leaf >= self.stamp.leaf_count {
            return Err(AssembleError::NoSuchLeaf);
        }
        let algorithm = self.stamp.algorithm;
        let lists = reduced_hash_tree(group, &siblings(self, leaf)?);
        if root_of(algorithm, &lists)? != self.covered {
            return Err(AssembleError::NotCovered);
        }
        Ok(self.frame.around(&lists))
    }

    fn read_page(&self, level: u8, index: u64) -> Result<TreePage, AssembleError> {
        let address = self
            .geometry
            .page_of(usize::from(level), index)
            .and_then(|page| self.stamp.tree_pages.get(page).copied())
            .ok_or(AssembleError::NoSuchLeaf)?;
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "every other frame is the wrong one"
        )]
        match self.source.read(address)? {
            Frame::TreePage(page)
                if page.batch == self.stamp.tree
                    && page.level == level
                    && page.algorithm == self.stamp.algorithm
                    && page.node(index).is_some() =>
            {
                Ok(page)
            }
            _ => Err(AssembleError::WrongFrame { address }),
        }
    }
}

/// What the evidence records of one batch have in common, so that a million of them are written and not encoded anew.
///
/// A test compares the result with that of [`formats::evidence::EvidenceRecord::encode`].
struct RecordFrame {
    /// `version` and `digestAlgorithms`.
    head: Vec<u8>,
    /// `digestAlgorithm [0]` of the archive timestamp.
    algorithm: Vec<u8>,
    /// The token with definite lengths (RFC 4998 §1.4 asks for DER; nothing that is signed changes by it).
    token: Vec<u8>,
}

impl RecordFrame {
    fn new(stamp: &segment::ArchiveTimeStamp) -> Result<Self, FormatError> {
        let oid = stamp.algorithm.oid();
        let mut head = Writer::new();
        head.integer(&Integer::from(1u64));
        head.sequence(|w| {
            w.sequence(|w| {
                w.oid(&oid);
            });
        });
        let mut algorithm = Writer::new();
        algorithm.constructed(Tag::context(0), |w| {
            w.oid(&oid);
        });
        Ok(Self {
            head: head.into_bytes(),
            algorithm: algorithm.into_bytes(),
            token: to_der_lengths(&stamp.token)?,
        })
    }

    /// The evidence record with one chain of one archive timestamp.
    fn around(&self, lists: &[PartialHashTree]) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |record| {
            record.raw(&self.head);
            record.sequence(|sequence| {
                sequence.sequence(|chain| {
                    chain.sequence(|time_stamp| {
                        time_stamp.raw(&self.algorithm);
                        time_stamp.constructed(Tag::context(2), |tree| {
                            for list in lists {
                                tree.sequence(|hashes| {
                                    for hash in &list.0 {
                                        hashes.octet_string(hash);
                                    }
                                });
                            }
                        });
                        time_stamp.raw(&self.token);
                    });
                });
            });
        })
    }
}

impl TreeLevels for StoredBatch<'_> {
    type Error = AssembleError;

    fn leaf_count(&self) -> u64 {
        self.stamp.leaf_count
    }

    fn node(&self, level: u8, index: u64) -> Result<DigestValue, AssembleError> {
        let mut pages = self.pages.borrow_mut();
        let kept = pages
            .get_mut(usize::from(level))
            .ok_or(AssembleError::NoSuchLeaf)?;
        if kept.as_ref().is_none_or(|page| page.node(index).is_none()) {
            *kept = Some(self.read_page(level, index)?);
        }
        kept.as_ref()
            .and_then(|page| page.node(index))
            .and_then(|bytes| DigestValue::from_bytes(self.stamp.algorithm, bytes))
            .ok_or(AssembleError::NoSuchLeaf)
    }
}

impl fmt::Debug for StoredBatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredBatch")
            .field("batch", &self.stamp.batch)
            .field("leaves", &self.stamp.leaf_count)
            .finish_non_exhaustive()
    }
}

impl AssembleError {
    /// Whether the archive holds something else than what was stamped, as against not being able to look.
    #[must_use]
    pub const fn is_integrity_failure(&self) -> bool {
        match self {
            Self::Store(error) => matches!(
                error,
                StoreError::Damaged { .. }
                    | StoreError::SegmentDamaged { .. }
                    | StoreError::NotFound { .. }
            ),
            Self::WrongFrame { .. } | Self::NoSuchLeaf | Self::NotCovered | Self::Format(_) => true,
        }
    }
}

impl From<StoreError> for AssembleError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FormatError> for AssembleError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::WrongFrame { address } => write!(
                f,
                "the frame at {address} is not the page that the batch names: restore the segment from another copy"
            ),
            Self::NoSuchLeaf => f.write_str("the batch has no such leaf: run `archiver rebuild`"),
            Self::NotCovered => f.write_str(
                "the record's digests do not lead to what its timestamp covers: it was changed",
            ),
            Self::Format(error) => write!(f, "the evidence record cannot be made: {error}"),
        }
    }
}

impl std::error::Error for AssembleError {}
