//! How early evidence is renewed.

use formats::digest::DigestAlgorithm;
use time::Duration;

use crate::config::RenewalConfig;

/// The digest algorithms that every manifest holds of its contents: a hash-tree renewal to one of them reads no content.
pub const MANIFEST_DIGESTS: [DigestAlgorithm; 2] =
    [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];

/// How early evidence is renewed, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalOptions {
    /// A renewal is due so long before the end of a certificate path.
    pub path_lead: Duration,
    /// A renewal is due so long before the end of an algorithm.
    pub algorithm_lead: Duration,
    /// What will be due so soon after something that is due now is done with it.
    pub join: Duration,
    /// The greatest age of a token.
    pub age_max: Option<Duration>,
    /// The digest algorithm for when those of the manifests have ended.
    pub third_digest: DigestAlgorithm,
    /// A token of this age or less shows what its authority gives now: where it ends no later than an older one, asking for another
    /// would gain nothing.
    pub retry: Duration,
    /// Validation material that could have been had for so long, and was not, is told to somebody.
    pub material_wait: Duration,
}

impl Default for RenewalOptions {
    fn default() -> Self {
        Self::from(&RenewalConfig::default())
    }
}

impl From<&RenewalConfig> for RenewalOptions {
    fn from(config: &RenewalConfig) -> Self {
        let days = |days: u32| Duration::days(i64::from(days));
        Self {
            path_lead: days(config.path_days),
            algorithm_lead: days(config.algorithm_days),
            join: days(config.join_days),
            age_max: config.age_max_days.map(days),
            third_digest: config.third_digest,
            retry: Duration::days(30),
            material_wait: Duration::days(7),
        }
    }
}
