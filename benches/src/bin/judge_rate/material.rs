//! Evidence records, tokens and their data as files.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use archiver::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::evidence::hash_tree::{HashTree, group_hash, reduced_hash_tree};
use formats::evidence::{ArchiveTimeStamp, ArchiveTimeStampChain, EvidenceRecord};
use formats::tsp::{MessageImprint, TimeStampRequest, TimeStampResponse};
use formats::x509::{AlgorithmIdentifier, encode_pem};
use time::OffsetDateTime;
use time::macros::datetime;

const ALGORITHM: DigestAlgorithm = DigestAlgorithm::Sha256;
/// When everything is stamped. In the past, since Bouncy Castle looks at the clock of the machine.
pub(crate) const STAMPED_AT: OffsetDateTime = datetime!(2026-11-01 03:00 UTC);
/// Leaves under one token: twenty levels for a million would only be more digests; ten show the same.
const BATCH: usize = 1024;

/// A manifest and one document: the data object group of a leaf.
fn objects(batch: usize, leaf: usize) -> [Vec<u8>; 2] {
    ["manifest", "document"].map(|name| format!("{name} {batch} {leaf}\n").repeat(8).into_bytes())
}

fn group(batch: usize, leaf: usize) -> [DigestValue; 2] {
    objects(batch, leaf).map(|bytes| ALGORITHM.digest(&bytes))
}

/// Writes `shared/N.{ers,a,b}`, `distinct/N.{ers,a,b}`, `tokens/N.{tst,data}` and `root.pem`.
pub(crate) fn make(folder: &Path, count: usize) {
    for name in ["shared", "distinct", "tokens"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let entropy = Arc::new(SeededEntropy::new(1));
    let clock = Arc::new(SimulatedClock::new(STAMPED_AT));
    let material = AuthorityMaterial::make("bench", STAMPED_AT, &*entropy).unwrap();
    let authority = EmbeddedAuthority::new(material, clock, entropy).unwrap();
    let root = encode_pem("CERTIFICATE", authority.root());
    fs::write(folder.join("root.pem"), root).unwrap();
    for number in 0..count {
        let first = number == 0 || number % BATCH == 0;
        if first {
            write_batch(
                &folder.join("shared"),
                number,
                BATCH.min(count - number),
                &authority,
            );
        }
        write_batch(&folder.join("distinct"), count + number, 1, &authority);
        let data = format!("token {number}\n").into_bytes();
        let token = stamp(&authority, ALGORITHM.digest(&data));
        fs::write(folder.join(format!("tokens/{number}.tst")), token).unwrap();
        fs::write(folder.join(format!("tokens/{number}.data")), data).unwrap();
    }
}

/// A batch under one token, of which the first `wanted` records are written.
fn write_batch(folder: &Path, batch: usize, wanted: usize, authority: &EmbeddedAuthority) {
    let hashes = (0..BATCH).map(|leaf| group_hash(ALGORITHM, &group(batch, leaf)).unwrap());
    let flat: Vec<u8> = hashes.flat_map(|hash| hash.as_bytes().to_vec()).collect();
    let tree = HashTree::build(ALGORITHM, flat, NonZeroUsize::MIN).unwrap();
    let token = stamp(authority, tree.root());
    for leaf in 0..wanted {
        let siblings = tree.siblings(leaf).unwrap();
        let time_stamp = ArchiveTimeStamp {
            digest_algorithm: Some(AlgorithmIdentifier::of_digest(ALGORITHM)),
            attributes: Vec::new(),
            reduced_hash_tree: Some(reduced_hash_tree(&group(batch, leaf), &siblings)),
            time_stamp: token.clone(),
        };
        let chain = ArchiveTimeStampChain::new(vec![time_stamp.into_raw().unwrap()]).unwrap();
        let record = EvidenceRecord::new(vec![chain]).unwrap().encode().unwrap();
        let name = format!("{batch}-{leaf}");
        let [a, b] = objects(batch, leaf);
        for (ending, bytes) in [("ers", record), ("a", a), ("b", b)] {
            fs::write(folder.join(format!("{name}.{ending}")), bytes).unwrap();
        }
    }
}

fn stamp(authority: &EmbeddedAuthority, digest: DigestValue) -> Vec<u8> {
    let request = TimeStampRequest {
        version: 1,
        imprint: MessageImprint::of(&digest),
        policy: None,
        nonce: None,
        certificate_wanted: true,
        extensions: Vec::new(),
    };
    let response = TimeStampResponse::parse(&authority.respond(&request.encode())).unwrap();
    response.token.clone().unwrap()
}
