//! The first accounts of an archive, and first passwords.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firmware::entropy::Entropy;
use zeroize::Zeroizing;

use super::people::{given, open_account};
use super::refusal::Refusal;
use crate::access::account::{AccountApproved, AccountRequested, AccountResumed};
use crate::access::credentials::{Credentials, NewPassword};
use crate::access::password::PasswordRules;
use crate::access::review::ADMINISTRATORS_MIN;
use crate::access::{AccessError, AccountFacts, AccountKind, AccountState, People};
use crate::approval::Clockwork;
use crate::archive::Archive;

/// A password that somebody hands over once; it must be changed at the first log-in.
pub struct FirstPassword {
    /// Whose.
    pub account: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for FirstPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstPassword")
            .field("account", &self.account)
            .finish_non_exhaustive()
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
    rules: &PasswordRules,
) -> Result<Vec<FirstPassword>, Refusal> {
    let people = People::of(archive)?;
    if people.directory().accounts().next().is_some() {
        return Err(Refusal::invalid(
            "account",
            "アカウントはもう作られています。サービスにログインして申請してください",
            "there are accounts already: log in to the service and ask for more there",
        ));
    }
    let names: BTreeSet<_> = founders.iter().map(|(name, _)| name).collect();
    if names.len() < ADMINISTRATORS_MIN || names.len() < founders.len() {
        return Err(Refusal::invalid(
            "account",
            "別々の管理者が 2 人以上必要です",
            "two different administrators are the least",
        ));
    }
    let entropy = archive.environment().entropy.as_ref();
    // One commit for all: half of them could neither log in nor be made again.
    let (mut events, mut first) = (Vec::new(), Vec::new());
    for (account, facts) in founders {
        let asked = AccountRequested {
            account: account.clone(),
            facts: facts.clone(),
            reason: "first accounts of the archive".to_owned(),
        };
        people
            .directory()
            .check_request(&asked, Clockwork::of(archive))?;
        let asked = archive.seal_event(by, &asked)?;
        let approved = AccountApproved {
            account: account.clone(),
            request: asked.1.id,
        };
        let approved = archive.seal_event(by, &approved)?;
        let (credentials, password) = first_credentials(archive, Credentials::default(), rules)?;
        let set = people.sealed(account, (&credentials, FIRST), entropy)?;
        events.extend([asked, approved, archive.seal_event(by, &set)?]);
        first.push(FirstPassword {
            account: account.clone(),
            password,
        });
    }
    archive.record(events)?;
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
    let rules = PasswordRules::default();
    set_first_password(archive, &mut people, by, name, &rules)
}

pub(super) fn set_first_password(
    archive: &Archive,
    people: &mut People,
    by: &str,
    name: &str,
    rules: &PasswordRules,
) -> Result<FirstPassword, Refusal> {
    let (credentials, password) = first_credentials(archive, people.credentials(name)?, rules)?;
    let entropy = archive.environment().entropy.as_ref();
    people.set_credentials(archive, by, name, (&credentials, FIRST), entropy)?;
    Ok(FirstPassword {
        account: name.to_owned(),
        password,
    })
}

/// Credentials with a first password, and no authenticator.
fn first_credentials(
    archive: &Archive,
    mut credentials: Credentials,
    rules: &PasswordRules,
) -> Result<(Credentials, Zeroizing<String>), Refusal> {
    let environment = archive.environment();
    let entropy = environment.entropy.as_ref();
    let password = random_password(entropy)?;
    let new = NewPassword {
        password: &password,
        about: &[],
        is_first: true,
    };
    credentials.set_password(new, rules, environment.clock.now(), entropy)?;
    credentials.drop_second_factor();
    Ok((credentials, password))
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

/// What a first password changes.
const FIRST: &[&str] = &["password", "second-factor"];

#[cfg(test)]
#[path = "founding_tests.rs"]
mod tests;
