//! A policy with an end put earlier: the question "what if this algorithm falls?", asked before it does.

use std::fmt;
use std::str::FromStr;

use formats::digest::DigestAlgorithm;
use time::OffsetDateTime;

use super::{Policy, Row};
use crate::algorithm::{SignatureFamily, Trust};

/// Algorithms that end together, as people name them.
///
/// The text is the name of the specification, in any letter case and with or without its hyphens (`sha256`, `SHA3-512`, `ecdsa`,
/// `rsassa-pss`); `rsa` means both of its signature schemes. After a hyphen or a colon, a signature algorithm takes the largest key
/// that ends (`rsa-2048`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgorithmSet {
    text: String,
    digest: Option<DigestAlgorithm>,
    families: Vec<SignatureFamily>,
    key_bits_max: u32,
}

/// The text names no algorithm that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digests = DigestAlgorithm::ALL.iter().map(|digest| digest.name());
        let families = SignatureFamily::ALL.iter().map(|family| family.name());
        let names: Vec<&str> = digests.chain(families).collect();
        write!(
            f,
            "no such algorithm; known are {}, RSA; a signature algorithm may have the largest key that ends, as in rsa-2048",
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl FromStr for AlgorithmSet {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(UnknownAlgorithm);
        }
        let wanted = folded(text);
        let digest = DigestAlgorithm::ALL
            .iter()
            .copied()
            .find(|digest| folded(digest.name()) == wanted);
        let (families, key_bits_max) = families(text).unwrap_or_default();
        if digest.is_none() && families.is_empty() {
            return Err(UnknownAlgorithm);
        }
        let text = match (digest, families.first()) {
            (Some(digest), _) => digest.name().to_owned(),
            (None, Some(family)) if families.len() == 1 => family.name().to_owned(),
            _ => "RSA".to_owned(),
        };
        Ok(Self {
            text: if key_bits_max == 0 || key_bits_max == u32::MAX {
                text
            } else {
                format!("{text} up to {key_bits_max} bits")
            },
            digest,
            families,
            key_bits_max,
        })
    }
}

impl fmt::Display for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AlgorithmSet {
    /// The digest algorithm, where it is one.
    #[must_use]
    pub const fn digest(&self) -> Option<DigestAlgorithm> {
        self.digest
    }
}

/// The signature algorithms of a text, and the largest key that is meant.
fn families(text: &str) -> Option<(Vec<SignatureFamily>, u32)> {
    let of = |name: &str| -> Vec<SignatureFamily> {
        let wanted = folded(name);
        if wanted == "rsa" {
            return vec![SignatureFamily::RsaPkcs1, SignatureFamily::RsaPss];
        }
        let named = |family: &&SignatureFamily| folded(family.name()) == wanted;
        SignatureFamily::ALL.iter().filter(named).copied().collect()
    };
    let whole = of(text);
    if !whole.is_empty() {
        return Some((whole, u32::MAX));
    }
    let (name, bits) = text.rsplit_once(['-', ':'])?;
    let bits: u32 = bits.parse().ok().filter(|bits| *bits > 0)?;
    let named = of(name);
    (!named.is_empty()).then_some((named, bits))
}

fn folded(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

impl Policy {
    /// The same policy, but trust in `algorithms` ends at `last` at the latest. `source` says why, for reports.
    #[must_use]
    pub fn with_end(&self, algorithms: &AlgorithmSet, last: OffsetDateTime, source: &str) -> Self {
        let end = Trust {
            until: Some(last),
            source: source.to_owned(),
        };
        let mut changed = self.clone();
        if let Some(digest) = algorithms.digest
            && let Some(row) = changed.digests.get_mut(&digest)
        {
            row.end(&end);
        }
        for family in &algorithms.families {
            let Some(rows) = changed.signatures.get_mut(family) else {
                continue;
            };
            let above = algorithms.key_bits_max.saturating_add(1);
            let kept = rows.range(..=above).next_back().map(|(_, row)| row.clone());
            if let Some(row) = kept
                && algorithms.key_bits_max < u32::MAX
            {
                rows.entry(above).or_insert(row);
            }
            for (_, row) in rows.range_mut(..=algorithms.key_bits_max) {
                row.end(&end);
            }
        }
        changed
    }
}

impl Row {
    fn end(&mut self, end: &Trust) {
        self.trust = self.trust.earlier(end).clone();
        self.new = self.new.earlier(end).clone();
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::algorithm::SignatureAlgorithm;

    fn set(text: &str) -> AlgorithmSet {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn signature(family: SignatureFamily, key_bits: u32) -> SignatureAlgorithm {
        SignatureAlgorithm {
            family,
            key_bits,
            digest: None,
        }
    }

    #[test]
    fn people_write_names_in_many_ways() {
        for (text, shown) in [
            ("sha256", "SHA-256"),
            ("SHA-256", "SHA-256"),
            ("sha3-512", "SHA3-512"),
            ("SHA512/256", "SHA-512/256"),
            ("rsa", "RSA"),
            ("RSA-2048", "RSA up to 2048 bits"),
            ("rsassa-pss:3072", "RSASSA-PSS up to 3072 bits"),
            ("ed25519", "Ed25519"),
            ("rsassa-pkcs1-v1_5", "RSASSA-PKCS1-v1_5"),
        ] {
            assert_eq!(set(text).to_string(), shown, "{text}");
        }
        for bad in [
            "",
            "sha255",
            "rsa-",
            "rsa-0",
            "rsa-x",
            "sha256-2048",
            "md",
            "2048",
        ] {
            assert!(bad.parse::<AlgorithmSet>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_ends_earlier_never_later() {
        let end = datetime!(2031-04-01 0:00 +9);
        let policy = Policy::default().with_end(&set("sha256"), end, "drill");
        let trust = policy.digest_trust(DigestAlgorithm::Sha256).unwrap();
        assert_eq!((trust.until, trust.source.as_str()), (Some(end), "drill"));
        let old = Policy::default().with_end(&set("md5"), end, "drill");
        assert_eq!(old, Policy::default());
    }

    #[test]
    fn larger_keys_stay() {
        let end = datetime!(2027-01-01 0:00 UTC);
        let policy = Policy::default().with_end(&set("rsa-2048"), end, "drill");
        for family in [SignatureFamily::RsaPkcs1, SignatureFamily::RsaPss] {
            let until = |bits| {
                policy
                    .signature_trust(signature(family, bits))
                    .unwrap()
                    .until
            };
            assert_eq!(until(2048), Some(end));
            assert_eq!(until(1024), Some(datetime!(2019-10-01 0:00 UTC)));
            assert_eq!(until(2049), Some(datetime!(2030-12-31 14:59:59 UTC)));
            assert_eq!(until(4096), Some(datetime!(2050-12-31 14:59:59 UTC)));
        }
        let all = Policy::default().with_end(&set("ecdsa"), end, "drill");
        let ecdsa = signature(SignatureFamily::Ecdsa, 521);
        assert_eq!(all.signature_trust(ecdsa).unwrap().until, Some(end));
        assert_eq!(
            all.signature_trust(signature(SignatureFamily::Ed25519, 256)),
            Policy::default().signature_trust(signature(SignatureFamily::Ed25519, 256))
        );
    }
}
