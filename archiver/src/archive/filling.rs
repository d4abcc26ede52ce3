//! Waiting for an index that is being made.

use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::time::Duration;

use super::{Archive, ArchiveError};
use crate::store::catalog::{CatalogReport, Filling};

impl Archive {
    /// Waits until the index is whole. `progress` is told how far it is, and can break off: then the answer is `None`, what was read stays, and
    /// the next opening goes on from there.
    ///
    /// # Errors
    /// [`ArchiveError`] when the segments cannot be read.
    pub fn finish_filling(
        &self,
        progress: &mut dyn FnMut(Filling) -> ControlFlow<()>,
    ) -> Result<Option<CatalogReport>, ArchiveError> {
        let taken = self
            .filler
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(filler) = taken else {
            return Ok(Some(CatalogReport::default()));
        };
        let mut pause = FILLING_PAUSE_MIN;
        while !filler.is_done() {
            if let Some(filling) = self.catalog.filling()
                && progress(filling).is_break()
            {
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(FILLING_PAUSE_MAX);
        }
        let report = filler.wait()?;
        self.go_on_behind_events()?;
        if self.store.appender().is_ok() {
            self.finish_key_work()?;
        } else if !self.keys.is_write_only() {
            self.shut_out_destroyed()?;
        }
        Ok(Some(report))
    }

    /// Whether nothing more is read into the index by itself.
    pub(super) fn filler_is_gone(&self) -> bool {
        let held = self.filler.lock().unwrap_or_else(PoisonError::into_inner);
        held.is_none()
    }
}

/// How often it is looked how far the index is: soon at first, for most often little is missing.
const FILLING_PAUSE_MIN: Duration = Duration::from_millis(1);
const FILLING_PAUSE_MAX: Duration = Duration::from_millis(200);
