use super::*;
use crate::access::Role;
use crate::access::account::{AccountClosed, AccountSuspended, SuspensionCause};
use crate::access::directory::tests::{DAY_0, Ledger};

const MONTH: Duration = Duration::days(30);

fn on(day: i64) -> Clockwork {
    Clockwork {
        now: DAY_0 + Duration::days(day),
        expires_after: MONTH,
    }
}

/// A request of `kato`, where he and `ito` manage accounts, and `clerk` does not.
fn waiting() -> (Ledger, Waiting<&'static str>) {
    let mut ledger = Ledger::default();
    for name in ["ito", "kato"] {
        ledger.approved(0, name, &[Role::Administrator]);
    }
    ledger.approved(0, "clerk", &[Role::Depositor]);
    let waiting = Waiting {
        id: EventId::new(1_000, &[0; 10]),
        what: "anything",
        reason: "a test".to_owned(),
        requested_by: "kato".to_owned(),
        requested_at: DAY_0 + Duration::days(1),
    };
    (ledger, waiting)
}

#[test]
fn another_person_with_the_right_approves_until_it_is_over() {
    let (ledger, waiting) = waiting();
    let check = |name: &str, day| {
        waiting.check_approval(name, Right::ManagePeople, &ledger.directory, on(day))
    };
    assert_eq!(check("ito", 1), Ok(()));
    for name in ["kato", "clerk", "nobody"] {
        let person = name.to_owned();
        assert_eq!(check(name, 1), Err(AccessError::SamePerson { person }));
    }
    assert_eq!(check("ito", 30), Ok(()));
    let request = waiting.id;
    assert_eq!(
        check("ito", 31),
        Err(AccessError::RequestExpired { request })
    );
    assert_eq!(waiting.expires_at(on(0)), on(31).now);
}

#[test]
fn who_asked_must_still_be_one_who_could_ask() {
    let suspended = |ledger: &mut Ledger| {
        let facts = AccountSuspended {
            account: "kato".to_owned(),
            cause: SuspensionCause::Decided,
            reason: "a test".to_owned(),
        };
        ledger.tell(2, "ito", &facts);
    };
    let closed = |ledger: &mut Ledger| {
        let facts = AccountClosed {
            account: "kato".to_owned(),
            reason: "left".to_owned(),
        };
        ledger.tell(2, "ito", &facts);
    };
    let demoted = |ledger: &mut Ledger| ledger.approved(2, "kato", &[Role::Depositor]);
    for change in [&suspended as &dyn Fn(&mut Ledger), &closed, &demoted] {
        let (mut ledger, waiting) = waiting();
        change(&mut ledger);
        let directory = &ledger.directory;
        let found = waiting.check_approval("ito", Right::ManagePeople, directory, on(3));
        let person = "kato".to_owned();
        assert_eq!(found, Err(AccessError::RequesterLost { person }));
    }
}

#[test]
fn whoever_asked_withdraws_and_others_refuse() {
    let (_, waiting) = waiting();
    assert_eq!(waiting.ended_by("kato"), Ending::Withdrawn);
    assert_eq!(waiting.ended_by("ito"), Ending::Refused);
}
