//! Signatures and receipts in the archive: made, raised when due, found again, and never lost for want of an authority.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use archiver::signature::raise::level;
use archiver::signature::receipt::{Occasion, ReceiptDesk, ReceiptKind};
use archiver::signature::{RaiseOptions, RaiseSummary, Reach, SignatureError, Step};
use archiver::tsa::checks::AcceptedToken;
use archiver::tsa::client::Timestamper;
use archiver::tsa::refusal::{Refusal, TsaError};
use formats::cades::{Level, detach};
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::id::VersionId;
use formats::segment::Frame;
use serde_json::Value;
use support::archive::World;
use support::openssl;
use support::signing::{Signing, archive_timestamps};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-22 04:00 UTC);

/// An authority that never answers.
#[derive(Debug)]
struct Silent;

impl Timestamper for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    fn timestamp(&self, _: &DigestValue) -> Result<AcceptedToken, TsaError> {
        Err(Refusal::NoToken.into())
    }
}

fn raise(
    world: &World,
    signing: &Signing,
    authority: Option<&dyn Timestamper>,
    reach: Reach<'_>,
) -> RaiseSummary {
    let appender = world.store.appender().unwrap();
    let raiser = authority.map(|authority| signing.raiser(authority));
    let options = RaiseOptions::default();
    let keeper = signing.keeper(world);
    keeper
        .raise_due(&appender, raiser.as_ref(), reach, &options, &mut |_, _| {})
        .unwrap()
}

fn level_of(world: &World, signing: &Signing, version: VersionId) -> Option<Level> {
    let stored = signing.keeper(world).stored(version).unwrap();
    stored.map(|stored| level(&stored.signature).unwrap())
}

#[test]
fn a_signature_is_raised_when_its_time_has_come() {
    let world = World::new(NOW);
    let signing = Signing::new(&world);
    let version = world.deposit("contract.txt", b"we agree");
    let client: &dyn Timestamper = &world.client;
    let level_now = |world: &World| level_of(world, &signing, version);
    assert_eq!(level_now(&world), None);

    assert_eq!(
        raise(&world, &signing, None, Reach::Sign(&[version])).signed,
        1
    );
    assert_eq!(level_now(&world), Some(Level::Bes));
    let stamped = raise(&world, &signing, Some(client), Reach::Stamp(&[version]));
    assert_eq!((stamped.signed, stamped.timestamped), (0, 1));
    assert_eq!(level_now(&world), Some(Level::T));

    // Revocations take a day to be published.
    assert!(raise(&world, &signing, Some(client), Reach::All).is_empty());
    world.clock.advance(Duration::days(2));
    assert_eq!(raise(&world, &signing, Some(client), Reach::All).raised, 1);
    assert_eq!(level_now(&world), Some(Level::A));

    // The next one is due a year before the end of the authority's certificate, and not before.
    let keeper = signing.keeper(&world);
    let planned = keeper.plan(&RaiseOptions::default()).unwrap();
    assert_eq!(planned.len(), 1);
    assert_eq!(planned[0].due.step, Step::Restamp);
    assert!(planned[0].due.at > NOW + Duration::days(8 * 365));
    assert!(raise(&world, &signing, Some(client), Reach::All).is_empty());
    world.clock.advance(Duration::days(9 * 365 + 30));
    assert_eq!(
        raise(&world, &signing, Some(client), Reach::All).restamped,
        1
    );

    let world = world.rebuild();
    let stored = signing.keeper(&world).stored(version).unwrap().unwrap();
    assert_eq!(stored.generation, 3);
    assert_eq!(archive_timestamps(&stored.signature), Some(2));
}

#[test]
fn the_end_of_a_digest_is_seen_and_the_next_one_takes_its_place() {
    let mut world = World::new(NOW);
    let signing = Signing::new(&world);
    let version = world.deposit("contract.txt", b"we agree");
    raise(
        &world,
        &signing,
        Some(&world.client),
        Reach::Stamp(&[version]),
    );
    world.clock.advance(Duration::days(2));
    raise(&world, &signing, Some(&world.client), Reach::All);
    assert_eq!(level_of(&world, &signing, version), Some(Level::A));
    let end = world.now() + Duration::days(100);
    let policy = world
        .policy
        .with_end(&"sha256".parse().unwrap(), end, "test");
    world.policy = policy;
    let planned = signing
        .keeper(&world)
        .plan(&RaiseOptions::default())
        .unwrap();
    assert_eq!(planned[0].due.latest, Some(end));
    world.clock.advance(Duration::days(60));
    assert_eq!(
        raise(&world, &signing, Some(&world.client), Reach::All).restamped,
        1
    );
    let stored = signing.keeper(&world).stored(version).unwrap().unwrap();
    assert_eq!(archive_timestamps(&stored.signature), Some(2));
    let newest = archiver::signature::raise::newest_token(&stored.signature).unwrap();
    let token = formats::tsp::TimeStampToken::parse(&newest.unwrap()).unwrap();
    assert_eq!(
        token.info.imprint.digest_algorithm(),
        Some(DigestAlgorithm::Sha512)
    );
}

#[test]
fn without_an_authority_nothing_is_lost_and_all_of_it_waits() {
    let world = World::new(NOW);
    let signing = Signing::new(&world);
    let versions = [world.deposit("a", b"a"), world.deposit("b", b"b")];
    let summary = raise(&world, &signing, Some(&Silent), Reach::Stamp(&versions));
    assert_eq!(
        (summary.signed, summary.timestamped, summary.waiting),
        (2, 0, 2)
    );
    assert!(summary.outage.is_some());
    for version in versions {
        assert_eq!(level_of(&world, &signing, version), Some(Level::Bes));
    }
    let summary = raise(&world, &signing, Some(&world.client), Reach::All);
    assert_eq!((summary.timestamped, summary.waiting), (2, 0));
    assert!(summary.outage.is_none());
}

#[test]
fn a_class_that_asks_for_nothing_is_not_signed_and_each_level_is_kept_to() {
    let world = World::new(NOW);
    let version = world.deposit("a", b"a");
    let none = Signing::asking(&world, "");
    assert!(raise(&world, &none, Some(&world.client), Reach::All).is_empty());
    let only_t = Signing::asking(&world, "cades = \"B-T\"\ncades-digest = \"SHA-512\"");
    raise(&world, &only_t, Some(&world.client), Reach::All);
    world.clock.advance(Duration::days(3000));
    raise(&world, &only_t, Some(&world.client), Reach::All);
    assert_eq!(level_of(&world, &only_t, version), Some(Level::T));
    let mut keeper = only_t.keeper(&world);
    let demand = keeper.demand("general").unwrap();
    assert_eq!(demand.digest, DigestAlgorithm::Sha512);
    assert_eq!(keeper.demand("no such class"), None);
    keeper.signer = None;
    let error = keeper.sign(version, DigestAlgorithm::Sha256).unwrap_err();
    assert!(matches!(error, SignatureError::NoKey { .. }));
}

#[test]
fn a_package_holds_the_signature_and_passes() {
    let world = World::new(NOW);
    let signing = Signing::new(&world);
    let version = world.deposit("contract.txt", b"we agree");
    raise(
        &world,
        &signing,
        Some(&world.client),
        Reach::Stamp(&[version]),
    );
    world.stamp(DigestAlgorithm::Sha256).unwrap();
    let (exported, package) = world.export(version, NOW).unwrap();
    assert!(exported.judgement.is_passed());
    let reader = formats::asic::AsicReader::open(&package).unwrap();
    let member = |name| reader.entry(name).unwrap().read().unwrap().into_owned();
    let signature = member(formats::package::SIGNATURE);
    let covered = member(formats::package::SIGNATURE_MANIFEST);
    let stored = signing.keeper(&world).stored(version).unwrap().unwrap();
    assert_eq!(
        detach(&stored.signature),
        Ok((signature.clone(), covered.clone()))
    );
    let covered_names = formats::asic::AsicManifest::parse(&covered).unwrap();
    assert_eq!(covered_names.signature.uri, formats::package::SIGNATURE);
    for reference in &covered_names.references {
        let content = reader.resolve(&reference.uri).unwrap().read().unwrap();
        let digest = reference.digest_value().unwrap();
        assert_eq!(digest.algorithm().digest(&content), digest);
    }
    if openssl::present("a_package_holds_the_signature_and_passes") {
        let (folder, at) = (world.folder.path(), NOW.unix_timestamp());
        assert!(signing.openssl_accepts(folder, &signature, Some(&covered), at));
    }
}

const DEPOSIT: Occasion<'_> = Occasion {
    kind: ReceiptKind::Deposit,
    person: "経理 花子",
    channel: "cli",
    purpose: None,
};

#[test]
fn a_receipt_says_what_was_received_and_can_be_fetched_again() {
    let world = World::new(NOW);
    let signing = Signing::new(&world);
    let catalog_key = world.keys.catalog_key().unwrap();
    let versions = [
        world.deposit("a.txt", b"first"),
        world.deposit("b.txt", b"second"),
    ];
    let appender = world.store.appender().unwrap();
    let raiser = signing.raiser(&world.client);
    let desk = ReceiptDesk {
        keeper: signing.keeper(&world),
        catalog_key: &catalog_key,
    };
    let issued = desk
        .issue(&appender, Some(&raiser), &DEPOSIT, &versions)
        .unwrap();
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].level, Level::T);
    let (_, content) = detach(&issued[0].signature).unwrap();
    let said: Value = serde_json::from_slice(&content).unwrap();
    assert_eq!(serde_json_canonicalizer::to_vec(&said).unwrap(), content);
    assert_eq!(said["schema"], "urn:fumikura:receipt:1");
    assert_eq!(said["depositor"], "経理 花子");
    assert_eq!(said["issued-at"], "2026-11-22T04:00:00Z");
    assert_eq!(said["issued-at-jst"], "2026-11-22T13:00:00+09:00");
    assert_eq!(said["records"].as_array().unwrap().len(), 2);
    let object = &said["records"][0]["objects"][0];
    assert_eq!(
        (object["name"].as_str(), object["size"].as_u64()),
        (Some("a.txt"), Some(5))
    );
    let digest = DigestAlgorithm::Sha512.digest(b"first").to_hex();
    assert_eq!(
        object["digests"][1]["value"].as_str(),
        Some(digest.as_str())
    );
    if openssl::present("a_receipt_says_what_was_received_and_can_be_fetched_again") {
        let (folder, at) = (world.folder.path(), NOW.unix_timestamp());
        assert!(signing.openssl_accepts(folder, &issued[0].signature, None, at));
        let mut forged = issued[0].signature.clone();
        let place = forged.windows(5).position(|w| w == b"a.txt").unwrap();
        forged[place] = b'x';
        assert!(!signing.openssl_accepts(folder, &forged, None, at));
    }
    drop(appender);
    let world = world.rebuild();
    let desk = ReceiptDesk {
        keeper: signing.keeper(&world),
        catalog_key: &catalog_key,
    };
    for version in versions {
        let found = desk.find(version, ReceiptKind::Deposit).unwrap();
        assert_eq!(found.as_ref(), Some(&issued[0]));
        assert_eq!(desk.find(version, ReceiptKind::Retrieval).unwrap(), None);
    }
}

#[test]
fn a_receipt_without_timestamp_gets_it_later_and_kinds_are_told_apart() {
    let world = World::new(NOW);
    let signing = Signing::new(&world);
    let catalog_key = world.keys.catalog_key().unwrap();
    let version = world.deposit("a.txt", b"first");
    let appender = world.store.appender().unwrap();
    let desk = ReceiptDesk {
        keeper: signing.keeper(&world),
        catalog_key: &catalog_key,
    };
    let silent = signing.raiser(&Silent);
    let issued = desk
        .issue(&appender, Some(&silent), &DEPOSIT, &[version])
        .unwrap();
    assert_eq!(issued[0].level, Level::Bes);
    let retrieval = Occasion {
        kind: ReceiptKind::Retrieval,
        person: "legal",
        channel: "cli",
        purpose: Some("litigation"),
    };
    desk.issue(&appender, None, &retrieval, &[version]).unwrap();
    let found = desk.find(version, ReceiptKind::Deposit).unwrap().unwrap();
    let still = desk.raise(&appender, &silent, found.clone()).unwrap();
    assert_eq!((still.level, still.generation), (Level::Bes, 0));
    let raiser = signing.raiser(&world.client);
    let raised = desk.raise(&appender, &raiser, found).unwrap();
    assert_eq!((raised.level, raised.generation), (Level::T, 1));
    let found = desk.find(version, ReceiptKind::Deposit).unwrap();
    assert_eq!(found.as_ref(), Some(&raised));
    let out = desk.find(version, ReceiptKind::Retrieval).unwrap().unwrap();
    let (_, content) = detach(&out.signature).unwrap();
    let said: Value = serde_json::from_slice(&content).unwrap();
    assert_eq!(
        (said["retriever"].as_str(), said["purpose"].as_str()),
        (Some("legal"), Some("litigation"))
    );
    assert_eq!(said.get("depositor"), None);
}

#[test]
fn a_stored_signature_of_another_version_is_refused() {
    let world = World::new(NOW);
    let signing = Signing::new(&world);
    let versions = [world.deposit("a", b"a"), world.deposit("b", b"b")];
    raise(&world, &signing, None, Reach::Sign(&versions));
    let address = world.catalog.signature_of(versions[0]).unwrap().unwrap();
    let Frame::Signature(mut frame) = world.store.read(address).unwrap() else {
        panic!("no signature there");
    };
    // Under the name of the other version, and as another state.
    frame.version = versions[1];
    frame.generation = 7;
    let appender = world.store.appender().unwrap();
    let forged = Frame::Signature(frame);
    let address = appender.append(forged.clone()).unwrap();
    appender.commit(address).unwrap();
    world.catalog.apply(address, &forged).unwrap();
    let error = signing.keeper(&world).stored(versions[1]).unwrap_err();
    assert!(matches!(error, SignatureError::Sealed { .. }), "{error}");
    let summary = raise(&world, &signing, Some(&world.client), Reach::All);
    assert_eq!(summary.unreadable, [versions[1]]);
    assert_eq!(summary.timestamped, 1);
}
