//! What can go wrong with the media and the index.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::error::FormatError;
use formats::segment::FrameAddress;

use super::presence::MediumProblem;

/// Why the store could not do what was asked. Each names the medium or the file, and its text says what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StoreError {
    /// The directory holds no medium: not mounted, or not made. Mount it, or make it with `archiver init`.
    MediumMissing {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory already holds a medium or other files. Choose an empty directory.
    MediumNotEmpty {
        /// The directory.
        directory: PathBuf,
    },
    /// The medium belongs to another archive or has another role. Mount the right one.
    WrongMedium {
        /// The directory.
        directory: PathBuf,
    },
    /// A medium cannot be used as it is, and the archive may not go on without it.
    MediumUnusable {
        /// Which, and why.
        problem: Box<MediumProblem>,
    },
    /// Fewer media would remain than a commit must reach.
    TooFewCopies {
        /// How many it must reach.
        wanted: usize,
    },
    /// No medium that stays has this segment of one that is to leave. Scrub the media, then try again.
    OnlyCopy {
        /// The directory of the medium that is to leave.
        directory: PathBuf,
        /// Number of the segment.
        segment: u32,
    },
    /// What was written to a medium reads differently. Replace the medium.
    CopyDiffers {
        /// The directory.
        directory: PathBuf,
        /// Number of the segment.
        segment: u32,
    },
    /// The same medium was given twice. Each replica needs its own medium.
    MediumTwice {
        /// The directory that was given second.
        directory: PathBuf,
    },
    /// Another process writes to the medium (or reads it, when this one wants to write). Wait for it, or stop it.
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// The medium is full. What was being deposited is not visible; free space or add a medium, then open the archive again.
    MediumFull {
        /// The directory.
        directory: PathBuf,
    },
    /// The operating system refused. The writer stops; check the medium, then open the archive again.
    Io {
        /// What was being done.
        operation: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// The answer of the operating system.
        source: Arc<io::Error>,
    },
    /// The writer stopped after an earlier failure, and takes nothing until the archive is opened again.
    Stopped {
        /// The failure.
        cause: Box<StoreError>,
    },
    /// The store was opened for reading.
    ReadOnly,
    /// The store was closed.
    Closed,
    /// No frame stands at this address on any replica.
    NotFound {
        /// The address.
        address: FrameAddress,
    },
    /// The frame is damaged on every replica. Restore the segment from another copy.
    Damaged {
        /// The address.
        address: FrameAddress,
        /// What is wrong with it on the replica tried last.
        source: FormatError,
    },
    /// A segment's header is damaged or not of this archive on every replica.
    SegmentDamaged {
        /// Number of the segment.
        segment: u32,
    },
    /// No medium at hand has a segment although later ones are there. Mount a medium that has it, or bring it back from a copy.
    SegmentMissing {
        /// Number of the segment.
        segment: u32,
    },
    /// A file is named like a segment behind the end of the archive, and is empty. While it is there nobody can tell which segment is the
    /// last one. Take it away.
    StraySegment {
        /// The file.
        path: PathBuf,
    },
    /// A roster is there and cannot be read. It may be the newest one: nothing is written then. Copy the file from another medium that is
    /// in service, or take its medium away.
    RosterUnreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// A file of a segment is not whole, or not what was written to it. Nothing was put in place of anything; scrub the medium.
    NotWhole {
        /// The file.
        path: PathBuf,
    },
    /// The index knows versions or archive time-stamps that were acknowledged and that no medium at hand holds any more. Mount a medium
    /// that holds them. `archiver rebuild` accepts the loss.
    RecordsLost {
        /// How many.
        lost: u64,
        /// Number of the last segment at hand.
        segment: u32,
    },
    /// Text or bytes on the medium are not what the format says (a label), or a frame cannot be made.
    Format {
        /// The file; empty for a frame that is being made.
        path: PathBuf,
        /// What is wrong.
        source: FormatError,
    },
    /// Another process uses the record index. Try again when it has ended.
    IndexInUse {
        /// The directory of the index.
        directory: PathBuf,
    },
    /// The record index is being made, and half of it does not answer this question. Ask again when it is whole.
    IndexFilling {
        /// Record versions that are in it.
        versions: u64,
        /// About how many the archive holds.
        versions_expected: u64,
    },
    /// The record index is damaged. It is derived: `archiver rebuild` makes it anew from the segments.
    IndexDamaged {
        /// The directory of the index.
        directory: PathBuf,
    },
}

impl StoreError {
    /// Maps an answer of the operating system for something on a medium; a full medium becomes [`StoreError::MediumFull`].
    #[must_use]
    pub fn io(operation: &'static str, medium: &Path, path: &Path, source: io::Error) -> Self {
        if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            return Self::MediumFull {
                directory: medium.to_owned(),
            };
        }
        Self::Io {
            operation,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    /// Whether a medium is full, now or at the failure that stopped the writer.
    #[must_use]
    pub fn is_medium_full(&self) -> bool {
        if let Self::Stopped { cause } = self {
            return cause.is_medium_full();
        }
        matches!(self, Self::MediumFull { .. })
    }

    /// The directory that an error is about, and the words before and after it.
    fn about_a_directory(&self) -> Option<(&Path, &'static str, &'static str)> {
        Some(match self {
            Self::MediumMissing { directory } => (
                directory,
                "no medium at ",
                ": mount it, or replace it with `archiver media replace`",
            ),
            Self::MediumNotEmpty { directory } => (
                directory,
                "",
                " already holds something: choose an empty directory for the new medium",
            ),
            Self::WrongMedium { directory } => (
                directory,
                "the medium at ",
                " belongs to another archive or has another role: mount the right one",
            ),
            Self::MediumTwice { directory } => (
                directory,
                "",
                " is a medium that was already given: each replica needs its own",
            ),
            Self::Locked { directory } => (
                directory,
                "another process uses the medium at ",
                ": wait for it to end",
            ),
            Self::MediumFull { directory } => (
                directory,
                "the medium at ",
                " is full: free space on it and run the command again; what was not acknowledged is not in the archive",
            ),
            Self::IndexInUse { directory } => (
                directory,
                "another process uses the record index at ",
                ": try again when it has ended",
            ),
            Self::IndexDamaged { directory } => (
                directory,
                "the record index at ",
                " is damaged: run `archiver rebuild`",
            ),
            Self::Io { .. }
            | Self::Stopped { .. }
            | Self::ReadOnly
            | Self::Closed
            | Self::NotFound { .. }
            | Self::Damaged { .. }
            | Self::SegmentDamaged { .. }
            | Self::SegmentMissing { .. }
            | Self::StraySegment { .. }
            | Self::RosterUnreadable { .. }
            | Self::NotWhole { .. }
            | Self::RecordsLost { .. }
            | Self::IndexFilling { .. }
            | Self::MediumUnusable { .. }
            | Self::CopyDiffers { .. }
            | Self::OnlyCopy { .. }
            | Self::TooFewCopies { .. }
            | Self::Format { .. } => return None,
        })
    }

    /// The words about a segment, or a file of a medium.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the others have their words elsewhere"
    )]
    fn about_a_file(&self) -> Option<String> {
        Some(match self {
            Self::CopyDiffers { directory, segment } => format!(
                "segment {segment:010} was written to {} and reads differently: do not use this medium",
                directory.display()
            ),
            Self::OnlyCopy { directory, segment } => format!(
                "segment {segment:010} stands on the medium at {} only: run `archiver scrub` to copy it to the others, then try again",
                directory.display()
            ),
            Self::SegmentDamaged { segment } => format!(
                "segment {segment:010} has no valid header on any replica; restore it from another copy"
            ),
            Self::SegmentMissing { segment } => format!(
                "segment {segment:010} is on no medium at hand though later ones are: mount a medium that has it, or bring it back from another copy"
            ),
            Self::StraySegment { path } => format!(
                "{} is named like a segment of the archive and is none: take it away",
                path.display()
            ),
            Self::RosterUnreadable { path, cause } => format!(
                "{} cannot be read ({cause}): it may say that a medium is out of service, so nothing is written; copy this file from another medium in service, or take its medium away",
                path.display()
            ),
            _ => return None,
        })
    }

    /// Whether the store takes no more writes after this error.
    #[must_use]
    pub const fn stops_writing(&self) -> bool {
        matches!(
            self,
            Self::MediumFull { .. }
                | Self::Io { .. }
                | Self::Stopped { .. }
                | Self::ReadOnly
                | Self::Closed
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((directory, before, after)) = self.about_a_directory() {
            return write!(f, "{before}{}{after}", directory.display());
        }
        if let Some(text) = self.about_a_file() {
            return f.write_str(&text);
        }
        match self {
            Self::Io {
                operation,
                path,
                source,
            } => write!(
                f,
                "{operation} failed for {}: {source}; check the medium",
                path.display()
            ),
            Self::Stopped { cause } => {
                write!(
                    f,
                    "nothing more was written after an earlier failure: {cause}"
                )
            }
            Self::MediumUnusable { problem } => problem.fmt(f),
            Self::TooFewCopies { wanted } => write!(
                f,
                "each commit must reach {wanted} media (copies_min in the configuration), and fewer would remain: add a medium first"
            ),
            Self::ReadOnly => f.write_str("the archive was opened for reading only"),
            Self::NotFound { address } => write!(f, "no frame at {address} on any replica"),
            Self::Damaged { address, source } => write!(
                f,
                "the frame at {address} is damaged on every replica: {source}; restore the segment from another copy"
            ),
            Self::NotWhole { path } => write!(
                f,
                "{} is not whole, or not what was written to it: scrub the medium",
                path.display()
            ),
            Self::RecordsLost { lost, segment } => write!(
                f,
                "LOST: the index knows {lost} records or timestamps that stand behind segment {segment:010}, the last one on the media at hand; mount a medium that holds them (only `archiver rebuild` goes on without them)"
            ),
            Self::IndexFilling {
                versions,
                versions_expected,
            } => write!(
                f,
                "the record index is being made ({versions} of about {versions_expected} versions): try again when it is whole"
            ),
            Self::Format { path, source } if path.as_os_str().is_empty() => {
                write!(f, "the frame cannot be written: {source}")
            }
            Self::Format { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Closed
            | Self::CopyDiffers { .. }
            | Self::OnlyCopy { .. }
            | Self::SegmentDamaged { .. }
            | Self::SegmentMissing { .. }
            | Self::StraySegment { .. }
            | Self::RosterUnreadable { .. }
            | Self::MediumMissing { .. }
            | Self::MediumNotEmpty { .. }
            | Self::WrongMedium { .. }
            | Self::MediumTwice { .. }
            | Self::Locked { .. }
            | Self::MediumFull { .. }
            | Self::IndexInUse { .. }
            | Self::IndexDamaged { .. } => f.write_str("the archive was closed"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Io { source, .. } = self {
            return Some(source.as_ref());
        }
        if let Self::Stopped { cause } = self {
            return Some(cause.as_ref());
        }
        if let Self::Damaged { source, .. } | Self::Format { source, .. } = self {
            return Some(source);
        }
        None
    }
}

impl From<FormatError> for StoreError {
    fn from(source: FormatError) -> Self {
        Self::Format {
            path: PathBuf::new(),
            source,
        }
    }
}
