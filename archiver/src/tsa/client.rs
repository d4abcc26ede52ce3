//! Asking an authority for one timestamp: request, exchange, checks.

use std::fmt;
use std::sync::Arc;

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use formats::der::Integer;
use formats::digest::DigestValue;
use formats::oid::Oid;
use formats::tsp::{MessageImprint, TimeStampRequest};
use time::Duration;

use super::checks::{AcceptedToken, Expectation, Trust};
use super::embedded::EmbeddedAuthority;
use super::refusal::TsaError;
use super::transport::HttpTransport;

/// Something that gives accepted timestamps. Batches depend on this and not on how the authority is reached.
pub trait Timestamper: Send + Sync + fmt::Debug {
    /// The authority's name in the configuration; of several, that of the first.
    fn name(&self) -> &str;

    /// One timestamp over a digest. Waits for the answer.
    ///
    /// # Errors
    /// [`TsaError`]; nothing was changed then.
    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError>;
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
    /// How far the time in the token may lie from our clock, beside the token's own accuracy.
    pub clock_tolerance: Duration,
    /// Whom to trust.
    pub trust: Trust,
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
        let options = ClientOptions {
            name: EMBEDDED_NAME.to_owned(),
            policy: None,
            clock_tolerance: CLOCK_TOLERANCE,
            trust: Trust::anchors(vec![authority.root().to_vec()]),
        };
        Self::new(Link::Embedded(authority), options, clock, entropy)
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
        let request = self.build_request(imprint)?;
        let sent_at = self.clock.now();
        let bytes = request.encode();
        let answer = match &self.link {
            Link::Embedded(authority) => authority.respond(&bytes),
            Link::Http(transport) => transport.exchange(&bytes).await?,
        };
        let expectation = Expectation {
            request: &request,
            sent_at,
            answered_at: self.clock.now(),
            clock_tolerance: self.options.clock_tolerance,
        };
        Ok(AcceptedToken::check(
            &answer,
            &expectation,
            &self.options.trust,
            &self.options.name,
        )?)
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

    /// The exchange runs on a thread of its own, so that this may be called from inside an asynchronous runtime too.
    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        std::thread::scope(|scope| {
            let exchange = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|_| TsaError::Runtime)?;
                runtime.block_on(self.request(imprint))
            });
            exchange.join().unwrap_or(Err(TsaError::Runtime))
        })
    }
}

/// Several authorities, asked in order until one gives a token that is accepted.
#[derive(Debug)]
pub struct Failover {
    authorities: Vec<Box<dyn Timestamper>>,
}

impl Failover {
    /// Authorities in the order in which they are asked.
    #[must_use]
    pub fn new(authorities: Vec<Box<dyn Timestamper>>) -> Self {
        Self { authorities }
    }
}

impl Timestamper for Failover {
    fn name(&self) -> &str {
        self.authorities.first().map_or("", |first| first.name())
    }

    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        let mut failures = Vec::new();
        for authority in &self.authorities {
            match authority.timestamp(imprint) {
                Ok(token) => return Ok(token),
                Err(error) => failures.push((authority.name().to_owned(), error)),
            }
        }
        Err(TsaError::All(failures))
    }
}

/// The name under which the embedded authority stands in archive timestamps.
pub const EMBEDDED_NAME: &str = "embedded (NOT ACCREDITED)";

/// Enough for clocks that are set by hand; authorities keep theirs to a second.
pub const CLOCK_TOLERANCE: Duration = Duration::minutes(5);
