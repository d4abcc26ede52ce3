//! What was fetched already. All of it can be fetched again: the cache is derived and may be lost.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use formats::digest::DigestAlgorithm;
use time::OffsetDateTime;

use super::revocation::CrlHead;
use crate::store::durable::{DerivedPlace, create_directories, replace_derived_file};

/// Something that was fetched.
#[derive(Debug, Clone)]
struct Kept {
    body: Vec<u8>,
    /// Until when nothing newer is expected.
    until: OffsetDateTime,
}

/// A cache in memory; CRLs also in a folder, if there is one.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: Mutex<HashMap<String, Kept>>,
    folder: Option<DerivedPlace>,
}

impl Cache {
    pub(super) fn new(folder: Option<DerivedPlace>) -> Self {
        Self {
            kept: Mutex::default(),
            folder,
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was kept for a key, if nothing newer is expected yet.
    pub(super) fn get(&self, key: &str, now: OffsetDateTime) -> Option<Vec<u8>> {
        let kept = self.kept();
        let entry = kept.get(key).filter(|entry| now < entry.until)?;
        Some(entry.body.clone())
    }

    /// Keeps something until a time.
    pub(super) fn put(&self, key: &str, body: &[u8], until: OffsetDateTime) {
        let mut kept = self.kept();
        if kept.len() >= ENTRIES_MAX {
            kept.clear();
        }
        let body = body.to_vec();
        kept.insert(key.to_owned(), Kept { body, until });
    }

    /// A CRL, also from the folder.
    pub(super) fn crl(&self, address: &str, now: OffsetDateTime) -> Option<Vec<u8>> {
        if let Some(body) = self.get(address, now) {
            return Some(body);
        }
        let body = std::fs::read(self.file_of(address)?).ok()?;
        self.remember_crl(address, &body, now);
        self.get(address, now)
    }

    /// Keeps a CRL until its next update, also in the folder.
    pub(super) fn put_crl(&self, address: &str, body: &[u8], now: OffsetDateTime) {
        self.remember_crl(address, body, now);
        let (Some(folder), Some(file)) = (&self.folder, self.file_of(address)) else {
            return;
        };
        // A cache that cannot be written costs a download, and nothing else.
        let disk = folder.disk.as_ref();
        let written = create_directories(disk, &folder.path)
            .and_then(|()| replace_derived_file(disk, &file, body));
        drop(written);
    }

    fn remember_crl(&self, address: &str, body: &[u8], now: OffsetDateTime) {
        if let Ok(head) = CrlHead::read(body) {
            let until = head.next_update.unwrap_or(now);
            self.put(address, body, until);
        }
    }

    fn file_of(&self, address: &str) -> Option<PathBuf> {
        let name = DigestAlgorithm::Sha256.digest(address.as_bytes());
        let name = format!("{}.crl", hex::encode(name.as_bytes()));
        self.folder.as_ref().map(|folder| folder.path.join(name))
    }
}

/// Things kept in memory. An archive has a handful of authorities with two or three certificates each.
const ENTRIES_MAX: usize = 64;
