//! A case: a path in question, what this verifier must say, and what OpenSSL is expected to say.

use time::OffsetDateTime;
use verifier::budget::Budget;
use verifier::finding::{Code, Language};
use verifier::path::{
    Material, PathOptions, PathOutcome, ProfileRule, Purpose, TrustAnchor, validate_path,
};
use verifier::policy::RevocationRule;
use verifier::verdict::SubIndication;

use crate::make::{Cert, Crl, NOW, Ocsp};

fn slices(list: &[Vec<u8>]) -> Vec<&[u8]> {
    list.iter().map(Vec::as_slice).collect()
}

/// What must come out.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    Passes,
    /// It passes, and says this.
    Notes(Code),
    /// Definite: a rule is broken.
    Fails(Code, SubIndication),
    /// Not to be decided.
    Open(Code, SubIndication),
}

/// What OpenSSL is expected to say.
#[derive(Clone, Copy)]
pub(crate) enum Second {
    /// The same: it accepts what passes, and refuses the rest.
    Same,
    /// The opposite, and why that is no mistake here.
    Differs(&'static str),
    /// It cannot be asked.
    NotAsked,
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The clause of the rule: of RFC 5280 where nothing else is said.
    pub(crate) clause: &'static str,
    pub(crate) target: Vec<u8>,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) anchors: Vec<Vec<u8>>,
    pub(crate) crls: Vec<Vec<u8>>,
    pub(crate) ocsp: Vec<Vec<u8>>,
    pub(crate) at: OffsetDateTime,
    /// Until when revocation information may have been issued, if later.
    pub(crate) known_until: Option<OffsetDateTime>,
    pub(crate) purpose: Purpose,
    pub(crate) policies: Vec<&'static str>,
    pub(crate) explicit: bool,
    pub(crate) inhibit_mapping: bool,
    pub(crate) inhibit_any: bool,
    pub(crate) asks_policies: bool,
    pub(crate) revocation: bool,
    pub(crate) profile: ProfileRule,
    pub(crate) expected: Expected,
    pub(crate) second: Second,
}

impl Case {
    /// A case below the usual root, at the usual time.
    pub(crate) fn new(
        name: &'static str,
        clause: &'static str,
        target: &Cert,
        chain: &[&Cert],
    ) -> Self {
        Self {
            name,
            clause,
            target: target.der(),
            chain: chain.iter().map(|cert| cert.der()).collect(),
            anchors: vec![Cert::ca("Root", "Root").der()],
            crls: Vec::new(),
            ocsp: Vec::new(),
            at: NOW,
            known_until: None,
            purpose: Purpose::Any,
            policies: Vec::new(),
            explicit: false,
            inhibit_mapping: false,
            inhibit_any: false,
            asks_policies: false,
            revocation: false,
            profile: ProfileRule::Contradictions,
            expected: Expected::Passes,
            second: Second::Same,
        }
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn at(self, at: OffsetDateTime) -> Self {
        self.change(|case| case.at = at)
    }

    pub(crate) fn below(self, anchors: &[&Cert]) -> Self {
        self.change(|case| case.anchors = anchors.iter().map(|cert| cert.der()).collect())
    }

    /// Revocation is asked for, and these CRLs are there.
    pub(crate) fn crls(self, crls: &[&Crl]) -> Self {
        self.change(|case| {
            case.revocation = true;
            case.crls = crls.iter().map(|crl| crl.der()).collect();
        })
    }

    /// Revocation is asked for, and these OCSP responses are there.
    pub(crate) fn ocsp(self, responses: &[&Ocsp]) -> Self {
        self.change(|case| {
            case.revocation = true;
            case.ocsp = responses.iter().map(|response| response.der()).collect();
            // `openssl verify` reads no OCSP responses.
            case.second = Second::NotAsked;
        })
    }

    pub(crate) fn profile(self, profile: ProfileRule) -> Self {
        self.change(|case| case.profile = profile)
    }

    /// Policies are looked at, and these are acceptable; none means all.
    pub(crate) fn policies(self, list: &[&'static str]) -> Self {
        self.change(|case| {
            case.asks_policies = true;
            case.policies = list.to_vec();
        })
    }

    pub(crate) fn explicit(self) -> Self {
        self.change(|case| {
            case.asks_policies = true;
            case.explicit = true;
        })
    }

    /// A rule is broken.
    pub(crate) fn fails(self, code: Code) -> Self {
        self.fails_as(code, SubIndication::ChainConstraintsFailure)
    }

    /// Something else is wrong with the chain.
    pub(crate) fn fails_as(self, code: Code, sub_indication: SubIndication) -> Self {
        self.change(|case| case.expected = Expected::Fails(code, sub_indication))
    }

    pub(crate) fn stays_open(self, code: Code, sub_indication: SubIndication) -> Self {
        self.change(|case| case.expected = Expected::Open(code, sub_indication))
    }

    pub(crate) fn notes(self, code: Code) -> Self {
        self.change(|case| case.expected = Expected::Notes(code))
    }

    /// OpenSSL says the opposite.
    pub(crate) fn differs(self, why: &'static str) -> Self {
        self.change(|case| case.second = Second::Differs(why))
    }

    /// OpenSSL cannot be asked.
    pub(crate) fn alone(self) -> Self {
        self.change(|case| case.second = Second::NotAsked)
    }

    pub(crate) const fn passes(&self) -> bool {
        matches!(self.expected, Expected::Passes | Expected::Notes(_))
    }

    /// What this verifier says.
    pub(crate) fn judge(&self) -> PathOutcome {
        let anchors: Vec<_> = self
            .anchors
            .iter()
            .map(|der| TrustAnchor::from_certificate(der).expect(self.name))
            .collect();
        let material = Material {
            certificates: slices(&self.chain),
            crls: slices(&self.crls),
            ocsp_responses: slices(&self.ocsp),
        };
        let options = PathOptions {
            purpose: self.purpose.clone(),
            policies: self
                .policies
                .iter()
                .map(|oid| oid.parse().unwrap())
                .collect(),
            require_explicit_policy: self.explicit,
            inhibit_policy_mapping: self.inhibit_mapping,
            inhibit_any_policy: self.inhibit_any,
            revocation: if self.revocation {
                RevocationRule::Required
            } else {
                RevocationRule::Off
            },
            profile: self.profile,
            material_time: self.known_until,
            ..PathOptions::default()
        };
        let mut budget = Budget::default();
        validate_path(
            &self.target,
            &material,
            &anchors,
            self.at,
            &options,
            &mut budget,
        )
    }

    /// What is wrong with the answer; `None` if it is as expected.
    pub(crate) fn mistake(&self, outcome: &PathOutcome) -> Option<String> {
        let says = |code: Code| {
            outcome
                .findings()
                .iter()
                .any(|finding| finding.code() == code)
        };
        let right = match (self.expected, outcome) {
            (Expected::Passes, PathOutcome::Verified(_)) => true,
            (Expected::Notes(code), PathOutcome::Verified(_)) => says(code),
            (Expected::Fails(code, sub), PathOutcome::Refused(failure)) => {
                says(code) && failure.is_definite() && failure.sub_indication() == sub
            }
            (Expected::Open(code, sub), PathOutcome::Refused(failure)) => {
                says(code) && !failure.is_definite() && failure.sub_indication() == sub
            }
            _ => false,
        };
        let texts: Vec<_> = outcome
            .findings()
            .iter()
            .map(|finding| {
                format!(
                    "    {} {}\n",
                    finding.code().id(),
                    finding.text(Language::English)
                )
            })
            .collect();
        (!right).then(|| {
            let verdict = outcome.verdict();
            let sub = verdict.sub_indication().map_or("", |sub| sub.name());
            format!(
                "{} ({}): {} {sub}\n{}",
                self.name,
                self.clause,
                verdict.conclusion(),
                texts.concat()
            )
        })
    }
}
