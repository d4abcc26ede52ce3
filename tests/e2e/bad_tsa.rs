//! A time-stamping authority that is down or answers wrongly: exit code 6, one clear line, and the records stay queued.

use formats::der::Integer;
use formats::tsp::TimeStampRequest;
use tests::authority::EmbeddedAuthority;
use tests::http::{Answer, ask, nobody, serve};
use tests::world::{Run, World};

use crate::events;

/// `TimeStampResp { status { rejection, failInfo systemFailure } }`, RFC 3161 §2.4.2.
const REFUSAL: [u8; 13] = [
    0x30, 0x0b, 0x30, 0x09, 0x02, 0x01, 0x02, 0x03, 0x04, 0x06, 0x00, 0x00, 0x40,
];

/// An archive with two records that wait, and an authority of another archive that signs whatever it is asked.
struct Queue {
    world: World,
    /// The configuration that `init` wrote.
    configuration: String,
    authority: EmbeddedAuthority,
    /// Keeps the authority's key.
    _keeper: World,
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
            _keeper: keeper,
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
        let (head, _) = self.configuration.split_once("[[tsa]]").expect("a section");
        let mut text = head.to_owned();
        for (number, (url, trust)) in authorities.iter().enumerate() {
            text.push_str(&format!(
                "\n[[tsa]]\nname = \"number {number}\"\nurl = \"{url}\"\ntrust = \"{trust}\"\ntimeout_s = 5\n"
            ));
        }
        self.world.file("fumikura.toml", text.as_bytes());
        self.world.archiver(["stamp", "--json"])
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
