//! What the service takes in by itself, and what is scanned before: one part of the configuration for each.

use super::hot_folder::{self, HotFolderForm};
use super::malware::{self, MalwareForm};
use super::place::Place;
use super::syslog::{self, SyslogForm};
use super::{ConfigError, HotFolderConfig, MalwareConfig};
use crate::intake::syslog::SyslogSettings;

/// The intakes that are configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntakesConfig {
    /// Which scanner looks at what is deposited, where one does.
    pub malware: Option<MalwareConfig>,
    /// Folders whose files are deposited.
    pub hot_folders: Vec<HotFolderConfig>,
    /// The receiver of syslog, where there is one.
    pub syslog: Option<SyslogSettings>,
}

/// Reads the parts.
pub(super) fn read(
    malware: Option<MalwareForm>,
    hot_folders: Vec<HotFolderForm>,
    syslog: Option<SyslogForm>,
    place: &Place,
) -> Result<IntakesConfig, ConfigError> {
    Ok(IntakesConfig {
        malware: malware::read(malware, place)?,
        hot_folders: hot_folder::read(hot_folders, place)?,
        syslog: syslog::read(syslog, place)?,
    })
}

/// The text of the parts.
pub(super) fn text(config: &IntakesConfig, place: &Place) -> String {
    let mut text = malware::text(config.malware.as_ref(), place);
    text.push_str(&hot_folder::text(&config.hot_folders, place));
    text.push_str(&syslog::text(config.syslog.as_ref(), place));
    text
}

/// One of each, for tests.
#[cfg(test)]
pub(super) fn sample() -> IntakesConfig {
    use std::time::Duration;

    use crate::intake::malware::{ScannerAddress, Unscanned};

    IntakesConfig {
        malware: Some(MalwareConfig {
            socket: ScannerAddress::Unix("/a/clamd".into()),
            unscanned: Unscanned::Accept,
            stream_max: 1000,
            timeout_s: 7,
        }),
        hot_folders: vec![HotFolderConfig {
            path: "/a/in".into(),
            done: "/a/done".into(),
            failed: "/b/failed".into(),
            class: "general".to_owned(),
            metadata: [("counterparty".to_owned(), "a \"b\"".to_owned())].into(),
            settle_s: 3,
        }],
        syslog: Some(SyslogSettings {
            listen: std::net::SocketAddr::from(([0, 0, 0, 0], 6514)),
            certificate: "/a/c.pem".into(),
            key: "/a/k.pem".into(),
            client_roots: Some("/a/r.pem".into()),
            spool: "/a/spool".into(),
            class: "system-log".to_owned(),
            batch_age: Duration::from_secs(60),
            batch_bytes: 1 << 20,
            spool_bytes_max: 1 << 21,
            message_max: 2048,
            connections_max: 1,
            idle: Duration::from_secs(60),
            sync: Duration::from_millis(1),
        }),
    }
}
