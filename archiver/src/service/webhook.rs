//! Alarms by HTTP POST: JSON, with a secret in the `Authorization` header where the receiver wants one.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde_json::Value;
use tokio::runtime::Handle;

use super::notify::Notifier;
use super::outgoing;

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
        let client = outgoing::client(&address, tls_roots)?;
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
