//! The scheduler through months in a moment: a simulated clock, an archive that is made up, a receiver that remembers.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use firmware::clock::SimulatedClock;
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::log::Log;
use super::notify::Notifier;
use super::schedule::{Seen, Todo};
use super::scheduler::{Parts, Scheduler};
use super::work::{AuthorityState, IndexFilling, Visit, Work, WorkError};
use crate::config::{AlarmsConfig, ServiceConfig};
use crate::evidence::calendar::{RenewalOptions, plan};

const START: OffsetDateTime = datetime!(2030-01-01 0:00 UTC);

/// What the world is like; the test changes it.
#[derive(Debug, Default)]
struct World {
    since: Option<OffsetDateTime>,
    tsa_up: bool,
    locked: bool,
    receiver_up: bool,
    todos: Vec<Todo>,
    told: Vec<Value>,
    lines: Vec<Value>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock().expect("lock"))
    }
}

impl Work for Shared {
    fn visit(
        &mut self,
        filling: &mut dyn FnMut(IndexFilling) -> ControlFlow<()>,
        decide: &mut dyn FnMut(&Seen) -> Todo,
    ) -> Result<Option<Visit>, WorkError> {
        let far = IndexFilling {
            versions: 1,
            versions_expected: 9,
        };
        if filling(far).is_break() {
            return Ok(None);
        }
        self.with(|world| {
            if world.locked {
                let text = "in use".to_owned();
                return Err(WorkError { text });
            }
            let mut seen = Seen {
                unstamped: u64::from(world.since.is_some()),
                since: world.since,
                ..Seen::default()
            };
            let todo = decide(&seen);
            world.todos.push(todo);
            let mut visit = Visit::default();
            if todo.stamp && world.tsa_up {
                world.since = None;
                seen = Seen::default();
                (visit.stamped, visit.tokens) = (1, 1);
            } else if todo.stamp {
                visit.failures.push("no token".to_owned());
            }
            visit.seen = seen;
            if todo.renew {
                let policy = verifier::policy::Policy::default();
                visit.plan = Some(plan(&[], &policy, &RenewalOptions::default(), START));
            }
            visit.authorities = vec![AuthorityState {
                name: "tsa".to_owned(),
                failures: if world.tsa_up { 0 } else { 9 },
                reason: Some("refused".to_owned()),
                last_success: None,
            }];
            Ok(Some(visit))
        })
    }
}

impl Notifier for Shared {
    fn name(&self) -> &'static str {
        "test"
    }

    fn notify(&self, message: &Value) -> Result<(), String> {
        self.with(|world| {
            if !world.receiver_up {
                return Err("down".to_owned());
            }
            world.told.push(message.clone());
            Ok(())
        })
    }
}

impl Log for Shared {
    fn line(&self, line: &str) {
        let line = serde_json::from_str(line).expect("a log line is JSON");
        self.with(|world| world.lines.push(line));
    }
}

struct Stage {
    world: Shared,
    clock: Arc<SimulatedClock>,
    stopping: Arc<AtomicBool>,
    scheduler: Scheduler<'static>,
}

impl Stage {
    fn new() -> Self {
        let world = Shared(Arc::new(Mutex::new(World {
            tsa_up: true,
            receiver_up: true,
            ..World::default()
        })));
        let clock = Arc::new(SimulatedClock::new(START));
        let stopping = Arc::new(AtomicBool::new(false));
        let scheduler = Scheduler::new(Parts {
            archive: "archive".to_owned(),
            service: ServiceConfig::default(),
            alarms: AlarmsConfig::default(),
            clock: Arc::clone(&clock) as Arc<dyn firmware::clock::Clock>,
            work: Box::new(world.clone()),
            notifiers: vec![Box::new(world.clone())],
            log: Box::new(world.clone()),
            stopping: Arc::clone(&stopping),
            memory: None,
        });
        Self {
            world,
            clock,
            stopping,
            scheduler,
        }
    }

    /// Lets so many minutes pass, with a tick in each.
    fn pass(&mut self, minutes: i64) {
        for _ in 0..minutes {
            self.clock.advance(Duration::MINUTE);
            self.scheduler.tick();
        }
    }

    fn told(&self) -> Vec<(String, String)> {
        self.world.with(|world| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let told = world.told.drain(..);
            told.map(|one| (text(&one["alarm"]), text(&one["state"])))
                .collect()
        })
    }

    fn visits(&self) -> usize {
        self.world
            .with(|world| std::mem::take(&mut world.todos).len())
    }
}

fn pair(alarm: &str, state: &str) -> (String, String) {
    (alarm.to_owned(), state.to_owned())
}

#[test]
fn the_archive_is_visited_every_five_minutes_and_planned_every_day() {
    let mut stage = Stage::new();
    stage.scheduler.tick();
    stage.pass(2 * 24 * 60);
    let todos = stage.world.with(|world| world.todos.clone());
    assert_eq!(todos.len(), 1 + 2 * 24 * 12);
    assert_eq!(todos.iter().filter(|todo| todo.renew).count(), 3);
    assert!(stage.told().is_empty());
}

#[test]
fn the_making_of_an_index_does_not_keep_the_service_from_ending() {
    let mut stage = Stage::new();
    stage.stopping.store(true, Ordering::Relaxed);
    stage.pass(30);
    assert_eq!(stage.visits(), 0);
    assert!(stage.told().is_empty());
    let status = stage.scheduler.status();
    assert_eq!(status.lock().expect("lock").index_filling, None);
    stage.stopping.store(false, Ordering::Relaxed);
    stage.pass(30);
    assert!(stage.visits() > 0);
}

#[test]
fn what_waits_is_stamped_within_the_hour() {
    let mut stage = Stage::new();
    stage.pass(1);
    stage.world.with(|world| world.since = Some(START));
    stage.pass(70);
    assert!(stage.world.with(|world| world.since.is_none()));
    let stamped = stage.scheduler.status().lock().expect("lock").stamped;
    assert_eq!(stamped, 1);
}

#[test]
fn an_authority_that_fails_is_told_each_day_until_it_is_well() {
    let mut stage = Stage::new();
    stage.pass(6);
    stage.world.with(|world| {
        world.tsa_up = false;
        world.since = Some(START);
    });
    stage.pass(120);
    assert_eq!(
        stage.told(),
        [
            pair("authority-failing", "raised"),
            pair("work-failing", "raised")
        ]
    );
    stage.pass(25 * 60);
    assert_eq!(
        stage.told(),
        [
            pair("unstamped", "raised"),
            pair("authority-failing", "standing"),
            pair("work-failing", "standing")
        ]
    );
    stage.world.with(|world| world.tsa_up = true);
    stage.pass(10);
    let mut solved = stage.told();
    solved.sort();
    assert_eq!(
        solved,
        [
            pair("authority-failing", "solved"),
            pair("unstamped", "solved"),
            pair("work-failing", "solved")
        ]
    );
    stage.pass(3 * 24 * 60);
    assert!(stage.told().is_empty());
}

#[test]
fn an_archive_in_use_is_tried_again_and_told_only_after_an_hour() {
    let mut stage = Stage::new();
    stage.pass(1);
    stage.visits();
    stage.world.with(|world| world.locked = true);
    stage.pass(30);
    assert!(stage.told().is_empty());
    stage.world.with(|world| world.locked = false);
    stage.pass(1);
    assert_eq!(stage.visits(), 1, "a minute later, not five");
    stage.world.with(|world| world.locked = true);
    stage.pass(80);
    assert_eq!(stage.told(), [pair("archive-unreachable", "raised")]);
    let status = stage.scheduler.status();
    assert!(status.lock().expect("lock").unreachable.is_some());
    stage.world.with(|world| world.locked = false);
    stage.pass(1);
    assert_eq!(stage.told(), [pair("archive-unreachable", "solved")]);
    assert!(status.lock().expect("lock").unreachable.is_none());
}

#[test]
fn messages_wait_for_their_receiver() {
    let mut stage = Stage::new();
    stage.world.with(|world| {
        world.receiver_up = false;
        world.tsa_up = false;
    });
    stage.pass(180);
    assert!(stage.told().is_empty());
    let status = stage.scheduler.status();
    assert_eq!(status.lock().expect("lock").undelivered, 1);
    stage.world.with(|world| world.receiver_up = true);
    stage.pass(61);
    assert_eq!(stage.told(), [pair("authority-failing", "raised")]);
    assert_eq!(status.lock().expect("lock").undelivered, 0);
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_the_service() {
    let mut stage = Stage::new();
    stage.pass(10);
    stage.visits();
    stage.clock.set(START - Duration::days(400));
    stage.pass(10);
    assert!(stage.visits() >= 2);
}
