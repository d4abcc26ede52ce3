//! Deposits that are under way, so that two of the same content at the same time become one.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::identity::IdentityCode;

/// The identities of deposits that are neither committed nor given up.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    codes: Mutex<HashSet<IdentityCode>>,
    released: Condvar,
}

/// A claim on an identity; dropping it releases the identity.
#[derive(Debug)]
pub(super) struct Claim {
    in_flight: Arc<InFlight>,
    code: IdentityCode,
}

impl InFlight {
    /// Waits until nobody else holds this identity, and takes it.
    ///
    /// A caller holds at most one claim at a time, so that callers cannot wait for one another in a circle.
    pub(super) fn claim(self: &Arc<Self>, code: IdentityCode) -> Claim {
        let mut codes = self.lock();
        while !codes.insert(code) {
            codes = self
                .released
                .wait(codes)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Claim {
            in_flight: Arc::clone(self),
            code,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<IdentityCode>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// The claimed identity.
    pub(super) fn code(&self) -> IdentityCode {
        self.code
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight.lock().remove(&self.code);
        self.in_flight.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_second_claim_waits_for_the_first() {
        let in_flight = Arc::new(InFlight::default());
        let first = in_flight.claim([1; 32]);
        assert_eq!(first.code(), [1; 32]);
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let claim = in_flight.claim([1; 32]);
                sender.send("second").unwrap();
                drop(claim);
            });
            drop(in_flight.claim([2; 32]));
            assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Empty));
            drop(first);
            assert_eq!(receiver.recv(), Ok("second"));
        });
    }
}
