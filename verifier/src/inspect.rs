//! Shows what is in a file, without judging any of it.

mod xmlers;

use std::fmt::Write as _;

use formats::asic::{AsicManifest, AsicReader, MIMETYPE_ASIC_E};
use formats::cms::{CertificateChoice, RevocationInfo, SignedData, SignerIdentifier, SignerInfo};
use formats::error::ErrorKind;
use formats::evidence::{ArchiveTimeStamp, EvidenceRecord};
use formats::limits::EVIDENCE_BYTES_MAX;
use formats::lines::LineProof;
use formats::manifest::{Digests, Manifest};
use formats::tsp::{TimeStampRequest, TimeStampResponse, TimeStampToken};
use formats::x509::{AlgorithmIdentifier, Certificate};
use formats::xmlers::XmlEvidenceRecord;
use serde_json::{Map, Value, json};

use crate::armour::unwrapped;
use crate::finding::printable;
use crate::recognise::{Kind, is_container, recognise, xml_root};
use crate::report::json::rfc3339;
use crate::source::{Bytes, InputFile};
use crate::timestamp::algorithm_name;

/// Hashes of one list that are shown one by one.
const HASHES_SHOWN_MAX: usize = 8;

/// One line of the structure, with what stands below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// What it is.
    pub name: String,
    /// Its value, if it is a leaf or has one beside its members.
    pub value: Option<String>,
    /// Its members.
    pub children: Vec<Node>,
}

impl Node {
    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
            children: Vec::new(),
        }
    }

    fn leaf(name: impl Into<String>, value: impl ToString) -> Self {
        Self {
            name: name.into(),
            value: Some(value.to_string()),
            children: Vec::new(),
        }
    }

    fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    fn with_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// As indented text that ends with a line feed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }

    fn write(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        let name = printable(&self.name);
        // Writing into a `String` cannot fail.
        let _infallible = match &self.value {
            Some(value) => writeln!(out, "{indent}{name}: {}", printable(value)),
            None => writeln!(out, "{indent}{name}"),
        };
        for child in &self.children {
            child.write(out, depth.saturating_add(1));
        }
    }

    /// As JSON: `{"name", "value", "children"}`, the last two only where they are.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(self.name));
        if let Some(value) = &self.value {
            object.insert("value".to_owned(), json!(value));
        }
        if !self.children.is_empty() {
            let children = self.children.iter().map(Self::to_json).collect();
            object.insert("children".to_owned(), Value::Array(children));
        }
        Value::Object(object)
    }
}

/// The structure of `bytes`, which are called `name`.
#[must_use]
pub fn inspect(name: &str, bytes: &[u8]) -> Node {
    inspect_file(&InputFile::new(name, bytes))
}

/// The structure of a file, of which a container may be larger than memory.
#[must_use]
pub fn inspect_file(file: &InputFile<'_>) -> Node {
    let named = |kind: Kind| {
        Node::leaf(file.name.clone(), kind.name()).with(Node::leaf("size", file.size()))
    };
    let unreadable = |error| Node::leaf("not readable", error);
    match is_container(file.bytes()) {
        Ok(true) => match package(file.bytes()) {
            Ok(children) => named(Kind::Package).with_all(children),
            Err(error) => named(Kind::Package).with(unreadable(error)),
        },
        Ok(false) => match file.whole() {
            Ok(bytes) => inspect_whole(named, &bytes),
            Err(error) => named(Kind::Unknown).with(unreadable(error)),
        },
        Err(error) => named(Kind::Unknown).with(unreadable(error)),
    }
}

fn inspect_whole(named: impl Fn(Kind) -> Node, bytes: &[u8]) -> Node {
    let inner = unwrapped(bytes);
    let bytes = inner.as_deref().unwrap_or(bytes);
    let kind = recognise(bytes);
    let node = named(kind);
    let inner = match kind {
        Kind::Package => package(Bytes::Memory(bytes)),
        Kind::EvidenceRecord => EvidenceRecord::parse(bytes).map(|record| evidence(&record)),
        Kind::XmlEvidenceRecord => {
            XmlEvidenceRecord::parse(bytes).map(|record| xmlers::nodes(&record))
        }
        Kind::TimestampToken => TimeStampToken::parse(bytes).map(|parsed| token(&parsed)),
        Kind::TimestampResponse => TimeStampResponse::parse(bytes).map(|parsed| response(&parsed)),
        Kind::TimestampRequest => TimeStampRequest::parse(bytes).map(|parsed| request(&parsed)),
        Kind::CmsSignature => SignedData::parse(bytes).map(|parsed| signed_data(&parsed)),
        Kind::Certificate => Certificate::parse(bytes).map(|parsed| vec![certificate(&parsed)]),
        Kind::TimestampedData
        | Kind::RevocationList
        | Kind::XmlSignature
        | Kind::XmlArchivePackage
        | Kind::Pdf
        | Kind::Pem
        | Kind::Unknown => Ok(Vec::new()),
    };
    match inner {
        Ok(children) => node.with_all(children),
        Err(error) => node.with(Node::leaf("not readable", error)),
    }
}

fn package(file: Bytes<'_>) -> formats::error::Result<Vec<Node>> {
    let reader = AsicReader::open_bytes(file)?;
    let mut nodes = vec![Node::leaf(
        "mimetype",
        reader.mimetype().unwrap_or("(none)"),
    )];
    if reader.mimetype() == Some(MIMETYPE_ASIC_E) {
        let form = if reader.is_canonical() { "yes" } else { "no" };
        nodes.push(Node::leaf("written by this archive, bit for bit", form));
    }
    for entry in reader.entries() {
        let mut node = Node::leaf(entry.name(), format!("{} bytes", entry.size()));
        match entry.read_up_to(EVIDENCE_BYTES_MAX) {
            Ok(content) => node = node.with_all(member(&content)),
            Err(error) if error.kind() == ErrorKind::LimitExceeded => {}
            Err(error) => node = node.with(Node::leaf("not readable", error)),
        }
        nodes.push(node);
    }
    Ok(nodes)
}

/// What a member of a package holds, as far as it is evidence or about evidence.
fn member(content: &[u8]) -> Vec<Node> {
    let kind = recognise(content);
    let parsed = if kind == Kind::EvidenceRecord {
        EvidenceRecord::parse(content).map(|record| evidence(&record))
    } else if kind == Kind::XmlEvidenceRecord {
        XmlEvidenceRecord::parse(content).map(|record| xmlers::nodes(&record))
    } else if kind == Kind::TimestampToken {
        TimeStampToken::parse(content).map(|parsed| token(&parsed))
    } else if kind == Kind::CmsSignature {
        SignedData::parse(content).map(|parsed| signed_data(&parsed))
    } else if xml_root(content) == Some("ASiCManifest") {
        AsicManifest::parse(content).map(|manifest| asic_manifest(&manifest))
    } else {
        return Manifest::parse(content)
            .map(|manifest| record_manifest(&manifest))
            .or_else(|_| LineProof::parse(content).map(|proof| line_proof(&proof)))
            .unwrap_or_default();
    };
    parsed.unwrap_or_else(|error| vec![Node::leaf("not readable", error)])
}

fn record_manifest(manifest: &Manifest) -> Vec<Node> {
    let objects = manifest.objects.iter().map(|object| {
        let node = Node::leaf(object.name.to_string(), &object.media_type)
            .with(Node::leaf("size", object.size))
            .with_all(digests_of(&object.digests));
        match &object.lines {
            None => node,
            Some(tree) => node.with(
                Node::leaf("line tree", format!("{} lines", tree.lines))
                    .with_all(digests_of(&tree.roots)),
            ),
        }
    });
    vec![
        Node::leaf("archive", manifest.archive),
        Node::leaf("record", manifest.record),
        Node::leaf("version", manifest.version),
        Node::leaf("class", &manifest.class.id),
        Node::leaf("depositor", &manifest.depositor),
        Node::leaf("received-at", time(manifest.received_at)),
        Node::new("objects").with_all(objects),
    ]
}

fn digests_of(digests: &Digests) -> impl Iterator<Item = Node> {
    let values = digests.values().iter();
    values.map(|value| Node::leaf(value.algorithm().name(), value.to_hex()))
}

fn line_proof(proof: &LineProof) -> Vec<Node> {
    let proofs = proof.proofs.iter().map(|proof| {
        let hashes = format!("{} hashes", proof.hashes.len());
        Node::leaf(proof.algorithm.name(), hashes)
    });
    vec![
        Node::leaf("record", proof.version),
        Node::leaf("object", proof.object),
        Node::leaf("first line", proof.first),
        Node::leaf("last line", proof.last().unwrap_or_default()),
        Node::new("range proof").with_all(proofs),
    ]
}

fn asic_manifest(manifest: &AsicManifest) -> Vec<Node> {
    let references = manifest.references.iter().map(|reference| {
        Node::leaf(&reference.uri, hex::encode(&reference.digest))
            .with(Node::leaf("digest method", &reference.digest_method))
    });
    vec![
        Node::leaf("evidence", &manifest.signature.uri),
        Node::new("references").with_all(references),
    ]
}

fn evidence(record: &EvidenceRecord) -> Vec<Node> {
    let algorithms: Vec<String> = record
        .digest_algorithms
        .iter()
        .map(algorithm_name)
        .collect();
    let mut nodes = vec![
        Node::leaf("version", record.version),
        Node::leaf("digest algorithms", algorithms.join(", ")),
    ];
    if !record.crypto_infos.is_empty() {
        nodes.push(Node::leaf("crypto infos", record.crypto_infos.len()));
    }
    if let Some(info) = &record.encryption_info {
        nodes.push(Node::leaf("encryption info", &info.oid));
    }
    for (number, chain) in record.sequence.iter().enumerate() {
        let stamps = chain.time_stamps.iter().enumerate();
        let stamps = stamps.map(|(position, stamp)| {
            Node::new(format!("time-stamp[{position}]")).with_all(archive_time_stamp(stamp))
        });
        nodes.push(Node::new(format!("chain[{number}]")).with_all(stamps));
    }
    nodes
}

fn archive_time_stamp(stamp: &ArchiveTimeStamp) -> Vec<Node> {
    let mut nodes = Vec::new();
    if let Some(algorithm) = &stamp.digest_algorithm {
        nodes.push(Node::leaf("digest algorithm", algorithm_name(algorithm)));
    }
    if !stamp.attributes.is_empty() {
        nodes.push(Node::leaf("attributes", stamp.attributes.len()));
    }
    match &stamp.reduced_hash_tree {
        None => nodes.push(Node::leaf("reduced hash tree", "none")),
        Some(lists) => {
            let lists = lists.iter().enumerate().map(|(number, list)| {
                let shown = list.0.iter().take(HASHES_SHOWN_MAX);
                Node::leaf(
                    format!("list[{number}]"),
                    format!("{} hashes", list.0.len()),
                )
                .with_all(shown.map(|hash| Node::new(hex::encode(hash))))
            });
            nodes.push(Node::new("reduced hash tree").with_all(lists));
        }
    }
    nodes.push(match stamp.token() {
        Ok(parsed) => Node::new("token").with_all(token(&parsed)),
        Err(error) => Node::leaf("token not readable", error),
    });
    nodes
}

fn token(token: &TimeStampToken) -> Vec<Node> {
    let info = &token.info;
    let mut nodes = vec![
        Node::leaf("time", time(info.gen_time)),
        Node::leaf("serial", &info.serial),
        Node::leaf("policy", &info.policy),
        Node::leaf("imprint", hex::encode(&info.imprint.bytes)).with(Node::leaf(
            "algorithm",
            algorithm_name(&info.imprint.algorithm),
        )),
    ];
    if let Some(accuracy) = info.accuracy {
        let seconds = accuracy.duration().as_seconds_f64();
        nodes.push(Node::leaf("accuracy", format!("{seconds} s")));
    }
    if let Some(nonce) = &info.nonce {
        nodes.push(Node::leaf("nonce", nonce));
    }
    for extension in &info.extensions {
        nodes.push(Node::leaf("extension", &extension.oid));
    }
    nodes.extend(signed_data(&token.signed_data));
    nodes
}

fn signed_data(signed_data: &SignedData) -> Vec<Node> {
    let mut nodes = vec![
        Node::leaf("CMS version", signed_data.version),
        Node::leaf("content type", &signed_data.content_type),
    ];
    nodes.extend(signed_data.signers.iter().map(signer));
    for choice in &signed_data.certificates {
        nodes.push(match choice {
            CertificateChoice::Certificate(bytes) => match Certificate::parse(bytes) {
                Ok(parsed) => certificate(&parsed),
                Err(error) => Node::leaf("certificate not readable", error),
            },
            CertificateChoice::Other(bytes) => {
                Node::leaf("other certificate", format!("{} bytes", bytes.len()))
            }
        });
    }
    for info in &signed_data.revocations {
        nodes.push(match info {
            RevocationInfo::Crl(bytes) => Node::leaf("CRL", format!("{} bytes", bytes.len())),
            RevocationInfo::Ocsp { bytes, .. } => {
                Node::leaf("OCSP response", format!("{} bytes", bytes.len()))
            }
            RevocationInfo::Other { oid, .. } => Node::leaf("other revocation information", oid),
        });
    }
    nodes
}

fn signer(signer: &SignerInfo) -> Node {
    let identifier = match &signer.identifier {
        SignerIdentifier::IssuerAndSerial { serial, .. } => {
            Node::leaf("certificate serial", serial)
        }
        SignerIdentifier::KeyIdentifier(identifier) => {
            Node::leaf("key identifier", hex::encode(identifier))
        }
    };
    let signed = signer.signed_attributes.iter();
    let signed = signed.flat_map(|attributes| attributes.attributes().iter());
    Node::new("signer")
        .with(identifier)
        .with(Node::leaf("digest", named(&signer.digest_algorithm)))
        .with(Node::leaf("signature", named(&signer.signature_algorithm)))
        .with_all(signed.map(|attribute| Node::leaf("signed attribute", name_of(&attribute.oid))))
        .with_all(
            signer
                .unsigned_attributes
                .iter()
                .map(|attribute| Node::leaf("unsigned attribute", name_of(&attribute.oid))),
        )
}

fn certificate(certificate: &Certificate) -> Node {
    let mut node = Node::leaf("certificate", certificate.subject_text())
        .with(Node::leaf("issuer", certificate.issuer_text()))
        .with(Node::leaf("serial", certificate.serial()))
        .with(Node::leaf(
            "signature",
            named(certificate.signature_algorithm()),
        ));
    if let Ok(parsed) = certificate.x509() {
        let validity = parsed.validity();
        node = node
            .with(Node::leaf("from", time(validity.not_before.to_datetime())))
            .with(Node::leaf("to", time(validity.not_after.to_datetime())));
    }
    node
}

fn response(response: &TimeStampResponse) -> Vec<Node> {
    let mut nodes = vec![Node::leaf("status", response.status.name())];
    nodes.extend(response.texts.iter().map(|text| Node::leaf("text", text)));
    let failures = response.failures.iter();
    nodes.extend(failures.map(|failure| Node::leaf("failure", failure.name())));
    match response.token.as_deref().map(TimeStampToken::parse) {
        None => {}
        Some(Ok(parsed)) => nodes.push(Node::new("token").with_all(token(&parsed))),
        Some(Err(error)) => nodes.push(Node::leaf("token not readable", error)),
    }
    nodes
}

fn request(request: &TimeStampRequest) -> Vec<Node> {
    let mut nodes = vec![
        Node::leaf("imprint", hex::encode(&request.imprint.bytes)).with(Node::leaf(
            "algorithm",
            algorithm_name(&request.imprint.algorithm),
        )),
        Node::leaf("certificate wanted", request.certificate_wanted),
    ];
    if let Some(policy) = &request.policy {
        nodes.push(Node::leaf("policy", policy));
    }
    if let Some(nonce) = &request.nonce {
        nodes.push(Node::leaf("nonce", nonce));
    }
    nodes
}

fn named(algorithm: &AlgorithmIdentifier) -> String {
    name_of(&algorithm.oid)
}

fn name_of(oid: &formats::oid::Oid) -> String {
    oid.name().map_or_else(|| oid.to_string(), str::to_owned)
}

fn time(time: time::OffsetDateTime) -> String {
    rfc3339(time).unwrap_or_default()
}
