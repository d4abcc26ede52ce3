//! Whether a version is what was searched for.

use std::cmp::Ordering;

use formats::manifest::Amount;

use super::normal::normalise;
use super::query::MATTER;
use super::{Hit, Query, ValueMatch};

/// A query with its texts normalised once.
#[derive(Debug)]
pub(super) struct Matcher<'a> {
    query: &'a Query,
    counterparty: Option<String>,
    text: Option<String>,
    document_number: Option<String>,
    additional: Vec<(&'a str, String)>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(query: &'a Query) -> Self {
        let normal = |text: &Option<String>| text.as_deref().map(normalise);
        let additional = query.additional.iter();
        Self {
            query,
            counterparty: normal(&query.counterparty),
            text: normal(&query.text),
            document_number: normal(&query.document_number),
            additional: additional
                .map(|(key, value)| (key.as_str(), normalise(value)))
                .collect(),
        }
    }

    /// Whether the version fulfils all conditions but those on its stamp.
    pub(super) fn matches(&self, hit: &Hit) -> bool {
        let query = self.query;
        let metadata = &hit.metadata;
        (query.all_versions || !hit.superseded)
            && query.class.as_ref().is_none_or(|class| *class == hit.class)
            && is_within(query, hit)
            && query
                .record
                .is_none_or(|record| record == hit.version.record())
            && between(&query.date, metadata.date.as_ref(), Ord::cmp)
            && between(
                &query.amount,
                metadata.amount.as_ref(),
                Amount::numeric_order,
            )
            && between(&query.received, Some(&hit.received_at), Ord::cmp)
            && query.currency.as_ref().is_none_or(|wanted| {
                let currency = metadata.currency.as_ref();
                currency.is_some_and(|currency| wanted.eq_ignore_ascii_case(currency.as_str()))
            })
            && holds(
                self.counterparty.as_deref(),
                metadata.counterparty.as_deref(),
            )
            && holds(
                self.document_number.as_deref(),
                metadata.document_number.as_deref(),
            )
            && self.additional.iter().all(|(key, wanted)| {
                let value = metadata.additional.get(*key);
                value.is_some_and(|value| normalise(value) == *wanted)
            })
            && self.text.as_deref().is_none_or(|text| any_text(hit, text))
    }
}

/// Whether the version is of a class and of a matter that may be seen.
fn is_within(query: &Query, hit: &Hit) -> bool {
    let matter = hit.metadata.additional.get(MATTER);
    query
        .classes
        .as_ref()
        .is_none_or(|classes| classes.contains(&hit.class))
        && !query.not_classes.contains(&hit.class)
        && query
            .matters
            .as_ref()
            .is_none_or(|matters| matter.is_some_and(|matter| matters.contains(matter)))
}

/// Whether a value lies in a range. What is not there lies in no range.
fn between<T>(
    wanted: &ValueMatch<T>,
    value: Option<&T>,
    order: impl Fn(&T, &T) -> Ordering,
) -> bool {
    match (wanted, value) {
        (ValueMatch::Any, _) | (ValueMatch::Missing, None) => true,
        (ValueMatch::Missing, Some(_)) | (ValueMatch::Between(..), None) => false,
        (ValueMatch::Between(from, to), Some(value)) => {
            from.as_ref()
                .is_none_or(|from| order(from, value) != Ordering::Greater)
                && to
                    .as_ref()
                    .is_none_or(|to| order(value, to) != Ordering::Greater)
        }
    }
}

/// Whether a text holds what is wanted. The empty text asks for no text.
fn holds(wanted: Option<&str>, value: Option<&str>) -> bool {
    match (wanted, value) {
        (None, _) => true,
        (Some(""), value) => value.is_none(),
        (Some(wanted), Some(value)) => normalise(value).contains(wanted),
        (Some(_), None) => false,
    }
}

fn any_text(hit: &Hit, wanted: &str) -> bool {
    let metadata = &hit.metadata;
    let registration = metadata.registration_number.as_ref();
    let texts = [
        metadata.counterparty.as_deref(),
        metadata.title.as_deref(),
        metadata.document_number.as_deref(),
        registration.map(|number| number.as_str()),
        metadata.supplier.as_deref(),
        metadata.customer.as_deref(),
    ];
    texts
        .into_iter()
        .flatten()
        .chain(metadata.additional.values().map(String::as_str))
        .chain(hit.objects.iter().map(|object| object.name.as_str()))
        .any(|text| normalise(text).contains(wanted))
}
