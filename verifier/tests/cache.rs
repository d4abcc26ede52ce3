//! A cache changes no answer: every vector is judged without one, with an empty one, and with one that knows it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, in its helpers too"
)]

mod support;

use std::path::{Path, PathBuf};

use formats::digest::DigestAlgorithm;
use support::authority::{Authority, Profile};
use support::judging;
use support::vectors::{chain_of, data_of, read_manifest, trust_everything};
use time::OffsetDateTime;
use time::macros::datetime;
use verifier::bulk::Cache;
use verifier::context::Context;
use verifier::finding::{Language, Place};
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::registry::Registry;
use verifier::report::json;
use verifier::source::{DataBytes, DigestSource, InputFile};
use verifier::timestamp::{Standing, verify_token, verify_token_standing};

const NOW: OffsetDateTime = datetime!(2027-06-01 00:00 UTC);
const STAMPED: OffsetDateTime = datetime!(2026-11-22 00:00 UTC);

fn vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    folder.join("MANIFEST.tsv").is_file().then_some(folder)
}

#[test]
fn no_answer_about_a_vector_depends_on_the_cache() {
    let Some(folder) = vectors() else {
        println!("left out: no vectors");
        return;
    };
    let policy = Policy::default();
    let mut spared = 0;
    for vector in read_manifest(&folder) {
        let bytes = std::fs::read(folder.join(&vector.path)).unwrap();
        let data = data_of(&folder, &vector);
        let sources: Vec<&dyn DigestSource> = data.iter().map(AsRef::as_ref).collect();
        let files = [InputFile::new(vector.path.as_str(), bytes.as_slice())];
        let chain = chain_of(&folder, &vector);
        let (anchors, newest) = trust_everything(&bytes);
        for time in [NOW, newest.unwrap_or(STAMPED)] {
            let bare = Context {
                certificates: &chain,
                ..judging(&anchors, &policy, time)
            };
            let text = |context: &Context<'_>| {
                json::to_text(&verify(&files, &sources, context), Language::English)
            };
            let plain = text(&bare);
            let cache = Cache::new(&bare);
            let context = Context {
                cache: Some(&cache),
                ..bare
            };
            assert_eq!(text(&context), plain, "{}", vector.path);
            assert_eq!(text(&context), plain, "{}", vector.path);
            spared += cache.counts().tokens_spared + cache.counts().signatures_spared;
        }
    }
    println!("spared {spared} signatures and tokens");
    assert!(spared > 100);
}

fn authority(seed: u8) -> Authority {
    Authority::new(Profile {
        seed,
        from: datetime!(2026-01-01 00:00 UTC),
        to: datetime!(2036-01-01 00:00 UTC),
        for_time_stamps: true,
    })
}

/// The same token under everything that its verdict depends on, by one cache.
#[test]
fn a_verdict_is_kept_for_what_it_depends_on_only() {
    let (policy, data) = (Policy::default(), DataBytes::new("x", b"x".as_slice()));
    let token = authority(1).token(&DigestAlgorithm::Sha256.digest(b"x"), STAMPED);
    let trusted = [authority(1).anchor()];
    let others = [authority(2).anchor()];
    let bare = judging(&trusted, &policy, NOW);
    let cache = Cache::new(&bare);
    let judge = |context: Context<'_>, standing: Standing| {
        let place = Place::root();
        let with = verify_token_standing(&token, Some(&data), standing, &context, &place);
        let without = Context {
            cache: None,
            ..context
        };
        let plain = verify_token_standing(&token, Some(&data), standing, &without, &place);
        assert_eq!(with.judgement, plain.judgement);
        assert_eq!(with.findings, plain.findings);
        assert_eq!(with.object.details, plain.object.details);
        with.judgement.is_passed()
    };
    let now = |time| Standing {
        judged_at: time,
        protected: false,
    };
    let cached = Context {
        cache: Some(&cache),
        ..bare
    };
    let late = datetime!(2040-01-01 00:00 UTC);
    let early = datetime!(2026-06-01 00:00 UTC);
    for _ in 0..2 {
        assert!(judge(cached, now(NOW)));
        let foreign = Context {
            anchors: &others,
            ..cached
        };
        assert!(!judge(foreign, now(NOW)), "another anchor");
        assert!(
            !judge(
                Context {
                    anchors: &[],
                    ..cached
                },
                now(NOW)
            ),
            "none"
        );
        assert!(
            !judge(
                Context {
                    time: late,
                    ..cached
                },
                now(late)
            ),
            "ended"
        );
        assert!(
            !judge(
                Context {
                    time: early,
                    ..cached
                },
                now(early)
            ),
            "from the future"
        );
        assert!(
            judge(
                Context {
                    time: late,
                    ..cached
                },
                now(NOW)
            ),
            "a later proof covers it"
        );
        let revoked = support::authority::Revoked {
            at: datetime!(2026-10-01 00:00 UTC),
            reason: None,
        };
        let crls = [authority(1).crl_until(NOW, late, Some(revoked))];
        assert!(
            !judge(
                Context {
                    crls: &crls,
                    ..cached
                },
                now(NOW)
            ),
            "revoked"
        );
        let registry = Registry::parse("version = 1").unwrap();
        let with_registry = Context {
            registry: Some(&registry),
            ..cached
        };
        assert!(judge(with_registry, now(NOW)));
    }
    let counts = cache.counts();
    assert!(
        counts.tokens_spared >= 3 && counts.signatures_spared > 0,
        "{counts:?}"
    );
}

/// The imprint is compared for each data object, whatever is known of the token.
#[test]
fn a_known_token_is_not_over_other_data() {
    let policy = Policy::default();
    let anchors = [authority(1).anchor()];
    let token = authority(1).token(&DigestAlgorithm::Sha256.digest(b"x"), STAMPED);
    let bare = judging(&anchors, &policy, NOW);
    let cache = Cache::new(&bare);
    let context = Context {
        cache: Some(&cache),
        ..bare
    };
    for (content, passes) in [("x", true), ("y", false), ("x", true), ("", false)] {
        let data = DataBytes::new(content, content.as_bytes());
        let place = Place::root().child("token").item("at", 3);
        let report = verify_token(&token, Some(&data), &context, &place);
        assert_eq!(report.judgement.is_passed(), passes, "{content}");
        assert!(report.object.place.as_str().starts_with("token/at[3]"));
        assert!(
            report
                .findings
                .iter()
                .all(|found| found.place().as_str().starts_with("token/at[3]"))
        );
    }
    let mut damaged = token.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let data = DataBytes::new("x", b"x".as_slice());
    let report = verify_token(&damaged, Some(&data), &context, &Place::root());
    assert!(!report.judgement.is_passed());
}
