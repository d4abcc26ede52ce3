//! Time-stamping authorities for tests: the embedded one as a server, and one made with OpenSSL.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::world::{World, put};

/// `archiver tsa serve`, until dropped.
#[derive(Debug)]
pub struct EmbeddedAuthority {
    process: Child,
    url: String,
}

impl EmbeddedAuthority {
    /// Serves the embedded authority of an archive on a free port.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn serve(world: &World) -> Self {
        let mut process = world
            .archiver_command(["tsa", "serve", "--listen", "127.0.0.1:0", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("archiver starts");
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        output.read_line(&mut line).expect("a line");
        let event: Value = serde_json::from_str(&line).expect("the listening event");
        let url = event["url"].as_str().expect("an address").to_owned();
        Self { process, url }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for EmbeddedAuthority {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Whether OpenSSL 3 is there; says in one line what is left out where it is not.
#[must_use]
pub fn has_openssl(left_out: &str) -> bool {
    let version = Command::new("openssl").arg("version").output();
    let found = version.is_ok_and(|output| output.stdout.starts_with(b"OpenSSL 3"));
    if !found {
        crate::left_out(
            "openssl",
            &format!("{left_out} (openssl 3 is not installed)"),
        );
    }
    found
}

/// Runs `openssl` in a folder with these arguments, separated by single spaces: whether it was content, and what it said.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn openssl(folder: &Path, arguments: &str) -> (bool, String) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// An authority with a root certificate, made with OpenSSL: `root.pem`, `tsa.pem` and `tsa.key` in its folder.
#[derive(Debug, Clone)]
pub struct OpenSslAuthority {
    folder: PathBuf,
}

impl OpenSslAuthority {
    /// Makes both, the root under this name; `key` is an argument of `-newkey`, for example `rsa:2048`.
    ///
    /// # Panics
    /// When OpenSSL refuses.
    #[must_use]
    pub fn make(folder: &Path, name: &str, key: &str) -> Self {
        put(&folder.join("openssl.cnf"), CONFIGURATION.as_bytes());
        put(&folder.join("serial"), b"01\n");
        let authority = Self {
            folder: folder.to_path_buf(),
        };
        authority
            .run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -genparam -out curve.pem");
        authority.run(&format!(
            "req -config openssl.cnf -newkey {key} -nodes -x509 -days 3650 -subj /CN={name} -extensions root -keyout root.key -out root.pem"
        ));
        authority.run(&format!(
            "req -config openssl.cnf -newkey {key} -nodes -subj /CN=Authority -keyout tsa.key -out tsa.csr"
        ));
        authority.run(
            "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -set_serial 4711 -days 365 -extfile openssl.cnf -extensions authority -out tsa.pem",
        );
        authority
    }

    /// The root certificate.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    /// `openssl ts -reply` for a request.
    ///
    /// # Panics
    /// When OpenSSL refuses.
    #[must_use]
    pub fn reply(&self, request: &[u8]) -> Vec<u8> {
        put(&self.folder.join("request.tsq"), request);
        self.run(
            "ts -reply -config openssl.cnf -section service -queryfile request.tsq -out reply.tsr",
        );
        std::fs::read(self.folder.join("reply.tsr")).expect("a reply")
    }

    fn run(&self, arguments: &str) {
        let (done, said) = openssl(&self.folder, arguments);
        assert!(done, "openssl {arguments}: {said}");
    }
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
[service]
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
