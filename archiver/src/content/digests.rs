//! Several digests of one stream, on this thread or on one beside it.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use formats::digest::{DigestAlgorithm, DigestValue, Hasher};

use super::buffers::{Buffer, Buffers};
use super::lines::{BuiltLines, LineBuilder, NoLines};

/// Where a stream is hashed. It starts on the caller's thread and may move to a thread of its own.
pub(super) enum HashLane {
    Inline(DigestSet),
    Threaded(HashThread),
}

/// Several digests in the making, and perhaps a line tree.
pub(super) struct DigestSet {
    hashers: Vec<Hasher>,
    lines: Option<Box<LineBuilder>>,
}

/// What was computed over a whole stream.
pub(super) struct Computed {
    /// The digests, in the order of the algorithms.
    pub(super) digests: Vec<DigestValue>,
    /// The line tree, if one was asked for.
    pub(super) lines: Option<Result<BuiltLines, NoLines>>,
}

/// A thread that hashes buffers in the order in which they were given to it.
pub(super) struct HashThread {
    queue: Option<SyncSender<Arc<Buffer>>>,
    released: Receiver<()>,
    thread: Option<JoinHandle<DigestSet>>,
}

impl HashLane {
    pub(super) fn new(algorithms: &[DigestAlgorithm]) -> Self {
        Self::Inline(DigestSet {
            hashers: algorithms.iter().map(|a| a.hasher()).collect(),
            lines: None,
        })
    }

    /// Builds a line tree too. Only before the first chunk.
    pub(super) fn with_lines(mut self, lines: Option<LineBuilder>) -> Self {
        if let Self::Inline(set) = &mut self {
            set.lines = lines.map(Box::new);
        }
        self
    }

    /// Adds a chunk. Blocks while the thread is too far behind. `None`: the thread ended early.
    pub(super) fn update(&mut self, buffer: &Arc<Buffer>) -> Option<()> {
        match self {
            Self::Inline(set) => set.update(buffer),
            Self::Threaded(lane) => lane.queue.as_ref()?.send(Arc::clone(buffer)).ok()?,
        }
        Some(())
    }

    /// Goes on with a thread. `None`: the system gives none.
    pub(super) fn go_parallel(self) -> Option<Self> {
        match self {
            Self::Inline(set) => HashThread::start(set).map(Self::Threaded),
            Self::Threaded(_) => Some(self),
        }
    }

    /// Takes a buffer that nobody uses, and waits for one when the thread holds them all. `None`: the thread ended early.
    pub(super) fn free_buffer(&self, buffers: &mut Buffers) -> Option<Arc<Buffer>> {
        loop {
            if let Some(buffer) = buffers.take() {
                return Some(buffer);
            }
            match self {
                Self::Inline(_) => return None,
                Self::Threaded(lane) => lane.released.recv().ok()?,
            }
        }
    }

    /// The digests of all chunks, in the order of the algorithms. `None`: the thread ended early.
    pub(super) fn finish(self) -> Option<Vec<DigestValue>> {
        self.finish_all().map(|computed| computed.digests)
    }

    /// The digests and the line tree. `None`: the thread ended early.
    pub(super) fn finish_all(self) -> Option<Computed> {
        let set = match self {
            Self::Inline(set) => set,
            Self::Threaded(mut lane) => lane.join()?,
        };
        Some(Computed {
            digests: set.hashers.into_iter().map(Hasher::finish).collect(),
            lines: set.lines.map(|lines| lines.finish()),
        })
    }
}

impl DigestSet {
    fn update(&mut self, buffer: &Buffer) {
        for hasher in &mut self.hashers {
            hasher.update(buffer.plain());
        }
        if let Some(lines) = &mut self.lines {
            lines.update(buffer.plain());
        }
    }
}

impl HashThread {
    fn start(mut set: DigestSet) -> Option<Self> {
        let (queue, waiting) = sync_channel::<Arc<Buffer>>(QUEUE);
        let (release, released) = channel();
        let hash_all = move || {
            for buffer in waiting {
                set.update(&buffer);
                drop(buffer);
                // Nobody listens when the stream was given up: then nobody needs the buffer either.
                if release.send(()).is_err() {
                    break;
                }
            }
            set
        };
        let thread = thread::Builder::new()
            .name("hash".to_owned())
            .spawn(hash_all)
            .ok()?;
        Some(Self {
            queue: Some(queue),
            released,
            thread: Some(thread),
        })
    }

    fn join(&mut self) -> Option<DigestSet> {
        self.queue = None;
        self.thread.take()?.join().ok()
    }
}

impl Drop for HashThread {
    /// Waits for the thread, so that no buffer is in use any more when the next content comes.
    fn drop(&mut self) {
        drop(self.join());
    }
}

impl fmt::Debug for HashLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashLane").finish_non_exhaustive()
    }
}

/// Chunks that may wait for the thread: it never starves, and memory stays small.
const QUEUE: usize = 2;
