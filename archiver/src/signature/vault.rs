//! Where the signing key is kept: the folder `signing` on the key medium.
//!
//! | file | what it holds |
//! |---|---|
//! | `ca.pem` | the certificate of the archive's own authority |
//! | `ca.sealed` | its private key (PKCS #8), sealed under the key-encryption key |
//! | `key-….sealed` | a signing key, sealed alike; named by the digest of its public key |
//! | `request.pem` | the last request for a certificate |
//! | `signer.pem` | the signer's certificate and those above it; written last: it decides which key signs |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use firmware::entropy::Entropy;
use formats::digest::DigestAlgorithm;
use formats::x509::{Certificate, encode_pem, read_certificates};
use time::OffsetDateTime;
use verifier::budget::Budget;
use verifier::path::{Material, PathOptions, PathOutcome, TrustAnchor, validate_path};
use verifier::policy::RevocationRule;

use super::certificate;
use super::error::SignatureError;
use super::signer::{ArchiveSigner, OwnAuthority};
use crate::keys::{KeyMedium, sealed};
use crate::store::durable::{Disk, create_directories, read_settled, replace_file};
use crate::tsa::key::AuthorityKey;

/// Whether the key medium holds a signing key with its certificate.
#[must_use]
pub fn exists(medium: &KeyMedium) -> bool {
    folder(medium).join(SIGNER_FILE).exists()
}

/// Makes an authority, a signing key, and the certificate of the one for the other.
///
/// # Errors
/// [`SignatureError`]. A failure leaves a folder without `signer.pem`, which counts as none.
pub fn create(
    medium: &KeyMedium,
    disk: &dyn Disk,
    now: OffsetDateTime,
    entropy: &dyn Entropy,
) -> Result<(), SignatureError> {
    let folder = folder(medium);
    if exists(medium) {
        return Err(SignatureError::AlreadyCreated { path: folder });
    }
    let label = label(medium);
    let authority_key = AuthorityKey::generate(entropy)?;
    let key = AuthorityKey::generate(entropy)?;
    let authority = certificate::issue_authority(&label, &authority_key, now, entropy)?;
    let signer = certificate::issue_signer(&label, &authority, &authority_key, &key, now, entropy)?;
    let chain = [signer.as_slice(), &authority]
        .map(|one| encode_pem(CERTIFICATE, one))
        .concat();
    let sealed_authority = medium.seal_secret(AUTHORITY_LABEL, &authority_key.to_pkcs8()?)?;
    let write = |name: &str, contents: &[u8]| write(medium, disk, name, contents);
    write(
        AUTHORITY_FILE,
        encode_pem(CERTIFICATE, &authority).as_bytes(),
    )?;
    write(AUTHORITY_KEY_FILE, &sealed_authority)?;
    store_key(medium, disk, &key)?;
    write(SIGNER_FILE, chain.as_bytes())
}

/// Reads the signer of the key medium.
///
/// # Errors
/// [`SignatureError::NoKey`] when there is none.
pub fn open(medium: &KeyMedium) -> Result<ArchiveSigner, SignatureError> {
    let folder = folder(medium);
    if !exists(medium) {
        return Err(SignatureError::NoKey { path: folder });
    }
    let chain = certificates(&folder.join(SIGNER_FILE))?;
    let damaged = SignatureError::Damaged {
        what: "the chain of the signing certificate",
    };
    let own = chain.first().ok_or(damaged)?;
    let key = read_key(medium, &key_path(medium, own.spki()), SIGNER_LABEL)?;
    let authority = own_authority(medium, &chain)?;
    ArchiveSigner::new(key, chain, authority)
}

/// The certificate that a relying party must trust, DER, without a key being opened; `None` without a signing key.
///
/// # Errors
/// [`SignatureError`].
pub fn trust_anchor(key_medium_root: &Path) -> Result<Option<Vec<u8>>, SignatureError> {
    let path = key_medium_root.join(FOLDER).join(SIGNER_FILE);
    if !path.exists() {
        return Ok(None);
    }
    Ok(certificates(&path)?.last().map(|one| one.raw().to_vec()))
}

/// Makes a new key and a request for a certificate for it (PKCS #10, PEM). The present key signs on until a chain is installed.
///
/// # Errors
/// [`SignatureError`].
pub fn request(
    medium: &KeyMedium,
    disk: &dyn Disk,
    entropy: &dyn Entropy,
) -> Result<String, SignatureError> {
    let key = AuthorityKey::generate(entropy)?;
    store_key(medium, disk, &key)?;
    let request = encode_pem(
        "CERTIFICATE REQUEST",
        &certificate::request(&label(medium), &key)?,
    );
    write(medium, disk, REQUEST_FILE, request.as_bytes())?;
    Ok(request)
}

/// Takes a chain (PEM) for a key that was made by [`request`]: from now on that key signs.
///
/// # Errors
/// [`SignatureError::Chain`] with what is wrong; the present key goes on signing then.
pub fn install(
    medium: &KeyMedium,
    disk: &dyn Disk,
    pem: &[u8],
    now: OffsetDateTime,
) -> Result<ArchiveSigner, SignatureError> {
    let refused = |reason| SignatureError::Chain { reason };
    let mut given =
        read_certificates(pem).map_err(|_| refused("it is no PEM file with certificates"))?;
    let place = given
        .iter()
        .position(|one| key_path(medium, one.spki()).exists())
        .ok_or_else(|| refused("no certificate in it is for a key of this archive: make a request first, and have it certified"))?;
    let chain = in_order(given.swap_remove(place), given);
    check_chain(&chain, now)?;
    let own = chain.first().ok_or_else(|| refused("it is empty"))?;
    let key = read_key(medium, &key_path(medium, own.spki()), SIGNER_LABEL)?;
    let text: String = chain
        .iter()
        .map(|one| encode_pem(CERTIFICATE, one.raw()))
        .collect();
    let authority = own_authority(medium, &chain)?;
    let signer = ArchiveSigner::new(key, chain, authority)?;
    write(medium, disk, SIGNER_FILE, text.as_bytes())?;
    Ok(signer)
}

/// The signer's certificate, then its issuer, and so on; what does not belong to the path is left out.
fn in_order(own: Certificate, mut others: Vec<Certificate>) -> Vec<Certificate> {
    let mut chain = vec![own];
    while let Some(last) = chain.last().filter(|last| last.issuer() != last.subject()) {
        let above = |one: &Certificate| one.subject() == last.issuer();
        let Some(place) = others.iter().position(above) else {
            break;
        };
        chain.push(others.swap_remove(place));
    }
    chain
}

fn check_chain(chain: &[Certificate], now: OffsetDateTime) -> Result<(), SignatureError> {
    let refused = |reason| Err(SignatureError::Chain { reason });
    if chain
        .last()
        .is_none_or(|last| last.issuer() != last.subject())
    {
        return refused("it does not end in a root certificate: add the certificates above");
    }
    if !is_valid(chain, now) {
        return refused(
            "a signature in it does not hold, or a certificate has expired or is not valid yet",
        );
    }
    let Some(Ok(own)) = chain.first().map(Certificate::x509) else {
        return refused("the signer's certificate cannot be read");
    };
    let may_sign = own
        .key_usage()
        .ok()
        .flatten()
        .is_none_or(|usage| usage.value.digital_signature() || usage.value.non_repudiation());
    if !may_sign {
        return refused("the signer's certificate does not allow signatures (keyUsage)");
    }
    Ok(())
}

/// RFC 5280 §6, from the first certificate to the last, which is taken as trusted: the operator who installs it decides that.
fn is_valid(chain: &[Certificate], now: OffsetDateTime) -> bool {
    let (Some(own), Some(top)) = (chain.first(), chain.last()) else {
        return false;
    };
    let Ok(anchor) = TrustAnchor::from_certificate(top.raw()) else {
        return false;
    };
    let material = Material {
        certificates: chain.iter().map(Certificate::raw).collect(),
        ..Material::default()
    };
    let options = PathOptions {
        revocation: RevocationRule::Off,
        ..PathOptions::default()
    };
    let mut budget = Budget::default();
    let outcome = validate_path(own.raw(), &material, &[anchor], now, &options, &mut budget);
    matches!(outcome, PathOutcome::Verified(_))
}

/// The archive's authority, if it is the issuer at the top of this chain.
fn own_authority(
    medium: &KeyMedium,
    chain: &[Certificate],
) -> Result<Option<OwnAuthority>, SignatureError> {
    let folder = folder(medium);
    let path = folder.join(AUTHORITY_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let certificates = certificates(&path)?;
    let (Some(own), Some(top)) = (certificates.first(), chain.last()) else {
        return Ok(None);
    };
    if own != top {
        return Ok(None);
    }
    Ok(Some(OwnAuthority {
        certificate: own.raw().to_vec(),
        key: read_key(medium, &folder.join(AUTHORITY_KEY_FILE), AUTHORITY_LABEL)?,
    }))
}

fn store_key(
    medium: &KeyMedium,
    disk: &dyn Disk,
    key: &AuthorityKey,
) -> Result<(), SignatureError> {
    let spki = rcgen::PublicKeyData::subject_public_key_info(key);
    let sealed = medium.seal_secret(SIGNER_LABEL, &key.to_pkcs8()?)?;
    write(medium, disk, &key_name(&spki), &sealed)
}

fn read_key(
    medium: &KeyMedium,
    path: &Path,
    label: &'static str,
) -> Result<AuthorityKey, SignatureError> {
    let sealed = read_settled(path).map_err(|source| failed(path, source))?;
    Ok(AuthorityKey::from_pkcs8(
        &medium.open_secret(label, &sealed)?,
    )?)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, SignatureError> {
    let bytes = fs::read(path).map_err(|source| failed(path, source))?;
    let damaged = SignatureError::Damaged {
        what: "a signing certificate",
    };
    match read_certificates(&bytes) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(damaged),
    }
}

/// Writes a file of the folder on every key medium.
fn write(
    medium: &KeyMedium,
    disk: &dyn Disk,
    name: &str,
    contents: &[u8],
) -> Result<(), SignatureError> {
    for root in medium.roots_in_service() {
        let folder = root.join(FOLDER);
        create_directories(disk, &folder).map_err(|source| failed(&folder, source))?;
        let path = folder.join(name);
        replace_file(disk, &path, contents).map_err(|source| failed(&path, source))?;
    }
    Ok(())
}

fn failed(path: &Path, source: io::Error) -> SignatureError {
    SignatureError::Io {
        path: path.to_path_buf(),
        source,
    }
}

fn folder(medium: &KeyMedium) -> PathBuf {
    medium.root().join(FOLDER)
}

fn key_path(medium: &KeyMedium, spki: &[u8]) -> PathBuf {
    folder(medium).join(key_name(spki))
}

fn key_name(spki: &[u8]) -> String {
    let digest = DigestAlgorithm::Sha256.digest(spki).to_hex();
    let short = digest.get(..16).unwrap_or_default();
    format!("key-{short}.sealed")
}

/// The last group of the archive's identifier, which is random: enough to tell two archives' signers apart.
fn label(medium: &KeyMedium) -> String {
    let archive = medium.archive().to_string();
    archive.rsplit('-').next().unwrap_or_default().to_owned()
}

const FOLDER: &str = "signing";
const AUTHORITY_FILE: &str = "ca.pem";
const AUTHORITY_KEY_FILE: &str = "ca.sealed";
const SIGNER_FILE: &str = "signer.pem";
const REQUEST_FILE: &str = "request.pem";
const AUTHORITY_LABEL: &str = sealed::SIGNING_AUTHORITY;
const SIGNER_LABEL: &str = sealed::SIGNING_KEY;
const CERTIFICATE: &str = "CERTIFICATE";
