//! What all deposits into an open archive share, however they come in.

use std::sync::{Arc, Mutex, PoisonError};

use super::in_flight::InFlight;
use crate::content::{ContentWriter, SealError};

/// The claims on identities, so that two of the same content at the same time become one record; and writers that wait for their next content: a compressor
/// takes megabytes, and making one costs more than a small deposit.
#[derive(Debug, Default)]
pub struct DepositResources {
    pub(super) in_flight: Arc<InFlight>,
    writers: Mutex<Vec<ContentWriter>>,
}

impl DepositResources {
    pub(super) fn writer(&self) -> Result<ContentWriter, SealError> {
        let waiting = self.lock().pop();
        waiting.map_or_else(ContentWriter::new, Ok)
    }

    /// Keeps a writer for the next deposit, without what it wrote.
    pub(super) fn put_back(&self, mut writer: ContentWriter) {
        writer.clear();
        let mut writers = self.lock();
        if writers.len() < WAITING_MAX {
            writers.push(writer);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<ContentWriter>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writers that wait; more than processors only pile up.
const WAITING_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, request};
    use super::super::outcome::DepositEvent;
    use super::*;
    use crate::intake::{Source, SourceName};
    use crate::store::catalog::Query;

    #[test]
    fn writers_are_used_again_and_do_not_pile_up() {
        let resources = DepositResources::default();
        let taken: Vec<ContentWriter> = (0..WAITING_MAX + 5)
            .map(|_| resources.writer().unwrap())
            .collect();
        for writer in taken {
            resources.put_back(writer);
        }
        assert_eq!(resources.lock().len(), WAITING_MAX);
        drop(resources.writer().unwrap());
        assert_eq!(resources.lock().len(), WAITING_MAX - 1);
    }

    #[test]
    fn the_same_content_from_many_at_once_becomes_one_record() {
        let fixture = Fixture::new();
        let resources = Arc::<DepositResources>::default();
        let start = std::sync::Barrier::new(8);
        let events: Vec<DepositEvent> = std::thread::scope(|scope| {
            let one = || {
                let depositor = fixture.depositor();
                let depositor = depositor.with_resources(Arc::clone(&resources));
                let source = Source::Stream {
                    name: SourceName::from_bytes(*b"invoice.pdf"),
                    reader: Box::new(std::io::Cursor::new(vec![7; 100_000])),
                };
                start.wait();
                depositor.deposit(source, &request("general", &[])).unwrap()
            };
            let tasks: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            tasks.into_iter().map(|task| task.join().unwrap()).collect()
        });
        let is_new = |event: &&DepositEvent| matches!(event, DepositEvent::Deposited(_));
        assert_eq!(events.iter().filter(is_new).count(), 1, "{events:?}");
        let found = fixture.catalog.search(&Query::default()).unwrap();
        assert_eq!(found.len(), 1);
    }
}
