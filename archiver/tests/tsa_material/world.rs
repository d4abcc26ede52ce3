//! A certification authority of OpenSSL, with its services behind a small HTTP server whose answers the test bends.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use archiver::tsa::checks::{AcceptedToken, Trust};
use archiver::tsa::client::{ClientOptions, Link, Timestamper as _, TsaClient};
use archiver::tsa::material::{Collected, HttpMaterial, MaterialOptions, MaterialSource as _};
use archiver::tsa::refusal::TsaError;
use archiver::tsa::transport::{HttpTransport, TransportOptions};
use firmware::clock::{Clock as _, SystemClock};
use firmware::entropy::SystemEntropy;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::x509::read_certificates;
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::support::openssl::{must, put};
use crate::support::{Request, send, send_reply, start};

/// What a path of the server answers.
#[derive(Clone)]
pub enum Route {
    Body(Vec<u8>),
    Status(&'static str),
    Redirect(String),
    /// Says how much is coming and breaks off.
    Cut(Vec<u8>),
    /// Never answers.
    Silence,
    /// `openssl ocsp` answers.
    Ocsp,
}

type Routes = Arc<Mutex<HashMap<String, Route>>>;

pub struct World {
    pub folder: TempDir,
    pub address: String,
    pub routes: Routes,
    /// The paths that were asked, in order.
    pub asked: Arc<Mutex<Vec<String>>>,
    responder: Option<Child>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(responder) = &mut self.responder {
            drop(responder.kill());
            drop(responder.wait());
        }
    }
}

/// Where the certificate of the authority says that its status can be asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// At the test's server, by OCSP and CRL.
    Both,
    /// At the test's server, by CRL alone.
    Crl,
    /// At `openssl ocsp -port`, by OCSP alone.
    Peer,
}

impl World {
    /// Root, certification authority, OCSP responder and time-stamping authority; the CA's certificate is only at its address.
    pub fn new(named: Named) -> Self {
        let folder = TempDir::new().unwrap();
        let at = folder.path().to_owned();
        let routes = Routes::default();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let address = serve(&at, Arc::clone(&routes), Arc::clone(&asked));
        put(&at.join("openssl.cnf"), configuration(&address).as_bytes());
        make_authority(&at);
        let responder = (named == Named::Peer).then(|| run_responder(&at));
        let (responder, port) = responder.unzip();
        let status = match (named, port) {
            (Named::Peer, Some(port)) => format!(
                "authorityInfoAccess=caIssuers;URI:{address}/ca.p7c,OCSP;URI:http://127.0.0.1:{port}/"
            ),
            (Named::Crl, _) | (Named::Peer, None) => format!(
                "authorityInfoAccess=caIssuers;URI:{address}/ca.p7c\ncrlDistributionPoints=URI:{address}/ca.crl"
            ),
            (Named::Both, _) => format!(
                "authorityInfoAccess=caIssuers;URI:{address}/ca.p7c,OCSP;URI:{address}/ocsp\ncrlDistributionPoints=URI:{address}/ca.crl"
            ),
        };
        make_tsa(&at, &status);
        let world = Self {
            folder,
            address,
            routes,
            asked,
            responder,
        };
        must(
            world.path(),
            "crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out ca.p7c",
        );
        world.route("/ca.p7c", Route::Body(world.read("ca.p7c")));
        world.route("/root.crl", Route::Body(world.crl("root", "-crldays 30")));
        world.route("/ca.crl", Route::Body(world.crl("ca", "-crldays 7")));
        world.route("/ocsp", Route::Ocsp);
        world
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    pub fn route(&self, path: &str, route: Route) {
        self.routes.lock().unwrap().insert(path.to_owned(), route);
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// A fresh CRL of `issuer` with these options of `openssl ca`, DER.
    pub fn crl(&self, issuer: &str, options: &str) -> Vec<u8> {
        let command =
            format!("ca -config openssl.cnf -name {issuer}_lists -gencrl {options} -out new.crl");
        must(self.path(), &command);
        must(self.path(), "crl -in new.crl -outform DER -out new.der");
        self.read("new.der")
    }

    /// Revokes the time-stamping authority: in the database of OCSP and CRLs.
    pub fn revoke(&self, reason: &str) {
        let now = SystemClock.now();
        let (year, month, day) = (now.year() % 100, u8::from(now.month()), now.day());
        let line = format!(
            "R\t361231235959Z\t{year:02}{month:02}{day:02}000000Z,{reason}\t1267\tunknown\t/CN=Authority\n"
        );
        put(&self.path().join("ca.index"), line.as_bytes());
        self.route("/ca.crl", Route::Body(self.crl("ca", "-crldays 7")));
    }

    pub fn certificate(&self, name: &str) -> Vec<u8> {
        let list = read_certificates(&self.read(name)).unwrap();
        list[0].raw().to_vec()
    }

    pub fn root(&self) -> Vec<Vec<u8>> {
        vec![self.certificate("root.pem")]
    }

    pub fn source(&self) -> HttpMaterial {
        source(MaterialOptions::default())
    }

    /// What is collected for the certificate of the authority.
    pub fn collect(&self, source: &HttpMaterial, moment: OffsetDateTime) -> Collected {
        source.collect(&[self.certificate("tsa.pem")], &self.root(), moment)
    }

    pub fn client(&self) -> TsaClient {
        let address = format!("{}/tsa", self.address);
        let transport = HttpTransport::new(&address, TransportOptions::default()).unwrap();
        let mut trust = Trust::anchors(self.root());
        trust.material = Some(Arc::new(self.source()));
        let options = ClientOptions::new("test", trust);
        TsaClient::new(
            Link::Http(Box::new(transport)),
            options,
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
        )
    }

    pub fn token(&self) -> Result<AcceptedToken, TsaError> {
        self.client().timestamp(&digest())
    }
}

pub fn digest() -> DigestValue {
    DigestAlgorithm::Sha256.digest(b"a root")
}

pub fn now() -> OffsetDateTime {
    SystemClock.now()
}

pub fn source(options: MaterialOptions) -> HttpMaterial {
    let options = MaterialOptions {
        exchange_wait_max: options.exchange_wait_max.min(Duration::from_secs(20)),
        ..options
    };
    HttpMaterial::new(options, Arc::new(SystemClock), Arc::new(SystemEntropy))
}

fn make_authority(at: &Path) {
    let new = "req -config openssl.cnf -newkey rsa:2048 -nodes";
    must(
        at,
        &format!(
            "{new} -x509 -days 3650 -subj /CN=Root -extensions root -keyout root.key -out root.pem"
        ),
    );
    for (name, subject, issuer, serial, section) in [
        ("ca", "CA", "root", "4710", "ca_extensions"),
        ("responder", "Responder", "ca", "4712", "responder"),
    ] {
        must(
            at,
            &format!("{new} -subj /CN={subject} -keyout {name}.key -out {name}.csr"),
        );
        must(
            at,
            &format!(
                "x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -set_serial {serial} -days 3000 -extfile openssl.cnf -extensions {section} -out {name}.pem"
            ),
        );
    }
    for name in ["root", "ca"] {
        put(&at.join(format!("{name}.index")), b"");
        put(&at.join(format!("{name}.crlnumber")), b"01\n");
    }
    put(
        &at.join("ca.index"),
        b"V\t361231235959Z\t\t1267\tunknown\t/CN=Authority\n",
    );
    put(&at.join("serial"), b"01\n");
}

fn make_tsa(at: &Path, status: &str) {
    let extensions = format!(
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n{status}\n"
    );
    put(&at.join("tsa.ext"), extensions.as_bytes());
    must(
        at,
        "req -config openssl.cnf -newkey rsa:2048 -nodes -subj /CN=Authority -keyout tsa.key -out tsa.csr",
    );
    // 4711 is 1267 in hexadecimal.
    must(
        at,
        "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -set_serial 4711 -days 365 -extfile tsa.ext -out tsa.pem",
    );
}

/// Starts `openssl ocsp` as a server on a port that it chooses.
fn run_responder(at: &Path) -> (Child, u16) {
    let mut child = Command::new("openssl")
        .args("ocsp -port 0 -index ca.index -CA ca.pem -rsigner responder.pem -rkey responder.key -nmin 10".split(' '))
        .current_dir(at)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    // ACCEPT [::]:36505 PID=31160
    let address = line.split(' ').nth(1).unwrap();
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    // It writes a line for each question.
    std::thread::spawn(move || lines.for_each(drop));
    (child, port)
}

fn serve(at: &Path, routes: Routes, asked: Arc<Mutex<Vec<String>>>) -> String {
    let at: PathBuf = at.to_owned();
    let address = start(move |request, stream| {
        let path = request.line.split(' ').nth(1).unwrap_or("/").to_owned();
        asked.lock().unwrap().push(path.clone());
        if path == "/tsa" {
            return send_reply(stream, &reply(&at, &request.body));
        }
        let route = routes.lock().unwrap().get(&path).cloned();
        answer(&at, route, &request, stream);
    });
    format!("http://{address}")
}

fn answer(at: &Path, route: Option<Route>, request: &Request, stream: &mut TcpStream) {
    match route {
        None => send(stream, "404 Not Found", &[], b"nothing here"),
        Some(Route::Body(body)) => send(stream, "200 OK", &[], &body),
        Some(Route::Status(status)) => send(stream, status, &[], b"no"),
        Some(Route::Redirect(to)) => send(stream, "302 Found", &[("location", &to)], b""),
        Some(Route::Cut(body)) => {
            use std::io::Write as _;
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 10000\r\n\r\n";
            drop(
                stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(&body)),
            );
        }
        Some(Route::Silence) => {
            // Until the client has had enough.
            drop(stream.read(&mut [0]));
        }
        Some(Route::Ocsp) => {
            put(&at.join("ocsp.req"), &request.body);
            must(
                at,
                "ocsp -index ca.index -CA ca.pem -rsigner responder.pem -rkey responder.key -nmin 10 -reqin ocsp.req -respout ocsp.resp",
            );
            send(
                stream,
                "200 OK",
                &[],
                &std::fs::read(at.join("ocsp.resp")).unwrap(),
            );
        }
    }
}

fn reply(at: &Path, request: &[u8]) -> Vec<u8> {
    put(&at.join("ts.req"), request);
    must(
        at,
        "ts -reply -config openssl.cnf -section authority -queryfile ts.req -signer tsa.pem -inkey tsa.key -out ts.resp",
    );
    std::fs::read(at.join("ts.resp")).unwrap()
}

fn configuration(address: &str) -> String {
    let mut text = format!(
        "[req]\ndistinguished_name=name\nprompt=no\n[name]\n\
         [root]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n\
         [ca_extensions]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n\
         crlDistributionPoints=URI:{address}/root.crl\n\
         [responder]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n\
         [authority]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4\n\
         digests=sha256,sha512\naccuracy=secs:1\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n"
    );
    for name in ["root", "ca"] {
        text.push_str(&format!(
            "[{name}_lists]\ndatabase={name}.index\ncertificate={name}.pem\nprivate_key={name}.key\n\
             crlnumber={name}.crlnumber\ndefault_md=sha256\n"
        ));
    }
    text
}
