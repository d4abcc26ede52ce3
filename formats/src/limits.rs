//! Every limit on foreign input, with its source. A parser that meets more answers [`ErrorKind::LimitExceeded`].
//!
//! [`ErrorKind::LimitExceeded`]: crate::error::ErrorKind::LimitExceeded

// --- ASN.1

/// Deepest nesting of ASN.1 elements.
///
/// The deepest structure read is a CRL entry extension or a GeneralName inside a certificate inside a SignedData inside an
/// evidence record: below 30 levels in all collected vectors. OpenSSL stops at 30 for a single template (`ASN1_MAX_CONSTRUCTED_NEST`);
/// an evidence record adds the levels of its sequence, chains and time-stamps.
pub const DER_DEPTH_MAX: usize = 64;

/// Most ASN.1 elements visited while indefinite lengths are made definite.
///
/// A record with 2,000 hashes and seven tokens with CRLs has about 50,000; a CRL of 60 MB (the largest that users report) has 6 million.
pub const DER_ELEMENTS_MAX: usize = 16_000_000;

/// Most bytes of one ASN.1 structure (token, evidence record, certificate bag). The 60 MB CRLs that users report must fit.
pub const DER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Most content octets of an object identifier. X.660 sets no limit; 128 octets hold every registered one many times over.
pub const OID_BYTES_MAX: usize = 128;

/// Most octets of an INTEGER kept as bytes (serial number, nonce). RFC 5280 §4.1.2.2 allows 20 for a serial number, real TSAs use up to 33.
pub const INTEGER_BYTES_MAX: usize = 128;

// --- CMS (RFC 5652)

/// Most certificates in one SignedData. The largest collected bag has 20.
pub const CMS_CERTIFICATES_MAX: usize = 1024;

/// Most CRLs and OCSP responses in one SignedData.
pub const CMS_REVOCATIONS_MAX: usize = 1024;

/// Most signers in one SignedData. RFC 3161 §2.4.2 allows one; documents with several signatures have more.
pub const CMS_SIGNERS_MAX: usize = 256;

/// Most digest algorithms named in one SignedData or evidence record.
pub const DIGEST_ALGORITHMS_MAX: usize = 64;

/// Most attributes in one set of attributes.
pub const ATTRIBUTES_MAX: usize = 256;

/// Most values in one attribute. A CAdES-A signature may hold one archive time-stamp per renewal.
pub const ATTRIBUTE_VALUES_MAX: usize = 256;

// --- RFC 3161

/// Most extensions in a request or a TSTInfo. RFC 3161 defines none, ETSI EN 319 422 one.
pub const TSP_EXTENSIONS_MAX: usize = 32;

/// Most bytes of a nonce. RFC 3161 §2.4.1 asks for 64 bits; 20 bytes occur (libdigidocpp).
pub const TSP_NONCE_BYTES_MAX: usize = 64;

/// Most texts in `PKIStatusInfo.statusString`.
pub const TSP_STATUS_TEXTS_MAX: usize = 32;

/// Most bytes of one text in `PKIStatusInfo.statusString`.
pub const TSP_STATUS_TEXT_BYTES_MAX: usize = 4096;

// --- RFC 4998

/// Most chains in one ArchiveTimeStampSequence. One hash-tree renewal a year for a thousand years.
pub const EVIDENCE_CHAINS_MAX: usize = 1024;

/// Most time-stamps in one ArchiveTimeStampChain. One renewal a month for 85 years.
pub const EVIDENCE_TIME_STAMPS_MAX: usize = 1024;

/// Most lists in one reduced hash tree. A binary tree of 2^64 leaves has 65.
pub const EVIDENCE_PARTIAL_TREES_MAX: usize = 256;

/// Most hashes in one reduced hash tree. The largest collected has 2,061; a flat list over a whole day's deposit may have more.
pub const EVIDENCE_HASHES_MAX: usize = 1_000_000;

/// Most leaves of a hash tree that is built here: a reduced hash tree must stay below [`EVIDENCE_PARTIAL_TREES_MAX`] lists, and memory finite.
pub const HASH_TREE_LEAVES_MAX: usize = 1 << 32;

/// Most elements of `CryptoInfos`.
pub const EVIDENCE_CRYPTO_INFOS_MAX: usize = 1024;

// --- X.509

/// Most certificates in one PEM bundle.
pub const PEM_CERTIFICATES_MAX: usize = 4096;

/// Most bytes of one PEM bundle.
pub const PEM_BYTES_MAX: usize = 64 * 1024 * 1024;
