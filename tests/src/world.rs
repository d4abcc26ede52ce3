//! An archive in a temporary folder, worked on through the programs as its users do.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::programs;

/// How a program ended and what it printed.
#[derive(Debug)]
pub struct Run {
    /// The exit code; −1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// What a program did.
    #[must_use]
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON values of standard output, one for each line.
    ///
    /// # Panics
    /// When a line is not JSON: a broken contract, so the test must fail.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|e| panic!("not JSON ({e}): {line}\n{}", self.stderr))
            })
            .collect()
    }

    /// The run itself, after making sure that it ended with this exit code.
    ///
    /// # Panics
    /// When it ended with another one.
    #[allow(clippy::must_use_candidate, reason = "used for its check alone, too")]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// An archive with two data media, a key medium and a passphrase file.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
}

impl World {
    /// An empty folder, with no archive yet.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    #[must_use]
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("fumikura-")
            .tempdir()
            .unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        put(
            &folder.path().join("passphrase.txt"),
            b"correct horse battery staple\n",
        );
        Self { folder }
    }

    /// A new archive in evaluation mode.
    ///
    /// # Panics
    /// When `archiver init` fails.
    #[must_use]
    pub fn new() -> Self {
        let world = Self::empty();
        let run = world.archiver([
            "init",
            "--data",
            "data-a",
            "--data",
            "data-b",
            "--keys",
            "keys",
            "--evaluation",
        ]);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        world
    }

    /// The folder that everything lies in.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path below the folder.
    #[must_use]
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file below the folder, with the folders above it, and gives its path.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.at(name);
        put(&path, bytes);
        path
    }

    /// The command `archiver` in this folder, ready to run.
    pub fn archiver_command<I, S>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.ready(Command::new(programs::archiver()), arguments)
    }

    /// Runs `archiver` as if it were this time, written as in RFC 3339.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn archiver_at<I, S>(&self, time: &str, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let output = self.archiver_at_command(time, arguments).output();
        Run::of(output.unwrap_or_else(|e| panic!("archiver-at does not start: {e}")))
    }

    /// The command `archiver` in this folder as if it were this time, ready to run.
    pub fn archiver_at_command<I, S>(&self, time: &str, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(programs::archiver_at());
        command.arg(time);
        self.ready(command, arguments)
    }

    fn ready<I, S>(&self, mut command: Command, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        command
            .args([
                "--config",
                "fumikura.toml",
                "--passphrase-file",
                "passphrase.txt",
                "--lang",
                "en",
                "--quiet",
            ])
            .args(arguments)
            .current_dir(self.path())
            .env_remove("FUMIKURA_CONFIG")
            .stdin(Stdio::null());
        // Where the tokens of this world are, if it has any.
        let tokens = self.at("softhsm2.conf");
        if tokens.is_file() {
            command.env("SOFTHSM2_CONF", tokens);
        }
        command
    }

    /// Runs `archiver`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn archiver<I, S>(&self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = self.archiver_command(arguments);
        Run::of(
            command
                .output()
                .unwrap_or_else(|e| panic!("archiver does not start: {e}")),
        )
    }

    /// Runs `verifier` with an empty environment, as an outsider has it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn verifier<I, S>(&self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let output = Command::new(programs::verifier())
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|e| panic!("verifier does not start: {e}"));
        Run::of(output)
    }

    /// The segment files of a data medium, sorted.
    ///
    /// # Panics
    /// When the medium has no segments.
    #[must_use]
    pub fn segments(&self, medium: &str) -> Vec<PathBuf> {
        let folder = self.at(medium).join("segments");
        let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "seg"))
            .collect();
        found.sort();
        assert!(!found.is_empty(), "{}: no segments", folder.display());
        found
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes test material. Not the archive's data, so the durable writer is not needed.
///
/// # Panics
/// When the file cannot be written.
pub fn put(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    }
    let mut file =
        std::fs::File::create(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    file.write_all(bytes)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
