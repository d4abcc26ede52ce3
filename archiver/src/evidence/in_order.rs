//! Several threads answer, one puts the answers back into order: a window bounds how far the first may run ahead of the last.
//!
//! Each task needs a permit before it is handed out, and its permit comes back when its answer was passed on in its turn. So no more
//! answers wait than there are permits, be one task a thousand times as long as the others.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Gives out as many permits as the window is wide, and each again when it comes back.
#[derive(Debug)]
pub(super) struct Permits(Receiver<()>);

/// Puts answers back into order.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    early: BTreeMap<u64, T>,
    next: u64,
    permits: SyncSender<()>,
}

/// A window that so many tasks fit in.
pub(super) fn window<T>(width: usize) -> (Permits, InOrder<T>) {
    let (permits, given) = sync_channel(width);
    for _ in 0..width {
        // There is room for every one of them.
        permits.try_send(()).ok();
    }
    let order = InOrder {
        early: BTreeMap::new(),
        next: 0,
        permits,
    };
    (Permits(given), order)
}

impl Permits {
    /// Waits until another task fits into the window; false when nobody takes answers any more.
    pub(super) fn take(&self) -> bool {
        self.0.recv().is_ok()
    }
}

impl<T> InOrder<T> {
    /// Passes on what is in its turn, of what waits and this answer.
    pub(super) fn add(&mut self, number: u64, answer: T, mut each: impl FnMut(&T)) {
        self.early.insert(number, answer);
        while let Some(answer) = self.early.remove(&self.next) {
            each(&answer);
            self.next += 1;
            // Whoever has handed out all tasks takes no more permits.
            self.permits.try_send(()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_answers_wait_than_fit_into_the_window() {
        let (permits, mut order) = window(3);
        for _ in 0..3 {
            assert!(permits.take());
        }
        let mut passed = Vec::new();
        order.add(2, 'c', |answer| passed.push(*answer));
        order.add(1, 'b', |answer| passed.push(*answer));
        assert!(permits.0.try_recv().is_err(), "task 0 is not answered yet");
        order.add(0, 'a', |answer| passed.push(*answer));
        for _ in 0..3 {
            assert!(permits.0.try_recv().is_ok());
        }
        assert!(permits.0.try_recv().is_err());
        order.add(3, 'd', |answer| passed.push(*answer));
        assert_eq!(passed, ['a', 'b', 'c', 'd']);
    }

    #[test]
    fn nobody_waits_for_a_window_that_is_gone() {
        let (permits, order) = window::<()>(1);
        drop(order);
        assert!(permits.take(), "the one that was there");
        assert!(!permits.take());
    }
}
