use super::*;

#[test]
fn only_the_canonical_form_is_accepted() {
    let text = text_of(&sample());
    for (from, to) in [
        (r#""version":2}"#, r#""version": 2}"#),
        (r#""version":2}"#, r#""version":2} "#),
        (r#"{"archive""#, "\u{20}{\"archive\""),
        (r#"keiri-01"#, r#"keiri\u002d01"#),
        (r#"㈱架空商事","currency"#, r#"\u3231架空商事","currency"#),
        (r#""lines":"1\n2""#, r#""lines":"1\u000a2""#),
        (r#""lines":"1\n2""#, r#""lines":"1\n2","lines":"1\n2""#),
        (r#""lines":"1\n2""#, r#""lines":"0","lines":"1\n2""#),
        (
            r#""additional":{"project""#,
            r#""additional":{"project":"","project""#,
        ),
        (r#""channel":"cli","class""#, r#""class""#),
    ] {
        let kind = kind_of(&edited(&text, from, to));
        assert!(
            matches!(kind, ErrorKind::NotCanonical | ErrorKind::InvalidJson),
            "{to}: {kind:?}"
        );
    }
    let moved = edited(&text, r#""channel":"cli","#, "");
    let moved = edited(&moved, r#"{"archive""#, r#"{"channel":"cli","archive""#);
    assert_eq!(kind_of(&moved), ErrorKind::NotCanonical);
    let missing_null = text_of(&with(|m| (m.version, m.supersedes) = (1, None)));
    assert_eq!(
        kind_of(&edited(&missing_null, r#""supersedes":null,"#, "")),
        ErrorKind::NotCanonical
    );
    let upper = edited(&text, "fffe2e786d6c", "FFFE2E786D6C");
    assert_eq!(kind_of(&upper), ErrorKind::NotCanonical);
    let empty = edited(
        &text,
        r#""additional":{"project":"\"A\" & \\"},"#,
        r#""additional":{},"#,
    );
    assert_eq!(kind_of(&empty), ErrorKind::NotCanonical);
}

#[test]
fn names_have_one_form() {
    let text = text_of(&sample());
    let superfluous = edited(
        &text,
        r#""name":"読み/請求書.pdf","#,
        r#""name":"a","name-bytes":"61","#,
    );
    assert_eq!(kind_of(&superfluous), ErrorKind::NotCanonical);
    let other = edited(&text, "\u{FFFD}\u{FFFD}.xml", "harmless.xml");
    assert_eq!(kind_of(&other), ErrorKind::NotCanonical);
    let climbing = edited(&text, "fffe2e786d6c", "ff2f2e2e2f61");
    assert_eq!(kind_of(&climbing), ErrorKind::InvalidName);
    let odd = edited(&text, "fffe2e786d6c", "fff");
    assert_eq!(kind_of(&odd), ErrorKind::InvalidValue);
}

#[test]
fn members_must_be_those_of_the_structure() {
    let text = text_of(&sample());
    for (from, to) in [
        (r#""version":2}"#, r#""version":2,"xyz":1}"#),
        (r#""role":"rendition","#, ""),
        (r#""role":"rendition","#, r#""role":"copy","#),
        (r#""metadata":{"#, r#""metadata":{"Amount":"1","#),
        (r#""size":10"#, r#""size":10.0"#),
        (r#""size":10"#, r#""size":1e1"#),
        (r#""size":10"#, r#""size":-10"#),
        (r#""size":10"#, r#""size":"10""#),
        (r#""size":10"#, r#""size":18446744073709551616"#),
        (r#""version":2}"#, r#""version":4294967297}"#),
        (r#""date":"2026-01-31""#, r#""date":20260131"#),
        (r#""version":2}"#, r#""version":2,"version":2}"#),
        (r#""facts":{"lines":"1\n2"}"#, r#""facts":{"lines":12}"#),
        (
            r#""facts":{"lines":"1\n2"}"#,
            r#""facts":{"lines":"\ud800"}"#,
        ),
        (r#""version":2}"#, r#""version":2}}"#),
    ] {
        assert_eq!(
            kind_of(&edited(&text, from, to)),
            ErrorKind::InvalidJson,
            "{to}"
        );
    }
    let upper_case_id = edited(
        &text,
        &format!(r#""record":"{}"#, sample().record),
        &format!(
            r#""record":"{}"#,
            sample().record.to_string().to_uppercase()
        ),
    );
    assert_eq!(kind_of(&upper_case_id), ErrorKind::InvalidJson);
    assert_eq!(kind_of(""), ErrorKind::Truncated);
    assert_eq!(kind_of("[]"), ErrorKind::InvalidJson);
    assert_eq!(kind_of("{}"), ErrorKind::InvalidJson);
    assert_eq!(kind_of("\u{FEFF}{}"), ErrorKind::InvalidJson);
    assert_eq!(kind_of(&"[".repeat(100_000)), ErrorKind::InvalidJson);
}

#[test]
fn every_prefix_is_refused() {
    let bytes = sample().encode().unwrap();
    for end in 0..bytes.len() {
        assert!(Manifest::parse(&bytes[..end]).is_err(), "{end}");
    }
}

#[test]
fn other_schemas_are_told_apart() {
    let text = text_of(&sample());
    let other = |schema| kind_of(&edited(&text, SCHEMA, schema));
    assert_eq!(
        other("urn:fumikura:manifest:2"),
        ErrorKind::UnsupportedVersion
    );
    assert_eq!(other("urn:example:other"), ErrorKind::WrongType);
    assert_eq!(
        kind_of(r#"{"schema":"urn:fumikura:manifest:2","new":{"a":[1]}}"#),
        ErrorKind::UnsupportedVersion
    );
    assert_eq!(
        kind_of(r#"{"schema":"urn:fumikura:medium:1"}"#),
        ErrorKind::WrongType
    );
}

#[test]
fn bad_values_are_refused() {
    let text = text_of(&sample());
    let sha256 = DigestAlgorithm::Sha256.digest(b"class").to_hex();
    for (from, to, kind) in [
        (
            "30313233343536373839616263646566",
            "303132333435363738396162636465",
            ErrorKind::InvalidValue,
        ),
        (
            "30313233343536373839616263646566",
            "3031323334353637383961626364656667",
            ErrorKind::InvalidValue,
        ),
        (
            "30313233343536373839616263646566",
            "3031323334353637383961626364656g",
            ErrorKind::InvalidValue,
        ),
        (&sha256, &sha256[2..], ErrorKind::WrongDigestLength),
        (&sha256, "zz", ErrorKind::InvalidValue),
        (&sha256, &sha256.to_uppercase(), ErrorKind::NotCanonical),
        (
            r#""amount":"110000""#,
            r#""amount":"1.1e5""#,
            ErrorKind::InvalidValue,
        ),
        (
            r#""currency":"JPY""#,
            r#""currency":"円""#,
            ErrorKind::InvalidValue,
        ),
        (
            r#""date":"2026-01-31""#,
            r#""date":"2026-02-31""#,
            ErrorKind::InvalidTime,
        ),
        (
            r#""date":"2026-01-31""#,
            r#""date":"2026-1-31""#,
            ErrorKind::InvalidTime,
        ),
        ("T8700110005901", "8700110005901", ErrorKind::InvalidValue),
        ("30.123456Z", "30.123Z", ErrorKind::InvalidTime),
        (
            r#""version":2}"#,
            r#""version":0}"#,
            ErrorKind::InvalidValue,
        ),
        (
            r#""version":2}"#,
            r#""version":1}"#,
            ErrorKind::InvalidValue,
        ),
    ] {
        assert_eq!(kind_of(&edited(&text, from, to)), kind, "{to}");
    }
    let unknown = text.replace("SHA-512", "SHA-1024");
    assert_eq!(kind_of(&unknown), ErrorKind::UnknownAlgorithm);
    let same = text.replace("SHA-512", "SHA-256");
    assert_eq!(kind_of(&same), ErrorKind::WrongDigestLength);
}

fn with_lines(lines: u64) -> Manifest {
    with(|m| {
        m.objects[0].lines = Some(LineTree {
            lines,
            roots: Digests::of(b"lines"),
        });
    })
}

#[test]
fn a_line_tree_has_one_form_and_may_be_absent() {
    let bytes = with_lines(10).encode().unwrap();
    assert_eq!(*Manifest::parse(&bytes).unwrap(), with_lines(10));
    let text = String::from_utf8(bytes).unwrap();
    let sha256 = DigestAlgorithm::Sha256.digest(b"lines").to_hex();
    assert!(text.contains(&format!(
        r#""line-tree":{{"block-lines":1024,"lines":10,"roots":[{{"algorithm":"SHA-256","value":"{sha256}"}}"#
    )));
    assert!(!text_of(&sample()).contains("line-tree"));
    for (from, to, kind) in [
        (
            r#""block-lines":1024"#,
            r#""block-lines":512"#,
            ErrorKind::UnsupportedVersion,
        ),
        (r#""block-lines":1024,"#, "", ErrorKind::InvalidJson),
        (r#""lines":10"#, r#""lines":0"#, ErrorKind::InvalidValue),
        (r#""lines":10"#, r#""lines":11"#, ErrorKind::InvalidValue),
        (r#""lines":10"#, r#""lines":1e1"#, ErrorKind::InvalidJson),
        (
            r#""lines":10"#,
            r#""lines":10,"x":1"#,
            ErrorKind::InvalidJson,
        ),
        (&sha256, "00", ErrorKind::WrongDigestLength),
    ] {
        assert_eq!(kind_of(&edited(&text, from, to)), kind, "{to}");
    }
    let one_root = text.replacen(
        &format!(r#"{{"algorithm":"SHA-256","value":"{sha256}"}},"#),
        "",
        1,
    );
    assert_eq!(kind_of(&one_root), ErrorKind::MissingElement);
    let null = edited(
        &text_of(&sample()),
        r#""media-type":"application/octet-stream","name":"読み"#,
        r#""line-tree":null,"media-type":"application/octet-stream","name":"読み"#,
    );
    assert_eq!(kind_of(&null), ErrorKind::NotCanonical);
}

#[test]
fn more_lines_than_the_limit_are_refused() {
    let of = |lines| {
        let mut manifest = with_lines(lines);
        manifest.objects[0].size = CONTENT_BYTES_MAX;
        manifest.encode()
    };
    assert!(of(crate::limits::LINES_MAX).is_ok());
    let refused = of(crate::limits::LINES_MAX + 1).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
}
