//! Damaged entries of the ledger: which of them open all the same, which stand whole elsewhere, and which a rotation would lose.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use formats::id::VersionId;

use super::KeyLedger;
use super::LedgerAccess;
use super::entry::{Guess, LedgerEntry, wrap_context};
use super::files::{self, OpenedLedger};
use crate::keys::error::KeyError;
use crate::keys::secret::KeyOwner;

/// What a rotation does where damaged entries would be lost by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DamagedEntries {
    /// Refuses, before anything is written: a copy that is not there may hold them whole.
    #[default]
    Keep,
    /// Gives them up for good.
    GiveUp,
}

/// The damaged entries on all key media in service.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Those that open, of owners that have no other entry.
    pub(super) salvaged: HashMap<KeyOwner, LedgerEntry>,
    /// Those that neither open nor stand whole anywhere, and where.
    lost: Vec<(PathBuf, LedgerEntry)>,
    /// Whose entry is as it was written, and does not open on any medium; and where one stands.
    pub(super) closed: HashMap<KeyOwner, PathBuf>,
    /// Entries of zeros, or with zeros where they begin or end, on all media: never written whole, or damaged; nobody can tell.
    unwritten: u64,
}

impl Damage {
    /// Looks at the damaged entries of the leading copy and of the others. `going` are about to be destroyed: nothing of theirs is missed.
    pub(super) fn of(
        ledger: &KeyLedger,
        leading: &OpenedLedger,
        going: &[KeyOwner],
    ) -> Result<Self, KeyError> {
        let mut damage = Self::default();
        damage.take(ledger, leading, leading, going)?;
        for copy in ledger.in_service().filter(|one| one.root != leading.root) {
            let its = files::open(&copy.root, ledger.archive, LedgerAccess::Read)?;
            damage.take(ledger, leading, &its, going)?;
        }
        damage.forget_whole(leading)?;
        Ok(damage)
    }

    /// Looks at the damaged entries of a copy that is to be made anew: what only they hold would be erased with it.
    pub(super) fn of_target(
        ledger: &KeyLedger,
        from: &OpenedLedger,
        target: &OpenedLedger,
    ) -> Result<Self, KeyError> {
        let mut damage = Self::default();
        damage.take(ledger, from, target, &[])?;
        for (_, entry) in damage.salvaged.drain() {
            damage.lost.push((target.root.clone(), entry));
        }
        damage.forget_whole(from)?;
        Ok(damage)
    }

    /// Opens each whole entry of the leading copy; where one does not open, another copy may have the key.
    pub(super) fn open_each(
        &mut self,
        ledger: &KeyLedger,
        leading: &OpenedLedger,
        going: &[KeyOwner],
    ) -> Result<(), KeyError> {
        let mut others = None;
        for owner in leading.places.keys().filter(|owner| !going.contains(owner)) {
            let entry = leading.entry(owner)?;
            if let Some(entry) = &entry
                && ledger.opens(entry)?
            {
                continue;
            }
            let others = match &mut others {
                Some(others) => others,
                none => none.insert(ledger.others(leading)?),
            };
            match ledger.opening_among(others, owner)? {
                Some(entry) => drop(self.salvaged.insert(owner, entry)),
                None => drop(self.closed.insert(owner, leading.root.clone())),
            }
        }
        Ok(())
    }

    /// How many would be lost.
    pub(super) fn lost(&self) -> u64 {
        (self.lost.len() + self.closed.len()) as u64
    }

    /// Refuses where something would be lost, unless it is given up.
    pub(super) fn check(&self, damaged: DamagedEntries) -> Result<(), KeyError> {
        let lost = self.lost.first().map(|(path, _)| path);
        match lost.or_else(|| self.closed.values().next()) {
            Some(path) if damaged == DamagedEntries::Keep => Err(KeyError::EntriesDamaged {
                path: path.clone(),
                entries: self.lost(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn take(
        &mut self,
        ledger: &KeyLedger,
        leading: &OpenedLedger,
        its: &OpenedLedger,
        going: &[KeyOwner],
    ) -> Result<(), KeyError> {
        self.unwritten += its.report.unwritten();
        for Guess { entry, is_no_key } in &its.guesses {
            let guess = entry;
            let owner = guess.owner;
            if leading.destroyed.contains_key(&owner) || going.contains(&owner) {
                continue;
            }
            let context = wrap_context(ledger.archive, owner);
            match ledger.provider.unwrap(&context, &guess.wrapped) {
                Ok(Some(_)) if leading.places.contains_key(&owner) => {}
                Ok(Some(_)) => {
                    self.salvaged.insert(owner, guess.clone());
                }
                Ok(None) | Err(KeyError::UnknownEpoch { .. }) if *is_no_key => {}
                Ok(None) | Err(KeyError::UnknownEpoch { .. }) => self.lose(&its.root, guess),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The same entry may be damaged on several media.
    fn lose(&mut self, root: &Path, guess: &LedgerEntry) {
        let is_same = |(_, other): &(PathBuf, LedgerEntry)| {
            other.owner == guess.owner || other.wrapped.sealed == guess.wrapped.sealed
        };
        if !self.lost.iter().any(is_same) {
            self.lost.push((root.to_path_buf(), guess.clone()));
        }
    }

    /// What a copy made good stands in the ledger a second time, byte for byte. Whose it is, the damaged bytes cannot say for certain: the
    /// number of a version may be what was damaged. So the wrapped keys are compared, in parts, for one of them may be damaged, too.
    fn forget_whole(&mut self, leading: &OpenedLedger) -> Result<(), KeyError> {
        if self.lost.is_empty() {
            return Ok(());
        }
        let damaged: HashSet<Vec<u8>> = self
            .lost
            .iter()
            .flat_map(|(_, guess)| parts(guess))
            .map(<[u8]>::to_vec)
            .collect();
        let mut whole = HashSet::new();
        let held = leading.places.keys();
        for owner in held.chain(self.salvaged.keys().copied()) {
            let entry = match self.salvaged.get(&owner) {
                Some(entry) => Some(entry.clone()),
                None => leading.entry(owner)?,
            };
            for part in entry.iter().flat_map(parts) {
                if damaged.contains(part) {
                    whole.insert(part.to_vec());
                }
            }
        }
        self.lost
            .retain(|(_, guess)| !parts(guess).any(|part| whole.contains(part)));
        Ok(())
    }
}

/// How many damaged entries of a copy that is to be replaced may be all that there is of a key: some open all the same.
pub(super) fn damaged_only_here(its: &OpenedLedger, leading: &OpenedLedger) -> usize {
    let is_known = |owner: &KeyOwner| {
        leading.places.contains_key(owner) || leading.destroyed.contains_key(owner)
    };
    let mut guesses: Vec<&Guess> = its.guesses.iter().collect();
    guesses.retain(|guess| !guess.is_no_key && !is_known(&guess.entry.owner));
    if guesses.is_empty() {
        return 0;
    }
    // One that was made good since stands there whole, too; its damaged bytes may name another owner.
    let mut whole = HashSet::new();
    for owner in its.places.keys() {
        if let Ok(Some(entry)) = its.entry(owner) {
            whole.extend(parts(&entry).map(<[u8]>::to_vec));
        }
    }
    guesses.retain(|guess| !parts(&guess.entry).any(|part| whole.contains(part)));
    guesses.len()
}

/// The wrapped key in parts, each long enough to be random.
fn parts(entry: &LedgerEntry) -> impl Iterator<Item = &[u8]> {
    let parts = entry.wrapped.sealed.chunks(PART_BYTES);
    parts.filter(|part| part.iter().any(|&byte| byte != 0))
}

impl KeyLedger {
    /// Tells how many damaged entries a rotation would lose, which destroys the keys of `versions`, and refuses unless they are given up. Nothing
    /// is written.
    ///
    /// # Errors
    /// [`KeyError::EntriesDamaged`]; errors of reading.
    pub fn require_entries(
        &self,
        versions: &[VersionId],
        damaged: DamagedEntries,
    ) -> Result<u64, KeyError> {
        let leading = files::open(self.leading_root()?, self.archive, LedgerAccess::Read)?;
        let going: Vec<KeyOwner> = versions.iter().copied().map(KeyOwner::from).collect();
        let damage = Damage::of(self, &leading, &going)?;
        damage.check(damaged)?;
        Ok(damage.lost())
    }

    /// As [`KeyLedger::require_entries`], and each whole entry is opened, too: one that does not open must be known before a new epoch is made.
    ///
    /// # Errors
    /// [`KeyError::EntriesDamaged`]; errors of reading; what the provider says.
    pub fn require_open_entries(
        &self,
        versions: &[VersionId],
        damaged: DamagedEntries,
    ) -> Result<u64, KeyError> {
        let leading = files::open(self.leading_root()?, self.archive, LedgerAccess::Read)?;
        let going: Vec<KeyOwner> = versions.iter().copied().map(KeyOwner::from).collect();
        let mut damage = Damage::of(self, &leading, &going)?;
        damage.open_each(self, &leading, &going)?;
        damage.check(damaged)?;
        // A medium that is away may hold whole what is zeros here.
        let is_away = self.in_service().count() < self.copies.len();
        if is_away && damage.unwritten > 0 && damaged == DamagedEntries::Keep {
            return Err(KeyError::EntriesDamaged {
                path: leading.root.clone(),
                entries: damage.unwritten,
            });
        }
        Ok(damage.lost())
    }

    /// The entry of an owner on a copy that does not lead, where one opens.
    pub(super) fn opening_elsewhere(
        &self,
        leading: &OpenedLedger,
        owner: KeyOwner,
    ) -> Result<Option<LedgerEntry>, KeyError> {
        self.opening_among(&self.others(leading)?, owner)
    }

    fn opening_among(
        &self,
        others: &[OpenedLedger],
        owner: KeyOwner,
    ) -> Result<Option<LedgerEntry>, KeyError> {
        for its in others {
            if let Some(entry) = its.entry(owner)?
                && self.opens(&entry)?
            {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn others(&self, leading: &OpenedLedger) -> Result<Vec<OpenedLedger>, KeyError> {
        let others = self.in_service().filter(|one| one.root != leading.root);
        others
            .map(|copy| files::open(&copy.root, self.archive, LedgerAccess::Read))
            .collect()
    }

    pub(super) fn opens(&self, entry: &LedgerEntry) -> Result<bool, KeyError> {
        let context = wrap_context(self.archive, entry.owner);
        match self.provider.unwrap(&context, &entry.wrapped) {
            Ok(opened) => Ok(opened.is_some()),
            Err(KeyError::UnknownEpoch { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

const PART_BYTES: usize = 16;
