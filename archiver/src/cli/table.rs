//! Rows under headings, in columns. A full-width letter takes two places of a terminal.

use unicode_width::UnicodeWidthStr;

/// The lines of a table, the headings first. A column in which nothing stands is left out.
#[must_use]
pub fn table<const COLUMNS: usize>(
    heads: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
    between: &str,
) -> Vec<String> {
    let heads = heads.map(str::to_owned);
    let widths: Vec<usize> = (0..COLUMNS)
        .map(|column| {
            let width = |row: &[String; COLUMNS]| row.get(column).map_or(0, |cell| cell.width());
            match rows.iter().map(width).max().unwrap_or(0) {
                0 => 0,
                widest => widest.max(width(&heads)),
            }
        })
        .collect();
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(&widths).filter(|(_, width)| **width > 0);
        let padded: Vec<String> = cells.map(|(cell, width)| padded(cell, *width)).collect();
        padded.join(between).trim_end().to_owned()
    };
    [&heads].into_iter().chain(rows).map(line).collect()
}

/// A text with spaces behind it up to a width.
fn padded(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(spaces))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> [String; 3] {
        cells.map(str::to_owned)
    }

    #[test]
    fn full_width_letters_take_two_places_and_empty_columns_none() {
        let rows = [row(["data-1", "", "金庫"]), row(["k", "", "a cabinet"])];
        let lines = table(["媒体", "表示", "場所"], &rows, "  ");
        assert_eq!(lines, ["媒体    場所", "data-1  金庫", "k       a cabinet"]);
        let lines = table(["媒体", "表示", "場所"], &[row(["", "あ", "b"])], "|");
        assert_eq!(lines, ["表示|場所", "あ  |b"]);
        assert_eq!(table(["a"; 3], &[], " "), [""]);
    }
}
