//! A log of frames in memory, with faults.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(unreachable_pub, reason = "shared by several test programs")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use archiver::evidence::log::{FrameLog, FrameSource};
use archiver::store::StoreError;
use formats::segment::{Frame, FrameAddress};

/// Keeps encoded frames, so that whatever is read went through the format.
#[derive(Default)]
pub struct MemoryLog {
    state: Mutex<State>,
    frames_max: Option<usize>,
    commit_fails: bool,
}

#[derive(Default)]
struct State {
    frames: BTreeMap<FrameAddress, Vec<u8>>,
    next: u64,
    committed: Option<FrameAddress>,
}

impl MemoryLog {
    /// A log that takes so many frames and no more.
    pub fn with_room_for(frames: usize) -> Self {
        Self {
            frames_max: Some(frames),
            ..Self::default()
        }
    }

    /// A log whose commits fail.
    pub fn without_commit() -> Self {
        Self {
            commit_fails: true,
            ..Self::default()
        }
    }

    /// Frames of which a commit told that they are durable.
    pub fn committed(&self) -> Vec<Frame> {
        let state = self.state.lock().unwrap();
        let upto = state.committed;
        let durable = state
            .frames
            .iter()
            .filter(|(address, _)| Some(**address) <= upto);
        durable
            .map(|(_, bytes)| Frame::parse(bytes).unwrap())
            .collect()
    }

    /// Number of frames, durable or not.
    pub fn len(&self) -> usize {
        self.state.lock().unwrap().frames.len()
    }

    /// Puts another frame at an address.
    pub fn replace(&self, address: FrameAddress, frame: Frame) {
        let bytes = frame.encode().unwrap().into_bytes();
        self.state.lock().unwrap().frames.insert(address, bytes);
    }
}

impl FrameLog for MemoryLog {
    fn append(&self, frame: Frame) -> Result<FrameAddress, StoreError> {
        let mut state = self.state.lock().unwrap();
        if self.frames_max.is_some_and(|max| state.frames.len() >= max) {
            return Err(StoreError::Closed);
        }
        let bytes = frame.encode()?.into_bytes();
        let address = FrameAddress::new(1, state.next);
        state.next += bytes.len() as u64;
        state.frames.insert(address, bytes);
        Ok(address)
    }

    fn commit(&self, upto: FrameAddress) -> Result<(), StoreError> {
        if self.commit_fails {
            return Err(StoreError::Closed);
        }
        self.state.lock().unwrap().committed = Some(upto);
        Ok(())
    }
}

impl FrameSource for MemoryLog {
    fn read(&self, address: FrameAddress) -> Result<Frame, StoreError> {
        let state = self.state.lock().unwrap();
        let bytes = state
            .frames
            .get(&address)
            .ok_or(StoreError::NotFound { address })?;
        Ok(Frame::parse(bytes)?)
    }
}
