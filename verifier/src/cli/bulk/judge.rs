//! Judges the items of a walk, several at a time, and gives their rows in the order of the walk.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, FormatError};
use verifier::bulk::{Row, Status};
use verifier::context::Context;
use verifier::finding::Language;
use verifier::judge::verify;
use verifier::recognise::{Kind, is_container, recognise_inside};
use verifier::source::{DigestSource, InputFile};
use verifier::verdict::Conclusion;

use super::super::CannotJudge;
use super::super::input::{DataFile, OpenFile};
use super::walk::{Item, ItemKind};

/// Bytes of a file by which it is told whether it may be evidence at all.
const HEAD_BYTES: usize = 64;

/// How items are judged.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) context: Context<'a>,
    pub(super) language: Language,
    /// Whether documents without evidence are left out.
    pub(super) evidence_only: bool,
    pub(super) threads: usize,
}

impl Judge<'_> {
    /// The rows of items, in their order. An item that is no evidence and needs none has no row.
    pub(super) fn rows(&self, items: &[Item]) -> Vec<Option<Row>> {
        let next = AtomicUsize::new(0);
        let rows = Mutex::new(vec![None; items.len()]);
        thread::scope(|scope| {
            for _ in 0..self.threads.clamp(1, items.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(number) else {
                            return;
                        };
                        let row = self.row(item);
                        let mut rows = rows
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner);
                        if let Some(place) = rows.get_mut(number) {
                            *place = row;
                        }
                    }
                });
            }
        });
        rows.into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The row of one item.
    pub(super) fn row(&self, item: &Item) -> Option<Row> {
        let refused = |why: &str| Some(Row::not_judged(&item.name, self.context.time, why));
        match &item.kind {
            ItemKind::LeftOut(why) => return refused(why),
            ItemKind::Unreadable(why) => return refused(why),
            ItemKind::File => {}
        }
        // The data of other evidence may be large. It is looked into only if it may be evidence itself.
        if item.is_data && item.data.is_none() {
            match head(&item.path) {
                Ok(head) if !may_be_evidence(&head) => return None,
                Ok(_) => {}
                Err(error) => return refused(&error.to_string()),
            }
        }
        let file = match OpenFile::open(&item.path) {
            Ok(file) => file,
            Err(why) => return refused(&why.0),
        };
        let (kind, input) = match taken(&file, &item.name) {
            Ok(Some(taken)) => taken,
            Ok(None) if item.is_data && item.data.is_none() => return None,
            Ok(None) => {
                return refused(self.pick(
                    "証拠として読める大きさを超えています",
                    "larger than evidence can be",
                ));
            }
            Err(error) => return refused(&error.to_string()),
        };
        match class_of(kind) {
            Class::Evidence => {}
            Class::Support if item.data.is_none() => return None,
            // Passed over, it would leave the document beside it without a row.
            Class::Support => {
                return refused(self.pick(
                    "文書の証拠がある場所に置かれていますが、証拠ではありません",
                    "it stands where the evidence of a document should be, and is none",
                ));
            }
            Class::Document if item.data.is_some() => {}
            Class::Document if item.is_data || self.evidence_only => return None,
            Class::Document => {
                return refused(self.pick(
                    "この文書の証拠が見つかりません",
                    "no evidence was found for this document",
                ));
            }
        }
        let row = self.judged(item, kind, input);
        match file.check_unchanged() {
            Ok(()) => Some(row),
            Err(why) => refused(&why.0),
        }
    }

    fn judged(&self, item: &Item, kind: Kind, input: InputFile<'_>) -> Row {
        let refused = |why: CannotJudge| Row::not_judged(&item.name, self.context.time, why.0);
        let data = match &item.data {
            None => None,
            Some((name, path)) => match DataFile::open(path) {
                Ok(file) => Some((name, file)),
                Err(why) => return refused(why),
            },
        };
        let sources: Vec<&dyn DigestSource> = data
            .iter()
            .map(|(_, file)| file as &dyn DigestSource)
            .collect();
        let report = verify(&[input], &sources, &self.context);
        let digest = data.as_ref().and_then(|(_, file)| {
            let algorithm = DigestAlgorithm::Sha256;
            let digest = file.digest(algorithm)?;
            Some(format!(
                "{}:{}",
                algorithm.name(),
                hex::encode(digest.as_bytes())
            ))
        });
        let mut row = Row::of_report(&item.name, &report, digest, self.language);
        if let Some((name, file)) = &data {
            if let Err(why) = file.check_unchanged() {
                return refused(why);
            }
            row.data.clone_from(name);
        }
        if kind == Kind::Unknown && row.status == Status::Judged(Conclusion::Indeterminate) {
            row.status = Status::CannotJudge;
        }
        row
    }

    fn pick<'t>(&self, ja: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Japanese => ja,
            Language::English => en,
        }
    }
}

/// What a bulk verification does with a kind of file.
enum Class {
    /// It is judged.
    Evidence,
    /// It proves nothing by itself: certificates, revocation lists, requests.
    Support,
    /// Anything else: evidence should be there for it.
    Document,
}

const fn class_of(kind: Kind) -> Class {
    match kind {
        Kind::Package
        | Kind::EvidenceRecord
        | Kind::TimestampToken
        | Kind::TimestampResponse
        | Kind::CmsSignature
        | Kind::TimestampedData
        | Kind::XmlEvidenceRecord
        | Kind::XmlSignature
        | Kind::XmlArchivePackage => Class::Evidence,
        Kind::Certificate | Kind::RevocationList | Kind::TimestampRequest | Kind::Pem => {
            Class::Support
        }
        Kind::Pdf | Kind::Unknown => Class::Document,
        // A kind that is new is looked at rather than passed over.
        _ => Class::Evidence,
    }
}

/// DER and BER begin with a SEQUENCE, or as text with a line of PEM or the base64 of a SEQUENCE; containers with the signature of ZIP, XML with an
/// angle bracket (after a byte order mark or white space).
fn may_be_evidence(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.starts_with(&[0x30])
        || head.starts_with(b"PK")
        || matches!(text.trim_ascii_start().first(), Some(b'<' | b'-' | b'M'))
        || head.starts_with(&[0xff, 0xfe])
        || head.starts_with(&[0xfe, 0xff])
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let limit = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    File::open(path)?.take(limit).read_to_end(&mut head)?;
    Ok(head)
}

/// What a file is, and the file: a container where it lies, whatever its size, and everything else in memory; `None` where it is larger than
/// such evidence can be.
fn taken<'f>(file: &'f OpenFile, name: &str) -> Result<Option<(Kind, InputFile<'f>)>, FormatError> {
    let input = InputFile::elsewhere(name, file);
    if is_container(input.bytes())? {
        return Ok(Some((Kind::Package, input)));
    }
    match input.whole() {
        Ok(bytes) => {
            let kind = recognise_inside(&bytes);
            let input = InputFile::new(name, bytes.into_owned());
            Ok(Some((kind, input)))
        }
        Err(error) if error.kind() == ErrorKind::LimitExceeded => Ok(None),
        Err(error) => Err(error),
    }
}
