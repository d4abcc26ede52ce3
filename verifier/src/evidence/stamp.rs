//! The mathematics of each archive time-stamp: what it has to cover, and whether its tree leads from there to its token
//! (RFC 4998 §4.3 and §5.3).

use std::collections::HashSet;

use formats::der::to_der_lengths;
use formats::digest::DigestAlgorithm;
use formats::evidence::{ArchiveTimeStamp, EvidenceRecord};
use formats::raw::Raw;
use formats::tsp::TimeStampToken;
use formats::x509::AlgorithmIdentifier;

use super::Group;
use super::chain::{Chain, TokenDigest, forms};
use super::sequence::{Answer, Mathematics};
use super::tree::{self, Reading};
use crate::finding::{Finding, Place, evidence as codes};
use crate::source::DigestSource;
use crate::timestamp::algorithm_name;
use crate::verdict::SubIndication;

/// One archive time-stamp with its place in the sequence.
pub(super) struct Stamp<'a> {
    pub(super) chain: usize,
    pub(super) position: usize,
    pub(super) archive_time_stamp: &'a ArchiveTimeStamp,
    pub(super) token: Option<TimeStampToken>,
    pub(super) place: Place,
}

impl<'a> Stamp<'a> {
    /// Every archive time-stamp of a record, oldest first. A token that cannot be read is told by its judge.
    pub(super) fn all(record: &'a Raw<EvidenceRecord>, place: &Place) -> Vec<Self> {
        record
            .time_stamps()
            .map(|(chain, position, archive_time_stamp)| Self {
                chain,
                position,
                archive_time_stamp,
                token: archive_time_stamp.token().ok(),
                place: place.item("chain", chain).item("time-stamp", position),
            })
            .collect()
    }
}

/// A digest algorithm that is known and has no parameters, or NULL.
pub(super) fn plain_digest(algorithm: &AlgorithmIdentifier) -> Option<DigestAlgorithm> {
    algorithm.digest_algorithm()
}

/// The digest algorithm of a stamp's tree: its own, or that of its token (RFC 4998 §4.1).
pub(super) fn tree_algorithm(stamp: &ArchiveTimeStamp) -> Option<DigestAlgorithm> {
    match &stamp.digest_algorithm {
        Some(algorithm) => plain_digest(algorithm),
        None => plain_digest(&stamp.token().ok()?.info.imprint.algorithm),
    }
}

/// What a stamp has to cover.
enum Target<'a> {
    /// A data object, with its possible digests: by the rule, and in the sorted reading of erratum 7411.
    Data {
        number: usize,
        data: &'a dyn DigestSource,
        digests: Option<(Vec<u8>, Option<Vec<u8>>)>,
    },
    /// The token before it; the second digest is that of its DER form, where the token itself is BER.
    Token(TokenDigest),
}

/// Checks all stamps. A data object that the first stamp does not cover is not looked for in later chains.
pub(super) fn check_all(
    record: &Raw<EvidenceRecord>,
    stamps: &[Stamp<'_>],
    data: &[&dyn DigestSource],
    group: Group,
) -> Mathematics {
    let mut covered = vec![false; data.len()];
    let mut answers = Vec::with_capacity(stamps.len());
    let mut chain = Chain::default();
    let mut seen = HashSet::new();
    let mut previous: Option<&Stamp<'_>> = None;
    for stamp in stamps {
        let mut answer = Answer::default();
        if stamp.position == 0 {
            chain.renew();
        }
        if let Some((token, algorithm)) = usable(stamp, &mut answer) {
            if !seen.insert(token.info.raw()) {
                let finding = Finding::new(codes::EVIDENCE_TOKEN_REPEATED, stamp.place.clone());
                answer.broken(SubIndication::HashFailure, finding);
            }
            chain.check_algorithm(stamp, algorithm, &mut answer);
            let check = Check {
                record,
                stamp,
                algorithm,
                imprint: &token.info.imprint.bytes,
                group,
                earlier: &chain.earlier,
            };
            let targets = match (stamp.position, previous) {
                (1.., Some(previous)) => vec![check.token_target(previous)],
                _ => check.data_targets(data, &covered),
            };
            check.run(&targets, &mut covered, &mut answer);
        }
        chain.push(stamp);
        previous = Some(stamp);
        answers.push(answer);
    }
    Mathematics { answers, covered }
}

/// The token and the digest algorithm, if both can be used.
fn usable<'s>(
    stamp: &'s Stamp<'_>,
    answer: &mut Answer,
) -> Option<(&'s TimeStampToken, DigestAlgorithm)> {
    let token = stamp.token.as_ref()?;
    let imprint = &token.info.imprint;
    if let Some(own) = &stamp.archive_time_stamp.digest_algorithm
        && own.oid != imprint.algorithm.oid
    {
        let finding = Finding::new(codes::EVIDENCE_DIGEST_CONTRADICTS, stamp.place.clone())
            .with(algorithm_name(own))
            .with(algorithm_name(&imprint.algorithm));
        answer.broken(SubIndication::HashFailure, finding);
        return None;
    }
    let algorithm = tree_algorithm(stamp.archive_time_stamp);
    let plain = plain_digest(&imprint.algorithm);
    match algorithm {
        Some(algorithm) if plain.is_some() => Some((token, algorithm)),
        _ => {
            let finding = Finding::new(codes::EVIDENCE_DIGEST_UNKNOWN, stamp.place.clone())
                .with(algorithm_name(&imprint.algorithm));
            answer.unknown(SubIndication::Custom, finding);
            None
        }
    }
}

/// One stamp under check.
struct Check<'a> {
    record: &'a Raw<EvidenceRecord>,
    stamp: &'a Stamp<'a>,
    algorithm: DigestAlgorithm,
    imprint: &'a [u8],
    group: Group,
    /// The tokens of the chain before this one.
    earlier: &'a [TokenDigest],
}

impl Check<'_> {
    fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut hasher = self.algorithm.hasher();
        for part in parts {
            hasher.update(part);
        }
        hasher.finish().as_bytes().to_vec()
    }

    /// A renewed time-stamp covers the one before it (RFC 4998 §5.2, time-stamp renewal).
    fn token_target<'t>(&self, previous: &Stamp<'_>) -> Target<'t> {
        let bytes = &previous.archive_time_stamp.time_stamp;
        let der = to_der_lengths(bytes).ok().filter(|der| der != bytes);
        Target::Token((self.hash(&[bytes]), der.map(|der| self.hash(&[&der]))))
    }

    /// The first stamp covers the data; the first of a later chain covers each data object together with all chains before
    /// (RFC 4998 §5.2, hash-tree renewal).
    fn data_targets<'t>(&self, data: &[&'t dyn DigestSource], covered: &[bool]) -> Vec<Target<'t>> {
        let chain = self.stamp.chain;
        let sequence = (chain > 0).then(|| self.hash(&[&self.record.sequence_bytes(chain)]));
        data.iter()
            .zip(covered)
            .enumerate()
            .filter(|(_, (_, covered))| chain == 0 || **covered)
            .map(|(number, (data, _))| Target::Data {
                number,
                data: *data,
                digests: data.digest(self.algorithm).map(|digest| {
                    let digest = digest.as_bytes();
                    match &sequence {
                        None => (digest.to_vec(), None),
                        Some(sequence) => self.renewed(digest, sequence),
                    }
                }),
            })
            .collect()
    }

    fn renewed(&self, digest: &[u8], sequence: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
        let by_rule = self.hash(&[digest, sequence]);
        let sorted = (sequence < digest).then(|| self.hash(&[sequence, digest]));
        (by_rule, sorted)
    }

    fn run(&self, targets: &[Target<'_>], covered: &mut [bool], answer: &mut Answer) {
        match &self.stamp.archive_time_stamp.reduced_hash_tree {
            Some(lists) => {
                let lists: Vec<Vec<&[u8]>> = lists
                    .iter()
                    .map(|list| list.0.iter().map(Vec::as_slice).collect())
                    .collect();
                self.check_root(&lists, answer);
                let first = lists.first().map(Vec::as_slice).unwrap_or_default();
                let values: HashSet<&[u8]> = first.iter().copied().collect();
                let matched = self.check_targets(targets, &values, covered, answer);
                self.check_rest(first, targets, matched, answer);
            }
            None => {
                let values = HashSet::from([self.imprint]);
                let matched = self.check_targets(targets, &values, covered, answer);
                if targets.len() > 1 || self.group == Group::Whole {
                    self.check_rest(&[self.imprint], targets, matched, answer);
                }
            }
        }
    }

    fn check_root(&self, lists: &[Vec<&[u8]>], answer: &mut Answer) {
        let at = || self.stamp.place.clone();
        match tree::reading_of(self.algorithm, lists, self.imprint) {
            None => {
                let finding = Finding::new(codes::EVIDENCE_ROOT_MISMATCH, at());
                answer.broken(SubIndication::HashFailure, finding);
            }
            Some(Reading::RULE) => {}
            Some(reading) => {
                if reading.as_set {
                    let finding = Finding::new(codes::EVIDENCE_READ_AS_SET, at());
                    answer.findings.push(finding);
                }
                if reading.hash_single {
                    // Nothing but this reading says that the value in the list is what was time-stamped.
                    let finding = Finding::new(codes::EVIDENCE_READ_DOUBLE_HASH, at());
                    answer.unknown(SubIndication::HashFailure, finding);
                }
            }
        }
        let length = self.algorithm.len();
        let strange = lists.iter().flatten().filter(|value| value.len() != length);
        let strange = strange.count();
        if strange > 0 {
            let finding = Finding::new(codes::EVIDENCE_VALUE_LENGTH, at())
                .with(strange)
                .with(self.algorithm.name());
            answer.findings.push(finding);
        }
    }

    /// Looks for every target among `values`; gives the number of those that were found.
    fn check_targets(
        &self,
        targets: &[Target<'_>],
        values: &HashSet<&[u8]>,
        covered: &mut [bool],
        answer: &mut Answer,
    ) -> usize {
        let mut matched = 0_usize;
        let mut sorted = false;
        for target in targets {
            match target {
                Target::Token(token) => {
                    if forms(token).any(|form| values.contains(form)) {
                        matched = matched.saturating_add(1);
                    } else {
                        let finding =
                            Finding::new(codes::EVIDENCE_LINK_BROKEN, self.stamp.place.clone());
                        answer.broken(SubIndication::HashFailure, finding);
                    }
                }
                Target::Data {
                    number,
                    data,
                    digests,
                } => match self.find(data.name(), digests.as_ref(), values, answer) {
                    Found::No => {}
                    found @ (Found::ByRule | Found::Sorted) => {
                        sorted |= found == Found::Sorted;
                        matched = matched.saturating_add(1);
                        if let Some(covered) = covered.get_mut(*number) {
                            *covered = true;
                        }
                    }
                },
            }
        }
        if sorted {
            let finding = Finding::new(codes::EVIDENCE_READ_SORTED, self.stamp.place.clone());
            answer.findings.push(finding);
        }
        matched
    }

    fn find(
        &self,
        name: &str,
        digests: Option<&(Vec<u8>, Option<Vec<u8>>)>,
        values: &HashSet<&[u8]>,
        answer: &mut Answer,
    ) -> Found {
        let at = self.stamp.place.clone();
        let Some((by_rule, sorted)) = digests else {
            let finding = Finding::new(codes::EVIDENCE_DIGEST_NOT_GIVEN, at)
                .with(name)
                .with(self.algorithm.name());
            answer.unknown(SubIndication::SignedDataNotFound, finding);
            return Found::No;
        };
        if values.contains(by_rule.as_slice()) {
            return Found::ByRule;
        }
        if sorted
            .as_deref()
            .is_some_and(|sorted| values.contains(sorted))
        {
            return Found::Sorted;
        }
        let code = if self.stamp.chain == 0 {
            codes::EVIDENCE_DATA_NOT_COVERED
        } else {
            codes::EVIDENCE_DATA_NOT_RENEWED
        };
        answer.broken(
            SubIndication::HashFailure,
            Finding::new(code, at).with(name),
        );
        Found::No
    }

    /// What else stands in the first list (RFC 4998 §4.3, data object groups; §5.2 for renewals).
    fn check_rest(
        &self,
        first: &[&[u8]],
        targets: &[Target<'_>],
        matched: usize,
        answer: &mut Answer,
    ) {
        let at = || self.stamp.place.clone();
        let rest = first.len().saturating_sub(matched);
        if self.stamp.position > 0 {
            let own: HashSet<&[u8]> = self.earlier.iter().flat_map(forms).collect();
            let foreign = first.iter().filter(|value| !own.contains(*value)).count();
            if foreign > 0 {
                let finding = Finding::new(codes::EVIDENCE_FOREIGN_VALUES, at()).with(foreign);
                answer.findings.push(finding);
            }
        } else if self.group == Group::Whole {
            if !is_whole(first, targets) {
                let finding = Finding::new(codes::EVIDENCE_GROUP_NOT_EXACT, at())
                    .with(first.len())
                    .with(targets.len());
                answer.broken(SubIndication::HashFailure, finding);
            }
        } else if rest > 0 && !targets.is_empty() {
            let finding = Finding::new(codes::EVIDENCE_GROUP_INCOMPLETE, at())
                .with(first.len())
                .with(matched);
            answer.findings.push(finding);
        }
    }
}

/// Whether a list has exactly one value for each data object, in one of the two readings.
fn is_whole(list: &[&[u8]], targets: &[Target<'_>]) -> bool {
    let mut values = list.to_vec();
    values.sort_unstable();
    let in_reading = |sorted_reading: bool| {
        let mut digests: Vec<&[u8]> = targets
            .iter()
            .filter_map(|target| match target {
                Target::Data {
                    digests: Some((by_rule, sorted)),
                    ..
                } => Some(match sorted {
                    Some(sorted) if sorted_reading => sorted.as_slice(),
                    _ => by_rule.as_slice(),
                }),
                Target::Data { .. } | Target::Token(..) => None,
            })
            .collect();
        digests.sort_unstable();
        digests == values
    };
    in_reading(false) || in_reading(true)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Found {
    No,
    ByRule,
    Sorted,
}
