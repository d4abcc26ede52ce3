//! What is known of an upload beside its bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use firmware::entropy::Entropy;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::error::UploadError;

/// The id of an upload: 128 random bits, as 32 lower-case hexadecimal digits. Nothing else is one, so no id is a way to another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId([u8; 16]);

/// What an upload is to become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadFacts {
    /// Whose it is.
    pub account: String,
    /// The class.
    pub class: String,
    /// The name of the file.
    pub name: String,
    /// Metadata that was given, by its keys.
    pub given: BTreeMap<String, String>,
    /// Bytes in all.
    pub length: u64,
    /// SHA-256 that the content must have, hexadecimal.
    pub sha256: Option<String>,
    /// What makes a repeated request for it the same (the header `Idempotency-Key`).
    pub key: Option<String>,
}

/// What became of the deposit: the answer, as it is given each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadReceipt {
    /// The record's id.
    pub record: String,
    /// The version.
    pub version: u32,
    /// Whether it was there already.
    pub was_there: bool,
    /// Bytes.
    pub size: u64,
    /// What the depositor should know.
    pub warnings: Vec<String>,
    /// What a scanner for malware found.
    pub threat: Option<String>,
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadStanding {
    /// Its id.
    pub id: UploadId,
    /// Bytes that are on the disk.
    pub offset: u64,
    /// Bytes in all.
    pub length: u64,
    /// When it is given up, unless something comes before.
    pub expires_at: OffsetDateTime,
    /// The answer, when it is deposited.
    pub receipt: Option<UploadReceipt>,
}

/// How many uploads may wait, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadRules {
    /// How long an upload waits for its next part, and its answer for whoever asks again.
    pub waits_max: Duration,
    /// Most uploads that wait, of all accounts.
    pub open_max: usize,
    /// Most uploads that wait, of one account.
    pub open_of_account_max: usize,
}

impl UploadRules {
    /// The usual numbers, with this many hours.
    #[must_use]
    pub const fn of_hours(hours: u32) -> Self {
        Self {
            // A u32 of hours in seconds fits.
            waits_max: Duration::hours(hours as i64),
            open_max: OPEN_MAX,
            open_of_account_max: OPEN_OF_ACCOUNT_MAX,
        }
    }
}

impl UploadId {
    /// A new one.
    ///
    /// # Errors
    /// [`UploadError::Keys`]: no random bytes.
    pub fn new(entropy: &dyn Entropy) -> Result<Self, UploadError> {
        let mut bytes = [0; 16];
        entropy
            .fill(&mut bytes)
            .map_err(|error| UploadError::Keys(error.into()))?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for UploadId {
    type Err = UploadError;

    fn from_str(text: &str) -> Result<Self, UploadError> {
        let mut bytes = [0; 16];
        let is_plain = !text.bytes().any(|one| one.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if is_plain => Ok(Self(bytes)),
            Ok(()) | Err(_) => Err(UploadError::NotFound),
        }
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Uploads of one account at the same time: a person sends some files side by side, a system some more.
const OPEN_OF_ACCOUNT_MAX: usize = 32;

/// Uploads in all: each holds at most one deposit's bytes on the disk.
const OPEN_MAX: usize = 256;
