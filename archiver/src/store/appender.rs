//! Appending with group commit.
//!
//! Callers queue frames and learn their addresses at once. One thread takes the queue, writes it to all replicas, and when a
//! commit was asked for, synchronises them, writes the commit mark and wakes everybody whose frames stand before it. Callers who
//! ask while a synchronisation runs share the next one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use formats::id::MediumId;
use formats::segment::{
    CommitMark, EncodedFrame, FRAME_HEADER_BYTES, Frame, FrameAddress, FrameType, IndexEntry,
    SegmentHeader, SegmentIndex, SegmentSeal,
};

use super::StoreError;
use super::replica::Replica;
use crate::telemetry::spanned;

/// Appends frames to all replicas. Clones append to the same segments; each thread may have one.
#[derive(Debug, Clone)]
pub struct Appender {
    pub(super) queue: Arc<Queue>,
}

/// What callers and the writing thread share.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// The writer waits here for work.
    work: Condvar,
    /// Callers wait here for room in the queue.
    room: Condvar,
    /// Callers wait here for their commit.
    done: Condvar,
    segment_bytes_max: u64,
}

/// One thing for the writer to do. The order is that of the bytes on the medium.
#[derive(Debug)]
pub(super) enum Task {
    /// Write these.
    Write(Vec<Vec<u8>>),
    /// Synchronise, then write a commit mark.
    Commit,
    /// Commit, write this index and a seal, and begin the next segment.
    Roll(SegmentIndex),
    /// Bring this replica up to date and write to it, too.
    Admit(Arc<Replica>, Sender<Result<(), StoreError>>),
    /// Write no more to this medium: it leaves the archive.
    Dismiss(MediumId, Sender<Result<(), StoreError>>),
}

#[derive(Debug)]
struct State {
    tasks: VecDeque<Task>,
    queued_bytes: usize,
    /// Where the next frame will stand.
    next: FrameAddress,
    /// Everything before is durable on every replica.
    committed: FrameAddress,
    /// Commits of everything before are in the queue or under way.
    planned: FrameAddress,
    commit_wanted: bool,
    /// A task waits that is no writing.
    errand: bool,
    index: SegmentIndex,
    /// Frames that the record index must know and does not know yet.
    unapplied: BTreeSet<FrameAddress>,
    failure: Option<StoreError>,
    closing: bool,
}

impl Appender {
    /// Takes a frame into the queue of the writer and says where it will stand. Waits while the queue is full.
    ///
    /// The frame is neither durable nor visible until [`Appender::commit`] returned for it or for a later one.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] after a failure of the writer, [`StoreError::Closed`], [`StoreError::Format`].
    pub fn append(&self, frame: Frame) -> Result<FrameAddress, StoreError> {
        let encoded = frame.encode()?;
        let frame_type = encoded.frame_type();
        let bytes = encoded.frame_bytes();
        let mut state = self.queue.wait_for_room()?;
        if self.queue.must_roll(&state, bytes) {
            state.roll();
        }
        let address = state.next;
        state.index.add(entry(frame_type, address.offset, bytes))?;
        if is_applied(frame_type) {
            state.unapplied.insert(address);
        }
        state.push(encoded);
        if state.errand || state.queued_bytes >= WRITE_BYTES {
            self.queue.work.notify_one();
        }
        Ok(address)
    }

    /// Waits until the frame at `upto`, and all before it, are durable on every replica. Concurrent calls share one synchronisation.
    ///
    /// # Errors
    /// The failure of the writer ([`StoreError::MediumFull`], [`StoreError::Io`]); [`StoreError::Stopped`] when it failed before the
    /// call. What was not committed before the failure is not in the archive, unless cutting it off failed as well and the
    /// power then fails too: it may then be there after the next start, whole.
    pub fn commit(&self, upto: FrameAddress) -> Result<(), StoreError> {
        spanned("commit", || self.commit_now(upto))
    }

    fn commit_now(&self, upto: FrameAddress) -> Result<(), StoreError> {
        let mut state = self.queue.lock();
        if upto >= state.next {
            return Err(StoreError::NotFound { address: upto });
        }
        let mut waited = false;
        loop {
            if state.committed > upto {
                return Ok(());
            }
            state.check(waited)?;
            if upto >= state.planned {
                state.commit_wanted = true;
                self.queue.work.notify_one();
            }
            state = wait(&self.queue.done, state);
            waited = true;
        }
    }

    /// The end of what is durable on every replica.
    #[must_use]
    pub fn committed(&self) -> FrameAddress {
        self.queue.lock().committed
    }
}

impl Queue {
    pub(super) fn new(end: FrameAddress, index: SegmentIndex, segment_bytes_max: u64) -> Self {
        Self {
            state: Mutex::new(State {
                tasks: VecDeque::new(),
                queued_bytes: 0,
                next: end,
                committed: end,
                planned: end,
                commit_wanted: false,
                errand: false,
                index,
                unapplied: BTreeSet::new(),
                failure: None,
                closing: false,
            }),
            work: Condvar::new(),
            room: Condvar::new(),
            done: Condvar::new(),
            segment_bytes_max,
        }
    }

    /// Waits for work and takes all of it. A commit that was asked for is its last task. `None`: the store is closing.
    pub(super) fn take(&self) -> Option<VecDeque<Task>> {
        let mut state = self.lock();
        loop {
            if state.closing || state.failure.is_some() {
                return None;
            }
            if state.commit_wanted || state.errand || state.queued_bytes >= WRITE_BYTES {
                break;
            }
            state = wait(&self.work, state);
        }
        if std::mem::take(&mut state.commit_wanted) {
            state.plan_commit();
        }
        state.errand = false;
        state.queued_bytes = 0;
        let tasks = std::mem::take(&mut state.tasks);
        drop(state);
        self.room.notify_all();
        Some(tasks)
    }

    /// Has the writer do something between two writes, and waits for its answer.
    pub(super) fn errand(
        &self,
        task: impl FnOnce(Sender<Result<(), StoreError>>) -> Task,
    ) -> Result<(), StoreError> {
        let (done, answer) = channel();
        let mut state = self.lock();
        state.check(false)?;
        state.tasks.push_back(task(done));
        state.errand = true;
        drop(state);
        self.work.notify_one();
        match answer.recv() {
            Ok(answer) => answer,
            Err(_) => Err(self.lock().failure.clone().unwrap_or(StoreError::Closed)),
        }
    }

    /// Everything before `end` is durable.
    pub(super) fn set_committed(&self, end: FrameAddress) {
        self.lock().committed = end;
        self.done.notify_all();
    }

    pub(super) fn committed(&self) -> FrameAddress {
        self.lock().committed
    }

    /// The end of what is committed, and the index of the segment if nothing was appended behind it.
    pub(super) fn growing(&self) -> (FrameAddress, SegmentIndex) {
        let mut state = self.lock();
        let index = std::mem::take(&mut state.index);
        let end = if state.next == state.committed {
            state.committed
        } else {
            FrameAddress::new(0, 0)
        };
        (end, index)
    }

    /// No more is taken, and everybody who waits is told why.
    pub(super) fn fail(&self, failure: StoreError) {
        let mut state = self.lock();
        state.failure.get_or_insert(failure);
        state.tasks.clear();
        state.queued_bytes = 0;
        drop(state);
        self.notify_everybody();
    }

    /// The writer is to end.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.notify_everybody();
    }

    /// The record index knows the frame.
    pub(super) fn set_applied(&self, address: FrameAddress) {
        self.lock().unapplied.remove(&address);
    }

    /// The record index knows everything before this address.
    pub(super) fn applied(&self) -> FrameAddress {
        let state = self.lock();
        let first = state.unapplied.first().copied();
        first.unwrap_or(state.committed).min(state.committed)
    }

    fn wait_for_room(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.lock();
        let mut waited = false;
        loop {
            state.check(waited)?;
            if state.queued_bytes < QUEUED_BYTES_MAX {
                return Ok(state);
            }
            self.work.notify_one();
            state = wait(&self.room, state);
            waited = true;
        }
    }

    fn notify_everybody(&self) {
        self.work.notify_all();
        self.room.notify_all();
        self.done.notify_all();
    }

    /// Whether a frame of `bytes` no longer fits with what must end the segment. A frame larger than a segment gets one for itself.
    fn must_roll(&self, state: &State, bytes: usize) -> bool {
        let empty = state.next.offset <= SegmentHeader::FRAME_BYTES as u64;
        let ending = 2 * CommitMark::FRAME_BYTES
            + FRAME_HEADER_BYTES
            + INDEX_COUNTS_BYTES
            + state.index.entry_bytes()
            + INDEX_ENTRY_BYTES_MAX
            + SegmentSeal::FRAME_BYTES;
        let full = state.next.offset + (bytes + ending) as u64 > self.segment_bytes_max;
        !empty && (full || state.index.entry_bytes() >= INDEX_BYTES_MAX)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self, waited: bool) -> Result<(), StoreError> {
        match &self.failure {
            Some(cause) if waited => Err(cause.clone()),
            Some(cause) => Err(StoreError::Stopped {
                cause: Box::new(cause.clone()),
            }),
            None if self.closing => Err(StoreError::Closed),
            None => Ok(()),
        }
    }

    /// Queues a frame at `next`. Small frames are gathered, large payloads are moved.
    fn push(&mut self, frame: EncodedFrame) {
        let bytes = frame.frame_bytes();
        let (head, payload) = frame.into_parts();
        self.next.offset += bytes as u64;
        self.queued_bytes += bytes;
        if !matches!(self.tasks.back(), Some(Task::Write(_))) {
            self.tasks.push_back(Task::Write(Vec::new()));
        }
        let Some(Task::Write(pieces)) = self.tasks.back_mut() else {
            return;
        };
        match pieces.last_mut() {
            Some(last) if last.len() + head.len() <= last.capacity() => {
                last.extend_from_slice(&head);
            }
            _ => {
                let gathers = payload.len() < GATHER_BYTES;
                let room = if gathers { GATHER_BYTES } else { 0 };
                let mut gathered = Vec::with_capacity(head.len().max(room));
                gathered.extend_from_slice(&head);
                pieces.push(gathered);
            }
        }
        match pieces.last_mut() {
            Some(last) if last.len() + payload.len() <= last.capacity() => {
                last.extend_from_slice(&payload);
            }
            _ => pieces.push(payload),
        }
    }

    /// Reserves the place of a commit mark.
    fn plan_commit(&mut self) {
        let mark = entry(
            FrameType::CommitMark,
            self.next.offset,
            CommitMark::FRAME_BYTES,
        );
        // A mark is only counted; that cannot fail.
        self.index.add(mark).ok();
        self.next.offset += CommitMark::FRAME_BYTES as u64;
        self.planned = self.next;
        self.tasks.push_back(Task::Commit);
    }

    /// The frames queued from now on stand in the next segment.
    fn roll(&mut self) {
        let mut index = std::mem::take(&mut self.index);
        index.commit_marks += 1;
        self.tasks.push_back(Task::Roll(index));
        // Whoever waits for what stands before the border asks for no commit of his own: this is the one.
        self.errand = true;
        self.next = FrameAddress::new(self.next.segment + 1, SegmentHeader::FRAME_BYTES as u64);
        self.planned = self.next;
        let header = entry(FrameType::SegmentHeader, 0, SegmentHeader::FRAME_BYTES);
        // The first frame of an index stands behind nothing; that cannot fail.
        self.index.add(header).ok();
    }
}

fn entry(frame_type: FrameType, offset: u64, frame_bytes: usize) -> IndexEntry {
    let body = frame_bytes.saturating_sub(FRAME_HEADER_BYTES);
    IndexEntry {
        frame_type,
        offset,
        body_bytes: u32::try_from(body).unwrap_or(u32::MAX),
    }
}

/// Whether the record index folds frames of this type.
const fn is_applied(frame_type: FrameType) -> bool {
    matches!(
        frame_type,
        FrameType::RecordVersion
            | FrameType::ArchiveTimeStamp
            | FrameType::Event
            | FrameType::FurtherDigests
            | FrameType::ValidationMaterial
            | FrameType::Signature
            | FrameType::Receipt
    )
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

/// Callers wait when so much is queued: it bounds the memory of the store.
const QUEUED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The writer starts to write when so much is queued, without being asked for a commit.
const WRITE_BYTES: usize = 1024 * 1024;

/// Small frames are gathered in pieces of this size.
const GATHER_BYTES: usize = 64 * 1024;

/// A segment is sealed when its index has this size, so that the index fits a frame.
const INDEX_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of the two counts at the start of an index.
const INDEX_COUNTS_BYTES: usize = 16;

/// Most bytes of an index entry: type, and two varints of 40 and 24 bits.
const INDEX_ENTRY_BYTES_MAX: usize = 12;
