//! The program is one small file, and the library behind it reaches nothing but what is listed.

use std::collections::BTreeSet;
use std::process::Command;

use tests::programs::target_folder;

/// What the release build of the program may weigh.
const PROGRAM_BYTES_MAX: u64 = 15 << 20;

/// A release build is made for the main job, which looks at its size too; here one that is there is looked at.
#[test]
fn the_release_program_is_small() {
    let program = target_folder().join("release").join("verifier");
    let Ok(metadata) = program.metadata() else {
        println!("left out: the size of the release program (there is no release build)");
        return;
    };
    println!("release program: {} bytes", metadata.len());
    assert!(
        metadata.len() < PROGRAM_BYTES_MAX,
        "{} bytes",
        metadata.len()
    );
}

/// Every crate that the verifier is made of, its own dependencies' dependencies included. A new one is somebody else to trust: it is
/// added to `verifier-tree.txt` with a look at it, or not at all.
#[test]
fn the_verifier_is_made_of_listed_crates_only() {
    let tree = [
        "tree",
        "-p",
        "verifier",
        "-e",
        "normal",
        "--prefix",
        "none",
        "--offline",
    ];
    let output = Command::new(env!("CARGO"))
        .args(tree)
        .current_dir(tests::workspace_root())
        .output()
        .expect("cargo tree runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    let listed: BTreeSet<&str> = include_str!("verifier-tree.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "tests/conformance/verifier-tree.txt: not listed: {new:?}; listed, but no more there: {gone:?}"
    );
}
