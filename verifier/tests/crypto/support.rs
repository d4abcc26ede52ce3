//! Keys and signatures by OpenSSL, and what is the same for every signature.

use formats::digest::DigestAlgorithm;
use formats::oid::Oid;
use std::path::{Path, PathBuf};
use std::process::Command;
use verifier::algorithm::SignatureAlgorithm;
use verifier::crypto::{SignatureCheck, verify_signature};

/// Runs openssl in `directory`; `None` if there is none or it refuses.
pub(crate) fn openssl(directory: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .ok()?;
    if output.status.success() {
        Some(output.stdout)
    } else {
        let text = String::from_utf8_lossy(&output.stderr);
        println!("openssl {arguments:?}: {text}");
        None
    }
}

pub(crate) fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        println!("left out: no openssl program");
    }
    found
}

pub(crate) const MESSAGE: &[u8] = b"What was signed, in the words of its signer.";

/// A private key with its public key, in a directory that lives as long.
pub(crate) struct Key {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) spki: Vec<u8>,
}

impl Key {
    pub(crate) fn generate(arguments: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut all = vec!["genpkey", "-out", "key.pem"];
        all.extend(arguments);
        openssl(directory.path(), &all)?;
        Self::finish(directory)
    }

    pub(crate) fn dsa(bits: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let option = format!("dsa_paramgen_bits:{bits}");
        let arguments = [
            "genpkey",
            "-genparam",
            "-algorithm",
            "DSA",
            "-pkeyopt",
            &option,
            "-out",
            "par.pem",
        ];
        openssl(directory.path(), &arguments)?;
        openssl(
            directory.path(),
            &["genpkey", "-paramfile", "par.pem", "-out", "key.pem"],
        )?;
        Self::finish(directory)
    }

    pub(crate) fn finish(directory: tempfile::TempDir) -> Option<Self> {
        let spki = openssl(
            directory.path(),
            &["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"],
        )?;
        put(&directory.path().join("message"), MESSAGE);
        Some(Self { directory, spki })
    }

    pub(crate) fn sign(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let mut all = vec!["dgst", "-sign", "key.pem"];
        all.extend(arguments);
        all.push("message");
        openssl(self.directory.path(), &all)
    }
}

pub(crate) fn put(path: &PathBuf, bytes: &[u8]) {
    use std::io::Write as _;
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

/// What is the same for one signature.
pub(crate) struct Case<'a> {
    pub(crate) spki: &'a [u8],
    pub(crate) algorithm: Oid,
    pub(crate) parameters: Option<&'a [u8]>,
    pub(crate) digest: Option<DigestAlgorithm>,
    pub(crate) signature: Vec<u8>,
}

impl Case<'_> {
    pub(crate) fn check(&self, message: &[u8], signature: &[u8]) -> SignatureCheck {
        verify_signature(
            self.spki,
            &self.algorithm,
            self.parameters,
            self.digest,
            message,
            signature,
        )
    }

    /// The signature holds, and no change of it does.
    pub(crate) fn hold(&self, expected: SignatureAlgorithm) {
        assert_eq!(
            self.check(MESSAGE, &self.signature),
            SignatureCheck::Valid(expected),
            "{expected}"
        );
        self.changes_fail();
    }

    pub(crate) fn changes_fail(&self) {
        assert!(!self.check(b"something else", &self.signature).is_valid());
        let mut longer = self.signature.clone();
        longer.push(0);
        assert!(!self.check(MESSAGE, &longer).is_valid(), "longer");
        let shorter = &self.signature[..self.signature.len() - 1];
        assert!(!self.check(MESSAGE, shorter).is_valid(), "shorter");
        assert!(!self.check(MESSAGE, &[]).is_valid(), "empty");
        let step = self.signature.len() / 12 + 1;
        for position in (0..self.signature.len()).step_by(step) {
            let mut changed = self.signature.clone();
            changed[position] ^= 1 << (position % 8);
            assert!(
                !self.check(MESSAGE, &changed).is_valid(),
                "octet {position}"
            );
        }
    }
}

pub(crate) const NULL: &[u8] = &[0x05, 0x00];
