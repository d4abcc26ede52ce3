//! One archive, from its making to its last cut.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use archiver::archive::{Access, Archive, Environment, OpeningReport};
use archiver::config::Config;
use archiver::store::durable::Disk;
use firmware::clock::SimulatedClock;
use time::Duration;

use super::Tally;
use super::care::Pending;
use super::oracle::{Oracle, copies_are_equal};
use super::place::{BIRTH, Base, Place, environment, passphrase};
use super::steps::{Step, compact};
use crate::power::{Cut, Effect, Names, PowerDisk};
use crate::random::Random;
use crate::world::put;

/// How long locks may be held by a child that has not begun its program yet.
const FORK_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// So often time passes.
const RENEWALS: u64 = 3;

/// One archive.
pub struct Life {
    seed: u64,
    pub(super) place: Place,
    pub(super) disk: Arc<PowerDisk>,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) random: Random,
    pub(super) oracle: Oracle,
    boot: u64,
    openings: u64,
    files: u64,
    renewals: u64,
    /// Whether the policy says that SHA-256 ends soon.
    pub(super) retired: bool,
    /// Media that were ever there.
    pub(super) media: u64,
    pub(super) pending: Option<Pending>,
    /// A compaction may wait for its end: one copy is compacted and the other is not.
    compacting: bool,
    /// The most calls on a medium that a step was seen to make, so that cuts fall all over it.
    calls: BTreeMap<(Step, PathBuf), u64>,
    steps: u64,
    /// Every second step is this one.
    often: Option<Step>,
}

impl std::fmt::Debug for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Life")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// How a process ended.
enum End {
    /// It did everything and closed the archive.
    Done,
    /// The disk died under it.
    Died,
}

impl Life {
    pub(super) fn new(base: &Base, seed: u64, honest: bool, often: Option<Step>) -> Self {
        let place = base.copy();
        let mut random = Random::new(seed);
        random.next();
        let names = if random.below(2) == 0 {
            Names::Ordered
        } else {
            Names::Any
        };
        Self {
            seed,
            disk: PowerDisk::new(place.at("graves"), names, honest),
            place,
            clock: Arc::new(SimulatedClock::new(BIRTH)),
            random,
            oracle: Oracle::default(),
            boot: 1,
            openings: 0,
            files: 0,
            renewals: 0,
            retired: false,
            media: 2,
            pending: None,
            compacting: false,
            calls: BTreeMap::new(),
            steps: 0,
            often,
        }
    }

    /// Lives until so many cuts are made, and is looked at as a whole at its end.
    pub(super) fn run(mut self, points: u64, tally: &mut Tally) -> Result<(), String> {
        self.live(points, tally).map_err(|broken| {
            let place = if std::env::var_os("FUMIKURA_KEEP").is_some() {
                format!(", left in {}", self.place.keep().display())
            } else {
                String::new()
            };
            format!("seed {}{place}: {broken}", self.seed)
        })
    }

    fn live(&mut self, points: u64, tally: &mut Tally) -> Result<(), String> {
        let last = tally.points + points;
        while tally.points < last {
            // Each step draws from its own generator: what threads made of an earlier one does not move it.
            self.steps += 1;
            self.random = Random::new(self.seed.wrapping_mul(1_000_003).wrapping_add(self.steps));
            self.random.next();
            let step = self.choose();
            self.step_and_cut(step, tally)
                .map_err(|broken| format!("step {}, {}: {broken}", self.steps, step.name()))?;
        }
        self.disk.restart(None);
        let (archive, _) = self.open()?;
        self.oracle.look(&archive, true, tally)?;
        let backup = self.newest_backup(&archive)?;
        archive.close().map_err(said)?;
        if let Some(backup) = backup {
            self.drill(&backup)?;
            tally.restored += 1;
        }
        tally.acknowledged += self.oracle.records();
        tally.evidence += self.oracle.evidence();
        tally.segments += self.equal()?.saturating_sub(1);
        Ok(())
    }

    /// What is done next, and what the world does for it: time passes, what waits is noted.
    fn choose(&mut self) -> Step {
        let often = self.often.filter(|_| self.random.below(2) == 0);
        let step = often.unwrap_or_else(|| self.draw());
        if [Step::Renew, Step::RenewInVain].contains(&step) && self.renewals < RENEWALS {
            self.renewals += 1;
            self.clock.advance(Duration::days(255));
            // At the end, SHA-256 is about to be retired: the hash trees are renewed.
            self.retired = self.renewals == RENEWALS;
        }
        self.compacting |= step == Step::Compact;
        step
    }

    fn draw(&mut self) -> Step {
        match self.random.below(36) {
            0..8 => Step::Deposit,
            8..10 => Step::DepositMany,
            10 => Step::DepositLarge,
            11..14 => Step::Stamp,
            14 if self.renewals < RENEWALS => match self.random.below(2) {
                0 => Step::RenewInVain,
                _ => Step::Renew,
            },
            15..17 => Step::Sign,
            17..19 => Step::Event,
            19 => Step::Rotate,
            20 => Step::Destroy,
            21..23 => Step::Compact,
            23..26 => Step::Heal,
            26..29 => Step::ChangeMedium,
            29 => Step::Backup,
            30 => Step::Rebuild,
            31 => Step::Destroy,
            32..34 => Step::DepositLarge,
            _ => Step::Nothing,
        }
    }

    fn step_and_cut(&mut self, step: Step, tally: &mut Tally) -> Result<(), String> {
        self.prepare_care(step)?;
        let medium = self.medium(step);
        let most = self.calls.get(&(step, medium.clone())).copied();
        let most = most.unwrap_or(20);
        let cut = self.cut(&medium, most + most / 8 + 2);
        let sources = self.sources(step);
        let told = format!("cut at {cut:?}");
        let end = self.process(step, &sources, cut);
        match end.map_err(|broken| format!("{told}: {broken}"))? {
            End::Done => {
                let calls = self.disk.calls();
                let calls = calls.iter().filter(|(_, path)| path.starts_with(&medium));
                let calls = calls.count() as u64;
                let most = self.calls.entry((step, medium)).or_default();
                *most = calls.max(*most);
                self.oracle.under_way.clear();
            }
            End::Died => *tally.by_step.entry(step.name()).or_default() += 1,
        }
        self.fall_and_look(step, tally)
            .map_err(|broken| format!("{told}: {broken}"))
    }

    fn fall_and_look(&mut self, step: Step, tally: &mut Tally) -> Result<(), String> {
        self.fall(tally)?;
        // The next opening may be cut as well.
        while self.random.below(4) == 0 {
            let medium = self.medium(Step::Nothing);
            let after = self.cut(&medium, 12);
            self.disk.restart(Some(after));
            let opened = catch_unwind(AssertUnwindSafe(|| self.open()));
            if !self.disk.is_dead() {
                let (archive, _) = opened.map_err(|_| "opening panicked")??;
                self.disk.kill();
                drop(archive);
            }
            tally.while_opening += 1;
            self.fall(tally)?;
        }
        self.disk.restart(None);
        let (archive, report) = self.open()?;
        tally.rebuilt += u64::from(report.catalog.set_aside.is_some());
        if std::mem::take(&mut self.compacting) {
            compact(&archive)?;
        }
        let recovery = &report.recovery;
        // What is being compacted, healed or copied is behind until that is done.
        let may_be_behind = [Step::Compact, Step::Heal, Step::ChangeMedium].contains(&step);
        let behind = !recovery.incomplete.is_empty() && !may_be_behind;
        if !recovery.damaged.is_empty() || behind {
            return Err(format!("recovery lost something: {recovery:?}"));
        }
        let whole = self.random.below(8) == 0;
        self.oracle.look(&archive, whole, tally)?;
        self.newest_backup(&archive)?;
        if self.random.below(2) == 0 {
            archive.close().map_err(said)?;
        } else {
            self.disk.kill();
            drop(archive);
        }
        self.disk.restart(None);
        self.take_care()
            .map_err(|broken| format!("brought to its end: {broken}"))?;
        self.equal()?;
        Ok(())
    }

    /// A process: opens, does a step, closes; or dies.
    fn process(&mut self, step: Step, sources: &Path, cut: Cut) -> Result<End, String> {
        self.disk.restart(Some(cut));
        // What a dead process does is of no interest, a panic included.
        let done = catch_unwind(AssertUnwindSafe(|| -> Result<(), String> {
            if [Step::Heal, Step::ChangeMedium].contains(&step) {
                return self.take_care();
            }
            if step == Step::Rebuild {
                return self.rebuild();
            }
            if step == Step::Backup {
                return self.take_backup();
            }
            let (archive, _) = self.open()?;
            step.run(&archive, sources, &mut self.oracle)?;
            archive.close().map_err(said)
        }));
        if self.disk.is_dead() {
            return Ok(End::Died);
        }
        match done {
            Ok(Ok(())) => Ok(End::Done),
            Ok(Err(error)) => Err(format!("failed on a disk that lives: {error}")),
            Err(_) => Err("panicked on a disk that lives".to_owned()),
        }
    }

    /// The process is dead. The power may go with it.
    fn fall(&mut self, tally: &mut Tally) -> Result<(), String> {
        self.disk.kill();
        tally.points += 1;
        if self.random.below(4) == 0 {
            tally.kills += 1;
            return Ok(());
        }
        tally.power_losses += 1;
        self.boot += 1;
        self.disk.lose_power(&mut self.random);
        self.damage_index().map_err(said)
    }

    /// One of the folders that a step writes to.
    fn medium(&mut self, step: Step) -> PathBuf {
        let mut media = self.place.config(self.retired).data;
        match (step, &self.pending) {
            (Step::Heal, Some(Pending::Healing(damaged))) => media = vec![damaged.clone()],
            (Step::ChangeMedium, Some(Pending::Joining(new, _))) => {
                media.extend([new.clone(), new.clone(), self.place.at("")]);
            }
            (Step::ChangeMedium, _) => media.push(self.place.at("")),
            (Step::Backup, _) => media.extend([self.place.at("backups"), self.place.at("backups")]),
            (Step::Rebuild, _) => media = vec![self.place.at("index")],
            _ => media.push(self.place.at("keys")),
        }
        let chosen = self.random.below(media.len() as u64);
        media.swap_remove(usize::try_from(chosen).unwrap_or(0))
    }

    fn cut(&mut self, medium: &Path, calls: u64) -> Cut {
        let after = self.random.below(calls);
        let effect = match self.random.below(4) {
            0 => Effect::None,
            1 => Effect::Whole,
            2 => Effect::Part(usize::try_from(self.random.below(64)).unwrap_or(0)),
            _ => Effect::Part(usize::try_from(self.random.below(16_384)).unwrap_or(0)),
        };
        let on = Some(medium.to_owned());
        Cut { on, after, effect }
    }

    pub(super) fn open(&mut self) -> Result<(Archive, OpeningReport), String> {
        let config = self.place.config(self.retired);
        self.open_with(config)
    }

    pub(super) fn next_environment(&mut self) -> Environment {
        self.openings += 1;
        let seed = self
            .seed
            .wrapping_mul(1_000_003)
            .wrapping_add(self.openings);
        let disk = Arc::clone(&self.disk) as Arc<dyn Disk>;
        environment(&self.clock, seed, self.boot, disk)
    }

    pub(super) fn open_with(&mut self, config: Config) -> Result<(Archive, OpeningReport), String> {
        let environment = self.next_environment();
        let started = Instant::now();
        loop {
            let opened = Archive::open(
                config.clone(),
                &passphrase(),
                Access::Write,
                environment.clone(),
                &mut |_| {},
            );
            match opened {
                // Another test of this process that starts a program has our locks for the moment between fork and exec.
                Err(error) if error.is_in_use() && started.elapsed() < FORK_WAIT => {
                    std::thread::yield_now();
                }
                opened => {
                    return opened.map_err(|error| format!("cannot be opened: {error:?}"));
                }
            }
        }
    }

    /// The files that a step deposits.
    fn sources(&mut self, step: Step) -> PathBuf {
        let (count, longest) = match step {
            Step::Deposit => (1 + self.random.below(4), 12_000),
            Step::DepositMany => (12, 2_000),
            Step::DepositLarge => (2, 400_000),
            Step::Stamp
            | Step::Renew
            | Step::RenewInVain
            | Step::Sign
            | Step::Event
            | Step::Rotate
            | Step::Destroy
            | Step::Compact
            | Step::Heal
            | Step::ChangeMedium
            | Step::Backup
            | Step::Rebuild
            | Step::Nothing => (0, 1),
        };
        self.files += 1;
        let kind = if step == Step::Deposit && self.random.below(4) == 0 {
            "contract"
        } else {
            "general"
        };
        let folder = self.place.at(&format!("in/{}/{kind}", self.files));
        for number in 0..count {
            let name = format!("{kind}-{}-{number}.bin", self.files);
            let length = match self.random.below(8) {
                0 => 0,
                1 => longest,
                _ => self.random.below(longest),
            };
            let mut bytes = name.clone().into_bytes();
            bytes.extend(self.random.bytes(usize::try_from(length).unwrap_or(0)));
            put(&folder.join(&name), &bytes);
            self.oracle.deposited(&name, &bytes);
        }
        folder
    }

    fn equal(&self) -> Result<u64, String> {
        copies_are_equal(&self.place.config(self.retired).data)
    }

    /// The engine of the index writes for itself: after a power loss anything may have become of its files.
    fn damage_index(&mut self) -> std::io::Result<()> {
        let mut files = Vec::new();
        let index = self.place.at("index");
        if index.is_dir() {
            list(&index, &mut files)?;
        }
        files.sort();
        if files.is_empty() || self.random.below(3) != 0 {
            return Ok(());
        }
        let chosen = self.random.below(files.len() as u64);
        let file = &files[usize::try_from(chosen).unwrap_or(0)];
        let length = file.metadata()?.len();
        match self.random.below(4) {
            0 => std::fs::remove_file(file),
            1 => std::fs::remove_dir_all(&index),
            2 => std::fs::OpenOptions::new()
                .write(true)
                .open(file)?
                .set_len(self.random.below(length + 1)),
            _ => {
                let mut bytes = std::fs::read(file)?;
                let start = self.random.below(length + 1);
                let start = usize::try_from(start).unwrap_or(0);
                let end = bytes.len().min(start + 4096);
                bytes[start..end].fill(0);
                put(file, &bytes);
                Ok(())
            }
        }
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
