//! What was promised, and whether it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use archiver::archive::Archive;
use archiver::cli::lang::Lang;
use archiver::evidence::verify_records::{Outcome, RecordVerifier};
use archiver::store::catalog::Hit;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::id::{BatchId, VersionId};
use verifier::context::Context;
use verifier::path::TrustAnchor;

use super::Tally;
use super::steps::Happened;

/// Everything that was acknowledged in a life.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// What every source ever written holds, by its name.
    pub(super) sources: BTreeMap<String, DigestValue>,
    acknowledged: BTreeMap<VersionId, String>,
    /// What was seen after an opening, acknowledged or not. It must stay.
    seen: BTreeSet<VersionId>,
    /// Sources of the step that was cut.
    pub(super) under_way: BTreeSet<String>,
    batches: BTreeSet<BatchId>,
    stamped: BTreeSet<VersionId>,
    signed: BTreeMap<VersionId, u32>,
    events: BTreeSet<u64>,
    destroyed: BTreeSet<VersionId>,
    /// A destruction that was cut may have done its work.
    being_destroyed: BTreeSet<VersionId>,
    next_event: u64,
    /// Generation of the last backup that was acknowledged, and what the archive held when the newest one was begun.
    backup: u32,
    backed_up: BTreeSet<VersionId>,
    /// Acknowledged since everything was last looked at.
    new: BTreeSet<VersionId>,
}

impl Oracle {
    pub(super) fn acknowledged(&mut self, version: VersionId, name: &str) {
        let name = last(name);
        self.under_way.remove(name);
        self.acknowledged.insert(version, name.to_owned());
        self.new.insert(version);
    }

    /// A source was written, and is on its way.
    pub(super) fn deposited(&mut self, name: &str, bytes: &[u8]) {
        let digest = DigestAlgorithm::Sha256.digest(bytes);
        self.sources.insert(name.to_owned(), digest);
        self.under_way.insert(name.to_owned());
    }

    pub(super) fn stamped(&mut self, batch: BatchId, versions: &[VersionId]) {
        self.batches.insert(batch);
        self.stamped.extend(versions);
    }

    pub(super) fn signed(&mut self, version: VersionId, generation: u32) {
        self.signed.insert(version, generation);
    }

    pub(super) fn recorded(&mut self, number: u64) {
        self.events.insert(number);
    }

    pub(super) const fn next_event(&mut self) -> u64 {
        self.next_event += 1;
        self.next_event
    }

    pub(super) fn contracts(&self) -> Vec<VersionId> {
        let named = self.acknowledged.iter();
        named
            .filter(|(_, name)| name.contains("contract"))
            .map(|(version, _)| *version)
            .collect()
    }

    /// Some stamped versions that are not contracts, to be destroyed now.
    pub(super) fn begin_destruction(&mut self) -> Vec<VersionId> {
        let ordinary = self.stamped.iter().filter(|version| {
            let name = self.acknowledged.get(version);
            name.is_some_and(|name| !name.contains("contract")) && !self.destroyed.contains(version)
        });
        let versions: Vec<VersionId> = ordinary.step_by(3).copied().collect();
        self.being_destroyed.extend(&versions);
        versions
    }

    pub(super) fn backed_up(&mut self, generation: u32) {
        self.backup = generation;
        self.backed_up = self.seen.clone();
    }

    pub(super) const fn backup(&self) -> u32 {
        self.backup
    }

    /// What a restored archive holds: everything that was there when its backup was taken, but what was destroyed since.
    pub(super) fn look_restored(&self, archive: &Archive) -> Result<(), String> {
        let mut there = BTreeSet::new();
        let mut wrong = None;
        let mut each = |hit: Hit| {
            there.insert(hit.version);
            let was_there = self.backed_up.contains(&hit.version);
            if was_there && !self.is_destroyed(hit.version) {
                wrong = self.is_what_was_deposited(archive, &hit).err();
            }
            wrong.is_none()
        };
        archive.catalog().for_each(&mut each).map_err(said)?;
        match (wrong, self.backed_up.difference(&there).next()) {
            (Some(wrong), _) => Err(wrong),
            (None, Some(lost)) => Err(format!("in the backup and lost: {lost}")),
            (None, None) => Ok(()),
        }
    }

    fn is_destroyed(&self, version: VersionId) -> bool {
        self.destroyed.contains(&version) || self.being_destroyed.contains(&version)
    }

    pub(super) fn destroyed(&mut self, versions: &[VersionId]) {
        self.being_destroyed.clear();
        self.destroyed.extend(versions);
    }

    pub(super) fn evidence(&self) -> u64 {
        (self.batches.len() + self.signed.len() + self.events.len()) as u64
    }

    pub(super) fn records(&self) -> u64 {
        self.acknowledged.len() as u64
    }

    /// Looks at everything that an open archive holds; `whole` reads and verifies all records, else only the new ones.
    pub(super) fn look(
        &mut self,
        archive: &Archive,
        whole: bool,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let hits = self.visible(archive, tally)?;
        self.evidence_is_there(archive)?;
        self.destroyed_stays_destroyed(archive)?;
        let read: Vec<&Hit> = hits
            .iter()
            .filter(|hit| !self.destroyed.contains(&hit.version))
            .filter(|hit| whole || self.new.contains(&hit.version))
            .collect();
        for hit in &read {
            self.is_what_was_deposited(archive, hit)?;
        }
        let versions: Vec<VersionId> = read.iter().map(|hit| hit.version).collect();
        self.verifies(archive, &versions)?;
        self.new.clear();
        tally.looks += 1;
        Ok(())
    }

    /// Nothing is lost, and nothing shows that nobody was told of, but what was on its way.
    fn visible(&mut self, archive: &Archive, tally: &mut Tally) -> Result<Vec<Hit>, String> {
        let mut hits = Vec::new();
        let mut each = |hit: Hit| {
            hits.push(hit);
            true
        };
        archive.catalog().for_each(&mut each).map_err(said)?;
        let there: BTreeSet<VersionId> = hits.iter().map(|hit| hit.version).collect();
        for (version, name) in &self.acknowledged {
            if !there.contains(version) {
                return Err(format!("acknowledged and lost: {version} ({name})"));
            }
        }
        if let Some(gone) = self.seen.difference(&there).next() {
            return Err(format!("seen after an opening, and gone: {gone}"));
        }
        for hit in &hits {
            if self.acknowledged.contains_key(&hit.version) || self.seen.contains(&hit.version) {
                continue;
            }
            let name = name_of(hit);
            if !self.under_way.remove(&name) {
                return Err(format!(
                    "visible, and nobody was told: {} ({name})",
                    hit.version
                ));
            }
            self.new.insert(hit.version);
            tally.in_doubt_kept += 1;
        }
        tally.in_doubt_gone += self.under_way.len() as u64;
        self.under_way.clear();
        self.seen = there;
        Ok(hits)
    }

    fn destroyed_stays_destroyed(&mut self, archive: &Archive) -> Result<(), String> {
        let ledger = archive.keys().ledger();
        for version in std::mem::take(&mut self.being_destroyed) {
            if ledger.destroyed_at(version).is_some() {
                self.destroyed.insert(version);
            }
        }
        let back = self.destroyed.iter().find(|one| ledger.holds(**one));
        match back {
            Some(version) => Err(format!("destroyed, and its key is back: {version}")),
            None => Ok(()),
        }
    }

    fn evidence_is_there(&self, archive: &Archive) -> Result<(), String> {
        let catalog = archive.catalog();
        for batch in &self.batches {
            if catalog.batch(*batch).map_err(said)?.is_none() {
                return Err(format!("timestamp acknowledged and lost: {batch}"));
            }
        }
        for version in &self.stamped {
            if catalog.batch_of(*version).map_err(said)?.is_none() {
                return Err(format!("stamped, and waits again: {version}"));
            }
        }
        let keeper = archive.signature_keeper(None);
        for (version, generation) in &self.signed {
            let stored = keeper.stored(*version).map_err(said)?;
            if stored.is_none_or(|stored| stored.generation < *generation) {
                return Err(format!("signature acknowledged and lost: {version}"));
            }
        }
        let mut recorded = BTreeSet::new();
        let mut each = |event: archiver::event::RecordedEvent| {
            if let Some(facts) = event.as_::<Happened>() {
                recorded.insert(facts.number);
            }
            true
        };
        let topic = <Happened as archiver::event::EventBody>::TOPIC;
        catalog.events(topic, &mut each).map_err(said)?;
        match self.events.difference(&recorded).next() {
            Some(lost) => Err(format!("event acknowledged and lost: {lost}")),
            None => Ok(()),
        }
    }

    fn is_what_was_deposited(&self, archive: &Archive, hit: &Hit) -> Result<(), String> {
        let version = hit.version;
        let name = name_of(hit);
        let mut opened = archive.retriever().open(version).map_err(said)?;
        let mut bytes = Vec::new();
        opened.write_object(0, &mut bytes).map_err(said)?;
        let digest = DigestAlgorithm::Sha256.digest(&bytes);
        if self.sources.get(&name) != Some(&digest) {
            return Err(format!("{version} ({name}) is not what was deposited"));
        }
        Ok(())
    }

    fn verifies(&self, archive: &Archive, versions: &[VersionId]) -> Result<(), String> {
        let anchors = archive.anchors().map_err(said)?;
        let anchors = anchors.iter().map(|der| TrustAnchor::from_certificate(der));
        let anchors = anchors.collect::<Result<Vec<_>, _>>().map_err(said)?;
        let verifier = RecordVerifier {
            retriever: archive.retriever(),
            catalog: archive.catalog(),
            frames: archive.store(),
            context: Context {
                anchors: &anchors,
                certificates: &[],
                crls: &[],
                ocsp_responses: &[],
                policy: archive.policy(),
                time: archive.environment().clock.now(),
                cache: None,
                registry: None,
            },
            workers: NonZeroUsize::MIN,
            lang: Lang::En,
        };
        let mut wrong = None;
        let mut judged = BTreeSet::new();
        let mut each = |verdict: &archiver::evidence::verify_records::RecordVerdict| {
            judged.insert(verdict.version);
            let stamped = self.stamped.contains(&verdict.version);
            let good = match &verdict.outcome {
                Outcome::Passed { .. } => true,
                Outcome::Unstamped { .. } => !stamped,
                Outcome::NotPassed { .. } | Outcome::Unreadable(_) | Outcome::NoEvidence(_) | _ => {
                    false
                }
            };
            if !good {
                wrong = Some(format!("{}: {:?}", verdict.version, verdict.outcome));
            }
        };
        verifier
            .verify_versions(versions, &mut each)
            .map_err(said)?;
        let asked: BTreeSet<VersionId> = versions.iter().copied().collect();
        match (wrong, asked == judged) {
            (Some(wrong), _) => Err(wrong),
            (None, true) => Ok(()),
            (None, false) => Err(format!(
                "{} versions were to be judged, and {} were",
                asked.len(),
                judged.len()
            )),
        }
    }
}

/// All copies of every segment are equal to the last byte. The archive is closed.
pub(super) fn copies_are_equal(media: &[PathBuf]) -> Result<u64, String> {
    let first = media.first().ok_or("no medium")?.join("segments");
    let mut count = 0;
    for other in &media[1..] {
        count = two_are_equal(&first, &other.join("segments"))?;
    }
    Ok(count)
}

fn two_are_equal(first: &Path, second: &Path) -> Result<u64, String> {
    let list = |folder: &Path| -> Result<BTreeSet<std::ffi::OsString>, String> {
        let entries = std::fs::read_dir(folder).map_err(said)?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(said));
        let mut names = names.collect::<Result<BTreeSet<_>, _>>()?;
        names.retain(|name| name.to_string_lossy().ends_with(".seg"));
        Ok(names)
    };
    let names = list(first)?;
    if names != list(second)? {
        return Err(format!("one copy lacks a segment: {names:?}"));
    }
    for name in &names {
        let one = std::fs::read(first.join(name)).map_err(said)?;
        let other = std::fs::read(second.join(name)).map_err(said)?;
        if one != other {
            return Err(format!("the copies of {} differ", name.display()));
        }
    }
    Ok(names.len() as u64)
}

fn name_of(hit: &Hit) -> String {
    let object = hit.objects.first();
    object.map_or_else(String::new, |object| {
        last(&String::from_utf8_lossy(object.name.as_bytes())).to_owned()
    })
}

/// The name of a file without its folders.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
