//! Every way of tampering with a package of lines is found.

use formats::digest::DigestAlgorithm;
use formats::limits::LINES_MAX;
use formats::lines::{LineProof, range_siblings, split_lines};
use formats::package::{EVIDENCE_RECORD, EVIDENCE_RECORD_MANIFEST, LINE_PROOF, MANIFEST};
use verifier::finding::{
    Code, evidence as evidence_codes, lines as codes, package as package_codes,
};
use verifier::verdict::Integrity;

use crate::support::log::{line_package, log_record, proof, shown};
use crate::support::record::Record;
use crate::{MEMBER, Members, content, evidence, has, judge, log, members, packed, records};

/// One way of tampering, and a finding that must name it.
type Tampering = (&'static str, fn(&mut Members, &Other), Code);

/// What a forger has at hand beside the package.
struct Other {
    proof: LineProof,
    other_record: Members,
    bob: Record,
    without_tree: Record,
}

fn edit(members: &mut Members, other: &Other, change: impl FnOnce(&mut LineProof)) {
    let mut proof = other.proof.clone();
    change(&mut proof);
    *content(members, LINE_PROOF) = proof.encode().unwrap();
}

fn take(members: &mut Members, other: &Other, name: &str) {
    let taken = other.other_record.iter().find(|(member, _)| member == name);
    *content(members, name) = taken.unwrap().1.clone();
}

const TAMPERINGS: &[Tampering] = &[
    (
        "a line is changed",
        |m, _| content(m, MEMBER)[0] = b'2',
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "a line end is changed",
        |m, _| {
            let lines = content(m, MEMBER);
            let end = lines.len() - 1;
            lines.insert(end, b'\r');
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the last line is removed",
        |m, _| {
            let lines = content(m, MEMBER);
            let kept = lines.len()
                - lines
                    .split_inclusive(|b| *b == b'\n')
                    .next_back()
                    .unwrap()
                    .len();
            lines.truncate(kept);
        },
        codes::LINE_COUNT_MISMATCH,
    ),
    (
        "a line is added",
        |m, _| content(m, MEMBER).extend_from_slice(b"1027 x\n"),
        codes::LINE_COUNT_MISMATCH,
    ),
    (
        "an unfinished line is added",
        |m, _| content(m, MEMBER).push(b'x'),
        codes::LINE_COUNT_MISMATCH,
    ),
    (
        "the end of the last line is cut off",
        |m, _| {
            content(m, MEMBER).pop();
        },
        codes::LINE_WITHOUT_END,
    ),
    (
        "two lines are exchanged",
        |m, _| {
            let lines: Vec<Vec<u8>> = split_lines(content(m, MEMBER))
                .map(<[u8]>::to_vec)
                .collect();
            *content(m, MEMBER) = [&lines[1], &lines[0], &lines[2], &lines[3]]
                .map(Clone::clone)
                .concat();
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "all lines are empty",
        |m, _| *content(m, MEMBER) = b"\n\n\n\n".to_vec(),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the lines are removed",
        |m, _| m.retain(|(name, _)| name != MEMBER),
        package_codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the lines are renumbered",
        |m, o| edit(m, o, |p| p.first = 1025),
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the lines are renumbered to the end of another block",
        |m, o| edit(m, o, |p| p.first = 511),
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the lines are renumbered to where the proof has the right length",
        |m, o| {
            let hashes = |first| range_siblings(2500, first - 1, first + 2).unwrap().len();
            let same = (1..2000).find(|first| *first != 1023 && hashes(*first) == hashes(1023));
            edit(m, o, |p| p.first = same.unwrap());
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "a salt is changed",
        |m, o| edit(m, o, |p| p.salts[2][15] ^= 1),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "two salts are exchanged",
        |m, o| edit(m, o, |p| p.salts.swap(0, 1)),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "a hash is changed",
        |m, o| {
            edit(m, o, |p| {
                p.proofs[1].hashes[3] = DigestAlgorithm::Sha512.digest(b"x");
            });
        },
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "two hashes are exchanged",
        |m, o| edit(m, o, |p| p.proofs[0].hashes.swap(0, 1)),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the proof is truncated",
        |m, o| {
            edit(m, o, |p| {
                p.proofs[0].hashes.pop();
            });
        },
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the proof is too long",
        |m, o| {
            edit(m, o, |p| {
                let last = p.proofs[1].hashes[0];
                p.proofs[1].hashes.push(last);
            });
        },
        codes::LINE_HASHES_WRONG,
    ),
    (
        "the proof under one function is left out",
        |m, o| {
            edit(m, o, |p| {
                p.proofs.pop();
            });
        },
        codes::LINE_ROOT_WITHOUT_PROOF,
    ),
    (
        "the proof is under a function without a root",
        |m, o| {
            edit(m, o, |p| {
                p.proofs[0].algorithm = DigestAlgorithm::Sha3_256;
                p.proofs[0].hashes.clear();
            });
        },
        codes::LINE_ROOT_WITHOUT_PROOF,
    ),
    (
        "the range ends beyond the log",
        |m, o| edit(m, o, |p| p.first = 2498),
        codes::LINE_RANGE_BEYOND_END,
    ),
    (
        "the range ends beyond any log",
        |m, o| edit(m, o, |p| p.first = LINES_MAX - 3),
        codes::LINE_RANGE_BEYOND_END,
    ),
    (
        "the proof is for an object that is not there",
        |m, o| edit(m, o, |p| p.object = 1),
        codes::LINE_OBJECT_MISSING,
    ),
    (
        "the proof is for another record",
        |m, o| take(m, o, LINE_PROOF),
        codes::LINE_PROOF_OTHER_RECORD,
    ),
    (
        "the proof is for another version",
        |m, o| {
            edit(m, o, |p| {
                p.version = formats::id::VersionId::new(p.version.record(), 2).unwrap();
            });
        },
        codes::LINE_PROOF_OTHER_RECORD,
    ),
    (
        "the lines are those of another record",
        |m, o| take(m, o, MEMBER),
        codes::LINE_ROOT_MISMATCH,
    ),
    (
        "the manifest is that of another record",
        |m, o| take(m, o, MANIFEST),
        codes::LINE_PROOF_OTHER_RECORD,
    ),
    (
        "lines, proof and manifest are those of another record",
        |m, o| {
            [MEMBER, LINE_PROOF, MANIFEST]
                .iter()
                .for_each(|name| take(m, o, name));
        },
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
    (
        "the manifest has no line tree",
        |m, o| {
            *content(m, MANIFEST) = o.without_tree.manifest.raw().to_vec();
            edit(m, o, |p| p.version = o.without_tree.manifest.id().unwrap());
        },
        codes::LINE_TREE_MISSING,
    ),
    (
        "roots, salts and lines are a forger's own",
        |m, o| {
            let forged = log_record(1, &log("mallory"));
            *content(m, MANIFEST) = forged.manifest.raw().to_vec();
            *content(m, MEMBER) = shown(&forged, 1023, 1026);
            edit(m, o, |p| *p = proof(&forged, 1023, 1026));
        },
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
    (
        "the proof is removed",
        |m, _| m.retain(|(name, _)| name != LINE_PROOF),
        package_codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the proof is not JSON any more",
        |m, _| content(m, LINE_PROOF)[0] = b'x',
        codes::LINE_PROOF_MALFORMED,
    ),
    (
        "the proof is not canonical any more",
        |m, _| content(m, LINE_PROOF).push(b'\n'),
        codes::LINE_PROOF_MALFORMED,
    ),
    (
        "the whole log is added",
        |m, o| m.push(("documents/app.log".to_owned(), o.bob.documents[0].clone())),
        package_codes::PACKAGE_MEMBER_UNLISTED,
    ),
    (
        "lines under another name are added",
        |m, _| m.push(("lines/b.txt".to_owned(), b"x\n".to_vec())),
        package_codes::PACKAGE_MEMBER_UNLISTED,
    ),
    (
        "the evidence record is removed",
        |m, _| m.retain(|(name, _)| name != EVIDENCE_RECORD),
        package_codes::PACKAGE_MEMBER_MISSING,
    ),
    (
        "the evidence record is that of another record",
        |m, o| take(m, o, EVIDENCE_RECORD),
        evidence_codes::EVIDENCE_DATA_NOT_COVERED,
    ),
    (
        "the evidence manifest is that of another record",
        |m, o| take(m, o, EVIDENCE_RECORD_MANIFEST),
        package_codes::PACKAGE_DIGEST_MISMATCH,
    ),
];

#[test]
fn every_tampering_is_found() {
    let mut records = records();
    let evidence = evidence(&records);
    let good = line_package(&records[0], &evidence[0], 1023, 1026);
    let other = Other {
        proof: proof(&records[0], 1023, 1026),
        other_record: members(&line_package(&records[1], &evidence[1], 1023, 1026)),
        without_tree: records.remove(2),
        bob: records.remove(1),
    };
    for (what, tamper, code) in TAMPERINGS {
        let mut members = members(&good);
        tamper(&mut members, &other);
        let report = judge(&packed(&members));
        assert!(!report.judgement.is_passed(), "{what}");
        assert_ne!(report.judgement.integrity(), Integrity::Intact, "{what}");
        assert!(has(&report, *code), "{what}: {:?}", report.findings);
        assert!(
            !has(&report, codes::LINES_PROVEN) || *code != codes::LINE_ROOT_MISMATCH,
            "{what}"
        );
        assert_eq!(report.best_signature_time, None, "{what}");
    }
}
