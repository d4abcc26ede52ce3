//! Tests of the walk, on real directories.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes its own input files"
)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

/// A directory `root/docs` with what a test puts into it.
struct Fixture {
    root: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn file(&self, name: &str) -> &Self {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), name).unwrap();
        self
    }

    fn link(&self, name: &str, target: impl AsRef<Path>) -> &Self {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        symlink(target, self.path(name)).unwrap();
        self
    }

    fn walk(&self, given: &[&str]) -> Vec<String> {
        walk(given.iter().map(|name| self.path(name)).collect())
    }
}

fn walk(paths: Vec<PathBuf>) -> Vec<String> {
    Walk::new(paths, SourceName::from_bytes(*b"stdin"))
        .map(|item| match item {
            WalkItem::Found(source) => format!("+ {}", source.name()),
            WalkItem::Skipped { name, reason } => format!("{reason:?} {name}"),
            WalkItem::Failed(error) => error.to_string(),
        })
        .collect()
}

#[test]
fn names_are_relative_to_the_parent_and_sorted() {
    let fixture = Fixture::new();
    fixture
        .file("docs/b.txt")
        .file("docs/a/z")
        .file("docs/a-1")
        .file("one");
    assert_eq!(
        fixture.walk(&["one", "docs"]),
        ["+ one", "+ docs/a/z", "+ docs/a-1", "+ docs/b.txt"]
    );
}

#[test]
fn a_dot_takes_the_name_of_the_directory_it_stands_for() {
    let fixture = Fixture::new();
    fixture.file("docs/a/b");
    assert_eq!(fixture.walk(&["docs/a/.."]), ["+ docs/a/b"]);
    assert_eq!(fixture.walk(&["docs/."]), ["+ docs/a/b"]);
}

#[test]
fn missing_paths_and_files_used_as_directories_are_named() {
    let fixture = Fixture::new();
    fixture.file("docs/a");
    let lines = fixture.walk(&["none", "docs/a/b", "docs"]);
    assert!(lines[0].contains("/none: does not exist"), "{lines:?}");
    assert!(lines[1].contains("/docs/a/b: cannot be read"), "{lines:?}");
    assert_eq!(lines[2], "+ docs/a");
}

#[test]
fn links_inside_are_skipped_and_links_outside_followed() {
    let fixture = Fixture::new();
    fixture
        .file("docs/a/f")
        .file("else/g")
        .file("else/sub/h")
        .file("lone");
    fixture
        .link("docs/l1-file", "a/f")
        .link("docs/l2-dir", "a")
        .link("docs/l3-lone", "../lone")
        .link("docs/l4-else", "../else")
        .link("docs/l5-again", "../else/sub");
    assert_eq!(
        fixture.walk(&["docs"]),
        [
            "+ docs/a/f",
            "LinkInside docs/l1-file",
            "LinkInside docs/l2-dir",
            "+ docs/l3-lone",
            "+ docs/l4-else/g",
            "+ docs/l4-else/sub/h",
            "LinkInside docs/l5-again",
        ]
    );
}

#[test]
fn links_between_given_directories_are_skipped() {
    let fixture = Fixture::new();
    fixture
        .file("docs/f")
        .file("other/g")
        .link("docs/l", "../other/g");
    assert_eq!(
        fixture.walk(&["docs", "other"]),
        ["+ docs/f", "LinkInside docs/l", "+ other/g"]
    );
}

#[test]
fn a_link_to_the_parent_does_not_run_in_circles() {
    let fixture = Fixture::new();
    fixture.file("docs/f").file("g").link("docs/up", "..");
    let lines = fixture.walk(&["docs"]);
    assert_eq!(
        lines,
        ["+ docs/f", "VisitedBefore docs/up/docs", "+ docs/up/g"]
    );
    fixture.link("docs/self", ".");
    assert_eq!(fixture.walk(&["docs"])[1], "LinkInside docs/self");
}

#[test]
fn looping_and_dangling_links_fail_and_the_rest_goes_in() {
    let fixture = Fixture::new();
    fixture
        .link("docs/a", "b")
        .link("docs/b", "a")
        .link("docs/c", "none")
        .file("docs/d");
    let lines = fixture.walk(&["docs"]);
    assert!(lines[0].contains("leads back to itself"), "{lines:?}");
    assert!(lines[1].contains("leads back to itself"), "{lines:?}");
    assert!(lines[2].contains("leads nowhere"), "{lines:?}");
    assert_eq!(lines[3], "+ docs/d");
    let given = fixture.walk(&["docs/a", "docs/c"]);
    assert!(given[0].contains("leads back to itself"), "{given:?}");
    assert!(given[1].contains("leads nowhere"), "{given:?}");
}

#[test]
fn fifo_socket_and_device_are_refused_without_opening() {
    let fixture = Fixture::new();
    let fifo = fixture.path("docs/fifo");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
    )
    .unwrap();
    let listener = UnixListener::bind(fixture.path("docs/socket")).unwrap();
    fixture.link("docs/null", "/dev/null").file("docs/z");
    let lines = fixture.walk(&["docs"]);
    drop(listener);
    assert!(lines[0].contains("docs/fifo: is a named pipe"), "{lines:?}");
    assert!(
        lines[1].contains("docs/null: is a character device"),
        "{lines:?}"
    );
    assert!(lines[2].contains("docs/socket: is a socket"), "{lines:?}");
    assert_eq!(lines[3], "+ docs/z");
    assert!(walk(vec![fifo])[0].contains("named pipe"));
    assert!(walk(vec!["/dev/zero".into()])[0].contains("character device"));
}

#[test]
fn newline_and_invalid_utf8_names_are_kept_exactly() {
    let fixture = Fixture::new();
    let odd = [&b"new\nline"[..], b"bad\xff"];
    for name in odd {
        fs::write(fixture.path("docs").join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let names: Vec<Vec<u8>> = Walk::new(
        vec![fixture.path("docs")],
        SourceName::from_bytes(*b"stdin"),
    )
    .filter_map(|item| match item {
        WalkItem::Found(source) => Some(source.name().as_bytes().to_vec()),
        WalkItem::Skipped { .. } | WalkItem::Failed(_) => None,
    })
    .collect();
    assert_eq!(
        names,
        [b"docs/bad\xff".to_vec(), b"docs/new\nline".to_vec()]
    );
    assert_eq!(
        fixture.walk(&["docs"]),
        ["+ docs/bad\\xff", "+ docs/new\\nline"]
    );
}

#[test]
fn standard_input_is_read_once() {
    let lines = walk(vec!["-".into(), "-".into()]);
    assert_eq!(lines[0], "+ stdin");
    assert!(lines[1].contains("only once"), "{lines:?}");
}

#[test]
fn a_file_that_vanishes_between_listing_and_looking_is_named() {
    let fixture = Fixture::new();
    fixture.file("docs/a").file("docs/b").file("docs/c");
    let mut walk = Walk::new(
        vec![fixture.path("docs")],
        SourceName::from_bytes(*b"stdin"),
    );
    assert!(matches!(walk.next(), Some(WalkItem::Found(_))));
    fs::remove_file(fixture.path("docs/b")).unwrap();
    assert!(matches!(
        walk.next(),
        Some(WalkItem::Failed(IntakeError::Missing { .. }))
    ));
    assert!(matches!(walk.next(), Some(WalkItem::Found(_))));
    assert!(walk.next().is_none());
}
