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

/// Most octets of an INTEGER kept as bytes (serial number, nonce).
///
/// RFC 5280 §4.1.2.2 allows 20 for a serial number. RFC 3161 §2.4.1 asks for a nonce of 64 bits, real ones have up to 128 octets.
pub const INTEGER_BYTES_MAX: usize = 256;

/// Most bytes of one piece of evidence that is taken into memory: whatever is not a container, and each member of a container that is
/// evidence. The 60 MB CRLs that users report must fit. Documents are read in blocks and have no limit.
pub const EVIDENCE_BYTES_MAX: u64 = 64 * 1024 * 1024;

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

// --- CAdES (EN 319 122-1)

/// Most hashes in one list of an ats-hash-index: every member of the set that it covers, twice over.
pub const ATS_HASHES_MAX: usize = 4 * CMS_CERTIFICATES_MAX;

/// Most references in complete-certificate-references and complete-revocation-references, and most values in certificate-values and revocation-values.
pub const CADES_REFERENCES_MAX: usize = CMS_CERTIFICATES_MAX;

// --- OCSP (RFC 6960)

/// Most answers in one OCSP response. Responders give one; RFC 6960 lets them give as many as were asked about, and more.
pub const OCSP_ANSWERS_MAX: usize = 256;

/// Most certificates in one OCSP response. The largest collected has 3.
pub const OCSP_CERTIFICATES_MAX: usize = 32;

// --- RFC 3161

/// Most extensions in a request or a TSTInfo. RFC 3161 defines none, ETSI EN 319 422 one.
pub const TSP_EXTENSIONS_MAX: usize = 32;

/// Most texts in `PKIStatusInfo.statusString`.
pub const TSP_STATUS_TEXTS_MAX: usize = 32;

/// Most bytes of one text in `PKIStatusInfo.statusString`.
pub const TSP_STATUS_TEXT_BYTES_MAX: usize = 4096;

// --- RFC 4998

/// Most chains in one ArchiveTimeStampSequence. One hash-tree renewal a year for 128 years; no hash function in use has lasted less than ten.
///
/// Each chain covers all chains before it (RFC 4998 §5.3), so the work grows with this number times the size of the record.
pub const EVIDENCE_CHAINS_MAX: usize = 128;

/// Most time-stamps in one ArchiveTimeStampChain. One renewal a month for 85 years.
pub const EVIDENCE_TIME_STAMPS_MAX: usize = 1024;

/// Most lists in one reduced hash tree. A binary tree of 2^64 leaves has 65.
pub const EVIDENCE_PARTIAL_TREES_MAX: usize = 256;

/// Most hashes in one reduced hash tree. The largest collected has 2,061; a flat list over a whole day's deposit may have more.
pub const EVIDENCE_HASHES_MAX: usize = 1_000_000;

/// Most leaves of a hash tree that is built here: a reduced hash tree must stay below [`EVIDENCE_PARTIAL_TREES_MAX`] lists, and memory finite.
pub const HASH_TREE_LEAVES_MAX: usize = 1 << 32;

// --- X.509

/// Most certificates in one PEM bundle.
pub const PEM_CERTIFICATES_MAX: usize = 4096;

/// Most bytes of one PEM bundle.
pub const PEM_BYTES_MAX: usize = 64 * 1024 * 1024;

// --- Record manifest

/// Most bytes of one manifest. [`MANIFEST_OBJECTS_MAX`] objects with usual names need 2 MB.
pub const MANIFEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most content objects in one version: the original and its renditions, or the parts of one mail.
pub const MANIFEST_OBJECTS_MAX: usize = 4096;

/// Most digests of one content object.
pub const MANIFEST_DIGESTS_MAX: usize = 4;

/// Largest content object: the largest integer that RFC 8785 §3.2.2.3 writes without loss, 8 PiB.
pub const CONTENT_BYTES_MAX: u64 = (1 << 53) - 1;

/// Most bytes of an object name: `PATH_MAX` of Linux.
pub const NAME_BYTES_MAX: usize = 4096;

/// Most bytes of one line of text in a manifest. The longest company name on the Japanese register has 137 characters.
pub const TEXT_BYTES_MAX: usize = 4096;

/// Most bytes of a key of additional metadata, of a fact, and of a class id.
pub const KEY_BYTES_MAX: usize = 64;

/// Most characters of an amount. A 128-bit integer has 39 digits.
pub const AMOUNT_CHARACTERS_MAX: usize = 48;

/// Most keys of additional metadata.
pub const METADATA_ADDITIONAL_MAX: usize = 256;

/// Most facts found at intake.
pub const FACTS_MAX: usize = 256;

/// Most bytes of one fact.
pub const FACT_BYTES_MAX: usize = 64 * 1024;

/// Most bytes of a media type. RFC 6838 §4.2 allows 127 for each half; parameters may follow.
pub const MEDIA_TYPE_BYTES_MAX: usize = 512;

// --- Lines of logs

/// Most bytes of one line. Syslog over TLS allows 8 KiB and more (RFC 5425 §4.3.1), journald 48 KiB; what is longer is no log.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Most lines of one tree. While it is built, the index of so many takes 104 MiB of memory; a log of 100 GiB has as many.
pub const LINES_MAX: u64 = 1 << 30;

/// Most lines shown by one proof. Whoever hands over more hands over the log.
pub const LINE_PROOF_LINES_MAX: usize = 1 << 20;

/// Most bytes of one proof: [`LINE_PROOF_LINES_MAX`] salts in hexadecimal need 36 MB.
pub const LINE_PROOF_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most hashes of one proof under one function: two for each level of a tree of [`LINES_MAX`] lines.
pub const LINE_PROOF_HASHES_MAX: usize = 64;

// --- ASiC (EN 319 162-1) and ZIP (APPNOTE.TXT)

/// Most members of a container. [`MANIFEST_OBJECTS_MAX`] documents need as many; the largest collected container has 202.
pub const ZIP_MEMBERS_MAX: usize = 65_536;

/// Most bytes of a central directory: its records are read in blocks, but every name is kept. [`MANIFEST_OBJECTS_MAX`] names of
/// [`NAME_BYTES_MAX`] bytes with their headers need 17 MB.
pub const ZIP_DIRECTORY_BYTES_MAX: u64 = 24 * 1024 * 1024;

/// Members of this size or less may have any compression ratio: the threshold of EU DSS (`SecureContainerHandler`).
pub const ZIP_RATIO_FREE_BYTES: u64 = 1024 * 1024;

/// Largest ratio of a compressed member. DEFLATE ends at 1032, EU DSS refuses above 100; real logs reach 200.
pub const ZIP_RATIO_MAX: u64 = 250;

/// Most bytes of all compressed members together, after decompression. Stored members do not count: they are as large as the file.
pub const ZIP_INFLATED_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Most bytes of an ASiC manifest. [`ASIC_REFERENCES_MAX`] references with usual names need 6 MB.
pub const ASIC_MANIFEST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most bytes of all ASiC manifests of one container together, since all of them are kept while it is judged.
pub const ASIC_MANIFESTS_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Most evidence records in one XML archive package (BSI TR-03125): one for each of its versions and hash functions. The largest collected one has 2.
/// Each is judged over the objects of its version, so their number times [`EVIDENCE_BYTES_MAX`] bounds the work.
pub const XAIP_RECORDS_MAX: usize = 64;

/// Most bytes that are tried in several forms while the one is looked for that a record covers: each attempt reads the record.
pub const READINGS_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Most signatures, time-stamps and evidence records that are judged in one container. The largest collected container has 100, the
/// largest in the tests of digidoc4j 1,000.
pub const ASIC_EVIDENCE_MAX: usize = 1024;

/// Most references in an ASiC manifest: every member of a container may be listed.
pub const ASIC_REFERENCES_MAX: usize = ZIP_MEMBERS_MAX;

/// Most attributes of one XML element. The schema knows three.
pub const XML_ATTRIBUTES_MAX: usize = 64;

/// Deepest nesting of XML elements in an ASiC manifest. The schema knows three levels; extensions may bring their own.
pub const XML_DEPTH_MAX: usize = 64;

/// Most bytes of a text or attribute in an ASiC manifest: a percent-encoded name of [`NAME_BYTES_MAX`] bytes.
pub const XML_TEXT_BYTES_MAX: usize = 3 * NAME_BYTES_MAX;

// --- XML documents (XML 1.0), read for their canonical form

/// Most bytes of one XML document: evidence in XML, or an XML data object under it. A record with [`EVIDENCE_HASHES_MAX`] values of 64
/// bytes has 110 MB and is refused; the largest collected has 31 KB. Invoices and archival packages in XML stay below 64 MiB.
pub const XML_DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most bytes of one canonical form. Escapes and inherited namespaces make it longer than the document; four times is more than any real one
/// needs. Exclusive canonicalisation writes the name of a namespace anew at each sibling that uses it: 32 MiB of a name could become terabytes.
pub const XML_CANONICAL_BYTES_MAX: usize = 4 * XML_DOCUMENT_BYTES_MAX;

/// Deepest nesting of elements. libxml2 stops at the same depth (`xmlParserMaxDepth`) unless it is told otherwise.
pub const XML_DOCUMENT_DEPTH_MAX: usize = 256;

/// Most nodes, attributes and namespace declarations of one document together. A record with 500,000 values has 1.5 million; so many
/// take 250 MB of memory.
pub const XML_NODES_MAX: usize = 4_000_000;

/// Most attributes of one element. The largest schemas in use (UBL, XBRL) stay below 40.
pub const XML_DOCUMENT_ATTRIBUTES_MAX: usize = 1024;

/// Most namespaces in scope at once: the same as quick-xml allows (`DEFAULT_MAX_NAMESPACE_BINDINGS`). Each name is looked up among them.
pub const XML_NAMESPACES_MAX: usize = 128;
