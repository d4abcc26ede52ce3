//! The object identifiers that evidence needs. They are encoded at compile time.

use std::borrow::Cow;

use super::Oid;

/// Number of content octets of `arcs`. Runs at compile time only, where overflow is a compile error.
#[allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing
)]
const fn encoded_len(arcs: &[u32]) -> usize {
    let mut len = 0;
    let mut position = 1;
    while position < arcs.len() {
        let mut value = if position == 1 {
            arcs[0] * 40 + arcs[1]
        } else {
            arcs[position]
        };
        len += 1;
        while value >= 128 {
            value /= 128;
            len += 1;
        }
        position += 1;
    }
    len
}

/// Content octets of `arcs`. Runs at compile time only, where overflow is a compile error.
#[allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing
)]
const fn encode<const N: usize>(arcs: &[u32]) -> [u8; N] {
    let mut out = [0; N];
    let mut end = N;
    let mut position = arcs.len() - 1;
    while position >= 1 {
        let mut value = if position == 1 {
            arcs[0] * 40 + arcs[1]
        } else {
            arcs[position]
        };
        let mut continuation = 0;
        loop {
            end -= 1;
            out[end] = (value % 128) as u8 | continuation;
            continuation = 0x80;
            value /= 128;
            if value == 0 {
                break;
            }
        }
        position -= 1;
    }
    out
}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = [$($arc:literal),+] $text:literal;)+) => {
        $(
            $(#[$doc])*
            pub const $name: Oid = {
                const ARCS: &[u32] = &[$($arc),+];
                const CONTENT: [u8; encoded_len(ARCS)] = encode(ARCS);
                Oid(Cow::Borrowed(&CONTENT))
            };
        )+
        pub(super) const NAMES: &[(Oid, &str)] = &[$(($name, $text)),+];
    };
}

oids! {
    // Digests
    /// MD5 (RFC 1321).
    MD5 = [1, 2, 840, 113549, 2, 5] "MD5";
    /// SHA-1 (FIPS 180-4).
    SHA1 = [1, 3, 14, 3, 2, 26] "SHA-1";
    /// RIPEMD-160 (TeleTrusT arc).
    RIPEMD160 = [1, 3, 36, 3, 2, 1] "RIPEMD-160";
    /// SHA-224 (FIPS 180-4).
    SHA224 = [2, 16, 840, 1, 101, 3, 4, 2, 4] "SHA-224";
    /// SHA-256 (FIPS 180-4).
    SHA256 = [2, 16, 840, 1, 101, 3, 4, 2, 1] "SHA-256";
    /// SHA-384 (FIPS 180-4).
    SHA384 = [2, 16, 840, 1, 101, 3, 4, 2, 2] "SHA-384";
    /// SHA-512 (FIPS 180-4).
    SHA512 = [2, 16, 840, 1, 101, 3, 4, 2, 3] "SHA-512";
    /// SHA-512/256 (FIPS 180-4).
    SHA512_256 = [2, 16, 840, 1, 101, 3, 4, 2, 6] "SHA-512/256";
    /// SHA3-224 (FIPS 202).
    SHA3_224 = [2, 16, 840, 1, 101, 3, 4, 2, 7] "SHA3-224";
    /// SHA3-256 (FIPS 202).
    SHA3_256 = [2, 16, 840, 1, 101, 3, 4, 2, 8] "SHA3-256";
    /// SHA3-384 (FIPS 202).
    SHA3_384 = [2, 16, 840, 1, 101, 3, 4, 2, 9] "SHA3-384";
    /// SHA3-512 (FIPS 202).
    SHA3_512 = [2, 16, 840, 1, 101, 3, 4, 2, 10] "SHA3-512";

    // Public keys and signatures
    /// RSA key, and RSASSA-PKCS1-v1_5 with the digest named elsewhere (RFC 8017).
    RSA_ENCRYPTION = [1, 2, 840, 113549, 1, 1, 1] "rsaEncryption";
    /// RSASSA-PKCS1-v1_5 with MD5.
    MD5_WITH_RSA = [1, 2, 840, 113549, 1, 1, 4] "md5WithRSAEncryption";
    /// RSASSA-PKCS1-v1_5 with SHA-1.
    SHA1_WITH_RSA = [1, 2, 840, 113549, 1, 1, 5] "sha1WithRSAEncryption";
    /// RSASSA-PSS (RFC 8017).
    RSASSA_PSS = [1, 2, 840, 113549, 1, 1, 10] "RSASSA-PSS";
    /// The mask generation function of RSASSA-PSS (RFC 8017).
    MGF1 = [1, 2, 840, 113549, 1, 1, 8] "mgf1";
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    SHA256_WITH_RSA = [1, 2, 840, 113549, 1, 1, 11] "sha256WithRSAEncryption";
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    SHA384_WITH_RSA = [1, 2, 840, 113549, 1, 1, 12] "sha384WithRSAEncryption";
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    SHA512_WITH_RSA = [1, 2, 840, 113549, 1, 1, 13] "sha512WithRSAEncryption";
    /// RSASSA-PKCS1-v1_5 with SHA-224.
    SHA224_WITH_RSA = [1, 2, 840, 113549, 1, 1, 14] "sha224WithRSAEncryption";
    /// RSASSA-PKCS1-v1_5 with SHA-512/256.
    SHA512_256_WITH_RSA = [1, 2, 840, 113549, 1, 1, 16] "sha512-256WithRSAEncryption";
    /// RSASSA-PKCS1-v1_5 with RIPEMD-160.
    RIPEMD160_WITH_RSA = [1, 3, 36, 3, 3, 1, 2] "ripemd160WithRSAEncryption";
    /// RSASSA-PKCS1-v1_5 with SHA3-224.
    SHA3_224_WITH_RSA = [2, 16, 840, 1, 101, 3, 4, 3, 13] "rsassa-pkcs1-v1_5-with-sha3-224";
    /// RSASSA-PKCS1-v1_5 with SHA3-256.
    SHA3_256_WITH_RSA = [2, 16, 840, 1, 101, 3, 4, 3, 14] "rsassa-pkcs1-v1_5-with-sha3-256";
    /// RSASSA-PKCS1-v1_5 with SHA3-384.
    SHA3_384_WITH_RSA = [2, 16, 840, 1, 101, 3, 4, 3, 15] "rsassa-pkcs1-v1_5-with-sha3-384";
    /// RSASSA-PKCS1-v1_5 with SHA3-512.
    SHA3_512_WITH_RSA = [2, 16, 840, 1, 101, 3, 4, 3, 16] "rsassa-pkcs1-v1_5-with-sha3-512";
    /// Elliptic curve key (RFC 5480).
    EC_PUBLIC_KEY = [1, 2, 840, 10045, 2, 1] "ecPublicKey";
    /// ECDSA with SHA-1.
    ECDSA_WITH_SHA1 = [1, 2, 840, 10045, 4, 1] "ecdsa-with-SHA1";
    /// ECDSA with SHA-224.
    ECDSA_WITH_SHA224 = [1, 2, 840, 10045, 4, 3, 1] "ecdsa-with-SHA224";
    /// ECDSA with SHA-256.
    ECDSA_WITH_SHA256 = [1, 2, 840, 10045, 4, 3, 2] "ecdsa-with-SHA256";
    /// ECDSA with SHA-384.
    ECDSA_WITH_SHA384 = [1, 2, 840, 10045, 4, 3, 3] "ecdsa-with-SHA384";
    /// ECDSA with SHA-512.
    ECDSA_WITH_SHA512 = [1, 2, 840, 10045, 4, 3, 4] "ecdsa-with-SHA512";
    /// ECDSA with SHA3-224.
    ECDSA_WITH_SHA3_224 = [2, 16, 840, 1, 101, 3, 4, 3, 9] "ecdsa-with-SHA3-224";
    /// ECDSA with SHA3-256.
    ECDSA_WITH_SHA3_256 = [2, 16, 840, 1, 101, 3, 4, 3, 10] "ecdsa-with-SHA3-256";
    /// ECDSA with SHA3-384.
    ECDSA_WITH_SHA3_384 = [2, 16, 840, 1, 101, 3, 4, 3, 11] "ecdsa-with-SHA3-384";
    /// ECDSA with SHA3-512.
    ECDSA_WITH_SHA3_512 = [2, 16, 840, 1, 101, 3, 4, 3, 12] "ecdsa-with-SHA3-512";
    /// Ed25519 key and signature (RFC 8410).
    ED25519 = [1, 3, 101, 112] "Ed25519";
    /// Ed448 key and signature (RFC 8410).
    ED448 = [1, 3, 101, 113] "Ed448";
    /// ML-DSA-44 key and signature (FIPS 204, RFC 9881).
    ML_DSA_44 = [2, 16, 840, 1, 101, 3, 4, 3, 17] "ML-DSA-44";
    /// ML-DSA-65 key and signature (FIPS 204, RFC 9881).
    ML_DSA_65 = [2, 16, 840, 1, 101, 3, 4, 3, 18] "ML-DSA-65";
    /// ML-DSA-87 key and signature (FIPS 204, RFC 9881).
    ML_DSA_87 = [2, 16, 840, 1, 101, 3, 4, 3, 19] "ML-DSA-87";
    /// DSA key (RFC 3279).
    DSA = [1, 2, 840, 10040, 4, 1] "DSA";
    /// DSA with SHA-1 (RFC 3279).
    DSA_WITH_SHA1 = [1, 2, 840, 10040, 4, 3] "dsa-with-SHA1";
    /// DSA with SHA-256 (RFC 5758).
    DSA_WITH_SHA256 = [2, 16, 840, 1, 101, 3, 4, 3, 2] "dsa-with-SHA256";
    /// Curve P-256 (RFC 5480).
    SECP256R1 = [1, 2, 840, 10045, 3, 1, 7] "P-256";
    /// Curve P-384 (RFC 5480).
    SECP384R1 = [1, 3, 132, 0, 34] "P-384";
    /// Curve P-521 (RFC 5480).
    SECP521R1 = [1, 3, 132, 0, 35] "P-521";
    /// Curve brainpoolP256r1 (RFC 5639).
    BRAINPOOL_P256R1 = [1, 3, 36, 3, 3, 2, 8, 1, 1, 7] "brainpoolP256r1";
    /// Curve brainpoolP384r1 (RFC 5639).
    BRAINPOOL_P384R1 = [1, 3, 36, 3, 3, 2, 8, 1, 1, 11] "brainpoolP384r1";
    /// Curve brainpoolP512r1 (RFC 5639).
    BRAINPOOL_P512R1 = [1, 3, 36, 3, 3, 2, 8, 1, 1, 13] "brainpoolP512r1";

    // CMS (RFC 5652, RFC 5035, RFC 5940)
    /// Content type id-data.
    DATA = [1, 2, 840, 113549, 1, 7, 1] "data";
    /// Content type id-signedData.
    SIGNED_DATA = [1, 2, 840, 113549, 1, 7, 2] "signedData";
    /// Content type id-ct-TSTInfo (RFC 3161).
    TST_INFO = [1, 2, 840, 113549, 1, 9, 16, 1, 4] "tSTInfo";
    /// Attribute contentType.
    CONTENT_TYPE = [1, 2, 840, 113549, 1, 9, 3] "contentType";
    /// Attribute messageDigest.
    MESSAGE_DIGEST = [1, 2, 840, 113549, 1, 9, 4] "messageDigest";
    /// Attribute signingTime.
    SIGNING_TIME = [1, 2, 840, 113549, 1, 9, 5] "signingTime";
    /// Attribute countersignature.
    COUNTERSIGNATURE = [1, 2, 840, 113549, 1, 9, 6] "countersignature";
    /// Attribute signingCertificate, SHA-1 (RFC 2634).
    SIGNING_CERTIFICATE = [1, 2, 840, 113549, 1, 9, 16, 2, 12] "signingCertificate";
    /// Attribute signingCertificateV2 (RFC 5035).
    SIGNING_CERTIFICATE_V2 = [1, 2, 840, 113549, 1, 9, 16, 2, 47] "signingCertificateV2";
    /// Attribute CMSAlgorithmProtection (RFC 6211).
    CMS_ALGORITHM_PROTECTION = [1, 2, 840, 113549, 1, 9, 52] "CMSAlgorithmProtection";
    /// Attribute signature-time-stamp (CAdES).
    SIGNATURE_TIME_STAMP = [1, 2, 840, 113549, 1, 9, 16, 2, 14] "signatureTimeStampToken";
    /// Attribute content-time-stamp (CAdES).
    CONTENT_TIME_STAMP = [1, 2, 840, 113549, 1, 9, 16, 2, 20] "contentTimestamp";
    /// Attribute signature-policy-identifier (CAdES).
    SIGNATURE_POLICY_IDENTIFIER = [1, 2, 840, 113549, 1, 9, 16, 2, 15] "signaturePolicyIdentifier";
    /// Attribute commitment-type-indication (CAdES).
    COMMITMENT_TYPE_INDICATION = [1, 2, 840, 113549, 1, 9, 16, 2, 16] "commitmentTypeIndication";
    /// Commitment: the signer made, approved and sent it (CAdES).
    PROOF_OF_ORIGIN = [1, 2, 840, 113549, 1, 9, 16, 6, 1] "proofOfOrigin";
    /// Commitment: the signer received it (CAdES).
    PROOF_OF_RECEIPT = [1, 2, 840, 113549, 1, 9, 16, 6, 2] "proofOfReceipt";
    /// Commitment: the signer delivered it to where the recipient can fetch it (CAdES).
    PROOF_OF_DELIVERY = [1, 2, 840, 113549, 1, 9, 16, 6, 3] "proofOfDelivery";
    /// Attribute complete-certificate-references (CAdES-C).
    COMPLETE_CERTIFICATE_REFERENCES = [1, 2, 840, 113549, 1, 9, 16, 2, 21] "completeCertificateReferences";
    /// Attribute complete-revocation-references (CAdES-C).
    COMPLETE_REVOCATION_REFERENCES = [1, 2, 840, 113549, 1, 9, 16, 2, 22] "completeRevocationReferences";
    /// Attribute certificate-values (CAdES-X Long).
    CERTIFICATE_VALUES = [1, 2, 840, 113549, 1, 9, 16, 2, 23] "certificateValues";
    /// Attribute revocation-values (CAdES-X Long).
    REVOCATION_VALUES = [1, 2, 840, 113549, 1, 9, 16, 2, 24] "revocationValues";
    /// Attribute CAdES-C-time-stamp (CAdES-X Type 1).
    CADES_C_TIME_STAMP = [1, 2, 840, 113549, 1, 9, 16, 2, 25] "cadesCTimestamp";
    /// Attribute time-stamped-certs-crls-references (CAdES-X Type 2).
    CERTS_CRLS_TIME_STAMP = [1, 2, 840, 113549, 1, 9, 16, 2, 26] "certsCrlsTimestamp";
    /// Attribute archive-time-stamp, the first version (CAdES of 2003), for reading only.
    ARCHIVE_TIME_STAMP_V1 = [1, 2, 840, 113549, 1, 9, 16, 2, 27] "archiveTimestampV1";
    /// Attribute archive-time-stamp-v2 (CAdES, JIS X 5092).
    ARCHIVE_TIME_STAMP_V2 = [1, 2, 840, 113549, 1, 9, 16, 2, 48] "archiveTimestampV2";
    /// Attribute archive-time-stamp-v3 (CAdES).
    ARCHIVE_TIME_STAMP_V3 = [0, 4, 0, 1733, 2, 4] "archiveTimestampV3";
    /// Attribute mime-type (EN 319 122-1 §5.2.5).
    MIME_TYPE = [0, 4, 0, 1733, 2, 1] "mimeType";
    /// Attribute ats-hash-index (TS 101 733 V2.2.1).
    ATS_HASH_INDEX_V1 = [0, 4, 0, 1733, 2, 5] "atsHashIndex";
    /// Attribute ats-hash-index-v2 (EN 319 122-1, drafts).
    ATS_HASH_INDEX_V2 = [0, 4, 0, 19122, 1, 4] "atsHashIndexV2";
    /// Attribute ats-hash-index-v3 (EN 319 122-1).
    ATS_HASH_INDEX_V3 = [0, 4, 0, 19122, 1, 5] "atsHashIndexV3";
    /// Attribute evidence record, internal (RFC 4998 Annex A).
    EVIDENCE_RECORD_INTERNAL = [1, 2, 840, 113549, 1, 9, 16, 2, 49] "internalEvidenceRecord";
    /// Attribute evidence record, external (RFC 4998 Annex A).
    EVIDENCE_RECORD_EXTERNAL = [1, 2, 840, 113549, 1, 9, 16, 2, 50] "externalEvidenceRecord";
    /// An OCSP response as revocation information (RFC 5940): `OCSPResponse`.
    REVOCATION_OCSP_RESPONSE = [1, 3, 6, 1, 5, 5, 7, 16, 2] "ocspResponse (RFC 5940)";
    /// SCVP as revocation information (RFC 5940).
    REVOCATION_SCVP = [1, 3, 6, 1, 5, 5, 7, 16, 4] "scvp (RFC 5940)";
    /// id-pkix-ocsp-basic (RFC 6960): `BasicOCSPResponse`; many archives store it in this form.
    OCSP_BASIC = [1, 3, 6, 1, 5, 5, 7, 48, 1, 1] "ocspBasic";
    /// Access method id-ad-ocsp (RFC 5280).
    ACCESS_OCSP = [1, 3, 6, 1, 5, 5, 7, 48, 1] "OCSP";
    /// Access method id-ad-caIssuers (RFC 5280).
    ACCESS_CA_ISSUERS = [1, 3, 6, 1, 5, 5, 7, 48, 2] "caIssuers";
    /// OCSP extension id-pkix-ocsp-nonce (RFC 6960).
    OCSP_NONCE = [1, 3, 6, 1, 5, 5, 7, 48, 1, 2] "ocspNonce";
    /// OCSP extension id-pkix-ocsp-archive-cutoff (RFC 6960).
    OCSP_ARCHIVE_CUTOFF = [1, 3, 6, 1, 5, 5, 7, 48, 1, 6] "ocspArchiveCutoff";
    /// Extension id-pkix-ocsp-nocheck (RFC 6960).
    OCSP_NO_CHECK = [1, 3, 6, 1, 5, 5, 7, 48, 1, 5] "ocspNoCheck";

    // Extended key usage (RFC 5280)
    /// id-kp-timeStamping.
    KP_TIME_STAMPING = [1, 3, 6, 1, 5, 5, 7, 3, 8] "timeStamping";
    /// id-kp-OCSPSigning.
    KP_OCSP_SIGNING = [1, 3, 6, 1, 5, 5, 7, 3, 9] "OCSPSigning";
    /// anyExtendedKeyUsage.
    ANY_EXTENDED_KEY_USAGE = [2, 5, 29, 37, 0] "anyExtendedKeyUsage";
    /// anyPolicy.
    ANY_POLICY = [2, 5, 29, 32, 0] "anyPolicy";

    // Certificate and CRL extensions (RFC 5280)
    /// subjectKeyIdentifier.
    CE_SUBJECT_KEY_IDENTIFIER = [2, 5, 29, 14] "subjectKeyIdentifier";
    /// keyUsage.
    CE_KEY_USAGE = [2, 5, 29, 15] "keyUsage";
    /// subjectAltName.
    CE_SUBJECT_ALT_NAME = [2, 5, 29, 17] "subjectAltName";
    /// basicConstraints.
    CE_BASIC_CONSTRAINTS = [2, 5, 29, 19] "basicConstraints";
    /// cRLNumber.
    CE_CRL_NUMBER = [2, 5, 29, 20] "cRLNumber";
    /// reasonCode.
    CE_REASON_CODE = [2, 5, 29, 21] "reasonCode";
    /// deltaCRLIndicator.
    CE_DELTA_CRL_INDICATOR = [2, 5, 29, 27] "deltaCRLIndicator";
    /// issuingDistributionPoint.
    CE_ISSUING_DISTRIBUTION_POINT = [2, 5, 29, 28] "issuingDistributionPoint";
    /// certificateIssuer.
    CE_CERTIFICATE_ISSUER = [2, 5, 29, 29] "certificateIssuer";
    /// nameConstraints.
    CE_NAME_CONSTRAINTS = [2, 5, 29, 30] "nameConstraints";
    /// cRLDistributionPoints.
    CE_CRL_DISTRIBUTION_POINTS = [2, 5, 29, 31] "cRLDistributionPoints";
    /// certificatePolicies.
    CE_CERTIFICATE_POLICIES = [2, 5, 29, 32] "certificatePolicies";
    /// policyMappings.
    CE_POLICY_MAPPINGS = [2, 5, 29, 33] "policyMappings";
    /// authorityKeyIdentifier.
    CE_AUTHORITY_KEY_IDENTIFIER = [2, 5, 29, 35] "authorityKeyIdentifier";
    /// policyConstraints.
    CE_POLICY_CONSTRAINTS = [2, 5, 29, 36] "policyConstraints";
    /// extKeyUsage.
    CE_EXTENDED_KEY_USAGE = [2, 5, 29, 37] "extKeyUsage";
    /// inhibitAnyPolicy.
    CE_INHIBIT_ANY_POLICY = [2, 5, 29, 54] "inhibitAnyPolicy";
    /// authorityInfoAccess.
    CE_AUTHORITY_INFO_ACCESS = [1, 3, 6, 1, 5, 5, 7, 1, 1] "authorityInfoAccess";
}
