//! `archiver scrub --deep`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use formats::id::VersionId;
use formats::segment::FrameAddress;
use serde_json::json;

use crate::archive::{Access, Archive};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, grouped};
use crate::scrub::deep::{DeepFindings, DeepScrub, DeepSegment};
use crate::store::scrub::{RunState, ScrubMedia, ScrubState};

use super::{Work, words};

type Versions = BTreeMap<u32, Vec<(VersionId, FrameAddress)>>;

impl Work<'_> {
    /// Compares the record versions of each segment with their manifests. The archive is let go of every few seconds: others wait no longer.
    pub(super) fn deep(&mut self, state: &mut ScrubState) -> Result<(), Failure> {
        let lang = self.session.output.lang;
        let left = state.run.as_ref().map(RunState::left).unwrap_or_default();
        let label = lang.pick("内容の検査", "comparing contents");
        let bar = self
            .session
            .output
            .bar(label, left.len() as u64, Unit::Items);
        let pace = self.request.pace(self.session, None);
        let disk = Arc::clone(&self.session.environment.disk);
        let mut versions: Option<Versions> = None;
        let (mut destroyed, mut key_missing) = (0, 0);
        while state.run.as_ref().and_then(RunState::next).is_some() {
            pace.wait_for_hours();
            let mut found = DeepFindings::default();
            let segments = {
                let Some(archive) = self.open(Access::Read)? else {
                    break;
                };
                let versions = match &versions {
                    Some(versions) => versions,
                    None => versions.insert(by_segment(&archive, &left)?),
                };
                self.slice(&archive, versions, state, &mut found)?
            };
            destroyed += found.without_key - found.key_missing;
            key_missing += found.key_missing;
            let healings = self
                .scrub(&pace, disk.as_ref())
                .heal_suspects(&found.suspects)?;
            if let Some(run) = &mut state.run {
                let before = run.findings.len();
                for healing in &healings {
                    run.note_findings(healing);
                }
                let segments = segments.iter();
                run.done
                    .extend(segments.map(|one| one.done(&found.suspects, &healings)));
                for finding in run.findings.iter().skip(before) {
                    words::tell_finding(&self.session.output, self.media, finding);
                }
                run.losses.extend(found.wrong);
                bar.set_position((left.len() - run.left().len()) as u64);
                self.session.output.event(&json!({
                    "event": "step", "segments_left": run.left().len(), "versions": found.versions, "bytes": run.bytes,
                }));
            }
            state.write(disk.as_ref(), &self.state_file)?;
        }
        bar.finish_and_clear();
        self.tell_without_key(destroyed, key_missing);
        Ok(())
    }

    fn tell_without_key(&mut self, destroyed: u64, key_missing: u64) {
        let (lang, output) = (self.session.output.lang, &self.session.output);
        if destroyed > 0 {
            let count = grouped(destroyed);
            output.note(&lang.pick(
                format!("鍵を破棄した版 {count} は比べていません"),
                format!("{count} versions were not compared: their keys were destroyed"),
            ));
        }
        if key_missing > 0 {
            let count = grouped(key_missing);
            output.note(&lang.pick(
                format!("鍵のない版 {count} は確かめられません"),
                format!("{count} versions have no key and could not be compared"),
            ));
            self.worse(Exit::Partial);
        }
    }

    /// As many segments as a few seconds give, at least one.
    fn slice(
        &self,
        archive: &Archive,
        versions: &Versions,
        state: &mut ScrubState,
        found: &mut DeepFindings,
    ) -> Result<Vec<DeepSegment>, Failure> {
        let media = ScrubMedia::of_store(archive.store())?.media();
        let deep = DeepScrub::new(archive, &media);
        let started = Instant::now();
        let mut segments = Vec::new();
        let Some(run) = &mut state.run else {
            return Ok(segments);
        };
        while let Some(segment) = run.next() {
            let before = found.bytes;
            let versions = versions.get(&segment).map_or(&[][..], Vec::as_slice);
            segments.push(deep.segment(segment, versions, found));
            run.bytes += found.bytes - before;
            run.finish_next();
            if started.elapsed().as_secs() >= SLICE_SECONDS {
                break;
            }
        }
        Ok(segments)
    }
}

/// The record versions of the segments that are to be compared, in their order.
fn by_segment(archive: &Archive, segments: &[u32]) -> Result<Versions, Failure> {
    let mut versions: Versions = segments.iter().map(|&one| (one, Vec::new())).collect();
    archive.catalog().for_each(&mut |hit| {
        if let Some(of_segment) = versions.get_mut(&hit.address.segment) {
            of_segment.push((hit.version, hit.address));
        }
        true
    })?;
    for of_segment in versions.values_mut() {
        of_segment.sort_by_key(|(_, address)| *address);
    }
    Ok(versions)
}

/// How long the archive is held at a time: other commands wait for ten seconds.
const SLICE_SECONDS: u64 = 4;
