//! The state of RFC 5280 §6.1.2 on its way down a path: names, policies and lengths.

use formats::oid;

use super::failure::{Problem, Stop};
use super::policy_graph::PolicyGraph;
use super::{PathOptions, ProfileRule, ValidPolicies, name_constraints};
use crate::budget::Budget;
use crate::certificate::{Certificate, NameConstraints, key_usage};
use crate::finding::path as code;

/// The state variables of §6.1.2, but for name and key.
pub(super) struct State<'c, 'a> {
    graph: PolicyGraph,
    explicit_policy: usize,
    policy_mapping: usize,
    inhibit_any_policy: usize,
    max_path_length: usize,
    constraints: Vec<&'c NameConstraints<'a>>,
    profile: ProfileRule,
}

impl<'c, 'a> State<'c, 'a> {
    /// §6.1.2, with the constraints that the certificate of the trust anchor sets on itself (RFC 5937 §3.2).
    pub(super) fn new(
        anchor: &'c Certificate<'a>,
        length: usize,
        options: &PathOptions<'_>,
    ) -> Result<Self, Problem> {
        let title = anchor.title();
        let extensions = anchor.extensions();
        known_extensions(anchor)?;
        if extensions
            .basic_constraints
            .is_some_and(|constraints| !constraints.ca)
        {
            return Err(Problem::rule(code::ISSUER_NOT_CA, &title));
        }
        if !anchor.allows_key_usage(key_usage::KEY_CERT_SIGN) {
            return Err(Problem::rule(code::KEY_CERT_SIGN_MISSING, &title));
        }
        let skip = |now: bool| if now { 0 } else { length.saturating_add(1) };
        let mut state = Self {
            graph: PolicyGraph::new(),
            explicit_policy: skip(options.require_explicit_policy),
            policy_mapping: skip(options.inhibit_policy_mapping),
            inhibit_any_policy: skip(options.inhibit_any_policy),
            max_path_length: length,
            constraints: extensions.name_constraints.iter().collect(),
            profile: options.profile,
        };
        state.limit_path_length(anchor);
        Ok(state)
    }

    /// §6.1.4 (m).
    fn limit_path_length(&mut self, certificate: &Certificate<'_>) {
        let limit = certificate
            .extensions()
            .basic_constraints
            .and_then(|constraints| constraints.path_length)
            .and_then(|limit| usize::try_from(limit).ok());
        if let Some(limit) = limit {
            self.max_path_length = self.max_path_length.min(limit);
        }
    }

    /// §6.1.3 (b) to (f): names and policies.
    pub(super) fn certificate(
        &mut self,
        certificate: &Certificate<'_>,
        is_target: bool,
        budget: &mut Budget,
    ) -> Result<(), Stop> {
        let self_issued = certificate.is_self_issued();
        if is_target || !self_issued {
            name_constraints::check(certificate, &self.constraints, self.profile, budget)
                .map_err(|refusal| name_problem(certificate, refusal))?;
        }
        match &certificate.extensions().policies {
            Some(policies) => {
                let any_counts = self.inhibit_any_policy > 0 || (!is_target && self_issued);
                self.graph.descend(policies, any_counts, budget)?;
            }
            None => self.graph.clear(),
        }
        if self.explicit_policy == 0 && self.graph.is_null() {
            let title = certificate.title();
            return Err(Problem::rule(code::POLICY_REQUIRED, &title).into());
        }
        Ok(())
    }

    /// §6.1.4: preparation for the certificate below.
    pub(super) fn prepare(
        &mut self,
        certificate: &'c Certificate<'a>,
        budget: &mut Budget,
    ) -> Result<(), Stop> {
        let title = certificate.title();
        let extensions = certificate.extensions();
        // (a), (b)
        let mappings = &extensions.policy_mappings;
        if mappings
            .iter()
            .any(|(issuer, subject)| *issuer == oid::ANY_POLICY || *subject == oid::ANY_POLICY)
        {
            return Err(Problem::rule(code::POLICY_MAPPING_ANY, &title).into());
        }
        if !mappings.is_empty() {
            self.graph.map(mappings, self.policy_mapping > 0, budget)?;
        }
        // (g)
        self.constraints.extend(extensions.name_constraints.iter());
        self.count_down(certificate);
        // (k)
        if certificate.version() != 3 {
            return Err(Problem::rule(code::ISSUER_NOT_VERSION_3, &title).into());
        }
        if !certificate.is_ca() {
            return Err(Problem::rule(code::ISSUER_NOT_CA, &title).into());
        }
        // (l), (m)
        if !certificate.is_self_issued() {
            self.max_path_length = self
                .max_path_length
                .checked_sub(1)
                .ok_or_else(|| Problem::rule(code::PATH_LENGTH_EXCEEDED, &title))?;
        }
        self.limit_path_length(certificate);
        // (n)
        if !certificate.allows_key_usage(key_usage::KEY_CERT_SIGN) {
            return Err(Problem::rule(code::KEY_CERT_SIGN_MISSING, &title).into());
        }
        Ok(())
    }

    /// §6.1.4 (h) to (j): the counters of policy processing.
    fn count_down(&mut self, certificate: &Certificate<'_>) {
        if !certificate.is_self_issued() {
            for counter in [
                &mut self.explicit_policy,
                &mut self.policy_mapping,
                &mut self.inhibit_any_policy,
            ] {
                *counter = counter.saturating_sub(1);
            }
        }
        let extensions = certificate.extensions();
        let constraints = extensions.policy_constraints;
        let limit = |counter: &mut usize, skip: Option<u32>| {
            if let Some(skip) = skip.and_then(|skip| usize::try_from(skip).ok()) {
                *counter = skip.min(*counter);
            }
        };
        limit(
            &mut self.explicit_policy,
            constraints.and_then(|constraints| constraints.require_explicit_policy),
        );
        limit(
            &mut self.policy_mapping,
            constraints.and_then(|constraints| constraints.inhibit_policy_mapping),
        );
        limit(&mut self.inhibit_any_policy, extensions.inhibit_any_policy);
    }

    /// §6.1.5 (a), (b), (g): the policies of the whole path; `None` if one is demanded and none is acceptable.
    pub(super) fn conclude(
        mut self,
        target: Option<&Certificate<'_>>,
        options: &PathOptions<'_>,
    ) -> Option<ValidPolicies> {
        self.explicit_policy = self.explicit_policy.saturating_sub(1);
        let require = target
            .and_then(|target| target.extensions().policy_constraints)
            .and_then(|constraints| constraints.require_explicit_policy);
        if require == Some(0) {
            self.explicit_policy = 0;
        }
        let policies = self.graph.conclude(&options.policies);
        let none = matches!(&policies, ValidPolicies::Only(list) if list.is_empty());
        (self.explicit_policy > 0 || !none).then_some(policies)
    }
}

fn name_problem(certificate: &Certificate<'_>, refusal: name_constraints::Refusal) -> Stop {
    use name_constraints::Refusal;
    let title = certificate.title();
    let (code, name) = match refusal {
        Refusal::Exhausted(error) => return error.into(),
        Refusal::NotPermitted(name) => (code::NAME_NOT_PERMITTED, name),
        Refusal::Excluded(name) => (code::NAME_EXCLUDED, name),
        Refusal::Unsupported(name) => (code::NAME_CONSTRAINT_UNSUPPORTED, name),
    };
    Problem::rule(code, &title).with(name).into()
}

/// §6.1.4 (o), §6.1.5 (f): every critical extension is known, and every known one could be read.
pub(super) fn known_extensions(certificate: &Certificate<'_>) -> Result<(), Problem> {
    let title = certificate.title();
    if let Some(oid) = &certificate.extensions().malformed {
        return Err(Problem::chain(code::EXTENSION_MALFORMED, &title).with(oid));
    }
    if let Some(oid) = &certificate.extensions().unknown_critical {
        return Err(Problem::rule(code::EXTENSION_UNKNOWN_CRITICAL, &title).with(oid));
    }
    Ok(())
}
