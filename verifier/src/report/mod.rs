//! What a verification found: one value, written for programs as JSON and as the XML of TS 119 102-2, and for people as text, HTML or PDF,
//! Japanese or English.

mod calendar;
pub mod document;
pub mod etsi;
pub(crate) mod facts;
pub mod html;
pub mod json;
pub mod pdf;
pub mod text;
pub(crate) mod used;
mod wording;

use time::OffsetDateTime;

use crate::context::Context;
use crate::finding::{Finding, Place};
use crate::judgement::Judgement;
use crate::policy::RevocationRule;
use crate::recognise::Kind;
pub use facts::SignatureFacts;
pub use used::{
    AlgorithmName, PathUse, USED_REVOCATION_BYTES_MAX, UsedAlgorithm, UsedObject, UsedRevocation,
    UsedRole, ValidationProcess,
};

/// Name and version of the JSON form; `verifier/report.schema.json` describes it.
pub const SCHEMA: &str = "urn:fumikura:verification-report:1";

/// The result of judging a set of files.
#[derive(Clone, Debug)]
pub struct Report {
    /// The time as of which everything was judged.
    pub verified_at: OffsetDateTime,
    /// The judgement of everything together: the worst of the parts.
    pub judgement: Judgement,
    /// The earliest time at which all that was checked is proven to have existed; only from evidence that passed.
    pub best_signature_time: Option<OffsetDateTime>,
    /// The files that were given.
    pub files: Vec<FileEntry>,
    /// Every object that was judged, containers before their members.
    pub objects: Vec<ObjectReport>,
    /// Everything worth saying, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// The rules that were applied.
    pub rules: AppliedRules,
}

/// The rules that were applied to everything in a report.
#[derive(Clone, Debug)]
pub struct AppliedRules {
    /// The name of the policy.
    pub policy: String,
    /// When revocation information was demanded.
    pub revocation: RevocationRule,
    /// How many trust anchors were given.
    pub anchors: usize,
}

impl AppliedRules {
    /// Those of a context.
    #[must_use]
    pub fn of(context: &Context<'_>) -> Self {
        Self {
            policy: context.policy.name().to_owned(),
            revocation: context.policy.revocation(),
            anchors: context.anchors.len(),
        }
    }
}

/// One input file.
#[derive(Clone, Debug)]
pub struct FileEntry {
    /// The name that the caller gave.
    pub name: String,
    /// Bytes.
    pub size: Option<u64>,
    /// What it was given as.
    pub role: FileRole,
    /// What its content says that it is; only evidence files are looked at.
    pub kind: Option<Kind>,
}

/// What a file was given as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileRole {
    /// A file to be judged.
    Evidence,
    /// A data object that the evidence covers.
    Data,
}

impl FileRole {
    /// The word in the JSON report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Data => "data",
        }
    }
}

/// What kind of object was judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ObjectKind {
    /// A container (ASiC) as a whole.
    Package,
    /// The record manifest in a package of this archive.
    Manifest,
    /// A data object that is covered by evidence.
    Document,
    /// Lines of a log, shown without the others.
    Lines,
    /// An evidence record (RFC 4998).
    EvidenceRecord,
    /// A signature of one signer (RFC 5652, EN 319 122-1).
    Signature,
    /// One time-stamp token (RFC 3161), alone or inside an evidence record or a signature.
    Timestamp,
    /// A time-stamp request (RFC 3161 §2.4.1).
    Request,
    /// A time-stamp response that holds no token.
    Response,
    /// Evidence that this version names but does not judge.
    NotJudged,
}

impl ObjectKind {
    /// The word in the JSON report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Manifest => "manifest",
            Self::Document => "document",
            Self::Lines => "lines",
            Self::EvidenceRecord => "evidence-record",
            Self::Signature => "signature",
            Self::Timestamp => "timestamp",
            Self::Request => "timestamp-request",
            Self::Response => "timestamp-response",
            Self::NotJudged => "not-judged",
        }
    }
}

/// One object that was judged.
#[derive(Clone, Debug)]
pub struct ObjectReport {
    /// What it is.
    pub kind: ObjectKind,
    /// Where it is: file name, then the way inside it. The findings about it stand at or below the same place.
    pub place: Place,
    /// Its judgement.
    pub judgement: Judgement,
    /// For a time-stamp, the time that it states; for a document, the earliest proven existence.
    pub time: Option<OffsetDateTime>,
    /// As of when it was judged: now, or the time of the proof that covers it (EN 319 102-1 §5.6.2).
    pub judged_at: Option<OffsetDateTime>,
    /// Names of the data objects that it covers.
    pub covers: Vec<String>,
    /// Facts for the reader, by name: `signer`, `serial`, `policy`, `imprint`, `media-type` and others.
    pub details: Vec<(&'static str, String)>,
    /// By which process of EN 319 102-1 it was judged; `None` for what is no signature and no time-stamp.
    pub process: Option<ValidationProcess>,
    /// The objects that the judgement used, the object itself first.
    pub used: Vec<UsedObject>,
    /// The algorithms of the object itself, as the policy judged them.
    pub algorithms: Vec<UsedAlgorithm>,
    /// Revocations on its path, if any were found.
    pub revoked: Vec<UsedRevocation>,
    /// For a signature, what its attributes say.
    pub signature: Option<Box<SignatureFacts>>,
}

impl ObjectReport {
    /// A report on `kind` at `place`; everything else is filled in by its judge.
    #[must_use]
    pub fn new(kind: ObjectKind, place: Place, judgement: Judgement) -> Self {
        Self {
            kind,
            place,
            judgement,
            time: None,
            judged_at: None,
            covers: Vec::new(),
            details: Vec::new(),
            process: None,
            used: Vec::new(),
            algorithms: Vec::new(),
            revoked: Vec::new(),
            signature: None,
        }
    }

    /// Adds an object that was used, once in each role.
    pub fn add_used(&mut self, object: UsedObject) {
        if !self.used.contains(&object) {
            self.used.push(object);
        }
    }

    /// Adds what a path and the algorithms beside it rest on.
    pub fn add_path(&mut self, path: PathUse) {
        for object in path.objects {
            self.add_used(object);
        }
        self.algorithms.extend(path.algorithms);
        self.revoked.extend(path.revoked);
    }

    /// The first object that was used in this role.
    #[must_use]
    pub fn used_as(&self, role: UsedRole) -> Option<&UsedObject> {
        self.used.iter().find(|used| used.role == role)
    }

    /// The value of a fact.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        let found = self.details.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Adds one fact, or replaces it.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.details.retain(|(known, _)| *known != name);
        self.details.push((name, value.into()));
    }

    /// Adds one fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}
