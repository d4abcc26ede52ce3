//! Accounts: asked for by one person, approved by another; suspended, resumed, closed, reviewed.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firmware::entropy::Entropy;
use formats::id::EventId;
use zeroize::Zeroizing;

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::account::{
    AccountApproved, AccountClosed, AccountRefused, AccountRequested, AccountResumed,
    AccountSuspended, AccountsReviewed, SuspensionCause,
};
use crate::access::credentials::NewPassword;
use crate::access::{
    AccessError, Account, AccountFacts, AccountKind, AccountState, Directory, People, Right,
};
use crate::archive::Archive;
use crate::audit::Act;

/// A password that somebody hands over once; it must be changed at the first log-in.
#[derive(Debug)]
pub struct FirstPassword {
    /// Whose.
    pub account: String,
    /// The password.
    pub password: Zeroizing<String>,
}

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
                let mut people = self.people_mut();
                people.directory().check_request(asked)?;
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
                let mut people = self.people_mut();
                let pending = people.directory().check_approval(request, &actor.account)?;
                let (account, kind) = (pending.account.clone(), pending.facts.kind);
                subject.fact("account", &account);
                let is_new = people
                    .directory()
                    .account(&account)
                    .is_none_or(|one| one.state == AccountState::Requested);
                let approved = AccountApproved {
                    account: account.clone(),
                    request,
                };
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
                let reason = given(reason)?;
                let mut people = self.people_mut();
                let pending = people.directory().pending().find(|one| one.id == request);
                let pending = pending.ok_or(AccessError::NoRequest { request })?;
                let refused = AccountRefused {
                    account: pending.account.clone(),
                    request,
                    reason,
                };
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
                    return Err(Refusal::invalid(
                        "account",
                        "管理者は 2 人以上必要です。先に別の人を管理者にしてください",
                        "two administrators are the least: make another person one first",
                    ));
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

    /// Confirms accounts in the yearly review.
    ///
    /// # Errors
    /// [`Refusal::Access`]: one of them does not exist.
    pub fn review_accounts(
        &self,
        actor: &Actor,
        confirmed: BTreeSet<String>,
    ) -> Result<(), Refusal> {
        let mut subject = Subject::default();
        subject.fact("accounts", confirmed.len());
        self.act(
            actor,
            Act::PeopleReview,
            Right::ManagePeople,
            subject,
            |_| {
                let mut people = self.people_mut();
                for name in &confirmed {
                    open_account(&people, name)?;
                }
                people.record(
                    &self.archive,
                    &actor.account,
                    &AccountsReviewed { confirmed },
                )?;
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

    fn first_password(
        &self,
        people: &mut People,
        by: &str,
        name: &str,
    ) -> Result<FirstPassword, Refusal> {
        let _turn = self.deriving();
        set_first_password(&self.archive, people, by, name, &self.rules.password)
    }
}

/// Makes the first accounts of an archive: administrators, each approved by the other, as the one who holds the keys decides. Only while there are none.
///
/// # Errors
/// [`Refusal::Access`]; fewer than two; there are accounts already.
pub fn found_accounts(
    archive: &Archive,
    by: &str,
    founders: &[(String, AccountFacts)],
    rules: &crate::access::password::PasswordRules,
) -> Result<Vec<FirstPassword>, Refusal> {
    let mut people = People::of(archive)?;
    if people.directory().accounts().next().is_some() {
        return Err(Refusal::invalid(
            "account",
            "アカウントはもう作られています。サービスにログインして申請してください",
            "there are accounts already: log in to the service and ask for more there",
        ));
    }
    let names: BTreeSet<_> = founders.iter().map(|(name, _)| name).collect();
    if names.len() < ADMINISTRATORS_MIN {
        return Err(Refusal::invalid(
            "account",
            "管理者は 2 人以上必要です",
            "two administrators are the least",
        ));
    }
    let reason = "first accounts of the archive".to_owned();
    let mut requests = Vec::new();
    for (account, facts) in founders {
        let asked = AccountRequested {
            account: account.clone(),
            facts: facts.clone(),
            reason: reason.clone(),
        };
        people.directory().check_request(&asked)?;
        requests.push((account, people.record(archive, by, &asked)?));
    }
    let mut first = Vec::new();
    for (account, request) in requests {
        let account = account.clone();
        let approved = AccountApproved {
            account: account.clone(),
            request,
        };
        people.record(archive, by, &approved)?;
        first.push(set_first_password(
            archive,
            &mut people,
            by,
            &account,
            rules,
        )?);
    }
    Ok(first)
}

/// Gives a person a new first password, as whoever holds the keys of the archive decides while the service is stopped.
///
/// # Errors
/// [`Refusal::Access`].
pub fn reset_person(
    archive: &Archive,
    by: &str,
    name: &str,
    reason: &str,
) -> Result<FirstPassword, Refusal> {
    let mut people = People::of(archive)?;
    let account = open_account(&people, name)?;
    let is_person = account.facts.kind == AccountKind::Person;
    let is_suspended = account.state == AccountState::Suspended;
    let reason = given(reason)?;
    if !is_person {
        return Err(AccessError::NoAccount {
            name: name.to_owned(),
        }
        .into());
    }
    if is_suspended {
        let resumed = AccountResumed {
            account: name.to_owned(),
            reason,
        };
        people.record(archive, by, &resumed)?;
    }
    let rules = crate::access::password::PasswordRules::default();
    set_first_password(archive, &mut people, by, name, &rules)
}

fn set_first_password(
    archive: &Archive,
    people: &mut People,
    by: &str,
    name: &str,
    rules: &crate::access::password::PasswordRules,
) -> Result<FirstPassword, Refusal> {
    let environment = archive.environment();
    let entropy = environment.entropy.as_ref();
    let password = random_password(entropy)?;
    let mut credentials = people.credentials(name)?;
    let new = NewPassword {
        password: &password,
        about: &[],
        is_first: true,
    };
    credentials.set_password(new, rules, environment.clock.now(), entropy)?;
    credentials.drop_second_factor();
    let changed = (&credentials, &["password", "second-factor"][..]);
    people.set_credentials(archive, by, name, changed, entropy)?;
    Ok(FirstPassword {
        account: name.to_owned(),
        password,
    })
}

/// 96 random bits, with one of each class of characters that the rules want.
fn random_password(entropy: &dyn Entropy) -> Result<Zeroizing<String>, AccessError> {
    let mut bytes = Zeroizing::new([0; 12]);
    entropy
        .fill(bytes.as_mut_slice())
        .map_err(|error| AccessError::Vault {
            what: error.to_string(),
        })?;
    let random = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
    Ok(Zeroizing::new(format!("Fk7+{}", random.as_str())))
}

fn about(account: &str, reason: &str) -> Subject {
    let mut subject = Subject::default();
    if !account.is_empty() {
        subject.fact("account", account);
    }
    subject.fact("reason", reason);
    subject
}

fn given(reason: &str) -> Result<String, Refusal> {
    match reason.trim() {
        "" => Err(AccessError::NoReason.into()),
        reason => Ok(reason.to_owned()),
    }
}

fn another(actor: &Actor, name: &str) -> Result<(), Refusal> {
    if actor.account == name {
        let person = name.to_owned();
        return Err(AccessError::SamePerson { person }.into());
    }
    Ok(())
}

fn open_account<'a>(people: &'a People, name: &str) -> Result<&'a Account, AccessError> {
    let account = people.directory().account(name);
    let account = account.filter(|one| one.state != AccountState::Closed);
    account.ok_or_else(|| AccessError::NoAccount {
        name: name.to_owned(),
    })
}

/// 000–002: `B08`.
const ADMINISTRATORS_MIN: usize = 2;
