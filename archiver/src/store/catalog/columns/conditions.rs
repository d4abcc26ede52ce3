//! Which rows a question wants.

use std::ops::RangeInclusive;

use formats::id::{RecordId, VersionId};
use time::{Date, OffsetDateTime};

use super::amount::AmountRange;
use super::block::{Block, FINE_AMOUNT, NO_DATE, SUPERSEDED};
use super::dictionary::{IdSet, NONE};
use super::{Columns, micros};
use crate::store::catalog::normal::normalise;
use crate::store::catalog::query::MATTER;
use crate::store::catalog::{Query, ValueMatch};

/// A version that the columns found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::catalog) struct Candidate {
    /// The version.
    pub(in crate::store::catalog) version: VersionId,
    /// Whether the record has a newer one.
    pub(in crate::store::catalog) is_superseded: bool,
}

/// What the columns found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store::catalog) struct Selection {
    /// How many there are.
    pub(in crate::store::catalog) total: u64,
    /// The first of them behind the place that was asked for.
    pub(in crate::store::catalog) candidates: Vec<Candidate>,
    /// Whether others follow these.
    pub(in crate::store::catalog) has_more: bool,
}

/// A question in terms of the columns.
struct Conditions {
    record: Option<RecordId>,
    is_newest: bool,
    dates: Option<RangeInclusive<i32>>,
    amounts: Option<AmountRange>,
    received: Option<RangeInclusive<i64>>,
    classes: Option<IdSet>,
    currencies: Option<IdSet>,
    counterparties: Option<IdSet>,
    matters: Option<IdSet>,
    batch: Option<u32>,
    /// A condition that no version fulfils.
    is_never: bool,
}

/// Whether the columns hold all that a question asks about. If not, what they find is more than what is wanted.
pub(in crate::store::catalog) fn are_enough_for(query: &Query) -> bool {
    query.text.is_none()
        && query.document_number.is_none()
        && query.additional.iter().all(|(key, _)| key == MATTER)
}

impl Columns {
    /// The versions that fulfil all conditions that the columns know, in the order of their keys, or against it: how many, and the first
    /// `candidates_max` behind `after`.
    pub(in crate::store::catalog) fn select(
        &self,
        query: &Query,
        after: Option<VersionId>,
        candidates_max: usize,
    ) -> Selection {
        let conditions = self.conditions(query);
        let mut selection = Selection::default();
        let mut fits = Vec::new();
        if conditions.is_never {
            return selection;
        }
        let is_behind = |version: VersionId| match (after, query.newest_first) {
            (None, _) => true,
            (Some(after), false) => version > after,
            (Some(after), true) => version < after,
        };
        for block in turned(self.blocks.iter(), query.newest_first) {
            if conditions
                .record
                .is_some_and(|record| !block.reaches(record))
            {
                continue;
            }
            self.mark(&conditions, block, &mut fits);
            let found = fits.iter().filter(|fits| **fits).count();
            selection.total += found as u64;
            let end = match query.newest_first {
                false => block.last(),
                true => block.first(),
            };
            if found == 0 || selection.has_more || !end.is_some_and(is_behind) {
                continue;
            }
            let rows = block.version.iter().zip(&block.flags).zip(&fits);
            for ((version, flags), fits) in turned(rows, query.newest_first) {
                if !fits || !is_behind(*version) {
                    continue;
                }
                if selection.candidates.len() >= candidates_max {
                    selection.has_more = true;
                    break;
                }
                selection.candidates.push(Candidate {
                    version: *version,
                    is_superseded: flags & SUPERSEDED != 0,
                });
            }
        }
        selection
    }

    fn conditions(&self, query: &Query) -> Conditions {
        let batch = match (query.batch, query.unstamped_only) {
            (None, false) => Some(None),
            (None, true) => Some(Some(NONE)),
            (Some(batch), false) => self.batches.get(&batch).copied().map(Some),
            (Some(_), true) => None,
        };
        let wanted_class = |class: &str| {
            query.class.as_deref().is_none_or(|wanted| wanted == class)
                && query
                    .classes
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(class))
                && !query.not_classes.iter().any(|one| one == class)
        };
        let has_class =
            query.class.is_some() || query.classes.is_some() || !query.not_classes.is_empty();
        Conditions {
            record: query.record,
            is_newest: !query.all_versions,
            dates: dates(&query.date),
            amounts: AmountRange::of(&query.amount),
            received: times(&query.received),
            classes: has_class.then(|| self.classes.ids_where(wanted_class)),
            currencies: query.currency.as_deref().map(|wanted| {
                let is_wanted = |currency: &str| currency.eq_ignore_ascii_case(wanted);
                self.currencies.ids_where(is_wanted)
            }),
            counterparties: query.counterparty.as_deref().map(|wanted| {
                match normalise(wanted).as_str() {
                    "" => IdSet::none(),
                    part => self.counterparties.ids_holding(part),
                }
            }),
            matters: self.matters(query),
            batch: batch.flatten(),
            is_never: batch.is_none(),
        }
    }

    fn matters(&self, query: &Query) -> Option<IdSet> {
        let scope = query
            .matters
            .as_ref()
            .map(|wanted| self.matters.ids_where(|matter| wanted.contains(matter)));
        let asked = query.additional.iter().filter(|(key, _)| key == MATTER);
        let asked = asked.map(|(_, wanted)| {
            let wanted = normalise(wanted);
            self.matters.ids_where(|matter| normalise(matter) == wanted)
        });
        scope
            .into_iter()
            .chain(asked)
            .reduce(|one, other| one.and(&other))
    }

    /// Says of each row of a block whether it fulfils the conditions.
    fn mark(&self, conditions: &Conditions, block: &Block, fits: &mut Vec<bool>) {
        fits.clear();
        fits.resize(block.len(), true);
        if conditions.is_newest {
            keep(fits, &block.flags, |flags| flags & SUPERSEDED == 0);
        }
        if let Some(dates) = &conditions.dates {
            keep(fits, &block.date, |date| dates.contains(&date));
        }
        if let Some(amounts) = &conditions.amounts {
            self.mark_amounts(amounts, block, fits);
        }
        if let Some(times) = &conditions.received {
            keep(fits, &block.received, |time| times.contains(&time));
        }
        if let Some(record) = conditions.record {
            keep(fits, &block.version, |one| one.record() == record);
        }
        if let Some(batch) = conditions.batch {
            keep(fits, &block.batch, |one| one == batch);
        }
        for (wanted, column) in [
            (&conditions.classes, &block.class),
            (&conditions.currencies, &block.currency),
            (&conditions.counterparties, &block.counterparty),
            (&conditions.matters, &block.matter),
        ] {
            if let Some(wanted) = wanted {
                keep(fits, column, |id| wanted.has(id));
            }
        }
    }

    fn mark_amounts(&self, amounts: &AmountRange, block: &Block, fits: &mut [bool]) {
        let values = block.amount.iter().zip(&block.flags).zip(&block.version);
        for (fits, ((amount, flags), version)) in fits.iter_mut().zip(values) {
            *fits &= match flags & FINE_AMOUNT {
                0 => amounts.has(*amount),
                _ => amounts.has_fine(*amount, || self.fine_amounts.get(version)),
            };
        }
    }
}

/// The same from its end, where that is wanted.
fn turned<'a, T: 'a>(
    items: impl DoubleEndedIterator<Item = T> + 'a,
    from_the_end: bool,
) -> Box<dyn Iterator<Item = T> + 'a> {
    match from_the_end {
        false => Box::new(items),
        true => Box::new(items.rev()),
    }
}

fn keep<T: Copy>(fits: &mut [bool], column: &[T], is_wanted: impl Fn(T) -> bool) {
    for (fits, value) in fits.iter_mut().zip(column) {
        *fits &= is_wanted(*value);
    }
}

fn dates(wanted: &ValueMatch<Date>) -> Option<RangeInclusive<i32>> {
    let day = |date: &Date| date.to_julian_day();
    match wanted {
        ValueMatch::Any => None,
        ValueMatch::Missing => Some(NO_DATE..=NO_DATE),
        ValueMatch::Between(from, to) => {
            let from = from.as_ref().map_or(NO_DATE + 1, day);
            Some(from..=to.as_ref().map_or(i32::MAX, day))
        }
    }
}

fn times(wanted: &ValueMatch<OffsetDateTime>) -> Option<RangeInclusive<i64>> {
    let nanos = |time: &OffsetDateTime| time.unix_timestamp_nanos();
    match wanted {
        ValueMatch::Any => None,
        // Every version was received.
        ValueMatch::Missing => Some(RangeInclusive::new(i64::MAX, i64::MIN)),
        ValueMatch::Between(from, to) => {
            // A column ends at microseconds, and a question may not.
            let up = |nanos: i128| micros(-(-nanos).div_euclid(1000));
            let from = from.as_ref().map_or(i64::MIN, |from| up(nanos(from)));
            let down = |nanos: i128| micros(nanos.div_euclid(1000));
            Some(from..=to.as_ref().map_or(i64::MAX, |to| down(nanos(to))))
        }
    }
}
