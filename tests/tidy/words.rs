//! Words that do not belong into the source: unfinished work, other places' addresses.

/// Each word is written in two halves, so that this file does not contain it.
const BANNED: [(&str, &str, &str); 11] = [
    ("to", "do!(", "finish it or open an issue"),
    ("unimple", "mented!(", "finish it or open an issue"),
    ("FIX", "ME", "finish it or open an issue"),
    ("XX", "X:", "finish it or open an issue"),
    ("// TO", "DO", "finish it or open an issue"),
    ("crates", ".io/", "no registry's address in the project"),
    ("/work", "/", "no path of one machine in the project"),
    ("/home", "/", "no path of one machine in the project"),
    ("<<<<", "<<<", "a merge that was not brought to its end"),
    (">>>>", ">>>", "a merge that was not brought to its end"),
    ("#[ign", "ore", "a test that does not run proves nothing"),
];

#[test]
fn no_source_file_holds_a_banned_word() {
    let root = tests::workspace_root();
    let mut complaints = Vec::new();
    for ending in [".rs", ".sh", ".toml", ".md"] {
        for path in crate::files_below(&root, ending) {
            let text = crate::text_of(&path);
            for (head, tail, what) in BANNED {
                let word = format!("{head}{tail}");
                for (number, line) in text.lines().enumerate() {
                    if line.contains(&word) {
                        complaints.push(format!(
                            "{}:{}: \"{word}\": {what}",
                            crate::shown(&path),
                            number + 1
                        ));
                    }
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
