//! Requests to whoever the configuration names: alarms to a webhook, traces to a collector.

use std::time::Duration;

use reqwest::{Certificate, Client, Url};

/// A client for one receiver: no redirections, no proxies, ten seconds for each request, and these root certificates (DER) beside those of the system.
///
/// # Errors
/// What is wrong with the TLS roots, in words.
pub(crate) fn client(address: &Url, tls_roots: &[Vec<u8>]) -> Result<Client, String> {
    let roots = tls_roots.iter().map(|root| Certificate::from_der(root));
    let roots = roots
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let build = |only| {
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
    build(false).or_else(|error| match address.scheme() {
        "http" => build(true),
        _ => Err(error),
    })
}

/// A receiver that takes longer is tried again later.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(10);
