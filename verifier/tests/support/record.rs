//! Records, evidence records and evidence packages for tests.

use std::collections::BTreeMap;
use std::io::Cursor;

use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::{HashTree, group_hash, reduced_hash_tree};
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord, PartialHashTree};
use formats::id::{ArchiveId, RecordId};
use formats::manifest::{
    ClassReference, ContentObject, Digests, Manifest, Metadata, ObjectName, Role,
};
use formats::package::PackageWriter;
use formats::raw::Raw;
use formats::x509::AlgorithmIdentifier;
use time::OffsetDateTime;
use time::macros::datetime;

use super::authority::Authority;

/// The digest algorithm of the tests' first trees.
pub(crate) const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;

/// When the records of the tests were received and first time-stamped.
pub(crate) const RECEIVED: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);

/// A record with its documents.
pub(crate) struct Record {
    /// Its manifest.
    pub(crate) manifest: Raw<Manifest>,
    /// Its documents, in the order of the manifest.
    pub(crate) documents: Vec<Vec<u8>>,
}

impl Record {
    /// A record of these documents; `number` tells records apart.
    pub(crate) fn new(number: u8, documents: &[(&str, &[u8])]) -> Self {
        let objects = documents
            .iter()
            .map(|(name, content)| ContentObject {
                name: ObjectName::new(name).unwrap(),
                role: Role::Original,
                media_type: "text/plain".to_owned(),
                size: u64::try_from(content.len()).unwrap(),
                digests: Digests::of(content),
                lines: None,
            })
            .collect();
        let manifest = Manifest {
            archive: ArchiveId::new(1_790_000_000_000, &[1; 10]),
            record: RecordId::new(1_795_319_310_123, &[number; 10]),
            version: 1,
            supersedes: None,
            class: ClassReference {
                id: "general".to_owned(),
                digests: Digests::of(b"class"),
            },
            metadata: Metadata::default(),
            objects,
            depositor: "tester".to_owned(),
            channel: "cli".to_owned(),
            received_at: RECEIVED,
            facts: BTreeMap::new(),
            salt: [number; 16],
        };
        Self {
            manifest: Manifest::parse(&manifest.encode().unwrap()).unwrap(),
            documents: documents
                .iter()
                .map(|(_, content)| content.to_vec())
                .collect(),
        }
    }

    /// The digests of its data object group.
    pub(crate) fn group(&self, algorithm: DigestAlgorithm) -> Vec<DigestValue> {
        Manifest::group(&self.manifest, algorithm).unwrap()
    }
}

/// The evidence records of a batch of groups under one token.
pub(crate) fn batch(
    groups: &[Vec<DigestValue>],
    authority: &Authority,
    time: OffsetDateTime,
) -> Vec<EvidenceRecord> {
    let algorithm = groups[0][0].algorithm();
    let leaves: Vec<DigestValue> = groups
        .iter()
        .map(|group| group_hash(algorithm, group).unwrap())
        .collect();
    let tree = HashTree::from_values(algorithm, &leaves).unwrap();
    let token = authority.token(&tree.root(), time);
    groups
        .iter()
        .enumerate()
        .map(|(index, group)| {
            let siblings = tree.siblings(index).unwrap();
            let stamp = ArchiveTimeStamp {
                digest_algorithm: Some(AlgorithmIdentifier::of_digest(algorithm)),
                attributes: Vec::new(),
                reduced_hash_tree: Some(reduced_hash_tree(group, &siblings)),
                time_stamp: token.clone(),
            };
            let chain = ArchiveTimeStampChain::new(vec![stamp.into_raw().unwrap()]).unwrap();
            EvidenceRecord::new(vec![chain]).unwrap()
        })
        .collect()
}

/// The record with one more time-stamp in its last chain (RFC 4998 §5.2, time-stamp renewal).
pub(crate) fn renew_time_stamp(
    record: &EvidenceRecord,
    authority: &Authority,
    time: OffsetDateTime,
) -> EvidenceRecord {
    let previous = last_token(record);
    let algorithm = algorithm_of(record);
    let digest = algorithm.digest(&previous);
    let tree = reduced_hash_tree(&[digest], &[]);
    let token = authority.token(&digest, time);
    with_stamp(record, stamp(Some(algorithm), Some(tree), token))
}

/// The record with an archive time-stamp over these values, put together as one list.
pub(crate) fn renew_over(
    record: &EvidenceRecord,
    values: &[DigestValue],
    authority: &Authority,
    time: OffsetDateTime,
) -> EvidenceRecord {
    let algorithm = algorithm_of(record);
    let root = group_hash(algorithm, values).unwrap();
    let tree = reduced_hash_tree(values, &[]);
    let token = authority.token(&root, time);
    with_stamp(record, stamp(Some(algorithm), Some(tree), token))
}

/// An archive time-stamp of these parts.
pub(crate) fn stamp(
    algorithm: Option<DigestAlgorithm>,
    tree: Option<Vec<PartialHashTree>>,
    token: Vec<u8>,
) -> ArchiveTimeStamp {
    ArchiveTimeStamp {
        digest_algorithm: algorithm.map(AlgorithmIdentifier::of_digest),
        attributes: Vec::new(),
        reduced_hash_tree: tree,
        time_stamp: token,
    }
}

/// The record with this archive time-stamp at the end of its last chain.
pub(crate) fn with_stamp(record: &EvidenceRecord, stamp: ArchiveTimeStamp) -> EvidenceRecord {
    let mut sequence = record.sequence.clone();
    let mut stamps = sequence.pop().unwrap().time_stamps.clone();
    stamps.push(stamp.into_raw().unwrap());
    sequence.push(ArchiveTimeStampChain::new(stamps).unwrap());
    EvidenceRecord::new(sequence).unwrap()
}

/// The record with a chain of this archive time-stamp at its end.
pub(crate) fn with_chain(record: &EvidenceRecord, stamp: ArchiveTimeStamp) -> EvidenceRecord {
    let mut sequence = record.sequence.clone();
    sequence.push(ArchiveTimeStampChain::new(vec![stamp.into_raw().unwrap()]).unwrap());
    EvidenceRecord::new(sequence).unwrap()
}

/// A record of one archive time-stamp.
pub(crate) fn record_of(stamp: ArchiveTimeStamp) -> EvidenceRecord {
    let chain = ArchiveTimeStampChain::new(vec![stamp.into_raw().unwrap()]).unwrap();
    EvidenceRecord::new(vec![chain]).unwrap()
}

/// The newest token.
pub(crate) fn last_token(record: &EvidenceRecord) -> Vec<u8> {
    let chain = record.sequence.last().unwrap();
    chain.time_stamps.last().unwrap().time_stamp.clone()
}

fn algorithm_of(record: &EvidenceRecord) -> DigestAlgorithm {
    let chain = record.sequence.last().unwrap();
    let token = chain.time_stamps.last().unwrap().token().unwrap();
    token.info.imprint.value().unwrap().algorithm()
}

/// The record with one more chain (RFC 4998 §5.2, hash-tree renewal). `sorted` takes the reading of erratum 7411.
pub(crate) fn renew_tree(
    record: &EvidenceRecord,
    group: &[DigestValue],
    sorted: bool,
    authority: &Authority,
    time: OffsetDateTime,
) -> EvidenceRecord {
    let algorithm = group[0].algorithm();
    let sequence_digest = algorithm.digest(&record.sequence_bytes(record.sequence.len()));
    let renewed: Vec<DigestValue> = group
        .iter()
        .map(|digest| {
            let mut parts = [digest.as_bytes(), sequence_digest.as_bytes()];
            if sorted {
                parts.sort();
            }
            algorithm.digest(&parts.concat())
        })
        .collect();
    let root = group_hash(algorithm, &renewed).unwrap();
    let stamp = ArchiveTimeStamp {
        digest_algorithm: Some(AlgorithmIdentifier::of_digest(algorithm)),
        attributes: Vec::new(),
        reduced_hash_tree: Some(reduced_hash_tree(&renewed, &[])),
        time_stamp: authority.token(&root, time),
    };
    let mut sequence = record.sequence.clone();
    sequence.push(ArchiveTimeStampChain::new(vec![stamp.into_raw().unwrap()]).unwrap());
    EvidenceRecord::new(sequence).unwrap()
}

/// An evidence package of a record.
pub(crate) fn package(record: &Record, evidence: &[u8]) -> Vec<u8> {
    let sink = Cursor::new(Vec::new());
    let mut writer = PackageWriter::new(sink, &record.manifest, ALGORITHM).unwrap();
    for document in &record.documents {
        writer.add_document(document.as_slice()).unwrap();
    }
    let sink = writer.finish(evidence, b"{}", b"<html></html>").unwrap();
    sink.into_inner()
}
