//! Making the columns from the index while it goes on, and keeping them as it changes.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError, RwLock, RwLockWriteGuard};

use formats::id::{BatchId, VersionId};

use super::conditions::are_enough_for;
use super::{Candidate, Columns, ColumnsSize, Facts, Selection};
use crate::store::StoreError;
use crate::store::catalog::fold::Fold;
use crate::store::catalog::{Catalog, Hit, Query, Stamp, key};

/// How far the making of the columns is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnsProgress {
    /// Versions that are in them.
    pub versions: u64,
    /// Versions that the index held when it began.
    pub versions_expected: u64,
}

/// The columns of an index, if it has any.
///
/// Who changes them holds the changes of the fold ([`Fold::lock`]), so they change in its order. Who reads them holds nothing else.
#[derive(Debug, Default)]
pub(in crate::store::catalog) struct Kept {
    state: RwLock<State>,
    /// Held while they are made.
    making: Mutex<()>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Without,
    /// They are being made; what changed since is made good afterwards.
    Making(Vec<Change>),
    Whole(Box<Columns>),
}

enum Change {
    Version(Facts),
    Stamp(VersionId, BatchId),
}

impl Catalog {
    /// Keeps what is searched for most in memory from now on: dates, amounts, counterparties and a few more, in clear. It is read from the index once,
    /// in one pass, while deposits and searches go on, and follows every change. Searches give the same answers as before, without opening every entry.
    ///
    /// For a process that holds the archive open. They are gone when the index is closed; nothing of them is written anywhere.
    ///
    /// # Errors
    /// [`StoreError::IndexFilling`] before the index is whole; [`StoreError::IndexDamaged`]. Then there are none, and searches go on without.
    pub fn keep_columns(
        &self,
        progress: &mut dyn FnMut(ColumnsProgress),
    ) -> Result<ColumnsSize, StoreError> {
        self.whole()?.make_columns(progress)
    }

    /// What the columns for searching take. `None`: there are none, or they are being made.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub fn columns_size(&self) -> Result<Option<ColumnsSize>, StoreError> {
        Ok(self.fold()?.columns.size())
    }
}

impl Kept {
    /// A version has these facts now.
    pub(in crate::store::catalog) fn put(&self, hit: &Hit) {
        match &mut *self.write() {
            State::Without => {}
            State::Making(changes) => changes.push(Change::Version(Facts::of(hit))),
            State::Whole(columns) => columns.put(&Facts::of(hit)),
        }
    }

    /// A version got its stamp.
    pub(in crate::store::catalog) fn stamp(&self, version: VersionId, batch: BatchId) {
        match &mut *self.write() {
            State::Without => {}
            State::Making(changes) => changes.push(Change::Stamp(version, batch)),
            State::Whole(columns) => columns.stamp(version, batch),
        }
    }

    /// All versions that a question wants, at most `hits_max`, and perhaps some that it does not want. `None`: the index itself is to be gone through.
    pub(in crate::store::catalog) fn candidates(
        &self,
        query: &Query,
        hits_max: usize,
    ) -> Option<Vec<Candidate>> {
        self.read(|columns| {
            let opened_max = columns.opened_max();
            let is_few = are_enough_for(query) && hits_max <= opened_max;
            let candidates_max = if is_few { hits_max } else { opened_max };
            let selection = columns.select(query, None, candidates_max);
            (is_few || !selection.has_more).then_some(selection.candidates)
        })?
    }

    /// The next versions that a question wants, and how many it wants. `None`: the columns cannot tell that.
    pub(in crate::store::catalog) fn page(
        &self,
        query: &Query,
        after: Option<VersionId>,
        limit: usize,
    ) -> Option<Selection> {
        if !are_enough_for(query) {
            return None;
        }
        self.read(|columns| columns.select(query, after, limit))
    }

    fn size(&self) -> Option<ColumnsSize> {
        self.read(Columns::size)
    }

    fn read<T>(&self, ask: impl FnOnce(&Columns) -> T) -> Option<T> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Whole(columns) => Some(ask(columns)),
            State::Without | State::Making(_) => None,
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Columns {
    /// To open more entries one by one takes longer than to go through all of them.
    fn opened_max(&self) -> usize {
        let share = usize::try_from(self.versions / OPENED_SHARE).unwrap_or(usize::MAX);
        share.max(OPENED_MIN)
    }
}

impl Fold {
    fn make_columns(
        &self,
        progress: &mut dyn FnMut(ColumnsProgress),
    ) -> Result<ColumnsSize, StoreError> {
        let making = &self.columns.making;
        let _turn = making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = self.columns.size() {
            return Ok(size);
        }
        {
            let _changes = self.lock();
            *self.columns.write() = State::Making(Vec::new());
        }
        let read = self.read_columns(progress);
        // What changed while they were read is made good before anything else changes.
        let changes_held = self.lock();
        let mut state = self.columns.write();
        let made = std::mem::take(&mut *state);
        let mut columns = read?;
        if let State::Making(changes) = made {
            for change in changes {
                match change {
                    Change::Version(facts) => columns.put(&facts),
                    Change::Stamp(version, batch) => columns.stamp(version, batch),
                }
            }
        }
        let size = columns.size();
        *state = State::Whole(Box::new(columns));
        drop(changes_held);
        Ok(size)
    }

    fn read_columns(
        &self,
        progress: &mut dyn FnMut(ColumnsProgress),
    ) -> Result<Columns, StoreError> {
        let mut columns = Columns::default();
        let before = self.counts();
        let mut tell = |versions| {
            progress(ColumnsProgress {
                versions,
                versions_expected: before.versions,
            });
        };
        tell(0);
        let mut versions = 0_u64;
        self.scan(&[key::VERSIONS], &[key::VERSIONS], &mut |key, value| {
            if let Some(version) = key::version(key) {
                columns.put(&Facts::of(&Hit::decode(version, value)?));
                versions += 1;
                if versions.is_multiple_of(PROGRESS_VERSIONS) {
                    tell(versions);
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        tell(versions);
        let mut stamped = 0_u64;
        self.scan(&[key::STAMPS], &[key::STAMPS], &mut |key, value| {
            if let Some(version) = key::version(key) {
                columns.stamp(version, Stamp::decode(value)?.batch);
                stamped += 1;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        tell(versions);
        let after = self.counts();
        // An engine with damaged files may leave an entry out without a word; others may have come meanwhile.
        let is_whole = (before.versions..=after.versions).contains(&versions)
            && (before.stamped()..=after.stamped()).contains(&stamped);
        if is_whole {
            Ok(columns)
        } else {
            Err(self.damaged())
        }
    }
}

impl std::fmt::Debug for Change {
    /// Not what it says of the version.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(facts) => f.debug_tuple("Version").field(&facts.version).finish(),
            Self::Stamp(version, batch) => {
                f.debug_tuple("Stamp").field(version).field(batch).finish()
            }
        }
    }
}

/// Progress is told after so many versions.
const PROGRESS_VERSIONS: u64 = 10_000;

/// One of so many entries is opened by itself at most.
const OPENED_SHARE: u64 = 8;
/// So many are opened by themselves in any case.
const OPENED_MIN: usize = 1000;
