//! The part `[scrub]` of the configuration, and `segments.parity`: what is read again and when, and what helps to heal it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::Place;
use crate::store::parity::ParityStrength;
use crate::store::scrub::{Hours, PARTS_MAX};

/// What the service reads again by itself, and the bounds of every scrub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubConfig {
    /// The service reads one of so many parts each day; `None`: it reads nothing by itself.
    pub part: Option<u32>,
    /// In which hours of the day in Japan.
    pub hours: Option<Hours>,
    /// Most bytes in a second, over all media.
    pub bytes_per_second: Option<u64>,
    /// What was proven longer ago is overdue.
    pub overdue_days: u32,
}

/// How much parity is made for a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParityConfig {
    /// Data shards: the segment is cut in so many.
    pub data: u16,
    /// Parity shards: so many shards may be lost.
    pub parity: u16,
}

impl Default for ScrubConfig {
    fn default() -> Self {
        Self {
            part: None,
            hours: None,
            bytes_per_second: None,
            overdue_days: 90,
        }
    }
}

impl ParityConfig {
    /// Reads `10+2` or a percentage, `20%`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(percent) = text.trim().strip_suffix('%') {
            let percent: u16 = percent.trim().parse().ok()?;
            let parity = (PERCENT_SHARDS * percent).div_ceil(100);
            return (1..=100).contains(&percent).then_some(Self {
                data: PERCENT_SHARDS,
                parity,
            });
        }
        let (data, parity) = text.split_once('+')?;
        let config = Self {
            data: data.trim().parse().ok()?,
            parity: parity.trim().parse().ok()?,
        };
        let allowed = (1..=DATA_MAX).contains(&config.data)
            && (1..=PARITY_MAX).contains(&config.parity)
            && config.parity <= config.data;
        allowed.then_some(config)
    }
}

impl From<ParityConfig> for ParityStrength {
    fn from(config: ParityConfig) -> Self {
        Self {
            data: config.data,
            parity: config.parity,
        }
    }
}

impl fmt::Display for ParityConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.data, self.parity)
    }
}

/// The part as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScrubForm {
    part: Option<u32>,
    hours: Option<String>,
    bytes_per_second: Option<u64>,
    overdue_days: Option<u32>,
}

/// Reads the part.
pub(super) fn read(form: ScrubForm, place: &Place) -> Result<ScrubConfig, ConfigError> {
    let usual = ScrubConfig::default();
    if form
        .part
        .is_some_and(|part| !(1..=PARTS_MAX).contains(&part))
    {
        return Err(place.invalid("scrub.part", "from 1 to 3650 parts", "1 から 3650 分割まで"));
    }
    let hours = match form.hours.as_deref() {
        None => None,
        Some(text) => Some(Hours::parse(text).ok_or_else(|| {
            place.invalid(
                "scrub.hours",
                "hours of the day in Japan, as 22-6 or 22:00-06:30",
                "日本時間の時間帯(22-6 や 22:00-06:30 など)",
            )
        })?),
    };
    if form.bytes_per_second == Some(0) {
        return Err(place.invalid(
            "scrub.bytes_per_second",
            "at least one byte a second",
            "毎秒 1 バイト以上",
        ));
    }
    let overdue_days = form.overdue_days.unwrap_or(usual.overdue_days);
    if !(1..=3650).contains(&overdue_days) {
        return Err(place.invalid(
            "scrub.overdue_days",
            "from 1 to 3650 days",
            "1 から 3650 日まで",
        ));
    }
    Ok(ScrubConfig {
        part: form.part,
        hours,
        bytes_per_second: form.bytes_per_second,
        overdue_days,
    })
}

/// Reads `segments.parity`.
pub(super) fn read_parity(
    text: Option<&str>,
    place: &Place,
) -> Result<Option<ParityConfig>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    ParityConfig::parse(text).map(Some).ok_or_else(|| {
        place.invalid(
            "segments.parity",
            "data and parity shards, as 10+2 (at most 64+32), or a percentage, as 20%",
            "データとパリティの数(10+2 など、64+32 まで)か、割合(20% など)",
        )
    })
}

/// The text of the part.
pub(super) fn text(config: &ScrubConfig) -> String {
    let mut text = String::from("\n[scrub]\n");
    if let Some(part) = config.part {
        text.push_str(&format!("part = {part}\n"));
    }
    if let Some(hours) = config.hours {
        text.push_str(&format!("hours = \"{hours}\"\n"));
    }
    if let Some(rate) = config.bytes_per_second {
        text.push_str(&format!("bytes_per_second = {rate}\n"));
    }
    text.push_str(&format!("overdue_days = {}\n", config.overdue_days));
    text
}

/// Data shards when parity is given as a percentage.
const PERCENT_SHARDS: u16 = 20;

/// Most data shards.
const DATA_MAX: u16 = 64;

/// Most parity shards.
const PARITY_MAX: u16 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parity_is_shards_or_a_percentage() {
        let of = |data, parity| Some(ParityConfig { data, parity });
        assert_eq!(ParityConfig::parse("10+2"), of(10, 2));
        assert_eq!(ParityConfig::parse("20%"), of(20, 4));
        assert_eq!(ParityConfig::parse("7 %"), of(20, 2));
        for bad in [
            "", "10", "10+0", "0+1", "2+3", "65+1", "0%", "101%", "-1%", "10+2+3",
        ] {
            assert_eq!(ParityConfig::parse(bad), None, "{bad}");
        }
    }
}
