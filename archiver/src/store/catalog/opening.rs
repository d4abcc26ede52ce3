//! Opening the index, finding out whether it can be relied on, and bringing it to the engine that it belongs in.

use std::ops::ControlFlow;
use std::sync::Arc;

use formats::segment::FrameAddress;

use super::engine::{EngineChoice, IndexEngine, IndexError, RecordIndex};
use super::fold::Fold;
use super::lacking::Lacks;
use super::place::{Building, Left, Place, Seat, Source};
use super::state::State;
use super::{BatchEntry, CatalogOptions, CatalogReport, FoldProgress, FoldStage, Unstamped, key};
use crate::store::{Store, StoreError};

/// What is opened, with what.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) place: &'a Place,
    pub(super) store: &'a Store,
    pub(super) options: &'a CatalogOptions,
}

impl Opening<'_> {
    /// Opens the index as it stands; one that cannot be relied on is set aside, and an empty one is begun. One that has outgrown its engine
    /// is moved to the next.
    pub(super) fn open(
        self,
        progress: &mut dyn FnMut(FoldProgress),
        report: &mut CatalogReport,
    ) -> Result<Fold, StoreError> {
        let counts = self.place.seat()?;
        if let Some(building) = self.place.building() {
            let took_over = counts
                .as_ref()
                .is_some_and(|seat| seat.folder == building.seat.folder);
            if building.from == Source::Copy || took_over {
                // What stays of it is in nobody's way.
                drop(self.place.drop_building(&building));
            }
        }
        let seat = match counts {
            Some(seat) => seat,
            None => self.begin()?,
        };
        let opened = self.returned().and_then(|returned| {
            report.returned = returned;
            if report.returned.is_empty() {
                self.open_as_it_stands(&seat)
            } else {
                // What it lacks stands before what it knows: it is read from the beginning.
                Err(self.error(IndexError::Damaged))
            }
        });
        let (seat, fold) = match opened {
            Err(StoreError::IndexDamaged { .. }) => {
                report.set_aside = self.place.set_aside(&seat)?;
                let seat = self.begin()?;
                let fold = self.open_as_it_stands(&seat)?;
                (seat, fold)
            }
            result => (seat, result?),
        };
        self.place.use_seat(seat.clone());
        let known = fold.counts().versions;
        let versions = known.max(self.options.versions_expected);
        let wanted = self.options.engine.instead_of(seat.engine, versions);
        let stays = seat.chosen && self.options.engine == EngineChoice::Auto;
        match wanted {
            Some(engine) if !stays => self.move_to(engine, fold, progress, report),
            _ => Ok(fold),
        }
    }

    /// Segments that were on no medium, or damaged on all, when the index was made, and can be read now.
    fn returned(self) -> Result<Vec<u32>, StoreError> {
        let mut lacks = self.place.lacks()?;
        if lacks == Lacks::default() {
            return Ok(Vec::new());
        }
        let before = lacks.clone();
        let returned = lacks.take_returned(self.store)?;
        if returned.is_empty() && lacks != before {
            self.place.note_lacks(&lacks)?;
        }
        Ok(returned)
    }

    /// Opens the files of an index that is made anew beside the one that counts, and goes on with what an interrupted attempt left.
    pub(super) fn open_building(self) -> Result<(Seat, Fold), StoreError> {
        let chosen = self.options.engine != EngineChoice::Auto;
        let engine = self.engine_of_new()?;
        if let Some(building) = self.place.building() {
            let goes_on = building.from == Source::Segments
                && building.seat.engine == engine
                && self.returned().is_ok_and(|returned| returned.is_empty());
            let seat = Seat {
                chosen,
                ..building.seat.clone()
            };
            match goes_on.then(|| self.open_seat(&seat, false)) {
                Some(Ok(fold)) => return Ok((seat, fold)),
                Some(Err(error)) if !matches!(error, StoreError::IndexDamaged { .. }) => {
                    return Err(error);
                }
                _ => self.place.drop_building(&building)?,
            }
        }
        let seat = self
            .place
            .begin_building(engine, chosen, Source::Segments)?;
        let fold = self.open_seat(&seat, false)?;
        Ok((seat, fold))
    }

    /// Begins an index in the engine that fits.
    fn begin(self) -> Result<Seat, StoreError> {
        let versions = self.options.versions_expected;
        self.place.begin(self.options.engine.for_versions(versions))
    }

    /// The engine of an index that is made anew: where the size decides, it never goes back to the one for small archives.
    fn engine_of_new(self) -> Result<IndexEngine, StoreError> {
        let versions = self.options.versions_expected;
        let wanted = self.options.engine.for_versions(versions);
        let current = self.place.seat()?.filter(|seat| !seat.chosen);
        Ok(match (self.options.engine, current) {
            (EngineChoice::Auto, Some(seat)) if seat.engine == IndexEngine::Fjall => {
                IndexEngine::Fjall
            }
            _ => wanted,
        })
    }

    fn open_as_it_stands(self, seat: &Seat) -> Result<Fold, StoreError> {
        let left = self.place.take_closed_note(seat);
        // sled may still tidy up its files after it was closed; fjall has ended then.
        let is_changed = left == Left::Changed && seat.engine == IndexEngine::Fjall;
        if is_changed || !self.place.begin_opening()? {
            return Err(self.error(IndexError::Damaged));
        }
        let opened = self.open_seat(seat, left == Left::InOrder);
        self.place.end_opening()?;
        opened
    }

    fn open_seat(self, seat: &Seat, in_order: bool) -> Result<Fold, StoreError> {
        let folder = self.place.folder(seat);
        let engine = seat
            .engine
            .open(&folder, self.options.cache_bytes)
            .map_err(|error| self.error(error))?;
        let state = State::read(engine.as_ref(), self.options.sealer.as_ref())
            .map_err(|error| self.error(error))?;
        if state.is_none() && has_entries(engine.as_ref()).map_err(|error| self.error(error))? {
            return Err(self.error(IndexError::Damaged));
        }
        let ahead = state
            .as_ref()
            .map(|state| self.is_ahead(state))
            .transpose()?;
        let fold = Fold::new(
            engine,
            Arc::clone(&self.options.sealer),
            self.place.directory().to_owned(),
            self.store.clone(),
            state,
        );
        if !in_order {
            fold.check()?;
        }
        if ahead == Some(true) {
            refuse_loss(&fold, self.store)?;
            return Err(self.error(IndexError::Damaged));
        }
        Ok(fold)
    }

    /// Whether the index is ahead of the segments. That of another archive is no index.
    fn is_ahead(self, state: &State) -> Result<bool, StoreError> {
        if state.archive != self.store.archive() {
            return Err(self.error(IndexError::Damaged));
        }
        Ok(state.position > self.store.end()?)
    }

    /// Copies the entries as they are, sealed; each is opened once to see that it is whole. When the other engine fails the index stays where
    /// it is, and the report says why.
    fn move_to(
        self,
        engine: IndexEngine,
        fold: Fold,
        progress: &mut dyn FnMut(FoldProgress),
        report: &mut CatalogReport,
    ) -> Result<Fold, StoreError> {
        let seat = self.place.begin_building(engine, false, Source::Copy)?;
        let mut versions = 0;
        let at = fold.position();
        let mut tell = |key: &[u8]| {
            if key.first() == Some(&key::VERSIONS) {
                versions += 1;
                if versions % PROGRESS_VERSIONS == 0 {
                    progress(FoldProgress {
                        at,
                        versions,
                        stage: FoldStage::Moving(engine),
                    });
                }
            }
        };
        let folder = self.place.folder(&seat);
        let moved = engine
            .open(&folder, self.options.cache_bytes)
            .map_err(|error| self.error(error))
            .and_then(|other| fold.copy_to(other.as_ref(), &mut tell));
        let building = Building {
            seat: seat.clone(),
            from: Source::Copy,
        };
        if let Err(error) = moved {
            drop(self.place.drop_building(&building));
            if fold.is_suspect() {
                return Err(error);
            }
            report.not_moved = Some(error);
            return Ok(fold);
        }
        drop(fold);
        let moved = self.open_seat(&seat, true)?;
        self.place.take_over(&seat)?;
        report.moved = Some(engine);
        Ok(moved)
    }

    fn error(self, error: IndexError) -> StoreError {
        let directory = self.place.directory();
        match error {
            IndexError::Damaged => StoreError::IndexDamaged {
                directory: directory.to_owned(),
            },
            IndexError::Io(error) => {
                StoreError::io("opening the record index", directory, directory, error)
            }
        }
    }
}

/// An index that is ahead of the segments knows something that no medium holds. A commit mark at the end is nothing: it was never
/// synchronised. Versions and archive time-stamps were, and were acknowledged: to build the index anew would hide that they are gone.
fn refuse_loss(fold: &Fold, store: &Store) -> Result<(), StoreError> {
    let end = store.end()?;
    let mut lost = 0;
    let mut last: Option<FrameAddress> = None;
    let mut look = |address: FrameAddress| {
        lost += u64::from(address >= end);
        if address < end {
            last = last.max(Some(address));
        }
    };
    fold.scan(&[key::VERSIONS], &[key::VERSIONS], &mut |key, value| {
        if let Some(version) = key::version(key) {
            look(Unstamped::decode(version, value)?.address);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    fold.scan(&[key::BATCHES], &[key::BATCHES], &mut |_, value| {
        look(BatchEntry::decode(value)?.address);
        Ok(ControlFlow::Continue(()))
    })?;
    // A file may end in the middle of the last one.
    if let Some(address) = last
        && matches!(
            store.read(address),
            Err(StoreError::NotFound { .. } | StoreError::Damaged { .. })
        )
    {
        lost += 1;
    }
    if lost > 0 {
        return Err(StoreError::RecordsLost {
            lost,
            segment: end.segment,
        });
    }
    Ok(())
}

fn has_entries(engine: &dyn RecordIndex) -> Result<bool, IndexError> {
    let mut any = false;
    engine.scan(&[], &[], &mut |_, _| {
        any = true;
        ControlFlow::Break(())
    })?;
    Ok(any)
}

/// Progress is told after so many versions.
const PROGRESS_VERSIONS: u64 = 1000;
