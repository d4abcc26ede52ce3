//! An interrupted run that goes on: what it was asked for, so that the rows of two different questions never come to stand in one table.

use formats::digest::{DigestAlgorithm, DigestValue, Hasher};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::report::json::rfc3339;

/// Name and version of the form.
pub const SCHEMA: &str = "urn:fumikura:bulk-run:1";

/// Most bytes of the file of a run.
pub const RUN_BYTES_MAX: usize = 64 * 1024;

/// What stands beside a table that is not finished.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunHeader {
    /// The digest over everything that the rows depend on, from [`Parameters::finish`].
    pub parameters: DigestValue,
    /// The time as of which every item is judged: that of the first start, so that all rows are as of the same time.
    pub verified_at: OffsetDateTime,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    parameters_sha256: String,
    verified_at: String,
}

impl RunHeader {
    /// The file, indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File {
            schema: SCHEMA.to_owned(),
            parameters_sha256: hex::encode(self.parameters.as_bytes()),
            verified_at: rfc3339(self.verified_at).unwrap_or_default(),
        };
        serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
    }

    /// Reads the file; `None` where it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > RUN_BYTES_MAX {
            return None;
        }
        let file: File = serde_json::from_slice(bytes).ok()?;
        let digest = hex::decode(file.parameters_sha256).ok()?;
        (file.schema == SCHEMA).then_some(())?;
        Some(Self {
            parameters: DigestValue::from_bytes(DigestAlgorithm::Sha256, &digest)?,
            verified_at: OffsetDateTime::parse(&file.verified_at, &Rfc3339).ok()?,
        })
    }
}

/// Takes a digest over named parameters; each value with its length, so that no two lists of parameters run together.
pub struct Parameters(Hasher);

impl Parameters {
    /// Those of a program: its version is one, since another version may judge otherwise.
    #[must_use]
    pub fn new(program: &str, version: &str) -> Self {
        let start = Self(DigestAlgorithm::Sha256.hasher());
        start
            .with(SCHEMA, program.as_bytes())
            .with("version", version.as_bytes())
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8]) -> Self {
        for part in [name.as_bytes(), value] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            self.0.update(&length.to_be_bytes());
            self.0.update(part);
        }
        self
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> DigestValue {
        self.0.finish()
    }
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parameters")
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_run_is_read_again_and_nothing_else_is() {
        let parameters = |name: &str, value: &[u8]| {
            let parameters = Parameters::new("verifier", "1").with(name, value);
            parameters.finish()
        };
        let header = RunHeader {
            parameters: parameters("a", b"bc"),
            verified_at: datetime!(2027-01-02 03:04:05.678901 UTC),
        };
        assert_eq!(
            RunHeader::read(header.to_json().as_bytes()),
            Some(header.clone())
        );
        assert_ne!(parameters("ab", b"c"), header.parameters);
        assert_ne!(parameters("a", b"bd"), header.parameters);
        for (from, to) in [
            ("bulk-run:1", "bulk-run:2"),
            ("2027", "x"),
            ("\"schema\"", "\"s\""),
        ] {
            let text = header.to_json().replace(from, to);
            assert_eq!(RunHeader::read(text.as_bytes()), None, "{from}");
        }
        assert_eq!(RunHeader::read(b""), None);
    }
}
