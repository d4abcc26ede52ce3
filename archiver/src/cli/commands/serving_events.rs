//! What the service does about the events of its audit trail while it serves: it finds them, tells them, and remembers which were told.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::acts::{Desk, Refusal};
use crate::audit::NoticeKind;
use crate::cli::session::Session;
use crate::config::Config;
use crate::service::scheduler::Scheduler;
use crate::service::telling::{EventTeller, first_entry};
use crate::store::durable::{DerivedPlace, replace_derived_file};

/// The events of a service.
#[derive(Debug)]
pub(super) struct Events {
    archive: String,
    teller: EventTeller,
    memory: DerivedPlace,
    remembered: Option<Told>,
    remembered_at: Option<OffsetDateTime>,
    /// Whether something waited to be delivered at the last look.
    has_waited: bool,
}

/// What a restart must know. It names nobody: it stands beside the index, unsealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    /// The archive: the file may have been left behind by another one at the same place, whose numbers say nothing here.
    archive: String,
    /// Events of entries up to this one were delivered, or nobody is to be told.
    told: u64,
}

impl Events {
    /// Goes on where the service ended before.
    pub(super) fn of(session: &Session, config: &Config, desk: &Desk) -> Self {
        let mut path = config.index.as_os_str().to_owned();
        path.push(MEMORY_SUFFIX);
        let memory = DerivedPlace {
            path: PathBuf::from(path),
            disk: Arc::clone(&session.environment.disk),
        };
        let read = std::fs::read(&memory.path).ok();
        let remembered = read.and_then(|bytes| serde_json::from_slice::<Told>(&bytes).ok());
        let archive = config.archive.to_string();
        let remembered = remembered.filter(|told| told.archive == archive);
        if let Some(told) = &remembered {
            desk.told_up_to(told.told);
        }
        Self {
            archive,
            teller: EventTeller::default(),
            memory,
            remembered,
            remembered_at: None,
            has_waited: false,
        }
    }

    /// Writes alarms into the trail, finds what is new in it, and has it told. What is found is said to `log`.
    ///
    /// # Errors
    /// [`Refusal`]: the trail cannot be read or written now.
    pub(super) fn tick(
        &mut self,
        desk: &Desk,
        scheduler: &mut Scheduler<'_>,
        log: &mut dyn FnMut(serde_json::Value),
    ) -> Result<(), Refusal> {
        for notice in scheduler.take_told() {
            desk.told_alarm(&notice)?;
        }
        desk.follow_trail()?;
        let now = desk.archive().environment().clock.now();
        let (news, read) = desk.take_news();
        for one in &news {
            log(json!({ "kind": one.kind.name(), "rule": one.kind.rule(), "entry": one.sequence }));
        }
        let is_news = !news.is_empty();
        // Alarms were told as such.
        let others = news.into_iter().filter(|one| one.kind != NoticeKind::Alarm);
        self.teller.add(others);
        if let Some(message) = self.teller.due(&self.archive, now) {
            scheduler.send(&message);
        }
        self.remember(read, scheduler, is_news, now);
        Ok(())
    }

    /// Up to where everything was delivered. Without this file events of the last day are told once more.
    fn remember(
        &mut self,
        read: u64,
        scheduler: &Scheduler<'_>,
        is_news: bool,
        now: OffsetDateTime,
    ) {
        let undelivered = scheduler.waiting().filter_map(first_entry);
        let first = undelivered.chain(self.teller.first_waiting()).min();
        // What is read again after a restart was told before it.
        let before = self.remembered.as_ref().map_or(0, |told| told.told);
        let told = first.map_or(read.max(before), |first| first.saturating_sub(1));
        let told = Told {
            archive: self.archive.clone(),
            told,
        };
        let is_delivered = self.has_waited && first.is_none();
        self.has_waited = first.is_some();
        let is_old = self
            .remembered_at
            .is_none_or(|at| (now - at).abs() >= REMEMBERED_EVERY);
        let is_due = is_news || is_delivered || is_old;
        if self.remembered.as_ref() == Some(&told) || !is_due {
            return;
        }
        if let Ok(bytes) = serde_json::to_vec(&told)
            && replace_derived_file(self.memory.disk.as_ref(), &self.memory.path, &bytes).is_ok()
        {
            self.remembered = Some(told);
            self.remembered_at = Some(now);
        }
    }
}

/// What the file is called beside the index.
const MEMORY_SUFFIX: &str = ".events.json";

/// Where nothing happens that is to be told, the place is written down so often.
const REMEMBERED_EVERY: Duration = Duration::minutes(1);
