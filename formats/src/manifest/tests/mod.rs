mod properties;
mod strictness;

use time::macros::{date, datetime};
use time::{Date, Duration};

use super::*;

/// A manifest with two objects and everything that is optional.
pub(crate) fn sample() -> Manifest {
    Manifest {
        archive: ArchiveId::new(1_790_000_000_000, &[1; 10]),
        record: RecordId::new(1_795_319_310_123, &[2; 10]),
        version: 2,
        supersedes: Some(Superseded {
            version: 1,
            digests: Digests::of(b"version 1"),
        }),
        class: ClassReference {
            id: "received-invoice".to_owned(),
            digests: Digests::of(b"class"),
        },
        metadata: Metadata {
            date: Some(date!(2026 - 01 - 31)),
            amount: Some("110000".parse().unwrap()),
            currency: Some(Currency::JPY),
            counterparty: Some("㈱架空商事".to_owned()),
            title: Some("請求書".to_owned()),
            document_number: Some("INV-1".to_owned()),
            registration_number: Some("T8700110005901".parse().unwrap()),
            supplier: Some("㈱架空商事".to_owned()),
            customer: Some("見本製作所".to_owned()),
            additional: BTreeMap::from([("project".to_owned(), "\"A\" & \\".to_owned())]),
        },
        objects: vec![
            object(
                ObjectName::from_bytes(b"\xff\xfe.xml").unwrap(),
                Role::Original,
                b"<Invoice/>",
            ),
            object(
                ObjectName::new("読み/請求書.pdf").unwrap(),
                Role::Rendition,
                b"%PDF-1.7",
            ),
        ],
        depositor: "keiri-01".to_owned(),
        channel: "cli".to_owned(),
        received_at: datetime!(2026-11-22 03:48:30.123456 UTC),
        facts: BTreeMap::from([("lines".to_owned(), "1\n2".to_owned())]),
        salt: *b"0123456789abcdef",
    }
}

/// A content object with its digests.
pub(crate) fn object(name: ObjectName, role: Role, content: &[u8]) -> ContentObject {
    ContentObject {
        name,
        role,
        media_type: "application/octet-stream".to_owned(),
        size: content.len() as u64,
        digests: Digests::of(content),
        lines: None,
    }
}

fn text_of(manifest: &Manifest) -> String {
    String::from_utf8(manifest.encode().unwrap()).unwrap()
}

fn kind_of(text: &str) -> ErrorKind {
    Manifest::parse(text.as_bytes()).unwrap_err().kind()
}

/// Replaces the only occurrence of `from`.
fn edited(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    text.replacen(from, to, 1)
}

fn with(change: impl FnOnce(&mut Manifest)) -> Manifest {
    let mut manifest = sample();
    change(&mut manifest);
    manifest
}

#[test]
fn bytes_are_kept() {
    let bytes = sample().encode().unwrap();
    let parsed = Manifest::parse(&bytes).unwrap();
    assert_eq!(*parsed, sample());
    assert_eq!(parsed.raw(), bytes);
    assert_eq!(parsed.id().unwrap().version(), 2);
}

#[test]
fn the_form_is_that_of_the_specification() {
    let text = text_of(&with(|manifest| {
        manifest.version = 1;
        manifest.supersedes = None;
        manifest.metadata = Metadata::default();
        manifest.facts.clear();
        manifest.objects.truncate(1);
    }));
    let digests = |bytes: &[u8]| {
        let [sha256, sha512] =
            [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512].map(|a| a.digest(bytes).to_hex());
        format!(
            r#"[{{"algorithm":"SHA-256","value":"{sha256}"}},{{"algorithm":"SHA-512","value":"{sha512}"}}]"#
        )
    };
    let (class, object, sample) = (digests(b"class"), digests(b"<Invoice/>"), sample());
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"archive":"{}","channel":"cli","class":{{"digests":{},"id":"received-invoice"}},"depositor":"keiri-01","facts":{{}},"#,
                r#""metadata":{{}},"objects":[{{"digests":{},"media-type":"application/octet-stream","name":"{}","name-bytes":"fffe2e786d6c","#,
                r#""role":"original","size":10}}],"received-at":"2026-11-22T03:48:30.123456Z","record":"{}","#,
                r#""salt":"30313233343536373839616263646566","schema":"urn:fumikura:manifest:1","supersedes":null,"version":1}}"#
            ),
            sample.archive, class, object, "\u{FFFD}\u{FFFD}.xml", sample.record
        )
    );
}

fn refuses(kind: ErrorKind, change: impl FnOnce(&mut Manifest)) {
    assert_eq!(with(change).encode().unwrap_err().kind(), kind);
}

#[test]
fn versions_that_cannot_be_read_cannot_be_written() {
    let superseding = |version| {
        move |m: &mut Manifest| {
            m.supersedes = Some(Superseded {
                version,
                digests: Digests::of(b""),
            });
        }
    };
    refuses(ErrorKind::InvalidValue, |m| m.version = 0);
    refuses(ErrorKind::InvalidValue, |m| m.version = 1);
    refuses(ErrorKind::InvalidValue, |m| m.supersedes = None);
    refuses(ErrorKind::InvalidValue, superseding(2));
    refuses(ErrorKind::InvalidValue, superseding(0));
    refuses(ErrorKind::InvalidTime, |m| {
        m.received_at -= Duration::days(365 * 3000);
    });
}

#[test]
fn texts_that_cannot_be_read_cannot_be_written() {
    let text = ErrorKind::InvalidText;
    refuses(text, |m| m.class.id = "Rechnung".to_owned());
    refuses(text, |m| m.class.id.clear());
    refuses(text, |m| m.channel = "CLI".to_owned());
    refuses(text, |m| m.depositor.clear());
    refuses(text, |m| m.depositor.push('\n'));
    refuses(text, |m| m.metadata.title = Some(String::new()));
    refuses(text, |m| m.metadata.supplier = Some("a\tb".to_owned()));
    refuses(text, |m| {
        m.metadata.additional = BTreeMap::from([("Key".to_owned(), "v".to_owned())]);
    });
    refuses(text, |m| {
        m.facts = BTreeMap::from([("a b".to_owned(), String::new())]);
    });
    refuses(ErrorKind::InvalidTime, |m| {
        m.metadata.date = Some(Date::MIN);
    });
}

#[test]
fn objects_that_cannot_be_read_cannot_be_written() {
    let media_type = |text: &str| {
        let text = text.to_owned();
        move |m: &mut Manifest| m.objects[0].media_type = text
    };
    refuses(ErrorKind::MissingElement, |m| m.objects.clear());
    refuses(ErrorKind::DuplicateElement, |m| {
        m.objects[1].name = m.objects[0].name.clone();
    });
    for text in ["", "pdf", "a/", "/b", "a/b/c", "a/b; x=\n", "ä/b"] {
        refuses(ErrorKind::InvalidText, media_type(text));
    }
    let long = format!("a/{}", "b".repeat(MEDIA_TYPE_BYTES_MAX - 2));
    assert!(with(media_type(&long)).encode().is_ok());
    refuses(ErrorKind::LimitExceeded, media_type(&(long + "b")));
}

#[test]
fn one_over_each_limit_is_refused() {
    let many = |count: usize| {
        with(|m| {
            m.objects = (0..count)
                .map(|i| {
                    object(
                        ObjectName::new(&format!("{i}")).unwrap(),
                        Role::Original,
                        b"",
                    )
                })
                .collect();
        })
    };
    let bytes = many(MANIFEST_OBJECTS_MAX).encode().unwrap();
    assert!(Manifest::parse(&bytes).is_ok());
    assert_eq!(
        many(MANIFEST_OBJECTS_MAX + 1).encode().unwrap_err().kind(),
        ErrorKind::LimitExceeded
    );
    let spaces = " ".repeat(MANIFEST_BYTES_MAX + 1);
    assert_eq!(kind_of(&spaces), ErrorKind::LimitExceeded);
    refuses(ErrorKind::LimitExceeded, |m| {
        m.objects[0].size = CONTENT_BYTES_MAX + 1;
    });
    refuses(ErrorKind::LimitExceeded, |m| {
        m.facts = BTreeMap::from([("a".to_owned(), "x".repeat(FACT_BYTES_MAX + 1))]);
    });
    refuses(ErrorKind::LimitExceeded, |m| {
        m.facts = (0..=FACTS_MAX)
            .map(|i| (format!("k{i}"), String::new()))
            .collect();
    });
    let largest = with(|m| m.objects[0].size = CONTENT_BYTES_MAX);
    assert!(text_of(&largest).contains(r#""size":9007199254740991"#));
    assert_eq!(
        *Manifest::parse(&largest.encode().unwrap()).unwrap(),
        largest
    );
}

#[test]
fn the_group_is_manifest_and_objects() {
    let manifest = Manifest::parse(&sample().encode().unwrap()).unwrap();
    for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        let group = Manifest::group(&manifest, algorithm).unwrap();
        let expected =
            [manifest.raw(), b"<Invoice/>", b"%PDF-1.7"].map(|bytes| algorithm.digest(bytes));
        assert_eq!(group, expected);
    }
    let kind = Manifest::group(&manifest, DigestAlgorithm::Sha3_256)
        .unwrap_err()
        .kind();
    assert_eq!(kind, ErrorKind::UnknownAlgorithm);
}
