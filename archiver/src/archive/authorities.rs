//! The time-stamping authorities of an archive, as its configuration names them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use formats::x509::read_certificates;

use super::{ArchiveError, Environment};
use crate::config::{Config, TsaConfig, TsaDemands, TsaKind};
use crate::keys::KeyMedium;
use crate::store::durable::DerivedPlace;
use crate::tsa::checks::{Demands, Trust};
use crate::tsa::client::{ClientOptions, Link, TsaClient};
use crate::tsa::embedded::EmbeddedAuthority;
use crate::tsa::failover::{Failover, Member};
use crate::tsa::health::Health;
use crate::tsa::material::{HttpMaterial, MaterialOptions, MaterialSource};
use crate::tsa::registry::{self, Registry};
use crate::tsa::retry::{RetryPolicy, SystemSleeper};
use crate::tsa::transport::{HttpTransport, TransportOptions};
use crate::tsa::vault;

/// The authorities of an archive, ready to be asked.
#[derive(Debug)]
pub struct Authorities {
    /// All of them, asked in the order of their priority until one gives a valid token; those for the second token last.
    pub first: Failover,
    /// Those for the second, independent token of each batch first; `None` where the configuration wants no second token.
    pub second: Option<Failover>,
    /// Each of them by itself, in the order of their priority.
    pub clients: Vec<Arc<TsaClient>>,
    /// The root certificates, DER, that their tokens chain to.
    pub anchors: Vec<Vec<u8>>,
    /// Which services are accredited, where the configuration names a registry.
    pub registry: Option<Arc<Registry>>,
    /// What is remembered of each authority.
    pub health: Arc<Health>,
    /// Where revocation information and missing certificates of their tokens come from.
    pub material: Arc<dyn MaterialSource>,
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
///
/// # Errors
/// [`ArchiveError`] when one cannot be used as it is configured.
pub fn configured(
    config: &Config,
    keys: &KeyMedium,
    environment: &Environment,
) -> Result<Authorities, ArchiveError> {
    let policy = super::policy(config)?.for_new_protection();
    let registry = registry(config)?.map(Arc::new);
    let health = Arc::new(health(config, environment));
    let material = material(config, environment);
    let mut clients = Vec::new();
    let (mut ordinary, mut for_second) = (Vec::new(), Vec::new());
    for tsa in &config.tsas {
        let mut options = options(tsa, registry.as_ref(), &health)?;
        options.trust.material = Some(Arc::clone(&material));
        let client = client(tsa, options, keys, environment)?;
        let client = Arc::new(client.with_policy(policy.clone()));
        clients.push(Arc::clone(&client));
        let member = Member {
            authority: client,
            retry: RetryPolicy::usual(tsa.retries),
        };
        let list = if tsa.second {
            &mut for_second
        } else {
            &mut ordinary
        };
        list.push(member);
    }
    let chain = |members: [&[Member]; 2]| {
        Failover::of(members.concat())
            .remembering(Arc::clone(&health))
            .waiting(Arc::new(SystemSleeper), Arc::clone(&environment.entropy))
    };
    Ok(Authorities {
        first: chain([&ordinary, &for_second]),
        second: (!for_second.is_empty()).then(|| chain([&for_second, &ordinary])),
        clients,
        anchors: anchors(config)?,
        registry,
        health,
        material,
    })
}

/// The registry of accredited services, if the configuration names one.
///
/// # Errors
/// [`ArchiveError::Registry`] when it cannot be read or is no registry.
pub fn registry(config: &Config) -> Result<Option<Registry>, ArchiveError> {
    let registry = config.registry.as_deref().map(registry::read);
    Ok(registry.transpose()?)
}

/// What is remembered of each authority: derived, beside the index, which nothing else may stand in.
#[must_use]
pub fn health(config: &Config, environment: &Environment) -> Health {
    let mut name = config.index.as_os_str().to_owned();
    name.push(HEALTH_SUFFIX);
    let file = DerivedPlace {
        path: PathBuf::from(name),
        disk: Arc::clone(&environment.disk),
    };
    Health::kept_in(file, Arc::clone(&environment.clock))
}

/// The services that certificates name. What they said is kept in a folder beside the index: derived, too.
#[must_use]
pub(super) fn material(config: &Config, environment: &Environment) -> Arc<dyn MaterialSource> {
    let mut folder = config.index.as_os_str().to_owned();
    folder.push(MATERIAL_SUFFIX);
    let options = MaterialOptions {
        cache: Some(DerivedPlace {
            path: PathBuf::from(folder),
            disk: Arc::clone(&environment.disk),
        }),
        ..MaterialOptions::default()
    };
    let clock = Arc::clone(&environment.clock);
    let entropy = Arc::clone(&environment.entropy);
    Arc::new(HttpMaterial::new(options, clock, entropy))
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

/// What is asked of an authority; the trust of the embedded one comes with it.
fn options(
    tsa: &TsaConfig,
    registry: Option<&Arc<Registry>>,
    health: &Arc<Health>,
) -> Result<ClientOptions, ArchiveError> {
    let TsaKind::Remote { trust, policy, .. } = &tsa.kind else {
        return Ok(ClientOptions::new(
            tsa.name.clone(),
            Trust::anchors(Vec::new()),
        ));
    };
    let policy = policy
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| ArchiveError::Tsa {
            name: tsa.name.clone(),
            reason: "policy is not a dotted object identifier".to_owned(),
        })?;
    Ok(ClientOptions {
        name: tsa.name.clone(),
        policy,
        demands: demands(&tsa.demands),
        trust: Trust {
            registry: registry.map(Arc::clone),
            ..Trust::anchors(certificates(trust)?)
        },
        health: Some(Arc::clone(health)),
    })
}

fn demands(demands: &TsaDemands) -> Demands {
    Demands {
        clock_tolerance: time::Duration::seconds(i64::from(demands.clock_tolerance_s)),
        accuracy_max: Some(time::Duration::milliseconds(i64::from(
            demands.accuracy_max_ms,
        ))),
        accuracy_may_miss: demands.accuracy_may_miss,
        holds_min: time::Duration::days(i64::from(demands.holds_min_days)),
    }
}

fn client(
    tsa: &TsaConfig,
    options: ClientOptions,
    keys: &KeyMedium,
    environment: &Environment,
) -> Result<TsaClient, ArchiveError> {
    let clock = Arc::clone(&environment.clock);
    let entropy = Arc::clone(&environment.entropy);
    let TsaKind::Remote {
        url,
        tls_roots,
        timeout_s,
        ..
    } = &tsa.kind
    else {
        return Ok(TsaClient::embedded(
            embedded(keys, environment)?,
            clock,
            entropy,
        ));
    };
    let transport = TransportOptions {
        exchange_wait_max: Duration::from_secs(*timeout_s),
        tls_roots: tls_roots
            .as_deref()
            .map(certificates)
            .transpose()?
            .unwrap_or_default(),
        ..TransportOptions::default()
    };
    let transport = HttpTransport::new(url, transport).map_err(|error| ArchiveError::Tsa {
        name: tsa.name.clone(),
        reason: error.to_string(),
    })?;
    let link = Link::Http(Box::new(transport));
    Ok(TsaClient::new(link, options, clock, entropy))
}

/// What the file of the authorities' health is called beside the index.
const HEALTH_SUFFIX: &str = ".tsa.json";

/// What the folder of fetched CRLs is called beside the index.
const MATERIAL_SUFFIX: &str = ".material";

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
