//! Stages for faults of the program that random cuts once found. Each failed before its mend.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use archiver::archive::{Access, Archive};
use archiver::backup;
use archiver::store::durable::Disk;
use firmware::clock::SimulatedClock;
use formats::segment::CommitMark;

use super::Tally;
use super::care::backup_options;
use super::oracle::Oracle;
use super::place::{BIRTH, Base, Place, environment, passphrase};
use super::steps::Step;
use crate::power::{Cut, Effect, Names, PowerDisk};
use crate::random::Random;
use crate::world::put;

/// An archive, the power of which fails where the stage says.
struct Stage {
    place: Place,
    disk: Arc<PowerDisk>,
    oracle: Oracle,
    openings: u64,
    boot: u64,
}

impl Stage {
    fn new(base: &Base) -> Self {
        let place = base.copy();
        Self {
            disk: PowerDisk::new(place.at("graves"), Names::Any, true),
            place,
            oracle: Oracle::default(),
            openings: 0,
            boot: 1,
        }
    }

    fn open(&mut self) -> Archive {
        self.openings += 1;
        let clock = Arc::new(SimulatedClock::new(BIRTH));
        clock.advance(time::Duration::hours(
            i64::try_from(self.openings).unwrap_or(0),
        ));
        let disk = Arc::clone(&self.disk) as Arc<dyn Disk>;
        let environment = environment(&clock, self.openings, self.boot, disk);
        let config = self.place.config(false);
        let opened = Archive::open(
            config,
            &passphrase(),
            Access::Write,
            environment,
            &mut |_| {},
        );
        opened.expect("it opens").0
    }

    /// Deposits a file of so many bytes and is told that it is there.
    fn deposit(&mut self, archive: &Archive, bytes: usize) {
        let name = format!("{}.bin", self.openings);
        let folder = self.place.at(&format!("in/{}/general", self.openings));
        let content = Random::new(self.openings).bytes(bytes);
        put(&folder.join(&name), &content);
        self.oracle.deposited(&name, &content);
        let done = Step::Deposit.run(archive, &folder, &mut self.oracle);
        done.expect("deposited");
    }

    /// The process dies, with what it holds.
    fn kill(&self, archive: Archive) {
        self.disk.kill();
        drop(archive);
    }

    fn look(&mut self) -> Result<(), String> {
        self.disk.restart(None);
        let archive = self.open();
        self.oracle.look(&archive, true, &mut Tally::default())?;
        for segment in archive.store().segments().expect("segments") {
            let health = archive.store().verify_segment(segment).expect("read");
            if !health.is_intact() {
                return Err(format!("segment {segment} is not what its seal says"));
            }
        }
        archive.close().expect("closed");
        Ok(())
    }
}

/// A power loss takes the last commit mark and leaves the note of how far the growing segment was read. Recovery writes another mark in its
/// place; whoever relies on the note seals the segment with a wrong digest.
///
/// # Errors
/// What was lost or damaged.
///
/// # Panics
/// When the stage cannot be set.
pub fn a_note_of_a_mark_that_was_lost() -> Result<(), String> {
    let mut stage = Stage::new(&Base::new(31));
    let archive = stage.open();
    stage.deposit(&archive, 2000);
    archive.close().expect("closed");
    let media = ["data-a", "data-b"].map(|medium| stage.place.at(medium).join("segments"));
    for medium in &media {
        shorten(
            &medium.join("0000000001.seg"),
            CommitMark::FRAME_BYTES as u64,
        );
    }
    // It stands on the first medium alone.
    let path = media[0].join("growing");
    let note = std::fs::read(&path).expect("a note");
    // Another boot: recovery keeps what was synchronised, and marks it anew. The process dies before it notes anything.
    stage.boot += 1;
    let archive = stage.open();
    stage.kill(archive);
    put(&path, &note);
    stage.disk.restart(None);
    let archive = stage.open();
    stage.deposit(&archive, 200_000);
    archive.close().expect("closed");
    stage.look()
}

/// A rotation is killed at each of its calls on the key medium; the page cache keeps what it did. The next process adds a key and acknowledges,
/// and then the power fails, and takes all that was not synchronised.
///
/// # Errors
/// What was lost.
///
/// # Panics
/// When the stage cannot be set.
pub fn a_key_behind_a_name_that_was_not_synchronised() -> Result<(), String> {
    let base = Base::new(32);
    for after in 0.. {
        let mut stage = Stage::new(&base);
        let archive = stage.open();
        stage.deposit(&archive, 500);
        stage.disk.restart(Some(Cut {
            on: Some(stage.place.at("keys")),
            after,
            effect: Effect::Whole,
        }));
        let rotated = archive.keys().rotate(&mut |_| ());
        let is_over = !stage.disk.is_dead();
        stage.kill(archive);
        if is_over {
            rotated.expect("rotated on a disk that lives");
            assert!(after > 0, "the rotation made no call");
            return Ok(());
        }
        stage.disk.restart(None);
        let archive = stage.open();
        stage.deposit(&archive, 600);
        stage.kill(archive);
        stage.disk.lose_everything();
        stage.boot += 1;
        let seen = stage.look();
        seen.map_err(|lost| format!("killed at call {after} on the key medium: {lost}"))?;
    }
    Ok(())
}

/// A backup is finished and not recorded; the next run is killed at each of its calls on the folder of backups, while it removes that one and writes
/// anew. The run after it takes the backup.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// When the stage cannot be set.
pub fn a_backup_whose_removal_was_cut() -> Result<(), String> {
    let base = Base::new(33);
    for (after, effect) in
        (0..).flat_map(|after| [Effect::Part(5), Effect::Whole].map(|one| (after, one)))
    {
        let mut stage = Stage::new(&base);
        let cut = |stage: &mut Stage, on: &str, after, effect| {
            let on = Some(stage.place.at(on));
            let archive = stage.open();
            stage.disk.restart(Some(Cut { on, after, effect }));
            let taken = backup_to(&archive, &stage.place.at("backups"));
            let is_over = !stage.disk.is_dead();
            stage.kill(archive);
            stage.disk.restart(None);
            (is_over, taken)
        };
        let (is_over, _) = cut(&mut stage, "data-a", 0, Effect::None);
        assert!(!is_over, "it cannot be recorded");
        let (is_over, taken) = cut(&mut stage, "backups", after, effect);
        if is_over {
            assert!(after > 5, "the second run made so few calls");
            return taken;
        }
        let archive = stage.open();
        backup_to(&archive, &stage.place.at("backups"))
            .map_err(|refused| format!("killed at call {after} ({effect:?}): {refused}"))?;
        archive.close().expect("closed");
    }
    Ok(())
}

fn backup_to(archive: &Archive, folder: &Path) -> Result<(), String> {
    let options = backup_options(folder.to_path_buf());
    let taken = backup::take(archive, "somebody", &passphrase(), &options);
    taken.map(drop).map_err(|error| format!("{error:?}"))
}

fn shorten(path: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("opened");
    let length = file.metadata().expect("a length").len();
    file.set_len(length - bytes).expect("cut");
}
