//! Evidence records in XML (RFC 6283, XMLERS).
//!
//! ```xml
//! <EvidenceRecord Version="1.0" xmlns="urn:ietf:params:xml:ns:ers">
//!   <EncryptionInformation>…</EncryptionInformation>            <!-- optional -->
//!   <SupportingInformationList>…</SupportingInformationList>    <!-- optional -->
//!   <ArchiveTimeStampSequence>
//!     <ArchiveTimeStampChain Order="1">
//!       <DigestMethod Algorithm="…"/>
//!       <CanonicalizationMethod Algorithm="…"/>
//!       <ArchiveTimeStamp Order="1">
//!         <HashTree>                                            <!-- optional -->
//!           <Sequence Order="1"><DigestValue>…</DigestValue>…</Sequence>
//!         </HashTree>
//!         <TimeStamp>
//!           <TimeStampToken Type="RFC3161">…</TimeStampToken>
//!           <CryptographicInformationList>…</CryptographicInformationList>   <!-- optional -->
//!         </TimeStamp>
//!         <Attributes>…</Attributes>                            <!-- optional -->
//! ```
//!
//! What a renewal hashes are canonical forms of parts of the record, so the record keeps its document. The schema of RFC 6283 §8 is
//! followed: other elements, or another order of them, are refused. Attributes that the schema does not know are ignored.

mod reader;
mod record;
#[cfg(test)]
mod tests;

pub use self::record::{
    CanonicalizationMethod, CryptographicInformation, InformationKind, XmlArchiveTimeStamp,
    XmlArchiveTimeStampChain, XmlEvidenceRecord, XmlHashSequence, XmlToken,
};

/// The namespace of evidence records (RFC 6283 §8).
pub const ERS_NAMESPACE: &str = "urn:ietf:params:xml:ns:ers";
