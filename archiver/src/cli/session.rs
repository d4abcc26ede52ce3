//! What every command does first: find the configuration, get the passphrase, open the archive, say what must be said.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::archive::{Access, Archive, ArchiveError, Environment, OpeningReport};
use crate::config::{CONFIG_FILE_NAME, Config};
use crate::keys::passphrase::{PassphraseSource, Prompt};
use crate::keys::{Passphrase, UnlockWith};

use formats::roster::OutCause;
use serde_json::json;

use crate::media::record_media;
use crate::store::{ReplicaCondition, ReplicaWatch};

use super::arguments::Common;
use super::failure::Failure;
use super::media_words::{self, AtWork};
use super::output::{Output, grouped, sized};
use super::query::rfc3339;

/// A command's surroundings: its options, where it prints, and the machine.
#[derive(Debug)]
pub struct Session {
    /// The options that all commands share.
    pub common: Common,
    /// Where results and notices go.
    pub output: Output,
    /// Clock, random source, boot id.
    pub environment: Environment,
    /// `$FUMIKURA_CONFIG`.
    pub config_variable: Option<PathBuf>,
    /// `$CREDENTIALS_DIRECTORY`.
    pub credentials: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`: where a key is held for other commands.
    pub runtime: Option<PathBuf>,
    /// What tells which service is asked.
    pub remote: RemoteSurroundings,
    /// Who runs the command, as the archive records it.
    pub user: String,
    /// How a user starts the two programs from here, for commands that are shown to be copied.
    pub programs: Programs,
    /// Whether somebody can be asked on the terminal.
    pub interactive: bool,
    /// What becomes of the data media while the command works.
    pub watches: RefCell<Vec<ReplicaWatch>>,
    /// Media of which openings say nothing.
    pub at_work: RefCell<AtWork>,
}

/// What the environment tells of services.
#[derive(Debug, Clone, Default)]
pub struct RemoteSurroundings {
    /// `$FUMIKURA_SERVER`.
    pub server: Option<String>,
    /// `$XDG_CONFIG_HOME`, or `.config` in the home folder.
    pub config_home: Option<PathBuf>,
}

/// How a user starts the two programs.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `archiver`, as words of a shell.
    pub archiver: String,
    /// `verifier`, as words of a shell.
    pub verifier: String,
}

impl Session {
    /// How long another process is waited for.
    pub(super) const IN_USE_WAIT: Duration = Duration::from_secs(10);

    /// How often it is looked whether it is gone.
    pub(super) const IN_USE_PAUSE: Duration = Duration::from_millis(200);

    /// The place of the configuration: the option, the variable, or the current folder.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.common
            .config
            .clone()
            .or_else(|| self.config_variable.clone())
            .unwrap_or_else(|| PathBuf::from(CONFIG_FILE_NAME))
    }

    /// The same user and machine, for work that nobody looks at.
    #[must_use]
    pub fn for_service(&self) -> Self {
        Self {
            common: self.common.clone(),
            output: self.output.for_service(),
            environment: self.environment.clone(),
            config_variable: self.config_variable.clone(),
            credentials: self.credentials.clone(),
            runtime: self.runtime.clone(),
            remote: self.remote.clone(),
            user: self.user.clone(),
            programs: self.programs.clone(),
            interactive: false,
            watches: RefCell::default(),
            at_work: RefCell::default(),
        }
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// [`Failure`] when it is missing or not usable.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::read(&self.config_path())?)
    }

    /// Gets the passphrase from where it may come from.
    ///
    /// # Errors
    /// [`Failure`] when there is none.
    pub fn passphrase(
        &self,
        configured: Option<PathBuf>,
        prompt: Prompt,
    ) -> Result<Passphrase, Failure> {
        let prompt = if self.interactive {
            prompt
        } else {
            Prompt::Never
        };
        let source = PassphraseSource {
            file: self.common.passphrase_file.clone().or(configured),
            credentials: self.credentials.clone(),
            prompt,
        };
        Ok(Passphrase::obtain(&source)?)
    }

    /// Opens the archive that the configuration names.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open(&self, access: Access) -> Result<Archive, Failure> {
        let config = self.config()?;
        let unlock = self.unlock(&config)?;
        self.open_config(config, &unlock, access)
    }

    /// Opens the archive of a configuration.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open_config<'a>(
        &self,
        config: Config,
        unlock: impl Into<UnlockWith<'a>>,
        access: Access,
    ) -> Result<Archive, Failure> {
        let archive = self.open_unrecorded(config, unlock.into(), access)?;
        if access != Access::Read {
            self.record_surroundings(&archive);
        }
        Ok(archive)
    }

    /// Opens the archive for writing with a configuration that was altered for this one command: it is not recorded as the archive's own.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open_altered<'a>(
        &self,
        config: Config,
        unlock: impl Into<UnlockWith<'a>>,
    ) -> Result<Archive, Failure> {
        let archive = self.open_unrecorded(config, unlock.into(), Access::Write)?;
        self.tell_unrecorded(self.record_media_and_custody(&archive));
        Ok(archive)
    }

    fn open_unrecorded(
        &self,
        config: Config,
        unlock: UnlockWith<'_>,
        access: Access,
    ) -> Result<Archive, Failure> {
        let label = self.output.lang.pick(
            "保管庫を開いています。索引に読んだ版:",
            "opening the archive; versions read into the index:",
        );
        let bar = self.output.spinner(label);
        let open = || {
            Archive::open(
                config.clone(),
                unlock,
                access,
                self.environment.clone(),
                &mut |at| {
                    bar.set_position(at.versions);
                },
            )
        };
        let mut opened = open();
        let started = Instant::now();
        // The service is at work for some moments now and then: it is waited for.
        while opened.as_ref().is_err_and(ArchiveError::is_in_use)
            && started.elapsed() < Self::IN_USE_WAIT
        {
            bar.set_message(self.output.lang.pick(
                "別のプロセスの終わりを待っています",
                "waiting for another process",
            ));
            std::thread::sleep(Self::IN_USE_PAUSE);
            opened = open();
        }
        bar.finish_and_clear();
        let (archive, report) = opened?;
        self.announce(&archive, &report, access);
        self.watches.borrow_mut().push(archive.store().watch());
        Ok(archive)
    }

    /// Records classes, configuration, media and who can open the keys, where they are not recorded as they stand. No command depends on it, least of all one that
    /// makes room on a full medium: a failure is said, and the next opening for writing tries again.
    pub fn record_surroundings(&self, archive: &Archive) {
        if archive.keys().is_write_only() {
            return;
        }
        let recorded = archive
            .record_configuration(&self.user)
            .and_then(|()| self.record_media_and_custody(archive));
        self.tell_unrecorded(recorded);
    }

    fn record_media_and_custody(&self, archive: &Archive) -> Result<(), ArchiveError> {
        record_media(archive, &self.user)?;
        archive
            .record_custody(&self.user)
            .and_then(|()| archive.record_copies(&self.user))
    }

    fn tell_unrecorded(&self, recorded: Result<(), ArchiveError>) {
        if let Err(error) = recorded {
            let text = Failure::from(error).text(self.output.lang);
            self.output.note(&self.output.lang.pick(
                format!("設定、媒体、鍵を開く者を保管庫に記録できませんでした: {text}"),
                format!("configuration, media and the custody of the keys could not be recorded in the archive: {text}"),
            ));
        }
    }

    /// Says which data media went out of service while the command worked.
    pub fn tell_losses(&self) {
        let lang = self.output.lang;
        let lost = self.watches.take();
        for replica in lost.iter().flat_map(ReplicaWatch::lost) {
            let ReplicaCondition::OutOfService(out) = replica.state else {
                continue;
            };
            let directory = replica.directory.clone().unwrap_or_default();
            let medium = replica.medium.to_string();
            self.output.event(&json!({
                "event": "medium-out-of-service", "medium": medium, "directory": directory, "cause": out.cause,
                "since": rfc3339(out.since), "from_segment": out.from.segment,
            }));
            // It was told at the opening, and is not to be returned.
            if out.cause == OutCause::Diverged {
                continue;
            }
            self.output.note(&media_words::put_out(
                replica.directory.as_deref(),
                &medium,
                out.cause,
                lang,
            ));
        }
    }

    /// Says that the archive is for trying the product out, where a command does not open it.
    pub fn tell_evaluation(&self, config: &Config) {
        let data: Vec<&Path> = config.data.iter().map(PathBuf::as_path).collect();
        let found = crate::keys::require_separate(&config.keys, &data, config.evaluation);
        if let Ok(Some(_)) = found {
            self.output.mark_evaluation();
            self.output.note(self.output.lang.pick(
                "試用(EVALUATION)の保管庫です",
                "EVALUATION: this archive is for trying the product out",
            ));
        }
    }

    /// Says what opening found: a trial, a recovery, a rebuilt index. A command that only reads answers a question: what is to be said beside
    /// the answer stands among the notes alone.
    pub fn announce(&self, archive: &Archive, report: &OpeningReport, access: Access) {
        let lang = self.output.lang;
        if let Some(notice) = archive.notice() {
            self.output.mark_evaluation();
            self.output.note(&lang.pick(
                "試用(EVALUATION): 鍵とデータが同じ装置にあります。これを持ち去る者はすべてを読めます".to_owned(),
                notice.to_string(),
            ));
        }
        self.announce_media(report, access);
        self.announce_gaps(report);
        if let Some(place) = &report.catalog.set_aside
            && report.catalog.returned.is_empty()
        {
            let versions = grouped(report.catalog.versions_applied);
            let place = place.display();
            self.output.note(&lang.pick(
                format!("索引が壊れていたので {place} に移し、媒体から作り直しました({versions} 版)"),
                format!("the index was damaged: set aside as {place}, built anew from the media ({versions} versions)"),
            ));
        }
        self.announce_keys(archive, report);
        if let Some(engine) = report.catalog.moved {
            let engine = engine.name();
            self.output.note(&lang.pick(
                format!("索引を {engine} に移しました"),
                format!("moved the index to {engine}"),
            ));
        }
        if let Some(error) = &report.catalog.not_moved {
            self.output.note(&lang.pick(
                format!("索引を移せず、今のまま使います: {error}"),
                format!("the index could not be moved and stays where it is: {error}"),
            ));
        }
        if archive.keys().is_write_only() {
            self.output.note(lang.pick(
                "預入専用の鍵媒体です。預けたものをこの機械から読むことはできません",
                "write-only key medium: what is taken in cannot be read from here",
            ));
            return;
        }
        for (version, address, _) in &report.catalog.without_manifest {
            self.output.note(&lang.pick(
                format!("記録 {version} の目録を開けません(位置 {address})。鍵媒体を確かめてください"),
                format!("the manifest of record {version} at {address} cannot be opened: check the key medium"),
            ));
        }
        for (address, error) in &report.catalog.damaged {
            self.output.note(&lang.pick(
                format!("{address}: どの複製でも壊れています: {error}"),
                format!("{address}: damaged on every copy: {error}"),
            ));
        }
    }

    /// Says which segments the index was made without, and which of these are back.
    fn announce_gaps(&self, report: &OpeningReport) {
        let lang = self.output.lang;
        for segment in &report.catalog.gaps {
            self.output.note(&lang.pick(
                format!("区画 {segment:010} はどの媒体にもありません。そこにあった記録は索引に入っていません(archiver status)"),
                format!("segment {segment:010} is on no medium: the records that stood there are not in the index (see 'archiver status')"),
            ));
        }
        for segment in &report.catalog.returned {
            self.output.note(&lang.pick(
                format!("区画 {segment:010} が戻ったので、索引を作り直しました"),
                format!("segment {segment:010} is back: the index was made anew with it"),
            ));
        }
    }

    /// Says what recovery did, and which media are not as they should be.
    fn announce_media(&self, report: &OpeningReport, access: Access) {
        let lang = self.output.lang;
        let recovery = &report.recovery;
        if recovery.bytes_cut > 0 {
            let bytes = sized(recovery.bytes_cut);
            self.output.note(&lang.pick(
                format!("前回の中断で受領を返していなかった {bytes} を取り除きました"),
                format!("cut off {bytes} that an interrupted run had written and not acknowledged"),
            ));
        }
        for one in &recovery.repaired {
            let bytes = sized(one.bytes);
            let (medium, from) = (one.directory.display(), one.from.display());
            self.output.note(&lang.pick(
                format!("媒体 {medium} の {bytes} を {from} から補いました"),
                format!(
                    "put {bytes} right on the medium at {medium} from another copy, that at {from}"
                ),
            ));
        }
        let at_work = self.at_work.borrow();
        for problem in recovery.media.iter().filter(|one| !at_work.covers(one)) {
            let directory = &problem.directory;
            if access != Access::Read {
                self.output.event(&json!({
                    "event": "medium-not-used", "directory": directory, "medium": problem.medium.map(|id| id.to_string()),
                    "reason": problem.to_string(),
                }));
            }
            self.output.note(&media_words::problem(problem, lang));
        }
        let is_last = !matches!(*at_work, AtWork::All);
        for disagreement in report.media.iter().filter(|_| is_last) {
            self.output
                .note(&lang.pick(disagreement.text_ja(), disagreement.to_string()));
        }
        for (medium, segment) in &recovery.incomplete {
            let medium = medium.display();
            self.output.note(&lang.pick(
                format!("{medium}: 区画 {segment:010} が欠けているか、大きさが違うか、封印が読めません。archiver verify で確かめてください"),
                format!("{medium}: segment {segment:010} is missing, of another size, or has no seal that can be read: see 'archiver verify'"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::fixture::{Bench, passphrase};

    #[test]
    fn a_configuration_that_was_altered_for_one_command_is_not_recorded() {
        let bench = Bench::with(
            Arc::new(firmware::clock::SystemClock),
            "data = [\"data-a\", \"data-b\"]",
            "[media]\ncopies_min = 2",
        );
        let recorded = |archive: &Archive| {
            let recorded = archive.recorded_configuration().unwrap();
            recorded.configuration.map(|one| one.text)
        };
        let archive = bench.open(Access::Write);
        let own = recorded(&archive).unwrap();
        assert!(own.contains("copies_min = 2"));
        archive.close().unwrap();
        let mut altered = bench.config.clone();
        altered.media.copies_min = Some(1);
        let archive = bench.session.open_altered(altered, &passphrase()).unwrap();
        assert_eq!(archive.config().media.copies_min, Some(1));
        assert_eq!(recorded(&archive).unwrap(), own);
        archive.close().unwrap();
    }
}
