//! The whole index: checked entry by entry, and copied to another engine.

use std::ops::ControlFlow;

use super::engine::{Change, IndexError, RecordIndex};
use super::fold::{CHANGES_MAX, Fold};
use super::{Counts, key};
use crate::store::StoreError;

/// The entries of an index, counted.
#[derive(Debug, Default)]
struct Census {
    versions: u64,
    stamps: u64,
    batches: u64,
    others: u64,
}

impl Census {
    fn count(&mut self, key: &[u8]) {
        match key.first() {
            Some(&key::VERSIONS) => self.versions += 1,
            Some(&key::STAMPS) => self.stamps += 1,
            Some(&key::BATCHES) => self.batches += 1,
            Some(table) if key::OTHERS.contains(table) => self.others += 1,
            _ => {}
        }
    }

    const fn counts(&self) -> Counts {
        Counts {
            versions: self.versions,
            unstamped: self.versions.saturating_sub(self.stamps),
            batches: self.batches,
        }
    }
}

impl Fold {
    /// Opens every value and compares the number of entries with the state.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let mut census = Census::default();
        self.scan(&[], &[], &mut |key, _| {
            census.count(key);
            Ok(ControlFlow::Continue(()))
        })?;
        self.compare(&census)
    }

    /// Copies every entry to another, empty engine, as it is. Each value is opened once, and the number of entries is compared with the
    /// state, so what was copied is whole. An error of the other engine leaves this fold above suspicion.
    pub(super) fn copy_to(
        &self,
        other: &dyn RecordIndex,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), StoreError> {
        self.drain(self.lock())?;
        let mut census = Census::default();
        let mut changes: Vec<Change> = Vec::with_capacity(CHANGES_MAX);
        let mut damaged = false;
        let mut refused = None;
        let scanned = self.engine.scan(&[], &[], &mut |key, sealed| {
            if self.sealer.open(key, sealed).is_none() {
                damaged = true;
                return ControlFlow::Break(());
            }
            census.count(key);
            each(key);
            changes.push((key.to_vec(), Some(sealed.to_vec())));
            if changes.len() < CHANGES_MAX {
                return ControlFlow::Continue(());
            }
            match other.apply(std::mem::take(&mut changes)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    refused = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        scanned.map_err(|error| self.error(error))?;
        if damaged {
            return Err(self.damaged());
        }
        let written = match refused {
            Some(error) => Err(error),
            None => other.apply(changes).and_then(|()| other.flush()),
        };
        written.map_err(|error| match error {
            IndexError::Damaged => StoreError::IndexDamaged {
                directory: self.directory.clone(),
            },
            IndexError::Io(error) => self.io(error),
        })?;
        self.compare(&census)
    }

    fn compare(&self, found: &Census) -> Result<(), StoreError> {
        let pending = self.lock();
        let whole = pending.counts == found.counts() && pending.others == found.others;
        drop(pending);
        if whole { Ok(()) } else { Err(self.damaged()) }
    }
}
