//! A real service over real TLS, with people who are logged in, and clients that send whatever bytes a test likes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use tests::world::World;

use super::answer::Answer;

/// A client's end of a connection.
pub(crate) type Line = StreamOwned<ClientConnection, TcpStream>;

/// A service that runs, over an archive of its own; it is killed when the test ends.
pub(crate) struct Place {
    /// The folder of the archive, which goes when the test ends.
    world: World,
    child: Child,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    /// The tokens of who is logged in, by account.
    pub(crate) tokens: BTreeMap<String, String>,
    /// The secrets of the authenticators, by account, each with the last 30 seconds of which a code was used.
    secrets: BTreeMap<String, (String, u64)>,
}

impl Place {
    /// Starts one with these lines in `[service.https]`, and `sato` logged in: administrator, operator, depositor and retriever.
    pub(crate) fn start(lines: &str) -> Self {
        Self::with(lines, &[])
    }

    /// The same with one more account for each of these roles, under its name.
    pub(crate) fn with(lines: &str, roles: &[&str]) -> Self {
        let world = World::new();
        let prepared = world.archiver([
            "--json",
            "service",
            "prepare",
            "--listen",
            "127.0.0.1:0",
            "--administrator",
            "sato=Hanako Sato",
            "--administrator",
            "suzuki=Ichiro Suzuki",
        ]);
        let first: BTreeMap<String, String> = prepared
            .expect_code(0)
            .json()
            .iter()
            .filter(|line| line["event"] == "first-password")
            .map(|line| (text(&line["account"]), text(&line["password"])))
            .collect();
        let config = std::fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
        world.file("fumikura.toml", format!("{config}{lines}\n").as_bytes());
        let (child, address) = serve(&world);
        let pem = std::fs::read(world.at("tls/certificate.pem")).expect("a certificate");
        let certificate = CertificateDer::from_pem_slice(&pem).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a root");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut place = Self {
            world,
            child,
            address,
            tls: Arc::new(tls),
            tokens: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        for (name, password) in &first {
            place.settle(name, password);
        }
        for role in roles {
            place.join(role);
        }
        place
    }

    fn join(&mut self, role: &str) {
        let asked = json!({ "account": role, "display_name": role, "kind": "person", "roles": [role], "reason": "a test" });
        let request = self.api("POST", "/api/v1/people/requests", "sato", &asked);
        let path = format!(
            "/api/v1/people/requests/{}/approval",
            text(&request["request"])
        );
        let approved = self.api("POST", &path, "suzuki", &Value::Null);
        self.settle(role, &text(&approved["password"]));
    }

    /// The first log-in of somebody: another password, an authenticator.
    fn settle(&mut self, name: &str, password: &str) {
        let steps = [
            (
                "POST",
                "/api/v1/session",
                json!({ "name": name, "password": password }),
            ),
            (
                "POST",
                "/api/v1/session/password",
                json!({ "old": password, "new": password_of(name) }),
            ),
            ("POST", "/api/v1/session/authenticator", Value::Null),
        ];
        let mut secret = Value::Null;
        for (method, path, body) in steps {
            let answer = self.api(method, path, name, &body);
            if let Some(token) = answer["token"].as_str() {
                self.tokens.insert(name.to_owned(), token.to_owned());
            }
            secret = answer["secret"].clone();
        }
        let body = json!({ "code": code(&text(&secret)) });
        self.secrets
            .insert(name.to_owned(), (text(&secret), step()));
        let answer = self.api("PUT", "/api/v1/session/authenticator", name, &body);
        self.tokens.insert(name.to_owned(), text(&answer["token"]));
    }

    /// Logs somebody in again, with a code that was not used yet.
    pub(crate) fn log_in_again(&mut self, name: &str) {
        let (secret, used) = self.secrets[name].clone();
        until("there is a fresh code", || step() > used);
        let body = json!({ "name": name, "password": password_of(name), "code": code(&secret) });
        let answer = self.api("POST", "/api/v1/session", "", &body);
        self.tokens.insert(name.to_owned(), text(&answer["token"]));
        self.secrets.insert(name.to_owned(), (secret, step()));
    }

    /// Every file in the folder of the archive.
    pub(crate) fn files(&self) -> Vec<std::path::PathBuf> {
        let (mut folders, mut files) = (vec![self.world.at("")], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let list = if path.is_dir() {
                    &mut folders
                } else {
                    &mut files
                };
                list.push(path);
            }
        }
        files
    }

    /// What the API answers somebody; it must be a success.
    pub(crate) fn api(&self, method: &str, path: &str, name: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let answer = self.ask(
            method,
            path,
            &[&self.bearer(name), "content-type: application/json"],
            &body,
        );
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json()
        }
    }

    /// The header by which a program is somebody; nobody without a token.
    pub(crate) fn bearer(&self, name: &str) -> String {
        match self.tokens.get(name) {
            Some(token) => format!("authorization: Bearer {token}"),
            None => "x-nobody: yes".to_owned(),
        }
    }

    /// The header by which a browser is somebody, who reads English.
    pub(crate) fn cookie(&self, name: &str) -> String {
        format!(
            "cookie: __Host-fumikura={}; fumikura-lang=en",
            self.tokens[name]
        )
    }

    /// A page as somebody sees it.
    pub(crate) fn page(&self, name: &str, path: &str) -> Answer {
        self.ask("GET", path, &[&self.cookie(name)], b"")
    }

    /// What the forms of somebody's pages carry.
    pub(crate) fn form_token(&self, name: &str) -> String {
        let html = self.page(name, "/").text();
        let token = html.split("name=\"form_token\" value=\"").nth(1);
        let token = token.and_then(|rest| rest.split('"').next());
        token
            .unwrap_or_else(|| panic!("no form: {html}"))
            .to_owned()
    }

    /// Deposits bytes as `sato`, and gives the path of the version in the API.
    pub(crate) fn deposit(&self, query: &str, bytes: &[u8]) -> String {
        let path = format!("/api/v1/records?{query}");
        let answer = self.ask("POST", &path, &[&self.bearer("sato")], bytes);
        assert!(
            answer.status == 201 || answer.status == 200,
            "{}",
            answer.text()
        );
        let told = answer.json();
        format!("/{}/{}", text(&told["record"]), told["version"])
    }

    /// Asks once over a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        let answers = self.exchange(&bytes);
        assert_eq!(answers.len(), 1, "{method} {path}: {answers:?}");
        answers.into_iter().next().expect("one answer")
    }

    /// Sends bytes over a connection of their own, and reads until the service ends it.
    pub(crate) fn exchange(&self, bytes: &[u8]) -> Vec<Answer> {
        let mut line = self.connect();
        // A service that has heard enough does not read on.
        drop(line.write_all(bytes).and_then(|()| line.flush()));
        Answer::all(&rest(&mut line))
    }

    /// A connection with TLS shaken hands over.
    pub(crate) fn connect(&self) -> Line {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream
            .set_write_timeout(Some(PATIENCE))
            .expect("a time-out");
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::clone(&self.tls), name).expect("a client");
        let mut line = StreamOwned::new(client, stream);
        line.conn.complete_io(&mut line.sock).expect("shaken hands");
        line
    }

    /// A connection without TLS yet.
    pub(crate) fn plain(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream
    }

    /// The same as [`Self::connect`], for HTTP/2.
    pub(crate) fn connect_h2(&self) -> Line {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(tls), name).expect("a client");
        let mut line = StreamOwned::new(client, self.plain());
        line.conn.complete_io(&mut line.sock).expect("shaken hands");
        line
    }

    /// Whether somebody else is served now.
    pub(crate) fn serves(&self) {
        let answer = self.page("sato", "/");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Connections that the service holds.
    pub(crate) fn sockets(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        let entries = std::fs::read_dir(folder).expect("it runs");
        let is_socket = |path: std::path::PathBuf| {
            std::fs::read_link(path).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
        };
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        paths.filter(|path| is_socket(path.clone())).count()
    }

    /// Kills the service as a power cut does, and starts it anew. Whoever was logged in is not any more.
    pub(crate) fn kill_and_serve(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it ends");
        (self.child, self.address) = serve(&self.world);
    }

    /// Up to which entry of the trail the service remembers that everything was told; 0 where it remembers nothing.
    pub(crate) fn told(&self) -> u64 {
        let read = std::fs::read(self.world.at(TOLD)).ok();
        let told = read.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        told.and_then(|told| told["told"].as_u64()).unwrap_or(0)
    }

    /// Puts another memory in its place.
    pub(crate) fn remember_told(&self, text: &str) {
        assert!(self.world.at(TOLD).is_file(), "the service remembers");
        self.world.file(TOLD, text.as_bytes());
    }

    /// The processor time that `attack` makes the service take, in ticks of the system.
    pub(crate) fn work_of(&self, attack: impl FnOnce()) -> u64 {
        let before = self.ticks();
        attack();
        self.ticks() - before
    }

    /// User and system time (proc(5), `/proc/PID/stat`, fields 14 and 15).
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("it runs");
        let (_, behind) = stat.rsplit_once(')').expect("the name of the program");
        let fields: Vec<&str> = behind.split_whitespace().collect();
        let of = |number: usize| fields[number - 3].parse::<u64>().expect("ticks");
        of(14) + of(15)
    }

    /// Bytes of memory that `attack` makes the service take at most, beyond what it had.
    pub(crate) fn memory_of(&self, attack: impl FnOnce()) -> u64 {
        let clear = format!("/proc/{}/clear_refs", self.child.id());
        tests::world::put(std::path::Path::new(&clear), b"5");
        let before = self.memory("VmRSS:");
        attack();
        self.memory("VmHWM:").saturating_sub(before)
    }

    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.expect("a number") * 1024
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[expect(
    clippy::zombie_processes,
    reason = "the place waits for it when it is dropped; a test that fails before ends the whole program"
)]
fn serve(world: &World) -> (Child, SocketAddr) {
    let mut child = world
        .archiver_command(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the service starts");
    let stderr = child.stderr.take().expect("standard error");
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let line = serde_json::from_str::<Value>(&line).unwrap_or(Value::String(line));
            // Read on whoever listens: a service whose pipe is full stands still.
            drop(sender.send(line));
        }
    });
    loop {
        let line = lines.recv_timeout(PATIENCE).expect("it serves");
        if line["event"] == "serving" {
            let url = text(&line["url"]);
            let address = url.trim_start_matches("https://").trim_end_matches('/');
            return (child, address.parse().expect("an address"));
        }
    }
}

/// All that still comes over a connection.
pub(crate) fn rest(line: &mut Line) -> Vec<u8> {
    let mut bytes = Vec::new();
    let began = Instant::now();
    // A connection that is cut off ends without a farewell.
    drop(line.read_to_end(&mut bytes));
    assert!(began.elapsed() < PATIENCE, "the connection was not ended");
    bytes
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A form with files, as a browser sends it; parts are name, file name, content.
pub(crate) fn multipart(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        let head =
            format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

/// The header of such a form.
pub(crate) const MULTIPART: &str = "content-type: multipart/form-data; boundary=edge";

/// The header of a form without files.
pub(crate) const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// The password that everybody has here.
pub(crate) fn password_of(name: &str) -> String {
    format!("Kumo to hoshi 9 {}", name.chars().rev().collect::<String>())
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// The code that an authenticator with this secret (base32) shows now (RFC 6238).
fn code(secret: &str) -> String {
    let mut bits = String::new();
    for one in secret.chars().filter(|one| !matches!(one, ' ' | '=')) {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .find(one)
            .expect("base32");
        bits.push_str(&format!("{value:05b}"));
    }
    let key: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).expect("bits"), 2).expect("bits"))
        .collect();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).expect("a key");
    mac.update(&step().to_be_bytes());
    let mac = mac.finalize().into_bytes();
    let offset = usize::from(mac[19] & 15);
    let word: [u8; 4] = mac[offset..offset + 4].try_into().expect("four bytes");
    format!(
        "{:06}",
        (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000
    )
}

/// The number of the 30 seconds that pass now (RFC 6238 §4.2).
fn step() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs() / 30
}

/// Where the service remembers what was told: beside the index.
const TOLD: &str = "index.events.json";

/// Derived passwords are slow without optimisation, and the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
