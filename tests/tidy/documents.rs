//! Documents have titles, their links lead somewhere, and the Japanese ones have their English twin.

use std::path::Path;

#[test]
fn every_document_has_a_title_and_its_links_lead_somewhere() {
    let root = tests::workspace_root();
    let mut complaints = Vec::new();
    let mut links = 0_usize;
    for path in crate::files_below(&root, ".md") {
        let shown = crate::shown(&path);
        let text = crate::text_of(&path);
        if !text.starts_with("# ") {
            complaints.push(format!("{shown}: the first line must be a title (\"# …\")"));
        }
        for target in relative_links(&text) {
            links += 1;
            let file = target.split('#').next().unwrap_or_default();
            let base = path.parent().unwrap_or_else(|| Path::new("."));
            if !file.is_empty() && !base.join(file).exists() {
                complaints.push(format!("{shown}: link to {target}: there is no such file"));
            }
        }
    }
    assert!(links > 5, "only {links} links found: the reader is broken");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn user_documents_exist_in_both_languages() {
    let docs = tests::workspace_root().join("docs");
    for path in crate::files_below(&docs.join("en"), ".md") {
        let twin = docs.join("ja").join(path.file_name().expect("name"));
        assert!(
            twin.is_file(),
            "{} has no Japanese twin {}",
            crate::shown(&path),
            crate::shown(&twin)
        );
    }
    for path in crate::files_below(&docs.join("ja"), ".md") {
        let twin = docs.join("en").join(path.file_name().expect("name"));
        assert!(
            twin.is_file(),
            "{} has no English twin {}",
            crate::shown(&path),
            crate::shown(&twin)
        );
    }
}

/// The targets of Markdown links that point into the repository.
fn relative_links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for piece in text.split("](").skip(1) {
        if let Some((target, _)) = piece.split_once(')')
            && !target.contains("://")
            && !target.starts_with("mailto:")
            && !target.starts_with('#')
        {
            found.push(target);
        }
    }
    found
}
