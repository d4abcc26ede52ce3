//! Tokens whose certificates name a CRL and an OCSP responder: what was collected stands in them, and EU DSS judges by its own policy.

use firmware::clock::{Clock, SystemClock};
use tests::authority::has_openssl;
use tests::peers::Peers;
use tests::status::NamedStatus;
use tests::world::World;
use time::Duration;
use time::format_description::well_known::Rfc3339;

use crate::evidence::{Evidence, Judge};

#[test]
fn dss_accepts_what_was_collected_by_its_own_policy() {
    let left_out = "collected CRLs and OCSP responses judged by EU DSS";
    let Some(peers) = Peers::found(left_out).filter(|_| has_openssl(left_out)) else {
        return;
    };
    let world = World::new();
    let status = NamedStatus::make(&world.at("authority"), 400);
    let (now, day) = (SystemClock.now(), Duration::DAY);
    status.publish(now - day, now + day);
    let policy = "1.3.6.1.4.1.32473.7";
    crate::name_authority(&world, status.url(), "authority/root.pem", policy);
    world.file("in/one.txt", b"one\n");
    crate::hand_over_as(&world, "in", "one", "early.asice");
    // The CRL of the day before counts while it is current, and is replaced then.
    status.publish(now + day, now + day * 60);
    let at = |days: i64| {
        (now + day * i32::try_from(days).expect("days"))
            .format(&Rfc3339)
            .expect("a time")
    };
    world.archiver_at(&at(2), ["renew"]).expect_code(0);
    let hits = world.archiver_at(&at(2), ["search", "--text", "one", "--json"]);
    let record = hits.expect_code(0).json()[0]["record"].clone();
    let record = record.as_str().expect("a record id");
    let export = ["evidence", record, "-o", "late.asice"];
    world.archiver_at(&at(2), export).expect_code(0);

    let trust = world.at("authority/root.pem");
    // DSS only warns where information is older than the token; the verifier does not accept it when newer was due.
    for (package, days, dss, warns, verifier) in [
        ("early.asice", 100, true, true, false),
        ("late.asice", 2, true, false, true),
        ("late.asice", 100, true, false, true),
    ] {
        let folder = world.at(&format!("{package} after {days}"));
        let mut evidence = Evidence::unpack(&world.at(package), &folder, &trust);
        evidence.time = Some(at(days));
        let said = evidence.said_by(Judge::Dss, peers);
        assert_eq!(said.accepted, dss, "{package}, {days}: {}", said.text);
        let warned = said.text.contains("No acceptable revocation data");
        assert_eq!(warned, warns, "{package}, {days}: {}", said.text);
        let said = evidence.said_by(Judge::Verifier, peers);
        assert_eq!(said.accepted, verifier, "{package}, {days}: {}", said.text);
    }
}
