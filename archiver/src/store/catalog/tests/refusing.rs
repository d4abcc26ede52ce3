//! An engine that does not take its changes.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::store::catalog::engine::{Change, IndexError, RecordIndex, Visit};
use crate::store::catalog::fold::Fold;

#[derive(Debug, Default)]
struct Engine {
    entries: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    refuses: AtomicBool,
}

#[derive(Debug)]
struct Shared(Arc<Engine>);

impl RecordIndex for Shared {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.0.entries.lock().unwrap().get(key).cloned())
    }

    fn contains(&self, key: &[u8]) -> Result<bool, IndexError> {
        Ok(self.0.entries.lock().unwrap().contains_key(key))
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        if self.0.refuses.load(Ordering::Relaxed) {
            return Err(IndexError::Io(std::io::ErrorKind::StorageFull.into()));
        }
        let mut entries = self.0.entries.lock().unwrap();
        for (key, value) in changes {
            match value {
                Some(value) => entries.insert(key, value),
                None => entries.remove(&key),
            };
        }
        Ok(())
    }

    fn scan(&self, prefix: &[u8], from: &[u8], each: &mut Visit<'_>) -> Result<(), IndexError> {
        for (key, value) in self.0.entries.lock().unwrap().range(from.to_vec()..) {
            if !key.starts_with(prefix) || each(key, value) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn scan_back(
        &self,
        prefix: &[u8],
        before: &[u8],
        each: &mut Visit<'_>,
    ) -> Result<(), IndexError> {
        let entries = self.0.entries.lock().unwrap();
        for (key, value) in entries.range(prefix.to_vec()..before.to_vec()).rev() {
            if !key.starts_with(prefix) || each(key, value) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn last(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let entries = self.0.entries.lock().unwrap();
        let mut keys = entries.keys().rev();
        Ok(keys.find(|key| key.starts_with(prefix)).cloned())
    }

    fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
}

#[test]
fn changes_that_the_engine_refuses_are_kept() {
    let archive = Archive::new();
    let engine = Arc::new(Engine::default());
    let fold = Fold::new(
        Box::new(Shared(Arc::clone(&engine))),
        Arc::new(TestSealer),
        archive.index(),
        archive.store().clone(),
        None,
    );
    let (address, frame, manifest) = archive.append(0);
    let hit = Hit::of_manifest(frame.version, address, &manifest);
    fold.add_version(&hit, &frame.identity, None).unwrap();
    engine.refuses.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        assert!(fold.flush().is_err());
    }
    assert!(fold.is_suspect(), "the next opening checks every entry");
    let identity = key::of_identity(&frame.identity);
    assert!(fold.get(&identity).unwrap().is_some());
    assert!(engine.entries.lock().unwrap().is_empty());

    engine.refuses.store(false, Ordering::Relaxed);
    let (address, frame, manifest) = archive.append(1);
    let hit = Hit::of_manifest(frame.version, address, &manifest);
    fold.add_version(&hit, &frame.identity, None).unwrap();
    fold.flush().unwrap();
    assert!(engine.entries.lock().unwrap().contains_key(&identity));
    fold.check().unwrap();
    assert_eq!(fold.counts().versions, 2);
}
