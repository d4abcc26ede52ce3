//! All uploads of a service: begun, found again, given up, and over.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::content::{FaultPlace, UploadContent};
use super::error::UploadError;
use super::facts::{UploadFacts, UploadId, UploadReceipt, UploadRules, UploadStanding};
use super::file::{Head, PartFile, Place, path_of};
use super::folder::{self, DONE_ENDING, PART_ENDING};
use super::sealing::HeadKey;
use super::{FOLDER_SUFFIX, parts};
use crate::archive::{Archive, Environment};
use crate::store::durable::create_directories;

/// The uploads of one archive.
pub struct Uploads {
    pub(super) environment: Environment,
    pub(super) folder: PathBuf,
    pub(super) head_key: HeadKey,
    rules: UploadRules,
    list: Mutex<BTreeMap<UploadId, Arc<Upload>>>,
}

/// One of them.
pub(super) struct Upload {
    pub(super) id: UploadId,
    pub(super) facts: UploadFacts,
    pub(super) state: Mutex<State>,
    /// Counts the requests that bring parts: only the latest one writes.
    pub(super) turn: AtomicU64,
}

/// How one stands.
pub(super) struct State {
    pub(super) phase: Phase,
    /// When something came last, or when it was deposited.
    pub(super) last: OffsetDateTime,
}

pub(super) enum Phase {
    /// Its rest is missing, or its deposit failed for reasons that pass.
    Waiting(Box<Waiting>),
    /// All is there, and on its way into the archive.
    Depositing,
    /// The answer.
    Done(UploadReceipt),
    /// Given up.
    Gone,
}

/// What waits.
pub(super) struct Waiting {
    pub(super) head: Head,
    /// Open since the first part that came in this process.
    pub(super) file: Option<PartFile>,
    /// A synchronisation failed: what was not acknowledged is not to be relied on.
    pub(super) drops_tail: bool,
}

/// An upload that is whole, while it is being deposited. Dropped: it waits again.
pub struct Finishing<'a> {
    uploads: &'a Uploads,
    upload: Arc<Upload>,
    waiting: Option<Box<Waiting>>,
    fault: FaultPlace,
}

impl fmt::Debug for Uploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploads")
            .field("folder", &self.folder)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Finishing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finishing")
            .field("upload", &self.upload.id)
            .finish_non_exhaustive()
    }
}

impl Uploads {
    /// The uploads of an open archive, with those that an earlier service left. What cannot be opened there is no upload; it goes when it is as old as
    /// one that is over.
    ///
    /// # Errors
    /// [`UploadError::Storage`], [`UploadError::Keys`].
    pub fn open(archive: &Archive, rules: UploadRules) -> Result<Self, UploadError> {
        let mut folder = archive.config().index.as_os_str().to_owned();
        folder.push(FOLDER_SUFFIX);
        let catalog_key = archive.keys().catalog_key()?;
        let mut uploads = Self {
            environment: archive.environment().clone(),
            folder: PathBuf::from(folder),
            head_key: HeadKey::new(archive.config().archive, &catalog_key),
            rules,
            list: Mutex::default(),
        };
        let found = folder::scan(&uploads)?;
        uploads.list = Mutex::new(found);
        uploads.expire()?;
        Ok(uploads)
    }

    /// Begins an upload. The same account with the same key and facts gets the one that it has: `false`.
    ///
    /// # Errors
    /// [`UploadError::KeyReused`], [`UploadError::TooMany`], [`UploadError::Storage`], [`UploadError::Keys`].
    pub fn begin(&self, facts: UploadFacts) -> Result<(UploadStanding, bool), UploadError> {
        self.expire_listed()?;
        // Held to the end: of two requests with one key the second one finds the first one's upload.
        let mut list = self.list();
        let (mut open, mut own) = (0_usize, 0_usize);
        let mut same = None;
        for upload in list.values() {
            let is_own = upload.facts.account == facts.account;
            if is_own && facts.key.is_some() && upload.facts.key == facts.key {
                same = Some(Arc::clone(upload));
            }
            if upload.state().phase.is_open() {
                open += 1;
                own += usize::from(is_own);
            }
        }
        if let Some(upload) = same {
            if upload.facts != facts {
                return Err(UploadError::KeyReused);
            }
            match self.standing_of(&upload) {
                // Nobody can go on with it: it begins anew.
                Err(UploadError::Damaged) => {
                    self.remove(&upload, &mut upload.state())?;
                    list.remove(&upload.id);
                }
                standing => return Ok((standing?, false)),
            }
        }
        for (count, most) in [
            (own, self.rules.open_of_account_max),
            (open, self.rules.open_max),
        ] {
            if count >= most {
                return Err(UploadError::TooMany { most });
            }
        }
        let disk = &self.environment.disk;
        create_directories(disk.as_ref(), &self.folder)?;
        let entropy = self.environment.entropy.as_ref();
        let id = UploadId::new(entropy)?;
        let path = path_of(&self.folder, id, PART_ENDING);
        let place = Place {
            disk,
            entropy,
            path: &path,
        };
        let now = self.now();
        let head = Head::create(place, &self.head_key, (id, facts.clone()), now)?;
        let upload = Arc::new(Upload::new(id, facts, Phase::waiting(head), now));
        list.insert(id, Arc::clone(&upload));
        Ok((self.standing_of(&upload)?, true))
    }

    /// How far an upload of an account is. What was written until now is on the disk when this returns.
    ///
    /// # Errors
    /// [`UploadError::NotFound`], also for an upload of another account; [`UploadError::Damaged`], [`UploadError::Storage`].
    pub fn standing(&self, account: &str, id: &str) -> Result<UploadStanding, UploadError> {
        let upload = self.owned(account, id)?;
        self.standing_of(&upload)
    }

    /// Gives an upload up, and removes what came; a deposit that was made of it stays.
    ///
    /// # Errors
    /// [`UploadError::NotFound`], [`UploadError::Busy`], [`UploadError::Storage`].
    pub fn abandon(&self, account: &str, id: &str) -> Result<UploadId, UploadError> {
        let upload = self.owned(account, id)?;
        let mut state = upload.state();
        match &state.phase {
            Phase::Depositing => return Err(UploadError::Busy),
            Phase::Gone => return Err(UploadError::NotFound),
            Phase::Waiting(_) | Phase::Done(_) => {}
        }
        self.remove(&upload, &mut state)?;
        drop(state);
        self.list().remove(&upload.id);
        Ok(upload.id)
    }

    /// Removes what is over: uploads to which nothing came any more, answers, and files that are none. Tells the waiting ones: account and id.
    ///
    /// # Errors
    /// [`UploadError::Storage`]; it is tried again the next time.
    pub fn expire(&self) -> Result<Vec<(String, UploadId)>, UploadError> {
        let over = self.expire_listed()?;
        folder::sweep(self, self.now() - self.rules.waits_max)?;
        Ok(over)
    }

    fn expire_listed(&self) -> Result<Vec<(String, UploadId)>, UploadError> {
        let now = self.now();
        let all: Vec<Arc<Upload>> = self.list().values().cloned().collect();
        let mut over = Vec::new();
        for upload in all {
            let mut state = upload.state();
            if now - state.last < self.rules.waits_max || matches!(state.phase, Phase::Depositing) {
                continue;
            }
            if state.phase.is_open() {
                over.push((upload.facts.account.clone(), upload.id));
            }
            self.remove(&upload, &mut state)?;
            drop(state);
            self.list().remove(&upload.id);
        }
        Ok(over)
    }

    /// Takes an upload that is whole out for its deposit: its facts and its content. `None`: something is missing yet.
    ///
    /// # Errors
    /// [`UploadError::NotFound`], [`UploadError::Busy`], [`UploadError::Storage`].
    pub fn finish(
        &self,
        account: &str,
        id: &str,
    ) -> Result<Option<(UploadFacts, UploadContent, Finishing<'_>)>, UploadError> {
        let upload = self.owned(account, id)?;
        let mut state = upload.state();
        let waiting = match std::mem::replace(&mut state.phase, Phase::Depositing) {
            Phase::Waiting(waiting) if waiting.head.mark.offset == upload.facts.length => waiting,
            Phase::Depositing => return Err(UploadError::Busy),
            other @ (Phase::Waiting(_) | Phase::Done(_) | Phase::Gone) => {
                state.phase = other;
                return Ok(None);
            }
        };
        drop(state);
        let path = path_of(&self.folder, upload.id, PART_ENDING);
        let opened = UploadContent::open(&path, &waiting.head, waiting.head.mark);
        let (opened, failed) = match opened {
            Ok((content, fault)) => (Some((content, fault)), None),
            Err(error) => (None, Some(error)),
        };
        let (content, fault) = opened.unzip();
        let facts = upload.facts.clone();
        let finishing = Finishing {
            uploads: self,
            upload,
            waiting: Some(waiting),
            fault: fault.unwrap_or_default(),
        };
        match (content, failed) {
            (Some(content), _) => Ok(Some((facts, content, finishing))),
            (None, failed) => Err(failed.unwrap_or(UploadError::Damaged)),
        }
    }

    /// The upload of an account.
    pub(super) fn owned(&self, account: &str, id: &str) -> Result<Arc<Upload>, UploadError> {
        let id: UploadId = id.parse()?;
        let found = self.list().get(&id).cloned();
        let upload = found.filter(|one| one.facts.account == account);
        let upload = upload.ok_or(UploadError::NotFound)?;
        let state = upload.state();
        let is_over = self.now() - state.last >= self.rules.waits_max
            && !matches!(state.phase, Phase::Depositing);
        drop(state);
        if is_over {
            return Err(UploadError::NotFound);
        }
        Ok(upload)
    }

    pub(super) fn standing_of(&self, upload: &Upload) -> Result<UploadStanding, UploadError> {
        let mut state = upload.state();
        let mut receipt = None;
        let offset = match &mut state.phase {
            Phase::Gone => return Err(UploadError::NotFound),
            Phase::Depositing => upload.facts.length,
            Phase::Done(done) => {
                receipt = Some(done.clone());
                upload.facts.length
            }
            Phase::Waiting(waiting) => {
                parts::acknowledged(self, upload.id, waiting)?;
                waiting.head.mark.offset
            }
        };
        Ok(UploadStanding {
            id: upload.id,
            offset,
            length: upload.facts.length,
            expires_at: state.last + self.rules.waits_max,
            receipt,
        })
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.environment.clock.now()
    }

    /// Removes the files of an upload.
    fn remove(&self, upload: &Upload, state: &mut State) -> Result<(), UploadError> {
        folder::remove(self, upload.id, &[PART_ENDING, DONE_ENDING])?;
        state.phase = Phase::Gone;
        Ok(())
    }

    fn list(&self) -> MutexGuard<'_, BTreeMap<UploadId, Arc<Upload>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Finishing<'_> {
    /// Why the content ended before its end, if it did.
    #[must_use]
    pub fn fault(&self) -> Option<UploadError> {
        self.fault.take()
    }

    /// It is deposited: keeps the answer in place of the bytes. The deposit is durable whatever this says.
    ///
    /// # Errors
    /// [`UploadError::Storage`], [`UploadError::Keys`]: a restart does not know the answer, and finds the record that is there.
    pub fn deposited(mut self, receipt: &UploadReceipt) -> Result<(), UploadError> {
        self.waiting = None;
        let now = self.uploads.now();
        let mut state = self.upload.state();
        (state.phase, state.last) = (Phase::Done(receipt.clone()), now);
        drop(state);
        folder::keep_answer(self.uploads, &self.upload, receipt, now)
    }

    /// It can never be deposited: removes what came.
    ///
    /// # Errors
    /// [`UploadError::Storage`].
    pub fn give_up(mut self) -> Result<(), UploadError> {
        self.waiting = None;
        let mut state = self.upload.state();
        state.phase = Phase::Gone;
        let removed = self.uploads.remove(&self.upload, &mut state);
        drop(state);
        self.uploads.list().remove(&self.upload.id);
        removed
    }
}

impl Drop for Finishing<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.upload.state().phase = Phase::Waiting(waiting);
        }
    }
}

impl Upload {
    pub(super) fn new(
        id: UploadId,
        facts: UploadFacts,
        phase: Phase,
        last: OffsetDateTime,
    ) -> Self {
        Self {
            id,
            facts,
            state: Mutex::new(State { phase, last }),
            turn: AtomicU64::new(0),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    pub(super) fn waiting(head: Head) -> Self {
        Self::Waiting(Box::new(Waiting {
            head,
            file: None,
            drops_tail: false,
        }))
    }

    /// Whether it counts among those that wait.
    const fn is_open(&self) -> bool {
        matches!(self, Self::Waiting(_) | Self::Depositing)
    }
}
