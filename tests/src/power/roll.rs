//! What a medium may hold after a power loss.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::journal::{FileChange, Journal, NameChange};
use super::{Names, path_of, read_range};
use crate::random::Random;

/// A medium writes so many bytes or none.
const SECTOR: u64 = 512;

impl Journal {
    /// Rolls files and names to what may be on the medium. Each file and each medium draws its own lot, so that it does not depend on what
    /// was written beside it.
    pub(super) fn lose(&mut self, names: Names, random: &mut Random) {
        let seed = random.next();
        for (_, (file, changes)) in std::mem::take(&mut self.files) {
            lose_changes(&file, &changes, &mut lot(seed, &path_of(&file)));
        }
        let changes = std::mem::take(&mut self.names);
        let mut by_medium: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        for (place, change) in changes.iter().enumerate() {
            let medium = self.medium(change.path());
            by_medium.entry(medium).or_default().push(place);
        }
        let mut all = vec![false; changes.len()];
        for (medium, places) in by_medium {
            let kept = kept(places.len(), names, &mut lot(seed, &medium));
            for (place, kept) in places.into_iter().zip(kept) {
                all[place] = kept;
            }
        }
        lose_names(&changes, &all);
        self.clear_graves();
    }

    /// Rolls files and names to what was synchronised.
    pub(super) fn lose_everything(&mut self) {
        for (_, (file, changes)) in std::mem::take(&mut self.files) {
            for change in changes.iter().rev() {
                if let FileChange::Mode { before } = change {
                    file.set_permissions(before.clone()).expect("a mode");
                }
            }
            let (mut content, lengths) = before(&file, &changes.iter().collect::<Vec<_>>());
            content.truncate(usize::try_from(lengths[0]).expect("a small file"));
            put(&file, &content);
        }
        let changes = std::mem::take(&mut self.names);
        lose_names(&changes, &vec![false; changes.len()]);
        self.clear_graves();
    }
}

/// A generator for what is named so: by its last folders, the first ones are others in each run.
fn lot(seed: u64, path: &Path) -> Random {
    let names: Vec<_> = path.iter().rev().take(3).collect();
    let bytes = names.iter().flat_map(|name| name.as_encoded_bytes());
    let mixed = bytes.fold(seed, |mixed, byte| {
        (mixed ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = Random::new(mixed);
    random.next();
    random
}

/// Which of the changes of names are on the medium.
fn kept(count: usize, names: Names, random: &mut Random) -> Vec<bool> {
    match (random.below(4), names) {
        (0, _) => vec![false; count],
        (1, _) => vec![true; count],
        (_, Names::Any) => (0..count).map(|_| random.below(2) == 0).collect(),
        (_, Names::Ordered) => {
            let prefix = random.below(count as u64 + 1);
            (0..count as u64).map(|place| place < prefix).collect()
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "what is moved back is a medium of a test"
)]
fn lose_names(changes: &[NameChange], kept: &[bool]) {
    // What each name stood for before, and what it is to stand for.
    let mut bound: BTreeMap<&PathBuf, Option<&PathBuf>> = BTreeMap::new();
    for change in changes {
        match change {
            NameChange::Create { name, .. } => drop(bound.entry(name).or_insert(None)),
            NameChange::Remove { name, inode } => drop(bound.entry(name).or_insert(Some(inode))),
            NameChange::Rename {
                from,
                to,
                inode,
                victim,
            } => {
                bound.entry(from).or_insert(Some(inode));
                bound.entry(to).or_insert(victim.as_ref());
            }
            NameChange::CreateDirectory { .. } | NameChange::MoveDirectory { .. } => {}
        }
    }
    for (change, _) in changes.iter().zip(kept).filter(|(_, kept)| **kept) {
        match change {
            NameChange::Create { name, inode } => drop(bound.insert(name, Some(inode))),
            NameChange::Remove { name, .. } => drop(bound.insert(name, None)),
            NameChange::Rename {
                from, to, inode, ..
            } => {
                bound.insert(from, None);
                bound.insert(to, Some(inode));
            }
            NameChange::CreateDirectory { .. } | NameChange::MoveDirectory { .. } => {}
        }
    }
    for (name, inode) in bound {
        if name.symlink_metadata().is_ok() {
            std::fs::remove_file(name).expect("a name is removed");
        }
        if let Some(inode) = inode {
            std::fs::hard_link(inode, name).expect("a name is given back");
        }
    }
    for (change, _) in changes.iter().zip(kept).rev().filter(|(_, kept)| !**kept) {
        match change {
            NameChange::CreateDirectory { name } if name.is_dir() => {
                std::fs::remove_dir_all(name).expect("a directory is removed");
            }
            NameChange::MoveDirectory { from, to } if to.is_dir() && !from.exists() => {
                std::fs::rename(to, from).expect("a directory is moved back");
            }
            NameChange::CreateDirectory { .. }
            | NameChange::MoveDirectory { .. }
            | NameChange::Create { .. }
            | NameChange::Rename { .. }
            | NameChange::Remove { .. } => {}
        }
    }
}

fn lose_changes(file: &File, changes: &[FileChange], random: &mut Random) {
    for change in changes.iter().rev() {
        if let FileChange::Mode { before } = change
            && random.below(2) == 0
        {
            file.set_permissions(before.clone()).expect("a mode");
        }
    }
    let changes: Vec<&FileChange> = changes
        .iter()
        .filter(|change| !matches!(change, FileChange::Mode { .. }))
        .collect();
    if changes.is_empty() {
        return;
    }
    let (mut content, lengths) = before(file, &changes);
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let sectors = sectors_kept(longest.div_ceil(SECTOR), changes.len() as u64, random);
    let kept = |offset: u64, change: u64| {
        let sector = usize::try_from(offset / SECTOR).unwrap_or(usize::MAX);
        sectors.get(sector).is_some_and(|count| change < *count)
    };
    content.resize(usize::try_from(longest).expect("a small file"), 0);
    for (number, change) in (0_u64..).zip(&changes) {
        let (offset, bytes) = match change {
            FileChange::Write { offset, bytes, .. } => (*offset, bytes.clone()),
            FileChange::Length { length, tail, .. } => (*length, vec![0; tail.len()]),
            FileChange::Mode { .. } => continue,
        };
        for (at, byte) in (offset..).zip(bytes) {
            if kept(at, number) {
                content[usize::try_from(at).expect("a small file")] = byte;
            }
        }
    }
    let length = match random.below(3) {
        0 => lengths[0],
        1 => lengths[lengths.len() - 1],
        _ => lengths[usize::try_from(random.below(lengths.len() as u64)).unwrap_or(0)],
    };
    content.truncate(usize::try_from(length).expect("a small file"));
    put(file, &content);
}

/// What the file was before the changes, and all the lengths that it had since.
fn before(file: &File, changes: &[&FileChange]) -> (Vec<u8>, Vec<u64>) {
    let length = file.metadata().expect("a length").len();
    let count = usize::try_from(length).expect("a small file");
    let mut content = read_range(file, 0, count).expect("the file is read");
    let mut lengths = vec![length];
    for change in changes.iter().rev() {
        let (offset, bytes, length) = match change {
            FileChange::Write {
                offset,
                before,
                length,
                ..
            } => (*offset, before, *length),
            FileChange::Length {
                length,
                before,
                tail,
            } => (*length, tail, *before),
            FileChange::Mode { .. } => continue,
        };
        content.resize(usize::try_from(length).expect("a small file"), 0);
        let start = usize::try_from(offset).expect("a small file");
        if !bytes.is_empty() {
            content[start..start + bytes.len()].copy_from_slice(bytes);
        }
        lengths.push(length);
    }
    lengths.reverse();
    (content, lengths)
}

/// How many of the changes each sector has seen.
fn sectors_kept(sectors: u64, changes: u64, random: &mut Random) -> Vec<u64> {
    let some = random.below(changes + 1);
    match random.below(5) {
        0 => vec![0; usize::try_from(sectors).unwrap_or(0)],
        1 => (0..sectors).map(|_| changes).collect(),
        // In order, the last one torn.
        2 => {
            let torn = random.below(sectors + 1);
            (0..sectors)
                .map(|sector| some + u64::from(sector < torn))
                .collect()
        }
        // One change is there and the others are not, sector by sector.
        3 => (0..sectors).map(|_| random.below(2) * changes).collect(),
        _ => (0..sectors).map(|_| random.below(changes + 1)).collect(),
    }
}

fn put(file: &File, content: &[u8]) {
    // The handle may be one for reading, as that of a file that was only settled.
    file.set_len(0).expect("a file is cut");
    file.write_all_at(content, 0).expect("a file is written");
    let mode = file.metadata().expect("a mode").permissions().mode();
    debug_assert!(mode & 0o400 != 0, "a file that nobody may read");
}
