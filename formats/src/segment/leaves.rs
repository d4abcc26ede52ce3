//! What the leaves of a hash tree stand for.

use super::codec::{Reader, Writer};
use super::content::read_version;
use super::{PAGE_NODES_MAX, TimeStampKind};
use crate::error::{ErrorKind, Result};
use crate::id::{BatchId, VersionId};

/// Consecutive leaves of a batch: what each leaf is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaves {
    /// Record versions: the leaves of a batch that starts chains (RFC 4998 §4.2, and §5.2 "hash-tree renewal").
    Versions(Vec<VersionId>),
    /// Heads of chains, by their batch: the leaves of a time-stamp renewal (RFC 4998 §5.2).
    Heads(Vec<BatchId>),
}

impl Leaves {
    /// No leaves of the sort that a batch of this kind has.
    #[must_use]
    pub const fn none(kind: TimeStampKind) -> Self {
        match kind {
            TimeStampKind::Initial | TimeStampKind::HashTreeRenewal => Self::Versions(Vec::new()),
            TimeStampKind::TimeStampRenewal => Self::Heads(Vec::new()),
        }
    }

    /// How many they are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Versions(versions) => versions.len(),
            Self::Heads(heads) => heads.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a batch of this kind has such leaves.
    #[must_use]
    pub const fn fit(&self, kind: TimeStampKind) -> bool {
        matches!(
            (self, kind),
            (
                Self::Versions(_),
                TimeStampKind::Initial | TimeStampKind::HashTreeRenewal
            ) | (Self::Heads(_), TimeStampKind::TimeStampRenewal)
        )
    }

    /// The same leaves cut into pages of at most [`PAGE_NODES_MAX`].
    #[must_use]
    pub fn pages(&self) -> Vec<Self> {
        match self {
            Self::Versions(versions) => versions
                .chunks(PAGE_NODES_MAX)
                .map(|page| Self::Versions(page.to_vec()))
                .collect(),
            Self::Heads(heads) => heads
                .chunks(PAGE_NODES_MAX)
                .map(|page| Self::Heads(page.to_vec()))
                .collect(),
        }
    }

    /// The byte on the medium: 0 versions, 1 heads.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::Versions(_) => 0,
            Self::Heads(_) => 1,
        }
    }

    /// Bytes of one leaf of a code.
    pub(super) const fn leaf_bytes(code: u8) -> Option<usize> {
        match code {
            0 => Some(20),
            1 => Some(16),
            _ => None,
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Versions(versions) => {
                for version in versions {
                    write_version(writer, *version);
                }
            }
            Self::Heads(heads) => heads.iter().for_each(|head| writer.raw(head.as_bytes())),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, code: u8, count: usize) -> Result<Self> {
        match code {
            0 => {
                let versions = (0..count).map(|_| read_version(reader));
                Ok(Self::Versions(versions.collect::<Result<_>>()?))
            }
            1 => {
                let heads = (0..count).map(|_| reader.array().map(BatchId::from_bytes));
                Ok(Self::Heads(heads.collect::<Result<_>>()?))
            }
            _ => Err(reader.error(ErrorKind::InvalidValue)),
        }
    }
}

pub(super) fn write_version(writer: &mut Writer, version: VersionId) {
    writer.raw(version.record().as_bytes());
    writer.u32(version.version());
}
