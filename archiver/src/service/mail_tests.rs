//! A real mail server (aiosmtpd) takes what the mailer sends, over TLS, after STARTTLS, and with an account.
#![expect(clippy::disallowed_methods, reason = "a test makes its own files")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rcgen::{CertificateParams, KeyPair};
use serde_json::json;

use super::*;
use crate::config::SecretPlace;

/// The server: one mail per file, and the port on its first line.
const SERVER: &str = r#"
import asyncio, os, ssl, sys
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult
folder, mode = sys.argv[1], sys.argv[2]
class Keeper:
    count = 0
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('nobody@'):
            return '550 no such mailbox'
        envelope.rcpt_tos.append(address)
        return '250 OK'
    async def handle_DATA(self, server, session, envelope):
        Keeper.count += 1
        with open(os.path.join(folder, '%d.part' % Keeper.count), 'wb') as mail:
            head = 'X-Envelope: %s -> %s tls=%s auth=%s\r\n' % (
                envelope.mail_from, ' '.join(envelope.rcpt_tos), session.ssl is not None or mode == 'tls', bool(session.authenticated))
            mail.write(head.encode() + envelope.content)
        os.rename(mail.name, os.path.join(folder, '%d.eml' % Keeper.count))
        return '250 kept'
def check(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b'archive', b'open sesame'))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(folder, 'cert.pem'), os.path.join(folder, 'key.pem'))
loop = asyncio.new_event_loop()
options = {'hostname': '127.0.0.1', 'port': 0, 'loop': loop}
if mode == 'tls': options['ssl_context'] = context
if mode == 'starttls': options.update(tls_context=context, require_starttls=True, auth_required=True, authenticator=check)
controller = UnthreadedController(Keeper(), **options)
controller.begin()
print(controller.server.sockets[0].getsockname()[1], flush=True)
loop.run_forever()
"#;

struct RealSmtp {
    child: Child,
    port: u16,
    root: Vec<u8>,
    folder: tempfile::TempDir,
}

impl RealSmtp {
    /// `None`: not installed here.
    fn start(mode: &str) -> Option<Self> {
        let python = Path::new("/usr/bin/python3");
        let has = Command::new(python)
            .args(["-c", "import aiosmtpd"])
            .stderr(Stdio::null())
            .status();
        if !has.is_ok_and(|status| status.success()) {
            let required = std::env::var_os("FUMIKURA_REQUIRE_PEERS").is_some();
            let lacking = std::env::var("FUMIKURA_LACKING").unwrap_or_default();
            assert!(!required || lacking.split(' ').any(|one| one == "smtp"));
            println!("left out: mail, python3-aiosmtpd is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        let mut child = Command::new(python)
            .args(["-c", SERVER])
            .arg(folder.path())
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        let root = certificate.der().to_vec();
        Some(Self {
            child,
            port,
            root,
            folder,
        })
    }

    fn config(&self, security: MailSecurity) -> MailConfig {
        MailConfig {
            server: "localhost".into(),
            port: self.port,
            security,
            from: "archive@example.jp".into(),
            to: vec!["kansa@example.jp".into(), "joho@example.jp".into()],
            account: None,
            tls_roots: None,
        }
    }

    fn send(
        &self,
        config: &MailConfig,
        password: Option<&str>,
        told: &Value,
    ) -> Result<(), String> {
        let tls_roots = [self.root.clone()];
        let parts = MailParts {
            config,
            password: password.map(SecretString::from),
            tls_roots: &tls_roots,
        };
        Mailer::new(parts)?.notify(told)
    }

    /// The head and the text of a mail as its reader has them.
    fn mail(&self, number: u32) -> Option<(String, String)> {
        let path = self.folder.path().join(format!("{number}.eml"));
        let script = "import email, email.policy, sys\nm = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)\nprint('\\n'.join('%s: %s' % x for x in m.items()))\nprint('--')\nprint(m.get_content())";
        path.is_file().then(|| {
            let read = Command::new("/usr/bin/python3")
                .args(["-c", script])
                .arg(path)
                .env("PYTHONIOENCODING", "utf-8")
                .output()
                .unwrap();
            assert!(read.status.success(), "{read:?}");
            let text = String::from_utf8(read.stdout).unwrap();
            let (head, body) = text.split_once("\n--\n").unwrap();
            (head.to_owned(), body.to_owned())
        })
    }
}

impl Drop for RealSmtp {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn told() -> Value {
    json!({
        "schema": "urn:fumikura:alarm:1", "archive": "019a", "alarm": "unstamped", "subject": "", "state": "raised",
        "since": "2030-01-01T03:00:00Z", "at": "2030-01-01T12:00:00Z",
        "text": { "ja": "9 件がタイムスタンプを待っています\r\nBcc: evil@example.jp", "en": "9 records wait for a timestamp" },
    })
}

#[test]
fn an_alarm_arrives_over_tls_and_is_read_in_both_languages() {
    let Some(server) = RealSmtp::start("tls") else {
        return;
    };
    let config = server.config(MailSecurity::Tls);
    server.send(&config, None, &told()).unwrap();
    let (head, body) = server.mail(1).unwrap();
    assert!(
        head.contains("Subject: [文蔵 Fumikura] 警報 / alarm: 9 件がタイムスタンプを待っています"),
        "{head}"
    );
    assert!(head.contains(
        "X-Envelope: archive@example.jp -> kansa@example.jp joho@example.jp tls=True auth=False"
    ));
    assert!(!head.contains("Bcc"), "{head}");
    assert!(head.contains("Date: Tue, 01 Jan 2030 12:00:00"), "{head}");
    assert!(body.contains("9 records wait for a timestamp"), "{body}");
    assert!(body.contains("2030-01-01 21:00:00 JST"), "{body}");
    assert!(body.contains("警報と事象"), "{body}");
    // The same notice again is the same message; another one is not.
    let id = |head: &str| {
        let line = head.lines().find(|line| line.starts_with("Message-ID"));
        line.unwrap().to_owned()
    };
    let mut again = told();
    again["at"] = json!("2030-01-01T13:00:00Z");
    server.send(&config, None, &again).unwrap();
    assert_eq!(id(&server.mail(2).unwrap().0), id(&head));
    let mut other = told();
    other["state"] = json!("solved");
    server.send(&config, None, &other).unwrap();
    let (solved, _) = server.mail(3).unwrap();
    assert_ne!(id(&solved), id(&head));
    assert!(solved.contains("警報解消 / alarm over"), "{solved}");
}

#[test]
fn nothing_is_sent_to_a_server_that_is_not_the_one_that_was_meant() {
    let (Some(server), Some(stranger)) = (RealSmtp::start("tls"), RealSmtp::start("tls")) else {
        return;
    };
    let config = stranger.config(MailSecurity::Tls);
    assert!(server.send(&config, None, &told()).is_err(), "another root");
    let mut config = server.config(MailSecurity::Tls);
    config.server = "127.0.0.1".into();
    assert!(server.send(&config, None, &told()).is_err(), "another name");
    assert!(server.mail(1).is_none() && stranger.mail(1).is_none());
    let mut config = server.config(MailSecurity::Tls);
    config.to = vec!["nobody@example.jp".into()];
    let refused = server.send(&config, None, &told()).unwrap_err();
    assert!(refused.contains("no such mailbox"), "{refused}");
}

#[test]
fn starttls_is_demanded_and_the_password_stays_out_of_errors() {
    let Some(server) = RealSmtp::start("starttls") else {
        return;
    };
    let mut config = server.config(MailSecurity::Starttls);
    config.account = Some(("archive".into(), SecretPlace::Credential("mail".into())));
    server.send(&config, Some("open sesame"), &told()).unwrap();
    let (head, _) = server.mail(1).unwrap();
    assert!(head.contains("tls=True auth=True"), "{head}");
    let refused = server.send(&config, Some("closed sesame"), &told());
    let refused = refused.unwrap_err();
    assert!(!refused.contains("sesame"), "{refused}");
    assert!(server.mail(2).is_none());
    let Some(plain) = RealSmtp::start("none") else {
        return;
    };
    let config = plain.config(MailSecurity::Starttls);
    let refused = server.send(&config, None, &told());
    assert!(refused.is_err(), "a server without STARTTLS gets nothing");
    assert!(plain.mail(1).is_none());
    let config = plain.config(MailSecurity::None);
    plain.send(&config, None, &told()).unwrap();
    assert!(plain.mail(1).unwrap().0.contains("tls=False"));
}
