//! From the document to the package: versions, objects, and the evidence records among the credentials.

use std::collections::{BTreeSet, HashMap};

use formats::digest::DigestAlgorithm;
use formats::error::{ErrorKind, Result};
use formats::limits::XAIP_RECORDS_MAX;
use formats::xml::{Canonicalization, Document, Element, NodeId};
use formats::xmlers::ERS_NAMESPACE;

use super::parts::{Identifiers, check_sum, decode, error, parts, signature, text};

/// The namespaces of TR-ESOR 1.3, 1.2 and 1.1.
pub(crate) const NAMESPACES: [&str; 3] = [
    "http://www.bsi.bund.de/tr-esor/xaip",
    "http://www.bsi.bund.de/tr-esor/xaip/1.2",
    "http://www.bsi.bund.de/tr-esor/xaip/1.1",
];

const XML_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";

const PACKAGE: &str = "XAIP";
const BINARY: [&str; 2] = ["binaryData", "binaryMetaData"];

/// A package.
pub(crate) struct ArchivePackage<'d> {
    /// The identifier of the archive object.
    pub(crate) aoid: Option<String>,
    /// How the canonical form of XML objects is written; `None` if it is not said or not known here.
    pub(crate) method: Option<Canonicalization>,
    pub(crate) versions: Vec<Version>,
    /// In the order of the document, the versions first.
    pub(crate) objects: Vec<Object>,
    pub(crate) records: Vec<Record>,
    /// Names of parts that are not known here.
    pub(crate) others: Vec<String>,
    document: &'d Document,
    places: HashMap<String, usize>,
}

/// What a version says of its objects.
pub(crate) struct Version {
    pub(crate) id: String,
    /// The objects that its evidence records cover, each once.
    pub(crate) protected: Vec<String>,
}

/// Something that an evidence record can cover.
pub(crate) struct Object {
    pub(crate) id: String,
    pub(crate) kind: ObjectRole,
    pub(crate) content: Content,
    /// Check sums of the bytes that stand beside them.
    pub(crate) check_sums: Vec<(DigestAlgorithm, String)>,
}

/// What an object is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ObjectRole {
    Version,
    Metadata,
    Data,
    Signature,
    Record,
    OtherCredential,
    /// A certificate or revocation information inside of a credential, with an identifier of its own.
    Value,
}

impl ObjectRole {
    /// The word of the schema.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Version => "versionManifest",
            Self::Metadata => "metaDataObject",
            Self::Data => "dataObject",
            Self::Signature | Self::Record | Self::OtherCredential => "credential",
            Self::Value => "encapsulated value",
        }
    }
}

/// What of an object is covered.
pub(crate) enum Content {
    /// The bytes that base64 stands for.
    Binary(Vec<u8>),
    /// The canonical form of one of these elements, the usual one first.
    Xml(Vec<NodeId>),
    /// It is kept elsewhere, or there is more than one value.
    NotAtHand,
}

/// An evidence record in a credential.
pub(crate) struct Record {
    pub(crate) credential: String,
    pub(crate) aoid: Option<String>,
    pub(crate) version: Option<String>,
    /// What the credential refers to.
    pub(crate) related: Vec<String>,
    /// The record; `None` if its form is not known here.
    pub(crate) bytes: Option<Vec<u8>>,
}

impl<'d> ArchivePackage<'d> {
    /// The object of this identifier.
    pub(crate) fn find(&self, id: &str) -> Option<(usize, &Object)> {
        let place = *self.places.get(id)?;
        Some((place, self.objects.get(place)?))
    }

    /// Reads a package.
    pub(crate) fn read(document: &'d Document) -> Result<Self> {
        let mut package = Self {
            aoid: None,
            method: None,
            versions: Vec::new(),
            objects: Vec::new(),
            records: Vec::new(),
            others: Vec::new(),
            document,
            places: HashMap::new(),
        };
        let root = document
            .root()
            .ok_or(error(ErrorKind::MissingElement, PACKAGE))?;
        let namespace = root.namespace();
        let mut identifiers = Identifiers::default();
        let mut seen = BTreeSet::new();
        for section in parts(&root, PACKAGE)? {
            let name = section.name();
            if section.namespace() == namespace && !seen.insert(name) {
                return Err(error(ErrorKind::DuplicateElement, PACKAGE));
            }
            match name {
                _ if section.namespace() != namespace => package.other(&section),
                "packageHeader" => package.header(&section, &mut identifiers)?,
                "metaDataSection" | "dataObjectsSection" | "credentialsSection" => {
                    package.section(&section, &mut identifiers)?;
                }
                _ => package.other(&section),
            }
        }
        if package.versions.is_empty() {
            return Err(error(ErrorKind::MissingElement, "packageHeader"));
        }
        for (place, object) in package.objects.iter().enumerate() {
            package.places.insert(object.id.clone(), place);
        }
        Ok(package)
    }

    fn other(&mut self, element: &Element<'_>) {
        self.others.push(element.name().to_owned());
    }

    fn header(&mut self, header: &Element<'_>, identifiers: &mut Identifiers) -> Result<()> {
        const NAME: &str = "packageHeader";
        let namespace = header.namespace();
        identifiers.add(header.attribute("packageID"))?;
        let mut methods = 0_usize;
        for part in parts(header, NAME)? {
            let is_own = part.namespace() == namespace;
            match part.name() {
                "AOID" if is_own => {
                    let known = self.aoid.replace(text(&part, "AOID")?.trim().to_owned());
                    Identifiers::only(known.as_deref(), "AOID")?;
                }
                "versionManifest" if is_own => self.version(&part, identifiers)?,
                "CanonicalizationMethod" | "canonicalizationMethod"
                    if is_own || part.namespace() == XML_SIGNATURE =>
                {
                    methods = methods.saturating_add(1);
                    // A parameter changes the form in a way that is not known here.
                    self.method = part
                        .attribute("Algorithm")
                        .filter(|_| part.elements().next().is_none())
                        .and_then(|uri| Canonicalization::from_uri(uri.trim()));
                }
                // Words about the package, which only a version manifest could protect.
                _ => {}
            }
        }
        if methods > 1 {
            return Err(error(ErrorKind::DuplicateElement, "CanonicalizationMethod"));
        }
        Ok(())
    }

    fn version(&mut self, manifest: &Element<'_>, identifiers: &mut Identifiers) -> Result<()> {
        const NAME: &str = "versionManifest";
        let id = identifiers.required(manifest.attribute("VersionID"), NAME)?;
        let mut protected = Vec::new();
        let mut known = BTreeSet::new();
        let mut open: Vec<Element<'_>> = vec![*manifest];
        while let Some(unit) = open.pop() {
            for part in unit.elements() {
                if part.namespace() != manifest.namespace() {
                    continue;
                }
                match part.name() {
                    "packageInfoUnit" => {
                        identifiers.add(part.attribute("packageUnitID"))?;
                        open.push(part);
                    }
                    "protectedObjectPointer" => {
                        let pointer = text(&part, "protectedObjectPointer")?.trim().to_owned();
                        if known.insert(pointer.clone()) {
                            protected.push(pointer);
                        }
                    }
                    _ => {}
                }
            }
        }
        let content = Content::Xml(vec![manifest.id()]);
        self.add(id.clone(), ObjectRole::Version, content, Vec::new());
        self.versions.push(Version { id, protected });
        Ok(())
    }

    fn add(
        &mut self,
        id: String,
        kind: ObjectRole,
        content: Content,
        check_sums: Vec<(DigestAlgorithm, String)>,
    ) {
        self.objects.push(Object {
            id,
            kind,
            content,
            check_sums,
        });
    }

    fn section(&mut self, section: &Element<'_>, identifiers: &mut Identifiers) -> Result<()> {
        const NAME: &str = "section";
        for part in parts(section, NAME)? {
            match (section.name(), part.name()) {
                _ if part.namespace() != section.namespace() => self.other(&part),
                ("metaDataSection", "metaDataObject") => {
                    let id = identifiers.required(part.attribute("metaDataID"), NAME)?;
                    self.object(id, ObjectRole::Metadata, &part)?;
                }
                ("dataObjectsSection", "dataObject") => {
                    let id = identifiers.required(part.attribute("dataObjectID"), NAME)?;
                    self.object(id, ObjectRole::Data, &part)?;
                }
                ("credentialsSection", "credential") => self.credential(&part, identifiers)?,
                _ => self.other(&part),
            }
        }
        Ok(())
    }

    /// A data or metadata object: its bytes, or its XML in a canonical form.
    fn object(&mut self, id: String, kind: ObjectRole, element: &Element<'_>) -> Result<()> {
        let own = element
            .elements()
            .filter(|part| part.namespace() == element.namespace());
        let mut contents = Vec::new();
        let mut check_sums = Vec::new();
        for part in own {
            match part.name() {
                name if BINARY.contains(&name) => {
                    contents.push(Content::Binary(decode(&text(&part, "binaryData")?)?));
                }
                "xmlData" => contents.push(Content::Xml(vec![element.id(), part.id()])),
                "xmlMetaData" => contents.push(Content::Xml(vec![element.id()])),
                "checkSum" => check_sums.extend(check_sum(&part)?),
                _ => {}
            }
        }
        if contents.len() > 1 {
            return Err(error(ErrorKind::DuplicateElement, kind.name()));
        }
        let content = contents.pop().unwrap_or(Content::NotAtHand);
        self.add(id, kind, content, check_sums);
        Ok(())
    }

    /// A credential: a signature, an evidence record, certificates, revocation information, or a report on one of these.
    fn credential(&mut self, element: &Element<'_>, identifiers: &mut Identifiers) -> Result<()> {
        const NAME: &str = "credential";
        let id = identifiers.required(element.attribute("credentialID"), NAME)?;
        let held = parts(element, NAME)?;
        let [held] = held.as_slice() else {
            // One of the schema's choices, and its values as they are told apart below.
            self.add(id, ObjectRole::Signature, Content::NotAtHand, Vec::new());
            return Ok(());
        };
        let whole = Content::Xml(vec![element.id()]);
        let (kind, content) = match held.name() {
            "evidenceRecord" if held.namespace() == element.namespace() => {
                let (record, content) = self.record(&id, element, held)?;
                if self.records.len() >= XAIP_RECORDS_MAX {
                    return Err(error(ErrorKind::LimitExceeded, "evidenceRecord"));
                }
                self.records.push(record);
                (ObjectRole::Record, content.unwrap_or(whole))
            }
            "certificateValues" | "revocationValues" => {
                let mut values = self.values(held, identifiers)?;
                let content = match (values.len(), values.pop()) {
                    (1, Some(value)) => Content::Binary(value),
                    _ => Content::NotAtHand,
                };
                (ObjectRole::OtherCredential, content)
            }
            "VerificationReport" => (ObjectRole::OtherCredential, whole),
            // Whatever else it is may be a signature.
            _ => (ObjectRole::Signature, signature(held)?.unwrap_or(whole)),
        };
        self.add(id, kind, content, Vec::new());
        Ok(())
    }

    /// Certificates, CRLs and OCSP responses; those with an identifier can be protected one by one.
    fn values(
        &mut self,
        held: &Element<'_>,
        identifiers: &mut Identifiers,
    ) -> Result<Vec<Vec<u8>>> {
        let mut values = Vec::new();
        let mut open = vec![*held];
        while let Some(list) = open.pop() {
            for part in list.elements().filter(|part| part.namespace() == XADES) {
                match part.name() {
                    "EncapsulatedX509Certificate"
                    | "EncapsulatedCRLValue"
                    | "EncapsulatedOCSPValue" => {
                        let bytes = decode(&text(&part, "EncapsulatedPKIData")?)?;
                        if let Some(id) = part.attribute("Id") {
                            let id = identifiers.required(Some(id), "EncapsulatedPKIData")?;
                            let content = Content::Binary(bytes.clone());
                            self.add(id, ObjectRole::Value, content, Vec::new());
                        }
                        values.push(bytes);
                    }
                    "CRLValues" | "OCSPValues" => open.push(part),
                    // Something that is no single value: the credential has no digest of its own.
                    _ => values.extend([Vec::new(), Vec::new()]),
                }
            }
        }
        Ok(values)
    }

    fn record(
        &self,
        id: &str,
        credential: &Element<'_>,
        held: &Element<'_>,
    ) -> Result<(Record, Option<Content>)> {
        const NAME: &str = "evidenceRecord";
        let forms = parts(held, NAME)?;
        let [form] = forms.as_slice() else {
            return Err(error(ErrorKind::InvalidValue, NAME));
        };
        let is_binary = form.name() == "asn1EvidenceRecord";
        // Other programs may take another one of several.
        let inner = match form.elements().collect::<Vec<_>>().as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        let bytes = match (is_binary, inner) {
            (true, _) => Some(decode(&text(form, NAME)?)?),
            (false, Some(inner))
                if inner.namespace() == ERS_NAMESPACE && inner.name() == "EvidenceRecord" =>
            {
                self.written(inner.id())
            }
            (false, _) => None,
        };
        let content = bytes.clone().filter(|_| is_binary).map(Content::Binary);
        let trimmed = |name| held.attribute(name).map(|value| value.trim().to_owned());
        let related = credential.attribute("relatedObjects").unwrap_or_default();
        let record = Record {
            credential: id.to_owned(),
            aoid: trimmed("AOID"),
            version: trimmed("VersionID"),
            related: related
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
            bytes,
        };
        Ok((record, content))
    }

    /// A record in XML as a document of its own: with all namespaces in scope, so that its parts keep their canonical forms.
    fn written(&self, element: NodeId) -> Option<Vec<u8>> {
        let uri = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
        self.canonical(element, &Canonicalization::from_uri(uri)?)
    }

    /// The canonical form of an element where it stands.
    pub(crate) fn canonical(&self, element: NodeId, method: &Canonicalization) -> Option<Vec<u8>> {
        let mut written = Vec::new();
        let mut append = |part: &[u8]| written.extend_from_slice(part);
        self.document
            .canonicalize_element(element, &[], method, &mut append)
            .ok()?;
        Some(written)
    }
}
