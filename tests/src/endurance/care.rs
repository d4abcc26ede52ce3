//! Care of an archive, as its operators take it: copies healed, media added, exchanged and taken out, backups, the index made anew.
//!
//! Each of these may be cut anywhere. What was begun is brought to its end by doing the same again, as the programs tell their users to.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archiver::archive::{Access, Archive};
use archiver::backup::container::check;
use archiver::backup::ledger::Backups;
use archiver::backup::restore::restore;
use archiver::backup::{self, BackupOptions};
use archiver::config::Config;
use archiver::keys::KdfParameters;
use archiver::media::change::{self, Succession};
use archiver::media::facts::Leaving;
use archiver::media::{MediaLedger, Standing, record_media};
use archiver::store::durable::{self, Disk};
use archiver::store::read_label;
use archiver::store::scrub::{Pace, RunState, Scrub, ScrubMedia, ScrubState};
use firmware::clock::Clock;

use super::life::Life;
use super::place::passphrase;
use super::steps::Step;

/// Care that must come to its end before copies can be compared.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    /// Damaged copies.
    Healing(PathBuf),
    /// A medium that joins, in the place of another or besides.
    Joining(PathBuf, Option<Succession>),
    /// A medium that leaves.
    Leaving(PathBuf),
}

/// More than these are not needed to see that it works.
const MEDIA_MAX: usize = 3;
const BY: &str = "somebody";

impl Life {
    /// What a step of care is about, and what is damaged for it.
    pub(super) fn prepare_care(&mut self, step: Step) -> Result<(), String> {
        self.pending = match step {
            Step::Heal => {
                let medium = self.damage_a_copy()?;
                Some(Pending::Healing(medium))
            }
            Step::ChangeMedium => Some(self.choose_change()?),
            Step::Deposit
            | Step::DepositMany
            | Step::DepositLarge
            | Step::Stamp
            | Step::Renew
            | Step::RenewInVain
            | Step::Sign
            | Step::Event
            | Step::Rotate
            | Step::Destroy
            | Step::Compact
            | Step::Backup
            | Step::Rebuild
            | Step::Nothing => None,
        };
        Ok(())
    }

    fn choose_change(&mut self) -> Result<Pending, String> {
        let data = self.place.config(self.retired).data;
        let chosen = usize::try_from(self.random.below(data.len() as u64)).unwrap_or(0);
        if data.len() >= MEDIA_MAX {
            return Ok(Pending::Leaving(data[chosen].clone()));
        }
        self.media += 1;
        let directory = self.place.at(&format!("data-{}", self.media));
        let leaves = read_label(&data[chosen]).map_err(said)?.medium;
        let succession = match self.random.below(3) {
            0 => None,
            1 => Some(Leaving::Replaced),
            _ => Some(Leaving::Migrated),
        };
        let succession = succession.map(|why| Succession { leaves, why });
        Ok(Pending::Joining(directory, succession))
    }

    /// Takes the care that is pending; `Ok` when it is done. Nothing of it is pending then.
    pub(super) fn take_care(&mut self) -> Result<(), String> {
        match self.pending.clone() {
            None => return Ok(()),
            Some(Pending::Healing(_)) => self.heal()?,
            Some(Pending::Joining(directory, succession)) => {
                self.join(&directory, succession)?;
            }
            Some(Pending::Leaving(directory)) => self.retire(&directory)?,
        }
        self.pending = None;
        Ok(())
    }

    /// Copies of sealed segments of one medium, one at least: bytes changed, a file cut, a file gone. Answers the medium.
    fn damage_a_copy(&mut self) -> Result<PathBuf, String> {
        let data = self.place.config(self.retired).data;
        let chosen = usize::try_from(self.random.below(data.len() as u64)).unwrap_or(0);
        let mut segments = files(&data[chosen].join("segments"))?;
        segments.retain(|path| path.extension().is_some_and(|end| end == "seg"));
        segments.sort();
        // The newest one grows.
        segments.pop();
        for (number, segment) in segments.into_iter().enumerate() {
            match self.random.below(if number == 0 { 3 } else { 6 }) {
                0 => std::fs::remove_file(&segment).map_err(said)?,
                1 => self.spoil(&segment, true)?,
                2 => self.spoil(&segment, false)?,
                _ => {}
            }
        }
        Ok(data[chosen].clone())
    }

    fn spoil(&mut self, segment: &Path, is_cut: bool) -> Result<(), String> {
        let writable = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(segment, writable).map_err(said)?;
        let file = OpenOptions::new().write(true).open(segment);
        let file = file.map_err(said)?;
        let length = file.metadata().map_err(said)?.len();
        let place = self.random.below(length);
        if is_cut {
            return file.set_len(place).map_err(said);
        }
        let count = usize::try_from(self.random.below(600).min(length - place)).unwrap_or(0);
        let bytes = self.random.bytes(count);
        file.write_all_at(&bytes, place).map_err(said)
    }

    /// A scrub of everything, with healing. One that was cut goes on where it was.
    fn heal(&mut self) -> Result<(), String> {
        let config = self.place.config(self.retired);
        let disk = Arc::clone(&self.disk) as Arc<dyn Disk>;
        let media = ScrubMedia::open(&config.data, config.archive, &disk).map_err(said)?;
        let pace = Pace::unbounded(Arc::clone(&self.clock) as Arc<dyn Clock>);
        let state_file = self.place.at("scrub.json");
        let stored = media.segments().map_err(said)?;
        let chosen: Vec<u32> = stored.iter().map(|one| one.segment).collect();
        let mut state = ScrubState::read(&state_file);
        if state.run.as_ref().and_then(RunState::next).is_none() {
            let now = self.clock.now();
            state.run = Some(RunState::new(now, false, "all".to_owned(), &chosen));
        }
        let scrub = Scrub {
            media: &media,
            pace: &pace,
            heal: true,
            parity: None,
            state_file: &state_file,
            disk: disk.as_ref(),
        };
        let mut ill = None;
        let run = scrub.run(&mut state, &mut |healing, _| {
            if !healing.is_whole() {
                ill = Some(format!("not healed: {healing:?}"));
            }
            true
        });
        run.map_err(said)?;
        ill.map_or(Ok(()), Err)
    }

    /// As `archiver media add`, `replace` and `migrate` do it.
    fn join(&mut self, directory: &Path, succession: Option<Succession>) -> Result<(), String> {
        let config = self.place.config(self.retired);
        let ledger = {
            let archive = self.open()?.0;
            record_media(&archive, BY).map_err(said)?;
            let ledger = MediaLedger::of(archive.catalog()).map_err(said)?;
            archive.close().map_err(said)?;
            ledger
        };
        let environment = self.next_environment();
        let label = read_label(directory).ok();
        let known = label.and_then(|label| ledger.medium(label.medium));
        if known.is_none_or(|known| matches!(known.standing, Standing::Left(..))) {
            let leaves = succession.map(|succession| succession.leaves);
            let prepared = change::prepare(&config, &environment, &ledger, directory, leaves);
            prepared.map_err(said)?;
        }
        let copied = change::copy(&config, &environment, directory, &mut |_| ());
        let copied = copied.map_err(said)?;
        if !copied.damaged.is_empty() {
            return Err(format!("damaged on every medium: {copied:?}"));
        }
        let archive = self.open_with(tolerant(&config))?.0;
        let finished = change::finish(&archive, BY, directory, succession, &copied);
        finished.map_err(said)?;
        archive.close().map_err(said)
    }

    /// As `archiver media retire` does it.
    fn retire(&mut self, directory: &Path) -> Result<(), String> {
        let config = self.place.config(self.retired);
        let medium = read_label(directory).map_err(said)?.medium;
        let archive = self.open_with(tolerant(&config))?.0;
        record_media(&archive, BY).map_err(said)?;
        change::retire(&archive, BY, medium).map_err(said)?;
        archive.close().map_err(said)
    }

    /// The index made anew from the first frame on.
    pub(super) fn rebuild(&mut self) -> Result<(), String> {
        let config = self.place.config(self.retired);
        let environment = self.next_environment();
        let rebuilt = Archive::rebuild(config, &passphrase(), environment, &mut |_| {});
        rebuilt.map_err(said)?.0.close().map_err(said)
    }

    /// Takes a backup.
    pub(super) fn take_backup(&mut self) -> Result<(), String> {
        // What is restored has a configuration that a user may have.
        let mut config = self.place.config(self.retired);
        config.segment_bytes_max = 4 << 20;
        let archive = self.open_with(config)?.0;
        let options = backup_options(self.place.at("backups"));
        let taken = backup::take(&archive, BY, &passphrase(), &options);
        let taken = taken.map_err(said)?.taken;
        self.oracle.backed_up(taken.generation);
        archive.close().map_err(said)
    }

    /// The newest backup that the archive knows to be finished is whole, and no older than the last one that was acknowledged. None stands
    /// there, whole or in parts, that the archive does not know of: nobody would destroy it when keys are destroyed.
    pub(super) fn newest_backup(&self, archive: &Archive) -> Result<Option<PathBuf>, String> {
        let backups = Backups::read(archive).map_err(said)?;
        for entry in std::fs::read_dir(self.place.at("backups"))
            .into_iter()
            .flatten()
        {
            let path = entry.map_err(said)?.path();
            let is_known = |whole: &PathBuf| backups.taken.values().any(|one| one.file == *whole);
            if !is_known(&path) && !is_known(&path.with_extension("")) {
                return Err(format!("nobody knows of backup {}", path.display()));
            }
        }
        let newest = backups.kept().filter(|one| one.is_finished()).last();
        let generation = newest.map_or(0, |newest| newest.generation);
        if generation < self.oracle.backup() {
            return Err(format!(
                "backup acknowledged and lost: {}",
                self.oracle.backup()
            ));
        }
        let Some(newest) = newest else {
            return Ok(None);
        };
        check(&newest.file, &passphrase())
            .map_err(|error| format!("backup {generation} is not whole: {error:?}"))?;
        Ok(Some(newest.file.clone()))
    }

    /// Restores a backup beside the archive, which is closed, and reads what it had then.
    pub(super) fn drill(&mut self, backup: &Path) -> Result<(), String> {
        let into = self.place.at("drill");
        let config = self.place.config(self.retired);
        let disk = durable::system_disk();
        let data = &config.data[..1];
        let restored = restore(disk.as_ref(), backup, &passphrase(), data, &into, true);
        let restored = restored.map_err(said)?;
        let mut environment = self.next_environment();
        environment.disk = disk;
        let opened = Archive::open(
            restored.config,
            &passphrase(),
            Access::Read,
            environment,
            &mut |_| {},
        );
        let archive = opened.map_err(|error| format!("restored, and does not open: {error:?}"))?;
        let seen = self.oracle.look_restored(&archive.0);
        drop(archive);
        std::fs::remove_dir_all(into).map_err(said)?;
        seen.map_err(|lost| format!("restored: {lost}"))
    }
}

/// Few are kept, and the key is derived at once.
pub(super) const fn backup_options(to: PathBuf) -> BackupOptions {
    BackupOptions {
        to,
        keep: Some(2),
        parameters: KdfParameters {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        },
    }
}

/// As the programs open it to put its media right: with one medium, if there is no other.
fn tolerant(config: &Config) -> Config {
    let mut config = config.clone();
    config.media.copies_min = Some(1);
    config
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(said)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(said));
    paths.collect()
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
