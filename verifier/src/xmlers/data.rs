//! The digests of data objects as RFC 6283 takes them: of XML the canonical form under each chain's method, of everything else the bytes.

use std::collections::HashMap;

use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError};
use formats::limits::READINGS_BYTES_MAX;
use formats::xml::{Canonicalization, Document, looks_like_xml};
use formats::xmlers::XmlEvidenceRecord;

use crate::source::DigestSource;

/// A data object with the digests that the record may ask for.
pub(super) struct DataObject<'a> {
    source: &'a dyn DigestSource,
    form: Form,
}

enum Form {
    /// XML, with the digests of its canonical forms; those that have none are left out.
    Xml(HashMap<(Canonicalization, DigestAlgorithm), Vec<u8>>),
    /// Perhaps XML, whose canonical form is not known.
    Unclear(Unclear),
    /// The digests that are known count.
    Other,
}

/// What is known of a data object under one method and algorithm.
pub(super) struct DataDigests {
    /// Of the canonical form.
    pub(super) canonical: Option<Vec<u8>>,
    /// Of the bytes as they are.
    pub(super) as_is: Option<Vec<u8>>,
    /// Why there may be a canonical form all the same.
    pub(super) unclear: Option<Unclear>,
}

/// Why a canonical form is not known.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Unclear {
    /// Only digests are at hand.
    NotAtHand,
    /// It cannot be written here.
    NotCanonical,
}

/// Takes the digests of `data` under every method and algorithm of `record`. Each content is read once and let go again.
pub(super) fn read<'a>(
    record: &XmlEvidenceRecord,
    data: &[&'a dyn DigestSource],
) -> Vec<DataObject<'a>> {
    let mut wanted: Vec<(&Canonicalization, DigestAlgorithm)> = Vec::new();
    for chain in &record.chains {
        if let (Some(method), Some(algorithm)) = (&chain.canonicalization.method, chain.algorithm())
            && !wanted.contains(&(method, algorithm))
        {
            wanted.push((method, algorithm));
        }
    }
    let mut left = READINGS_BYTES_MAX;
    data.iter()
        .map(|source| DataObject {
            source: *source,
            form: form_of(*source, &wanted, &mut left),
        })
        .collect()
}

fn form_of(
    source: &dyn DigestSource,
    wanted: &[(&Canonicalization, DigestAlgorithm)],
    left: &mut usize,
) -> Form {
    let Some(content) = source.content() else {
        // Whoever states a digest says that it is the one that counts.
        return if source.is_data() {
            Form::Unclear(Unclear::NotAtHand)
        } else {
            Form::Other
        };
    };
    if !looks_like_xml(&content) {
        return Form::Other;
    }
    match Document::parse(&content) {
        Ok(document) => Form::Xml(digests_of(&document, content.len(), wanted, left)),
        Err(error) => unreadable(error),
    }
}

/// What is not well-formed is no XML.
fn unreadable(error: FormatError) -> Form {
    let kind = error.kind();
    if matches!(kind, ErrorKind::LimitExceeded | ErrorKind::UnsupportedXml) {
        Form::Unclear(Unclear::NotCanonical)
    } else {
        Form::Other
    }
}

/// `left`: bytes that may still be read or written. A form that is left out is one that is not known.
fn digests_of(
    document: &Document,
    length: usize,
    wanted: &[(&Canonicalization, DigestAlgorithm)],
    left: &mut usize,
) -> HashMap<(Canonicalization, DigestAlgorithm), Vec<u8>> {
    let mut digests = HashMap::new();
    for (method, algorithm) in wanted {
        let Some(rest) = left.checked_sub(length) else {
            break;
        };
        let (mut hasher, mut written_bytes) = (algorithm.hasher(), 0_usize);
        let written = document.canonicalize(method, &mut |part| {
            written_bytes = written_bytes.saturating_add(part.len());
            hasher.update(part);
        });
        *left = rest.saturating_sub(written_bytes);
        if written.is_ok() {
            let digest = hasher.finish().as_bytes().to_vec();
            digests.insert(((*method).clone(), *algorithm), digest);
        }
    }
    digests
}

impl DataObject<'_> {
    pub(super) fn name(&self) -> &str {
        self.source.name()
    }

    pub(super) fn digests(
        &self,
        method: Option<&Canonicalization>,
        algorithm: DigestAlgorithm,
    ) -> DataDigests {
        let as_is = self.source.digest(algorithm);
        let mut digests = DataDigests {
            canonical: None,
            as_is: as_is.map(|digest| digest.as_bytes().to_vec()),
            unclear: None,
        };
        match (&self.form, method) {
            (Form::Xml(known), Some(method)) => {
                digests.canonical = known.get(&(method.clone(), algorithm)).cloned();
                if digests.canonical.is_none() {
                    digests.unclear = Some(Unclear::NotCanonical);
                }
            }
            (Form::Xml(_), None) => digests.unclear = Some(Unclear::NotCanonical),
            (Form::Unclear(why), _) => digests.unclear = Some(*why),
            (Form::Other, _) => {}
        }
        digests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form reads the document and writes it; one that does not fit any more is not known, and so are all after it.
    #[test]
    fn forms_beyond_the_limit_are_not_known() {
        const TEXT: &str = "<a>text</a>";
        let uris = [
            "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
            "http://www.w3.org/2001/10/xml-exc-c14n#",
        ];
        let methods = uris.map(|uri| Canonicalization::from_uri(uri).unwrap());
        let wanted: Vec<_> = methods
            .iter()
            .map(|method| (method, DigestAlgorithm::Sha256))
            .collect();
        let document = Document::parse(TEXT.as_bytes()).unwrap();
        let each = TEXT.len().saturating_mul(2);
        for (left, known, rest) in [
            (0, 0, 0),
            (TEXT.len() - 1, 0, TEXT.len() - 1),
            (TEXT.len(), 1, 0),
            (each, 1, 0),
            (each + TEXT.len() - 1, 1, TEXT.len() - 1),
            (2 * each, 2, 0),
            (2 * each + 3, 2, 3),
        ] {
            let mut spent = left;
            let digests = digests_of(&document, TEXT.len(), &wanted, &mut spent);
            assert_eq!((digests.len(), spent), (known, rest), "{left}");
            let object = DataObject {
                source: &crate::source::DataBytes::new("a", TEXT.as_bytes()),
                form: Form::Xml(digests),
            };
            let last = object.digests(methods.last(), DigestAlgorithm::Sha256);
            assert_eq!(last.canonical.is_some(), known == 2);
            assert_eq!(last.unclear.is_some(), known < 2);
        }
    }
}
