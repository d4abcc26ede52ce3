//! Telling somebody outside about alarms.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::macros::offset;
use time::{Duration, OffsetDateTime};

use super::alarms::Notice;

/// Somebody outside who is told about alarms.
pub trait Notifier: Send {
    /// What it is, for log lines: `webhook`, `mail`.
    fn name(&self) -> &'static str;

    /// Tells one notice.
    ///
    /// # Errors
    /// Why it did not arrive, in words. It is told again later.
    fn notify(&self, message: &Value) -> Result<(), String>;
}

/// The schema of messages.
pub const SCHEMA: &str = "urn:fumikura:alarm:1";

/// The message about a notice.
#[must_use]
pub fn message(archive: &str, notice: &Notice) -> Value {
    let time = |at: OffsetDateTime| {
        at.to_offset(offset!(UTC))
            .format(&Rfc3339)
            .unwrap_or_default()
    };
    json!({
        "schema": SCHEMA,
        "archive": archive,
        "alarm": notice.condition.kind.name(),
        "subject": notice.condition.subject,
        "state": notice.state.name(),
        "since": time(notice.since),
        "at": time(notice.at),
        "text": { "en": notice.condition.en, "ja": notice.condition.ja },
    })
}

/// Messages that wait to be delivered, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Vec<Value>,
    failures: u32,
    next_try: Option<OffsetDateTime>,
}

impl Outbox {
    /// Adds a message. When the receiver has been away for long, the oldest messages go: those that stand are told again each day.
    pub fn push(&mut self, message: Value) {
        self.waiting.push(message);
        let excess = self.waiting.len().saturating_sub(WAITING_MAX);
        self.waiting.drain(..excess);
    }

    /// The messages that wait, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Value> {
        self.waiting.iter()
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Delivers what waits, if it is time to try. After a failure it is tried again after 10 seconds, then after ever longer, at most an hour.
    ///
    /// # Errors
    /// Why the first one that did not arrive did not.
    pub fn deliver(&mut self, to: &dyn Notifier, now: OffsetDateTime) -> Result<u64, String> {
        let set_back = self.next_try.is_some_and(|next| next - now > WAIT_MAX);
        if !set_back && self.next_try.is_some_and(|next| next > now) {
            return Ok(0);
        }
        let mut delivered = 0;
        while let Some(message) = self.waiting.first() {
            if let Err(why) = to.notify(message) {
                self.failures = self.failures.saturating_add(1);
                let wait = WAIT_FIRST
                    .checked_mul(1_i32.checked_shl(self.failures.min(10) - 1).unwrap_or(1))
                    .map_or(WAIT_MAX, |wait| wait.min(WAIT_MAX));
                self.next_try = Some(now.saturating_add(wait));
                return Err(why);
            }
            self.waiting.remove(0);
            self.failures = 0;
            self.next_try = None;
            delivered += 1;
        }
        Ok(delivered)
    }
}

const WAIT_FIRST: Duration = Duration::seconds(10);
const WAIT_MAX: Duration = Duration::hours(1);

/// More alarms than these do not happen in the time in which a receiver is mended.
const WAITING_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Mutex;

    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    /// Answers as it is told; remembers what arrived.
    struct Receiver {
        up: Mutex<bool>,
        arrived: Mutex<Vec<Value>>,
    }

    impl Notifier for Receiver {
        fn name(&self) -> &'static str {
            "test"
        }

        fn notify(&self, message: &Value) -> Result<(), String> {
            if !*self.up.lock().expect("lock") {
                return Err("down".to_owned());
            }
            self.arrived.lock().expect("lock").push(message.clone());
            Ok(())
        }
    }

    #[test]
    fn messages_wait_until_the_receiver_is_there() {
        let receiver = Receiver {
            up: Mutex::new(false),
            arrived: Mutex::default(),
        };
        let outbox = RefCell::new(Outbox::default());
        let deliver = |seconds| {
            outbox
                .borrow_mut()
                .deliver(&receiver, NOW + Duration::seconds(seconds))
        };
        assert_eq!(deliver(0), Ok(0));
        outbox.borrow_mut().push(json!(1));
        outbox.borrow_mut().push(json!(2));
        assert!(deliver(0).is_err());
        assert_eq!(deliver(9), Ok(0), "too early");
        assert!(deliver(10).is_err());
        assert_eq!(deliver(29), Ok(0), "twice as long");
        *receiver.up.lock().expect("lock") = true;
        assert_eq!(deliver(30), Ok(2));
        assert!(outbox.borrow().is_empty());
        assert_eq!(
            *receiver.arrived.lock().expect("lock"),
            [json!(1), json!(2)]
        );
    }

    #[test]
    fn the_wait_has_an_end_and_so_has_the_queue() {
        let receiver = Receiver {
            up: Mutex::new(false),
            arrived: Mutex::default(),
        };
        let mut outbox = Outbox::default();
        for number in 0..(WAITING_MAX + 5) {
            outbox.push(json!(number));
        }
        assert_eq!(outbox.len(), WAITING_MAX);
        let mut now = NOW;
        for _ in 0..40 {
            assert!(outbox.deliver(&receiver, now).is_err());
            now += WAIT_MAX;
        }
        // A clock that was set back a year does not silence it for a year.
        assert!(
            outbox
                .deliver(&receiver, NOW - Duration::days(365))
                .is_err()
        );
    }
}
