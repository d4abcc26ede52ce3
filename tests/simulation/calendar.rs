//! What happens in the thirty years: which authorities there are, and what befalls them.

use std::sync::Arc;

use archiver::tsa::client::{Failover, Timestamper};
use firmware::clock::{Clock, SimulatedClock};
use firmware::entropy::SeededEntropy;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use verifier::path::TrustAnchor;
use verifier::policy::Policy;

use crate::authority::SimulatedAuthority;
use crate::client::{Lists, SimulatedClient};
use crate::keys::KeyKind;

/// The first day.
pub(crate) const START: OffsetDateTime = datetime!(2027-01-15 03:00 UTC);
/// The last moment of SHA-256: the end of the twelfth year.
pub(crate) const SHA256_END: OffsetDateTime = datetime!(2038-12-31 14:59:59 UTC);
/// Alpha signs with RSA-2048 until its operator changes its key, half a year before nobody may trust it any more.
const ALPHA_NEW_KEY: OffsetDateTime = datetime!(2030-05-01 00:00 UTC);
/// Beta ends its business.
const BETA_CLOSES: OffsetDateTime = datetime!(2034-03-10 00:00 UTC);
/// Gamma opens in time for beta's end.
const GAMMA_OPENS: OffsetDateTime = datetime!(2033-02-01 00:00 UTC);
/// Gamma's key is stolen, and it revokes its certificate as of the day before.
pub(crate) const GAMMA_COMPROMISED: OffsetDateTime = datetime!(2041-05-20 00:00 UTC);
/// Delta opens.
const DELTA_OPENS: OffsetDateTime = datetime!(2035-06-01 00:00 UTC);
/// Delta is down for six weeks.
const DELTA_DOWN: OffsetDateTime = datetime!(2044-08-20 00:00 UTC);
const DELTA_UP: OffsetDateTime = datetime!(2044-10-01 00:00 UTC);
/// A service that goes on gets a new certificate when the old one has so long left.
const CERTIFICATE_CHANGE: Duration = Duration::days(4 * 365);

/// The algorithm policy of the simulation: the built-in one, and the end of SHA-256.
pub(crate) fn policy() -> Policy {
    let sha256 = "sha256".parse().expect("an algorithm");
    Policy::default().with_end(&sha256, SHA256_END, "simulation: SHA-256 retired")
}

/// All authorities that ever were.
pub(crate) struct Services {
    clock: Arc<SimulatedClock>,
    entropy: Arc<SeededEntropy>,
    policy: Policy,
    seed: u64,
    all: Vec<Arc<SimulatedAuthority>>,
    anchors: Vec<TrustAnchor>,
    told: OffsetDateTime,
}

impl Services {
    pub(crate) fn new(clock: &Arc<SimulatedClock>, policy: &Policy, seed: u64) -> Self {
        let mut services = Self {
            clock: Arc::clone(clock),
            entropy: Arc::new(SeededEntropy::new(seed ^ 0x6e6f_6e63_6573)),
            policy: policy.clone(),
            seed,
            all: Vec::new(),
            anchors: Vec::new(),
            told: START - Duration::days(1),
        };
        services.open("alpha", KeyKind::Rsa2048);
        services.open("beta", KeyKind::P256);
        services
    }

    fn open(&mut self, name: &'static str, kind: KeyKind) {
        let seed = self.seed.wrapping_add(self.all.len() as u64 + 1);
        let authority = SimulatedAuthority::open(name, kind, &self.clock, seed);
        let anchor = TrustAnchor::from_certificate(authority.root()).expect("a root");
        self.anchors.push(anchor);
        self.all.push(authority);
    }

    fn named(&self, name: &str) -> Option<&Arc<SimulatedAuthority>> {
        self.all.iter().find(|one| one.name() == name)
    }

    /// Lets everything happen that falls between the last call and now.
    pub(crate) fn pass(&mut self) {
        let now = self.clock.now();
        let since = std::mem::replace(&mut self.told, now);
        let happens = |at: OffsetDateTime| since < at && at <= now;
        if happens(GAMMA_OPENS) {
            self.open("gamma", KeyKind::P384);
        }
        if happens(DELTA_OPENS) {
            self.open("delta", KeyKind::P384);
        }
        if happens(ALPHA_NEW_KEY) {
            self.change("alpha", |alpha| alpha.renew_certificate(KeyKind::P384));
        }
        if happens(BETA_CLOSES) {
            self.change("beta", SimulatedAuthority::close);
        }
        if happens(GAMMA_COMPROMISED) {
            let since = GAMMA_COMPROMISED - Duration::DAY;
            self.change("gamma", |gamma| gamma.compromise(since));
        }
        if happens(DELTA_DOWN) {
            self.change("delta", |delta| delta.set_available(false));
        }
        if happens(DELTA_UP) {
            self.change("delta", |delta| delta.set_available(true));
        }
        for authority in &self.all {
            if authority.is_in_business() && authority.not_after() - now < CERTIFICATE_CHANGE {
                authority.renew_certificate(KeyKind::P384);
            }
        }
    }

    fn change(&self, name: &str, change: impl FnOnce(&SimulatedAuthority)) {
        change(self.named(name).expect("it is open"));
    }

    /// Who gives the first tokens, and who the second ones.
    pub(crate) fn authorities(&self) -> (Failover, Failover) {
        let failover = |names: &[&str]| {
            let clients = names.iter().filter_map(|name| self.named(name));
            let clients = clients.map(|authority| -> Box<dyn Timestamper> {
                Box::new(SimulatedClient::new(
                    authority,
                    &self.clock,
                    &self.entropy,
                    &self.policy,
                ))
            });
            Failover::new(clients.collect())
        };
        (
            failover(&["gamma", "alpha", "delta", "beta"]),
            failover(&["beta", "delta", "alpha", "gamma"]),
        )
    }

    /// The last moment of a token that the authority with this name gives now.
    pub(crate) fn token_end(&self, name: &str) -> OffsetDateTime {
        self.named(name).expect("it is open").token_end()
    }

    /// The lists that are published now.
    pub(crate) fn lists(&self) -> Lists {
        Lists(self.all.clone())
    }

    /// The lists that an outsider can fetch now.
    pub(crate) fn published(&self) -> Vec<Vec<u8>> {
        let lists = self.all.iter();
        lists.filter_map(|one| one.revocation_list()).collect()
    }

    /// The roots, as DER.
    pub(crate) fn roots(&self) -> Vec<Vec<u8>> {
        self.all.iter().map(|one| one.root().to_vec()).collect()
    }

    /// The roots, as trust anchors.
    pub(crate) fn anchors(&self) -> &[TrustAnchor] {
        &self.anchors
    }
}
