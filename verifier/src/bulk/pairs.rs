//! Which data a piece of detached evidence is about.
//!
//! By their names: `NAME.p7s`, `NAME.tsr`, `NAME.tst`, `NAME.ers` and `NAME.xml` are about `NAME` beside them. Or by a table of pairs.

/// The endings of detached evidence, without the dot.
pub const EVIDENCE_ENDINGS: [&str; 5] = ["p7s", "tsr", "tst", "ers", "xml"];

/// Most bytes of a table of pairs: a million pairs of 256 bytes.
pub const PAIRS_BYTES_MAX: usize = 256 << 20;

/// The name of the data that a file of this name would be about: `invoice.pdf` for `invoice.pdf.tsr`. The case of the ending does not matter.
#[must_use]
pub fn data_name(name: &str) -> Option<&str> {
    let (data, ending) = name.rsplit_once('.')?;
    let is_known = EVIDENCE_ENDINGS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(ending));
    (is_known && !data.is_empty()).then_some(data)
}

/// A table of pairs: evidence, data; the paths are relative to the directory that is verified. A further column is left out, and so are
/// lines that are empty or begin with `#`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pairs(Vec<(String, String)>);

/// Why a table of pairs cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PairsError {
    /// It is longer than [`PAIRS_BYTES_MAX`].
    TooLong,
    /// It is no text in UTF-8.
    NotText,
    /// A line, counted from 1, does not name evidence and data, or has a quotation mark too many.
    Line(usize),
    /// A line, counted from 1, names evidence that another line has named: which data it is about cannot be told.
    Twice(usize),
}

impl Pairs {
    /// Reads a table (RFC 4180, with or without quotation marks and byte order mark).
    ///
    /// # Errors
    /// [`PairsError`]
    pub fn read(bytes: &[u8]) -> Result<Self, PairsError> {
        if bytes.len() > PAIRS_BYTES_MAX {
            return Err(PairsError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PairsError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut pairs = Vec::new();
        for (position, line) in text.lines().enumerate() {
            let number = position.saturating_add(1);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut values = split(line).ok_or(PairsError::Line(number))?.into_iter();
            match (values.next(), values.next()) {
                (Some(evidence), Some(data)) if !evidence.is_empty() && !data.is_empty() => {
                    pairs.push((evidence, data, number));
                }
                _ => return Err(PairsError::Line(number)),
            }
        }
        pairs.sort();
        for (one, other) in pairs.iter().zip(pairs.iter().skip(1)) {
            if one.0 == other.0 {
                return Err(PairsError::Twice(other.2));
            }
        }
        let pairs = pairs
            .into_iter()
            .map(|(evidence, data, _)| (evidence, data));
        Ok(Self(pairs.collect()))
    }

    /// The data of a piece of evidence.
    #[must_use]
    pub fn data_of(&self, evidence: &str) -> Option<&str> {
        let found = self
            .0
            .binary_search_by(|(own, _)| own.as_str().cmp(evidence));
        self.0.get(found.ok()?).map(|(_, data)| data.as_str())
    }

    /// Every pair, by the name of its evidence.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(evidence, data)| (evidence.as_str(), data.as_str()))
    }
}

fn split(line: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut rest = line;
    loop {
        let value;
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut inner = quoted;
            loop {
                let (before, after) = inner.split_once('"')?;
                text.push_str(before);
                inner = after;
                match inner.strip_prefix('"') {
                    Some(after) => {
                        text.push('"');
                        inner = after;
                    }
                    None => break,
                }
            }
            value = text;
            rest = inner;
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (before, after) = rest.split_at(end);
            if before.contains('"') {
                return None;
            }
            value = before.trim().to_owned();
            rest = after;
        }
        values.push(value);
        if rest.is_empty() {
            return Some(values);
        }
        rest = rest.strip_prefix(',')?;
    }
}

impl std::fmt::Display for PairsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {PAIRS_BYTES_MAX} bytes"),
            Self::NotText => f.write_str("no text in UTF-8"),
            Self::Line(number) => write!(f, "line {number}: give evidence,data"),
            Self::Twice(number) => write!(f, "line {number}: this evidence stands twice"),
        }
    }
}

impl std::error::Error for PairsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_data() {
        for (name, data) in [
            ("a.pdf.tsr", Some("a.pdf")),
            ("a.pdf.P7S", Some("a.pdf")),
            ("請求書.ers", Some("請求書")),
            ("a.pdf", None),
            (".tsr", None),
            ("tsr", None),
            ("a.tsr.old", None),
        ] {
            assert_eq!(data_name(name), data, "{name}");
        }
    }

    #[test]
    fn a_table_of_pairs() {
        let text = "\u{feff}# evidence,data\r\na.tsr,one.pdf\r\n\"b,\"\"2\"\".tsr\",\"two.pdf\",note\r\n\r\n";
        let pairs = Pairs::read(text.as_bytes()).unwrap();
        assert_eq!(pairs.data_of("a.tsr"), Some("one.pdf"));
        assert_eq!(pairs.data_of("b,\"2\".tsr"), Some("two.pdf"));
        assert_eq!(pairs.data_of("c.tsr"), None);
    }

    #[test]
    fn a_table_that_is_wrong_is_refused_with_its_line() {
        for (text, error) in [
            ("a\n", PairsError::Line(1)),
            ("a,b\na,\n", PairsError::Line(2)),
            ("\"a,b\n", PairsError::Line(1)),
            ("a\"b,c\n", PairsError::Line(1)),
            ("\"a\"b,c\n", PairsError::Line(1)),
            ("a,b\nc,d\na,e\n", PairsError::Twice(3)),
        ] {
            assert_eq!(Pairs::read(text.as_bytes()), Err(error), "{text}");
        }
        assert_eq!(Pairs::read(b"\xff,a"), Err(PairsError::NotText));
    }
}
