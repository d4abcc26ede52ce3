//! Reports about evidence made by other people's tools: every file among the vectors, whatever it is.

use std::path::{Path, PathBuf};

use time::macros::datetime;
use verifier::context::Context;
use verifier::finding::Language;
use verifier::judge::verify;
use verifier::policy::Policy;
use verifier::report::{etsi, json};
use verifier::source::{DigestSource, InputFile};

use crate::schema::{EtsiSchema, JsonSchema};
use crate::support::vectors::{Vector, chain_of, data_of, read_manifest, trust_everything};

const PERMISSIVE: &str = include_str!("../data/permissive-policy.json");

fn vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("FUMIKURA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    if folder.join("MANIFEST.tsv").is_file() {
        return Some(folder);
    }
    println!("left out: no vectors at {}", folder.display());
    None
}

/// Judges a file with everything trusted that its tokens bring, so that as much as possible is said about it.
fn judge(folder: &Path, vector: &Vector) -> verifier::report::Report {
    let bytes = std::fs::read(folder.join(&vector.path)).unwrap();
    let data = data_of(folder, vector);
    let sources: Vec<&dyn DigestSource> = data.iter().map(AsRef::as_ref).collect();
    let chain = chain_of(folder, vector);
    let (anchors, newest) = trust_everything(&bytes);
    let policy = Policy::parse(PERMISSIVE.as_bytes()).unwrap();
    let context = Context {
        anchors: &anchors,
        certificates: &chain,
        crls: &[],
        ocsp_responses: &[],
        policy: &policy,
        time: newest.unwrap_or(datetime!(2026-11-22 00:00 UTC)),
        cache: None,
        registry: None,
    };
    let files = [InputFile::new(vector.path.as_str(), bytes.as_slice())];
    verify(&files, &sources, &context)
}

#[test]
fn reports_about_every_vector_follow_both_schemas() {
    let Some(folder) = vectors() else { return };
    let schema = JsonSchema::read();
    let mut documents = Vec::new();
    for vector in &read_manifest(&folder) {
        let report = judge(&folder, vector);
        let value = json::to_value(&report, Language::Japanese);
        schema.expect_valid(&vector.path, &value);
        documents.push((
            vector.path.clone(),
            etsi::to_text(&report, Language::Japanese),
        ));
    }
    println!("{} reports", documents.len());
    if let Some(schema) = EtsiSchema::found() {
        schema.expect_valid(&documents);
    }
}
