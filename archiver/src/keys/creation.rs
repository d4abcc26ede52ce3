//! Making a key medium: under a passphrase, with a token, for an intake host.

use std::path::Path;
use std::sync::Arc;

use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use formats::medium::{LABEL_FILE, MediumLabel};

use super::error::KeyError;
use super::ledger::{KeyLedger, LedgerAccess};
use super::medium::{KeyMedium, check_label};
use super::passphrase::Passphrase;
use super::provider::intake::{IntakeKek, IntakePublicKey};
use super::provider::{
    FileKek, KEK_FILE, KdfParameters, KekProvider, ProviderFile, TokenKek, TokenPlace,
};
use crate::store::durable::{Disk, replace_file};

impl KeyMedium {
    /// Makes the keys of a new archive in the existing directory `root`, durably, with its catalog key, and opens them for
    /// writing. `kek.json` is written last: a directory without it is not a key medium, and making it again is safe only in
    /// an empty directory.
    ///
    /// # Errors
    /// [`KeyError::MediumMissing`] when `root` is no directory; [`KeyError::AlreadyCreated`] when keys stand there;
    /// [`KeyError::Io`], [`KeyError::Full`], [`KeyError::Entropy`].
    pub fn create(
        disk: Arc<dyn Disk>,
        root: &Path,
        archive: ArchiveId,
        passphrase: &Passphrase,
        parameters: KdfParameters,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        refuse_existing(root)?;
        let provider = FileKek::create(
            ProviderFile::new(Arc::clone(&disk), [root]),
            archive,
            passphrase,
            parameters,
            Arc::clone(&entropy),
        )?;
        Self::create_with(disk, root, archive, Arc::new(provider), entropy)
    }

    /// Makes the keys of a new archive as [`KeyMedium::create`] does, under key-encryption keys in a token.
    ///
    /// # Errors
    /// As [`KeyMedium::create`], and [`KeyError::Token`].
    pub fn create_in_token(
        disk: Arc<dyn Disk>,
        root: &Path,
        archive: ArchiveId,
        token: &TokenPlace,
        pin: &Passphrase,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        refuse_existing(root)?;
        let place = ProviderFile::new(Arc::clone(&disk), [root]);
        let provider = TokenKek::create(place, archive, token, pin, Arc::clone(&entropy))?;
        Self::create_with(disk, root, archive, Arc::new(provider), entropy)
    }

    /// Makes the key medium of an intake host: [`KeyMedium::create_intake`].
    pub(super) fn create_for_intake(
        disk: Arc<dyn Disk>,
        root: &Path,
        label: &MediumLabel,
        public: &IntakePublicKey,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(), KeyError> {
        let archive = label.archive;
        refuse_existing(root)?;
        // The label of a data medium, or of another archive, is not overwritten.
        check_label(root, archive)?;
        let path = root.join(LABEL_FILE);
        let text = label.encode().map_err(|_| KeyError::Damaged {
            path: path.clone(),
            part: "label",
        })?;
        replace_file(&*disk, &path, &text).map_err(|error| KeyError::io(&path, "write", error))?;
        let place = ProviderFile::new(Arc::clone(&disk), [root]);
        let provider = IntakeKek::create(place, archive, public, Arc::clone(&entropy))?;
        Self::create_with(disk, root, archive, Arc::new(provider), entropy)?;
        Ok(())
    }

    fn create_with(
        disk: Arc<dyn Disk>,
        root: &Path,
        archive: ArchiveId,
        provider: Arc<dyn KekProvider>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        KeyLedger::create(&*disk, root, archive)?;
        let file = ProviderFile::new(Arc::clone(&disk), [root]);
        let access = LedgerAccess::Write;
        let medium =
            Self::with_provider(disk, root, archive, Arc::clone(&provider), access, entropy)?;
        let ledger = medium.ledger();
        ledger.commit(ledger.wrap_catalog()?)?;
        file.replace(&provider.file()?)?;
        Ok(medium)
    }
}

/// Keys are never overwritten.
fn refuse_existing(root: &Path) -> Result<(), KeyError> {
    if !root.is_dir() {
        return Err(KeyError::MediumMissing { path: root.into() });
    }
    let path = root.join(KEK_FILE);
    if path.exists() {
        return Err(KeyError::AlreadyCreated { path });
    }
    Ok(())
}
