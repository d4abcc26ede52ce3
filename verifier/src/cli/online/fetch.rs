//! One HTTP exchange, bounded in time and size.

use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;
use verifier::revocation::{Service, ServiceKind};

use super::public::PublicOnly;

/// Longest wait for a connection.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);

/// Longest wait for one exchange, redirections included.
const EXCHANGE_WAIT_MAX: Duration = Duration::from_secs(30);

/// No exchange begins after this time.
pub(super) const WHOLE_WAIT_MAX: Duration = Duration::from_secs(120);

/// Exchanges in one run. A package with tokens of several authorities has some ten certificates.
pub(super) const EXCHANGES_MAX: usize = 64;

/// Bytes of all answers of one run together: they are kept until the end, and strangers' evidence names the addresses.
pub(super) const ALL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Longest CRL. The largest public ones have 60 MB.
const CRL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Longest OCSP response; real ones have 2 to 10 KiB.
const OCSP_BYTES_MAX: u64 = 64 * 1024;

/// Longest file of issuer certificates.
const CERTIFICATES_BYTES_MAX: u64 = 1024 * 1024;

/// Redirections that are followed.
const REDIRECTIONS_MAX: u32 = 3;

/// A prepared client.
#[derive(Debug)]
pub(super) struct Fetcher {
    agent: Agent,
}

impl Fetcher {
    pub(super) fn new(private: bool) -> Self {
        // The environment's proxy is not looked at: what this program does depends on its arguments alone.
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_WAIT_MAX))
            .timeout_global(Some(EXCHANGE_WAIT_MAX))
            .max_redirects(REDIRECTIONS_MAX)
            .proxy(None)
            .build();
        let resolver = PublicOnly { private };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::new(), resolver),
        }
    }

    /// The body of the answer of a service, of at most `bytes_max`, or why there is none.
    pub(super) fn fetch(&self, service: &Service, bytes_max: u64) -> Result<Vec<u8>, String> {
        let address = service.address.as_str();
        let scheme = address.get(.."http:".len()).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("http:") {
            // What is fetched is signed, and asking for a status must not need the status of a TLS certificate (RFC 5280 §8).
            return Err("only plain http is spoken".to_owned());
        }
        let answer = match &service.kind {
            ServiceKind::Ocsp { request } => self
                .agent
                .post(address)
                .header("Content-Type", "application/ocsp-request")
                .send(request.as_slice()),
            ServiceKind::Issuer | ServiceKind::Crl => self.agent.get(address).call(),
        };
        let mut response = answer.map_err(|error| error.to_string())?;
        let limit = match &service.kind {
            ServiceKind::Ocsp { .. } => OCSP_BYTES_MAX,
            ServiceKind::Crl => CRL_BYTES_MAX,
            ServiceKind::Issuer => CERTIFICATES_BYTES_MAX,
        };
        let body = response
            .body_mut()
            .with_config()
            .limit(limit.min(bytes_max));
        body.read_to_vec().map_err(|error| error.to_string())
    }
}
