//! A record of one log with a line tree, and packages that show some of its lines.

use std::io::Cursor;

use formats::digest::DigestValue;
use formats::lines::{
    LINE_ALGORITHMS, LineLevels, LineProof, LineSalt, LineTree, RangeHashes, leaf, range_siblings,
    split_lines,
};
use formats::manifest::{Digests, Manifest};
use formats::package::{EvidenceMembers, write_line_package};

use super::record::{ALGORITHM, Record};

/// The salt that a line of a test log has.
pub(crate) fn salt(number: u64) -> LineSalt {
    let digest = ALGORITHM.digest(&[b"salt".as_slice(), &number.to_be_bytes()].concat());
    digest.as_bytes()[..16].try_into().unwrap()
}

fn levels(content: &[u8]) -> [LineLevels; 2] {
    LINE_ALGORITHMS.map(|algorithm| {
        let lines = (1..).zip(split_lines(content));
        LineLevels::new(
            algorithm,
            lines.map(|(number, line)| leaf(algorithm, &salt(number), number, line)),
        )
    })
}

/// A record of one log; `number` tells records apart.
pub(crate) fn log_record(number: u8, content: &[u8]) -> Record {
    let mut record = Record::new(number, &[("app.log", content)]);
    let mut manifest = record.manifest.value().clone();
    let roots = levels(content).map(|levels| levels.root().unwrap());
    manifest.objects[0].lines = Some(LineTree {
        lines: u64::try_from(split_lines(content).count()).unwrap(),
        roots: Digests::new(roots.to_vec()).unwrap(),
    });
    record.manifest = Manifest::parse(&manifest.encode().unwrap()).unwrap();
    record
}

/// The proof for the lines `first` to `last`, from 1.
pub(crate) fn proof(record: &Record, first: u64, last: u64) -> LineProof {
    let content = &record.documents[0];
    let lines = u64::try_from(split_lines(content).count()).unwrap();
    let siblings = range_siblings(lines, first - 1, last - 1).unwrap();
    let proofs = levels(content).into_iter().zip(LINE_ALGORITHMS);
    LineProof {
        version: record.manifest.id().unwrap(),
        object: 0,
        first,
        salts: (first..=last).map(salt).collect(),
        proofs: proofs
            .map(|(levels, algorithm)| RangeHashes {
                algorithm,
                hashes: siblings
                    .iter()
                    .map(|(level, index)| levels.node(*level, *index).unwrap())
                    .collect::<Vec<DigestValue>>(),
            })
            .collect(),
    }
}

/// The bytes of the lines `first` to `last`, from 1.
pub(crate) fn shown(record: &Record, first: u64, last: u64) -> Vec<u8> {
    let lines = (1..).zip(split_lines(&record.documents[0]));
    lines
        .filter(|(number, _)| (first..=last).contains(number))
        .flat_map(|(_, line)| line.to_vec())
        .collect()
}

/// The package that shows the lines `first` to `last`.
pub(crate) fn line_package(record: &Record, evidence: &[u8], first: u64, last: u64) -> Vec<u8> {
    let members = EvidenceMembers {
        records: &[evidence.to_vec()],
        algorithm: ALGORITHM,
        audit: b"{}",
        report: b"<html></html>",
    };
    let sink = Cursor::new(Vec::new());
    write_line_package(
        sink,
        &record.manifest,
        &shown(record, first, last),
        &proof(record, first, last),
        &members,
    )
    .unwrap()
    .into_inner()
}
