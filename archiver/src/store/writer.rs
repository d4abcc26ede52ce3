//! The thread that writes.

use std::sync::Arc;
use std::thread;

use firmware::clock::Clock;
use formats::id::ArchiveId;
use formats::segment::{CommitMark, Frame, FrameAddress, SegmentHeader, SegmentIndex, SegmentSeal};
use sha2::{Digest, Sha256};

use super::appender::{Queue, Task};
use super::recovery::{Checkpoint, Tail};
use super::replica::GrowingSegment;
use super::{OpenOptions, StoreError};

/// Writes what is queued to all replicas.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue>,
    archive: ArchiveId,
    boot_id: [u8; 16],
    clock: Arc<dyn Clock>,
    growing: Vec<GrowingSegment>,
    at: FrameAddress,
    digest: Sha256,
}

/// Tells the callers when the writer's thread ends in a way that nobody thought of.
struct Watch(Arc<Queue>);

impl Writer {
    pub(super) fn new(
        queue: Arc<Queue>,
        archive: ArchiveId,
        options: &OpenOptions,
        tail: Tail,
    ) -> Self {
        Self {
            queue,
            archive,
            boot_id: options.boot_id,
            clock: Arc::clone(&options.clock),
            growing: tail.growing,
            at: tail.end,
            digest: tail.digest,
        }
    }

    /// Works until the store closes or something fails. What is not committed then is cut off.
    pub(super) fn run(mut self) -> Result<(), StoreError> {
        let _watch = Watch(Arc::clone(&self.queue));
        while let Some(tasks) = self.queue.take() {
            for task in tasks {
                if let Err(failure) = self.work(task) {
                    // The callers hear of the failure after the cut, so that what failed is gone when they know that it failed.
                    // If the cut fails too, the next opening makes it.
                    drop(self.cut());
                    self.queue.fail(failure.clone());
                    return Err(failure);
                }
            }
        }
        self.cut()?;
        self.note_checkpoint()
    }

    fn work(&mut self, task: Task) -> Result<(), StoreError> {
        match task {
            Task::Write(pieces) => self.write(&pieces, false),
            Task::Commit => self.commit(),
            Task::Roll(index) => {
                self.commit()?;
                self.seal(index)?;
                self.begin_next()
            }
        }
    }

    /// Writes the pieces to all replicas, and synchronises them if asked.
    fn write(&mut self, pieces: &[Vec<u8>], sync: bool) -> Result<(), StoreError> {
        let offset = self.at.offset;
        let digest = &mut self.digest;
        for_each_replica(
            &self.growing,
            &|copy| {
                if !pieces.is_empty() {
                    copy.write(pieces, offset)?;
                }
                if sync { copy.sync() } else { Ok(()) }
            },
            || pieces.iter().for_each(|piece| digest.update(piece)),
        )?;
        let bytes: usize = pieces.iter().map(Vec::len).sum();
        self.at.offset += bytes as u64;
        Ok(())
    }

    /// Synchronises everything written, then marks it as committed.
    fn commit(&mut self) -> Result<(), StoreError> {
        self.write(&[], true)?;
        let mark = CommitMark {
            address: self.at,
            replicas: u8::try_from(self.growing.len()).unwrap_or(u8::MAX),
            boot: self.boot_id,
            time: self.clock.now(),
        };
        let bytes = Frame::CommitMark(mark).encode()?.into_bytes();
        for copy in &self.growing {
            copy.write(std::slice::from_ref(&bytes), self.at.offset)?;
        }
        self.digest.update(&bytes);
        self.at.offset += bytes.len() as u64;
        self.queue.set_committed(self.at);
        Ok(())
    }

    /// Ends the segment. It is protected after every replica has it whole: until then a failure cuts it back.
    fn seal(&mut self, index: SegmentIndex) -> Result<(), StoreError> {
        let index_offset = self.at.offset;
        let index_frame = Frame::SegmentIndex(index).encode()?.into_bytes();
        self.write(&[index_frame], false)?;
        let seal = SegmentSeal {
            index_offset,
            length: self.at.offset,
            digest: self.digest.clone().finalize().into(),
        };
        let seal = Frame::SegmentSeal(seal).encode()?.into_bytes();
        self.write(&[seal], true)?;
        self.growing.iter().try_for_each(GrowingSegment::protect)
    }

    fn begin_next(&mut self) -> Result<(), StoreError> {
        let next = self.at.segment + 1;
        let header = SegmentHeader {
            archive: self.archive,
            segment: next,
            created_at: self.clock.now(),
            boot: self.boot_id,
            compacted: false,
        };
        let header = Frame::SegmentHeader(header).encode()?.into_bytes();
        for copy in &mut self.growing {
            copy.begin_next(&header)?;
        }
        self.digest = Sha256::new_with_prefix(&header);
        self.at = FrameAddress::new(next, header.len() as u64);
        self.queue.set_committed(self.at);
        Ok(())
    }

    /// Notes how far the segment is, so that the next opening need not read it.
    fn note_checkpoint(self) -> Result<(), StoreError> {
        let (end, index) = self.queue.growing();
        match self.growing.first() {
            Some(copy) if self.at == end => {
                Checkpoint::new(self.archive, end, self.digest, index).write(copy.replica())
            }
            _ => Ok(()),
        }
    }

    /// Cuts every replica back to what is committed. A replica that already has the next segment has all of it.
    fn cut(&self) -> Result<(), StoreError> {
        let committed = self.queue.committed();
        let mut result = Ok(());
        for copy in &self.growing {
            if copy.segment() == committed.segment && copy.is_longer_than(committed.offset) {
                result = result.and(copy.cut(committed.offset));
            }
        }
        result
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.fail(StoreError::Closed);
    }
}

/// Runs `act` on every replica, side by side, and `beside` in the meantime.
fn for_each_replica(
    replicas: &[GrowingSegment],
    act: &(dyn Fn(&GrowingSegment) -> Result<(), StoreError> + Sync),
    beside: impl FnOnce(),
) -> Result<(), StoreError> {
    let Some((first, others)) = replicas.split_first() else {
        return Ok(());
    };
    thread::scope(|scope| {
        let threads: Vec<_> = others
            .iter()
            .map(|other| scope.spawn(move || act(other)))
            .collect();
        beside();
        let mut result = act(first);
        for thread in threads {
            let other = thread.join().unwrap_or(Err(StoreError::Closed));
            result = result.and(other);
        }
        result
    })
}
