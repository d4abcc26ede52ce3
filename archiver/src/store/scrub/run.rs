//! A run: one segment after the other, healed where it must be, remembered after each.

use std::path::Path;
use std::time::Duration;

use super::{Pace, RunState, ScrubMedia, ScrubState, Suspect};
use crate::store::StoreError;
use crate::store::durable::{DirectoryLock, Disk};
use crate::store::heal::{CopyOutcome, SegmentHealing};
use crate::store::parity::ParityStrength;

/// How a run is carried out.
#[derive(Debug)]
pub struct Scrub<'a> {
    /// The media.
    pub media: &'a ScrubMedia,
    /// How fast, and when.
    pub pace: &'a Pace,
    /// Whether damaged copies are healed.
    pub heal: bool,
    /// How much parity sealed segments are to have; `None`: what there is, is only looked at.
    pub parity: Option<ParityStrength>,
    /// Where the state is kept.
    pub state_file: &'a Path,
    /// The writing system calls.
    pub disk: &'a dyn Disk,
}

impl Scrub<'_> {
    /// Goes on with the run of `state` until nothing is left to be read, or `step` answers `false`. `step` hears of each segment.
    ///
    /// # Errors
    /// Errors of listing the media and of writing the state. What is wrong with one segment is part of the run.
    pub fn run(
        &self,
        state: &mut ScrubState,
        step: &mut dyn FnMut(&SegmentHealing, &RunState) -> bool,
    ) -> Result<(), StoreError> {
        let mut written = self.pace.clock.now();
        while let Some(segment) = state.run.as_ref().and_then(RunState::next) {
            let healing = self.segment(segment)?;
            let mut parity = Vec::new();
            if healing.is_whole() {
                parity = self
                    .media
                    .mend_parity(segment, self.parity, self.heal, self.pace)?;
            }
            let Some(run) = &mut state.run else { break };
            run.finish_next();
            run.note(&healing);
            run.note_parity(segment, &parity);
            let goes_on = step(&healing, run);
            let now = self.pace.clock.now();
            if !healing.was_whole() || now - written >= STATE_EVERY || now < written {
                state.write(self.disk, self.state_file)?;
                written = now;
            }
            if !goes_on {
                break;
            }
        }
        state.write(self.disk, self.state_file)
    }

    /// Reads a segment, and heals it where that is wanted and needed.
    fn segment(&self, segment: u32) -> Result<SegmentHealing, StoreError> {
        let seen = self.media.examine(segment, self.pace)?;
        if seen.was_whole() {
            return Ok(seen);
        }
        if !self.heal {
            // It may just have been written to, or replaced.
            self.pace.sleeper.sleep(AGAIN);
            return self.media.examine(segment, self.pace);
        }
        match self.locks() {
            Ok(_locks) => self.media.heal(segment, &[]),
            Err(error) => Ok(unhealed(seen, &error)),
        }
    }

    /// Heals segments in which the keys showed that frames are wrong.
    ///
    /// # Errors
    /// Errors of listing the media. What hinders one segment is its outcome.
    pub fn heal_suspects(&self, suspects: &[Suspect]) -> Result<Vec<SegmentHealing>, StoreError> {
        let mut segments: Vec<u32> = suspects.iter().map(|one| one.segment).collect();
        segments.sort_unstable();
        segments.dedup();
        let mut healings = Vec::new();
        for segment in segments {
            let found = |error| {
                let seen = self.media.examine_with(segment, suspects)?;
                Ok::<_, StoreError>(match error {
                    Some(error) => unhealed(seen, &error),
                    None => seen,
                })
            };
            healings.push(if !self.heal {
                found(None)?
            } else {
                match self.locks() {
                    Ok(_locks) => self.media.heal(segment, suspects)?,
                    Err(error) => found(Some(error))?,
                }
            });
        }
        Ok(healings)
    }

    /// Waits a while for other processes to let go of the media.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when they do not.
    pub fn locks(&self) -> Result<Vec<DirectoryLock>, StoreError> {
        let mut left = LOCK_TRIALS;
        loop {
            match self.media.lock() {
                Err(StoreError::Locked { .. }) if left > 0 => left -= 1,
                result => return result,
            }
            self.pace.sleeper.sleep(LOCK_PAUSE);
        }
    }
}

fn unhealed(mut seen: SegmentHealing, error: &StoreError) -> SegmentHealing {
    for copy in &mut seen.copies {
        if !copy.outcome.is_whole() {
            copy.outcome = CopyOutcome::Failed(error.clone());
        }
    }
    seen
}

/// How often the state is written while all is well: a kill costs no more reading than this.
const STATE_EVERY: time::Duration = time::Duration::seconds(5);

/// How long until a damage is looked at again.
const AGAIN: Duration = Duration::from_secs(1);

/// How often, and how many times, the locks are tried: a minute.
const LOCK_PAUSE: Duration = Duration::from_millis(200);
const LOCK_TRIALS: u32 = 300;
