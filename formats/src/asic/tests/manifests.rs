use super::*;
use crate::digest::DigestAlgorithm;
use crate::limits::{
    ASIC_MANIFEST_BYTES_MAX, ASIC_REFERENCES_MAX, XML_ATTRIBUTES_MAX, XML_DEPTH_MAX,
    XML_TEXT_BYTES_MAX,
};

fn sample() -> AsicManifest {
    let reference = |name| {
        DataObjectReference::new(name, "text/plain", DigestAlgorithm::Sha256.digest(b"abc"))
            .unwrap()
    };
    AsicManifest {
        signature: SignatureReference {
            uri: "META-INF/evidencerecord.ers".to_owned(),
            mime_type: None,
        },
        references: vec![
            DataObjectReference {
                root_file: Some(true),
                ..reference("manifest.json")
            },
            reference("documents/請求書 <1>.txt"),
        ],
        has_critical_extension: false,
    }
}

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
  <asic:SigReference URI="META-INF/evidencerecord.ers"/>
  <asic:DataObjectReference URI="manifest.json" MimeType="text/plain" Rootfile="true">
    <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
    <ds:DigestValue>ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=</ds:DigestValue>
  </asic:DataObjectReference>
  <asic:DataObjectReference URI="documents/%E8%AB%8B%E6%B1%82%E6%9B%B8%20%3C1%3E.txt" MimeType="text/plain">
    <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
    <ds:DigestValue>ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=</ds:DigestValue>
  </asic:DataObjectReference>
</asic:ASiCManifest>
"#;

fn kind_of(xml: &str) -> ErrorKind {
    AsicManifest::parse(xml.as_bytes()).expect_err(xml).kind()
}

fn edited(from: &str, to: &str) -> String {
    assert!(XML.contains(from), "{from}");
    XML.replacen(from, to, 1)
}

#[test]
fn written_and_read() {
    assert_eq!(String::from_utf8(sample().encode().unwrap()).unwrap(), XML);
    let parsed = AsicManifest::parse(XML.as_bytes()).unwrap();
    assert_eq!(*parsed, sample());
    assert_eq!(parsed.raw(), XML.as_bytes());
    let digest = parsed.references[1].digest_value().unwrap();
    assert_eq!(digest, DigestAlgorithm::Sha256.digest(b"abc"));
}

#[test]
fn other_notations_mean_the_same() {
    for (from, to) in [
        ("<?xml", "\u{FEFF}<?xml"),
        ("UTF-8", "utf-8"),
        (" encoding=\"UTF-8\"", ""),
        (
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n",
            "",
        ),
        ("  <asic:SigReference", "<!-- comment --><asic:SigReference"),
        ("ungWv48B", "\n  ungW v48B\t"),
        ("ungWv48B", "ung&#x57;v48B"),
        ("ungWv48B", "<![CDATA[ungWv48B]]>"),
        ("Fa0=</", "Fa0</"),
        ("Rootfile=\"true\"", "Rootfile='1'"),
        ("manifest.json", "manifest&#46;json"),
        ("ers\"/>", "ers\"></asic:SigReference>"),
        ("sha256\"/>", "sha256\"> <x/> </ds:DigestMethod>"),
    ] {
        let xml = edited(from, to);
        assert_eq!(
            *AsicManifest::parse(xml.as_bytes()).unwrap(),
            sample(),
            "{to}"
        );
    }
}

#[test]
fn extensions_are_passed_over_unless_critical() {
    let with = |critical| {
        let extension = format!(
            r#"<asic:ASiCManifestExtensions><asic:Extension Critical="{critical}"><x>text</x></asic:Extension></asic:ASiCManifestExtensions></asic:ASiCManifest>"#
        );
        edited("</asic:ASiCManifest>", &extension)
    };
    assert!(
        !AsicManifest::parse(with("false").as_bytes())
            .unwrap()
            .has_critical_extension
    );
    let critical = AsicManifest::parse(with("true").as_bytes()).unwrap();
    assert!(critical.has_critical_extension);
    assert_eq!(
        critical.encode().unwrap_err().kind(),
        ErrorKind::NotEncodable
    );
    assert_eq!(kind_of(&with("perhaps")), ErrorKind::InvalidValue);
}

#[test]
fn unacceptable_xml_is_refused() {
    for (from, to, kind) in [
        ("?>\n", "?>\n<!DOCTYPE x>", ErrorKind::InvalidXml),
        (
            "?>\n",
            "?>\n<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
            ErrorKind::InvalidXml,
        ),
        ("ungWv48B", "ungW&e;v48B", ErrorKind::InvalidXml),
        ("ungWv48B", "ungW&#0;v48B", ErrorKind::InvalidXml),
        ("manifest.json", "manifest&e;json", ErrorKind::InvalidXml),
        (
            "  <asic:SigReference",
            "text<asic:SigReference",
            ErrorKind::InvalidXml,
        ),
        (
            "URI=\"manifest.json\"",
            "URI=\"manifest.json\" URI=\"other\"",
            ErrorKind::InvalidXml,
        ),
        ("</ds:DigestValue>", "</ds:Digest>", ErrorKind::InvalidXml),
        ("</asic:ASiCManifest>\n", "", ErrorKind::Truncated),
        (
            "</asic:ASiCManifest>\n",
            "</asic:ASiCManifest>x",
            ErrorKind::InvalidXml,
        ),
        (
            "</asic:ASiCManifest>\n",
            "</asic:ASiCManifest><x/>",
            ErrorKind::WrongType,
        ),
        ("UTF-8", "Shift_JIS", ErrorKind::InvalidText),
    ] {
        assert_eq!(kind_of(&edited(from, to)), kind, "{to}");
    }
    assert_eq!(
        AsicManifest::parse(b"<a>\xff</a>").unwrap_err().kind(),
        ErrorKind::InvalidText
    );
    assert_eq!(
        AsicManifest::parse(b"\xff\xfe<\0a\0/\0>\0")
            .unwrap_err()
            .kind(),
        ErrorKind::InvalidText
    );
}

#[test]
fn other_documents_are_refused() {
    for (from, to) in [
        ("02918/v1.2.1#", "02918/v9#"),
        ("http://www.w3.org/2000/09/xmldsig#", "urn:x"),
        ("<asic:SigReference URI", "<asic:Signature URI"),
        (
            "  <asic:SigReference",
            "<asic:ASiCManifest/><asic:SigReference",
        ),
    ] {
        assert_eq!(kind_of(&edited(from, to)), ErrorKind::WrongType, "{to}");
    }
    assert_eq!(kind_of(""), ErrorKind::WrongType);
    assert_eq!(kind_of("plain text"), ErrorKind::InvalidXml);
    assert_eq!(kind_of("<Invoice/>"), ErrorKind::WrongType);
}

#[test]
fn parts_must_stand_once() {
    let signature = r#"<asic:SigReference URI="META-INF/evidencerecord.ers"/>"#;
    let method = r#"<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>"#;
    let value = "<ds:DigestValue>ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=</ds:DigestValue>";
    for part in [signature, method, value] {
        assert_eq!(
            kind_of(&edited(part, "")),
            ErrorKind::MissingElement,
            "{part}"
        );
        assert_eq!(
            kind_of(&edited(part, &part.repeat(2))),
            ErrorKind::DuplicateElement,
            "{part}"
        );
    }
    for (from, to, kind) in [
        (
            " URI=\"META-INF/evidencerecord.ers\"",
            "",
            ErrorKind::MissingElement,
        ),
        (" URI=\"manifest.json\"", "", ErrorKind::MissingElement),
        (
            " Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"",
            "",
            ErrorKind::MissingElement,
        ),
        (
            "Rootfile=\"true\"",
            "Rootfile=\"yes\"",
            ErrorKind::InvalidValue,
        ),
        ("ungWv48B", "!", ErrorKind::InvalidValue),
        ("Fa0=", "Fa0==", ErrorKind::InvalidValue),
    ] {
        assert_eq!(kind_of(&edited(from, to)), kind, "{to}");
    }
    let none = &XML[..XML.find("  <asic:DataObjectReference").unwrap()];
    assert_eq!(
        kind_of(&format!("{none}</asic:ASiCManifest>")),
        ErrorKind::MissingElement
    );
}

#[test]
fn one_over_each_limit_is_refused() {
    let attributes = |count: usize| {
        let list: String = (0..count).map(|i| format!(" a{i}=\"\"")).collect();
        edited("<asic:SigReference", &format!("<asic:SigReference{list}"))
    };
    assert!(AsicManifest::parse(attributes(XML_ATTRIBUTES_MAX - 1).as_bytes()).is_ok());
    assert_eq!(
        kind_of(&attributes(XML_ATTRIBUTES_MAX)),
        ErrorKind::LimitExceeded
    );
    let nested = |depth: usize| {
        let extensions = format!(
            "<asic:ASiCManifestExtensions>{}{}</asic:ASiCManifestExtensions></asic:ASiCManifest>",
            "<x>".repeat(depth),
            "</x>".repeat(depth)
        );
        edited("</asic:ASiCManifest>", &extensions)
    };
    assert!(AsicManifest::parse(nested(XML_DEPTH_MAX - 2).as_bytes()).is_ok());
    assert_eq!(
        kind_of(&nested(XML_DEPTH_MAX - 1)),
        ErrorKind::LimitExceeded
    );
    let uri = "u".repeat(XML_TEXT_BYTES_MAX + 1);
    assert_eq!(
        kind_of(&edited("manifest.json", &uri)),
        ErrorKind::LimitExceeded
    );
    assert!(AsicManifest::parse(edited("manifest.json", &uri[1..]).as_bytes()).is_ok());
    assert_eq!(kind_of(&edited("ungWv48B", &uri)), ErrorKind::LimitExceeded);
    let long = " ".repeat(ASIC_MANIFEST_BYTES_MAX + 1 - XML.len());
    assert_eq!(kind_of(&format!("{XML}{long}")), ErrorKind::LimitExceeded);
    assert!(AsicManifest::parse(format!("{XML}{}", &long[1..]).as_bytes()).is_ok());
}

#[test]
fn one_reference_too_many_is_refused() {
    let reference = r#"<asic:DataObjectReference URI="a"><ds:DigestMethod Algorithm="b"/><ds:DigestValue/></asic:DataObjectReference>"#;
    let many = |count: usize| {
        let more = reference.repeat(count - sample().references.len());
        edited("</asic:ASiCManifest>", &(more + "</asic:ASiCManifest>"))
    };
    let parsed = AsicManifest::parse(many(ASIC_REFERENCES_MAX).as_bytes()).unwrap();
    assert_eq!(parsed.references.len(), ASIC_REFERENCES_MAX);
    let kind = kind_of(&many(ASIC_REFERENCES_MAX + 1));
    assert_eq!(kind, ErrorKind::LimitExceeded);
}

#[test]
fn unknown_digests_have_no_value() {
    for (from, to) in [
        ("xmlenc#sha256", "xmlenc#sha257"),
        ("xmlenc#sha256", "xmlenc#sha512"),
        ("ungWv48Bz+pB", "ungWv48B"),
    ] {
        let parsed = AsicManifest::parse(edited(from, to).as_bytes()).unwrap();
        assert_eq!(parsed.references[0].digest_value(), None);
    }
    let digest = DigestAlgorithm::Sha512_256.digest(b"");
    assert_eq!(
        DataObjectReference::new("a", "b/c", digest)
            .unwrap_err()
            .kind(),
        ErrorKind::UnknownAlgorithm
    );
}

#[test]
fn what_xml_cannot_hold_is_not_written() {
    for uri in ["a\nb", "a\0b", "\u{FFFE}"] {
        let mut manifest = sample();
        manifest.signature.uri = uri.to_owned();
        assert_eq!(
            manifest.encode().unwrap_err().kind(),
            ErrorKind::NotEncodable
        );
    }
    let mut manifest = sample();
    manifest.references.clear();
    assert_eq!(
        manifest.encode().unwrap_err().kind(),
        ErrorKind::MissingElement
    );
}

/// The schema of EN 319 162-1, where `xmllint` and the schema are at hand.
#[test]
fn the_schema_accepts_what_is_written() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/schemas");
    let schemas =
        std::path::PathBuf::from(std::env::var_os("FUMIKURA_SCHEMAS").unwrap_or(default.into()));
    let schema = schemas.join("en_31916201v010101.xsd");
    let import = std::fs::read_to_string(&schema);
    let xmllint = std::process::Command::new("xmllint")
        .arg("--version")
        .output();
    let (Ok(import), Ok(_)) = (import, xmllint) else {
        println!(
            "no xmllint or no {}: the ASiC manifest was not checked against its schema",
            schema.display()
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::File::create(&path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
        path
    };
    // The import names a place on the network, and the imported schema a document type there.
    let import = import.replace(
        "http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd",
        "xmldsig.xsd",
    );
    let xmldsig = std::fs::read_to_string(schemas.join("xmldsig-core-schema.xsd")).unwrap();
    put("xmldsig.xsd", xmldsig.as_bytes());
    let schema = put("asic.xsd", import.as_bytes());
    let manifest = put("manifest.xml", &sample().encode().unwrap());
    let output = std::process::Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .arg(manifest)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

proptest! {
    #[test]
    fn round_trip(names in vec("[^\\p{Cc}\u{FFFE}\u{FFFF}]{1,20}", 1..5), content in vec(any::<u8>(), 0..20)) {
        let references = names.iter().map(|name| DataObjectReference::new(name, "a/b", DigestAlgorithm::Sha512.digest(&content)).unwrap()).collect();
        let manifest = AsicManifest { references, ..sample() };
        let bytes = manifest.encode().unwrap();
        prop_assert_eq!(&*AsicManifest::parse(&bytes).unwrap(), &manifest);
    }

    #[test]
    fn damage_never_panics(at in any::<proptest::sample::Index>(), value in any::<u8>(), cut in any::<proptest::sample::Index>()) {
        // A text without its last line break is still whole.
        let mut bytes = XML.trim_end().as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        AsicManifest::parse(&bytes).ok();
        AsicManifest::parse(&bytes[..cut.index(bytes.len())]).unwrap_err();
    }
}
