//! A table in the making: what was written so far, counted and digested, and how it goes on after an interruption.
//!
//! The caller owns the file: it writes the text that it is given, and cuts the file to the length that it is told.

use std::io::{self, BufRead, Read as _};

use formats::digest::{DigestAlgorithm, Hasher};

use super::row::Row;
use super::summary::{TableDigest, Tally};
use super::table::{BYTE_ORDER_MARK, LINE_BYTES_MAX, LINE_END, RowFacts, header, row as line_of};
use crate::finding::Language;

/// A table in the making.
pub struct TableWriting {
    language: Language,
    bytes: u64,
    sha256: Hasher,
    sha512: Hasher,
    tally: Tally,
}

/// Why a table cannot go on.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResumeError<E> {
    /// It cannot be read.
    Read(io::Error),
    /// It is not as it was written, or is in another language.
    Changed,
    /// The caller does not accept a row.
    Refused(E),
}

impl TableWriting {
    /// A table without rows. Its first line is [`TableWriting::start`].
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self {
            language,
            bytes: 0,
            sha256: DigestAlgorithm::Sha256.hasher(),
            sha512: DigestAlgorithm::Sha512.hasher(),
            tally: Tally::default(),
        }
    }

    /// The first line of a table.
    #[must_use]
    pub fn start(&mut self) -> String {
        let first = self.first_line();
        self.count(first.as_bytes());
        first
    }

    fn first_line(&self) -> String {
        format!("{BYTE_ORDER_MARK}{}", header(self.language))
    }

    /// Reads what was written before an interruption. `each` is told of every whole row; what stands after the last one is to be cut off:
    /// [`TableWriting::bytes`] is the length then. A table without its first line is one that begins anew.
    ///
    /// # Errors
    /// [`ResumeError`]
    pub fn resume<E>(
        language: Language,
        written: &mut dyn BufRead,
        mut each: impl FnMut(&RowFacts) -> Result<(), E>,
    ) -> Result<Self, ResumeError<E>> {
        let mut table = Self::new(language);
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
            let mut part = (&mut *written).take(limit);
            part.read_until(b'\n', &mut line)
                .map_err(ResumeError::Read)?;
            let text = std::str::from_utf8(&line).ok();
            let Some(whole) = text.and_then(|text| text.strip_suffix(LINE_END)) else {
                // The end, or a row that was cut off; one that is damaged in the middle has others behind it.
                if line.ends_with(b"\n") || line.len() >= LINE_BYTES_MAX {
                    return Err(ResumeError::Changed);
                }
                return Ok(table);
            };
            if table.bytes > 0 {
                let facts = RowFacts::read(whole).ok_or(ResumeError::Changed)?;
                each(&facts).map_err(ResumeError::Refused)?;
                table.tally.add(&facts);
            } else if line != table.first_line().as_bytes() {
                return Err(ResumeError::Changed);
            }
            table.count(&line);
        }
    }

    fn count(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sha512.update(bytes);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
    }

    /// Adds a row; gives its line, which is to be written.
    #[must_use]
    pub fn add(&mut self, row: &Row) -> String {
        let line = line_of(row, self.language);
        self.tally.add(&RowFacts::of(row));
        self.count(line.as_bytes());
        line
    }

    /// The length of what was written.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The rows, counted.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The digests of the whole table under a name, and its rows, counted.
    #[must_use]
    pub fn finish(self, name: String) -> (TableDigest, Tally) {
        let digest = TableDigest {
            name,
            bytes: self.bytes,
            sha256: self.sha256.finish(),
            sha512: self.sha512.finish(),
        };
        (digest, self.tally)
    }
}

impl std::fmt::Debug for TableWriting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriting")
            .field("bytes", &self.bytes)
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn table(rows: usize) -> (TableWriting, String) {
        let mut table = TableWriting::new(Language::Japanese);
        let mut text = table.start();
        for number in 0..rows {
            let row = Row::not_judged(format!("{number}"), datetime!(2027-01-01 00:00 UTC), "x");
            text.push_str(&table.add(&row));
        }
        (table, text)
    }

    fn resume(text: &[u8]) -> Result<TableWriting, ResumeError<()>> {
        TableWriting::resume(Language::Japanese, &mut &*text, |_| Ok(()))
    }

    #[test]
    fn a_table_goes_on_wherever_it_was_cut_off() {
        let (whole, text) = table(3);
        let expected = whole.finish(String::new());
        for end in 0..=text.len() {
            let mut before = resume(&text.as_bytes()[..end]).unwrap();
            let kept = usize::try_from(before.bytes()).unwrap();
            assert!(kept <= end);
            let mut again = text[..kept].to_owned();
            if kept == 0 {
                again.push_str(&before.start());
            }
            for number in usize::try_from(before.tally().items).unwrap()..3 {
                let row =
                    Row::not_judged(format!("{number}"), datetime!(2027-01-01 00:00 UTC), "x");
                again.push_str(&before.add(&row));
            }
            assert_eq!(again, text);
            assert_eq!(before.finish(String::new()), expected);
        }
    }

    #[test]
    fn a_table_that_was_changed_does_not_go_on() {
        let (_, text) = table(3);
        for (from, to) in [
            ("\"0\"", "0"),
            ("NOT-JUDGED", "PASSED"),
            ("\r\n", "\n"),
            ("完全性", "integrity"),
            ("\u{feff}", ""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(
                matches!(resume(changed.as_bytes()), Err(ResumeError::Changed)),
                "{from}"
            );
        }
        let endless = vec![b'x'; LINE_BYTES_MAX + 1];
        assert!(matches!(resume(&endless), Err(ResumeError::Changed)));
        let refused = TableWriting::resume(Language::Japanese, &mut text.as_bytes(), |_| Err("no"));
        assert!(matches!(refused, Err(ResumeError::Refused("no"))));
    }
}
