//! The validation objects, each once, with identifiers that are digests of their content.

use std::collections::HashMap;

use formats::digest::{DigestAlgorithm, DigestValue};
use time::OffsetDateTime;

use super::names;
use crate::report::{ObjectKind, ObjectReport, Report, UsedObject, UsedRole};
use crate::verdict::Integrity;

/// One validation object.
pub(super) struct Entry<'r> {
    pub(super) id: String,
    pub(super) object_type: &'static str,
    pub(super) representation: Representation<'r>,
    /// The object of the report that it is, if it was judged for itself.
    pub(super) judged: Option<usize>,
    pub(super) proven: Proven,
}

/// How a validation object is shown.
pub(super) enum Representation<'r> {
    Bytes(&'r [u8]),
    Digests(Vec<DigestValue>),
    /// By the place where it is.
    Place(&'r str),
}

/// Since when an object is proven to exist, and by which object.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    pub(super) time: OffsetDateTime,
    pub(super) by: Option<String>,
}

/// All of them, in the order in which they are written.
pub(super) struct Table<'r> {
    pub(super) entries: Vec<Entry<'r>>,
    /// By object of the report, its identifier.
    ids: Vec<Option<String>>,
    by_content: HashMap<(&'static str, String), usize>,
    /// By letter and digest, how often it was given away.
    taken: HashMap<String, usize>,
    /// By object of the report, its entry.
    places: Vec<Option<usize>>,
    now: OffsetDateTime,
}

impl<'r> Table<'r> {
    pub(super) fn new(report: &'r Report, stamps: &[Vec<usize>]) -> Self {
        let mut table = Self {
            entries: Vec::new(),
            ids: vec![None; report.objects.len()],
            by_content: HashMap::new(),
            taken: HashMap::new(),
            places: vec![None; report.objects.len()],
            now: report.verified_at,
        };
        for (number, object) in report.objects.iter().enumerate() {
            table.add_judged(number, object);
        }
        for list in stamps {
            table.prove_by_each_other(report, list);
        }
        for (number, object) in report.objects.iter().enumerate() {
            let stamps = stamps.get(number).map(Vec::as_slice).unwrap_or_default();
            let proven = table.proven_with(report, number, object, stamps);
            for used in &object.used {
                table.add_used(used, &proven);
            }
        }
        table
    }

    /// The identifier of an object of the report.
    pub(super) fn id(&self, number: usize) -> Option<&str> {
        self.ids.get(number)?.as_deref()
    }

    /// The identifier of an object that was used.
    pub(super) fn id_of(&self, used: &UsedObject) -> Option<&str> {
        let key = key_of(used)?;
        let entry = self.entries.get(*self.by_content.get(&key)?)?;
        Some(&entry.id)
    }

    /// The identifier of the time-stamp among `stamps` that states `time` and has passed.
    pub(super) fn prover(
        &self,
        report: &Report,
        stamps: &[usize],
        time: OffsetDateTime,
    ) -> Option<String> {
        let found = stamps.iter().find(|stamp| {
            let stamp = report.objects.get(**stamp);
            stamp.is_some_and(|stamp| stamp.time == Some(time) && stamp.judgement.is_passed())
        })?;
        self.id(*found).map(str::to_owned)
    }

    fn add_judged(&mut self, number: usize, object: &'r ObjectReport) {
        let (role, letter) = match object.kind {
            ObjectKind::Timestamp => (UsedRole::TimestampToken, "T"),
            ObjectKind::EvidenceRecord => (UsedRole::EvidenceRecord, "E"),
            ObjectKind::Signature => (UsedRole::Signature, "S"),
            ObjectKind::Document | ObjectKind::Lines | ObjectKind::Manifest => {
                (UsedRole::SignedData, "D")
            }
            ObjectKind::Package
            | ObjectKind::Request
            | ObjectKind::Response
            | ObjectKind::NotJudged => (UsedRole::Signature, "X"),
        };
        let own = object.used_as(role);
        let digest = own.map_or_else(
            || DigestAlgorithm::Sha256.digest(object.place.as_str().as_bytes()),
            UsedObject::digest,
        );
        let id = self.free_id(letter, &digest);
        if let Some(slot) = self.ids.get_mut(number) {
            *slot = Some(id.clone());
        }
        if object.kind == ObjectKind::Signature {
            return;
        }
        let known = digests_of(object);
        let representation = match own.and_then(UsedObject::bytes) {
            Some(bytes) => Representation::Bytes(bytes),
            None if !known.is_empty() => Representation::Digests(known),
            None => Representation::Place(object.place.as_str()),
        };
        if let Some(slot) = self.places.get_mut(number) {
            *slot = Some(self.entries.len());
        }
        let stated = matches!(letter, "D").then_some(object.time).flatten();
        self.entries.push(Entry {
            id,
            object_type: names::object_type(role).0,
            representation,
            judged: Some(number),
            proven: Proven {
                time: stated.unwrap_or(self.now).min(self.now),
                by: None,
            },
        });
    }

    /// Time-stamps of one signature or record: a later one, which has passed, proves the earlier ones.
    fn prove_by_each_other(&mut self, report: &Report, stamps: &[usize]) {
        for number in stamps {
            let judged_at = report
                .objects
                .get(*number)
                .and_then(|stamp| stamp.judged_at);
            let Some(time) = judged_at.filter(|time| *time < self.now) else {
                continue;
            };
            let by = self.prover(report, stamps, time);
            let place = self.places.get(*number).copied().flatten();
            if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
                entry.proven = Proven { time, by };
            }
        }
    }

    /// Since when the data that an object is about is proven to exist.
    fn proven_with(
        &self,
        report: &Report,
        number: usize,
        object: &ObjectReport,
        stamps: &[usize],
    ) -> Proven {
        let is_intact = object.judgement.integrity() == Integrity::Intact;
        let (time, by) = if object.kind == ObjectKind::Timestamp && object.judgement.is_passed() {
            (object.time, self.id(number).map(str::to_owned))
        } else if object.kind == ObjectKind::Signature && is_intact {
            let by = object
                .time
                .and_then(|time| self.prover(report, stamps, time));
            (object.time, by)
        } else {
            (None, None)
        };
        match time.filter(|time| *time < self.now) {
            Some(time) => Proven { time, by },
            None => Proven {
                time: self.now,
                by: None,
            },
        }
    }

    /// Adds what was used; the earliest proof of data counts. Of certificates and revocation information nothing earlier than now is said.
    fn add_used(&mut self, used: &'r UsedObject, proven: &Proven) {
        let Some(key) = key_of(used) else { return };
        let now = Proven {
            time: self.now,
            by: None,
        };
        let is_data = used.role == UsedRole::SignedData;
        let proven = if is_data { proven.clone() } else { now };
        if let Some(known) = self
            .by_content
            .get(&key)
            .and_then(|known| self.entries.get_mut(*known))
        {
            if proven.time < known.proven.time {
                known.proven = proven;
            }
            return;
        }
        let digest = used.digest();
        let id = self.free_id(key.0, &digest);
        let representation = match used.bytes() {
            Some(bytes) => Representation::Bytes(bytes),
            None => Representation::Digests(vec![digest]),
        };
        self.by_content.insert(key, self.entries.len());
        self.entries.push(Entry {
            id,
            object_type: names::object_type(used.role).0,
            representation,
            judged: None,
            proven,
        });
    }

    /// An identifier that nothing else has: the letter and the digest, and a number where the same bytes stand at several places.
    fn free_id(&mut self, letter: &str, digest: &DigestValue) -> String {
        let plain = format!("{letter}-{}", digest.to_hex());
        let count = self.taken.entry(plain.clone()).or_insert(0);
        *count = count.saturating_add(1);
        match *count {
            1 => plain,
            count => format!("{plain}-{count}"),
        }
    }
}

/// What makes two used objects the same. Signatures, tokens and records stand as judged objects.
fn key_of(used: &UsedObject) -> Option<(&'static str, String)> {
    match used.role {
        UsedRole::Signature
        | UsedRole::ToBeSigned
        | UsedRole::TimestampToken
        | UsedRole::EvidenceRecord => None,
        UsedRole::SigningCertificate
        | UsedRole::Certificate
        | UsedRole::TrustAnchor
        | UsedRole::Crl
        | UsedRole::OcspResponse
        | UsedRole::SignedData => {
            let (_, letter) = names::object_type(used.role);
            Some((letter, used.digest().to_hex()))
        }
    }
}

/// The digests of a document that its judge tells.
fn digests_of(object: &ObjectReport) -> Vec<DigestValue> {
    let listed = object.detail("digests").unwrap_or_default();
    let listed = listed.split(' ').filter_map(|text| {
        let (name, hex) = text.split_once(':')?;
        let algorithm = DigestAlgorithm::from_name(name)?;
        DigestValue::from_bytes(algorithm, &hex::decode(hex).ok()?)
    });
    listed.collect()
}
