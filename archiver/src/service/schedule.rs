//! When the archive is visited, and what is done there: pure decisions.

use time::{Duration, OffsetDateTime};

use crate::config::ServiceConfig;

/// What is seen at the archive before anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// How many record versions wait for a timestamp.
    pub unstamped: u64,
    /// Since when the one that has waited longest does.
    pub since: Option<OffsetDateTime>,
    /// How many cannot be opened, and so not be stamped.
    pub unopened: u64,
    /// Since when the first of these is there.
    pub unopened_since: Option<OffsetDateTime>,
}

/// What a visit is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Todo {
    /// Stamp what waits.
    pub stamp: bool,
    /// Make a renewal plan, and do what is due.
    pub renew: bool,
}

/// What the scheduler remembers between visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timetable {
    /// When the last visit began, whether it came about or not.
    pub visited_at: Option<OffsetDateTime>,
    /// Whether the last visit came about.
    pub reached: bool,
    /// When the last renewal plan was made with nothing failing.
    pub planned_at: Option<OffsetDateTime>,
}

impl Timetable {
    /// When the archive is to be visited next.
    #[must_use]
    pub fn next_visit(&self, config: &ServiceConfig) -> Option<OffsetDateTime> {
        let wait = if self.reached {
            Duration::minutes(i64::from(config.look_minutes))
        } else {
            // Most often another command is at work: it will be done soon.
            RETRY
        };
        self.visited_at.map(|at| at.saturating_add(wait))
    }

    /// Whether to visit the archive now. A clock that was set back does not stop the service.
    #[must_use]
    pub fn is_visit_due(&self, config: &ServiceConfig, now: OffsetDateTime) -> bool {
        let set_back = self.visited_at.is_some_and(|at| at > now);
        set_back || self.next_visit(config).is_none_or(|next| next <= now)
    }

    /// What to do at the archive.
    #[must_use]
    pub fn decide(&self, config: &ServiceConfig, seen: &Seen, now: OffsetDateTime) -> Todo {
        let age_max = Duration::minutes(i64::from(config.stamp_minutes));
        let old = seen
            .since
            .is_some_and(|since| since > now || now - since >= age_max);
        let renew = self
            .planned_at
            .is_none_or(|at| at > now || now - at >= PLAN_EVERY);
        Todo {
            stamp: seen.unstamped > 0 && (old || seen.unstamped >= config.stamp_count),
            renew,
        }
    }
}

/// Ends are days apart; a plan each day is early enough, and judging tokens takes time.
pub const PLAN_EVERY: Duration = Duration::hours(24);

/// How soon an archive that could not be opened is tried again.
pub const RETRY: Duration = Duration::minutes(1);

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    fn waiting(unstamped: u64, minutes: i64) -> Seen {
        Seen {
            unstamped,
            since: (unstamped > 0).then(|| NOW - Duration::minutes(minutes)),
            ..Seen::default()
        }
    }

    #[test]
    fn records_are_stamped_by_age_or_by_number() {
        let config = ServiceConfig {
            stamp_minutes: 60,
            stamp_count: 100,
            ..ServiceConfig::default()
        };
        let timetable = Timetable::default();
        for (seen, stamp) in [
            (waiting(0, 0), false),
            (waiting(1, 0), false),
            (waiting(1, 59), false),
            (waiting(1, 60), true),
            (waiting(99, 1), false),
            (waiting(100, 1), true),
            // What cannot be opened cannot be stamped.
            (
                Seen {
                    unopened: 500,
                    unopened_since: Some(NOW - Duration::days(9)),
                    ..Seen::default()
                },
                false,
            ),
            // Received in the future: a clock was wrong, and nobody knows how long it waits.
            (waiting(1, -1), true),
        ] {
            let todo = timetable.decide(&config, &seen, NOW);
            assert_eq!(todo.stamp, stamp, "{seen:?}");
        }
    }

    #[test]
    fn a_plan_is_made_each_day() {
        let config = ServiceConfig::default();
        for (planned_at, renew) in [
            (None, true),
            (Some(NOW - Duration::hours(23)), false),
            (Some(NOW - Duration::hours(24)), true),
            (Some(NOW + Duration::hours(1)), true),
        ] {
            let timetable = Timetable {
                planned_at,
                ..Timetable::default()
            };
            let todo = timetable.decide(&config, &Seen::default(), NOW);
            assert_eq!(todo.renew, renew, "{planned_at:?}");
        }
    }

    #[test]
    fn the_archive_is_visited_in_its_turn() {
        let config = ServiceConfig {
            look_minutes: 5,
            ..ServiceConfig::default()
        };
        let visited = |minutes, reached| Timetable {
            visited_at: Some(NOW - Duration::minutes(minutes)),
            reached,
            planned_at: None,
        };
        for (timetable, due) in [
            (Timetable::default(), true),
            (visited(4, true), false),
            (visited(5, true), true),
            (visited(0, false), false),
            (visited(1, false), true),
            (visited(-1, true), true),
        ] {
            assert_eq!(timetable.is_visit_due(&config, NOW), due, "{timetable:?}");
        }
    }
}
