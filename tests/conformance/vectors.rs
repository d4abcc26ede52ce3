//! The table of the foreign vectors, MANIFEST.tsv, read as its README says.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The families that are judged.
pub(crate) const JUDGED: [&str; 5] = ["ers", "tst", "cades", "asic", "xmlers"];
/// The families that are named, and never judged.
pub(crate) const NAMED: [&str; 2] = ["xades", "pades"];

/// One row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Vector {
    /// The file, below the folder of the vectors.
    pub(crate) path: String,
    /// What kind of evidence it is.
    pub(crate) kind: String,
    /// The verdict that its author states.
    pub(crate) expected: String,
    /// The data that it covers, in words.
    pub(crate) covers: String,
}

/// What a stated verdict means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stated {
    /// It must not pass.
    Fails,
    /// Signature and every imprint are intact; nothing is said about trust.
    Intact,
    /// Its author says nothing that could be compared.
    Nothing,
}

impl Vector {
    /// Reads the column `expected` by its first words; what follows them is for people.
    pub(crate) fn stated(&self) -> Stated {
        let text = self.expected.as_str();
        let starts = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
        // Of several signers, or of an edited token, the row says at its end what a strict verifier must say.
        let strict = text.contains("strict FAIL") || text.contains("full verify FAILS");
        // Of some the row says at once that a reference is not there or not intact.
        let partly = text.contains("(some reference not") || text.contains("SIGNED_DATA_NOT_FOUND");
        let failed = [
            "FAIL",
            "INVALID",
            "TOTAL_FAILED",
            "1st TOTAL_FAILED",
            "1st invalid",
            "throws",
        ];
        if strict || starts(&failed) {
            Stated::Fails
        } else if !partly
            && starts(&[
                "PASS",
                "INTACT",
                "VALID",
                "TOTAL_PASSED",
                "both TOTAL_PASSED",
            ])
        {
            Stated::Intact
        } else {
            Stated::Nothing
        }
    }

    /// The first folder of its path.
    pub(crate) fn family(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// Whether it is evidence, and not the data, a certificate or a schema beside some.
    pub(crate) fn is_evidence(&self) -> bool {
        let other = ["data-object", "certificate", "chain/data", "schema"];
        !other.iter().any(|kind| self.kind.starts_with(kind))
    }

    /// Whether its kind is one that this verifier names and does not judge: what is stated of it is no measure then. An evidence record
    /// over such a file is judged like any other; a container is looked into.
    pub(crate) fn is_named_only(&self) -> bool {
        let kind = self.kind.to_lowercase();
        let named = ["pades", "xades", "timestampeddata"];
        let record = kind.starts_with("ers") || kind.starts_with("xmlers");
        !record && named.iter().any(|name| kind.contains(name))
    }

    /// A file beside it, or below it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        let folder = Path::new(&self.path).parent().expect("a folder");
        folder.join(name)
    }
}

/// The folder of the vectors and every row whose file is there; `None`, in one line, where there is no such folder.
pub(crate) fn all(left_out: &str) -> Option<&'static (PathBuf, Vec<Vector>)> {
    static READ: OnceLock<Option<(PathBuf, Vec<Vector>)>> = OnceLock::new();
    let read = READ.get_or_init(|| {
        let folder = tests::foreign_folder("FUMIKURA_VECTORS", "vectors")?;
        let table = std::fs::read_to_string(folder.join("MANIFEST.tsv")).ok()?;
        let mut rows: Vec<Vector> = table.lines().skip(1).map(row).collect();
        rows.retain(|row| folder.join(&row.path).is_file());
        Some((folder, rows))
    });
    if read.is_none() {
        println!(
            "left out: {left_out} (no folder of foreign vectors: FUMIKURA_VECTORS names none)"
        );
    }
    read.as_ref()
}

fn row(line: &str) -> Vector {
    let columns: Vec<&str> = line.split('\t').collect();
    assert!(columns.len() >= 6, "{line}");
    Vector {
        path: columns[0].to_owned(),
        kind: columns[3].to_owned(),
        expected: columns[4].to_owned(),
        covers: columns[5].to_owned(),
    }
}

#[test]
fn verdicts_are_read_as_the_readme_says() {
    let stated = |expected: &str| {
        let vector = Vector {
            path: "ers/a.ers".to_owned(),
            kind: "ERS-RFC4998".to_owned(),
            expected: expected.to_owned(),
            covers: "-".to_owned(),
        };
        vector.stated()
    };
    for text in [
        "FAIL: root != imprint",
        "FAIL B-level technically invalid <SomeTest>",
        "INVALID (directory invalid-containers)",
        "TOTAL_FAILED/HASH_FAILURE",
        "FAILED/HASH_FAILURE",
        "PASS in tspclient (one of two signers valid); strict FAIL",
        "throws (invalid TST file)",
    ] {
        assert_eq!(stated(text), Stated::Fails, "{text}");
    }
    for text in [
        "PASS",
        "PASS (tree+imprint)",
        "INTACT <SomeTest>",
        "VALID (directory valid-containers)",
        "both TOTAL_PASSED, 2nd + warning not covering",
    ] {
        assert_eq!(stated(text), Stated::Intact, "{text}");
    }
    for text in [
        "INTACT (some reference not found/intact) <SomeTest>",
        "used by <SomeTest>",
        "UNSTATED",
        "schema-valid",
        "n/a",
        "QUIRK: …",
    ] {
        assert_eq!(stated(text), Stated::Nothing, "{text}");
    }
}
