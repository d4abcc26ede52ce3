//! What the test suites share: where the workspace, the foreign vectors and the programs are, and an archive to work on.
#![forbid(unsafe_code)]
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the library of the test suites: it fails by panicking, and says what is left out"
)]

pub mod authority;
pub mod deadly;
pub mod endurance;
pub mod flips;
pub mod http;
pub mod peers;
pub mod power;
pub mod programs;
pub mod random;
pub mod status;
pub mod world;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root folder of the workspace.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .map_or_else(|| here.to_path_buf(), Path::to_path_buf)
}

/// A folder of foreign material: the one that the environment variable names, otherwise the default beside the project.
/// `None` where there is no such folder; the caller says so in one line and leaves its foreign cases out.
#[must_use]
pub fn foreign_folder(variable: &str, default_below_shared: &str) -> Option<PathBuf> {
    let folder = env::var_os(variable).map_or_else(
        || {
            workspace_root()
                .join("..")
                .join("shared")
                .join(default_below_shared)
        },
        PathBuf::from,
    );
    folder.is_dir().then_some(folder)
}

/// Says in one line that something is left out, for want of `needs`. Where everything that tests need was installed, that is a failure:
/// `tests/run` sets `FUMIKURA_REQUIRE_PEERS`, and names in `FUMIKURA_LACKING` what this machine cannot have.
///
/// # Panics
/// When it must not be left out.
pub fn left_out(needs: &str, what: &str) {
    let lacking = env::var("FUMIKURA_LACKING").unwrap_or_default();
    let is_required = env::var_os("FUMIKURA_REQUIRE_PEERS").is_some_and(|given| given == "1");
    assert!(
        !is_required || lacking.split(' ').any(|one| one == needs),
        "left out although {needs} is to be had here: {what}"
    );
    println!("left out: {what}");
}

/// Whether a program can be started here. Interoperability tests leave themselves out, in one line, where it cannot.
#[must_use]
pub fn has_program(name: &str, probe_argument: &str) -> bool {
    Command::new(name)
        .arg(probe_argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}
