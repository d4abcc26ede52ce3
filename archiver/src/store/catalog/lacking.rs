//! What an index lacks because no medium gave it when the segments were read: whole segments, and damaged places. When it is there again,
//! with a medium that comes back or after a scrub, the index is made anew with it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use formats::segment::FrameAddress;

use crate::store::{ScanScope, Store, StoreError};

/// Segments that an index lacks, or of which it lacks something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lacks {
    /// `None`: no medium had it. Otherwise what its files were when a place in it was damaged on all of them.
    segments: BTreeMap<u32, Option<String>>,
}

impl Lacks {
    /// Segments that no medium at hand has.
    pub(super) fn missing(segments: &[u32]) -> Self {
        let segments = segments.iter().map(|&segment| (segment, None)).collect();
        Self { segments }
    }

    /// Notes that a place in a segment is damaged. `false`: that is known.
    pub(super) fn add_damaged(&mut self, store: &Store, segment: u32) -> bool {
        let files = Some(files_of(store, segment));
        self.segments.insert(segment, files.clone()) != Some(files)
    }

    /// Both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.segments.extend(other.segments);
        self
    }

    /// What is there now and was not, in the order of segments; the rest stays in `self`, as it is now.
    pub(super) fn take_returned(&mut self, store: &Store) -> Result<Vec<u32>, StoreError> {
        let present = store.segments()?;
        let mut returned = Vec::new();
        let mut tried = 0;
        for (&segment, files) in &mut self.segments {
            let is_present = present.binary_search(&segment).is_ok();
            match files {
                None if is_present => returned.push(segment),
                None => {}
                Some(noted) => {
                    let now = files_of(store, segment);
                    // A medium that gave nothing for a moment leaves its files as they were, so a few are tried in any case. To read many segments
                    // at each opening only to find them as damaged as before would be dear.
                    tried += 1;
                    let is_tried = *noted != now || tried <= TRIED_MAX;
                    if is_tried && is_readable(store, segment) {
                        returned.push(segment);
                    }
                    *noted = now;
                }
            }
        }
        for segment in &returned {
            self.segments.remove(segment);
        }
        Ok(returned)
    }

    /// A line for each segment: its number, and what its files were.
    pub(super) fn to_text(&self) -> String {
        let lines = self.segments.iter().map(|(segment, files)| match files {
            None => segment.to_string(),
            Some(files) => format!("{segment} {files}"),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Reads what [`Lacks::to_text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let line = |line: &str| match line.split_once(' ') {
            None => Some((line.parse().ok()?, None)),
            Some((segment, files)) => Some((segment.parse().ok()?, Some(files.to_owned()))),
        };
        let segments = text.lines().map(line).collect::<Option<_>>()?;
        Some(Self { segments })
    }
}

/// What the files of a segment are on the media at hand: who replaces one, or brings a medium back, changes it.
fn files_of(store: &Store, segment: u32) -> String {
    let mut files = Vec::new();
    for replica in store.replicas() {
        let path = replica.directory.map(|directory| {
            directory
                .join("segments")
                .join(format!("{segment:010}.seg"))
        });
        let found = path.and_then(|path| std::fs::metadata(path).ok());
        files.push(found.map_or_else(
            || format!("{}:-", replica.medium),
            |file| {
                let changed = file.mtime_nsec();
                let (inode, bytes, time) = (file.ino(), file.len(), file.mtime());
                format!("{}:{inode}:{bytes}:{time}.{changed}", replica.medium)
            },
        ));
    }
    files.join(",")
}

/// Whether everything that an index takes from a segment can be read.
fn is_readable(store: &Store, segment: u32) -> bool {
    let from = FrameAddress::new(segment, 0);
    let mut is_any = false;
    for item in store.scan(Some(from), ScanScope::Records) {
        match item {
            Ok(item) if item.address.segment != segment => break,
            Ok(_) => is_any = true,
            Err(StoreError::Damaged { address, .. }) if address.segment != segment => break,
            Err(_) => return false,
        }
    }
    is_any
}

/// So many damaged segments are looked into at each opening though their files did not change.
const TRIED_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_read_back_and_nothing_else_is() {
        let mut lacks = Lacks::missing(&[3, 70]);
        lacks.segments.insert(9, Some("a:1:2:3.4,b:-".to_owned()));
        assert_eq!(lacks.to_text(), "3\n9 a:1:2:3.4,b:-\n70");
        assert_eq!(Lacks::parse(&lacks.to_text()), Some(lacks));
        assert_eq!(Lacks::parse(""), Some(Lacks::default()));
        for strange in ["x", "3 4\nx", "-1", "3\n\n4"] {
            assert_eq!(Lacks::parse(strange), None, "{strange}");
        }
    }
}
