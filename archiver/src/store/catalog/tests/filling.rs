//! What an index answers while it is being filled.

use std::sync::{Condvar, Mutex};

use super::*;

/// Lets so many manifests through, and the rest when it is opened.
#[derive(Default)]
struct Gate {
    left: Mutex<u64>,
    opened: Condvar,
}

impl Gate {
    fn with(left: u64) -> Arc<Self> {
        Arc::new(Self {
            left: Mutex::new(left),
            ..Self::default()
        })
    }

    fn open(&self) {
        *self.left.lock().unwrap() = u64::MAX;
        self.opened.notify_all();
    }
}

impl ManifestOpener for Gate {
    fn open_manifest(&self, version: &RecordVersion) -> Result<Raw<Manifest>, ManifestFailure> {
        // Only the thread that fills waits.
        if std::thread::current().name() == Some("index-filler") {
            let mut left = self.left.lock().unwrap();
            while *left == 0 {
                left = self.opened.wait(left).unwrap();
            }
            *left = left.saturating_sub(1);
        }
        TestOpener.open_manifest(version)
    }

    fn open_event(&self, event: &Event) -> Option<RecordedEvent> {
        TestOpener.open_event(event)
    }
}

fn begin(archive: &mut Archive, gate: &Arc<Gate>) -> (Arc<Catalog>, Filler) {
    archive.catalog = None;
    std::fs::remove_dir_all(archive.index()).unwrap();
    let opener = Arc::clone(gate) as Arc<dyn ManifestOpener>;
    let options = archive.catalog_options();
    let (catalog, filler, _) = Catalog::open_filling(archive.store(), options, opener).unwrap();
    (catalog, filler)
}

fn wait_for(catalog: &Catalog, versions: u64) {
    while catalog.filling().unwrap().versions < versions {
        std::thread::yield_now();
    }
}

#[test]
fn a_record_is_found_by_its_id_before_it_is_folded() {
    let mut archive = Archive::new();
    archive.deposit(0..200);
    archive.stamp(1);
    let before = archive.answers();
    let gate = Gate::with(50);
    let (catalog, filler) = begin(&mut archive, &gate);
    wait_for(&catalog, 50);
    let filling = catalog.filling().unwrap();
    assert!(filling.at < filling.end && filling.versions <= 50);
    // Numbers 2 and 3 are two versions of a record that is folded, 150 and 151 of one that is not.
    for number in [0, 2, 3, 49, 50, 150, 151, 199] {
        let wanted = version(number);
        let found = catalog.version(wanted).unwrap().unwrap();
        let whole = before
            .hits
            .iter()
            .find(|hit| hit.version == wanted)
            .unwrap();
        assert_eq!(found.metadata, whole.metadata);
        assert_eq!(found.address, whole.address);
        assert!(found.readable);
        let newest = catalog.latest(wanted.record()).unwrap().unwrap();
        let expected = before
            .hits
            .iter()
            .rfind(|hit| hit.version.record() == wanted.record());
        assert_eq!(newest.version, expected.unwrap().version, "{number}");
        assert!(!newest.superseded);
    }
    assert_eq!(catalog.version(version(1000)).unwrap(), None);
    gate.open();
    let report = filler.wait().unwrap();
    assert_eq!((report.versions_applied, report.rebuilt), (200, true));
    assert_eq!(catalog.filling(), None);
    assert_eq!(answers(&catalog), before);
}

#[test]
fn half_an_index_does_not_say_what_waits_or_what_is_proven() {
    let mut archive = Archive::new();
    archive.deposit(0..60);
    archive.stamp(1);
    let gate = Gate::with(20);
    let (catalog, filler) = begin(&mut archive, &gate);
    wait_for(&catalog, 20);
    let refused = |error: StoreError| matches!(error, StoreError::IndexFilling { .. });
    assert!(refused(catalog.unstamped(9).unwrap_err()));
    assert!(refused(
        catalog.by_deposit_identity(&identity(1)).unwrap_err()
    ));
    assert!(refused(catalog.heads().unwrap_err()));
    assert!(refused(catalog.chains_of(version(0), 0).unwrap_err()));
    assert!(refused(catalog.renewal_turn().unwrap_err()));
    assert!(refused(catalog.signature_of(version(0)).unwrap_err()));
    let topic = crate::event::Topic::Media;
    assert!(refused(catalog.events(topic, &mut |_| true).unwrap_err()));
    assert!(refused(catalog.search(&Query::default()).unwrap_err()));
    assert!(refused(catalog.for_each(&mut |_| true).unwrap_err()));
    assert!(refused(catalog.counts().unwrap_err()));
    assert!(refused(catalog.batches().unwrap_err()));
    assert!(refused(catalog.batch_of(version(0)).unwrap_err()));
    gate.open();
    filler.wait().unwrap();
    assert!(catalog.unstamped(9).unwrap().is_empty());
    assert_eq!(catalog.chains_of(version(0), 0).unwrap().len(), 1);
    assert!(catalog.renewal_turn().is_ok());
}

#[test]
fn a_search_tells_what_is_known_and_how_far_that_is() {
    let mut archive = Archive::new();
    archive.deposit(0..60);
    archive.stamp(1);
    let query = Query {
        all_versions: true,
        ..Query::default()
    };
    let before = archive.answers();
    let gate = Gate::with(20);
    let (catalog, filler) = begin(&mut archive, &gate);
    wait_for(&catalog, 20);
    let (hits, filling) = catalog.search_known(&query).unwrap();
    assert_eq!(hits.len(), 20);
    assert!(filling.unwrap().at < filling.unwrap().end);
    gate.open();
    filler.wait().unwrap();
    let (hits, filling) = catalog.search_known(&query).unwrap();
    assert_eq!((hits.len(), filling), (before.hits.len(), None));
}

#[test]
fn an_index_into_which_nothing_is_read_finds_records_by_their_ids() {
    let mut archive = Archive::new();
    archive.deposit(0..10);
    archive.catalog = None;
    std::fs::remove_dir_all(archive.index()).unwrap();
    let options = archive.catalog_options();
    let opener = Gate::with(0);
    let (catalog, _) = Catalog::open_unfilled(archive.store(), options, opener).unwrap();
    let newest = catalog.latest(version(3).record()).unwrap().unwrap();
    assert_eq!(newest.version, version(3));
    assert_eq!(catalog.version(version(11)).unwrap(), None);
    let (hits, filling) = catalog.search_known(&Query::default()).unwrap();
    assert!(hits.is_empty() && filling.is_some());
}

#[test]
fn a_filling_that_is_stopped_is_gone_on_with() {
    let mut archive = Archive::new();
    archive.deposit(0..80);
    archive.stamp(1);
    let before = archive.answers();
    let gate = Gate::with(30);
    let (catalog, filler) = begin(&mut archive, &gate);
    wait_for(&catalog, 30);
    // The thread waits in the gate; it sees the word to stop when it comes out.
    let stopping = std::thread::spawn(move || drop(filler));
    while !catalog.is_told_to_stop() {
        std::thread::yield_now();
    }
    gate.open();
    stopping.join().unwrap();
    assert!(catalog.filling().is_some());
    drop(catalog);
    let report = archive.open_catalog();
    assert!((1..=50).contains(&report.versions_applied), "{report:?}");
    assert!(!report.rebuilt);
    assert_eq!(archive.answers(), before);
}
