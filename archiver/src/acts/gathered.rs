//! All contents that a search finds, in one file: what an inspector asks for (ダウンロードの求め).

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::actor::Actor;
use super::contents::{Purpose, noted, wanted};
use super::desk::{Desk, Subject};
use super::records::query_text;
use super::refusal::Refusal;
use crate::access::Right;
use crate::archive::Archive;
use crate::audit::Act;
use crate::cli::lang::Lang;
use crate::keys::KeyError;
use crate::record::error::RetrieveError;
use crate::record::export::objects_of;
use crate::record::export_index::{INDEX, head, row};
use crate::store::catalog::{Hit, Query};

/// Contents that may be written out together.
#[derive(Debug)]
pub struct Gathered {
    archive: Arc<Archive>,
    hits: Vec<Hit>,
}

/// Why the file is not whole.
#[derive(Debug)]
#[non_exhaustive]
pub enum GatherError {
    /// A record cannot be read. What was destroyed lawfully is no error: it stands in a list of its own.
    Retrieve(RetrieveError),
    /// The file cannot be written.
    Write(io::Error),
}

impl std::fmt::Display for GatherError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Retrieve(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GatherError {}

impl Desk {
    /// Opens all contents that a search finds, for fetching together.
    ///
    /// # Errors
    /// As [`Desk::search`]; [`Refusal::Invalid`] without a purpose, and for more than [`GATHERED_MAX`] versions or [`GATHERED_BYTES_MAX`] bytes.
    pub fn gather(
        &self,
        actor: &Actor,
        query: &Query,
        purpose: Purpose<'_>,
    ) -> Result<Gathered, Refusal> {
        let mut subject = Subject {
            purpose: noted(purpose),
            ..Subject::default()
        };
        subject.fact("query", query_text(query));
        self.act(
            actor,
            Act::SearchRetrieve,
            Right::Retrieve,
            subject,
            |subject| {
                wanted(purpose)?;
                let (hits, found) = self.found_first(actor, query, GATHERED_MAX)?;
                let sizes = hits.iter().flat_map(|hit| &hit.objects);
                let bytes: u64 = sizes.map(|object| object.size).sum();
                subject.fact("found", found);
                subject.fact("bytes", bytes);
                if found > u64::try_from(hits.len()).unwrap_or(u64::MAX) || bytes > GATHERED_BYTES_MAX {
                    return Err(Refusal::invalid(
                        "query",
                        "一度に取り出せるのは 100,000 件、64 GiB までです。条件を分けてください",
                        "at most 100,000 records and 64 GiB can be fetched at once: divide the conditions",
                    ));
                }
                Ok(Gathered {
                    archive: Arc::clone(&self.archive),
                    hits,
                })
            },
        )
    }
}

impl Gathered {
    /// Writes a ZIP file: each version in a folder of its own, and behind them `index.csv`, whose presence says that the file is whole. Contents are compared with
    /// their digests while they are written.
    ///
    /// # Errors
    /// [`GatherError`]; after it what was written is not the file.
    pub fn write(
        &self,
        lang: Lang,
        now: OffsetDateTime,
        output: &mut dyn Write,
    ) -> Result<(), GatherError> {
        let mut zip = ZipWriter::new_stream(output);
        let is_trial = self.archive.notice().is_some();
        let mut index = head(lang, is_trial);
        let (mut destroyed, mut withheld) = (String::new(), String::new());
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(stamp(now));
        for hit in &self.hits {
            let retriever = self.archive.retriever();
            let mut opened = match retriever.open_at(hit.version, hit.address) {
                Ok(opened) => opened,
                Err(RetrieveError::Keys(KeyError::KeyDestroyed { .. })) => {
                    destroyed.push_str(&format!("{}\r\n", hit.version));
                    continue;
                }
                Err(error) => return Err(GatherError::Retrieve(error)),
            };
            if opened.refuse_quarantined().is_err() {
                withheld.push_str(&format!("{}\r\n", hit.version));
                continue;
            }
            for (place, mut object) in (0_u32..).zip(objects_of(&opened, hit.version)) {
                object.path = member(&object.path);
                let options = options.large_file(object.size > SMALL_BYTES_MAX);
                begin(&mut zip, &object.path, options)?;
                opened
                    .write_object(place, &mut zip)
                    .map_err(GatherError::Retrieve)?;
                index.push_str(&row(hit, &object, is_trial));
            }
        }
        for (name, text) in [(DESTROYED, destroyed), (QUARANTINED, withheld)] {
            if text.is_empty() {
                continue;
            }
            begin(&mut zip, Path::new(name), options)?;
            zip.write_all(text.as_bytes()).map_err(GatherError::Write)?;
        }
        begin(&mut zip, Path::new(INDEX), options)?;
        zip.write_all(index.as_bytes())
            .map_err(GatherError::Write)?;
        let ended = zip
            .finish()
            .map_err(|error| GatherError::Write(error.into()))?;
        ended.into_inner().flush().map_err(GatherError::Write)
    }
}

fn begin<W: Write + io::Seek>(
    zip: &mut ZipWriter<W>,
    path: &Path,
    options: SimpleFileOptions,
) -> Result<(), GatherError> {
    zip.start_file(path.to_string_lossy(), options)
        .map_err(|error| GatherError::Write(error.into()))
}

/// The place of an object in the file. On the system that unpacks it, a backslash leads into folders and a colon to drives, which they do not where it was
/// deposited; and what is no UTF-8 cannot stand there. The table has the name as it was beside it.
fn member(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    let safe = text.chars().map(|one| match one {
        '\\' | ':' | '\u{fffd}' => '_',
        one if one.is_control() => '_',
        one => one,
    });
    PathBuf::from(safe.collect::<String>())
}

/// The time of a file in an archive of files, which knows no zone: Japan's.
fn stamp(now: OffsetDateTime) -> DateTime {
    let at = now.to_offset(time::macros::offset!(+9));
    let date = u16::try_from(at.year()).unwrap_or_default();
    let made = DateTime::from_date_and_time(
        date,
        at.month().into(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
    );
    made.unwrap_or_default()
}

/// Versions whose keys were destroyed.
const DESTROYED: &str = "destroyed.txt";

/// The versions that are in quarantine, which are handed to nobody.
const QUARANTINED: &str = "quarantined.txt";

/// Versions that are fetched at once: each stands in the table and in the directory of the file, which are made in memory.
pub const GATHERED_MAX: usize = 100_000;

/// Bytes that are fetched at once.
pub const GATHERED_BYTES_MAX: u64 = 64 << 30;

/// From here on a member needs the fields of ZIP64 (APPNOTE.TXT §4.3.9.2).
const SMALL_BYTES_MAX: u64 = 0xF000_0000;

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn no_name_leads_out_of_its_folder_on_any_system() {
        for (name, expected) in [
            (&b"id/invoice 1.pdf"[..], "id/invoice 1.pdf"),
            ("id/請求書.pdf".as_bytes(), "id/請求書.pdf"),
            (b"id/..\\..\\evil.exe", "id/.._.._evil.exe"),
            (b"id/C:evil.exe", "id/C_evil.exe"),
            (b"id/a\nb", "id/a_b"),
            (b"id/\xff\xfe", "id/__"),
        ] {
            let path = Path::new(std::ffi::OsStr::from_bytes(name));
            assert_eq!(member(path), Path::new(expected));
        }
    }

    #[test]
    fn times_before_those_of_the_format_are_its_first() {
        let now = time::macros::datetime!(2030-04-01 15:30:20 UTC);
        assert_eq!(stamp(now).to_string(), "2030-04-02 00:30:20");
        assert_eq!(stamp(OffsetDateTime::UNIX_EPOCH), DateTime::default());
    }
}
