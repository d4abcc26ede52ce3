use std::io::ErrorKind;

use super::*;
use crate::access::{AccountKind, AccountState, Role, Scope};
use crate::archive::Access;
use crate::cli::fixture::Bench;
use crate::store::durable::faults::{Call, Fault, Outcome};

fn founders() -> Vec<(String, AccountFacts)> {
    let facts = |name: &str| AccountFacts {
        display_name: name.to_owned(),
        kind: AccountKind::Person,
        roles: [Role::Administrator].into(),
        scope: Scope::default(),
        mail: None,
        certificates: BTreeSet::new(),
        openid: None,
    };
    ["sato", "suzuki"]
        .map(|name| (name.to_owned(), facts(name)))
        .into()
}

#[test]
fn the_first_accounts_are_all_there_or_none_is() {
    let bench = Bench::new();
    let rules = PasswordRules::default();
    let archive = bench.open(Access::Write);
    let alone = &founders()[..1];
    assert!(found_accounts(&archive, "tester", alone, &rules).is_err());
    let twice = [founders()[0].clone(), founders()[0].clone()];
    assert!(found_accounts(&archive, "tester", &twice, &rules).is_err());
    bench.disk.arm(Fault {
        call: Some(Call::Write),
        path: "segments".to_owned(),
        after: 0,
        sticky: true,
        error: ErrorKind::StorageFull,
        outcome: Outcome::Torn(40),
    });
    assert!(found_accounts(&archive, "tester", &founders(), &rules).is_err());
    drop(archive.close());
    bench.disk.heal();
    let archive = bench.open(Access::Write);
    assert_eq!(
        People::of(&archive).unwrap().directory().accounts().count(),
        0
    );
    let first = found_accounts(&archive, "tester", &founders(), &rules).unwrap();
    assert_eq!(first.len(), 2);
    let people = People::of(&archive).unwrap();
    for one in &first {
        let account = people.directory().account(&one.account).unwrap();
        assert_eq!(account.state, AccountState::Active);
        assert!(
            !format!("{one:?}").contains(one.password.as_str()),
            "not even for debugging"
        );
    }
    assert!(
        found_accounts(&archive, "tester", &founders(), &rules).is_err(),
        "once"
    );
    archive.close().unwrap();
}
