//! The scheduler: one [`Scheduler::tick`] after the other, each a decision and its effect.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use firmware::clock::Clock;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::alarms::{AlarmKind, Alarms, Condition, Notice, NoticeState};
use super::conditions;
use super::held_up::HeldUp;
use super::log::{self, Level, Log};
use super::metrics::Status;
use super::notify::{Notifier, Outbox, message};
use super::schedule::{Timetable, Todo};
use super::work::{Visit, Work, WorkError};
use crate::config::{AlarmsConfig, ServiceConfig};
use crate::store::durable::{DerivedPlace, replace_derived_file};

/// What the scheduler is made of.
pub struct Parts<'a> {
    /// The name of the archive, for messages.
    pub archive: String,
    /// What the service does.
    pub service: ServiceConfig,
    /// Whom it tells, and when.
    pub alarms: AlarmsConfig,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The archive.
    pub work: Box<dyn Work + 'a>,
    /// Whoever outside is to be told.
    pub notifiers: Vec<Box<dyn Notifier>>,
    /// Where log lines go.
    pub log: Box<dyn Log>,
    /// Set when the service is to end: what can be broken off is, at once.
    pub stopping: Arc<AtomicBool>,
    /// Where alarms are remembered, so that a restart does not tell them again; `None` remembers nothing.
    pub memory: Option<DerivedPlace>,
}

impl std::fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("archive", &self.archive)
            .finish_non_exhaustive()
    }
}

/// Visits the archive in its turn, and tells what somebody must know.
pub struct Scheduler<'a> {
    parts: Parts<'a>,
    timetable: Timetable,
    /// What somebody wants done now.
    ordered: Todo,
    unreachable_since: Option<OffsetDateTime>,
    alarms: Alarms,
    /// One for each notifier, in their order.
    outboxes: Vec<Outbox>,
    /// What was told since somebody asked last.
    told: Vec<Notice>,
    held_up: HeldUp,
    status: Arc<Mutex<Status>>,
}

impl<'a> Scheduler<'a> {
    /// A scheduler; nothing is done before the first tick.
    #[must_use]
    pub fn new(parts: Parts<'a>) -> Self {
        let read = parts
            .memory
            .as_ref()
            .and_then(|place| std::fs::read(&place.path).ok());
        let alarms = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let status = Status {
            started_at: Some(parts.clock.now()),
            ..Status::default()
        };
        let outboxes = parts.notifiers.iter().map(|_| Outbox::default()).collect();
        Self {
            parts,
            timetable: Timetable::default(),
            ordered: Todo::default(),
            unreachable_since: None,
            alarms: alarms.unwrap_or_default(),
            outboxes,
            told: Vec::new(),
            held_up: HeldUp::default(),
            status: Arc::new(Mutex::new(status)),
        }
    }

    /// The state that is shown to monitors.
    #[must_use]
    pub fn status(&self) -> Arc<Mutex<Status>> {
        Arc::clone(&self.status)
    }

    /// Where intakes say that they are held up.
    #[must_use]
    pub fn held_up(&self) -> HeldUp {
        self.held_up.clone()
    }

    /// Somebody wants this done now: the next tick does it.
    pub fn order(&mut self, todo: Todo) {
        self.ordered.stamp |= todo.stamp;
        self.ordered.renew |= todo.renew;
    }

    /// Does what is due now; most often nothing. Answers whether the archive was visited.
    pub fn tick(&mut self) -> bool {
        let now = self.parts.clock.now();
        let is_ordered = self.ordered != Todo::default();
        let due = is_ordered || self.timetable.is_visit_due(&self.parts.service, now);
        if due {
            self.visit(now);
        }
        self.deliver(now);
        due
    }

    fn visit(&mut self, now: OffsetDateTime) {
        let (timetable, service) = (self.timetable, &self.parts.service);
        let ordered = std::mem::take(&mut self.ordered);
        self.timetable.visited_at = Some(now);
        let mut wants_plan = false;
        let status = Arc::clone(&self.status);
        let stopping = Arc::clone(&self.parts.stopping);
        let mut told = |filling| {
            let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
            status.index_filling = Some(filling);
            if stopping.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let result = self.parts.work.visit(&mut told, &mut |seen| {
            let mut todo = timetable.decide(service, seen, now);
            todo.stamp |= ordered.stamp && seen.unstamped > 0;
            todo.renew |= ordered.renew;
            wants_plan = todo.renew;
            todo
        });
        self.locked(|status| status.index_filling = None);
        match result {
            Ok(None) => return,
            Ok(Some(visit)) => {
                self.timetable.reached = true;
                self.unreachable_since = None;
                if wants_plan && visit.plan.is_some() && visit.failures.is_empty() {
                    self.timetable.planned_at = Some(now);
                }
                self.took_place(&visit, now);
            }
            Err(error) => self.did_not_take_place(&error, now),
        }
        self.show_alarms();
    }

    fn took_place(&mut self, visit: &Visit, now: OffsetDateTime) {
        if visit.stamped > 0 || visit.renewed > 0 {
            let details = json!({ "stamped": visit.stamped, "renewed_chains": visit.renewed, "tokens": visit.tokens });
            self.log(now, Level::Info, "worked", details);
        }
        for failure in &visit.failures {
            self.log(now, Level::Error, "failed", json!({ "text": failure }));
        }
        self.locked(|status| {
            status.visits += 1;
            status.visited_at = Some(now);
            status.unreachable = None;
            status.unstamped = visit.seen.unstamped;
            status.unstamped_since = visit.seen.since;
            status.stamped += visit.stamped;
            status.tokens += visit.tokens;
            status.renewed += visit.renewed;
            let authorities = visit.authorities.iter();
            status.authorities = authorities
                .map(|one| (one.name.clone(), one.failures))
                .collect();
            if let Some(plan) = &visit.plan {
                status.renewals_due = plan.due.len() as u64;
                status.renewal_next = plan.next_due();
                status.renewal_deadline = plan.due.iter().filter_map(|one| one.latest).min();
                status.lost = plan.lost.iter().map(|lost| lost.versions).sum();
            }
        });
        let mut unknown = BTreeSet::new();
        if visit.plan.is_none() {
            unknown.extend([
                AlarmKind::RenewalOverdue,
                AlarmKind::RenewalBlocked,
                AlarmKind::EvidenceLost,
            ]);
        }
        if visit.media.is_none() {
            unknown.extend([
                AlarmKind::MediumOutOfService,
                AlarmKind::StockTakeOverdue,
                AlarmKind::ScrubOverdue,
            ]);
        }
        let mut conditions = conditions::of_visit(visit, &self.parts.alarms, now);
        conditions.extend(self.held_up.conditions(now));
        self.raise(&conditions, &unknown, now);
    }

    /// Another command may be at work, so it is an alarm only after a while.
    fn did_not_take_place(&mut self, error: &WorkError, now: OffsetDateTime) {
        self.timetable.reached = false;
        let since = *self.unreachable_since.get_or_insert(now);
        self.log(
            now,
            Level::Warning,
            "archive-unreachable",
            json!({ "text": error.text }),
        );
        let visited_at = self.locked(|status| {
            status.visits_failed += 1;
            status.unreachable = Some(error.text.clone());
            status.visited_at
        });
        let never = visited_at.is_none();
        let mut conditions = Vec::new();
        if never || now - since >= UNREACHABLE_MAX {
            conditions.push(Condition {
                kind: AlarmKind::ArchiveUnreachable,
                subject: String::new(),
                en: format!("the archive cannot be opened: {}", error.text),
                ja: format!("保管庫を開けません: {}", error.text),
            });
        }
        let mut unknown = BTreeSet::from(AlarmKind::ALL);
        unknown.remove(&AlarmKind::ArchiveUnreachable);
        self.raise(&conditions, &unknown, now);
    }

    fn raise(
        &mut self,
        conditions: &[Condition],
        unknown: &BTreeSet<AlarmKind>,
        now: OffsetDateTime,
    ) {
        let notices = self.alarms.update(conditions, unknown, now);
        if notices.is_empty() {
            return;
        }
        for notice in &notices {
            self.tell(notice);
        }
        if let Some(place) = &self.parts.memory
            && let Ok(bytes) = serde_json::to_vec(&self.alarms)
        {
            // Derived: without it an alarm is told once more after a restart.
            drop(replace_derived_file(
                place.disk.as_ref(),
                &place.path,
                &bytes,
            ));
        }
    }

    fn tell(&mut self, notice: &Notice) {
        let level = match notice.state {
            NoticeState::Raised | NoticeState::Standing => Level::Error,
            NoticeState::Solved => Level::Info,
        };
        let details = json!({
            "alarm": notice.condition.kind.name(), "subject": notice.condition.subject,
            "state": notice.state.name(), "text": notice.condition.en, "text_ja": notice.condition.ja,
        });
        self.log(notice.at, level, "alarm", details);
        self.send(&message(&self.parts.archive, notice));
        self.told.push(notice.clone());
    }

    /// Whoever is to be told gets this message, now or when they can be reached.
    pub fn send(&mut self, message: &Value) {
        for outbox in &mut self.outboxes {
            outbox.push(message.clone());
        }
    }

    /// The alarms that were told since the last time that this was asked.
    pub fn take_told(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.told)
    }

    /// Messages that wait to be delivered.
    pub fn waiting(&self) -> impl Iterator<Item = &Value> {
        self.outboxes.iter().flat_map(Outbox::waiting)
    }

    fn deliver(&mut self, now: OffsetDateTime) {
        let mut failures = Vec::new();
        for (outbox, notifier) in self.outboxes.iter_mut().zip(&self.parts.notifiers) {
            if let Err(why) = outbox.deliver(notifier.as_ref(), now) {
                failures.push(json!({ "text": why, "receiver": notifier.name() }));
            }
        }
        for failure in failures {
            self.log(now, Level::Warning, "undelivered", failure);
        }
        let waiting = self.outboxes.iter().map(|outbox| outbox.len() as u64);
        let undelivered = waiting.fold(0, u64::saturating_add);
        self.locked(|status| status.undelivered = undelivered);
    }

    fn show_alarms(&self) {
        let alarms = AlarmKind::ALL.map(|kind| (kind, self.alarms.count(kind)));
        let standing = self.alarms.standing(self.parts.clock.now());
        self.locked(|status| {
            status.alarms = alarms.to_vec();
            status.standing = standing;
        });
    }

    fn log(&self, at: OffsetDateTime, level: Level, event: &str, details: Value) {
        self.parts.log.line(&log::line(at, level, event, details));
    }

    fn locked<T>(&self, change: impl FnOnce(&mut Status) -> T) -> T {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Scheduler<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("timetable", &self.timetable)
            .finish_non_exhaustive()
    }
}

/// A command that holds the archive for longer is no command that is at work.
const UNREACHABLE_MAX: Duration = Duration::hours(1);
