//! Runs the `openssl` program, and makes a small certification authority with it.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `true` when `openssl` 3 is there; otherwise says in one line what is left out.
#[allow(clippy::print_stdout, reason = "a test that is left out says so")]
pub fn present(test: &str) -> bool {
    let found = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"OpenSSL 3"));
    if !found {
        println!("{test}: left out, the program openssl (version 3) is not installed");
    }
    found
}

/// Runs `openssl ARGUMENTS` (separated by single spaces) in a directory.
pub fn run(directory: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(directory)
        .output()
        .unwrap()
}

/// Runs and demands success.
pub fn must(directory: &Path, arguments: &str) {
    let output = run(directory, arguments);
    assert!(
        output.status.success(),
        "openssl {arguments}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A timestamp authority made with OpenSSL: `root.pem`, `tsa.pem`, `tsa.key` and `openssl.cnf` in a directory.
pub struct Authority {
    directory: PathBuf,
}

impl Authority {
    /// Makes root and authority; `key` is an argument of `-newkey`, e.g. `rsa:2048`.
    pub fn make(directory: &Path, key: &str) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        put(&directory.join("openssl.cnf"), CONFIGURATION.as_bytes());
        put(&directory.join("serial"), b"01\n");
        let new = format!("req -config openssl.cnf -newkey {key} -nodes");
        must(
            directory,
            &format!(
                "{new} -x509 -days 3650 -subj /CN=Root -extensions root -keyout root.key -out root.pem"
            ),
        );
        must(
            directory,
            &format!("{new} -subj /CN=Authority -keyout tsa.key -out tsa.csr"),
        );
        must(
            directory,
            "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -set_serial 4711 -days 365 -extfile openssl.cnf -extensions authority -out tsa.pem",
        );
        Self {
            directory: directory.to_path_buf(),
        }
    }

    /// The root certificate, PEM.
    pub fn root_pem(&self) -> Vec<u8> {
        std::fs::read(self.directory.join("root.pem")).unwrap()
    }

    /// `openssl ts -reply` for a request.
    pub fn reply(&self, request: &[u8]) -> Vec<u8> {
        self.reply_by(request, "sha256").unwrap()
    }

    /// `openssl ts -reply` with this digest in the signature; `None` where OpenSSL cannot sign so with the key.
    pub fn reply_by(&self, request: &[u8], digest: &str) -> Option<Vec<u8>> {
        put(&self.directory.join("request.tsq"), request);
        let answered = run(
            &self.directory,
            &format!(
                "ts -reply -config openssl.cnf -section authority_service -{digest} -queryfile request.tsq -out reply.tsr"
            ),
        );
        let reply = std::fs::read(self.directory.join("reply.tsr")).ok()?;
        let response = formats::tsp::TimeStampResponse::parse(&reply).ok()?;
        (answered.status.success() && response.is_granted()).then_some(reply)
    }
}

/// Writes a file of a test.
pub fn put(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    std::fs::File::create(path)
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

const CONFIGURATION: &str = "
[req]
distinguished_name = name
prompt = no
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[authority_service]
serial = serial
signer_cert = tsa.pem
certs = root.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.32473.7
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
";
