//! `archiver serve` with `[service.https]`: the archive is held open, and people and systems reach it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::access::session::SessionRules;
use crate::acts::{AccessRules, Desk, DeskParts, JobOrder, Jobs};
use crate::archive::{Access, Archive, ArchiveError};
use crate::audit::{Act, AuditTrail};
use crate::cli::arguments::PAPER_TEXT;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::{HttpsConfig, IntakesConfig, OpenidConfig};
use crate::https::{self, HttpsError, Limits, TlsFiles};
use crate::keys::Unlock;
use crate::openid::{OpenidProvider, ProviderParts};
use crate::paper::PaperReader;
use crate::service::http::{self, Shown};
use crate::service::log::{self, Level};
use crate::service::metrics::Status;
use crate::service::scheduler::Scheduler;
use crate::telemetry::{
    self, LogTarget, LogWriter, Observer, Tracer, TracerParts, Within, observed,
};
use crate::upload::{UploadRules, Uploads};

use super::serve::{roots_at, secret_at};
use super::serving_events::Events;
use super::serving_intakes::Intakes;
use super::tsa::stopped;

/// An archive that is served.
pub(super) struct Serving {
    desk: Arc<Desk>,
    orders: mpsc::Receiver<JobOrder>,
    intakes: IntakesConfig,
}

impl Serving {
    /// Opens the archive, and keeps it open.
    pub(super) fn open(session: &Session, unlock: &Unlock) -> Result<Arc<Archive>, Failure> {
        let config = session.config()?;
        Ok(Arc::new(session.open_config(
            config,
            unlock,
            Access::Write,
        )?))
    }

    /// Puts the desk over an open archive.
    pub(super) fn over(
        session: &Session,
        archive: Arc<Archive>,
        https: &HttpsConfig,
        status: Arc<Mutex<Status>>,
    ) -> Result<Self, Failure> {
        let lang = session.output.lang;
        // Searches are answered from memory; without it they would read the whole index.
        archive
            .catalog()
            .keep_columns(&mut |_| {})
            .map_err(ArchiveError::from)?;
        let trail = AuditTrail::open(Arc::clone(&archive)).map_err(|error| {
            Failure::said(
                Exit::Unusable,
                lang,
                format!("監査証跡を開けません: {error}"),
                format!("the audit trail cannot be opened: {error}"),
            )
        })?;
        let intakes = archive.config().intakes.clone();
        let events = archive.config().alarms.events;
        let (sender, orders) = mpsc::channel();
        let openid = match &https.openid {
            None => None,
            Some(openid) => Some(provider(session, openid)?),
        };
        let rules = UploadRules::of_hours(https.upload_hours);
        let uploads = Uploads::open(&archive, rules).map_err(|error| Failure::Said {
            exit: Exit::Unusable,
            text: error.text(lang),
        })?;
        let desk = Desk::new(DeskParts {
            archive,
            trail,
            rules: AccessRules {
                sessions: SessionRules {
                    idle_max: time::Duration::minutes(i64::from(https.idle_minutes)),
                    ..SessionRules::default()
                },
                events,
                ..AccessRules::default()
            },
            jobs: Jobs::new(sender, status),
            deposit_bytes_max: https.upload_bytes_max,
            uploads,
            openid,
            // A program that does not know where it lies reads none.
            paper: std::env::current_exe()
                .ok()
                .map(|program| PaperReader::new(program, PAPER_TEXT.to_owned())),
        })?;
        Ok(Self {
            desk: Arc::new(desk),
            orders,
            intakes,
        })
    }

    /// Serves and works until somebody asks to stop; what is under way then is brought to its end.
    pub(super) fn run(
        self,
        session: &Session,
        runtime: &Runtime,
        https: &HttpsConfig,
        monitors: SocketAddr,
        (mut scheduler, shown): (Scheduler<'_>, Shown),
    ) -> Result<(), Failure> {
        let lang = session.output.lang;
        let unusable = |error: &HttpsError| Failure::Said {
            exit: Exit::Unusable,
            text: error.text(lang),
        };
        let tls = https::configuration(&TlsFiles::from(https)).map_err(|error| unusable(&error))?;
        let bind = |address| {
            let bound = runtime.block_on(TcpListener::bind(address));
            bound.map_err(|source| unusable(&HttpsError::Listen { address, source }))
        };
        let (listener, monitored) = (bind(https.listen)?, bind(monitors)?);
        let address = listener.local_addr().unwrap_or(https.listen);
        let (end, ended) = oneshot::channel::<()>();
        let tracer = self.tracer(session, runtime)?;
        let observer = Arc::new(self.observer(session, tracer.clone())?);
        let routes = router(&self.desk, shown.clone());
        let server = runtime.spawn(https::serve(
            listener,
            Arc::new(tls),
            observed(routes, Arc::clone(&observer)),
            Limits::of(https),
            async {
                drop(ended.await);
            },
        ));
        // Monitors have no account: what they see stands on a port of its own, and nothing of any record is among it.
        runtime.spawn(http::serve(monitored, shown, std::future::pending()));
        let is_stopping = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&is_stopping);
        runtime.spawn(async move {
            stopped().await;
            stopping.store(true, Ordering::Relaxed);
        });
        self.desk
            .told(Act::ServiceStart)
            .map_err(|refusal| Failure::Said {
                exit: Exit::Medium,
                text: refusal.text(lang),
            })?;
        let mut intakes = Intakes::start(session, &self.desk, &self.intakes, scheduler.held_up())?;
        let mut events = Events::of(session, self.desk.archive().config(), &self.desk);
        let evaluation = self.desk.archive().notice().is_some();
        note(
            session,
            "serving",
            json!({ "url": format!("https://{address}/"), "evaluation": evaluation }),
        );
        telemetry::within(tracer.clone().map(Within::nothing), || {
            self.work(
                session,
                &mut scheduler,
                (&mut intakes, &mut events),
                &is_stopping,
            );
        });
        note(session, "stopping", json!({}));
        intakes.stop();
        // Where the server is gone already, nobody has to be told.
        let _sent = end.send(());
        drop(runtime.block_on(server));
        if let Some(log) = &observer.log {
            log.finish();
        }
        if let Some(tracer) = &tracer {
            tracer.finish();
        }
        drop(scheduler);
        self.close(session)
    }

    /// What looks at requests, as the configuration says.
    fn observer(
        &self,
        session: &Session,
        tracer: Option<Arc<Tracer>>,
    ) -> Result<Observer, Failure> {
        let clock = Arc::clone(&session.environment.clock);
        let log = match &self.desk.archive().config().service.log {
            None => None,
            Some(log) => {
                let target = match &log.file {
                    None => LogTarget::Lines(Box::new(session.output.clone())),
                    Some(file) => LogTarget::File(file.clone()),
                };
                let place = log
                    .file
                    .as_deref()
                    .map_or_else(String::new, |file| format!(" {}:", file.display()));
                let opened = LogWriter::start(target, Arc::clone(&clock));
                Some(opened.map_err(|error| Failure::Said {
                    exit: Exit::Unusable,
                    text: format!("service.log:{place} {error}"),
                })?)
            }
        };
        let entropy = Arc::clone(&session.environment.entropy);
        Ok(Observer {
            clock,
            entropy,
            log,
            tracer,
        })
    }

    /// Who is told how long things took, as the configuration says.
    fn tracer(&self, session: &Session, runtime: &Runtime) -> Result<Option<Arc<Tracer>>, Failure> {
        let config = self.desk.archive().config();
        let Some(telemetry) = &config.service.telemetry else {
            return Ok(None);
        };
        let unusable = |text: String| Failure::Said {
            exit: Exit::Unusable,
            text: format!("service.telemetry: {text}"),
        };
        let tracer = Tracer::start(TracerParts {
            endpoint: &telemetry.endpoint,
            tls_roots: &roots_at(telemetry.tls_roots.as_deref()).map_err(unusable)?,
            archive: config.archive.to_string(),
            clock: Arc::clone(&session.environment.clock),
            entropy: Arc::clone(&session.environment.entropy),
            log: Box::new(session.output.clone()),
            runtime: runtime.handle().clone(),
        });
        tracer.map(Arc::new).map(Some).map_err(unusable)
    }

    /// Does what is due until somebody asks to stop.
    fn work(
        &self,
        session: &Session,
        scheduler: &mut Scheduler<'_>,
        (intakes, events): (&mut Intakes, &mut Events),
        is_stopping: &AtomicBool,
    ) {
        let status = scheduler.status();
        let mut kept = None;
        let mut unread = None;
        let mut journals_due = true;
        while !is_stopping.load(Ordering::Relaxed) {
            scheduler.tick();
            if kept.is_none_or(|at: Instant| at.elapsed() >= KEEPING_EVERY) {
                kept = Some(Instant::now());
                self.keep_books(session, &mut journals_due);
            }
            self.watch_trail(session, &status);
            intakes.tell_trouble();
            let found = events.tick(&self.desk, scheduler, &mut |details| {
                note(session, "event", details);
            });
            let trouble = found.err().map(|refusal| refusal.text(session.output.lang));
            if let Some(text) = trouble.as_ref().filter(|_| trouble != unread) {
                note(session, "failed", json!({ "text": text }));
            }
            unread = trouble;
            if let Ok(order) = self.orders.recv_timeout(TICK) {
                scheduler.order(order.todo());
            }
        }
    }

    /// A service whose audit trail cannot be written serves nobody: monitors see it at once, and the journal says it once.
    fn watch_trail(&self, session: &Session, status: &Mutex<Status>) {
        let Err(refusal) = self.desk.working() else {
            return;
        };
        let text = refusal.text(session.output.lang);
        let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
        if status.unreachable.as_ref() != Some(&text) {
            note(session, "audit-stopped", json!({ "text": text }));
            status.unreachable = Some(text);
        }
    }

    /// What is done now and then: it is written down when accounts were used, which nobody uses any more, the days of the audit trail that are over, and
    /// their operation journals; uploads that are over are removed.
    fn keep_books(&self, session: &Session, journals_due: &mut bool) {
        let used = self.desk.record_uses();
        let closed = self.desk.close_days();
        *journals_due |= closed.as_ref().is_ok_and(|days| *days > 0);
        let journals = if *journals_due {
            self.desk.close_journals()
        } else {
            Ok(0)
        };
        *journals_due = journals.is_err();
        let unattended = self.desk.suspend_unattended();
        for one in unattended.iter().flatten() {
            let told = json!({ "account": one.account, "cause": one.cause.code() });
            note(session, "account-suspended", told);
        }
        let failures = [
            used.err(),
            closed.err(),
            journals.err(),
            unattended.err(),
            self.desk.expire_uploads().err(),
        ];
        for refusal in failures.into_iter().flatten() {
            let text = refusal.text(session.output.lang);
            note(session, "failed", json!({ "text": text }));
        }
    }

    /// Ends the work with the archive. Whatever still holds the desk lets go of it within moments: answers that were cut off.
    fn close(self, session: &Session) -> Result<(), Failure> {
        let mut desk = self.desk;
        for _ in 0..LET_GO_TRIES {
            match Arc::try_unwrap(desk) {
                Ok(alone) => {
                    let archive = alone.close().map_err(|refusal| Failure::Said {
                        exit: Exit::Medium,
                        text: refusal.text(session.output.lang),
                    })?;
                    if let Some(archive) = Arc::into_inner(archive) {
                        archive.close()?;
                    }
                    note(session, "stopped", json!({}));
                    return Ok(());
                }
                Err(shared) => desk = shared,
            }
            std::thread::sleep(LET_GO_PAUSE);
        }
        // What was acknowledged is durable; the next opening reads the tail.
        note(session, "stopped", json!({ "cut_off": true }));
        Ok(())
    }
}

/// Prepares the company's OpenID provider; it is asked when somebody logs in by it.
fn provider(session: &Session, openid: &OpenidConfig) -> Result<OpenidProvider, Failure> {
    let unusable = |text: String| Failure::Said {
        exit: Exit::Unusable,
        text: format!("service.https.openid: {text}"),
    };
    let parts = ProviderParts {
        config: openid.clone(),
        secret: secret_at(session, &openid.client_secret).map_err(unusable)?,
        tls_roots: &roots_at(openid.tls_roots.as_deref()).map_err(unusable)?,
        clock: Arc::clone(&session.environment.clock),
        entropy: Arc::clone(&session.environment.entropy),
    };
    OpenidProvider::new(parts).map_err(unusable)
}

/// Everything that is answered over HTTPS.
fn router(desk: &Arc<Desk>, shown: Shown) -> Router {
    let pages = crate::web::router(Arc::clone(desk));
    let api = crate::api::router(Arc::clone(desk));
    crate::api::guarded(api.merge(pages).merge(http::health(shown)))
}

fn note(session: &Session, event: &str, details: serde_json::Value) {
    let now = session.environment.clock.now();
    session
        .output
        .note(&log::line(now, Level::Info, event, details));
}

/// How often that is: dormancy is a matter of months, and a day of the trail is closed soon after it is over.
const KEEPING_EVERY: Duration = Duration::from_secs(3_600);

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);

/// How often it is tried whether the desk is free at the end.
const LET_GO_TRIES: u32 = 100;
const LET_GO_PAUSE: Duration = Duration::from_millis(50);
