//! The pages as a PDF file.

use std::num::NonZeroU16;

use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, Node as TagNode, SpanTag,
    TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
};
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Document as PdfDocument, SerializeSettings};
use time::{OffsetDateTime, UtcOffset};

use super::PdfError;
use super::face::Face;
use super::page::{
    Area, Colour, Line, MARGIN, Node, PAGE_HEIGHT, PAGE_WIDTH, PALE, Page, Pages, Role, TEXT_WIDTH,
};
use crate::finding::Language;
use crate::report::document::Document;

/// Bold letters are the regular ones with an outline of this width, per size.
const BOLD: f32 = 0.035;

pub(super) fn write(
    document: &Document,
    pages: Pages,
    face: &Face<'_>,
    font: Vec<u8>,
) -> Result<Vec<u8>, PdfError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|_| PdfError::Standard)?;
    let settings = SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    };
    let font = Font::new(font.into(), 0).ok_or(PdfError::Font)?;
    let mut pdf = PdfDocument::new_with(settings);
    let mut pen = Pen {
        face,
        font,
        leaves: vec![Vec::new(); pages.leaves],
    };
    let count = pages.pages.len();
    for (number, page) in pages.pages.iter().enumerate() {
        let number = number.saturating_add(1);
        let foot = format!("{number} / {count}");
        pen.page(&mut pdf, page, &document.footer, &foot)?;
    }
    pdf.set_metadata(metadata(document));
    pdf.set_outline(outline(&pages));
    let lang = lang(document.language).to_owned();
    let mut tree = TagTree::new().with_lang(Some(lang));
    for node in &pages.structure {
        tree.push(tags(node, &mut pen.leaves));
    }
    pdf.set_tag_tree(tree);
    pdf.finish().map_err(|_| PdfError::Standard)
}

const fn lang(language: Language) -> &'static str {
    match language {
        Language::Japanese => "ja",
        Language::English => "en",
    }
}

fn metadata(document: &Document) -> Metadata {
    Metadata::new()
        .title(document.title.clone())
        .description(document.subtitle.clone())
        .language(lang(document.language).to_owned())
        .creator(format!("Fumikura verifier {}", env!("CARGO_PKG_VERSION")))
        .creation_date(date(document.judged_at))
}

fn date(time: OffsetDateTime) -> DateTime {
    let time = time.to_offset(UtcOffset::UTC);
    DateTime::new(u16::try_from(time.year()).unwrap_or_default())
        .month(time.month().into())
        .day(time.day())
        .hour(time.hour())
        .minute(time.minute())
        .second(time.second())
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn outline(pages: &Pages) -> Outline {
    let mut outline = Outline::new();
    for (title, page) in &pages.parts {
        let place = XyzDestination::new(*page, Point::from_xy(0.0, 0.0));
        outline.push_child(OutlineNode::new(title.clone(), place));
    }
    outline
}

/// The structure, with what was drawn for each leaf.
fn tags(node: &Node, leaves: &mut [Vec<Identifier>]) -> TagNode {
    match node {
        Node::Leaf(role, leaf) => {
            let mut group = TagGroup::new(tag(role));
            for identifier in leaves
                .get_mut(*leaf)
                .map(std::mem::take)
                .unwrap_or_default()
            {
                group.push(identifier);
            }
            group.into()
        }
        Node::Group(role, children) => {
            let mut group = TagGroup::new(tag(role));
            for child in children {
                group.push(tags(child, leaves));
            }
            group.into()
        }
    }
}

fn tag(role: &Role) -> TagKind {
    match role {
        Role::Heading(level, title) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(title.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::Caption => Tag::Caption.into(),
        Role::List => Tag::L(ListNumbering::None).into(),
        Role::Item => Tag::LI.into(),
        Role::Label => Tag::Lbl.into(),
        Role::Body => Tag::LBody.into(),
        Role::Table => Tag::Table.into(),
        Role::Row => Tag::TR.into(),
        Role::ColumnHeader => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHeader => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
        Role::Figure(description) => Tag::Figure(Some(description.clone())).into(),
    }
}

struct Pen<'a> {
    face: &'a Face<'a>,
    font: Font,
    leaves: Vec<Vec<Identifier>>,
}

impl Pen<'_> {
    fn page(
        &mut self,
        pdf: &mut PdfDocument,
        page: &Page,
        footer: &str,
        number: &str,
    ) -> Result<(), PdfError> {
        let size = PageSettings::from_wh(PAGE_WIDTH, PAGE_HEIGHT).ok_or(PdfError::Standard)?;
        let mut sheet = pdf.start_page_with(size);
        let mut surface = sheet.surface();
        for area in &page.areas {
            self.area(&mut surface, area);
        }
        for line in &page.lines {
            self.line(&mut surface, line);
        }
        let width = self.face.width_of(number) * 8.0;
        for (x, text) in [
            (MARGIN, self.face.shown(footer)),
            (MARGIN + TEXT_WIDTH - width, number.to_owned()),
        ] {
            self.line(
                &mut surface,
                &Line {
                    x,
                    y: PAGE_HEIGHT - 32.0,
                    size: 8.0,
                    bold: false,
                    colour: PALE,
                    text,
                    leaf: None,
                },
            );
        }
        surface.finish();
        sheet.finish();
        Ok(())
    }

    /// Begins what belongs to a leaf, or to nothing.
    fn begin(&mut self, surface: &mut Surface<'_>, leaf: Option<usize>, tag: ContentTag<'_>) {
        let Some(leaf) = leaf else {
            let artifact = Artifact::with_kind(ArtifactType::Other);
            surface.start_tagged(ContentTag::Artifact(artifact));
            return;
        };
        let identifier = surface.start_tagged(tag);
        if let Some(drawn) = self.leaves.get_mut(leaf) {
            drawn.push(identifier);
        }
    }

    fn area(&mut self, surface: &mut Surface<'_>, area: &Area) {
        let Some(rect) = Rect::from_xywh(area.x, area.y, area.width, area.height) else {
            return;
        };
        let mut path = PathBuilder::new();
        path.push_rect(rect);
        let Some(path) = path.finish() else { return };
        self.begin(surface, area.leaf, ContentTag::Other);
        surface.set_fill(Some(fill(area.colour)));
        surface.set_stroke(None);
        surface.draw_path(&path);
        surface.end_tagged();
    }

    fn line(&mut self, surface: &mut Surface<'_>, line: &Line) {
        if line.text.is_empty() {
            return;
        }
        let glyphs: Vec<KrillaGlyph> = line
            .text
            .char_indices()
            .filter_map(|(at, character)| {
                let glyph = self.face.glyph(character)?;
                Some(KrillaGlyph {
                    glyph_id: GlyphId::new(glyph.to_u32()),
                    text_range: at..at.saturating_add(character.len_utf8()),
                    x_advance: self.face.advance(glyph),
                    x_offset: 0.0,
                    y_offset: 0.0,
                    y_advance: 0.0,
                    location: None,
                })
            })
            .collect();
        self.begin(surface, line.leaf, ContentTag::Span(SpanTag::empty()));
        surface.set_fill(Some(fill(line.colour)));
        surface.set_stroke(line.bold.then(|| Stroke {
            paint: colour(line.colour).into(),
            width: line.size * BOLD,
            ..Stroke::default()
        }));
        let start = Point::from_xy(line.x, line.y);
        let font = self.font.clone();
        surface.draw_glyphs(start, &glyphs, font, &line.text, line.size, false);
        surface.end_tagged();
    }
}

fn colour((red, green, blue): Colour) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

fn fill(of: Colour) -> Fill {
    Fill {
        paint: colour(of).into(),
        opacity: NormalizedF32::ONE,
        ..Fill::default()
    }
}
