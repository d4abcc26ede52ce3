//! `archiver scrub`

mod deep;
mod parity;
mod report;
mod request;
mod service;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use indicatif::ProgressBar;
use serde_json::json;

use crate::archive::{Access, Archive};
use crate::cli::arguments::Scrub as Arguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, grouped, sized};
use crate::cli::session::Session;
use crate::config::Config;
use crate::keys::Unlock;
use crate::scrub::facts;
use crate::scrub::losses;
use crate::scrub::proofs::Proofs;
use crate::scrub::standing::Standing;
use crate::store::scrub::{
    Meter, Pace, RunState, Scrub, ScrubMedia, ScrubState, Selection, StoredSegment,
};

use request::Request;

pub(super) use service::daily;

pub(in crate::cli) fn run(session: &Session, arguments: &Arguments) -> Result<Exit, Failure> {
    let config = session.config()?;
    if arguments.report {
        return report::run(session, config);
    }
    let request = Request::of(session, arguments, &config)?;
    if arguments.add_parity {
        return parity::run(session, &config, &request);
    }
    let unlock = match arguments.no_record {
        true => None,
        false => Some(session.unlock(&config)?),
    };
    scrub(session, &config, unlock.as_ref(), &request)
}

/// Reads what is asked for, heals, tells, and records it. The service calls it, too.
pub(super) fn scrub(
    session: &Session,
    config: &Config,
    unlock: Option<&Unlock>,
    request: &Request,
) -> Result<Exit, Failure> {
    let disk = Arc::clone(&session.environment.disk);
    let media = ScrubMedia::open(&config.data, config.archive, &disk)?;
    let mut work = Work {
        session,
        config,
        unlock,
        request,
        media: &media,
        state_file: state_file(config),
        exit: Exit::Done,
    };
    work.absent();
    work.strays()?;
    let mut state = work.state()?;
    if request.deep {
        work.deep(&mut state)?;
    } else {
        work.read(&mut state)?;
    }
    work.finish(&mut state)?;
    Ok(work.exit)
}

/// Where a run is remembered: beside the index.
pub(super) fn state_file(config: &Config) -> PathBuf {
    let mut path = config.index.as_os_str().to_owned();
    path.push(".scrub.json");
    path.into()
}

/// One call of the command.
struct Work<'a> {
    session: &'a Session,
    config: &'a Config,
    unlock: Option<&'a Unlock>,
    request: &'a Request,
    media: &'a ScrubMedia,
    state_file: PathBuf,
    exit: Exit,
}

impl Work<'_> {
    /// A worse outcome stands: an integrity failure above all.
    fn worse(&mut self, exit: Exit) {
        let rank = |exit: Exit| match exit {
            Exit::Done => 0,
            Exit::Integrity => 3,
            Exit::Medium => 2,
            Exit::Partial
            | Exit::Usage
            | Exit::Unusable
            | Exit::Passphrase
            | Exit::Tsa
            | Exit::NotFound
            | Exit::NotAllowed => 1,
        };
        if rank(exit) > rank(self.exit) {
            self.exit = exit;
        }
    }

    fn open(&self, access: Access) -> Result<Option<Archive>, Failure> {
        let Some(unlock) = self.unlock else {
            return Ok(None);
        };
        let config = self.config.clone();
        self.session.open_config(config, unlock, access).map(Some)
    }

    /// Media that are not there cannot be proven.
    fn absent(&mut self) {
        for directory in &self.media.absent {
            self.session
                .output
                .note(&words::absent(self.session.output.lang, directory));
            self.exit = Exit::Medium;
        }
    }

    /// Files of segments in a wrong place would keep the archive from being opened for writing.
    fn strays(&mut self) -> Result<(), Failure> {
        let found = self.media.stray_files()?;
        if found.is_empty() {
            return Ok(());
        }
        let lang = self.session.output.lang;
        if !self.request.heal {
            for path in found {
                self.session.output.say(&words::stray(lang, &path, None));
            }
            self.worse(Exit::Integrity);
            return Ok(());
        }
        let pace = self.request.pace(self.session, None);
        let disk = Arc::clone(&self.session.environment.disk);
        let scrub = self.scrub(&pace, disk.as_ref());
        let _locks = scrub.locks()?;
        for (path, aside) in found.iter().zip(self.media.set_strays_aside()?) {
            self.session.output.event(&json!({
                "event": "set-aside", "file": path.display().to_string(), "as": aside.display().to_string(),
            }));
            self.session
                .output
                .say(&words::stray(lang, path, Some(&aside)));
        }
        Ok(())
    }

    fn scrub<'a>(&'a self, pace: &'a Pace, disk: &'a dyn crate::store::durable::Disk) -> Scrub<'a> {
        Scrub {
            media: self.media,
            pace,
            heal: self.request.heal,
            parity: self.config.parity.map(Into::into),
            state_file: &self.state_file,
            disk,
        }
    }

    /// The run to go on with, or a new one. One that was left behind with another request is recorded first.
    fn state(&mut self) -> Result<ScrubState, Failure> {
        let mut state = ScrubState::read(&self.state_file);
        let wanted = self.request.selection.to_string();
        if let Some(run) = &state.run {
            let is_same = run.selection == wanted && run.deep == self.request.deep;
            if is_same && !run.todo.is_empty() {
                if !self.request.is_of_service() {
                    let left = grouped(run.left().len() as u64);
                    let lang = self.session.output.lang;
                    let text = words::resumed(lang, &run.started, &left);
                    self.session.output.note(&text);
                }
                return Ok(state);
            }
            let done = run.clone();
            self.record(&done)?;
            state.run = None;
        }
        let segments = self.media.segments()?;
        let chosen = match self.request.selection {
            Selection::Oldest(_) => self.oldest(&segments)?,
            selection @ (Selection::All | Selection::Part { .. }) => {
                selection.choose(&segments, &|_| None)
            }
        };
        let now = self.session.environment.clock.now();
        state.run = Some(RunState::new(now, self.request.deep, wanted, &chosen));
        Ok(state)
    }

    fn oldest(&self, segments: &[StoredSegment]) -> Result<Vec<u32>, Failure> {
        let media = self.media.media();
        let proofs = match self.open(Access::Read)? {
            Some(archive) => Proofs::of(archive.catalog(), &media)?,
            None => Proofs::for_media(&media),
        };
        let selection = self.request.selection;
        Ok(selection.choose(segments, &|segment| proofs.segment(segment)))
    }

    /// Reads stored bytes.
    fn read(&mut self, state: &mut ScrubState) -> Result<(), Failure> {
        let lang = self.session.output.lang;
        self.tell_waiting();
        let bar = self.bar(state)?;
        let pace = self.request.pace(self.session, Some(meter(&bar)));
        let disk = Arc::clone(&self.session.environment.disk);
        let mut done = 0_u64;
        self.scrub(&pace, disk.as_ref()).run(state, &mut |healing, run| {
            done += 1;
            self.session.output.event(&json!({
                "event": "segment", "segment": healing.segment, "whole": healing.is_whole(), "was_whole": healing.was_whole(),
                "bytes": run.bytes, "segments_done": done, "segments_left": run.left().len(),
            }));
            for finding in run.findings.iter().filter(|one| one.segment == healing.segment) {
                bar.suspend(|| words::tell_finding(&self.session.output, self.media, finding));
            }
            if !run.todo.is_empty() {
                bar.suspend(|| self.tell_waiting());
            }
            !self.request.is_stopped()
        })?;
        bar.finish_and_clear();
        if let Some(run) = &state.run
            && !run.todo.is_empty()
        {
            let left = grouped(run.left().len() as u64);
            if !self.request.is_of_service() {
                self.session.output.note(&words::interrupted(lang, &left));
                self.worse(Exit::Partial);
            }
        }
        Ok(())
    }

    /// Says that the hours have not begun, and when they do.
    fn tell_waiting(&self) {
        let now = self.session.environment.clock.now();
        if let Some(until) = self.request.waits_until(now) {
            words::tell_waiting(&self.session.output, until);
        }
    }

    fn bar(&self, state: &ScrubState) -> Result<ProgressBar, Failure> {
        let left = state.run.as_ref().map(RunState::left).unwrap_or_default();
        let left: std::collections::BTreeSet<u32> = left.into_iter().collect();
        let segments = self.media.segments()?;
        let wanted = segments.iter().filter(|one| left.contains(&one.segment));
        let bytes = wanted.map(|one| one.bytes).sum();
        let label = self.session.output.lang.pick("巡回検査", "scrubbing");
        Ok(self.session.output.bar(label, bytes, Unit::Bytes))
    }

    /// Names what is lost, records the run, says what it was.
    fn finish(&mut self, state: &mut ScrubState) -> Result<(), Failure> {
        let Some(mut run) = state.run.clone() else {
            return Ok(());
        };
        run.note_missing(&self.media.missing()?);
        self.name_losses(&mut run)?;
        words::tell_losses(&self.session.output, &run);
        words::summary(&self.session.output, self.media, &run);
        if !run.is_whole() {
            self.worse(Exit::Integrity);
        }
        let disk = Arc::clone(&self.session.environment.disk);
        // It stands beside the index, in the clear.
        let mut unnamed = run.clone();
        losses::unname(&mut unnamed.losses);
        state.run = Some(unnamed);
        state.write(disk.as_ref(), &self.state_file)?;
        if !run.todo.is_empty() {
            // It goes on later, and is recorded then.
            return Ok(());
        }
        self.record(&run)?;
        state.run = None;
        state.write(disk.as_ref(), &self.state_file)?;
        Ok(())
    }

    fn record(&self, run: &RunState) -> Result<(), Failure> {
        if let Some(archive) = self.open(Access::Write)? {
            facts::record(&archive, run, &self.session.user)?;
            archive.close()?;
        }
        Ok(())
    }

    /// Says whose the lost bytes are, with their names, and since when they are known to have been whole.
    fn name_losses(&self, run: &mut RunState) -> Result<(), Failure> {
        if run.losses.is_empty() && run.findings.is_empty() {
            return Ok(());
        }
        let Some(archive) = self.open(Access::Read)? else {
            return Ok(());
        };
        let accepted = Standing::of(&archive)?.accepted;
        run.losses
            .retain(|loss| !loss.is_missing() || !accepted.contains(&loss.segment));
        let proofs = Proofs::of(archive.catalog(), &self.media.media())?;
        words::date_findings(run, &proofs);
        if run.losses.is_empty() {
            return Ok(());
        }
        losses::name(&archive, &mut run.losses)?;
        Ok(())
    }
}

fn meter(bar: &ProgressBar) -> Meter {
    let bar = bar.clone();
    Meter(Arc::new(move |bytes| bar.inc(bytes)))
}

/// A number of bytes, and segments, in words.
fn amount(bytes: u64, segments: u64) -> (String, String) {
    (sized(bytes), grouped(segments))
}
