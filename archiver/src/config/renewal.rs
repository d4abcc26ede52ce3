//! The part `[renewal]` of the configuration: how long before an end evidence is renewed.

use formats::digest::DigestAlgorithm;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::place::{Place, quoted};

/// How long before an end evidence is renewed. ADR 0010 says why the defaults are what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalConfig {
    /// Days before the end of a certificate path at which a renewal is due.
    pub path_days: u32,
    /// Days before the end of an algorithm at which a renewal is due.
    pub algorithm_days: u32,
    /// Chains whose renewal is due within so many days after one that is due now are renewed with it, under the same token.
    pub join_days: u32,
    /// The greatest age of a token in days; `None` sets no limit beside the ends.
    pub age_max_days: Option<u32>,
    /// The digest algorithm for when both digests of the manifests have ended.
    pub third_digest: DigestAlgorithm,
}

impl Default for RenewalConfig {
    fn default() -> Self {
        Self {
            path_days: 180,
            algorithm_days: 365,
            join_days: 365,
            age_max_days: None,
            third_digest: DigestAlgorithm::Sha3_512,
        }
    }
}

/// The part as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenewalForm {
    path_days: Option<u32>,
    algorithm_days: Option<u32>,
    join_days: Option<u32>,
    age_max_days: Option<u32>,
    third_digest: Option<String>,
}

/// Reads the part.
pub(super) fn read(form: RenewalForm, place: &Place) -> Result<RenewalConfig, ConfigError> {
    let usual = RenewalConfig::default();
    let days = |key, value: Option<u32>, usual| match value.unwrap_or(usual) {
        days if DAYS.contains(&days) => Ok(days),
        _ => Err(place.invalid(key, "from 1 to 3650 days", "1 から 3650 日まで")),
    };
    let third_digest = match &form.third_digest {
        None => usual.third_digest,
        Some(name) => DigestAlgorithm::from_name(name)
            .filter(|digest| digest.len() >= THIRD_DIGEST_BYTES_MIN)
            .ok_or_else(|| {
                place.invalid(
                    "renewal.third_digest",
                    "a digest algorithm of 256 bits or more, as SHA3-512",
                    "SHA3-512 など、256 ビット以上のダイジェスト方式",
                )
            })?,
    };
    Ok(RenewalConfig {
        path_days: days("renewal.path_days", form.path_days, usual.path_days)?,
        algorithm_days: days(
            "renewal.algorithm_days",
            form.algorithm_days,
            usual.algorithm_days,
        )?,
        join_days: match form.join_days.unwrap_or(usual.join_days) {
            days if days <= *DAYS.end() => days,
            _ => {
                return Err(place.invalid(
                    "renewal.join_days",
                    "from 0 to 3650 days",
                    "0 から 3650 日まで",
                ));
            }
        },
        age_max_days: match form.age_max_days {
            None => None,
            Some(_) => Some(days("renewal.age_max_days", form.age_max_days, 0)?),
        },
        third_digest,
    })
}

/// The text of the part in the file; nothing where everything is as usual.
pub(super) fn text(renewal: &RenewalConfig) -> String {
    if *renewal == RenewalConfig::default() {
        return String::new();
    }
    let mut text = format!(
        "\n# Evidence is renewed so many days before what it rests on ends.\n[renewal]\npath_days = {}\nalgorithm_days = {}\njoin_days = {}\n",
        renewal.path_days, renewal.algorithm_days, renewal.join_days
    );
    if let Some(days) = renewal.age_max_days {
        text.push_str(&format!("age_max_days = {days}\n"));
    }
    text.push_str(&format!(
        "third_digest = {}\n",
        quoted(renewal.third_digest.name())
    ));
    text
}

/// Less than a day is no lead, more than ten years is longer than most certificates live.
const DAYS: std::ops::RangeInclusive<u32> = 1..=3650;

/// A third digest is for the decades to come.
const THIRD_DIGEST_BYTES_MIN: usize = 32;
