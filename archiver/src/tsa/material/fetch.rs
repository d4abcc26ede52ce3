//! One HTTP exchange with a service that a certificate names.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url};

use super::collected::MaterialError;
use crate::store::durable::DerivedPlace;
use crate::tsa::transport::{
    TransportError, TransportOptions, build_client, classify, next_address,
};

/// How services are reached. [`Default`] holds the values for public services.
#[derive(Debug, Clone)]
pub struct MaterialOptions {
    /// Longest wait for a connection.
    pub connect_wait_max: Duration,
    /// Longest wait for one exchange, redirections included.
    pub exchange_wait_max: Duration,
    /// Longest wait for everything that one token needs.
    pub whole_wait_max: Duration,
    /// Longest CRL. The largest public ones have 60 MB.
    pub crl_bytes_max: usize,
    /// Longest OCSP response; real ones have 2 to 10 KiB.
    pub ocsp_bytes_max: usize,
    /// Longest file of issuer certificates.
    pub certificates_bytes_max: usize,
    /// How many redirections are followed.
    pub redirections_max: usize,
    /// The proxy to go through.
    pub proxy: Option<String>,
    /// A folder where CRLs are kept until their next update. Derived: it may be deleted at any time. `None` keeps them in memory alone.
    pub cache: Option<DerivedPlace>,
}

impl Default for MaterialOptions {
    fn default() -> Self {
        Self {
            connect_wait_max: Duration::from_secs(10),
            exchange_wait_max: Duration::from_secs(30),
            whole_wait_max: Duration::from_secs(120),
            crl_bytes_max: 64 * 1024 * 1024,
            ocsp_bytes_max: 64 * 1024,
            certificates_bytes_max: 1024 * 1024,
            redirections_max: 3,
            proxy: None,
            cache: None,
        }
    }
}

/// A prepared client for the services of one token.
#[derive(Debug)]
pub(super) struct Fetcher<'o> {
    client: Client,
    options: &'o MaterialOptions,
}

impl<'o> Fetcher<'o> {
    pub(super) fn new(options: &'o MaterialOptions) -> Result<Self, MaterialError> {
        // Only plain http is spoken: no TLS roots are needed.
        let transport = TransportOptions {
            connect_wait_max: options.connect_wait_max,
            tls_roots_only: true,
            proxy: options.proxy.clone(),
            ..TransportOptions::default()
        };
        let any = Url::parse("http://localhost/").map_err(|_| MaterialError::Runtime)?;
        let client = build_client(&any, &transport).map_err(|_| MaterialError::Runtime)?;
        Ok(Self { client, options })
    }

    /// What stands at an address.
    pub(super) async fn get(&self, address: &str, limit: usize) -> Result<Vec<u8>, MaterialError> {
        self.exchange(address, None, limit).await
    }

    /// The answer to an OCSP request (RFC 6960 Appendix A.1).
    pub(super) async fn ask(
        &self,
        address: &str,
        request: &[u8],
    ) -> Result<Vec<u8>, MaterialError> {
        let limit = self.options.ocsp_bytes_max;
        self.exchange(address, Some(request), limit).await
    }

    async fn exchange(
        &self,
        address: &str,
        request: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<u8>, MaterialError> {
        let waited = self.options.exchange_wait_max;
        let work = self.exchange_unbounded(address, request, limit);
        match tokio::time::timeout(waited, work).await {
            Ok(result) => result,
            Err(_) => Err(MaterialError::TimeOut { waited }),
        }
    }

    async fn exchange_unbounded(
        &self,
        address: &str,
        request: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<u8>, MaterialError> {
        let mut address = Url::parse(address).map_err(|_| MaterialError::NoAddress)?;
        for _ in 0..=self.options.redirections_max {
            let builder = match request {
                Some(body) => self
                    .client
                    .post(address.clone())
                    .header(CONTENT_TYPE, OCSP_REQUEST_TYPE)
                    .body(body.to_vec()),
                None => self.client.get(address.clone()),
            };
            let response = builder.send().await.map_err(|error| self.error(&error))?;
            if !response.status().is_redirection() {
                return self.read(response, limit).await;
            }
            address = next_address(&address, &response).map_err(|_| MaterialError::Redirection)?;
            if address.scheme() != "http" {
                return Err(MaterialError::Redirection);
            }
        }
        Err(MaterialError::Redirection)
    }

    async fn read(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, MaterialError> {
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(MaterialError::HttpStatus { status });
        }
        let too_long = MaterialError::TooLong { limit };
        let announced = response.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |length| length > limit) {
            return Err(too_long);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.error(&error))? {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(too_long);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "an error of the HTTP library becomes no other variant"
    )]
    fn error(&self, error: &reqwest::Error) -> MaterialError {
        match classify(error) {
            TransportError::TimeOut => MaterialError::TimeOut {
                waited: self.options.connect_wait_max,
            },
            TransportError::Connect { reason } => MaterialError::Connect { reason },
            TransportError::Interrupted { reason } => MaterialError::Interrupted { reason },
            other => MaterialError::Interrupted {
                reason: other.to_string(),
            },
        }
    }
}

const OCSP_REQUEST_TYPE: &str = "application/ocsp-request";
