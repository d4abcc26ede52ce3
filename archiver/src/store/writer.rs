//! The thread that writes.

use std::sync::Arc;
use std::thread;

use firmware::clock::Clock;
use formats::id::{ArchiveId, MediumId};
use formats::segment::{CommitMark, Frame, FrameAddress, SegmentHeader, SegmentIndex, SegmentSeal};
use sha2::{Digest, Sha256};

use super::admission;
use super::appender::{Queue, Task};
use super::recovery::{Checkpoint, Tail};
use super::replica::{GrowingSegment, Replica};
use super::roster::{RosterKeeper, cause_of};
use super::{OpenOptions, StoreError};

/// Writes what is queued to all replicas.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue>,
    archive: ArchiveId,
    boot_id: [u8; 16],
    clock: Arc<dyn Clock>,
    /// The replicas in service. One that fails leaves for good.
    growing: Vec<GrowingSegment>,
    keeper: Arc<RosterKeeper>,
    at: FrameAddress,
    digest: Sha256,
}

/// A replica, by its place in the list, and how it failed.
type Failed = Vec<(usize, StoreError)>;

/// Tells the callers when the writer's thread ends in a way that nobody thought of.
struct Watch(Arc<Queue>);

impl Writer {
    pub(super) fn new(
        queue: Arc<Queue>,
        archive: ArchiveId,
        options: &OpenOptions,
        tail: Tail,
        keeper: Arc<RosterKeeper>,
    ) -> Self {
        Self {
            queue,
            keeper,
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
            Task::Admit(replica, done) => {
                let answer = self.admit(&replica)?;
                // Who asked may be gone.
                drop(done.send(answer));
                Ok(())
            }
            Task::Dismiss(medium, done) => {
                let answer = self.dismiss(medium)?;
                drop(done.send(answer));
                Ok(())
            }
        }
    }

    /// Puts replicas that failed out of service: the others, and the place apart from them, know it before anything relies on them alone.
    /// When too few would remain, nothing changes and the first failure stops the writer.
    fn lose(&mut self, mut failed: Failed) -> Result<(), StoreError> {
        loop {
            failed.sort_by_key(|(number, _)| *number);
            let Some((_, first)) = failed.first() else {
                return Ok(());
            };
            if self.growing.len().saturating_sub(failed.len()) < self.keeper.copies_min {
                return Err(first.clone());
            }
            let from = self.queue.committed();
            let mut media = Vec::new();
            for (number, error) in failed.drain(..).rev() {
                let replica = self.growing.remove(number);
                let replica = replica.replica();
                replica.end_before(from.segment);
                media.push((replica.medium, cause_of(&error)));
            }
            let further = self.keeper.put_out(&media, from)?;
            failed = self.numbered(further);
        }
    }

    /// Takes a replica into service. Until the roster says so it is none; from then on each commit reaches it. The inner error is a
    /// refusal; the outer one stops the writer.
    fn admit(&mut self, replica: &Arc<Replica>) -> Result<Result<(), StoreError>, StoreError> {
        let replicas = self.growing.iter().map(GrowingSegment::replica);
        let sources: Vec<Arc<Replica>> = replicas.map(Arc::clone).collect();
        let (archive, digest) = (self.archive, &self.digest);
        let copy = match admission::bring_up(&sources, replica, archive, self.at, digest) {
            Ok(copy) => copy,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.growing.push(copy);
        replica.end_nowhere();
        let failed = self.keeper.take_in(&replica.present())?;
        let own = failed.iter().find(|(medium, _)| *medium == replica.medium);
        let answer = own.map_or(Ok(()), |(_, error)| Err(error.clone()));
        let failed = self.numbered(failed);
        self.lose(failed)?;
        Ok(answer)
    }

    /// Takes a replica out of the archive for good.
    fn dismiss(&mut self, medium: MediumId) -> Result<Result<(), StoreError>, StoreError> {
        let mut growing = self.growing.iter();
        if let Some(number) = growing.position(|copy| copy.replica().medium == medium) {
            if self.growing.len() <= self.keeper.copies_min {
                return Ok(Err(StoreError::TooFewCopies {
                    wanted: self.keeper.copies_min,
                }));
            }
            let copy = self.growing.remove(number);
            copy.replica().end_before(self.queue.committed().segment);
        }
        let failed = self.keeper.dismiss(medium)?;
        let failed = self.numbered(failed);
        self.lose(failed)?;
        Ok(Ok(()))
    }

    fn numbered(&self, failed: Vec<(MediumId, StoreError)>) -> Failed {
        let failed = failed.into_iter().filter_map(|(medium, error)| {
            let mut growing = self.growing.iter();
            let number = growing.position(|copy| copy.replica().medium == medium)?;
            Some((number, error))
        });
        failed.collect()
    }

    /// Writes the pieces to all replicas, and synchronises them if asked.
    fn write(&mut self, pieces: &[Vec<u8>], sync: bool) -> Result<(), StoreError> {
        let offset = self.at.offset;
        let digest = &mut self.digest;
        let failed = for_each_replica(
            &self.growing,
            &|copy| {
                if !pieces.is_empty() {
                    copy.write(pieces, offset)?;
                }
                if sync { copy.sync() } else { Ok(()) }
            },
            || pieces.iter().for_each(|piece| digest.update(piece)),
        );
        let bytes: usize = pieces.iter().map(Vec::len).sum();
        self.at.offset += bytes as u64;
        self.lose(failed)
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
        let offset = self.at.offset;
        let failed = failures(&mut self.growing, |copy| {
            copy.write(std::slice::from_ref(&bytes), offset)
        });
        self.digest.update(&bytes);
        self.at.offset += bytes.len() as u64;
        // A replica without the mark must be known before anybody hears of the commit: alone, it would cut off what was acknowledged.
        self.lose(failed)?;
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
        let failed = failures(&mut self.growing, |copy| copy.protect());
        self.lose(failed)
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
        let failed = failures(&mut self.growing, |copy| copy.begin_next(&header));
        self.lose(failed)?;
        self.digest = Sha256::new_with_prefix(&header);
        self.at = FrameAddress::new(next, header.len() as u64);
        self.queue.set_committed(self.at);
        Ok(())
    }

    /// Notes how far the segment is, so that the next opening need not read it.
    fn note_checkpoint(self) -> Result<(), StoreError> {
        let (end, index) = self.queue.growing();
        match self.growing.first() {
            Some(copy) if self.at == end => match copy.mark_before(end.offset) {
                Some(mark) => Checkpoint::new(self.archive, end, self.digest, index, mark)
                    .write(copy.replica()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Cuts every replica back to what is committed. A replica that already has the next segment has all of it.
    fn cut(&self) -> Result<(), StoreError> {
        let committed = self.queue.committed();
        let mut result = Ok(());
        // The one that joined last may not be among those that are opened next: it must not be left with a commit that the others lost.
        for copy in self.growing.iter().rev() {
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
) -> Failed {
    let Some((first, others)) = replicas.split_first() else {
        return Vec::new();
    };
    thread::scope(|scope| {
        let threads: Vec<_> = others
            .iter()
            .map(|other| scope.spawn(move || act(other)))
            .collect();
        beside();
        let mut results = vec![act(first)];
        for thread in threads {
            results.push(thread.join().unwrap_or(Err(StoreError::Closed)));
        }
        only_failures(results)
    })
}

/// Runs `act` on every replica, one after the other.
fn failures(
    replicas: &mut [GrowingSegment],
    act: impl FnMut(&mut GrowingSegment) -> Result<(), StoreError>,
) -> Failed {
    only_failures(replicas.iter_mut().map(act).collect())
}

fn only_failures(results: Vec<Result<(), StoreError>>) -> Failed {
    let results = results.into_iter().enumerate();
    results
        .filter_map(|(number, result)| Some((number, result.err()?)))
        .collect()
}
