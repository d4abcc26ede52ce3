//! One batch as it is stored: its token, and its tree in pages.

use std::cell::RefCell;
use std::fmt;

use formats::cms::with_validation_material;
use formats::der::{Tag, Writer};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::PartialHashTree;
use formats::evidence::hash_tree::{TreeLevels, reduced_hash_tree, root_of, siblings};
use formats::segment::{self, Frame, FrameAddress, TreePage, ValidationMaterial};
use formats::tsp::TimeStampToken;

use super::error::AssembleError;
use super::record::wrap;
use crate::evidence::geometry::TreeGeometry;
use crate::evidence::log::FrameSource;

/// The batch of an archive timestamp, ready for the assembly of many evidence records.
///
/// The page read last of each level is kept, so leaves in ascending order read each page once.
pub struct StoredBatch<'a> {
    stamp: segment::ArchiveTimeStamp,
    geometry: TreeGeometry,
    covered: DigestValue,
    token: Vec<u8>,
    /// `digestAlgorithm [0]` of the archive timestamp.
    algorithm: Vec<u8>,
    source: &'a dyn FrameSource,
    pages: RefCell<Vec<Option<TreePage>>>,
}

impl<'a> StoredBatch<'a> {
    /// Reads the archive timestamp at an address.
    ///
    /// # Errors
    /// [`AssembleError::Store`], [`AssembleError::WrongFrame`], [`AssembleError::Format`].
    pub fn open(source: &'a dyn FrameSource, address: FrameAddress) -> Result<Self, AssembleError> {
        Self::open_with(source, address, &[])
    }

    /// Reads the archive timestamp at an address, and puts the material of these frames into its token.
    ///
    /// # Errors
    /// As [`StoredBatch::open`].
    pub fn open_with(
        source: &'a dyn FrameSource,
        address: FrameAddress,
        material: &[ValidationMaterial],
    ) -> Result<Self, AssembleError> {
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "every other frame is the wrong one"
        )]
        match source.read(address)? {
            Frame::ArchiveTimeStamp(stamp) => Self::new(source, stamp, material),
            _ => Err(AssembleError::WrongFrame { address }),
        }
    }

    /// The batch of an archive timestamp that is at hand.
    ///
    /// # Errors
    /// [`AssembleError::Format`] when its token or the material cannot be read.
    pub fn new(
        source: &'a dyn FrameSource,
        stamp: segment::ArchiveTimeStamp,
        material: &[ValidationMaterial],
    ) -> Result<Self, AssembleError> {
        let token = token_with(&stamp.token, material)?;
        let covered = TimeStampToken::parse(&token)?.info.imprint.value();
        let covered = covered
            .filter(|covered| covered.algorithm() == stamp.algorithm)
            .ok_or(AssembleError::NotCovered)?;
        let oid = stamp.algorithm.oid();
        let algorithm = Writer::single(Tag::context(0), |w| {
            w.oid(&oid);
        });
        let geometry = TreeGeometry::new(stamp.leaf_count);
        let pages = RefCell::new(vec![None; geometry.level_sizes().len()]);
        Ok(Self {
            stamp,
            geometry,
            covered,
            token,
            algorithm,
            source,
            pages,
        })
    }

    /// The archive timestamp.
    #[must_use]
    pub const fn stamp(&self) -> &segment::ArchiveTimeStamp {
        &self.stamp
    }

    /// The token as it stands in evidence: with definite lengths (RFC 4998 §1.4 asks for DER; nothing that is signed changes by it) and
    /// with its validation material. A renewal hashes these bytes.
    #[must_use]
    pub fn token(&self) -> &[u8] {
        &self.token
    }

    /// The digest algorithm of the tree.
    #[must_use]
    pub const fn algorithm(&self) -> DigestAlgorithm {
        self.stamp.algorithm
    }

    /// The archive timestamp (RFC 4998 §4.1) of a leaf whose group has these values, DER.
    ///
    /// It is computed through to the token's imprint before it is given out.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn time_stamp(&self, leaf: u64, group: &[DigestValue]) -> Result<Vec<u8>, AssembleError> {
        if leaf >= self.stamp.leaf_count {
            return Err(AssembleError::NoSuchLeaf);
        }
        let lists = reduced_hash_tree(group, &siblings(self, leaf)?);
        if root_of(self.stamp.algorithm, &lists)? != self.covered {
            return Err(AssembleError::NotCovered);
        }
        Ok(Writer::single(Tag::SEQUENCE, |time_stamp| {
            time_stamp.raw(&self.algorithm);
            time_stamp.constructed(Tag::context(2), |tree| write_lists(tree, &lists));
            time_stamp.raw(&self.token);
        }))
    }

    /// The evidence record of a leaf whose data object group has these digests, as it was when the batch was made: one chain of one
    /// archive timestamp, DER.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn evidence_record(
        &self,
        leaf: u64,
        group: &[DigestValue],
    ) -> Result<Vec<u8>, AssembleError> {
        let time_stamp = self.time_stamp(leaf, group)?;
        let chain = wrap(&[&time_stamp]);
        Ok(super::record::around(&[self.stamp.algorithm], &[chain]))
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

/// The token with definite lengths and with all of the material, in the order of the frames.
fn token_with(token: &[u8], material: &[ValidationMaterial]) -> Result<Vec<u8>, AssembleError> {
    let all = |list: fn(&ValidationMaterial) -> &Vec<Vec<u8>>| -> Vec<Vec<u8>> {
        material.iter().flat_map(list).cloned().collect()
    };
    Ok(with_validation_material(
        token,
        &all(|frame| &frame.certificates),
        &all(|frame| &frame.crls),
        &all(|frame| &frame.ocsp_responses),
    )?)
}

fn write_lists(tree: &mut Writer, lists: &[PartialHashTree]) {
    for list in lists {
        tree.sequence(|hashes| {
            for hash in &list.0 {
                hashes.octet_string(hash);
            }
        });
    }
}
