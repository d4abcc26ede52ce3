//! The line of time as a drawing (SVG 1.1), with its content in words for who cannot see it.

use std::fmt::{self, Write as _};

use super::{Escaped, Tone};
use crate::report::document::{Bar, Chart};

/// The width of the drawing, in its own units.
const WIDTH: f32 = 800.0;
/// What the names of the bars take of it.
const NAMES: f32 = 250.0;
/// From one bar to the next.
const STEP: f32 = 26.0;
/// How thick a bar is.
const THICK: f32 = 12.0;
/// What stands above the bars.
const HEAD: f32 = 24.0;
/// What stands below them.
const FOOT: f32 = 22.0;

/// Characters of a name that have room, where each is as wide as it is high.
const NAME_WIDTH_MAX: usize = 36;

pub(super) fn write(out: &mut String, chart: &Chart) -> fmt::Result {
    let count = u16::try_from(chart.bars.len()).unwrap_or(u16::MAX);
    let bottom = HEAD + STEP * f32::from(count);
    let height = bottom + FOOT;
    let description = Escaped(&chart.description);
    writeln!(
        out,
        "<figure>\n<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{description}\" font-size=\"12\" font-family=\"sans-serif\">"
    )?;
    for tick in chart.ticks() {
        let x = x_of(tick.place);
        let (label, under) = (Escaped(&tick.label), bottom + 16.0);
        writeln!(
            out,
            "<path d=\"M{x:.1} {HEAD}V{bottom}\" stroke=\"#d9d9d9\"/><text x=\"{x:.1}\" y=\"{under}\" text-anchor=\"middle\" fill=\"#595959\">{label}</text>"
        )?;
    }
    let mut y = HEAD;
    for bar in &chart.bars {
        write_bar(out, chart, bar, y)?;
        y += STEP;
    }
    let now = x_of(chart.place(chart.judged_at));
    let anchor = if now > WIDTH - 60.0 { "end" } else { "middle" };
    let label = Escaped(&chart.judged_label);
    writeln!(
        out,
        "<path d=\"M{now:.1} {HEAD}V{bottom}\" stroke=\"#1a1a1a\" stroke-dasharray=\"4 3\"/><text x=\"{now:.1}\" y=\"16\" text-anchor=\"{anchor}\" fill=\"#1a1a1a\">{label}</text>"
    )?;
    writeln!(out, "</svg>\n</figure>")
}

fn x_of(place: f32) -> f32 {
    NAMES + (WIDTH - NAMES - 10.0) * place
}

/// Bars that hold are filled, the others are empty: not by colour alone.
fn write_bar(out: &mut String, chart: &Chart, bar: &Bar, y: f32) -> fmt::Result {
    let (from, to) = (x_of(chart.place(bar.from)), x_of(chart.place(bar.to)));
    let (fill, stroke) = match bar.tone {
        Tone::Good => ("#2e7d40", "#0b5d1e"),
        Tone::Open => ("#ffffff", "#b26a00"),
        Tone::Bad => ("#ffffff", "#8c1d18"),
        Tone::Plain => ("#ffffff", "#595959"),
    };
    let width = (to - from).max(3.0);
    let (top, base) = (y + 6.0, y + 16.0);
    let label = shortened(&bar.label);
    let label = Escaped(&label);
    writeln!(
        out,
        "<text x=\"0\" y=\"{base:.1}\" fill=\"#1a1a1a\">{label}</text><rect x=\"{from:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{THICK}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.5\"/>"
    )
}

/// A name that has room: an ASCII character takes half of what another one takes.
fn shortened(name: &str) -> String {
    let mut width = 0_usize;
    let mut out = String::new();
    for character in name.chars() {
        width = width.saturating_add(if character.is_ascii() { 1 } else { 2 });
        if width > NAME_WIDTH_MAX {
            out.push('…');
            break;
        }
        out.push(character);
    }
    out
}
