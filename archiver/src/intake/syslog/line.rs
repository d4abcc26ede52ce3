//! One received message as one line of JSON: the message byte for byte, who sent it, and what it says of itself.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use syslog_loose::{Message, ProcId, Protocol, Variant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A message as it came out of its frame.
#[derive(Debug, Clone)]
pub(super) struct Received {
    /// When.
    pub(super) at: OffsetDateTime,
    /// From where.
    pub(super) from: IpAddr,
    /// SHA-256 of the sender's certificate, in hexadecimal, where it showed one.
    pub(super) client: Option<Arc<str>>,
    /// The message.
    pub(super) message: Vec<u8>,
}

/// The members of a line. What was received stands in `raw` or `raw-base64`; the rest is drawn from it and may be drawn again.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'a> {
    received: String,
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facility: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

impl Received {
    /// The line, with its newline.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = Line {
            received: text_of(self.at),
            from: self.from.to_string(),
            client: self.client.as_deref(),
            ..Line::default()
        };
        match std::str::from_utf8(&self.message) {
            Ok(text) => {
                line.raw = Some(text);
                line.describe(text);
            }
            Err(_) => line.raw_base64 = Some(STANDARD.encode(&self.message)),
        }
        // Strings always have a JSON form.
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl<'a> Line<'a> {
    /// What the message says of itself, where it is one of RFC 5424 or RFC 3164.
    fn describe(&mut self, text: &'a str) {
        // The year of a BSD time stamp is not in it: such a time is left in `raw`, where nobody takes it for more than it says.
        let parsed = syslog_loose::parse_message_with_year_exact(text, |_| 1970, Variant::Either);
        let Ok(message) = parsed else { return };
        let Message {
            protocol,
            facility,
            severity,
            timestamp,
            hostname,
            appname,
            procid,
            msgid,
            structured_data: _,
            msg: _,
        } = message;
        if facility.is_none() {
            return;
        }
        self.facility = facility.map(|facility| facility.as_str());
        self.severity = severity.map(|severity| severity.as_str());
        match protocol {
            Protocol::RFC5424(_) => {
                self.protocol = Some("rfc5424");
                self.time = timestamp.map(|time| time.to_rfc3339());
            }
            Protocol::RFC3164 => self.protocol = Some("rfc3164"),
        }
        self.host = hostname;
        self.app = appname;
        self.process = procid.map(|process| match process {
            ProcId::PID(number) => number.to_string(),
            ProcId::Name(name) => name.to_owned(),
        });
        self.message_id = msgid;
    }
}

/// A time as it stands in the lines: RFC 3339 in UTC.
pub(super) fn text_of(time: OffsetDateTime) -> String {
    let whole = time
        .to_offset(time::UtcOffset::UTC)
        .replace_microsecond(time.microsecond());
    let whole = whole.unwrap_or(time);
    // Only years that no clock of ours shows have no such form.
    whole.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use time::macros::datetime;

    use super::*;

    fn line(message: &[u8]) -> Value {
        let received = Received {
            at: datetime!(2026-11-23 03:00:00.123456789 UTC),
            from: "192.0.2.1".parse().unwrap(),
            client: None,
            message: message.to_vec(),
        };
        let line = received.line();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn messages_of_both_forms_are_described() {
        let new =
            line(b"<165>1 2026-11-23T12:00:00.5+09:00 host app 42 ID7 [a@1 k=\"v\"] \xe6\x96\x87");
        assert_eq!(new["protocol"], "rfc5424");
        assert_eq!(new["received"], "2026-11-23T03:00:00.123456Z");
        assert_eq!(new["time"], "2026-11-23T12:00:00.500+09:00");
        assert_eq!((&new["host"], &new["app"]), (&"host".into(), &"app".into()));
        assert_eq!(
            (&new["process"], &new["message-id"]),
            (&"42".into(), &"ID7".into())
        );
        assert_eq!(
            (&new["facility"], &new["severity"]),
            (&"local4".into(), &"notice".into())
        );
        let old = line(b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed");
        assert_eq!(
            (&old["protocol"], &old["host"]),
            (&"rfc3164".into(), &"mymachine".into())
        );
        assert_eq!(old["time"], Value::Null);
    }

    #[test]
    fn every_byte_is_kept_whatever_the_message_is() {
        for message in [
            &b""[..],
            b"no header",
            b"<999>1 x",
            b"<34>1 - - - - -",
            b"a\nb\rc\0\x7f\"\\ \xe2\x80\xa8",
            b"<34>1 2026-99-99T99:99:99Z h a - - - x",
        ] {
            assert_eq!(line(message)["raw"], std::str::from_utf8(message).unwrap());
        }
        let binary = line(b"<34>\xff\xfe\0");
        assert_eq!(binary["raw"], Value::Null);
        let decoded = STANDARD
            .decode(binary["raw-base64"].as_str().unwrap())
            .unwrap();
        assert_eq!(decoded, b"<34>\xff\xfe\0");
    }
}
