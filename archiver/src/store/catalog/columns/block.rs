//! Some thousands of versions in the order of their keys, a column for each value.

use formats::id::{RecordId, VersionId};

macro_rules! block {
    ($($(#[$doc:meta])* $column:ident: $of:ty,)+) => {
        /// A version as the columns know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) struct Row {
            $($(#[$doc])* pub(super) $column: $of,)+
        }

        /// Rows in the order of their versions, column by column.
        #[derive(Default)]
        pub(super) struct Block {
            $(pub(super) $column: Vec<$of>,)+
        }

        impl Block {
            fn with_capacity(rows: usize) -> Self {
                Self { $($column: Vec::with_capacity(rows),)+ }
            }

            /// Puts a row in front of the one at `at`, which is not behind the end.
            pub(super) fn insert(&mut self, at: usize, row: Row) {
                $(self.$column.insert(at, row.$column);)+
            }

            pub(super) fn row(&self, at: usize) -> Option<Row> {
                Some(Row { $($column: *self.$column.get(at)?,)+ })
            }

            pub(super) fn set(&mut self, at: usize, row: Row) {
                $(if let Some(value) = self.$column.get_mut(at) {
                    *value = row.$column;
                })+
            }

            /// Takes the rows from `at` on away.
            pub(super) fn split_off(&mut self, at: usize) -> Self {
                let mut rest = Self::with_capacity(ROWS_MAX);
                $(rest.$column.extend(self.$column.drain(at..));)+
                rest
            }

            /// Bytes of memory.
            pub(super) fn bytes(&self) -> usize {
                size_of::<Self>() $(+ self.$column.capacity() * size_of::<$of>())+
            }
        }
    };
}

block! {
    /// Record and version: the key of the entry.
    version: VersionId,
    /// Day of the transaction as a Julian day number, or [`NO_DATE`].
    date: i32,
    /// [`super::amount::Fixed::floor`], or [`super::amount::NO_AMOUNT`].
    amount: i64,
    /// Microseconds since 1970, as the entry holds them.
    received: i64,
    /// Id in the dictionary of classes.
    class: u32,
    /// Id in the dictionary of currencies.
    currency: u32,
    /// Id in the dictionary of counterparties.
    counterparty: u32,
    /// Id in the dictionary of matters.
    matter: u32,
    /// Number of the batch that stamped it, or 0.
    batch: u32,
    /// [`SUPERSEDED`] and [`FINE_AMOUNT`].
    flags: u8,
}

impl Block {
    /// A block with one row.
    pub(super) fn of(row: Row) -> Self {
        let mut block = Self::with_capacity(ROWS_MAX);
        block.insert(0, row);
        block
    }

    pub(super) fn len(&self) -> usize {
        self.version.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= ROWS_MAX
    }

    pub(super) fn first(&self) -> Option<VersionId> {
        self.version.first().copied()
    }

    pub(super) fn last(&self) -> Option<VersionId> {
        self.version.last().copied()
    }

    /// Where a version stands, or would stand.
    pub(super) fn position(&self, version: VersionId) -> Result<usize, usize> {
        self.version.binary_search(&version)
    }

    /// Whether versions of the record may be here.
    pub(super) fn reaches(&self, record: RecordId) -> bool {
        let is_in =
            |first: VersionId, last: VersionId| first.record() <= record && record <= last.record();
        self.first()
            .zip(self.last())
            .is_some_and(|(first, last)| is_in(first, last))
    }

    pub(super) fn set_superseded(&mut self, at: usize) {
        if let Some(flags) = self.flags.get_mut(at) {
            *flags |= SUPERSEDED;
        }
    }
}

/// Stands for no date: before every day.
pub(super) const NO_DATE: i32 = i32::MIN;

/// A flag: the record has a newer version.
pub(super) const SUPERSEDED: u8 = 1;
/// A flag: [`super::amount::Fixed::is_fine`].
pub(super) const FINE_AMOUNT: u8 = 2;

/// Rows of a block. A version that comes between others moves those of its block alone, some microseconds' work.
pub(super) const ROWS_MAX: usize = 4096;
