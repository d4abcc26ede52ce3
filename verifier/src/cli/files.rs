//! Reads files for the commands.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use formats::cms::OcspForm;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::x509::{read_certificates, read_crls};
use verifier::path::TrustAnchor;
use verifier::source::KnownDigests;

use super::CannotJudge;

/// The whole content of a file that the user has made: anchors, lists, a policy.
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
