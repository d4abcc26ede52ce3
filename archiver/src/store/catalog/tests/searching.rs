use time::macros::date;

use super::*;

fn found(archive: &Archive, query: &Query) -> usize {
    archive.catalog().search(query).unwrap().len()
}

#[test]
fn searches_find_what_they_should() {
    let archive = Archive::new();
    archive.deposit(0..420);
    let all = Query {
        all_versions: true,
        ..Query::default()
    };
    assert_eq!(found(&archive, &all), 420);
    assert_eq!(
        found(&archive, &Query::default()),
        315,
        "the newest versions only"
    );
    let with = |change: &dyn Fn(&mut Query)| {
        let mut query = all.clone();
        change(&mut query);
        found(&archive, &query)
    };
    let amount = |text: &str| Some(text.parse().unwrap());
    assert_eq!(with(&|q| q.amount = ValueMatch::Missing), 60);
    assert_eq!(
        with(&|q| q.amount = ValueMatch::Between(amount("0"), amount("0.00"))),
        60,
        "zero is an amount"
    );
    assert_eq!(
        with(&|q| q.amount = ValueMatch::Between(amount("99.5"), amount("300"))),
        180
    );
    assert_eq!(with(&|q| q.amount = ValueMatch::Between(None, None)), 360);
    assert_eq!(with(&|q| q.date = ValueMatch::Missing), 84);
    let january = (date!(2026 - 01 - 03), date!(2026 - 01 - 03));
    assert_eq!(
        with(&|q| q.date = ValueMatch::Between(Some(january.0), Some(january.1))),
        (0..420).filter(|n| n % 28 == 2 && n % 5 > 0).count()
    );
    assert_eq!(
        with(&|q| q.date = ValueMatch::Between(None, Some(date!(2025 - 12 - 31)))),
        0
    );
    for name in ["株式会社文蔵1", "（株）文蔵１", "文蔵１"] {
        assert_eq!(
            with(&|q| q.counterparty = Some(name.to_owned())),
            140,
            "{name}"
        );
    }
    assert_eq!(with(&|q| q.counterparty = Some(String::new())), 140);
    assert_eq!(with(&|q| q.counterparty = Some("有限会社".to_owned())), 0);
    assert_eq!(with(&|q| q.class = Some("contract".to_owned())), 210);
    assert_eq!(with(&|q| q.class = Some("contrac".to_owned())), 0);
    assert_eq!(with(&|q| q.currency = Some("jpy".to_owned())), 360);
    assert_eq!(with(&|q| q.text = Some("ふぁいる－４１".to_owned())), 11);
    assert_eq!(
        with(&|q| q.additional = vec![("project".to_owned(), "p1".to_owned())]),
        210
    );
    assert_eq!(
        with(&|q| q.additional = vec![("other".to_owned(), "p1".to_owned())]),
        0
    );
    assert_eq!(with(&|q| q.record = Some(version(6).record())), 2);
    assert_eq!(with(&|q| q.hits_max = Some(3)), 3);
    assert_eq!(with(&|q| q.hits_max = Some(0)), 0);
    let both = with(&|q| {
        q.class = Some("contract".to_owned());
        q.amount = ValueMatch::Missing;
    });
    assert_eq!(both, 30, "all conditions hold");
}

#[test]
fn versions_and_identities_are_found() {
    let archive = Archive::new();
    archive.deposit(0..20);
    let catalog = archive.catalog();
    let versions = catalog.versions(version(6).record()).unwrap();
    let numbers: Vec<u32> = versions.iter().map(|hit| hit.version.version()).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(
        versions
            .iter()
            .map(|hit| hit.superseded)
            .collect::<Vec<_>>(),
        [true, false]
    );
    let latest = catalog.latest(version(6).record()).unwrap().unwrap();
    assert_eq!(latest.version, version(7));
    assert_eq!(latest.metadata, manifest(7).metadata);
    assert_eq!(latest.objects[0].name, manifest(7).objects[0].name);
    assert_eq!(
        catalog.version(version(6)).unwrap().unwrap().version,
        version(6)
    );
    let none = VersionId::new(version(6).record(), 3).unwrap();
    assert!(catalog.version(none).unwrap().is_none());
    assert!(
        catalog
            .latest(RecordId::from_bytes([9; 16]))
            .unwrap()
            .is_none()
    );
    assert_eq!(
        catalog.by_deposit_identity(&identity(7)).unwrap(),
        Some(version(7))
    );
    assert_eq!(catalog.by_deposit_identity(&identity(99)).unwrap(), None);
}

#[test]
fn stamps_are_folded() {
    let archive = Archive::new();
    archive.deposit(0..300);
    assert_eq!(archive.catalog().unstamped(7).unwrap().len(), 7);
    let waiting = archive.catalog().unstamped(1).unwrap();
    let group = Manifest::group(&manifest(0), DigestAlgorithm::Sha256).unwrap();
    let leaf = formats::evidence::hash_tree::group_hash(DigestAlgorithm::Sha256, &group);
    assert_eq!(waiting[0].leaf, leaf);
    archive.stamp(1);
    archive.deposit(300..310);
    let counts = archive.catalog().counts().unwrap();
    assert_eq!(
        (counts.versions, counts.unstamped, counts.batches),
        (310, 10, 1)
    );
    let stamp = archive.catalog().batch_of(version(100)).unwrap().unwrap();
    assert_eq!(
        (stamp.batch, stamp.leaf),
        (BatchId::from_bytes([1; 16]), 100)
    );
    assert!(archive.catalog().batch_of(version(305)).unwrap().is_none());
    archive.stamp(2);
    let query = Query {
        batch: Some(BatchId::from_bytes([2; 16])),
        all_versions: true,
        ..Query::default()
    };
    assert_eq!(found(&archive, &query), 10);
    let query = Query {
        unstamped_only: true,
        ..Query::default()
    };
    assert_eq!(found(&archive, &query), 0);
    let batch = archive.catalog().batch(stamp.batch).unwrap().unwrap();
    assert_eq!((batch.leaf_count, batch.tsa.as_str()), (300, "test"));
    assert!(
        archive
            .catalog()
            .batch(BatchId::from_bytes([3; 16]))
            .unwrap()
            .is_none()
    );
}
