//! What was destroyed does not come back with a backup.

use archiver::archive::Access;
use archiver::backup;
use archiver::backup::ledger::Backups;
use archiver::backup::restore::{Restored, bury};
use archiver::keys::events::KeyDestructionBegun;
use archiver::keys::{DamagedEntries, Destruction, KeyError, KeyMedium, KeyPlace, LedgerAccess};
use archiver::record::error::RetrieveError;

use super::backups::{restore_to, take};
use super::*;

/// Destroys one version; answers the backups that its certificate names.
fn destroy(archive: &Archive, version: VersionId) -> Vec<u32> {
    let destruction = Destruction {
        versions: vec![version],
        by: "tester".to_owned(),
        approved_by: "another".to_owned(),
        reason: "a test".to_owned(),
        damaged: DamagedEntries::Keep,
    };
    let done = archive.destroy_keys(&destruction, &mut |_| ()).unwrap();
    done.facts.backups
}

/// The backups that must go.
fn doomed(archive: &Archive) -> Vec<u32> {
    let backups = Backups::read(archive).unwrap();
    let doomed = backups.to_be_destroyed(archive.keys().ledger());
    doomed.iter().map(|one| one.generation).collect()
}

#[test]
fn a_destroyed_key_does_not_survive_in_a_backup() {
    let world = World::new(7);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 4, 5000);
    let first = take(&archive, &world, None).unwrap().taken;
    let elsewhere = take(&archive, &world, None).unwrap().taken;
    let moved = world.path("elsewhere.backup");
    put(&moved, &std::fs::read(&elsewhere.file).unwrap());
    std::fs::remove_file(&elsewhere.file).unwrap();
    world.wait();
    assert_eq!(
        destroy(&archive, versions[0]),
        [1, 2],
        "before they are pruned"
    );
    let after = take(&archive, &world, None).unwrap().taken;
    assert_eq!(doomed(&archive), [1, 2]);
    let pruned = backup::prune(&archive, "tester").unwrap();
    assert_eq!(pruned.removed.len(), 1);
    assert_eq!(pruned.absent, [elsewhere]);
    assert!(pruned.failed.is_empty());
    assert!(!first.file.exists());
    assert_eq!(doomed(&archive), [2]);
    backup::confirm_destroyed(&archive, "tester", 2).unwrap();
    assert!(doomed(&archive).is_empty());
    archive.close().unwrap();
    let restored = restore_to(&world, &after.file, "backup", "new").unwrap();
    let archive = world.open_config(restored.config, Access::Read);
    assert!(!archive.keys().ledger().holds(versions[0]));
    assert_eq!(passing(&archive, &versions), versions[1..]);
    drop(archive);
    let moved = restore_to(&world, &moved, "backup", "old").unwrap();
    stays_destroyed(&world, &moved, &versions);
}

/// A forgotten backup gives back nothing that was destroyed since: it is not read, and goes from the restored key medium, too.
fn stays_destroyed(world: &World, restored: &Restored, versions: &[VersionId]) {
    let archive = world.open_config(restored.config.clone(), Access::Read);
    let is_gone = |archive: &Archive| {
        assert!(!archive.keys().ledger().holds(versions[0]));
        assert!(matches!(
            archive.keys().ledger().data_key(versions[0]),
            Err(KeyError::KeyDestroyed { .. })
        ));
        let refused = archive.retriever().open(versions[0]).err().unwrap();
        assert!(matches!(
            refused,
            RetrieveError::Keys(KeyError::KeyDestroyed { .. })
        ));
        let hit = archive.catalog().version(versions[0]).unwrap().unwrap();
        assert!(!hit.readable && hit.objects.is_empty());
        assert_eq!(passing(archive, versions), versions[1..]);
    };
    is_gone(&archive);
    let doomed = archive.keys().ledger().shut_out_versions();
    assert_eq!(doomed, versions[..1]);
    let holder = archive.keys().provider().describe().kind;
    archive.close().unwrap();
    let unlock = passphrase("keys");
    let environment = world.environment();
    assert!(bury(restored, (&unlock).into(), holder, &doomed, &environment).unwrap());
    let archive = world.open_config(restored.config.clone(), Access::Read);
    is_gone(&archive);
    assert!(archive.keys().ledger().shut_out_versions().is_empty());
    archive.close().unwrap();
    // Nothing depends on what the data media tell any more.
    let keys = KeyMedium::open(
        environment.disk,
        KeyPlace::new(&restored.config.keys, &[], None),
        restored.config.archive,
        &unlock,
        LedgerAccess::Read,
        environment.entropy,
    )
    .unwrap();
    assert!(keys.ledger().destroyed_at(versions[0]).is_some() && !keys.ledger().holds(versions[0]));
    assert!(
        versions[1..]
            .iter()
            .all(|version| keys.ledger().data_key(*version).is_ok())
    );
}

#[test]
fn the_order_of_events_says_which_backups_hold_a_destroyed_key() {
    let world = World::new(17);
    let archive = world.open(Access::Write);
    let versions = fill(&archive, &world, 2, 5000);
    archive.close().unwrap();
    // Nine years ahead, as a clock with a flat battery may be.
    world.clock.advance(time::Duration::days(9 * 365));
    let archive = world.open(Access::Write);
    take(&archive, &world, None).unwrap();
    archive.close().unwrap();
    world.clock.set(datetime!(2026-11-23 03:48:30 UTC));
    let archive = world.open(Access::Write);
    assert_eq!(destroy(&archive, versions[0]), [1]);
    take(&archive, &world, None).unwrap();
    assert_eq!(doomed(&archive), [1]);
    // Decided and not carried out yet: nobody knows what a backup of this moment holds.
    let begun = KeyDestructionBegun {
        versions: vec![versions[1].to_string()],
        by: "tester".to_owned(),
        approved_by: "another".to_owned(),
        reason: "a test".to_owned(),
        epoch: archive.keys().provider().current_epoch(),
        media: Vec::new(),
        damaged_given_up: 0,
    };
    archive.record_event("tester", &begun).unwrap();
    take(&archive, &world, None).unwrap();
    assert_eq!(doomed(&archive), [1, 2, 3]);
    archive.close().unwrap();
    // The next opening carries it out.
    let archive = world.open(Access::Write);
    assert_eq!(doomed(&archive), [1, 2, 3]);
    take(&archive, &world, None).unwrap();
    assert_eq!(doomed(&archive), [1, 2, 3]);
    archive.close().unwrap();
}
