use time::macros::datetime;

use super::*;
use crate::access::account::{AccountResumed, AccountSuspended, AccountsUsed, SuspensionCause};
use crate::access::directory::tests::{DAY_0, Ledger};
use crate::access::role::Role;

fn names(accounts: Vec<&Account>) -> Vec<String> {
    accounts.iter().map(|one| one.name.clone()).collect()
}

fn decided(decision: Decision, remark: &str) -> Decided {
    Decided {
        decision,
        remark: remark.to_owned(),
    }
}

fn used(ledger: &mut Ledger, name: &str, day: i64) {
    let at = (DAY_0 + Duration::days(day)).unix_timestamp();
    let last_used = [(name.to_owned(), at)].into();
    ledger.tell(day, "archiver", &AccountsUsed { last_used });
}

#[test]
fn the_last_active_administrator_and_the_exempt_stay_however_long_nobody_used_them() {
    let mut ledger = Ledger::default();
    for name in ["ito", "kato", "sato"] {
        ledger.approved(0, name, &[Role::Administrator]);
    }
    for name in ["clerk", "erp"] {
        ledger.approved(0, name, &[Role::Depositor]);
    }
    used(&mut ledger, "kato", 5);
    used(&mut ledger, "sato", 3);
    let exempt = ["erp".to_owned()].into();
    let after = Duration::days(92);
    let on = |day| DAY_0 + Duration::days(day);
    let found =
        |ledger: &Ledger, day| names(ledger.directory.dormant_to_suspend(on(day), after, &exempt));
    assert_eq!(
        found(&ledger, 92),
        [""; 0],
        "not before the last day is over"
    );
    assert_eq!(found(&ledger, 93), ["clerk", "ito"]);
    // The one that was used last stays, though nobody used it for a year.
    assert_eq!(found(&ledger, 365), ["clerk", "ito", "sato"]);
    used(&mut ledger, "ito", 364);
    assert_eq!(found(&ledger, 365), ["clerk", "sato", "kato"]);
}

#[test]
fn what_nobody_confirmed_is_suspended_but_the_administrator_who_was_confirmed_last() {
    let mut ledger = Ledger::default();
    for name in ["ito", "kato"] {
        ledger.approved(0, name, &[Role::Administrator]);
    }
    ledger.approved(0, "clerk", &[Role::Depositor]);
    ledger.approved(300, "new", &[Role::Depositor]);
    let keep = [("ito".to_owned(), decided(Decision::Keep, ""))];
    ledger.tell(10, "kato", &AccountsReviewed::new(keep.into()));
    let after = Duration::days(395);
    let found = |ledger: &Ledger, day| {
        let now = DAY_0 + Duration::days(day);
        names(ledger.directory.unreviewed_to_suspend(now, after))
    };
    assert_eq!(
        found(&ledger, 395),
        [""; 0],
        "not before the last day is over"
    );
    assert_eq!(found(&ledger, 396), ["clerk", "kato"]);
    assert_eq!(
        found(&ledger, 600),
        ["clerk", "kato"],
        "ito is the last one"
    );
    let suspended = |account: &str| AccountSuspended {
        account: account.to_owned(),
        cause: SuspensionCause::Review,
        reason: "not confirmed".to_owned(),
    };
    ledger.tell(396, "archiver", &suspended("clerk"));
    assert_eq!(found(&ledger, 397), ["kato"], "once");
    let account = "clerk".to_owned();
    let reason = "still here".to_owned();
    ledger.tell(398, "ito", &AccountResumed { account, reason });
    assert_eq!(
        found(&ledger, 399),
        ["kato"],
        "whoever resumes it confirms it"
    );
}

#[test]
fn a_review_takes_another_person_a_reason_where_something_ends_and_leaves_two_administrators() {
    let mut ledger = Ledger::default();
    for name in ["ito", "kato", "sato"] {
        ledger.approved(0, name, &[Role::Administrator]);
    }
    ledger.approved(0, "clerk", &[Role::Depositor]);
    let check = |decisions: &[(&str, Decision, &str)]| {
        let decisions = decisions.iter();
        let decisions = decisions
            .map(|(name, decision, remark)| ((*name).to_owned(), decided(*decision, remark)));
        ledger.directory.check_review(&decisions.collect(), "kato")
    };
    use Decision::{Close, Keep, Suspend};
    assert_eq!(
        check(&[("ito", Keep, ""), ("clerk", Suspend, "left")]),
        Ok(())
    );
    assert_eq!(check(&[("ito", Close, "left")]), Ok(()));
    let person = "kato".to_owned();
    assert_eq!(
        check(&[("kato", Keep, "")]),
        Err(AccessError::SamePerson { person })
    );
    assert_eq!(check(&[("clerk", Close, " ")]), Err(AccessError::NoReason));
    let name = "nobody".to_owned();
    assert_eq!(
        check(&[("nobody", Keep, "")]),
        Err(AccessError::NoAccount { name })
    );
    let both = [("ito", Suspend, "left"), ("sato", Close, "left")];
    assert_eq!(check(&both), Err(AccessError::TooFewAdministrators));
}

#[test]
fn what_a_review_decides_counts_at_once_and_an_old_one_confirms() {
    let mut ledger = Ledger::default();
    for name in ["kept", "stopped", "over", "old"] {
        ledger.approved(0, name, &[Role::Depositor]);
    }
    let year = Duration::days(365);
    let late = DAY_0 + Duration::days(366);
    assert_eq!(ledger.directory.due_for_review(late, year).len(), 4);
    let decisions = [
        ("kept", decided(Decision::Keep, "still with us")),
        ("stopped", decided(Decision::Suspend, "on leave")),
        ("over", decided(Decision::Close, "left")),
    ];
    let decisions = decisions.map(|(name, one)| (name.to_owned(), one));
    ledger.tell(366, "kato", &AccountsReviewed::new(decisions.into()));
    assert_eq!(names(ledger.directory.due_for_review(late, year)), ["old"]);
    let state = |name: &str| ledger.directory.account(name).unwrap();
    assert_eq!(state("kept").state, AccountState::Active);
    let review = state("kept").review.clone().unwrap();
    assert_eq!(
        (review.by.as_str(), review.decided.remark.as_str()),
        ("kato", "still with us")
    );
    assert_eq!(state("stopped").suspended, Some(SuspensionCause::Review));
    assert_eq!(state("over").state, AccountState::Closed);

    // As the first version of the program wrote it.
    let old: AccountsReviewed = serde_json::from_str("{\"confirmed\":[\"old\"]}").unwrap();
    ledger.tell(367, "kato", &old);
    let review = ledger
        .directory
        .account("old")
        .unwrap()
        .review
        .clone()
        .unwrap();
    assert_eq!(
        (review.at, review.decided),
        (datetime!(2031-04-03 00:00 UTC), decided(Decision::Keep, ""))
    );
    assert!(ledger.directory.due_for_review(late, year).is_empty());
}
