//! The published schemas, as far as they are at hand, put together so that nothing is fetched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

/// Of trusted lists (TS 119 612) the report uses two types only; their schema is not among those at hand, so these stand for it.
const TRUSTED_LISTS: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://uri.etsi.org/02231/v2#"
  xmlns:ds="http://www.w3.org/2000/09/xmldsig#" targetNamespace="http://uri.etsi.org/02231/v2#" elementFormDefault="qualified">
  <xs:import namespace="http://www.w3.org/2000/09/xmldsig#" schemaLocation="xmldsig-core-schema.xsd"/>
  <xs:complexType name="AnyType" mixed="true">
    <xs:sequence minOccurs="0" maxOccurs="unbounded"><xs:any processContents="lax"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="DigitalIdentityType">
    <xs:choice>
      <xs:element name="X509Certificate" type="xs:base64Binary"/>
      <xs:element name="X509SubjectName" type="xs:string"/>
      <xs:element ref="ds:KeyValue"/>
      <xs:element name="X509SKI" type="xs:base64Binary"/>
      <xs:element name="Other" type="AnyType"/>
    </xs:choice>
  </xs:complexType>
  <xs:complexType name="TSPInformationType">
    <xs:sequence><xs:any processContents="lax" maxOccurs="unbounded"/></xs:sequence>
  </xs:complexType>
</xs:schema>
"##;

/// The validation report schema of ETSI, in a folder of its own with everything that it imports.
pub(crate) struct EtsiSchema {
    folder: tempfile::TempDir,
}

impl EtsiSchema {
    /// `None`, with a line that says so, where the schemas or `xmllint` are absent.
    pub(crate) fn found() -> Option<Self> {
        let from = std::env::var_os("FUMIKURA_SCHEMAS").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/schemas"),
            PathBuf::from,
        );
        let main = from.join("TS119102-2-v141.xsd");
        if !main.is_file() {
            println!("left out: no schemas at {}", from.display());
            return None;
        }
        if Command::new("xmllint").arg("--version").output().is_err() {
            println!("left out: no xmllint");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "TS119102-2-v141.xsd",
            "XAdES.xsd",
            "xmldsig-core-schema.xsd",
        ] {
            let text = std::fs::read_to_string(from.join(name)).unwrap();
            std::fs::write(folder.path().join(name), with_local_imports(&text)).unwrap();
        }
        std::fs::write(folder.path().join("ts_119612.xsd"), TRUSTED_LISTS).unwrap();
        Some(Self { folder })
    }

    /// Fails unless every document follows the schema.
    pub(crate) fn expect_valid(&self, documents: &[(String, String)]) {
        let mut names = Vec::with_capacity(documents.len());
        for (number, (_, document)) in documents.iter().enumerate() {
            let path = self.folder.path().join(format!("{number}.xml"));
            std::fs::write(&path, document).unwrap();
            names.push(path);
        }
        for some in names.chunks(200) {
            let output = Command::new("xmllint")
                .args(["--noout", "--nonet", "--huge", "--schema"])
                .arg(self.folder.path().join("TS119102-2-v141.xsd"))
                .args(some)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let wrong: Vec<&str> = said
                .lines()
                .filter(|line| !line.ends_with(" validates"))
                .collect();
            assert!(
                output.status.success() && wrong.is_empty(),
                "{wrong:#?}\n{}",
                named(&wrong, documents)
            );
        }
        for (name, document) in documents {
            expect_references_resolve(name, document);
        }
    }

    /// Whether a document follows the schema.
    pub(crate) fn is_valid(&self, document: &str) -> bool {
        let path = self.folder.path().join("one.xml");
        std::fs::write(&path, document).unwrap();
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(self.folder.path().join("TS119102-2-v141.xsd"))
            .arg(path)
            .output()
            .unwrap();
        output.status.success()
    }
}

fn named(wrong: &[&str], documents: &[(String, String)]) -> String {
    let numbers: BTreeSet<usize> = wrong
        .iter()
        .filter_map(|line| line.split_once(".xml")?.0.rsplit_once('/')?.1.parse().ok())
        .collect();
    numbers
        .iter()
        .filter_map(|number| Some(documents.get(*number)?.0.clone() + "\n"))
        .collect()
}

/// Every `schemaLocation` becomes the name of a file in the same folder.
fn with_local_imports(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("schemaLocation=\"") {
        let (location, after) = after.split_once('"').unwrap();
        let name = location.rsplit_once('/').map_or(location, |(_, name)| name);
        let name = if name.starts_with("ts_119612") {
            "ts_119612.xsd"
        } else {
            name
        };
        out += &format!("{before}schemaLocation=\"{name}\"");
        rest = after;
    }
    out + rest
}

/// Identifiers stand once, and every reference leads to one: libxml2 does not look.
fn expect_references_resolve(name: &str, document: &str) {
    let mut ids = BTreeSet::new();
    let mut references = Vec::new();
    let mut reader = Reader::from_str(document);
    let mut read = |element: &BytesStart<'_>| {
        for attribute in element.attributes().map(Result::unwrap) {
            let value = attribute.value.into_owned();
            match attribute.key.as_ref() {
                "id" => assert!(ids.insert(value.clone()), "{name}: {value} stands twice"),
                "VOReference" => references.extend(value.split(' ').map(str::to_owned)),
                _ => {}
            }
        }
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => read(&element),
            Event::Eof => break,
            _ => {}
        }
    }
    for reference in references {
        assert!(
            ids.contains(&reference),
            "{name}: {reference} leads nowhere"
        );
    }
}

/// The published schema of the JSON report.
pub(crate) struct JsonSchema(jsonschema::Validator);

impl JsonSchema {
    pub(crate) fn read() -> Self {
        let schema: Value = serde_json::from_str(verifier::report::json::REPORT_SCHEMA).unwrap();
        Self(jsonschema::validator_for(&schema).unwrap())
    }

    pub(crate) fn expect_valid(&self, name: &str, value: &Value) {
        let errors: Vec<String> = self
            .0
            .iter_errors(value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}
