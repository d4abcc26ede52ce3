//! The sealed key file, opened to be sealed anew: by a ceremony, or under a passphrase.

use std::sync::Arc;

use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::Config;
use crate::keys::provider::Unlock;
use crate::keys::{FileKek, KekProvider, KeyMedium, KeyPlace, LedgerAccess, ProviderFile};

/// The key-encryption keys of a sealed file, and the lock that keeps other processes from changing it meanwhile.
pub(super) struct Custody {
    pub(super) config: Config,
    pub(super) kek: Arc<FileKek>,
    _medium: KeyMedium,
}

impl Custody {
    /// Opens the key medium with what opens it now: asked for, also where a key is held. Who finds it held is not those who may change it.
    pub(super) fn take(session: &Session) -> Result<Self, Failure> {
        let config = session.config()?;
        session.require_sealed_file(&config)?;
        let unlock = session.unlock_anew(&config)?;
        Self::open(session, config, &unlock)
    }

    /// Opens the key medium, locked against other writers.
    pub(super) fn open(
        session: &Session,
        config: Config,
        unlock: &Unlock,
    ) -> Result<Self, Failure> {
        let disk = Arc::clone(&session.environment.disk);
        let media = KeyPlace::new(&config.keys, &config.key_copies, config.key_copies_min);
        let place = ProviderFile::new(Arc::clone(&disk), media.present());
        let entropy = Arc::clone(&session.environment.entropy);
        let kek = Arc::new(FileKek::open(
            place,
            config.archive,
            unlock,
            Arc::clone(&entropy),
        )?);
        let medium = KeyMedium::with_provider(
            disk,
            media,
            config.archive,
            Arc::clone(&kek) as Arc<dyn KekProvider>,
            LedgerAccess::Write,
            entropy,
        )?;
        Ok(Self {
            config,
            kek,
            _medium: medium,
        })
    }
}
