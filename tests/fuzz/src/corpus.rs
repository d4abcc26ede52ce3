//! Where the inputs are.

use std::path::{Path, PathBuf};

/// The own inputs for one target: generated here, or found by the fuzzer and made small.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let folder = root().join("corpus").join(target);
    let mut paths = files_below(&folder);
    paths.sort();
    paths
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .collect()
}

/// The folder of the fuzzer, from whichever crate of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz")
}

/// Every file of other people's, which are not part of the project; none, with a line that says so, where they are absent.
pub fn vectors() -> Vec<PathBuf> {
    let folder = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let mut paths = files_below(&folder);
    if paths.is_empty() {
        println!("left out: no vectors at {}", folder.display());
    }
    paths.sort();
    paths
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
