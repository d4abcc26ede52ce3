//! The visits of the service at the archive: the work of `archiver stamp` and `archiver renew`, without their words.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::archive::{self, Access, Archive};
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::{Config, TsaKind};
use crate::evidence::calendar::{RenewalOptions, plan};
use crate::keys::Unlock;
use crate::service::schedule::{Seen, Todo};
use crate::service::work::{AuthorityState, IndexFilling, Visit, Work, WorkError};
use crate::tsa::client::EMBEDDED_NAME;

use super::media_alarms;
use super::renew::carry_out::all_due;
use super::renew::facts;
use super::scrub::daily;
use super::signature::renew_signatures;
use super::stamp::stamp;

/// Does the work of the service.
pub(super) struct Archivist<'a> {
    session: &'a Session,
    config: Config,
    unlock: &'a Unlock,
    /// The archive, where the service holds it open for others.
    held: Option<Arc<Archive>>,
}

impl<'a> Archivist<'a> {
    /// For the archive of a configuration; nothing is opened.
    pub(super) const fn new(session: &'a Session, config: Config, unlock: &'a Unlock) -> Self {
        Self {
            session,
            config,
            unlock,
            held: None,
        }
    }

    /// For an archive that is held open.
    pub(super) fn held(session: &'a Session, archive: Arc<Archive>, unlock: &'a Unlock) -> Self {
        Self {
            session,
            config: archive.config().clone(),
            unlock,
            held: Some(archive),
        }
    }

    /// Looks at the archive, does what is to be done, and tells how it is then.
    fn look(
        &self,
        archive: &Archive,
        decide: &mut dyn FnMut(&Seen) -> Todo,
    ) -> Result<Visit, Failure> {
        let mut visit = Visit {
            seen: Self::seen(archive)?,
            ..Visit::default()
        };
        let todo = decide(&visit.seen);
        self.work(archive, todo, &mut visit);
        visit.authorities = self.authorities();
        match media_alarms::conditions(archive) {
            Ok(found) => visit.media = Some(found),
            Err(failure) => visit.failures.push(self.text(&failure)),
        }
        Ok(visit)
    }

    fn text(&self, failure: &Failure) -> String {
        failure.text(self.session.output.lang)
    }

    fn seen(archive: &Archive) -> Result<Seen, Failure> {
        let waiting = archive.queue().waiting()?;
        Ok(Seen {
            unstamped: waiting.count,
            since: waiting.since,
            unopened: waiting.unopened,
            unopened_since: waiting.unopened_since,
        })
    }

    /// Does what is to be done; each failure is told, and does not stop the rest.
    fn work(&self, archive: &Archive, todo: Todo, visit: &mut Visit) {
        if todo.stamp {
            match stamp(self.session, archive) {
                Ok(stamped) => {
                    visit.stamped = stamped.versions;
                    visit.tokens += stamped.batches;
                    if stamped.unreadable > 0 {
                        let count = stamped.unreadable;
                        let text = self.session.output.lang.pick(
                            format!("{count} 件の記録を開けません"),
                            format!("{count} records cannot be opened"),
                        );
                        visit.failures.push(text);
                    }
                }
                Err(failure) => visit.failures.push(self.text(&failure)),
            }
        }
        if todo.renew
            && let Err(failure) = self.renew(archive, visit)
        {
            visit.failures.push(self.text(&failure));
        }
        if todo.renew
            && let Err(failure) = renew_signatures(self.session, archive)
        {
            visit.failures.push(self.text(&failure));
        }
        match Self::seen(archive) {
            Ok(seen) => visit.seen = seen,
            Err(failure) => visit.failures.push(self.text(&failure)),
        }
    }

    /// Plans, does what is due, and plans again: what is left then is told.
    fn renew(&self, archive: &Archive, visit: &mut Visit) -> Result<(), Failure> {
        let options = RenewalOptions::from(&archive.config().renewal);
        let planned = || -> Result<_, Failure> {
            let chains = facts(self.session, archive, archive.policy())?;
            let now = archive.environment().clock.now();
            Ok(plan(&chains, archive.policy(), &options, now))
        };
        let mut current = planned()?;
        let nothing_due = current.due.is_empty();
        visit.plan = Some(current.clone());
        if nothing_due {
            return Ok(());
        }
        let done = all_due(self.session, archive, &mut current, &mut || planned());
        // Also after a failure: what was done before it counts.
        visit.plan = Some(planned()?);
        let done = done?;
        visit.tokens += done.tokens;
        visit.renewed += done.chains;
        if done.left > 0 {
            let left = done.left;
            let text = self.session.output.lang.pick(
                format!("{left} 個の鎖か記録を更新できませんでした"),
                format!("{left} chains or records could not be renewed"),
            );
            visit.failures.push(text);
        }
        Ok(())
    }

    fn authorities(&self) -> Vec<AuthorityState> {
        let health = archive::health(&self.config, &self.session.environment);
        let names = self.config.tsas.iter().map(|tsa| match &tsa.kind {
            TsaKind::Embedded => EMBEDDED_NAME,
            TsaKind::Remote { .. } => tsa.name.as_str(),
        });
        names
            .map(|name| {
                let known = health.of(name);
                AuthorityState {
                    name: name.to_owned(),
                    failures: known.failures,
                    reason: known.last_failure.map(|(_, reason)| reason),
                    last_success: known.last_success,
                }
            })
            .collect()
    }
}

impl Work for Archivist<'_> {
    fn visit(
        &mut self,
        filling: &mut dyn FnMut(IndexFilling) -> ControlFlow<()>,
        decide: &mut dyn FnMut(&Seen) -> Todo,
    ) -> Result<Option<Visit>, WorkError> {
        if let Some(archive) = &self.held {
            let looked = self.look(archive, decide).map_err(|failure| WorkError {
                text: self.text(&failure),
            });
            return looked.map(Some);
        }
        // Folders may have changed since the last visit.
        self.config = match self.session.config() {
            Ok(config) => config,
            Err(failure) => {
                return Err(WorkError {
                    text: self.text(&failure),
                });
            }
        };
        let failed = |failure: Failure| WorkError {
            text: self.text(&failure),
        };
        let environment = self.session.environment.clone();
        let opened =
            Archive::open_filling(self.config.clone(), self.unlock, Access::Write, environment);
        let (archive, _) = opened.map_err(|error| failed(error.into()))?;
        // What is to be done is known when the index is whole; until then monitors see how far it is.
        let filled = archive.finish_filling(&mut |at| {
            filling(IndexFilling {
                versions: at.versions,
                versions_expected: at.versions_expected,
            })
        });
        if filled.map_err(|error| failed(error.into()))?.is_none() {
            archive.close().map_err(|error| failed(error.into()))?;
            return Ok(None);
        }
        self.session.record_surroundings(&archive);
        let mut visit = self.look(&archive, decide).map_err(failed)?;
        if let Err(error) = archive.close() {
            visit.failures.push(self.text(&error.into()));
        }
        // Read again without the archive: others can use it meanwhile.
        match daily(self.session, &self.config, self.unlock) {
            Ok(None) => {}
            Ok(Some(text)) => visit.failures.push(text),
            Err(failure) => visit.failures.push(self.text(&failure)),
        }
        Ok(Some(visit))
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::cli::fixture::{Bench, passphrase};
    use crate::store::durable::faults::{Call, Fault, Outcome};

    fn is_recorded(bench: &Bench) -> bool {
        let archive = bench.open(Access::Read);
        let recorded = archive.recorded_configuration().unwrap();
        archive.close().unwrap();
        recorded.configuration.is_some()
    }

    #[test]
    fn a_full_medium_does_not_keep_the_archive_shut() {
        let bench = Bench::new();
        bench.disk.arm(Fault {
            call: Some(Call::Write),
            path: "segments".to_owned(),
            after: 0,
            sticky: true,
            error: ErrorKind::StorageFull,
            outcome: Outcome::Lost,
        });
        let archive = bench.open(Access::Write);
        drop(archive.close());
        bench.disk.heal();
        assert!(!is_recorded(&bench));
        bench.open(Access::Write).close().unwrap();
        assert!(is_recorded(&bench));
    }

    #[test]
    fn the_service_records_what_it_is_configured_as() {
        let bench = Bench::new();
        let unlock = Unlock::Passphrase(passphrase());
        let mut archivist = Archivist::new(&bench.session, bench.config.clone(), &unlock);
        let mut go_on = |_| ControlFlow::Continue(());
        let visit = archivist.visit(&mut go_on, &mut |_| Todo::default());
        assert!(visit.unwrap().is_some());
        assert!(is_recorded(&bench));
    }
}
