//! Log lines of the service: one JSON object each, for the journal.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::offset;

/// Where log lines go.
pub trait Log: Send {
    /// Writes one line.
    fn line(&self, line: &str);
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something was done.
    Info,
    /// Something needs attention.
    Warning,
    /// Something failed.
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A log line: time, level and event first, then what belongs to the event.
#[must_use]
pub fn line(at: OffsetDateTime, level: Level, event: &str, details: Value) -> String {
    let time = at
        .to_offset(offset!(UTC))
        .format(&Rfc3339)
        .unwrap_or_default();
    let mut line = json!({ "time": time, "level": level.name(), "event": event });
    if let (Value::Object(line), Value::Object(details)) = (&mut line, details) {
        line.extend(details);
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_line_is_one_object() {
        let text = line(
            datetime!(2030-01-01 9:00 +9),
            Level::Warning,
            "alarm",
            json!({ "text": "two\nlines" }),
        );
        assert!(!text.contains('\n'));
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["time"], "2030-01-01T00:00:00Z");
        assert_eq!(read["level"], "warning");
        assert_eq!(read["text"], "two\nlines");
    }
}
