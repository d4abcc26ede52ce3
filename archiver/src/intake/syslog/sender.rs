//! Connections of one sender, one after the other.
//!
//! A sender that was killed and started again has two connections: the old one ends, but what it sent may still stand in the buffers of TCP. The
//! new one is not read before the old one has ended or is silent, so that the sender's lines keep their order.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who sends: the address, and the certificate where one was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) from: IpAddr,
    pub(super) client: Option<Arc<str>>,
}

/// The connections that are open.
#[derive(Debug, Default)]
pub(super) struct Senders {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    sender: Sender,
    reads: u64,
    /// Since when it waits for bytes. `None`: it has some, and waits for the spool or for its turn.
    waits_since: Option<Instant>,
}

/// One connection among those of its sender. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    senders: Arc<Senders>,
    number: u64,
    sender: Sender,
}

impl Senders {
    /// A further connection of a sender.
    pub(super) fn enter(self: &Arc<Self>, sender: Sender) -> Turn {
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        open.connections.push(Connection {
            number,
            sender: sender.clone(),
            reads: 0,
            waits_since: None,
        });
        Turn {
            senders: Arc::clone(self),
            number,
            sender,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Waits until the sender's older connections have ended or are silent. Two that are both in use go side by side after a while. `stops` is asked
    /// now and then.
    pub(super) async fn come(&self, stops: impl Fn() -> bool) {
        let mut before = None;
        let mut side_by_side = Duration::ZERO;
        while !stops() && side_by_side < SIDE_BY_SIDE {
            let Some(older) = self.busy(Instant::now()) else {
                return;
            };
            // A connection that is held back by the spool is waited for as long as that takes.
            if before.replace(older) != Some(older) {
                side_by_side += LOOK_PAUSE;
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// The connection begins to wait for bytes.
    pub(super) fn waits(&self) {
        self.change(|connection| connection.waits_since = Some(Instant::now()));
    }

    /// It has some.
    pub(super) fn reads(&self) {
        self.change(|connection| {
            connection.waits_since = None;
            connection.reads += 1;
        });
    }

    /// How often the older connections that are in use were read; `None` where there are none in use.
    fn busy(&self, now: Instant) -> Option<u64> {
        let open = self.senders.lock();
        let is_quiet = |connection: &&Connection| {
            let since = connection.waits_since;
            since.is_some_and(|since| now.duration_since(since) >= QUIET)
        };
        let mut busy = open
            .connections
            .iter()
            .filter(|one| one.number < self.number && one.sender == self.sender)
            .filter(|connection| !is_quiet(connection))
            .peekable();
        busy.peek()?;
        Some(busy.map(|connection| connection.reads).sum())
    }

    fn change(&self, change: impl FnOnce(&mut Connection)) {
        let mut open = self.senders.lock();
        let own = open
            .connections
            .iter_mut()
            .find(|one| one.number == self.number);
        if let Some(connection) = own {
            change(connection);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut open = self.senders.lock();
        open.connections.retain(|one| one.number != self.number);
    }
}

/// A connection is silent when nothing came for so long.
const QUIET: Duration = Duration::from_millis(300);

/// How long a connection waits for an older one that goes on sending.
const SIDE_BY_SIDE: Duration = Duration::from_secs(5);

/// How often it looks.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(last: u8, client: Option<&str>) -> Sender {
        Sender {
            from: IpAddr::from([192, 0, 2, last]),
            client: client.map(Arc::from),
        }
    }

    #[test]
    fn only_older_connections_of_the_same_sender_in_use_are_waited_for() {
        let senders = Arc::<Senders>::default();
        let first = senders.enter(sender(1, Some("a")));
        let now = Instant::now();
        assert_eq!(first.busy(now), None);
        let others = [
            senders.enter(sender(2, Some("a"))),
            senders.enter(sender(1, None)),
        ];
        assert!(others.iter().all(|other| other.busy(now).is_none()));
        let second = senders.enter(sender(1, Some("a")));
        assert_eq!(second.busy(now), Some(0));
        first.reads();
        assert_eq!(second.busy(now), Some(1));
        first.waits();
        assert_eq!(second.busy(Instant::now()), Some(1));
        assert_eq!(second.busy(Instant::now() + QUIET), None);
        first.reads();
        assert_eq!(second.busy(Instant::now() + QUIET), Some(2));
        drop(first);
        assert_eq!(second.busy(now), None);
    }
}
