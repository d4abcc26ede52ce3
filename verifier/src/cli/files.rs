//! Reads files for the commands.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use formats::cms::OcspForm;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::x509::{read_certificates, read_crls};
use verifier::path::TrustAnchor;
use verifier::source::{DigestSource, KnownDigests};

use super::CannotJudge;

/// Bytes read at once from a data object.
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes of a data object that is read whole, where digests do not suffice.
const CONTENT_BYTES_MAX: u64 = 256 << 20;

/// The whole content of an evidence file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CannotJudge> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> CannotJudge {
    CannotJudge(format!("{} cannot be read: {error}", path.display()))
}

/// The trust anchors of files (PEM, or one DER certificate) and of all files in directories.
pub(crate) fn read_anchors(paths: &[PathBuf]) -> Result<Vec<TrustAnchor>, CannotJudge> {
    let mut anchors = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in files_of(path)? {
                // A directory may hold a readme beside its certificates.
                if let Ok(certificates) = read_certificates(&read(&file)?) {
                    add_anchors(&mut anchors, &file, &certificates)?;
                }
            }
        } else {
            let certificates = read_certificates(&read(path)?).map_err(|error| {
                CannotJudge(format!("{} holds no certificate: {error}", path.display()))
            })?;
            add_anchors(&mut anchors, path, &certificates)?;
        }
    }
    if anchors.is_empty() && !paths.is_empty() {
        return Err(CannotJudge("--trust names no certificate".to_owned()));
    }
    Ok(anchors)
}

fn files_of(directory: &Path) -> Result<Vec<PathBuf>, CannotJudge> {
    let unreadable = |error: io::Error| unreadable(directory, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn add_anchors(
    anchors: &mut Vec<TrustAnchor>,
    path: &Path,
    certificates: &[formats::x509::Certificate],
) -> Result<(), CannotJudge> {
    for certificate in certificates {
        let anchor = TrustAnchor::from_certificate(certificate.raw()).map_err(|_| {
            let path = path.display();
            CannotJudge(format!("{path} holds a certificate that cannot be trusted"))
        })?;
        anchors.push(anchor);
    }
    Ok(())
}

/// The CRLs of files, each PEM or DER.
pub(crate) fn read_crl_files(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, CannotJudge> {
    let mut crls = Vec::new();
    for path in paths {
        let list = read_crls(&read(path)?)
            .map_err(|error| CannotJudge(format!("{} holds no CRL: {error}", path.display())))?;
        crls.extend(list);
    }
    Ok(crls)
}

/// The OCSP responses of files, each DER: a whole response, or the signed part alone.
pub(crate) fn read_ocsp_files(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, CannotJudge> {
    let mut responses = Vec::new();
    for path in paths {
        let response = read(path)?;
        OcspForm::of(&response).map_err(|error| {
            CannotJudge(format!(
                "{} holds no OCSP response: {error}",
                path.display()
            ))
        })?;
        responses.push(response);
    }
    Ok(responses)
}

/// A data object on disk: read as a stream, once for each digest algorithm that evidence asks for.
#[derive(Debug)]
pub(crate) struct DataFile {
    name: String,
    path: PathBuf,
    size: u64,
    computed: RefCell<Vec<(DigestAlgorithm, Option<DigestValue>)>>,
}

impl DataFile {
    /// Opens a data object, so that one that cannot be read is told at once.
    pub(crate) fn open(path: &Path) -> Result<Self, CannotJudge> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
        if !metadata.is_file() {
            let path = path.display();
            return Err(CannotJudge(format!("{path} is not a regular file")));
        }
        Ok(Self {
            name: path.to_string_lossy().into_owned(),
            path: path.to_owned(),
            size: metadata.len(),
            computed: RefCell::default(),
        })
    }

    fn compute(&self, algorithm: DigestAlgorithm) -> io::Result<DigestValue> {
        let mut file = File::open(&self.path)?;
        let mut hasher = algorithm.hasher();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut chunk) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(count) => hasher.update(chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl DigestSource for DataFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self, algorithm: DigestAlgorithm) -> Option<DigestValue> {
        let mut computed = self.computed.borrow_mut();
        if let Some((_, value)) = computed.iter().find(|(known, _)| *known == algorithm) {
            return *value;
        }
        let value = self.compute(algorithm).ok();
        computed.push((algorithm, value));
        value
    }

    fn size(&self) -> Option<u64> {
        Some(self.size)
    }

    fn content(&self) -> Option<Cow<'_, [u8]>> {
        if self.size > CONTENT_BYTES_MAX {
            return None;
        }
        fs::read(&self.path).ok().map(Cow::Owned)
    }
}

/// Reads `SHA-256:2cf2…`.
pub(crate) fn parse_digest(text: &str) -> Result<KnownDigests, String> {
    let (name, hex) = text
        .rsplit_once(':')
        .ok_or("a digest looks like SHA-256:2cf2…")?;
    let upper = name.to_ascii_uppercase();
    let algorithm = DigestAlgorithm::from_name(&upper)
        .or_else(|| {
            let plain = |text: &str| text.replace(['-', '_', '/'], "");
            DigestAlgorithm::ALL
                .iter()
                .copied()
                .find(|known| plain(known.name()) == plain(&upper))
        })
        .ok_or_else(|| {
            let names: Vec<&str> = DigestAlgorithm::ALL
                .iter()
                .map(|known| known.name())
                .collect();
            format!("{name} is not one of {}", names.join(", "))
        })?;
    let bytes = hex::decode(hex).map_err(|_| "the digest is not hexadecimal".to_owned())?;
    let value = DigestValue::from_bytes(algorithm, &bytes)
        .ok_or_else(|| format!("a digest of {name} has {} bytes", algorithm.len()))?;
    Ok(KnownDigests::stated(text, vec![value]))
}
