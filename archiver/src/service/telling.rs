//! Telling the events of the audit trail: the first one at once, what follows within minutes together.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::macros::offset;
use time::{Duration, OffsetDateTime};

use crate::audit::{Act, Notice};
use crate::cli::lang::Lang;
use crate::cli::output::{moment, shown_name};

/// Collects events, and says when they are to be told.
#[derive(Debug, Default)]
pub struct EventTeller {
    waiting: Vec<Notice>,
    /// Events that are not among those that wait: there were too many.
    left_out: u64,
    told_at: Option<OffsetDateTime>,
}

impl EventTeller {
    /// More events.
    pub fn add(&mut self, news: impl IntoIterator<Item = Notice>) {
        for notice in news {
            if self.waiting.len() < TOLD_MAX {
                self.waiting.push(notice);
            } else {
                self.left_out = self.left_out.saturating_add(1);
            }
        }
    }

    /// The entry of the first event that was not told yet.
    #[must_use]
    pub fn first_waiting(&self) -> Option<u64> {
        self.waiting.first().map(|notice| notice.sequence)
    }

    /// The message about what waits, when it is time for it.
    pub fn due(&mut self, archive: &str, now: OffsetDateTime) -> Option<Value> {
        let is_quiet = self
            .told_at
            .is_some_and(|told| (Duration::ZERO..QUIET).contains(&(now - told)));
        if self.waiting.is_empty() || is_quiet {
            return None;
        }
        self.told_at = Some(now);
        let events = std::mem::take(&mut self.waiting);
        let left_out = std::mem::take(&mut self.left_out);
        Some(message(archive, &events, left_out, now))
    }
}

/// The entry of the first event in a message that waits to be delivered; `None`: it is about something else.
#[must_use]
pub fn first_entry(message: &Value) -> Option<u64> {
    if message.get("schema")? != SCHEMA {
        return None;
    }
    let first = message.get("events")?.as_array()?.first()?;
    first.get("entry")?.as_u64()
}

fn message(archive: &str, events: &[Notice], left_out: u64, now: OffsetDateTime) -> Value {
    let time = |at: OffsetDateTime| {
        at.to_offset(offset!(UTC))
            .format(&Rfc3339)
            .unwrap_or_default()
    };
    let listed = events.iter().map(|one| {
        json!({
            "rule": one.kind.rule(),
            "kind": one.kind.name(),
            "entry": one.sequence,
            "time": one.time.map(time),
            "person": one.person,
            "client": one.client,
            "act": one.act,
            "about": one.about,
        })
    });
    json!({
        "schema": SCHEMA,
        "archive": archive,
        "at": time(now),
        "events": listed.collect::<Vec<_>>(),
        "left_out": left_out,
        "text": { "ja": text(events, left_out, Lang::Ja), "en": text(events, left_out, Lang::En) },
    })
}

/// One line that says how many there are and which one is the first, then one for each.
fn text(events: &[Notice], left_out: u64, lang: Lang) -> String {
    let count = (events.len() as u64).saturating_add(left_out);
    let first = events.first().map(|one| title(one, lang));
    let first = first.unwrap_or_default();
    let head = match count {
        1 => lang.pick(format!("事象: {first}"), format!("event: {first}")),
        count => lang.pick(
            format!("事象 {count} 件: {first} ほか"),
            format!("{count} events: {first} and others"),
        ),
    };
    let mut lines = vec![head];
    lines.extend(events.iter().map(|one| line(one, lang)));
    if left_out > 0 {
        lines.push(lang.pick(
            format!("ほかに {left_out} 件"),
            format!("and {left_out} more"),
        ));
    }
    lines.join("\n")
}

fn title(notice: &Notice, lang: Lang) -> String {
    let title = notice.kind.title(lang);
    match notice.kind.rule() {
        Some(rule) => format!("{rule} {title}"),
        None => title.to_owned(),
    }
}

fn line(notice: &Notice, lang: Lang) -> String {
    let time = notice.time.map(moment).unwrap_or_default();
    let act = Act::from_code(&notice.act).map_or("", |act| act.title(lang));
    let parts = [
        title(notice, lang),
        shown_name(&notice.person),
        shown_name(&notice.client),
        act.to_owned(),
        shown_name(&notice.about),
        lang.pick(
            format!("第{}行", notice.sequence),
            format!("entry {}", notice.sequence),
        ),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{time} {}", parts.join(" / "))
}

/// The schema of messages about events.
pub const SCHEMA: &str = "urn:fumikura:events:1";

/// After a message the next one waits so long, and tells all that came meanwhile: nobody reads a hundred mails about one attack.
pub const QUIET: Duration = Duration::minutes(10);

/// So many events are told in one message; the others are counted, and stand on the page.
pub const TOLD_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::audit::NoticeKind;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    fn notice(sequence: u64, kind: NoticeKind) -> Notice {
        Notice {
            kind,
            sequence,
            time: Some(NOW),
            person: "sa\u{202e}to".to_owned(),
            client: "192.0.2.7".to_owned(),
            act: "audit.read".to_owned(),
            about: String::new(),
        }
    }

    #[test]
    fn the_first_event_is_told_at_once_and_what_follows_together() {
        let mut teller = EventTeller::default();
        assert_eq!(teller.due("a", NOW), None);
        teller.add([notice(7, NoticeKind::Denied)]);
        assert_eq!(teller.first_waiting(), Some(7));
        let told = teller.due("a", NOW).expect("told");
        assert_eq!(told["events"][0]["rule"], "R5");
        assert_eq!(first_entry(&told), Some(7));
        let ja = told["text"]["ja"].as_str().expect("text");
        assert!(ja.starts_with("事象: R5 権限外の操作\n"), "{ja}");
        assert!(!ja.contains('\u{202e}'), "{ja}");
        assert_eq!(teller.first_waiting(), None);
        let minutes = Duration::minutes;
        teller.add([notice(8, NoticeKind::Broken)]);
        assert_eq!(teller.due("a", NOW + minutes(9)), None);
        teller.add([notice(9, NoticeKind::RightsChange)]);
        let told = teller.due("a", NOW + minutes(10)).expect("told");
        assert_eq!(told["events"].as_array().map(Vec::len), Some(2));
        assert_eq!(told["events"][0]["rule"], Value::Null);
        // A clock that was set back silences nothing.
        teller.add([notice(10, NoticeKind::Denied)]);
        assert!(teller.due("a", NOW - minutes(60)).is_some());
    }

    #[test]
    fn many_events_are_counted_and_not_all_listed() {
        let mut teller = EventTeller::default();
        let many = (1..).take(TOLD_MAX + 7);
        teller.add(many.map(|number| notice(number, NoticeKind::Denied)));
        let told = teller.due("a", NOW).expect("told");
        assert_eq!(told["events"].as_array().map(Vec::len), Some(TOLD_MAX));
        assert_eq!(told["left_out"], 7);
        let en = told["text"]["en"].as_str().expect("text");
        assert!(en.starts_with("57 events: R5"), "{en}");
        assert!(en.ends_with("and 7 more"), "{en}");
        assert_eq!(first_entry(&json!({ "schema": "other" })), None);
    }
}
