//! Alarms by HTTP POST: JSON, with a secret in the `Authorization` header where the receiver wants one.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Url};
use serde_json::Value;
use tokio::runtime::Handle;

use super::notify::Notifier;

/// A receiver of alarms over HTTP.
pub struct Webhook {
    client: Client,
    address: Url,
    secret: Option<HeaderValue>,
    runtime: Handle,
}

impl Webhook {
    /// Prepares the receiver; nothing is sent. Messages are sent from threads that are not the runtime's.
    ///
    /// # Errors
    /// What is wrong with the address, the secret or the TLS roots, in words.
    pub fn new(
        url: &str,
        secret: Option<&str>,
        tls_roots: &[Vec<u8>],
        runtime: Handle,
    ) -> Result<Self, String> {
        let address = Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
        let secret = secret.map(|secret| {
            let mut value = HeaderValue::from_str(&format!("Bearer {secret}"))
                .map_err(|_| "the secret has characters that a header cannot have".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        let roots = tls_roots.iter().map(|root| Certificate::from_der(root));
        let roots = roots
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let client = |only| {
            let builder = Client::builder()
                .timeout(WAIT_MAX)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy();
            let builder = if only {
                builder.tls_certs_only(roots.clone())
            } else {
                builder.tls_certs_merge(roots.clone())
            };
            builder.build().map_err(|error| error.to_string())
        };
        // A machine without any TLS roots can still speak plain http.
        let client = client(false).or_else(|error| match address.scheme() {
            "http" => client(true),
            _ => Err(error),
        })?;
        Ok(Self {
            client,
            address,
            secret: secret.transpose()?,
            runtime,
        })
    }
}

impl Notifier for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn notify(&self, message: &Value) -> Result<(), String> {
        let mut request = self
            .client
            .post(self.address.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(message.to_string());
        if let Some(secret) = &self.secret {
            request = request.header(AUTHORIZATION, secret.clone());
        }
        // The error names the address without what may stand in its query.
        let answer = self
            .runtime
            .block_on(async { request.send().await })
            .map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(format!("the receiver answered {}", answer.status()))
        }
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("host", &self.address.host_str())
            .finish_non_exhaustive()
    }
}

/// A receiver that takes longer is tried again later.
const WAIT_MAX: Duration = Duration::from_secs(10);
