//! Lines on their way to the archive: appended to a file, synchronised, and closed as a batch.
//!
//! `NAME.open` grows; `NAME.ready` is a batch that waits for its deposit and is erased after the acknowledgement. After a crash the last
//! `NAME.open` is cut behind its last whole line and becomes a batch.

use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::store::durable::{
    AppendFile, DirectoryLock, Disk, create_directories, erase_file, move_into_place,
};

/// The files of a receiver.
#[derive(Debug)]
pub(super) struct Spool {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    open: Option<Open>,
    /// Lines that are not known to be on the medium.
    pending: Vec<u8>,
    /// When the first line of the open batch came.
    since: Option<OffsetDateTime>,
    next: u32,
    _lock: DirectoryLock,
}

/// The file that grows.
#[derive(Debug)]
struct Open {
    file: AppendFile,
}

impl Spool {
    /// Opens a spool, and closes what a crash left open.
    pub(super) fn open(disk: Arc<dyn Disk>, folder: &Path) -> io::Result<Self> {
        create_directories(disk.as_ref(), folder)?;
        let lock = DirectoryLock::take(folder, true)?;
        for name in names(folder, OPEN)? {
            recover(&disk, &folder.join(name))?;
        }
        Ok(Self {
            disk,
            folder: folder.to_owned(),
            open: None,
            pending: Vec::new(),
            since: None,
            next: 1,
            _lock: lock,
        })
    }

    /// Takes a line. It is durable after the next [`Spool::sync`].
    pub(super) fn append(&mut self, line: &[u8], at: OffsetDateTime) {
        self.since.get_or_insert(at);
        self.pending.extend_from_slice(line);
    }

    /// Bytes that wait for [`Spool::sync`].
    pub(super) const fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// When the first line of the open batch came, and how long the batch is.
    pub(super) fn batch(&self) -> Option<(OffsetDateTime, u64)> {
        let written = self.open.as_ref().map_or(0, |open| open.file.length());
        Some((self.since?, written + self.pending.len() as u64))
    }

    /// Makes all lines durable. After a failure they go to a new file: what reached the old one stays there, so that a line may come twice,
    /// and none is lost.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let result = self.write();
        match &result {
            Ok(()) => self.pending.clear(),
            Err(_) => self.open = None,
        }
        result
    }

    fn write(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            self.open = Some(self.create()?);
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.file.append(&mut [IoSlice::new(&self.pending)])?;
        open.file.sync()
    }

    /// Closes the batch: it waits for its deposit. Gives it, where there was one.
    pub(super) fn close_batch(&mut self) -> io::Result<Option<PathBuf>> {
        self.sync()?;
        self.since = None;
        let Some(open) = self.open.take() else {
            return Ok(None);
        };
        let path = open.file.path().to_owned();
        let ready = path.with_extension(READY);
        move_into_place(self.disk.as_ref(), &path, &ready)?;
        Ok(Some(ready))
    }

    /// Closes what a failure of [`Spool::sync`] left open, when the medium works again. Gives the batches.
    pub(super) fn mend(&mut self) -> io::Result<Vec<PathBuf>> {
        let mut closed = Vec::new();
        let open = self.open.as_ref().map(|open| open.file.path().to_owned());
        for name in names(&self.folder, OPEN)? {
            let path = self.folder.join(name);
            if Some(&path) != open.as_ref() && recover(&self.disk, &path)? {
                closed.push(path.with_extension(READY));
            }
        }
        Ok(closed)
    }

    fn create(&mut self) -> io::Result<Open> {
        let since = self.since.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        let time = since.to_offset(time::UtcOffset::UTC).format(&format);
        let time = time.unwrap_or_default();
        loop {
            let name = format!("syslog-{time}-{:06}.{OPEN}", self.next);
            self.next = self.next.wrapping_add(1);
            let path = self.folder.join(name);
            if path.with_extension(READY).try_exists()? {
                continue;
            }
            match AppendFile::create(Arc::clone(&self.disk), &path) {
                Ok(file) => return Ok(Open { file }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The batches that wait, the oldest first. For a spool in which nothing is closed meanwhile: a listing may miss what is renamed during it.
pub(super) fn ready(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let names = names(folder, READY)?;
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Bytes of all files of a spool.
pub(super) fn stored_bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        match entry?.metadata() {
            Ok(metadata) => bytes += metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// Erases a batch that the archive has acknowledged: it stands there in the clear.
pub(super) fn erase(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    erase_file(disk, path)
}

/// Cuts a file behind its last whole line and makes it a batch. `false`: no line was whole.
fn recover(disk: &Arc<dyn Disk>, path: &Path) -> io::Result<bool> {
    let mut file = AppendFile::open(Arc::clone(disk), path)?;
    let whole = whole_lines(&file)?;
    if whole == 0 {
        erase_file(disk.as_ref(), path)?;
        return Ok(false);
    }
    if whole < file.length() {
        file.truncate(whole)?;
    }
    // What a crash of the process left may not be on the medium yet.
    file.sync()?;
    move_into_place(disk.as_ref(), path, &path.with_extension(READY))?;
    Ok(true)
}

/// Bytes up to and with the last newline that follows whole lines only. A power loss may leave zeros or holes behind what was synchronised.
fn whole_lines(file: &AppendFile) -> io::Result<u64> {
    let bytes = file.read_all()?;
    let mut whole = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_whole = line.starts_with(b"{") && line.ends_with(b"}\n");
        if !is_whole || line.contains(&0) {
            break;
        }
        whole += line.len() as u64;
    }
    Ok(whole)
}

/// The names with this extension, sorted: by their time, then by their number.
fn names(folder: &Path, extension: &str) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if Path::new(&name).extension() == Some(OsStr::new(extension)) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The extension of the file that grows.
const OPEN: &str = "open";

/// The extension of a batch.
const READY: &str = "ready";

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::store::durable::faults::FaultyDisk;
    use crate::store::durable::system_disk;

    const AT: OffsetDateTime = datetime!(2026-11-23 03:00 UTC);

    fn contents(folder: &Path) -> Vec<String> {
        let batches = ready(folder).unwrap();
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
        batches.into_iter().map(read).collect()
    }

    #[test]
    fn batches_are_closed_in_their_order_and_erased() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(system_disk(), folder.path()).unwrap();
        assert_eq!(spool.batch(), None);
        for number in 1..=3 {
            spool.append(format!("{{{number}}}\n").as_bytes(), AT);
            spool.close_batch().unwrap();
        }
        spool.close_batch().unwrap();
        assert_eq!(contents(folder.path()), ["{1}\n", "{2}\n", "{3}\n"]);
        assert_eq!(stored_bytes(folder.path()).unwrap(), 12);
        let first = ready(folder.path()).unwrap().remove(0);
        assert!(first.ends_with("syslog-20261123T030000Z-000001.ready"));
        erase(system_disk().as_ref(), &first).unwrap();
        assert_eq!(contents(folder.path()).len(), 2);
    }

    #[test]
    fn after_a_crash_whole_lines_are_a_batch_and_torn_ones_are_cut_off() {
        for (torn, kept) in [
            (&b""[..], "{1}\n"),
            (b"{\"2", "{1}\n"),
            (b"{2}", "{1}\n"),
            (b"\0\0\0\0", "{1}\n"),
            (b"{2}\n\0\0\n", "{1}\n{2}\n"),
            (b"{\0}\n{3}\n", "{1}\n"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = Spool::open(system_disk(), folder.path()).unwrap();
            spool.append(b"{1}\n", AT);
            spool.sync().unwrap();
            let mut file = spool.open.take().unwrap().file;
            file.append(&mut [IoSlice::new(torn)]).unwrap();
            drop((file, spool));
            drop(Spool::open(system_disk(), folder.path()).unwrap());
            assert_eq!(contents(folder.path()), [kept], "{torn:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(system_disk(), folder.path()).unwrap();
        spool.append(b"{torn", AT);
        spool.sync().unwrap();
        drop(spool);
        drop(Spool::open(system_disk(), folder.path()).unwrap());
        assert_eq!(stored_bytes(folder.path()).unwrap(), 0);
    }

    #[test]
    fn a_power_loss_takes_nothing_that_was_synchronised() {
        for seed in 0..40 {
            let folder = tempfile::tempdir().unwrap();
            let disk = FaultyDisk::new();
            let mut spool = Spool::open(Arc::<FaultyDisk>::clone(&disk), folder.path()).unwrap();
            spool.append(b"{1}\n{2}\n", AT);
            spool.sync().unwrap();
            let mut file = spool.open.take().unwrap().file;
            let unsynced = b"{3}\n{4}\n".repeat(200);
            file.append(&mut [IoSlice::new(&unsynced)]).unwrap();
            disk.kill();
            disk.power_cut(seed);
            drop((file, spool));
            drop(Spool::open(system_disk(), folder.path()).unwrap());
            let batches = contents(folder.path());
            let expected = format!("{{1}}\n{{2}}\n{}", String::from_utf8(unsynced).unwrap());
            let is_beginning = batches.len() == 1 && expected.starts_with(&batches[0]);
            assert!(
                is_beginning && batches[0].len() >= 8,
                "seed {seed}: {batches:?}"
            );
        }
    }
}
