//! Findings: what a judgement noticed, where, by which clause, in Japanese and English.
//!
//! A [`Code`] is one line of a table: identifier, clause, severity and the two texts. Each area has its own table in a module here, made
//! with the macro `finding_codes!`; [`ALL`] lists the tables, and a test holds identifiers unique and both texts complete.

use std::fmt;

macro_rules! finding_codes {
    ($table:ident: $($name:ident $severity:ident $clause:literal { en: $en:literal, ja: $ja:literal })+) => {
        $(
            #[doc = concat!("`", stringify!($name), "` (", $clause, "): ", $en)]
            pub const $name: $crate::finding::Code = $crate::finding::Code(&$crate::finding::Entry {
                id: stringify!($name),
                clause: $clause,
                severity: $crate::finding::Severity::$severity,
                en: $en,
                ja: $ja,
            });
        )+
        /// Every code of this table.
        pub const $table: &[$crate::finding::Code] = &[$($name),+];
    };
}

pub mod crypto;
pub mod evidence;
pub mod lines;
pub mod package;
pub mod path;
pub mod poe;
pub mod registry;
pub mod revocation;
pub mod signature;
pub mod timestamp;
pub mod xaip;
pub mod xmlers;

/// Every table of codes.
pub const ALL: &[&[Code]] = &[
    path::TABLE,
    revocation::TABLE,
    crypto::TABLE,
    timestamp::TABLE,
    evidence::TABLE,
    xmlers::TABLE,
    xaip::TABLE,
    package::TABLE,
    lines::TABLE,
    signature::TABLE,
    registry::TABLE,
    poe::TABLE,
];

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A fact that explains the verdict.
    Info,
    /// A deviation that did not change the verdict.
    Warning,
    /// A reason why the verdict is not `TOTAL-PASSED`.
    Error,
}

impl Severity {
    /// The name in reports: `info`, `warning`, `error`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What was noticed: a line of one of the tables.
#[derive(Clone, Copy)]
pub struct Code(&'static Entry);

/// A line of a table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: &'static str,
    pub(crate) clause: &'static str,
    pub(crate) severity: Severity,
    pub(crate) en: &'static str,
    pub(crate) ja: &'static str,
}

impl Code {
    /// The identifier in reports, for example `CERTIFICATE_EXPIRED`. Stable once released.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.0.id
    }

    /// The clause that was checked, for example `RFC 5280 §6.1.3 (a)(2)`.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        self.0.clause
    }

    /// How grave it usually is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.0.severity
    }

    /// The text with `{0}`, `{1}` … where the details go.
    #[must_use]
    pub const fn template(self, language: Language) -> &'static str {
        match language {
            Language::English => self.0.en,
            Language::Japanese => self.0.ja,
        }
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

/// Where something was noticed: a path of steps from the judged object inwards, like `chain[0]/time-stamp[1]/certificate`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place(String);

impl Place {
    /// The judged object itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// A part of this place.
    #[must_use]
    pub fn child(&self, step: &str) -> Self {
        let separator = if self.0.is_empty() { "" } else { "/" };
        Self(format!("{}{separator}{}", self.0, printable(step)))
    }

    /// The part with a number, counted from 0.
    #[must_use]
    pub fn item(&self, step: &str, index: usize) -> Self {
        let separator = if self.0.is_empty() { "" } else { "/" };
        Self(format!("{}{separator}{}[{index}]", self.0, printable(step)))
    }

    /// This place as seen from `outer`.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Self {
        match (outer.0.is_empty(), self.0.is_empty()) {
            (true, _) => self.clone(),
            (_, true) => outer.clone(),
            (false, false) => Self(format!("{}/{}", outer.0, self.0)),
        }
    }

    /// As text; empty for the judged object itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that a judgement noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    code: Code,
    place: Place,
    severity: Severity,
    details: Vec<String>,
}

impl Finding {
    /// A finding with the usual severity of its code.
    #[must_use]
    pub const fn new(code: Code, place: Place) -> Self {
        Self {
            code,
            place,
            severity: code.severity(),
            details: Vec::new(),
        }
    }

    /// Adds the next detail (`{0}` first). It may come from foreign input: what does not print is escaped, and its length is bounded.
    #[must_use]
    pub fn with(mut self, detail: impl fmt::Display) -> Self {
        self.details.push(printable(&detail.to_string()));
        self
    }

    /// Changes the severity, where a policy makes more or less of it.
    #[must_use]
    pub const fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same finding, with its place as seen from `outer`.
    #[must_use]
    pub fn within(mut self, outer: &Place) -> Self {
        self.place = self.place.within(outer);
        self
    }

    /// What was noticed.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Where.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// How grave.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The details, in the order of the template.
    #[must_use]
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// The whole sentence.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut rest = self.code.template(language);
        let mut text = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((number, tail)) = after.split_once('}') else {
                break;
            };
            let detail = number
                .parse::<usize>()
                .ok()
                .and_then(|index| self.details.get(index));
            text.push_str(detail.map_or("?", String::as_str));
            rest = tail;
        }
        text.push_str(rest);
        text
    }
}

/// Foreign text made safe for a terminal and a page: control and direction characters escaped, at most [`DETAIL_CHARS_MAX`] characters.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(DETAIL_CHARS_MAX));
    for (count, character) in text.chars().enumerate() {
        if count == DETAIL_CHARS_MAX {
            out.push('…');
            break;
        }
        let direction = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if character.is_control() || direction {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// Most characters of one detail. RFC 5280 bounds the parts of a name to 64 to 200 characters; three of them fit.
pub const DETAIL_CHARS_MAX: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn identifiers_are_unique_and_texts_complete() {
        let mut seen = BTreeSet::new();
        for code in ALL.iter().copied().flatten() {
            assert!(seen.insert(code.id()), "{} stands twice", code.id());
            assert!(!code.clause().is_empty());
            let places = |language| {
                let template = code.template(language);
                assert!(!template.is_empty());
                (0..9)
                    .filter(|n| template.contains(&format!("{{{n}}}")))
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                places(Language::English),
                places(Language::Japanese),
                "{}: details differ",
                code.id()
            );
        }
    }

    #[test]
    fn details_stand_in_their_places() {
        let finding = Finding::new(path::CERTIFICATE_EXPIRED, Place::root().item("path", 0))
            .with("CN=A")
            .with("2020-01-01")
            .with("2021-01-01");
        assert!(finding.text(Language::English).contains("CN=A"));
        assert!(finding.text(Language::Japanese).contains("2020-01-01"));
        assert_eq!(finding.place().as_str(), "path[0]");
    }

    #[test]
    fn a_missing_detail_shows_as_a_question_mark() {
        let finding = Finding::new(path::CERTIFICATE_EXPIRED, Place::root());
        assert!(finding.text(Language::English).contains('?'));
    }

    #[test]
    fn foreign_text_cannot_forge_lines_or_directions() {
        assert_eq!(printable("a\nb\u{202e}c"), "a\\u{a}b\\u{202e}c");
        assert_eq!(printable("経理部"), "経理部");
        assert_eq!(
            printable(&"x".repeat(5000)).chars().count(),
            DETAIL_CHARS_MAX + 1
        );
    }

    #[test]
    fn places_nest() {
        let inner = Place::root().child("certificate");
        let outer = Place::root().item("chain", 1);
        assert_eq!(inner.within(&outer).as_str(), "chain[1]/certificate");
        assert_eq!(Place::root().within(&outer), outer);
        assert_eq!(inner.within(&Place::root()), inner);
    }
}
