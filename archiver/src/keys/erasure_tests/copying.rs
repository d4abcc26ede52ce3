//! Copies of the key medium are on record before they exist.

use super::*;
use crate::keys::CopyOptions;

fn label(archive: &Archive, number: u8) -> MediumLabel {
    MediumLabel {
        medium: MediumId::new(2, &[number; 10]),
        archive: archive.config().archive,
        role: MediumRole::Keys,
        number: number.into(),
        created_at: time::macros::datetime!(2026-11-22 06:00 UTC),
        classification: String::new(),
        capacity_bytes: 1,
        evaluation: true,
        format_version: 1,
    }
}

fn listed(archive: &Archive, place: &Path) -> bool {
    let place = place.display().to_string();
    let copies = archive.copies_made().unwrap();
    copies.iter().any(|one| one.place == place)
}

#[test]
fn a_copy_is_listed_wherever_its_making_is_cut() {
    let bench = Bench::new();
    let folder = bench.folder();
    let disk = FaultyDisk::new();
    let archive = open_on(folder, disk.clone(), Access::Write).unwrap();
    let (mut cut, mut empty) = (Vec::new(), 0);
    for number in 0..100 {
        let after = 5 * usize::from(number);
        let name = format!("third-{number:03}");
        let target = folder.join(&name);
        disk.arm(Fault {
            call: None,
            path: name,
            after,
            sticky: true,
            error: io::ErrorKind::Other,
            outcome: Outcome::Lost,
        });
        let label = label(&archive, number + 3);
        let options = CopyOptions::default();
        let made = archive.copy_keys("佐藤", &target, &label, options, &mut |_| ());
        disk.heal();
        // Where no file of it stands, there is no copy.
        let kept = [target.join("ledger"), target.join("kek.json")];
        let stands = kept.iter().any(|path| match fs::read_dir(path) {
            Ok(mut ledger) => ledger.any(|entry| {
                let length = entry.unwrap().metadata().unwrap().len();
                length > 0
            }),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        });
        assert_eq!(listed(&archive, &target), stands, "{after}");
        if !stands {
            empty += 1;
            continue;
        }
        cut.push(target);
        if made.is_ok() {
            break;
        }
    }
    assert!((5..100).contains(&cut.len()) && empty > 0, "{}", cut.len());
    disk.kill();
    drop(archive);
    let archive = open(folder, Access::Write);
    for target in &cut {
        assert!(listed(&archive, target), "{}", target.display());
    }
    // What is refused makes nothing, and is not listed.
    let refused = folder.join("data");
    let label = label(&archive, 1);
    let options = CopyOptions::default();
    let copied = archive.copy_keys("佐藤", &refused, &label, options, &mut |_| ());
    assert!(copied.is_err() && !listed(&archive, &refused));
    let report = archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap();
    assert_eq!(report.facts.other_copies.len(), cut.len());
}

#[test]
fn a_copy_that_is_gone_is_listed_no_more() {
    let bench = Bench::new();
    let archive = open(bench.folder(), Access::Write);
    let target = bench.folder().join("third");
    let label = label(&archive, 9);
    let options = CopyOptions::default();
    archive
        .copy_keys("佐藤", &target, &label, options, &mut |_| ())
        .unwrap();
    let gone = |medium| archive.record_copy_gone(medium, "shredded", "佐藤");
    let refused = gone(label.medium);
    assert!(matches!(
        refused,
        Err(ArchiveError::Keys(KeyError::MediumStillThere { path })) if path == target
    ));
    let unknown = gone(MediumId::new(7, &[7; 10]));
    assert!(matches!(
        unknown,
        Err(ArchiveError::Keys(KeyError::MediumUnlisted { .. }))
    ));
    assert!(listed(&archive, &target));
    fs::remove_dir_all(&target).unwrap();
    assert_eq!(gone(label.medium).unwrap().how, "shredded");
    assert!(!listed(&archive, &target));
    let report = archive
        .destroy_keys(&bench.destruction(), &mut |_| ())
        .unwrap();
    assert!(report.facts.other_copies.is_empty());
    // It is made anew.
    archive
        .copy_keys("佐藤", &target, &label, options, &mut |_| ())
        .unwrap();
    assert!(listed(&archive, &target));
}

#[test]
fn a_copy_that_was_made_with_other_means_is_listed_once_it_takes_part() {
    let bench = Bench::new();
    let folder = bench.folder();
    copy_folder(&folder.join("copy"), &folder.join("by-hand"));
    let other = folder.join("by-hand/MEDIUM.json");
    let label = label(&open(folder, Access::Read), 9).encode().unwrap();
    replace_file(&SystemDisk, &other, &label).unwrap();
    let mut config = config(folder, true);
    config.key_copies.push(folder.join("by-hand"));
    let disk = environment(Arc::new(SystemDisk));
    let opened = Archive::open(config, &passphrase(), Access::Write, disk, &mut |_| ());
    let archive = opened.unwrap().0;
    for _ in 0..2 {
        archive.record_copies("佐藤").unwrap();
    }
    let kinds: Vec<String> = archive
        .key_events()
        .unwrap()
        .into_iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(kinds, ["key-copy-made", "key-copy-joined"]);
    archive.close().unwrap();
    let archive = open(folder, Access::Write);
    assert!(listed(&archive, &folder.join("by-hand")));
}

#[test]
fn an_intake_medium_is_named_until_its_destruction_is_recorded() {
    let bench = Bench::new();
    let archive = open(bench.folder(), Access::Write);
    let place = bench.folder().join("intake");
    fs::create_dir(&place).unwrap();
    let made = archive.create_intake(&place, "佐藤").unwrap();
    let medium = made.intake.medium.unwrap();
    let record = |medium| archive.record_intake_destroyed(medium, "shredded", "佐藤");
    let there = record(medium);
    assert!(matches!(
        there,
        Err(ArchiveError::Keys(KeyError::MediumStillThere { path })) if path == place
    ));
    let is_unknown = |medium| {
        matches!(
            record(medium),
            Err(ArchiveError::Keys(KeyError::MediumUnlisted { .. }))
        )
    };
    assert!(is_unknown(MediumId::new(7, &[7; 10])));
    assert_eq!(archive.intake_media().unwrap().len(), 1);
    // A label that cannot be read is no proof that the medium is gone.
    let label = place.join("MEDIUM.json");
    fs::remove_file(&label).unwrap();
    fs::create_dir(&label).unwrap();
    assert!(matches!(record(medium), Err(ArchiveError::Store(_))));
    fs::remove_dir_all(&place).unwrap();
    assert_eq!(record(medium).unwrap().intake, made.intake);
    assert!(archive.intake_media().unwrap().is_empty() && is_unknown(medium));
}
