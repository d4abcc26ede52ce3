//! An index that is still being made: a thread reads the segments while records are found by their ids.
//!
//! | question | answer while the index is being filled |
//! |---|---|
//! | a record by its id | whole: what is not read yet is looked for in the segments themselves |
//! | a search | by [`Catalog::search_known`] alone: what is in it so far, together with how far it is |
//! | everything else | [`StoreError::IndexFilling`]: a partial answer would lead to wrong acts; [`Catalog::filling`] says how far it is |

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use formats::id::{RecordId, VersionId};
use formats::segment::{Frame, FrameAddress};

use super::fold::Fold;
use super::opening::Opening;
use super::place::Place;
use super::visiting::visit;
use super::{Catalog, CatalogOptions, CatalogReport, FoldProgress, Hit, ManifestOpener, Query};
use crate::event::{RecordedEvent, Topic};
use crate::store::{ScanScope, Store, StoreError};

/// How far an index is that is being filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filling {
    /// The frames before this one are in it.
    pub at: FrameAddress,
    /// Where the frames ended when it was opened.
    pub end: FrameAddress,
    /// Record versions that are in it.
    pub versions: u64,
    /// About how many the archive holds.
    pub versions_expected: u64,
}

/// What an unfinished index knows of its being filled.
#[derive(Debug, Default)]
pub(super) struct Unfinished(Mutex<Option<Task>>);

struct Task {
    filling: Filling,
    opener: Arc<dyn ManifestOpener>,
    stop: bool,
}

/// The thread that fills an index. Dropping it stops the thread and waits for it; the next opening goes on from there.
#[derive(Debug)]
pub struct Filler {
    catalog: Arc<Catalog>,
    thread: Option<JoinHandle<Result<CatalogReport, StoreError>>>,
}

impl Catalog {
    /// As [`Catalog::open`], but what is in the segments and not in the index is read by a thread, and this returns before. The report is
    /// that of opening; [`Filler::wait`] gives that of reading.
    ///
    /// # Errors
    /// As [`Catalog::open`].
    pub fn open_filling(
        store: &Store,
        options: CatalogOptions,
        opener: Arc<dyn ManifestOpener>,
    ) -> Result<(Arc<Self>, Filler, CatalogReport), StoreError> {
        let directory = options.directory.clone();
        let (catalog, report) = Self::open_unfilled(store, options, opener)?;
        let filled = Arc::clone(&catalog);
        let thread = std::thread::Builder::new()
            .name("index-filler".to_owned())
            .spawn(move || filled.fill())
            .map_err(|error| {
                StoreError::io("starting the filling of", &directory, &directory, error)
            })?;
        let filler = Filler {
            catalog: Arc::clone(&catalog),
            thread: Some(thread),
        };
        Ok((catalog, filler, report))
    }

    /// As [`Catalog::open_filling`], but nothing more is read into it: it answers as one that is being filled.
    ///
    /// # Errors
    /// As [`Catalog::open`].
    pub fn open_unfilled(
        store: &Store,
        options: CatalogOptions,
        opener: Arc<dyn ManifestOpener>,
    ) -> Result<(Arc<Self>, CatalogReport), StoreError> {
        let place = Place::take(&options.directory, Arc::clone(&options.disk))?;
        let mut report = CatalogReport::default();
        let opening = Opening {
            place: &place,
            store,
            options: &options,
        };
        let fold = opening.open(&mut |_| {}, &mut report)?;
        let filling = Filling {
            at: fold.position(),
            end: store.end()?,
            versions: fold.counts().versions,
            versions_expected: options.versions_expected,
        };
        let catalog = Arc::new(Self::new(store, place, fold));
        *catalog.unfinished.lock() = Some(Task {
            filling,
            opener,
            stop: false,
        });
        Ok((catalog, report))
    }

    /// What matches among the versions that are in the index so far, as [`Catalog::search`] gives them, and how far it is: `None` when it is whole.
    /// While it is not, a version may be given that a later one supersedes.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`].
    pub fn search_known(&self, query: &Query) -> Result<(Vec<Hit>, Option<Filling>), StoreError> {
        // The place first: what is read meanwhile is then found, and not missed.
        let filling = self.filling();
        let mut hits = Vec::new();
        let hits_max = query.hits_max.unwrap_or(usize::MAX);
        if hits_max > 0 {
            visit(&*self.fold()?, query, &mut |hit| {
                hits.push(hit);
                hits.len() < hits_max
            })?;
        }
        Ok((hits, filling))
    }

    /// How far the index is. `None`: it is whole.
    #[must_use]
    pub fn filling(&self) -> Option<Filling> {
        self.unfinished.lock().as_ref().map(|task| task.filling)
    }

    /// The index, for questions to which half an answer is a wrong one.
    pub(super) fn whole(&self) -> Result<Arc<Fold>, StoreError> {
        match self.filling() {
            None => self.fold(),
            Some(filling) => Err(StoreError::IndexFilling {
                versions: filling.versions,
                versions_expected: filling.versions_expected,
            }),
        }
    }

    /// The versions of a record, from the index and, where that ends, from the segments.
    pub(super) fn versions_of(
        &self,
        record: RecordId,
        only: Option<VersionId>,
    ) -> Result<Vec<Hit>, StoreError> {
        let query = Query {
            record: Some(record),
            all_versions: true,
            ..Query::default()
        };
        // The place first: what is read meanwhile is then found twice, and not missed.
        let rest = self.rest();
        let mut folded = Vec::new();
        visit(&*self.fold()?, &query, &mut |hit| {
            folded.push(hit);
            true
        })?;
        let Some((from, opener)) = rest else {
            return Ok(folded);
        };
        let mut hits: BTreeMap<VersionId, Hit> = BTreeMap::new();
        hits.extend(folded.into_iter().map(|hit| (hit.version, hit)));
        if only.is_some_and(|version| hits.contains_key(&version)) {
            return Ok(hits.into_values().collect());
        }
        for item in self.store.scan(Some(from), ScanScope::Records) {
            let item = match item {
                Ok(item) => item,
                Err(StoreError::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            };
            let Frame::RecordVersion(frame) = &item.frame else {
                continue;
            };
            let version = frame.version;
            if version.record() != record || hits.contains_key(&version) {
                continue;
            }
            let hit = match opener.open_manifest(frame) {
                Ok(manifest) => Hit::of_manifest(version, item.address, &manifest),
                Err(_) => Hit::unreadable(version, item.address),
            };
            hits.insert(version, hit);
            if only == Some(version) {
                break;
            }
        }
        let newest = hits.keys().next_back().copied();
        let mut hits: Vec<Hit> = hits.into_values().collect();
        for hit in &mut hits {
            hit.superseded = Some(hit.version) != newest;
        }
        Ok(hits)
    }

    /// Calls `each` for all events of a topic, from the index and, where that ends, from the segments: in their order only when the index is whole, and
    /// some twice while a thread reads them into it.
    ///
    /// # Errors
    /// [`StoreError::IndexDamaged`]; errors of reading the segments.
    pub fn all_events(
        &self,
        topic: Topic,
        each: &mut dyn FnMut(RecordedEvent) -> bool,
    ) -> Result<(), StoreError> {
        let Some((from, opener)) = self.rest() else {
            return self.events(topic, each);
        };
        let mut goes_on = true;
        self.fold()?.events_after(topic, None, &mut |event| {
            goes_on = each(event);
            goes_on
        })?;
        for item in self.store.scan(Some(from), ScanScope::Records) {
            let item = match item {
                _ if !goes_on => break,
                Ok(item) => item,
                Err(StoreError::Damaged { .. }) => continue,
                Err(error) => return Err(error),
            };
            if let Frame::Event(frame) = &item.frame
                && let Some(event) = opener.open_event(frame)
                && event.topic == topic
            {
                goes_on = each(event);
            }
        }
        Ok(())
    }

    /// Where the index ends, and what opens what stands behind. `None`: it is whole.
    fn rest(&self) -> Option<(FrameAddress, Arc<dyn ManifestOpener>)> {
        let held = self.unfinished.lock();
        let task = held.as_ref();
        task.map(|task| (task.filling.at, Arc::clone(&task.opener)))
    }

    /// Whether the reading of the segments is to end; and tells how far it is.
    pub(super) fn is_stopped(&self, at: FrameAddress, fold: &Fold) -> bool {
        let mut held = self.unfinished.lock();
        let Some(task) = held.as_mut() else {
            return false;
        };
        task.filling.at = at;
        task.filling.versions = fold.counts().versions;
        task.stop
    }

    fn fill(&self) -> Result<CatalogReport, StoreError> {
        let opener = {
            let held = self.unfinished.lock();
            held.as_ref().map(|task| Arc::clone(&task.opener))
        };
        let mut report = CatalogReport::default();
        let Some(opener) = opener else {
            return Ok(report);
        };
        let read = self.read_segments(opener.as_ref(), &mut |_| {}, &mut report);
        match read {
            Ok(()) => *self.unfinished.lock() = None,
            // What was read stays; the rest cannot be answered from it.
            Err(_) => self.behind.store(true, Ordering::Relaxed),
        }
        read.map(|()| report)
    }

    #[cfg(test)]
    pub(super) fn is_told_to_stop(&self) -> bool {
        self.unfinished
            .lock()
            .as_ref()
            .is_some_and(|task| task.stop)
    }

    fn stop_filling(&self) {
        if let Some(task) = self.unfinished.lock().as_mut() {
            task.stop = true;
        }
    }
}

impl Filler {
    /// Whether the thread has ended: the index is whole, or [`Filler::wait`] says why it is not.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the index is whole.
    ///
    /// # Errors
    /// Errors of reading the segments; [`StoreError::IndexDamaged`].
    pub fn wait(mut self) -> Result<CatalogReport, StoreError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            // It has panicked: the index is not to be relied on.
            Some(Err(_)) => Err(self.catalog.fold()?.damaged()),
            None => Ok(CatalogReport::default()),
        }
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.catalog.stop_filling();
        if let Some(thread) = self.thread.take() {
            // Whatever was not read is read by the next opening.
            drop(thread.join());
        }
    }
}

impl Unfinished {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Filling> for FoldProgress {
    fn from(filling: Filling) -> Self {
        Self {
            at: filling.at,
            versions: filling.versions,
            stage: super::FoldStage::Reading,
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("filling", &self.filling)
            .finish_non_exhaustive()
    }
}
