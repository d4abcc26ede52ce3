//! What the caller hands over: files as bytes or as something that reads them, and data objects as something that can name its digests.
//!
//! The library opens nothing. A program gives each evidence file as bytes or as a [`RandomAccess`] ([`InputFile`]), from which a
//! container is judged without being taken into memory, and each data object as a [`DigestSource`]: evidence decides which hash
//! function is asked for, and a large document is then read as a stream by whoever implements the trait.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

pub use formats::access::{AccessError, Bytes, RandomAccess};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::limits::EVIDENCE_BYTES_MAX;

/// One input with the name under which reports mention it. The name is for people: nothing is decided by it.
#[derive(Clone)]
pub struct InputFile<'a> {
    /// How reports call this input, usually its file name.
    pub name: String,
    content: Content<'a>,
}

#[derive(Clone)]
enum Content<'a> {
    Memory(Cow<'a, [u8]>),
    Elsewhere(&'a dyn RandomAccess),
}

impl<'a> InputFile<'a> {
    /// Names a slice of bytes.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            name: name.into(),
            content: Content::Memory(bytes.into()),
        }
    }

    /// Names bytes that are read where they are needed: a container of any size is then judged in memory that does not grow with it.
    #[must_use]
    pub fn elsewhere(name: impl Into<String>, source: &'a dyn RandomAccess) -> Self {
        Self {
            name: name.into(),
            content: Content::Elsewhere(source),
        }
    }

    /// The bytes, wherever they are.
    #[must_use]
    pub fn bytes(&self) -> Bytes<'_> {
        match &self.content {
            Content::Memory(bytes) => Bytes::Memory(bytes),
            Content::Elsewhere(source) => Bytes::Elsewhere(*source),
        }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.bytes().len()
    }

    /// All bytes, of a file that is no container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] above [`EVIDENCE_BYTES_MAX`], without reading; [`ErrorKind::Unreadable`] and [`ErrorKind::Truncated`]
    /// if they cannot be had.
    pub fn whole(&self) -> Result<Cow<'_, [u8]>, FormatError> {
        let size = self.size();
        let count = usize::try_from(size)
            .ok()
            .filter(|_| size <= EVIDENCE_BYTES_MAX);
        let count = count.ok_or(FormatError::new(ErrorKind::LimitExceeded, FILE_PLACE))?;
        self.bytes().get(0, count, FILE_PLACE)
    }
}

const FILE_PLACE: &str = "file";

impl fmt::Debug for InputFile<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("InputFile")
            .field("name", &self.name)
            .field("size", &self.size())
            .finish()
    }
}

/// A data object that evidence may cover: it has a name and can tell its digest.
///
/// Asking twice for the same algorithm must give the same answer; implementations that read files should keep what
/// they have computed.
pub trait DigestSource {
    /// How reports call this data object.
    fn name(&self) -> &str;

    /// Its digest under `algorithm`, or `None` where it cannot be known: only other digests are there, or the data
    /// could not be read.
    fn digest(&self, algorithm: DigestAlgorithm) -> Option<DigestValue>;

    /// Its length in bytes, where known.
    fn size(&self) -> Option<u64> {
        None
    }

    /// The data itself, where it is at hand: archive time-stamps of the older kind are over more than digests (RFC 5126 §6.4.1).
    fn content(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    /// Whether the digests are computed from the data itself. A bare digest from outside is not a data object: an
    /// inner node of a hash tree is a digest too, so a report says when it had nothing better (RFC 4998 §6).
    fn is_data(&self) -> bool {
        true
    }
}

/// A data object held in memory.
#[derive(Clone)]
pub struct DataBytes<'a> {
    name: String,
    bytes: Cow<'a, [u8]>,
    /// Evidence asks several times for the same few digests.
    computed: RefCell<Vec<DigestValue>>,
}

impl<'a> DataBytes<'a> {
    /// Names the bytes of a data object.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
            computed: RefCell::default(),
        }
    }
}

impl fmt::Debug for DataBytes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DataBytes")
            .field("name", &self.name)
            .field("size", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl DigestSource for DataBytes<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self, algorithm: DigestAlgorithm) -> Option<DigestValue> {
        let mut computed = self.computed.borrow_mut();
        if let Some(known) = computed.iter().find(|value| value.algorithm() == algorithm) {
            return Some(*known);
        }
        let value = algorithm.digest(&self.bytes);
        computed.push(value);
        Some(value)
    }

    fn size(&self) -> Option<u64> {
        u64::try_from(self.bytes.len()).ok()
    }

    fn content(&self) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(&self.bytes))
    }
}

/// A data object of which only digests are known.
#[derive(Clone, Debug)]
pub struct KnownDigests {
    name: String,
    digests: Vec<DigestValue>,
    computed_from_data: bool,
}

impl KnownDigests {
    /// Digests that somebody states; the data itself was not seen.
    #[must_use]
    pub fn stated(name: impl Into<String>, digests: Vec<DigestValue>) -> Self {
        Self {
            name: name.into(),
            digests,
            computed_from_data: false,
        }
    }

    /// Digests that the caller has computed from the data itself, for example while it streamed a large document.
    #[must_use]
    pub fn computed(name: impl Into<String>, digests: Vec<DigestValue>) -> Self {
        Self {
            name: name.into(),
            digests,
            computed_from_data: true,
        }
    }
}

impl DigestSource for KnownDigests {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self, algorithm: DigestAlgorithm) -> Option<DigestValue> {
        self.digests
            .iter()
            .find(|value| value.algorithm() == algorithm)
            .copied()
    }

    fn is_data(&self) -> bool {
        self.computed_from_data
    }
}
