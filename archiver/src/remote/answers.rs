//! What the service answers, as far as the command line reads it. Members that are not named here are passed over: a newer service may say more.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;

/// A session that was begun.
#[derive(Debug, Deserialize)]
pub(crate) struct BegunSession {
    /// The token.
    pub(crate) token: SecretToken,
    /// The account.
    pub(crate) account: String,
    /// `full`, or what must be done first.
    pub(crate) standing: String,
    /// When the account logged in before.
    pub(crate) last_log_in: Option<String>,
}

/// A token that cannot be printed.
pub(crate) struct SecretToken(pub(crate) SecretString);

impl std::fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretToken")
    }
}

impl<'de> Deserialize<'de> for SecretToken {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// A version of a record.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FoundVersion {
    pub(crate) record: String,
    pub(crate) version: u32,
    pub(crate) class: String,
    pub(crate) received_at: String,
    pub(crate) depositor: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) objects: Vec<FoundObject>,
    pub(crate) stamped_at: Option<String>,
    pub(crate) superseded: bool,
    pub(crate) readable: bool,
}

/// One content of a version.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FoundObject {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) media_type: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// Some of what a search found.
#[derive(Debug, Deserialize)]
pub(crate) struct FoundPage {
    pub(crate) records: Vec<FoundVersion>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// What is known of one record.
#[derive(Debug, Deserialize)]
pub(crate) struct FoundRecord {
    /// The version that was asked for.
    #[serde(flatten)]
    pub(crate) version: FoundVersion,
    /// SHA-256 of each object, hexadecimal.
    pub(crate) digests: Vec<String>,
}

/// A deposit in parts.
#[derive(Debug, Deserialize)]
pub(crate) struct UploadAnswer {
    /// Its id.
    pub(crate) upload: String,
    /// Where to go on.
    pub(crate) offset: u64,
    /// What became of it, where it is deposited.
    pub(crate) deposited: Option<DepositedAnswer>,
}

/// What became of a deposit.
#[derive(Debug, Deserialize)]
pub(crate) struct DepositedAnswer {
    pub(crate) record: String,
    pub(crate) version: u32,
    /// Whether it was there already.
    pub(crate) was_there: bool,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) warnings: Vec<String>,
}

/// What a verification found.
#[derive(Debug, Deserialize)]
pub(crate) struct VerdictTable {
    pub(crate) verdicts: Vec<Verdict>,
}

/// What was found about one version.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) record: String,
    pub(crate) version: u32,
    /// `passed`, `unstamped`, `not-passed`, `unreadable` or `no-evidence`.
    pub(crate) result: String,
    pub(crate) is_integrity_failure: bool,
    /// Since when it is proven to exist.
    pub(crate) existence: Option<String>,
    /// Why, where it did not pass.
    pub(crate) text: String,
}

/// What the system is.
#[derive(Debug, Deserialize)]
pub(crate) struct SystemAnswer {
    /// The id of the archive.
    pub(crate) archive: String,
    /// The version of the program.
    pub(crate) version: String,
    pub(crate) versions: u64,
    pub(crate) unstamped: u64,
    pub(crate) evaluation: bool,
}
