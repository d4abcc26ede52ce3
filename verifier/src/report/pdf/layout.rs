//! What stands where on the pages.

use super::face::Face;
use super::page::{
    Area, Colour, INK, Line, MARGIN, Node, PAGE_HEIGHT, PALE, Page, Pages, RULE, Role, TEXT_WIDTH,
    colours,
};
use super::paragraph;
use crate::report::document::{Block, Chart, Depth, Document, Fact, Row, Table, Tone};

/// Where the text of a page ends: the number of the page stands below.
const BOTTOM: f32 = PAGE_HEIGHT - 62.0;
/// From one line to the next, per size of the letters.
const LEADING: f32 = 1.55;

/// Puts a document on pages; each part begins on a new one.
pub(super) fn lay_out(document: &Document, depth: Depth, face: &Face<'_>) -> Pages {
    let mut writer = Writer {
        face,
        pages: Pages {
            pages: Vec::new(),
            structure: Vec::new(),
            leaves: 0,
            parts: Vec::new(),
        },
        y: BOTTOM,
    };
    for part in document.parts_to(depth) {
        writer.new_page();
        let page = writer.pages.pages.len().saturating_sub(1);
        writer.pages.parts.push((part.title.clone(), page));
        if part.depth == Depth::Brief {
            writer.heading(1, &document.title, 15.0);
            writer.paragraph(&document.subtitle, 9.0, PALE);
        } else {
            writer.heading(
                if depth == part.depth { 1 } else { 2 }.max(2),
                &part.title,
                14.0,
            );
        }
        for block in &part.blocks {
            writer.block(block, part.depth);
        }
    }
    writer.pages
}

struct Writer<'a> {
    face: &'a Face<'a>,
    pages: Pages,
    /// The lower edge of what stands on the page already.
    y: f32,
}

impl Writer<'_> {
    fn new_page(&mut self) {
        self.pages.pages.push(Page::default());
        self.y = MARGIN;
    }

    fn page(&mut self) -> Option<&mut Page> {
        self.pages.pages.last_mut()
    }

    fn leaf(&mut self) -> usize {
        let leaf = self.pages.leaves;
        self.pages.leaves = leaf.saturating_add(1);
        leaf
    }

    fn has_room(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    fn make_room(&mut self, height: f32) -> bool {
        let is_new = !self.has_room(height);
        if is_new {
            self.new_page();
        }
        is_new
    }

    fn line(&mut self, line: Line) {
        if let Some(page) = self.page() {
            page.lines.push(line);
        }
    }

    fn area(&mut self, area: Area) {
        if let Some(page) = self.page() {
            page.areas.push(area);
        }
    }

    fn lines_of(&self, text: &str, width: f32, size: f32) -> Vec<String> {
        paragraph::lines(text, width / size, self.face)
    }

    fn block(&mut self, block: &Block, depth: Depth) {
        // Everything is small print but the first page.
        let size = if depth == Depth::Full { 8.0 } else { 10.0 };
        match block {
            Block::Heading(text) => {
                let size = if depth == Depth::Full { 9.5 } else { 11.0 };
                self.heading(3, text, size);
            }
            Block::Answer { tone, word, text } => self.answer(*tone, word, text),
            Block::Text(text) => self.paragraph(text, 8.5, PALE),
            Block::Facts(facts) => self.facts(facts, size),
            Block::Table(table) => self.table(table),
            Block::Chart(chart) => self.chart(chart),
        }
    }

    fn heading(&mut self, level: u16, text: &str, size: f32) {
        self.y += size * if level == 3 { 0.7 } else { 0.2 };
        // A heading does not stand alone at the end of a page.
        self.make_room(size * LEADING + 40.0);
        let leaf = self.leaf();
        for line in self.lines_of(text, TEXT_WIDTH, size) {
            self.text_line(MARGIN, size, true, INK, line, Some(leaf));
        }
        let role = Role::Heading(level, text.to_owned());
        self.pages.structure.push(Node::Leaf(role, leaf));
        self.y += size * 0.25;
    }

    /// Writes a line below the others, and moves down.
    fn text_line(
        &mut self,
        x: f32,
        size: f32,
        bold: bool,
        colour: Colour,
        text: String,
        leaf: Option<usize>,
    ) {
        self.make_room(size * LEADING);
        let y = self.y + size * 1.15;
        self.line(Line {
            x,
            y,
            size,
            bold,
            colour,
            text,
            leaf,
        });
        self.y += size * LEADING;
    }

    fn paragraph(&mut self, text: &str, size: f32, colour: Colour) {
        let leaf = self.leaf();
        for line in self.lines_of(text, TEXT_WIDTH, size) {
            self.text_line(MARGIN, size, false, colour, line, Some(leaf));
        }
        self.pages.structure.push(Node::Leaf(Role::Paragraph, leaf));
        self.y += size * 0.5;
    }

    /// The answer in a box.
    fn answer(&mut self, tone: Tone, word: &str, text: &str) {
        const WORD: f32 = 19.0;
        const SENTENCE: f32 = 13.0;
        const INSIDE: f32 = 18.0;
        let (colour, ground) = colours(tone);
        let width = TEXT_WIDTH - 2.0 * INSIDE;
        let words = self.lines_of(word, width, WORD);
        let sentences = self.lines_of(text, width, SENTENCE);
        let mut height = 2.0 * INSIDE;
        words.iter().for_each(|_| height += WORD * LEADING);
        sentences.iter().for_each(|_| height += SENTENCE * LEADING);
        self.y += 6.0;
        self.make_room(height);
        let top = self.y;
        let area = |x, width, colour| Area {
            x,
            y: top,
            width,
            height,
            colour,
            leaf: None,
        };
        self.area(area(MARGIN, TEXT_WIDTH, ground));
        self.area(area(MARGIN, 7.0, colour));
        self.y += INSIDE;
        let (first, second) = (self.leaf(), self.leaf());
        for line in words {
            self.text_line(MARGIN + INSIDE, WORD, true, colour, line, Some(first));
        }
        for line in sentences {
            self.text_line(MARGIN + INSIDE, SENTENCE, false, INK, line, Some(second));
        }
        for leaf in [first, second] {
            self.pages.structure.push(Node::Leaf(Role::Paragraph, leaf));
        }
        self.y = top + height + 10.0;
    }

    /// Labels on the left, what belongs to them on the right.
    fn facts(&mut self, facts: &[Fact], size: f32) {
        const LABELS: f32 = 118.0;
        let mut items = Vec::with_capacity(facts.len());
        for fact in facts {
            let (label, body) = (self.leaf(), self.leaf());
            let labels = self.lines_of(&fact.label, LABELS - 10.0, size);
            let mut bodies = Vec::new();
            for line in &fact.lines {
                let is_item = fact.lines.len() > 1;
                let line = if is_item {
                    format!("・{line}")
                } else {
                    line.clone()
                };
                bodies.extend(self.lines_of(&line, TEXT_WIDTH - LABELS, size));
            }
            let mut labels = labels.into_iter();
            let mut bodies = bodies.into_iter();
            loop {
                let pair = (labels.next(), bodies.next());
                if pair == (None, None) {
                    break;
                }
                self.make_room(size * LEADING);
                let top = self.y;
                if let Some(text) = pair.0 {
                    self.text_line(MARGIN, size, true, INK, text, Some(label));
                    self.y = top;
                }
                if let Some(text) = pair.1 {
                    self.text_line(MARGIN + LABELS, size, false, INK, text, Some(body));
                }
                self.y = top + size * LEADING;
            }
            self.y += size * 0.45;
            items.push(Node::Group(
                Role::Item,
                vec![Node::Leaf(Role::Label, label), Node::Leaf(Role::Body, body)],
            ));
        }
        if !items.is_empty() {
            self.pages.structure.push(Node::Group(Role::List, items));
        }
        self.y += size * 0.4;
    }

    fn table(&mut self, table: &Table) {
        const SIZE: f32 = 8.0;
        self.y += 6.0;
        self.make_room(70.0);
        let caption = self.leaf();
        for line in self.lines_of(&table.caption, TEXT_WIDTH, 10.5) {
            self.text_line(MARGIN, 10.5, true, INK, line, Some(caption));
        }
        let columns = columns(table);
        let head: Vec<&str> = table
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let leaves: Vec<usize> = head.iter().map(|_| self.leaf()).collect();
        self.head(&head, &columns, SIZE, Some(&leaves));
        let header = leaves
            .into_iter()
            .map(|leaf| Node::Leaf(Role::ColumnHeader, leaf))
            .collect();
        let mut rows = vec![
            Node::Leaf(Role::Caption, caption),
            Node::Group(Role::Row, header),
        ];
        for row in &table.rows {
            rows.push(self.row(row, &head, &columns, SIZE));
        }
        self.pages.structure.push(Node::Group(Role::Table, rows));
        self.y += 8.0;
    }

    /// The headings of the columns; again on each page that the table goes on.
    fn head(&mut self, head: &[&str], columns: &[(f32, f32)], size: f32, leaves: Option<&[usize]>) {
        let top = self.y;
        let mut bottom = top;
        for (number, (text, (x, width))) in head.iter().zip(columns).enumerate() {
            self.y = top;
            let leaf = leaves.and_then(|leaves| leaves.get(number)).copied();
            for line in self.lines_of(text, width - 6.0, size) {
                self.text_line(*x, size, true, INK, line, leaf);
            }
            bottom = bottom.max(self.y);
        }
        self.y = bottom + 1.5;
        self.rule(1.0, INK);
    }

    fn rule(&mut self, height: f32, colour: Colour) {
        let y = self.y;
        self.area(Area {
            x: MARGIN,
            y,
            width: TEXT_WIDTH,
            height,
            colour,
            leaf: None,
        });
        self.y += height + 2.0;
    }

    fn row(&mut self, row: &Row, head: &[&str], columns: &[(f32, f32)], size: f32) -> Node {
        let cells: Vec<Vec<String>> = row
            .cells
            .iter()
            .zip(columns)
            .map(|(cell, (_, width))| self.lines_of(cell, width - 8.0, size))
            .collect();
        let leaves: Vec<usize> = cells.iter().map(|_| self.leaf()).collect();
        let count = cells.iter().map(Vec::len).max().unwrap_or_default();
        let step = size * 1.4;
        let mut height = 4.0;
        (0..count).for_each(|_| height += step);
        // A row stays together where a page has room for it.
        if !self.has_room(height) && height < BOTTOM - MARGIN - 40.0 {
            self.new_page();
            self.head(head, columns, size, None);
        }
        let (colour, _) = colours(row.tone);
        for number in 0..count {
            if !self.has_room(step) {
                self.new_page();
                self.head(head, columns, size, None);
            }
            let top = self.y;
            if row.tone != Tone::Plain {
                self.area(Area {
                    x: MARGIN - 5.0,
                    y: top,
                    width: 2.5,
                    height: step,
                    colour,
                    leaf: None,
                });
            }
            for ((cell, leaf), (x, _)) in cells.iter().zip(&leaves).zip(columns) {
                if let Some(text) = cell.get(number) {
                    self.y = top;
                    let ink = if number == 0 { INK } else { PALE };
                    self.text_line(*x, size, false, ink, text.clone(), Some(*leaf));
                }
            }
            self.y = top + step;
        }
        self.y += 2.0;
        self.rule(0.5, RULE);
        let mut nodes = Vec::with_capacity(leaves.len());
        for (number, leaf) in leaves.into_iter().enumerate() {
            let role = if number == 0 {
                Role::RowHeader
            } else {
                Role::Cell
            };
            nodes.push(Node::Leaf(role, leaf));
        }
        Node::Group(Role::Row, nodes)
    }

    fn chart(&mut self, chart: &Chart) {
        const NAMES: f32 = 170.0;
        const STEP: f32 = 17.0;
        const SIZE: f32 = 7.5;
        let mut height = 34.0;
        chart.bars.iter().for_each(|_| height += STEP);
        self.make_room(height);
        let leaf = Some(self.leaf());
        let x_of = |place: f32| MARGIN + NAMES + (TEXT_WIDTH - NAMES - 6.0) * place;
        let top = self.y + 14.0;
        let bottom = top + height - 34.0;
        let mark = |x: f32, width: f32, colour| Area {
            x,
            y: top,
            width,
            height: bottom - top,
            colour,
            leaf,
        };
        for tick in chart.ticks() {
            let x = x_of(tick.place);
            self.area(mark(x, 0.5, RULE));
            self.small_text(x - 8.0, bottom + 9.0, SIZE, PALE, &tick.label, leaf);
        }
        let mut y = top;
        for bar in &chart.bars {
            let (from, to) = (x_of(chart.place(bar.from)), x_of(chart.place(bar.to)));
            let (colour, ground) = colours(bar.tone);
            let width = (to - from).max(2.0);
            let bar_area = |inside: f32, colour| Area {
                x: from + inside,
                y: y + 3.5 + inside,
                width: (width - 2.0 * inside).max(0.5),
                height: 9.0 - 2.0 * inside,
                colour,
                leaf,
            };
            self.area(bar_area(0.0, colour));
            if bar.tone != Tone::Good {
                self.area(bar_area(1.0, ground));
            }
            let name = self.lines_of(&bar.label, NAMES - 8.0, SIZE);
            let name = name.into_iter().next().unwrap_or_default();
            self.small_text(MARGIN, y + 10.5, SIZE, INK, &name, leaf);
            y += STEP;
        }
        let now = x_of(chart.place(chart.judged_at));
        self.area(mark(now, 1.0, INK));
        let label_width = self.face.width_of(&chart.judged_label) * SIZE;
        let x = (now - label_width / 2.0).min(MARGIN + TEXT_WIDTH - label_width);
        self.small_text(x, top - 3.0, SIZE, INK, &chart.judged_label, leaf);
        let role = Role::Figure(chart.description.clone());
        if let Some(leaf) = leaf {
            self.pages.structure.push(Node::Leaf(role, leaf));
        }
        self.y = bottom + 20.0;
    }

    fn small_text(
        &mut self,
        x: f32,
        y: f32,
        size: f32,
        colour: Colour,
        text: &str,
        leaf: Option<usize>,
    ) {
        let text = self.face.shown(text);
        self.line(Line {
            x,
            y,
            size,
            bold: false,
            colour,
            text,
            leaf,
        });
    }
}

/// Where each column begins, and how wide it is.
fn columns(table: &Table) -> Vec<(f32, f32)> {
    let whole: f32 = table
        .columns
        .iter()
        .map(|(_, share)| f32::from(*share))
        .sum();
    let mut x = MARGIN;
    let mut columns = Vec::with_capacity(table.columns.len());
    for (_, share) in &table.columns {
        let width = TEXT_WIDTH * f32::from(*share) / whole.max(1.0);
        columns.push((x, width));
        x += width;
    }
    columns
}
