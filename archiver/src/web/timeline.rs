//! The proof of a record as a picture: who proves it since when and until when.

use maud::{Markup, html};
use time::{Duration, OffsetDateTime};

use super::text::{day, moment};
use crate::cli::lang::Lang;
use crate::evidence::timeline::ProofSpan;

/// The picture, and the same as a table for those who do not see it.
pub(super) fn timeline(spans: &[ProofSpan], now: OffsetDateTime, lang: Lang) -> Markup {
    if spans.is_empty() {
        return html! { p.notice.warn { (lang.pick(
        "タイムスタンプを待っています。付くまでは、存在した時刻を外部に対して証明できません。",
        "It waits for its timestamp. Until then nobody outside can be shown since when it exists.")) } };
    }
    html! {
        (picture(spans, now, lang))
        details {
            summary { (lang.pick("表で見る", "As a table")) }
            div.scroll { table {
                thead { tr { th scope="col" { (lang.pick("時刻認証局", "Authority")) } th scope="col" { (lang.pick("証明の時刻", "Proven since")) }
                    th scope="col" { (lang.pick("有効期限", "Holds until")) } th scope="col" { (lang.pick("期限の理由", "What ends then")) } th scope="col" { (lang.pick("役割", "Part")) } } }
                tbody { @for span in spans { tr {
                    td { bdi { (span.tsa) } } td { (moment(span.stamped_at)) }
                    td { @match span.ends_at { Some(end) => { (moment(end)) } None => { "—" } } }
                    td { (span.end_reason.map_or("", |reason| reason_text(reason, lang))) }
                    td { (part(span, lang)) }
                } } }
            } }
        }
    }
}

fn part(span: &ProofSpan, lang: Lang) -> &'static str {
    if span.is_newest {
        lang.pick("現在の証明", "the proof that holds now")
    } else {
        lang.pick(
            "更新済み(新しい証明が守る)",
            "renewed: a later one protects it",
        )
    }
}

pub(super) fn reason_text(code: &str, lang: Lang) -> &'static str {
    match code {
        "certificate-path" => lang.pick("証明書の期限", "certificates end"),
        "signature-algorithm" => lang.pick("署名アルゴリズム", "signature algorithm"),
        "signature-digest" | "tree-digest" => lang.pick("ハッシュ関数", "hash function"),
        _ => lang.pick("検証できません", "it does not verify"),
    }
}

/// Pixels of the picture's own grid.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 10.0;
const ROW: f64 = 34.0;

fn picture(spans: &[ProofSpan], now: OffsetDateTime, lang: Lang) -> Markup {
    let starts = spans.iter().map(|span| span.stamped_at);
    let ends = spans.iter().filter_map(|span| span.ends_at);
    let first = starts.min().unwrap_or(now).min(now);
    let last = ends.max().unwrap_or(now).max(now + Duration::days(365));
    let whole = (last - first).as_seconds_f64().max(1.0);
    let at = |time: OffsetDateTime| {
        LEFT + (time - first).as_seconds_f64() / whole * (WIDTH - 2.0 * LEFT)
    };
    let rows = spans.len() as f64;
    let height = rows * ROW + 46.0;
    let newest = spans.iter().find(|span| span.is_newest);
    let label = match newest.and_then(|span| span.ends_at.map(|end| (span, end))) {
        Some((span, end)) => lang.pick(
            format!(
                "{} から証明され、現在の証明は {} まで有効({})",
                day(first),
                day(end),
                span.tsa
            ),
            format!(
                "proven since {}; the proof that holds now holds until {} ({})",
                day(first),
                day(end),
                span.tsa
            ),
        ),
        None => lang.pick(
            format!("{} から証明", day(first)),
            format!("proven since {}", day(first)),
        ),
    };
    html! {
        figure {
            svg.timeline role="img" aria-label=(label) viewBox={ "0 0 " (WIDTH) " " (height) } xmlns="http://www.w3.org/2000/svg" {
                @for year in years(first, last) {
                    @let x = at(year);
                    line.axis x1=(x) x2=(x) y1="0" y2=(height - 40.0) {}
                    text x=(x) y=(height - 24.0) text-anchor="middle" { (year.year()) }
                }
                @for (number, span) in spans.iter().enumerate() { (bar(span, number as f64 * ROW, &at, last, lang)) }
                line.today x1=(at(now)) x2=(at(now)) y1="0" y2=(height - 40.0) {}
                text x=(at(now).clamp(30.0, WIDTH - 30.0)) y=(height - 6.0) text-anchor="middle" { (lang.pick("今日", "today")) }
            }
            figcaption.hint { (label) }
        }
    }
}

fn bar(
    span: &ProofSpan,
    y: f64,
    at: &dyn Fn(OffsetDateTime) -> f64,
    last: OffsetDateTime,
    lang: Lang,
) -> Markup {
    let (from, to) = (at(span.stamped_at), at(span.ends_at.unwrap_or(last)));
    let width = (to - from).max(4.0);
    let class = if span.is_newest { "proof" } else { "proof old" };
    // Long enough for the name, or it stands in the table alone.
    let is_roomy = width > 14.0 * span.tsa.chars().count() as f64 * 0.62;
    html! {
        rect class=(class) x=(from) y=(y + 6.0) width=(width) height=(ROW - 12.0) rx="4" {
            title { (span.tsa) " " (day(span.stamped_at)) " – " (span.ends_at.map(day).unwrap_or_default()) " " (part(span, lang)) }
        }
        @if is_roomy { text.label x=(from + 8.0) y=(y + 21.0) { (span.tsa) } }
    }
}

/// New Year's Days between two times, at most a dozen.
fn years(first: OffsetDateTime, last: OffsetDateTime) -> Vec<OffsetDateTime> {
    let count = last.year() - first.year();
    let step = (count / 12 + 1).max(1);
    let mut found = Vec::new();
    let mut year = first.year() + 1;
    while year <= last.year() && found.len() < 24 {
        let day = time::Date::from_calendar_date(year, time::Month::January, 1);
        if let Ok(day) = day {
            found.push(day.midnight().assume_utc());
        }
        year += step;
    }
    found
}
