//! Reading a source once, from beginning to end, in a way that notices when it changes meanwhile.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use time::OffsetDateTime;

use super::error::{IntakeError, SpecialFile};
use super::name::SourceName;

/// What a deposit reads: a file, or a stream that can be read only once.
pub enum Source {
    /// A regular file.
    File(StableSource),
    /// Standard input or another stream.
    Stream {
        /// The name under which it is deposited.
        name: SourceName,
        /// The stream.
        reader: Box<dyn Read + Send>,
    },
}

/// An opened regular file and what it looked like then.
#[derive(Debug)]
pub struct StableSource {
    file: File,
    name: SourceName,
    before: Stamp,
    read: u64,
}

/// What of a file's inode changes whenever its content does. The change time is part of it: programs can set the
/// modification time back, but not the change time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl StableSource {
    /// Opens a regular file. Never blocks on a FIFO, and never acts on a device that replaced the file meanwhile:
    /// the open is non-blocking, and what was opened is looked at before anything is read.
    ///
    /// # Errors
    /// The file is missing, unreadable or not a regular file.
    pub fn open(path: &Path, name: SourceName) -> Result<Self, IntakeError> {
        Self::open_with(path, name, OFlags::empty())
    }

    /// As [`StableSource::open`], for a path whose last part anybody may replace: a symbolic link there is refused.
    ///
    /// # Errors
    /// As [`StableSource::open`]; [`IntakeError::LinkLoop`] for a symbolic link.
    pub fn open_no_follow(path: &Path, name: SourceName) -> Result<Self, IntakeError> {
        Self::open_with(path, name, OFlags::NOFOLLOW)
    }

    fn open_with(path: &Path, name: SourceName, further: OFlags) -> Result<Self, IntakeError> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match rustix::fs::open(path, flags | further, Mode::empty()) {
            Ok(descriptor) => File::from(descriptor),
            // Opening a socket fails, and so does opening some devices: say what it is rather than what went wrong.
            Err(error) => return Err(open_error(path, name, error.into())),
        };
        let metadata = match file.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return Err(IntakeError::from_io(name, error)),
        };
        if metadata.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(IntakeError::from_io(name, error));
        }
        if !metadata.is_file() {
            let kind = SpecialFile::from(metadata.file_type());
            return Err(IntakeError::Special { name, kind });
        }
        Ok(Self {
            file,
            name,
            before: Stamp::of(&metadata),
            read: 0,
        })
    }

    /// The name under which it is deposited.
    #[must_use]
    pub fn name(&self) -> &SourceName {
        &self.name
    }

    /// The size when it was opened.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.before.size
    }

    /// The modification time when it was opened; `None` outside the years that a manifest can hold.
    #[must_use]
    pub fn modified(&self) -> Option<OffsetDateTime> {
        let (seconds, nanoseconds) = self.before.modified;
        let whole = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        whole.checked_add(time::Duration::nanoseconds(nanoseconds))
    }

    /// Up to `length_max` bytes from the beginning, without moving the reading position.
    ///
    /// # Errors
    /// The operating system's.
    pub fn head(&self, length_max: usize) -> io::Result<Vec<u8>> {
        let mut head = vec![0; length_max];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self
                .file
                .read_at(rest, u64::try_from(filled).unwrap_or(u64::MAX))
            {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        head.truncate(filled);
        Ok(head)
    }

    /// A second reader over the same opened file, from its beginning, without moving the reading position.
    #[must_use]
    pub fn preview(&self) -> Preview<'_> {
        Preview {
            file: &self.file,
            offset: 0,
        }
    }

    /// Confirms that the file is still what it was when it was opened.
    ///
    /// # Errors
    /// [`IntakeError::Changed`]: what was read must not be kept.
    pub fn confirm_unchanged(&self) -> Result<(), IntakeError> {
        let name = || self.name.clone();
        let metadata = self
            .file
            .metadata()
            .map_err(|error| IntakeError::from_io(name(), error))?;
        if Stamp::of(&metadata) == self.before {
            Ok(())
        } else {
            Err(IntakeError::Changed { name: name() })
        }
    }

    /// Confirms that the file is still what it was when it was opened, and that all of it was read.
    ///
    /// # Errors
    /// [`IntakeError::Changed`]: what was read must not be kept.
    pub fn finish(self) -> Result<(), IntakeError> {
        self.confirm_unchanged()?;
        if self.read == self.before.size {
            Ok(())
        } else {
            Err(IntakeError::Changed { name: self.name })
        }
    }
}

impl Read for StableSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read = self
            .read
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// A second reader over a [`StableSource`].
#[derive(Debug)]
pub struct Preview<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for Preview<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset = self
            .offset
            .saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(source) => f.debug_tuple("File").field(source).finish(),
            Self::Stream { name, .. } => f
                .debug_struct("Stream")
                .field("name", name)
                .finish_non_exhaustive(),
        }
    }
}

impl Source {
    /// The name under which it is deposited.
    #[must_use]
    pub fn name(&self) -> &SourceName {
        match self {
            Self::File(source) => source.name(),
            Self::Stream { name, .. } => name,
        }
    }
}

fn open_error(path: &Path, name: SourceName, error: io::Error) -> IntakeError {
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => IntakeError::Special {
            name,
            kind: SpecialFile::from(metadata.file_type()),
        },
        _ => IntakeError::from_io(name, error),
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "a test makes its own input files"
    )]
    use std::fs;
    use std::io::Write;

    use super::*;

    fn open(path: &Path) -> Result<StableSource, IntakeError> {
        StableSource::open(path, SourceName::from_bytes(*b"x"))
    }

    fn fixture() -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        fs::write(&path, "0123456789").unwrap();
        (directory, path)
    }

    #[test]
    fn an_unchanged_file_is_read_whole() {
        let (_directory, path) = fixture();
        let mut source = open(&path).unwrap();
        assert_eq!(source.head(4).unwrap(), b"0123");
        assert_eq!(source.head(40).unwrap(), b"0123456789");
        let mut previewed = String::new();
        source.preview().read_to_string(&mut previewed).unwrap();
        let mut content = String::new();
        source.read_to_string(&mut content).unwrap();
        assert_eq!((content.as_str(), source.size()), ("0123456789", 10));
        assert_eq!(content, previewed);
        source.finish().unwrap();
    }

    #[test]
    fn a_file_beyond_four_gib_is_sized_right() {
        let (_directory, path) = fixture();
        let size = (4 << 30) + 11;
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(size)
            .unwrap();
        let source = open(&path).unwrap();
        assert_eq!(source.size(), size);
        assert_eq!(source.head(10).unwrap(), b"0123456789");
        source.confirm_unchanged().unwrap();
    }

    #[test]
    fn growth_while_reading_is_noticed() {
        let (_directory, path) = fixture();
        let mut source = open(&path).unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"more").unwrap();
        io::copy(&mut source, &mut io::sink()).unwrap();
        assert!(matches!(source.finish(), Err(IntakeError::Changed { .. })));
    }

    #[test]
    fn growth_after_the_last_byte_and_truncation_are_noticed() {
        let (_directory, path) = fixture();
        let mut source = open(&path).unwrap();
        io::copy(&mut source, &mut io::sink()).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(3).unwrap();
        assert!(matches!(source.finish(), Err(IntakeError::Changed { .. })));
        let mut source = open(&path).unwrap();
        io::copy(&mut source, &mut io::sink()).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(source.finish(), Err(IntakeError::Changed { .. })));
    }

    #[test]
    fn rewriting_with_the_same_size_and_a_forged_time_is_noticed() {
        let (_directory, path) = fixture();
        let mut source = open(&path).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        io::copy(&mut source, &mut io::sink()).unwrap();
        // The kernel stamps changes with a clock of a few milliseconds: write until it has moved on.
        let changed = fs::metadata(&path).unwrap().ctime_nsec();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        while fs::metadata(&path).unwrap().ctime_nsec() == changed {
            file.write_at(b"9876543210", 0).unwrap();
            file.set_modified(modified).unwrap();
        }
        assert!(matches!(source.finish(), Err(IntakeError::Changed { .. })));
    }

    #[test]
    fn a_source_that_is_not_read_to_its_end_is_not_confirmed() {
        let (_directory, path) = fixture();
        let mut source = open(&path).unwrap();
        source.read_exact(&mut [0; 9]).unwrap();
        assert!(matches!(source.finish(), Err(IntakeError::Changed { .. })));
    }

    #[test]
    fn directory_fifo_socket_and_device_are_refused_without_blocking() {
        let (directory, path) = fixture();
        assert!(matches!(
            open(directory.path()),
            Err(IntakeError::Unreadable { .. })
        ));
        assert!(matches!(
            open(&path.join("below-a-file")),
            Err(IntakeError::Unreadable { .. })
        ));
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        let kind_of = |path: &Path| match open(path) {
            Err(IntakeError::Special { kind, .. }) => Some(kind),
            Ok(_) | Err(_) => None,
        };
        assert_eq!(kind_of(&fifo), Some(SpecialFile::Fifo));
        assert_eq!(
            kind_of(Path::new("/dev/null")),
            Some(SpecialFile::CharacterDevice)
        );
        let socket = directory.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(kind_of(&socket), Some(SpecialFile::Socket));
        drop(listener);
    }

    #[test]
    fn missing_and_looping_paths_are_told_apart() {
        let (directory, _path) = fixture();
        let missing = open(&directory.path().join("none"));
        assert!(matches!(missing, Err(IntakeError::Missing { .. })));
        let link = directory.path().join("loop");
        std::os::unix::fs::symlink("loop", &link).unwrap();
        assert!(matches!(open(&link), Err(IntakeError::LinkLoop { .. })));
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("x", &link).unwrap();
        assert!(open(&link).is_ok());
        let refused = StableSource::open_no_follow(&link, SourceName::from_bytes(*b"x"));
        assert!(matches!(refused, Err(IntakeError::LinkLoop { .. })));
    }
}
