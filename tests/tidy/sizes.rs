//! Files stay short. Old offenders stand in `sizes.toml` with their length and may only shrink.

use std::collections::BTreeMap;

/// Lines that a source file may have. Longer ones need an entry in `sizes.toml`.
const FILE_LINES_MAX: usize = 500;
/// Lines that no source file may have, entry or not.
const FILE_LINES_LIMIT: usize = 800;

const CRATES: [&str; 6] = [
    "archiver", "verifier", "formats", "firmware", "tests", "benches",
];

#[test]
fn source_files_are_short_and_old_offenders_only_shrink() {
    let ratchet: BTreeMap<String, usize> = toml::from_str(include_str!("sizes.toml"))
        .expect("tests/tidy/sizes.toml is a table of numbers");
    let root = tests::workspace_root();
    let mut complaints = Vec::new();
    let mut seen = 0_usize;
    for name in CRATES {
        for path in crate::files_below(&root.join(name), ".rs") {
            seen += 1;
            let shown = crate::shown(&path);
            let lines = crate::text_of(&path).lines().count();
            let allowed = ratchet.get(&shown).copied().unwrap_or(FILE_LINES_MAX);
            if lines > allowed || lines > FILE_LINES_LIMIT {
                complaints.push(format!(
                    "{shown}: {lines} lines, {allowed} allowed: split it by topic"
                ));
            } else if ratchet.contains_key(&shown) && lines <= FILE_LINES_MAX {
                complaints.push(format!(
                    "{shown}: {lines} lines now: take its entry out of tests/tidy/sizes.toml"
                ));
            }
        }
    }
    for shown in ratchet.keys() {
        if !root.join(shown).is_file() {
            complaints.push(format!(
                "{shown}: named in tests/tidy/sizes.toml, but there is no such file"
            ));
        }
    }
    assert!(
        seen > 50,
        "only {seen} source files found: the walk is broken"
    );
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_test_suite_is_declared() {
    let root = tests::workspace_root().join("tests");
    let manifest = crate::text_of(&root.join("Cargo.toml"));
    for entry in std::fs::read_dir(&root).expect("tests/ is readable") {
        let path = entry.expect("entry").path();
        if path.join("main.rs").is_file() {
            let name = path
                .file_name()
                .expect("name")
                .to_string_lossy()
                .into_owned();
            assert!(
                manifest.contains(&format!("path = \"{name}/main.rs\"")),
                "tests/{name}/main.rs is not declared in tests/Cargo.toml: it would never run"
            );
        }
    }
}
