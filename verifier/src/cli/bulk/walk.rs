//! Every file of a directory and of those below it, in the order of the bytes of their names, with the data that it may be about.
//!
//! No link is followed. The names of one directory at a time are in memory, and of those above it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use verifier::bulk::pairs::{Pairs, data_name};

/// Directories below each other. Linux takes a path of 4,096 bytes; a deposit that people made has fewer than 20.
const DEPTH_MAX: usize = 64;

/// A file to look at.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Its path from the directory on, with `/` between the names.
    pub(super) name: String,
    /// Where it is.
    pub(super) path: PathBuf,
    /// What it is.
    pub(super) kind: ItemKind,
    /// The data that it is about, by the pairs or by its name: its name and where it is.
    pub(super) data: Option<(String, PathBuf)>,
    /// Whether it is the data of other evidence.
    pub(super) is_data: bool,
}

/// What stands at a place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ItemKind {
    /// A regular file.
    File,
    /// Something that is not looked into, and why.
    LeftOut(&'static str),
    /// A directory or an entry that cannot be read.
    Unreadable(String),
}

/// A directory on the way.
struct Level {
    path: PathBuf,
    /// With the `/` at its end; empty for the first directory.
    prefix: String,
    names: std::vec::IntoIter<(OsString, Entry)>,
    /// The names of the regular files that others are about.
    data: HashSet<String>,
    /// The names of the regular files.
    files: HashSet<OsString>,
}

#[derive(Clone, Copy)]
enum Entry {
    File,
    Directory,
    Other(&'static str),
}

/// The files one after the other.
pub(super) struct Walk<'a> {
    root: PathBuf,
    pairs: &'a Pairs,
    /// The data of all pairs.
    paired: HashSet<&'a str>,
    /// Files that belong to the run and not to what is verified.
    own: Vec<PathBuf>,
    levels: Vec<Level>,
    /// What is told before the walk goes on.
    pending: Option<Item>,
}

impl<'a> Walk<'a> {
    /// A walk through `root`; `own` are files of the run itself, which are left out.
    pub(super) fn new(root: &Path, pairs: &'a Pairs, own: &[PathBuf]) -> Self {
        let mut walk = Self {
            root: root.to_owned(),
            pairs,
            paired: pairs.iter().map(|(_, data)| data).collect(),
            own: own.iter().filter_map(|path| canonical(path)).collect(),
            levels: Vec::new(),
            pending: None,
        };
        walk.enter(root.to_owned(), String::new());
        walk
    }

    fn enter(&mut self, path: PathBuf, prefix: String) {
        let unreadable = |kind| Item {
            name: prefix.trim_end_matches('/').to_owned(),
            path: path.clone(),
            kind,
            data: None,
            is_data: false,
        };
        if self.levels.len() >= DEPTH_MAX {
            self.pending = Some(unreadable(ItemKind::LeftOut(
                "more than 64 directories below each other",
            )));
            return;
        }
        match entries(&path) {
            Ok(names) => {
                let is_file = |entry: &Entry| matches!(entry, Entry::File);
                let files: HashSet<OsString> = names
                    .iter()
                    .filter(|(_, entry)| is_file(entry))
                    .map(|(name, _)| name.clone())
                    .collect();
                let data = files
                    .iter()
                    .filter_map(|name| name.to_str())
                    // What a pair names is evidence of that, and of nothing beside it.
                    .filter(|name| self.pairs.data_of(&format!("{prefix}{name}")).is_none())
                    .filter_map(data_name)
                    .filter(|data| files.contains(std::ffi::OsStr::new(data)))
                    .map(str::to_owned)
                    .collect();
                self.levels.push(Level {
                    path,
                    prefix,
                    names: names.into_iter(),
                    data,
                    files,
                });
            }
            Err(error) => {
                self.pending = Some(unreadable(ItemKind::Unreadable(error.to_string())));
            }
        }
    }

    fn is_own(&self, path: &Path) -> bool {
        !self.own.is_empty() && canonical(path).is_some_and(|path| self.own.contains(&path))
    }

    fn item(&self, level: &Level, name: &OsString, entry: Entry) -> Item {
        let text = name.to_string_lossy();
        let path = level.path.join(name);
        let full = format!("{}{text}", level.prefix);
        let by_pair = self
            .pairs
            .data_of(&full)
            .map(|data| (data.to_owned(), self.root.join(data)));
        let by_name = || {
            let data = data_name(name.to_str()?)?;
            level
                .files
                .contains(std::ffi::OsStr::new(data))
                .then(|| (format!("{}{data}", level.prefix), level.path.join(data)))
        };
        let is_file = matches!(entry, Entry::File);
        Item {
            kind: match entry {
                Entry::Other(why) => ItemKind::LeftOut(why),
                Entry::File | Entry::Directory => ItemKind::File,
            },
            data: by_pair.or_else(by_name).filter(|_| is_file),
            is_data: is_file
                && (level.data.contains(text.as_ref()) || self.paired.contains(full.as_str())),
            name: full,
            path,
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.pending.take() {
                return Some(item);
            }
            let level = self.levels.last_mut()?;
            let Some((name, entry)) = level.names.next() else {
                self.levels.pop();
                continue;
            };
            if matches!(entry, Entry::Directory) {
                let path = level.path.join(&name);
                let prefix = format!("{}{}/", level.prefix, name.to_string_lossy());
                self.enter(path, prefix);
                continue;
            }
            let level = self.levels.last()?;
            let item = self.item(level, &name, entry);
            if !self.is_own(&item.path) {
                return Some(item);
            }
        }
    }
}

/// The entries of a directory, sorted by the bytes of their names.
fn entries(path: &Path) -> std::io::Result<Vec<(OsString, Entry)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // The type of a link is link: it is not followed.
        let kind = entry.file_type()?;
        let kind = if kind.is_dir() {
            Entry::Directory
        } else if kind.is_file() {
            Entry::File
        } else if kind.is_symlink() {
            Entry::Other("a link, which is not followed")
        } else {
            Entry::Other("no regular file")
        };
        names.push((entry.file_name(), kind));
    }
    names.sort_by(|(one, _), (other, _)| one.as_encoded_bytes().cmp(other.as_encoded_bytes()));
    Ok(names)
}

/// A path without links, of a file that may not exist yet.
fn canonical(path: &Path) -> Option<PathBuf> {
    if let Ok(path) = fs::canonicalize(path) {
        return Some(path);
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = fs::canonicalize(parent.unwrap_or(Path::new("."))).ok()?;
    Some(parent.join(path.file_name()?))
}
