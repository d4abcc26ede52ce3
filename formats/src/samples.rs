//! Small structures for the tests of the ASN.1 modules. Their signatures are not signatures.

use ::time::macros::datetime;

use crate::cms::{Attribute, SignedDataBuilder, SignerIdentifier, SigningCertificates};
use crate::der::{Integer, Tag, Writer};
use crate::digest::DigestAlgorithm;
use crate::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord, PartialHashTree};
use crate::oid;
use crate::tsp::{Accuracy, MessageImprint, TstInfo};
use crate::x509::{AlgorithmIdentifier, Certificate};

/// A certificate of version 3 that parses everywhere.
pub(crate) fn certificate(serial: u64) -> Certificate {
    let common_name: oid::Oid = "2.5.4.3".parse().unwrap();
    let name = Writer::single(Tag::SEQUENCE, |w| {
        w.constructed(Tag::SET, |w| {
            w.sequence(|w| {
                w.oid(&common_name).primitive(Tag::UTF8_STRING, b"TSA");
            });
        });
    });
    let algorithm = AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256);
    let tbs = Writer::single(Tag::SEQUENCE, |w| {
        w.constructed(Tag::context(0), |w| {
            w.integer(&Integer::from(2));
        });
        w.integer(&Integer::from(serial));
        algorithm.write(w);
        w.raw(&name);
        w.sequence(|w| {
            w.primitive(Tag::UTC_TIME, b"260101000000Z");
            w.primitive(Tag::UTC_TIME, b"360101000000Z");
        });
        w.raw(&name);
        w.sequence(|w| {
            w.sequence(|w| {
                w.oid(&oid::EC_PUBLIC_KEY).oid(&oid::SECP256R1);
            });
            w.primitive(Tag::BIT_STRING, &[0, 4, 1, 2]);
        });
    });
    let bytes = Writer::single(Tag::SEQUENCE, |w| {
        w.raw(&tbs);
        algorithm.write(w);
        w.primitive(Tag::BIT_STRING, &[0, 7, 7]);
    });
    Certificate::parse(&bytes).unwrap()
}

pub(crate) fn tst_info(data: &[u8]) -> TstInfo {
    TstInfo {
        version: 1,
        policy: "1.3.6.1.4.1.32473.1".parse().unwrap(),
        imprint: MessageImprint::of(&DigestAlgorithm::Sha256.digest(data)),
        serial: Integer::from(4711),
        gen_time: datetime!(2026-11-22 03:48:30.25 UTC),
        gen_time_text: "20261122034830.25Z".to_owned(),
        accuracy: Some(Accuracy {
            seconds: Some(1),
            millis: Some(500),
            micros: None,
        }),
        ordering: false,
        nonce: Some(Integer::from(u64::MAX)),
        tsa: None,
        extensions: Vec::new(),
    }
}

pub(crate) fn token_builder(data: &[u8]) -> SignedDataBuilder {
    let certificate = certificate(128);
    let ess = SigningCertificates::encode_v2(&certificate, DigestAlgorithm::Sha256);
    SignedDataBuilder {
        content_type: oid::TST_INFO,
        content: tst_info(data).encode().unwrap(),
        identifier: SignerIdentifier::of(&certificate),
        digest_algorithm: DigestAlgorithm::Sha256,
        signature_algorithm: AlgorithmIdentifier::bare(oid::ECDSA_WITH_SHA256),
        signed_attributes: vec![Attribute::new(oid::SIGNING_CERTIFICATE_V2, vec![ess])],
        certificates: vec![certificate.raw().to_vec()],
        revocations: Vec::new(),
    }
}

/// The bytes of a token over the SHA-256 digest of `data`.
pub(crate) fn token(data: &[u8]) -> Vec<u8> {
    let builder = token_builder(data);
    let token = builder.build(|_| Some(vec![0x30, 0x00])).unwrap();
    token.raw().to_vec()
}

/// A record of two chains; the first one has two time-stamps.
pub(crate) fn record() -> EvidenceRecord {
    let time_stamp = |data: &[u8], lists: Option<Vec<PartialHashTree>>| {
        let value = ArchiveTimeStamp {
            digest_algorithm: Some(AlgorithmIdentifier::of_digest(DigestAlgorithm::Sha256)),
            attributes: Vec::new(),
            reduced_hash_tree: lists,
            time_stamp: token(data),
        };
        value.into_raw().unwrap()
    };
    let lists = vec![
        PartialHashTree(vec![vec![1; 32], vec![2; 32]]),
        PartialHashTree(vec![vec![3; 32]]),
    ];
    let first = vec![time_stamp(b"one", Some(lists)), time_stamp(b"two", None)];
    let second = vec![time_stamp(b"three", None)];
    let chains = [first, second].map(|chain| ArchiveTimeStampChain::new(chain).unwrap());
    EvidenceRecord::new(chains.into()).unwrap()
}

/// Calls `read` with every beginning of `bytes` and with every bit turned. It must not panic.
pub(crate) fn each_damage(bytes: &[u8], mut read: impl FnMut(&[u8])) {
    for end in 0..bytes.len() {
        read(&bytes[..end]);
    }
    let mut flipped = bytes.to_vec();
    for position in 0..bytes.len() {
        for bit in 0..8 {
            flipped[position] ^= 1 << bit;
            read(&flipped);
            flipped[position] ^= 1 << bit;
        }
    }
}

/// Every bit of the bytes must show in the value: a turned bit is either refused or read as something else.
pub(crate) fn each_bit_counts<T: PartialEq>(bytes: &[u8], read: impl Fn(&[u8]) -> Option<T>) {
    let original = read(bytes);
    assert!(original.is_some());
    let mut flipped = bytes.to_vec();
    for position in 0..bytes.len() {
        for bit in 0..8 {
            flipped[position] ^= 1 << bit;
            assert!(read(&flipped) != original, "byte {position}, bit {bit}");
            flipped[position] ^= 1 << bit;
        }
    }
}
