//! Logging in and out, passwords and authenticators.

use std::net::IpAddr;

use formats::audit::Outcome;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::actor::Actor;
use super::desk::{Desk, Subject, held};
use super::refusal::Refusal;
use crate::access::account::AccountsUsed;
use crate::access::credentials::NewPassword;
use crate::access::login::{Entered, LoginOutcome, WrongLogin, check};
use crate::access::password;
use crate::access::session::{IssuedSession, Session, Standing};
use crate::access::totp::SecondFactor;
use crate::access::{AccessError, AccountState};
use crate::audit::Act;

/// What somebody entered.
#[derive(Clone, Copy)]
pub struct LogIn<'a> {
    /// The account.
    pub name: &'a str,
    /// The password.
    pub password: &'a str,
    /// The code of the authenticator.
    pub code: Option<&'a str>,
    /// From where.
    pub client: IpAddr,
}

impl std::fmt::Debug for LogIn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogIn").finish_non_exhaustive()
    }
}

/// A session that was just begun.
pub struct LoggedIn {
    /// Its token, told once.
    pub token: Zeroizing<String>,
    /// The session.
    pub session: Session,
    /// How many other sessions the account has.
    pub others: usize,
    /// How many of them were ended for this one.
    pub ended: usize,
}

impl std::fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoggedIn")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// Lets somebody in, as far as what was entered proves.
    ///
    /// # Errors
    /// [`Refusal::LogInWrong`] whatever is wrong; [`Refusal::CodeWanted`] to whoever knows the password.
    pub fn log_in(&self, entered: LogIn<'_>) -> Result<LoggedIn, Refusal> {
        self.working()?;
        self.one_more_log_in(entered.client)?;
        let now = self.now();
        let name = entered.name.trim();
        let tried = self.counter().may_try(name, self.rules.lock, now);
        let mut outcome = match tried {
            Ok(last_step) => self.checked(name, entered, last_step, now)?,
            Err(wrong) => {
                // As much time as any other try.
                let _turn = self.deriving();
                let known = Entered {
                    password: entered.password,
                    code: None,
                };
                let _same = check(None, known, None, &self.rules.password, now);
                LoginOutcome::Wrong(wrong)
            }
        };
        let is_account = self.people().directory().account(name).is_some();
        let told = {
            let mut counter = self.counter();
            match is_account {
                true => counter.told(name, &mut outcome, self.rules.lock, now),
                false => counter.told_of_stranger(name, &mut outcome, self.rules.lock, now),
            }
        };
        let mut subject = Subject::default();
        match outcome {
            LoginOutcome::In { standing, .. } => {
                let issued = self.begin(name, standing, entered.client, now)?;
                subject.fact("standing", standing_code(standing));
                let client = entered.client.to_string();
                self.record(name, &client, (Act::SessionBegin, Outcome::Done), subject)?;
                Ok(issued)
            }
            LoginOutcome::CodeWanted => Err(Refusal::CodeWanted),
            LoginOutcome::Wrong(wrong) => {
                subject.fact("entered", name);
                subject.fact("reason", wrong_code(wrong));
                subject.fact("failures", told.failures);
                if told.is_locked_now {
                    subject.fact("locked", "yes");
                }
                let client = entered.client.to_string();
                self.record("", &client, (Act::SessionRefuse, Outcome::Denied), subject)?;
                Err(Refusal::LogInWrong)
            }
        }
    }

    fn checked(
        &self,
        name: &str,
        entered: LogIn<'_>,
        last_step: Option<u64>,
        now: OffsetDateTime,
    ) -> Result<LoginOutcome, Refusal> {
        let (account, credentials) = {
            let people = self.people();
            (
                people.directory().account(name).cloned(),
                people.credentials(name)?,
            )
        };
        let known = account.as_ref().map(|account| (account, &credentials));
        let entered = Entered {
            password: entered.password,
            code: entered.code.map(str::trim).filter(|code| !code.is_empty()),
        };
        let _turn = self.deriving();
        Ok(check(known, entered, last_step, &self.rules.password, now))
    }

    pub(super) fn begin(
        &self,
        name: &str,
        standing: Standing,
        client: IpAddr,
        now: OffsetDateTime,
    ) -> Result<LoggedIn, Refusal> {
        let last = self.last_used(name, now);
        self.begin_after(name, standing, client, last)
    }

    /// When an account was used before, which is used now.
    fn last_used(&self, name: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let before = held(&self.used).insert(name.to_owned(), now);
        let recorded = || {
            let people = self.people();
            people
                .directory()
                .account(name)
                .and_then(|one| one.last_used_at)
        };
        before.or_else(recorded)
    }

    fn begin_after(
        &self,
        name: &str,
        standing: Standing,
        client: IpAddr,
        last: Option<OffsetDateTime>,
    ) -> Result<LoggedIn, Refusal> {
        let now = self.now();
        let entropy = self.archive.environment().entropy.as_ref();
        let mut sessions = self.sessions();
        let IssuedSession {
            token,
            session,
            ended,
        } = sessions
            .begin(name, standing, client, last, now, entropy)
            .map_err(|error| AccessError::Vault {
                what: error.to_string(),
            })?;
        let others = sessions.count(name).saturating_sub(1);
        Ok(LoggedIn {
            token,
            session,
            others,
            ended,
        })
    }

    /// The session of a token, and who it is, for a request from `client`.
    ///
    /// # Errors
    /// [`Refusal::LogInWanted`]: there is none, it is over, or the account is not in use any more.
    pub fn session(&self, token: &str, client: IpAddr) -> Result<(Session, Actor), Refusal> {
        self.working()?;
        let now = self.now();
        let session = self
            .sessions()
            .use_token(token, now)
            .ok_or(Refusal::LogInWanted)?;
        let people = self.people();
        let account = people.directory().account(&session.account);
        let account = account.filter(|one| one.state == AccountState::Active);
        let account = account.ok_or(Refusal::LogInWanted)?;
        self.one_more_request(&account.name)?;
        Ok((session, Actor::of(account, client)))
    }

    /// The system whose verified client certificate has this SHA-256.
    ///
    /// # Errors
    /// [`Refusal::LogInWanted`]: it is no active account's.
    pub fn system(&self, certificate: &str, client: IpAddr) -> Result<Actor, Refusal> {
        self.working()?;
        let people = self.people();
        let account = people.directory().system_with(certificate);
        let actor = Actor::of(account.ok_or(Refusal::LogInWanted)?, client);
        drop(people);
        self.one_more_request(&actor.account)?;
        held(&self.used).insert(actor.account.clone(), self.now());
        Ok(actor)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Refusal::AuditStopped`].
    pub fn log_out(&self, token: &str, client: IpAddr) -> Result<(), Refusal> {
        let Some(session) = self.sessions().end(token) else {
            return Ok(());
        };
        let client = client.to_string();
        let act = (Act::SessionEnd, Outcome::Done);
        self.record(&session.account, &client, act, Subject::default())
    }

    /// Changes the own password; all sessions of the account end, and a new one begins.
    ///
    /// # Errors
    /// [`Refusal::LogInWrong`] where the old one is wrong; [`Refusal::Access`] where the new one breaks the rules.
    pub fn change_password(
        &self,
        (actor, session): (&Actor, &Session),
        old: &str,
        new: &str,
    ) -> Result<LoggedIn, Refusal> {
        self.working()?;
        let now = self.now();
        let name = actor.account.as_str();
        let tried = self.counter().may_try(name, self.rules.lock, now);
        let changed = tried
            .map_err(|_| Refusal::LogInWrong)
            .and_then(|_| self.set_own_password(actor, old, new, now));
        if matches!(changed, Err(Refusal::LogInWrong)) {
            let mut outcome = LoginOutcome::Wrong(WrongLogin::Password);
            self.counter()
                .told(name, &mut outcome, self.rules.lock, now);
        }
        let mut subject = Subject::default();
        let outcome = match &changed {
            Ok(_) => Outcome::Done,
            Err(refusal) => {
                subject.fact("refusal", refusal.code());
                Outcome::Failed
            }
        };
        let client = actor.client.to_string();
        self.record(name, &client, (Act::PasswordChange, outcome), subject)?;
        let standing = changed?;
        self.sessions().end_all(name);
        self.begin_after(name, standing, actor.client, session.last_login)
    }

    fn set_own_password(
        &self,
        actor: &Actor,
        old: &str,
        new: &str,
        now: OffsetDateTime,
    ) -> Result<Standing, Refusal> {
        let entropy = self.archive.environment().entropy.as_ref();
        // Deriving takes long, and everybody's requests ask who they are: the people are held only for the reading and the writing.
        let _turn = self.deriving();
        let mut credentials = self.people().credentials(&actor.account)?;
        let is_right = credentials
            .password()
            .is_some_and(|kept| password::matches(old, kept));
        if !is_right {
            return Err(Refusal::LogInWrong);
        }
        let about = [actor.account.as_str(), actor.display_name.as_str()];
        let new = NewPassword {
            password: new,
            about: &about,
            is_first: false,
        };
        credentials.set_password(new, &self.rules.password, now, entropy)?;
        let changed = (&credentials, &["password"][..]);
        let account = actor.account.as_str();
        self.people_mut()
            .set_credentials(&self.archive, account, account, changed, entropy)?;
        Ok(match credentials.second_factor() {
            Some(_) => Standing::Full,
            None => Standing::MustSetSecondFactor,
        })
    }

    /// Makes an authenticator for whoever has none: its address (`otpauth:`) and its secret as text. It counts when a code of it was entered.
    ///
    /// # Errors
    /// [`Refusal::Standing`] where one is set already.
    pub fn show_authenticator(
        &self,
        actor: &Actor,
        standing: Standing,
    ) -> Result<(Zeroizing<String>, Zeroizing<String>), Refusal> {
        if standing != Standing::MustSetSecondFactor {
            return Err(Refusal::Standing(standing));
        }
        let mut shown = held(&self.shown_factors);
        if !shown.contains_key(&actor.account) {
            let entropy = self.archive.environment().entropy.as_ref();
            shown.insert(actor.account.clone(), SecondFactor::generate(entropy)?);
        }
        let factor = shown.get(&actor.account).ok_or(Refusal::NotFound)?;
        let address = factor.address("Fumikura", &actor.account)?;
        Ok((address, factor.to_text()))
    }

    /// Confirms the authenticator that was shown by a code of it; the session goes on with all that the account may do, under a new token.
    ///
    /// # Errors
    /// [`Refusal::LogInWrong`] where the code is wrong.
    pub fn confirm_authenticator(
        &self,
        (actor, session): (&Actor, &Session),
        code: &str,
    ) -> Result<LoggedIn, Refusal> {
        self.working()?;
        let now = self.now();
        let name = actor.account.as_str();
        let step = held(&self.shown_factors)
            .get(name)
            .and_then(|one| one.check(code.trim(), now, None));
        let factor = match step {
            Some(_) => held(&self.shown_factors).remove(name),
            None => None,
        };
        let client = actor.client.to_string();
        let act = |outcome| (Act::AuthenticatorSet, outcome);
        let (Some(factor), Some(step)) = (factor, step) else {
            self.record(name, &client, act(Outcome::Failed), Subject::default())?;
            return Err(Refusal::LogInWrong);
        };
        let entropy = self.archive.environment().entropy.as_ref();
        {
            let mut people = self.people_mut();
            let mut credentials = people.credentials(name)?;
            credentials.set_second_factor(&factor, true);
            let changed = (&credentials, &["second-factor"][..]);
            people.set_credentials(&self.archive, name, name, changed, entropy)?;
        }
        let mut outcome = LoginOutcome::In {
            standing: Standing::Full,
            step: Some(step),
        };
        self.counter()
            .told(name, &mut outcome, self.rules.lock, now);
        self.record(name, &client, act(Outcome::Done), Subject::default())?;
        self.sessions().end_all(name);
        self.begin_after(name, Standing::Full, actor.client, session.last_login)
    }

    /// The code that the authenticator of an account shows now.
    #[cfg(test)]
    pub(crate) fn code_of(&self, account: &str) -> Option<String> {
        let now = self.now();
        if let Some(shown) = held(&self.shown_factors).get(account) {
            return shown.code(now);
        }
        let credentials = self.people().credentials(account).ok()?;
        credentials.second_factor()?.code(now)
    }

    /// Records when accounts were last used, so that dormancy is known after a restart.
    ///
    /// # Errors
    /// A medium failed; it is tried again the next time.
    pub fn record_uses(&self) -> Result<(), Refusal> {
        let last_used = {
            let people = self.people();
            let mut used = held(&self.used).clone();
            // Only what is not recorded yet.
            used.retain(|name, at| {
                let account = people.directory().account(name);
                let known = account.and_then(|one| one.last_used_at);
                known.is_none_or(|known| known.unix_timestamp() < at.unix_timestamp())
            });
            let seconds = used
                .iter()
                .map(|(name, at)| (name.clone(), at.unix_timestamp()));
            seconds.collect::<std::collections::BTreeMap<_, _>>()
        };
        if last_used.is_empty() {
            return Ok(());
        }
        self.people_mut()
            .record(&self.archive, SERVICE, &AccountsUsed { last_used })?;
        Ok(())
    }
}

pub(super) const fn standing_code(standing: Standing) -> &'static str {
    match standing {
        Standing::Full => "full",
        Standing::MustChangePassword => "must-change-password",
        Standing::MustSetSecondFactor => "must-set-authenticator",
    }
}

pub(super) const fn wrong_code(wrong: WrongLogin) -> &'static str {
    match wrong {
        WrongLogin::Unknown => "unknown",
        WrongLogin::NotActive(_) => "not-active",
        WrongLogin::Password => "password",
        WrongLogin::Code => "code",
        WrongLogin::Locked => "locked",
    }
}

/// Who records what the service noticed by itself.
pub(super) const SERVICE: &str = crate::access::directory::PROGRAM;
