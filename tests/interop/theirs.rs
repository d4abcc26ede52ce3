//! What Bouncy Castle makes is judged by our verifier, and by EU DSS, which says whether a deviation is Bouncy Castle's or ours.

use tests::peers::Question;

use crate::evidence::{Evidence, Judge, Tampered, tampered};
use crate::place::{FIRST, Place, SECOND};

#[test]
fn tokens_of_bouncy_castle_pass_and_changed_ones_do_not() {
    let Some(place) = Place::make("tokens of Bouncy Castle judged by the verifier") else {
        return;
    };
    let Place { world, peers, .. } = &place;
    for algorithm in ["EC", "RSA", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] {
        place.authority(algorithm, algorithm, [FIRST.1[0], SECOND.1[1]]);
        for digest in ["SHA-256", "SHA-384", "SHA-512"] {
            let stamp = Question::new("stamp")
                .with("authority", &place.named(algorithm))
                .with("digest", digest)
                .file("data", &world.at("a.txt"));
            peers.order(&stamp.file("out", &world.at("t.tst")));
            let judge = |data: &str, trust: &str, code: i32| {
                let arguments = ["verify", "t.tst", "--data", data, "--trust", trust];
                let run = world.verifier(arguments);
                assert_eq!(run.code, code, "{algorithm} {digest}: {}", run.stdout);
            };
            let root = format!("{algorithm}.pem");
            judge("a.txt", &root, 0);
            judge("b.txt", &root, 1);
            judge("a.txt", "first.pem", 2);
            if algorithm.starts_with("ML-DSA") {
                expect_dss_cannot_read(&place, &root);
            }
        }
    }
}

/// EU DSS has no name for ML-DSA yet.
fn expect_dss_cannot_read(place: &Place, root: &str) {
    let question = Question::new("dss-token")
        .file("token", &place.world.at("t.tst"))
        .file("data", &place.world.at("a.txt"))
        .file("trust", &place.world.at(root));
    let answer = place.peers.ask(&question);
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(error.contains("Unsupported algorithm"), "{answer}");
}

#[test]
fn records_of_bouncy_castle_pass_after_each_renewal_and_changed_ones_do_not() {
    let Some(place) = Place::make("evidence records of Bouncy Castle judged by the verifier")
    else {
        return;
    };
    let records = place.records();
    let other = place.world.at("other.ers");
    let make = Question::new("bc-make-record")
        .with("authority", &place.named(FIRST.0))
        .with("digest", "SHA-256")
        .with("time", "2016-06-01T00:00:00Z");
    let make = place.files(make, "data", &["c.txt"]);
    place
        .peers
        .order(&place.files(make, "beside", &["d.txt"]).file("out", &other));
    let other = place.evidence(&other, &["c.txt"], "2019-12-31T00:00:00Z");
    other.expect_accepted("another record", place.peers);
    for (what, good) in &records {
        good.expect_accepted(what, place.peers);
        Evidence::expect_refused(&tampered(good, &other), place.peers);
    }
    let (_, first) = records.first().expect("a record");
    let too_late = Evidence {
        time: Some("2024-01-01T00:00:00Z".to_owned()),
        ..first.clone()
    };
    Evidence::expect_refused(
        &[Tampered {
            what: "not renewed, and the authority's certificate has ended".to_owned(),
            evidence: too_late,
            // It looks at the certificate at the time of the token only.
            blind: &[Judge::BouncyCastle],
        }],
        place.peers,
    );
}
