//! A time-stamping authority that is down or answers wrongly: exit code 6, one clear line, and the records stay queued.

use formats::der::Integer;
use formats::digest::DigestAlgorithm;
use formats::tsp::TimeStampRequest;
use formats::x509::read_certificates;
use serde_json::Value;
use tests::authority::EmbeddedAuthority;
use tests::http::{Answer, ask, nobody, serve};
use tests::world::{Run, World};

use crate::events;

/// `TimeStampResp { status { rejection, failInfo systemFailure } }`, RFC 3161 §2.4.2.
const REFUSAL: [u8; 14] = [
    0x30, 0x0c, 0x30, 0x0a, 0x02, 0x01, 0x02, 0x03, 0x05, 0x06, 0x00, 0x00, 0x00, 0x40,
];

/// An archive with two records that wait, and an authority of another archive that signs whatever it is asked.
struct Queue {
    world: World,
    /// The configuration that `init` wrote.
    configuration: String,
    authority: EmbeddedAuthority,
    /// Keeps the authority's key and certificates.
    keeper: World,
}

impl Queue {
    fn new() -> Self {
        let keeper = World::new();
        let authority = EmbeddedAuthority::serve(&keeper);
        let world = World::new();
        let root = std::fs::read(keeper.at("keys/tsa/root.pem")).expect("a root");
        world.file("trusted.pem", &root);
        world.file("in/a.txt", b"a");
        world.file("in/b.txt", b"b");
        let deposit = ["deposit", "in", "--class", "general"];
        world.archiver(deposit).expect_code(0);
        let configuration = std::fs::read_to_string(world.at("fumikura.toml"));
        Self {
            configuration: configuration.expect("a configuration"),
            world,
            authority,
            keeper,
        }
    }

    /// Where the authority answers to what `bend` makes of each request.
    fn bent(&self, bend: impl Fn(&mut TimeStampRequest) + Send + 'static) -> String {
        let url = self.authority.url().to_owned();
        serve(move |request| {
            let parsed = TimeStampRequest::parse(&request).expect("a request");
            let mut request = parsed.into_parts().0;
            bend(&mut request);
            Answer::reply(ask(&url, &request.encode()))
        })
    }

    /// Stamps with these authorities, each a URL and the file of what it must chain to.
    fn stamp_with(&self, authorities: &[(&str, &str)]) -> Run {
        self.configure(authorities);
        self.world.archiver(["stamp", "--json"])
    }

    fn configure(&self, authorities: &[(&str, &str)]) {
        let (head, _) = self.configuration.split_once("[[tsa]]").expect("a section");
        let mut text = head.to_owned();
        for (number, (url, trust)) in authorities.iter().enumerate() {
            text.push_str(&format!(
                "\n[[tsa]]\nname = \"number {number}\"\nurl = \"{url}\"\ntrust = \"{trust}\"\ntimeout_s = 5\nretries = 0\n"
            ));
        }
        self.world.file("fumikura.toml", text.as_bytes());
    }

    fn waiting(&self) -> u64 {
        let status = self.world.archiver(["status", "--json"]).expect_code(0);
        status.json()[0]["unstamped"].as_u64().expect("a count")
    }

    fn expect_queued(&self, what: &str, run: &Run) {
        assert_eq!(run.code, 6, "{what}: {}{}", run.stdout, run.stderr);
        let lines = run.stderr.lines();
        let lines: Vec<&str> = lines.filter(|line| !line.contains("EVALUATION")).collect();
        assert_eq!(lines.len(), 1, "{what}: {}", run.stderr);
        assert!(lines[0].contains("queued"), "{what}: {}", run.stderr);
        assert_eq!(self.waiting(), 2, "{what}");
        println!("{what}: {}", lines[0]);
    }
}

#[test]
fn a_failing_authority_leaves_the_records_queued_with_one_clear_line() {
    let queue = Queue::new();
    let answers = |answer: Answer| serve(move |_| answer.clone());
    let error = Answer {
        status: "500 Internal Server Error",
        ..Answer::reply(*b"oops")
    };
    let page = Answer {
        content_type: "text/html",
        ..Answer::reply(*b"<html></html>")
    };
    let cases = [
        ("down", nobody()),
        ("error 500", answers(error)),
        ("a web page", answers(page)),
        ("nothing", answers(Answer::reply([]))),
        ("garbage", answers(Answer::reply(*b"not DER at all"))),
        ("a refusal", answers(Answer::reply(REFUSAL))),
        (
            "another nonce",
            queue.bent(|request| request.nonce = Some(Integer::from(1_u64))),
        ),
        ("no nonce", queue.bent(|request| request.nonce = None)),
        (
            "another imprint",
            queue.bent(|request| request.imprint.bytes[0] ^= 1),
        ),
        (
            "no certificate",
            queue.bent(|request| request.certificate_wanted = false),
        ),
    ];
    for (what, url) in cases {
        let run = queue.stamp_with(&[(&url, "trusted.pem")]);
        queue.expect_queued(what, &run);
    }
    let honest = queue.authority.url().to_owned();
    let run = queue.stamp_with(&[(&honest, "keys/tsa/root.pem")]);
    queue.expect_queued("an authority that nobody trusts", &run);

    let run = queue.stamp_with(&[(&honest, "trusted.pem")]).expect_code(0);
    assert_eq!(events(&run.json(), "stamped")[0]["records"], 2);
    assert_eq!(queue.waiting(), 0);
    queue.world.archiver(["verify"]).expect_code(0);
}

/// The reasons are told in Japanese, too; the library's table of bad answers tests them one by one.
#[test]
fn a_failure_is_told_in_japanese() {
    let queue = Queue::new();
    let refusing = serve(|_| Answer::reply(REFUSAL));
    let wrong = queue.bent(|request| request.imprint.bytes[0] ^= 1);
    for (url, reason) in [
        (
            refusing,
            "時刻認証局が要求を拒否しました(状態 2, systemFailure)",
        ),
        (
            wrong,
            "トークンは送ったダイジェストとは別のものに対するものです",
        ),
        (nobody(), "時刻認証局に接続できません"),
    ] {
        queue.configure(&[(&url, "trusted.pem")]);
        let run = queue
            .world
            .archiver(["stamp", "--lang", "ja"])
            .expect_code(6);
        assert!(
            run.stderr.contains("記録は待ち行列に残っています"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(reason), "{}", run.stderr);
        assert_eq!(queue.waiting(), 2);
    }
}

/// The state of each authority, as it is remembered.
fn states(world: &World) -> Vec<String> {
    let told = world.archiver(["tsa", "status", "--json"]).expect_code(0);
    let states = told.json().into_iter();
    states
        .map(|one| one["state"].as_str().expect("a state").to_owned())
        .collect()
}

#[test]
fn authorities_are_checked_and_remembered() {
    let queue = Queue::new();
    let honest = queue.authority.url().to_owned();
    let late = queue.bent(|request| request.nonce = None);
    let down = nobody();
    let three = [
        (down.as_str(), "trusted.pem"),
        (&late, "trusted.pem"),
        (&honest, "trusted.pem"),
    ];
    queue.configure(&three);
    let world = &queue.world;
    let run = world.archiver(["tsa", "check", "--json"]).expect_code(1);
    let told = run.json();
    let accepted: Vec<bool> = told.iter().map(|one| one["accepted"] == true).collect();
    assert_eq!(accepted, [false, false, true], "{told:?}");
    assert!(
        told[0]["reason"]
            .as_str()
            .expect("a reason")
            .contains("no connection")
    );
    let failed = |one: &Value| {
        let checks = one["checks"].as_array().expect("checks").iter();
        let failed = checks.filter(|check| check["passed"] == false);
        failed
            .map(|check| check["check"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(failed(&told[1]), ["nonce"]);
    assert!(failed(&told[2]).is_empty());
    assert!(told[2]["checks"].as_array().expect("checks").len() >= 20);

    for (name, code, said) in [
        ("number 0", 6, "cannot be used"),
        (
            "number 1",
            6,
            "FAIL  the nonce is the one sent [RFC 3161 §2.2]: the token lacks the nonce",
        ),
        ("number 2", 0, "not statutory: no registry"),
        ("number 9", 2, "no TSA number 9"),
    ] {
        let run = world.archiver(["tsa", "check", name]).expect_code(code);
        let text = run.stdout + &run.stderr;
        assert!(text.contains(said), "{name}: {text}");
    }
    assert_eq!(states(world), ["failing", "open", "ready"]);
    world.archiver(["stamp"]).expect_code(0);
    assert_eq!(
        states(world),
        ["open", "open", "ready"],
        "the third failure of the first one"
    );
    let said = world
        .archiver(["tsa", "status", "--lang", "ja"])
        .expect_code(0)
        .stdout;
    assert!(
        said.contains("失敗が続いたため") && said.contains("最後のトークン"),
        "{said}"
    );
    // What is remembered is derived.
    std::fs::remove_file(world.at("index.tsa.json")).expect("the memory");
    assert_eq!(states(world), ["ready", "ready", "ready"]);
}

#[test]
fn a_second_token_comes_from_another_authority_and_the_registry_tells_statutory() {
    let queue = Queue::new();
    let otherkeeper = World::new();
    let other = EmbeddedAuthority::serve(&otherkeeper);
    let world = &queue.world;
    let other_root = std::fs::read(otherkeeper.at("keys/tsa/root.pem")).expect("a root");
    world.file("other.pem", &other_root);
    let (honest, other) = (queue.authority.url().to_owned(), other.url().to_owned());
    queue.configure(&[(&honest, "trusted.pem"), (&other, "other.pem")]);
    let certificate =
        std::fs::read(queue.keeper.at("keys/tsa/authority.pem")).expect("a certificate");
    world.file("registry.toml", registry(&certificate).as_bytes());
    let text = std::fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
    let text = format!("{text}second = true\n[registry]\nfile = \"registry.toml\"\n");
    world.file("fumikura.toml", text.as_bytes());

    let told = world.archiver(["stamp", "--json"]).expect_code(0).json();
    let (first, second) = (events(&told, "stamped"), events(&told, "stamped_second"));
    assert_eq!(
        (&first[0]["tsa"], &second[0]["tsa"]),
        (&"number 0".into(), &"number 1".into())
    );
    assert_eq!(first[0]["accredited"], true);
    assert_eq!(first[0]["accreditation"]["service"], "Fictitious");
    let status = world.archiver(["status", "--json"]).expect_code(0).json();
    assert_eq!(
        status[0]["last_accreditation"]["statutory"],
        status[0]["last_tsa"] == "number 0"
    );
    for command in [["search", "--json"], ["verify", "--json"]] {
        let told = world.archiver(command).expect_code(0).json();
        let found: Vec<&Value> = told
            .iter()
            .map(|one| {
                if one["detail"].is_object() {
                    &one["detail"]["accreditation"]
                } else {
                    &one["accreditation"]
                }
            })
            .filter(|found| found.is_object())
            .collect();
        assert_eq!(found.len(), 2, "{told:?}");
        assert!(
            found.iter().all(|found| found["statutory"] == true),
            "{told:?}"
        );
    }
    let broken = text.replace("registry.toml", "trusted.pem");
    world.file("fumikura.toml", broken.as_bytes());
    let run = world.archiver(["status"]).expect_code(3);
    assert!(
        run.stderr.contains("registry of accredited authorities"),
        "{}",
        run.stderr
    );
}

/// A registry with one accredited service, which has this certificate (PEM).
fn registry(certificate: &[u8]) -> String {
    let certificate = read_certificates(certificate).expect("PEM").remove(0);
    let digest = certificate.digest(DigestAlgorithm::Sha256);
    format!(
        r#"version = 1
[[scheme]]
id = "test"
name = "fictitious scheme"
statutory_from = 2022-04-01
source = "test"
[[service]]
name = "Fictitious"
operator = "nobody"
scheme = "test"
accredited_from = 2022-04-01
certificates = ["{}"]
source = "test"
"#,
        hex::encode(digest.as_bytes())
    )
}

#[test]
fn the_next_authority_is_asked_when_one_fails() {
    let queue = Queue::new();
    let refusing = serve(|_| Answer::reply(REFUSAL));
    let honest = queue.authority.url().to_owned();
    let asked = [nobody(), refusing, honest];
    let asked: Vec<(&str, &str)> = asked
        .iter()
        .map(|url| (url.as_str(), "trusted.pem"))
        .collect();
    let run = queue.stamp_with(&asked).expect_code(0);
    assert_eq!(events(&run.json(), "stamped")[0]["tsa"], "number 2");
    assert_eq!(queue.waiting(), 0);
}
