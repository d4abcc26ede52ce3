//! One archive, opened: media, keys, index, classes and authorities put together.
//!
//! The composition of the parts below the command line. Clock, random source and boot id come in as arguments.

mod accreditation;
mod authorities;
mod create;
mod departures;
mod error;
mod filling;
mod key_place;
mod private_index;
mod recording;
mod restore;
#[cfg(test)]
mod restore_tests;
mod settings;
mod taking;
#[cfg(test)]
pub(crate) mod taking_fixture;
mod waiting;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use firmware::clock::Clock;
use firmware::entropy::Entropy;
use verifier::path::TrustAnchor;
use verifier::policy::Policy;

use crate::class::ClassRegistry;
use crate::config::{Config, MalwareConfig};
use crate::content::Manifests;
use crate::keys::{EvaluationNotice, KeyMedium, KeyOpening, KeyPlace, LedgerAccess, UnlockWith};
use crate::media::{self, Disagreement, MediaLedger};
use crate::record::deposit::Depositor;
use crate::record::resources::DepositResources;
use crate::record::retrieve::Retriever;
use crate::signature::{self, ArchiveSigner, SignatureKeeper};
use crate::store::catalog::{Catalog, CatalogOptions, CatalogReport, Filler, FoldProgress};
use crate::store::durable::Disk;
use crate::store::scrub::{Pace, ScrubMedia};
use crate::store::{self, RecoveryReport, Store};
use crate::tsa::registry::Registry;

pub use accreditation::Accreditations;
pub use authorities::{Authorities, configured, embedded, health, registry};
pub(crate) use create::medium_label;
pub use create::{NewArchive, create, refuse_existing};
pub use departures::Departure;
pub use error::ArchiveError;
use key_place::examine_key_place;
use private_index::PrivateIndex;
pub use restore::{Restored, left_media, restore};
pub(crate) use settings::copy_policy;
use settings::{catalog_options, store_options};
pub use settings::{classes, policy};

/// Who records what the program noticed by itself.
const RECORDED_BY: &str = "archiver";

/// What an archive takes from the machine that it runs on.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub entropy: Arc<dyn Entropy>,
    /// Which boot of the machine this is: recovery tells a killed process from a power loss by it.
    pub boot_id: [u8; 16],
    /// The writing system calls: everything that the archive writes goes through them.
    pub disk: Arc<dyn Disk>,
}

/// What an archive is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Searching, fetching, verifying. One data medium is enough.
    Read,
    /// Depositing and stamping. Every data medium must be there.
    Write,
    /// Depositing alone: the key medium of an intake host is enough for it.
    TakeIn {
        /// How many record versions may come: an index that they would outgrow is moved to the engine that fits before they do.
        coming: u64,
    },
}

/// What opening an archive found.
#[derive(Debug, Clone, Default)]
pub struct OpeningReport {
    /// What recovery did at the end of the archive.
    pub recovery: RecoveryReport,
    /// What was read into the index.
    pub catalog: CatalogReport,
    /// Where media are other ones than the ledger says.
    pub media: Vec<Disagreement>,
    /// What was brought to its end, or waits, about keys.
    pub keys: KeyOpening,
}

/// An open archive.
pub struct Archive {
    config: Config,
    environment: Environment,
    store: Store,
    keys: Arc<KeyMedium>,
    /// Before the catalog that it fills: fields are dropped in their order.
    filler: Mutex<Option<Filler>>,
    catalog: Arc<Catalog>,
    /// After the catalog that stands in it.
    private_index: Option<PrivateIndex>,
    classes: ClassRegistry,
    policy: Policy,
    notice: Option<EvaluationNotice>,
    /// The time in the id of the last event that was recorded.
    last_event_ms: AtomicU64,
    /// What deposits share.
    deposits: Arc<DepositResources>,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("config", &self.config.path)
            .finish_non_exhaustive()
    }
}

impl Archive {
    /// Opens an archive and brings its index up to date. `progress` is told of the frames that are read for it.
    ///
    /// # Errors
    /// [`ArchiveError`]: a medium is missing or wrong, keys and data share a device, the passphrase is wrong, the archive is in use.
    pub fn open<'a>(
        config: Config,
        unlock: impl Into<UnlockWith<'a>>,
        access: Access,
        environment: Environment,
        progress: &mut dyn FnMut(FoldProgress),
    ) -> Result<(Self, OpeningReport), ArchiveError> {
        Self::open_with(
            config,
            unlock.into(),
            access,
            environment,
            |store, options, opener| {
                let opened = Catalog::open(store, options, opener.as_ref(), progress)?;
                Ok((Arc::new(opened.0), None, opened.1))
            },
        )
    }

    /// Opens an archive and returns before its index is whole, where that takes time: what it answers meanwhile stands at
    /// [`Catalog::open_filling`].
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn open_filling<'a>(
        config: Config,
        unlock: impl Into<UnlockWith<'a>>,
        access: Access,
        environment: Environment,
    ) -> Result<(Self, OpeningReport), ArchiveError> {
        Self::open_with(
            config,
            unlock.into(),
            access,
            environment,
            |store, options, opener| {
                let opened = Catalog::open_filling(store, options, opener)?;
                Ok((opened.0, Some(opened.1), opened.2))
            },
        )
    }

    /// Opens an archive with its index made anew from the first frame on, in the engine that the configuration names.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn rebuild<'a>(
        config: Config,
        unlock: impl Into<UnlockWith<'a>>,
        environment: Environment,
        progress: &mut dyn FnMut(FoldProgress),
    ) -> Result<(Self, OpeningReport), ArchiveError> {
        Self::open_with(
            config,
            unlock.into(),
            Access::Read,
            environment,
            |store, options, opener| {
                let opened = Catalog::rebuild(store, options, opener.as_ref(), progress)?;
                Ok((Arc::new(opened.0), None, opened.1))
            },
        )
    }

    fn open_with(
        config: Config,
        unlock: UnlockWith<'_>,
        access: Access,
        environment: Environment,
        open_catalog: impl FnOnce(
            &Store,
            CatalogOptions,
            Arc<Manifests>,
        ) -> Result<
            (Arc<Catalog>, Option<Filler>, CatalogReport),
            store::StoreError,
        >,
    ) -> Result<(Self, OpeningReport), ArchiveError> {
        let place = KeyPlace::new(&config.keys, &config.key_copies, config.key_copies_min);
        let (is_write_only, notice) = examine_key_place(&config, &place, access)?;
        let ledger_access = match access {
            Access::Read => LedgerAccess::Read,
            Access::Write | Access::TakeIn { .. } => LedgerAccess::Write,
        };
        let keys = Arc::new(KeyMedium::open(
            Arc::clone(&environment.disk),
            place,
            config.archive,
            unlock,
            ledger_access,
            Arc::clone(&environment.entropy),
        )?);
        let classes = classes(&config)?;
        let policy = policy(&config)?;
        let (store, recovery) = Store::open(
            &config.data,
            config.archive,
            &store_options(&config, access, &environment),
        )?;
        let options = catalog_options(&config, &keys, access, &environment)?;
        let manifests = Arc::new(Manifests::new(Arc::clone(&keys))?);
        // An intake host keeps no index that it could read again: it makes one anew for each time.
        let (catalog, filler, report) = if is_write_only {
            let made = Catalog::rebuild(&store, options, manifests.as_ref(), &mut |_| {})?;
            (Arc::new(made.0), None, made.1)
        } else {
            open_catalog(&store, options, manifests)?
        };
        let archive = Self {
            config,
            environment,
            store,
            keys,
            filler: Mutex::new(filler),
            catalog,
            private_index: None,
            classes,
            policy,
            notice,
            last_event_ms: AtomicU64::new(0),
            deposits: Arc::default(),
        };
        archive.go_on_behind_events()?;
        let (media, keys) = archive.look_around(access)?;
        Ok((
            archive,
            OpeningReport {
                recovery,
                catalog: report,
                media,
                keys,
            },
        ))
    }

    /// Compares the media with their ledger, and finishes what was begun with keys. Half an index does not know all of either: they are
    /// looked at when it is whole.
    pub(crate) fn look_around(
        &self,
        access: Access,
    ) -> Result<(Vec<Disagreement>, KeyOpening), ArchiveError> {
        if self.catalog.filling().is_some() {
            let keys = match access {
                // What was destroyed is shut out all the same, or half an index would give it back.
                Access::Read if self.filler_is_gone() => self.shut_out_destroyed()?,
                Access::Read | Access::Write | Access::TakeIn { .. } => KeyOpening::default(),
            };
            return Ok((Vec::new(), keys));
        }
        let media = media::check(&MediaLedger::of(&self.catalog)?, &self.config);
        let keys = if self.keys.is_write_only() {
            KeyOpening::default()
        } else if access == Access::Read {
            self.shut_out_destroyed()?
        } else {
            self.finish_key_work()?
        };
        Ok((media, keys))
    }

    /// The configuration that it was opened with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Clock, random source, boot id and disk.
    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The segments.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The unlocked key medium.
    #[must_use]
    pub fn keys(&self) -> &KeyMedium {
        &self.keys
    }

    /// What is known of the records.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The classes that a deposit can name.
    #[must_use]
    pub const fn classes(&self) -> &ClassRegistry {
        &self.classes
    }

    /// Which algorithms are trusted until when: for verification and for renewal.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Says that keys and data share a device, where they do. Every output must show it.
    #[must_use]
    pub const fn notice(&self) -> Option<EvaluationNotice> {
        self.notice
    }

    /// Takes records in.
    ///
    /// # Errors
    /// [`ArchiveError`] when the archive was opened for reading.
    pub fn depositor(&self) -> Result<Depositor<'_>, ArchiveError> {
        Ok(Depositor::new(
            &self.store,
            &self.catalog,
            self.keys.ledger(),
            self.environment.clock.as_ref(),
            self.environment.entropy.as_ref(),
        )?
        .with_resources(Arc::clone(&self.deposits))
        .inspecting(
            self.config
                .intakes
                .malware
                .as_ref()
                .map(MalwareConfig::inspection),
        ))
    }

    /// Gives content back.
    #[must_use]
    pub fn retriever(&self) -> Retriever<'_> {
        Retriever::new(&self.store, &self.catalog, self.keys.ledger())
    }

    /// The configured time-stamping authorities.
    ///
    /// # Errors
    /// [`ArchiveError`] when one cannot be used as it is configured.
    pub fn authorities(&self) -> Result<Authorities, ArchiveError> {
        configured(&self.config, &self.keys, &self.environment)
    }

    /// The root certificates, DER, that the archive's tokens chain to.
    ///
    /// # Errors
    /// [`ArchiveError`] when a file of them cannot be read.
    pub fn anchors(&self) -> Result<Vec<Vec<u8>>, ArchiveError> {
        authorities::anchors(&self.config)
    }

    /// The same as the verifier takes them.
    ///
    /// # Errors
    /// As [`Archive::anchors`]; [`ArchiveError::TrustAnchor`] for one that is no certificate.
    pub fn trust(&self) -> Result<Vec<TrustAnchor>, ArchiveError> {
        let anchors = self.anchors()?;
        let anchors = anchors.iter().map(|der| TrustAnchor::from_certificate(der));
        anchors
            .map(|anchor| anchor.map_err(|_| ArchiveError::TrustAnchor))
            .collect()
    }

    /// Which services are accredited, where the configuration names a registry.
    ///
    /// # Errors
    /// [`ArchiveError`] when it cannot be used.
    pub fn registry(&self) -> Result<Option<Registry>, ArchiveError> {
        registry(&self.config)
    }

    /// The archive as a signer; `None` where the key medium holds no signing key.
    ///
    /// # Errors
    /// [`ArchiveError`] when the key or its certificate is damaged.
    pub fn signer(&self) -> Result<Option<ArchiveSigner>, ArchiveError> {
        if !signature::vault::exists(&self.keys) {
            return Ok(None);
        }
        Ok(Some(signature::vault::open(&self.keys)?))
    }

    /// Signs records and finds their signatures.
    #[must_use]
    pub fn signature_keeper<'a>(
        &'a self,
        signer: Option<&'a ArchiveSigner>,
    ) -> SignatureKeeper<'a> {
        SignatureKeeper {
            archive: self.config.archive,
            signer,
            catalog: &self.catalog,
            frames: &self.store,
            retriever: self.retriever(),
            ledger: self.keys.ledger(),
            classes: &self.classes,
            policy: self.policy(),
            anchors: &[],
            clock: self.environment.clock.as_ref(),
            entropy: self.environment.entropy.as_ref(),
        }
    }

    /// Opens manifests.
    ///
    /// # Errors
    /// [`ArchiveError`] when there is no memory for it.
    pub(crate) fn manifest_opener(&self) -> Result<Manifests, ArchiveError> {
        Ok(Manifests::new(Arc::clone(&self.keys))?)
    }

    /// Makes the parity that sealed segments lack, where the configuration asks for it and this process may write.
    fn make_parity(&self) {
        let (Some(parity), Ok(_)) = (self.config.parity, self.store.appender()) else {
            return;
        };
        let pace = Pace::unbounded(Arc::clone(&self.environment.clock));
        let Ok(media) = ScrubMedia::of_store(&self.store) else {
            return;
        };
        // What was acknowledged does not depend on it: a scrub makes what is still missing, and says where it cannot.
        for segment in media.without_parity().unwrap_or_default() {
            drop(media.mend_parity(segment, Some(parity.into()), true, &pace));
        }
    }

    /// Ends the work with the archive: the index is written out, the media are released.
    ///
    /// # Errors
    /// [`ArchiveError`] when the end of a segment cannot be put in order.
    pub fn close(self) -> Result<(), ArchiveError> {
        if !self.store.watch().lost().is_empty() {
            // It stands in the roster; the next opening records it where this fails.
            drop(media::record_media(&self, RECORDED_BY));
        }
        // The index is derived; what it could not write is read again from the segments at the next opening.
        let filler = self.filler.lock().map(|mut held| held.take());
        drop(filler);
        drop(self.catalog.checkpoint());
        self.make_parity();
        drop(self.catalog);
        drop(self.private_index);
        Ok(self.store.close()?)
    }
}
