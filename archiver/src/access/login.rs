//! Logging in: password and second factor, wrong ones counted, accounts locked.
//!
//! An unknown name costs as much time as a wrong password, and gets the same answer: the answer never says which of name, password and code was wrong.
//! Checking a password takes some 20 ms of a processor, so it stands apart from the counting: [`Counter::may_try`], then [`check`], then [`Counter::told`].

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::account::{Account, AccountKind, AccountState};
use super::credentials::Credentials;
use super::password::{self, PasswordRules};
use super::session::Standing;

/// When somebody who guesses is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockRules {
    /// So many wrong log-ins in a row lock the account.
    pub failures_max: u32,
    /// For so long; `None`: until an administrator resumes it.
    pub locked_for: Option<Duration>,
}

impl Default for LockRules {
    /// Ten in a row (000–002: `A16`), half an hour.
    fn default() -> Self {
        Self {
            failures_max: 10,
            locked_for: Some(Duration::minutes(30)),
        }
    }
}

/// What somebody entered.
#[derive(Clone, Copy)]
pub struct Entered<'a> {
    /// The password.
    pub password: &'a str,
    /// The code of the authenticator, where it was asked for.
    pub code: Option<&'a str>,
}

impl std::fmt::Debug for Entered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entered").finish_non_exhaustive()
    }
}

/// How a log-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginOutcome {
    /// In, as far as the standing says.
    In {
        /// What was proven.
        standing: Standing,
        /// The step of the code that was used up.
        step: Option<u64>,
    },
    /// The password is right, and a code is wanted besides. Told only to whoever knows the password.
    CodeWanted,
    /// Something was wrong.
    Wrong(WrongLogin),
}

/// What was wrong: for the audit trail, and never for whoever tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongLogin {
    /// No such account, or a system's.
    Unknown,
    /// The account is not in use.
    NotActive(AccountState),
    /// The password.
    Password,
    /// The code.
    Code,
    /// Too many wrong ones before.
    Locked,
}

/// Counts wrong log-ins, and remembers the codes that were used.
#[derive(Debug, Default)]
pub struct Counter {
    of_account: BTreeMap<String, Tries>,
    of_stranger: BTreeMap<String, Tries>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tries {
    failures: u32,
    locked_at: Option<OffsetDateTime>,
    last_step: Option<u64>,
}

/// What a try changed for the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Wrong ones in a row, this one included.
    pub failures: u32,
    /// Whether this one locked it.
    pub is_locked_now: bool,
}

/// Checks what somebody entered for an account; `None`: there is no such account. Always derives a password once.
#[must_use]
pub fn check(
    account: Option<(&Account, &Credentials)>,
    entered: Entered<'_>,
    last_step: Option<u64>,
    rules: &PasswordRules,
    now: OffsetDateTime,
) -> LoginOutcome {
    let kept = account.and_then(|(_, credentials)| credentials.password());
    let is_right = password::matches(entered.password, kept.unwrap_or(NOBODY));
    let wrong = LoginOutcome::Wrong;
    let Some((account, credentials)) = account else {
        return wrong(WrongLogin::Unknown);
    };
    if account.facts.kind != AccountKind::Person {
        return wrong(WrongLogin::Unknown);
    }
    if kept.is_none() || !is_right {
        return wrong(WrongLogin::Password);
    }
    if account.state != AccountState::Active {
        return wrong(WrongLogin::NotActive(account.state));
    }
    let step = match (credentials.second_factor(), entered.code) {
        (Some(_), None) => return LoginOutcome::CodeWanted,
        (Some(factor), Some(code)) => match factor.check(code, now, last_step) {
            None => return wrong(WrongLogin::Code),
            step => step,
        },
        (None, _) => None,
    };
    let standing = if credentials.must_change(now, rules) {
        Standing::MustChangePassword
    } else if step.is_none() {
        Standing::MustSetSecondFactor
    } else {
        Standing::Full
    };
    LoginOutcome::In { standing, step }
}

impl Counter {
    /// Whether the account may be tried now, and the last step of a code that was used for it.
    ///
    /// # Errors
    /// [`WrongLogin::Locked`].
    pub fn may_try(
        &mut self,
        name: &str,
        rules: LockRules,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, WrongLogin> {
        let tries = match self.of_account.get_mut(name) {
            Some(tries) => Some(tries),
            None => self.of_stranger.get_mut(name),
        };
        let Some(tries) = tries else {
            return Ok(None);
        };
        if let Some(locked_at) = tries.locked_at {
            if rules
                .locked_for
                .is_none_or(|locked_for| now - locked_at < locked_for)
            {
                return Err(WrongLogin::Locked);
            }
            tries.locked_at = None;
            tries.failures = 0;
        }
        Ok(tries.last_step)
    }

    /// Takes the outcome of a try in. Two tries with the same code at the same moment: the second one is wrong.
    pub fn told(
        &mut self,
        name: &str,
        outcome: &mut LoginOutcome,
        rules: LockRules,
        now: OffsetDateTime,
    ) -> Told {
        let tries = self.of_account.entry(name.to_owned()).or_default();
        tries.told(outcome, rules, now)
    }

    /// The same for a name that no account has. As many of them as anybody likes take no more than some megabytes.
    pub fn told_of_stranger(
        &mut self,
        name: &str,
        outcome: &mut LoginOutcome,
        rules: LockRules,
        now: OffsetDateTime,
    ) -> Told {
        if self.of_stranger.len() >= STRANGERS_MAX && !self.of_stranger.contains_key(name) {
            self.of_stranger.pop_first();
        }
        let tries = self.of_stranger.entry(name.to_owned()).or_default();
        tries.told(outcome, rules, now)
    }

    /// Forgets the wrong tries of an account: an administrator resumed it.
    pub fn unlock(&mut self, name: &str) {
        if let Some(tries) = self.of_account.get_mut(name) {
            tries.failures = 0;
            tries.locked_at = None;
        }
    }
}

impl Tries {
    fn told(&mut self, outcome: &mut LoginOutcome, rules: LockRules, now: OffsetDateTime) -> Told {
        if let LoginOutcome::In {
            step: Some(step), ..
        } = outcome
            && self.last_step.is_some_and(|last| *step <= last)
        {
            *outcome = LoginOutcome::Wrong(WrongLogin::Code);
        }
        match *outcome {
            LoginOutcome::In { step, .. } => {
                self.failures = 0;
                self.last_step = self.last_step.max(step);
            }
            LoginOutcome::CodeWanted | LoginOutcome::Wrong(WrongLogin::Locked) => {}
            LoginOutcome::Wrong(_) => self.failures = self.failures.saturating_add(1),
        }
        let is_locked_now = self.failures >= rules.failures_max && self.locked_at.is_none();
        if is_locked_now {
            self.locked_at = Some(now);
        }
        Told {
            failures: self.failures,
            is_locked_now,
        }
    }
}

/// What a password is compared with where there is none: the usual cost, and no password gives it (its digest is random).
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$ZnVtaWt1cmEtbm9ib2R5IQ$wK0cMeJnrWc1b0fCFYVYlqXsFSqgZr6tPGHXxAvxb0c";

/// Names that nobody has, and that are remembered at once: some megabytes.
const STRANGERS_MAX: usize = 10_000;

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
