//! What a report says to people, apart from its form: text, HTML and PDF are three ways to write the same [`Document`].
//!
//! It has three parts, each for another reader: three lines for somebody who decides and reads nothing else, the proofs in the order of
//! time with the reason of each verdict, and everything. The document never claims more than the report proves: its sentences are chosen
//! by the verdict, and what is not proven is said on the first page.

mod brief;
mod chart;
mod full;
mod listing;
mod subject;
mod timeline;

use time::OffsetDateTime;

pub use self::chart::{Bar, Chart, Tick};
use super::Report;
use crate::context::Context;
use crate::finding::Language;
use crate::judgement::Judgement;
use crate::verdict::Conclusion;

/// How much is said. Each depth contains those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Depth {
    /// What is proven, for what time, and what is not: the first page.
    Brief,
    /// What proves what, from when, until when, with the reason of each verdict.
    Timeline,
    /// Everything.
    Full,
}

/// What an answer means for the reader; shown by words and, where the form has them, by colours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tone {
    /// Proven.
    Good,
    /// Undecided.
    Open,
    /// Not proven, and nothing can repair it.
    Bad,
    /// No answer.
    Plain,
}

impl Tone {
    /// The tone of a judgement.
    #[must_use]
    pub const fn of(judgement: Judgement) -> Self {
        match judgement.conclusion() {
            Conclusion::TotalPassed => Self::Good,
            Conclusion::Indeterminate => Self::Open,
            Conclusion::TotalFailed => Self::Bad,
        }
    }
}

/// A readable report, without a form.
#[derive(Clone, Debug)]
pub struct Document {
    /// The language of all its texts.
    pub language: Language,
    /// The title of the whole.
    pub title: String,
    /// What was judged.
    pub subtitle: String,
    /// As of when.
    pub judged_at: OffsetDateTime,
    /// The parts, in the order of [`Depth`].
    pub parts: Vec<Part>,
    /// The line at the foot of each page.
    pub footer: String,
}

/// A part for one kind of reader.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which one.
    pub depth: Depth,
    /// Its title.
    pub title: String,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A piece of a part.
#[derive(Clone, Debug)]
pub enum Block {
    /// A heading below the title of the part.
    Heading(String),
    /// The answer to the reader's question: a word, and a sentence.
    Answer {
        /// What it means.
        tone: Tone,
        /// For example "Proven".
        word: String,
        /// The sentence.
        text: String,
    },
    /// A paragraph.
    Text(String),
    /// Labels with what belongs to each.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
    /// The proofs on a line of time.
    Chart(Chart),
}

/// A label with one or more lines.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The label.
    pub label: String,
    /// What it says; several lines are a list.
    pub lines: Vec<String>,
}

impl Fact {
    pub(crate) fn new(label: impl Into<String>, line: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            lines: vec![line.into()],
        }
    }

    pub(crate) fn list(label: impl Into<String>, lines: Vec<String>) -> Self {
        Self {
            label: label.into(),
            lines,
        }
    }
}

/// A table with a heading for each column.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it is about.
    pub caption: String,
    /// The headings, each with the share of the width that its column gets.
    pub columns: Vec<(String, u8)>,
    /// The rows, each as long as the headings.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it means.
    pub tone: Tone,
    /// Its cells.
    pub cells: Vec<String>,
}

impl Document {
    /// The readable form of `report`. With the context of the judgement it also says which policy and which trust anchors were given.
    #[must_use]
    pub fn of(report: &Report, context: Option<&Context<'_>>, language: Language) -> Self {
        let in_language = |ja: &str, en: &str| said(language, ja, en);
        Self {
            language,
            title: in_language("電子証拠の検証報告書", "Report on electronic evidence"),
            subtitle: subject::names_of_evidence(report, language),
            judged_at: report.verified_at,
            parts: vec![
                Part {
                    depth: Depth::Brief,
                    title: in_language("結論", "The answer"),
                    blocks: brief::blocks(report, language),
                },
                Part {
                    depth: Depth::Timeline,
                    title: in_language("証明の時系列と理由", "The proofs in time, and the reasons"),
                    blocks: timeline::blocks(report, language),
                },
                Part {
                    depth: Depth::Full,
                    title: in_language("すべての検証結果", "Everything that was found"),
                    blocks: full::blocks(report, context, language),
                },
            ],
            footer: footer(language),
        }
    }

    /// The parts up to a depth.
    pub fn parts_to(&self, depth: Depth) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.depth <= depth)
    }
}

fn footer(language: Language) -> String {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    match language {
        Language::Japanese => format!("Fumikura {name} {version} による検証"),
        Language::English => format!("Verified by Fumikura {name} {version}"),
    }
}

/// The text in `language`.
pub(super) fn said(language: Language, ja: &str, en: &str) -> String {
    match language {
        Language::Japanese => ja,
        Language::English => en,
    }
    .to_owned()
}
