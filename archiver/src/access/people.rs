//! The people of an open archive: accounts and credentials as the archive's events make them, and how they are changed.

use firmware::entropy::Entropy;
use formats::id::EventId;

use super::credentials::{CredentialBook, CredentialSealer, Credentials, CredentialsSet};
use super::directory::Directory;
use super::error::AccessError;
use super::searches::KeptSearches;
use crate::archive::{Archive, ArchiveError};
use crate::event::{EventBody, Topic};

/// Accounts and credentials, up to the last event that was read.
#[derive(Debug)]
pub struct People {
    directory: Directory,
    book: CredentialBook,
    searches: KeptSearches,
    sealer: CredentialSealer,
    last: Option<EventId>,
}

impl People {
    /// The people of an archive.
    ///
    /// # Errors
    /// The index is damaged or not whole yet, or the key of the catalog cannot be found.
    pub fn of(archive: &Archive) -> Result<Self, ArchiveError> {
        let catalog_key = archive.keys().catalog_key()?;
        let mut people = Self {
            directory: Directory::default(),
            book: CredentialBook::default(),
            searches: KeptSearches::default(),
            sealer: CredentialSealer::new(archive.config().archive, &catalog_key),
            last: None,
        };
        people.refresh(archive)?;
        Ok(people)
    }

    /// Who there is.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The searches that they keep.
    #[must_use]
    pub const fn searches(&self) -> &KeptSearches {
        &self.searches
    }

    /// What lets an account in.
    ///
    /// # Errors
    /// [`AccessError::Vault`].
    pub fn credentials(&self, account: &str) -> Result<Credentials, AccessError> {
        self.book.of(account, &self.sealer)
    }

    /// Records what was decided about accounts, and takes it in.
    ///
    /// # Errors
    /// [`ArchiveError`]: a medium failed. Then nothing is changed.
    pub fn record<T: EventBody>(
        &mut self,
        archive: &Archive,
        by: &str,
        facts: &T,
    ) -> Result<EventId, ArchiveError> {
        let id = archive.record_event(by, facts)?;
        self.refresh(archive)?;
        Ok(id)
    }

    /// Records the credentials of an account; `changed` says in words what of them changed.
    ///
    /// # Errors
    /// [`AccessError::Vault`]: no randomness, or a medium failed.
    pub fn set_credentials(
        &mut self,
        archive: &Archive,
        by: &str,
        account: &str,
        (credentials, changed): (&Credentials, &[&str]),
        entropy: &dyn Entropy,
    ) -> Result<(), AccessError> {
        let set = self.sealed(account, (credentials, changed), entropy)?;
        let failed = |error: ArchiveError| AccessError::Vault {
            what: error.to_string(),
        };
        self.record(archive, by, &set).map(drop).map_err(failed)
    }

    /// The event that sets the credentials of an account, not recorded yet.
    ///
    /// # Errors
    /// [`AccessError::Vault`]: no randomness.
    pub fn sealed(
        &self,
        account: &str,
        (credentials, changed): (&Credentials, &[&str]),
        entropy: &dyn Entropy,
    ) -> Result<CredentialsSet, AccessError> {
        self.sealer.seal(account, changed, credentials, entropy)
    }

    /// Takes in what was recorded since the last time.
    fn refresh(&mut self, archive: &Archive) -> Result<(), ArchiveError> {
        let Self {
            directory,
            book,
            searches,
            last,
            ..
        } = self;
        archive.catalog().events(Topic::People, &mut |event| {
            if last.is_none_or(|last| event.id > last) {
                directory.fold(&event);
                book.fold(&event);
                searches.fold(&event);
                *last = Some(event.id);
            }
            true
        })?;
        Ok(())
    }
}
