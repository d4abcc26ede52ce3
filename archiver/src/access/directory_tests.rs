use std::collections::BTreeSet;

use serde_json::Value;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::access::account::{Scope, SuspensionCause};
use crate::access::role::Role;
use crate::event::EventBody;

pub(crate) const DAY_0: OffsetDateTime = datetime!(2030-04-01 00:00 UTC);

/// That day, where requests wait for a month.
fn on(day: i64) -> Clockwork {
    Clockwork {
        now: DAY_0 + Duration::days(day),
        expires_after: Duration::days(30),
    }
}

/// A directory, and the events that are told to it one after the other.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) directory: Directory,
    count: u64,
}

impl Ledger {
    pub(crate) fn tell<T: EventBody>(&mut self, day: i64, by: &str, facts: &T) -> EventId {
        self.count += 1;
        let id = EventId::new(self.count, &[0; 10]);
        let facts: Value = serde_json::to_value(facts).expect("facts are JSON");
        self.directory.fold(&RecordedEvent {
            id,
            time: DAY_0 + Duration::days(day),
            topic: T::TOPIC,
            kind: T::KIND.to_owned(),
            by: by.to_owned(),
            facts,
        });
        id
    }

    pub(crate) fn approved(&mut self, day: i64, name: &str, roles: &[Role]) {
        let request = self.tell(day, "yamada", &asked(name, roles));
        let account = name.to_owned();
        self.tell(day, "kato", &AccountApproved { account, request });
    }

    pub(crate) fn state(&self, name: &str) -> Option<AccountState> {
        self.directory.account(name).map(|one| one.state)
    }
}

pub(crate) fn asked(name: &str, roles: &[Role]) -> AccountRequested {
    AccountRequested {
        account: name.to_owned(),
        facts: AccountFacts {
            display_name: "佐藤 花子".to_owned(),
            kind: AccountKind::Person,
            roles: roles.iter().copied().collect(),
            scope: Scope::default(),
            mail: None,
            certificates: BTreeSet::new(),
            openid: None,
        },
        reason: "joined accounting".to_owned(),
    }
}

#[test]
fn an_account_is_in_use_when_another_person_approved_it() {
    let mut ledger = Ledger::default();
    for name in ["yamada", "kato"] {
        ledger.approved(0, name, &[Role::Administrator]);
    }
    let request = ledger.tell(0, "yamada", &asked("sato", &[Role::Depositor]));
    assert_eq!(ledger.state("sato"), Some(AccountState::Requested));
    let sato = ledger.directory.account("sato").expect("it exists");
    assert!(!sato.may(Right::Deposit), "not before it is approved");

    let by = |person| {
        ledger
            .directory
            .check_approval(request, person, on(0))
            .map(|one| &*one.what.account)
    };
    assert_eq!(by("kato"), Ok("sato"));
    for same in ["yamada", "sato"] {
        let person = same.to_owned();
        assert_eq!(by(same), Err(AccessError::SamePerson { person }));
    }
    let other = EventId::new(99, &[0; 10]);
    let missing = ledger.directory.check_approval(other, "kato", on(0));
    assert_eq!(
        missing.err(),
        Some(AccessError::NoRequest { request: other })
    );

    let account = "sato".to_owned();
    ledger.tell(1, "kato", &AccountApproved { account, request });
    let sato = ledger.directory.account("sato").expect("it exists");
    assert!(sato.may(Right::Deposit) && !sato.may(Right::Retrieve));
    assert!(
        ledger
            .directory
            .check_approval(request, "kato", on(1))
            .is_err(),
        "it is decided"
    );
}

#[test]
fn a_change_counts_when_it_is_approved_and_a_refused_one_never() {
    let mut ledger = Ledger::default();
    ledger.approved(0, "sato", &[Role::Depositor]);
    let refused = ledger.tell(1, "yamada", &asked("sato", &[Role::Auditor]));
    let account = "sato".to_owned();
    let reason = "not without a training".to_owned();
    ledger.tell(
        1,
        "kato",
        &AccountRefused {
            account,
            request: refused,
            reason,
        },
    );
    let change = ledger.tell(2, "yamada", &asked("sato", &[Role::Retriever]));
    let roles = |ledger: &Ledger| {
        ledger
            .directory
            .account("sato")
            .map(|one| one.facts.roles.clone())
    };
    assert_eq!(roles(&ledger), Some(BTreeSet::from([Role::Depositor])));
    let pending = ledger
        .directory
        .check_request(&asked("sato", &[Role::Operator]), on(2));
    assert_eq!(
        pending,
        Err(AccessError::RequestPending {
            name: "sato".to_owned()
        })
    );
    let account = "sato".to_owned();
    ledger.tell(
        3,
        "kato",
        &AccountApproved {
            account,
            request: change,
        },
    );
    assert_eq!(roles(&ledger), Some(BTreeSet::from([Role::Retriever])));
    assert_eq!(ledger.directory.pending().count(), 0);
}

#[test]
fn a_request_that_nobody_decided_in_time_is_over_and_may_be_asked_for_anew() {
    let mut ledger = Ledger::default();
    for name in ["yamada", "kato"] {
        ledger.approved(0, name, &[Role::Administrator]);
    }
    let request = ledger.tell(0, "yamada", &asked("sato", &[Role::Depositor]));
    let directory = &ledger.directory;
    assert_eq!(directory.waiting(on(29)).count(), 1);
    let again = asked("sato", &[Role::Retriever]);
    assert!(directory.check_request(&again, on(29)).is_err());
    assert_eq!(directory.waiting(on(30)).count(), 0);
    assert_eq!(directory.check_request(&again, on(30)), Ok(()));
    let late = directory.check_approval(request, "kato", on(30)).err();
    assert_eq!(late, Some(AccessError::RequestExpired { request }));
}

#[test]
fn a_request_that_breaks_a_rule_is_refused_with_the_reason() {
    let mut ledger = Ledger::default();
    ledger.approved(0, "gone", &[Role::Depositor]);
    let closed = AccountClosed {
        account: "gone".to_owned(),
        reason: "left".to_owned(),
    };
    ledger.tell(1, "yamada", &closed);
    let mut system = asked("erp", &[Role::Depositor]);
    system.facts.kind = AccountKind::System;
    let without = ledger.directory.check_request(&system, on(2));
    assert_eq!(without, Err(AccessError::Certificates { is_system: true }));
    system.facts.certificates = BTreeSet::from(["ab".repeat(32)]);
    assert_eq!(ledger.directory.check_request(&system, on(2)), Ok(()));
    let request = ledger.tell(2, "yamada", &system);
    ledger.tell(
        2,
        "kato",
        &AccountApproved {
            account: "erp".to_owned(),
            request,
        },
    );
    let found = ledger
        .directory
        .system_with(&"ab".repeat(32))
        .map(|one| &*one.name);
    assert_eq!(found, Some("erp"));
    let mut second = system.clone();
    second.account = "erp-2".to_owned();
    let used = ledger.directory.check_request(&second, on(2));
    assert!(matches!(used, Err(AccessError::CertificateUsed { .. })));

    let mut with_certificate = asked("mori", &[Role::Depositor]);
    with_certificate.facts.certificates = BTreeSet::from(["cd".repeat(32)]);
    let mut silent = asked("mori", &[Role::Depositor]);
    silent.reason = "  ".to_owned();
    for (request, error) in [
        (
            asked("Mori", &[Role::Depositor]),
            AccessError::Name {
                name: "Mori".to_owned(),
            },
        ),
        (
            asked("gone", &[Role::Depositor]),
            AccessError::NameUsed {
                name: "gone".to_owned(),
            },
        ),
        (asked("mori", &[]), AccessError::NoRole),
        (
            asked("mori", &[Role::Depositor, Role::Auditor]),
            AccessError::RolesConflict {
                one: Role::Auditor,
                other: Role::Depositor,
            },
        ),
        (
            with_certificate,
            AccessError::Certificates { is_system: false },
        ),
        (silent, AccessError::NoReason),
    ] {
        let refused = ledger.directory.check_request(&request, on(2));
        assert_eq!(refused, Err(error), "{request:?}");
    }
}

#[test]
fn a_suspended_account_comes_back_and_a_closed_one_never() {
    let mut ledger = Ledger::default();
    ledger.approved(0, "sato", &[Role::Administrator]);
    assert_eq!(ledger.directory.persons_with(Right::ManagePeople), 1);
    let account = || "sato".to_owned();
    let reason = || "because".to_owned();
    let cause = SuspensionCause::Decided;
    ledger.tell(
        1,
        "kato",
        &AccountSuspended {
            account: account(),
            cause,
            reason: reason(),
        },
    );
    assert_eq!(ledger.state("sato"), Some(AccountState::Suspended));
    assert_eq!(ledger.directory.persons_with(Right::ManagePeople), 0);
    ledger.tell(
        2,
        "kato",
        &AccountResumed {
            account: account(),
            reason: reason(),
        },
    );
    assert_eq!(ledger.state("sato"), Some(AccountState::Active));
    ledger.tell(
        3,
        "kato",
        &AccountClosed {
            account: account(),
            reason: reason(),
        },
    );
    ledger.tell(
        4,
        "kato",
        &AccountResumed {
            account: account(),
            reason: reason(),
        },
    );
    assert_eq!(ledger.state("sato"), Some(AccountState::Closed));
    // An event about nobody changes nothing.
    let account = "nobody".to_owned();
    ledger.tell(
        5,
        "kato",
        &AccountResumed {
            account,
            reason: reason(),
        },
    );
    assert_eq!(ledger.state("nobody"), None);
}

#[test]
fn accounts_that_nobody_uses_or_confirms_are_found() {
    let mut ledger = Ledger::default();
    for name in ["used", "idle", "new"] {
        let day = if name == "new" { 80 } else { 0 };
        ledger.approved(day, name, &[Role::Depositor]);
    }
    let last_used = (DAY_0 + Duration::days(50)).unix_timestamp();
    let last_used = [("used".to_owned(), last_used)].into();
    ledger.tell(50, "archiver", &AccountsUsed { last_used });
    let now = DAY_0 + Duration::days(93);
    let names = |accounts: Vec<&Account>| {
        accounts
            .iter()
            .map(|one| one.name.clone())
            .collect::<Vec<_>>()
    };
    let months = Duration::days(92);
    assert_eq!(names(ledger.directory.dormant(now, months)), ["idle"]);
    // Resuming starts anew.
    let reason = || "on leave".to_owned();
    let account = || "idle".to_owned();
    let cause = SuspensionCause::Dormant;
    ledger.tell(
        93,
        "archiver",
        &AccountSuspended {
            account: account(),
            cause,
            reason: reason(),
        },
    );
    ledger.tell(
        94,
        "kato",
        &AccountResumed {
            account: account(),
            reason: reason(),
        },
    );
    assert!(names(ledger.directory.dormant(now + Duration::days(2), months)).is_empty());

    let year = Duration::days(365);
    let late = DAY_0 + Duration::days(400);
    ledger.tell(
        300,
        "kato",
        &AccountsReviewed {
            confirmed: ["used".to_owned()].into(),
            decisions: Default::default(),
        },
    );
    assert_eq!(names(ledger.directory.due_for_review(late, year)), ["idle"]);
}
