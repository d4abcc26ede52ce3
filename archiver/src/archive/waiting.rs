//! What waits for a timestamp.

use super::Archive;
use crate::evidence::queue::Queue;

impl Archive {
    /// The versions that no archive time-stamp covers yet.
    #[must_use]
    pub fn queue(&self) -> Queue<'_> {
        Queue::new(self.retriever())
    }
}
