//! The connection to a service: TLS to the pinned authority alone, requests one after the other, errors as the service tells them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use super::error::{RemoteError, RemoteProblem};
use super::upload::InParts;
use crate::cli::lang::Lang;

/// Which server, by what it is known, and as whom it is asked.
#[derive(Clone)]
pub struct ServerPlace {
    /// Its address, `https://HOST:PORT`.
    pub server: String,
    /// The certificates of the authority that certifies it, in PEM. No other is trusted.
    pub ca: Vec<u8>,
    /// The token of a session.
    pub token: Option<SecretString>,
    /// Certificate and key of a system, as PEM files.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl fmt::Debug for ServerPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerPlace")
            .field("server", &self.server)
            .field("has_token", &self.token.is_some())
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// How often something is sent again, and after how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Times after the first.
    pub repeats: u32,
    /// Before the first repetition; each further one waits twice as long.
    pub pause: Duration,
}

impl Patience {
    /// A restart of the service, or of a network's device, is waited for.
    pub const USUAL: Self = Self {
        repeats: 4,
        pause: Duration::from_secs(1),
    };
}

/// A service that is asked.
pub struct RemoteClient {
    runtime: Runtime,
    client: Client,
    base: Url,
    authorization: Option<HeaderValue>,
    lang: Lang,
    pub(super) patience: Patience,
    pub(super) in_parts: InParts,
}

impl fmt::Debug for RemoteClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteClient")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

impl RemoteClient {
    /// A client of one server. Nothing is sent yet.
    ///
    /// # Errors
    /// [`RemoteError::Address`], [`RemoteError::File`], [`RemoteError::Unusable`], [`RemoteError::Machine`].
    pub fn new(place: &ServerPlace, lang: Lang, patience: Patience) -> Result<Self, RemoteError> {
        let base = address(&place.server)?;
        let unusable = |what: String| RemoteError::Unusable {
            path: PathBuf::from("CA"),
            what,
        };
        let roots =
            Certificate::from_pem_bundle(&place.ca).map_err(|error| unusable(innermost(&error)))?;
        if roots.is_empty() {
            return Err(unusable("no certificate in PEM".to_owned()));
        }
        let machine = |what: String| RemoteError::Machine { what };
        let mut builder = Client::builder()
            .tls_certs_only(roots)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WAIT_MAX)
            .tcp_keepalive(KEEPALIVE)
            .tcp_user_timeout(SILENCE_MAX);
        if let Some(client) = &place.client {
            builder = builder.identity(identity(client)?);
        }
        let client = builder
            .build()
            .map_err(|error| machine(innermost(&error)))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| machine(error.to_string()))?;
        Ok(Self {
            runtime,
            client,
            base,
            authorization: bearer(place.token.as_ref())?,
            lang,
            patience,
            in_parts: InParts::USUAL,
        })
    }

    /// The same with other sizes from which on, and in which, files are sent in parts.
    #[must_use]
    pub fn sending(self, in_parts: InParts) -> Self {
        Self { in_parts, ..self }
    }

    /// The server, for messages.
    #[must_use]
    pub fn server(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Asks for JSON; a connection that is lost is tried again.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, RemoteError> {
        self.repeat(|| {
            let request = self.request(Method::GET, path, query)?;
            self.json(request.timeout(ANSWER_WAIT_MAX))
        })
    }

    /// Asks for an act that may be repeated, without a body.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, RemoteError> {
        self.repeat(|| {
            let request = self.request(Method::POST, path, &[])?;
            self.json(request.timeout(ANSWER_WAIT_MAX))
        })
    }

    /// Sends a secret form, once: a code of an authenticator counts once.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub(crate) fn post_once<T: DeserializeOwned>(
        &self,
        path: &[&str],
        form: &Zeroizing<String>,
    ) -> Result<T, RemoteError> {
        let request = self
            .request(Method::POST, path, &[])?
            .header(CONTENT_TYPE, "application/json")
            .timeout(ANSWER_WAIT_MAX)
            .body(form.as_bytes().to_vec());
        self.json(request)
    }

    /// Asks for something to be ended.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub(crate) fn delete(&self, path: &[&str]) -> Result<(), RemoteError> {
        let request = self.request(Method::DELETE, path, &[])?;
        let request = request.timeout(ANSWER_WAIT_MAX);
        self.wait(async { self.answered(request).await.map(drop) })
    }

    /// A request below `/api/v1` with who asks and in which language.
    pub(super) fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<RequestBuilder, RemoteError> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().extend(["api", "v1"]).extend(path);
            }
            Err(()) => {
                return Err(RemoteError::Address {
                    given: self.base.to_string(),
                });
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(method, url);
        request = request.header(ACCEPT_LANGUAGE, self.lang.pick("ja", "en"));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }

    /// Waits for something on this client's thread.
    pub(super) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Sends a request and reads a problem where one is answered.
    pub(super) async fn answered(&self, request: RequestBuilder) -> Result<Response, RemoteError> {
        let response = request.send().await.map_err(|error| self.fault(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let header = response.headers().get(RETRY_AFTER);
        let retry_after = header.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = self.body(response).await?;
        let mut problem: RemoteProblem =
            serde_json::from_slice(&body).map_err(|_| self.not_ours())?;
        problem.status = status;
        problem.retry_after = retry_after;
        Err(RemoteError::Problem(problem))
    }

    pub(super) fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, RemoteError> {
        let body = self.wait(async {
            let response = self.answered(request).await?;
            self.body(response).await
        })?;
        serde_json::from_slice(&body).map_err(|_| self.not_ours())
    }

    /// The whole body of a small answer. It may hold a token, so it does not stay in memory.
    pub(super) async fn body(
        &self,
        mut response: Response,
    ) -> Result<Zeroizing<Vec<u8>>, RemoteError> {
        let mut body = Zeroizing::new(Vec::new());
        while let Some(piece) = response.chunk().await.map_err(|error| self.fault(&error))? {
            if body.len().saturating_add(piece.len()) > ANSWER_BYTES_MAX {
                return Err(self.not_ours());
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Tries again what may be repeated: where the connection was lost, and where the service asks to come later.
    pub(super) fn repeat<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, RemoteError>,
    ) -> Result<T, RemoteError> {
        let mut is_known = false;
        let mut pause = self.patience.pause;
        for _ in 0..self.patience.repeats {
            let error = match attempt() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let Some(wait) = wait_after(&error, is_known, pause) else {
                return Err(error);
            };
            is_known = true;
            std::thread::sleep(wait);
            pause = pause.saturating_mul(2);
        }
        attempt()
    }

    /// What went wrong below HTTP.
    pub(super) fn fault(&self, error: &reqwest::Error) -> RemoteError {
        let (server, what) = (self.server(), innermost(error));
        if is_tls(error) {
            RemoteError::NotTrusted { server, what }
        } else if error.is_connect() {
            RemoteError::Unreachable { server, what }
        } else {
            RemoteError::Lost { server, what }
        }
    }

    pub(super) fn not_ours(&self) -> RemoteError {
        RemoteError::NotOurs {
            server: self.server(),
        }
    }
}

/// How long to wait before trying again, where that may help; `is_known`: the server has answered before.
pub(super) fn wait_after(error: &RemoteError, is_known: bool, pause: Duration) -> Option<Duration> {
    match error {
        RemoteError::Lost { .. } => Some(pause),
        // A server that was never there is told at once; one that was there comes back perhaps.
        RemoteError::Unreachable { .. } => is_known.then_some(pause),
        RemoteError::Problem(problem) => match problem.retry_after {
            Some(seconds) if seconds <= LATER_SECONDS_MAX => Some(Duration::from_secs(seconds)),
            None if problem.code == "cut-off" => Some(pause),
            Some(_) | None => None,
        },
        RemoteError::Address { .. }
        | RemoteError::NoProfile { .. }
        | RemoteError::NoAuthority { .. }
        | RemoteError::File { .. }
        | RemoteError::ProfilesOpen { .. }
        | RemoteError::Unusable { .. }
        | RemoteError::NotTrusted { .. }
        | RemoteError::Source { .. }
        | RemoteError::Sink { .. }
        | RemoteError::NotOurs { .. }
        | RemoteError::Differs
        | RemoteError::Machine { .. } => None,
    }
}

/// The address of a service: TLS, a host, nothing behind it.
fn address(given: &str) -> Result<Url, RemoteError> {
    let url = Url::parse(given).ok();
    let url = url.filter(|url| {
        url.scheme() == "https"
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.path() == "/"
    });
    url.ok_or_else(|| RemoteError::Address {
        given: given.to_owned(),
    })
}

fn identity((certificate, key): &(PathBuf, PathBuf)) -> Result<Identity, RemoteError> {
    let mut pem = Zeroizing::new(Vec::new());
    for path in [certificate, key] {
        let read = std::fs::read(path).map(Zeroizing::new);
        let read = read.map_err(|source| RemoteError::File {
            path: path.clone(),
            source,
        })?;
        pem.extend_from_slice(&read);
        pem.push(b'\n');
    }
    Identity::from_pem(&pem).map_err(|error| RemoteError::Unusable {
        path: key.clone(),
        what: innermost(&error),
    })
}

fn bearer(token: Option<&SecretString>) -> Result<Option<HeaderValue>, RemoteError> {
    let Some(token) = token else { return Ok(None) };
    let text = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| RemoteError::Machine {
        what: "the token of the profile is malformed: run 'archiver login'".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
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

/// The cause at the bottom, on one line.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    let text = last.to_string();
    text.chars().filter(|one| !one.is_control()).collect()
}

/// A server in the same building answers within milliseconds.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);

/// For an answer without contents: verifying a large record reads all of it first.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(1800);

/// How often a silent peer is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long what was sent may stay without an acknowledgement of the network.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A page of 500 records with all their metadata takes a few MiB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Who is asked to come later than that is told so.
const LATER_SECONDS_MAX: u64 = 60;
