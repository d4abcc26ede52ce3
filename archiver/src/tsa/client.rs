//! Asking an authority for one timestamp: request, exchange, checks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::der::Integer;
use formats::digest::DigestValue;
use formats::oid::Oid;
use formats::tsp::{MessageImprint, TimeStampRequest};
use verifier::policy::Policy;

use super::checks::{
    AcceptedToken, Demands, Examination, Expectation, Trust, examine, same_signer,
};
use super::embedded::EmbeddedAuthority;
use super::health::Health;
use super::refusal::{Refusal, TsaError};
use super::transport::HttpTransport;
use crate::telemetry;

pub use super::checks::CLOCK_TOLERANCE;
pub use super::failover::Failover;

/// Something that gives accepted timestamps. Batches depend on this and not on how the authority is reached.
pub trait Timestamper: Send + Sync + fmt::Debug {
    /// The authority's name in the configuration; of several, that of the first.
    fn name(&self) -> &str;

    /// One timestamp over a digest. Waits for the answer.
    ///
    /// # Errors
    /// [`TsaError`]; nothing was changed then.
    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError>;

    /// One more timestamp over the digest of `first`, by an authority that is independent of the one that gave it: another name in the
    /// configuration and another key.
    ///
    /// # Errors
    /// [`TsaError`]; [`Refusal::NotIndependent`] where the key is the same.
    fn timestamp_beside(
        &self,
        imprint: &DigestValue,
        first: &FirstToken<'_>,
    ) -> Result<AcceptedToken, TsaError> {
        if self.name() == first.authority {
            return Err(Refusal::NotIndependent.into());
        }
        let token = self.timestamp(imprint)?;
        if same_signer(token.bytes(), first.token) {
            return Err(Refusal::NotIndependent.into());
        }
        Ok(token)
    }
}

/// The token beside which an independent one is wanted.
#[derive(Debug, Clone, Copy)]
pub struct FirstToken<'a> {
    /// The name of its authority in the configuration.
    pub authority: &'a str,
    /// The token (`ContentInfo`).
    pub token: &'a [u8],
}

/// How an authority is reached.
#[derive(Debug, Clone)]
pub enum Link {
    /// In this process.
    Embedded(Arc<EmbeddedAuthority>),
    /// Over HTTP.
    Http(Box<HttpTransport>),
}

/// What is asked of an authority, and what its answer is measured by.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The authority's name in the configuration.
    pub name: String,
    /// The policy to ask for; `None` accepts the authority's own.
    pub policy: Option<Oid>,
    /// What is demanded of its tokens.
    pub demands: Demands,
    /// Whom to trust.
    pub trust: Trust,
    /// Where its last token is remembered, to see a clock that is set back. `None` compares with nothing.
    pub health: Option<Arc<Health>>,
}

impl ClientOptions {
    /// Options for an authority of this name and trust, with the default demands and no policy.
    #[must_use]
    pub fn new(name: impl Into<String>, trust: Trust) -> Self {
        Self {
            name: name.into(),
            policy: None,
            demands: Demands::default(),
            trust,
            health: None,
        }
    }
}

/// A client of one authority.
#[derive(Debug, Clone)]
pub struct TsaClient {
    link: Link,
    options: ClientOptions,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl TsaClient {
    /// A client; nothing is sent.
    #[must_use]
    pub fn new(
        link: Link,
        options: ClientOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            link,
            options,
            clock,
            entropy,
        }
    }

    /// A client of the embedded authority, which trusts the authority's own root.
    #[must_use]
    pub fn embedded(
        authority: Arc<EmbeddedAuthority>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let trust = Trust::anchors(vec![authority.root().to_vec()]);
        let options = ClientOptions::new(EMBEDDED_NAME, trust);
        Self::new(Link::Embedded(authority), options, clock, entropy)
    }

    /// The same, accepting tokens by this algorithm policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.options.trust.policy = policy;
        self
    }

    /// Whom this client trusts.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.options.trust
    }

    /// One timestamp over a digest.
    ///
    /// # Errors
    /// [`TsaError`].
    pub async fn request(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        let examination = self.examine(imprint).await?;
        Ok(AcceptedToken::from_examination(
            examination,
            &self.options.trust,
            &self.options.name,
        )?)
    }

    /// Asks for a timestamp and makes every check of the answer, also after the first that fails.
    ///
    /// # Errors
    /// [`TsaError`] when no answer arrived.
    pub async fn examine(&self, imprint: &DigestValue) -> Result<Examination, TsaError> {
        let request = self.build_request(imprint)?;
        let sent_at = self.clock.now();
        let bytes = request.encode();
        let answer = match &self.link {
            Link::Embedded(authority) => authority.respond(&bytes),
            Link::Http(transport) => transport.exchange(&bytes).await?,
        };
        let health = self.options.health.as_ref();
        let expectation = Expectation {
            request: &request,
            sent_at,
            answered_at: self.clock.now(),
            demands: self.options.demands,
            earlier: health.and_then(|health| health.earlier(&self.options.name)),
        };
        Ok(examine(&answer, &expectation, &self.options.trust))
    }

    /// [`TsaClient::examine`] for callers that are not asynchronous.
    ///
    /// # Errors
    /// [`TsaError`] when no answer arrived.
    pub fn examine_now(&self, imprint: &DigestValue) -> Result<Examination, TsaError> {
        wait_for(self.examine(imprint))
    }

    fn build_request(&self, imprint: &DigestValue) -> Result<TimeStampRequest, TsaError> {
        let mut nonce = [0u8; 8];
        self.entropy
            .fill(&mut nonce)
            .map_err(|_| TsaError::Request)?;
        Ok(TimeStampRequest {
            version: 1,
            imprint: MessageImprint::of(imprint),
            policy: self.options.policy.clone(),
            nonce: Some(Integer::from_unsigned(&nonce)),
            certificate_wanted: true,
            extensions: Vec::new(),
        })
    }
}

impl Timestamper for TsaClient {
    fn name(&self) -> &str {
        &self.options.name
    }

    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        wait_for(self.request(imprint))
    }
}

/// Waits for an exchange, which runs on a thread of its own, so that this may be called from inside an asynchronous runtime too.
fn wait_for<T: Send>(
    exchange: impl Future<Output = Result<T, TsaError>> + Send,
) -> Result<T, TsaError> {
    let place = telemetry::current();
    std::thread::scope(|scope| {
        let exchange = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|_| TsaError::Runtime)?;
            telemetry::within(place, || runtime.block_on(exchange))
        });
        exchange.join().unwrap_or(Err(TsaError::Runtime))
    })
}

/// The name under which the embedded authority stands in archive timestamps.
pub const EMBEDDED_NAME: &str = "embedded (NOT ACCREDITED)";
