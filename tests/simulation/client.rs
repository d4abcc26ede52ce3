//! The archive's side of a simulated authority: requests, the checks of the real client, revocation lists.

use std::sync::Arc;

use archiver::tsa::checks::{AcceptedToken, Demands, Expectation, Trust};
use archiver::tsa::client::Timestamper;
use archiver::tsa::material::{Collected, MaterialSource};
use archiver::tsa::refusal::TsaError;
use archiver::tsa::server::Responder;
use firmware::clock::{Clock, SimulatedClock};
use firmware::entropy::{Entropy, SeededEntropy};
use formats::der::Integer;
use formats::digest::DigestValue;
use formats::tsp::{MessageImprint, TimeStampRequest};
use time::OffsetDateTime;
use verifier::policy::Policy;

use crate::authority::SimulatedAuthority;

/// Asks one simulated authority.
#[derive(Debug)]
pub(crate) struct SimulatedClient {
    authority: Arc<SimulatedAuthority>,
    clock: Arc<SimulatedClock>,
    entropy: Arc<SeededEntropy>,
    policy: Policy,
}

impl SimulatedClient {
    pub(crate) fn new(
        authority: &Arc<SimulatedAuthority>,
        clock: &Arc<SimulatedClock>,
        entropy: &Arc<SeededEntropy>,
        policy: &Policy,
    ) -> Self {
        Self {
            authority: Arc::clone(authority),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            policy: policy.clone(),
        }
    }
}

impl Timestamper for SimulatedClient {
    fn name(&self) -> &str {
        self.authority.name()
    }

    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        let mut nonce = [0; 8];
        self.entropy.fill(&mut nonce).expect("seeded");
        let request = TimeStampRequest {
            version: 1,
            imprint: MessageImprint::of(imprint),
            policy: None,
            nonce: Some(Integer::from_unsigned(&nonce)),
            certificate_wanted: true,
            extensions: Vec::new(),
        };
        let now = self.clock.now();
        let answer = self.authority.respond(&request.encode());
        let expectation = Expectation {
            request: &request,
            sent_at: now,
            answered_at: now,
            demands: Demands::default(),
            earlier: None,
        };
        let trust = Trust {
            policy: self.policy.clone(),
            material: Some(Arc::new(Lists(vec![Arc::clone(&self.authority)]))),
            ..Trust::anchors(vec![self.authority.root().to_vec()])
        };
        let name = self.authority.name();
        Ok(AcceptedToken::check(&answer, &expectation, &trust, name)?)
    }
}

/// The revocation lists that authorities publish at the moment.
#[derive(Debug)]
pub(crate) struct Lists(pub(crate) Vec<Arc<SimulatedAuthority>>);

impl MaterialSource for Lists {
    fn collect(&self, certificates: &[Vec<u8>], _: &[Vec<u8>], _: OffsetDateTime) -> Collected {
        let concerned = |authority: &&Arc<SimulatedAuthority>| {
            certificates.iter().any(|one| authority.issued(one))
        };
        Collected {
            crls: self
                .0
                .iter()
                .filter(concerned)
                .filter_map(|authority| authority.revocation_list())
                .collect(),
            ..Collected::default()
        }
    }
}
