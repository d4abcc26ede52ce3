//! Dependencies run `formats <- verifier <- firmware <- archiver` and never back, and each layer keeps its absences.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What each layer must not reach, directly or through others: its *absences*, stated in `ARCHITECTURE.md`.
const ABSENCES: [(&str, &[&str]); 3] = [
    (
        "formats",
        &[
            "tokio", "mio", "hyper", "reqwest", "rustls", "sled", "rustix", "clap", "aes-gcm",
            "axum",
        ],
    ),
    (
        "verifier",
        &[
            "tokio",
            "mio",
            "hyper",
            "reqwest",
            "rustls",
            "sled",
            "axum",
            // Not `aes-gcm`: RFC 8018 brings it with the encrypted keys that the program signs a summary with. `layers.toml` keeps it from being used.
            "aws-lc-rs",
            "argon2",
        ],
    ),
    (
        "firmware",
        &["tokio", "mio", "hyper", "reqwest", "rustls", "sled", "axum"],
    ),
];

fn layer_allow_list() -> BTreeMap<String, Vec<String>> {
    toml::from_str(include_str!("layers.toml")).expect("tests/tidy/layers.toml is a table of lists")
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(tests::workspace_root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

#[test]
fn each_crate_depends_only_on_what_its_allow_list_names() {
    let allowed = layer_allow_list();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    assert_eq!(
        packages.len(),
        allowed.len(),
        "every crate of the workspace stands in tests/tidy/layers.toml"
    );
    for package in packages {
        let name = package["name"].as_str().expect("name");
        let list = allowed
            .get(name)
            .unwrap_or_else(|| panic!("crate {name} is missing in tests/tidy/layers.toml"));
        let mut found: Vec<&str> = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(|d| d["kind"].is_null())
            .map(|d| d["name"].as_str().expect("name"))
            .collect();
        found.sort_unstable();
        found.dedup();
        let mut expected: Vec<&str> = list.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(
            found, expected,
            "{name}: dependencies differ from tests/tidy/layers.toml; change the list only with a reason"
        );
    }
}

#[test]
fn no_layer_reaches_what_it_must_not_know() {
    for (name, absent) in ABSENCES {
        let output = Command::new(env!("CARGO"))
            .args([
                "tree",
                "-p",
                name,
                "-e",
                "normal",
                "--prefix",
                "none",
                "--offline",
            ])
            .current_dir(tests::workspace_root())
            .output()
            .expect("cargo tree runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let tree = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            tree.starts_with(name),
            "cargo tree printed the tree of {name}"
        );
        for line in tree.lines() {
            let dependency = line.split(' ').next().unwrap_or_default();
            assert!(
                !absent.contains(&dependency),
                "{name} reaches {dependency}: an invariant of ARCHITECTURE.md is broken"
            );
        }
    }
}

/// `--online` of the program is behind a feature, and what the others take from the verifier is without.
#[test]
fn the_library_of_the_verifier_has_no_network() {
    for package in [
        &["-p", "verifier", "--no-default-features"][..],
        &["-p", "archiver"],
    ] {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "-e", "normal", "--prefix", "none", "--offline"])
            .args(package)
            .current_dir(tests::workspace_root())
            .output()
            .expect("cargo tree runs");
        let tree = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(tree.contains("formats v"), "{package:?}");
        assert!(!tree.contains("ureq v"), "{package:?} reaches ureq");
    }
}

#[test]
fn unsafe_code_has_one_room() {
    let root = tests::workspace_root();
    for name in ["formats", "verifier", "archiver", "tests", "benches"] {
        let path = root.join(name).join("src/lib.rs");
        let text = crate::text_of(&path);
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{name}/src/lib.rs must forbid unsafe code"
        );
    }
    for path in crate::files_below(&root.join("firmware/src"), ".rs") {
        let shown = crate::shown(&path);
        if !shown.starts_with("firmware/src/sys") {
            assert!(
                !crate::text_of(&path).contains("unsafe {"),
                "{shown}: unsafe code belongs in firmware/src/sys"
            );
        }
    }
}
