//! What is known of an ArchiveTimeStampChain on the way through it (RFC 4998 §5.1).

use formats::der::to_der_lengths;
use formats::digest::DigestAlgorithm;

use super::sequence::Answer;
use super::stamp::Stamp;
use crate::finding::{Finding, evidence as codes};
use crate::verdict::SubIndication;

/// The digest of a token as received, and of its DER form where it is BER.
pub(super) type TokenDigest = (Vec<u8>, Option<Vec<u8>>);

/// The digests under which a token may stand in a list.
pub(super) fn forms(token: &TokenDigest) -> impl Iterator<Item = &[u8]> {
    let (received, der) = token;
    std::iter::once(received.as_slice()).chain(der.as_deref())
}

/// What is known of the chain that is being checked.
#[derive(Default)]
pub(super) struct Chain {
    algorithm: Option<DigestAlgorithm>,
    /// The algorithm of the chain before it.
    before: Option<DigestAlgorithm>,
    /// Each token of the chain so far: what a renewal covers (RFC 4998 §5.2), all of them or only the last.
    pub(super) earlier: Vec<TokenDigest>,
}

impl Chain {
    /// The next chain begins.
    pub(super) fn renew(&mut self) {
        self.before = self.algorithm.take().or(self.before);
        self.earlier.clear();
    }

    /// All time-stamps of a chain use the same algorithm (RFC 4998 §5.1). That of the next chain should be a stronger one, but one that
    /// is not is legal: each is judged at the time until which it had to hold.
    pub(super) fn check_algorithm(
        &mut self,
        stamp: &Stamp<'_>,
        algorithm: DigestAlgorithm,
        answer: &mut Answer,
    ) {
        let at = || stamp.place.clone();
        match self.algorithm {
            None => {
                if let Some(before) = self.before.filter(|before| algorithm.len() <= before.len()) {
                    answer.findings.push(
                        Finding::new(codes::EVIDENCE_DIGEST_NOT_STRONGER, at())
                            .with(algorithm.name())
                            .with(before.name()),
                    );
                }
                self.algorithm = Some(algorithm);
            }
            Some(expected) if expected != algorithm => {
                let finding = Finding::new(codes::EVIDENCE_DIGEST_CHANGES_IN_CHAIN, at())
                    .with(expected.name())
                    .with(algorithm.name());
                answer.because(SubIndication::SigConstraintsFailure, finding);
            }
            Some(_) => {}
        }
    }

    pub(super) fn push(&mut self, stamp: &Stamp<'_>) {
        if let Some(algorithm) = self.algorithm {
            let bytes = &stamp.archive_time_stamp.time_stamp;
            let hash = |bytes: &[u8]| algorithm.digest(bytes).as_bytes().to_vec();
            let der = to_der_lengths(bytes).ok().filter(|der| der != bytes);
            self.earlier.push((hash(bytes), der.map(|der| hash(&der))));
        }
    }
}
