//! The registry's file: TOML, read strictly. `docs/en/tsa.md` describes it.

use std::fmt;

use formats::oid::Oid;
use serde::Deserialize;
use time::{Date, Month};

use super::{Days, Registry, Scheme, Service};

/// The version of the format that this program reads.
pub const REGISTRY_VERSION: u32 = 1;

/// Most bytes of a registry. A service has some 500.
pub const REGISTRY_BYTES_MAX: usize = 1024 * 1024;

/// Why a registry cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// It is longer than [`REGISTRY_BYTES_MAX`].
    TooLong,
    /// It is no text in UTF-8.
    NotText,
    /// It is no registry; what is wrong, with the place in the file.
    Malformed(String),
}

impl Registry {
    /// Reads a registry from the bytes of its file.
    ///
    /// # Errors
    /// [`RegistryError`]
    pub fn read(bytes: &[u8]) -> Result<Self, RegistryError> {
        if bytes.len() > REGISTRY_BYTES_MAX {
            return Err(RegistryError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RegistryError::NotText)?;
        Self::parse(text).map_err(RegistryError::Malformed)
    }

    /// Reads a registry from its text.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if file.version != REGISTRY_VERSION {
            return Err(format!("version: this program reads {REGISTRY_VERSION}"));
        }
        let mut schemes: Vec<Scheme> = Vec::new();
        for row in file.schemes {
            if schemes.iter().any(|scheme| scheme.id == row.id) {
                return Err(format!("scheme {}: stands twice", row.id));
            }
            let days = days(row.statutory_from, row.statutory_to)
                .map_err(|why| format!("scheme {}: {why}", row.id))?;
            schemes.push(Scheme {
                id: row.id,
                name: row.name,
                recognised: days,
                source: row.source,
            });
        }
        let mut services = Vec::new();
        for row in file.services {
            let name = row.name.clone();
            let service = service(row, &schemes).map_err(|why| format!("service {name}: {why}"))?;
            services.push(service);
        }
        Ok(Self { schemes, services })
    }
}

fn service(row: ServiceRow, schemes: &[Scheme]) -> Result<Service, String> {
    if !schemes.iter().any(|scheme| scheme.id == row.scheme) {
        return Err(format!("no [[scheme]] has the id {}", row.scheme));
    }
    if row.certificates.is_empty() {
        return Err("certificates: at least one SHA-256 digest".to_owned());
    }
    let certificates = row.certificates.iter().map(|text| digest(text));
    let policies = row.policies.iter().map(|text| {
        text.parse()
            .map_err(|_| format!("policies: {text} is no dotted object identifier"))
    });
    Ok(Service {
        accredited: days(row.accredited_from, row.accredited_to)?,
        certificates: certificates.collect::<Result<_, _>>()?,
        policies: policies.collect::<Result<Vec<Oid>, _>>()?,
        name: row.name,
        operator: row.operator,
        scheme: row.scheme,
        source: row.source,
    })
}

/// A SHA-256 digest in hexadecimal, with or without the colons that `openssl x509 -fingerprint` writes.
fn digest(text: &str) -> Result<[u8; 32], String> {
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    let bytes = hex::decode(plain).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            format!("certificates: {text} is no SHA-256 digest of 64 hexadecimal digits")
        })
}

fn days(from: toml::value::Datetime, to: Option<toml::value::Datetime>) -> Result<Days, String> {
    let from = day(from)?;
    let to = to.map(day).transpose()?;
    if to.is_some_and(|to| to < from) {
        return Err("the last day lies before the first".to_owned());
    }
    Ok(Days { from, to })
}

fn day(value: toml::value::Datetime) -> Result<Date, String> {
    let wrong = || format!("{value} is no day like 2026-04-01");
    if value.time.is_some() || value.offset.is_some() {
        return Err(wrong());
    }
    let date = value.date.ok_or_else(wrong)?;
    let month = Month::try_from(date.month).map_err(|_| wrong())?;
    Date::from_calendar_date(i32::from(date.year), month, date.day).map_err(|_| wrong())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default, rename = "scheme")]
    schemes: Vec<SchemeRow>,
    #[serde(default, rename = "service")]
    services: Vec<ServiceRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeRow {
    id: String,
    name: String,
    statutory_from: toml::value::Datetime,
    #[serde(default)]
    statutory_to: Option<toml::value::Datetime>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceRow {
    name: String,
    operator: String,
    scheme: String,
    accredited_from: toml::value::Datetime,
    #[serde(default)]
    accredited_to: Option<toml::value::Datetime>,
    certificates: Vec<String>,
    #[serde(default)]
    policies: Vec<String>,
    source: String,
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {REGISTRY_BYTES_MAX} bytes"),
            Self::NotText => f.write_str("no text in UTF-8"),
            Self::Malformed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for RegistryError {}
