//! `verifier path --online` against services on this machine: what is fetched, what is refused, and that nothing is asked without being told to.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tests::http::{Answer, serve};
use tests::status::NamedStatus;
use time::{Duration, OffsetDateTime};

use crate::der::*;
use crate::extension::*;
use crate::make::*;

/// Runs `verifier path` in a folder: exit code and report.
fn path(folder: &Path, arguments: &str) -> (i32, Value) {
    let mut command = Command::new(tests::programs::verifier());
    command.arg("path").args(arguments.split(' '));
    let output = command
        .args(["--format", "json"])
        .current_dir(folder)
        .output()
        .expect("verifier starts");
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().expect("an exit code"), report)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    File::create(folder.join(name))
        .unwrap()
        .write_all(bytes)
        .unwrap();
}

fn now() -> OffsetDateTime {
    #[allow(
        clippy::disallowed_methods,
        reason = "services that answer now are judged now"
    )]
    OffsetDateTime::now_utc()
}

/// A CRL over HTTP and `openssl ocsp`, named by the certificates.
#[test]
fn status_is_asked_for_where_the_certificates_say() {
    if !crate::second::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let services = NamedStatus::make(folder, 365);
    services.publish(now() - Duration::HOUR, now() + Duration::DAY);
    let arguments = "tsa.pem --chain ca.pem --trust root.pem --eku 1.3.6.1.5.5.7.3.8";
    let (code, report) = path(folder, arguments);
    assert_eq!(code, 2, "{report:#}");
    assert!(report.get("fetched").is_none());
    let (code, report) = path(folder, &format!("{arguments} --online"));
    assert_eq!(code, 2, "{report:#}");
    for exchange in report["fetched"].as_array().unwrap() {
        assert!(
            exchange["error"]
                .as_str()
                .unwrap()
                .contains("private address"),
            "{exchange}"
        );
    }
    let (code, report) = path(folder, &format!("{arguments} --online --online-private"));
    assert_eq!(code, 0, "{report:#}");
    let fetched = report["fetched"].as_array().unwrap();
    assert_eq!(fetched.len(), 2, "{report:#}");
    assert!(
        fetched
            .iter()
            .all(|exchange| exchange["bytes"].as_u64() > Some(100))
    );
    services.revoke(now() - Duration::HOUR);
    services.publish(now() - Duration::MINUTE, now() + Duration::DAY);
    let (code, report) = path(folder, &format!("{arguments} --online --online-private"));
    assert_eq!(
        (code, report["sub_indication"].as_str()),
        (1, Some("REVOKED_CA_NO_POE")),
        "{report:#}"
    );
}

/// One resource on a server of its own, and how often it was asked for.
fn resource(status: &'static str, body: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let address = serve(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Answer {
            status,
            content_type: "application/octet-stream",
            body: body.clone(),
        }
    });
    (address, count)
}

fn issuer_at(address: &str) -> Extension {
    let access = seq(&[oid("1.3.6.1.5.5.7.48.2"), uri(address)]);
    extension("1.3.6.1.5.5.7.1.1", false, seq(&[access]))
}

/// The certificate of the issuer is fetched first, and what it lacks itself after that.
#[test]
fn issuers_are_fetched_and_lead_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (root_list, _) = resource("200 OK", Crl::of("Root").der());
    let authority = Cert::ca("CA", "Root").with(point_at(&[uri(&root_list)], None, None));
    let (list, asked) = resource("200 OK", Crl::of("CA").der());
    let (issuer, _) = resource("200 OK", authority.der());
    let point = point_at(&[uri("ldap://ca.example/x"), uri(&list)], None, None);
    let target = Cert::leaf("Leaf", "CA")
        .with(point)
        .with(issuer_at(&issuer));
    put(folder, "leaf.der", &target.der());
    put(folder, "root.der", &Cert::ca("Root", "Root").der());
    let arguments = "leaf.der --trust root.der --at 2025-06-01";
    let (code, _) = path(folder, arguments);
    assert_eq!((code, asked.load(Ordering::SeqCst)), (2, 0));
    let (code, report) = path(folder, &format!("{arguments} --online"));
    assert_eq!((code, asked.load(Ordering::SeqCst)), (2, 0), "{report:#}");
    let (code, report) = path(folder, &format!("{arguments} --online --online-private"));
    assert_eq!((code, asked.load(Ordering::SeqCst)), (0, 1), "{report:#}");
    assert_eq!(report["fetched"].as_array().unwrap().len(), 3);
    let (code, report) = path(
        folder,
        &format!("{arguments} --online --online-private --no-revocation"),
    );
    assert_eq!((code, asked.load(Ordering::SeqCst)), (0, 1), "{report:#}");
}

/// Answers that are none leave the question open and are told.
#[test]
fn useless_answers_leave_the_question_open() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(folder, "root.der", &Cert::ca("Root", "Root").der());
    let forged = Crl::of("Root").signed_by("Mallory").der();
    for (status, body) in [
        ("404 Not Found", Crl::of("Root").der()),
        ("500 Internal Server Error", Vec::new()),
        ("200 OK", b"<html>sign in first</html>".to_vec()),
        ("200 OK", Vec::new()),
        ("200 OK", forged),
    ] {
        let (address, asked) = resource(status, body);
        let target = Cert::leaf("Leaf", "Root").with(point_at(&[uri(&address)], None, None));
        put(folder, "leaf.der", &target.der());
        let arguments = "leaf.der --trust root.der --at 2025-06-01 --online --online-private";
        let (code, report) = path(folder, arguments);
        assert_eq!((code, asked.load(Ordering::SeqCst)), (2, 1), "{report:#}");
    }
    // Encrypted, nobody there, and not to be resolved.
    for address in [
        "https://127.0.0.1:1/x",
        &tests::http::nobody(),
        "http://no.such.invalid/",
    ] {
        let target = Cert::leaf("Leaf", "Root").with(point_at(&[uri(address)], None, None));
        put(folder, "leaf.der", &target.der());
        let arguments = "leaf.der --trust root.der --at 2025-06-01 --online --online-private";
        let (code, report) = path(folder, arguments);
        assert_eq!(code, 2, "{report:#}");
        assert!(report["fetched"][0]["error"].is_string(), "{report:#}");
    }
}

/// What could be fetched is told without fetching, and is bounded whatever a certificate says.
#[test]
fn services_are_named_and_bounded() {
    use verifier::path::{Material, TrustAnchor};
    use verifier::revocation::{ServiceKind, services};
    let anchors = [TrustAnchor::from_certificate(&Cert::ca("Root", "Root").der()).unwrap()];
    let many: Vec<_> = (0..500)
        .map(|number| uri(&format!("http://crl.example/{number}")))
        .collect();
    let bad = [
        uri("ldap://crl.example/"),
        uri("file:///etc/passwd"),
        uri("http:///x"),
        dns("crl.example"),
    ];
    let names = [&bad[..], &many].concat();
    let ask = seq(&[oid("1.3.6.1.5.5.7.48.1"), uri("http://ocsp.example/")]);
    let access = extension("1.3.6.1.5.5.7.1.1", false, seq(&[ask]));
    let target = Cert::leaf("Leaf", "Root")
        .with(point_at(&names, None, None))
        .with(access);
    let der = target.der();
    let wanted = |material: &Material<'_>| services(&der, material, &anchors, NOW, Some(&[7; 32]));
    let found = wanted(&Material::default());
    assert_eq!(
        found
            .iter()
            .filter(|service| service.kind == ServiceKind::Crl)
            .count(),
        4
    );
    assert!(matches!(&found[0].kind, ServiceKind::Ocsp { request } if request.len() > 60));
    assert_eq!(found.len(), 5);
    // A current CRL or response is enough; one that is out of date, or about another certificate, is not.
    let (good, old) = (
        Crl::of("Root").der(),
        Crl::of("Root").at(START, Some(BEFORE)).der(),
    );
    let answer = Ocsp::about(&target, "Root", Says::Good).der();
    let other = Ocsp::about(&Cert::leaf("Other", "Root"), "Root", Says::Good).der();
    for (crl, ocsp, count) in [(&good, &other, 0), (&old, &answer, 0), (&old, &other, 5)] {
        let material = Material {
            crls: vec![crl],
            ocsp_responses: vec![ocsp],
            ..Material::default()
        };
        assert_eq!(wanted(&material).len(), count);
    }
    // Without the issuer, only its certificate can be asked for; a mesh of thousands is looked at in part.
    let strange = Cert::leaf("Leaf", "CA")
        .with(issuer_at("http://ca.example/ca.cer"))
        .der();
    let found = services(&strange, &Material::default(), &anchors, NOW, None);
    assert!(matches!(&found[..], [service] if service.kind == ServiceKind::Issuer));
    let mesh: Vec<_> = (0..300)
        .map(|number| {
            Cert::ca("CA", "CA").keyed("CA").with(point_at(
                &[uri(&format!("http://{number}.example/"))],
                None,
                None,
            ))
        })
        .map(|cert| cert.change(|cert| cert.serial = vec![1]).der())
        .collect();
    let material = Material {
        certificates: mesh.iter().map(Vec::as_slice).collect(),
        ..Material::default()
    };
    assert!(services(&strange, &material, &anchors, NOW, None).len() <= 64);
    assert!(services(b"garbage", &material, &anchors, NOW, None).is_empty());
}
