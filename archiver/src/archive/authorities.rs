//! The time-stamping authorities of an archive, as its configuration names them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use formats::x509::read_certificates;

use super::{ArchiveError, Environment};
use crate::config::{Config, TsaConfig, TsaKind};
use crate::keys::KeyMedium;
use crate::tsa::checks::Trust;
use crate::tsa::client::{CLOCK_TOLERANCE, ClientOptions, Failover, Link, Timestamper, TsaClient};
use crate::tsa::embedded::EmbeddedAuthority;
use crate::tsa::transport::{HttpTransport, TransportOptions};
use crate::tsa::vault;

/// The authorities of an archive, ready to be asked.
#[derive(Debug)]
pub struct Authorities {
    /// All of them, asked in the order of the configuration until one gives a valid token.
    pub failover: Failover,
    /// The root certificates, DER, that their tokens chain to.
    pub anchors: Vec<Vec<u8>>,
}

/// The embedded authority of the archive, ready to answer.
///
/// # Errors
/// [`ArchiveError`] when a file of it is missing or damaged.
pub fn embedded(
    keys: &KeyMedium,
    environment: &Environment,
) -> Result<Arc<EmbeddedAuthority>, ArchiveError> {
    let material = vault::open(keys)?;
    let clock = Arc::clone(&environment.clock);
    let entropy = Arc::clone(&environment.entropy);
    Ok(Arc::new(EmbeddedAuthority::new(material, clock, entropy)?))
}

/// Prepares the configured authorities; nothing is sent.
pub(super) fn configured(
    config: &Config,
    keys: &KeyMedium,
    environment: &Environment,
) -> Result<Authorities, ArchiveError> {
    let mut clients: Vec<Box<dyn Timestamper>> = Vec::new();
    for tsa in &config.tsas {
        clients.push(Box::new(client(tsa, keys, environment)?));
    }
    Ok(Authorities {
        failover: Failover::new(clients),
        anchors: anchors(config)?,
    })
}

/// The root certificates, DER, that the tokens of the configured authorities chain to. The embedded authority's stays among them
/// after the configuration names others: its tokens remain.
pub(super) fn anchors(config: &Config) -> Result<Vec<Vec<u8>>, ArchiveError> {
    let mut anchors = vec![vault::trust_anchor(&config.keys)?];
    for tsa in &config.tsas {
        if let TsaKind::Remote { trust, .. } = &tsa.kind {
            anchors.extend(certificates(trust)?);
        }
    }
    Ok(anchors)
}

fn client(
    tsa: &TsaConfig,
    keys: &KeyMedium,
    environment: &Environment,
) -> Result<TsaClient, ArchiveError> {
    let clock = Arc::clone(&environment.clock);
    let entropy = Arc::clone(&environment.entropy);
    let TsaKind::Remote {
        url,
        trust,
        tls_roots,
        policy,
        timeout_s,
    } = &tsa.kind
    else {
        return Ok(TsaClient::embedded(
            embedded(keys, environment)?,
            clock,
            entropy,
        ));
    };
    let options = TransportOptions {
        exchange_wait_max: Duration::from_secs(*timeout_s),
        tls_roots: tls_roots
            .as_deref()
            .map(certificates)
            .transpose()?
            .unwrap_or_default(),
        ..TransportOptions::default()
    };
    let transport = HttpTransport::new(url, options).map_err(|error| ArchiveError::Tsa {
        name: tsa.name.clone(),
        reason: error.to_string(),
    })?;
    let policy = policy
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| ArchiveError::Tsa {
            name: tsa.name.clone(),
            reason: "policy is not a dotted object identifier".to_owned(),
        })?;
    let options = ClientOptions {
        name: tsa.name.clone(),
        policy,
        clock_tolerance: CLOCK_TOLERANCE,
        trust: Trust::anchors(certificates(trust)?),
    };
    Ok(TsaClient::new(
        Link::Http(Box::new(transport)),
        options,
        clock,
        entropy,
    ))
}

/// The certificates, DER, of a PEM file.
fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, ArchiveError> {
    let failed = |source| ArchiveError::TrustFile {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::read(path).map_err(failed)?;
    let certificates = read_certificates(&bytes).map_err(|error| {
        failed(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            error.to_string(),
        ))
    })?;
    if certificates.is_empty() {
        return Err(failed(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "it holds no certificate",
        )));
    }
    Ok(certificates
        .iter()
        .map(|certificate| certificate.raw().to_vec())
        .collect())
}
