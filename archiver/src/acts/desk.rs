//! The desk: the open archive, who is logged in, and the audit trail.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use formats::audit::Outcome;
use formats::id::VersionId;
use time::OffsetDateTime;

use super::actor::Actor;
use super::deposit::SeenKeys;
use super::jobs::Jobs;
use super::refusal::Refusal;
use crate::access::login::{Counter, LockRules};
use crate::access::password::PasswordRules;
use crate::access::rate::{Rate, RateRules};
use crate::access::session::{SessionRules, Sessions};
use crate::access::totp::SecondFactor;
use crate::access::{People, Right};
use crate::archive::{Archive, ArchiveError};
use crate::audit::closing::{ClosingError, close_days};
use crate::audit::{Act, AuditTrail, EventRules, NewEntry, TrailWatch};
use crate::journal::{close_journals, make_reports};
use crate::openid::OpenidProvider;
use crate::paper::PaperReader;
use crate::upload::Uploads;

/// The rules by which people are let in and watched.
#[derive(Debug, Clone, Default)]
pub struct AccessRules {
    /// Passwords.
    pub password: PasswordRules,
    /// Wrong ones.
    pub lock: LockRules,
    /// Sessions.
    pub sessions: SessionRules,
    /// What of the trail is to be reported.
    pub events: EventRules,
}

/// What a desk is made of.
#[derive(Debug)]
pub struct DeskParts {
    /// The open archive.
    pub archive: Arc<Archive>,
    /// Its audit trail.
    pub trail: AuditTrail,
    /// The rules.
    pub rules: AccessRules,
    /// Where work is ordered, and how it stands.
    pub jobs: Jobs,
    /// Most bytes of one deposit.
    pub deposit_bytes_max: u64,
    /// Deposits that come in parts.
    pub uploads: Uploads,
    /// The company's OpenID provider, where people may log in by it.
    pub openid: Option<OpenidProvider>,
    /// Who reads the text of a PDF for the fields of a deposit; `None`: nobody does.
    pub paper: Option<PaperReader>,
}

/// The desk.
#[derive(Debug)]
pub struct Desk {
    pub(super) archive: Arc<Archive>,
    pub(super) trail: AuditTrail,
    pub(super) rules: AccessRules,
    pub(super) jobs: Jobs,
    pub(super) deposit_bytes_max: u64,
    pub(super) uploads: Uploads,
    openid: Option<OpenidProvider>,
    paper: Option<PaperReader>,
    people: RwLock<People>,
    sessions: Mutex<Sessions>,
    counter: Mutex<Counter>,
    /// Held by whoever changes an account only if it is as it was seen.
    people_turn: Mutex<()>,
    /// Held while a password is derived: many at once would take the memory and the processors from everybody else.
    deriving: Mutex<()>,
    /// Authenticators that were shown and not confirmed yet.
    pub(super) shown_factors: Mutex<BTreeMap<String, SecondFactor>>,
    /// When accounts were used since the archive was told last.
    pub(super) used: Mutex<HashMap<String, OffsetDateTime>>,
    pub(super) seen_keys: Mutex<SeenKeys>,
    /// The trail as it grows.
    pub(super) watch: Mutex<TrailWatch>,
    log_ins: Mutex<Rate<IpAddr>>,
    requests: Mutex<Rate<String>>,
}

/// On what something is done, for the audit trail.
#[derive(Debug, Clone, Default)]
pub(super) struct Subject {
    pub(super) record: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) details: BTreeMap<String, String>,
}

impl Desk {
    /// A desk over an open archive.
    ///
    /// # Errors
    /// The index is damaged or not whole yet.
    pub fn new(parts: DeskParts) -> Result<Self, ArchiveError> {
        let people = People::of(&parts.archive)?;
        let now = parts.archive.environment().clock.now();
        let watch = TrailWatch::new(parts.rules.events, now);
        Ok(Self {
            archive: parts.archive,
            trail: parts.trail,
            jobs: parts.jobs,
            deposit_bytes_max: parts.deposit_bytes_max,
            uploads: parts.uploads,
            openid: parts.openid,
            paper: parts.paper,
            people: RwLock::new(people),
            sessions: Mutex::new(Sessions::new(parts.rules.sessions)),
            rules: parts.rules,
            counter: Mutex::default(),
            people_turn: Mutex::default(),
            deriving: Mutex::default(),
            shown_factors: Mutex::default(),
            used: Mutex::default(),
            seen_keys: Mutex::default(),
            watch: Mutex::new(watch),
            log_ins: Mutex::new(Rate::new(RateRules::LOG_INS)),
            requests: Mutex::new(Rate::new(RateRules::REQUESTS)),
        })
    }

    /// The open archive.
    #[must_use]
    pub fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// Most bytes of one deposit.
    #[must_use]
    pub const fn deposit_bytes_max(&self) -> u64 {
        self.deposit_bytes_max
    }

    /// The company's OpenID provider, where people may log in by it.
    #[must_use]
    pub const fn openid(&self) -> Option<&OpenidProvider> {
        self.openid.as_ref()
    }

    /// Who reads the text of a PDF for the fields of a deposit, where somebody does.
    #[must_use]
    pub const fn paper(&self) -> Option<&PaperReader> {
        self.paper.as_ref()
    }

    /// Whether anybody can be served: not while the audit trail cannot be written (ECOM 2003 Tb1.12).
    ///
    /// # Errors
    /// [`Refusal::AuditStopped`].
    pub fn working(&self) -> Result<(), Refusal> {
        match self.trail.is_broken() {
            None => Ok(()),
            Some(fault) => Err(Refusal::AuditStopped {
                why: fault.to_string(),
            }),
        }
    }

    /// Ends the work: the last uses of accounts are recorded, and the trail is closed.
    ///
    /// # Errors
    /// [`Refusal`]: a medium failed.
    pub fn close(self) -> Result<Arc<Archive>, Refusal> {
        let told = self
            .record_uses()
            .and_then(|()| self.told(Act::ServiceStop));
        self.trail.close();
        told.map(|()| self.archive)
    }

    /// Writes down that the service begins or ends to serve.
    ///
    /// # Errors
    /// [`Refusal::AuditStopped`].
    pub fn told(&self, act: Act) -> Result<(), Refusal> {
        self.record("", LOCAL, (act, Outcome::Done), Subject::default())
    }

    /// Closes the days of the trail that are over: a record for each, proven with the others from then on.
    ///
    /// # Errors
    /// [`Refusal`]: a medium failed; it is tried again the next time.
    pub fn close_days(&self) -> Result<usize, Refusal> {
        self.working()?;
        close_days(&self.archive, &self.trail, self.now())
            .map(|closed| closed.len())
            .map_err(|error| Refusal::Evidence(error.to_string()))
    }

    /// Closes the operation journals of the days whose trail was closed, and makes the analyses of the months that are over.
    ///
    /// # Errors
    /// As [`Desk::close_days`].
    pub fn close_journals(&self) -> Result<usize, Refusal> {
        self.working()?;
        let (rules, now) = (self.rules.events, self.now());
        let failed = |error: ClosingError| Refusal::Evidence(error.to_string());
        let closed = close_journals(&self.archive, &self.trail, rules, now).map_err(failed)?;
        let made = make_reports(&self.archive, &self.trail, rules, now).map_err(failed)?;
        Ok(closed.len().saturating_add(made.len()))
    }

    /// One act: refused without the right, recorded whatever comes of it.
    pub(super) fn act<T>(
        &self,
        actor: &Actor,
        act: Act,
        right: Right,
        subject: Subject,
        work: impl FnOnce(&mut Subject) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.working()?;
        let mut subject = subject;
        let result = if actor.may(right) {
            work(&mut subject)
        } else {
            Err(Refusal::NotAllowed { right })
        };
        let outcome = match &result {
            Ok(_) => Outcome::Done,
            Err(Refusal::NotAllowed { .. }) => Outcome::Denied,
            Err(_) => Outcome::Failed,
        };
        if let Err(refusal) = &result {
            subject.fact("refusal", refusal.code());
        }
        self.record(
            &actor.account,
            &actor.client.to_string(),
            (act, outcome),
            subject,
        )?;
        result
    }

    /// Writes one entry, durable when this returns.
    pub(super) fn record(
        &self,
        person: &str,
        client: &str,
        (act, outcome): (Act, Outcome),
        subject: Subject,
    ) -> Result<(), Refusal> {
        let entry = NewEntry {
            person: person.to_owned(),
            client: client.to_owned(),
            act,
            record: subject.record,
            purpose: subject.purpose,
            outcome,
            details: subject.details,
            time: self.now(),
        };
        self.trail
            .write(entry)
            .map(drop)
            .map_err(|error| Refusal::AuditStopped {
                why: error.to_string(),
            })
    }

    /// One more try to log in from an address.
    pub(super) fn one_more_log_in(&self, client: IpAddr) -> Result<(), Refusal> {
        let taken = held(&self.log_ins).take(client, self.now());
        taken.map_err(|seconds| Refusal::TooMany { seconds })
    }

    /// One more request of an account.
    pub(super) fn one_more_request(&self, account: &str) -> Result<(), Refusal> {
        let taken = held(&self.requests).take(account.to_owned(), self.now());
        taken.map_err(|seconds| Refusal::TooMany { seconds })
    }

    /// The turn to look at accounts and change one of them: of two who saw the same, the second one sees what the first one did.
    pub(crate) fn turn_to_change_people(&self) -> MutexGuard<'_, ()> {
        held(&self.people_turn)
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.archive.environment().clock.now()
    }

    pub(super) fn people(&self) -> RwLockReadGuard<'_, People> {
        self.people.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn people_mut(&self) -> RwLockWriteGuard<'_, People> {
        self.people.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        held(&self.sessions)
    }

    pub(super) fn counter(&self) -> MutexGuard<'_, Counter> {
        held(&self.counter)
    }

    pub(super) fn deriving(&self) -> MutexGuard<'_, ()> {
        held(&self.deriving)
    }
}

impl Subject {
    pub(super) fn of(version: VersionId) -> Self {
        Self {
            record: Some(version.to_string()),
            ..Self::default()
        }
    }

    pub(super) fn fact(&mut self, key: &str, value: impl ToString) {
        let value: String = value
            .to_string()
            .chars()
            .take(FACT_CHARACTERS_MAX)
            .collect();
        self.details.insert(key.to_owned(), value);
    }
}

/// A lock whose holder panicked still guards what it guards.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From where what the service does by itself comes.
pub(super) const LOCAL: &str = "local";

/// Of what somebody sent, so much goes into the trail.
const FACT_CHARACTERS_MAX: usize = 500;
