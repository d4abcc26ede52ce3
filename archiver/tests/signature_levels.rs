//! Signatures at every level, held against OpenSSL and against the imprints of their archive timestamps.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use archiver::signature::raise::level;
use formats::cades::{Level, SignatureParts, detach};
use formats::cms::SignedData;
use formats::digest::DigestAlgorithm;
use formats::id::VersionId;
use formats::oid;
use support::archive::World;
use support::openssl;
use support::signing::{Signing, archive_timestamps, signature_timestamps_hold, values};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-22 04:00 UTC);

struct Case {
    world: World,
    signing: Signing,
    version: VersionId,
}

impl Case {
    fn new() -> Self {
        Self::over(World::new(NOW))
    }

    /// Another archive: other keys.
    fn other() -> Self {
        let world = World::new(NOW);
        world.deposit("earlier.txt", b"draws from the random source");
        Self::over(world)
    }

    fn over(world: World) -> Self {
        let signing = Signing::new(&world);
        let version = world.deposit("contract.txt", b"we agree");
        Self {
            world,
            signing,
            version,
        }
    }

    /// A new signature at a level.
    fn at(&self, level: Level, digest: DigestAlgorithm) -> Vec<u8> {
        let keeper = self.signing.keeper(&self.world);
        let signature = keeper.sign(self.version, digest).unwrap();
        let mut raiser = self.signing.raiser(&self.world.client);
        raiser.digest = digest;
        raiser.raise(&signature, None, level, NOW).unwrap()
    }

    fn accepts(&self, signature: &[u8], content: Option<&[u8]>) -> bool {
        let at = self.world.now().unix_timestamp();
        let folder = self.world.folder.path();
        self.signing.openssl_accepts(folder, signature, content, at)
    }
}

#[test]
fn openssl_accepts_every_level_attached_and_detached() {
    if !openssl::present("openssl_accepts_every_level_attached_and_detached") {
        return;
    }
    let case = Case::new();
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        for wanted in Level::ALL {
            let signature = case.at(*wanted, digest);
            assert_eq!(level(&signature).unwrap(), *wanted);
            assert!(case.accepts(&signature, None), "{wanted} {digest}");
            let (detached, content) = detach(&signature).unwrap();
            assert!(case.accepts(&detached, Some(&content)), "{wanted} {digest}");
            assert!(
                !case.accepts(&detached, Some(b"other")),
                "{wanted} {digest}"
            );
            assert!(signature_timestamps_hold(&signature));
            let count = usize::from(*wanted == Level::A);
            assert_eq!(archive_timestamps(&signature), Some(count));
        }
    }
}

#[test]
fn raising_changes_nothing_that_stood_there() {
    let case = Case::new();
    let mut earlier = SignatureParts::parse(&case.at(Level::Bes, DigestAlgorithm::Sha256)).unwrap();
    let raiser = case.signing.raiser(&case.world.client);
    let keeper = case.signing.keeper(&case.world);
    let mut signature = keeper.sign(case.version, DigestAlgorithm::Sha256).unwrap();
    for wanted in Level::ALL {
        if *wanted == Level::C {
            continue;
        }
        let before = SignatureParts::parse(&signature).unwrap();
        signature = raiser.raise(&signature, None, *wanted, NOW).unwrap();
        let after = SignatureParts::parse(&signature).unwrap();
        assert_eq!(after.encapsulated, before.encapsulated);
        let (old, new) = (&before.signers[0], &after.signers[0]);
        assert_eq!(new.signed_fields, old.signed_fields);
        let kept = |list: &[Vec<u8>], all: &[Vec<u8>]| list.iter().all(|one| all.contains(one));
        assert!(kept(&before.certificates, &after.certificates));
        assert!(kept(&before.revocations, &after.revocations));
        for attribute in &old.unsigned_attributes {
            assert!(new.unsigned_attributes.contains(attribute));
        }
        earlier = after;
    }
    assert_eq!(earlier.signers[0].unsigned_attributes.len(), 2);
    let again = raiser.raise(&signature, None, Level::A, NOW).unwrap();
    assert_eq!(again, signature);
}

#[test]
fn a_further_archive_timestamp_covers_the_one_before() {
    let case = Case::new();
    let mut signature = case.at(Level::A, DigestAlgorithm::Sha256);
    let raiser = case.signing.raiser(&case.world.client);
    for years in 1..=3 {
        case.world.clock.advance(Duration::days(3 * 365));
        let now = case.world.now();
        signature = raiser.archive(&signature, None, now).unwrap();
        assert_eq!(archive_timestamps(&signature), Some(years + 1));
        let facts = archiver::signature::raise::facts(&signature).unwrap();
        let newest = facts.newest_timestamp.unwrap();
        assert!((newest - now).abs() < Duration::SECOND);
    }
    // Taking the first archive timestamp out breaks the later ones: their index names it.
    let parsed = SignedData::parse(&signature).unwrap();
    let mut shortened = parsed.value().clone();
    let attributes = &mut shortened.signers[0].unsigned_attributes;
    let first = attributes
        .iter()
        .position(|a| a.oid == oid::ARCHIVE_TIME_STAMP_V3);
    attributes.remove(first.unwrap());
    assert_eq!(archive_timestamps(&shortened.encode()), None);
}

#[test]
fn tampering_is_found() {
    if !openssl::present("tampering_is_found") {
        return;
    }
    let case = Case::new();
    let good = case.at(Level::A, DigestAlgorithm::Sha256);
    let signed = SignedData::parse(&good).unwrap().value().clone();
    assert_eq!(signed.encode(), good);
    let openssl_accepts = |signed: &SignedData| case.accepts(&signed.encode(), None);

    let mut content = signed.clone();
    content.content.as_mut().unwrap()[100] ^= 1;
    assert!(!openssl_accepts(&content), "content");
    assert_eq!(archive_timestamps(&content.encode()), None, "content");

    // A signed attribute: the claimed time of the signature, one year earlier.
    let fields = SignatureParts::parse(&good).unwrap().signers[0]
        .signed_fields
        .clone();
    let earlier = flip(&fields, b"261122040000Z", b"251122040000Z");
    let bytes = flip(&good, &fields, &earlier);
    assert!(!case.accepts(&bytes, None), "signed attribute");
    assert_eq!(archive_timestamps(&bytes), None, "signed attribute");

    let mut signature = signed.clone();
    *signature.signers[0].signature.last_mut().unwrap() ^= 1;
    assert!(!openssl_accepts(&signature), "signature");
    assert!(!signature_timestamps_hold(&signature.encode()), "signature");

    // The certificate of another key under the same authority's name.
    let other = Case::other();
    let mut swapped = signed.clone();
    let stranger = SignedData::parse(&other.at(Level::Bes, DigestAlgorithm::Sha256)).unwrap();
    swapped.certificates.clone_from(&stranger.certificates);
    swapped
        .certificates
        .retain(|one| !signed.certificates.contains(one));
    assert!(!openssl_accepts(&swapped), "certificate");
    assert_eq!(archive_timestamps(&swapped.encode()), None, "certificate");

    // The timestamp of another signature.
    let another = other.at(Level::T, DigestAlgorithm::Sha256);
    let token = values(
        &SignatureParts::parse(&another).unwrap(),
        &oid::SIGNATURE_TIME_STAMP,
    );
    let mut replaced = signed.clone();
    for attribute in &mut replaced.signers[0].unsigned_attributes {
        if attribute.oid == oid::SIGNATURE_TIME_STAMP {
            *attribute = formats::cms::Attribute::new(oid::SIGNATURE_TIME_STAMP, token.clone());
        }
    }
    assert!(!signature_timestamps_hold(&replaced.encode()), "token");
    assert_eq!(archive_timestamps(&replaced.encode()), None, "token");

    // A hash in the index.
    let parts = SignatureParts::parse(&good).unwrap();
    let hash = DigestAlgorithm::Sha256.digest(&parts.certificates[0]);
    let mut wrong = hash.as_bytes().to_vec();
    wrong[0] ^= 1;
    let index = flip(&good, hash.as_bytes(), &wrong);
    assert_eq!(archive_timestamps(&index), None, "hash index");

    // Revocation information removed from under the archive timestamp.
    let mut removed = signed;
    removed.revocations.clear();
    assert_eq!(archive_timestamps(&removed.encode()), None, "revocation");
}

/// The bytes with one occurrence of `from` replaced.
fn flip(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).rposition(|window| window == from);
    let at = at.unwrap();
    let mut changed = bytes.to_vec();
    changed[at..at + to.len()].copy_from_slice(to);
    changed
}
