//! An archive that a seed makes, changes and asks, with names, amounts and days at which searches go wrong.

use std::collections::BTreeSet;

use formats::manifest::Superseded;
use time::macros::date;
use time::{Duration, OffsetDateTime};

use super::columns::all_pages;
use super::*;
use crate::store::durable::faults::Random;

const COUNTERPARTIES: [&str; 11] = [
    "㈱文蔵",
    "株式会社　文蔵",
    "（株）ふみくら",
    "ﾌﾐｸﾗ商事",
    "フミクラ商事㈲",
    "ACME Corp",
    "Ａｃｍｅ‐Ｊａｐａｎ",
    "　",
    "文",
    "蔵文",
    "Straße GmbH",
];
const PARTS: [&str; 14] = [
    "",
    " ",
    "文",
    "文蔵",
    "蔵文",
    "(株)",
    "有限会社",
    "ふみくら",
    "ﾌﾐ",
    "acme",
    "Ａ",
    "E-J",
    "strasse",
    "nobody",
];
const AMOUNTS: [&str; 12] = [
    "0",
    "-0",
    "0.00",
    "100",
    "100.00",
    "-100.5",
    "99.99995",
    "99.999951",
    "-0.00001",
    "12345678901234567890",
    "-12345678901234567890.5",
    "110000",
];
const CLASSES: [&str; 3] = ["general", "contract", "tax-invoice-received"];
const MATTERS: [&str; 4] = ["m-1", "Ｍ－１", "m-2", "  "];
const CURRENCIES: [&str; 2] = ["JPY", "USD"];
const BEGIN: OffsetDateTime = datetime!(2026-11-22 03:48:30 UTC);

/// A world that a seed makes: what was deposited, and the numbers that come next.
pub(super) struct World {
    pub(super) archive: Archive,
    random: Random,
    pub(super) deposited: Vec<VersionId>,
    deposits: u32,
    batches: u8,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            archive: Archive::new(),
            random: Random(seed),
            deposited: Vec::new(),
            deposits: 0,
            batches: 0,
        }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.archive.catalog()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One that was deposited.
    fn known(&mut self) -> VersionId {
        let at = self.below(self.deposited.len());
        self.deposited[at]
    }

    fn maybe<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        (self.below(4) > 0).then(|| self.one(of))
    }

    pub(super) fn keep_columns(&self) {
        let size = self.catalog().keep_columns(&mut |_| {}).unwrap();
        assert_eq!(size.versions, self.deposited.len() as u64);
    }

    /// One more record, or one more version of a record. Ids come in no order.
    pub(super) fn deposit(&mut self) {
        let version = match self.below(3) {
            0 if !self.deposited.is_empty() => {
                let record = self.known().record();
                let versions = self.deposited.iter().filter(|one| one.record() == record);
                VersionId::new(record, versions.count() as u32 + 1).unwrap()
            }
            _ => {
                let mut id = [0; 16];
                id[0] = self.below(256) as u8;
                id[12..].copy_from_slice(&self.deposits.to_be_bytes());
                VersionId::first(RecordId::from_bytes(id))
            }
        };
        let manifest = self.manifest(version);
        let mut frame = frame(0, manifest.raw());
        frame.version = version;
        frame.identity = identity(self.deposits);
        let appender = self.archive.appender();
        let address = appender
            .append(Frame::RecordVersion(frame.clone()))
            .unwrap();
        appender.commit(address).unwrap();
        let catalog = self.catalog();
        catalog.apply_version(address, &frame, &manifest).unwrap();
        self.deposited.push(version);
        self.deposits += 1;
    }

    fn manifest(&mut self, version: VersionId) -> Raw<Manifest> {
        let mut manifest = Manifest::clone(&manifest(0));
        manifest.record = version.record();
        manifest.version = version.version();
        manifest.supersedes = (version.version() > 1).then(|| Superseded {
            version: version.version() - 1,
            digests: Digests::of(b"old"),
        });
        manifest.class.id = self.one(&CLASSES).to_owned();
        manifest.received_at = BEGIN + Duration::microseconds(self.below(5) as i64);
        let additional = [
            ("matter", self.maybe(&MATTERS)),
            ("project", self.maybe(&["P1", "ｐ１", "p2"])),
        ];
        let additional = additional
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
        manifest.metadata = Metadata {
            date: self
                .maybe(&[0, 1, 2, 400, -9000])
                .map(|days| date!(2026 - 01 - 01) + Duration::days(days)),
            amount: self.maybe(&AMOUNTS).map(|text| text.parse().unwrap()),
            currency: self.maybe(&CURRENCIES).map(|text| text.parse().unwrap()),
            counterparty: self.maybe(&COUNTERPARTIES).map(str::to_owned),
            title: self.maybe(&["請求書", "注文書 文蔵"]).map(str::to_owned),
            document_number: self.maybe(&["No. 7", "Ｎｏ．８"]).map(str::to_owned),
            additional: additional.collect(),
            ..Metadata::default()
        };
        Manifest::parse(&manifest.encode().unwrap()).unwrap()
    }

    fn stamp(&mut self) {
        if self.catalog().counts().unwrap().unstamped > 0 {
            self.batches += 1;
            self.archive.stamp(self.batches);
        }
    }

    fn destroy(&mut self) {
        if !self.deposited.is_empty() {
            let version = self.known();
            self.catalog().purge_version(version).unwrap();
        }
    }

    /// Something that changes what is found.
    pub(super) fn step(&mut self) {
        match self.below(12) {
            0 => self.stamp(),
            1 | 2 => self.destroy(),
            // Keys that are back.
            3 => drop(self.catalog().reread_unreadable(&TestOpener).unwrap()),
            _ => self.deposit(),
        }
    }

    pub(super) fn query(&mut self) -> Query {
        let mut query = Query {
            all_versions: self.below(2) == 0,
            ..Query::default()
        };
        for _ in 0..self.below(4) {
            self.add_condition(&mut query);
        }
        query
    }

    fn add_condition(&mut self, query: &mut Query) {
        match self.below(14) {
            0 => {
                let days = [0, 1, 3, 400, -9000, 5000];
                let bound = |days| date!(2026 - 01 - 01) + Duration::days(days);
                query.date = self.range(&days, bound);
            }
            1 => query.amount = self.range(&AMOUNTS, |text| text.parse().unwrap()),
            2 => query.currency = Some(self.one(&["jpy", "USD", "EUR"]).to_owned()),
            3 | 4 => query.counterparty = Some(self.one(&PARTS).to_owned()),
            5 => query.class = Some(self.one(&["general", "contract", "", "x"]).to_owned()),
            6 => query.text = Some(self.one(&PARTS).to_owned()),
            7 => query.document_number = Some(self.one(&["no", "８", "", "9"]).to_owned()),
            8 => {
                let condition = self.one(&[
                    ("matter", "m-1"),
                    ("matter", "Ｍ‐１"),
                    ("matter", " "),
                    ("project", "P1"),
                    ("other", "x"),
                ]);
                query
                    .additional
                    .push((condition.0.to_owned(), condition.1.to_owned()));
            }
            9 => {
                let nanos = [-1, 0, 1, 999, 1000, 1001, 3999, 4000, 60_000];
                query.received = self.range(&nanos, |nanos| BEGIN + Duration::nanoseconds(nanos));
            }
            10 => query.unstamped_only = true,
            11 => query.batch = Some(BatchId::from_bytes([1 + self.below(4) as u8; 16])),
            12 if !self.deposited.is_empty() => {
                query.record = Some(self.known().record());
            }
            _ => {
                query.classes = self.some_of(&["general", "contract", "", "x"]);
                query.matters = self.some_of(&["m-1", "Ｍ－１", "  ", "x"]);
            }
        }
    }

    fn some_of(&mut self, of: &[&str]) -> Option<BTreeSet<String>> {
        (self.below(2) == 0).then(|| {
            let count = self.below(3);
            (0..count).map(|_| self.one(of).to_owned()).collect()
        })
    }

    fn range<T: Copy, U>(&mut self, of: &[T], value: impl Fn(T) -> U) -> ValueMatch<U> {
        match self.below(6) {
            0 => ValueMatch::Missing,
            1 => ValueMatch::Between(None, None),
            _ => {
                let (from, to) = (self.maybe(of), self.maybe(of));
                ValueMatch::Between(from.map(&value), to.map(&value))
            }
        }
    }

    /// Compares what the columns answer with what going through the index answers.
    pub(super) fn check(&mut self, seed: u64) {
        let mut query = self.query();
        let said = format!("seed {seed}: {query:?}");
        let catalog = self.archive.catalog();
        let scanned = catalog.search_known(&query).unwrap().0;
        assert_eq!(catalog.search(&query).unwrap(), scanned, "{said}");
        let limit = 1 + self.random.below(4) as usize;
        assert_eq!(all_pages(catalog, &query, limit), scanned, "{said}");
        query.hits_max = Some(self.random.below(5) as usize);
        let scanned = catalog.search_known(&query).unwrap().0;
        assert_eq!(catalog.search(&query).unwrap(), scanned, "{said}");
    }
}
