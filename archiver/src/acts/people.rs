//! Accounts: asked for by one person, approved by another; suspended, resumed, closed, reviewed.

use formats::id::EventId;

use super::actor::Actor;
use super::approval::is_person;
use super::desk::{Desk, Subject};
use super::founding::{FirstPassword, set_first_password};
use super::refusal::Refusal;
use crate::access::account::{
    AccountApproved, AccountClosed, AccountRefused, AccountRequested, AccountResumed,
    AccountSuspended, SuspensionCause,
};
use crate::access::review::ADMINISTRATORS_MIN;
use crate::access::{
    AccessError, Account, AccountFacts, AccountKind, AccountState, Directory, People, Right,
};
use crate::audit::Act;

impl Desk {
    /// The accounts and what waits.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_people(&self, actor: &Actor) -> Result<Directory, Refusal> {
        self.act(
            actor,
            Act::PeopleRead,
            Right::ReadPeople,
            Subject::default(),
            |_| Ok(self.people().directory().clone()),
        )
    }

    /// Asks for an account, or for a change of one.
    ///
    /// # Errors
    /// [`Refusal::Access`] with the reason.
    pub fn request_account(
        &self,
        actor: &Actor,
        asked: &AccountRequested,
    ) -> Result<EventId, Refusal> {
        let subject = about(&asked.account, &asked.reason);
        self.act(
            actor,
            Act::PeopleRequest,
            Right::ManagePeople,
            subject,
            |_| {
                self.check_texts(asked)?;
                let mut people = self.people_mut();
                let clockwork = self.clockwork();
                people.directory().check_request(asked, clockwork)?;
                Ok(people.record(&self.archive, &actor.account, asked)?)
            },
        )
    }

    /// Approves what another person asked for. A person who is new gets a first password, which is told here once.
    ///
    /// # Errors
    /// [`Refusal::Access`] with the reason.
    pub fn approve_account(
        &self,
        actor: &Actor,
        request: EventId,
    ) -> Result<Option<FirstPassword>, Refusal> {
        let mut subject = Subject::default();
        subject.fact("request", request);
        self.act(
            actor,
            Act::PeopleApprove,
            Right::ManagePeople,
            subject,
            |subject| {
                is_person(actor, Right::ManagePeople)?;
                // The turn to derive comes before the people, everywhere: else two would wait for each other.
                let _turn = self.deriving();
                let mut people = self.people_mut();
                let by = actor.account.as_str();
                let pending = people
                    .directory()
                    .check_approval(request, by, self.clockwork())?;
                let (account, kind) = (pending.what.account.clone(), pending.what.facts.kind);
                subject.fact("account", &account);
                let is_new = people
                    .directory()
                    .account(&account)
                    .is_none_or(|one| one.state == AccountState::Requested);
                let approved = AccountApproved {
                    account: account.clone(),
                    request,
                };
                subject.fact("change", if is_new { "account" } else { "rights" });
                let before = people.directory().account(&account);
                if let Some(before) = before.filter(|_| !is_new) {
                    subject.fact("roles-before", role_codes(&before.facts));
                }
                subject.fact("roles", role_codes(&pending.what.facts));
                people.record(&self.archive, &actor.account, &approved)?;
                // Roles may have become fewer: whoever is logged in logs in again.
                self.sessions().end_all(&account);
                if is_new && kind == AccountKind::Person {
                    let first = self.first_password(&mut people, &actor.account, &account)?;
                    return Ok(Some(first));
                }
                Ok(None)
            },
        )
    }

    /// Refuses what was asked for; whoever asked withdraws it this way.
    ///
    /// # Errors
    /// [`Refusal::Access`].
    pub fn refuse_account(
        &self,
        actor: &Actor,
        request: EventId,
        reason: &str,
    ) -> Result<(), Refusal> {
        let mut subject = about("", reason);
        subject.fact("request", request);
        self.act(
            actor,
            Act::PeopleRefuse,
            Right::ManagePeople,
            subject,
            |subject| {
                is_person(actor, Right::ManagePeople)?;
                let reason = given(reason)?;
                let mut people = self.people_mut();
                let pending = people.directory().pending().find(|one| one.id == request);
                let pending = pending.ok_or(AccessError::NoRequest { request })?;
                let refused = AccountRefused {
                    account: pending.what.account.clone(),
                    request,
                    reason,
                };
                subject.fact("ending", pending.ended_by(&actor.account).code());
                subject.fact("account", &refused.account);
                people.record(&self.archive, &actor.account, &refused)?;
                Ok(())
            },
        )
    }

    /// Suspends an account at once, and ends its sessions.
    ///
    /// # Errors
    /// [`Refusal::Access`].
    pub fn suspend_account(&self, actor: &Actor, name: &str, reason: &str) -> Result<(), Refusal> {
        let subject = about(name, reason);
        self.act(
            actor,
            Act::PeopleSuspend,
            Right::ManagePeople,
            subject,
            |_| {
                let mut people = self.people_mut();
                open_account(&people, name)?;
                let suspended = AccountSuspended {
                    account: name.to_owned(),
                    cause: SuspensionCause::Decided,
                    reason: given(reason)?,
                };
                people.record(&self.archive, &actor.account, &suspended)?;
                self.sessions().end_all(name);
                Ok(())
            },
        )
    }

    /// Takes an account into use again that was suspended, or locked by wrong passwords.
    ///
    /// # Errors
    /// [`Refusal::Access`]; nobody resumes himself.
    pub fn resume_account(&self, actor: &Actor, name: &str, reason: &str) -> Result<(), Refusal> {
        let subject = about(name, reason);
        self.act(
            actor,
            Act::PeopleResume,
            Right::ManagePeople,
            subject,
            |_| {
                another(actor, name)?;
                let mut people = self.people_mut();
                let account = open_account(&people, name)?;
                if account.state == AccountState::Suspended {
                    let resumed = AccountResumed {
                        account: name.to_owned(),
                        reason: given(reason)?,
                    };
                    people.record(&self.archive, &actor.account, &resumed)?;
                }
                self.counter().unlock(name);
                Ok(())
            },
        )
    }

    /// Closes an account for ever.
    ///
    /// # Errors
    /// [`Refusal::Access`]; the last two who decide on accounts stay.
    pub fn close_account(&self, actor: &Actor, name: &str, reason: &str) -> Result<(), Refusal> {
        let subject = about(name, reason);
        self.act(
            actor,
            Act::PeopleClose,
            Right::ManagePeople,
            subject,
            |_| {
                another(actor, name)?;
                let mut people = self.people_mut();
                let account = open_account(&people, name)?;
                let decides =
                    account.may(Right::ManagePeople) && account.facts.kind == AccountKind::Person;
                if decides
                    && people.directory().persons_with(Right::ManagePeople) <= ADMINISTRATORS_MIN
                {
                    return Err(AccessError::TooFewAdministrators.into());
                }
                let closed = AccountClosed {
                    account: name.to_owned(),
                    reason: given(reason)?,
                };
                people.record(&self.archive, &actor.account, &closed)?;
                self.sessions().end_all(name);
                Ok(())
            },
        )
    }

    /// Gives a person a new first password, and takes the authenticator away: both are set anew at the next log-in.
    ///
    /// # Errors
    /// [`Refusal::Access`]; nobody does it for himself.
    pub fn reset_account(
        &self,
        actor: &Actor,
        name: &str,
        reason: &str,
    ) -> Result<FirstPassword, Refusal> {
        let subject = about(name, reason);
        self.act(
            actor,
            Act::PeopleReset,
            Right::ManagePeople,
            subject,
            |_| {
                another(actor, name)?;
                given(reason)?;
                let _turn = self.deriving();
                let mut people = self.people_mut();
                let account = open_account(&people, name)?;
                if account.facts.kind != AccountKind::Person {
                    return Err(Refusal::invalid(
                        "account",
                        "システムのアカウントにパスワードはありません",
                        "the account of a system has no password",
                    ));
                }
                let first = self.first_password(&mut people, &actor.account, name)?;
                self.sessions().end_all(name);
                self.counter().unlock(name);
                Ok(first)
            },
        )
    }

    /// What somebody asks for is kept for decades: it names classes that exist, certificates that can be, and is no book.
    fn check_texts(&self, asked: &AccountRequested) -> Result<(), Refusal> {
        let facts = &asked.facts;
        let name = facts.display_name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control)
        {
            return Err(Refusal::invalid(
                "display_name",
                "氏名を 1〜200 字で入力してください",
                "give a name of 1 to 200 characters",
            ));
        }
        if asked.reason.chars().count() > REASON_MAX {
            return Err(too_long());
        }
        let classes = facts.scope.classes.iter().flatten();
        if classes
            .into_iter()
            .any(|id| self.archive.classes().class(id).is_err())
        {
            return Err(Refusal::invalid(
                "classes",
                "そのような保管要件はありません",
                "there is no such class",
            ));
        }
        let is_digest =
            |text: &String| text.len() == 64 && text.bytes().all(|one| one.is_ascii_hexdigit());
        if !facts.certificates.iter().all(is_digest) {
            return Err(Refusal::invalid(
                "certificates",
                "証明書の SHA-256 を 16 進 64 桁で指定してください",
                "give the SHA-256 of a certificate, 64 hexadecimal digits",
            ));
        }
        let is_subject = |text: &String| {
            let length = text.chars().count();
            (1..=OPENID_MAX).contains(&length)
                && text.trim() == text
                && !text.chars().any(char::is_control)
        };
        if !facts.openid.iter().all(is_subject) {
            return Err(Refusal::invalid(
                "openid",
                "OpenID の識別子を 1〜255 字で、前後に空白を付けずに入力してください",
                "give the OpenID subject in 1 to 255 characters, without spaces around it",
            ));
        }
        Ok(())
    }

    fn first_password(
        &self,
        people: &mut People,
        by: &str,
        name: &str,
    ) -> Result<FirstPassword, Refusal> {
        set_first_password(&self.archive, people, by, name, &self.rules.password)
    }
}

fn role_codes(facts: &AccountFacts) -> String {
    let codes = facts.roles.iter().map(|role| role.code());
    codes.collect::<Vec<_>>().join(" ")
}

fn about(account: &str, reason: &str) -> Subject {
    let mut subject = Subject::default();
    if !account.is_empty() {
        subject.fact("account", account);
    }
    subject.fact("reason", reason);
    subject
}

pub(super) fn given(reason: &str) -> Result<String, Refusal> {
    match reason.trim() {
        "" => Err(AccessError::NoReason.into()),
        reason if reason.chars().count() > REASON_MAX => Err(too_long()),
        reason => Ok(reason.to_owned()),
    }
}

/// Whether a remark, which may be empty, is short enough to be kept.
pub(super) fn reason_fits(remark: &str) -> Result<(), Refusal> {
    match remark.chars().count() {
        0..=REASON_MAX => Ok(()),
        _ => Err(too_long()),
    }
}

fn too_long() -> Refusal {
    Refusal::invalid(
        "reason",
        "理由は 1,000 字までです",
        "a reason has at most 1,000 characters",
    )
}

fn another(actor: &Actor, name: &str) -> Result<(), Refusal> {
    if actor.account == name {
        let person = name.to_owned();
        return Err(AccessError::SamePerson { person }.into());
    }
    Ok(())
}

pub(super) fn open_account<'a>(people: &'a People, name: &str) -> Result<&'a Account, AccessError> {
    let account = people.directory().account(name);
    let account = account.filter(|one| one.state != AccountState::Closed);
    account.ok_or_else(|| AccessError::NoAccount {
        name: name.to_owned(),
    })
}

/// Characters of a name.
const NAME_MAX: usize = 200;

/// Characters of a subject (OpenID Connect Core 1.0 §2, `sub`).
const OPENID_MAX: usize = 255;

/// Characters of a reason.
const REASON_MAX: usize = 1_000;
