//! The sealed key file, opened to be sealed anew: by a ceremony, or under a passphrase.

use std::sync::Arc;

use crate::archive::Access;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::config::Config;
use crate::keys::provider::Unlock;
use crate::keys::{FileKek, KekProvider, KeyMedium, KeyPlace, LedgerAccess, ProviderFile};

/// The key-encryption keys of a sealed file, and the lock that keeps other processes from changing it meanwhile.
pub(super) struct Custody {
    pub(super) config: Config,
    pub(super) kek: Arc<FileKek>,
    medium: KeyMedium,
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
            medium,
        })
    }

    /// Records who can open the key medium from now on. The key medium alone is enough for a ceremony or a new passphrase, so where the archive
    /// cannot be opened now, the next command that writes to it records this.
    pub(super) fn record(self, session: &Session) {
        let Self {
            config,
            kek,
            medium,
        } = self;
        let unlock = Unlock::Lock(kek.lock_to_hold());
        drop((kek, medium));
        let opened = session.open_config(config, &unlock, Access::Write);
        let recorded = opened.and_then(|archive| Ok(archive.close()?));
        if let Err(failure) = recorded {
            let lang = session.output.lang;
            let cause = failure.text(lang);
            session.output.note(&lang.pick(
                format!("このことはまだ保管庫に記録されていません({cause})。次に保管庫へ書き込むときに記録されます"),
                format!("this is not recorded in the archive yet ({cause}): the next command that writes to the archive records it"),
            ));
        }
    }
}
