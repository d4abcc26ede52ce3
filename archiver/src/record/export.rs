//! Many records into a folder: every content object, compared with its digests, by several threads.
//!
//! The folder is not the archive: nothing is durable before [`export`] returns, and what could not be read whole is not there.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use formats::digest::DigestAlgorithm;
use formats::id::VersionId;

use super::error::RetrieveError;
use super::retrieve::{OpenedVersion, Retriever};
use crate::keys::KeyError;
use crate::store::catalog::Hit;

/// What became of one content object.
#[derive(Debug)]
pub struct Exported {
    /// The version.
    pub version: VersionId,
    /// The object's name at the depositor.
    pub name: String,
    /// Where it stands, relative to the folder.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal, as the manifest says it and as it was found.
    pub sha256: String,
}

/// Why an object, or all objects of a version, are not in the folder.
#[derive(Debug)]
pub enum ExportError {
    /// It cannot be read.
    Retrieve(RetrieveError),
    /// It cannot be written.
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl std::fmt::Display for ExportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Retrieve(error) => error.fmt(f),
            Self::Write { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for ExportError {}

impl ExportError {
    /// Whether the key of the version was destroyed, as somebody decided.
    #[must_use]
    pub const fn is_destroyed(&self) -> bool {
        matches!(
            self,
            Self::Retrieve(RetrieveError::Keys(KeyError::KeyDestroyed { .. }))
        )
    }
}

/// What one version gave.
pub type ExportedVersion = Result<Vec<Exported>, (VersionId, ExportError)>;

/// Writes the content objects of `hits` below `folder`, each version in a folder of its own. `on_version` is told of each version once, from
/// several threads, in no order. `written` counts bytes.
///
/// # Errors
/// [`ExportError::Write`] when the file system of the folder cannot be synchronised at the end. What is wrong with single versions is told
/// to `on_version`.
pub fn export(
    retriever: &Retriever<'_>,
    hits: &[Hit],
    folder: &Path,
    written: &AtomicU64,
    on_version: &(dyn Fn(ExportedVersion) + Sync),
) -> Result<(), ExportError> {
    let next = Mutex::new(hits.iter());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, THREADS_MAX) {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(hit) = taken else { return };
                    let exported = export_version(retriever, hit, folder, written);
                    on_version(exported.map_err(|error| (hit.version, error)));
                }
            });
        }
    });
    // One synchronisation for all files: a file at a time would wait for the medium thousands of times.
    let path = folder.to_owned();
    File::open(folder)
        .and_then(|folder| rustix::fs::syncfs(folder).map_err(io::Error::from))
        .map_err(|source| ExportError::Write { path, source })
}

fn export_version(
    retriever: &Retriever<'_>,
    hit: &Hit,
    folder: &Path,
    written: &AtomicU64,
) -> Result<Vec<Exported>, ExportError> {
    let mut opened = retriever
        .open_at(hit.version, hit.address)
        .map_err(ExportError::Retrieve)?;
    let below = PathBuf::from(folder_name(hit.version));
    let objects = objects_of(&opened, hit.version);
    let mut bytes = 0;
    for (place, object) in (0_u32..).zip(&objects) {
        if let Err(error) = write_object(&mut opened, place, &folder.join(&object.path)) {
            // A version is there whole or not at all.
            drop(fs::remove_dir_all(folder.join(&below)));
            written.fetch_sub(bytes, Ordering::Relaxed);
            return Err(error);
        }
        bytes += object.size;
        written.fetch_add(object.size, Ordering::Relaxed);
    }
    Ok(objects)
}

/// The objects of a version, and where each stands in an export.
pub(crate) fn objects_of(opened: &OpenedVersion<'_>, version: VersionId) -> Vec<Exported> {
    let below = PathBuf::from(folder_name(version));
    let objects = opened.manifest().objects.iter();
    objects
        .map(|object| Exported {
            version,
            name: object.name.to_string(),
            // The format allows no name that leads out of its folder.
            path: below.join(OsStr::from_bytes(object.name.as_bytes())),
            size: object.size,
            sha256: object
                .digests
                .under(DigestAlgorithm::Sha256)
                .map(|digest| hex::encode(digest.as_bytes()))
                .unwrap_or_default(),
        })
        .collect()
}

/// Writes one object; a file that is not the whole object does not stay.
fn write_object(
    opened: &mut OpenedVersion<'_>,
    object: u32,
    path: &Path,
) -> Result<(), ExportError> {
    let failed = |source| ExportError::Write {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let file = File::create_new(path).map_err(failed)?;
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, file);
    let result = match opened.write_object(object, &mut output) {
        Ok(()) => output
            .into_inner()
            .map(drop)
            .map_err(|error| failed(error.into_error())),
        Err(error) => Err(ExportError::Retrieve(error)),
    };
    if result.is_err() {
        drop(fs::remove_file(path));
    }
    result
}

/// The record's id; further versions with their number.
pub(crate) fn folder_name(version: VersionId) -> String {
    if version.version() == 1 {
        version.record().to_string()
    } else {
        format!("{}-{}", version.record(), version.version())
    }
}

/// Threads beyond this only wait for the medium.
const THREADS_MAX: usize = 8;

/// Bytes gathered before a write.
const BUFFER_BYTES: usize = 256 * 1024;
