//! What is kept between commands: servers, their authorities, accounts, and the tokens of sessions.
//!
//! One file of the user alone, `$XDG_CONFIG_HOME/fumikura/profiles.toml`. One that others may read is not used.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::error::RemoteError;
use crate::store::durable::{self, Disk};

/// A server, and who asks it.
#[derive(Clone)]
pub struct Profile {
    /// Its address, `https://HOST:PORT`.
    pub server: String,
    /// The certificates of the authority that certifies it, in PEM.
    pub ca: String,
    /// The account; none for a system.
    pub account: Option<String>,
    /// The token of its session.
    pub token: Option<SecretString>,
    /// Certificate and key of a system, as PEM files.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("server", &self.server)
            .field("account", &self.account)
            .field("has_token", &self.token.is_some())
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// All profiles, by their names.
pub type Profiles = BTreeMap<String, Profile>;

/// Where profiles are kept.
#[derive(Debug, Clone, Copy)]
pub struct ProfileStore<'a> {
    /// The file.
    pub path: &'a Path,
    /// The writing system calls.
    pub disk: &'a dyn Disk,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    version: u32,
    #[serde(default)]
    profile: BTreeMap<String, StoredProfile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredProfile {
    server: String,
    ca: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_key: Option<PathBuf>,
}

impl Drop for StoredProfile {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

impl ProfileStore<'_> {
    /// Reads all profiles; none where there is no file.
    ///
    /// # Errors
    /// [`RemoteError::ProfilesOpen`] where others may read it, [`RemoteError::File`], [`RemoteError::Unusable`].
    pub fn load(&self) -> Result<Profiles, RemoteError> {
        let failed = |source| RemoteError::File {
            path: self.path.to_owned(),
            source,
        };
        let mode = match std::fs::metadata(self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Profiles::new()),
            Err(error) => return Err(failed(error)),
            Ok(facts) => facts.permissions().mode() & 0o7777,
        };
        if mode & 0o077 != 0 {
            return Err(RemoteError::ProfilesOpen {
                path: self.path.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(std::fs::read_to_string(self.path).map_err(failed)?);
        let unusable = |what: String| RemoteError::Unusable {
            path: self.path.to_owned(),
            what,
        };
        // The parser's own message would show the line, and with it perhaps a token.
        let file: ProfileFile = toml::from_str(&text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start);
            unusable(format!("no profiles in TOML, at byte {place}"))
        })?;
        if file.version != VERSION {
            return Err(unusable(format!("version {}", file.version)));
        }
        Ok(file.profile.into_iter().map(stored).collect())
    }

    /// Writes all profiles durably, readable by the user alone.
    ///
    /// # Errors
    /// [`RemoteError::File`].
    pub fn save(&self, profiles: &Profiles) -> Result<(), RemoteError> {
        let failed = |source| RemoteError::File {
            path: self.path.to_owned(),
            source,
        };
        let file = ProfileFile {
            version: VERSION,
            profile: profiles.iter().map(to_store).collect(),
        };
        let text = toml::to_string(&file).map_err(|error| failed(io::Error::other(error)))?;
        let text = Zeroizing::new(text);
        if let Some(folder) = self.path.parent() {
            durable::create_directories(self.disk, folder).map_err(failed)?;
        }
        durable::replace_file(self.disk, self.path, text.as_bytes()).map_err(failed)
    }
}

fn stored((name, mut profile): (String, StoredProfile)) -> (String, Profile) {
    let client = profile
        .client_certificate
        .take()
        .zip(profile.client_key.take());
    let made = Profile {
        server: std::mem::take(&mut profile.server),
        ca: std::mem::take(&mut profile.ca),
        account: profile.account.take(),
        token: profile.token.take().map(SecretString::from),
        client,
    };
    (name, made)
}

fn to_store((name, profile): (&String, &Profile)) -> (String, StoredProfile) {
    let token = profile.token.as_ref();
    let (client_certificate, client_key) = profile.client.clone().unzip();
    let made = StoredProfile {
        server: profile.server.clone(),
        ca: profile.ca.clone(),
        account: profile.account.clone(),
        token: token.map(|token| token.expose_secret().to_owned()),
        client_certificate,
        client_key,
    };
    (name.clone(), made)
}

const VERSION: u32 = 1;
