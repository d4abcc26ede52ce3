//! Counting media: a list to tick, its result, what is missing or too many, and when it is due again.

use std::fmt::Write as _;

use formats::id::MediumId;
use time::{Date, OffsetDateTime};

use super::facts::MediaCounted;
use super::ledger::{MediaLedger, MediumEntry};
use crate::cli::lang::Lang;
use crate::cli::output::day;
use crate::cli::table::table;
use crate::config::MediaConfig;

/// The list to tick, as text that [`read`] takes back.
#[must_use]
pub fn list_text(
    ledger: &MediaLedger,
    config: &MediaConfig,
    lang: Lang,
    today: Date,
    evaluation: bool,
) -> String {
    let mut text = if evaluation {
        format!("# {}\n", trial(lang))
    } else {
        String::new()
    };
    text.push_str(&lang.pick(
        format!("# 媒体の棚卸し {today}\n# あるものは [ ] を [x] に変えてください。台帳にないものは [+] の行に書き足してください。\n# 記入後: archiver media stock-take --enter このファイル --counted-by 氏名\n\n"),
        format!("# Stock-take of media, {today}\n# Change [ ] to [x] for each medium that is there. Add a line with [+] for what is there and not listed.\n# Then: archiver media stock-take --enter THIS_FILE --counted-by NAME\n\n"),
    ));
    // What names the medium when the list is entered stands first.
    let rotated = |mut row: [String; 8]| {
        row.rotate_right(1);
        row
    };
    let present = ledger.present().into_iter();
    let rows: Vec<[String; 8]> = present
        .map(|entry| rotated(row(entry, config, lang)))
        .collect();
    let [_, mut heads @ ..] = heads(lang);
    heads.rotate_right(1);
    for (line, mark) in table(heads, &rows, " | ")
        .iter()
        .zip(["#  "].into_iter().chain(std::iter::repeat("[ ]")))
    {
        // A write to a string does not fail.
        writeln!(text, "{mark} {line}").ok();
    }
    text.push_str(lang.pick(
        "\n# 実施者:                日付:\n",
        "\n# Counted by:                On:\n",
    ));
    text
}

/// The same list as a page to print.
#[must_use]
pub fn list_html(
    ledger: &MediaLedger,
    config: &MediaConfig,
    lang: Lang,
    today: Date,
    evaluation: bool,
) -> String {
    let mark = if evaluation {
        format!("<p><strong>{}</strong></p>\n", trial(lang))
    } else {
        String::new()
    };
    let title = lang.pick("媒体の棚卸し", "Stock-take of media");
    let heads = heads(lang);
    let mut rows = String::new();
    for entry in ledger.present() {
        rows.push_str("<tr><td class=box>☐</td>");
        for cell in row(entry, config, lang) {
            write!(rows, "<td>{}</td>", escape(&cell)).ok();
        }
        rows.push_str("</tr>\n");
    }
    let heads: String = heads
        .iter()
        .map(|head| format!("<th>{head}</th>"))
        .collect();
    let language = lang.pick("ja", "en");
    let foot = lang.pick(
        "台帳にないもの: ______________________　実施者: ______________　立会者: ______________　日付: __________",
        "There and not listed: ______________________ Counted by: ______________ Witness: ______________ On: __________",
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\"><meta charset=\"utf-8\"><title>{title} {today}</title>\n<style>body{{font-family:sans-serif}}table{{border-collapse:collapse;font-size:90%}}td,th{{border:1px solid #888;padding:.3em .5em;text-align:left}}.box{{font-size:150%;text-align:center}}</style>\n<h1>{title} {today}</h1>\n{mark}<table><tr>{heads}</tr>\n{rows}</table>\n<p>{foot}</p>\n</html>\n"
    )
}

/// The headings of both lists; the first one is for the tick.
fn heads(lang: Lang) -> [&'static str; 9] {
    lang.pick(
        [
            "あり",
            "番号",
            "表示",
            "機種・製造番号",
            "秘密区分",
            "保管場所",
            "責任者",
            "期限",
            "媒体 ID",
        ],
        [
            "there",
            "number",
            "label",
            "model, serial number",
            "classification",
            "place",
            "custodian",
            "due",
            "medium id",
        ],
    )
}

/// The mark of an archive that is for trying the product out.
const fn trial(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "EVALUATION(試用): 本物の記録のための保管庫ではありません",
        Lang::En => "EVALUATION: this archive is for trying the product out",
    }
}

/// A list that was ticked, as far as it can be understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Ticked.
    pub found: Vec<MediumId>,
    /// Listed and not ticked.
    pub not_found: Vec<MediumId>,
    /// There and not listed.
    pub extra: Vec<String>,
}

/// Reads a list that was ticked.
///
/// # Errors
/// Number and text of the first line that cannot be understood.
pub fn read(text: &str) -> Result<Ticked, (usize, String)> {
    let mut ticked = Ticked::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let failed = || (number, line.to_owned());
        let mut letters = line.chars();
        let (Some('['), Some(mark), Some(']')) = (letters.next(), letters.next(), letters.next())
        else {
            return Err(failed());
        };
        let rest = letters.as_str().trim();
        if mark == '+' {
            if rest.is_empty() {
                return Err(failed());
            }
            ticked.extra.push(rest.to_owned());
            continue;
        }
        let id = rest.split('|').next().unwrap_or_default().trim();
        let medium: MediumId = id.parse().map_err(|_| failed())?;
        if ticked.found.contains(&medium) || ticked.not_found.contains(&medium) {
            return Err(failed());
        }
        match mark {
            'x' | 'X' | '✓' | '☑' => ticked.found.push(medium),
            ' ' => ticked.not_found.push(medium),
            _ => return Err(failed()),
        }
    }
    Ok(ticked)
}

/// What a count says: media of the ledger that are not on the list count as missing, media that were ticked and are not in the ledger as
/// extra.
#[must_use]
pub fn result(ledger: &MediaLedger, ticked: Ticked, counted_by: Vec<String>) -> MediaCounted {
    let present = ledger.present();
    let known = |medium: &MediumId| present.iter().any(|entry| entry.medium == *medium);
    let (found, strange): (Vec<_>, Vec<_>) = ticked.found.into_iter().partition(known);
    let missing = present
        .iter()
        .map(|entry| entry.medium)
        .filter(|medium| !found.contains(medium))
        .collect();
    let mut extra = ticked.extra;
    extra.extend(strange.iter().map(MediumId::to_string));
    MediaCounted {
        counted_by,
        found,
        missing,
        extra,
    }
}

/// Media whose next count is due, with the day on which it was, the oldest first.
#[must_use]
pub fn due<'a>(
    ledger: &'a MediaLedger,
    config: &MediaConfig,
    now: OffsetDateTime,
) -> Vec<(Date, &'a MediumEntry)> {
    let mut due: Vec<_> = ledger
        .present()
        .into_iter()
        .map(|entry| (entry.count_due(config), entry))
        .filter(|(due, _)| *due <= day(now))
        .collect();
    due.sort_by_key(|(day, _)| *day);
    due
}

/// A medium as a row of both lists, without the place for the tick.
fn row(entry: &MediumEntry, config: &MediaConfig, lang: Lang) -> [String; 8] {
    let device = [&entry.model, &entry.serial].map(String::as_str);
    let device: Vec<&str> = device.into_iter().filter(|text| !text.is_empty()).collect();
    let place = entry.place.as_ref();
    let cells = [
        entry.short_name(),
        entry.label.clone(),
        device.join(", "),
        entry.classification.clone(),
        place.map_or_else(String::new, |place| place.text(lang)),
        entry.custodian.clone(),
        entry.count_due(config).to_string(),
        entry.medium.to_string(),
    ];
    // One medium, one line; a bar would look like the next cell.
    cells.map(|cell| cell.replace(|letter: char| letter.is_control() || letter == '|', " "))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
