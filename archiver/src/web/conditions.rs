//! The conditions of a search: its form, as the API asks, and as an address.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use maud::{Markup, html};

use super::text::query_of;
use crate::api::{NEWEST, NONE, OLDEST, SearchParams};
use crate::cli::lang::Lang;

/// The fields of the form.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct SearchForm {
    pub(super) from: String,
    pub(super) to: String,
    no_date: Option<String>,
    low: String,
    high: String,
    no_amount: Option<String>,
    currency: String,
    counterparty: String,
    no_counterparty: Option<String>,
    pub(super) class: String,
    text: String,
    document_number: String,
    matter: String,
    received_from: String,
    received_to: String,
    unstamped: Option<String>,
    order: String,
    all_versions: Option<String>,
    pub(super) cursor: String,
    go: Option<String>,
}

impl SearchForm {
    /// The same as the API asks.
    pub(super) fn params(&self) -> SearchParams {
        let range = |low: &str, high: &str, none: bool| match (low.trim(), high.trim(), none) {
            (_, _, true) => Some(NONE.to_owned()),
            ("", "", false) => None,
            (low, high, false) => Some(format!("{low}..{high}")),
        };
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let counterparty = match self.no_counterparty {
            Some(_) => Some(NONE.to_owned()),
            None => text(&self.counterparty),
        };
        SearchParams {
            date: range(&self.from, &self.to, self.no_date.is_some()),
            amount: range(&self.low, &self.high, self.no_amount.is_some()),
            currency: text(&self.currency),
            counterparty,
            class: text(&self.class),
            text: text(&self.text),
            document_number: text(&self.document_number),
            matter: text(&self.matter),
            received_from: text(&self.received_from),
            received_to: text(&self.received_to),
            unstamped: Some(self.unstamped.is_some()),
            // People look for what came last.
            order: Some(text(&self.order).unwrap_or_else(|| NEWEST.to_owned())),
            all_versions: Some(self.all_versions.is_some()),
            cursor: text(&self.cursor),
            limit: Some(PAGE),
        }
    }

    fn has_more(&self) -> bool {
        let texts = [
            &self.document_number,
            &self.matter,
            &self.received_from,
            &self.received_to,
        ];
        self.unstamped.is_some() || texts.iter().any(|text| !text.is_empty())
    }

    pub(super) fn is_asked(&self) -> bool {
        let texts = [
            &self.from,
            &self.to,
            &self.low,
            &self.high,
            &self.counterparty,
            &self.class,
            &self.text,
            &self.currency,
            &self.document_number,
            &self.matter,
            &self.received_from,
            &self.received_to,
        ];
        self.go.is_some()
            || texts.iter().any(|text| !text.trim().is_empty())
            || self.unstamped.is_some()
            || self.no_date.is_some()
            || self.no_amount.is_some()
            || self.no_counterparty.is_some()
    }

    /// The fields that a query of an address fills. `None`: it is none.
    pub(super) fn of_query(query: &str) -> Option<Self> {
        let uri: Uri = format!("/search?{query}").parse().ok()?;
        let form = Query::<Self>::try_from_uri(&uri).ok()?;
        Some(form.0)
    }

    /// The fields as they stand for what an account keeps; `None`: these are no conditions.
    pub(super) fn of(conditions: &BTreeMap<String, String>) -> Option<Self> {
        let params = SearchParams::of_conditions(conditions)?;
        let set = |set: Option<bool>| set.filter(|set| *set).map(|_| "1".to_owned());
        let (from, to, no_date) = ends(params.date);
        let (low, high, no_amount) = ends(params.amount);
        let no_counterparty = params.counterparty.as_deref() == Some(NONE);
        let counterparty = params.counterparty.filter(|_| !no_counterparty);
        Some(Self {
            from,
            to,
            no_date: set(Some(no_date)),
            low,
            high,
            no_amount: set(Some(no_amount)),
            currency: params.currency.unwrap_or_default(),
            counterparty: counterparty.unwrap_or_default(),
            no_counterparty: set(Some(no_counterparty)),
            class: params.class.unwrap_or_default(),
            text: params.text.unwrap_or_default(),
            document_number: params.document_number.unwrap_or_default(),
            matter: params.matter.unwrap_or_default(),
            received_from: params.received_from.unwrap_or_default(),
            received_to: params.received_to.unwrap_or_default(),
            unstamped: set(params.unstamped),
            order: params.order.unwrap_or_default(),
            all_versions: set(params.all_versions),
            cursor: String::new(),
            go: None,
        })
    }

    /// The conditions as a query of an address, for the next page and for downloads.
    pub(super) fn address(&self, cursor: Option<&str>) -> String {
        let mut fields: Vec<(&str, &str)> = vec![
            ("from", &self.from),
            ("to", &self.to),
            ("low", &self.low),
            ("high", &self.high),
            ("currency", &self.currency),
            ("counterparty", &self.counterparty),
            ("class", &self.class),
            ("text", &self.text),
            ("document_number", &self.document_number),
            ("matter", &self.matter),
            ("received_from", &self.received_from),
            ("received_to", &self.received_to),
            ("order", &self.order),
        ];
        fields.retain(|(_, value)| !value.is_empty());
        for (key, set) in [
            ("no_date", &self.no_date),
            ("no_amount", &self.no_amount),
            ("no_counterparty", &self.no_counterparty),
            ("unstamped", &self.unstamped),
            ("all_versions", &self.all_versions),
        ] {
            if set.is_some() {
                fields.push((key, "1"));
            }
        }
        fields.push(("go", "1"));
        if let Some(cursor) = cursor {
            fields.push(("cursor", cursor));
        }
        query_of(&fields)
    }
}

/// The form.
pub(super) fn conditions(form: &SearchForm, classes: &[(String, String)], lang: Lang) -> Markup {
    let none = lang.pick("記載なしの記録", "records without one");
    html! {
        form.sheet.no-print method="get" action="/search" role="search" {
            div.fields {
                div { label for="from" { (lang.pick("取引年月日(から)", "Date from")) } input #from type="date" name="from" value=(form.from);
                    label.inline { input type="checkbox" name="no_date" value="1" checked[form.no_date.is_some()]; (none) } }
                div { label for="to" { (lang.pick("取引年月日(まで)", "Date until")) } input #to type="date" name="to" value=(form.to); }
                div { label for="low" { (lang.pick("金額(以上)", "Amount from")) } input #low type="text" inputmode="decimal" name="low" value=(form.low);
                    label.inline { input type="checkbox" name="no_amount" value="1" checked[form.no_amount.is_some()]; (none) } }
                div { label for="high" { (lang.pick("金額(以下)", "Amount until")) } input #high type="text" inputmode="decimal" name="high" value=(form.high); }
                div { label for="counterparty" { (lang.pick("取引先(一部でも)", "Counterparty, or a part of it")) } input #counterparty type="text" name="counterparty" value=(form.counterparty);
                    label.inline { input type="checkbox" name="no_counterparty" value="1" checked[form.no_counterparty.is_some()]; (none) } }
                div { label for="currency" { (lang.pick("通貨", "Currency")) } input #currency type="text" name="currency" maxlength="3" value=(form.currency); }
                div { label for="class" { (lang.pick("保管要件", "Class")) } select #class name="class" {
                    option value="" { (lang.pick("すべて", "all")) }
                    @for (id, title) in classes { option value=(id) selected[*id == form.class] { (title) } }
                } }
                div { label for="text" { (lang.pick("文字列(ファイル名など)", "Any text, file names too")) } input #text type="text" name="text" value=(form.text); }
                div { label for="order" { (lang.pick("並び順", "Order")) } select #order name="order" {
                    option value=(NEWEST) { (lang.pick("受領の新しい順", "latest received first")) }
                    option value=(OLDEST) selected[form.order == OLDEST] { (lang.pick("受領の古い順", "earliest received first")) }
                } }
            }
            details open[form.has_more()] { summary { (lang.pick("そのほかの条件", "More conditions")) }
                div.fields {
                    div { label for="document_number" { (lang.pick("書類番号(一部でも)", "Document number, or a part of it")) } input #document_number type="text" name="document_number" value=(form.document_number); }
                    div { label for="matter" { (lang.pick("案件", "Matter")) } input #matter type="text" name="matter" value=(form.matter); }
                    div { label for="received_from" { (lang.pick("受領日(から)", "Received from")) } input #received_from type="date" name="received_from" value=(form.received_from); }
                    div { label for="received_to" { (lang.pick("受領日(まで)", "Received until")) } input #received_to type="date" name="received_to" value=(form.received_to); }
                }
                label.inline { input type="checkbox" name="unstamped" value="1" checked[form.unstamped.is_some()]; (lang.pick("タイムスタンプ待ちだけ", "only what waits for its timestamp")) }
            }
            label.inline { input type="checkbox" name="all_versions" value="1" checked[form.all_versions.is_some()]; (lang.pick("古い版も", "older versions, too")) }
            div.actions { button type="submit" name="go" value="1" { (lang.pick("検索", "Search")) } a href="/search" { (lang.pick("条件を消す", "Clear")) } }
        }
    }
}

/// Both ends of a condition, and whether it asks for records without a value. A single value is both ends.
fn ends(condition: Option<String>) -> (String, String, bool) {
    let condition = condition.unwrap_or_default();
    match condition.split_once("..") {
        _ if condition == NONE => (String::new(), String::new(), true),
        Some((low, high)) => (low.to_owned(), high.to_owned(), false),
        None => (condition.clone(), condition, false),
    }
}

/// Hits on a page.
pub(super) const PAGE: u16 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_fills_the_form_again_and_asks_the_same() {
        for query in [
            "from=2026-01-01&to=2026-03-31&low=0&high=&counterparty=%E6%96%87%E8%94%B5&all_versions=1&order=oldest",
            "no_date=1&no_amount=1&no_counterparty=1&class=general&currency=JPY",
            "text=a&document_number=7&matter=m&received_from=2026-01-01&received_to=2026-01-31&unstamped=1&low=1&high=2",
            "go=1",
        ] {
            let form = SearchForm::of_query(query).unwrap();
            let conditions = form.params().conditions();
            let again = SearchForm::of(&conditions).unwrap();
            assert_eq!(again.params().conditions(), conditions, "{query}");
            let address = SearchForm::of_query(&again.address(None)).unwrap();
            assert_eq!(address.params().conditions(), conditions, "{query}");
        }
        let single = [("amount".to_owned(), "110000".to_owned())].into();
        let form = SearchForm::of(&single).unwrap();
        assert_eq!(
            (form.low.as_str(), form.high.as_str()),
            ("110000", "110000")
        );
        let unknown = [("cursor".to_owned(), "x".to_owned())].into();
        assert!(SearchForm::of(&unknown).is_none());
    }
}
