//! Pages as what stands on them, and what it is: without knowing how it came there, or PDF.

use crate::report::document::Tone;

/// A4 (ISO 216) in points.
pub(super) const PAGE_WIDTH: f32 = 595.28;
/// A4 in points.
pub(super) const PAGE_HEIGHT: f32 = 841.89;
/// The margins at the sides and above.
pub(super) const MARGIN: f32 = 48.0;
/// The width of the text.
pub(super) const TEXT_WIDTH: f32 = PAGE_WIDTH - 2.0 * MARGIN;

/// A colour: red, green, blue.
pub(super) type Colour = (u8, u8, u8);

pub(super) const INK: Colour = (0x1a, 0x1a, 0x1a);
pub(super) const PALE: Colour = (0x59, 0x59, 0x59);
pub(super) const RULE: Colour = (0xc4, 0xc4, 0xc4);

/// The colour of a tone, and that of the ground below it.
pub(super) const fn colours(tone: Tone) -> (Colour, Colour) {
    match tone {
        Tone::Good => ((0x0b, 0x5d, 0x1e), (0xea, 0xf5, 0xec)),
        Tone::Open => ((0x74, 0x46, 0x00), (0xff, 0xf5, 0xe0)),
        Tone::Bad => ((0x8c, 0x1d, 0x18), (0xfd, 0xec, 0xeb)),
        Tone::Plain => (INK, (0xf5, 0xf5, 0xf5)),
    }
}

/// One line of text.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) x: f32,
    /// The base line, from the top of the page.
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) colour: Colour,
    pub(super) text: String,
    /// The leaf of the structure that it belongs to; none for what is repeated on each page.
    pub(super) leaf: Option<usize>,
}

/// A filled rectangle.
#[derive(Clone, Debug)]
pub(super) struct Area {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) colour: Colour,
    /// The leaf that it belongs to, if it says something.
    pub(super) leaf: Option<usize>,
}

/// One page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) areas: Vec<Area>,
    pub(super) lines: Vec<Line>,
}

/// What a part of the structure is (ISO 32000-1 §14.8.4).
#[derive(Clone, Debug)]
pub(super) enum Role {
    Heading(u16, String),
    Paragraph,
    Caption,
    List,
    Item,
    Label,
    Body,
    Table,
    Row,
    ColumnHeader,
    RowHeader,
    Cell,
    Figure(String),
}

/// The structure: groups, and leaves that lines belong to.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Group(Role, Vec<Node>),
    Leaf(Role, usize),
}

/// The pages with their structure.
pub(super) struct Pages {
    pub(super) pages: Vec<Page>,
    pub(super) structure: Vec<Node>,
    pub(super) leaves: usize,
    /// The title of each part with the page (from 0) on which it begins.
    pub(super) parts: Vec<(String, usize)>,
}
