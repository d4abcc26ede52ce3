//! Who takes part when a store is opened, and where the archive ends.

use std::io;

use formats::roster::{OutCause, OutOfService, ROSTER_FILE, Roster};

use super::replicas::{add, failing, upto};
use super::*;
use crate::store::durable::faults::Call;

/// An archive with the roster written and some records, over several segments.
fn filled(replicas: u32) -> Media {
    let media = Media::with_small_segments(replicas);
    let (store, _) = media.open(1);
    for number in 0..60 {
        add(&store, number);
    }
    store.close().unwrap();
    media
}

fn refusal(media: &Media) -> StoreError {
    let opened = Store::open(&media.directories, ARCHIVE, &media.options(1));
    opened.map(|_| ()).expect_err("refused")
}

/// A new medium in the folder of one that was lost: until it has everything, one copy is missing.
#[test]
fn a_medium_that_is_being_prepared_lowers_nothing() {
    let media = filled(2);
    let disk: Arc<dyn Disk> = media.disk.clone();
    disk.rename(media.directory(1), &media.root().join("lost"))
        .unwrap();
    let joining = joining::Joining::new(ARCHIVE, Some(label(2).medium));
    joining::prepare(disk.as_ref(), media.directory(1), &joining, label(9)).unwrap();
    let error = refusal(&media);
    assert!(
        matches!(&error, StoreError::MediumUnusable { problem } if problem.kind == MediumProblemKind::Joining),
        "{error}"
    );
    // Reading goes on, and so does writing where one copy is enough.
    assert_eq!(records(&media.read_only()), upto(60));
    let media = Media {
        copies: CopyPolicy {
            min: Some(1),
            ..CopyPolicy::default()
        },
        ..media
    };
    add(&media.open(1).0, 60);
}

#[test]
fn a_stray_name_does_not_decide_where_the_archive_ends() {
    for number in [10, 500, u32::MAX - 1] {
        let mut media = filled(2);
        media.copies.min = Some(1);
        let stray = media.segment(1, number);
        for length in [0, 30] {
            put(&stray, &vec![7; length]);
            let error = refusal(&media);
            assert!(
                matches!(&error, StoreError::StraySegment { path } if *path == stray),
                "{number}: {error}"
            );
        }
        // What may hold something is not called a stray.
        put(&stray, &[7; 3000]);
        let error = refusal(&media);
        assert!(
            matches!(error, StoreError::SegmentDamaged { segment } if segment == number),
            "{number}: {error}"
        );
        // A segment of the archive under another number is no segment with that number.
        put(&stray, &media.bytes(0, 1));
        assert!(matches!(refusal(&media), StoreError::SegmentDamaged { .. }));
        std::fs::remove_file(&stray).unwrap();
        let (store, report) = media.open(1);
        assert_eq!(report, RecoveryReport::default());
        assert_eq!(records(&store), upto(60));
    }
}

#[test]
fn a_roster_that_cannot_be_read_is_not_an_absent_one() {
    let mut media = filled(2);
    media.copies.min = Some(1);
    let path = media.directory(0).join(ROSTER_FILE);
    let text = std::fs::read(&path).unwrap();
    let damages: [&dyn Fn(); 3] = [&|| flip(&path, 300), &|| put(&path, b""), &|| {
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
    }];
    for damage in damages {
        damage();
        let error = refusal(&media);
        assert!(
            matches!(&error, StoreError::RosterUnreadable { path: named, .. } if *named == path),
            "{error}"
        );
        assert_eq!(records(&media.read_only()), upto(60));
        if path.is_dir() {
            std::fs::remove_dir(&path).unwrap();
        }
        put(&path, &text);
    }
    // An absent one is written again.
    std::fs::remove_file(&path).unwrap();
    drop(media.open(1));
    assert_eq!(
        std::fs::read(&path).unwrap(),
        std::fs::read(media.directory(1).join(ROSTER_FILE)).unwrap()
    );
}

/// What a medium would say that takes no part anyway hinders nobody.
#[test]
fn an_unreadable_roster_counts_only_on_a_medium_in_service() {
    for with_note in [true, false] {
        for is_member in [true, false] {
            let mut media = filled(2);
            media.copies.min = Some(1);
            media.copies.note = with_note.then(|| media.root().join("note.json"));
            drop(media.open(1));
            let path = |medium| media.directory(medium).join(ROSTER_FILE);
            let (own, other) = (path(0), path(1));
            let text = std::fs::read(&other).unwrap();
            let mut roster = Roster::parse(&text).unwrap();
            roster.generation += 1;
            if is_member {
                roster.members[0].out = Some(OutOfService {
                    since: roster.written_at,
                    from: FrameAddress::new(1, 0),
                    cause: OutCause::Failed,
                });
            } else {
                let first = label(1).medium;
                roster.members.retain(|member| member.medium != first);
            }
            let out = roster.encode().unwrap();
            put(&own, b"nothing");
            // While they say that it is in service, nobody writes.
            assert!(matches!(
                refusal(&media),
                StoreError::RosterUnreadable { .. }
            ));
            put(&other, &out);
            if let Some(note) = &media.copies.note {
                put(note, &out);
            }
            let (store, report) = media.open(1);
            assert_eq!(report.media.len(), 1);
            assert_eq!(report.media[0].directory, media.directory(0));
            drop(store);
            // An old roster may be the only one that is left: the note would say so.
            if let Some(note) = &media.copies.note {
                std::fs::remove_file(note).unwrap();
                assert!(matches!(
                    refusal(&media),
                    StoreError::RosterUnreadable { .. }
                ));
            }
        }
    }
}

/// Two rosters of one generation: each side's members are members, and what one side does not have in service is not.
#[test]
fn rosters_that_disagree_are_united() {
    let media = filled(3);
    let read = |medium| {
        let path = media.directory(medium).join(ROSTER_FILE);
        Roster::parse(&std::fs::read(path).unwrap()).unwrap()
    };
    let write = |medium, roster: &Roster| {
        let path = media.directory(medium).join(ROSTER_FILE);
        put(&path, &roster.encode().unwrap());
    };
    let whole = read(0);
    let (mut one, mut other, mut third) = (whole.clone(), whole.clone(), whole.clone());
    one.members
        .retain(|member| member.medium != label(3).medium);
    other.members[1].out = Some(OutOfService {
        since: whole.written_at,
        from: FrameAddress::new(1, 0),
        cause: OutCause::Failed,
    });
    third.generation -= 1;
    write(0, &one);
    write(1, &other);
    write(2, &third);
    let options = OpenOptions {
        copies: CopyPolicy {
            min: Some(1),
            ..CopyPolicy::default()
        },
        ..media.options(1)
    };
    let (store, _) = Store::open(&media.directories, ARCHIVE, &options).unwrap();
    let causes: Vec<_> = store
        .replicas()
        .iter()
        .map(|replica| match replica.state {
            ReplicaCondition::InService => None,
            ReplicaCondition::OutOfService(out) => Some(out.cause),
        })
        .collect();
    assert_eq!(
        causes,
        [None, Some(OutCause::Failed), Some(OutCause::Diverged)]
    );
    assert_eq!(records(&store), upto(60));
}

/// It is no failure of the medium: the refusal names it and says what to do. Where one copy is enough, the archive goes on.
#[test]
fn a_medium_that_can_only_be_read_is_named() {
    let mut media = filled(2);
    let fault = failing(Call::Open, "medium-2", io::ErrorKind::ReadOnlyFilesystem);
    media.disk.arm(fault);
    let error = refusal(&media);
    let StoreError::MediumUnusable { problem } = &error else {
        panic!("{error}");
    };
    assert_eq!(problem.kind, MediumProblemKind::ReadOnly);
    assert_eq!(problem.directory, media.directory(1));
    assert!(
        error.to_string().contains("mount it for writing"),
        "{error}"
    );
    // Whoever only looks finds the same.
    let now = datetime!(2026-11-22 03:48:30 UTC);
    let disk: Arc<dyn Disk> = media.disk.clone();
    media.disk.heal();
    let (directories, copies) = (media.directories.clone(), media.copies.clone());
    let look = || inspect_media(&directories, ARCHIVE, &copies, &disk, now);
    assert_eq!(look().in_service.len(), 2);
    let fault = failing(Call::Open, "medium-2", io::ErrorKind::ReadOnlyFilesystem);
    media.disk.arm(fault);
    let found = look();
    assert_eq!(found.in_service.len(), 1);
    assert_eq!(found.problems, [problem.as_ref().clone()]);
    media.copies.min = Some(1);
    let (_, report) = media.open(1);
    assert_eq!(report.media.len(), 1);
    assert_eq!(report.media[0].kind, MediumProblemKind::ReadOnly);
}
