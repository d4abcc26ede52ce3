//! What cannot be taken in at the moment, as intakes say it, until it becomes an alarm.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime};

use super::alarms::{AlarmKind, Condition};

/// The intakes that are held up. Its clones are the same list: intakes write, the scheduler reads.
#[derive(Debug, Clone, Default)]
pub struct HeldUp(Arc<Mutex<BTreeMap<String, Trouble>>>);

#[derive(Debug)]
struct Trouble {
    since: OffsetDateTime,
    en: String,
    ja: String,
}

impl HeldUp {
    /// An intake cannot go on: why, in English and Japanese.
    pub fn tell(&self, intake: &str, (en, ja): (String, String), now: OffsetDateTime) {
        let mut list = self.list();
        let since = list.get(intake).map_or(now, |known| known.since);
        list.insert(intake.to_owned(), Trouble { since, en, ja });
    }

    /// An intake goes on.
    pub fn clear(&self, intake: &str) {
        self.list().remove(intake);
    }

    /// The alarms: a file that is still written, or a scanner that is started anew, is over before it is one.
    #[must_use]
    pub fn conditions(&self, now: OffsetDateTime) -> Vec<Condition> {
        let list = self.list();
        let long = list
            .iter()
            .filter(|(_, trouble)| now - trouble.since >= PASSING_MAX);
        let conditions = long.map(|(intake, trouble)| Condition {
            kind: AlarmKind::IntakeHeldUp,
            subject: intake.clone(),
            en: format!("nothing is taken in by {intake}: {}", trouble.en),
            ja: format!("{intake} からの取り込みが止まっています: {}", trouble.ja),
        });
        conditions.collect()
    }

    fn list(&self) -> MutexGuard<'_, BTreeMap<String, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A trouble that lasts so long is an alarm.
pub const PASSING_MAX: Duration = Duration::minutes(10);

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    fn trouble(text: &str) -> (String, String) {
        (text.to_owned(), format!("{text} (ja)"))
    }

    #[test]
    fn a_trouble_is_an_alarm_once_it_lasts_with_the_words_told_last() {
        let held_up = HeldUp::default();
        let writer = held_up.clone();
        writer.tell("syslog", trouble("full"), NOW);
        let almost = NOW + PASSING_MAX - Duration::SECOND;
        assert!(held_up.conditions(almost).is_empty());
        writer.tell("syslog", trouble("fuller"), almost);
        let found = held_up.conditions(NOW + PASSING_MAX);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, AlarmKind::IntakeHeldUp);
        assert_eq!(found[0].en, "nothing is taken in by syslog: fuller");
        assert!(found[0].ja.contains("fuller (ja)"), "{}", found[0].ja);

        writer.clear("syslog");
        writer.tell("syslog", trouble("full"), NOW + PASSING_MAX);
        let later = NOW + PASSING_MAX + Duration::MINUTE;
        assert!(held_up.conditions(later).is_empty(), "it begins anew");
    }

    #[test]
    fn each_intake_stands_for_itself() {
        let held_up = HeldUp::default();
        held_up.tell("/in/a", trouble("x"), NOW);
        held_up.tell("/in/b", trouble("y"), NOW);
        held_up.clear("/in/a");
        held_up.clear("/in/c");
        let found = held_up.conditions(NOW + PASSING_MAX);
        let subjects: Vec<&str> = found.iter().map(|one| one.subject.as_str()).collect();
        assert_eq!(subjects, ["/in/b"]);
    }
}
