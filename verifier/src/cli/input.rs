//! Files that are read where they are needed, and standard input, which is kept in a temporary file while it is judged.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::SystemTime;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::limits::EVIDENCE_BYTES_MAX;
use verifier::recognise::is_container;
use verifier::source::{AccessError, Bytes, DigestSource, InputFile, RandomAccess};

use super::CannotJudge;

/// What is given instead of a file name for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// Most bytes that are taken from a pipe, since they need as many on the disk: eight packages of 2 GiB.
pub(crate) const SPOOL_BYTES_MAX: u64 = 16 << 30;

/// Bytes read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// One open file. It stays open, so that nobody can put another one in its place while it is judged.
#[derive(Debug)]
pub(crate) struct OpenFile {
    name: String,
    file: File,
    size: u64,
    changed: Changed,
}

/// When a file was changed, as far as the system tells.
#[derive(Debug, Default, Eq, PartialEq)]
struct Changed {
    /// The time of its content, which whoever writes it can set back.
    content: Option<SystemTime>,
    /// The time of the whole, seconds and nanoseconds since 1970, which nobody can set (Unix only).
    whole: Option<(i64, i64)>,
}

impl Changed {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            content: metadata.modified().ok(),
            whole: Some((metadata.ctime(), metadata.ctime_nsec())),
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        Self {
            content: metadata.modified().ok(),
            whole: None,
        }
    }
}

impl OpenFile {
    /// Opens a file of evidence, standard input (`-`), or a pipe. What has no random access is copied to a temporary file first.
    pub(crate) fn open(path: &Path) -> Result<Self, CannotJudge> {
        Self::open_as(path, true)
    }

    fn open_as(path: &Path, is_evidence: bool) -> Result<Self, CannotJudge> {
        let name = path.to_string_lossy().into_owned();
        if name == STANDARD_INPUT {
            let name = "standard input".to_owned();
            return Self::spool(name, io::stdin().lock(), is_evidence);
        }
        let unreadable = |error: &io::Error| CannotJudge(format!("{name} cannot be read: {error}"));
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        if metadata.is_dir() {
            return Err(CannotJudge(format!("{name} is a directory")));
        }
        if !metadata.is_file() {
            return Self::spool(name, file, is_evidence);
        }
        Ok(Self {
            size: metadata.len(),
            changed: Changed::of(&metadata),
            name,
            file,
        })
    }

    /// Of evidence that is no container, one byte more than the limit is enough to refuse it.
    fn spool(name: String, mut source: impl Read, is_evidence: bool) -> Result<Self, CannotJudge> {
        let failed = |error: io::Error| CannotJudge(format!("{name} cannot be kept: {error}"));
        let mut file = tempfile::tempfile().map_err(failed)?;
        let mut head = Vec::new();
        let mut first = source.by_ref().take(4);
        first.read_to_end(&mut head).map_err(failed)?;
        let is_container = is_container(Bytes::Memory(&head)).unwrap_or(false);
        let limited = is_evidence && !is_container;
        let most = if limited {
            EVIDENCE_BYTES_MAX
        } else {
            SPOOL_BYTES_MAX
        };
        let mut all = head.as_slice().chain(source).take(most.saturating_add(1));
        let size = io::copy(&mut all, &mut file).map_err(failed)?;
        if size > SPOOL_BYTES_MAX {
            let why = format!("{name} has more than {SPOOL_BYTES_MAX} bytes: give it as a file");
            return Err(CannotJudge(why));
        }
        file.flush().map_err(failed)?;
        Ok(Self {
            name,
            file,
            size,
            // Nobody else has this file.
            changed: Changed::default(),
        })
    }

    /// The file as evidence.
    pub(crate) fn input(&self) -> InputFile<'_> {
        InputFile::elsewhere(self.name.clone(), self)
    }

    /// Whether the file is still the one that was opened. What changes while it is read has no verdict.
    pub(crate) fn check_unchanged(&self) -> Result<(), CannotJudge> {
        let now = self.file.metadata().ok();
        let same = now.is_some_and(|now| {
            let unknown = self.changed == Changed::default();
            now.len() == self.size && (unknown || Changed::of(&now) == self.changed)
        });
        if same {
            Ok(())
        } else {
            let name = &self.name;
            Err(CannotJudge(format!("{name} was changed while it was read")))
        }
    }

    fn fill(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}

impl RandomAccess for OpenFile {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), AccessError> {
        self.fill(offset, buffer).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                AccessError::BeyondEnd
            } else {
                AccessError::Unreadable
            }
        })
    }
}

/// A data object on disk: read as a stream, once for all digests that were asked for at that time.
#[derive(Debug)]
pub(crate) struct DataFile {
    file: OpenFile,
    computed: RefCell<Vec<(DigestAlgorithm, Option<DigestValue>)>>,
}

impl DataFile {
    /// Opens a data object, so that one that cannot be read is told at once.
    pub(crate) fn open(path: &Path) -> Result<Self, CannotJudge> {
        Ok(Self {
            file: OpenFile::open_as(path, false)?,
            computed: RefCell::default(),
        })
    }

    /// See [`OpenFile::check_unchanged`].
    pub(crate) fn check_unchanged(&self) -> Result<(), CannotJudge> {
        self.file.check_unchanged()
    }

    fn compute(&self, algorithms: &[DigestAlgorithm]) -> io::Result<Vec<DigestValue>> {
        let mut file = &self.file.file;
        file.seek(SeekFrom::Start(0))?;
        let mut hashers: Vec<_> = algorithms
            .iter()
            .map(|algorithm| algorithm.hasher())
            .collect();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = match file.read(&mut chunk) {
                Ok(0) => return Ok(hashers.into_iter().map(|hasher| hasher.finish()).collect()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for hasher in &mut hashers {
                hasher.update(chunk.get(..count).unwrap_or_default());
            }
        }
    }
}

impl DigestSource for DataFile {
    fn name(&self) -> &str {
        &self.file.name
    }

    fn digest(&self, algorithm: DigestAlgorithm) -> Option<DigestValue> {
        let mut computed = self.computed.borrow_mut();
        if let Some((_, value)) = computed.iter().find(|(known, _)| *known == algorithm) {
            return *value;
        }
        // The one by which documents are recognised is taken along: reading costs more than hashing.
        let mut wanted = vec![algorithm];
        let also = DigestAlgorithm::Sha256;
        if algorithm != also && !computed.iter().any(|(known, _)| *known == also) {
            wanted.push(also);
        }
        let values = self.compute(&wanted).ok();
        for wanted in wanted {
            let values = values.iter().flatten();
            let value = values.copied().find(|value| value.algorithm() == wanted);
            computed.push((wanted, value));
        }
        computed.iter().find(|(known, _)| *known == algorithm)?.1
    }

    fn size(&self) -> Option<u64> {
        Some(self.file.size)
    }

    fn content(&self) -> Option<Cow<'_, [u8]>> {
        let size = usize::try_from(self.file.size).ok();
        let size = size.filter(|_| self.file.size <= EVIDENCE_BYTES_MAX)?;
        let mut content = vec![0; size];
        self.file.fill(0, &mut content).ok()?;
        Some(Cow::Owned(content))
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(
        clippy::disallowed_methods,
        clippy::unwrap_used,
        reason = "a test stops at the first surprise, and writes files that are not the archive's"
    )]

    use super::*;

    /// As many bytes, and the time of the content set back to what it was.
    #[test]
    fn a_change_that_is_covered_up_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("data");
        std::fs::write(&path, "one").unwrap();
        let open = OpenFile::open(&path).unwrap();
        assert!(open.check_unchanged().is_ok());
        let before = open.file.metadata().unwrap().modified().unwrap();
        // The clock of a file system has steps of some milliseconds.
        let whole = |file: &File| Changed::of(&file.metadata().unwrap()).whole;
        let begun = std::time::Instant::now();
        while whole(&open.file) == open.changed.whole {
            assert!(
                begun.elapsed() < std::time::Duration::from_secs(60),
                "the clock of this file system stands still"
            );
            std::fs::write(&path, "two").unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(before).unwrap();
        }
        let now = open.file.metadata().unwrap();
        assert_eq!((now.len(), now.modified().unwrap()), (3, before));
        assert!(open.check_unchanged().is_err());
    }

    #[test]
    fn a_change_of_the_content_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("data");
        std::fs::write(&path, "one").unwrap();
        let open = OpenFile::open(&path).unwrap();
        std::fs::write(&path, "longer").unwrap();
        assert!(open.check_unchanged().is_err());
    }
}
