//! The table of an export: one row for each object, in the order of the search.

use verifier::bulk::table;

use super::export::Exported;
use crate::cli::lang::Lang;
use crate::store::catalog::Hit;

/// Its name. It is written last: an export with it is complete.
pub const INDEX: &str = "index.csv";

/// The first line, with the mark by which spreadsheets know UTF-8.
#[must_use]
pub fn head(lang: Lang, is_trial: bool) -> String {
    let header = lang.pick(
        [
            "記録",
            "版",
            "取引年月日",
            "金額",
            "通貨",
            "取引先",
            "保管要件",
            "受領日時",
            "名前",
            "場所",
            "バイト数",
            "SHA-256",
        ],
        [
            "record",
            "version",
            "date",
            "amount",
            "currency",
            "counterparty",
            "class",
            "received at",
            "name",
            "path",
            "bytes",
            "SHA-256",
        ],
    );
    let mut text = String::from(table::BYTE_ORDER_MARK);
    // The last column, so that whoever reads by position is not led astray.
    let heading = is_trial.then(|| lang.pick("試用", "evaluation"));
    text.push_str(&table::line(header.into_iter().chain(heading)));
    text
}

/// The row of an object.
#[must_use]
pub fn row(hit: &Hit, object: &Exported, is_trial: bool) -> String {
    let metadata = &hit.metadata;
    let text = |value: Option<&dyn std::fmt::Display>| {
        value.map_or_else(String::new, |value| value.to_string())
    };
    let values = [
        hit.version.record().to_string(),
        hit.version.version().to_string(),
        text(metadata.date.as_ref().map(|value| value as _)),
        text(metadata.amount.as_ref().map(|value| value as _)),
        text(metadata.currency.as_ref().map(|value| value as _)),
        metadata.counterparty.clone().unwrap_or_default(),
        hit.class.clone(),
        crate::cli::output::moment(hit.received_at),
        object.name.clone(),
        object.path.to_string_lossy().into_owned(),
        object.size.to_string(),
        object.sha256.clone(),
    ];
    let mark = is_trial.then_some("EVALUATION");
    table::line(values.iter().map(String::as_str).chain(mark))
}
