//! The rules of the code that no compiler checks: layers, sizes, words, documents.
//!
//! A rule that fails says which place breaks it and what to do about it.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and moves and writes files that are not the archive's"
)]

mod documents;
mod layers;
mod sizes;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below `folder` whose name ends with `ending`, without build outputs and hidden folders; sorted.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(here) = pending.pop() {
        for entry in fs::read_dir(&here).expect("a folder of the workspace is readable") {
            let path = entry.expect("a directory entry is readable").path();
            let name = path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            if name.starts_with('.') || name == "target" || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The path as it is written in rules and messages: relative to the workspace, with `/`.
fn shown(path: &Path) -> String {
    let root = tests::workspace_root();
    path.strip_prefix(&root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", shown(path)))
}
