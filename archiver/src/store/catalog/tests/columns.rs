//! Searches by columns beside searches by going through the index: the same answers, whatever was done to the archive.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use super::world::World;
use super::*;
use crate::access::account::Scope;

/// What all pages hold together. Each says how much that is.
pub(super) fn all_pages(catalog: &Catalog, query: &Query, limit: usize) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut totals = BTreeSet::new();
    let mut at: Option<Cursor> = None;
    loop {
        let page = catalog.search_page(query, at.as_ref(), limit).unwrap();
        assert!(page.hits.len() <= limit);
        totals.insert(page.total);
        hits.extend(page.hits);
        match page.next {
            Some(next) => {
                assert_eq!(hits.len() % limit, 0, "a page that another follows is full");
                assert_eq!(next.to_string().parse(), Ok(next));
                at = Some(next);
            }
            None => break,
        }
    }
    assert_eq!(totals.into_iter().collect::<Vec<_>>(), [hits.len() as u64]);
    hits
}

#[test]
fn columns_answer_as_going_through_the_index_does_after_every_change() {
    for seed in 0..12 {
        let mut world = World::new(seed);
        if seed % 2 == 0 {
            world.keep_columns();
        }
        for step in 0..60 {
            world.step();
            if step == 40 {
                // Made from an index that has everything in it already.
                world.archive.open_catalog();
                world.keep_columns();
            }
            for _ in 0..4 {
                world.check(seed);
            }
        }
        let size = world.catalog().columns_size().unwrap().unwrap();
        assert_eq!(size.versions, world.deposited.len() as u64);
    }
}

#[test]
fn searches_by_columns_find_something_and_not_everything() {
    let mut world = World::new(77);
    (0..120).for_each(|_| world.step());
    world.keep_columns();
    let total = world.deposited.len() as u64;
    let (mut none, mut some) = (0, 0);
    for _ in 0..400 {
        let query = world.query();
        match world.catalog().search_page(&query, None, 0).unwrap().total {
            0 => none += 1,
            found if found < total => some += 1,
            _ => {}
        }
    }
    assert!(none > 40 && some > 100, "{none} {some}");
}

#[test]
fn what_changes_while_the_columns_are_made_is_in_them() {
    let archive = Archive::new();
    archive.deposit(0..200);
    archive.stamp(1);
    archive.deposit(200..231);
    let catalog = archive.catalog();
    let mut told = Vec::new();
    // Told before anything is read, when all versions are, and when their stamps are.
    let mut change = |progress: ColumnsProgress| {
        match told.len() {
            0 => {
                archive.deposit(231..259);
                catalog.purge_version(version(7)).unwrap();
            }
            1 => {
                archive.stamp(2);
                // The first of these supersedes the last one that was read.
                archive.deposit(259..300);
                catalog.purge_version(version(11)).unwrap();
                catalog.purge_version(version(250)).unwrap();
            }
            _ => archive.stamp(3),
        }
        told.push(progress.versions);
    };
    let size = catalog.keep_columns(&mut change).unwrap();
    assert_eq!((told.as_slice(), size.versions), (&[0, 259, 259][..], 300));
    let again = catalog.keep_columns(&mut |_| panic!("made twice"));
    assert_eq!(again.unwrap(), size);
    let queries = [
        Query::default(),
        Query {
            batch: Some(BatchId::from_bytes([2; 16])),
            all_versions: true,
            ..Query::default()
        },
        Query {
            batch: Some(BatchId::from_bytes([3; 16])),
            all_versions: true,
            ..Query::default()
        },
        Query {
            amount: ValueMatch::Missing,
            all_versions: true,
            ..Query::default()
        },
        Query {
            counterparty: Some("文蔵1".to_owned()),
            ..Query::default()
        },
    ];
    for query in queries {
        let scanned = catalog.search_known(&query).unwrap().0;
        assert!(!scanned.is_empty(), "{query:?}");
        assert_eq!(catalog.search(&query).unwrap(), scanned, "{query:?}");
        assert_eq!(all_pages(catalog, &query, 7), scanned, "{query:?}");
    }
}

#[test]
fn paging_meets_each_version_once_while_others_are_added() {
    for (seed, with_columns) in (0..8).zip([false, true].into_iter().cycle()) {
        let mut world = World::new(seed);
        (0..50).for_each(|_| world.deposit());
        if with_columns {
            world.keep_columns();
        }
        let query = Query {
            all_versions: true,
            ..Query::default()
        };
        let mut ahead: BTreeSet<VersionId> = world.deposited.iter().copied().collect();
        let mut met = BTreeSet::new();
        let mut at: Option<Cursor> = None;
        loop {
            let page = world.catalog().search_page(&query, at.as_ref(), 3).unwrap();
            assert_eq!(page.total, world.deposited.len() as u64);
            for hit in &page.hits {
                assert!(met.insert(hit.version), "seed {seed}: met twice");
            }
            let Some(next) = page.next else {
                break;
            };
            at = Some(next);
            let last = *met.last().unwrap();
            world.deposit();
            ahead.extend(world.deposited.last().filter(|added| **added > last));
        }
        assert_eq!(met, ahead, "seed {seed}");
    }
}

#[test]
fn the_latest_first_is_the_same_turned_around_with_columns_and_without() {
    for seed in 0..6 {
        let mut world = World::new(seed);
        (0..40).for_each(|_| world.deposit());
        for with_columns in [false, true] {
            if with_columns {
                world.keep_columns();
            }
            for (text, all_versions) in [(None, true), (None, false), (Some("a"), true)] {
                let query = |newest_first| Query {
                    text: text.map(str::to_owned),
                    all_versions,
                    newest_first,
                    ..Query::default()
                };
                let mut expected = all_pages(world.catalog(), &query(false), 7);
                assert!(!expected.is_empty() || text.is_some(), "seed {seed}");
                expected.reverse();
                for limit in [1, 7, 100] {
                    let found = all_pages(world.catalog(), &query(true), limit);
                    assert_eq!(found, expected, "seed {seed}, {limit}, {text:?}");
                }
                assert_eq!(world.catalog().search(&query(true)).unwrap(), expected);
                let few = Query {
                    hits_max: Some(3),
                    ..query(true)
                };
                let few = world.catalog().search(&few).unwrap();
                assert_eq!(few, expected.get(..3.min(expected.len())).unwrap());
            }
        }
    }
}

#[test]
fn a_page_opens_its_own_hits_and_no_others() {
    /// Counts what is opened.
    #[derive(Debug, Default)]
    struct Counting(AtomicU64);

    impl ValueSealer for Counting {
        fn seal(&self, context: &[u8], value: &[u8]) -> Option<Vec<u8>> {
            TestSealer.seal(context, value)
        }

        fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            TestSealer.open(context, sealed)
        }
    }

    let mut archive = Archive::new();
    archive.deposit(0..400);
    archive.catalog = None;
    let sealer = Arc::new(Counting::default());
    let options = CatalogOptions {
        sealer: Arc::clone(&sealer) as Arc<dyn ValueSealer>,
        ..archive.catalog_options()
    };
    let (catalog, _) = Catalog::open(archive.store(), options, &TestOpener, &mut |_| {}).unwrap();
    let query = Query {
        class: Some("contract".to_owned()),
        all_versions: true,
        ..Query::default()
    };
    let opened = |limit| {
        let before = sealer.0.load(Ordering::Relaxed);
        let page = catalog.search_page(&query, None, limit).unwrap();
        assert_eq!((page.total, page.hits.len()), (200, limit));
        sealer.0.load(Ordering::Relaxed) - before
    };
    assert!(opened(5) >= 400, "without columns every entry is opened");
    catalog.keep_columns(&mut |_| {}).unwrap();
    assert_eq!(opened(5), 5, "nothing is stamped: an entry for each hit");
    assert_eq!(opened(0), 0);
}

#[test]
fn a_cursor_is_a_version_and_nothing_else() {
    for text in [
        "",
        "x",
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-000000000001/0",
        "00000000-0000-0000-0000-000000000001/01",
        "00000000-0000-0000-0000-000000000001/1 ",
        "00000000-0000-0000-0000-000000000001/4294967296",
        "'; drop table",
    ] {
        assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
    }
    let archive = Archive::new();
    archive.deposit(0..8);
    for with_columns in [false, true] {
        if with_columns {
            archive.catalog().keep_columns(&mut |_| {}).unwrap();
        }
        let found = |cursor: &str| {
            let cursor: Cursor = cursor.parse().unwrap();
            let catalog = archive.catalog();
            let page = catalog.search_page(&Query::default(), Some(&cursor), 100);
            let page = page.unwrap();
            assert_eq!((page.total, page.next), (6, None));
            page.hits.len()
        };
        // Any version will do, there or not.
        assert_eq!(found("00000000-0000-0000-0000-000000000000/1"), 5);
        assert_eq!(found("00000000-0000-0000-0000-000000000003/9"), 3);
        assert_eq!(found("ffffffff-ffff-ffff-ffff-ffffffffffff/4294967295"), 0);
    }
}

#[test]
fn what_may_be_seen_is_what_the_scope_of_an_account_covers() {
    let mut world = World::new(5);
    (0..80).for_each(|_| world.step());
    let all = world.catalog().search(&Query::default()).unwrap();
    let set = |of: &[&str]| of.iter().map(|text| (*text).to_owned()).collect();
    let classes = [None, Some(set(&["general", "x"])), Some(set(&[]))];
    let matters = [None, Some(set(&["m-1", "  "])), Some(set(&[]))];
    for with_columns in [false, true] {
        if with_columns {
            world.keep_columns();
        }
        let mut found = BTreeSet::new();
        for (classes, matters) in classes
            .iter()
            .flat_map(|classes| matters.iter().map(move |matters| (classes, matters)))
        {
            let scope = Scope {
                classes: classes.clone(),
                matters: matters.clone(),
            };
            let query = Query {
                classes: classes.clone(),
                matters: matters.clone(),
                ..Query::default()
            };
            let mut covered = all.clone();
            covered.retain(|hit| {
                let matter = hit.metadata.additional.get(MATTER);
                scope.covers(&hit.class, matter.map(String::as_str))
            });
            found.insert(covered.len());
            assert_eq!(world.catalog().search(&query).unwrap(), covered);
        }
        assert!(found.len() > 3, "scopes differ: {found:?}");
    }
}

#[test]
fn columns_are_not_made_from_half_an_index() {
    let mut archive = Archive::new();
    archive.deposit(0..30);
    archive.catalog = None;
    std::fs::remove_dir_all(archive.index()).unwrap();
    let opener: Arc<dyn ManifestOpener> = Arc::new(TestOpener);
    let (catalog, _) =
        Catalog::open_unfilled(archive.store(), archive.catalog_options(), opener).unwrap();
    assert!(matches!(
        catalog.keep_columns(&mut |_| {}),
        Err(StoreError::IndexFilling { .. })
    ));
    assert_eq!(catalog.columns_size().unwrap(), None);
}
