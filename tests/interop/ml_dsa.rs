//! Time-stamps that are signed with ML-DSA (FIPS 204, RFC 9882), of Bouncy Castle's make.

use std::fs;

use serde_json::Value;
use tests::http::{Answer, serve};
use tests::peers::{Peers, Question};
use tests::random::Random;
use tests::world::{World, put};

use crate::java_peers::POLICY;
use crate::place::{FIRST, Place, SECOND};

const ALGORITHMS: [&str; 3] = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];

/// That they pass with their root, and not with another or over other data, is in `theirs`.
#[test]
fn a_changed_token_is_refused() {
    let Some(place) = Place::make("changed ML-DSA tokens of Bouncy Castle") else {
        return;
    };
    let Place { world, peers, .. } = &place;
    let mut random = Random::new(204);
    for algorithm in ALGORITHMS {
        place.authority(algorithm, algorithm, [FIRST.1[0], SECOND.1[1]]);
        let stamp = Question::new("stamp")
            .with("authority", &place.named(algorithm))
            .with("digest", "SHA-512")
            .file("data", &world.at("a.txt"));
        peers.order(&stamp.file("out", &world.at("t.tst")));
        let good = fs::read(world.at("t.tst")).expect("a token");
        let root = format!("{algorithm}.pem");
        let judge = |bytes: &[u8]| {
            put(&world.at("changed.tst"), bytes);
            let arguments = ["verify", "changed.tst", "--data", "a.txt", "--trust", &root];
            world.verifier(arguments).code
        };
        assert_eq!(judge(&good), 0, "{algorithm}");
        // The signature is the last value of the token, and one of the longest there are.
        let last = good.len() - 1;
        for place in [last, last - 32, last - 1024, last - 2048] {
            let mut changed = good.clone();
            changed[place] ^= 1;
            assert_eq!(judge(&changed), 1, "{algorithm}: byte {place}");
        }
        for _ in 0..20 {
            let bit =
                usize::try_from(random.below(u64::try_from(good.len() * 8).unwrap())).unwrap();
            let mut changed = good.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(judge(&changed), 0, "{algorithm}: bit {bit}");
        }
        assert_ne!(judge(&good[..last]), 0, "{algorithm}: cut off");
    }
}

/// An archive whose only authority signs with this algorithm.
fn archive(peers: &'static Peers, algorithm: &str) -> World {
    let world = World::new();
    let name = format!("{algorithm} of {}", world.path().display());
    let make = Question::new("authority")
        .with("name", &name)
        .with("algorithm", algorithm)
        .with("from", FIRST.1[0])
        .with("to", SECOND.1[1]);
    peers.order(&make.file("root", &world.at("root.pem")));
    let (request, answer) = (world.at("request.tsq"), world.at("answer.tsr"));
    let reply = Question::new("reply")
        .with("authority", &name)
        .file("request", &request)
        .file("out", &answer);
    let url = serve(move |bytes| {
        put(&request, &bytes);
        peers.order(&reply);
        Answer::reply(fs::read(&answer).expect("an answer"))
    });
    crate::name_authority(&world, &url, "root.pem", POLICY);
    world.file("in/a.txt", b"a");
    world
}

/// The built-in policy, but for this algorithm.
fn policy_without(algorithm: &str) -> String {
    let path = tests::workspace_root().join("verifier/policy/default.json");
    let text = fs::read(path).expect("a policy");
    let mut policy: Value = serde_json::from_slice(&text).expect("JSON");
    let rows = policy["signatures"].as_array_mut().expect("rows");
    let before = rows.len();
    rows.retain(|row| row["algorithm"] != algorithm);
    assert_eq!(rows.len() + 1, before);
    policy.to_string()
}

#[test]
fn an_archive_stamps_with_ml_dsa_where_its_policy_lists_it() {
    let Some(peers) = Peers::found("an archive whose authority signs with ML-DSA") else {
        return;
    };
    for algorithm in ALGORITHMS {
        let world = archive(peers, algorithm);
        let deposit = ["deposit", "in", "--class", "general"];
        world.archiver(deposit).expect_code(0);
        let configuration = fs::read_to_string(world.at("fumikura.toml")).expect("readable");
        let strict = format!("policy = \"policy.json\"\n{configuration}");
        world.file("policy.json", policy_without(algorithm).as_bytes());
        world.file("fumikura.toml", strict.as_bytes());
        let refused = world.archiver(["stamp"]).expect_code(6);
        assert!(refused.stderr.contains(algorithm), "{}", refused.stderr);
        world.file("fumikura.toml", configuration.as_bytes());
        crate::hand_over(&world, "a.txt");
        world.archiver(["verify"]).expect_code(0);
        let verify = |more: &[&str]| {
            let arguments = ["verify", "e.asice", "--trust", "root.pem"];
            world.verifier(arguments.iter().chain(more)).code
        };
        assert_eq!(verify(&[]), 0, "{algorithm}");
        assert_eq!(verify(&["--policy", "policy.json"]), 2, "{algorithm}");
    }
}
