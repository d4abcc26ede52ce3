use std::collections::BTreeSet;

use argon2::password_hash::phc::PasswordHash;
use firmware::entropy::SeededEntropy;
use time::macros::datetime;

use super::*;
use crate::access::account::{AccountFacts, Scope};
use crate::access::credentials::NewPassword;
use crate::access::password::PasswordCost;
use crate::access::role::Role;
use crate::access::totp::SecondFactor;

const NOW: OffsetDateTime = datetime!(2030-04-01 00:00 UTC);
const PASSWORD: &str = "Ume-kaban-7-tetsudo";

fn account(state: AccountState, kind: AccountKind) -> Account {
    Account {
        name: "sato".to_owned(),
        facts: AccountFacts {
            display_name: "佐藤 花子".to_owned(),
            kind,
            roles: BTreeSet::from([Role::Depositor]),
            scope: Scope::default(),
            mail: None,
            certificates: BTreeSet::new(),
            openid: None,
        },
        state,
        suspended: None,
        requested_at: NOW,
        approved_at: Some(NOW),
        reviewed_at: None,
        review: None,
        last_used_at: None,
    }
}

fn credentials(is_first: bool, factor: Option<&SecondFactor>) -> Credentials {
    let mut credentials = Credentials::default();
    let rules = PasswordRules {
        cost: PasswordCost::cheap(),
        ..PasswordRules::default()
    };
    let new = NewPassword {
        password: PASSWORD,
        about: &[],
        is_first,
    };
    credentials
        .set_password(new, &rules, NOW, &SeededEntropy::new(1))
        .expect("it follows the rules");
    if let Some(factor) = factor {
        credentials.set_second_factor(factor, true);
    }
    credentials
}

fn tried(
    account: Option<(&Account, &Credentials)>,
    password: &str,
    code: Option<&str>,
) -> LoginOutcome {
    let entered = Entered { password, code };
    check(account, entered, None, &PasswordRules::default(), NOW)
}

#[test]
fn whoever_has_password_and_code_is_in_and_nobody_else() {
    let factor = SecondFactor::generate(&SeededEntropy::new(2)).expect("a secret");
    let code = factor.code(NOW).expect("a code");
    let active = account(AccountState::Active, AccountKind::Person);
    let kept = credentials(false, Some(&factor));
    let known = Some((&active, &kept));
    let full = tried(known, PASSWORD, Some(&code));
    assert!(matches!(
        full,
        LoginOutcome::In {
            standing: Standing::Full,
            step: Some(_)
        }
    ));
    assert_eq!(tried(known, PASSWORD, None), LoginOutcome::CodeWanted);
    // A right code helps nobody who lacks the password.
    for (password, code, wrong) in [
        ("", None, WrongLogin::Password),
        (
            "ume-kaban-7-tetsudo",
            Some(code.as_str()),
            WrongLogin::Password,
        ),
        (PASSWORD, Some("000000"), WrongLogin::Code),
        (PASSWORD, Some(""), WrongLogin::Code),
    ] {
        assert_eq!(
            tried(known, password, code),
            LoginOutcome::Wrong(wrong),
            "{password}"
        );
    }
    assert_eq!(
        tried(None, PASSWORD, None),
        LoginOutcome::Wrong(WrongLogin::Unknown)
    );
    let nothing_set = Credentials::default();
    let unset = tried(Some((&active, &nothing_set)), "", None);
    assert_eq!(unset, LoginOutcome::Wrong(WrongLogin::Password));
}

#[test]
fn accounts_that_are_not_in_use_and_systems_do_not_log_in() {
    let kept = credentials(false, None);
    for state in [
        AccountState::Requested,
        AccountState::Suspended,
        AccountState::Closed,
    ] {
        let one = account(state, AccountKind::Person);
        let outcome = tried(Some((&one, &kept)), PASSWORD, None);
        assert_eq!(outcome, LoginOutcome::Wrong(WrongLogin::NotActive(state)));
        // Whoever does not know the password does not learn the state.
        let guessed = tried(Some((&one, &kept)), "wrong", None);
        assert_eq!(guessed, LoginOutcome::Wrong(WrongLogin::Password));
    }
    let system = account(AccountState::Active, AccountKind::System);
    let outcome = tried(Some((&system, &kept)), PASSWORD, None);
    assert_eq!(outcome, LoginOutcome::Wrong(WrongLogin::Unknown));
}

#[test]
fn a_first_log_in_changes_the_password_and_then_sets_an_authenticator() {
    let active = account(AccountState::Active, AccountKind::Person);
    for (kept, standing) in [
        (credentials(true, None), Standing::MustChangePassword),
        (credentials(false, None), Standing::MustSetSecondFactor),
    ] {
        let outcome = tried(Some((&active, &kept)), PASSWORD, None);
        assert_eq!(
            outcome,
            LoginOutcome::In {
                standing,
                step: None
            }
        );
    }
}

#[test]
fn ten_wrong_ones_in_a_row_lock_for_half_an_hour() {
    let rules = LockRules::default();
    let mut counter = Counter::default();
    let wrong = LoginOutcome::Wrong(WrongLogin::Password);
    for try_no in 1..=10_u32 {
        assert!(counter.may_try("sato", rules, NOW).is_ok(), "{try_no}");
        let told = counter.told("sato", &mut wrong.clone(), rules, NOW);
        assert_eq!((told.failures, told.is_locked_now), (try_no, try_no == 10));
    }
    assert_eq!(counter.may_try("sato", rules, NOW), Err(WrongLogin::Locked));
    assert!(counter.may_try("suzuki", rules, NOW).is_ok());
    let almost = NOW + Duration::minutes(30) - Duration::SECOND;
    assert_eq!(
        counter.may_try("sato", rules, almost),
        Err(WrongLogin::Locked)
    );
    assert!(
        counter
            .may_try("sato", rules, almost + Duration::SECOND)
            .is_ok()
    );

    for _ in 0..10 {
        counter.told("sato", &mut wrong.clone(), rules, NOW);
    }
    counter.unlock("sato");
    assert!(counter.may_try("sato", rules, NOW).is_ok());
    let for_ever = LockRules {
        locked_for: None,
        ..rules
    };
    for _ in 0..10 {
        counter.told("sato", &mut wrong.clone(), for_ever, NOW);
    }
    let years = NOW + Duration::days(3650);
    assert_eq!(
        counter.may_try("sato", for_ever, years),
        Err(WrongLogin::Locked)
    );
}

#[test]
fn a_right_one_ends_the_row_and_its_code_is_used_up() {
    let rules = LockRules::default();
    let mut counter = Counter::default();
    let wrong = LoginOutcome::Wrong(WrongLogin::Code);
    let right = LoginOutcome::In {
        standing: Standing::Full,
        step: Some(7),
    };
    for _ in 0..9 {
        counter.told("sato", &mut wrong.clone(), rules, NOW);
    }
    // The password alone does not end the row: codes would be guessed for ever.
    counter.told("sato", &mut LoginOutcome::CodeWanted.clone(), rules, NOW);
    let told = counter.told("sato", &mut right.clone(), rules, NOW);
    assert_eq!(
        told,
        Told {
            failures: 0,
            is_locked_now: false
        }
    );
    assert_eq!(counter.may_try("sato", rules, NOW), Ok(Some(7)));
    // The same code by another request that was checked at the same time.
    let mut twice = right;
    counter.told("sato", &mut twice, rules, NOW);
    assert_eq!(twice, LoginOutcome::Wrong(WrongLogin::Code));
}

#[test]
fn what_nobody_is_compared_with_costs_as_much_as_a_password() {
    let nobody = PasswordHash::new(NOBODY).expect("it is a PHC string");
    let real = password::derive(PASSWORD, PasswordCost::default(), &SeededEntropy::new(1));
    let real = real.expect("derived");
    let real = PasswordHash::new(&real).expect("it is a PHC string");
    assert_eq!(nobody.params, real.params);
    assert_eq!(nobody.algorithm, real.algorithm);
    let lengths = |hash: &PasswordHash| {
        (
            hash.salt.map(|one| one.len()),
            hash.hash.map(|one| one.len()),
        )
    };
    assert_eq!(lengths(&nobody), lengths(&real));
}

#[test]
fn names_that_nobody_has_are_locked_as_others_and_fill_no_memory() {
    let rules = LockRules::default();
    let mut counter = Counter::default();
    let wrong = LoginOutcome::Wrong(WrongLogin::Unknown);
    for number in 1..=rules.failures_max {
        let told = counter.told_of_stranger("nobody", &mut wrong.clone(), rules, NOW);
        assert_eq!(
            (told.failures, told.is_locked_now),
            (number, number == rules.failures_max)
        );
    }
    assert_eq!(
        counter.may_try("nobody", rules, NOW),
        Err(WrongLogin::Locked)
    );
    counter.told(
        "sato",
        &mut LoginOutcome::Wrong(WrongLogin::Password),
        rules,
        NOW,
    );
    for number in 0..STRANGERS_MAX + 10 {
        counter.told_of_stranger(&format!("name{number}"), &mut wrong.clone(), rules, NOW);
    }
    assert_eq!(counter.of_stranger.len(), STRANGERS_MAX);
    let told = counter.told(
        "sato",
        &mut LoginOutcome::Wrong(WrongLogin::Password),
        rules,
        NOW,
    );
    assert_eq!(told.failures, 2, "an account is never forgotten for them");
}
