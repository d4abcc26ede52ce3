//! Whether the key media that are there may be brought into step: before anything is written, nothing may be lost by it.
//!
//! Media that went on apart from each other may hold different key-encryption keys, even under one number. The provider's file of one of them
//! replaces that of the others, and the ledger of one of them replaces one that is behind. So it is proven first that all which then counts
//! opens under the keys that stay.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use formats::id::ArchiveId;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::copies::lacking_entries;
use super::damage::damaged_only_here;
use super::entry::{LedgerEntry, wrap_context};
use super::files::OpenedLedger;
use crate::keys::beside::read_kek;
use crate::keys::error::KeyError;
use crate::keys::provider::{EARLIER_MAX, KEK_FILE, KekProvider, sealing_name};
use crate::keys::sealed;
use crate::keys::secret::KeyOwner;
use crate::store::durable::read_settled;

/// The key media that are to be brought into step.
pub(super) struct Joining<'a> {
    pub(super) provider: &'a dyn KekProvider,
    pub(super) archive: ArchiveId,
    /// All that are configured.
    pub(super) roots: &'a [PathBuf],
    pub(super) leading: &'a OpenedLedger,
    pub(super) others: Vec<&'a OpenedLedger>,
}

impl Joining<'_> {
    /// Refuses when bringing the media into step could lose a key.
    ///
    /// # Errors
    /// [`KeyError::KeysDiverge`], [`KeyError::CopiesDiverge`]; [`KeyError::InUse`] when a provider's file was replaced since it was read;
    /// what the provider says.
    pub(super) fn check(&self) -> Result<(), KeyError> {
        let differing = self.check_files()?;
        if self.others.is_empty() && differing.is_empty() {
            return Ok(());
        }
        if self.sample(self.leading)?.is_some_and(|(_, opens)| !opens) {
            let other = self.others.first().map(|its| its.root.join(KEK_FILE));
            return Err(KeyError::KeysDiverge {
                one: self.leading.root.join(KEK_FILE),
                other: other.unwrap_or_else(|| self.leading.root.clone()),
            });
        }
        for its in &self.others {
            self.check_ledger(its)?;
        }
        for its in self.others.iter().copied().chain([self.leading]) {
            if differing.contains(&its.root.as_path()) {
                self.check_secrets(its)?;
            }
        }
        Ok(())
    }

    /// The media whose provider's file is not the one that was opened. None of them may hold a key that the opened one does not know.
    fn check_files(&self) -> Result<Vec<&Path>, KeyError> {
        let opened = self.provider.file()?;
        let head = Head::parse(&opened);
        let mut differing = Vec::new();
        for root in self.roots {
            let path = root.join(KEK_FILE);
            let own = match read_kek(&path) {
                Ok(own) => own,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                // It says as little as a damaged one.
                Err(_) => Vec::new(),
            };
            if own == opened {
                continue;
            }
            differing.push(root.as_path());
            if let (Some(own), Some(head)) = (Head::parse(&own), &head) {
                if own.sequence > head.sequence {
                    return Err(KeyError::InUse { path });
                }
                if own.holds_what_is_unknown_to(head) {
                    return Err(self.diverging(root));
                }
                if let Some(diverging) = own.sealed_apart_from(head, path.clone()) {
                    return Err(KeyError::CustodyDiverges(Box::new(diverging)));
                }
            }
            // What stands in a ledger that cannot be read nobody can compare.
            let is_read = |its: &&OpenedLedger| its.root == *root;
            if !(is_read(&self.leading) || self.others.iter().any(is_read)) {
                return Err(self.diverging(root));
            }
        }
        Ok(differing)
    }

    /// What the copy is to get, to give, or to be replaced by opens.
    fn check_ledger(&self, its: &OpenedLedger) -> Result<(), KeyError> {
        let diverge = |keys: usize| KeyError::CopiesDiverge {
            path: its.root.clone(),
            keys: keys as u64,
        };
        if its.generation < self.leading.generation {
            let only_here = only_here(its, self.leading);
            if only_here > 0 {
                return Err(diverge(only_here));
            }
            for owner in self.leading.places.keys() {
                let entry = self.leading.entry(owner)?;
                let entry = entry.ok_or(KeyError::KeyDamaged { owner })?;
                if !self.opens(&entry)? {
                    return Err(diverge(its.places.len()));
                }
            }
            return Ok(());
        }
        if self.sample(its)?.is_some_and(|(_, opens)| !opens) {
            return Err(self.diverging(&its.root));
        }
        for (from, to) in [(its, self.leading), (self.leading, its)] {
            let mut closed = 0;
            for entry in lacking_entries(from, to)? {
                closed += usize::from(!self.opens(&entry)?);
            }
            if closed > 0 {
                return Err(diverge(closed));
            }
        }
        Ok(())
    }

    /// Each other secret on a medium whose provider's file is to be replaced opens, there or on another medium. One that is damaged is not lost by
    /// the replacing.
    fn check_secrets(&self, its: &OpenedLedger) -> Result<(), KeyError> {
        let same_key = self
            .sample(its)?
            .and_then(|(epoch, opens)| opens.then_some(epoch));
        let roots: Vec<&Path> = [self.leading]
            .iter()
            .chain(&self.others)
            .map(|one| one.root.as_path())
            .collect();
        for relative in sealed::files(&its.root)? {
            if !sealed::is_sealed(&relative) {
                continue;
            }
            let path = its.root.join(&relative);
            let own = read_settled(&path).map_err(|error| KeyError::io(&path, "read", error))?;
            let epoch = sealed::epoch_of(&own);
            if epoch.is_none() || epoch == same_key {
                continue;
            }
            let mut opens = false;
            for root in &roots {
                let path = root.join(&relative);
                opens |= sealed::opens_at(self.provider, self.archive, &path, &relative)?;
            }
            if !opens {
                return Err(self.diverging(&its.root));
            }
        }
        Ok(())
    }

    /// The epoch of one entry that every ledger has, or any other, and whether it opens; `None` where there is none.
    fn sample(&self, its: &OpenedLedger) -> Result<Option<(u32, bool)>, KeyError> {
        let catalog = KeyOwner::catalog(self.archive);
        let owner = match its.places.contains_key(&catalog) {
            true => Some(catalog),
            false => its.places.keys().min(),
        };
        let Some(entry) = owner.map(|owner| its.entry(owner)).transpose()?.flatten() else {
            return Ok(None);
        };
        Ok(Some((entry.wrapped.epoch, self.opens(&entry)?)))
    }

    fn opens(&self, entry: &LedgerEntry) -> Result<bool, KeyError> {
        let context = wrap_context(self.archive, entry.owner);
        match self.provider.unwrap(&context, &entry.wrapped) {
            Ok(opened) => Ok(opened.is_some()),
            Err(KeyError::UnknownEpoch { .. }) => Ok(false),
            // An intake host opens nothing; each of its keys is told by the file.
            Err(KeyError::WriteOnly) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn diverging(&self, root: &Path) -> KeyError {
        let mut others = self.roots.iter().filter(|other| *other != root);
        let other = others.next().cloned().unwrap_or_default();
        KeyError::KeysDiverge {
            one: root.join(KEK_FILE),
            other: other.join(KEK_FILE),
        }
    }
}

/// How many keys, and tombstones, only the copy holds.
fn only_here(its: &OpenedLedger, leading: &OpenedLedger) -> usize {
    let unknown = |owner: &KeyOwner| {
        !leading.places.contains_key(owner) && !leading.destroyed.contains_key(owner)
    };
    let undestroyed = |owner: &&KeyOwner| !leading.destroyed.contains_key(owner);
    its.places.keys().filter(unknown).count()
        + its.destroyed.keys().filter(undestroyed).count()
        + damaged_only_here(its, leading)
}

/// Two key media whose passphrase or ceremony was changed apart from each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyDiverging {
    /// The file that would be replaced.
    pub path: PathBuf,
    /// By what it is sealed.
    pub sealed_by: String,
    /// By what the file is sealed that was replaced more often, and would take its place.
    pub kept: String,
    /// Whether what would be replaced was set after what would take its place.
    pub is_newer: bool,
}

impl fmt::Display for CustodyDiverging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newer = if self.is_newer {
            ", and is the newer one"
        } else {
            ""
        };
        write!(
            f,
            "{} is sealed by {}{newer}; the other key medium by {}: they were changed apart, and one would bring the other back. Nothing was \
             changed. 'archiver keys inventory' tells when each was set: attach the right one alone, and make the other anew with \
             'archiver keys copy --replace'",
            self.path.display(),
            self.sealed_by,
            self.kept
        )
    }
}

/// The epochs whose keys a provider's file holds; `None` where it is not whole.
pub(in crate::keys) fn epochs_in(file: &[u8]) -> Option<Vec<u32>> {
    let epoch = |key: &Value| key.get("epoch")?.as_u64()?.try_into().ok();
    Head::parse(file)?.keys.iter().map(epoch).collect()
}

/// What every provider's file says of its keys.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Head {
    #[serde(default)]
    sequence: u64,
    current_epoch: u32,
    keys: Vec<Value>,
    // What the keys are sealed by.
    derivation: Option<Value>,
    custodians: Option<Value>,
    #[serde(default)]
    earlier: Vec<String>,
    token: Option<Value>,
    host_key: Option<Value>,
}

impl Head {
    /// The head of a whole file. A damaged one says nothing: the ledgers tell then.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut file: Value = serde_json::from_slice(bytes).ok()?;
        let checksum = std::mem::replace(file.get_mut("checksum")?, Value::String(String::new()));
        let canonical = serde_json_canonicalizer::to_vec(&file).ok()?;
        let whole = checksum.as_str()? == hex::encode(Sha256::digest(canonical));
        serde_json::from_value(file).ok().filter(|_| whole)
    }

    /// By what it is sealed.
    fn sealed_by(&self) -> Option<String> {
        let text = |value: &Option<Value>, name: &str| {
            let member = value.as_ref()?.get(name)?;
            member.as_str().map(str::to_owned)
        };
        let salt = text(&self.derivation, "salt");
        let ceremony = text(&self.custodians, "ceremony");
        sealing_name(salt.as_deref(), ceremony.as_deref())
    }

    /// What to say where it was sealed anew by itself: the latest file does not come from it.
    fn sealed_apart_from(&self, latest: &Self, path: PathBuf) -> Option<CustodyDiverging> {
        let (own, kept) = (self.sealed_by()?, latest.sealed_by()?);
        let known = (1..EARLIER_MAX).contains(&latest.earlier.len());
        let is_newer = self.earlier.contains(&kept);
        let is_unknown = known && !latest.earlier.contains(&own);
        (own != kept && (is_newer || is_unknown)).then_some(CustodyDiverging {
            path,
            sealed_by: own,
            kept,
            is_newer,
        })
    }

    /// Whether it holds a key that the latest file neither has nor, having gone on since, can have destroyed.
    fn holds_what_is_unknown_to(&self, latest: &Self) -> bool {
        if self.sequence == latest.sequence {
            return true;
        }
        let epoch = |key: &Value| key.get("epoch").and_then(Value::as_u64);
        let sealed_alike = self.derivation == latest.derivation
            && self.custodians == latest.custodians
            && self.token == latest.token
            && self.host_key == latest.host_key;
        self.keys.iter().any(|key| {
            let same = latest.keys.iter().find(|other| epoch(other) == epoch(key));
            match same {
                Some(other) => sealed_alike && other != key,
                None => epoch(key).is_none_or(|epoch| epoch >= latest.current_epoch.into()),
            }
        })
    }
}
