//! The registry of accredited authorities, read from its file. What it says about a token is judged by the verifier.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

pub use verifier::registry::{
    Accreditation, REGISTRY_BYTES_MAX, REGISTRY_VERSION, Registry, Statutory, StatutoryAnswer,
    Unstatutory, judge,
};

/// Why a registry cannot be used.
#[derive(Debug)]
pub struct RegistryError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, with the place in the file.
    pub reason: String,
}

/// Reads a registry.
///
/// # Errors
/// [`RegistryError`] when the file cannot be read, is larger than [`REGISTRY_BYTES_MAX`], or is no registry.
pub fn read(path: &Path) -> Result<Registry, RegistryError> {
    let failed = |reason: String| RegistryError {
        path: path.to_path_buf(),
        reason,
    };
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(REGISTRY_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(error.to_string()))?;
    Registry::read(&bytes).map_err(|error| failed(error.to_string()))
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for RegistryError {}
