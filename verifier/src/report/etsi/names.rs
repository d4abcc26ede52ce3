//! The identifiers of TS 119 102-2 and of XML security that the report uses.

use formats::digest::DigestAlgorithm;

use crate::algorithm::{SignatureAlgorithm, SignatureFamily};
use crate::finding::Severity;
use crate::judgement::Judgement;
use crate::report::{AlgorithmName, UsedRole, ValidationProcess};
use crate::revocation::Reason;
use crate::verdict::{Conclusion, SubIndication};

/// The namespace of TS 119 102-2 V1.4.1.
pub(super) const NAMESPACE: &str = "http://uri.etsi.org/19102/v1.4.1#";
/// XML signatures.
pub(super) const NAMESPACE_DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XAdES.
pub(super) const NAMESPACE_XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
/// Trusted lists (TS 119 612).
pub(super) const NAMESPACE_TSL: &str = "http://uri.etsi.org/02231/v2#";

/// A constraint that was applied.
pub(super) const APPLIED: &str = "urn:etsi:019102:constraintStatus:applied";
/// A constraint that was not.
pub(super) const DISABLED: &str = "urn:etsi:019102:constraintStatus:disabled";
/// A proof of existence that the validation derived.
pub(super) const PROVEN_BY_VALIDATION: &str = "urn:etsi:019102:poetype:validation";
/// What EU DSS says where there is no signature; the standard, whose reports are about signatures, has no word for it.
pub(super) const NO_SIGNATURE_FOUND: &str = "urn:cef:dss:mainindication:noSignatureFound";

/// MainIndication in the report of a signature (§4.3.4.2).
pub(super) const fn total_indication(judgement: Judgement) -> &'static str {
    match judgement.conclusion() {
        Conclusion::TotalPassed => "urn:etsi:019102:mainindication:total-passed",
        Conclusion::Indeterminate => INDETERMINATE,
        Conclusion::TotalFailed => "urn:etsi:019102:mainindication:total-failed",
    }
}

/// MainIndication for a constraint or a validation object (§4.3.4.2).
pub(super) const fn indication(judgement: Judgement) -> &'static str {
    match judgement.conclusion() {
        Conclusion::TotalPassed => PASSED,
        Conclusion::Indeterminate => INDETERMINATE,
        Conclusion::TotalFailed => FAILED,
    }
}

/// A constraint or an object that holds.
pub(super) const PASSED: &str = "urn:etsi:019102:mainindication:passed";
/// One that does not.
pub(super) const FAILED: &str = "urn:etsi:019102:mainindication:failed";
/// One that leaves the question open.
pub(super) const INDETERMINATE: &str = "urn:etsi:019102:mainindication:indeterminate";

/// SubIndication (§4.3.4.3, table 2; reasons that are younger than the table follow its rule).
pub(super) fn sub_indication(reason: SubIndication) -> String {
    format!("urn:etsi:019102:subindication:{}", reason.name())
}

/// SignatureValidationProcessID (§4.3.11.1), which allows other identifiers for other processes.
pub(super) const fn process(process: ValidationProcess) -> &'static str {
    match process.urn() {
        Some(urn) => urn,
        None => "urn:fumikura:validation-process:timestamp",
    }
}

/// ObjectType; with the letters that start the identifiers of such objects.
pub(super) const fn object_type(role: UsedRole) -> (&'static str, &'static str) {
    match role {
        UsedRole::SigningCertificate | UsedRole::Certificate | UsedRole::TrustAnchor => {
            ("urn:etsi:019102:validationObject:certificate", "C")
        }
        UsedRole::Crl => ("urn:etsi:019102:validationObject:CRL", "R"),
        UsedRole::OcspResponse => ("urn:etsi:019102:validationObject:OCSPResponse", "O"),
        UsedRole::TimestampToken => ("urn:etsi:019102:validationObject:timestamp", "T"),
        UsedRole::EvidenceRecord => ("urn:etsi:019102:validationObject:evidencerecord", "E"),
        UsedRole::SignedData => ("urn:etsi:019102:validationObject:signedData", "D"),
        UsedRole::Signature | UsedRole::ToBeSigned => {
            ("urn:etsi:019102:validationObject:other", "S")
        }
    }
}

/// RevocationReason. A reason that is not given, or not known, has no identifier.
pub(super) fn revocation_reason(reason: Reason) -> Option<String> {
    let is_named = !matches!(reason, Reason::Absent | Reason::Unknown);
    is_named.then(|| format!("urn:etsi:019102:revocationReason:{}", reason.name()))
}

/// The type of a finding in the report.
pub(super) const fn finding(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "urn:fumikura:finding:info",
        Severity::Warning => "urn:fumikura:finding:warning",
        Severity::Error => "urn:fumikura:finding:error",
    }
}

/// A digest algorithm: as XML signatures name it, or by its object identifier (RFC 3061).
pub(super) fn digest(algorithm: DigestAlgorithm) -> String {
    match algorithm.xml_uri() {
        Some(uri) => uri.to_owned(),
        None => format!("urn:oid:{}", algorithm.oid()),
    }
}

/// Any algorithm: as RFC 9231 and RFC 6931 name it, by its object identifier, or by its name here.
pub(super) fn algorithm(name: AlgorithmName) -> String {
    match name {
        AlgorithmName::Digest(algorithm) => digest(algorithm),
        AlgorithmName::Signature(algorithm) => signature(algorithm),
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "every family without a name in RFC 9231 is named alike"
)]
fn signature(algorithm: SignatureAlgorithm) -> String {
    const MORE_2001: &str = "http://www.w3.org/2001/04/xmldsig-more#";
    const MORE_2007: &str = "http://www.w3.org/2007/05/xmldsig-more#";
    const MORE_2021: &str = "http://www.w3.org/2021/04/xmldsig-more#";
    let Some(digest) = algorithm.digest else {
        return match algorithm.family {
            SignatureFamily::Ed25519 => format!("{MORE_2021}eddsa-ed25519"),
            SignatureFamily::Ed448 => format!("{MORE_2021}eddsa-ed448"),
            _ => format!("urn:fumikura:algorithm:{}", algorithm.family.name()),
        };
    };
    let short = digest
        .name()
        .replace("SHA-", "sha")
        .replace('/', "-")
        .to_lowercase();
    let short = short.replace("ripemd-160", "ripemd160");
    let is_sha3 = digest.name().starts_with("SHA3-");
    let is_sha2 = digest.name().starts_with("SHA-") && digest != DigestAlgorithm::Sha1;
    match algorithm.family {
        SignatureFamily::RsaPkcs1 if digest == DigestAlgorithm::Sha1 => {
            format!("{NAMESPACE_DS}rsa-sha1")
        }
        SignatureFamily::RsaPkcs1 if !is_sha3 && digest != DigestAlgorithm::Sha512_256 => {
            format!("{MORE_2001}rsa-{short}")
        }
        SignatureFamily::RsaPss => format!("{MORE_2007}{short}-rsa-MGF1"),
        SignatureFamily::Ecdsa if is_sha3 => format!("{MORE_2021}ecdsa-{short}"),
        SignatureFamily::Ecdsa if digest == DigestAlgorithm::Ripemd160 => {
            format!("{MORE_2007}ecdsa-ripemd160")
        }
        SignatureFamily::Ecdsa => format!("{MORE_2001}ecdsa-{short}"),
        SignatureFamily::Dsa if digest == DigestAlgorithm::Sha1 => {
            format!("{NAMESPACE_DS}dsa-sha1")
        }
        SignatureFamily::Dsa if is_sha2 => {
            format!("http://www.w3.org/2009/xmldsig11#dsa-{short}")
        }
        _ => format!("urn:fumikura:algorithm:{}-{short}", algorithm.family.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_have_the_names_of_rfc_9231() {
        let name = |family, digest| {
            signature(SignatureAlgorithm {
                family,
                key_bits: 256,
                digest,
            })
        };
        for (family, digest, expected) in [
            (
                SignatureFamily::RsaPkcs1,
                DigestAlgorithm::Sha256,
                "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            ),
            (
                SignatureFamily::RsaPkcs1,
                DigestAlgorithm::Md5,
                "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
            ),
            (
                SignatureFamily::RsaPkcs1,
                DigestAlgorithm::Sha1,
                "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            ),
            (
                SignatureFamily::RsaPss,
                DigestAlgorithm::Sha512,
                "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
            ),
            (
                SignatureFamily::RsaPss,
                DigestAlgorithm::Sha3_256,
                "http://www.w3.org/2007/05/xmldsig-more#sha3-256-rsa-MGF1",
            ),
            (
                SignatureFamily::Ecdsa,
                DigestAlgorithm::Sha384,
                "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
            ),
            (
                SignatureFamily::Ecdsa,
                DigestAlgorithm::Sha3_512,
                "http://www.w3.org/2021/04/xmldsig-more#ecdsa-sha3-512",
            ),
            (
                SignatureFamily::Dsa,
                DigestAlgorithm::Sha256,
                "http://www.w3.org/2009/xmldsig11#dsa-sha256",
            ),
        ] {
            assert_eq!(name(family, Some(digest)), expected);
        }
        assert_eq!(
            name(SignatureFamily::Ed25519, None),
            "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"
        );
        assert_eq!(
            name(SignatureFamily::MlDsa65, None),
            "urn:fumikura:algorithm:ML-DSA-65"
        );
    }
}
