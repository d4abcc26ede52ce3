//! Reading all frames in their order.

use formats::segment::{Frame, FrameAddress};

use super::StoreError;

/// Which frames a scan gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScanScope {
    /// All but content chunks, commit marks, and the frames that give a segment its shape.
    #[default]
    Records,
    /// Every frame.
    Everything,
}

/// A frame and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanItem {
    /// Where it stands.
    pub address: FrameAddress,
    /// Where the next frame may stand: a later scan goes on from here.
    pub next: FrameAddress,
    /// The frame.
    pub frame: Frame,
}

/// The committed frames from an address on. After an error for a damaged frame it goes on with the next one.
#[derive(Debug)]
pub struct Scan {}

impl Iterator for Scan {
    type Item = Result<ScanItem, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
