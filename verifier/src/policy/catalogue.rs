//! A catalogue of algorithms after ETSI TS 119 322 (JSON, clause 6), read as a policy.
//!
//! Published catalogues depart from the published schema: a single evaluation or parameter stands without its array, numbers are
//! texts, the identifier is spelt `Objectidentifier`, some object identifiers are wrong. So an entry is known by its name. What
//! this program cannot use (other algorithms, other usages than validation) is passed over: an algorithm without a row is not
//! trusted, so that leaving out is always on the safe side. An end or a key size that cannot be read is refused.

use std::collections::BTreeMap;

use formats::digest::DigestAlgorithm;
use serde::Deserialize;
use serde_json::Value;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

use super::{Policy, PolicyError, RevocationRule, Row};
use crate::algorithm::{SignatureFamily, Trust};

/// The member that holds the catalogue: both spellings are in use.
#[derive(Deserialize)]
struct Document {
    #[serde(
        rename = "SecuritySuitabilityPolicy",
        alias = "SecuritySuitabilityPolicyType"
    )]
    policy: Catalogue,
}

/// `SecuritySuitabilityPolicyType`, as far as it is used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Catalogue {
    policy_name: Named,
    publisher: Named,
    policy_issue_date: String,
    algorithm: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    algorithm_identifier: Named,
    evaluation: OneOrMany<Evaluation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    validity: Validity,
    #[serde(default)]
    parameter: Option<OneOrMany<Parameter>>,
    #[serde(default)]
    algorithm_usage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Validity {
    #[serde(default)]
    end: Option<String>,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "Min", default)]
    min: Option<Value>,
    name: String,
}

/// A list, or its only element without the list.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = match Value::deserialize(deserializer)? {
            Value::Array(all) => all,
            one @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => vec![one],
        };
        let objects = all.into_iter().map(|one| match one {
            Value::Object(_) => serde_json::from_value(one).map_err(serde::de::Error::custom),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)) => Err(serde::de::Error::custom(format_args!(
                "an object is expected, not {other}"
            ))),
        });
        objects.collect::<Result<_, _>>().map(Self)
    }
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        &self.0
    }
}

/// What an entry is about.
#[derive(Clone, Copy)]
enum Subject {
    Digest(DigestAlgorithm),
    Signature(SignatureFamily),
}

/// The catalogue in `bytes`; `None` if they do not claim to be one.
pub(super) fn recognise(bytes: &[u8]) -> Option<Result<Catalogue, serde_json::Error>> {
    #[derive(Deserialize)]
    struct Claim {
        #[serde(
            rename = "SecuritySuitabilityPolicy",
            alias = "SecuritySuitabilityPolicyType"
        )]
        _policy: serde::de::IgnoredAny,
    }
    serde_json::from_slice::<Claim>(bytes).ok()?;
    Some(serde_json::from_slice::<Document>(bytes).map(|document| document.policy))
}

/// The policy that the catalogue says.
pub(super) fn read(catalogue: Catalogue) -> Result<Policy, PolicyError> {
    let issued: String = catalogue.policy_issue_date.chars().take(10).collect();
    let name = format!("{}, {issued}", catalogue.policy_name.name);
    let source = format!("{name} ({})", catalogue.publisher.name);
    let mut digests = BTreeMap::new();
    let mut signatures: BTreeMap<SignatureFamily, BTreeMap<u32, Row>> = BTreeMap::new();
    let curve_bits_min = smallest_curve(&catalogue.algorithm);
    for (number, entry) in catalogue.algorithm.iter().enumerate() {
        let error = PolicyError::CatalogueEntry(number);
        let evaluations = entry.evaluation.as_slice();
        if evaluations.is_empty() {
            return Err(error);
        }
        let Some(subject) = subject(&entry.algorithm_identifier.name) else {
            continue;
        };
        for evaluation in evaluations.iter().filter(|one| one.is_for_validation()) {
            let trust = Trust {
                until: evaluation.end().map_err(|()| error)?,
                source: source.clone(),
            };
            match subject {
                Subject::Digest(digest) => add(digests.entry(digest), trust),
                Subject::Signature(family) => {
                    let bits = evaluation.key_bits_min().map_err(|()| error)?;
                    let bits = bits.unwrap_or(if family == SignatureFamily::Ecdsa {
                        curve_bits_min
                    } else if family == SignatureFamily::SlhDsa {
                        category_bits(&entry.algorithm_identifier.name)
                    } else {
                        1
                    });
                    add(signatures.entry(family).or_default().entry(bits), trust);
                }
            }
        }
    }
    Ok(Policy {
        name,
        revocation: RevocationRule::default(),
        digests,
        signatures,
    })
}

/// A signature algorithm stands once for each digest; the latest end is that of its key, since the digest has its own entry.
fn add<K: Ord>(place: std::collections::btree_map::Entry<'_, K, Row>, trust: Trust) {
    let row = Row {
        new: trust.clone(),
        trust,
    };
    place
        .and_modify(|known| {
            if *known.trust.earlier(&row.trust) == known.trust {
                *known = row.clone();
            }
        })
        .or_insert(row);
}

impl Evaluation {
    /// Evaluations without a usage are for every usage; those of certificates or OCSP alone are not ours to apply to all (TS 119 322 §5).
    fn is_for_validation(&self) -> bool {
        const USAGES: &[&str] = &[
            "http://uri.etsi.org/19322/sign_data",
            "http://uri.etsi.org/19322/sign_data/validate_data",
            "http://uri.etsi.org/19322/sign_data/validate_data/validate_timestamps",
        ];
        self.algorithm_usage
            .as_deref()
            .is_none_or(|usage| USAGES.contains(&usage))
    }

    fn end(&self) -> Result<Option<OffsetDateTime>, ()> {
        let Some(text) = &self.validity.end else {
            return Ok(None);
        };
        if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
            return Ok(Some(time));
        }
        let day = Date::parse(text, &Iso8601::DATE).map_err(drop)?;
        Ok(Some(day.midnight().assume_utc()))
    }

    fn key_bits_min(&self) -> Result<Option<u32>, ()> {
        let parameters = self.parameter.as_ref().map(OneOrMany::as_slice);
        let key = parameters
            .unwrap_or_default()
            .iter()
            .find(|parameter| matches!(parameter.name.as_str(), "moduluslength" | "plength"));
        let Some(min) = key.and_then(|key| key.min.as_ref()) else {
            return Ok(None);
        };
        let number = match min {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        number
            .and_then(|number| u32::try_from(number).ok())
            .map(Some)
            .ok_or(())
    }
}

/// The smallest curve that the catalogue names: its ECDSA entries may leave the size to the curves.
fn smallest_curve(entries: &[Entry]) -> u32 {
    const CURVES: &[(&str, u32)] = &[
        ("frp256v1", 256),
        ("brainpoolp256r1", 256),
        ("brainpoolp384r1", 384),
        ("brainpoolp512r1", 512),
        ("secp256r1", 256),
        ("secp384r1", 384),
        ("secp512r1", 512),
        ("secp521r1", 521),
    ];
    let names = entries.iter().map(|entry| &entry.algorithm_identifier.name);
    names
        .filter_map(|name| {
            CURVES
                .iter()
                .find(|(curve, _)| name.eq_ignore_ascii_case(curve))
        })
        .map(|(_, bits)| *bits)
        .min()
        .unwrap_or(256)
}

/// `SLH-DSA`, or one of its parameter sets; not the pre-hashed forms, whose names go on.
fn is_slh_dsa(folded: &str) -> bool {
    let name = folded.strip_prefix("id").unwrap_or(folded);
    let Some(rest) = name.strip_prefix("slhdsa") else {
        return false;
    };
    let set = rest
        .strip_prefix("sha2")
        .or_else(|| rest.strip_prefix("shake"));
    rest.is_empty()
        || set.is_some_and(|set| matches!(set, "128s" | "128f" | "192s" | "192f" | "256s" | "256f"))
}

/// The security of the parameter set that a name of SLH-DSA ends with; of all of them if it names none.
fn category_bits(name: &str) -> u32 {
    let size = name.trim_end_matches(['s', 'f', 'S', 'F']);
    [128, 192, 256]
        .into_iter()
        .find(|bits| size.ends_with(&bits.to_string()))
        .unwrap_or(128)
}

/// What the entry of this name is about.
fn subject(name: &str) -> Option<Subject> {
    let folded: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let digest = DigestAlgorithm::ALL.iter().copied().find(|digest| {
        let known = digest.name().chars().filter(char::is_ascii_alphanumeric);
        known.map(|c| c.to_ascii_lowercase()).eq(folded.chars())
    });
    if let Some(digest) = digest {
        return Some(Subject::Digest(digest));
    }
    let family = match folded.as_str() {
        "rsassapss" => SignatureFamily::RsaPss,
        "dsa" => SignatureFamily::Dsa,
        "ecdsa" => SignatureFamily::Ecdsa,
        "ed25519" => SignatureFamily::Ed25519,
        "ed448" => SignatureFamily::Ed448,
        "mldsa44" | "idmldsa44" => SignatureFamily::MlDsa44,
        "mldsa65" | "idmldsa65" => SignatureFamily::MlDsa65,
        "mldsa87" | "idmldsa87" => SignatureFamily::MlDsa87,
        other if is_slh_dsa(other) => SignatureFamily::SlhDsa,
        other if other.ends_with("withrsaencryption") => SignatureFamily::RsaPkcs1,
        other if other.starts_with("idrsassapkcs1v15with") => SignatureFamily::RsaPkcs1,
        other if other.starts_with("ecdsawith") => SignatureFamily::Ecdsa,
        _ => return None,
    };
    Some(Subject::Signature(family))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::algorithm::SignatureAlgorithm;

    const SMALL: &str = r#"{"SecuritySuitabilityPolicy": {
        "PolicyName": {"Name": "Suites"}, "Publisher": {"Name": "Somebody"}, "PolicyIssueDate": "2024-10-13T00:00:00Z",
        "Algorithm": [
            {"AlgorithmIdentifier": {"Name": "SHA1", "Objectidentifier": "wrong"}, "Evaluation": {"Validity": {"End": "2012-08-01"}}},
            {"AlgorithmIdentifier": {"Name": "SHA256"}, "Evaluation": [{"Validity": {}, "Recommendation": "R"}]},
            {"AlgorithmIdentifier": {"Name": "sha1WithRSAEncryption"},
             "Evaluation": [{"Validity": {"End": "2012-08-01"}, "Parameter": {"Min": "1900", "name": "moduluslength"}}]},
            {"AlgorithmIdentifier": {"Name": "sha256WithRSAEncryption"}, "Evaluation": [
                {"Validity": {"End": "2029-01-01T00:00:00+01:00"}, "Parameter": [{"Min": 1900, "name": "moduluslength"}]},
                {"Validity": {"End": "2000-01-01"}, "AlgorithmUsage": "http://uri.etsi.org/19322/sign_data/sign_ocsp",
                 "Parameter": [{"Min": 3000, "name": "moduluslength"}]}]},
            {"AlgorithmIdentifier": {"Name": "ECDSA with SHA-256"}, "Evaluation": {"Validity": {}}},
            {"AlgorithmIdentifier": {"Name": "secp384r1"}, "Evaluation": {"Validity": {}}},
            {"AlgorithmIdentifier": {"Name": "WHIRLPOOL"}, "Evaluation": {"Validity": {"End": "2020-12-01"}}}
        ]}}"#;

    fn signature(
        family: SignatureFamily,
        key_bits: u32,
        digest: DigestAlgorithm,
    ) -> SignatureAlgorithm {
        let digest = Some(digest);
        SignatureAlgorithm {
            family,
            key_bits,
            digest,
        }
    }

    #[test]
    fn a_catalogue_is_a_policy() {
        let policy = Policy::parse(SMALL.as_bytes()).unwrap();
        assert_eq!(policy.name(), "Suites, 2024-10-13");
        let (sha1, sha256) = (DigestAlgorithm::Sha1, DigestAlgorithm::Sha256);
        assert_eq!(
            policy.digest_trust(sha1).unwrap().until,
            Some(datetime!(2012-08-01 0:00 UTC))
        );
        assert_eq!(policy.digest_trust(sha256).unwrap().until, None);
        assert_eq!(policy.digest_trust(DigestAlgorithm::Sha512), None);
        let rsa = |bits, digest| {
            policy.signature_trust(signature(SignatureFamily::RsaPkcs1, bits, digest))
        };
        assert_eq!(
            rsa(2048, sha256).unwrap().until,
            Some(datetime!(2029-01-01 0:00 +1))
        );
        assert_eq!(
            rsa(4096, sha1).unwrap().until,
            Some(datetime!(2012-08-01 0:00 UTC))
        );
        assert_eq!(rsa(1024, sha256), None);
        let ecdsa = |bits| policy.signature_trust(signature(SignatureFamily::Ecdsa, bits, sha256));
        assert_eq!(ecdsa(384).unwrap().until, None);
        assert_eq!(ecdsa(256), None);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for (bad, error) in [
            (
                SMALL.replace("\"2012-08-01\"}}}", "\"soon\"}}}"),
                Some(PolicyError::CatalogueEntry(0)),
            ),
            (
                SMALL.replace("\"Min\": 1900", "\"Min\": -1"),
                Some(PolicyError::CatalogueEntry(3)),
            ),
            (
                SMALL.replace("[{\"Validity\": {}, \"Recommendation\": \"R\"}]", "[]"),
                Some(PolicyError::CatalogueEntry(1)),
            ),
            (SMALL.replace("\"Publisher\"", "\"Publicher\""), None),
            (
                SMALL.replace("\"Validity\": {}, \"Recommendation\"", "\"Recommendation\""),
                None,
            ),
        ] {
            assert_ne!(bad, SMALL);
            let answer = Policy::parse(bad.as_bytes()).expect_err("it is refused");
            match error {
                Some(error) => assert_eq!(answer, error),
                None => assert!(
                    matches!(answer, PolicyError::Malformed { .. }),
                    "{answer:?}"
                ),
            }
        }
    }
}
