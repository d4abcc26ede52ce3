//! What is collected from services that work.

use std::sync::Arc;

use archiver::tsa::material::{
    Collected, GapKind, HttpMaterial, MaterialError, MaterialOptions, MaterialSource as _,
    missing_or_provisional,
};
use archiver::tsa::refusal::{Refusal, TsaError};
use firmware::clock::SimulatedClock;
use firmware::entropy::SystemEntropy;
use formats::tsp::{TimeStampResponse, TimeStampToken};
use time::{Duration, OffsetDateTime};
use verifier::context::Context;
use verifier::finding::{Place, revocation as codes};
use verifier::path::TrustAnchor;
use verifier::policy::Policy;
use verifier::source::KnownDigests;
use verifier::timestamp::{TimestampReport, verify_token};

use crate::support::openssl::{must, present, put, run};
use crate::world::*;

/// Judges a token by what is in it and the root alone.
fn judge(world: &World, token: &[u8], time: OffsetDateTime) -> TimestampReport {
    let anchors = world.root();
    let anchors: Vec<TrustAnchor> = anchors
        .iter()
        .map(|root| TrustAnchor::from_certificate(root).unwrap())
        .collect();
    let policy = Policy::default();
    let context = Context {
        anchors: &anchors,
        certificates: &[],
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time,
        cache: None,
        registry: None,
    };
    let data = KnownDigests::computed("imprint", vec![digest()]);
    verify_token(token, Some(&data), &context, &Place::root())
}

#[test]
fn a_token_is_accepted_with_what_was_collected_and_holds_with_the_root_alone() {
    if !present("tsa_material") {
        return;
    }
    for named in [Named::Both, Named::Crl, Named::Peer] {
        let world = World::new(named);
        let token = world.token().unwrap();
        let sent = TimeStampResponse::parse(&world.read("ts.resp")).unwrap();
        assert_eq!(sent.token.as_deref(), Some(token.bytes()), "as it was sent");
        openssl_reads_what_is_kept(&world, token.bytes());
        let material = token.material();
        assert_eq!(material.failures, []);
        assert_eq!(material.certificates, [world.certificate("ca.pem")]);
        let by_ocsp = named != Named::Crl;
        let (lists, answers) = if by_ocsp { (1, 1) } else { (2, 0) };
        assert_eq!(
            (material.crls.len(), material.ocsp_responses.len()),
            (lists, answers)
        );
        let bare = judge(&world, token.bytes(), now());
        assert!(
            !bare.judgement.is_passed(),
            "the issuer's certificate is missing"
        );
        let merged = material.put_into(token.bytes()).unwrap();
        let report = judge(&world, &merged, now());
        assert!(report.judgement.is_passed(), "{:#?}", report.findings);
        assert_eq!(
            report.has(codes::REVOCATION_CHECKED_OCSP),
            by_ocsp && !report.has(codes::REVOCATION_KNOWN_UNTIL)
        );
        openssl_accepts(&world, &merged, by_ocsp);
        let gaps = missing_or_provisional(&merged, &Collected::default(), &world.root(), now());
        // OpenSSL writes whole seconds, and the CRLs are older than the token.
        assert!(
            gaps.iter()
                .all(|gap| matches!(gap.kind, GapKind::Provisional { .. }) && !gap.worth_asking),
            "{gaps:?}"
        );
    }
}

/// What is kept is without the material, which is merged when evidence is put together: `openssl ts` reads it wherever the material comes from.
fn openssl_reads_what_is_kept(world: &World, token: &[u8]) {
    put(&world.path().join("kept.der"), token);
    let verify = |digest: &str| {
        let trust = "-CAfile root.pem -untrusted ca.pem";
        format!("ts -verify -digest {digest} -in kept.der -token_in {trust}")
    };
    must(world.path(), &verify(&hex::encode(digest().as_bytes())));
    let other = run(world.path(), &verify(&"55".repeat(32)));
    assert!(!other.status.success());
}

/// Another program reads the token with its material, and still finds it good. `openssl ts` reads PKCS #7, which knows no OCSP responses.
fn openssl_accepts(world: &World, token: &[u8], by_ocsp: bool) {
    put(&world.path().join("merged.der"), token);
    let digest = hex::encode(digest().as_bytes());
    let trust = "-CAfile root.pem";
    let cms =
        format!("cms -verify -inform DER -in merged.der {trust} -purpose timestampsign -out info");
    must(world.path(), &cms);
    let ts =
        format!("ts -verify -digest {digest} -in merged.der -token_in {trust} -untrusted ca.pem");
    assert_eq!(run(world.path(), &ts).status.success(), !by_ocsp);
}

#[test]
fn final_material_is_enough_years_later() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Both);
    let token = world.token().unwrap();
    let gen_time = token.gen_time();
    // A refresh after the token was made: everything is issued since.
    world.route("/root.crl", Route::Body(world.crl("root", "-crldays 30")));
    let issuer = world.certificate("ca.pem");
    let fresh = world.source().collect(
        &[world.certificate("tsa.pem"), issuer],
        &world.root(),
        gen_time,
    );
    assert_eq!(fresh.failures, []);
    let merged = fresh
        .put_into(&token.material().put_into(token.bytes()).unwrap())
        .unwrap();
    assert_eq!(
        missing_or_provisional(&merged, &Collected::default(), &world.root(), now()),
        []
    );
    let later = gen_time + Duration::days(300);
    let report = judge(&world, &merged, later);
    assert!(report.judgement.is_passed(), "{:#?}", report.findings);
    assert!(report.has(codes::REVOCATION_KNOWN_UNTIL));
}

#[test]
fn a_revoked_authority_is_refused() {
    if !present("tsa_material") {
        return;
    }
    for named in [Named::Both, Named::Crl] {
        let world = World::new(named);
        world.revoke("keyCompromise");
        let refused = world.token().unwrap_err();
        assert!(
            matches!(&refused, TsaError::Refused(Refusal::Revoked(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn where_ocsp_fails_the_list_is_asked_and_the_failure_named() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Both);
    world.route("/ocsp", Route::Status("503 Service Unavailable"));
    let token = world.token().unwrap();
    let material = token.material();
    assert_eq!((material.crls.len(), material.ocsp_responses.len()), (2, 0));
    let [failure] = material.failures.as_slice() else {
        panic!("{:?}", material.failures);
    };
    assert_eq!(failure.error, MaterialError::HttpStatus { status: 503 });
    let text = failure.to_string();
    assert!(
        text.contains("CN=Authority") && text.contains("/ocsp") && text.contains("503"),
        "{text}"
    );
}

#[test]
fn an_authority_that_names_nothing_that_answers_is_refused() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Both);
    world.route("/ocsp", Route::Status("500 Internal Server Error"));
    world.route("/ca.crl", Route::Status("404 Not Found"));
    let refused = world.token().unwrap_err();
    assert!(
        matches!(
            &refused,
            TsaError::Refused(Refusal::RevocationUnknown { .. })
        ),
        "{refused:?}"
    );
}

#[test]
fn lists_are_kept_until_their_next_update() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Crl);
    let cache = world.path().join("cache");
    let at = |days: i64| {
        let options = MaterialOptions {
            cache: Some(archiver::store::durable::DerivedPlace {
                path: cache.clone(),
                disk: archiver::store::durable::system_disk(),
            }),
            ..MaterialOptions::default()
        };
        let clock = Arc::new(SimulatedClock::new(now() + Duration::days(days)));
        (
            HttpMaterial::new(options, clock, Arc::new(SystemEntropy)),
            now() + Duration::days(days),
        )
    };
    let lists = |asked: Vec<String>| asked.iter().filter(|path| path.ends_with(".crl")).count();
    let (first, moment) = at(0);
    for expected in [2, 0] {
        assert_eq!(world.collect(&first, moment).failures, []);
        assert_eq!(lists(world.asked()), expected);
    }
    // Another process finds them in the folder.
    let (second, moment) = at(1);
    assert_eq!(world.collect(&second, moment).crls.len(), 2);
    assert_eq!(lists(world.asked()), 0);
    // After the next update of one of them only that one is fetched, and what comes is as old as before.
    let (third, moment) = at(8);
    let collected = world.collect(&third, moment);
    assert_eq!(lists(world.asked()), 1);
    assert_eq!(collected.failures[0].error, MaterialError::Stale);
}

#[test]
fn gaps_are_told_until_something_final_is_there() {
    if !present("tsa_material") {
        return;
    }
    let world = World::new(Named::Crl);
    let token = world.token().unwrap();
    let none = Collected::default();
    let gaps = |material: &Collected, now| {
        missing_or_provisional(token.bytes(), material, &world.root(), now)
    };
    let bare = gaps(&none, now());
    assert_eq!(bare.len(), 2);
    assert_eq!(bare[0].kind, GapKind::Missing);
    assert_eq!(bare[1].kind, GapKind::IssuerMissing);
    assert!(bare.iter().all(|gap| gap.worth_asking));
    let old = Collected {
        certificates: vec![world.certificate("ca.pem")],
        crls: vec![
            world.crl(
                "ca",
                "-crl_lastupdate 20260101000000Z -crl_nextupdate 20260201000000Z",
            ),
            world.crl(
                "root",
                "-crl_lastupdate 20260101000000Z -crl_nextupdate 20990201000000Z",
            ),
        ],
        ..Collected::default()
    };
    let provisional = gaps(&old, now());
    assert!(matches!(
        provisional[0].kind,
        GapKind::Provisional {
            next_update: Some(_),
            ..
        }
    ));
    assert_eq!(
        provisional
            .iter()
            .map(|gap| gap.worth_asking)
            .collect::<Vec<_>>(),
        [true, false]
    );
    let made = TimeStampToken::parse(token.bytes()).unwrap().info.gen_time;
    let mut fresh = old;
    fresh.crls = vec![
        world.crl("ca", "-crldays 7"),
        world.crl("root", "-crldays 7"),
    ];
    assert!(made <= now());
    assert_eq!(gaps(&fresh, now()), []);
    assert_eq!(
        missing_or_provisional(b"garbage", &fresh, &world.root(), now()),
        []
    );
}
