//! The forms of CAdES, by both families of names.

use crate::cms::{SignedData, SignerInfo};
use crate::oid;

/// How far a signature has been raised. The order is that of the proof: a later one holds all that an earlier one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// ES-BES, B-B: signed attributes bind the certificate.
    Bes,
    /// ES-T, B-T: a timestamp over the signature.
    T,
    /// ES-C: references to certificates and revocation information. The baseline family has no such level.
    C,
    /// ES-X Long, B-LT: certificates and revocation information themselves.
    XLong,
    /// ES-A, B-LTA: archive timestamps.
    A,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: &'static [Self] = &[Self::Bes, Self::T, Self::C, Self::XLong, Self::A];

    /// The name of the ES family (RFC 5126, JIS X 5092, ISO 14533-1).
    #[must_use]
    pub const fn es_name(self) -> &'static str {
        match self {
            Self::Bes => "ES-BES",
            Self::T => "ES-T",
            Self::C => "ES-C",
            Self::XLong => "ES-X Long",
            Self::A => "ES-A",
        }
    }

    /// The name of the baseline family (EN 319 122-1 §6).
    #[must_use]
    pub const fn baseline_name(self) -> Option<&'static str> {
        match self {
            Self::Bes => Some("B-B"),
            Self::T => Some("B-T"),
            Self::C => None,
            Self::XLong => Some("B-LT"),
            Self::A => Some("B-LTA"),
        }
    }

    /// The level of a name of either family, as people write it: case, spaces and hyphens do not count.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = |text: &str| -> String {
            let kept = text.chars().filter(|c| c.is_ascii_alphanumeric());
            kept.map(|c| c.to_ascii_uppercase()).collect()
        };
        let wanted = plain(name);
        if wanted == "ESXL" {
            return Some(Self::XLong);
        }
        Self::ALL.iter().copied().find(|level| {
            plain(level.es_name()) == wanted
                || level
                    .baseline_name()
                    .is_some_and(|name| plain(name) == wanted)
        })
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.baseline_name() {
            Some(baseline) => write!(f, "{} ({baseline})", self.es_name()),
            None => f.write_str(self.es_name()),
        }
    }
}

/// The level that the attributes of a signer claim; `None` if no attribute binds the certificate, so that it is CMS but not CAdES.
///
/// It is a claim: whether the timestamps hold is for a verifier.
#[must_use]
pub fn level_of(signed_data: &SignedData, signer: &SignerInfo) -> Option<Level> {
    let bound = signer.signed_attributes.as_ref().is_some_and(|attributes| {
        attributes.all(&oid::SIGNING_CERTIFICATE_V2).count() > 0
            || attributes.all(&oid::SIGNING_CERTIFICATE).count() > 0
    });
    if !bound {
        return None;
    }
    let has = |oid| signer.unsigned(&oid).next().is_some();
    let archived = [
        oid::ARCHIVE_TIME_STAMP_V1,
        oid::ARCHIVE_TIME_STAMP_V2,
        oid::ARCHIVE_TIME_STAMP_V3,
    ];
    if archived.into_iter().any(has) {
        return Some(Level::A);
    }
    if !has(oid::SIGNATURE_TIME_STAMP) {
        return Some(Level::Bes);
    }
    let values = has(oid::CERTIFICATE_VALUES) && has(oid::REVOCATION_VALUES);
    if values || !signed_data.revocations.is_empty() {
        return Some(Level::XLong);
    }
    if has(oid::COMPLETE_CERTIFICATE_REFERENCES) && has(oid::COMPLETE_REVOCATION_REFERENCES) {
        return Some(Level::C);
    }
    Some(Level::T)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cms::{Attribute, RevocationInfo};
    use crate::samples;

    #[test]
    fn names_of_both_families_are_read() {
        for level in Level::ALL {
            assert_eq!(Level::from_name(level.es_name()), Some(*level));
            let baseline = level.baseline_name();
            assert!(baseline.is_none_or(|name| Level::from_name(name) == Some(*level)));
        }
        assert_eq!(Level::from_name("es-xl"), Some(Level::XLong));
        assert_eq!(Level::from_name("B-X"), None);
        assert_eq!(Level::from_name(""), None);
        assert_eq!(Level::A.to_string(), "ES-A (B-LTA)");
        assert_eq!(Level::C.to_string(), "ES-C");
    }

    #[test]
    fn attributes_make_the_level() {
        let mut signed = SignedData::parse(&samples::token(b"data"))
            .unwrap()
            .value()
            .clone();
        let mut signer = signed.signers[0].clone();
        assert_eq!(level_of(&signed, &signer), Some(Level::Bes));
        let add = |signer: &mut SignerInfo, oid| {
            let attribute = Attribute::new(oid, vec![vec![5, 0]]);
            signer.unsigned_attributes.push(attribute);
        };
        add(&mut signer, oid::SIGNATURE_TIME_STAMP);
        assert_eq!(level_of(&signed, &signer), Some(Level::T));
        add(&mut signer, oid::COMPLETE_CERTIFICATE_REFERENCES);
        assert_eq!(level_of(&signed, &signer), Some(Level::T));
        add(&mut signer, oid::COMPLETE_REVOCATION_REFERENCES);
        assert_eq!(level_of(&signed, &signer), Some(Level::C));
        signed.revocations = vec![RevocationInfo::Crl(vec![0x30, 0])];
        assert_eq!(level_of(&signed, &signer), Some(Level::XLong));
        add(&mut signer, oid::ARCHIVE_TIME_STAMP_V3);
        assert_eq!(level_of(&signed, &signer), Some(Level::A));
        signer.signed_attributes = None;
        assert_eq!(level_of(&signed, &signer), None);
    }
}
