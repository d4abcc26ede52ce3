//! Key media of intake hosts: made by the archive, and accepted by it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use firmware::entropy::Entropy;
use formats::id::{MediumId, RecordId, VersionId};
use formats::medium::{MediumLabel, MediumRole};

use super::error::KeyError;
use super::events::KeyMediumFact;
use super::intake_events::{IntakeAccepted, IntakeCreated, IntakeDestroyed, IntakeRun};
use super::ledger::{KeyLedger, LedgerAccess, LedgerPlace};
use super::medium::KeyMedium;
use super::provider::intake::{IntakePublicKey, OpenedIntake};
use super::provider::{ProviderFile, ProviderKind};
use crate::archive::{Archive, ArchiveError};
use crate::event::Topic;
use crate::store::durable::Disk;
use crate::store::{StoreError, read_label};

/// What accepting an intake host's keys did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The public key of the archive, by its digest.
    pub public_key: String,
    /// The public key on the medium, by its digest, where it is another one: somebody replaced it.
    pub foreign_key: Option<String>,
    /// Whether the medium's file and ledger are as the host left them.
    pub is_whole: bool,
    /// The runs whose key opened and that took something in, as far as it can be read.
    pub runs: Vec<IntakeRun>,
    /// The runs whose key does not open.
    pub runs_refused: Vec<u32>,
    /// Versions whose keys were taken over now.
    pub taken: Vec<VersionId>,
    /// How many versions there are whose keys the archive had, or has destroyed.
    pub known: u64,
    /// Versions whose keys do not open: the host's ledger was changed or is damaged, or the key of their run is.
    pub damaged: Vec<VersionId>,
}

impl Accepted {
    /// Whether everything on the medium opened, and is the archive's.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.is_whole
            && self.foreign_key.is_none()
            && self.runs_refused.is_empty()
            && self.damaged.is_empty()
    }
}

impl KeyMedium {
    /// Whether this is the key medium of an intake host: it takes records in and reads none.
    #[must_use]
    pub fn is_write_only(&self) -> bool {
        self.provider().describe().kind == ProviderKind::Intake
    }

    /// Makes the key medium of an intake host of this archive in the existing, empty directory `root`. Tells the public key that stands on it.
    /// Use `Archive::create_intake`, which records it.
    ///
    /// # Errors
    /// As [`KeyMedium::create`]; [`KeyError::WriteOnly`] when this is itself one.
    pub fn create_intake(
        &self,
        disk: Arc<dyn Disk>,
        root: &Path,
        label: &MediumLabel,
        entropy: Arc<dyn Entropy>,
    ) -> Result<IntakePublicKey, KeyError> {
        if self.is_write_only() {
            return Err(KeyError::WriteOnly);
        }
        let public = IntakePublicKey::of(&self.catalog_key()?);
        Self::create_for_intake(disk, root, label, &public, entropy)?;
        Ok(public)
    }

    /// Takes over the data keys of everything that an intake host took in, into the ledger, under the key-encryption key of the archive. What
    /// does not open keeps nothing else from being taken over. May be repeated; the host's medium is not changed. Use
    /// [`Archive::record_intake`] afterwards.
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
        let catalog_key = self.catalog_key()?;
        let file = ProviderFile::read_only([root]);
        let provider = OpenedIntake::open(&file, self.archive(), &catalog_key)?;
        let mut accepted = Accepted {
            public_key: IntakePublicKey::of(&catalog_key).digest(),
            foreign_key: provider.foreign_key().map(str::to_owned),
            is_whole: provider.is_whole(),
            runs_refused: provider.refused().to_vec(),
            ..Accepted::default()
        };
        let place = LedgerPlace {
            disk,
            roots: vec![root.to_path_buf()],
            copies_min: 1,
        };
        let access = LedgerAccess::Read;
        let theirs = KeyLedger::open(place, self.archive(), access, Arc::new(provider), entropy)?;
        accepted.is_whole &= theirs.report().damaged.is_empty();
        self.adopt_all(&theirs, &mut accepted, progress)?;
        Ok(accepted)
    }

    fn adopt_all(
        &self,
        theirs: &KeyLedger,
        accepted: &mut Accepted,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), KeyError> {
        let mut runs: BTreeMap<u32, IntakeRun> = BTreeMap::new();
        let mut last = None;
        for version in theirs.versions() {
            let key = match theirs.data_key(version) {
                Ok(key) => key,
                Err(error)
                    if error.is_damage() || matches!(error, KeyError::UnknownEpoch { .. }) =>
                {
                    accepted.damaged.push(version);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let run = theirs.epoch_of(version)?;
            runs.entry(run)
                .and_modify(|one| one.add(version.record()))
                .or_insert_with(|| IntakeRun::new(run, version.record()));
            match self.ledger().adopt(version, key) {
                Ok(ticket) => {
                    accepted.taken.push(version);
                    last = Some(ticket);
                    progress(accepted.taken.len() as u64);
                }
                Err(KeyError::AlreadyHasKey { .. }) => accepted.known += 1,
                Err(error) => return Err(error),
            }
        }
        if let Some(ticket) = last {
            self.ledger().commit(ticket)?;
        }
        accepted.runs = runs.into_values().collect();
        Ok(())
    }
}

/// A key medium of an intake host, as the archive knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeMedium {
    /// The medium, and where it was last.
    pub medium: KeyMediumFact,
    /// What was accepted from it, at any time.
    pub runs: BTreeMap<u32, IntakeRun>,
}

impl Archive {
    /// Makes the key medium of an intake host in the directory `root`, and records it with the public key that stands on it.
    ///
    /// # Errors
    /// As [`KeyMedium::create_intake`]; [`ArchiveError`] when it cannot be recorded: then remove it, and make it anew.
    pub fn create_intake(&self, root: &Path, by: &str) -> Result<IntakeCreated, ArchiveError> {
        let label = self.intake_label(root)?;
        let environment = self.environment();
        let (disk, entropy) = (
            Arc::clone(&environment.disk),
            Arc::clone(&environment.entropy),
        );
        let public = self.keys().create_intake(disk, root, &label, entropy)?;
        let facts = IntakeCreated {
            intake: KeyMediumFact::of(root),
            public_key_sha256: public.digest(),
        };
        self.record_event(by, &facts)?;
        Ok(facts)
    }

    fn intake_label(&self, root: &Path) -> Result<MediumLabel, ArchiveError> {
        let environment = self.environment();
        let now = environment.clock.now();
        let mut random = [0; 10];
        environment
            .entropy
            .fill(&mut random)
            .map_err(KeyError::from)?;
        let unix_ms = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let others = self.intake_media()?;
        let numbers = others.iter().filter_map(|one| one.medium.number);
        let space = firmware::media::space(root).map_err(KeyError::from)?;
        Ok(MediumLabel {
            medium: MediumId::new(unix_ms, &random),
            archive: self.config().archive,
            role: MediumRole::Keys,
            number: numbers.max().unwrap_or(FIRST_NUMBER - 1) + 1,
            created_at: now,
            classification: String::new(),
            capacity_bytes: space.total_bytes,
            evaluation: self.config().evaluation,
            format_version: 1,
        })
    }

    /// Records what [`KeyMedium::accept_intake`] took over from the medium at `root`.
    ///
    /// # Errors
    /// As [`Archive::record_event`].
    pub fn record_intake(
        &self,
        root: &Path,
        accepted: &Accepted,
        by: &str,
    ) -> Result<(), ArchiveError> {
        let facts = IntakeAccepted {
            intake: KeyMediumFact::of(root),
            public_key_sha256: accepted.public_key.clone(),
            foreign_key_sha256: accepted.foreign_key.clone(),
            whole: accepted.is_whole,
            taken: accepted.taken.len() as u64,
            known: accepted.known,
            damaged: accepted.damaged.len() as u64,
            runs: accepted.runs.clone(),
            runs_refused: accepted.runs_refused.clone(),
        };
        self.record_event(by, &facts)?;
        Ok(())
    }

    /// Records that the key medium of an intake host was destroyed.
    ///
    /// # Errors
    /// [`KeyError::MediumUnlisted`] when no such medium is kept; [`KeyError::MediumStillThere`] when it stands where it was last; errors of
    /// reading there, and of recording.
    pub fn record_intake_destroyed(
        &self,
        medium: MediumId,
        how: &str,
        by: &str,
    ) -> Result<IntakeDestroyed, ArchiveError> {
        let mut kept = self.intake_media()?.into_iter();
        let found = kept.find(|one| one.medium.medium == Some(medium));
        let intake = found.ok_or(KeyError::MediumUnlisted { medium })?.medium;
        let path = std::path::PathBuf::from(&intake.place);
        match read_label(&path) {
            Ok(label) if label.medium == medium => {
                return Err(KeyError::MediumStillThere { path }.into());
            }
            Ok(_) | Err(StoreError::MediumMissing { .. }) => {}
            // It may be the medium: what cannot be read is not destroyed.
            Err(error) => return Err(error.into()),
        }
        let how = how.to_owned();
        let destroyed = IntakeDestroyed { intake, how };
        self.record_event(by, &destroyed)?;
        Ok(destroyed)
    }

    /// Every key medium of an intake host that was made here, or from which keys were accepted, and that is not known to be destroyed.
    ///
    /// # Errors
    /// [`ArchiveError`] when the index is damaged.
    pub fn intake_media(&self) -> Result<Vec<IntakeMedium>, ArchiveError> {
        let mut media: Vec<IntakeMedium> = Vec::new();
        self.catalog().events(Topic::Keys, &mut |event| {
            if let Some(created) = event.as_::<IntakeCreated>() {
                enter(&mut media, created.intake, Vec::new());
            } else if let Some(accepted) = event.as_::<IntakeAccepted>() {
                enter(&mut media, accepted.intake, accepted.runs);
            } else if let Some(destroyed) = event.as_::<IntakeDestroyed>() {
                media.retain(|one| !one.is(&destroyed.intake));
            }
            true
        })?;
        Ok(media)
    }

    /// The intake media on which the keys of some of these versions stand sealed: they open them for whoever has the archive's catalog key.
    pub(super) fn intake_media_with(
        &self,
        versions: &[VersionId],
    ) -> Result<Vec<KeyMediumFact>, ArchiveError> {
        let media = self.intake_media()?.into_iter();
        let holds = |medium: &IntakeMedium| {
            let mut runs = medium.runs.values();
            runs.any(|run| versions.iter().any(|version| run.spans(version.record())))
        };
        Ok(media.filter(holds).map(|one| one.medium).collect())
    }
}

/// Enters what is known of a medium anew, with the place at which it was last; the one that was heard of last stands last.
fn enter(media: &mut Vec<IntakeMedium>, found: KeyMediumFact, runs: Vec<IntakeRun>) {
    let known = media.iter().position(|one| one.is(&found));
    let mut medium = known.map_or_else(
        || IntakeMedium {
            medium: found.clone(),
            runs: BTreeMap::new(),
        },
        |place| media.remove(place),
    );
    medium.medium = found;
    medium
        .runs
        .extend(runs.into_iter().map(|run| (run.run, run)));
    media.push(medium);
}

impl IntakeMedium {
    fn is(&self, fact: &KeyMediumFact) -> bool {
        match fact.medium {
            Some(id) => self.medium.medium == Some(id),
            None => self.medium == *fact,
        }
    }
}

impl IntakeRun {
    fn new(run: u32, record: RecordId) -> Self {
        Self {
            run,
            keys: 1,
            first: record,
            last: record,
        }
    }

    fn add(&mut self, record: RecordId) {
        self.keys += 1;
        self.first = self.first.min(record);
        self.last = self.last.max(record);
    }

    /// Whether the record may have come in with this run: record ids are in the order of time.
    fn spans(&self, record: RecordId) -> bool {
        (self.first..=self.last).contains(&record)
    }
}

/// Intake media are numbered apart from the key medium and its copies.
const FIRST_NUMBER: u32 = 1001;
