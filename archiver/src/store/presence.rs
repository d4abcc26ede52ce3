//! Which medium stands where: recognised by its label and by the roster, before anything is written.

use std::fmt;
use std::path::{Path, PathBuf};

use formats::id::{ArchiveId, MediumId};
use formats::medium::{MediumLabel, MediumRole};
use formats::roster::{OutCause, OutOfService, ROSTER_FILE, Roster, RosterMember};
use formats::segment::FrameAddress;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::StoreError;
use super::joining::{self, Joining};
use super::medium::read_label;

/// A folder that does not hold a data medium which the archive can use, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumProblem {
    /// The folder.
    pub directory: PathBuf,
    /// The medium in it, as far as its label tells.
    pub medium: Option<MediumId>,
    /// What is wrong.
    pub kind: MediumProblemKind,
}

/// Why a medium is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediumProblemKind {
    /// No medium is there: not mounted, or not made.
    Missing,
    /// The label cannot be read.
    Unreadable {
        /// What was wrong.
        cause: String,
    },
    /// It belongs to this other archive.
    Foreign {
        /// The other archive.
        archive: ArchiveId,
    },
    /// It is of this archive, and not for data.
    WrongRole,
    /// The same medium, or a clone of it, stands in another folder, too.
    Twice,
    /// It is not one of the archive's media: replaced, retired, or never added.
    NotMember,
    /// It is being prepared and not complete yet.
    Joining,
    /// It was put out of service, and lacks what was committed since.
    OutOfService(OutOfService),
    /// It is behind the others by whole segments: an old copy.
    Behind {
        /// The last segment on it.
        last: u32,
        /// The last segment of the archive.
        newest: u32,
    },
    /// It holds other bytes than the others where both were committed: it was written elsewhere.
    Diverged,
    /// It can only be read.
    ReadOnly,
    /// It failed when it was opened for writing.
    Failed {
        /// What failed.
        cause: String,
    },
}

/// What was found in the configured folders.
#[derive(Debug)]
pub(super) struct Survey {
    /// The newest roster, or what is there where there is none yet.
    pub(super) roster: Roster,
    /// Media that each commit must reach.
    pub(super) in_service: Vec<Present>,
    /// Media that are out of service, but hold what was committed before.
    pub(super) stale: Vec<(Present, OutOfService)>,
    /// Media of the archive that are no members: good for reading only when nothing else is there.
    strangers: Vec<Present>,
    /// Everything that is not in service.
    pub(super) problems: Vec<MediumProblem>,
    /// A roster that is there, cannot be read, and counts: who writes does not know then who is in service.
    pub(super) unreadable: Option<StoreError>,
}

/// A medium in its folder.
#[derive(Debug, Clone)]
pub(super) struct Present {
    pub(super) directory: PathBuf,
    pub(super) medium: MediumId,
}

impl Survey {
    /// Looks at the folders. `note` is the place of the roster apart from the data media.
    pub(super) fn of(
        directories: &[PathBuf],
        archive: ArchiveId,
        note: Option<&Path>,
        now: OffsetDateTime,
    ) -> Self {
        let mut survey = Self {
            roster: empty(archive, now),
            in_service: Vec::new(),
            stale: Vec::new(),
            strangers: Vec::new(),
            problems: Vec::new(),
            unreadable: None,
        };
        let mut present: Vec<Present> = Vec::new();
        for directory in directories {
            match recognise(directory, archive, &present) {
                Ok(medium) => present.push(Present {
                    directory: directory.clone(),
                    medium,
                }),
                Err(problem) => survey.problem(directory, problem.0, problem.1),
            }
        }
        let places = present.iter().map(|medium| {
            let path = medium.directory.join(ROSTER_FILE);
            (path, Some(medium.medium))
        });
        // Each generation is written there first: without it an old roster might be the only one that can be read.
        let is_noted = note.is_none_or(|path| read_roster(path).is_some());
        let note = note.map(|path| (path.to_path_buf(), None));
        let places: Vec<_> = places.chain(note).collect();
        let (roster, unreadable) = newest(&places, archive);
        match roster {
            Some(roster) => survey.roster = roster,
            None => survey.roster.members = present.iter().map(member).collect(),
        }
        let mut unreadable = unreadable.into_iter();
        let counts = |medium: Option<MediumId>| {
            let is_out = |one| is_noted && !survey.serves(one);
            !medium.is_some_and(is_out)
        };
        let counted = unreadable.find(|(medium, _)| counts(*medium));
        survey.unreadable = counted.map(|(_, error)| error);
        for medium in present {
            survey.place(medium, archive);
        }
        survey
    }

    /// Whether the rosters that can be read have a medium in service.
    fn serves(&self, medium: MediumId) -> bool {
        let member = self.roster.member(medium);
        member.is_some_and(|member| member.out.is_none())
    }

    fn place(&mut self, present: Present, archive: ArchiveId) {
        let (directory, medium) = (present.directory.clone(), Some(present.medium));
        match self.roster.member(present.medium).map(|member| member.out) {
            Some(None) => self.in_service.push(present),
            Some(Some(out)) => {
                self.problem(&directory, medium, MediumProblemKind::OutOfService(out));
                self.stale.push((present, out));
            }
            None => {
                let joining = matches!(
                    joining::read(&directory),
                    Some(Joining { archive: of, .. }) if of == archive
                );
                if joining {
                    self.problem(&directory, medium, MediumProblemKind::Joining);
                } else {
                    self.problem(&directory, medium, MediumProblemKind::NotMember);
                    self.strangers.push(present);
                }
            }
        }
    }

    fn problem(&mut self, directory: &Path, medium: Option<MediumId>, kind: MediumProblemKind) {
        self.problems.push(MediumProblem {
            directory: directory.to_owned(),
            medium,
            kind,
        });
    }

    /// Members that should be in service and stand in none of the folders.
    pub(super) fn absent(&self) -> Vec<MediumId> {
        let there = |medium: &MediumId| self.in_service.iter().any(|one| one.medium == *medium);
        self.roster
            .in_service()
            .filter(|medium| !there(medium))
            .collect()
    }

    /// What a reader can use where no medium in service is there: the one that was in service longest.
    pub(super) fn last_resort(&mut self) -> Option<Present> {
        self.stale.sort_by_key(|(_, out)| out.from);
        let stale = self.stale.pop().map(|(present, _)| present);
        stale.or_else(|| self.strangers.pop())
    }

    /// The refusal of the first folder that cannot be used.
    pub(super) fn refusal(&self) -> StoreError {
        match self.problems.first() {
            Some(problem) => problem.clone().into(),
            None => StoreError::MediumMissing {
                directory: PathBuf::new(),
            },
        }
    }
}

/// The data medium of this archive in a folder.
pub(super) fn of_archive(directory: &Path, archive: ArchiveId) -> Result<Present, StoreError> {
    match recognise(directory, archive, &[]) {
        Ok(medium) => Ok(Present {
            directory: directory.to_owned(),
            medium,
        }),
        Err((medium, kind)) => Err(MediumProblem {
            directory: directory.to_owned(),
            medium,
            kind,
        }
        .into()),
    }
}

type Unusable = (Option<MediumId>, MediumProblemKind);

/// The data medium of this archive in a folder.
fn recognise(
    directory: &Path,
    archive: ArchiveId,
    others: &[Present],
) -> Result<MediumId, Unusable> {
    let label: MediumLabel = match read_label(directory) {
        Ok(label) => label,
        Err(StoreError::MediumMissing { .. }) => return Err((None, MediumProblemKind::Missing)),
        Err(error) => {
            let cause = error.to_string();
            return Err((None, MediumProblemKind::Unreadable { cause }));
        }
    };
    let kind = if label.archive != archive {
        MediumProblemKind::Foreign {
            archive: label.archive,
        }
    } else if label.role != MediumRole::Data {
        MediumProblemKind::WrongRole
    } else if others.iter().any(|other| other.medium == label.medium) {
        MediumProblemKind::Twice
    } else {
        return Ok(label.medium);
    };
    Err((Some(label.medium), kind))
}

/// Where a roster may be, and the medium that it is on; none for the one apart from the media.
type RosterPlace = (PathBuf, Option<MediumId>);

/// The roster with the highest generation, and those that are there and cannot be read. Where two of the highest generation
/// disagree, a medium that one of them puts out of service, or does not know, is out of service: neither side may overwrite the other.
fn newest(
    places: &[RosterPlace],
    archive: ArchiveId,
) -> (Option<Roster>, Vec<(Option<MediumId>, StoreError)>) {
    let (mut found, mut unreadable): (Option<Roster>, _) = (None, Vec::new());
    for (path, medium) in places {
        let roster = match look_for_roster(path) {
            Ok(Some(roster)) if roster.archive == archive => roster,
            Ok(_) => continue,
            Err(cause) => {
                let path = path.clone();
                unreadable.push((*medium, StoreError::RosterUnreadable { path, cause }));
                continue;
            }
        };
        found = Some(match found {
            Some(best) if best.generation == roster.generation => both(best, &roster),
            Some(best) if best.generation > roster.generation => best,
            _ => roster,
        });
    }
    (found, unreadable)
}

fn both(mut one: Roster, other: &Roster) -> Roster {
    let unknown = OutOfService {
        since: one.written_at.max(other.written_at),
        from: FrameAddress::new(1, 0),
        cause: OutCause::Diverged,
    };
    for member in &mut one.members {
        let elsewhere = other.member(member.medium);
        member.out = member
            .out
            .or(elsewhere.map_or(Some(unknown), |found| found.out));
    }
    for member in &other.members {
        if one.member(member.medium).is_none() {
            let out = member.out.or(Some(unknown));
            one.members.push(RosterMember { out, ..*member });
        }
    }
    one
}

/// The roster in a file; `None` where there is none that can be read.
pub(super) fn read_roster(path: &Path) -> Option<Roster> {
    look_for_roster(path).ok().flatten()
}

/// The roster in a file; `None` where there is no such file, and what is wrong where it cannot be read.
fn look_for_roster(path: &Path) -> Result<Option<Roster>, String> {
    match std::fs::read(path) {
        Ok(text) => Roster::parse(&text)
            .map(Some)
            .map_err(|error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

const fn empty(archive: ArchiveId, now: OffsetDateTime) -> Roster {
    Roster {
        archive,
        generation: 0,
        written_at: now,
        members: Vec::new(),
    }
}

const fn member(present: &Present) -> RosterMember {
    RosterMember {
        medium: present.medium,
        out: None,
    }
}

impl From<MediumProblem> for StoreError {
    fn from(problem: MediumProblem) -> Self {
        let directory = problem.directory.clone();
        match problem.kind {
            MediumProblemKind::Missing => Self::MediumMissing { directory },
            MediumProblemKind::Twice => Self::MediumTwice { directory },
            MediumProblemKind::Unreadable { .. }
            | MediumProblemKind::Foreign { .. }
            | MediumProblemKind::WrongRole
            | MediumProblemKind::NotMember
            | MediumProblemKind::Joining
            | MediumProblemKind::OutOfService(_)
            | MediumProblemKind::Behind { .. }
            | MediumProblemKind::Diverged
            | MediumProblemKind::ReadOnly
            | MediumProblemKind::Failed { .. } => Self::MediumUnusable {
                problem: Box::new(problem),
            },
        }
    }
}

impl fmt::Display for MediumProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        if let Some((before, after)) = self.kind.around_the_folder() {
            return write!(f, "{before}{directory}{after}");
        }
        match &self.kind {
            MediumProblemKind::Unreadable { cause } => write!(
                f,
                "the label of the medium at {directory} cannot be read ({cause}): check the medium, or replace it"
            ),
            MediumProblemKind::Foreign { archive } => write!(
                f,
                "the medium at {directory} belongs to another archive ({archive}): mount the right one"
            ),
            MediumProblemKind::OutOfService(out) if out.cause == OutCause::Diverged => write!(
                f,
                "the medium at {directory} is out of service and holds commits that the others do not have: it was written elsewhere. Nothing was changed on it; keep it, find out where, and put another one in its place with `archiver media replace`"
            ),
            MediumProblemKind::OutOfService(out) => {
                let since = out.since.format(&Rfc3339).unwrap_or_default();
                let cause = cause_text(out.cause);
                write!(
                    f,
                    "the medium at {directory} is out of service since {since} ({cause}) and behind the others: bring it back with `archiver media return {directory}`, or replace it"
                )
            }
            MediumProblemKind::Behind { last, newest } => write!(
                f,
                "the medium at {directory} is an old copy: it ends with segment {last:010}, the archive with {newest:010}; bring it up to date with `archiver media return {directory}`"
            ),
            MediumProblemKind::Failed { cause } => write!(
                f,
                "the medium at {directory} failed ({cause}): check it, then `archiver media return {directory}`, or replace it"
            ),
            MediumProblemKind::Missing
            | MediumProblemKind::WrongRole
            | MediumProblemKind::Twice
            | MediumProblemKind::NotMember
            | MediumProblemKind::Joining
            | MediumProblemKind::Diverged
            | MediumProblemKind::ReadOnly => Ok(()),
        }
    }
}

impl MediumProblemKind {
    /// The words before and after the folder, where they name nothing else.
    const fn around_the_folder(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Missing => (
                "no medium at ",
                ": mount it, or replace it with `archiver media replace`",
            ),
            Self::WrongRole => ("the medium at ", " is no data medium: mount the right one"),
            Self::Twice => (
                "",
                " is a medium that was already given: each replica needs its own",
            ),
            Self::NotMember => (
                "the medium at ",
                " is not one of this archive's media any more (replaced or retired), or was never added: mount the right one, or add it with `archiver media add`",
            ),
            Self::Joining => (
                "the medium at ",
                " is still being prepared: run the same `archiver media` command again to go on",
            ),
            Self::Diverged => (
                "the medium at ",
                " holds commits that the others do not have: it was written elsewhere. Nothing was changed on it; keep it, find out where, and put another one in its place with `archiver media replace`",
            ),
            Self::ReadOnly => (
                "the medium at ",
                " can only be read: mount it for writing, or replace it",
            ),
            Self::Unreadable { .. }
            | Self::Foreign { .. }
            | Self::OutOfService(_)
            | Self::Behind { .. }
            | Self::Failed { .. } => return None,
        })
    }
}

/// Why a medium was put out of service, in words.
#[must_use]
pub const fn cause_text(cause: OutCause) -> &'static str {
    match cause {
        OutCause::Full => "it was full",
        OutCause::Failed => "a write failed",
        OutCause::ReadOnly => "it could only be read",
        OutCause::Absent => "it was not mounted",
        OutCause::Unreadable => "it could not be read",
        OutCause::Behind => "it was an old copy",
        OutCause::Diverged => "it was written elsewhere",
        OutCause::Operator => "taken out",
    }
}
