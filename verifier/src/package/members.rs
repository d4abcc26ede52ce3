//! The members of a container as data objects: read in blocks, once for all digests that the evidence will ask for.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use formats::asic::{AsicEntry, AsicReader};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::error::{ErrorKind, FormatError};
use formats::limits::EVIDENCE_BYTES_MAX;

use crate::source::DigestSource;

/// Most bytes of contents that are handed out for one container; a member beyond it is not at hand. Evidence records in XML alone ask for contents.
const CONTENT_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// A container, and what has been read of its members so far.
pub(super) struct Members<'a> {
    pub(super) reader: &'a AsicReader<'a>,
    /// Digests that are taken whenever a member is read: reading costs more than hashing.
    wanted: RefCell<BTreeSet<DigestAlgorithm>>,
    known: RefCell<BTreeMap<String, Known>>,
    /// Bytes of contents that may still be handed out: digests are kept, contents are read anew each time.
    content_left: Cell<u64>,
}

/// What is known of one member after it was read to its end.
#[derive(Clone)]
enum Known {
    Whole(Vec<DigestValue>),
    Damaged(FormatError),
}

impl<'a> Members<'a> {
    pub(super) fn new(reader: &'a AsicReader<'a>) -> Self {
        // A file beside the container is recognised as one of its documents by this one.
        let always = BTreeSet::from([DigestAlgorithm::Sha256]);
        Self {
            reader,
            wanted: RefCell::new(always),
            known: RefCell::default(),
            content_left: Cell::new(CONTENT_BYTES_MAX),
        }
    }

    /// Announces digests that evidence will ask for.
    pub(super) fn expect(&self, algorithms: impl IntoIterator<Item = DigestAlgorithm>) {
        self.wanted.borrow_mut().extend(algorithms);
    }

    /// Whether evidence of this length may be read once more; if not, it covers nothing.
    pub(super) fn may_read(&self, length: usize) -> bool {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let left = self.content_left.get().checked_sub(length);
        self.content_left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// The digest of a member, after a check of its size and CRC.
    pub(super) fn digest(
        &self,
        entry: &AsicEntry<'_>,
        algorithm: DigestAlgorithm,
    ) -> Result<DigestValue, FormatError> {
        if let Some(known) = self.find(entry.name(), algorithm) {
            return known;
        }
        self.expect([algorithm]);
        self.read(entry);
        let unknown = FormatError::new(ErrorKind::UnknownAlgorithm, "ZIP member content");
        self.find(entry.name(), algorithm).unwrap_or(Err(unknown))
    }

    /// Whether a member is whole.
    pub(super) fn check(&self, entry: &AsicEntry<'_>) -> Result<(), FormatError> {
        self.digest(entry, DigestAlgorithm::Sha256).map(|_| ())
    }

    fn find(
        &self,
        name: &str,
        algorithm: DigestAlgorithm,
    ) -> Option<Result<DigestValue, FormatError>> {
        match self.known.borrow().get(name)? {
            Known::Damaged(error) => Some(Err(*error)),
            Known::Whole(digests) => {
                let mut digests = digests.iter();
                let found = digests.find(|value| value.algorithm() == algorithm);
                found.map(|value| Ok(*value))
            }
        }
    }

    /// Reads a member to its end, for every digest that is wanted and not known yet.
    fn read(&self, entry: &AsicEntry<'_>) {
        let mut known = match self.known.borrow().get(entry.name()) {
            Some(Known::Whole(digests)) => digests.clone(),
            Some(Known::Damaged(_)) => return,
            None => Vec::new(),
        };
        let wanted = self.wanted.borrow();
        let is_new = |algorithm: &&DigestAlgorithm| {
            !known.iter().any(|value| value.algorithm() == **algorithm)
        };
        let new = wanted.iter().filter(is_new);
        let mut hashers: Vec<_> = new.map(|algorithm| algorithm.hasher()).collect();
        let result = entry.pass_on(|block| {
            for hasher in &mut hashers {
                hasher.update(block);
            }
        });
        let answer = match result {
            Ok(()) => {
                known.extend(hashers.into_iter().map(formats::digest::Hasher::finish));
                Known::Whole(known)
            }
            Err(error) => Known::Damaged(error),
        };
        self.known
            .borrow_mut()
            .insert(entry.name().to_owned(), answer);
    }

    /// The members of these names that are whole, as data objects.
    pub(super) fn data<'m, S: AsRef<str>>(
        &'m self,
        names: impl IntoIterator<Item = S>,
    ) -> Vec<MemberData<'m>> {
        let entries = names.into_iter();
        let entries = entries.filter_map(|name| self.reader.entry(name.as_ref()));
        entries
            .filter(|entry| self.check(entry).is_ok())
            .map(|entry| MemberData {
                members: self,
                entry,
            })
            .collect()
    }

    /// The SHA-256 digests of the members of these names.
    pub(super) fn documents(&self, names: &[String]) -> Vec<DigestValue> {
        let entries = names.iter().filter_map(|name| self.reader.entry(name));
        entries
            .filter_map(|entry| self.digest(entry, DigestAlgorithm::Sha256).ok())
            .collect()
    }
}

/// A member as a data object.
pub(super) struct MemberData<'m> {
    members: &'m Members<'m>,
    entry: &'m AsicEntry<'m>,
}

impl DigestSource for MemberData<'_> {
    fn name(&self) -> &str {
        self.entry.name()
    }

    fn digest(&self, algorithm: DigestAlgorithm) -> Option<DigestValue> {
        self.members.digest(self.entry, algorithm).ok()
    }

    fn size(&self) -> Option<u64> {
        Some(self.entry.size())
    }

    fn content(&self) -> Option<Cow<'_, [u8]>> {
        let left = &self.members.content_left;
        left.set(left.get().checked_sub(self.entry.size())?);
        self.entry.read_up_to(EVIDENCE_BYTES_MAX).ok()
    }
}

pub(super) fn as_sources<'d>(data: &'d [MemberData<'_>]) -> Vec<&'d dyn DigestSource> {
    let mut sources: Vec<&dyn DigestSource> = Vec::with_capacity(data.len());
    for data in data {
        sources.push(data);
    }
    sources
}
