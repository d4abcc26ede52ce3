//! Validation material collected through the programs, from services that certificates name, and judged years later with the root alone.

use serde_json::Value;
use tests::authority::has_openssl;
use tests::status::NamedStatus;
use tests::world::World;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::events;

/// An archive whose first record was stamped by an authority with a status service, now: OpenSSL knows no other time.
struct Stamped {
    world: World,
    status: NamedStatus,
    now: OffsetDateTime,
    /// The configuration that `init` wrote, before and after its authorities.
    head: String,
    embedded: String,
    asked: String,
}

impl Stamped {
    fn begin(left_out: &str) -> Option<Self> {
        if !has_openssl(left_out) {
            return None;
        }
        let world = World::new();
        let status = NamedStatus::make(&world.at("authority"), 400);
        let now = OffsetDateTime::now_utc();
        status.publish(now - Duration::DAY, now + Duration::DAY);
        let text = std::fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
        let (head, embedded) = text.split_once("[[tsa]]").expect("an authority");
        let asked = format!(
            "[[tsa]]\nname = \"openssl\"\nurl = \"{}\"\ntrust = \"authority/root.pem\"\nretries = 0\n",
            status.url()
        );
        let (head, embedded) = (head.to_owned(), format!("[[tsa]]{embedded}"));
        let mut stamped = Self {
            world,
            status,
            now,
            head,
            embedded,
            asked,
        };
        stamped.configure(&stamped.asked);
        stamped.world.file("in/one.txt", b"a contract\n");
        let deposit = ["deposit", "in", "--class", "general"];
        stamped.world.archiver(deposit).expect_code(0);
        stamped.world.archiver(["stamp"]).expect_code(0);
        // What OpenSSL dates in whole seconds is over by then.
        stamped.now = OffsetDateTime::now_utc() + Duration::SECOND;
        Some(stamped)
    }

    fn configure(&self, authorities: &str) {
        let text = format!("{}\n{authorities}\n", self.head);
        self.world.file("fumikura.toml", text.as_bytes());
    }

    fn after(&self, days: i64) -> String {
        (self.now + Duration::days(days))
            .format(&Rfc3339)
            .expect("a time")
    }

    fn run(&self, days: i64, arguments: &[&str], code: i32) -> Vec<Value> {
        let arguments = arguments.iter().chain(&["--json"]);
        let run = self.world.archiver_at(&self.after(days), arguments);
        run.expect_code(code).json()
    }

    fn export(&self, days: i64, code: i32) {
        let hits = self.run(days, &["search", "--text", "one.txt"], 0);
        let record = hits[0]["record"].as_str().expect("a record id");
        drop(std::fs::remove_file(self.world.at("one.asice")));
        self.run(days, &["evidence", record, "-o", "one.asice"], code);
    }

    /// Has the verifier judge a package of one day as of another.
    fn expect_passes(&self, exported: i64, judged: i64, trust: &str) {
        self.export(exported, 0);
        let at = self.after(judged);
        let verify = ["verify", "one.asice", "--trust", trust, "--at", &at];
        self.world.verifier(verify).expect_code(0);
    }
}

fn materials(lines: &[Value]) -> Vec<u64> {
    let renewed = events(lines, "renewed").into_iter();
    let renewed = renewed.filter(|line| line["action"] == "material");
    renewed
        .filter_map(|line| line["materials"].as_u64())
        .collect()
}

#[test]
fn what_was_provisional_is_replaced_and_the_package_holds_with_the_root_alone() {
    let Some(stamped) = Stamped::begin("material collected from services of OpenSSL") else {
        return;
    };
    let root = "authority/root.pem";
    // The CRL of the day before is good enough while it is current; from then on nobody could say.
    let quiet = stamped.run(0, &["renew", "--plan"], 0);
    assert!(events(&quiet, "renewal-due").is_empty());
    assert_eq!(events(&quiet, "renewal-later")[0]["action"], "material");
    let due = stamped.run(2, &["renew", "--plan"], PARTIAL);
    let action = events(&due, "renewal-due")[0];
    assert_eq!(
        (&action["action"], &action["tokens"]),
        (&"material".into(), &1.into())
    );
    assert_eq!(action["cause"]["reason"], "material");
    assert!(
        action["cause"]["certificate"]
            .as_str()
            .expect("a name")
            .contains("CA"),
        "{action}"
    );
    // The authority is late: nothing is written, however often the responder answers; after a week it is named.
    let late = stamped.run(2, &["renew"], PARTIAL);
    assert_eq!(materials(&late), [0]);
    let blocked = stamped.run(9, &["renew", "--plan"], PARTIAL);
    let blocked = events(&blocked, "renewal-blocked");
    let named = |line: &&Value| {
        line["why"]
            .as_str()
            .is_some_and(|why| why.contains("could not be had since"))
    };
    assert!(blocked.iter().any(named), "{blocked:?}");
    stamped.export(9, UNDECIDED);

    let day = Duration::DAY;
    stamped
        .status
        .publish(stamped.now + day * 9, stamped.now + day * 30);
    assert_eq!(materials(&stamped.run(10, &["renew"], 0)), [1]);
    let done = stamped.run(100, &["renew", "--plan"], 0);
    assert!(events(&done, "renewal-due").is_empty(), "{done:?}");
    stamped.expect_passes(100, 390, root);

    // Another authority renews before the certificate ends; what is final is not asked for again.
    stamped.configure(&format!("{}\n{}", stamped.embedded, stamped.asked));
    let renewed = stamped.run(300, &["renew"], 0);
    assert_eq!(materials(&renewed), [0_u64; 0]);
    assert_eq!(
        events(&renewed, "renewed")[0]["action"],
        "time-stamp-renewal"
    );
    let mut roots = std::fs::read(stamped.world.at(root)).expect("a root");
    roots.extend(std::fs::read(stamped.world.at("keys/tsa/root.pem")).expect("a root"));
    stamped.world.file("roots.pem", &roots);
    stamped.expect_passes(301, 3000, "roots.pem");
}

#[test]
fn a_revoked_authority_loses_its_chain_and_no_token_is_asked_for() {
    let Some(stamped) = Stamped::begin("a revocation found by a refresh") else {
        return;
    };
    let day = Duration::DAY;
    stamped.status.revoke(stamped.now - day);
    stamped
        .status
        .publish(stamped.now + day, stamped.now + day * 30);
    let found = stamped.run(2, &["renew"], PARTIAL);
    assert_eq!(materials(&found), [1]);
    assert_eq!(
        events(&found, "renewed").len(),
        1,
        "nothing was renewed: {found:?}"
    );
    let plan = stamped.run(3, &["renew", "--plan"], PARTIAL);
    let lost = events(&plan, "renewal-lost")[0];
    assert_eq!(lost["end"]["what"], "CERTIFICATE_REVOKED");
    assert_eq!(
        (&lost["records"], &lost["unproven"]),
        (&1.into(), &1.into())
    );
    assert!(events(&plan, "renewal-due").is_empty());
    let stamp = stamped.run(3, &["stamp"], 0);
    assert!(events(&stamp, "stamped").is_empty(), "{stamp:?}");
    let text = stamped
        .world
        .archiver_at(&stamped.after(3), ["renew", "--plan"]);
    let said = text.expect_code(PARTIAL).stdout;
    assert!(said.contains("have no proof left"), "{said}");
}

/// Not everything is as it should be.
const PARTIAL: i32 = 1;

/// Whether the evidence holds cannot be said.
const UNDECIDED: i32 = 7;
