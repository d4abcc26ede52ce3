//! The members of `META-INF/` of a foreign container: which of them are evidence, and what that covers.

use std::collections::{BTreeMap, BTreeSet};

use formats::asic::{AsicManifest, AsicReader, META_INF, MIMETYPE_ASIC_E};
use formats::digest::DigestAlgorithm;
use formats::raw::Raw;

use super::{as_sources, check_references, data_of};
use crate::evidence::covers;
use crate::finding::{Finding, Language, package as codes, timestamp as timestamp_codes};
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::recognise::{Kind, recognise, xml_root};
use crate::report::{ObjectKind, ObjectReport};
use crate::verdict::SubIndication;

/// One piece of evidence in the container.
pub(super) struct Evidence {
    pub(super) name: String,
    pub(super) kind: EvidenceKind,
    /// Members that it covers, other evidence among them.
    pub(super) covers: Vec<String>,
}

pub(super) enum EvidenceKind {
    /// Over the content of this member: a manifest, or the one document. `None` if there is nothing for it.
    Token(Option<String>),
    /// A signature, over the same as a time-stamp. It says who signed, which no other proof does, so it is never passed over.
    Signature(Option<String>),
    /// Over each covered member; `listed` if a manifest says so, otherwise those documents that it turns out to cover.
    Record {
        /// The digest algorithm of the manifest, if there is one.
        listed: Option<Listed>,
    },
}

/// What a manifest says of an evidence record.
pub(super) struct Listed {
    pub(super) manifest: String,
    pub(super) algorithms: BTreeSet<DigestAlgorithm>,
}

impl Evidence {
    pub(super) fn is_signature(&self) -> bool {
        matches!(self.kind, EvidenceKind::Signature(_))
    }
}

/// The members of `META-INF/` by what they are.
pub(super) struct Contents {
    manifests: BTreeMap<String, Raw<AsicManifest>>,
    tokens: Vec<String>,
    records: Vec<String>,
    signatures: Vec<String>,
    pub(super) unjudged: Vec<(String, Kind)>,
    pub(super) objects: Vec<ObjectReport>,
    /// What manifests of evidence that is not judged refer to.
    pub(super) referred: BTreeSet<String>,
}

impl Contents {
    pub(super) fn read(notes: &mut Notes<'_>, reader: &AsicReader<'_>) -> Self {
        let mut contents = Self {
            manifests: BTreeMap::new(),
            tokens: Vec::new(),
            records: Vec::new(),
            signatures: Vec::new(),
            unjudged: Vec::new(),
            objects: Vec::new(),
            referred: BTreeSet::new(),
        };
        for entry in reader.entries() {
            let name = entry.name();
            if entry.is_folder() || !name.starts_with(META_INF) {
                continue;
            }
            if let Some(content) = notes.read(entry) {
                contents.sort_in(notes, name, &content);
            }
        }
        contents
    }

    fn sort_in(&mut self, notes: &mut Notes<'_>, name: &str, content: &[u8]) {
        let owned = name.to_owned();
        match recognise(content) {
            Kind::TimestampToken => self.tokens.push(owned),
            Kind::EvidenceRecord => self.records.push(owned),
            Kind::CmsSignature => self.signatures.push(owned),
            kind @ (Kind::XmlEvidenceRecord | Kind::XmlSignature) => {
                self.unjudged.push((owned, kind));
            }
            _ if xml_root(content) == Some("ASiCManifest") => match AsicManifest::parse(content) {
                Ok(manifest) => {
                    self.manifests.insert(owned, manifest);
                }
                Err(error) => notes.add(
                    Judgement::broken(SubIndication::FormatFailure),
                    codes::PACKAGE_MANIFEST_MALFORMED,
                    [name, &error.to_string()],
                ),
            },
            _ if promises_evidence(name) => {
                let detail = format!("{name}: no token and no evidence record");
                let judgement = Judgement::broken(SubIndication::FormatFailure);
                notes.judgement.add(judgement);
                let at = notes.place.child(name);
                let code = timestamp_codes::TOKEN_MALFORMED;
                notes.findings.push(Finding::new(code, at).with(detail));
            }
            Kind::Package
            | Kind::TimestampResponse
            | Kind::TimestampRequest
            | Kind::TimestampedData
            | Kind::Certificate
            | Kind::RevocationList
            | Kind::XmlArchivePackage
            | Kind::Pdf
            | Kind::Pem
            | Kind::Unknown => {}
        }
    }

    /// Names the evidence that is not judged, and what its manifests refer to.
    pub(super) fn tell_unjudged(&mut self, notes: &mut Notes<'_>) {
        for (name, kind) in &self.unjudged {
            let at = notes.place.child(name);
            let label = kind.label(Language::English);
            notes.judgement.add(Judgement::NOT_JUDGED);
            notes
                .findings
                .push(Finding::new(codes::NOT_JUDGED_YET, at.clone()).with(label));
            let object = ObjectReport::new(ObjectKind::NotJudged, at, Judgement::NOT_JUDGED);
            self.objects.push(object.with("kind", kind.name()));
        }
    }

    /// The evidence with what it covers; every manifest is compared with the members on the way.
    pub(super) fn evidence(
        &mut self,
        notes: &mut Notes<'_>,
        reader: &AsicReader<'_>,
        documents: &[String],
    ) -> Vec<Evidence> {
        // By the name of the evidence: the manifest that names it and the members that the manifest lists.
        let mut named: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
        for (name, manifest) in &self.manifests {
            let listed = check_references(notes, reader, name, manifest);
            let target = reader.resolve(&manifest.signature.uri);
            let Some(target) = target.map(|entry| entry.name().to_owned()) else {
                notes.add(
                    Judgement::unknown(SubIndication::SignedDataNotFound),
                    codes::PACKAGE_MANIFEST_WITHOUT_EVIDENCE,
                    [name, &manifest.signature.uri],
                );
                continue;
            };
            let lists = [&self.tokens, &self.records, &self.signatures];
            if !lists.iter().any(|list| list.contains(&target)) {
                self.referred.extend(listed.iter().cloned());
            }
            named.insert(target, (name.clone(), listed));
        }
        if reader.mimetype() == Some(MIMETYPE_ASIC_E) {
            let judged = self.tokens.iter().chain(&self.records);
            for name in judged.chain(&self.signatures) {
                if !named.contains_key(name) {
                    notes.add(
                        Judgement::because(SubIndication::SignedDataNotFound),
                        codes::PACKAGE_EVIDENCE_UNLISTED,
                        [name],
                    );
                }
            }
        }
        let over_one = |name: &String, kind: fn(Option<String>) -> EvidenceKind| {
            over_one(name, named.get(name), documents, kind)
        };
        let tokens = self.tokens.iter();
        let tokens = tokens.map(|name| over_one(name, EvidenceKind::Token));
        let signatures = self.signatures.iter();
        let signatures = signatures.map(|name| over_one(name, EvidenceKind::Signature));
        let records = self.records.iter().map(|name| match named.get(name) {
            Some((manifest, members)) => Evidence {
                name: name.clone(),
                kind: EvidenceKind::Record {
                    listed: Some(self.listed(manifest)),
                },
                covers: members.clone(),
            },
            None => Evidence {
                name: name.clone(),
                kind: EvidenceKind::Record { listed: None },
                covers: covered_by(reader, name, documents),
            },
        });
        tokens.chain(records).chain(signatures).collect()
    }

    fn listed(&self, manifest: &str) -> Listed {
        let references = self
            .manifests
            .get(manifest)
            .map(|manifest| &manifest.references);
        Listed {
            manifest: manifest.to_owned(),
            algorithms: references
                .into_iter()
                .flatten()
                .filter_map(|reference| Some(reference.digest_value()?.algorithm()))
                .collect(),
        }
    }
}

/// Evidence over one member: the manifest that names it, or the one document.
fn over_one(
    name: &str,
    named: Option<&(String, Vec<String>)>,
    documents: &[String],
    kind: fn(Option<String>) -> EvidenceKind,
) -> Evidence {
    let (target, covers) = match (named, documents) {
        (Some((manifest, listed)), _) => {
            let listed = listed.iter().cloned();
            let covers = std::iter::once(manifest.clone()).chain(listed).collect();
            (Some(manifest.clone()), covers)
        }
        (None, [document]) => (Some(document.clone()), vec![document.clone()]),
        (None, _) => (None, Vec::new()),
    };
    Evidence {
        name: name.to_owned(),
        kind: kind(target),
        covers,
    }
}

/// The documents that an evidence record covers, where no manifest tells; all of them if it covers none.
fn covered_by(reader: &AsicReader<'_>, record: &str, documents: &[String]) -> Vec<String> {
    let Some(content) = reader.entry(record).and_then(|entry| entry.read().ok()) else {
        return Vec::new();
    };
    let data = data_of(reader, documents);
    let covered: Vec<String> = as_sources(&data)
        .into_iter()
        .filter(|data| covers(&content, *data))
        .map(|data| data.name().to_owned())
        .collect();
    if covered.is_empty() {
        documents.to_vec()
    } else {
        covered
    }
}

fn promises_evidence(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".tst", ".ers", ".p7s"]
        .iter()
        .any(|extension| lower.ends_with(extension))
}
