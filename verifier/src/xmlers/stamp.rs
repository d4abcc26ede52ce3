//! The mathematics of each archive time-stamp: what it has to cover, and whether its tree leads from there to its token
//! (RFC 6283 §3.3, §4.3).

use std::collections::HashSet;

use formats::digest::DigestAlgorithm;
use formats::error::Result;
use formats::tsp::TimeStampToken;
use formats::xml::Canonicalization;
use formats::xmlers::{XmlArchiveTimeStamp, XmlArchiveTimeStampChain, XmlEvidenceRecord, XmlToken};

use super::data::{DataDigests, DataObject, Unclear};
use crate::evidence::Group;
use crate::evidence::sequence::{Answer, Mathematics};
use crate::evidence::tree::{self, Reading};
use crate::finding::{Finding, Place, xmlers as codes};
use crate::timestamp::algorithm_name;
use crate::verdict::SubIndication;

/// One archive time-stamp with its place in the sequence.
pub(super) struct Stamp<'a> {
    pub(super) chain: usize,
    pub(super) position: usize,
    pub(super) content: &'a XmlArchiveTimeStampChain,
    pub(super) archive_time_stamp: &'a XmlArchiveTimeStamp,
    token: Option<TimeStampToken>,
    pub(super) place: Place,
}

impl<'a> Stamp<'a> {
    /// Every archive time-stamp of a record, oldest first. A token that cannot be read is told by its judge.
    pub(super) fn all(record: &'a XmlEvidenceRecord, place: &Place) -> Vec<Self> {
        let mut stamps = Vec::new();
        for (chain, content) in record.chains.iter().enumerate() {
            for (position, archive_time_stamp) in content.time_stamps.iter().enumerate() {
                let token = match &archive_time_stamp.token {
                    XmlToken::Rfc3161(bytes) => TimeStampToken::parse(bytes).ok(),
                    XmlToken::Other(_) => None,
                };
                stamps.push(Self {
                    chain,
                    position,
                    content,
                    archive_time_stamp,
                    token,
                    place: place.item("chain", chain).item("time-stamp", position),
                });
            }
        }
        stamps
    }

    const fn method(&self) -> Option<&'a Canonicalization> {
        self.content.canonicalization.method.as_ref()
    }
}

/// Most bytes of canonical forms that are hashed for one record. Each chain is over all that stand before it, so the sum grows with the
/// square of their number: a record of 2 MiB with 1,024 chains fits, and one of 50 MiB with 40.
const CANONICAL_BYTES_MAX: usize = 1 << 30;

/// Checks all stamps. A data object that the first stamp does not cover is not looked for in later chains.
pub(super) fn check_all(
    record: &XmlEvidenceRecord,
    stamps: &[Stamp<'_>],
    data: &[DataObject<'_>],
    group: Group,
) -> Mathematics {
    let mut covered = vec![false; data.len()];
    let mut answers = Vec::with_capacity(stamps.len());
    let mut seen = HashSet::new();
    let mut earlier: Vec<Vec<u8>> = Vec::new();
    let mut before: Option<DigestAlgorithm> = None;
    let mut left = CANONICAL_BYTES_MAX;
    for (number, stamp) in stamps.iter().enumerate() {
        let mut answer = Answer::default();
        let previous = number.checked_sub(1).and_then(|place| stamps.get(place));
        if stamp.position == 0 {
            earlier.clear();
            check_strength(stamp, &mut before, &mut answer);
        }
        if let Some((token, algorithm)) = usable(stamp, &mut answer) {
            if !seen.insert(token.info.raw()) {
                let code = codes::XML_EVIDENCE_TOKEN_REPEATED;
                let finding = Finding::new(code, stamp.place.clone());
                answer.broken(SubIndication::HashFailure, finding);
            }
            let mut check = Check {
                record,
                stamp,
                algorithm,
                imprint: &token.info.imprint.bytes,
                group,
                answer: &mut answer,
                left: &mut left,
            };
            check.check_root();
            if let (1.., Some(previous)) = (stamp.position, previous) {
                check.check_time_stamp_renewal(previous, &mut earlier);
            } else {
                check.check_data(data, &mut covered);
            }
        }
        answers.push(answer);
    }
    Mathematics { answers, covered }
}

/// The next chain takes an algorithm that is equal or stronger (§4.1.1). One that is not is judged by the policy at its time.
fn check_strength(stamp: &Stamp<'_>, before: &mut Option<DigestAlgorithm>, answer: &mut Answer) {
    let Some(algorithm) = stamp.content.algorithm() else {
        return;
    };
    if let Some(before) = before.filter(|before| algorithm.len() <= before.len()) {
        let code = codes::XML_EVIDENCE_DIGEST_NOT_STRONGER;
        answer.findings.push(
            Finding::new(code, stamp.place.clone())
                .with(algorithm.name())
                .with(before.name()),
        );
    }
    *before = Some(algorithm);
}

/// The token and the digest algorithm, if both can be used.
fn usable<'s>(
    stamp: &'s Stamp<'_>,
    answer: &mut Answer,
) -> Option<(&'s TimeStampToken, DigestAlgorithm)> {
    let at = || stamp.place.clone();
    if let XmlToken::Other(kind) = &stamp.archive_time_stamp.token {
        let finding = Finding::new(codes::XML_EVIDENCE_TOKEN_KIND, at()).with(kind);
        answer.unknown(SubIndication::Custom, finding);
        return None;
    }
    let Some(algorithm) = stamp.content.algorithm() else {
        let finding = Finding::new(codes::XML_EVIDENCE_DIGEST_UNKNOWN, at())
            .with(&stamp.content.digest_method);
        answer.unknown(SubIndication::Custom, finding);
        return None;
    };
    let token = stamp.token.as_ref()?;
    let imprint = &token.info.imprint.algorithm;
    if imprint.digest_algorithm() == Some(algorithm) {
        return Some((token, algorithm));
    }
    if DigestAlgorithm::from_oid(&imprint.oid) == Some(algorithm) {
        // The same function with parameters that it does not have.
        let finding =
            Finding::new(codes::XML_EVIDENCE_DIGEST_UNKNOWN, at()).with(algorithm_name(imprint));
        answer.unknown(SubIndication::Custom, finding);
    } else {
        let finding = Finding::new(codes::XML_EVIDENCE_DIGEST_CONTRADICTS, at())
            .with(algorithm.name())
            .with(algorithm_name(imprint));
        answer.broken(SubIndication::HashFailure, finding);
    }
    None
}

/// One stamp under check.
struct Check<'a> {
    record: &'a XmlEvidenceRecord,
    stamp: &'a Stamp<'a>,
    algorithm: DigestAlgorithm,
    imprint: &'a [u8],
    group: Group,
    answer: &'a mut Answer,
    /// Bytes of canonical forms that may still be hashed.
    left: &'a mut usize,
}

impl<'a> Check<'a> {
    fn place(&self) -> Place {
        self.stamp.place.clone()
    }

    /// The first list; the token's own digest where there is no tree (§3.3, step 4).
    fn first_list(&self) -> Vec<&'a [u8]> {
        let first = self.stamp.archive_time_stamp.hash_tree.as_ref();
        match first.and_then(|lists| lists.first()) {
            Some(list) => list.values.iter().map(Vec::as_slice).collect(),
            None => vec![self.imprint],
        }
    }

    /// The tree leads to the token (§3.3, step 3).
    fn check_root(&mut self) {
        let Some(tree) = &self.stamp.archive_time_stamp.hash_tree else {
            return;
        };
        let lists: Vec<Vec<&[u8]>> = tree
            .iter()
            .map(|list| list.values.iter().map(Vec::as_slice).collect())
            .collect();
        match tree::reading_of(self.algorithm, &lists, self.imprint) {
            None => {
                let finding = Finding::new(codes::XML_EVIDENCE_ROOT_MISMATCH, self.place());
                self.answer.broken(SubIndication::HashFailure, finding);
            }
            Some(Reading::RULE) => {}
            Some(reading) => {
                if reading.as_set {
                    self.note(codes::XML_EVIDENCE_READ_AS_SET);
                }
                if reading.hash_single {
                    let finding = Finding::new(codes::XML_EVIDENCE_READ_DOUBLE_HASH, self.place());
                    self.answer.unknown(SubIndication::HashFailure, finding);
                }
            }
        }
        let length = self.algorithm.len();
        let strange = lists.iter().flatten().filter(|value| value.len() != length);
        let strange = strange.count();
        if strange > 0 {
            let finding = Finding::new(codes::XML_EVIDENCE_VALUE_LENGTH, self.place())
                .with(strange)
                .with(self.algorithm.name());
            self.answer.findings.push(finding);
        }
    }

    /// A renewed time-stamp covers the `TimeStamp` element before it (§4.2.1; §4.3, step 2).
    fn check_time_stamp_renewal(&mut self, previous: &Stamp<'_>, earlier: &mut Vec<Vec<u8>>) {
        let record = self.record;
        let element = previous.archive_time_stamp;
        let digest =
            self.canonical_digest(|method, out| record.canonical_time_stamp(element, method, out));
        let Some(digest) = digest else { return };
        earlier.push(digest.clone());
        let first = self.first_list();
        if !first.contains(&digest.as_slice()) {
            let finding = Finding::new(codes::XML_EVIDENCE_LINK_BROKEN, self.place());
            self.answer.broken(SubIndication::HashFailure, finding);
        }
        let is_own = |value: &&&[u8]| earlier.iter().any(|own| own == **value);
        let own = first.iter().filter(is_own).count();
        let foreign = first.len().saturating_sub(own);
        if foreign > 0 && own > 0 {
            let finding = Finding::new(codes::XML_EVIDENCE_FOREIGN_VALUES, self.place());
            self.answer.findings.push(finding.with(foreign));
        }
    }

    /// The first stamp of a chain covers the data, and that of a later chain the chains before it too: each digest is a value of
    /// its own in the first list (§4.2.2; §4.3, steps 1 and 3).
    fn check_data(&mut self, data: &[DataObject<'_>], covered: &mut [bool]) {
        let chain = self.stamp.chain;
        let record = self.record;
        let mut sequence = None;
        if chain > 0 {
            sequence =
                self.canonical_digest(|method, out| record.canonical_sequence(chain, method, out));
            if sequence.is_none() {
                return;
            }
        } else if self.stamp.method().is_none() {
            self.canonicalization_unknown();
        }
        let list = self.first_list();
        let values: HashSet<&[u8]> = list.iter().copied().collect();
        let mut found: Vec<Vec<u8>> = Vec::new();
        if let Some(sequence) = sequence {
            if values.contains(sequence.as_slice()) {
                if list.iter().all(|value| *value == sequence) {
                    let code = codes::XML_EVIDENCE_RENEWED_WITHOUT_DATA;
                    let finding = Finding::new(code, self.place());
                    self.answer.broken(SubIndication::HashFailure, finding);
                }
                found.push(sequence);
            } else {
                let code = codes::XML_EVIDENCE_CHAIN_LINK_BROKEN;
                let finding = Finding::new(code, self.place());
                self.answer.broken(SubIndication::HashFailure, finding);
            }
        }
        for (object, covered) in data.iter().zip(covered.iter_mut()) {
            if chain == 0 || *covered {
                let digests = object.digests(self.stamp.method(), self.algorithm);
                if let Some(digest) = self.find(object.name(), digests, &values) {
                    found.push(digest);
                    *covered = true;
                }
            }
        }
        self.check_rest(&list, &found, data.len());
    }

    /// The digest of a data object that stands in the list.
    fn find(
        &mut self,
        name: &str,
        digests: DataDigests,
        values: &HashSet<&[u8]>,
    ) -> Option<Vec<u8>> {
        let at = self.place();
        let stands = |digest: &Vec<u8>| values.contains(digest.as_slice());
        let is_xml = digests.canonical.is_some();
        if let (Some(digest), Some(method)) =
            (digests.canonical.filter(stands), self.stamp.method())
        {
            let finding = Finding::new(codes::XML_EVIDENCE_DATA_CANONICAL, at);
            let findings = &mut self.answer.findings;
            findings.push(finding.with(name).with(method.uri()));
            return Some(digest);
        }
        let is_known = digests.as_is.is_some();
        if let Some(digest) = digests.as_is.filter(stands) {
            if is_xml {
                let finding = Finding::new(codes::XML_EVIDENCE_DATA_AS_IS, at);
                self.answer.findings.push(finding.with(name));
            }
            return Some(digest);
        }
        if let Some(why) = digests.unclear {
            let code = match why {
                Unclear::NotAtHand => codes::XML_EVIDENCE_DATA_NOT_AT_HAND,
                Unclear::NotCanonical => codes::XML_EVIDENCE_DATA_NOT_CANONICAL,
            };
            let finding = Finding::new(code, at).with(name);
            self.answer
                .unknown(SubIndication::SignedDataNotFound, finding);
        } else if !is_xml && !is_known {
            let finding = Finding::new(codes::XML_EVIDENCE_DIGEST_NOT_GIVEN, at);
            let finding = finding.with(name).with(self.algorithm.name());
            self.answer
                .unknown(SubIndication::SignedDataNotFound, finding);
        } else {
            let code = if self.stamp.chain == 0 {
                codes::XML_EVIDENCE_DATA_NOT_COVERED
            } else {
                codes::XML_EVIDENCE_DATA_NOT_RENEWED
            };
            let finding = Finding::new(code, at).with(name);
            self.answer.broken(SubIndication::HashFailure, finding);
        }
        None
    }

    /// What else stands in the first list (§3.3, step 2, data object groups).
    fn check_rest(&mut self, list: &[&[u8]], found: &[Vec<u8>], objects: usize) {
        if self.group == Group::Whole {
            let mut values = list.to_vec();
            values.sort_unstable();
            let mut expected: Vec<&[u8]> = found.iter().map(Vec::as_slice).collect();
            expected.sort_unstable();
            let all = objects.saturating_add(usize::from(self.stamp.chain > 0));
            if values != expected || expected.len() != all {
                let finding = Finding::new(codes::XML_EVIDENCE_GROUP_NOT_EXACT, self.place())
                    .with(list.len())
                    .with(all);
                self.answer.broken(SubIndication::HashFailure, finding);
            }
        } else if list.len() > found.len() && objects > 0 {
            let finding = Finding::new(codes::XML_EVIDENCE_GROUP_INCOMPLETE, self.place())
                .with(list.len())
                .with(found.len());
            self.answer.findings.push(finding);
        }
    }

    /// The digest of a canonical form of a part of the record, under the method and algorithm of this chain.
    fn canonical_digest(
        &mut self,
        write: impl FnOnce(&Canonicalization, &mut dyn FnMut(&[u8])) -> Result<()>,
    ) -> Option<Vec<u8>> {
        let Some(method) = self.stamp.method() else {
            self.canonicalization_unknown();
            return None;
        };
        let mut hasher = self.algorithm.hasher();
        let mut left = *self.left;
        // A walk that writes nothing costs its time, too.
        left = left.saturating_sub(self.record.node_count());
        if left == 0 {
            *self.left = 0;
            let finding = Finding::new(codes::XML_EVIDENCE_CANONICALIZATION_FAILED, self.place());
            let finding = finding.with("a limit on what is hashed is exceeded");
            self.answer.unknown(SubIndication::Custom, finding);
            return None;
        }
        let written = write(method, &mut |part| {
            if part.len() <= left {
                hasher.update(part);
            }
            left = left.saturating_sub(part.len());
        });
        *self.left = left;
        let why = match written {
            Ok(()) if left > 0 => return Some(hasher.finish().as_bytes().to_vec()),
            Ok(()) => "a limit on what is hashed is exceeded".to_owned(),
            Err(error) => error.to_string(),
        };
        let code = codes::XML_EVIDENCE_CANONICALIZATION_FAILED;
        let finding = Finding::new(code, self.place()).with(why);
        self.answer.unknown(SubIndication::Custom, finding);
        None
    }

    fn canonicalization_unknown(&mut self) {
        let code = codes::XML_EVIDENCE_CANONICALIZATION_UNKNOWN;
        let uri = &self.stamp.content.canonicalization.uri;
        let finding = Finding::new(code, self.place()).with(uri);
        self.answer.unknown(SubIndication::Custom, finding);
    }

    fn note(&mut self, code: crate::finding::Code) {
        let finding = Finding::new(code, self.place());
        self.answer.findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = concat!(
        "<EvidenceRecord Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:ers\"><ArchiveTimeStampSequence>",
        "<ArchiveTimeStampChain Order=\"1\"><DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>",
        "<CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>",
        "<ArchiveTimeStamp Order=\"1\"><TimeStamp><TimeStampToken Type=\"RFC3161\">MAA=</TimeStampToken></TimeStamp></ArchiveTimeStamp>",
        "</ArchiveTimeStampChain></ArchiveTimeStampSequence></EvidenceRecord>"
    );

    /// Whether there is a digest of what writes so many bytes, with so much left to spend; what is left then, and the number of findings.
    fn spent(written: usize, left: usize) -> (bool, usize, usize) {
        let record = XmlEvidenceRecord::parse(RECORD.as_bytes()).unwrap();
        let stamps = Stamp::all(&record, &Place::root());
        let (mut answer, mut left) = (Answer::default(), left);
        let mut check = Check {
            record: &record,
            stamp: stamps.first().unwrap(),
            algorithm: DigestAlgorithm::Sha256,
            imprint: &[],
            group: Group::Members,
            answer: &mut answer,
            left: &mut left,
        };
        let digest = check.canonical_digest(|_, out| {
            out(&vec![b' '; written]);
            Ok(())
        });
        (digest.is_some(), left, answer.findings.len())
    }

    /// What is written is paid for, and each walk through the record, though it may write nothing.
    #[test]
    fn a_walk_spends_what_it_visits_and_what_it_writes() {
        let record = XmlEvidenceRecord::parse(RECORD.as_bytes()).unwrap();
        let nodes = record.node_count();
        assert!(nodes >= 8, "{nodes}");
        assert_eq!(spent(0, nodes + 1), (true, 1, 0));
        assert_eq!(spent(9, nodes + 10), (true, 1, 0));
        for (written, left) in [(0, 0), (0, nodes), (10, nodes + 10), (10, nodes + 9)] {
            assert_eq!(spent(written, left), (false, 0, 1), "{written} {left}");
        }
    }
}
