//! One HTTP exchange with a timestamp authority (RFC 3161 §3.4), and every way in which it can go wrong.
//!
//! The transport judges nothing: the bytes it returns come from a stranger until [`super::checks`] has accepted them.
//! Redirections are followed here and not by the HTTP library, because a redirected request must stay a `POST`.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Response, StatusCode, Url};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::server::{QUERY_TYPE, REPLY_TYPE};
use crate::cli::lang::Lang;
use crate::telemetry::{self, TRACEPARENT};

/// How an authority is reached. [`Default`] holds the values for a public authority.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// Longest wait for the connection.
    pub connect_wait_max: Duration,
    /// Longest wait for the whole exchange, redirections included.
    pub exchange_wait_max: Duration,
    /// Longest answer; a token with its chain and revocation data has some 10 KiB.
    pub answer_bytes_max: usize,
    /// How many redirections are followed.
    pub redirections_max: usize,
    /// Further TLS roots, each PEM or DER.
    pub tls_roots: Vec<Vec<u8>>,
    /// `true`: only `tls_roots` are trusted for TLS, not the roots of the operating system.
    pub tls_roots_only: bool,
    /// The proxy to go through. The environment variables for proxies are not looked at.
    pub proxy: Option<String>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            connect_wait_max: Duration::from_secs(10),
            exchange_wait_max: Duration::from_secs(30),
            answer_bytes_max: 1024 * 1024,
            redirections_max: 3,
            tls_roots: Vec::new(),
            tls_roots_only: false,
            proxy: None,
        }
    }
}

/// Why there is no answer. Every variant leaves the records in the queue, and the next run tries again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// The address is not an `http` or `https` address. Correct it in the configuration.
    Address,
    /// A TLS root or the proxy address in the configuration cannot be used. Correct the configuration.
    Configuration,
    /// No connection: refused, no route, unknown name. Check network and address.
    Connect {
        /// What the operating system said.
        reason: String,
    },
    /// The server did not prove to be the one that the address names, or speaks no TLS that is accepted. Check `tls_roots` and the clock.
    Tls {
        /// What the TLS library said.
        reason: String,
    },
    /// No complete answer within the time allowed. Try later, or allow more time.
    TimeOut,
    /// The connection broke before the answer was complete. Try again.
    Interrupted {
        /// What the HTTP library said.
        reason: String,
    },
    /// The authority answered with an HTTP status other than 200 and 201. Ask its operator; 401 and 403 mean that it wants an agreement.
    HttpStatus {
        /// The status code.
        status: u16,
        /// How long it wants to be left alone (`Retry-After`, RFC 9110 §10.2.3), where it says so.
        retry_after: Option<time::Duration>,
    },
    /// The answer is not `application/timestamp-reply`. Usually the address is that of a web page: correct it.
    ContentType {
        /// What the server called its answer, at most 200 characters, control characters left out.
        found: String,
    },
    /// The answer is longer than allowed. This is not a timestamp; ask the operator of the authority.
    AnswerTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More redirections than allowed, or one without a usable address, or one from https to http. Configure the final address.
    Redirection,
}

/// A prepared connection to one authority.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    address: Url,
    options: TransportOptions,
}

impl HttpTransport {
    /// Prepares the connection; nothing is sent.
    ///
    /// # Errors
    /// [`TransportError::Address`] and [`TransportError::Configuration`].
    pub fn new(address: &str, options: TransportOptions) -> Result<Self, TransportError> {
        let address = Url::parse(address).map_err(|_| TransportError::Address)?;
        if !is_http(&address) {
            return Err(TransportError::Address);
        }
        let client = build_client(&address, &options)?;
        Ok(Self {
            client,
            address,
            options,
        })
    }

    /// The configured address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Sends one request and returns the body of the answer.
    ///
    /// # Errors
    /// Every variant of [`TransportError`] but the two of the configuration.
    pub async fn exchange(&self, request: &[u8]) -> Result<Vec<u8>, TransportError> {
        let work = self.exchange_unbounded(request);
        match tokio::time::timeout(self.options.exchange_wait_max, work).await {
            Ok(result) => result,
            Err(_) => Err(TransportError::TimeOut),
        }
    }

    async fn exchange_unbounded(&self, request: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut address = self.address.clone();
        for _ in 0..=self.options.redirections_max {
            let mut query = self.client.post(address.clone());
            if let Some(place) = telemetry::traceparent() {
                query = query.header(TRACEPARENT, place);
            }
            let response = query
                .header(CONTENT_TYPE, QUERY_TYPE)
                .header(ACCEPT, REPLY_TYPE)
                .body(request.to_vec())
                .send()
                .await
                .map_err(|error| classify(&error))?;
            if !response.status().is_redirection() {
                return self.read_answer(response).await;
            }
            address = next_address(&address, &response)?;
        }
        Err(TransportError::Redirection)
    }

    async fn read_answer(&self, mut response: Response) -> Result<Vec<u8>, TransportError> {
        // Some authorities call a token a thing that was created.
        if !matches!(response.status(), StatusCode::OK | StatusCode::CREATED) {
            return Err(TransportError::HttpStatus {
                status: response.status().as_u16(),
                retry_after: retry_after(&response),
            });
        }
        check_content_type(&response)?;
        let limit = self.options.answer_bytes_max;
        let too_long = TransportError::AnswerTooLong { limit };
        let announced = response.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |length| length > limit) {
            return Err(too_long);
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if answer.len().saturating_add(chunk.len()) > limit {
                return Err(too_long);
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

impl TransportError {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::TimeOut | Self::Interrupted { .. } => true,
            Self::HttpStatus { status, .. } => matches!(*status, 408 | 425 | 429 | 500..=599),
            Self::Address
            | Self::Configuration
            | Self::Tls { .. }
            | Self::ContentType { .. }
            | Self::AnswerTooLong { .. }
            | Self::Redirection => false,
        }
    }
}

impl std::fmt::Display for TransportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for TransportError {}

pub(super) fn build_client(
    address: &Url,
    options: &TransportOptions,
) -> Result<Client, TransportError> {
    let mut roots = Vec::new();
    for root in &options.tls_roots {
        let parsed = Certificate::from_pem_bundle(root)
            .ok()
            .filter(|bundle| !bundle.is_empty())
            .or_else(|| Certificate::from_der(root).ok().map(|one| vec![one]))
            .ok_or(TransportError::Configuration)?;
        roots.extend(parsed);
    }
    let builder = || -> Result<ClientBuilder, TransportError> {
        let builder = Client::builder()
            .connect_timeout(options.connect_wait_max)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only();
        match &options.proxy {
            Some(proxy) => {
                Ok(builder.proxy(Proxy::all(proxy).map_err(|_| TransportError::Configuration)?))
            }
            None => Ok(builder),
        }
    };
    if options.tls_roots_only {
        return finish(builder()?.tls_certs_only(roots));
    }
    match finish(builder()?.tls_certs_merge(roots.clone())) {
        // A machine without any TLS roots can still speak plain http; the token is signed, and its path is checked.
        Err(_) if address.scheme() == "http" => finish(builder()?.tls_certs_only(roots)),
        other => other,
    }
}

fn finish(builder: ClientBuilder) -> Result<Client, TransportError> {
    builder.build().map_err(|_| TransportError::Configuration)
}

pub(super) fn next_address(current: &Url, response: &Response) -> Result<Url, TransportError> {
    let target = response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| current.join(value).ok())
        .ok_or(TransportError::Redirection)?;
    let downgrade = current.scheme() == "https" && target.scheme() != "https";
    if downgrade || !is_http(&target) {
        return Err(TransportError::Redirection);
    }
    Ok(target)
}

fn check_content_type(response: &Response) -> Result<(), TransportError> {
    let found = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = found.split(';').next().unwrap_or("").trim();
    if essence.eq_ignore_ascii_case(REPLY_TYPE) {
        return Ok(());
    }
    Err(TransportError::ContentType {
        found: printable(found),
    })
}

pub(super) fn classify(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportError::TimeOut;
    }
    let reason = innermost(error);
    if is_tls(error) {
        TransportError::Tls { reason }
    } else if error.is_connect() {
        TransportError::Connect { reason }
    } else {
        TransportError::Interrupted { reason }
    }
}

/// Whether the TLS library is among the causes. An I/O error shows the source of what it wraps, but not what it wraps.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || wrapped.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

/// `Retry-After`: seconds, or a date, which is compared with the server's own `Date` so that no clock of ours is needed.
fn retry_after(response: &Response) -> Option<time::Duration> {
    let header = |name| response.headers().get(name)?.to_str().ok();
    let value = header(RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(time::Duration::seconds(i64::from(seconds)));
    }
    let date = |text: &str| OffsetDateTime::parse(text.trim(), &Rfc2822).ok();
    let wait = date(value)? - date(header(DATE)?)?;
    wait.is_positive().then_some(wait)
}

/// The cause at the bottom of the chain says what the operator needs ("Connection refused"), the layers above do not.
fn innermost(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    printable(&text)
}

/// Text of a stranger for a message: short, without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(FOREIGN_TEXT_CHARS_MAX)
        .collect()
}

fn is_http(address: &Url) -> bool {
    matches!(address.scheme(), "http" | "https")
}

/// Foreign text in a message is cut here.
const FOREIGN_TEXT_CHARS_MAX: usize = 200;
