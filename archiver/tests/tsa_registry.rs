//! The registry of accredited authorities: a token is statutory only inside of it (requirement R2).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod support;

use archiver::cli::lang::Lang;
use archiver::tsa::registry::{Registry, Statutory, Unstatutory, judge};
use formats::digest::DigestAlgorithm;
use formats::tsp::{MessageImprint, TimeStampRequest, TimeStampResponse, TimeStampToken};
use support::authority::{Bent, CertificateOptions, GOOD};
use support::client::{NOW, digest};
use time::OffsetDateTime;
use time::macros::datetime;

/// The registry that is shipped as a sample, with the digest of a certificate of these tests in place of a fictitious one.
fn registry(certificate: &[u8]) -> Registry {
    let digest = DigestAlgorithm::Sha256.digest(certificate);
    let sample = include_str!("../../docs/samples/tsa-registry.toml");
    let fictitious = "00".repeat(31) + "01";
    assert!(sample.contains(&fictitious));
    Registry::parse(&sample.replace(&fictitious, &hex::encode(digest.as_bytes()))).unwrap()
}

fn request() -> TimeStampRequest {
    TimeStampRequest {
        version: 1,
        imprint: MessageImprint::of(&digest()),
        policy: None,
        nonce: None,
        certificate_wanted: true,
        extensions: Vec::new(),
    }
}

/// A token of a moment under a policy.
fn token(at: OffsetDateTime, policy: &str, options: CertificateOptions) -> Vec<u8> {
    let bent = Bent::new(NOW, 11);
    let mut info = bent.info(&request());
    info.gen_time = at;
    info.policy = policy.parse().unwrap();
    let answer = bent.answer_info(&info, options);
    TimeStampResponse::parse(&answer)
        .unwrap()
        .token
        .clone()
        .unwrap()
}

fn certificate() -> Vec<u8> {
    Bent::new(NOW, 11).certificate(GOOD).raw().to_vec()
}

/// The policy of the sample.
const POLICY: &str = "1.3.6.1.4.1.32473.7.1";

fn reason(at: OffsetDateTime, policy: &str) -> Result<(), &'static str> {
    match judge(&token(at, policy, GOOD), Some(&registry(&certificate()))) {
        Statutory::Yes(by) => {
            assert_eq!(by.operator, "Example Time K.K. (fictitious)");
            Ok(())
        }
        Statutory::No(why) => Err(why.id()),
    }
}

#[test]
fn a_token_inside_of_the_accreditation_is_statutory_and_outside_it_is_not() {
    // The sample's accreditation runs from 2025-04-01 to 2027-03-31, by days in Japan.
    for (at, expected) in [
        (
            datetime!(2025-03-31 23:59:59 +9),
            Err("before-accreditation"),
        ),
        (datetime!(2025-04-01 00:00:00 +9), Ok(())),
        (datetime!(2026-11-22 12:00:00 +9), Ok(())),
        (datetime!(2027-03-31 23:59:59.999 +9), Ok(())),
        (
            datetime!(2027-04-01 00:00:00 +9),
            Err("after-accreditation"),
        ),
        (
            datetime!(2040-01-01 00:00:00 +9),
            Err("after-accreditation"),
        ),
    ] {
        assert_eq!(reason(at, POLICY), expected, "{at}");
    }
}

#[test]
fn a_policy_outside_of_the_accreditation_does_not_count() {
    assert_eq!(
        reason(NOW, "1.3.6.1.4.1.32473.7.2"),
        Err("policy-not-accredited")
    );
}

#[test]
fn an_authority_that_is_not_registered_is_not_statutory() {
    let registry = registry(b"another certificate");
    let verdict = judge(&token(NOW, POLICY, GOOD), Some(&registry));
    assert_eq!(verdict, Statutory::No(Unstatutory::NotRegistered));
    assert_eq!(
        verdict.text(Lang::En.into()),
        "not statutory: its certificate is not in the registry"
    );
    assert!(verdict.text(Lang::Ja.into()).contains("登録簿にありません"));
}

#[test]
fn another_certificate_of_the_same_authority_is_not_registered() {
    let renewed = CertificateOptions {
        ends: time::Duration::days(900),
        ..GOOD
    };
    let verdict = judge(
        &token(NOW, POLICY, renewed),
        Some(&registry(&certificate())),
    );
    assert_eq!(verdict, Statutory::No(Unstatutory::NotRegistered));
}

/// The law took tokens of the former scheme for a time only: accreditation by it counts inside of that time.
#[test]
fn a_scheme_counts_only_while_the_law_takes_it() {
    let text = format!(
        r#"
        version = 1
        [[scheme]]
        id = "former"
        name = "former scheme"
        statutory_from = 2005-02-01
        statutory_to = 2023-07-31
        source = "test"
        [[service]]
        name = "s"
        operator = "o"
        scheme = "former"
        accredited_from = 2020-01-01
        accredited_to = 2024-03-31
        certificates = ["{}"]
        source = "test"
        "#,
        hex::encode(DigestAlgorithm::Sha256.digest(&certificate()).as_bytes())
    );
    let registry = Registry::parse(&text).unwrap();
    let verdict = |at| judge(&token(at, POLICY, GOOD), Some(&registry));
    assert!(verdict(datetime!(2022-10-15 09:00 +9)).is_statutory());
    assert!(verdict(datetime!(2023-07-31 23:59 +9)).is_statutory());
    for at in [
        datetime!(2023-08-01 00:00 +9),
        datetime!(2024-03-01 00:00 +9),
    ] {
        let Statutory::No(Unstatutory::SchemeNotRecognised { .. }) = verdict(at) else {
            panic!("{at}");
        };
    }
    let Statutory::No(Unstatutory::AfterAccreditation { .. }) =
        verdict(datetime!(2024-06-01 00:00 +9))
    else {
        panic!("after the accreditation");
    };
}

#[test]
fn a_token_without_its_certificate_is_told_by_what_it_names() {
    let whole = TimeStampToken::parse(&token(NOW, POLICY, GOOD)).unwrap();
    let mut bare = whole.signed_data.value().clone();
    bare.certificates.clear();
    let registry = registry(&certificate());
    assert!(judge(&bare.encode(), Some(&registry)).is_statutory());
    bare.signers.clear();
    let verdict = judge(&bare.encode(), Some(&registry));
    assert_eq!(verdict, Statutory::No(Unstatutory::NoCertificate));
    let verdict = judge(b"garbage", Some(&registry));
    assert_eq!(verdict, Statutory::No(Unstatutory::Unreadable));
    let verdict = judge(&bare.encode(), None);
    assert_eq!(verdict, Statutory::No(Unstatutory::NoRegistry));
}

#[test]
fn a_registry_that_is_wrong_is_refused_with_the_place() {
    let sample = include_str!("../../docs/samples/tsa-registry.toml");
    Registry::parse(sample).unwrap();
    for (from, to, expected) in [
        ("version = 1", "version = 2", "version"),
        (
            "scheme = \"example\"",
            "scheme = \"other\"",
            "no [[scheme]] has the id other",
        ),
        (
            "accredited_to = 2027-03-31",
            "accredited_to = 2025-03-31",
            "before the first",
        ),
        (
            "accredited_to = 2027-03-31",
            "accredited_to = 2027-03-31T00:00:00Z",
            "no day",
        ),
        (
            "accredited_to = 2027-03-31",
            "accredited_until = 2027-03-31",
            "accredited_until",
        ),
        (
            "accredited_from = 2025-04-01",
            "accredited_from = \"2025-04-01\"",
            "accredited_from",
        ),
        ("accredited_from = 2025-04-01\n", "", "accredited_from"),
        (&("00".repeat(31) + "01"), "0001", "no SHA-256 digest"),
        (POLICY, "1.2.", "no dotted object identifier"),
        ("source = ", "sources = ", "source"),
    ] {
        let text = sample.replacen(from, to, 1);
        assert_ne!(text, sample, "{from}");
        let why = Registry::parse(&text).unwrap_err();
        assert!(why.contains(expected), "{from}: {why}");
    }
    let twice = format!(
        "{sample}\n[[scheme]]\nid = \"example\"\nname = \"\"\nstatutory_from = 2025-01-01\nsource = \"\"\n"
    );
    assert!(
        Registry::parse(&twice)
            .unwrap_err()
            .contains("stands twice")
    );
    assert!(archiver::tsa::registry::read(std::path::Path::new("/nonexistent")).is_err());
}

#[test]
fn the_verdict_for_machines_is_stable() {
    let yes = judge(&token(NOW, POLICY, GOOD), Some(&registry(&certificate())));
    assert_eq!(yes.to_json()["statutory"], true);
    assert_eq!(
        yes.to_json()["service"],
        "Example Time Stamp Service (fictitious)"
    );
    assert!(
        yes.text(Lang::Ja.into())
            .starts_with("法定のタイムスタンプです")
    );
    let no = judge(b"", None);
    assert_eq!(no.to_json()["statutory"], false);
    assert_eq!(no.to_json()["reason"], "no-registry");
}
