//! The state of the service as numbers, in the text format of Prometheus (exposition format 0.0.4).

use std::fmt::Write as _;

use time::OffsetDateTime;

use super::alarms::{AlarmKind, StandingAlarm};
use super::work::IndexFilling;

/// What is known, to be shown.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// When the service was started.
    pub started_at: Option<OffsetDateTime>,
    /// When the archive was last visited with success.
    pub visited_at: Option<OffsetDateTime>,
    /// Why the archive cannot be visited, if it cannot.
    pub unreachable: Option<String>,
    /// How far the index is, while it is being made.
    pub index_filling: Option<IndexFilling>,
    /// Visits that came about.
    pub visits: u64,
    /// Visits that did not.
    pub visits_failed: u64,
    /// Record versions that wait for a timestamp.
    pub unstamped: u64,
    /// Since when.
    pub unstamped_since: Option<OffsetDateTime>,
    /// Record versions stamped since the start.
    pub stamped: u64,
    /// Tokens made since the start.
    pub tokens: u64,
    /// Chains renewed since the start.
    pub renewed: u64,
    /// Renewals that are due and not done.
    pub renewals_due: u64,
    /// When the next one will be due.
    pub renewal_next: Option<OffsetDateTime>,
    /// The last moment of those that are due.
    pub renewal_deadline: Option<OffsetDateTime>,
    /// Record versions whose proof has ended.
    pub lost: u64,
    /// Failures in a row, by authority.
    pub authorities: Vec<(String, u32)>,
    /// Alarms that stand, by kind.
    pub alarms: Vec<(AlarmKind, u64)>,
    /// The same, each with its words.
    pub standing: Vec<StandingAlarm>,
    /// Messages that wait to be delivered.
    pub undelivered: u64,
}

/// The metrics as text. `now` tells how long records wait.
#[must_use]
pub fn to_text(status: &Status, now: OffsetDateTime) -> String {
    let mut page = Page(String::new());
    for (name, help, value) in numbers(status, now) {
        page.head(name, help);
        page.sample(name, &[], value);
    }
    for (name, help, at) in moments(status) {
        if let Some(at) = at {
            page.head(name, help);
            page.sample(name, &[], at.unix_timestamp());
        }
    }
    page.head("visits_total", "Visits to the archive since the start.");
    page.sample("visits_total", &[("result", "ok")], status.visits);
    page.sample(
        "visits_total",
        &[("result", "failed")],
        status.visits_failed,
    );
    page.head(
        "authority_failures",
        "Failures of an authority since its last token.",
    );
    for (name, failures) in &status.authorities {
        page.sample("authority_failures", &[("authority", name)], *failures);
    }
    if let Some(filling) = &status.index_filling {
        page.head(
            "index_versions",
            "Record versions in the index that is being made.",
        );
        page.sample("index_versions", &[], filling.versions);
        page.head("index_versions_expected", "About how many it will hold.");
        page.sample("index_versions_expected", &[], filling.versions_expected);
    }
    page.head("alarms", "Alarms that stand.");
    for (kind, count) in &status.alarms {
        page.sample("alarms", &[("kind", kind.name())], *count);
    }
    page.0
}

fn numbers(status: &Status, now: OffsetDateTime) -> Vec<(&'static str, &'static str, u64)> {
    let waits = status
        .unstamped_since
        .map_or(0, |since| (now - since).whole_seconds().max(0));
    let is_up = status.unreachable.is_none() && status.visited_at.is_some();
    vec![
        (
            "up",
            "Whether the archive could be visited last time.",
            u64::from(is_up),
        ),
        (
            "unstamped_records",
            "Record versions that wait for a timestamp.",
            status.unstamped,
        ),
        (
            "unstamped_oldest_seconds",
            "How long the oldest of them has waited.",
            waits.unsigned_abs(),
        ),
        (
            "stamped_records_total",
            "Record versions stamped since the start.",
            status.stamped,
        ),
        (
            "tokens_total",
            "Tokens made since the start.",
            status.tokens,
        ),
        (
            "renewed_chains_total",
            "Chains renewed since the start.",
            status.renewed,
        ),
        (
            "renewals_due",
            "Renewals that are due and not done.",
            status.renewals_due,
        ),
        (
            "evidence_lost_records",
            "Record versions whose proof has ended.",
            status.lost,
        ),
        (
            "alarms_undelivered",
            "Messages that wait to be delivered.",
            status.undelivered,
        ),
    ]
}

fn moments(status: &Status) -> [(&'static str, &'static str, Option<OffsetDateTime>); 4] {
    [
        (
            "start_timestamp_seconds",
            "When the service was started.",
            status.started_at,
        ),
        (
            "visit_timestamp_seconds",
            "When the archive was last visited.",
            status.visited_at,
        ),
        (
            "renewal_next_timestamp_seconds",
            "When the next renewal will be due.",
            status.renewal_next,
        ),
        (
            "renewal_deadline_timestamp_seconds",
            "The last moment of the renewals that are due.",
            status.renewal_deadline,
        ),
    ]
}

/// A page in the making.
struct Page(String);

impl Page {
    /// What only grows is a counter, and says so in its name.
    fn head(&mut self, name: &str, help: &str) {
        let kind = if name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        };
        // Writing to a string does not fail.
        let _infallible = write!(
            self.0,
            "# HELP fumikura_{name} {help}\n# TYPE fumikura_{name} {kind}\n"
        );
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _infallible = writeln!(self.0, "fumikura_{name}{labels} {value}");
    }
}

/// A label value: backslash, quotation mark and line feed are escaped.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    #[test]
    fn every_sample_has_a_head_and_a_number() {
        let status = Status {
            started_at: Some(NOW),
            visited_at: Some(NOW),
            unstamped: 3,
            unstamped_since: Some(NOW - Duration::hours(2)),
            authorities: vec![("a \"b\"\\\nc".to_owned(), 7)],
            alarms: AlarmKind::ALL.into_iter().map(|kind| (kind, 0)).collect(),
            ..Status::default()
        };
        let text = to_text(&status, NOW);
        assert!(text.ends_with('\n'));
        assert!(text.contains("fumikura_up 1\n"));
        assert!(text.contains("fumikura_unstamped_oldest_seconds 7200\n"));
        assert!(text.contains(r#"fumikura_authority_failures{authority="a \"b\"\\\nc"} 7"#));
        assert!(!text.contains("renewal_next"), "unknown is left out");
        let mut known = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a kind");
                assert!(["gauge", "counter"].contains(&kind));
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                assert!(!known.contains(&name), "{name} stands twice");
                known.push(name);
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').expect("a value");
                let name = name.split('{').next().expect("a name");
                assert!(known.contains(&name), "{name} has no head");
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn an_archive_that_was_never_reached_is_not_up() {
        assert!(to_text(&Status::default(), NOW).contains("fumikura_up 0\n"));
        let status = Status {
            visited_at: Some(NOW),
            unreachable: Some("in use".to_owned()),
            ..Status::default()
        };
        assert!(to_text(&status, NOW).contains("fumikura_up 0\n"));
    }
}
