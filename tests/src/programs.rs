//! The two programs, built once for all tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The folder of all build outputs.
#[must_use]
pub fn target_folder() -> PathBuf {
    let profile = profile_folder();
    profile
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder of build outputs that this test runs from, and the profile in it.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    // …/target/<profile>/deps/<test>-<hash>
    test.parent()
        .and_then(Path::parent)
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Builds both programs in the profile of this test run; `cargo test` alone does not build the binaries of other members.
fn built() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = profile_folder();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "--quiet",
            "--offline",
            "--bin",
            "archiver",
            "--bin",
            "verifier",
        ]);
        if folder.file_name().is_some_and(|name| name == "release") {
            cargo.arg("--release");
        }
        if let Some(target) = folder.parent() {
            cargo.env("CARGO_TARGET_DIR", target);
        }
        let status = cargo.current_dir(crate::workspace_root()).status();
        assert!(
            status.is_ok_and(|s| s.success()),
            "the programs under test do not build"
        );
        folder
    })
}

/// The program `archiver`.
#[must_use]
pub fn archiver() -> PathBuf {
    built().join("archiver")
}

/// The program `verifier`.
#[must_use]
pub fn verifier() -> PathBuf {
    built().join("verifier")
}

/// The program `archiver` with a clock of its own: cargo builds it with the suites of this crate.
#[must_use]
pub fn archiver_at() -> PathBuf {
    profile_folder().join("archiver-at")
}
