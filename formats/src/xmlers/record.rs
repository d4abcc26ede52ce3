//! The record and its parts.

use crate::digest::DigestAlgorithm;
use crate::error::Result;
use crate::xml::{Canonicalization, Document, NodeId};

/// An evidence record (RFC 6283 §2.1), with the document that it was read from.
#[derive(Debug, Clone)]
pub struct XmlEvidenceRecord {
    /// The type of `EncryptionInformation`, if there is one: the record is over encrypted data (§5).
    pub encryption: Option<String>,
    /// The types in `SupportingInformationList`, which no time-stamp protects.
    pub supporting_information: Vec<String>,
    /// The chains in the order of time, at least one.
    pub chains: Vec<XmlArchiveTimeStampChain>,
    pub(super) document: Document,
    pub(super) sequence: NodeId,
}

/// Archive time-stamps under one digest algorithm and one canonicalization method (§4.1).
#[derive(Debug, Clone)]
pub struct XmlArchiveTimeStampChain {
    /// Its place among the chains, as stated.
    pub order: u32,
    /// The identifier of the digest algorithm.
    pub digest_method: String,
    /// How what is hashed in this chain is made canonical.
    pub canonicalization: CanonicalizationMethod,
    /// In the order of time, at least one.
    pub time_stamps: Vec<XmlArchiveTimeStamp>,
    pub(super) element: NodeId,
}

/// `CanonicalizationMethod` (§4.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CanonicalizationMethod {
    /// The identifier, known or not.
    pub uri: String,
    /// What it means, if it is known and its parameters are.
    pub method: Option<Canonicalization>,
}

/// One archive time-stamp (§3.1).
#[derive(Debug, Clone)]
pub struct XmlArchiveTimeStamp {
    /// Its place in its chain, as stated.
    pub order: u32,
    /// The reduced hash tree, the lists from the leaves upwards; `None` if it is left out.
    pub hash_tree: Option<Vec<XmlHashSequence>>,
    /// The token.
    pub token: XmlToken,
    /// Certificates and revocation information for the token (§3.1.3). The next time-stamp covers them.
    pub information: Vec<CryptographicInformation>,
    /// How many attributes it carries.
    pub attributes: usize,
    pub(super) time_stamp: NodeId,
}

/// One list of a hash tree (§3.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct XmlHashSequence {
    /// Its place in the tree, as stated.
    pub order: u32,
    /// The values, at least one.
    pub values: Vec<Vec<u8>>,
}

/// A time-stamp token (§3.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum XmlToken {
    /// An RFC 3161 token in DER.
    Rfc3161(Vec<u8>),
    /// A token in the XML of Entrust, or of a type that is not registered; its type.
    Other(String),
}

/// A piece of validation material (§3.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CryptographicInformation {
    /// What it is.
    pub kind: InformationKind,
    /// Its bytes; empty if they are no base64, which a kind that is not known may well be.
    pub bytes: Vec<u8>,
}

/// The registered types of validation material (§3.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InformationKind {
    /// `CERT`: an X.509 certificate.
    Certificate,
    /// `CRL`: an X.509 list.
    Crl,
    /// `OCSP`: an OCSP response.
    Ocsp,
    /// `SCVP`: a response of RFC 5055.
    Scvp,
    /// A type that is not registered.
    Other,
}

impl XmlEvidenceRecord {
    /// Reads a record. See [`crate::xml::Document::parse`] for what is refused as XML.
    ///
    /// # Errors
    ///
    /// Whatever [`crate::xml::Document::parse`] answers;
    /// [`WrongType`](crate::error::ErrorKind::WrongType) if an element stands where the schema has another one,
    /// [`MissingElement`](crate::error::ErrorKind::MissingElement) if one is not there,
    /// [`InvalidValue`](crate::error::ErrorKind::InvalidValue) if a value is none of its type, or `Order` does not ascend.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        super::reader::read(Document::parse(bytes)?)
    }

    /// How many nodes the document has: what a walk through it costs, though it may write nothing.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.document.node_count()
    }

    /// Every archive time-stamp with the numbers of its chain and of its place there, from 0, oldest first.
    pub fn time_stamps(&self) -> impl Iterator<Item = (usize, usize, &XmlArchiveTimeStamp)> {
        self.chains.iter().enumerate().flat_map(|(chain, content)| {
            let stamps = content.time_stamps.iter().enumerate();
            stamps.map(move |(position, stamp)| (chain, position, stamp))
        })
    }

    /// The canonical `TimeStamp` element of an archive time-stamp of this record: what a time-stamp renewal hashes (§4.2.1). The
    /// material in it is part of it.
    ///
    /// # Errors
    ///
    /// See [`Document::canonicalize_element`].
    pub fn canonical_time_stamp(
        &self,
        stamp: &XmlArchiveTimeStamp,
        method: &Canonicalization,
        out: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        self.document
            .canonicalize_element(stamp.time_stamp, &[], method, out)
    }

    /// The canonical `ArchiveTimeStampSequence` as it stood before the chain with this number began: what a hash-tree renewal hashes
    /// (§4.2.2). That chain and all after it are left out.
    ///
    /// # Errors
    ///
    /// See [`Document::canonicalize_element`].
    pub fn canonical_sequence(
        &self,
        chain: usize,
        method: &Canonicalization,
        out: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        let later = self.chains.get(chain..).unwrap_or_default();
        let later: Vec<NodeId> = later.iter().map(|chain| chain.element).collect();
        self.document
            .canonicalize_element(self.sequence, &later, method, out)
    }
}

impl XmlArchiveTimeStampChain {
    /// The digest algorithm, if it is known.
    #[must_use]
    pub fn algorithm(&self) -> Option<DigestAlgorithm> {
        DigestAlgorithm::from_xml_uri(&self.digest_method)
    }
}
