use super::*;
use crate::scrub::facts::Proven;

fn finding(segment: u32, medium: &str, outcome: &str) -> Finding {
    Finding {
        segment,
        medium: medium.to_owned(),
        problems: Vec::new(),
        outcome: outcome.to_owned(),
        source: None,
        bytes: 0,
        last_proven: None,
    }
}

fn found(started: &str, copies: Vec<Finding>, lost: Vec<LossFact>) -> DamageFound {
    DamageFound {
        started: started.to_owned(),
        deep: false,
        copies,
        lost,
    }
}

fn scrubbed(started: &str, deep: bool, medium: &str, segments: [u32; 2]) -> Scrubbed {
    Scrubbed {
        started: started.to_owned(),
        ended: started.to_owned(),
        deep,
        selection: "all".to_owned(),
        complete: true,
        bytes: 0,
        proven: vec![Proven {
            medium: medium.to_owned(),
            segments: vec![segments],
            growing: Vec::new(),
        }],
        damaged: 0,
        healed: 0,
        lost: 0,
    }
}

fn loss(segment: u32) -> LossFact {
    LossFact {
        offset: 66,
        end: 99,
        text: None,
        ..LossFact::missing(segment)
    }
}

#[test]
fn damage_stands_until_a_later_run_of_its_kind_finds_it_whole() {
    let mut fold = Fold::default();
    let copies = vec![finding(1, "a", "damaged"), finding(1, "b", "failed")];
    fold.found(found("1", copies, vec![loss(1), LossFact::missing(2)]));
    // What the run itself read elsewhere, another medium and a deep run say nothing about it.
    fold.scrubbed(&scrubbed("1", false, "a", [1, 9]));
    assert_eq!((fold.damaged.len(), fold.lost.len()), (2, 1));
    fold.scrubbed(&scrubbed("2", true, "a", [1, 9]));
    fold.scrubbed(&scrubbed("3", false, "a", [2, 9]));
    assert_eq!((fold.damaged.len(), fold.lost.len()), (2, 1));
    // The same place is found again, and is one loss.
    fold.found(found("4", Vec::new(), vec![loss(1)]));
    fold.scrubbed(&scrubbed("4", false, "c", [2, 2]));
    assert_eq!(fold.lost.len(), 1);
    fold.scrubbed(&scrubbed("5", false, "a", [1, 1]));
    assert_eq!((fold.damaged.len(), fold.lost.len()), (1, 0));
    fold.found(found("6", vec![finding(1, "b", "healed")], Vec::new()));
    assert!(fold.damaged.is_empty());
}

#[test]
fn what_the_keys_found_is_not_ended_by_a_run_without_them() {
    let mut fold = Fold::default();
    fold.found(found("1", Vec::new(), vec![loss(3)]));
    fold.scrubbed(&scrubbed("1", true, "a", [1, 2]));
    fold.scrubbed(&scrubbed("2", false, "a", [1, 3]));
    assert_eq!(fold.lost.len(), 1);
    fold.scrubbed(&scrubbed("3", true, "a", [3, 3]));
    assert!(fold.lost.is_empty());
}

#[test]
fn what_the_keys_found_stays_theirs_where_the_end_of_their_run_was_never_recorded() {
    let mut fold = Fold::default();
    fold.found(DamageFound {
        deep: true,
        ..found("1", Vec::new(), vec![loss(3)])
    });
    fold.scrubbed(&scrubbed("2", false, "a", [1, 3]));
    assert_eq!(fold.lost.len(), 1);
    fold.scrubbed(&scrubbed("3", true, "a", [3, 3]));
    assert!(fold.lost.is_empty());
}

#[test]
fn a_segment_that_came_back_and_is_lost_again_was_not_accepted() {
    let mut fold = Fold::default();
    fold.accepted.extend([4, 5, 6]);
    fold.scrubbed(&scrubbed("1", false, "a", [1, 3]));
    assert_eq!(fold.accepted, [4, 5, 6].into());
    fold.scrubbed(&scrubbed("2", false, "a", [5, 5]));
    assert_eq!(fold.accepted, [4, 6].into());
}
