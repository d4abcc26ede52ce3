//! Where the command line writes: results on standard output, everything else on standard error.
//!
//! The only place of this crate that prints.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use time::macros::offset;
use time::{Date, OffsetDateTime};

use super::lang::Lang;

/// The terminal, or what stands in its place.
#[derive(Debug, Clone)]
pub struct Output {
    /// The language of texts.
    pub lang: Lang,
    /// Whether results are printed for machines.
    pub json: bool,
    progress: bool,
    /// Whether results are passed over and notes are log lines.
    service: bool,
    /// Whether the archive is for trying the product out; all clones know it.
    evaluation: Arc<AtomicBool>,
}

impl Output {
    /// An output in one language; `json` prints results for machines, `progress` allows progress bars on a terminal.
    #[must_use]
    pub fn new(lang: Lang, json: bool, progress: bool) -> Self {
        Self {
            lang,
            json,
            progress,
            service: false,
            evaluation: Arc::new(AtomicBool::new(false)),
        }
    }

    /// From now on each result for machines says that the archive is for trying the product out.
    pub fn mark_evaluation(&self) {
        self.evaluation.store(true, Ordering::Relaxed);
    }

    /// Whether [`Output::mark_evaluation`] was called.
    #[must_use]
    pub fn is_evaluation(&self) -> bool {
        self.evaluation.load(Ordering::Relaxed)
    }

    /// A line for machines.
    fn line(&self, value: &Value) -> String {
        let mut value = value.clone();
        if self.is_evaluation()
            && let Value::Object(fields) = &mut value
        {
            fields.entry("evaluation").or_insert(Value::Bool(true));
        }
        value.to_string()
    }

    /// The output of a service: no results, no progress, and every note a log line.
    #[must_use]
    pub fn for_service(&self) -> Self {
        Self {
            lang: self.lang,
            json: false,
            progress: false,
            service: true,
            evaluation: Arc::clone(&self.evaluation),
        }
    }

    /// One line of result for people; not printed with `--json`.
    pub fn say(&self, text: &str) {
        if !self.json && !self.service {
            line_to(&mut io::stdout().lock(), text);
        }
    }

    /// One result for machines, on a line of its own; printed only with `--json`, and at once.
    pub fn event(&self, value: &Value) {
        if self.json {
            line_to(&mut io::stdout().lock(), &self.line(value));
        }
    }

    /// Results for machines that became certain together, in one write: who reads them gets all or, after a kill, as good as none.
    pub fn events(&self, values: &[Value]) {
        if self.json && !values.is_empty() {
            let lines: Vec<String> = values.iter().map(|value| self.line(value)).collect();
            line_to(&mut io::stdout().lock(), &lines.join("\n"));
        }
    }

    /// One line that is no result: a warning, a failure, a notice.
    pub fn note(&self, text: &str) {
        if self.service && !text.starts_with('{') {
            let line = json!({ "level": "warning", "event": "note", "text": text });
            line_to(&mut io::stderr().lock(), &line.to_string());
            return;
        }
        line_to(&mut io::stderr().lock(), text);
    }

    /// A progress bar over `length` units; it draws on a terminal only.
    #[must_use]
    pub fn bar(&self, label: &str, length: u64, unit: Unit) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(length), self.target());
        bar.set_style(style(unit.template()));
        bar.set_message(label.to_owned());
        bar
    }

    /// A sign of life for work whose length is not known.
    #[must_use]
    pub fn spinner(&self, label: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        bar.set_style(style("{spinner} {msg} {pos} {elapsed}"));
        bar.set_message(label.to_owned());
        if self.draws() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar
    }

    fn draws(&self) -> bool {
        self.progress && !self.json && io::IsTerminal::is_terminal(&io::stderr())
    }

    fn target(&self) -> ProgressDrawTarget {
        if self.draws() {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        }
    }
}

/// What a progress bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Records or files.
    Items,
    /// Bytes.
    Bytes,
}

impl Unit {
    const fn template(self) -> &'static str {
        match self {
            Self::Items => "{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta}",
            Self::Bytes => "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// Writes a line. A reader that went away (a closed pipe) is not a failure of the work that was done.
fn line_to(target: &mut impl Write, text: &str) {
    let mut line = String::with_capacity(text.len().saturating_add(1));
    line.push_str(text);
    line.push('\n');
    let written = target
        .write_all(line.as_bytes())
        .and_then(|()| target.flush());
    drop(written);
}

/// A number with separators: `1234567` as `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len().saturating_sub(position)).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with separators and its noun: `1 record`, `1,234 records`.
#[must_use]
pub fn counted(number: u64, one: &str, many: &str) -> String {
    let noun = if number == 1 { one } else { many };
    format!("{} {noun}", grouped(number))
}

/// A decimal amount with separators in its whole part: `-1234567.50` as `-1,234,567.50`.
#[must_use]
pub fn grouped_amount(amount: &str) -> String {
    let (sign, rest) = amount
        .strip_prefix('-')
        .map_or(("", amount), |rest| ("-", rest));
    let (whole, fraction) = rest
        .split_once('.')
        .map_or((rest, None), |(w, f)| (w, Some(f)));
    match (whole.parse::<u64>(), fraction) {
        (Ok(number), None) => format!("{sign}{}", grouped(number)),
        (Ok(number), Some(fraction)) => format!("{sign}{}.{fraction}", grouped(number)),
        (Err(_), _) => amount.to_owned(),
    }
}

/// A size for people, in binary units.
#[must_use]
pub fn sized(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// A time for people: Japan's first, then UTC.
#[must_use]
pub fn moment(time: OffsetDateTime) -> String {
    let jst = time.to_offset(offset!(+9));
    let utc = time.to_offset(offset!(UTC));
    let clock = |t: OffsetDateTime| format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second());
    let utc_day = if utc.date() == jst.date() {
        String::new()
    } else {
        format!("{} ", utc.date())
    };
    format!(
        "{} {} JST ({utc_day}{} UTC)",
        jst.date(),
        clock(jst),
        clock(utc)
    )
}

/// The day that a time is in Japan, as days are told to people and written on lists.
#[must_use]
pub const fn day(time: OffsetDateTime) -> Date {
    time.to_offset(offset!(+9)).date()
}

/// A name for one line of a terminal: control characters, line ends and what turns the direction of writing are escaped.
#[must_use]
pub fn shown_name(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            if c.is_control() || turns_direction(c) {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

/// Whether a character changes the direction in which others are shown, itself unseen (Unicode Bidi_Control).
#[must_use]
pub const fn turns_direction(one: char) -> bool {
    matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), text);
        }
        for (number, text) in [(0, "0 records"), (1, "1 record"), (1234, "1,234 records")] {
            assert_eq!(counted(number, "record", "records"), text);
        }
        for (amount, text) in [
            ("110000", "110,000"),
            ("-1234.50", "-1,234.50"),
            ("0", "0"),
            ("x", "x"),
        ] {
            assert_eq!(grouped_amount(amount), text);
        }
    }

    #[test]
    fn times_are_shown_in_japan_and_utc() {
        assert_eq!(
            moment(datetime!(2026-11-22 03:48:30 UTC)),
            "2026-11-22 12:48:30 JST (03:48:30 UTC)"
        );
        assert_eq!(
            moment(datetime!(2026-12-31 20:00:00 UTC)),
            "2027-01-01 05:00:00 JST (2026-12-31 20:00:00 UTC)"
        );
    }

    #[test]
    fn a_trial_is_marked_on_each_line_for_machines() {
        let output = Output::new(Lang::En, true, false);
        let silent = output.for_service();
        let line = json!({ "event": "x" });
        assert_eq!(output.line(&line), r#"{"event":"x"}"#);
        output.mark_evaluation();
        for output in [&output, &silent] {
            assert!(output.line(&line).contains(r#""evaluation":true"#));
            // What says it itself says it once, and what is no object stays what it is.
            let own = output.line(&json!({ "evaluation": false }));
            assert_eq!(own, r#"{"evaluation":false}"#);
            assert_eq!(output.line(&json!([1])), "[1]");
        }
    }

    #[test]
    fn a_day_is_the_day_in_japan() {
        let text = |time| day(time).to_string();
        assert_eq!(text(datetime!(2026-11-22 14:59:59 UTC)), "2026-11-22");
        assert_eq!(text(datetime!(2026-11-22 15:00 UTC)), "2026-11-23");
        assert_eq!(text(datetime!(2026-11-23 00:00 -05:00)), "2026-11-23");
    }

    #[test]
    fn a_name_never_breaks_the_line() {
        assert_eq!(shown_name("two\nlines\u{1b}[31m"), "two\\nlines\\u{1b}[31m");
        assert_eq!(shown_name("請求書.pdf"), "請求書.pdf");
        assert_eq!(shown_name("bill\u{202e}fdp.txt"), "bill\\u{202e}fdp.txt");
    }
}
