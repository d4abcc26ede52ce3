//! What of each object a record covers: bytes, or a canonical form.

use std::borrow::Cow;

use formats::limits::EVIDENCE_BYTES_MAX;

use super::read::{ArchivePackage, Content, Object};

/// The bytes that a record covers, per object: none if they are not at hand, several if the clause can be read in more than one way.
pub(super) struct Contents<'a>(Vec<Vec<Cow<'a, [u8]>>>);

impl<'a> Contents<'a> {
    /// Canonical forms are kept up to a limit: a few namespaces, written again for each element, could fill the memory.
    pub(super) fn read(package: &'a ArchivePackage<'_>) -> Self {
        let mut left = usize::try_from(EVIDENCE_BYTES_MAX).unwrap_or(usize::MAX);
        let objects = package.objects.iter();
        Self(
            objects
                .map(|object| {
                    let bytes = bytes_of(package, object, left > 0);
                    if matches!(object.content, Content::Xml(_)) {
                        left = left.saturating_sub(bytes.iter().map(|form| form.len()).sum());
                    }
                    bytes
                })
                .collect(),
        )
    }

    pub(super) fn of(&self, place: usize) -> &[Cow<'a, [u8]>] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }
}

fn bytes_of<'a>(
    package: &ArchivePackage<'_>,
    object: &'a Object,
    within: bool,
) -> Vec<Cow<'a, [u8]>> {
    match (&object.content, &package.method) {
        (Content::Binary(bytes), _) => vec![Cow::Borrowed(bytes)],
        (Content::Xml(elements), Some(method)) if within => elements
            .iter()
            .filter_map(|element| package.canonical(*element, method))
            .map(Cow::Owned)
            .collect(),
        (Content::Xml(_) | Content::NotAtHand, _) => Vec::new(),
    }
}
