//! Files that are read where they are needed, and standard input, which is kept in a temporary file while it is judged.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
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
    changed: Option<SystemTime>,
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
            changed: metadata.modified().ok(),
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
            changed: None,
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
            let changed = now.modified().ok();
            now.len() == self.size && (self.changed.is_none() || changed == self.changed)
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
