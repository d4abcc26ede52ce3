//! Chains, renewals, tracks; material, further digests, signatures and receipts.

use formats::id::ReceiptId;
use formats::segment::{FurtherDigests, Leaves, Receipt, Signature, ValidationMaterial};

use super::*;

const TIME: time::OffsetDateTime = datetime!(2027-01-01 00:00 UTC);

fn batch(number: u8) -> BatchId {
    BatchId::from_bytes([number; 16])
}

fn versions(numbers: impl IntoIterator<Item = u32>) -> Leaves {
    Leaves::Versions(numbers.into_iter().map(version).collect())
}

fn heads(numbers: impl IntoIterator<Item = u8>) -> Leaves {
    Leaves::Heads(numbers.into_iter().map(batch).collect())
}

fn starts(places: &[(u8, u64)]) -> Vec<ChainStart> {
    let places = places.iter().map(|&(head, leaf)| ChainStart {
        head: batch(head),
        leaf,
    });
    places.collect()
}

impl Archive {
    fn add(&self, frame: Frame) -> FrameAddress {
        let appender = self.appender();
        let address = appender.append(frame.clone()).unwrap();
        appender.commit(address).unwrap();
        self.catalog().apply(address, &frame).unwrap();
        // A second time does no harm.
        self.catalog().apply(address, &frame).unwrap();
        address
    }

    /// A batch over these leaves, which stand in pages of three when they are more.
    fn cover(&self, number: u8, kind: TimeStampKind, track: u8, leaves: Leaves) -> FrameAddress {
        let tree = batch(number % 100);
        let mut leaf_pages = Vec::new();
        let leaf_count = leaves.len() as u64;
        let pages: Vec<Leaves> = match &leaves {
            Leaves::Versions(all) => all
                .chunks(3)
                .map(|page| Leaves::Versions(page.to_vec()))
                .collect(),
            Leaves::Heads(all) => all
                .chunks(3)
                .map(|page| Leaves::Heads(page.to_vec()))
                .collect(),
        };
        let paged = pages.len() > 1;
        for (page, leaves) in pages.into_iter().enumerate().filter(|_| paged) {
            let page = LeafPage {
                batch: tree,
                first: page as u64 * 3,
                leaves,
            };
            leaf_pages.push(self.appender().append(Frame::LeafPage(page)).unwrap());
        }
        self.add(Frame::ArchiveTimeStamp(ArchiveTimeStamp {
            batch: batch(number),
            kind,
            track,
            algorithm: DigestAlgorithm::Sha256,
            stamped_at: TIME,
            leaf_count,
            tree,
            tree_pages: Vec::new(),
            leaf_pages,
            leaves: if paged { Leaves::none(kind) } else { leaves },
            tsa: "test".to_owned(),
            token: vec![0x30, 0],
        }))
    }

    fn material(&self, number: u8) -> FrameAddress {
        self.add(Frame::ValidationMaterial(ValidationMaterial {
            batch: batch(number),
            collected_at: TIME,
            certificates: vec![vec![0x30, 0]],
            crls: Vec::new(),
            ocsp_responses: Vec::new(),
        }))
    }

    fn chains(&self, number: u32, track: u8) -> Vec<ChainStart> {
        self.catalog().chains_of(version(number), track).unwrap()
    }

    fn live(&self) -> Vec<(u8, u64)> {
        let heads = self.catalog().heads().unwrap();
        let facts = heads
            .iter()
            .map(|head| (head.entry.batch.as_bytes()[0], head.live));
        facts.collect()
    }

    fn material_of(&self, number: u8) -> Vec<FrameAddress> {
        self.catalog().material_of(batch(number)).unwrap()
    }

    /// The index made from the segments answers as this one does.
    fn rebuilt(mut self) -> Self {
        let before = self.answers();
        let material: Vec<_> = (0..200).map(|number| self.material_of(number)).collect();
        self.catalog = None;
        let (catalog, report) = Catalog::rebuild(
            self.store(),
            self.catalog_options(),
            &TestOpener,
            &mut |_| {},
        )
        .unwrap();
        assert!(report.damaged.is_empty());
        self.catalog = Some(catalog);
        assert_eq!(self.answers(), before);
        let again: Vec<_> = (0..200).map(|number| self.material_of(number)).collect();
        assert_eq!(again, material);
        self
    }
}

#[test]
fn chains_begin_and_go_on() {
    let archive = Archive::new();
    archive.deposit(0..8);
    archive.cover(1, TimeStampKind::Initial, 0, versions(0..5));
    archive.cover(2, TimeStampKind::Initial, 0, versions(5..8));
    assert_eq!(archive.live(), [(1, 5), (2, 3)]);
    assert_eq!(archive.chains(4, 0), starts(&[(1, 4)]));
    assert_eq!(archive.chains(4, 1), []);

    archive.cover(3, TimeStampKind::TimeStampRenewal, 0, heads([1, 2]));
    archive.cover(4, TimeStampKind::TimeStampRenewal, 0, heads([2]));
    let head = archive.catalog().head(batch(2)).unwrap().unwrap();
    let links = [(3, 1), (4, 0)].map(|(number, leaf)| ChainLink {
        batch: batch(number),
        leaf,
    });
    assert_eq!(head.renewals, links);
    assert_eq!(head.newest(), batch(4));
    assert_eq!(archive.catalog().head(batch(3)).unwrap(), None);

    archive.cover(5, TimeStampKind::HashTreeRenewal, 0, versions([0, 6, 7, 1]));
    assert_eq!(archive.live(), [(1, 3), (2, 1), (5, 4)]);
    assert_eq!(archive.chains(7, 0), starts(&[(2, 2), (5, 2)]));
    archive.cover(6, TimeStampKind::HashTreeRenewal, 0, versions([7]));
    assert_eq!(archive.live(), [(1, 3), (2, 1), (5, 3), (6, 1)]);
    assert_eq!(archive.chains(7, 0), starts(&[(2, 2), (5, 2), (6, 0)]));
    // The stamp of a version stays its first one.
    let stamp = archive.catalog().batch_of(version(7)).unwrap().unwrap();
    assert_eq!(stamp.batch, batch(2));
    archive.rebuilt();
}

#[test]
fn tracks_are_apart() {
    let archive = Archive::new();
    archive.deposit(0..4);
    archive.cover(1, TimeStampKind::Initial, 0, versions(0..4));
    // The second authority stamps the same pages.
    archive.cover(101, TimeStampKind::Initial, 1, versions(0..4));
    assert_eq!(archive.live(), [(1, 4), (101, 4)]);
    archive.cover(3, TimeStampKind::HashTreeRenewal, 1, versions([2]));
    assert_eq!(archive.live(), [(1, 4), (3, 1), (101, 3)]);
    assert_eq!(archive.chains(2, 0), starts(&[(1, 2)]));
    assert_eq!(archive.chains(2, 1), starts(&[(101, 2), (3, 0)]));
    // A renewal of one track says nothing of the other's heads.
    archive.cover(4, TimeStampKind::TimeStampRenewal, 0, heads([1, 101]));
    let other = archive.catalog().head(batch(101)).unwrap().unwrap();
    assert_eq!(other.renewals, []);
    let entry = archive.catalog().batch(batch(101)).unwrap().unwrap();
    assert_eq!((entry.track, entry.tree), (1, batch(1)));
    archive.rebuilt();
}

#[test]
fn what_does_not_fit_is_passed_over() {
    let archive = Archive::new();
    archive.deposit(0..4);
    // A renewal of what has no chain, and of a head that nobody knows.
    archive.cover(1, TimeStampKind::HashTreeRenewal, 0, versions([0]));
    archive.cover(2, TimeStampKind::TimeStampRenewal, 0, heads([9]));
    assert_eq!(archive.chains(0, 0), []);
    assert_eq!(archive.catalog().counts().unwrap().unstamped, 4);
    // A version that is stamped first for a second time, a version that nobody knows.
    archive.cover(3, TimeStampKind::Initial, 0, versions([0, 1, 90]));
    archive.cover(4, TimeStampKind::Initial, 0, versions([1, 2]));
    assert_eq!(archive.live(), [(1, 0), (3, 2), (4, 1)]);
    assert_eq!(archive.chains(1, 0), starts(&[(3, 1)]));
    archive.rebuilt();
}

#[test]
fn material_counts_until_the_token_is_renewed() {
    let archive = Archive::new();
    archive.deposit(0..6);
    archive.cover(1, TimeStampKind::Initial, 0, versions(0..3));
    archive.cover(2, TimeStampKind::Initial, 0, versions(3..6));
    let early = archive.material(1);
    let other = archive.material(2);
    archive.cover(3, TimeStampKind::TimeStampRenewal, 0, heads([1]));
    let _late = archive.material(1);
    let second = archive.material(2);
    let renewal = archive.material(3);
    assert!(archive.catalog().is_renewed(batch(1)).unwrap());
    assert!(!archive.catalog().is_renewed(batch(2)).unwrap());
    assert_eq!(archive.material_of(1), [early]);
    assert_eq!(archive.material_of(2), [other, second]);
    // One version of each chain is renewed, and that freezes the tokens for all.
    archive.cover(4, TimeStampKind::HashTreeRenewal, 0, versions([0, 3]));
    for number in [1, 2, 3] {
        archive.material(number);
    }
    archive.cover(5, TimeStampKind::TimeStampRenewal, 0, heads([1, 2, 4]));
    archive.material(4);
    assert_eq!(archive.material_of(1), [early]);
    assert_eq!(archive.material_of(2), [other, second]);
    assert_eq!(archive.material_of(3), [renewal]);
    assert_eq!(archive.material_of(4), []);
    archive.rebuilt();
}

#[test]
fn digests_signatures_and_receipts_are_found() {
    let archive = Archive::new();
    archive.deposit(0..3);
    let catalog = archive.catalog();
    let algorithm = DigestAlgorithm::Sha3_256;
    let digests = |number| {
        Frame::FurtherDigests(FurtherDigests {
            version: version(number),
            algorithm,
            sealed: vec![0; 48],
        })
    };
    let first = archive.add(digests(1));
    archive.add(digests(1));
    assert_eq!(
        catalog.further_digests(version(1), algorithm).unwrap(),
        Some(first)
    );
    assert_eq!(
        catalog.further_digests(version(0), algorithm).unwrap(),
        None
    );
    let other = catalog.further_digests(version(1), DigestAlgorithm::Sha3_512);
    assert_eq!(other.unwrap(), None);

    let signature = |generation| {
        Frame::Signature(Signature {
            version: version(2),
            generation,
            salt: [0; 8],
            sealed: vec![0; 17],
        })
    };
    archive.add(signature(0));
    let newest = archive.add(signature(7));
    archive.add(signature(3));
    assert_eq!(catalog.signature_of(version(2)).unwrap(), Some(newest));
    assert_eq!(catalog.signature_of(version(1)).unwrap(), None);

    let receipt = |id, generation| {
        Frame::Receipt(Receipt {
            id: ReceiptId::from_bytes([id; 16]),
            generation,
            versions: vec![version(0), version(2)],
            nonce: [0; 12],
            sealed: vec![0; 17],
        })
    };
    archive.add(receipt(1, 0));
    let second = archive.add(receipt(1, 1));
    let third = archive.add(receipt(2, 0));
    let expected = [(1, 1, second), (2, 0, third)].map(|(id, generation, address)| ReceiptEntry {
        id: ReceiptId::from_bytes([id; 16]),
        generation,
        address,
    });
    assert_eq!(catalog.receipts_of(version(2)).unwrap(), expected);
    assert_eq!(catalog.receipts_of(version(1)).unwrap(), []);
    assert_eq!(catalog.receipt(expected[0].id).unwrap(), Some(expected[0]));
    let archive = archive.rebuilt();
    let catalog = archive.catalog();
    assert_eq!(catalog.receipts_of(version(2)).unwrap(), expected);
    assert_eq!(catalog.signature_of(version(2)).unwrap(), Some(newest));
    assert_eq!(
        catalog.further_digests(version(1), algorithm).unwrap(),
        Some(first)
    );
}

#[test]
fn many_chains_survive_closing_and_a_kill() {
    let mut archive = Archive::new();
    archive.deposit(0..60);
    archive.cover(1, TimeStampKind::Initial, 0, versions(0..30));
    archive.cover(2, TimeStampKind::Initial, 0, versions(30..60));
    archive.cover(3, TimeStampKind::TimeStampRenewal, 0, heads([1, 2]));
    archive.catalog().checkpoint().unwrap();
    archive.cover(4, TimeStampKind::HashTreeRenewal, 0, versions(10..50));
    let expected = archive.answers();
    let report = archive.open_catalog();
    assert_eq!(report.batches_applied, 0);
    assert_eq!(archive.answers(), expected);
    // Without the note of an orderly end, every entry is looked at.
    archive.catalog = None;
    std::fs::remove_file(archive.index().join("closed")).unwrap();
    let report = archive.open_catalog();
    assert_eq!(report.set_aside, None);
    assert_eq!(archive.answers(), expected);
    archive.rebuilt();
}
