//! The embedded authority's place on the key medium: `tsa/root.der`, `tsa/authority.der`, `tsa/key.sealed`.

use std::path::Path;
use std::sync::Arc;

use super::{ArchiveError, Environment};
use crate::keys::KeyMedium;
use crate::store::durable;
use crate::tsa::embedded::{AuthorityMaterial, EmbeddedAuthority};
use crate::tsa::key::AuthorityKey;

const FOLDER: &str = "tsa";
const ROOT: &str = "root.der";
const CERTIFICATE: &str = "authority.der";
const KEY: &str = "key.sealed";
/// The label under which the private key is sealed.
const KEY_LABEL: &str = "embedded TSA private key";

/// Makes an authority and keeps it on the key medium.
pub(super) fn make(keys: &KeyMedium, environment: &Environment) -> Result<(), ArchiveError> {
    let label = keys.archive().to_string();
    let now = environment.clock.now();
    let material = AuthorityMaterial::make(&label, now, environment.entropy.as_ref())?;
    let key = keys.seal_secret(KEY_LABEL, &material.key.to_pkcs8()?)?;
    let folder = keys.root().join(FOLDER);
    let disk = durable::system_disk();
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| ArchiveError::AuthorityFile { path, source }
    };
    durable::create_directories(disk.as_ref(), &folder).map_err(file(&folder))?;
    for (name, bytes) in [
        (ROOT, &material.root),
        (CERTIFICATE, &material.certificate),
        (KEY, &key),
    ] {
        let path = folder.join(name);
        durable::replace_file(disk.as_ref(), &path, bytes).map_err(file(&path))?;
    }
    Ok(())
}

/// The embedded authority of the archive, ready to answer.
///
/// # Errors
/// [`ArchiveError`] when a file of it is missing, damaged or not of this archive.
pub fn load_embedded_authority(
    keys: &KeyMedium,
    environment: &Environment,
) -> Result<Arc<EmbeddedAuthority>, ArchiveError> {
    let folder = keys.root().join(FOLDER);
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|source| ArchiveError::AuthorityFile { path, source })
    };
    let key = keys.open_secret(KEY_LABEL, &read(KEY)?)?;
    let material = AuthorityMaterial {
        root: read(ROOT)?,
        certificate: read(CERTIFICATE)?,
        key: AuthorityKey::from_pkcs8(&key)?,
    };
    let clock = Arc::clone(&environment.clock);
    let entropy = Arc::clone(&environment.entropy);
    Ok(Arc::new(EmbeddedAuthority::new(material, clock, entropy)?))
}
