//! The provider: what it says of itself, where people are sent, and what comes back.

use std::sync::{Arc, Mutex, PoisonError};

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreProviderMetadata, CoreResponseType,
};
use openidconnect::{
    AuthType, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::error::{OpenidError, StateFault, TokenFault};
use super::judge::{Expected, judge};
use super::pending::{PendingLogIn, PendingLogIns};
use super::transport::{Transport, TransportFault};
use crate::config::OpenidConfig;

/// What a provider is made of.
pub struct ProviderParts<'a> {
    /// The part of the configuration.
    pub config: OpenidConfig,
    /// The secret of the client.
    pub secret: Zeroizing<String>,
    /// The authorities of its TLS certificate, DER; none: the public ones.
    pub tls_roots: &'a [Vec<u8>],
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for ProviderParts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderParts")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The company's OpenID provider.
pub struct OpenidProvider {
    config: OpenidConfig,
    secret: Zeroizing<String>,
    transport: Transport,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pending: Mutex<PendingLogIns>,
    known: Mutex<Option<Known>>,
}

/// What it said of itself last: its addresses and keys.
#[derive(Debug, Clone)]
struct Known {
    metadata: Arc<CoreProviderMetadata>,
    read_at: OffsetDateTime,
}

/// A log-in that was begun.
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What the browser keeps until it comes back.
    pub browser: Zeroizing<String>,
}

/// What the browser comes back with.
#[derive(Clone, Copy, Default)]
pub struct Answer<'a> {
    /// The state.
    pub state: &'a str,
    /// The code, where the provider let somebody in.
    pub code: Option<&'a str>,
    /// The error, where it did not.
    pub error: Option<&'a str>,
    /// Who answers (RFC 9207).
    pub issuer: Option<&'a str>,
    /// What the browser kept.
    pub browser: Option<&'a str>,
}

impl std::fmt::Debug for OpenidProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenidProvider")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl OpenidProvider {
    /// A provider that was not asked anything yet.
    ///
    /// # Errors
    /// The authorities of its TLS certificate cannot be used.
    pub fn new(parts: ProviderParts<'_>) -> Result<Self, String> {
        Ok(Self {
            transport: Transport::new(parts.tls_roots)?,
            config: parts.config,
            secret: parts.secret,
            clock: parts.clock,
            entropy: parts.entropy,
            pending: Mutex::default(),
            known: Mutex::default(),
        })
    }

    /// Its name on the button.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// Begins a log-in of a browser.
    ///
    /// # Errors
    /// [`OpenidError`]: the provider cannot be reached or used, or there is no randomness.
    pub async fn begin(&self) -> Result<Begun, OpenidError> {
        let known = self.known().await?;
        let drawn = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.begin(self.clock.now(), self.entropy.as_ref())
        };
        let drawn = drawn.map_err(|_| OpenidError::Entropy)?;
        let client = CoreClient::from_provider_metadata(
            known.metadata.as_ref().clone(),
            ClientId::new(self.config.client_id.clone()),
            None,
        )
        .set_redirect_uri(self.redirect()?);
        let (state, nonce) = (drawn.state.to_string(), drawn.nonce.to_string());
        let verifier = PkceCodeVerifier::new(drawn.verifier.to_string());
        let request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(self.config.scopes.iter().cloned().map(Scope::new));
        let classes = self.config.acr.iter().cloned();
        let request = classes.fold(request, |request, class| {
            request.add_auth_context_value(AuthenticationContextClass::new(class))
        });
        let (address, _, _) = request.url();
        if address.scheme() != "https" {
            return Err(unusable("its authorization endpoint is not https"));
        }
        Ok(Begun {
            address: address.to_string(),
            browser: drawn.browser,
        })
    }

    /// Whom the provider names, where the answer belongs to a log-in of this browser and what it proves holds.
    ///
    /// # Errors
    /// [`OpenidError`]. Whatever it is, the log-in is used up.
    pub async fn finish(&self, answer: Answer<'_>) -> Result<String, OpenidError> {
        let waits = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.take(answer.state, answer.browser, self.clock.now())
        };
        let waits = waits.map_err(OpenidError::State)?;
        // Another provider's answer (RFC 9207 §2.4).
        if answer
            .issuer
            .is_some_and(|issuer| issuer != self.config.issuer)
        {
            return Err(OpenidError::Token(TokenFault::Issuer));
        }
        if let Some(code) = answer.error {
            return Err(OpenidError::Declined {
                code: error_code(code),
            });
        }
        let code = answer.code.ok_or(OpenidError::State(StateFault::Unknown))?;
        let known = self.known().await?;
        let token = self.exchange(&known, code, &waits).await?;
        let mut judged = self.judged(&token, &known, &waits);
        if let Err(TokenFault::UnknownKey | TokenFault::Signature) = judged
            && self.clock.now() - known.read_at >= REREAD_PAUSE
        {
            // The provider may have changed its keys.
            let known = self.reread().await?;
            judged = self.judged(&token, &known, &waits);
        }
        judged.map_err(OpenidError::Token)
    }

    fn judged(
        &self,
        token: &str,
        known: &Known,
        waits: &PendingLogIn,
    ) -> Result<String, TokenFault> {
        let expected = Expected {
            config: &self.config,
            nonce: &waits.nonce,
            begun_at: waits.begun_at,
        };
        judge(token, known.metadata.jwks(), expected, self.clock.now())
    }

    /// The ID token for a code (RFC 6749 §4.1.3).
    async fn exchange(
        &self,
        known: &Known,
        code: &str,
        waits: &PendingLogIn,
    ) -> Result<Zeroizing<String>, OpenidError> {
        let metadata = known.metadata.as_ref().clone();
        let methods = metadata.token_endpoint_auth_methods_supported();
        // Basic is what a provider understands that says nothing (OpenID Connect Discovery 1.0 §3).
        let is_in_body = methods.is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(self.config.client_id.clone()),
            Some(ClientSecret::new(self.secret.to_string())),
        )
        .set_redirect_uri(self.redirect()?)
        .set_auth_type(match is_in_body {
            true => AuthType::RequestBody,
            false => AuthType::BasicAuth,
        });
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| unusable("it has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(waits.verifier.to_string()));
        let answer = request.request_async(&self.transport).await;
        let answer = answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) => OpenidError::Code {
                what: error_code(said.error().as_ref()),
            },
            RequestTokenError::Request(fault) => unreachable(&fault),
            RequestTokenError::Parse(..) => unusable("its answer to the code is malformed"),
            RequestTokenError::Other(_) => unusable("its answer to the code is empty"),
        })?;
        let token = answer.id_token();
        let token = token.ok_or(OpenidError::Token(TokenFault::Malformed))?;
        Ok(Zeroizing::new(token.to_string()))
    }

    /// What it says of itself, read again now and then.
    async fn known(&self) -> Result<Known, OpenidError> {
        let known = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.clone()
        };
        let age = known.as_ref().map(|known| self.clock.now() - known.read_at);
        match (known, age) {
            (Some(known), Some(age)) if age < REREAD_AFTER => Ok(known),
            _ => self.reread().await,
        }
    }

    async fn reread(&self) -> Result<Known, OpenidError> {
        let issuer = IssuerUrl::new(self.config.issuer.clone());
        let issuer = issuer.map_err(|_| unusable("its issuer is no address"))?;
        let read = CoreProviderMetadata::discover_async(issuer, &self.transport).await;
        let metadata = read.map_err(|error| match error {
            DiscoveryError::Request(fault) => unreachable(&fault),
            DiscoveryError::Response(status, ..) => unusable(&format!("it answers {status}")),
            DiscoveryError::Parse(_) => unusable("what it says of itself is malformed"),
            DiscoveryError::Validation(_) => unusable("it names another issuer"),
            DiscoveryError::Other(_) | DiscoveryError::UrlParse(_) | _ => {
                unusable("what it says of itself cannot be read")
            }
        })?;
        let known = Known {
            metadata: Arc::new(metadata),
            read_at: self.clock.now(),
        };
        let mut place = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(known.clone());
        Ok(known)
    }

    fn redirect(&self) -> Result<RedirectUrl, OpenidError> {
        let address = format!("{}{CALLBACK}", self.config.public_url);
        RedirectUrl::new(address).map_err(|_| unusable("public_url is no address"))
    }
}

fn unreachable(fault: &TransportFault) -> OpenidError {
    OpenidError::Unreachable {
        what: fault.to_string(),
    }
}

fn unusable(what: &str) -> OpenidError {
    OpenidError::Provider {
        what: what.to_owned(),
    }
}

/// An error code as RFC 6749 §4.1.2.1 has it; anything else is not repeated on a page.
fn error_code(text: &str) -> String {
    let is_code = |one: u8| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'_';
    match (1..=ERROR_CODE_MAX).contains(&text.len()) && text.bytes().all(is_code) {
        true => text.to_owned(),
        false => "unknown_error".to_owned(),
    }
}

/// Where the provider sends browsers back to.
pub const CALLBACK: &str = "/login/openid/callback";

/// Addresses and keys change seldom.
const REREAD_AFTER: Duration = Duration::HOUR;

/// A token under a key that nobody knows reads them again, but not each of them.
const REREAD_PAUSE: Duration = Duration::seconds(30);

/// Bytes of an error code.
const ERROR_CODE_MAX: usize = 64;
