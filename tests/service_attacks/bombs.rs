//! Small things that unpack into large ones: every door that unpacks, or could.

use std::io::{Cursor, Write};
use std::time::Instant;

use zip::write::SimpleFileOptions;

use super::place::{FORM, MULTIPART, PATIENCE, Place, multipart};

const MEBIBYTE: u64 = 1024 * 1024;

/// What one request may take beyond what the service has.
const MEMORY_MAX: u64 = 256 * MEBIBYTE;

/// A container with members of zeros, so many mebibytes each.
fn container(members: &[(&str, usize)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let zeros = vec![0; MEBIBYTE as usize];
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, mebibytes) in members {
        writer.start_file(*name, options).expect("a member");
        for _ in 0..*mebibytes {
            writer.write_all(&zeros).expect("zeros");
        }
    }
    writer.finish().expect("a container").into_inner()
}

/// An evidence package of texts.
fn package(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in members {
        writer.start_file(*name, stored).expect("a member");
        writer.write_all(content.as_bytes()).expect("a text");
    }
    writer.finish().expect("a container").into_inner()
}

/// Ten to the ninth times three letters, in a kilobyte.
fn laughs(root: &str) -> String {
    let mut text = "<?xml version=\"1.0\"?>\n<!DOCTYPE x [<!ENTITY a0 \"lol\">".to_owned();
    for level in 1..=9 {
        let before = format!("&a{};", level - 1).repeat(10);
        text.push_str(&format!("<!ENTITY a{level} \"{before}\">"));
    }
    text.push_str(&format!("]>\n{}", root.replace("BOMB", "&a9;")));
    text
}

const INVOICE: &str = "<Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\" xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\"><cbc:ID>BOMB</cbc:ID><cbc:IssueDate>2026-10-31</cbc:IssueDate></Invoice>";
const MANIFEST: &str = "<asic:ASiCManifest xmlns:asic=\"http://uri.etsi.org/02918/v1.2.1#\"><asic:SigReference URI=\"BOMB\"/></asic:ASiCManifest>";
const MIMETYPE: (&str, &str) = ("mimetype", "application/vnd.etsi.asic-e+zip");

#[test]
fn packages_that_unpack_into_gigabytes_are_judged_and_fail_within_bounds() {
    let place = Place::start("");
    let token = place.form_token("sato");
    let manifest = laughs(MANIFEST);
    let deep = "<a>".repeat(200_000);
    let own = container(&[("META-INF/ASiCManifest.xml", 1_024), ("document.pdf", 1)]);
    let document = container(&[
        ("mimetype", 0),
        ("document.pdf", 1_024),
        ("META-INF/evidencerecord.ers", 1_024),
    ]);
    let many: Vec<String> = (0..60_000).map(|number| format!("{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    for (what, bytes) in [
        ("a manifest of zeros", own),
        ("a document and an evidence record of zeros", document),
        (
            "entities",
            package(&[MIMETYPE, ("META-INF/ASiCManifest.xml", &manifest)]),
        ),
        (
            "elements without an end",
            package(&[MIMETYPE, ("META-INF/signatures.xml", &deep)]),
        ),
        ("members without number", package(&many)),
    ] {
        let body = multipart(&[
            ("form_token", None, token.as_bytes()),
            ("package", Some("bomb.asice"), &bytes),
        ]);
        let began = Instant::now();
        let taken = place.memory_of(|| {
            let answer = place.ask("POST", "/judge", &[&place.cookie("sato"), MULTIPART], &body);
            let html = answer.text();
            assert_eq!(answer.status, 200, "{what}: {html}");
            let is_proven = !html.contains("Not proven") && !html.contains("Undecided");
            assert!(!is_proven, "{what}: {html}");
        });
        assert!(taken < MEMORY_MAX, "{what} took {taken} bytes");
        assert!(began.elapsed() < PATIENCE, "{what}");
    }
    place.serves();
}

#[test]
fn bodies_that_say_they_are_packed_are_not_unpacked_at_any_door() {
    let place = Place::start("");
    for coding in [
        "gzip",
        "zstd",
        "br",
        "deflate",
        "identity, gzip",
        "x-unknown",
    ] {
        let coding = format!("content-encoding: {coding}");
        for (path, kind) in [
            ("/api/v1/records?class=general&name=a.txt", "x-none: 1"),
            ("/api/v1/session", "content-type: application/json"),
            ("/judge", MULTIPART),
            ("/login", FORM),
        ] {
            let headers = [&place.bearer("sato"), kind, &coding];
            let answer = place.ask("POST", path, &headers, b"\x1f\x8b\x08");
            assert_eq!(answer.status, 415, "{path} {coding}: {}", answer.text());
            assert_eq!(answer.header("accept-encoding"), Some("identity"));
            assert_eq!(answer.json()["code"], "content-encoding");
        }
    }
    let found = place.api("GET", "/api/v1/records", "sato", &serde_json::Value::Null);
    assert_eq!(found["total"], 0, "{found}");
}

#[test]
fn invoices_with_entity_bombs_are_kept_as_they_are_and_never_expanded() {
    let place = Place::start("");
    let token = place.form_token("sato");
    let bomb = laughs(INVOICE);
    let taken = place.memory_of(|| {
        let body = multipart(&[
            ("form_token", None, token.as_bytes()),
            ("class", None, b"received-invoice"),
            ("file", Some("bomb.xml"), bomb.as_bytes()),
        ]);
        let read = place.ask(
            "POST",
            "/deposit/read",
            &[&place.cookie("sato"), MULTIPART],
            &body,
        );
        assert!(
            read.status == 200 && read.json()["number"].is_null(),
            "{}",
            read.text()
        );
        let version = place.deposit("class=general&name=bomb.xml", bomb.as_bytes());
        let html = preview(&place, &token, &version);
        assert!(
            html.contains("&lt;!ENTITY a9"),
            "it is shown as the text that it is: {html}"
        );
        assert!(!html.contains("lollol"), "it was expanded");
    });
    assert!(taken < 32 * MEBIBYTE, "{taken} bytes");
}

/// A PNG with nothing but a head that promises so many pixels each way.
fn png(side: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend_from_slice(&side.to_be_bytes());
    bytes.extend_from_slice(&side.to_be_bytes());
    bytes.extend_from_slice(&[8, 6, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(b"\0\0\0\0IDAT\0\0\0\0\0\0\0\0IEND\xaeB`\x82");
    bytes
}

fn preview(place: &Place, token: &str, version: &str) -> String {
    let path = format!("/records{version}/objects/0/preview");
    let body = format!("form_token={token}&purpose=a+test");
    let answer = place.ask(
        "POST",
        &path,
        &[&place.cookie("sato"), FORM],
        body.as_bytes(),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

#[test]
fn pictures_that_unpack_into_gigabytes_are_not_shown_and_say_why() {
    let place = Place::start("");
    let token = place.form_token("sato");
    let small = place.deposit("class=general&name=small.png", &png(64));
    assert!(
        preview(&place, &token, &small).contains("<img"),
        "a small one is shown"
    );
    let taken = place.memory_of(|| {
        let bomb = place.deposit("class=general&name=bomb.png", &png(60_000));
        let html = preview(&place, &token, &bomb);
        assert!(!html.contains("<img"), "{html}");
        assert!(html.contains("60,000 × 60,000 pixels"), "{html}");
    });
    assert!(taken < 32 * MEBIBYTE, "{taken} bytes");
}
