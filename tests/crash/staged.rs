//! Faults of the program that random cuts once found, on a stage that is set for each: they do not depend on a seed.

use tests::endurance;

#[test]
fn a_note_of_a_mark_that_was_lost_seals_no_wrong_digest() {
    endurance::a_note_of_a_mark_that_was_lost().unwrap_or_else(|lost| panic!("{lost}"));
}

#[test]
fn a_rotation_killed_at_any_call_leaves_no_name_that_a_power_loss_takes() {
    endurance::a_key_behind_a_name_that_was_not_synchronised()
        .unwrap_or_else(|lost| panic!("{lost}"));
}

#[test]
fn a_backup_whose_removal_was_killed_at_any_call_is_taken_again() {
    endurance::a_backup_whose_removal_was_cut().unwrap_or_else(|refused| panic!("{refused}"));
}
