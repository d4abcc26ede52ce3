//! In which order the evidence of a container is judged: that which nothing covers first, then what it covers (EN 319 102-1 §5.6.2).
//!
//! An `ASiCArchiveManifest` lists earlier time-stamps, signatures and their manifests by digests; a time-stamp over it proves that these
//! existed. So the newest of a chain of archive time-stamps is judged as of now, each earlier one as of the time of those that cover it
//! and have passed.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::contents::Evidence;
use crate::context::Context;
use crate::finding::{Finding, Place, package as codes};
use crate::judgement::Judgement;
use crate::report::ObjectReport;
use crate::report::text::civil_time;
use crate::timestamp::{Standing, algorithm_finding};
use crate::verdict::SubIndication;

/// What evidence says after it was judged.
pub(super) struct Proven {
    pub(super) time: Option<OffsetDateTime>,
    pub(super) judgement: Judgement,
    pub(super) findings: Vec<Finding>,
    pub(super) objects: Vec<ObjectReport>,
}

impl Proven {
    pub(super) fn passed(&self) -> bool {
        self.judgement.is_passed()
    }

    fn refuse(&mut self, reason: SubIndication, finding: Finding) {
        self.judgement.add(Judgement::because(reason));
        self.findings.push(finding);
        if let Some(object) = self.objects.first_mut() {
            object.judgement.add(Judgement::because(reason));
        }
    }
}

/// Judges each piece of evidence, those that cover it before it.
pub(super) fn judge_in_order(
    evidence: &[Evidence],
    context: &Context<'_>,
    place: &Place,
    judge: impl Fn(&Evidence, Standing) -> Proven,
) -> BTreeMap<String, Proven> {
    let mut order = Order {
        evidence,
        context,
        proven: BTreeMap::new(),
    };
    let mut left: Vec<&Evidence> = evidence.iter().collect();
    while !left.is_empty() {
        let is_ready = |candidate: &Evidence| {
            let mut others = left.iter();
            !others.any(|other| {
                other.name != candidate.name && other.covers.contains_key(&candidate.name)
            })
        };
        // Two that cover each other cannot both be true; then the first is judged alone.
        let next = left.iter().position(|candidate| is_ready(candidate));
        let candidate = left.remove(next.unwrap_or(0));
        let standing = order.standing_of(candidate);
        let mut answer = judge(candidate, standing);
        let place = place.child(&candidate.name);
        order.check_time(candidate, &mut answer, &place);
        order.check_algorithms(candidate, &mut answer, &place);
        order.proven.insert(candidate.name.clone(), answer);
    }
    order.proven
}

struct Order<'a> {
    evidence: &'a [Evidence],
    context: &'a Context<'a>,
    proven: BTreeMap<String, Proven>,
}

impl Order<'_> {
    /// The proofs that cover a member as it is and have passed, with their times.
    fn proofs_of<'s>(
        &'s self,
        member: &'s str,
    ) -> impl Iterator<Item = (&'s Evidence, OffsetDateTime)> {
        let covering = self
            .evidence
            .iter()
            .filter(move |other| other.holds(member));
        covering.filter_map(|other| {
            let proof = self.proven.get(&other.name)?;
            Some((other, proof.time.filter(|_| proof.passed())?))
        })
    }

    /// A later proof that has passed says as of when the earlier one is judged.
    fn standing_of(&self, candidate: &Evidence) -> Standing {
        let others = self.proofs_of(&candidate.name);
        let others = others.filter(|(other, _)| other.name != candidate.name);
        match others.map(|(_, time)| time).min() {
            Some(time) => Standing {
                judged_at: time.min(self.context.time),
                protected: true,
            },
            None => Standing {
                judged_at: self.context.time,
                protected: false,
            },
        }
    }

    /// Nothing can cover what was made after it.
    fn check_time(&self, candidate: &Evidence, answer: &mut Proven, place: &Place) {
        let Some(own) = answer.time else { return };
        let earlier = self.proofs_of(&candidate.name).map(|(_, time)| time).min();
        if let Some(earlier) = earlier.filter(|earlier| *earlier < own) {
            let finding = Finding::new(codes::PACKAGE_ORDER_WRONG, place.clone())
                .with(civil_time(own))
                .with(civil_time(earlier));
            answer.refuse(SubIndication::TimestampOrderFailure, finding);
        }
    }

    /// What a manifest binds by a digest is bound as long as the algorithm of the digest is trusted: now, or when a later proof took over
    /// that covers both the evidence and the member.
    fn check_algorithms(&self, candidate: &Evidence, answer: &mut Proven, place: &Place) {
        let mut refused = Vec::new();
        for (member, binding) in &candidate.covers {
            let Some(algorithm) = binding.algorithm else {
                continue;
            };
            let taken_over = self.proofs_of(member);
            let taken_over = taken_over.filter(|(other, _)| other.holds(&candidate.name));
            let until = taken_over.map(|(_, time)| time).min();
            let until = until.unwrap_or(self.context.time).min(self.context.time);
            if refused.contains(&(algorithm, until)) {
                continue;
            }
            let judged = self.context.policy.judge_digest(algorithm, until);
            if let Err(finding) = algorithm_finding(algorithm.name(), judged, until, place) {
                answer.refuse(SubIndication::CryptoConstraintsFailureNoPoe, finding);
                refused.push((algorithm, until));
            }
        }
    }
}
