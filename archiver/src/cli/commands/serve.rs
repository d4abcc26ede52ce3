//! `archiver serve`: stamps, renews and alarms by itself, and tells monitors how it is.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use formats::x509::read_certificates;
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::archive;
use crate::cli::arguments::Serve;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::config::{AlarmsConfig, Config, MailConfig, SecretPlace, WebhookConfig};
use crate::service::http::{self, Shown};
use crate::service::log::{self, Level, Log};
use crate::service::mail::{MailParts, Mailer};
use crate::service::notify::Notifier;
use crate::service::scheduler::{Parts, Scheduler};
use crate::service::webhook::Webhook;
use crate::store::durable::DerivedPlace;

use super::serving::Serving;
use super::tsa::stopped;
use super::visits::Archivist;

pub(in crate::cli) fn run(session: &Session, arguments: &Serve) -> Result<Exit, Failure> {
    let config = session.config()?;
    archive::policy(&config)?;
    let unlock = session.unlock(&config)?;
    let listen = arguments.listen.unwrap_or(config.service.listen);
    let unusable = |error: std::io::Error| Failure::Said {
        exit: Exit::Unusable,
        text: format!("{listen}: {error}"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(unusable)?;
    let notifiers = receivers(session, &config.alarms, runtime.handle())?;
    refuse_idle_intakes(session, &config)?;
    let silent = session.for_service();
    let held = match &config.service.https {
        None => None,
        Some(_) => Some(Serving::open(session, &unlock)?),
    };
    let clock = Arc::clone(&session.environment.clock);
    let mut memory = config.index.as_os_str().to_owned();
    memory.push(MEMORY_SUFFIX);
    let stopping = Arc::new(AtomicBool::new(false));
    let scheduler = Scheduler::new(Parts {
        stopping: Arc::clone(&stopping),
        archive: config.archive.to_string(),
        service: config.service.clone(),
        alarms: config.alarms.clone(),
        clock,
        work: Box::new(match &held {
            None => Archivist::new(&silent, config.clone(), &unlock),
            Some(archive) => Archivist::held(&silent, Arc::clone(archive), &unlock),
        }),
        notifiers,
        log: Box::new(silent.output.clone()),
        memory: Some(DerivedPlace {
            path: memory.into(),
            disk: Arc::clone(&session.environment.disk),
        }),
    });
    if let (Some(archive), Some(https)) = (held, &config.service.https) {
        let shown = shown(session, &config, &scheduler);
        let serving = Serving::over(session, archive, https, scheduler.status())?;
        serving.run(session, &runtime, https, listen, (scheduler, shown))?;
        return Ok(Exit::Done);
    }
    work(session, &config, &runtime, listen, (scheduler, stopping)).map_err(unusable)?;
    Ok(Exit::Done)
}

/// Intakes deposit into an archive that is held open: without `[service.https]` it is not.
fn refuse_idle_intakes(session: &Session, config: &Config) -> Result<(), Failure> {
    let has_intakes = !config.intakes.hot_folders.is_empty() || config.intakes.syslog.is_some();
    if !has_intakes || config.service.https.is_some() {
        return Ok(());
    }
    Err(Failure::said(
        Exit::Unusable,
        session.output.lang,
        "[[hot_folder]] と [syslog] には [service.https] が必要です。archiver service prepare で用意してください".to_owned(),
        "[[hot_folder]] and [syslog] want [service.https]; make it with 'archiver service prepare'".to_owned(),
    ))
}

/// Ticks until somebody asks to stop; what is under way then is brought to its end.
fn work(
    session: &Session,
    config: &Config,
    runtime: &Runtime,
    listen: SocketAddr,
    (mut scheduler, is_stopping): (Scheduler<'_>, Arc<AtomicBool>),
) -> std::io::Result<()> {
    let clock = Arc::clone(&session.environment.clock);
    let note = |level, event, details| {
        let line = log::line(clock.now(), level, event, details);
        session.output.note(&line);
    };
    let listener = runtime.block_on(TcpListener::bind(listen))?;
    let address = listener.local_addr()?;
    let shown = shown(session, config, &scheduler);
    let (end, ended) = oneshot::channel::<()>();
    let server = runtime.spawn(http::serve(listener, shown, async {
        drop(ended.await);
    }));
    let (stop, stopping) = mpsc::channel();
    runtime.spawn(async move {
        stopped().await;
        is_stopping.store(true, Ordering::Relaxed);
        // Nobody waits when the work has ended by itself.
        let _sent = stop.send(());
    });
    note(
        Level::Info,
        "listening",
        json!({ "url": format!("http://{address}/"), "evaluation": config.evaluation, "archive": config.archive.to_string() }),
    );
    loop {
        scheduler.tick();
        // There is no audit trail where nobody is served.
        drop(scheduler.take_told());
        match stopping.recv_timeout(TICK) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    note(Level::Info, "stopping", json!({}));
    let _sent = end.send(());
    let waited = runtime.block_on(async { tokio::time::timeout(END_WAIT_MAX, server).await });
    // A monitor that does not let go of its connection does not keep the service alive.
    drop(waited);
    note(Level::Info, "stopped", json!({}));
    Ok(())
}

/// What monitors see.
fn shown(session: &Session, config: &Config, scheduler: &Scheduler<'_>) -> Shown {
    Shown {
        status: scheduler.status(),
        clock: Arc::clone(&session.environment.clock),
        ready_for: time::Duration::minutes(i64::from(config.service.look_minutes) * 3 + 5),
    }
}

/// Prepares whom alarms are told to.
fn receivers(
    session: &Session,
    alarms: &AlarmsConfig,
    runtime: &Handle,
) -> Result<Vec<Box<dyn Notifier>>, Failure> {
    let mut receivers: Vec<Box<dyn Notifier>> = Vec::new();
    if let Some(webhook) = &alarms.webhook {
        receivers.push(receiver(session, webhook, runtime.clone())?);
    }
    if let Some(mail) = &alarms.mail {
        receivers.push(Box::new(mailer(session, mail)?));
    }
    Ok(receivers)
}

fn mailer(session: &Session, mail: &MailConfig) -> Result<Mailer, Failure> {
    let unusable = |text: String| Failure::Said {
        exit: Exit::Unusable,
        text: format!("alarms.mail: {text}"),
    };
    let password = match &mail.account {
        None => None,
        Some((_, place)) => Some(secret_at(session, place).map_err(unusable)?),
    };
    let tls_roots = roots_at(mail.tls_roots.as_deref()).map_err(unusable)?;
    let parts = MailParts {
        config: mail,
        password: password.map(|password| SecretString::from(password.as_str())),
        tls_roots: &tls_roots,
    };
    Mailer::new(parts).map_err(unusable)
}

/// Prepares the receiver of alarms over HTTP.
fn receiver(
    session: &Session,
    webhook: &WebhookConfig,
    runtime: Handle,
) -> Result<Box<dyn Notifier>, Failure> {
    let unusable = |text: String| Failure::Said {
        exit: Exit::Unusable,
        text: format!("alarms.webhook: {text}"),
    };
    let secret = match &webhook.secret {
        None => None,
        Some(place) => Some(secret_at(session, place).map_err(unusable)?),
    };
    let roots = roots_at(webhook.tls_roots.as_deref()).map_err(unusable)?;
    let secret = secret.as_ref().map(|secret| secret.as_str());
    let webhook = Webhook::new(&webhook.url, secret, &roots, runtime).map_err(unusable)?;
    Ok(Box::new(webhook))
}

/// The secret at a place.
pub(super) fn secret_at(
    session: &Session,
    place: &SecretPlace,
) -> Result<Zeroizing<String>, String> {
    match place {
        SecretPlace::File(path) => secret(path),
        SecretPlace::Credential(name) => {
            let folder = session.credentials.as_ref().ok_or_else(|| {
                format!("credential {name}: the service manager gave none ($CREDENTIALS_DIRECTORY)")
            })?;
            secret(&folder.join(name))
        }
    }
}

/// The certificates of a PEM file as DER; no file: none.
pub(super) fn roots_at(path: Option<&Path>) -> Result<Vec<Vec<u8>>, String> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let failed = |error: String| format!("{}: {error}", path.display());
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let certificates = read_certificates(&bytes).map_err(|error| failed(error.to_string()))?;
    Ok(certificates.iter().map(|one| one.raw().to_vec()).collect())
}

/// The first line of a file.
fn secret(path: &Path) -> Result<Zeroizing<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(format!("{}: it holds no secret", path.display())),
    }
}

impl Log for Output {
    fn line(&self, line: &str) {
        self.note(line);
    }
}

/// How often it is looked whether something is due: the time that stopping takes, at most, when nothing is under way.
const TICK: Duration = Duration::from_secs(1);

/// How long answers that are under way at the end are waited for.
const END_WAIT_MAX: Duration = Duration::from_secs(5);

/// What the file of the alarms that were told is called beside the index.
const MEMORY_SUFFIX: &str = ".alarms.json";
