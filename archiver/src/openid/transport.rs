//! HTTP to the provider: over TLS, without redirections, small and soon.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::{Certificate, Client};

/// The way to the provider.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum TransportFault {
    /// No connection, no TLS, or no answer in time.
    Failed(reqwest::Error),
    /// More bytes than an answer of a provider has.
    TooLarge,
    /// What came is no HTTP.
    Malformed,
}

impl fmt::Display for TransportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The address of the provider is no secret; what was sent there is not part of it.
            Self::Failed(error) => {
                write!(f, "{error}")?;
                let mut source = std::error::Error::source(error);
                while let Some(inner) = source {
                    write!(f, ": {inner}")?;
                    source = inner.source();
                }
                Ok(())
            }
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::Malformed => f.write_str("the answer is malformed"),
        }
    }
}

impl std::error::Error for TransportFault {}

impl Transport {
    /// A way that trusts these authorities (DER) alone; none: the public ones.
    pub(super) fn new(tls_roots: &[Vec<u8>]) -> Result<Self, String> {
        let builder = Client::builder()
            .connect_timeout(CONNECT_WAIT_MAX)
            .timeout(WAIT_MAX)
            // Log-ins are rare: a connection that was kept may be gone, and a code is sent once.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(true)
            .no_proxy();
        let roots = tls_roots.iter().map(|root| Certificate::from_der(root));
        let roots = roots
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let builder = match roots.is_empty() {
            true => builder,
            false => builder.tls_certs_only(roots),
        };
        let client = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { client })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportFault> {
        let (head, body) = request.into_parts();
        let mut answer = self
            .client
            .request(head.method, head.uri.to_string())
            .headers(head.headers)
            .body(body)
            .send()
            .await
            .map_err(TransportFault::Failed)?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(answer.headers().clone());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(TransportFault::Failed)? {
            if bytes.len().saturating_add(piece.len()) > BODY_MAX {
                return Err(TransportFault::TooLarge);
            }
            bytes.extend_from_slice(&piece);
        }
        response.body(bytes).map_err(|_| TransportFault::Malformed)
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Somebody waits before a page.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// For one answer.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Bytes of one answer: keys with certificates are some tens of KiB.
const BODY_MAX: usize = 512 * 1024;
