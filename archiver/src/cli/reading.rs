//! Opening an archive to answer a question, also while its index is being made.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::archive::{Access, Archive, ArchiveError, OpeningReport};
use crate::config::Config;
use crate::keys::UnlockWith;
use crate::store::StoreError;
use crate::store::catalog::Filling;

use super::failure::Failure;
use super::output::grouped;
use super::session::Session;

/// How long an index that is being made is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// How long at most. `None`: until it is whole.
    pub(super) whole: Option<Duration>,
    /// Whether one is made beside that of another process; otherwise the segments alone are asked.
    pub(super) fills_beside: bool,
}

impl Patience {
    /// For what is found in the segments as well.
    pub(super) const RECORD: Self = Self {
        whole: Some(Duration::from_millis(300)),
        fills_beside: false,
    };

    /// For a search: so long somebody waits without asking why.
    pub(super) const SEARCH: Self = Self {
        whole: Some(Duration::from_secs(2)),
        fills_beside: true,
    };

    /// Until it is whole.
    pub(super) const ENDLESS: Self = Self {
        whole: None,
        fills_beside: true,
    };
}

impl Session {
    /// Opens the archive that the configuration names for reading. Its index may not be whole yet ([`crate::store::catalog::Catalog::filling`]): what was read
    /// into it stays, and the next command goes on from there.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn open_reading(&self, patience: Patience) -> Result<Archive, Failure> {
        let config = self.config()?;
        let unlock = self.unlock(&config)?;
        let (archive, mut report) = self.open_or_beside(&config, (&unlock).into(), patience)?;
        let label = self.output.lang.pick(
            "索引を媒体から読んでいます(版)",
            "reading versions into the index:",
        );
        let bar = self.output.spinner(label);
        let started = Instant::now();
        let filled = archive.finish_filling(&mut |at| {
            bar.set_position(at.versions);
            match patience.whole {
                Some(most) if started.elapsed() >= most => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        bar.finish_and_clear();
        if let Some(filled) = filled? {
            let opened = std::mem::replace(&mut report.catalog, filled);
            report.catalog.set_aside = opened.set_aside;
            report.catalog.returned = opened.returned;
            report.catalog.moved = opened.moved;
            report.catalog.not_moved = opened.not_moved;
        }
        (report.media, report.keys) = archive.look_around(Access::Read)?;
        self.announce(&archive, &report, Access::Read);
        self.watches.borrow_mut().push(archive.store().watch());
        Ok(archive)
    }

    /// Another process that has the index is waited for a moment; then the segments are read beside it. One that has the media or the keys is waited for as
    /// long as by every command.
    fn open_or_beside(
        &self,
        config: &Config,
        unlock: UnlockWith<'_>,
        patience: Patience,
    ) -> Result<(Archive, OpeningReport), Failure> {
        let bar = self.output.spinner(self.output.lang.pick(
            "別のプロセスの終わりを待っています(回)",
            "waiting for another process, attempts:",
        ));
        let started = Instant::now();
        loop {
            let environment = self.environment.clone();
            let opened =
                Archive::open_filling(config.clone(), unlock, Access::Read, environment.clone());
            let error = match opened {
                Ok(opened) => return Ok(opened),
                Err(error) => error,
            };
            let has_index = matches!(error, ArchiveError::Store(StoreError::IndexInUse { .. }));
            if has_index && started.elapsed() >= INDEX_WAIT {
                let fills = patience.fills_beside;
                let beside = Archive::open_beside(config.clone(), unlock, environment, fills);
                match beside {
                    Ok(opened) => {
                        bar.finish_and_clear();
                        self.tell_beside();
                        return Ok(opened);
                    }
                    Err(error) if !error.is_in_use() => return Err(error.into()),
                    Err(_) => {}
                }
            }
            if !error.is_in_use() || started.elapsed() >= Self::IN_USE_WAIT {
                return Err(error.into());
            }
            bar.inc(1);
            std::thread::sleep(Self::IN_USE_PAUSE);
        }
    }

    fn tell_beside(&self) {
        self.output.note(self.output.lang.pick(
            "索引は別のプロセスが使用中です(作り直しているときもあります)。媒体の区画から読みます",
            "another process has the index, or is making it: the segments on the media are read instead",
        ));
    }

    /// Says that the answer rests on the segments, as the index is not whole yet.
    pub(super) fn tell_read_from_segments(&self, filling: Filling) {
        let (known, all) = far(filling);
        self.output.note(&self.output.lang.pick(
            format!("索引を作っている途中です({all} 版中 {known} 版)。この記録は媒体の区画から探しました。結果は完全です"),
            format!("the index is being made: {known} of about {all} versions; the record was looked for in the segments themselves, and the answer is whole"),
        ));
    }

    /// Says that a list is not complete, as the index is not whole yet.
    pub(super) fn tell_incomplete(&self, filling: Filling) {
        let (known, all) = far(filling);
        self.output.note(&self.output.lang.pick(
            format!("索引を作っている途中です: {all} 版中 {known} 版。この結果は完全ではありません。もう一度実行すると続きから読みます。終わりまで待つには --wait"),
            format!("index is being made: {known} of about {all} versions; not complete. The next command goes on from there; --wait waits for all of it"),
        ));
    }
}

/// How many versions are in the index, of about how many.
fn far(filling: Filling) -> (String, String) {
    let all = filling.versions_expected.max(filling.versions);
    (grouped(filling.versions), grouped(all))
}

/// How long another process's hold on the index is waited for: most commands are done by then.
const INDEX_WAIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::arguments::Arguments;
    use crate::cli::exit::Exit;
    use crate::cli::fixture::{Bench, passphrase};
    use crate::store::catalog::Query;
    use crate::store::durable::DirectoryLock;
    use clap::Parser;

    fn run(bench: &Bench, words: &[&str]) -> Exit {
        let words = ["archiver"].iter().chain(words);
        let parsed = Arguments::try_parse_from(words).unwrap();
        crate::cli::run(parsed.command, &bench.session)
    }

    /// A bench with three records, and the id of the first.
    fn filled() -> (Bench, String) {
        let mut bench = Bench::new();
        let secret = bench.place.path().join("passphrase");
        crate::store::durable::replace_file(&*bench.disk, &secret, b"known to everybody\n")
            .unwrap();
        bench.session.common.passphrase_file = Some(secret);
        for text in ["first", "second", "third"] {
            let file = bench.place.path().join(text);
            crate::store::durable::replace_file(&*bench.disk, &file, text.as_bytes()).unwrap();
            let path = file.to_str().unwrap();
            assert_eq!(
                run(&bench, &["deposit", path, "--class", "general"]),
                Exit::Done
            );
        }
        let archive = bench.open(Access::Read);
        let hits = archive.catalog().search(&Query::default()).unwrap();
        assert_eq!(hits.len(), 3);
        let id = hits.first().unwrap().version.record().to_string();
        archive.close().unwrap();
        (bench, id)
    }

    fn folders(bench: &Bench) -> Vec<String> {
        let entries = fs::read_dir(&bench.config.index).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("beside-")).collect()
    }

    #[test]
    fn a_process_that_has_the_index_keeps_nobody_from_reading() {
        let (bench, id) = filled();
        let index = DirectoryLock::take(&bench.config.index, true).unwrap();
        // Left by a process that was killed.
        fs::create_dir(bench.config.index.join("beside-1-0")).unwrap();
        let output = bench.place.path().join("back");
        let path = output.to_str().unwrap();
        assert_eq!(run(&bench, &["get", &id, "-o", path]), Exit::Done);
        assert_eq!(fs::read(&output).unwrap(), b"first");
        assert_eq!(folders(&bench), [""; 0]);
        assert_eq!(run(&bench, &["search", "--wait"]), Exit::Done);
        assert_eq!(folders(&bench), [""; 0]);
        let other = "01935e7a-1111-7222-8333-444455556666";
        assert_eq!(run(&bench, &["get", other, "-o", path]), Exit::NotFound);
        drop(index);
    }

    #[test]
    fn a_list_that_is_not_complete_is_partial() {
        let (bench, _) = filled();
        let (archive, _) = Archive::open_beside(
            bench.config.clone(),
            &passphrase(),
            bench.session.environment.clone(),
            false,
        )
        .unwrap();
        let question = Query::default();
        let answered = crate::cli::commands::search::answer(&bench.session, &archive, &question);
        assert_eq!(answered.unwrap(), Exit::Partial);
        archive.close().unwrap();
        let mut patient = Patience::ENDLESS;
        let archive = bench.session.open_reading(patient).unwrap();
        assert_eq!(archive.catalog().filling(), None);
        archive.close().unwrap();
        // An index that is gone and has no time at all to be made: whatever is answered, it says how far it is.
        fs::remove_dir_all(&bench.config.index).unwrap();
        patient.whole = Some(Duration::ZERO);
        let archive = bench.session.open_reading(patient).unwrap();
        let known = archive.catalog().search_known(&question).unwrap();
        assert!(known.0.len() == 3 || known.1.is_some());
        archive.close().unwrap();
        assert_eq!(run(&bench, &["search", "--wait"]), Exit::Done);
    }
}
