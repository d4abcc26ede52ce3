//! Removing files so that their bytes are gone as far as a file system lets anybody say so.
//!
//! The bytes are overwritten once with zeros before the name is removed (NIST SP 800-88r2, *clear*). A file system that copies on
//! writing and a drive that moves blocks may keep them all the same: the record of what is destroyed must rest on a key, not on this.

use std::fs::File;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use super::{Disk, move_into_place, parent, temporary_name};

/// Overwrites a file with zeros, durably, and removes it. A file that is not there is no error.
///
/// # Errors
/// The operating system's.
pub fn erase_file(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let file = match disk.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    overwrite(disk, &file, 0)?;
    disk.remove(path)?;
    disk.sync_directory(parent(path))
}

/// As [`super::replace_file`], and what stood there before is overwritten.
///
/// The old file gets the name `….old` for a moment: [`read_settled`] and the next call know what a crash in between leaves.
///
/// # Errors
/// The operating system's. Either the old or the new contents stand there then.
pub fn replace_and_erase(disk: &dyn Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    settle(disk, path)?;
    if !path.try_exists()? {
        write_or_erase(disk, path, contents)?;
        return disk.sync_directory(parent(path));
    }
    write_beside(disk, path, contents)?;
    name_prepared(disk, path)
}

/// Writes beside a file what is to take its place, durably; the file stays as it is until [`take_prepared`]. Where no file stands, nothing is written.
///
/// # Errors
/// The operating system's.
pub fn prepare(disk: &dyn Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    if is_prepared(path, contents)? {
        // Nothing else may be able to take its place by now.
        return disk.sync_directory(parent(path));
    }
    settle(disk, path)?;
    if path.try_exists()? {
        write_beside(disk, path, contents)?;
    }
    Ok(())
}

/// Gives what [`prepare`] wrote its name, and overwrites what had it. Where nothing was prepared, as [`replace_and_erase`].
///
/// # Errors
/// The operating system's. Either the old or the new contents stand there then.
pub fn take_prepared(disk: &dyn Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    if path.try_exists()? && is_prepared(path, contents)? {
        return name_prepared(disk, path);
    }
    replace_and_erase(disk, path, contents)
}

/// What was written beside a file to take its place, whole.
///
/// # Errors
/// The operating system's.
pub fn read_prepared(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(temporary_name(path))
}

fn is_prepared(path: &Path, contents: &[u8]) -> io::Result<bool> {
    let stands = read_prepared(path).is_ok_and(|prepared| prepared == contents);
    Ok(stands && !old_name(path).try_exists()?)
}

/// Written under the name `….new.new` first: what is called `….new` beside a file is whole.
fn write_beside(disk: &dyn Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    write_or_erase(disk, &temporary_name(path), contents)?;
    disk.sync_directory(parent(path))
}

fn name_prepared(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let (new, old) = (temporary_name(path), old_name(path));
    disk.rename(path, &old)?;
    move_into_place(disk, &new, path)?;
    erase_file(disk, &old)
}

/// Writes a file, under a temporary name first. Where that fails, what was written of it is overwritten, too.
fn write_or_erase(disk: &dyn Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    erase_file(disk, &temporary)?;
    let written = (|| {
        let file = disk.create(&temporary)?;
        disk.write_at(&file, &mut [IoSlice::new(contents)], 0)?;
        disk.sync(&file)?;
        disk.rename(&temporary, path)
    })();
    if written.is_err() {
        // The error to report is the first one; what stays is erased by the next attempt.
        drop(erase_file(disk, &temporary));
    }
    written
}

/// Overwrites the end of a file with zeros from `offset` on, durably: it is about to be cut off.
///
/// # Errors
/// The operating system's.
pub fn erase_end(disk: &dyn Disk, path: &Path, offset: u64) -> io::Result<()> {
    let file = disk.open(path)?;
    overwrite(disk, &file, offset)
}

fn overwrite(disk: &dyn Disk, file: &File, from: u64) -> io::Result<()> {
    let length = file.metadata()?.len();
    let zeros = vec![0; OVERWRITE_BYTES];
    let mut offset = from;
    while offset < length {
        let rest = usize::try_from(length - offset).unwrap_or(usize::MAX);
        let part = zeros.get(..rest.min(zeros.len())).unwrap_or(&zeros);
        disk.write_at(file, &mut [IoSlice::new(part)], offset)?;
        offset += part.len() as u64;
    }
    disk.sync(file)
}

/// Brings to an end what a crash in [`replace_and_erase`] left, before a writer goes on.
///
/// # Errors
/// The operating system's.
pub fn settle(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let (new, old) = (temporary_name(path), old_name(path));
    if old.try_exists()? {
        if path.try_exists()? {
            // The names may be in memory only: on the medium, that of the file may still lead to what is overwritten now.
            disk.sync_directory(parent(path))?;
        } else {
            let whole = if new.try_exists()? { &new } else { &old };
            move_into_place(disk, whole, path)?;
        }
    }
    erase_file(disk, &old)?;
    erase_file(disk, &new)?;
    erase_file(disk, &temporary_name(&new))
}

/// Reads a file that [`replace_and_erase`] writes, also in the moment in which it has no name.
///
/// # Errors
/// The operating system's.
pub fn read_settled(path: &Path) -> io::Result<Vec<u8>> {
    let (new, old) = (temporary_name(path), old_name(path));
    let absent = |result: &io::Result<Vec<u8>>| matches!(result, Err(error) if error.kind() == io::ErrorKind::NotFound);
    let result = std::fs::read(path);
    if !absent(&result) {
        return result;
    }
    if old.try_exists()? {
        for candidate in [&new, &old] {
            let between = std::fs::read(candidate);
            if !absent(&between) {
                return between;
            }
        }
    }
    // A writer may have come to the end meanwhile.
    std::fs::read(path)
}

fn old_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".old");
    path.with_file_name(name)
}

/// Bytes that are overwritten at once.
const OVERWRITE_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::durable::faults::{Call, Fault, FaultyDisk, Outcome};
    use crate::store::durable::{SystemDisk, replace_file};

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_erased_file_is_overwritten_before_it_goes() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        replace_file(&SystemDisk, &path, &[7; 3000]).unwrap();
        let handle = File::open(&path).unwrap();
        erase_file(&SystemDisk, &path).unwrap();
        let mut kept = Vec::new();
        io::Read::read_to_end(&mut &handle, &mut kept).unwrap();
        assert_eq!(kept, [0; 3000]);
        assert!(names(place.path()).is_empty());
        erase_file(&SystemDisk, &path).unwrap();
    }

    #[test]
    fn what_could_not_be_finished_is_overwritten_too() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        for temporary in ["file.new", "file.new.new"] {
            let disk = FaultyDisk::new();
            disk.arm(Fault {
                call: Some(Call::Sync),
                path: temporary.to_owned(),
                after: 0,
                sticky: false,
                error: io::ErrorKind::Other,
                outcome: Outcome::Lost,
            });
            replace_and_erase(&*disk, &path, b"secret").unwrap_err();
            // Its contents, then zeros.
            assert_eq!(disk.count(Call::Write, temporary), 2);
            assert_eq!(disk.count(Call::Remove, temporary), 1);
            assert!(!place.path().join(temporary).exists());
            replace_and_erase(&SystemDisk, &path, b"first").unwrap();
        }
        assert_eq!(names(place.path()), ["file"]);
        let handle = File::open(&path).unwrap();
        erase_end(&SystemDisk, &path, 2).unwrap();
        let mut kept = Vec::new();
        io::Read::read_to_end(&mut &handle, &mut kept).unwrap();
        assert_eq!(kept, b"fi\0\0\0");
    }

    #[test]
    fn a_crash_at_any_call_leaves_the_old_or_the_new_contents() {
        for outcome in [Outcome::Lost, Outcome::Done, Outcome::Torn(1)] {
            for after in 0.. {
                let place = tempfile::tempdir().unwrap();
                let path = place.path().join("file");
                replace_file(&SystemDisk, &path, b"old").unwrap();
                let disk = FaultyDisk::new();
                disk.arm(Fault {
                    call: None,
                    path: String::new(),
                    after,
                    sticky: true,
                    error: io::ErrorKind::Other,
                    outcome,
                });
                let done = replace_and_erase(&*disk, &path, b"new").is_ok();
                let read = read_settled(&path).unwrap();
                assert!(read == b"old" || read == b"new", "{outcome:?} {after}");
                settle(&SystemDisk, &path).unwrap();
                let settled = std::fs::read(&path).unwrap();
                assert!(settled == read, "{outcome:?} {after}");
                assert_eq!(names(place.path()), ["file"]);
                replace_and_erase(&SystemDisk, &path, b"newer").unwrap();
                assert_eq!(std::fs::read(&path).unwrap(), b"newer");
                if done {
                    assert_eq!(read, b"new");
                    break;
                }
            }
        }
    }

    #[test]
    fn nothing_is_overwritten_before_the_names_are_on_the_medium() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        replace_file(&SystemDisk, &path, b"new").unwrap();
        replace_file(&SystemDisk, &old_name(&path), b"old").unwrap();
        let disk = FaultyDisk::new();
        disk.arm(Fault {
            call: Some(Call::SyncDirectory),
            path: String::new(),
            after: 0,
            sticky: true,
            error: io::ErrorKind::Other,
            outcome: Outcome::Lost,
        });
        settle(&*disk, &path).unwrap_err();
        assert_eq!(std::fs::read(old_name(&path)).unwrap(), b"old");
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        settle(&SystemDisk, &path).unwrap();
        assert_eq!(names(place.path()), ["file"]);
    }
}
