//! Contents of records: fetched whole or in part, with a purpose, and on record before the first byte leaves.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use formats::id::VersionId;

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::archive::Archive;
use crate::audit::Act;
use crate::record::error::RetrieveError;
use crate::store::catalog::Hit;

/// Why somebody fetches something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose<'a>(pub &'a str);

/// One object of a version that may be written out.
#[derive(Debug)]
pub struct OpenedObject {
    archive: Arc<Archive>,
    hit: Hit,
    number: u32,
    /// Its name at the depositor.
    pub name: String,
    /// Its media type, as it was found out from its content.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal: its entity tag.
    pub sha256: String,
}

impl Desk {
    /// Opens one object for fetching.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also where the account does not reach the record; [`Refusal::Invalid`] without a purpose.
    pub fn open_object(
        &self,
        actor: &Actor,
        (version, number): (VersionId, u32),
        purpose: Purpose<'_>,
    ) -> Result<OpenedObject, Refusal> {
        let mut subject = Subject::of(version);
        subject.purpose = noted(purpose);
        subject.fact("object", number);
        self.act(
            actor,
            Act::RecordRetrieve,
            Right::Retrieve,
            subject,
            |subject| {
                wanted(purpose)?;
                let hit = self.reached(actor, version)?;
                let opened = self.archive.retriever().open_at(version, hit.address)?;
                opened.refuse_quarantined()?;
                let place = usize::try_from(number).map_err(|_| Refusal::NotFound)?;
                let object = opened
                    .manifest()
                    .objects
                    .get(place)
                    .ok_or(Refusal::NotFound)?;
                let sha256 = object
                    .digests
                    .under(formats::digest::DigestAlgorithm::Sha256)
                    .map(|digest| hex::encode(digest.as_bytes()))
                    .unwrap_or_default();
                subject.fact("bytes", object.size);
                Ok(OpenedObject {
                    archive: Arc::clone(&self.archive),
                    number,
                    name: object.name.to_string(),
                    media_type: object.media_type.clone(),
                    size: object.size,
                    sha256,
                    hit,
                })
            },
        )
    }
}

/// A purpose is asked for wherever content leaves the archive.
pub(super) fn wanted(purpose: Purpose<'_>) -> Result<(), Refusal> {
    match purpose.0.trim().chars().count() {
        1..=PURPOSE_MAX => Ok(()),
        _ => Err(Refusal::invalid(
            "purpose",
            "利用目的を 1〜500 字で書いてください(監査証跡に残ります)",
            "say what it is for in 1 to 500 characters: it is kept in the audit trail",
        )),
    }
}

/// What of a purpose goes into the trail: all of it, unless it is refused for its length.
pub(super) fn noted(purpose: Purpose<'_>) -> Option<String> {
    let text: String = purpose.0.trim().chars().take(PURPOSE_MAX).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// Characters of a purpose.
const PURPOSE_MAX: usize = 500;

impl OpenedObject {
    /// Writes the object, or a part of it, to `output`. After an error what was written is not it.
    ///
    /// # Errors
    /// [`RetrieveError`].
    pub fn write(
        &self,
        range: Option<Range<u64>>,
        output: &mut dyn Write,
    ) -> Result<(), RetrieveError> {
        let retriever = self.archive.retriever();
        let mut opened = retriever.open_at(self.hit.version, self.hit.address)?;
        match range {
            None => opened.write_object(self.number, output),
            Some(range) => opened.write_range(self.number, range, output),
        }
    }
}
