//! A certification authority made with OpenSSL whose certificates name where their status can be asked: a CRL and `openssl ocsp`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;
use time::macros::format_description;

use crate::authority::openssl;
use crate::http::{Answer, serve};
use crate::world::put;

/// Root, certification authority and time-stamping authority. The certificate of the second names the CRL of the first, that of the third an
/// OCSP responder. `root.pem` in its folder is the root.
#[derive(Debug)]
pub struct NamedStatus {
    folder: PathBuf,
    url: String,
    list: Arc<Mutex<Vec<u8>>>,
    responder: Child,
}

impl NamedStatus {
    /// Makes all of it, with services that run until it is dropped. The time-stamping certificate holds for this many days. No CRL is published.
    ///
    /// # Panics
    /// When OpenSSL refuses.
    #[must_use]
    pub fn make(folder: &Path, days: u32) -> Self {
        let list = Arc::<Mutex<Vec<u8>>>::default();
        let published = Arc::clone(&list);
        let lists = serve(move |_| Answer {
            status: "200 OK",
            content_type: "application/pkix-crl",
            body: published
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        });
        let write = |name: &str, text: &str| put(&folder.join(name), text.as_bytes());
        write("openssl.cnf", &CONFIGURATION.replace("LISTS", &lists));
        for (name, text) in [
            ("serial", "01\n"),
            ("root.number", "01\n"),
            ("root.index", ""),
            (
                "ca.index",
                "V\t361231235959Z\t\t1267\tunknown\t/CN=Authority\n",
            ),
        ] {
            write(name, text);
        }
        let run = |arguments: &str| run(folder, arguments);
        let new = "req -config openssl.cnf -newkey rsa:2048 -nodes";
        run(&format!(
            "{new} -x509 -days 9000 -subj /CN=Root -extensions root -keyout root.key -out root.pem"
        ));
        for (name, subject, issuer, serial) in [
            ("ca", "CA", "root", "4710"),
            ("responder", "Responder", "ca", "4712"),
        ] {
            run(&format!(
                "{new} -subj /CN={subject} -keyout {name}.key -out {name}.csr"
            ));
            run(&format!(
                "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -set_serial {serial} -days 8000 -extfile openssl.cnf -extensions {name} -out {name}.pem"
            ));
        }
        let (responder, port) = respond(folder);
        write(
            "tsa.ext",
            &format!("{EXTENSIONS}authorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}/\n"),
        );
        run(&format!(
            "{new} -subj /CN=Authority -keyout tsa.key -out tsa.csr"
        ));
        // 4711 is 1267 in hexadecimal.
        run(&format!(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -set_serial 4711 -days {days} -extfile tsa.ext -out tsa.pem"
        ));
        let at = folder.to_path_buf();
        let url = serve(move |request| {
            put(&at.join("request.tsq"), &request);
            self::run(
                &at,
                "ts -reply -config openssl.cnf -section service -queryfile request.tsq -out reply.tsr",
            );
            Answer::reply(std::fs::read(at.join("reply.tsr")).expect("a reply"))
        });
        Self {
            folder: folder.to_path_buf(),
            url,
            list,
            responder,
        }
    }

    /// Where the time-stamping authority listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Publishes a CRL of the root that was issued at one time and holds until the other.
    ///
    /// # Panics
    /// When OpenSSL refuses.
    pub fn publish(&self, from: OffsetDateTime, until: OffsetDateTime) {
        let (from, until) = (moment(from), moment(until));
        run(
            &self.folder,
            &format!(
                "ca -config openssl.cnf -name lists -gencrl -crl_lastupdate {from} -crl_nextupdate {until} -out new.crl"
            ),
        );
        run(&self.folder, "crl -in new.crl -outform DER -out new.der");
        let list = std::fs::read(self.folder.join("new.der")).expect("a CRL");
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = list;
    }

    /// The certification authority's key is lost at this time: the next CRL says so. 4710 is 1266 in hexadecimal.
    pub fn revoke(&self, at: OffsetDateTime) {
        let at = moment(at);
        let line = format!(
            "R\t451231235959Z\t{},keyCompromise\t1266\tunknown\t/CN=CA\n",
            at.trim_start_matches("20")
        );
        put(&self.folder.join("root.index"), line.as_bytes());
    }
}

impl Drop for NamedStatus {
    fn drop(&mut self) {
        drop(self.responder.kill());
        drop(self.responder.wait());
    }
}

fn run(folder: &Path, arguments: &str) {
    let (done, said) = openssl(folder, arguments);
    assert!(done, "openssl {arguments}: {said}");
}

/// Starts `openssl ocsp` on a port that it chooses.
fn respond(folder: &Path) -> (Child, u16) {
    let arguments = "ocsp -port 0 -index ca.index -CA ca.pem -rsigner responder.pem -rkey responder.key -nmin 10";
    let mut child = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    // ACCEPT [::]:36505 PID=31160
    let line = lines.next().expect("a line").expect("text");
    let port = line
        .split(' ')
        .nth(1)
        .and_then(|address| address.rsplit(':').next());
    let port = port.and_then(|port| port.parse().ok()).expect("a port");
    // It writes a line for each question.
    std::thread::spawn(move || lines.for_each(drop));
    (child, port)
}

fn moment(time: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    time.format(format).expect("a time")
}

const EXTENSIONS: &str = "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";

const CONFIGURATION: &str = "
[req]
distinguished_name = name
prompt = no
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:LISTSroot.crl
[responder]
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[lists]
database = root.index
certificate = root.pem
private_key = root.key
crlnumber = root.number
default_md = sha256
crl_extensions = list
[list]
authorityKeyIdentifier = keyid
[service]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
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
