//! Opening a store: which media take part, their locks, recovery.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use formats::id::{ArchiveId, MediumId};
use formats::roster::OutCause;
use formats::segment::FrameAddress;

use super::presence::{Present, Survey};
use super::reader::Reader;
use super::recovery::{self, RecoveryReport, Tail};
use super::replica::Replica;
use super::roster::{RosterKeeper, cause_of};
use super::{
    MediumProblem, MediumProblemKind, OpenOptions, Store, StoreError, StoreShared, Writing, lock,
};

/// See [`Store::open`].
pub(super) fn open(
    directories: &[PathBuf],
    archive: ArchiveId,
    options: &OpenOptions,
) -> Result<(Store, RecoveryReport), StoreError> {
    let now = options.clock.now();
    let note = options.copies.note.as_deref();
    let mut survey = Survey::of(directories, archive, note, now);
    // Also of a medium that is still being prepared in the folder of one that failed: it is no copy, and one is wanted there.
    let wanted = options.copies.min.unwrap_or(directories.len()).max(1);
    let mut locks = Vec::new();
    let mut replicas = Vec::new();
    for present in &survey.in_service {
        locks.push(lock(&present.directory, options.writable)?);
        replicas.push(Arc::new(Replica::of(present, &options.disk)));
    }
    let absent = survey.absent();
    let mut report = RecoveryReport::default();
    let mut tail = None;
    if options.writable {
        if let Some(error) = survey.unreadable {
            return Err(error);
        }
        if replicas.len() < wanted {
            return Err(survey.refusal());
        }
        let mut lost: Vec<_> = absent.iter().map(|id| (*id, OutCause::Absent)).collect();
        let (recovered, found) = recover(
            &mut replicas,
            archive,
            options,
            wanted,
            &mut survey,
            &mut lost,
        )?;
        report = found;
        tail = Some((recovered, lost));
    } else if replicas.is_empty() {
        let refusal = survey.refusal();
        let present = survey.last_resort().ok_or(refusal)?;
        locks.push(lock(&present.directory, false)?);
        replicas.push(Arc::new(Replica::of(&present, &options.disk)));
    }
    let keeper = Arc::new(RosterKeeper::new(
        Arc::clone(&options.disk),
        Arc::clone(&options.clock),
        options.copies.note.clone(),
        wanted,
        survey.roster.clone(),
        places(&survey),
    ));
    let mut writing = None;
    if let Some((mut tail, lost)) = tail {
        settle(&keeper, &mut tail, &lost, wanted)?;
        replicas.retain(|replica| grows(&tail, replica));
        writing = Some(Writing::start(archive, options, tail, Arc::clone(&keeper))?);
    }
    add_stale(&mut replicas, &survey, options);
    report.absent = missing(&survey.problems);
    report.media = survey.problems;
    let shared = Arc::new(StoreShared {
        archive,
        reader: Arc::new(Reader::new(archive, replicas)),
        writing,
        keeper,
        disk: Arc::clone(&options.disk),
        locks: Mutex::new(locks),
    });
    Ok((Store { shared }, report))
}

/// Recovers the end of the archive on all media that can be written. One that fails, or is an old copy, is left out where enough
/// others remain.
fn recover(
    replicas: &mut Vec<Arc<Replica>>,
    archive: ArchiveId,
    options: &OpenOptions,
    wanted: usize,
    survey: &mut Survey,
    lost: &mut Vec<(MediumId, OutCause)>,
) -> Result<(Tail, RecoveryReport), StoreError> {
    loop {
        let complete = lost.is_empty();
        let attempt = recovery::newest_segment(replicas, archive).and_then(|newest| {
            require_recent(replicas, newest.unwrap_or(0))?;
            recovery::recover(replicas, archive, options, newest, complete)
        });
        let error = match attempt {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Some((number, problem)) = blame(replicas, &error) else {
            return Err(error);
        };
        if replicas.len() <= wanted {
            // One that can only be read did not fail: it is named, with what to do.
            let can_only_be_read = problem.kind == MediumProblemKind::ReadOnly;
            return Err(if can_only_be_read {
                problem.into()
            } else {
                error
            });
        }
        let replica = replicas.remove(number);
        lost.push((replica.medium, noted_cause(&problem.kind, &error)));
        survey.problems.push(problem);
    }
}

/// A medium that ends before the last but one segment was away for long, or is an old image: no crash leaves one so far behind.
fn require_recent(replicas: &[Arc<Replica>], newest: u32) -> Result<(), StoreError> {
    let mut lasts = Vec::new();
    for replica in replicas {
        let segments = replica.segments()?;
        lasts.push(segments.last().map_or(0, |(segment, _)| *segment));
    }
    for (replica, last) in replicas.iter().zip(lasts) {
        if last + 1 < newest {
            let kind = MediumProblemKind::Behind { last, newest };
            return Err(problem_of(replica, kind).into());
        }
    }
    Ok(())
}

/// Whose failure it is.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "no other failure is that of one medium"
)]
fn blame(replicas: &[Arc<Replica>], error: &StoreError) -> Option<(usize, MediumProblem)> {
    let directory: &Path = match error {
        StoreError::MediumFull { directory } => directory,
        // What a copy gave that was to be read is no failure: this one does not give back what was written to it.
        StoreError::Io { path, .. } | StoreError::NotWhole { path } => path,
        StoreError::MediumUnusable { problem } => &problem.directory,
        _ => return None,
    };
    let mut all = replicas.iter();
    let number = all.position(|replica| directory.starts_with(&replica.directory))?;
    let kind = if let StoreError::MediumUnusable { problem } = error {
        problem.kind.clone()
    } else if cause_of(error) == OutCause::ReadOnly {
        MediumProblemKind::ReadOnly
    } else {
        MediumProblemKind::Failed {
            cause: error.to_string(),
        }
    };
    Some((number, problem_of(replicas.get(number)?, kind)))
}

fn noted_cause(kind: &MediumProblemKind, error: &StoreError) -> OutCause {
    match kind {
        MediumProblemKind::Behind { .. } => OutCause::Behind,
        MediumProblemKind::Diverged => OutCause::Diverged,
        MediumProblemKind::Missing
        | MediumProblemKind::Unreadable { .. }
        | MediumProblemKind::Foreign { .. }
        | MediumProblemKind::WrongRole
        | MediumProblemKind::Twice
        | MediumProblemKind::NotMember
        | MediumProblemKind::Joining
        | MediumProblemKind::OutOfService(_)
        | MediumProblemKind::ReadOnly
        | MediumProblemKind::Failed { .. } => cause_of(error),
    }
}

fn problem_of(replica: &Replica, kind: MediumProblemKind) -> MediumProblem {
    MediumProblem {
        directory: replica.directory.clone(),
        medium: Some(replica.medium),
        kind,
    }
}

/// Notes who is out of service before anything is written that relies on the others alone.
fn settle(
    keeper: &RosterKeeper,
    tail: &mut Tail,
    lost: &[(MediumId, OutCause)],
    wanted: usize,
) -> Result<(), StoreError> {
    let mut failed = if lost.is_empty() {
        keeper.refresh()?
    } else {
        keeper.put_out(lost, tail.end)?
    };
    while let Some((_, error)) = failed.first().cloned() {
        tail.growing.retain(|copy| {
            let medium = copy.replica().medium;
            !failed.iter().any(|(failed, _)| *failed == medium)
        });
        if tail.growing.len() < wanted {
            return Err(error);
        }
        let media: Vec<_> = failed
            .iter()
            .map(|(medium, error)| (*medium, cause_of(error)))
            .collect();
        failed = keeper.put_out(&media, FrameAddress::new(tail.end.segment, 0))?;
    }
    Ok(())
}

fn grows(tail: &Tail, replica: &Replica) -> bool {
    let mut growing = tail.growing.iter();
    growing.any(|copy| copy.replica().medium == replica.medium)
}

/// Media that are out of service still help to read what is older.
fn add_stale(replicas: &mut Vec<Arc<Replica>>, survey: &Survey, options: &OpenOptions) {
    for (present, out) in &survey.stale {
        if replicas
            .iter()
            .any(|replica| replica.medium == present.medium)
        {
            continue;
        }
        let replica = Replica::of(present, &options.disk);
        replica.end_before(out.from.segment);
        replicas.push(Arc::new(replica));
    }
}

fn places(survey: &Survey) -> Vec<Present> {
    let stale = survey.stale.iter().map(|(present, _)| present);
    survey.in_service.iter().chain(stale).cloned().collect()
}

fn missing(problems: &[MediumProblem]) -> Vec<PathBuf> {
    let missing = problems
        .iter()
        .filter(|problem| problem.kind == MediumProblemKind::Missing);
    missing.map(|problem| problem.directory.clone()).collect()
}
