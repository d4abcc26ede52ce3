//! What the service takes in by itself, and what is scanned before: one part of the configuration for each.

use super::malware::{self, MalwareForm};
use super::place::Place;
use super::{ConfigError, MalwareConfig};

/// The intakes that are configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntakesConfig {
    /// Which scanner looks at what is deposited, where one does.
    pub malware: Option<MalwareConfig>,
}

/// Reads the parts.
pub(super) fn read(
    malware: Option<MalwareForm>,
    place: &Place,
) -> Result<IntakesConfig, ConfigError> {
    Ok(IntakesConfig {
        malware: malware::read(malware, place)?,
    })
}

/// The text of the parts.
pub(super) fn text(config: &IntakesConfig, place: &Place) -> String {
    malware::text(config.malware.as_ref(), place)
}

/// One of each, for tests.
#[cfg(test)]
pub(super) fn sample() -> IntakesConfig {
    use crate::intake::malware::{ScannerAddress, Unscanned};

    IntakesConfig {
        malware: Some(MalwareConfig {
            socket: ScannerAddress::Unix("/a/clamd".into()),
            unscanned: Unscanned::Accept,
            stream_max: 1000,
            timeout_s: 7,
        }),
    }
}
