//! Whether a signer has signed the algorithms that it states (RFC 6211).
//!
//! Identifiers are compared by value: absent parameters and NULL are the same, and RSASSA-PSS parameters may spell out their defaults or not (X.690 §11.5).

use formats::cms::{AlgorithmIdentifier, SignerInfo};
use formats::error::Result;
use formats::oid;

use super::scheme::PssParameters;
use crate::der::NULL;

/// Whether the algorithms that stand in the signed attribute are those of the signer; `None` without the attribute.
///
/// # Errors
///
/// A [`formats::error::FormatError`] if the attribute cannot be read or stands twice.
pub(crate) fn signs_its_algorithms(signer: &SignerInfo) -> Result<Option<bool>> {
    let Some(signed) = signer.algorithm_protection()? else {
        return Ok(None);
    };
    let same_digest = is_same(&signed.digest_algorithm, &signer.digest_algorithm);
    let same_signature = is_same(&signed.signature_algorithm, &signer.signature_algorithm);
    Ok(Some(same_digest && same_signature))
}

fn is_same(one: &AlgorithmIdentifier, other: &AlgorithmIdentifier) -> bool {
    fn parameters(of: &AlgorithmIdentifier) -> Option<&[u8]> {
        of.parameters.as_deref().filter(|bytes| *bytes != [NULL, 0])
    }
    if one.oid != other.oid {
        return false;
    }
    match (parameters(one), parameters(other)) {
        (one, other) if one == other => true,
        (Some(first), Some(second)) if one.oid == oid::RSASSA_PSS => {
            match (PssParameters::parse(first), PssParameters::parse(second)) {
                (Ok(first), Ok(second)) => first == second,
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(oid: oid::Oid, parameters: Option<&str>) -> AlgorithmIdentifier {
        AlgorithmIdentifier {
            oid,
            parameters: parameters.map(|text| hex::decode(text).unwrap()),
        }
    }

    #[test]
    fn identifiers_are_compared_by_value() {
        let digest = |parameters| of(oid::SHA256, parameters);
        assert!(is_same(&digest(None), &digest(Some("0500"))));
        assert!(!is_same(&digest(None), &digest(Some("020100"))));
        assert!(!is_same(&digest(None), &of(oid::SHA512, None)));
        // RSASSA-PSS-params: all defaults, the trailer spelt out, another length of the salt.
        let pss = |parameters| of(oid::RSASSA_PSS, Some(parameters));
        assert!(is_same(&pss("3000"), &pss("3005a303020101")));
        assert!(!is_same(&pss("3000"), &pss("3005a203020120")));
        assert!(!is_same(&pss("3000"), &of(oid::RSASSA_PSS, None)));
    }
}
