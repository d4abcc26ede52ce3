//! The proofs on a line of time, before anybody draws it.

use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::Tone;

/// Bars on a line of time.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows, for who cannot see it.
    pub description: String,
    /// Where the line begins.
    pub from: OffsetDateTime,
    /// Where it ends.
    pub to: OffsetDateTime,
    /// As of when everything was judged.
    pub judged_at: OffsetDateTime,
    /// What stands at that time.
    pub judged_label: String,
    /// The proofs, the oldest first.
    pub bars: Vec<Bar>,
}

/// One proof.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// From when it proves.
    pub from: OffsetDateTime,
    /// Until when it does: the time at which a later proof took it over, or at which it has to be renewed.
    pub to: OffsetDateTime,
    /// Whether it holds.
    pub tone: Tone,
}

/// A mark on the line.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Where, from 0 at the beginning to 1 at the end.
    pub place: f32,
    /// The year.
    pub label: String,
}

/// Whole seconds from one time to another.
const fn seconds(from: OffsetDateTime, to: OffsetDateTime) -> i64 {
    to.unix_timestamp().saturating_sub(from.unix_timestamp())
}

/// Marks that fit on a line.
const TICKS_MAX: i32 = 8;

impl Chart {
    /// Where a time stands, from 0 at the beginning of the line to 1 at its end.
    #[must_use]
    pub fn place(&self, time: OffsetDateTime) -> f32 {
        let whole = Duration::seconds(seconds(self.from, self.to)).as_seconds_f32();
        let part = Duration::seconds(seconds(self.from, time)).as_seconds_f32();
        if whole <= 0.0 {
            return 0.0;
        }
        (part / whole).clamp(0.0, 1.0)
    }

    /// The beginnings of years on the line, not more than fit.
    #[must_use]
    pub fn ticks(&self) -> Vec<Tick> {
        let (first, last) = (self.from.year().saturating_add(1), self.to.year());
        let years = last.saturating_sub(first).saturating_add(1);
        let step = match years {
            ..=TICKS_MAX => 1,
            years => years.saturating_add(TICKS_MAX).saturating_div(TICKS_MAX),
        };
        let mut ticks = Vec::new();
        let mut year = first;
        while year <= last {
            if let Ok(date) = Date::from_calendar_date(year, Month::January, 1) {
                let time = date.with_time(Time::MIDNIGHT).assume_utc();
                ticks.push(Tick {
                    place: self.place(time),
                    label: year.to_string(),
                });
            }
            year = year.saturating_add(step.max(1));
        }
        ticks
    }

    /// The line on which `bars` and the time of the judgement have room.
    pub(super) fn around(
        bars: Vec<Bar>,
        judged_at: OffsetDateTime,
        judged_label: String,
        description: String,
    ) -> Option<Self> {
        let first = bars.iter().map(|bar| bar.from).min()?.min(judged_at);
        let last = bars.iter().map(|bar| bar.to).max()?.max(judged_at);
        let margin = Duration::seconds(seconds(first, last).saturating_div(40)).max(Duration::DAY);
        Some(Self {
            description,
            from: first.checked_sub(margin).unwrap_or(first),
            to: last.checked_add(margin).unwrap_or(last),
            judged_at,
            judged_label,
            bars,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn chart(from: OffsetDateTime, to: OffsetDateTime) -> Chart {
        let bar = Bar {
            label: String::new(),
            from,
            to,
            tone: Tone::Good,
        };
        Chart::around(vec![bar], from, String::new(), String::new()).unwrap()
    }

    #[test]
    fn places_lie_on_the_line() {
        let (from, to) = (
            datetime!(2026-11-22 0:00 UTC),
            datetime!(2056-01-01 0:00 UTC),
        );
        let chart = chart(from, to);
        assert!(chart.place(from) > 0.0 && chart.place(to) < 1.0);
        assert_eq!(chart.place(datetime!(1900-01-01 0:00 UTC)), 0.0);
        let ticks = chart.ticks();
        assert!((2..=9).contains(&ticks.len()), "{ticks:?}");
        assert!(ticks.is_sorted_by(|a, b| a.place < b.place));
    }

    #[test]
    fn extreme_times_do_no_harm() {
        let (first, last) = (
            datetime!(-9999-01-01 0:00 UTC),
            datetime!(9999-12-31 23:59 UTC),
        );
        let chart = chart(first, last);
        assert!(chart.ticks().len() <= 10);
        assert!(Chart::around(Vec::new(), first, String::new(), String::new()).is_none());
    }
}
