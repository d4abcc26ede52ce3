//! The table on disk: written row by row, and after an interruption read again to its last whole row.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use verifier::bulk::table::RowFacts;
use verifier::bulk::{ResumeError, Row, RunHeader, TableDigest, TableWriting, Tally};
use verifier::finding::Language;

use super::super::CannotJudge;
use super::super::files::read;

/// The table of a run.
pub(super) struct Table {
    file: File,
    path: PathBuf,
    writing: TableWriting,
}

/// The file of a run that is not finished, beside its table.
pub(super) fn run_path(table: &Path) -> PathBuf {
    let mut name = table.as_os_str().to_owned();
    name.push(".run");
    PathBuf::from(name)
}

impl Table {
    /// A new table. Neither one that is finished nor one that is not is overwritten.
    pub(super) fn create(
        path: &Path,
        header_of_run: &RunHeader,
        language: Language,
    ) -> Result<Self, CannotJudge> {
        let run = run_path(path);
        if run.exists() {
            return Err(CannotJudge(format!(
                "{} belongs to a run that was interrupted: go on with --resume, or delete it and its .run file",
                path.display()
            )));
        }
        if path.exists() {
            return Err(CannotJudge(format!(
                "{} exists already and is not overwritten",
                path.display()
            )));
        }
        write_new(&run, header_of_run.to_json().as_bytes())?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| failed(path, &error))?;
        let mut table = Self {
            file,
            path: path.to_owned(),
            writing: TableWriting::new(language),
        };
        let first = table.writing.start();
        table.write(&first)?;
        Ok(table)
    }

    /// What an interrupted run was asked for.
    pub(super) fn interrupted(path: &Path) -> Result<RunHeader, CannotJudge> {
        let run = run_path(path);
        if !run.exists() {
            return Err(CannotJudge(format!(
                "--resume: there is no interrupted run of {}",
                path.display()
            )));
        }
        RunHeader::read(&read(&run)?)
            .ok_or_else(|| CannotJudge(format!("{} is no file of a run", run.display())))
    }

    /// The table of an interrupted run. `each` is told of every whole row; what stands after the last one is cut off.
    pub(super) fn resume(
        path: &Path,
        language: Language,
        each: impl FnMut(&RowFacts) -> Result<(), CannotJudge>,
    ) -> Result<Self, CannotJudge> {
        let error = |error: io::Error| failed(path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(error)?;
        let writing = TableWriting::resume(language, &mut BufReader::new(&file), each).map_err(
            |why| match why {
                ResumeError::Read(why) => error(why),
                ResumeError::Refused(why) => why,
                ResumeError::Changed | _ => CannotJudge(format!(
                    "{} was changed since the run was interrupted, or its language differs: start anew",
                    path.display()
                )),
            },
        )?;
        let bytes = writing.bytes();
        file.set_len(bytes).map_err(error)?;
        file.seek(SeekFrom::Start(bytes)).map_err(error)?;
        let mut table = Self {
            file,
            path: path.to_owned(),
            writing,
        };
        if bytes == 0 {
            let first = table.writing.start();
            table.write(&first)?;
        }
        Ok(table)
    }

    /// The rows so far, counted.
    pub(super) const fn tally(&self) -> &Tally {
        self.writing.tally()
    }

    fn write(&mut self, text: &str) -> Result<(), CannotJudge> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| failed(&self.path, &error))
    }

    /// Adds rows.
    pub(super) fn add(&mut self, rows: &[Row]) -> Result<(), CannotJudge> {
        let lines: String = rows.iter().map(|row| self.writing.add(row)).collect();
        self.write(&lines)
    }

    /// The table is finished: its digests, and its rows counted. The run is so only when everything is written: [`end_run`].
    pub(super) fn finish(self) -> Result<(TableDigest, Tally), CannotJudge> {
        self.file
            .sync_all()
            .map_err(|error| failed(&self.path, &error))?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Ok(self.writing.finish(name.into_owned()))
    }
}

/// Ends a run whose table and summary are written: after this there is nothing to go on with.
pub(super) fn end_run(table: &Path) -> Result<(), CannotJudge> {
    let run = run_path(table);
    std::fs::remove_file(&run).map_err(|error| failed(&run, &error))
}

/// Writes a file that does not exist yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CannotJudge> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> CannotJudge {
    CannotJudge(format!("{} cannot be written: {error}", path.display()))
}
