//! Several authorities: order, retries, memory, and a second token from an independent one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::{Arc, Mutex};

use archiver::tsa::checks::{AcceptedToken, Trust, same_signer};
use archiver::tsa::client::{ClientOptions, FirstToken, Link, Timestamper, TsaClient};
use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use archiver::tsa::failover::{Failover, Member};
use archiver::tsa::health::{CircuitState, Health};
use archiver::tsa::refusal::{Refusal, TsaError};
use archiver::tsa::retry::{RetryPolicy, SimulatedSleeper};
use archiver::tsa::transport::TransportError;
use firmware::clock::{Clock, SimulatedClock};
use firmware::entropy::SeededEntropy;
use formats::digest::DigestValue;
use support::client::{NOW, digest};
use time::Duration;

/// An authority that fails as it is told, then gives tokens.
#[derive(Debug)]
struct Scripted {
    client: TsaClient,
    failures: Mutex<Vec<TsaError>>,
    asked: Mutex<u32>,
}

impl Timestamper for Scripted {
    fn name(&self) -> &str {
        self.client.name()
    }

    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        *self.asked.lock().unwrap() += 1;
        match self.failures.lock().unwrap().pop() {
            Some(error) => Err(error),
            None => self.client.timestamp(imprint),
        }
    }
}

/// Authorities with one clock and one memory.
struct World {
    clock: Arc<SimulatedClock>,
    sleeper: Arc<SimulatedSleeper>,
    health: Arc<Health>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(SimulatedClock::new(NOW));
        Self {
            sleeper: Arc::new(SimulatedSleeper::new(clock.clone())),
            health: Arc::new(Health::in_memory(clock.clone())),
            clock,
        }
    }

    /// An authority with a key of its own, that first gives these failures, the last of them first.
    fn authority(&self, name: &str, seed: u64, failures: Vec<TsaError>) -> Arc<Scripted> {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let material = AuthorityMaterial::make(name, NOW, entropy.as_ref()).unwrap();
        let root = material.root.clone();
        let embedded =
            EmbeddedAuthority::new(material, self.clock.clone(), entropy.clone()).unwrap();
        let options = ClientOptions {
            health: Some(self.health.clone()),
            ..ClientOptions::new(name, Trust::anchors(vec![root]))
        };
        let link = Link::Embedded(Arc::new(embedded));
        Arc::new(Scripted {
            client: TsaClient::new(link, options, self.clock.clone(), entropy),
            failures: Mutex::new(failures),
            asked: Mutex::new(0),
        })
    }

    fn failover(&self, authorities: &[&Arc<Scripted>], retries: u32) -> Failover {
        let members = authorities.iter().map(|authority| Member {
            authority: Arc::clone(authority) as Arc<dyn Timestamper>,
            retry: RetryPolicy::usual(retries),
        });
        Failover::of(members.collect())
            .remembering(self.health.clone())
            .waiting(self.sleeper.clone(), Arc::new(SeededEntropy::new(1)))
    }
}

const TIME_OUT: TsaError = TsaError::Transport(TransportError::TimeOut);

fn asked(authority: &Scripted) -> u32 {
    *authority.asked.lock().unwrap()
}

#[test]
fn a_failure_that_passes_is_asked_again_with_growing_waits() {
    let world = World::new();
    let first = world.authority("first", 1, vec![TIME_OUT; 3]);
    let token = world.failover(&[&first], 3).timestamp(&digest()).unwrap();
    assert_eq!((token.authority(), asked(&first)), ("first", 4));
    let slept = world.sleeper.slept();
    assert_eq!(slept.len(), 3);
    for (wait, whole) in slept.iter().zip([1, 2, 4]) {
        let whole = Duration::seconds(whole);
        assert!(*wait >= whole / 2 && *wait <= whole, "{wait}");
    }
    assert_eq!(world.health.of("first").failures, 0);
}

#[test]
fn a_failure_that_does_not_pass_is_not_asked_again() {
    let world = World::new();
    let first = world.authority("first", 1, vec![Refusal::Imprint.into()]);
    let second = world.authority("second", 2, Vec::new());
    let token = world
        .failover(&[&first, &second], 3)
        .timestamp(&digest())
        .unwrap();
    assert_eq!(token.authority(), "second");
    assert_eq!(asked(&first), 1);
    assert!(world.sleeper.slept().is_empty());
}

#[test]
fn an_authority_that_failed_often_is_asked_last_until_its_pause_is_over() {
    let world = World::new();
    let first = world.authority("first", 1, vec![TIME_OUT; 3]);
    let second = world.authority("second", 2, Vec::new());
    let both = world.failover(&[&first, &second], 0);
    for round in 1..=3 {
        assert_eq!(both.timestamp(&digest()).unwrap().authority(), "second");
        assert_eq!(asked(&first), round);
    }
    assert!(matches!(
        world.health.of("first").state,
        CircuitState::Open(_)
    ));
    // It would answer now, and is not asked while the other one does.
    assert_eq!(both.timestamp(&digest()).unwrap().authority(), "second");
    assert_eq!(asked(&first), 3);
    world.clock.advance(Duration::minutes(1));
    assert_eq!(both.timestamp(&digest()).unwrap().authority(), "first");
    assert_eq!(world.health.of("first").failures, 0);
}

#[test]
fn an_open_circuit_is_tried_where_nobody_else_gives_a_token() {
    let world = World::new();
    let only = world.authority("only", 1, vec![TIME_OUT; 3]);
    let failover = world.failover(&[&only], 0);
    for _ in 0..3 {
        let Err(TsaError::All(failures)) = failover.timestamp(&digest()) else {
            panic!("it is down");
        };
        assert_eq!(failures, [("only".to_owned(), TIME_OUT)]);
    }
    assert!(matches!(
        world.health.of("only").state,
        CircuitState::Open(_)
    ));
    assert_eq!(failover.timestamp(&digest()).unwrap().authority(), "only");
}

#[test]
fn an_authority_that_asks_to_be_left_alone_is() {
    let world = World::new();
    let busy = TsaError::Transport(TransportError::HttpStatus {
        status: 503,
        retry_after: Some(Duration::minutes(10)),
    });
    let only = world.authority("only", 1, vec![busy]);
    let failover = world.failover(&[&only], 5);
    assert!(failover.timestamp(&digest()).is_err());
    assert!(
        world.sleeper.slept().is_empty(),
        "ten minutes are not waited for"
    );
    let until = world.clock.now() + Duration::minutes(10);
    let Err(TsaError::All(failures)) = failover.timestamp(&digest()) else {
        panic!("it asked to be left alone");
    };
    assert_eq!(failures, [("only".to_owned(), TsaError::Waiting { until })]);
    assert_eq!(asked(&only), 1);
    world.clock.set(until);
    failover.timestamp(&digest()).unwrap();
}

#[test]
fn a_short_wait_that_is_asked_for_is_kept() {
    let world = World::new();
    let busy = TsaError::Transport(TransportError::HttpStatus {
        status: 429,
        retry_after: Some(Duration::seconds(20)),
    });
    let only = world.authority("only", 1, vec![busy]);
    world.failover(&[&only], 1).timestamp(&digest()).unwrap();
    assert_eq!(world.sleeper.slept(), [Duration::seconds(20)]);
}

#[test]
fn the_second_token_comes_from_another_authority_with_another_key() {
    let world = World::new();
    let a = world.authority("a", 1, Vec::new());
    let again = world.authority("a under another name", 1, Vec::new());
    let b = world.authority("b", 2, Vec::new());
    let first = a.timestamp(&digest()).unwrap();
    let beside = FirstToken {
        authority: first.authority(),
        token: first.bytes(),
    };
    let second = world.failover(&[&a, &again, &b], 0);
    let token = second.timestamp_beside(&digest(), &beside).unwrap();
    assert_eq!(token.authority(), "b");
    assert!(!same_signer(first.bytes(), token.bytes()));
    assert_eq!(asked(&a), 1, "not asked for the second token");
    // That its key is the same says nothing against the authority.
    assert_eq!(world.health.of("a under another name").failures, 0);

    let alone = world.failover(&[&a, &again], 0);
    let Err(TsaError::All(failures)) = alone.timestamp_beside(&digest(), &beside) else {
        panic!("there is no independent one");
    };
    assert_eq!(failures[0].1, TsaError::Refused(Refusal::NotIndependent));
    assert!(
        same_signer(b"garbage", token.bytes()),
        "independence is shown, not assumed"
    );
}

#[test]
fn a_clock_that_an_authority_set_back_is_seen() {
    let world = World::new();
    let one = world.authority("one", 1, Vec::new());
    let failover = world.failover(&[&one], 0);
    failover.timestamp(&digest()).unwrap();
    // Within what both times may be off.
    world.clock.advance(Duration::seconds(-2));
    failover.timestamp(&digest()).unwrap();
    world.clock.advance(Duration::milliseconds(-2001));
    let Err(TsaError::All(failures)) = failover.timestamp(&digest()) else {
        panic!("its clock was set back");
    };
    let TsaError::Refused(Refusal::OutOfOrder { .. }) = &failures[0].1 else {
        panic!("{failures:?}");
    };
    world.clock.advance(Duration::minutes(2));
    failover.timestamp(&digest()).unwrap();
}

#[test]
fn nobody_configured_is_told() {
    let none = Failover::new(Vec::new());
    let error = none.timestamp(&digest()).unwrap_err();
    assert!(
        error.to_string().contains("no TSA is configured"),
        "{error}"
    );
}
