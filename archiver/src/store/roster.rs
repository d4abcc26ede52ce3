//! The roster of an open archive: kept in step on every medium in service and apart from them, before anything relies on it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use firmware::clock::Clock;
use formats::id::MediumId;
use formats::roster::{OutCause, OutOfService, ROSTER_FILE, Roster, RosterMember};
use formats::segment::FrameAddress;

use super::StoreError;
use super::durable::{self, Disk};
use super::presence::{Present, read_roster};

/// A data medium of the archive, and whether it is in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaState {
    /// The medium.
    pub medium: MediumId,
    /// Its folder; `None` where it stands in none of the configured ones.
    pub directory: Option<PathBuf>,
    /// Whether it is written to.
    pub state: ReplicaCondition,
}

/// Whether a data medium is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaCondition {
    /// It has everything, and each commit reaches it.
    InService,
    /// Nothing is written to it; it may lack everything from `from` on.
    OutOfService(OutOfService),
}

impl ReplicaCondition {
    /// Whether each commit reaches the medium.
    #[must_use]
    pub const fn is_in_service(self) -> bool {
        matches!(self, Self::InService)
    }
}

/// Tells what became of the data media of a store, also after it was closed. It holds no lock.
#[derive(Debug, Clone)]
pub struct ReplicaWatch {
    pub(super) keeper: Arc<RosterKeeper>,
}

impl ReplicaWatch {
    /// Every medium of the archive.
    #[must_use]
    pub fn replicas(&self) -> Vec<ReplicaState> {
        self.keeper.states()
    }

    /// The media that were in service when the store was opened and are not any more.
    #[must_use]
    pub fn lost(&self) -> Vec<ReplicaState> {
        let state = self.keeper.lock();
        let lost = state.lost.clone();
        drop(state);
        let mut states = self.keeper.states();
        states.retain(|replica| lost.contains(&replica.medium) && !replica.state.is_in_service());
        states
    }
}

/// The roster, and where it stands.
#[derive(Debug)]
pub(super) struct RosterKeeper {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    /// The place apart from the data media.
    note: Option<PathBuf>,
    /// Fewest media that a commit must reach.
    pub(super) copies_min: usize,
    state: Mutex<KeeperState>,
}

#[derive(Debug)]
struct KeeperState {
    roster: Roster,
    places: Vec<Present>,
    lost: Vec<MediumId>,
}

impl RosterKeeper {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        note: Option<PathBuf>,
        copies_min: usize,
        roster: Roster,
        places: Vec<Present>,
    ) -> Self {
        Self {
            disk,
            clock,
            note,
            copies_min,
            state: Mutex::new(KeeperState {
                roster,
                places,
                lost: Vec::new(),
            }),
        }
    }

    pub(super) fn states(&self) -> Vec<ReplicaState> {
        let state = self.lock();
        let directory = |medium| {
            let mut places = state.places.iter();
            let place = places.find(|place| place.medium == medium);
            place.map(|place| place.directory.clone())
        };
        let members = state.roster.members.iter();
        members
            .map(|member| ReplicaState {
                medium: member.medium,
                directory: directory(member.medium),
                state: member
                    .out
                    .map_or(ReplicaCondition::InService, ReplicaCondition::OutOfService),
            })
            .collect()
    }

    /// Notes that media are out of service, durably, on the others and apart from them. Answers the media on which that failed: they
    /// must be put out of service, too.
    ///
    /// # Errors
    /// The failure at the place apart from the media: nothing may then be acknowledged.
    pub(super) fn put_out(
        &self,
        media: &[(MediumId, OutCause)],
        from: FrameAddress,
    ) -> Result<Vec<(MediumId, StoreError)>, StoreError> {
        let since = self.clock.now();
        let mut state = self.lock();
        for (medium, cause) in media {
            let out = OutOfService {
                since,
                from,
                cause: *cause,
            };
            let mut members = state.roster.members.iter_mut();
            if let Some(member) = members.find(|member| member.medium == *medium) {
                member.out.get_or_insert(out);
            }
            state.lost.push(*medium);
        }
        self.write(&mut state)
    }

    /// Takes a medium in, or back into service: it has everything that was written so far.
    ///
    /// # Errors
    /// As [`RosterKeeper::put_out`].
    pub(super) fn take_in(
        &self,
        present: &Present,
    ) -> Result<Vec<(MediumId, StoreError)>, StoreError> {
        let mut state = self.lock();
        let medium = present.medium;
        state.places.retain(|place| place.medium != medium);
        // Last: a medium must not call itself a member before the others know.
        state.places.push(present.clone());
        state.lost.retain(|lost| *lost != medium);
        let mut members = state.roster.members.iter_mut();
        match members.find(|member| member.medium == medium) {
            Some(member) => member.out = None,
            None => state
                .roster
                .members
                .push(RosterMember { medium, out: None }),
        }
        self.write(&mut state)
    }

    /// Takes a medium out of the archive for good.
    ///
    /// # Errors
    /// As [`RosterKeeper::put_out`].
    pub(super) fn dismiss(
        &self,
        medium: MediumId,
    ) -> Result<Vec<(MediumId, StoreError)>, StoreError> {
        let mut state = self.lock();
        state
            .roster
            .members
            .retain(|member| member.medium != medium);
        self.write(&mut state)
    }

    /// Writes the roster where it is absent or old. Failures show when the medium is written to for other reasons.
    pub(super) fn refresh(&self) -> Result<Vec<(MediumId, StoreError)>, StoreError> {
        let mut state = self.lock();
        let mut places = state
            .in_service()
            .map(|place| place.directory.join(ROSTER_FILE));
        let behind = |path: &Path| read_roster(path).as_ref() != Some(&state.roster);
        let any = places.any(|path| behind(&path)) || self.note.as_deref().is_some_and(behind);
        drop(places);
        if any {
            return self.write(&mut state);
        }
        Ok(Vec::new())
    }

    fn write(&self, state: &mut KeeperState) -> Result<Vec<(MediumId, StoreError)>, StoreError> {
        state.roster.generation += 1;
        state.roster.written_at = self.clock.now();
        let text = state.roster.encode()?;
        if let Some(note) = &self.note {
            self.put(note, &text)?;
        }
        let mut failed = Vec::new();
        for place in state.in_service() {
            if let Err(error) = self.put(&place.directory.join(ROSTER_FILE), &text) {
                failed.push((place.medium, error));
            }
        }
        Ok(failed)
    }

    fn put(&self, path: &Path, text: &[u8]) -> Result<(), StoreError> {
        let medium = path.parent().unwrap_or(path);
        durable::replace_file(self.disk.as_ref(), path, text)
            .map_err(|error| StoreError::io("writing", medium, path, error))
    }

    fn lock(&self) -> MutexGuard<'_, KeeperState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeeperState {
    fn in_service(&self) -> impl Iterator<Item = &Present> {
        self.places
            .iter()
            .filter(|place| self.roster.is_in_service(place.medium))
    }
}

/// The cause that is noted for a failure.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "whatever is not named is a failure"
)]
pub(super) fn cause_of(error: &StoreError) -> OutCause {
    match error {
        StoreError::MediumFull { .. } => OutCause::Full,
        StoreError::Io { source, .. }
            if matches!(
                source.kind(),
                std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied
            ) =>
        {
            OutCause::ReadOnly
        }
        _ => OutCause::Failed,
    }
}
