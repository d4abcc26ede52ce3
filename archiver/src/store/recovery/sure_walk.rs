//! A walk that goes by nothing it could not read: where a copy cannot be read and no other copy has what may stand there, it fails, and
//! names that copy. A read error taken for the end of what was written would cut off what was acknowledged.

use std::io;
use std::sync::Arc;

use crate::store::StoreError;
use crate::store::replica::Replica;
use crate::store::walk::{Copy, SegmentWalk, Step, Unread};

/// The copies of the growing segment, and the replicas that they are on.
#[derive(Debug)]
pub(super) struct SureWalk<'a> {
    replicas: &'a [Arc<Replica>],
    segment: u32,
    walk: SegmentWalk,
}

impl<'a> SureWalk<'a> {
    /// A walk from the start of the segment. `copies` are those on the replicas, in their order.
    pub(super) const fn new(
        replicas: &'a [Arc<Replica>],
        segment: u32,
        copies: Vec<Option<Copy>>,
    ) -> Self {
        Self {
            replicas,
            segment,
            walk: SegmentWalk::new(segment, copies, 0),
        }
    }

    /// What stands next.
    ///
    /// # Errors
    /// The failure to read a copy that might say something else.
    pub(super) fn step(&mut self) -> Result<Step, StoreError> {
        let (replicas, segment) = (self.replicas, self.segment);
        let unread = |Unread { copy, error }| unread(replicas, segment, copy, error);
        self.walk.step_surely().map_err(unread)
    }

    /// Bytes of one copy; none where there is no such copy.
    ///
    /// # Errors
    /// The failure to read them.
    pub(super) fn bytes(
        &mut self,
        copy: usize,
        offset: u64,
        count: usize,
    ) -> Result<&[u8], StoreError> {
        let (replicas, segment) = (self.replicas, self.segment);
        let bytes = self.walk.bytes(copy, offset, count);
        bytes.map_err(|error| unread(replicas, segment, copy, error))
    }

    /// Whether a copy has these bytes. One that cannot be read there has others: it is to be written.
    pub(super) fn has(&mut self, copy: usize, offset: u64, bytes: &[u8]) -> bool {
        let found = self.walk.bytes(copy, offset, bytes.len());
        found.is_ok_and(|found| found == bytes)
    }

    /// Goes on from `offset`, where a frame must start.
    pub(super) const fn go_to(&mut self, offset: u64) {
        self.walk.go_to(offset);
    }

    /// The copies.
    pub(super) fn copies(&mut self) -> &mut [Option<Copy>] {
        self.walk.copies()
    }
}

/// The failure to read the copy of a replica.
pub(super) fn unread(
    replicas: &[Arc<Replica>],
    segment: u32,
    copy: usize,
    error: io::Error,
) -> StoreError {
    match replicas.get(copy) {
        Some(replica) => replica.error("reading", &replica.path(segment), error),
        None => StoreError::SegmentDamaged { segment },
    }
}
