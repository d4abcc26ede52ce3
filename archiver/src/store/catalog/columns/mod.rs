//! Columns for searching: of each version what is asked for most, in memory, in the order of the versions' keys.
//!
//! They choose which entries are opened, and count; what is given out is always an entry of the index, compared with the whole question again.
//! They are in clear and in memory alone (ADR 0030).

mod amount;
mod block;
mod conditions;
mod dictionary;
mod keeping;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

use formats::id::{BatchId, VersionId};
use formats::manifest::{Amount, Currency};

use super::Hit;
use super::normal::normalise;
use super::query::MATTER;
use amount::{Fixed, NO_AMOUNT};
use block::{Block, FINE_AMOUNT, NO_DATE, Row, SUPERSEDED};
use dictionary::{Dictionary, NONE};

pub(super) use conditions::{Candidate, Selection};
pub use keeping::ColumnsProgress;
pub(super) use keeping::Kept;

/// What the columns for searching take in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnsSize {
    /// Versions in them.
    pub versions: u64,
    /// Bytes of the columns.
    pub column_bytes: u64,
    /// Bytes of the texts that versions share: counterparties, classes, currencies, matters.
    pub text_bytes: u64,
}

/// The columns.
#[derive(Default)]
pub(super) struct Columns {
    /// None of them empty, in order.
    blocks: Vec<Block>,
    versions: u64,
    classes: Dictionary,
    currencies: Dictionary,
    /// Normalised.
    counterparties: Dictionary,
    matters: Dictionary,
    /// Numbers of batches, from 1.
    batches: HashMap<BatchId, u32>,
    /// Amounts of which a column does not hold the whole.
    fine_amounts: HashMap<VersionId, Amount>,
}

/// What the columns take from an entry.
pub(super) struct Facts {
    version: VersionId,
    date: i32,
    amount: Option<Amount>,
    received: i64,
    class: String,
    currency: Option<Currency>,
    counterparty: Option<String>,
    matter: Option<String>,
}

impl Facts {
    pub(super) fn of(hit: &Hit) -> Self {
        let metadata = &hit.metadata;
        Self {
            version: hit.version,
            date: metadata.date.map_or(NO_DATE, time::Date::to_julian_day),
            amount: metadata.amount.clone(),
            received: micros(hit.received_at.unix_timestamp_nanos().div_euclid(1000)),
            class: hit.class.clone(),
            currency: metadata.currency,
            counterparty: metadata.counterparty.as_deref().map(normalise),
            matter: metadata.additional.get(MATTER).cloned(),
        }
    }
}

impl Columns {
    /// Puts a version in, or other facts in place of what is there. Its batch stays.
    pub(super) fn put(&mut self, facts: &Facts) {
        let mut row = self.row_of(facts);
        let version = facts.version;
        match self.find(version) {
            Some((at, Ok(place))) => {
                let block = self.blocks.get_mut(at);
                let Some((block, old)) = block.and_then(|block| {
                    let old = block.row(place)?;
                    Some((block, old))
                }) else {
                    return;
                };
                row.batch = old.batch;
                row.flags |= old.flags & SUPERSEDED;
                block.set(place, row);
                self.give_back(old);
            }
            Some((at, Err(place))) => {
                self.insert(at, place, row);
                self.versions += 1;
            }
            None => {
                self.blocks.push(Block::of(row));
                self.versions += 1;
            }
        }
        match facts
            .amount
            .as_ref()
            .filter(|_| row.flags & FINE_AMOUNT != 0)
        {
            Some(amount) => drop(self.fine_amounts.insert(version, amount.clone())),
            None => drop(self.fine_amounts.remove(&version)),
        }
    }

    /// Notes the batch that stamps a version. The first one stays.
    pub(super) fn stamp(&mut self, version: VersionId, batch: BatchId) {
        // Memory ends long before the numbers do.
        let next = u32::try_from(self.batches.len() + 1).unwrap_or(u32::MAX);
        let number = *self.batches.entry(batch).or_insert(next);
        if let Some((at, Ok(place))) = self.find(version)
            && let Some(block) = self.blocks.get_mut(at)
            && let Some(batch) = block.batch.get_mut(place)
            && *batch == NONE
        {
            *batch = number;
        }
    }

    pub(super) fn size(&self) -> ColumnsSize {
        let blocks: usize = self.blocks.iter().map(Block::bytes).sum();
        let texts = [
            &self.classes,
            &self.currencies,
            &self.counterparties,
            &self.matters,
        ];
        let fine = self.fine_amounts.capacity() * size_of::<(VersionId, Amount)>();
        let batches = self.batches.capacity() * size_of::<(BatchId, u32)>();
        ColumnsSize {
            versions: self.versions,
            column_bytes: (blocks + fine + batches) as u64,
            text_bytes: texts.map(Dictionary::bytes).iter().sum::<usize>() as u64,
        }
    }

    fn row_of(&mut self, facts: &Facts) -> Row {
        let amount = facts.amount.as_ref().map(Fixed::of);
        let is_fine = amount.is_some_and(|amount| amount.is_fine);
        let id = |dictionary: &mut Dictionary, text: Option<&str>| {
            text.map_or(NONE, |text| dictionary.take(text))
        };
        Row {
            version: facts.version,
            date: facts.date,
            amount: amount.map_or(NO_AMOUNT, |amount| amount.floor),
            received: facts.received,
            class: id(&mut self.classes, Some(&facts.class)),
            currency: id(
                &mut self.currencies,
                facts.currency.as_ref().map(Currency::as_str),
            ),
            counterparty: id(&mut self.counterparties, facts.counterparty.as_deref()),
            matter: id(&mut self.matters, facts.matter.as_deref()),
            batch: NONE,
            flags: if is_fine { FINE_AMOUNT } else { 0 },
        }
    }

    fn give_back(&mut self, row: Row) {
        self.classes.give_back(row.class);
        self.currencies.give_back(row.currency);
        self.counterparties.give_back(row.counterparty);
        self.matters.give_back(row.matter);
    }

    /// The block in which a version stands or would stand, and where in it. `None`: there is no block.
    fn find(&self, version: VersionId) -> Option<(usize, Result<usize, usize>)> {
        let behind = |block: &Block| block.first() <= Some(version);
        let at = self.blocks.partition_point(behind).saturating_sub(1);
        Some((at, self.blocks.get(at)?.position(version)))
    }

    /// Puts a new row into a block, and says of it and of the one before whether a newer version follows.
    fn insert(&mut self, at: usize, place: usize, mut row: Row) {
        let record = row.version.record();
        let here = self.blocks.get(at);
        let after = here
            .and_then(|block| block.version.get(place).copied())
            .or_else(|| self.blocks.get(at + 1).and_then(Block::first));
        if after.is_some_and(|after| after.record() == record) {
            row.flags |= SUPERSEDED;
        }
        let before = match place.checked_sub(1) {
            Some(place) => Some((at, place)),
            None => at.checked_sub(1).and_then(|at| {
                let last = self.blocks.get(at)?.len().checked_sub(1)?;
                Some((at, last))
            }),
        };
        if let Some((at, place)) = before
            && let Some(block) = self.blocks.get_mut(at)
            && block
                .version
                .get(place)
                .is_some_and(|before| before.record() == record)
        {
            block.set_superseded(place);
        }
        let (is_last, blocks) = (at + 1 == self.blocks.len(), &mut self.blocks);
        let Some(block) = blocks.get_mut(at) else {
            return;
        };
        if !block.is_full() {
            return block.insert(place, row);
        }
        if is_last && place == block.len() {
            // What is new comes at the end: full blocks stay full.
            return blocks.push(Block::of(row));
        }
        let half = block.len() / 2;
        let mut rest = block.split_off(half);
        match place.checked_sub(half) {
            Some(place) => rest.insert(place, row),
            None => block.insert(place, row),
        }
        blocks.insert(at + 1, rest);
    }
}

impl fmt::Debug for Columns {
    /// Not what is in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Columns")
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

/// A time in the width of the column, as the index cuts it off.
fn micros(micros: i128) -> i64 {
    i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })
}
