//! Reading frames from whichever replica has them whole.

use std::path::PathBuf;

use formats::segment::FrameAddress;

/// A replica that could not give a frame which another one then gave. It needs a scrub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The medium's directory.
    pub directory: PathBuf,
    /// The frame.
    pub address: FrameAddress,
    /// What was wrong, in words for the operator.
    pub cause: String,
}
