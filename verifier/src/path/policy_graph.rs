//! Certificate policies (RFC 5280 §6.1.2 to §6.1.5), as the graph of RFC 9618.
//!
//! RFC 5280 describes a tree, in which one policy may stand at many nodes: mappings make it grow without bound. RFC 9618 §5 joins the nodes of
//! one depth and policy into one node with several parents. The answers are the same, and the size is bounded by the certificates.

use std::collections::{BTreeMap, BTreeSet};

use formats::oid::{self, Oid};

use super::ValidPolicies;
use crate::budget::{Budget, Exhausted, Resource};

/// The policies of one depth.
type Level = BTreeMap<Oid, Node>;

#[derive(Debug, Clone, Default)]
struct Node {
    parents: BTreeSet<Oid>,
    expected: BTreeSet<Oid>,
}

/// The valid_policy_tree. No levels means NULL.
#[derive(Debug, Clone)]
pub(super) struct PolicyGraph {
    levels: Vec<Level>,
}

fn any() -> Oid {
    oid::ANY_POLICY
}

fn spend(budget: &mut Budget, count: usize) -> Result<(), Exhausted> {
    budget.spend(
        Resource::PolicySteps,
        u32::try_from(count).unwrap_or(u32::MAX),
    )
}

impl PolicyGraph {
    /// §6.1.2 (a): one node of depth 0 with anyPolicy.
    pub(super) fn new() -> Self {
        let root = Node {
            parents: BTreeSet::new(),
            expected: BTreeSet::from([any()]),
        };
        Self {
            levels: vec![BTreeMap::from([(any(), root)])],
        }
    }

    /// Is the tree NULL?
    pub(super) fn is_null(&self) -> bool {
        self.levels.is_empty()
    }

    /// §6.1.3 (e): no policies in the certificate.
    pub(super) fn clear(&mut self) {
        self.levels.clear();
    }

    /// §6.1.3 (d): the policies of the next certificate. `any_counts` says whether its anyPolicy is processed ((d)(2)).
    pub(super) fn descend(
        &mut self,
        policies: &[Oid],
        any_counts: bool,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let Some(above) = self.levels.last() else {
            return Ok(());
        };
        let mut level = Level::new();
        // Who expects what, in one pass over the nodes above.
        let mut expecting: BTreeMap<&Oid, BTreeSet<Oid>> = BTreeMap::new();
        for (policy, node) in above {
            spend(budget, node.expected.len())?;
            for expected in &node.expected {
                expecting
                    .entry(expected)
                    .or_default()
                    .insert(policy.clone());
            }
        }
        spend(budget, policies.len())?;
        for policy in policies.iter().filter(|policy| **policy != any()) {
            let parents = match expecting.get(policy) {
                Some(parents) => parents.clone(),
                None if above.contains_key(&any()) => BTreeSet::from([any()]),
                None => continue,
            };
            level.insert(policy.clone(), Node::leaf(policy, parents));
        }
        if any_counts && policies.contains(&any()) {
            for (expected, parents) in &expecting {
                if !level.contains_key(*expected) {
                    level.insert((*expected).clone(), Node::leaf(expected, parents.clone()));
                }
            }
        }
        self.levels.push(level);
        self.prune(budget)
    }

    /// §6.1.4 (b): policy mappings, none of which names anyPolicy. `mapping_allowed` is policy_mapping > 0.
    pub(super) fn map(
        &mut self,
        mappings: &[(Oid, Oid)],
        mapping_allowed: bool,
        budget: &mut Budget,
    ) -> Result<(), Exhausted> {
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        spend(budget, mappings.len())?;
        if !mapping_allowed {
            for (issuer, _) in mappings {
                level.remove(issuer);
            }
            return self.prune(budget);
        }
        let mut targets: BTreeMap<&Oid, BTreeSet<Oid>> = BTreeMap::new();
        for (issuer, subject) in mappings {
            targets.entry(issuer).or_default().insert(subject.clone());
        }
        for (issuer, subjects) in targets {
            if let Some(node) = level.get_mut(issuer) {
                node.expected = subjects;
            } else if let Some(parents) = level.get(&any()).map(|node| node.parents.clone()) {
                let node = Node {
                    parents,
                    expected: subjects,
                };
                level.insert(issuer.clone(), node);
            }
        }
        Ok(())
    }

    /// §6.1.3 (d)(3): removes nodes without children, from the bottom up.
    fn prune(&mut self, budget: &mut Budget) -> Result<(), Exhausted> {
        let mut needed: Option<BTreeSet<Oid>> = None;
        for level in self.levels.iter_mut().rev() {
            if let Some(needed) = &needed {
                level.retain(|policy, _| needed.contains(policy));
            }
            let links: usize = level.values().map(|node| node.parents.len()).sum();
            spend(budget, links.saturating_add(level.len()))?;
            needed = Some(
                level
                    .values()
                    .flat_map(|node| node.parents.iter().cloned())
                    .collect(),
            );
        }
        if self.levels.iter().any(Level::is_empty) {
            self.levels.clear();
        }
        Ok(())
    }

    /// §6.1.5 (g), RFC 9618 §5.4: the policies that are valid in the terms of the trust anchor and acceptable to the user; an empty list of the user means
    /// any-policy.
    pub(super) fn conclude(&self, user: &[Oid]) -> ValidPolicies {
        let Some(last) = self.levels.last() else {
            return ValidPolicies::Only(Vec::new());
        };
        let whole = user.is_empty() || user.contains(&any());
        if last.contains_key(&any()) {
            return if whole {
                ValidPolicies::Any
            } else {
                ValidPolicies::Only(user.to_vec())
            };
        }
        // Nodes below anyPolicy bear the names that the trust anchor's domain gives to the policies.
        let mut valid: BTreeSet<&Oid> = BTreeSet::new();
        for (policy, node) in self.levels.iter().flatten() {
            if *policy != any() && node.parents.contains(&any()) {
                valid.insert(policy);
            }
        }
        let accepted = valid
            .into_iter()
            .filter(|policy| whole || user.contains(policy))
            .cloned()
            .collect();
        ValidPolicies::Only(accepted)
    }
}

impl Node {
    fn leaf(policy: &Oid, parents: BTreeSet<Oid>) -> Self {
        Self {
            parents,
            expected: BTreeSet::from([policy.clone()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(number: u8) -> Oid {
        Oid::from_content(&[0x2a, number]).unwrap()
    }

    fn only(numbers: &[u8]) -> ValidPolicies {
        ValidPolicies::Only(numbers.iter().map(|number| policy(*number)).collect())
    }

    fn graph(levels: &[&[Oid]]) -> PolicyGraph {
        let mut graph = PolicyGraph::new();
        for level in levels {
            graph.descend(level, true, &mut Budget::default()).unwrap();
        }
        graph
    }

    #[test]
    fn a_policy_holds_if_every_certificate_has_it() {
        let both = [policy(1), policy(2)];
        let whole = graph(&[&both, &both, &[policy(2)]]);
        assert_eq!(whole.conclude(&[]), only(&[2]));
        assert_eq!(whole.conclude(&[policy(2), policy(3)]), only(&[2]));
        assert_eq!(whole.conclude(&[policy(1)]), only(&[]));
        assert!(graph(&[&[policy(1)], &[policy(2)]]).is_null());
        assert!(graph(&[&[policy(1)], &[]]).is_null());
    }

    #[test]
    fn any_policy_passes_every_policy_on() {
        assert_eq!(
            graph(&[&[any()], &[any()]]).conclude(&[]),
            ValidPolicies::Any
        );
        assert_eq!(graph(&[&[any()]]).conclude(&[policy(7)]), only(&[7]));
        assert_eq!(graph(&[&[any()], &[policy(1)]]).conclude(&[]), only(&[1]));
        let mut inhibited = graph(&[&[any()]]);
        inhibited
            .descend(&[any()], false, &mut Budget::default())
            .unwrap();
        assert!(inhibited.is_null());
    }

    #[test]
    fn mappings_rename_for_the_certificates_below() {
        let mut budget = Budget::default();
        let mut mapped = graph(&[&[policy(1)]]);
        mapped
            .map(&[(policy(1), policy(2))], true, &mut budget)
            .unwrap();
        let mut wrong = mapped.clone();
        mapped.descend(&[policy(2)], true, &mut budget).unwrap();
        assert_eq!(mapped.conclude(&[policy(1)]), only(&[1]));
        assert_eq!(mapped.conclude(&[policy(2)]), only(&[]));
        wrong.descend(&[policy(1)], true, &mut budget).unwrap();
        assert!(wrong.is_null());
    }

    #[test]
    fn a_forbidden_mapping_removes_the_policy() {
        let mut budget = Budget::default();
        let mut mapped = graph(&[&[policy(1)]]);
        mapped
            .map(&[(policy(1), policy(2))], false, &mut budget)
            .unwrap();
        assert!(mapped.is_null());
    }

    #[test]
    fn any_policy_can_be_mapped_from_by_name() {
        let mut budget = Budget::default();
        let mut mapped = graph(&[&[any()]]);
        mapped
            .map(&[(policy(1), policy(2))], true, &mut budget)
            .unwrap();
        mapped.descend(&[policy(2)], true, &mut budget).unwrap();
        assert_eq!(mapped.conclude(&[]), only(&[1]));
    }

    #[test]
    fn growth_is_bounded() {
        let all: Vec<_> = (0..100).map(policy).collect();
        let mappings: Vec<_> = all
            .iter()
            .flat_map(|from| all.iter().map(move |to| (from.clone(), to.clone())))
            .collect();
        let mut graph = PolicyGraph::new();
        let mut budget = Budget::default();
        let exhausted = (0..16).any(|_| {
            graph.descend(&all, true, &mut budget).is_err()
                || graph.map(&mappings, true, &mut budget).is_err()
        });
        assert!(exhausted);
    }
}
