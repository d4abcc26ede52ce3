#![expect(
    clippy::disallowed_methods,
    reason = "a test makes its own certificate and waits for threads"
)]

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;
use crate::api::fixture::Hall;

const CONFIGURED: &str = "[[hot_folder]]\npath = \"incoming\"\nclass = \"received-invoice\"\nmetadata = { counterparty = \"ABC\" }\nsettle_s = 1\n\
[syslog]\nlisten = \"127.0.0.1:0\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\nspool = \"spool\"\n";

/// A hall with intakes, and a certificate for them.
async fn hall() -> Hall {
    let hall = Hall::with_everybody_and(CONFIGURED).await;
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let root = hall.bench.place.path();
    fs::write(root.join("c.pem"), cert.pem()).unwrap();
    fs::write(root.join("k.pem"), signing_key.serialize_pem()).unwrap();
    hall
}

fn configured(hall: &Hall) -> IntakesConfig {
    let mut config = hall.desk.archive().config().intakes.clone();
    // A batch is closed at once.
    config.syslog.as_mut().unwrap().batch_age = Duration::from_millis(100);
    config
}

/// Sends one message over TLS, as RFC 5425 frames it.
fn send_syslog(root: &Path, intakes: &Intakes, message: &str) {
    let mut roots = RootCertStore::empty();
    let certificate = rustls::pki_types::CertificateDer::from_pem_file(root.join("c.pem"));
    roots.add(certificate.unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(client), name).unwrap();
    let address = intakes.receiver.as_ref().unwrap().address();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    write!(stream, "{} {message}", message.len()).unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
}

async fn total(hall: &Hall, query: &str) -> u64 {
    let path = format!("/api/v1/records?{query}");
    let token = &hall.tokens["retriever"];
    let (status, page) = hall.send("GET", &path, token, None).await;
    assert_eq!(status, 200, "{page}");
    page["total"].as_u64().unwrap()
}

#[tokio::test]
async fn what_a_folder_and_a_syslog_sender_bring_is_found_and_on_record() {
    let hall = hall().await;
    let root = hall.bench.place.path();
    let intakes = Intakes::start(
        &hall.bench.session,
        &hall.desk,
        &configured(&hall),
        HeldUp::default(),
    )
    .unwrap();
    let incoming = root.join("incoming");
    fs::write(incoming.join("bill.txt.part"), "a bill").unwrap();
    fs::rename(incoming.join("bill.txt.part"), incoming.join("bill.txt")).unwrap();
    std::os::unix::fs::symlink("bill.txt", incoming.join("link")).unwrap();
    let message = "<14>1 2030-04-01T12:00:00+09:00 host app - - - a line";
    send_syslog(root, &intakes, message);

    let end = Instant::now() + Duration::from_secs(60);
    let (bills, logs) = (
        "class=received-invoice&counterparty=abc&text=bill",
        "class=system-log",
    );
    let failed = root.join("incoming-failed/link.reason.txt");
    while total(&hall, bills).await == 0 || total(&hall, logs).await == 0 || !failed.exists() {
        assert!(Instant::now() < end, "waited for both");
        hall.clock.advance(time::Duration::seconds(1));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    intakes.stop();
    assert!(root.join("incoming-done/bill.txt").exists());

    for person in ["hot-folder:incoming", "syslog:receiver"] {
        let path = format!("/api/v1/audit?act=record.deposit&person={person}");
        let token = &hall.tokens["auditor"];
        let (status, trail) = hall.send("GET", &path, token, None).await;
        let entries = trail["entries"].as_array().unwrap();
        assert_eq!((status, entries.len()), (200, 1), "{person}: {trail}");
        assert_eq!(entries[0]["outcome"], "done");
        assert!(entries[0]["record"].is_string());
    }
    // Nobody is left at the desk: the archive can be closed.
    assert_eq!(Arc::strong_count(&hall.desk), 1);
}

#[tokio::test]
async fn what_came_before_a_stop_is_taken_in_by_the_next_start() {
    let hall = hall().await;
    let root = hall.bench.place.path();
    let mut config = configured(&hall);
    config.syslog.as_mut().unwrap().batch_age = Duration::from_secs(3600);
    let intakes =
        Intakes::start(&hall.bench.session, &hall.desk, &config, HeldUp::default()).unwrap();
    send_syslog(root, &intakes, "<14>1 - host app - - - before the stop");
    let end = Instant::now() + Duration::from_secs(60);
    while intakes.receiver.as_ref().unwrap().status().lines == 0 {
        assert!(Instant::now() < end, "waited for the line");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    intakes.stop();
    assert_eq!(total(&hall, "class=system-log").await, 0);
    let intakes =
        Intakes::start(&hall.bench.session, &hall.desk, &config, HeldUp::default()).unwrap();
    while total(&hall, "class=system-log").await == 0 {
        assert!(Instant::now() < end, "waited for the record");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    intakes.stop();
}

#[tokio::test]
async fn a_class_that_is_none_and_the_classes_of_the_service_are_refused_at_the_start() {
    let hall = hall().await;
    for class in ["none-such", "audit-trail", "operation-journal"] {
        let mut config = configured(&hall);
        config.hot_folders[0].class = class.to_owned();
        let started = Intakes::start(&hall.bench.session, &hall.desk, &config, HeldUp::default());
        let failure = started.err().expect("it is refused");
        assert!(
            matches!(failure, Failure::Said { exit: Exit::Unusable, text } if text.contains(class))
        );
    }
}

#[tokio::test]
async fn a_folder_that_stays_out_of_reach_becomes_an_alarm_until_it_is_read_again() {
    let hall = hall().await;
    let held_up = HeldUp::default();
    let journal = Journal {
        output: hall.bench.session.output.clone(),
        clock: Arc::clone(&hall.bench.session.environment.clock),
    };
    let folder = Path::new("/in/invoices");
    let mut teller = Teller::new((journal, held_up.clone()), folder);
    let gone = || Err(io::Error::other("stale file handle"));
    let alarms = || held_up.conditions(hall.bench.session.environment.clock.now());
    teller.tell(gone());
    assert!(alarms().is_empty(), "it may pass");
    hall.clock.advance(time::Duration::minutes(10));
    teller.tell(gone());
    let found = alarms();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].subject, "/in/invoices");
    assert!(found[0].en.contains("stale file handle"), "{}", found[0].en);
    teller.tell(Ok(Look::default()));
    assert!(alarms().is_empty());
}
