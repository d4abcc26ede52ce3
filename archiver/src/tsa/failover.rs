//! Several authorities: asked in the order of their priority until one gives a token that is accepted.
//!
//! Authorities with an open circuit are asked last; one that asked to be left alone is not asked before its time.

use std::sync::Arc;

use firmware::entropy::Entropy;
use formats::digest::DigestValue;

use super::checks::AcceptedToken;
use super::client::{FirstToken, Timestamper};
use super::health::{CircuitState, Health};
use super::refusal::{Refusal, TsaError};
use super::retry::{RetryPolicy, Sleeper};

/// One of several authorities.
#[derive(Debug, Clone)]
pub struct Member {
    /// How it is asked.
    pub authority: Arc<dyn Timestamper>,
    /// How often it is asked again.
    pub retry: RetryPolicy,
}

/// Several authorities, asked in order until one gives a token that is accepted.
#[derive(Debug, Clone)]
pub struct Failover {
    members: Vec<Member>,
    health: Option<Arc<Health>>,
    waiting: Option<Waiting>,
}

/// Who lets the time between retries pass.
#[derive(Debug, Clone)]
struct Waiting {
    sleeper: Arc<dyn Sleeper>,
    entropy: Arc<dyn Entropy>,
}

impl Failover {
    /// Authorities in the order in which they are asked, each once, with no memory.
    #[must_use]
    pub fn new(authorities: Vec<Box<dyn Timestamper>>) -> Self {
        let members = authorities.into_iter().map(|authority| Member {
            authority: Arc::from(authority),
            retry: RetryPolicy::NEVER,
        });
        Self::of(members.collect())
    }

    /// Authorities in the order in which they are asked.
    #[must_use]
    pub const fn of(members: Vec<Member>) -> Self {
        Self {
            members,
            health: None,
            waiting: None,
        }
    }

    /// The same, with failures remembered.
    #[must_use]
    pub fn remembering(mut self, health: Arc<Health>) -> Self {
        self.health = Some(health);
        self
    }

    /// The same, with retries.
    #[must_use]
    pub fn waiting(mut self, sleeper: Arc<dyn Sleeper>, entropy: Arc<dyn Entropy>) -> Self {
        self.waiting = Some(Waiting { sleeper, entropy });
        self
    }

    /// The names of the authorities, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.authority.name())
    }

    /// Asks one after the other, the ready ones first, and not the one with the name `but`.
    fn first_token(
        &self,
        but: Option<&str>,
        ask: &dyn Fn(&dyn Timestamper) -> Result<AcceptedToken, TsaError>,
    ) -> Result<AcceptedToken, TsaError> {
        let mut failures = Vec::new();
        let mut last_resort = Vec::new();
        let wanted = |member: &&Member| Some(member.authority.name()) != but;
        for member in self.members.iter().filter(wanted) {
            let name = member.authority.name();
            let state = self.health.as_ref().map(|health| health.of(name).state);
            match state.unwrap_or_default() {
                CircuitState::Ready => match self.with_retries(member, member.retry, ask) {
                    Ok(token) => return Ok(token),
                    Err(error) => failures.push((name.to_owned(), error)),
                },
                CircuitState::Open(_) => last_resort.push(member),
                CircuitState::Waiting(until) => {
                    failures.push((name.to_owned(), TsaError::Waiting { until }));
                }
            }
        }
        for member in last_resort {
            match self.with_retries(member, RetryPolicy::NEVER, ask) {
                Ok(token) => return Ok(token),
                Err(error) => failures.push((member.authority.name().to_owned(), error)),
            }
        }
        Err(TsaError::All(failures))
    }

    fn with_retries(
        &self,
        member: &Member,
        retry: RetryPolicy,
        ask: &dyn Fn(&dyn Timestamper) -> Result<AcceptedToken, TsaError>,
    ) -> Result<AcceptedToken, TsaError> {
        let name = member.authority.name();
        let mut count = 0;
        loop {
            let error = match ask(member.authority.as_ref()) {
                Ok(token) => {
                    self.remember(|health| health.succeeded(name, &token));
                    return Ok(token);
                }
                Err(error) => error,
            };
            let wait = self.waiting.as_ref().filter(|_| error.is_transient());
            let wait = wait.and_then(|waiting| {
                let wait = retry.wait(count, error.retry_after(), waiting.entropy.as_ref())?;
                Some((waiting, wait))
            });
            let Some((waiting, wait)) = wait else {
                // Which other authority it is compared with says nothing about its health.
                if error != TsaError::Refused(Refusal::NotIndependent) {
                    self.remember(|health| health.failed(name, &error));
                }
                return Err(error);
            };
            waiting.sleeper.sleep(wait);
            count = count.saturating_add(1);
        }
    }

    fn remember(&self, note: impl FnOnce(&Health)) {
        if let Some(health) = &self.health {
            note(health);
        }
    }
}

impl Timestamper for Failover {
    fn name(&self) -> &str {
        self.names().next().unwrap_or("")
    }

    fn timestamp(&self, imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        self.first_token(None, &|authority| authority.timestamp(imprint))
    }

    fn timestamp_beside(
        &self,
        imprint: &DigestValue,
        first: &FirstToken<'_>,
    ) -> Result<AcceptedToken, TsaError> {
        let beside = |authority: &dyn Timestamper| authority.timestamp_beside(imprint, first);
        self.first_token(Some(first.authority), &beside)
    }
}
