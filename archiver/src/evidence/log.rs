//! What evidence needs of the store: a log to write to and frames to read. Tests put a log in memory in its place.

use formats::segment::{Frame, FrameAddress};

use crate::store::{Appender, Store, StoreError};

/// Somewhere to append frames.
pub trait FrameLog {
    /// As [`Appender::append`].
    ///
    /// # Errors
    /// As [`Appender::append`].
    fn append(&self, frame: Frame) -> Result<FrameAddress, StoreError>;

    /// As [`Appender::commit`].
    ///
    /// # Errors
    /// As [`Appender::commit`].
    fn commit(&self, upto: FrameAddress) -> Result<(), StoreError>;
}

/// Somewhere to read frames from.
pub trait FrameSource {
    /// As [`Store::read`].
    ///
    /// # Errors
    /// As [`Store::read`].
    fn read(&self, address: FrameAddress) -> Result<Frame, StoreError>;
}

impl FrameLog for Appender {
    fn append(&self, frame: Frame) -> Result<FrameAddress, StoreError> {
        Self::append(self, frame)
    }

    fn commit(&self, upto: FrameAddress) -> Result<(), StoreError> {
        Self::commit(self, upto)
    }
}

impl FrameSource for Store {
    fn read(&self, address: FrameAddress) -> Result<Frame, StoreError> {
        Self::read(self, address)
    }
}
