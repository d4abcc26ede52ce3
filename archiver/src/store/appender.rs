//! Appending with group commit.

use formats::segment::{Frame, FrameAddress};

use super::StoreError;

/// Appends frames to all replicas. Clones append to the same segments; each thread may have one.
#[derive(Debug, Clone)]
pub struct Appender {}

impl Appender {
    /// Takes a frame into the queue of the writer and says where it will stand. Waits while the queue is full.
    ///
    /// The frame is neither durable nor visible until [`Appender::commit`] returned for it or for a later one.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] after a failure of the writer, [`StoreError::Closed`], [`StoreError::Format`].
    pub fn append(&self, frame: Frame) -> Result<FrameAddress, StoreError> {
        let _ = frame;
        Err(StoreError::Closed)
    }

    /// Waits until the frame at `upto`, and all before it, are durable on every replica. Concurrent calls share one synchronisation.
    ///
    /// # Errors
    /// The failure of the writer ([`StoreError::MediumFull`], [`StoreError::Io`]) inside [`StoreError::Stopped`]: nothing that was not committed before is
    /// visible then.
    pub fn commit(&self, upto: FrameAddress) -> Result<(), StoreError> {
        let _ = upto;
        Err(StoreError::Closed)
    }
}
