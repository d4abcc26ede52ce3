#![expect(
    clippy::disallowed_methods,
    reason = "a test makes its own certificates and waits for threads"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

use firmware::clock::SystemClock;
use formats::id::{RecordId, VersionId};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use super::*;
use crate::archive::taking_fixture;
use crate::intake::taking::{TakeError, TakeUnder, Taken};
use crate::intake::{Source, TakesIn};
use crate::store::durable::faults::{Call, Fault, FaultyDisk, Outcome};
use crate::store::durable::system_disk;

/// Keeps what it takes; takes nothing while it is closed.
#[derive(Default)]
struct Taker {
    batches: Mutex<Vec<(String, String)>>,
    closed: std::sync::atomic::AtomicBool,
}

impl Taker {
    fn lines(&self) -> usize {
        let batches = self.batches.lock().unwrap();
        let lines = batches.iter().map(|(_, batch)| batch.lines().count());
        lines.sum()
    }

    /// The messages of all batches, in their order.
    fn messages(&self) -> Vec<String> {
        let batches = self.batches.lock().unwrap();
        let lines = batches.iter().flat_map(|(_, batch)| batch.lines());
        lines
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["raw"].clone())
            .map(|raw| raw.as_str().unwrap().to_owned())
            .collect()
    }
}

impl TakesIn for Taker {
    fn take(&self, source: Source, under: &TakeUnder<'_>) -> Result<Taken, TakeError> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(TakeError::later(|_| "closed".to_owned()));
        }
        assert_eq!((under.class, under.channel), ("system-log", "syslog"));
        let Source::File(mut file) = source else {
            panic!("a batch is a file");
        };
        let mut batch = String::new();
        file.read_to_string(&mut batch).unwrap();
        let lines = batch.lines().count().to_string();
        assert_eq!(under.given.additional["lines"], lines);
        let name = file.name().text().into_owned();
        self.batches.lock().unwrap().push((name, batch));
        Ok(Taken {
            version: VersionId::first(RecordId::from_bytes([1; 16])),
            was_there: false,
            threat: None,
        })
    }
}

/// Certificates, a spool, and settings for fast batches.
struct Place {
    root: tempfile::TempDir,
    settings: SyslogSettings,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for ca in ["ca", "foreign"] {
            let mut params = CertificateParams::default();
            // OpenSSL takes a certificate that has its issuer's name for a root.
            params.distinguished_name.push(DnType::CommonName, ca);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            let issuer =
                CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            fs::write(root.path().join(format!("{ca}.pem")), issuer.pem()).unwrap();
            for name in ["localhost", "client"] {
                let key = KeyPair::generate().unwrap();
                let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
                params.distinguished_name.push(DnType::CommonName, name);
                let certificate = params.signed_by(&key, &issuer).unwrap();
                let file = |end: &str| root.path().join(format!("{ca}-{name}.{end}"));
                fs::write(file("pem"), certificate.pem()).unwrap();
                fs::write(file("key"), key.serialize_pem()).unwrap();
            }
        }
        let file = |name: &str| root.path().join(name);
        let settings = SyslogSettings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            certificate: file("ca-localhost.pem"),
            key: file("ca-localhost.key"),
            client_roots: None,
            spool: file("spool"),
            class: "system-log".to_owned(),
            batch_age: Duration::from_millis(200),
            batch_bytes: 20_000,
            spool_bytes_max: 1 << 30,
            message_max: 8192,
            connections_max: 10,
            idle: Duration::from_secs(60),
            sync: Duration::from_millis(20),
        };
        Self { root, settings }
    }

    fn start(&self, taker: &Arc<Taker>, disk: Arc<dyn Disk>) -> Receiver {
        let environment = SyslogEnvironment {
            taker: Arc::<Taker>::clone(taker),
            clock: Arc::new(SystemClock),
            disk,
        };
        Receiver::start(&self.settings, &environment).unwrap()
    }

    /// A client that trusts our root; with the certificate of this name, where one is given.
    fn client(&self, to: &Receiver, certificate: Option<&str>) -> Client {
        let pem = |name: &str| self.root.path().join(name);
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(pem("ca.pem")).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let chain = CertificateDer::from_pem_file(pem(&format!("{name}.pem"))).unwrap();
                let key = PrivateKeyDer::from_pem_file(pem(&format!("{name}.key"))).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(to.address()).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        StreamOwned::new(connection, socket)
    }
}

type Client = StreamOwned<ClientConnection, TcpStream>;

fn framed(message: &str) -> String {
    format!("{} {message}", message.len())
}

fn message(number: usize) -> String {
    format!("<14>1 2026-11-23T12:00:00+09:00 host app - - - line {number}")
}

fn wait(what: &str, mut until: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !until() {
        assert!(Instant::now() < end, "waited for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn messages_become_batches_in_their_order_and_a_stop_loses_none() {
    let (place, taker) = (Place::new(), Arc::new(Taker::default()));
    let receiver = place.start(&taker, system_disk());
    let mut client = place.client(&receiver, None);
    let messages: Vec<String> = (0..1000).map(message).collect();
    let (before, after) = messages.split_at(500);
    let send = |client: &mut Client, part: &[String]| {
        let stream: String = part.iter().map(|message| framed(message)).collect();
        client.write_all(stream.as_bytes()).unwrap();
    };
    send(&mut client, before);
    wait("the first half", || taker.messages().len() == 500);
    assert_eq!(receiver.status().connections, 1);
    send(&mut client, after);
    wait("durable lines", || receiver.status().lines == 1000);
    receiver.stop();
    // What waits for its deposit is taken up by the next start.
    let receiver = place.start(&taker, system_disk());
    wait("the second half", || taker.messages().len() == 1000);
    assert_eq!(taker.messages(), messages);
    wait("an empty spool", || {
        spool::stored_bytes(&place.settings.spool).unwrap() == 0
    });
    assert_eq!(receiver.status().trouble, None);
    assert!(taker.batches.lock().unwrap().len() > 1);
}

#[test]
fn what_is_no_syslog_over_tls_is_refused_and_the_others_go_on() {
    let (mut place, taker) = (Place::new(), Arc::new(Taker::default()));
    place.settings.connections_max = 2;
    let receiver = place.start(&taker, system_disk());
    let refused = |count| wait("a refusal", || receiver.status().refused == count);
    let mut good = place.client(&receiver, None);
    good.write_all(framed(&message(1)).as_bytes()).unwrap();
    wait("the good one", || receiver.status().lines == 1);
    let mut plain = TcpStream::connect(receiver.address()).unwrap();
    plain.write_all(framed(&message(2)).as_bytes()).unwrap();
    refused(1);
    wait("its end", || receiver.status().connections == 1);
    let streams = ["<14>no length", "9000 too long", "0 ", "20 torn"];
    for (count, stream) in (2..).zip(streams) {
        let mut bad = place.client(&receiver, None);
        bad.write_all(stream.as_bytes()).unwrap();
        bad.conn.send_close_notify();
        bad.flush().unwrap();
        refused(count);
        wait("its end", || receiver.status().connections == 1);
        drop(bad);
    }
    // One connection more than there may be.
    let mut second = place.client(&receiver, None);
    second.write_all(framed(&message(3)).as_bytes()).unwrap();
    wait("the second", || receiver.status().lines == 2);
    drop(TcpStream::connect(receiver.address()).unwrap());
    refused(6);
    good.write_all(framed(&message(4)).as_bytes()).unwrap();
    wait("the good one again", || taker.messages().len() == 3);
}

#[test]
fn clients_show_a_certificate_where_that_is_configured() {
    let (mut place, taker) = (Place::new(), Arc::new(Taker::default()));
    place.settings.client_roots = Some(place.root.path().join("ca.pem"));
    let receiver = place.start(&taker, system_disk());
    for (count, certificate) in [(1, None), (2, Some("foreign-client"))] {
        let mut client = place.client(&receiver, certificate);
        // In TLS 1.3 the client learns of it after its handshake.
        let sent = client.write_all(framed(&message(0)).as_bytes());
        drop(sent.and_then(|()| client.read(&mut [0; 10])));
        wait("a refusal", || receiver.status().refused == count);
    }
    let mut client = place.client(&receiver, Some("ca-client"));
    client.write_all(framed(&message(1)).as_bytes()).unwrap();
    wait("the line", || taker.messages().len() == 1);
    let batches = taker.batches.lock().unwrap();
    let line: Value = serde_json::from_str(&batches[0].1).unwrap();
    assert_eq!(line["client"].as_str().unwrap().len(), 64);
}

#[test]
fn unusable_settings_are_named() {
    let place = Place::new();
    let environment = SyslogEnvironment {
        taker: Arc::new(Taker::default()),
        clock: Arc::new(SystemClock),
        disk: system_disk(),
    };
    let start = |change: &dyn Fn(&mut SyslogSettings)| {
        let mut settings = place.settings.clone();
        change(&mut settings);
        Receiver::start(&settings, &environment)
    };
    let file = |name: &str| place.root.path().join(name);
    let missing = start(&|settings| settings.certificate = file("none"));
    assert!(matches!(missing, Err(SyslogError::Pem { .. })));
    let no_key = start(&|settings| settings.key = file("ca.pem"));
    assert!(matches!(no_key, Err(SyslogError::Pem { .. })));
    let foreign_key = start(&|settings| settings.key = file("foreign-localhost.key"));
    assert!(matches!(foreign_key, Err(SyslogError::Tls(_))));
    let running = start(&|_| ()).unwrap();
    let second = start(&|_| ());
    assert!(matches!(second, Err(SyslogError::Spool { .. })));
    let same_port = start(&|settings| {
        settings.listen = running.address();
        settings.spool = file("other");
    });
    assert!(matches!(same_port, Err(SyslogError::Listen { .. })));
}

#[test]
fn a_full_spool_and_a_closed_archive_hold_the_senders_back_and_lose_nothing() {
    let (mut place, taker) = (Place::new(), Arc::new(Taker::default()));
    place.settings.spool_bytes_max = 100_000;
    taker.closed.store(true, Ordering::Relaxed);
    let receiver = place.start(&taker, system_disk());
    let mut client = place.client(&receiver, None);
    // More than what TCP buffers on its way.
    let count = 2000;
    let long = |number| format!("{}{}", message(number), ".".repeat(7000));
    let sender = std::thread::spawn(move || {
        for number in 0..count {
            client.write_all(framed(&long(number)).as_bytes()).unwrap();
        }
        client.conn.send_close_notify();
        client.flush().unwrap();
        client
    });
    wait("a full spool", || receiver.status().trouble.is_some());
    std::thread::sleep(Duration::from_millis(300));
    // What is beyond the limit was read before it was known.
    let held = spool::stored_bytes(&place.settings.spool).unwrap();
    assert!(held < 5_000_000, "{held}");
    assert!(!sender.is_finished(), "the sender is held back");
    taker.closed.store(false, Ordering::Relaxed);
    wait("all lines", || taker.lines() == count);
    let expected: Vec<String> = (0..count).map(long).collect();
    assert_eq!(taker.messages(), expected);
    drop(sender.join().unwrap());
}

#[test]
fn a_spool_that_cannot_be_synchronised_loses_nothing() {
    let (place, taker) = (Place::new(), Arc::new(Taker::default()));
    let disk = FaultyDisk::new();
    let receiver = place.start(&taker, Arc::<FaultyDisk>::clone(&disk));
    let mut client = place.client(&receiver, None);
    client.write_all(framed(&message(0)).as_bytes()).unwrap();
    wait("the first line", || taker.messages().len() == 1);
    disk.arm(Fault {
        call: Some(Call::Sync),
        path: "syslog-".to_owned(),
        after: 0,
        sticky: true,
        error: std::io::ErrorKind::Other,
        outcome: Outcome::Lost,
    });
    client.write_all(framed(&message(1)).as_bytes()).unwrap();
    wait("trouble", || receiver.status().trouble.is_some());
    disk.heal();
    wait("the second line", || {
        taker.messages().iter().any(|one| *one == message(1))
    });
    client.write_all(framed(&message(2)).as_bytes()).unwrap();
    wait("the third line", || {
        taker.messages().iter().any(|one| *one == message(2))
    });
}

#[test]
fn a_batch_is_a_record_whose_lines_can_be_proven() {
    let place = Place::new();
    let home = tempfile::tempdir().unwrap();
    let archive = Arc::new(taking_fixture::archive(&home, None));
    let environment = SyslogEnvironment {
        taker: Arc::<crate::archive::Archive>::clone(&archive),
        clock: Arc::new(SystemClock),
        disk: system_disk(),
    };
    let receiver = Receiver::start(&place.settings, &environment).unwrap();
    let mut client = place.client(&receiver, None);
    for number in 0..10 {
        let stream = framed(&message(number));
        client.write_all(stream.as_bytes()).unwrap();
    }
    wait("a record", || receiver.status().batches > 0);
    drop(client);
    receiver.stop();
    let mut lines = 0;
    archive
        .catalog()
        .for_each(&mut |hit| {
            let opened = archive.retriever().open(hit.version).unwrap();
            let tree = opened.manifest().objects[0].lines.clone().unwrap();
            lines += tree.lines;
            true
        })
        .unwrap();
    assert!(lines > 0 && lines <= 10, "{lines}");
}

mod rsyslog;
