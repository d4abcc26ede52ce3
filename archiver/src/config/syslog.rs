//! The part `[syslog]` of the configuration: a receiver of syslog over TLS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};
use crate::intake::syslog::SyslogSettings;

/// The part as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SyslogForm {
    listen: Option<String>,
    certificate: PathBuf,
    key: PathBuf,
    client_roots: Option<PathBuf>,
    spool: PathBuf,
    class: Option<String>,
    batch_minutes: Option<u64>,
    batch_bytes: Option<u64>,
    spool_bytes_max: Option<u64>,
    message_bytes_max: Option<u64>,
    connections_max: Option<u64>,
    idle_minutes: Option<u64>,
    sync_ms: Option<u64>,
}

/// A number of the part: its key, its bounds, and what it is when it is not given.
struct Number {
    key: &'static str,
    bounds: std::ops::RangeInclusive<u64>,
    usual: u64,
    accepted: &'static str,
    accepted_ja: &'static str,
}

impl Number {
    fn read(&self, given: Option<u64>, place: &Place) -> Result<u64, ConfigError> {
        let value = given.unwrap_or(self.usual);
        if self.bounds.contains(&value) {
            Ok(value)
        } else {
            Err(place.invalid(self.key, self.accepted, self.accepted_ja))
        }
    }
}

/// Reads the part.
pub(super) fn read(
    form: Option<SyslogForm>,
    place: &Place,
) -> Result<Option<SyslogSettings>, ConfigError> {
    let Some(form) = form else { return Ok(None) };
    let listen: Option<SocketAddr> = form.listen.as_deref().unwrap_or(LISTEN).parse().ok();
    let listen = listen.ok_or_else(|| {
        place.invalid(
            "syslog.listen",
            "ADDRESS:PORT, as 0.0.0.0:6514",
            "アドレス:ポート(0.0.0.0:6514 など)",
        )
    })?;
    let batch_bytes = BATCH_BYTES.read(form.batch_bytes, place)?;
    let spool_bytes_max = SPOOL_BYTES.read(form.spool_bytes_max, place)?;
    if spool_bytes_max < batch_bytes {
        return Err(place.invalid(
            SPOOL_BYTES.key,
            SPOOL_BYTES.accepted,
            SPOOL_BYTES.accepted_ja,
        ));
    }
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let message_max = MESSAGE_BYTES.read(form.message_bytes_max, place)?;
    let connections_max = CONNECTIONS.read(form.connections_max, place)?;
    Ok(Some(SyslogSettings {
        listen,
        certificate: place.absolute(form.certificate),
        key: place.absolute(form.key),
        client_roots: form.client_roots.map(|path| place.absolute(path)),
        spool: place.absolute(form.spool),
        class: form.class.unwrap_or_else(|| CLASS.to_owned()),
        batch_age: minutes(BATCH_MINUTES.read(form.batch_minutes, place)?),
        batch_bytes,
        spool_bytes_max,
        message_max: usize::try_from(message_max).unwrap_or(usize::MAX),
        connections_max: usize::try_from(connections_max).unwrap_or(usize::MAX),
        idle: minutes(IDLE_MINUTES.read(form.idle_minutes, place)?),
        sync: Duration::from_millis(SYNC_MS.read(form.sync_ms, place)?),
    }))
}

/// The part's text. Nothing where there is no receiver.
pub(super) fn text(settings: Option<&SyslogSettings>, place: &Place) -> String {
    let Some(settings) = settings else {
        return String::new();
    };
    let shown = |path| place.shown(path);
    let roots = settings.client_roots.as_ref();
    let roots = roots.map(|path| format!("client_roots = {}\n", shown(path)));
    format!(
        "\n[syslog]\nlisten = \"{}\"\ncertificate = {}\nkey = {}\n{}spool = {}\nclass = {}\nbatch_minutes = {}\nbatch_bytes = {}\nspool_bytes_max = {}\nmessage_bytes_max = {}\nconnections_max = {}\nidle_minutes = {}\nsync_ms = {}\n",
        settings.listen,
        shown(&settings.certificate),
        shown(&settings.key),
        roots.unwrap_or_default(),
        shown(&settings.spool),
        quoted(&settings.class),
        settings.batch_age.as_secs() / 60,
        settings.batch_bytes,
        settings.spool_bytes_max,
        settings.message_max,
        settings.connections_max,
        settings.idle.as_secs() / 60,
        settings.sync.as_millis(),
    )
}

/// RFC 5425 §4.1.
const LISTEN: &str = "0.0.0.0:6514";

/// The class of the records, unless another one is named.
const CLASS: &str = "system-log";

const MIB: u64 = 1024 * 1024;

const BATCH_MINUTES: Number = Number {
    key: "syslog.batch_minutes",
    bounds: 1..=1440,
    usual: 60,
    accepted: "from 1 minute to a day",
    accepted_ja: "1 分から 1 日まで",
};

const BATCH_BYTES: Number = Number {
    key: "syslog.batch_bytes",
    bounds: MIB..=1024 * MIB,
    usual: 64 * MIB,
    accepted: "from 1 MiB to 1 GiB",
    accepted_ja: "1 MiB から 1 GiB まで",
};

const SPOOL_BYTES: Number = Number {
    key: "syslog.spool_bytes_max",
    bounds: MIB..=1024 * 1024 * MIB,
    usual: 4096 * MIB,
    accepted: "from batch_bytes to 1 TiB",
    accepted_ja: "batch_bytes から 1 TiB まで",
};

/// RFC 5425 §4.3.1 asks for 2048 at least. With its description and every byte escaped, a line stays below 1 MiB, the longest that can be
/// proven alone.
const MESSAGE_BYTES: Number = Number {
    key: "syslog.message_bytes_max",
    bounds: 2048..=128 * 1024,
    usual: 64 * 1024,
    accepted: "from 2048 bytes to 128 KiB",
    accepted_ja: "2048 バイトから 128 KiB まで",
};

const CONNECTIONS: Number = Number {
    key: "syslog.connections_max",
    bounds: 1..=10_000,
    usual: 256,
    accepted: "from 1 to 10,000",
    accepted_ja: "1 から 10,000 まで",
};

const IDLE_MINUTES: Number = Number {
    key: "syslog.idle_minutes",
    bounds: 1..=10_080,
    usual: 1440,
    accepted: "from 1 minute to a week",
    accepted_ja: "1 分から 1 週間まで",
};

const SYNC_MS: Number = Number {
    key: "syslog.sync_ms",
    bounds: 1..=10_000,
    usual: 200,
    accepted: "from 1 millisecond to 10 seconds",
    accepted_ja: "1 ミリ秒から 10 秒まで",
};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const LEAST: &str = "certificate = \"c.pem\"\nkey = \"k.pem\"\nspool = \"spool\"\n";

    fn parse(text: &str) -> Result<Option<SyslogSettings>, ConfigError> {
        let form: SyslogForm = toml::from_str(text).expect("the form");
        read(Some(form), &Place::of(Path::new("/a/fumikura.toml")))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let least = parse(LEAST).unwrap();
        let place = Place::of(Path::new("/a/fumikura.toml"));
        let with_roots = format!("{LEAST}client_roots = \"/r.pem\"\nlisten = \"[::1]:1\"\n");
        for settings in [least, parse(&with_roots).unwrap()] {
            let written = text(settings.as_ref(), &place);
            let written = written.split_once("[syslog]\n").unwrap().1;
            assert_eq!(parse(written).unwrap(), settings);
        }
        assert_eq!(read(None, &place).unwrap(), None);
    }

    #[test]
    fn bad_values_are_named() {
        for (line, bad) in [
            ("listen = \"everywhere\"", "syslog.listen"),
            ("listen = \"127.0.0.1\"", "syslog.listen"),
            ("batch_minutes = 0", "syslog.batch_minutes"),
            ("batch_bytes = 1000", "syslog.batch_bytes"),
            ("spool_bytes_max = 2000000", "syslog.spool_bytes_max"),
            ("message_bytes_max = 1024", "syslog.message_bytes_max"),
            ("message_bytes_max = 200000", "syslog.message_bytes_max"),
            ("connections_max = 0", "syslog.connections_max"),
            ("idle_minutes = 0", "syslog.idle_minutes"),
            ("sync_ms = 0", "syslog.sync_ms"),
        ] {
            match parse(&format!("{LEAST}{line}\n")) {
                Err(ConfigError::Invalid { key, .. }) => assert_eq!(key, bad, "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }
}
