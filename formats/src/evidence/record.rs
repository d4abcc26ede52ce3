//! EvidenceRecord, its sequence and its chains.

use super::archive_time_stamp::ArchiveTimeStamp;
use crate::cms::Attribute;
use crate::der::typed::{FromElement, decode, read_list};
use crate::der::{Element, Integer, Reader, Tag, Writer, to_der_lengths};
use crate::error::{ErrorKind, FormatError, Result};
use crate::limits::{DIGEST_ALGORITHMS_MAX, EVIDENCE_CHAINS_MAX, EVIDENCE_TIME_STAMPS_MAX};
use crate::oid::Oid;
use crate::raw::Raw;
use crate::x509::AlgorithmIdentifier;
use rasn::{AsnType, Decode, Decoder as _};

/// The proof that data existed (RFC 4998 §3.1).
///
/// ```text
/// EvidenceRecord ::= SEQUENCE {
///   version                   INTEGER { v1(1) } ,
///   digestAlgorithms          SEQUENCE OF AlgorithmIdentifier,
///   cryptoInfos               [0] CryptoInfos OPTIONAL,
///   encryptionInfo            [1] EncryptionInfo OPTIONAL,
///   archiveTimeStampSequence  ArchiveTimeStampSequence }
///
/// CryptoInfos ::= SEQUENCE SIZE (1..MAX) OF Attribute
/// ArchiveTimeStampSequence ::= SEQUENCE OF ArchiveTimeStampChain
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EvidenceRecord {
    /// 1. Another number is read; whether it is accepted is for the verifier.
    pub version: u32,
    /// Every digest algorithm of the record.
    pub digest_algorithms: Vec<AlgorithmIdentifier>,
    /// Material that helps to check it, in the order received.
    pub crypto_infos: Vec<Attribute>,
    /// How the archived data was encrypted before it was hashed.
    pub encryption_info: Option<EncryptionInfo>,
    /// The chains, oldest first, each with its exact bytes.
    pub sequence: Vec<Raw<ArchiveTimeStampChain>>,
}

/// How archived data was encrypted (RFC 4998 §6.1).
///
/// ```text
/// EncryptionInfo       ::=     SEQUENCE {
///     encryptionInfoType     ENCINFO-TYPE.&id ({SupportedEncryptionAlgorithms}),
///     encryptionInfoValue    ENCINFO-TYPE.&Type ({SupportedEncryptionAlgorithms}{@encryptionInfoType}) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EncryptionInfo {
    /// The method.
    pub oid: Oid,
    /// The exact bytes of its value.
    pub value: Vec<u8>,
}

/// Time-stamps that share one digest algorithm (RFC 4998 §5.1).
///
/// ```text
/// ArchiveTimeStampChain    ::= SEQUENCE OF ArchiveTimeStamp
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArchiveTimeStampChain {
    /// The time-stamps, oldest first, each with its exact bytes.
    pub time_stamps: Vec<Raw<ArchiveTimeStamp>>,
}

impl EvidenceRecord {
    /// Reads one record and nothing else.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input; [`ErrorKind::InvalidValue`] if the sequence or a chain is empty.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        let element = Reader::single(bytes, Tag::SEQUENCE, STRUCTURE)?;
        let mut reader = element.children(STRUCTURE)?;
        let version = reader.expect(Tag::INTEGER)?.small_integer()?;
        let digest_algorithms = read_list(
            &reader.expect(Tag::SEQUENCE)?,
            "EvidenceRecord.digestAlgorithms",
            DIGEST_ALGORITHMS_MAX,
        )?;
        let crypto_infos = match reader.optional(Tag::context(0))? {
            Some(element) => Attribute::list_from_element(&element, "EvidenceRecord.cryptoInfos")?,
            None => Vec::new(),
        };
        let encryption_info = match reader.optional(Tag::context(1))? {
            Some(element) => Some(EncryptionInfo::from_element(&element)?),
            None => None,
        };
        let sequence = read_sequence(&reader.expect(Tag::SEQUENCE)?)?;
        reader.finish()?;
        let value = Self {
            version,
            digest_algorithms,
            crypto_infos,
            encryption_info,
            sequence,
        };
        Ok(Raw::new(value, bytes.to_vec()))
    }

    /// A record of version 1 around these chains. The digest algorithms are collected from them, first use first.
    ///
    /// # Errors
    ///
    /// Those of reading a token, where an archive time-stamp names no algorithm of its own.
    pub fn new(sequence: Vec<Raw<ArchiveTimeStampChain>>) -> Result<Self> {
        let mut digest_algorithms: Vec<AlgorithmIdentifier> = Vec::new();
        for time_stamp in sequence.iter().flat_map(|chain| &chain.time_stamps) {
            let algorithm = match &time_stamp.digest_algorithm {
                Some(algorithm) => algorithm.clone(),
                None => time_stamp.token()?.info.imprint.algorithm.clone(),
            };
            if !digest_algorithms
                .iter()
                .any(|known| known.oid == algorithm.oid)
            {
                digest_algorithms.push(algorithm);
            }
        }
        Ok(Self {
            version: 1,
            digest_algorithms,
            crypto_infos: Vec::new(),
            encryption_info: None,
            sequence,
        })
    }

    /// The DER bytes. Chains, time-stamps and tokens are inserted as they are, save that indefinite lengths become definite.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotEncodable`] if the result could not be read again.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let bytes = Writer::single(Tag::SEQUENCE, |w| {
            w.integer(&Integer::from(u64::from(self.version)));
            w.sequence(|w| self.digest_algorithms.iter().for_each(|a| a.write(w)));
            if !self.crypto_infos.is_empty() {
                w.constructed(Tag::context(0), |w| {
                    for attribute in &self.crypto_infos {
                        w.raw(&attribute.raw);
                    }
                });
            }
            if let Some(info) = &self.encryption_info {
                w.constructed(Tag::context(1), |w| {
                    w.oid(&info.oid).raw(&info.value);
                });
            }
            w.raw(&self.sequence_bytes(self.sequence.len()));
        });
        let not_encodable = |_| FormatError::new(ErrorKind::NotEncodable, STRUCTURE);
        let bytes = to_der_lengths(&bytes).map_err(not_encodable)?;
        Self::parse(&bytes).map_err(not_encodable)?;
        Ok(bytes)
    }

    /// The bytes of an ArchiveTimeStampSequence of the first `chains` chains.
    ///
    /// A hash-tree renewal hashes the sequence as it was before the new chain (RFC 4998 §5.2, step 3): for the chain at position `n`
    /// that is `sequence_bytes(n)`. The chains are inserted as received.
    #[must_use]
    pub fn sequence_bytes(&self, chains: usize) -> Vec<u8> {
        Writer::single(Tag::SEQUENCE, |w| {
            for chain in self.sequence.iter().take(chains) {
                w.raw(chain.raw());
            }
        })
    }

    /// All archive time-stamps in order, each with the positions of its chain and of itself in the chain.
    pub fn time_stamps(&self) -> impl Iterator<Item = (usize, usize, &Raw<ArchiveTimeStamp>)> {
        self.sequence.iter().enumerate().flat_map(|(chain, value)| {
            let members = value.time_stamps.iter().enumerate();
            members.map(move |(position, time_stamp)| (chain, position, time_stamp))
        })
    }
}

impl ArchiveTimeStampChain {
    /// A chain together with its DER bytes; the time-stamps are inserted as they are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotEncodable`] if it is empty or a limit is exceeded.
    pub fn new(time_stamps: Vec<Raw<ArchiveTimeStamp>>) -> Result<Raw<Self>> {
        let bytes = Writer::single(Tag::SEQUENCE, |w| {
            for time_stamp in &time_stamps {
                w.raw(time_stamp.raw());
            }
        });
        Self::parse(&bytes)
            .map_err(|_| FormatError::new(ErrorKind::NotEncodable, "ArchiveTimeStampChain"))
    }

    /// Reads one chain and nothing else.
    ///
    /// # Errors
    ///
    /// Every [`ErrorKind`] of malformed input; [`ErrorKind::InvalidValue`] if it is empty.
    pub fn parse(bytes: &[u8]) -> Result<Raw<Self>> {
        let structure = "ArchiveTimeStampChain";
        Self::from_element(&Reader::single(bytes, Tag::SEQUENCE, structure)?)
    }

    fn from_element(element: &Element<'_>) -> Result<Raw<Self>> {
        if element.tag() != Tag::SEQUENCE {
            return Err(element.error(ErrorKind::UnexpectedTag));
        }
        let members = element
            .children("ArchiveTimeStampChain")?
            .all(EVIDENCE_TIME_STAMPS_MAX)?;
        if members.is_empty() {
            return Err(element.error(ErrorKind::InvalidValue));
        }
        let time_stamps = members.iter().map(ArchiveTimeStamp::from_element);
        let value = Self {
            time_stamps: time_stamps.collect::<Result<_>>()?,
        };
        Ok(Raw::new(value, element.raw().to_vec()))
    }
}

#[derive(AsnType, Decode)]
struct EncryptionInfoMembers {
    encryption_info_type: Oid,
    encryption_info_value: rasn::types::Any,
}

impl FromElement for EncryptionInfo {
    const TAG: Tag = Tag::SEQUENCE;

    fn from_element(element: &Element<'_>) -> Result<Self> {
        let members: EncryptionInfoMembers = decode(element, "EncryptionInfo")?;
        Ok(Self {
            oid: members.encryption_info_type,
            value: members.encryption_info_value.into_bytes(),
        })
    }
}

fn read_sequence(element: &Element<'_>) -> Result<Vec<Raw<ArchiveTimeStampChain>>> {
    let chains = element
        .children("ArchiveTimeStampSequence")?
        .all(EVIDENCE_CHAINS_MAX)?;
    if chains.is_empty() {
        return Err(element.error(ErrorKind::InvalidValue));
    }
    chains
        .iter()
        .map(ArchiveTimeStampChain::from_element)
        .collect()
}

const STRUCTURE: &str = "EvidenceRecord";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::PartialHashTree;
    use crate::samples;

    #[test]
    fn a_record_is_written_and_read_again() {
        let record = samples::record();
        assert_eq!(record.digest_algorithms.len(), 1);
        let bytes = record.encode().unwrap();
        let parsed = EvidenceRecord::parse(&bytes).unwrap();
        assert_eq!(*parsed, record);
        assert_eq!(parsed.raw(), bytes);
        let places: Vec<_> = parsed.time_stamps().map(|(c, p, _)| (c, p)).collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 0)]);
        let token = samples::token(b"two");
        assert_eq!(parsed.sequence[0].time_stamps[1].time_stamp, token);
    }

    #[test]
    fn all_members_survive() {
        let mut record = samples::record();
        let info = Attribute::new(crate::oid::SIGNING_TIME, vec![vec![4, 1, 7]]);
        record.crypto_infos = vec![info.clone()];
        record.encryption_info = Some(EncryptionInfo {
            oid: crate::oid::DATA,
            value: vec![5, 0],
        });
        let mut time_stamp = record.sequence[0].time_stamps[0].value().clone();
        time_stamp.attributes = vec![info];
        time_stamp.digest_algorithm = None;
        time_stamp.reduced_hash_tree = Some(vec![PartialHashTree::default()]);
        let chain = ArchiveTimeStampChain::new(vec![time_stamp.into_raw().unwrap()]).unwrap();
        record.sequence.push(chain);
        let parsed = EvidenceRecord::parse(&record.encode().unwrap()).unwrap();
        assert_eq!(*parsed, record);
    }

    #[test]
    fn the_sequence_before_a_chain_is_the_old_sequence() {
        let record = samples::record();
        let whole = record.sequence_bytes(2);
        assert!(record.encode().unwrap().ends_with(&whole));
        let mut old = record.clone();
        old.sequence.truncate(1);
        assert!(old.encode().unwrap().ends_with(&record.sequence_bytes(1)));
        assert_eq!(record.sequence_bytes(0), [0x30, 0x00]);
    }

    #[test]
    fn empty_sequences_and_chains_are_refused() {
        let mut record = samples::record();
        record.sequence.clear();
        assert_eq!(record.encode().unwrap_err().kind(), ErrorKind::NotEncodable);
        assert!(ArchiveTimeStampChain::new(Vec::new()).is_err());
        let kind = |bytes: &[u8]| EvidenceRecord::parse(bytes).unwrap_err().kind();
        assert_eq!(
            kind(&[0x30, 0x07, 2, 1, 1, 0x30, 0, 0x30, 0]),
            ErrorKind::InvalidValue
        );
        assert_eq!(
            kind(&[0x30, 0x09, 2, 1, 1, 0x30, 0, 0x30, 2, 0x30, 0]),
            ErrorKind::InvalidValue
        );
        assert_eq!(
            kind(&[0x30, 0x05, 2, 1, 1, 0x30, 0]),
            ErrorKind::MissingElement
        );
    }

    #[test]
    fn a_token_in_ber_becomes_definite_inside_of_a_record() {
        let token = samples::token(b"ber");
        let element = Reader::single(&token, Tag::SEQUENCE, "test").unwrap();
        let mut ber = vec![0x30, 0x80];
        ber.extend_from_slice(element.content());
        ber.extend([0, 0]);
        let mut time_stamp = samples::record().sequence[0].time_stamps[0].value().clone();
        time_stamp.time_stamp = ber;
        assert_eq!(time_stamp.into_raw().unwrap().time_stamp, token);
    }

    #[test]
    fn one_chain_and_one_time_stamp_too_many_are_refused() {
        let record = samples::record();
        let chain = ArchiveTimeStamp {
            digest_algorithm: None,
            attributes: Vec::new(),
            reduced_hash_tree: None,
            time_stamp: vec![0x30, 0x00],
        };
        let small = chain.into_raw().unwrap();
        let chain = |count| ArchiveTimeStampChain::new(vec![small.clone(); count]);
        assert!(chain(EVIDENCE_TIME_STAMPS_MAX).is_ok());
        assert!(chain(EVIDENCE_TIME_STAMPS_MAX + 1).is_err());
        let with = |count| EvidenceRecord {
            sequence: vec![chain(1).unwrap(); count],
            ..record.clone()
        };
        assert!(with(EVIDENCE_CHAINS_MAX).encode().is_ok());
        assert!(with(EVIDENCE_CHAINS_MAX + 1).encode().is_err());
    }

    #[test]
    fn each_bit_counts() {
        let mut record = samples::record();
        for chain in &mut record.sequence {
            let mut small = chain.time_stamps[0].value().clone();
            small.time_stamp = vec![0x30, 0x02, 0x05, 0x00];
            *chain = ArchiveTimeStampChain::new(vec![small.into_raw().unwrap()]).unwrap();
        }
        samples::each_bit_counts(&record.encode().unwrap(), |bytes| {
            let record = EvidenceRecord::parse(bytes).ok()?.into_parts().0;
            let members: Vec<_> = record
                .time_stamps()
                .map(|(_, _, t)| t.value().clone())
                .collect();
            Some((record.version, record.digest_algorithms, members))
        });
    }

    #[test]
    fn a_damaged_record_does_no_harm() {
        let bytes = samples::record().encode().unwrap();
        samples::each_damage(&bytes, |damaged| {
            if let Ok(record) = EvidenceRecord::parse(damaged) {
                assert_eq!(record.raw(), damaged);
                for (_, _, time_stamp) in record.time_stamps() {
                    drop(time_stamp.token());
                }
            }
        });
    }
}
