//! An archive of its own, served by the real program, with people who may deposit and read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use archiver::access::totp::SecondFactor;
use serde_json::{Value, json};
use time::OffsetDateTime;

pub(crate) struct Person {
    pub(crate) token: String,
    name: String,
    password: String,
    secret: Vec<u8>,
}

pub(crate) struct Served {
    archiver: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) base: String,
    pub(crate) port: u16,
    child: Child,
    pub(crate) client: reqwest::Client,
}

impl Served {
    /// Founds an archive in the folder, serves it, and gives it with the sessions of its two administrators.
    pub(crate) async fn found(archiver: &Path, folder: &Path) -> (Self, [String; 2]) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("pass"), "a passphrase for trying out\n").unwrap();
        let port = free_port();
        let archiver = archiver.canonicalize().unwrap();
        command(
            &archiver,
            folder,
            &[
                "init",
                "--data",
                "a",
                "--data",
                "b",
                "--keys",
                "k",
                "--evaluation",
            ],
        );
        let listen = format!("127.0.0.1:{port}");
        let prepare = [
            "--json",
            "service",
            "prepare",
            "--listen",
            &listen,
            "--administrator",
            "sato=Sato",
            "--administrator",
            "suzuki=Suzuki",
        ];
        let told = command(&archiver, folder, &prepare);
        let child = serve(&archiver, folder, port);
        let certificate = fs::read(folder.join("tls/certificate.pem")).unwrap();
        let root = reqwest::Certificate::from_pem(&certificate).unwrap();
        let client = reqwest::Client::builder()
            .tls_certs_only([root])
            .timeout(Duration::from_secs(120))
            .build()
            .unwrap();
        let served = Self {
            archiver,
            folder: folder.to_owned(),
            base: format!("https://localhost:{port}"),
            port,
            child,
            client,
        };
        served.ready().await;
        let mut tokens = Vec::new();
        for name in ["sato", "suzuki"] {
            let first = told
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .find(|line| line["event"] == "first-password" && line["account"] == name)
                .unwrap();
            let person = served.settle(name, first["password"].as_str().unwrap());
            tokens.push(person.await.token);
        }
        (served, tokens.try_into().unwrap())
    }

    /// A new account with a role, asked for by one administrator and approved by the other; its session.
    pub(crate) async fn person(
        &self,
        [sato, suzuki]: &[String; 2],
        name: &str,
        role: &str,
    ) -> Person {
        let form = json!({ "account": name, "display_name": name, "kind": "person", "roles": [role], "reason": "load" });
        let asked = self
            .send("POST", "/api/v1/people/requests", sato, &form)
            .await;
        let request = asked["request"].as_str().unwrap();
        let path = format!("/api/v1/people/requests/{request}/approval");
        let approved = self.send("POST", &path, suzuki, &Value::Null).await;
        self.settle(name, approved["password"].as_str().unwrap())
            .await
    }

    /// The first log-in: another password, an authenticator.
    async fn settle(&self, name: &str, password: &str) -> Person {
        let new = format!("Kumo to hoshi 9 {}", name.chars().rev().collect::<String>());
        let form = json!({ "name": name, "password": password });
        let session = self.send("POST", "/api/v1/session", "", &form).await;
        let mut token = session["token"].as_str().unwrap().to_owned();
        let form = json!({ "old": password, "new": new });
        let steps = [("POST", "/api/v1/session/password", form)];
        for (method, path, form) in steps {
            let answer = self.send(method, path, &token, &form).await;
            token = answer["token"].as_str().map_or(token, str::to_owned);
        }
        let path = "/api/v1/session/authenticator";
        let shown = self.send("POST", path, &token, &Value::Null).await;
        let secret = base32(shown["secret"].as_str().unwrap());
        let code = SecondFactor::from_bytes(&secret)
            .unwrap()
            .code(OffsetDateTime::now_utc())
            .unwrap();
        let answer = self
            .send("PUT", path, &token, &json!({ "code": code }))
            .await;
        Person {
            token: answer["token"].as_str().map_or(token, str::to_owned),
            name: name.to_owned(),
            password: new,
            secret,
        }
    }

    /// Another session of somebody: a code works once, so it takes until the next one.
    pub(crate) async fn log_in(&self, person: &Person) -> String {
        tokio::time::sleep(Duration::from_secs(31)).await;
        let code = SecondFactor::from_bytes(&person.secret)
            .unwrap()
            .code(OffsetDateTime::now_utc())
            .unwrap();
        let form = json!({ "name": person.name, "password": person.password, "code": code });
        let session = self.send("POST", "/api/v1/session", "", &form).await;
        session["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Value {
        let mut request = self
            .client
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
            .bearer_auth(token);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn ready(&self) {
        for _ in 0..3000 {
            let asked = self
                .client
                .get(format!("{}/readyz", self.base))
                .send()
                .await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the service did not start");
    }

    /// Ends the process at once, as a power cut ends it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = serve(&self.archiver, &self.folder, self.port);
        self.ready().await;
    }

    /// Ends the process in order.
    pub(crate) fn stop(&mut self) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Resident memory, in MiB: now and at most so far.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .parse::<u64>()
                .unwrap()
                / 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// CPU seconds used so far.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks: f64 = fields[11..13]
            .iter()
            .map(|one| one.parse::<f64>().unwrap())
            .sum();
        ticks / 100.0
    }

    /// Runs a command on the archive, which must not be served then.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        command(&self.archiver, &self.folder, words)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(archiver: &Path, folder: &Path, port: u16) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("serve.log"))
        .unwrap();
    let monitors = format!(
        "127.0.0.1:{}",
        if port == u16::MAX { port - 1 } else { port + 1 }
    );
    Command::new(archiver)
        .current_dir(folder)
        .args([
            "--passphrase-file",
            "pass",
            "--lang",
            "en",
            "serve",
            "--listen",
            &monitors,
        ])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn command(archiver: &Path, folder: &Path, words: &[&str]) -> String {
    let ended = Command::new(archiver)
        .current_dir(folder)
        .args(["--passphrase-file", "pass", "--lang", "en"])
        .args(words)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let error = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{words:?}: {text}{error}");
    text
}

fn free_port() -> u16 {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap().port()
}

fn base32(text: &str) -> Vec<u8> {
    let mut bits = (0u32, 0u32);
    let mut bytes = Vec::new();
    for one in text.bytes() {
        let value = match one {
            b'A'..=b'Z' => one - b'A',
            b'2'..=b'7' => one - b'2' + 26,
            _ => continue,
        };
        bits = ((bits.0 << 5) | u32::from(value), bits.1 + 5);
        if bits.1 >= 8 {
            bytes.push((bits.0 >> (bits.1 - 8)) as u8);
            bits = (bits.0 & ((1 << (bits.1 - 8)) - 1), bits.1 - 8);
        }
    }
    bytes
}
