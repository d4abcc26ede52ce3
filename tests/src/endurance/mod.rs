//! An archive that loses its power again and again, and an oracle that knows what it promised.
//!
//! One *life* is an archive with two data media on a [`crate::power::PowerDisk`]. A step of the workload is opened, worked on, and cut after a number of
//! calls that the seed chooses; then the process is dead or the power is gone, the index may be damaged, and the archive is opened again, which may be
//! cut as well. After each opening the oracle looks: nothing acknowledged is lost, nothing that was not acknowledged is visible but the group that was
//! under way, no evidence is lost, contents are what was deposited, both copies are equal.

mod care;
mod life;
mod oracle;
mod place;
mod staged;
mod steps;
mod trace;

use std::collections::BTreeMap;

pub use life::Life;
pub use staged::{
    a_backup_whose_removal_was_cut, a_key_behind_a_name_that_was_not_synchronised,
    a_note_of_a_mark_that_was_lost,
};
pub use steps::Step;
pub use trace::{Traced, trace};

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed of everything.
    pub seed: u64,
    /// Cuts to be made.
    pub points: u64,
    /// Cuts in the life of one archive.
    pub points_per_life: u64,
    /// Whether the disk keeps what it says is synchronised. One that lies shows that the oracle sees a loss.
    pub honest: bool,
    /// Half of all steps are this one, if any.
    pub often: Option<Step>,
}

/// What was done and seen.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Cuts, openings that were cut included.
    pub points: u64,
    /// Of them, power losses.
    pub power_losses: u64,
    /// Of them, killed processes.
    pub kills: u64,
    /// Of them, while the archive was opened after an earlier one.
    pub while_opening: u64,
    /// By step, cuts that fell before its end.
    pub by_step: BTreeMap<&'static str, u64>,
    /// Record versions that were acknowledged.
    pub acknowledged: u64,
    /// Record versions that were on the way at a cut and are there, whole.
    pub in_doubt_kept: u64,
    /// Record versions that were on the way at a cut and are not there.
    pub in_doubt_gone: u64,
    /// Timestamps, signatures and events that were acknowledged.
    pub evidence: u64,
    /// Openings after which everything was looked at.
    pub looks: u64,
    /// Backups that were restored and read.
    pub restored: u64,
    /// Segments that were sealed.
    pub segments: u64,
    /// Openings that found the index damaged and made it anew.
    pub rebuilt: u64,
}

/// Lives until so many cuts are made.
///
/// # Errors
/// The first promise that was broken, with the seed of its life.
///
/// # Panics
/// When no archive can be made.
pub fn run(plan: Plan) -> Result<Tally, String> {
    let base = place::Base::new(plan.seed);
    let mut tally = Tally::default();
    let mut number = 0;
    while tally.points < plan.points {
        let seed = plan.seed.wrapping_add(number);
        let points = plan.points_per_life.min(plan.points - tally.points);
        Life::new(&base, seed, plan.honest, plan.often).run(points, &mut tally)?;
        number += 1;
    }
    Ok(tally)
}
