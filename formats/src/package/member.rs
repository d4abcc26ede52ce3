//! Names of content objects inside a package.

use std::collections::{BTreeMap, BTreeSet};

use super::DOCUMENTS;
use crate::manifest::{ContentObject, Manifest, changes_layout};

/// The member names of the content objects, in the order of the manifest.
///
/// A function of the manifest alone, so that whoever checks a package knows where each object stands. Names are kept as far as
/// every system can unpack them: what Windows does not allow becomes `_`, long names are cut, and a name that exists already,
/// in whatever letter case, gets a number.
#[must_use]
pub fn document_members(manifest: &Manifest) -> Vec<String> {
    let mut taken = Taken::default();
    let member = |object: &ContentObject| {
        format!(
            "{DOCUMENTS}{}",
            taken.claim(&safe_path(object.name.as_str()))
        )
    };
    manifest.objects.iter().map(member).collect()
}

/// Names in use, folded, with every folder that they stand in: `a` and `a/b` cannot both be unpacked.
#[derive(Default)]
struct Taken {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
    /// The last number given to a path, so that a thousand equal names do not take a million steps.
    numbers: BTreeMap<String, u32>,
}

impl Taken {
    /// The path, or the first numbered form of it that is free.
    fn claim(&mut self, path: &str) -> String {
        let mut candidate = path.to_owned();
        let mut number = self.numbers.get(&fold(path)).copied().unwrap_or(1);
        while !self.is_free(&fold(&candidate)) {
            number = number.saturating_add(1);
            candidate = numbered(path, number);
        }
        self.numbers.insert(fold(path), number);
        let folded = fold(&candidate);
        self.folders.extend(folders_of(&folded).map(str::to_owned));
        self.files.insert(folded);
        candidate
    }

    fn is_free(&self, folded: &str) -> bool {
        !self.files.contains(folded)
            && !self.folders.contains(folded)
            && !folders_of(folded).any(|folder| self.files.contains(folder))
    }
}

/// `a/b/c` gives `a` and `a/b`.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

fn fold(path: &str) -> String {
    path.to_lowercase()
}

/// `a/b.pdf` becomes `a (2)/b.pdf` if the first component is a file already, which is simpler than it is pretty: the number goes
/// to the first component of a path, so that neither a file nor a folder stays in the way.
fn numbered(path: &str, number: u32) -> String {
    match path.split_once('/') {
        Some((folder, rest)) => format!("{folder} ({number})/{rest}"),
        None => {
            let (stem, extension) = split_extension(path);
            format!("{stem} ({number}){extension}")
        }
    }
}

fn safe_path(name: &str) -> String {
    let components: Vec<_> = name.split('/').map(safe_component).collect();
    components.join("/")
}

fn safe_component(component: &str) -> String {
    let replace = |character: char| {
        let unsafe_character = character.is_control()
            || changes_layout(character)
            || "<>:\"|?*\\\u{FFFD}".contains(character);
        if unsafe_character { '_' } else { character }
    };
    let mut safe: String = component.chars().map(replace).collect();
    // Windows drops dots and spaces at the end, and `..` may arise from a name such as `.␀.`.
    if safe.ends_with(['.', ' ']) {
        safe.pop();
        safe.push('_');
    }
    if is_reserved(&safe) {
        safe.insert(0, '_');
    }
    shorten(&safe)
}

/// Device names of Windows, with any extension.
fn is_reserved(component: &str) -> bool {
    let stem = component
        .split_once('.')
        .map_or(component, |(stem, _)| stem)
        .trim_end();
    RESERVED.iter().any(|name| stem.eq_ignore_ascii_case(name))
}

/// Keeps the extension, cuts the rest.
fn shorten(component: &str) -> String {
    if component.len() <= COMPONENT_BYTES_MAX {
        return component.to_owned();
    }
    let (stem, extension) = split_extension(component);
    let room = COMPONENT_BYTES_MAX.saturating_sub(extension.len());
    let mut end = room.min(stem.len());
    while !stem.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    format!("{}{extension}", stem.get(..end).unwrap_or_default())
}

/// An extension is short, or it is none.
fn split_extension(component: &str) -> (&str, &str) {
    match component
        .rfind('.')
        .and_then(|at| component.split_at_checked(at))
    {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= EXTENSION_BYTES_MAX => {
            (stem, extension)
        }
        _ => (component, ""),
    }
}

/// Windows and Linux allow 255; a number and a long path above it must find room too.
const COMPONENT_BYTES_MAX: usize = 150;
const EXTENSION_BYTES_MAX: usize = 16;

const RESERVED: &[&str] = &[
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8",
    "COM9", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::{object, sample};
    use crate::manifest::{ObjectName, Role};
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn members(names: &[&[u8]]) -> Vec<String> {
        let mut manifest = sample();
        manifest.objects = names
            .iter()
            .map(|name| object(ObjectName::from_bytes(name).unwrap(), Role::Original, b""))
            .collect();
        document_members(&manifest)
    }

    #[test]
    fn good_names_stay() {
        for name in [
            "a.txt",
            "2026/1月/請求書.pdf",
            "a b (1).tar.gz",
            ".hidden",
            "...",
        ] {
            let expected = if name == "..." {
                "documents/.._"
            } else {
                &format!("documents/{name}")
            };
            assert_eq!(members(&[name.as_bytes()]), [expected]);
        }
    }

    #[test]
    fn bad_names_become_good() {
        for (name, member) in [
            (b"a:b?.txt".as_slice(), "documents/a_b_.txt"),
            (b"a\\b", "documents/a_b"),
            (b"line\nbreak", "documents/line_break"),
            ("\u{202E}fdp.exe".as_bytes(), "documents/_fdp.exe"),
            (b"\xff.txt", "documents/_.txt"),
            (b"dir./x ", "documents/dir_/x_"),
            (
                b"NUL/con.txt/LPT1 .a/COM10",
                "documents/_NUL/_con.txt/_LPT1 .a/COM10",
            ),
        ] {
            assert_eq!(members(&[name]), [member]);
        }
    }

    #[test]
    fn long_names_are_cut_at_a_character() {
        let name = format!("{}.pdf", "請".repeat(100));
        let member = members(&[name.as_bytes()]).remove(0);
        assert!(member.len() <= DOCUMENTS.len() + COMPONENT_BYTES_MAX);
        assert!(member.ends_with("請.pdf"));
    }

    #[test]
    fn equal_names_get_numbers() {
        assert_eq!(
            members(&[
                b"a.txt", b"A.TXT", b"a.txt ", b"a?txt", b"a*txt", b"x", b"x/y", b"z/y", b"Z"
            ]),
            [
                "documents/a.txt",
                "documents/A (2).TXT",
                "documents/a.txt_",
                "documents/a_txt",
                "documents/a_txt (2)",
                "documents/x",
                "documents/x (2)/y",
                "documents/z/y",
                "documents/Z (2)",
            ]
        );
    }

    proptest! {
        #[test]
        fn always_unique_and_acceptable(names in vec(vec("[abAB.:? ]{1,3}", 1..4), 1..12)) {
            let names: BTreeSet<_> = names.into_iter().map(|parts| parts.join("/")).collect();
            let names: Vec<_> = names.iter().filter(|name| ObjectName::new(name).is_ok()).map(String::as_bytes).collect();
            let members = members(&names);
            let folded: BTreeSet<_> = members.iter().map(|member| member.to_lowercase()).collect();
            prop_assert_eq!(folded.len(), names.len());
            for member in &folded {
                prop_assert!(!folders_of(member).any(|folder| folded.contains(folder)));
            }
            let mut writer = crate::asic::AsicWriter::new(std::io::Cursor::new(Vec::new()), "x/y").unwrap();
            for member in &members {
                writer.add_bytes(member, b"").unwrap();
            }
        }
    }
}
