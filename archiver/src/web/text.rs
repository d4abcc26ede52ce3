//! How values are shown to people.

use maud::{Markup, html};
use time::OffsetDateTime;
use time::macros::{format_description, offset};

use crate::cli::output::{grouped, grouped_amount, sized, turns_direction};
use crate::store::catalog::Hit;

/// A time in Japan and in UTC.
pub(super) fn moment(at: OffsetDateTime) -> Markup {
    let jst = at
        .to_offset(offset!(+9))
        .format(format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second]"
        ))
        .unwrap_or_default();
    let utc = at
        .to_offset(offset!(UTC))
        .format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
        ))
        .unwrap_or_default();
    html! { time datetime=(utc) { (jst) " JST" } " " small.hint { "(" (utc) ")" } }
}

/// The day of a time in Japan.
pub(super) fn day(at: OffsetDateTime) -> String {
    at.to_offset(offset!(+9)).date().to_string()
}

/// A name that somebody else chose: isolated, so that its writing direction changes nothing around it, and with what cannot be seen made visible.
pub(super) fn foreign(text: &str) -> Markup {
    html! { bdi { (visible(text)) } }
}

/// The same where no element can stand.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .map(|one| {
            if one.is_ascii_control() || turns_direction(one) {
                '\u{fffd}'
            } else {
                one
            }
        })
        .collect()
}

/// The amount of a version, with separators and its currency.
pub(super) fn amount(hit: &Hit) -> String {
    let Some(amount) = &hit.metadata.amount else {
        return String::new();
    };
    let number = grouped_amount(amount.as_str());
    match &hit.metadata.currency {
        Some(currency) => format!("{number} {currency}"),
        None => number,
    }
}

/// A number of bytes.
pub(super) fn bytes(count: u64) -> String {
    sized(count)
}

/// A number with separators.
pub(super) fn number(count: u64) -> String {
    grouped(count)
}

/// The name of the first content of a version.
pub(super) fn name(hit: &Hit) -> String {
    let first = hit.objects.first();
    first
        .map(|object| object.name.to_string())
        .unwrap_or_default()
}

/// Fields as the query of an address, or as the body of a form.
pub(super) fn query_of(fields: &[(&str, &str)]) -> String {
    let address = reqwest::Url::parse_with_params("https://localhost/", fields).ok();
    let query = address.as_ref().and_then(reqwest::Url::query);
    query.unwrap_or_default().to_owned()
}
