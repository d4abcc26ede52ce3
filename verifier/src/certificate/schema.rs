//! The shapes of RFC 5280, appendix A: one table for each structure that is read.

use formats::oid::{self, Oid};

use super::shape::Member::{self, May, Must};
use super::shape::Shape::{self, Any, Choice, List, Members, One};
use crate::der::{
    BIT_STRING, BOOLEAN, Element, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING,
    SEQUENCE, SET, UTC_TIME, context, context_constructed,
};

/// Most attributes in one name. X.521 names have about 10; the longest of NIST PKITS has 9.
pub(super) const NAME_ATTRIBUTES_MAX: usize = 64;

/// Most general names in one list. The largest public certificates have some hundreds.
pub(super) const GENERAL_NAMES_MAX: usize = 4096;

/// Most extensions in one certificate or CRL. Real certificates have up to about 15.
pub(super) const EXTENSIONS_MAX: usize = 64;

/// Most entries in a list inside of an extension (policies, mappings, purposes, distribution points, subtrees).
pub(super) const EXTENSION_ENTRIES_MAX: usize = 1024;

const fn unread(_: &Element<'_>) -> bool {
    true
}

fn unsigned(element: &Element<'_>) -> bool {
    element.unsigned("").is_ok()
}

fn named_bits(element: &Element<'_>) -> bool {
    element.named_bits("").is_ok()
}

/// A control character has no place in a mail address, host name or URI, and only serves to make two programs read different names.
fn printable(element: &Element<'_>) -> bool {
    let mut octets = element.content.iter();
    octets.all(|octet| matches!(octet, 0x20..=0x7e))
}

fn object_identifier(element: &Element<'_>) -> bool {
    Oid::from_content(element.content).is_ok()
}

const OID: Shape = One(OBJECT_IDENTIFIER, object_identifier);
const FLAG: Shape = One(BOOLEAN, |element| element.boolean("").is_ok());
const NUMBER: Shape = One(INTEGER, |element| element.integer("").is_ok());
const UNSIGNED: Shape = One(INTEGER, unsigned);
const OCTETS: Shape = One(OCTET_STRING, unread);
const BITS: Shape = One(BIT_STRING, |element| element.octet_aligned_bits("").is_ok());

/// `Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }`, to the second, in UTC (§4.1.2.5).
pub(super) const TIME: Shape = Choice(&[
    &One(UTC_TIME, |element| element.is_exact_time()),
    &One(GENERALIZED_TIME, |element| element.is_exact_time()),
]);

/// `AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY DEFINED BY algorithm OPTIONAL }`
const ALGORITHM: Shape = Members(SEQUENCE, &[Must(&OID), May(&Any)]);

/// `AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY DEFINED BY type }`
pub(super) const ATTRIBUTE: Shape = Members(SEQUENCE, &[Must(&OID), Must(&Any)]);

/// `Name ::= SEQUENCE OF SET SIZE (1..MAX) OF AttributeTypeAndValue`
pub(super) const NAME: Shape = List(
    SEQUENCE,
    0..=NAME_ATTRIBUTES_MAX,
    &List(SET, 1..=NAME_ATTRIBUTES_MAX, &ATTRIBUTE),
);

/// `Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }`
const EXTENSION: Shape = Members(SEQUENCE, &[Must(&OID), May(&FLAG), Must(&OCTETS)]);

/// `Extensions ::= SEQUENCE OF Extension`
pub(super) const EXTENSIONS: Shape = List(SEQUENCE, 0..=EXTENSIONS_MAX, &EXTENSION);

/// ```text
/// TBSCertificate ::= SEQUENCE {
///      version [0] EXPLICIT Version DEFAULT v1, serialNumber CertificateSerialNumber, signature AlgorithmIdentifier, issuer Name,
///      validity Validity, subject Name, subjectPublicKeyInfo SubjectPublicKeyInfo,
///      issuerUniqueID [1] IMPLICIT UniqueIdentifier OPTIONAL, subjectUniqueID [2] IMPLICIT UniqueIdentifier OPTIONAL,
///      extensions [3] EXPLICIT Extensions OPTIONAL }
/// ```
const TBS_CERTIFICATE: Shape = Members(
    SEQUENCE,
    &[
        May(&Members(context_constructed(0), &[Must(&NUMBER)])),
        Must(&NUMBER),
        Must(&ALGORITHM),
        Must(&NAME),
        Must(&Members(SEQUENCE, &[Must(&TIME), Must(&TIME)])),
        Must(&NAME),
        Must(&Members(SEQUENCE, &[Must(&ALGORITHM), Must(&BITS)])),
        May(&One(context(1), unread)),
        May(&One(context(2), unread)),
        May(&Members(context_constructed(3), &[Must(&EXTENSIONS)])),
    ],
);

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }`
pub(super) const CERTIFICATE: Shape = Members(
    SEQUENCE,
    &[Must(&TBS_CERTIFICATE), Must(&ALGORITHM), Must(&BITS)],
);

/// ```text
/// GeneralName ::= CHOICE {
///      otherName [0] OtherName, rfc822Name [1] IA5String, dNSName [2] IA5String, x400Address [3] ORAddress, directoryName [4] Name,
///      ediPartyName [5] EDIPartyName, uniformResourceIdentifier [6] IA5String, iPAddress [7] OCTET STRING, registeredID [8] OBJECT IDENTIFIER }
/// ```
///
/// A Name is a CHOICE, so its tag is explicit (X.680 §31.2.7).
pub(super) const GENERAL_NAME: Shape = Choice(&[
    &Members(context_constructed(0), &[Must(&OID), Must(&Any)]),
    &One(context(1), printable),
    &One(context(2), printable),
    &One(context_constructed(3), unread),
    &Members(context_constructed(4), &[Must(&NAME)]),
    &One(context_constructed(5), unread),
    &One(context(6), printable),
    &One(context(7), unread),
    &One(context(8), object_identifier),
]);

/// `GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName`
pub(super) const GENERAL_NAMES: Shape = List(SEQUENCE, 1..=GENERAL_NAMES_MAX, &GENERAL_NAME);

/// `GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] BaseDistance DEFAULT 0, maximum [1] BaseDistance OPTIONAL }`
///
/// A minimum other than 0 and any maximum are refused: RFC 5280 forbids them (§4.2.1.10).
const SUBTREE: Shape = Members(
    SEQUENCE,
    &[
        Must(&GENERAL_NAME),
        May(&One(context(0), |element| element.content == [0])),
    ],
);

/// `NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL, excludedSubtrees [1] GeneralSubtrees OPTIONAL }`
const NAME_CONSTRAINTS: Shape = Members(SEQUENCE, &[May(&PERMITTED), May(&EXCLUDED)]);
const PERMITTED: Shape = List(context_constructed(0), 1..=EXTENSION_ENTRIES_MAX, &SUBTREE);
const EXCLUDED: Shape = List(context_constructed(1), 1..=EXTENSION_ENTRIES_MAX, &SUBTREE);

/// `AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OPTIONAL, authorityCertIssuer [1] OPTIONAL, authorityCertSerialNumber [2] OPTIONAL }`
const AUTHORITY_KEY_IDENTIFIER: Shape = Members(
    SEQUENCE,
    &[
        May(&One(context(0), unread)),
        May(&One(context_constructed(1), unread)),
        May(&One(context(2), unread)),
    ],
);

const fn entries(shape: &'static Shape) -> Shape {
    List(SEQUENCE, 1..=EXTENSION_ENTRIES_MAX, shape)
}

const NUMBER_OF_CERTIFICATES: &[Member] = &[
    May(&One(context(0), unsigned)),
    May(&One(context(1), unsigned)),
];

/// The extensions whose content is read by `x509-parser`, and the shape of that content (§4.2).
const KNOWN: &[(Oid, Shape)] = &[
    // BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
    (
        oid::CE_BASIC_CONSTRAINTS,
        Members(SEQUENCE, &[May(&FLAG), May(&UNSIGNED)]),
    ),
    (oid::CE_KEY_USAGE, One(BIT_STRING, named_bits)),
    // ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId
    (oid::CE_EXTENDED_KEY_USAGE, entries(&OID)),
    (oid::CE_NAME_CONSTRAINTS, NAME_CONSTRAINTS),
    (oid::CE_SUBJECT_ALT_NAME, GENERAL_NAMES),
    (oid::CE_AUTHORITY_KEY_IDENTIFIER, AUTHORITY_KEY_IDENTIFIER),
    (oid::CE_SUBJECT_KEY_IDENTIFIER, OCTETS),
    // AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }
    (
        oid::CE_AUTHORITY_INFO_ACCESS,
        entries(&Members(SEQUENCE, &[Must(&OID), Must(&Any)])),
    ),
    // CertificatePolicies ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { policyIdentifier, policyQualifiers SEQUENCE OPTIONAL }
    (
        oid::CE_CERTIFICATE_POLICIES,
        entries(&Members(
            SEQUENCE,
            &[Must(&OID), May(&One(SEQUENCE, unread))],
        )),
    ),
    // PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { issuerDomainPolicy CertPolicyId, subjectDomainPolicy CertPolicyId }
    (
        oid::CE_POLICY_MAPPINGS,
        entries(&Members(SEQUENCE, &[Must(&OID), Must(&OID)])),
    ),
    // PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] SkipCerts OPTIONAL, inhibitPolicyMapping [1] SkipCerts OPTIONAL }
    (
        oid::CE_POLICY_CONSTRAINTS,
        Members(SEQUENCE, NUMBER_OF_CERTIFICATES),
    ),
    (oid::CE_INHIBIT_ANY_POLICY, UNSIGNED),
];

/// The shape of the content of an extension; `None` if `x509-parser` is not to read it.
pub(super) fn of_extension(oid: &Oid) -> Option<&'static Shape> {
    let mut known = KNOWN.iter();
    known
        .find(|(known, _)| known == oid)
        .map(|(_, shape)| shape)
}
