//! TLS of the receiver: its certificate, and whether clients must show one.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::{SyslogError, SyslogSettings};

/// TLS 1.2 and 1.3.
pub(super) fn acceptor(settings: &SyslogSettings) -> Result<TlsAcceptor, SyslogError> {
    let refused = |error: &dyn std::error::Error| SyslogError::Tls(error.to_string());
    let chain = certificates(&settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key).map_err(|_| pem(&settings.key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?;
    let builder = match &settings.client_roots {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|error| refused(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|error| refused(&error))?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| refused(&error))?;
    // Senders do not read. A ticket that lies unread when a sender is killed turns its close into a reset, which throws away what it had sent.
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SyslogError> {
    let found = CertificateDer::pem_file_iter(path).map_err(|_| pem(path))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|_| pem(path))?;
    if found.is_empty() {
        return Err(pem(path));
    }
    Ok(found)
}

fn pem(path: &Path) -> SyslogError {
    SyslogError::Pem {
        path: path.to_owned(),
    }
}
