//! The audit trail of an archive: whether its lines hang together ([`formats::audit`]).
//!
//! Lines prove each other: whoever changes, takes out, puts in or moves one has to change all behind it. What no line can prove is where the trail ends and that the
//! last line is as it was: that is proven by whatever holds the digest of the end, for example a record of a later day, or an evidence package over these lines.

pub mod report;

#[cfg(test)]
mod tests;

use formats::audit::{Break, BreakKind, ChainChecker, ChainPlace};
use formats::id::ArchiveId;
use time::OffsetDateTime;

use crate::verdict::Conclusion;

/// What a check of one or more files found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The files, in the order in which they were read.
    pub files: Vec<AuditFile>,
    /// From where the lines were checked.
    pub begin: Begin,
    /// Where they end; `None`: there was no line.
    pub end: Option<ChainPlace>,
    /// Whether the digest of the end is the one that was expected; `None`: none was.
    pub is_expected_end: Option<bool>,
    /// Where the lines do not hang together: the first [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problem_count: u64,
}

/// One file of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFile {
    /// Its name, as it was given.
    pub name: String,
    /// How many lines it has.
    pub lines: u64,
    /// The first entry that can be read: number and time.
    pub first: Option<(u64, OffsetDateTime)>,
    /// The last one.
    pub last: Option<(u64, OffsetDateTime)>,
}

/// From where lines were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// From the first entry of this archive.
    Start(ArchiveId),
    /// From the first line that was given, which was believed. It stands behind the entry of this number, whose line has this digest; 0: it is the first one
    /// of an archive that was not named. `None`: it cannot be read.
    Believed(Option<ChainPlace>),
}

/// Where lines do not hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// Which of the files, from 0.
    pub file: usize,
    /// Which line of it, from 1.
    pub line: u64,
    /// The number that the entry should have.
    pub expected: u64,
    /// The number that it has; `None`: it cannot be read.
    pub found: Option<u64>,
    /// What is wrong.
    pub kind: BreakKind,
}

/// Checks lines of one file after the other.
#[derive(Debug)]
pub struct AuditCheck {
    checker: ChainChecker,
    report: AuditReport,
}

impl AuditCheck {
    /// Begins with the first entry of an archive; `None`: with whatever line comes first.
    #[must_use]
    pub fn new(start: Option<ArchiveId>) -> Self {
        Self {
            checker: ChainChecker::new(start.map(ChainPlace::start)),
            report: AuditReport {
                files: Vec::new(),
                begin: start.map_or(Begin::Believed(None), Begin::Start),
                end: None,
                is_expected_end: None,
                problems: Vec::new(),
                problem_count: 0,
            },
        }
    }

    /// The lines from now on are those of a further file.
    pub fn begin_file(&mut self, name: String) {
        self.report.files.push(AuditFile {
            name,
            lines: 0,
            first: None,
            last: None,
        });
    }

    /// The next line, LF included.
    pub fn line(&mut self, line: &[u8]) {
        if self.report.files.is_empty() {
            self.begin_file(String::new());
        }
        let is_first = self.checker.lines() == 0;
        let checked = self.checker.line(line);
        let file = self.report.files.len().saturating_sub(1);
        let Some(of_file) = self.report.files.last_mut() else {
            return;
        };
        of_file.lines = of_file.lines.saturating_add(1);
        match checked {
            Ok(entry) => {
                let place = (entry.sequence, entry.time);
                of_file.first.get_or_insert(place);
                of_file.last = Some(place);
                if is_first && matches!(self.report.begin, Begin::Believed(_)) {
                    self.report.begin = Begin::Believed(Some(ChainPlace {
                        sequence: entry.sequence.saturating_sub(1),
                        digest: entry.previous,
                    }));
                }
            }
            Err(found) => {
                let line = of_file.lines;
                self.problem(file, line, found);
            }
        }
    }

    /// All lines were read. `end` is the digest that the last line should have, where it is known from elsewhere.
    #[must_use]
    pub fn finish(mut self, end: Option<[u8; 32]>) -> AuditReport {
        if self.checker.lines() > 0 {
            self.report.end = self.checker.end();
        }
        self.report.is_expected_end = end.map(|expected| {
            let found = self.report.end.map(|place| place.digest);
            found == Some(expected)
        });
        self.report
    }

    fn problem(&mut self, file: usize, line: u64, found: Break) {
        self.report.problem_count = self.report.problem_count.saturating_add(1);
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(Problem {
                file,
                line,
                expected: found.expected,
                found: found.found,
                kind: found.kind,
            });
        }
    }
}

impl AuditReport {
    /// Passed: everything hangs together. Failed: something does not, or the end is another one. Undecided: there was no line.
    #[must_use]
    pub const fn conclusion(&self) -> Conclusion {
        if self.problem_count > 0 || matches!(self.is_expected_end, Some(false)) {
            Conclusion::TotalFailed
        } else if self.end.is_none() {
            Conclusion::Indeterminate
        } else {
            Conclusion::TotalPassed
        }
    }

    /// How many lines were read.
    #[must_use]
    pub fn lines(&self) -> u64 {
        let lines = self.files.iter().map(|file| file.lines);
        lines.fold(0, u64::saturating_add)
    }
}

/// So many problems are listed; all are counted. Whoever has more has another file.
pub const PROBLEMS_MAX: usize = 1_000;
