//! The columns beside a map, with more versions than a block holds.

use std::collections::BTreeMap;

use formats::id::RecordId;

use super::block::ROWS_MAX;
use super::*;
use crate::store::catalog::Query;
use crate::store::durable::faults::Random;

fn version(record: u64, number: u32) -> VersionId {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&record.to_be_bytes());
    VersionId::new(RecordId::from_bytes(id), number).unwrap()
}

fn facts(version: VersionId, counterparty: &str) -> Facts {
    Facts {
        version,
        date: 0,
        amount: None,
        received: 0,
        class: "general".to_owned(),
        currency: None,
        counterparty: Some(counterparty.to_owned()),
        matter: None,
    }
}

fn every() -> Query {
    Query {
        all_versions: true,
        ..Query::default()
    }
}

/// Compares order, supersession and counts with a map.
fn check(columns: &Columns, model: &BTreeMap<VersionId, String>) {
    let selection = columns.select(&every(), None, usize::MAX);
    let found: Vec<Candidate> = selection.candidates;
    let mut next = model.keys().skip(1);
    let wanted = model.keys().map(|version| Candidate {
        version: *version,
        is_superseded: next
            .next()
            .is_some_and(|next| next.record() == version.record()),
    });
    assert!(found.iter().copied().eq(wanted));
    assert_eq!(selection.total, model.len() as u64);
    assert_eq!(columns.size().versions, model.len() as u64);
    let newest = found.iter().filter(|one| !one.is_superseded).count() as u64;
    assert_eq!(columns.select(&Query::default(), None, 0).total, newest);
    assert!(columns.blocks.iter().all(|block| block.len() > 0));
}

#[test]
fn versions_that_come_in_any_order_stand_in_the_order_of_their_keys() {
    for seed in 0..3 {
        let mut random = Random(seed);
        let (mut columns, mut model) = (Columns::default(), BTreeMap::new());
        for step in 0..6 * ROWS_MAX {
            let version = version(random.below(7000), 1 + random.below(4) as u32);
            let name = format!("取引先{}", random.below(50));
            columns.put(&facts(version, &name));
            model.insert(version, name);
            if step % (2 * ROWS_MAX) == 0 {
                check(&columns, &model);
            }
        }
        check(&columns, &model);
        assert!(columns.blocks.len() > 3);
        let part = Query {
            counterparty: Some("取引先7".to_owned()),
            ..every()
        };
        let named = model.values().filter(|name| *name == "取引先7").count() as u64;
        assert_eq!(columns.select(&part, None, 0).total, named);
        let record = version(3500, 1).record();
        let of_record = Query {
            record: Some(record),
            ..every()
        };
        let wanted = model.keys().filter(|one| one.record() == record).count();
        assert_eq!(columns.select(&of_record, None, 9).candidates.len(), wanted);
    }
}

#[test]
fn versions_that_come_in_order_fill_their_blocks() {
    let (mut columns, mut model) = (Columns::default(), BTreeMap::new());
    for record in 0..3 * ROWS_MAX as u64 {
        let version = version(record / 2, 1 + (record % 2) as u32);
        columns.put(&facts(version, "文蔵"));
        model.insert(version, String::new());
    }
    check(&columns, &model);
    assert_eq!(columns.blocks.len(), 3);
    let size = columns.size();
    assert!(size.column_bytes / size.versions <= 64, "{size:?}");
    assert!(size.text_bytes < 2000, "{size:?}");
}

#[test]
fn pages_go_on_behind_a_version_across_blocks() {
    let mut columns = Columns::default();
    for record in 0..2 * ROWS_MAX as u64 + 5 {
        columns.put(&facts(version(record, 1), "文蔵"));
    }
    let mut after = None;
    let mut met = 0;
    loop {
        let selection = columns.select(&every(), after, 1000);
        assert_eq!(selection.total, 2 * ROWS_MAX as u64 + 5);
        met += selection.candidates.len();
        let last = selection.candidates.last().map(|one| one.version);
        assert!(last > after);
        after = last;
        if !selection.has_more {
            break;
        }
    }
    assert_eq!(met, 2 * ROWS_MAX + 5);
}

#[test]
fn what_no_version_says_any_more_is_not_kept() {
    let mut columns = Columns::default();
    columns.put(&facts(version(1, 1), "秘密商事"));
    columns.put(&facts(version(2, 1), "文蔵"));
    columns.stamp(version(1, 1), BatchId::from_bytes([4; 16]));
    let mut destroyed = facts(version(1, 1), "");
    destroyed.counterparty = None;
    columns.put(&destroyed);
    let names = |part: &str| {
        let query = Query {
            counterparty: Some(part.to_owned()),
            ..every()
        };
        columns.select(&query, None, 9).total
    };
    assert_eq!((names("秘密"), names("文蔵"), names("")), (0, 1, 1));
    let of_batch = Query {
        batch: Some(BatchId::from_bytes([4; 16])),
        ..every()
    };
    assert_eq!(
        columns.select(&of_batch, None, 9).total,
        1,
        "its stamp stays"
    );
    assert!(!format!("{columns:?}").contains("文蔵"));
}
