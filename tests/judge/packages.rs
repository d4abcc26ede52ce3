//! The packages of the judge test, made by the archive, and five ways to tamper with one.

use std::fs;
use std::io::Cursor;

use formats::asic::{AsicReader, AsicWriter};
use formats::package::{EVIDENCE_RECORD, MANIFEST};
use tests::authority::EmbeddedAuthority;
use tests::world::World;

/// When the archives are made.
const START: &str = "2026-11-22T01:15:00Z";
/// When one is renewed.
const RENEWED: &str = "2030-06-01T00:00:00Z";
/// When everything is judged.
pub(crate) const NOW: &str = "2031-04-01T00:00:00Z";

/// A package that is handed to a judge.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The trust anchors that go with it.
    pub(crate) anchors: Vec<u8>,
}

/// An archive of the past with one authority of its own.
fn archive() -> World {
    let world = World::empty();
    let init = [
        "init",
        "--data",
        "data-a",
        "--data",
        "data-b",
        "--keys",
        "keys",
        "--evaluation",
    ];
    world.archiver_at(START, init).expect_code(0);
    world
}

/// Deposits a document, and gives its record.
fn deposit(world: &World, name: &str, bytes: &[u8], more: &[&str]) -> String {
    let path = format!("in/{name}");
    world.file(&path, bytes);
    let arguments = [&["deposit", &path, "--json"], more].concat();
    let events = world.archiver_at(START, arguments).expect_code(0).json();
    let deposited = events.iter().find(|event| event["event"] == "deposited");
    let record = deposited.expect("a deposit")["record"].as_str();
    record.expect("a record id").to_owned()
}

fn hand_over(
    world: &World,
    name: &'static str,
    time: &str,
    record: &str,
    more: &[&str],
) -> Package {
    let export = [
        "evidence",
        record,
        "-o",
        "package.asice",
        "--trust-anchors",
        "anchors.pem",
    ];
    world
        .archiver_at(time, [export.as_slice(), more].concat())
        .expect_code(0);
    let read = |file: &str| fs::read(world.at(file)).expect("exported");
    Package {
        name,
        bytes: read("package.asice"),
        anchors: read("anchors.pem"),
    }
}

const CONTRACT: &str = "契約書.txt";
const TEXT: &[u8] =
    "甲と乙は、次のとおり契約を締結する。\n第1条 代金は金1,100,000円とする。\n".as_bytes();

/// Five good packages: plain, renewed, with two authorities, signed, and lines of a log.
pub(crate) fn good() -> Vec<Package> {
    let general = ["--class", "general"];
    let plain = archive();
    let record = deposit(&plain, CONTRACT, TEXT, &general);
    let log: String = (1..=200)
        .map(|number| {
            format!(
                "2026-11-22T00:{:02}:00Z host app: event {number}\n",
                number % 60
            )
        })
        .collect();
    let lines = deposit(
        &plain,
        "系統.log",
        log.as_bytes(),
        &["--class", "system-log"],
    );
    plain.archiver_at(START, ["stamp"]).expect_code(0);
    let mut packages = vec![hand_over(&plain, "plain", START, &record, &[])];

    let lines = hand_over(&plain, "lines", START, &lines, &["--lines", "12..14"]);

    let configuration = fs::read_to_string(plain.at("fumikura.toml")).expect("a configuration");
    let renewal = format!("{configuration}\n[renewal]\nage_max_days = 1000\n");
    plain.file("fumikura.toml", renewal.as_bytes());
    plain.archiver_at(RENEWED, ["renew"]).expect_code(0);
    packages.push(hand_over(&plain, "renewed", RENEWED, &record, &[]));
    packages.push(two_authorities());
    packages.push(signed());
    packages.push(lines);
    packages
}

/// The same batch stamped by two authorities, which run now.
fn two_authorities() -> Package {
    let world = World::new();
    let keepers = [World::new(), World::new()];
    let authorities = [0, 1].map(|number| EmbeddedAuthority::serve(&keepers[number]));
    let text = fs::read_to_string(world.at("fumikura.toml")).expect("a configuration");
    let (head, _) = text.split_once("[[tsa]]").expect("a section");
    let mut text = head.to_owned();
    for (number, (keeper, authority)) in keepers.iter().zip(&authorities).enumerate() {
        let root = fs::read(keeper.at("keys/tsa/root.pem")).expect("a root");
        world.file(&format!("root-{number}.pem"), &root);
        let url = authority.url();
        text.push_str(&format!(
            "[[tsa]]\nname = \"number {number}\"\nurl = \"{url}\"\ntrust = \"root-{number}.pem\"\n"
        ));
    }
    world.file("fumikura.toml", format!("{text}second = true\n").as_bytes());
    let path = format!("in/{CONTRACT}");
    world.file(&path, TEXT);
    let deposit = ["deposit", &path, "--class", "general", "--json"];
    let events = world.archiver(deposit).expect_code(0).json();
    let record = events.iter().find(|event| event["event"] == "deposited");
    let record = record.expect("a deposit")["record"].as_str();
    let record = record.expect("a record id").to_owned();
    world.archiver(["stamp"]).expect_code(0);
    let export = [
        "evidence",
        &record,
        "-o",
        "package.asice",
        "--trust-anchors",
        "anchors.pem",
    ];
    world.archiver(export).expect_code(0);
    let read = |file: &str| fs::read(world.at(file)).expect("exported");
    Package {
        name: "two-authorities",
        bytes: read("package.asice"),
        anchors: read("anchors.pem"),
    }
}

/// A contract, of a class whose records the archive signs.
fn signed() -> Package {
    let world = archive();
    let contract = [
        "--class",
        "contract",
        "--meta",
        "date=2026-11-22",
        "--meta",
        "title=契約書",
        "--meta",
        "counterparty=乙",
    ];
    let record = deposit(&world, CONTRACT, TEXT, &contract);
    world.archiver_at(START, ["stamp"]).expect_code(0);
    let anchor = ["keys", "signing", "trust-anchor", "-o", "signing.pem"];
    world.archiver_at(START, anchor).expect_code(0);
    let mut package = hand_over(&world, "signed", START, &record, &[]);
    package
        .anchors
        .extend(fs::read(world.at("signing.pem")).expect("an anchor"));
    package
}

/// Five ways to tamper with a plain package, and one package without anybody to trust.
pub(crate) fn tampered(plain: &Package) -> Vec<Package> {
    let other = archive();
    let record = deposit(
        &other,
        "別の文書.txt",
        b"another\n",
        &["--class", "general"],
    );
    other.archiver_at(START, ["stamp"]).expect_code(0);
    let other = hand_over(&other, "other", START, &record, &[]);
    let foreign = member(&other.bytes, EVIDENCE_RECORD);
    let both = [plain.anchors.clone(), other.anchors.clone()].concat();
    let changed = |name, change: &Change<'_>| Package {
        name,
        bytes: rewritten(&plain.bytes, change),
        anchors: both.clone(),
    };
    vec![
        changed("document-changed", &|name, bytes| {
            let text = String::from_utf8_lossy(&bytes).replace("1,100,000", "9,100,000");
            match name.starts_with("documents/") {
                true => vec![(name.to_owned(), text.into_bytes())],
                false => vec![(name.to_owned(), bytes)],
            }
        }),
        changed("manifest-changed", &|name, bytes| {
            let text = || String::from_utf8_lossy(&bytes).replace("\"general\"", "\"special\"");
            match name {
                MANIFEST => vec![(name.to_owned(), text().into_bytes())],
                _ => vec![(name.to_owned(), bytes)],
            }
        }),
        changed("token-changed", &|name, mut bytes| {
            if name == EVIDENCE_RECORD {
                flip_message_digest(&mut bytes);
            }
            vec![(name.to_owned(), bytes)]
        }),
        changed("evidence-of-another", &|name, bytes| match name {
            EVIDENCE_RECORD => vec![(name.to_owned(), foreign.clone())],
            _ => vec![(name.to_owned(), bytes)],
        }),
        changed("document-added", &|name, bytes| {
            let mut members = vec![(name.to_owned(), bytes)];
            if name.starts_with("documents/") {
                members.push(("documents/覚書.txt".to_owned(), b"added later\n".to_vec()));
            }
            members
        }),
        Package {
            name: "nobody-trusted",
            bytes: plain.bytes.clone(),
            anchors: Vec::new(),
        },
    ]
}

fn member(package: &[u8], name: &str) -> Vec<u8> {
    let reader = AsicReader::open(package).expect("a container");
    let entry = reader.entry(name).expect("a member");
    entry.read().expect("content").into_owned()
}

/// What becomes of a member: nothing, itself, or several with their names.
type Change<'a> = dyn Fn(&str, Vec<u8>) -> Vec<(String, Vec<u8>)> + 'a;

fn rewritten(package: &[u8], change: &Change<'_>) -> Vec<u8> {
    let reader = AsicReader::open(package).expect("a container");
    let mimetype = reader.mimetype().expect("a media type");
    let mut writer = AsicWriter::new(Cursor::new(Vec::new()), mimetype).expect("a container");
    let members = reader.entries().iter();
    for entry in members.filter(|entry| entry.name() != "mimetype") {
        let content = entry.read().expect("content").into_owned();
        for (name, content) in change(entry.name(), content) {
            writer.add_bytes(&name, &content).expect("a member");
        }
    }
    writer.finish().expect("a container").into_inner()
}

/// A token whose message-digest attribute (RFC 5652 §11.2) has another value: SET and OCTET STRING have two octets of header each.
fn flip_message_digest(bytes: &mut [u8]) {
    let attribute = [
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04,
    ];
    let at = bytes
        .windows(attribute.len())
        .position(|window| window == attribute)
        .expect("a message digest");
    bytes[at + attribute.len() + 4] ^= 1;
}
