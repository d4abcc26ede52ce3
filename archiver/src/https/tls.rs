//! The TLS side of the service: TLS 1.3 and 1.2, client certificates of systems, revocation.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::error::HttpsError;
use crate::config::HttpsConfig;

/// The files that TLS takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate, then those that certify it.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// PEM: the authorities of client certificates.
    pub client_roots: Option<PathBuf>,
    /// PEM: their revocation lists.
    pub client_crls: Vec<PathBuf>,
}

impl From<&HttpsConfig> for TlsFiles {
    fn from(config: &HttpsConfig) -> Self {
        Self {
            certificate: config.certificate.clone(),
            key: config.key.clone(),
            client_roots: config.client_roots.clone(),
            client_crls: config.client_crls.clone(),
        }
    }
}

/// The configuration of TLS from its files. Whoever shows no client certificate gets in as nobody and has to log in; one that is shown must be
/// valid now, chain to a configured authority and, where lists are configured, not be revoked.
///
/// # Errors
/// [`HttpsError`] with the file.
pub fn configuration(files: &TlsFiles) -> Result<ServerConfig, HttpsError> {
    let chain = certificates(&files.certificate)?;
    let bytes = read(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| unusable(&files.key, "it holds no private key in PEM".to_owned()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let failed = |error: rustls::Error| unusable(&files.certificate, error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(failed)?;
    let builder = match &files.client_roots {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            builder.with_client_cert_verifier(verifier(roots, &files.client_crls, &provider)?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(failed)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    roots: &Path,
    crls: &[PathBuf],
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, HttpsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(roots)? {
        store
            .add(certificate)
            .map_err(|error| unusable(roots, error.to_string()))?;
    }
    let mut lists = Vec::new();
    for path in crls {
        let bytes = read(path)?;
        for list in CertificateRevocationListDer::pem_slice_iter(&bytes) {
            lists.push(list.map_err(|error| unusable(path, error.to_string()))?);
        }
        if lists.is_empty() {
            return Err(unusable(
                path,
                "it holds no revocation list in PEM".to_owned(),
            ));
        }
    }
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
            .allow_unauthenticated()
            .with_crls(lists);
    if !crls.is_empty() {
        // A list that is too old to tell anything lets nobody in.
        builder = builder.enforce_revocation_expiration();
    }
    builder
        .build()
        .map_err(|error| unusable(roots, error.to_string()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpsError> {
    let bytes = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(path, "it holds no certificate in PEM".to_owned())),
        Err(error) => Err(unusable(path, error.to_string())),
    }
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, HttpsError> {
    std::fs::read(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|source| HttpsError::Unreadable {
            path: path.to_owned(),
            source,
        })
}

fn unusable(path: &Path, what: String) -> HttpsError {
    HttpsError::Unusable {
        path: path.to_owned(),
        what,
    }
}
