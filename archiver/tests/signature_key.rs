//! The signing key on the key medium: made once, replaced by a company's certificate, never in the clear.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;

use archiver::signature::{SignatureError, SigningRequest, vault};
use archiver::store::durable::system_disk;
use firmware::clock::{Clock, SystemClock};
use firmware::entropy::SeededEntropy;
use formats::digest::DigestAlgorithm;
use formats::oid;
use support::archive::World;
use support::openssl;
use support::signing::Signing;
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-22 04:00 UTC);

fn create(world: &World) -> Result<(), SignatureError> {
    vault::create(
        &world.keys,
        system_disk().as_ref(),
        NOW,
        &SeededEntropy::new(3),
    )
}

#[test]
fn what_was_made_is_found_again_and_never_overwritten() {
    let world = World::new(NOW);
    assert!(matches!(
        vault::open(&world.keys),
        Err(SignatureError::NoKey { .. })
    ));
    assert_eq!(vault::trust_anchor(world.keys.root()).unwrap(), None);
    create(&world).unwrap();
    let signer = vault::open(&world.keys).unwrap();
    assert!(signer.is_self_issued());
    assert_eq!(signer.chain().len(), 2);
    let anchor = vault::trust_anchor(world.keys.root()).unwrap();
    assert_eq!(anchor, Some(signer.trust_anchor()));
    assert!(signer.crl(NOW).unwrap().is_some());
    assert!(matches!(
        create(&world),
        Err(SignatureError::AlreadyCreated { .. })
    ));
}

#[test]
fn damaged_files_are_named_and_keys_are_sealed() {
    let world = World::new(NOW);
    create(&world).unwrap();
    let folder = world.keys.root().join("signing");
    let mut sealed = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let good = std::fs::read(&path).unwrap();
        if path
            .extension()
            .is_some_and(|extension| extension == "sealed")
        {
            sealed += 1;
            // PKCS #8 of an EC key begins so.
            assert!(
                !good
                    .windows(4)
                    .any(|window| window == [0x02, 0x01, 0x01, 0x04])
            );
        }
        for bad in [&good[..good.len() / 2], b"", b"nothing"] {
            openssl::put(&path, bad);
            assert!(vault::open(&world.keys).is_err(), "{}", path.display());
        }
        openssl::put(&path, &good);
    }
    assert_eq!(sealed, 2);
    vault::open(&world.keys).unwrap();
}

/// A root made by OpenSSL, and a certificate for a request.
fn certify(folder: &Path, request: &str, days: u32) -> Vec<u8> {
    openssl::put(&folder.join("request.pem"), request.as_bytes());
    let extensions = "[v3]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\n";
    openssl::put(&folder.join("extensions"), extensions.as_bytes());
    openssl::must(
        folder,
        "req -newkey rsa:2048 -nodes -x509 -days 3650 -subj /CN=Company -keyout root.key -out root.pem",
    );
    openssl::must(
        folder,
        &format!(
            "x509 -req -in request.pem -CA root.pem -CAkey root.key -set_serial 5 -days {days} -extfile extensions -extensions v3 -out signer.pem"
        ),
    );
    let read = |name| std::fs::read(folder.join(name)).unwrap();
    // Out of order, as people hand it in.
    [read("root.pem"), read("signer.pem")].concat()
}

#[test]
fn a_company_certificate_replaces_the_archives_own() {
    if !openssl::present("a_company_certificate_replaces_the_archives_own") {
        return;
    }
    // OpenSSL writes the time of this machine into the certificates.
    let now = SystemClock.now();
    let world = World::new(now);
    let mut signing = Signing::new(&world);
    let before = signing.signer.chain();
    let disk = system_disk();
    let request = vault::request(&world.keys, disk.as_ref(), &SeededEntropy::new(9)).unwrap();
    assert_eq!(
        vault::open(&world.keys).unwrap().chain(),
        before,
        "it signs on"
    );
    let chain = certify(world.folder.path(), &request, 365);
    // OpenSSL has taken the time itself, later than the test did.
    let now = now + time::Duration::minutes(5);
    let refused = |pem: &[u8], at| {
        let result = vault::install(&world.keys, disk.as_ref(), pem, at);
        assert!(
            matches!(result, Err(SignatureError::Chain { .. })),
            "{result:?}"
        );
        assert_eq!(vault::open(&world.keys).unwrap().chain(), before);
    };
    refused(b"nothing", now);
    refused(
        &std::fs::read(world.folder.path().join("root.pem")).unwrap(),
        now,
    );
    refused(
        &std::fs::read(world.folder.path().join("signer.pem")).unwrap(),
        now,
    );
    refused(&chain, now + time::Duration::days(400));
    signing.signer = vault::install(&world.keys, disk.as_ref(), &chain, now).unwrap();
    assert!(!signing.signer.is_self_issued());
    assert_eq!(signing.signer.chain().len(), 2);
    assert!(signing.signer.crl(now).unwrap().is_none());
    assert_eq!(
        vault::open(&world.keys).unwrap().chain(),
        signing.signer.chain()
    );
    let signature = signing
        .signer
        .sign(&SigningRequest {
            content: b"content",
            media_type: "text/plain",
            commitment: &oid::PROOF_OF_ORIGIN,
            digest: DigestAlgorithm::Sha512,
            at: now,
        })
        .unwrap();
    let at = now.unix_timestamp();
    assert!(signing.openssl_accepts(world.folder.path(), &signature, None, at));
}
