//! The tables and lists of differences in `docs/verifier-conformance.md`, compared with what was found, both ways.
//!
//! A list stands between `<!-- list: NAME -->` and `<!-- end -->` as rows of a table whose first cell is a path in backticks, a table between
//! `<!-- table: NAME -->` and `<!-- end -->`. The cells that a test knows are compared; the last one of a list, the reason, is for people.
//! With `FUMIKURA_RENEW=1` the tests write what they found into the document instead: reasons stay, new rows wait for theirs, and as long as
//! one does, the suite fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

const DOCUMENT: &str = "docs/verifier-conformance.md";
const END: &str = "<!-- end -->";
/// What stands in the place of a reason until somebody has given one.
const NO_REASON: &str = "?";

fn document() -> String {
    let path = tests::workspace_root().join(DOCUMENT);
    std::fs::read_to_string(path).expect(DOCUMENT)
}

/// Puts `lines` in the place of what stands under a mark.
fn renew(mark: &str, lines: &[String]) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _held = ONE_AT_A_TIME.lock();
    let text = document();
    let (before, rest) = text.split_once(mark).expect("the mark");
    let (_, after) = rest.split_once(END).expect("the end");
    let text = format!("{before}{mark}\n{}\n{END}{after}", lines.join("\n"));
    std::fs::write(tests::workspace_root().join(DOCUMENT), text).expect(DOCUMENT);
}

fn renews() -> bool {
    std::env::var_os("FUMIKURA_RENEW").is_some()
}

/// What stands under a mark.
fn under(mark: &str) -> String {
    let text = document();
    let (_, rest) = text
        .split_once(mark)
        .unwrap_or_else(|| panic!("{DOCUMENT} has no {mark}"));
    let (inner, _) = rest.split_once(END).expect("the end");
    inner.to_owned()
}

/// The rows of a list: the path, and the cells after it.
fn listed(mark: &str) -> BTreeMap<String, Vec<String>> {
    let list = under(mark);
    let rows = list.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let inner = line.trim_start_matches("| ").trim_end_matches(" |");
        let mut cells = inner.split(" | ").map(str::to_owned);
        let path = cells.next().expect("a path");
        (path.trim_matches('`').to_owned(), cells.collect())
    })
    .collect()
}

/// Fails where a difference is not listed, or a listed one is none any more. Rows about files that are not `there` are not looked at.
pub(crate) fn compare(name: &str, found: &BTreeMap<String, Vec<String>>, there: &BTreeSet<&str>) {
    let mark = format!("<!-- list: {name} -->");
    let known = listed(&mark);
    let reason = |path: &str| {
        let cells = known.get(path).and_then(|cells| cells.last());
        cells.map_or(NO_REASON, String::as_str).to_owned()
    };
    if renews() {
        let list = under(&mark);
        let head = list
            .lines()
            .filter(|line| line.starts_with('|') && !line.starts_with("| `"));
        let mut lines: Vec<String> = head.map(str::to_owned).collect();
        lines.extend(found.iter().map(|(path, cells)| {
            let mut cells = cells.clone();
            cells.push(reason(path));
            format!("| `{path}` | {} |", cells.join(" | "))
        }));
        renew(&mark, &lines);
    }
    let known = listed(&mark);
    let mut wrong = Vec::new();
    for (path, cells) in found {
        match known.get(path) {
            None => wrong.push(format!("not listed: {path}: {}", cells.join(" | "))),
            Some(row) if !row.starts_with(cells) => {
                wrong.push(format!(
                    "{path}: {}; listed: {}",
                    cells.join(" | "),
                    row.join(" | ")
                ));
            }
            Some(row)
                if row.len() != cells.len() + 1 || row.last().is_some_and(|r| r == NO_REASON) =>
            {
                wrong.push(format!("no reason: {path}: {}", cells.join(" | ")));
            }
            Some(_) => {}
        }
    }
    for path in known.keys() {
        if there.contains(path.as_str()) && !found.contains_key(path) {
            wrong.push(format!("listed, but no difference any more: {path}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{DOCUMENT}, list {name}: {} rows are not right (FUMIKURA_RENEW=1 writes them)\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Prints a table, and fails where the document shows another one of as many files.
pub(crate) fn table(name: &str, lines: &[String]) {
    println!("{}", lines.join("\n"));
    let mark = format!("<!-- table: {name} -->");
    if renews() {
        renew(&mark, lines);
    }
    let whole = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("| whole |"));
        line.map(|line| line.split(" | ").nth(1).unwrap_or_default().to_owned())
    };
    let (shown, found) = (under(&mark), lines.join("\n"));
    if whole(&shown) == whole(&found) {
        assert_eq!(
            shown.trim(),
            found,
            "{DOCUMENT}, table {name} (FUMIKURA_RENEW=1 writes it)"
        );
    }
}
