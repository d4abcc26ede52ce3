//! The intakes of `archiver serve`: watched folders and the receiver of syslog, from the start of the service to its end.

use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use firmware::clock::Clock;
use serde_json::{Value, json};

use crate::acts::{Desk, DeskIntake};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::lang::Lang;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::config::{HotFolderConfig, IntakesConfig};
use crate::intake::hot_folder::{Look, Watch};
use crate::intake::syslog::{Receiver, SyslogEnvironment, SyslogSettings};
use crate::journal::SERVICE_CLASSES;
use crate::service::held_up::HeldUp;
use crate::service::log::{self, Level};

/// The intakes that run. Dropped, they stop as [`Intakes::stop`] says.
pub(super) struct Intakes {
    watches: Vec<Watching>,
    receiver: Option<Receiver>,
    trouble: Option<String>,
    journal: Journal,
    held_up: HeldUp,
}

/// A thread that watches a folder, until its channel is closed.
struct Watching {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

/// Where the threads write what happened.
#[derive(Clone)]
struct Journal {
    output: Output,
    clock: Arc<dyn Clock>,
}

impl Intakes {
    /// Starts what is configured; it deposits at the desk.
    pub(super) fn start(
        session: &Session,
        desk: &Arc<Desk>,
        config: &IntakesConfig,
        held_up: HeldUp,
    ) -> Result<Self, Failure> {
        let folders = config.hot_folders.iter().map(|folder| &folder.class);
        let syslog = config.syslog.as_ref();
        for class in folders.chain(syslog.map(|settings| &settings.class)) {
            check_class(session, desk, class)?;
        }
        let mut intakes = Self {
            watches: Vec::new(),
            receiver: None,
            trouble: None,
            journal: Journal {
                output: session.output.clone(),
                clock: Arc::clone(&session.environment.clock),
            },
            held_up,
        };
        for folder in &config.hot_folders {
            intakes.watch(session, desk, folder)?;
        }
        if let Some(settings) = syslog {
            intakes.receive(session, desk, settings)?;
        }
        Ok(intakes)
    }

    /// Stops in order: the file that is being deposited is finished, and every line of syslog that was read is durable. Files that are left,
    /// and batches that wait for their deposit, are taken up by the next start.
    pub(super) fn stop(self) {
        drop(self);
    }

    /// Tells once why no syslog is read, and once that it is again.
    pub(super) fn tell_trouble(&mut self) {
        let Some(receiver) = &self.receiver else {
            return;
        };
        let trouble = receiver.status().trouble;
        match &trouble {
            Some(text) => {
                let now = self.journal.clock.now();
                self.held_up.tell(SYSLOG, (text.clone(), text.clone()), now);
            }
            None => self.held_up.clear(SYSLOG),
        }
        if trouble == self.trouble {
            return;
        }
        match &trouble {
            Some(text) => {
                let details = json!({ "text": text });
                self.journal.note(Level::Warning, "syslog-held-up", details);
            }
            None => self.journal.note(Level::Info, "syslog-goes-on", json!({})),
        }
        self.trouble = trouble;
    }

    fn watch(
        &mut self,
        session: &Session,
        desk: &Arc<Desk>,
        folder: &HotFolderConfig,
    ) -> Result<(), Failure> {
        let unusable = |error: &io::Error| folder_unusable(session, &folder.path, error);
        let disk = Arc::clone(&session.environment.disk);
        let watch = Watch::open(folder.folder(), disk).map_err(|error| unusable(&error))?;
        let (stop, stopped) = mpsc::channel();
        let taker = DeskIntake::at(Arc::clone(desk));
        let mut teller = Teller::new((self.journal.clone(), self.held_up.clone()), &folder.path);
        let clock = Arc::clone(&session.environment.clock);
        let builder = std::thread::Builder::new().name("hot-folder".to_owned());
        let thread = builder.spawn(move || {
            let tell = &mut |look| teller.tell(look);
            watch.run(&taker, clock.as_ref(), LOOK_EVERY, &stopped, tell);
        });
        let thread = thread.map_err(|error| unusable(&error))?;
        self.watches.push(Watching { stop, thread });
        let details = json!({ "folder": folder.path.display().to_string() });
        self.journal.note(Level::Info, "watching", details);
        Ok(())
    }

    fn receive(
        &mut self,
        session: &Session,
        desk: &Arc<Desk>,
        settings: &SyslogSettings,
    ) -> Result<(), Failure> {
        let environment = SyslogEnvironment {
            taker: Arc::new(DeskIntake::at(Arc::clone(desk))),
            clock: Arc::clone(&session.environment.clock),
            disk: Arc::clone(&session.environment.disk),
        };
        let started = Receiver::start(settings, &environment);
        let receiver = started.map_err(|error| Failure::Said {
            exit: Exit::Unusable,
            text: error.text(session.output.lang),
        })?;
        let details = json!({ "address": receiver.address().to_string() });
        self.journal.note(Level::Info, "receiving-syslog", details);
        self.receiver = Some(receiver);
        Ok(())
    }
}

impl Drop for Intakes {
    fn drop(&mut self) {
        for watching in self.watches.drain(..) {
            drop(watching.stop);
            // A thread that panicked has nothing more to finish.
            drop(watching.thread.join());
        }
        if let Some(receiver) = self.receiver.take() {
            receiver.stop();
        }
    }
}

/// A class that there is, and that is not the audit trail's own.
fn check_class(session: &Session, desk: &Desk, class: &str) -> Result<(), Failure> {
    if !SERVICE_CLASSES.contains(&class) && desk.archive().classes().class(class).is_ok() {
        return Ok(());
    }
    Err(Failure::said(
        Exit::Unusable,
        session.output.lang,
        format!(
            "監視フォルダまたは syslog の class「{class}」は使えません。archiver classes で確かめてください"
        ),
        format!(
            "class '{class}' of a hot folder or of syslog cannot be used; see 'archiver classes'"
        ),
    ))
}

fn folder_unusable(session: &Session, path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    let lang = session.output.lang;
    let kind = error.kind();
    let why = if kind == io::ErrorKind::WouldBlock {
        lang.pick("別のプロセスが監視しています", "another process watches it")
            .to_owned()
    } else if kind == io::ErrorKind::CrossesDevices {
        lang.pick(
            "done と failed は同じファイルシステムに置いてください",
            "put 'done' and 'failed' on the same file system",
        )
        .to_owned()
    } else {
        error.to_string()
    };
    Failure::said(
        Exit::Unusable,
        session.output.lang,
        format!("監視フォルダ {path} を使えません ({why})"),
        format!("the hot folder {path} cannot be watched ({why})"),
    )
}

/// Tells of looks at one folder: each file once, and a trouble that goes on once.
struct Teller {
    journal: Journal,
    held_up: HeldUp,
    folder: String,
    /// What was last told of files that wait, and of the folder itself.
    told: Vec<String>,
}

impl Teller {
    fn new((journal, held_up): (Journal, HeldUp), folder: &Path) -> Self {
        Self {
            journal,
            held_up,
            folder: folder.display().to_string(),
            told: Vec::new(),
        }
    }

    fn tell(&mut self, look: io::Result<Look>) {
        let lang = self.journal.output.lang;
        let mut troubles = Vec::new();
        match look {
            Err(error) => troubles.push((String::new(), [error.to_string(), error.to_string()])),
            Ok(look) => {
                for (name, version) in look.done {
                    let name = name.to_string_lossy();
                    let details = json!({ "folder": self.folder, "name": name, "version": version.to_string() });
                    self.journal.note(Level::Info, "taken-in", details);
                }
                for (name, reason) in look.failed {
                    let name = name.to_string_lossy();
                    let text = reason.text(lang);
                    let details = json!({ "folder": self.folder, "name": name, "text": text });
                    self.journal.note(Level::Warning, "not-taken-in", details);
                }
                let waiting = look.waiting.iter();
                troubles.extend(waiting.map(|(name, error)| {
                    (
                        name.to_string_lossy().into_owned(),
                        [Lang::En, Lang::Ja].map(|lang| error.text(lang).to_owned()),
                    )
                }));
            }
        }
        match troubles.first() {
            Some((name, texts)) => {
                let more = troubles.len() - 1;
                let [en, ja] = texts;
                let named = match name.as_str() {
                    "" => String::new(),
                    name => format!("{name}: "),
                };
                let en = format!("{named}{en} (files that wait beside it: {more})");
                let ja = format!("{named}{ja} (ほかに待っているファイル: {more} 件)");
                let now = self.journal.clock.now();
                self.held_up.tell(&self.folder, (en, ja), now);
            }
            None => self.held_up.clear(&self.folder),
        }
        let mut told = Vec::new();
        for (name, [en, ja]) in troubles {
            let text = lang.pick(ja, en);
            let key = format!("{name}/{text}");
            if !self.told.contains(&key) {
                let details = json!({ "folder": self.folder, "name": name, "text": text });
                self.journal.note(Level::Warning, "intake-held-up", details);
            }
            told.push(key);
        }
        self.told = told;
    }
}

impl Journal {
    fn note(&self, level: Level, event: &str, details: Value) {
        let line = log::line(self.clock.now(), level, event, details);
        self.output.note(&line);
    }
}

/// The syslog receiver among the intakes.
const SYSLOG: &str = "syslog";

/// How often a folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

#[cfg(test)]
#[path = "serving_intakes_tests.rs"]
mod tests;
