//! Other programs read our packages: Info-ZIP the container, libxml2 its manifest against the schema of EN 319 162-1.

use std::path::Path;
use std::process::Command;

use formats::asic::AsicReader;
use formats::package::EVIDENCE_RECORD_MANIFEST;
use tests::{foreign_folder, has_program};

const SCHEMA: &str = "en_31916201v010101.xsd";

#[test]
fn unzip_accepts_an_evidence_package() {
    if !has_program("unzip", "-v") {
        println!("left out: evidence packages tested by unzip (unzip is not installed)");
        return;
    }
    let world = crate::handover();
    run(world.path(), "unzip", &["-tq", "e.asice"]);
    run(world.path(), "unzip", &["-q", "e.asice", "-d", "out"]);
    let package = std::fs::read(world.at("e.asice")).expect("a package");
    let reader = AsicReader::open(&package).expect("a container");
    for entry in reader.entries() {
        let path = world.at("out").join(entry.name());
        let unpacked = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(
            unpacked,
            *entry.read().expect("content"),
            "{}",
            entry.name()
        );
    }
}

#[test]
fn the_manifest_of_a_package_keeps_to_its_schema() {
    let Some(schemas) = foreign_folder("FUMIKURA_SCHEMAS", "schemas") else {
        println!(
            "left out: the manifest of a package against its schema (FUMIKURA_SCHEMAS names no folder)"
        );
        return;
    };
    if !has_program("xmllint", "--version") {
        println!(
            "left out: the manifest of a package against its schema (xmllint is not installed)"
        );
        return;
    }
    let world = crate::handover();
    let package = std::fs::read(world.at("e.asice")).expect("a package");
    let reader = AsicReader::open(&package).expect("a container");
    let manifest = reader.entry(EVIDENCE_RECORD_MANIFEST).expect("a manifest");
    world.file("manifest.xml", &manifest.read().expect("content"));
    // The schema imports another one from the network: from the same folder here.
    let schema = std::fs::read_to_string(schemas.join(SCHEMA)).expect("a schema");
    let (from, to) = ("http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/", "");
    world.file("asic.xsd", schema.replace(from, to).as_bytes());
    let signature = std::fs::read(schemas.join("xmldsig-core-schema.xsd")).expect("a schema");
    world.file("xmldsig-core-schema.xsd", &signature);
    let arguments = ["--nonet", "--noout", "--schema", "asic.xsd", "manifest.xml"];
    run(world.path(), "xmllint", &arguments);
}

fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(folder).output();
    let output = output.expect("the program starts");
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
