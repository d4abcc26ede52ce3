//! Key media of intake hosts: made by the archive, and accepted by it.

use std::path::Path;
use std::sync::Arc;

use firmware::entropy::Entropy;
use formats::id::VersionId;

use super::error::KeyError;
use super::ledger::{KeyLedger, LedgerAccess, LedgerPlace};
use super::medium::KeyMedium;
use super::provider::intake::{IntakePublicKey, OpenedIntake};
use super::provider::{ProviderFile, ProviderKind};
use crate::store::durable::Disk;

/// What accepting an intake host's keys did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Versions whose keys were taken over.
    pub taken: u64,
    /// Versions whose keys the archive has, or has destroyed.
    pub known: u64,
    /// Versions whose keys do not open: the host's ledger was changed or is damaged.
    pub damaged: Vec<VersionId>,
}

impl KeyMedium {
    /// Whether this is the key medium of an intake host: it takes records in and reads none.
    #[must_use]
    pub fn is_write_only(&self) -> bool {
        self.provider().describe().kind == ProviderKind::Intake
    }

    /// Makes the key medium of an intake host of this archive in the existing, empty directory `root`.
    ///
    /// # Errors
    /// As [`KeyMedium::create`]; [`KeyError::WriteOnly`] when this is itself one.
    pub fn create_intake(
        &self,
        disk: Arc<dyn Disk>,
        root: &Path,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(), KeyError> {
        if self.is_write_only() {
            return Err(KeyError::WriteOnly);
        }
        let public = IntakePublicKey::of(&self.catalog_key()?);
        Self::create_for_intake(disk, root, self.archive(), &public, entropy)
    }

    /// Takes over the data keys of everything that an intake host took in, into the ledger, under the key-encryption key of the archive. May be
    /// repeated; the host's medium is not changed.
    ///
    /// # Errors
    /// [`KeyError::NotAnIntake`], [`KeyError::MediumMissing`], and what [`KeyLedger::adopt`] and [`KeyLedger::commit`] say.
    pub fn accept_intake(
        &self,
        disk: Arc<dyn Disk>,
        root: &Path,
        entropy: Arc<dyn Entropy>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Accepted, KeyError> {
        let file = ProviderFile::read_only([root]);
        let provider = OpenedIntake::open(&file, self.archive(), &self.catalog_key()?)?;
        let place = LedgerPlace {
            disk,
            roots: vec![root.to_path_buf()],
            copies_min: 1,
        };
        let access = LedgerAccess::Read;
        let theirs = KeyLedger::open(place, self.archive(), access, Arc::new(provider), entropy)?;
        let mut accepted = Accepted::default();
        let mut last = None;
        for version in theirs.versions() {
            match theirs
                .data_key(version)
                .map(|key| self.ledger().adopt(version, key))
            {
                Ok(Ok(ticket)) => {
                    accepted.taken += 1;
                    last = Some(ticket);
                    progress(accepted.taken);
                }
                Ok(Err(KeyError::AlreadyHasKey { .. })) => accepted.known += 1,
                Ok(Err(error)) => return Err(error),
                Err(error)
                    if error.is_damage() || matches!(error, KeyError::UnknownEpoch { .. }) =>
                {
                    accepted.damaged.push(version);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(ticket) = last {
            self.ledger().commit(ticket)?;
        }
        Ok(accepted)
    }
}
