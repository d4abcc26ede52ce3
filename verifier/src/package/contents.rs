//! The members of `META-INF/` of a foreign container: which of them are evidence, and what that covers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use formats::asic::{AsicEntry, AsicManifest, META_INF, MIMETYPE_ASIC_E, MIMETYPE_ASIC_S};
use formats::cms::SignedData;
use formats::digest::DigestAlgorithm;
use formats::limits::{ASIC_EVIDENCE_MAX, ASIC_MANIFESTS_BYTES_MAX, EVIDENCE_BYTES_MAX};
use formats::tsp::TimeStampToken;

use super::check_references;
use super::members::{Members, as_sources};
use crate::armour::unwrapped;
use crate::evidence::{any_initial_algorithm, covers_any};
use crate::finding::{Finding, Language, package as codes, timestamp as timestamp_codes};
use crate::judgement::Judgement;
use crate::notes::Notes;
use crate::recognise::{Kind, may_be_evidence, recognise, xml_root};
use crate::report::{ObjectKind, ObjectReport};
use crate::verdict::SubIndication;

/// One piece of evidence in the container.
pub(super) struct Evidence {
    pub(super) name: String,
    pub(super) kind: EvidenceKind,
    /// The manifest that says what it covers.
    pub(super) manifest: Option<String>,
    /// Members that it covers, other evidence among them.
    pub(super) covers: BTreeMap<String, Binding>,
    /// The algorithms of the digests in the manifest.
    pub(super) algorithms: BTreeSet<DigestAlgorithm>,
}

/// How a member is bound to evidence that covers it.
#[derive(Clone, Copy)]
pub(super) struct Binding {
    /// The algorithm of the digest in a manifest; `None` where the evidence is over the member itself.
    pub(super) algorithm: Option<DigestAlgorithm>,
    /// Whether the member has the digest that the manifest states.
    pub(super) holds: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EvidenceKind {
    /// Over the content of one member: the manifest, or the one document.
    Token,
    /// A signature, over the same as a time-stamp. It says who signed, which no other proof does, so it is never passed over.
    Signature,
    /// Over each covered member; if no manifest says which, over those documents that it turns out to cover.
    Record,
}

impl Evidence {
    pub(super) fn is_signature(&self) -> bool {
        self.kind == EvidenceKind::Signature
    }

    /// Whether it covers the member of this name as it is.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.covers.get(name).is_some_and(|binding| binding.holds)
    }

    /// The member over whose content a token or a signature is.
    pub(super) fn target(&self) -> Option<&str> {
        let first = || self.covers.keys().next();
        self.manifest.as_ref().or_else(first).map(String::as_str)
    }
}

/// The members of `META-INF/` by what they are.
#[derive(Default)]
pub(super) struct Contents {
    manifests: BTreeMap<String, AsicManifest>,
    manifest_bytes: u64,
    found: Vec<(String, EvidenceKind)>,
    pub(super) unjudged: Vec<(String, Kind)>,
    pub(super) objects: Vec<ObjectReport>,
    /// What manifests of evidence that is not judged refer to.
    pub(super) referred: BTreeSet<String>,
}

impl Contents {
    /// Tells what each member is, and announces the digests that its evidence will ask for.
    pub(super) fn read(notes: &mut Notes<'_>, members: &Members<'_>) -> Self {
        let mut contents = Self::default();
        for entry in members.reader.entries() {
            if entry.is_folder() || !entry.name().starts_with(META_INF) {
                continue;
            }
            if entry.size() > EVIDENCE_BYTES_MAX {
                contents.pass_by(notes, members, entry);
            } else if let Some(content) = notes.read(entry) {
                contents.sort_in(notes, members, entry.name(), &open(content));
            }
        }
        if contents.found.len() > ASIC_EVIDENCE_MAX {
            contents.found.truncate(ASIC_EVIDENCE_MAX);
            too_much(notes, &format!("{ASIC_EVIDENCE_MAX} proofs"));
        }
        contents
    }

    /// What is too large to be evidence is only checked for damage, unless it begins like evidence.
    fn pass_by(&mut self, notes: &mut Notes<'_>, members: &Members<'_>, entry: &AsicEntry<'_>) {
        let name = entry.name();
        let head = entry.head(HEAD_BYTES).unwrap_or_default();
        if promises_evidence(name) || may_be_evidence(&head) {
            let kind = recognise(&head);
            self.objects.push(
                ObjectReport::new(
                    ObjectKind::NotJudged,
                    notes.place.child(name),
                    Judgement::NOT_JUDGED,
                )
                .with("kind", kind.name()),
            );
            self.unjudged.push((name.to_owned(), kind));
            let most = EVIDENCE_BYTES_MAX.to_string();
            let judgement = Judgement::unknown(SubIndication::Custom);
            notes.add(judgement, codes::PACKAGE_MEMBER_TOO_LARGE, [name, &most]);
        } else {
            notes.note(codes::PACKAGE_META_OTHER, [name]);
            if let Err(error) = members.check(entry) {
                notes.damaged(name, error);
            }
        }
    }

    fn sort_in(
        &mut self,
        notes: &mut Notes<'_>,
        members: &Members<'_>,
        name: &str,
        content: &[u8],
    ) {
        let kind = match recognise(content) {
            Kind::TimestampToken => {
                let token = TimeStampToken::parse(content).ok();
                let imprint = token.as_ref().map(|token| &token.info.imprint.algorithm);
                members.expect(imprint.and_then(|algorithm| algorithm.digest_algorithm()));
                EvidenceKind::Token
            }
            Kind::EvidenceRecord | Kind::XmlEvidenceRecord => {
                members.expect(any_initial_algorithm(content));
                EvidenceKind::Record
            }
            Kind::CmsSignature => {
                if let Ok(signed_data) = SignedData::parse(content) {
                    let signers = signed_data.signers.iter();
                    members.expect(
                        signers.filter_map(|signer| signer.digest_algorithm.digest_algorithm()),
                    );
                }
                EvidenceKind::Signature
            }
            Kind::XmlSignature => {
                self.unjudged.push((name.to_owned(), Kind::XmlSignature));
                self.tell_unjudged(notes, name, Kind::XmlSignature);
                return;
            }
            _ if xml_root(content) == Some("ASiCManifest") => {
                return self.add_manifest(notes, members, name, content);
            }
            _ if promises_evidence(name) => {
                let detail = format!("{name}: no token and no evidence record");
                let judgement = Judgement::broken(SubIndication::FormatFailure);
                notes.judgement.add(judgement);
                let at = notes.place.child(name);
                let code = timestamp_codes::TOKEN_MALFORMED;
                notes.findings.push(Finding::new(code, at).with(detail));
                return;
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
            | Kind::Unknown => {
                notes.note(codes::PACKAGE_META_OTHER, [name]);
                return;
            }
        };
        self.found.push((name.to_owned(), kind));
    }

    fn add_manifest(
        &mut self,
        notes: &mut Notes<'_>,
        members: &Members<'_>,
        name: &str,
        content: &[u8],
    ) {
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.manifest_bytes = self.manifest_bytes.saturating_add(size);
        if self.manifest_bytes > ASIC_MANIFESTS_BYTES_MAX {
            return too_much(
                notes,
                &format!("{ASIC_MANIFESTS_BYTES_MAX} bytes of manifests"),
            );
        }
        match AsicManifest::parse(content) {
            Ok(manifest) => {
                let references = manifest.references.iter();
                let digests = references.filter_map(|reference| reference.digest_value());
                members.expect(digests.map(|digest| digest.algorithm()));
                self.manifests
                    .insert(name.to_owned(), manifest.into_parts().0);
            }
            Err(error) => notes.add(
                Judgement::broken(SubIndication::FormatFailure),
                codes::PACKAGE_MANIFEST_MALFORMED,
                [name, &error.to_string()],
            ),
        }
    }

    /// Names evidence that is not judged.
    fn tell_unjudged(&mut self, notes: &mut Notes<'_>, name: &str, kind: Kind) {
        let at = notes.place.child(name);
        let label = kind.label(Language::English);
        notes.judgement.add(Judgement::NOT_JUDGED);
        notes
            .findings
            .push(Finding::new(codes::NOT_JUDGED_YET, at.clone()).with(label));
        let object = ObjectReport::new(ObjectKind::NotJudged, at, Judgement::NOT_JUDGED);
        self.objects.push(object.with("kind", kind.name()));
    }

    /// The evidence with what it covers; every manifest is compared with the members on the way.
    pub(super) fn evidence(
        &mut self,
        notes: &mut Notes<'_>,
        members: &Members<'_>,
        documents: &[String],
    ) -> Vec<Evidence> {
        let named = self.named(notes, members);
        let media_type = members.reader.mimetype();
        let is_simple = media_type == Some(MIMETYPE_ASIC_S);
        // What does not say of which kind it is may be simple, if it has one document.
        let demands_manifest =
            media_type == Some(MIMETYPE_ASIC_E) || (!is_simple && documents.len() > 1);
        let mut evidence = Vec::with_capacity(self.found.len());
        for (name, kind) in &self.found {
            let manifest = named.get(name);
            if manifest.is_none() && demands_manifest {
                notes.add(
                    Judgement::because(SubIndication::SignedDataNotFound),
                    codes::PACKAGE_EVIDENCE_UNLISTED,
                    [name],
                );
            } else if manifest.is_none() && !is_simple && *kind == EvidenceKind::Record {
                notes.note(codes::PACKAGE_RECORD_UNLISTED, [name]);
            }
            let covers = match (manifest, kind) {
                (Some((manifest, listed)), EvidenceKind::Token | EvidenceKind::Signature) => {
                    let mut covers = listed.clone();
                    covers.insert(manifest.clone(), DIRECT);
                    covers
                }
                // The record is over the members themselves: their digests in the manifest are compared with them, and prove nothing.
                (Some((_, listed)), EvidenceKind::Record) => {
                    let over = |binding: &Binding| Binding {
                        algorithm: None,
                        ..*binding
                    };
                    let listed = listed.iter();
                    listed
                        .map(|(name, binding)| (name.clone(), over(binding)))
                        .collect()
                }
                (None, EvidenceKind::Record) => directly(covered_by(members, name, documents)),
                (None, _) => match documents {
                    [document] => directly([document.clone()]),
                    _ => BTreeMap::new(),
                },
            };
            let listed = manifest.iter().flat_map(|(_, listed)| listed.values());
            evidence.push(Evidence {
                algorithms: listed.filter_map(|binding| binding.algorithm).collect(),
                name: name.clone(),
                kind: *kind,
                manifest: manifest.map(|(manifest, _)| manifest.clone()),
                covers,
            });
        }
        evidence
    }

    /// By the name of the evidence: the manifest that names it, and the members that the manifest lists.
    fn named(&mut self, notes: &mut Notes<'_>, members: &Members<'_>) -> Named {
        let mut named = Named::new();
        for (name, manifest) in &self.manifests {
            let target = members.reader.resolve(&manifest.signature.uri);
            let Some(target) = target.map(|entry| entry.name().to_owned()) else {
                // Nobody vouches for what it lists; but what it names may have been taken away.
                notes.add(
                    Judgement::because(SubIndication::SigConstraintsFailure),
                    codes::PACKAGE_MANIFEST_WITHOUT_EVIDENCE,
                    [name, &manifest.signature.uri],
                );
                continue;
            };
            let references = check_references(notes, members, name, manifest);
            let mut listed: BTreeMap<String, Binding> = BTreeMap::new();
            for reference in references {
                let binding = Binding {
                    algorithm: Some(reference.algorithm),
                    holds: reference.holds,
                };
                let known = listed.entry(reference.name).or_insert(binding);
                known.holds &= reference.holds;
            }
            if !self.found.iter().any(|(found, _)| *found == target) {
                self.referred.extend(listed.into_keys());
            } else if let Some((other, _)) = named.get(&target) {
                // A signature is over one manifest: the other says what nobody signed.
                notes.add(
                    Judgement::because(SubIndication::SigConstraintsFailure),
                    codes::PACKAGE_EVIDENCE_NAMED_TWICE,
                    [&target, other, name],
                );
            } else {
                named.insert(target, (name.clone(), listed));
            }
        }
        named
    }
}

/// The manifest that names a piece of evidence, and what it lists.
type Named = BTreeMap<String, (String, BTreeMap<String, Binding>)>;

const DIRECT: Binding = Binding {
    algorithm: None,
    holds: true,
};

fn directly(names: impl IntoIterator<Item = String>) -> BTreeMap<String, Binding> {
    names.into_iter().map(|name| (name, DIRECT)).collect()
}

/// Documents of a container with so many are not tried one by one for a record that no manifest names.
const DOCUMENTS_TRIED_MAX: usize = 256;

/// The documents that an evidence record covers, where no manifest tells; all of them if it covers none.
fn covered_by(members: &Members<'_>, record: &str, documents: &[String]) -> Vec<String> {
    let entry = members.reader.entry(record);
    let content = entry.and_then(|entry| entry.read_up_to(EVIDENCE_BYTES_MAX).ok());
    let (Some(content), true) = (content, documents.len() <= DOCUMENTS_TRIED_MAX) else {
        return documents.to_vec();
    };
    let content = open(content);
    let data = members.data(documents);
    let covered: Vec<String> = as_sources(&data)
        .into_iter()
        .filter(|data| members.may_read(content.len()) && covers_any(&content, *data))
        .map(|data| data.name().to_owned())
        .collect();
    if covered.is_empty() {
        documents.to_vec()
    } else {
        covered
    }
}

/// Without the text around it, if evidence stands in a member as text.
pub(super) fn open(content: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match unwrapped(&content) {
        Some(inner) => Cow::Owned(inner),
        None => content,
    }
}

fn too_much(notes: &mut Notes<'_>, limit: &str) {
    let judgement = Judgement::unknown(SubIndication::Custom);
    notes.add(judgement, codes::PACKAGE_TOO_MUCH_EVIDENCE, [limit]);
}

fn promises_evidence(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".tst", ".ers", ".p7s"]
        .iter()
        .any(|extension| lower.ends_with(extension))
}

/// Bytes of a large member that tell what it is.
const HEAD_BYTES: usize = 64 * 1024;
