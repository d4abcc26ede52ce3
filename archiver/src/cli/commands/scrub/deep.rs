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
use crate::scrub::deep::{DeepFindings, DeepScrub};
use crate::store::scrub::{RunState, ScrubMedia, ScrubState, SegmentDone};

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
        let mut without_key = 0;
        while state.run.as_ref().and_then(RunState::next).is_some() {
            pace.wait_for_hours();
            let mut found = DeepFindings::default();
            {
                let Some(archive) = self.open(Access::Read)? else {
                    break;
                };
                let versions = match &versions {
                    Some(versions) => versions,
                    None => versions.insert(by_segment(&archive, &left)?),
                };
                self.slice(&archive, versions, state, &mut found)?;
            }
            without_key += found.without_key;
            let healings = self
                .scrub(&pace, disk.as_ref())
                .heal_suspects(&found.suspects)?;
            if let Some(run) = &mut state.run {
                let before = run.findings.len();
                for healing in &healings {
                    run.note_findings(healing);
                }
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
        if without_key > 0 {
            let count = grouped(without_key);
            self.session.output.note(&lang.pick(
                format!("鍵のない版 {count} は確かめられません"),
                format!("{count} versions have no key and could not be compared"),
            ));
            self.worse(Exit::Partial);
        }
        Ok(())
    }

    /// As many segments as a few seconds give, at least one.
    fn slice(
        &self,
        archive: &Archive,
        versions: &Versions,
        state: &mut ScrubState,
        found: &mut DeepFindings,
    ) -> Result<(), Failure> {
        let media = ScrubMedia::of_store(archive.store())?.media();
        let deep = DeepScrub::new(archive, &media);
        let started = Instant::now();
        let Some(run) = &mut state.run else {
            return Ok(());
        };
        while let Some(segment) = run.next() {
            let wrong = found.wrong.len();
            let before = found.bytes;
            for (version, address) in versions.get(&segment).into_iter().flatten() {
                deep.version(*version, *address, found);
            }
            run.bytes += found.bytes - before;
            run.finish_next();
            let whole = if found.wrong.len() == wrong {
                media.iter().map(ToString::to_string).collect()
            } else {
                Vec::new()
            };
            let end = versions
                .get(&segment)
                .and_then(|versions| versions.last())
                .map(|(_, address)| address.offset + 1);
            run.done.push(SegmentDone {
                segment,
                whole,
                end,
            });
            if started.elapsed().as_secs() >= SLICE_SECONDS {
                break;
            }
        }
        Ok(())
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
