//! Writing entries on every key medium at once.

use std::path::Path;
use std::sync::{Arc, MutexGuard};

use super::copies::{self, CopyCondition};
use super::entry::ENTRY_BYTES;
use super::files::{self, Sink};
use super::place::Place;
use super::{KeyLedger, LedgerAccess, State};
use crate::keys::error::KeyError;

impl KeyLedger {
    /// Writes all waiting entries with one `fdatasync` on each key medium, without the lock while the media work.
    pub(super) fn flush<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>, KeyError> {
        let owners = std::mem::take(&mut state.waiting);
        if owners.is_empty() {
            // Only the ticket of another ledger leads here.
            return Err(KeyError::Stopped);
        }
        let upto = state.staged_count;
        let bytes: Vec<u8> = owners
            .iter()
            .filter_map(|owner| state.staged.get(owner)?.encode())
            .flatten()
            .collect();
        state.flushing = true;
        drop(state);
        let written = self.append_everywhere(&bytes);
        let mut state = self.lock();
        state.flushing = false;
        self.flushed.notify_all();
        match written {
            Ok(first) => {
                for (place, owner) in first.successors().zip(owners) {
                    state.staged.remove(&owner);
                    state.places.insert(owner, place);
                }
                state.durable_count = upto;
                Ok(state)
            }
            Err(error) => {
                state.stopped = true;
                Err(error)
            }
        }
    }

    /// Appends entries on every key medium in service, at the same time, and tells where they begin on the leading one. A medium that fails is
    /// out of service from then on, unless too few are left.
    pub(super) fn append_everywhere(&self, entries: &[u8]) -> Result<Place, KeyError> {
        let sinks: Vec<(usize, Arc<Sink>)> = (0..)
            .zip(&self.copies)
            .filter_map(|(number, copy)| Some((number, copy.sink()?)))
            .collect();
        let write = |sink: &Sink| {
            let written = sink.append_durably(entries);
            written.map_err(|error| KeyError::io(sink.path(), "write", error))
        };
        let mut results = Vec::new();
        std::thread::scope(|scope| {
            let Some(((own, first), others)) = sinks.split_first() else {
                return;
            };
            let others: Vec<_> = others
                .iter()
                .map(|(number, sink)| (*number, scope.spawn(|| write(sink))))
                .collect();
            results.push((*own, write(first)));
            for (number, other) in others {
                results.push((number, other.join().unwrap_or(Err(KeyError::Stopped))));
            }
        });
        let written = results.iter().filter(|(_, result)| result.is_ok()).count();
        let enough = written >= self.place.copies_min.max(1);
        let leader = self.lock().leader;
        let mut place = None;
        let mut first_error = None;
        for (number, result) in results {
            match result {
                Ok(found) if number == leader => place = Some(found),
                Ok(_) => {}
                Err(error) => {
                    if let Some(copy) = self.copies.get(number) {
                        copy.fail(&error);
                    }
                    first_error.get_or_insert(error);
                }
            }
        }
        match (enough, place, first_error) {
            (true, Some(place), _) => Ok(place),
            (true, None, _) => self.lead_by_another(entries),
            (false, _, error) => Err(error.unwrap_or(KeyError::Stopped)),
        }
    }

    /// Puts a key medium out of service that cannot be written, where enough are left without it.
    pub(in crate::keys) fn fail_copy(&self, root: &Path, error: KeyError) -> Result<(), KeyError> {
        let copy = self.copies.iter().find(|copy| copy.root == root);
        match copy {
            Some(copy) if copy.state().condition != CopyCondition::InService => Ok(()),
            Some(copy) => copies::give_up(&self.place, &self.copies, copy, error),
            None => Err(error),
        }
    }

    /// The leading copy has failed: another one that has all entries leads from now on. Tells where the last `entries` begin on it.
    pub(super) fn lead_by_another(&self, entries: &[u8]) -> Result<Place, KeyError> {
        let next = (0..)
            .zip(&self.copies)
            .find(|(_, copy)| copy.sink().is_some());
        let (number, copy) = next.ok_or(KeyError::Stopped)?;
        let opened = files::open(&copy.root, self.archive, LedgerAccess::Read)?;
        let place = opened.place_before_end(entries.len() / ENTRY_BYTES);
        let mut state = self.lock();
        state.leader = number;
        state.hold(opened);
        Ok(place)
    }
}
