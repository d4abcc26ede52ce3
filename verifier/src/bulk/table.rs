//! The table of a bulk verification: comma-separated values (RFC 4180) that a spreadsheet of today opens as they are meant.
//!
//! The table begins with a byte order mark, without which a Japanese Excel takes UTF-8 for Shift_JIS. A value that a spreadsheet would take for
//! a formula gets an apostrophe in front: names of files come from others. Line breaks inside of values become spaces, so
//! that a row is a line, and a line that was cut off by a power failure is known by its missing end.

use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, UtcOffset};

use super::row::{Row, Status};
use crate::finding::Language;
use crate::registry::StatutoryAnswer;
use crate::report::json::rfc3339;
use crate::verdict::Integrity;

/// The byte order mark.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The end of each row (RFC 4180 §2).
pub const LINE_END: &str = "\r\n";

/// Most bytes of a row that is read again. A row has some 700; the name of a file has 4,096 at most, the reasons 1,000 characters.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

const COLUMNS: [(&str, &str); 16] = [
    ("ファイル・記録", "file or record"),
    ("対象データ", "data"),
    ("判定", "verdict"),
    ("結論 (EN 319 102-1)", "conclusion (EN 319 102-1)"),
    ("理由コード", "sub-indication"),
    ("完全性", "integrity"),
    ("検証日時 (日本時間)", "verified at (JST)"),
    ("検証日時 (UTC)", "verified at (UTC)"),
    ("時刻認証局の証明書", "TSA certificate"),
    ("シリアル番号 (16 進)", "serial (hex)"),
    ("タイムスタンプ時刻 (日本時間)", "genTime (JST)"),
    ("タイムスタンプ時刻 (UTC)", "genTime (UTC)"),
    ("検証可能期限 (日本時間)", "valid until (JST)"),
    ("ハッシュ値", "hash"),
    ("法定のタイムスタンプ", "statutory"),
    ("理由", "reasons"),
];

const CONCLUSION: usize = 3;
const INTEGRITY: usize = 5;
const TIME: usize = 11;
const STATUTORY: usize = 14;

/// The first row: what stands in which column.
#[must_use]
pub fn header(language: Language) -> String {
    let names = COLUMNS.iter().map(|(ja, en)| match language {
        Language::Japanese => *ja,
        Language::English => *en,
    });
    line(names)
}

/// A row.
#[must_use]
pub fn row(row: &Row, language: Language) -> String {
    let japan = |time| civil(time, offset!(+9));
    let utc = |time| rfc3339(time).unwrap_or_default();
    let (verified, stated) = (row.verified_at, row.time);
    line([
        row.item.as_str(),
        &row.data,
        row.status.label(language),
        row.status.name(),
        row.sub_indication.unwrap_or_default(),
        row.integrity,
        &japan(verified),
        &utc(verified),
        &row.authority,
        &row.serial,
        &stated.map(japan).unwrap_or_default(),
        &stated.map(utc).unwrap_or_default(),
        &row.valid_until,
        &row.digest,
        statutory_word(row.statutory, language),
        &row.reasons,
    ])
}

/// What the summary counts of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowFacts {
    /// The file or record, as it stands in the table.
    pub item: String,
    /// How it ended.
    pub status: Status,
    /// Whether everything that can be computed holds.
    pub is_intact: bool,
    /// The time of its first time-stamp.
    pub time: Option<OffsetDateTime>,
    /// Whether that counts as statutory.
    pub statutory: StatutoryAnswer,
}

impl RowFacts {
    /// Those of a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self {
            item: neutral(&row.item),
            status: row.status,
            is_intact: row.integrity == Integrity::Intact.name(),
            time: row.time.map(to_microseconds),
            statutory: row.statutory,
        }
    }

    /// Those of a line that was written before, without its end. `None` where it is no row of this table.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let values = values(line)?;
        if values.len() != COLUMNS.len() {
            return None;
        }
        let value = |column: usize| values.get(column).map(String::as_str);
        let time = match value(TIME)? {
            "" => None,
            text => {
                let format = &time::format_description::well_known::Rfc3339;
                Some(OffsetDateTime::parse(text, format).ok()?)
            }
        };
        let said = value(STATUTORY)?;
        let all = [
            StatutoryAnswer::Yes,
            StatutoryAnswer::No,
            StatutoryAnswer::Unknown,
        ];
        let statutory = all.into_iter().find(|answer| {
            [Language::Japanese, Language::English]
                .iter()
                .any(|language| statutory_word(*answer, *language) == said)
        })?;
        Some(Self {
            item: value(0)?.to_owned(),
            status: Status::from_name(value(CONCLUSION)?)?,
            is_intact: value(INTEGRITY)? == Integrity::Intact.name(),
            time,
            statutory,
        })
    }
}

/// Microseconds are what a row keeps.
fn to_microseconds(time: OffsetDateTime) -> OffsetDateTime {
    let time = time.to_offset(UtcOffset::UTC);
    time.replace_microsecond(time.microsecond()).unwrap_or(time)
}

const fn statutory_word(answer: StatutoryAnswer, language: Language) -> &'static str {
    match (answer, language) {
        (StatutoryAnswer::Yes, Language::Japanese) => "法定",
        (StatutoryAnswer::No, Language::Japanese) => "法定外",
        (StatutoryAnswer::Unknown, Language::Japanese) => "不明",
        (_, Language::English) => answer.name(),
    }
}

const CIVIL: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

fn civil(time: OffsetDateTime, offset: UtcOffset) -> String {
    time.to_offset(offset).format(CIVIL).unwrap_or_default()
}

/// One line of such a table: every value in quotation marks, none that a spreadsheet would compute.
pub fn line<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let values: Vec<String> = values
        .into_iter()
        .map(|value| format!("\"{}\"", neutral(value).replace('"', "\"\"")))
        .collect();
    values.join(",") + LINE_END
}

/// A value that stands on one line and that no spreadsheet computes.
fn neutral(value: &str) -> String {
    let plain: String = value
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let starts_formula = plain.trim_start().starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    if starts_formula {
        format!("'{plain}")
    } else {
        plain
    }
}

/// The values of a line whose values are all in quotation marks.
fn values(line: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut rest = line;
    loop {
        let mut value = String::new();
        rest = rest.strip_prefix('"')?;
        loop {
            let (before, after) = rest.split_once('"')?;
            value.push_str(before);
            rest = after;
            match rest.strip_prefix('"') {
                Some(after) => {
                    value.push('"');
                    rest = after;
                }
                None => break,
            }
        }
        values.push(value);
        if rest.is_empty() {
            return Some(values);
        }
        rest = rest.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::verdict::Conclusion;

    fn sample(item: &str) -> Row {
        Row {
            data: "a,\"b\"".into(),
            status: Status::Judged(Conclusion::TotalFailed),
            sub_indication: Some("HASH_FAILURE"),
            authority: "CN=TSA\r\n=cmd".into(),
            time: Some(datetime!(2026-11-22 12:00:00.123456 +9)),
            statutory: StatutoryAnswer::Yes,
            ..Row::not_judged(item, datetime!(2027-01-01 00:00 UTC), "壊れています")
        }
    }

    #[test]
    fn a_row_is_one_line_and_is_read_again() {
        for language in [Language::Japanese, Language::English] {
            let one = sample("請求書.pdf.tsr");
            let line = row(&one, language);
            assert!(line.ends_with("\r\n") && line.matches('\n').count() == 1);
            assert!(line.contains("\"a,\"\"b\"\"\""));
            let line = line.strip_suffix(LINE_END).unwrap();
            assert_eq!(values(line).unwrap().len(), COLUMNS.len());
            assert_eq!(RowFacts::read(line), Some(RowFacts::of(&one)));
            let first = header(language);
            assert_eq!(
                values(first.trim_end()).unwrap().len(),
                COLUMNS.len(),
                "{first}"
            );
            assert_eq!(RowFacts::read(first.trim_end()), None);
        }
    }

    #[test]
    fn nothing_is_a_formula() {
        for item in [
            "=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "＝1",
        ] {
            let line = row(&sample(item), Language::English);
            assert!(line.starts_with("\"'"), "{line}");
        }
        let line = row(&sample("a=1"), Language::English);
        assert!(line.starts_with("\"a=1\""), "{line}");
    }

    #[test]
    fn what_is_cut_off_is_no_row() {
        let line = row(&sample("a"), Language::English);
        let whole = line.strip_suffix(LINE_END).unwrap();
        for end in 0..whole.len() {
            if let Some(part) = whole.get(..end) {
                assert_eq!(RowFacts::read(part), None, "{part}");
            }
        }
        assert_eq!(RowFacts::read(&format!("{whole},\"\"")), None);
        assert_eq!(
            RowFacts::read(&whole.replace("TOTAL-FAILED", "FAILED")),
            None
        );
    }
}
