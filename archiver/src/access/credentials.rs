//! What lets a person in: the derived password, earlier ones, the secret of the authenticator.
//!
//! They stand in events, sealed once more under a key of their own, so that nothing that reads, lists or exports events comes by them, and a rebuild gives
//! them back. A password itself is never kept.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use firmware::entropy::Entropy;
use formats::id::ArchiveId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::AccessError;
use super::password::{self, PasswordFault, PasswordRules};
use super::totp::SecondFactor;
use crate::event::{EventBody, RecordedEvent, Topic};
use crate::keys::{DataKey, ValueKey};

/// What lets one person in.
#[derive(Default, Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    password: Option<String>,
    password_set_at: Option<i64>,
    must_change: bool,
    earlier: Vec<String>,
    second_factor: Option<Vec<u8>>,
    is_second_factor_confirmed: bool,
}

/// A password that is to be set.
#[derive(Clone, Copy)]
pub struct NewPassword<'a> {
    /// The password.
    pub password: &'a str,
    /// What one would guess first: names, the company's, the mail address.
    pub about: &'a [&'a str],
    /// Whether somebody else chose it, so that it must be changed at the next log-in.
    pub is_first: bool,
}

/// The credentials of an account were set: all of them, as they are from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsSet {
    /// The account.
    pub account: String,
    /// What changed, as words: `password`, `second-factor`.
    pub changed: Vec<String>,
    /// The credentials, sealed, base64.
    pub sealed: String,
}

impl EventBody for CredentialsSet {
    const KIND: &'static str = "credentials-set";
    const TOPIC: Topic = Topic::People;
}

/// The latest credentials of all accounts, sealed.
#[derive(Debug, Default, Clone)]
pub struct CredentialBook {
    sealed: BTreeMap<String, String>,
}

/// Seals and opens credentials.
#[derive(Debug)]
pub struct CredentialSealer {
    archive: ArchiveId,
    key: ValueKey,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("must_change", &self.must_change)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NewPassword<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPassword").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Sets a password that follows the rules.
    ///
    /// # Errors
    /// [`AccessError::Password`], or no randomness.
    pub fn set_password(
        &mut self,
        new: NewPassword<'_>,
        rules: &PasswordRules,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<(), AccessError> {
        let password = new.password;
        password::check(password, new.about, rules).map_err(AccessError::Password)?;
        let compared = self.password.iter().chain(self.earlier.iter());
        let mut compared = compared.take(rules.history.saturating_add(1));
        if compared.any(|kept| password::matches(password, kept)) {
            let history = rules.history;
            return Err(AccessError::Password(PasswordFault::UsedBefore { history }));
        }
        let kept = password::derive(password, rules.cost, entropy)?;
        if let Some(old) = self.password.replace(kept) {
            self.earlier.insert(0, old);
            self.earlier.truncate(rules.history);
        }
        self.password_set_at = Some(now.unix_timestamp());
        self.must_change = new.is_first;
        Ok(())
    }

    /// What is kept of the password; `None` where none was set.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// Whether the password must be changed now: somebody else chose it, or it is too old.
    #[must_use]
    pub fn must_change(&self, now: OffsetDateTime, rules: &PasswordRules) -> bool {
        let set_at = self
            .password_set_at
            .and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        self.must_change || set_at.is_none_or(|at| password::is_too_old(at, now, rules))
    }

    /// Sets an authenticator. It counts when a code of it was entered.
    pub fn set_second_factor(&mut self, factor: &SecondFactor, is_confirmed: bool) {
        self.second_factor = Some(factor.expose().to_vec());
        self.is_second_factor_confirmed = is_confirmed;
    }

    /// Takes the authenticator away: the next log-in sets a new one.
    pub fn drop_second_factor(&mut self) {
        self.second_factor.zeroize();
        self.second_factor = None;
        self.is_second_factor_confirmed = false;
    }

    /// The authenticator, where one was confirmed.
    #[must_use]
    pub fn second_factor(&self) -> Option<SecondFactor> {
        let secret = self.second_factor.as_ref()?;
        let factor = SecondFactor::from_bytes(secret)?;
        self.is_second_factor_confirmed.then_some(factor)
    }
}

impl CredentialBook {
    /// Takes one event in; others change nothing.
    pub fn fold(&mut self, event: &RecordedEvent) {
        if let Some(set) = event.as_::<CredentialsSet>() {
            self.sealed.insert(set.account, set.sealed);
        }
    }

    /// The credentials of an account; those of one that has none let nobody in.
    ///
    /// # Errors
    /// [`AccessError::Vault`]: they were changed, or belong to somebody else.
    pub fn of(&self, account: &str, sealer: &CredentialSealer) -> Result<Credentials, AccessError> {
        self.sealed.get(account).map_or_else(
            || Ok(Credentials::default()),
            |sealed| sealer.open(account, sealed),
        )
    }
}

impl CredentialSealer {
    /// The sealer of an archive.
    #[must_use]
    pub fn new(archive: ArchiveId, catalog_key: &DataKey) -> Self {
        let key = catalog_key.subkey("credentials").value_key();
        Self { archive, key }
    }

    /// The event that sets the credentials of an account.
    ///
    /// # Errors
    /// [`AccessError::Vault`]: no randomness.
    pub fn seal(
        &self,
        account: &str,
        changed: &[&str],
        credentials: &Credentials,
        entropy: &dyn Entropy,
    ) -> Result<CredentialsSet, AccessError> {
        let failed = |what: String| AccessError::Vault { what };
        let text = serde_json::to_vec(credentials).map_err(|error| failed(error.to_string()))?;
        let text = Zeroizing::new(text);
        let sealed = self
            .key
            .seal(entropy, &self.context(account), &text)
            .map_err(|error| failed(error.to_string()))?;
        Ok(CredentialsSet {
            account: account.to_owned(),
            changed: changed.iter().map(|&one| one.to_owned()).collect(),
            sealed: STANDARD.encode(sealed),
        })
    }

    fn open(&self, account: &str, sealed: &str) -> Result<Credentials, AccessError> {
        let damaged = || AccessError::Vault {
            what: format!("the credentials of '{account}' do not open"),
        };
        let sealed = STANDARD.decode(sealed).map_err(|_| damaged())?;
        let text = self
            .key
            .open(&self.context(account), &sealed)
            .ok_or_else(damaged)?;
        serde_json::from_slice(&text).map_err(|_| damaged())
    }

    /// Archive and account are authenticated: nobody gets the password of another one by moving it.
    fn context(&self, account: &str) -> Vec<u8> {
        [
            b"fumikura credentials 1\0",
            self.archive.as_bytes().as_slice(),
            account.as_bytes(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use firmware::entropy::SeededEntropy;
    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::access::password::PasswordCost;

    const NOW: OffsetDateTime = datetime!(2030-04-01 00:00 UTC);
    const FIRST: &str = "Ume-kaban-7-tetsudo";
    const SECOND: &str = "Kaede-9-hashi-tokei";

    fn sealer() -> CredentialSealer {
        let archive = ArchiveId::new(1, &[1; 10]);
        CredentialSealer::new(archive, &DataKey::from_bytes(&[5; 32]))
    }

    fn set(
        credentials: &mut Credentials,
        password: &str,
        is_first: bool,
    ) -> Result<(), AccessError> {
        let rules = PasswordRules {
            history: 1,
            cost: PasswordCost::cheap(),
            ..PasswordRules::default()
        };
        let new = NewPassword {
            password,
            about: &[],
            is_first,
        };
        credentials.set_password(new, &rules, NOW, &SeededEntropy::new(3))
    }

    #[test]
    fn the_first_password_and_an_old_one_must_be_changed_and_none_comes_again() {
        let rules = PasswordRules::default();
        let mut credentials = Credentials::default();
        assert!(credentials.must_change(NOW, &rules), "there is none");
        set(&mut credentials, FIRST, true).expect("taken");
        assert!(credentials.must_change(NOW, &rules));
        let again = set(&mut credentials, FIRST, false).expect_err("the same");
        assert_eq!(
            again,
            AccessError::Password(PasswordFault::UsedBefore { history: 1 })
        );
        set(&mut credentials, SECOND, false).expect("taken");
        assert!(!credentials.must_change(NOW, &rules));
        assert!(credentials.must_change(NOW + Duration::days(93), &rules));
        assert!(
            set(&mut credentials, FIRST, false).is_err(),
            "one earlier one is remembered"
        );
        set(&mut credentials, "Sango-4-yane-momiji", false).expect("taken");
        set(&mut credentials, FIRST, false).expect("and no more than that");
        assert!(password::matches(
            FIRST,
            credentials.password().expect("set")
        ));
    }

    #[test]
    fn credentials_open_for_their_account_only_and_are_not_in_the_event() {
        let mut credentials = Credentials::default();
        set(&mut credentials, FIRST, false).expect("taken");
        let entropy = SeededEntropy::new(9);
        let factor = SecondFactor::generate(&entropy).expect("a secret");
        credentials.set_second_factor(&factor, true);
        let set = sealer()
            .seal("sato", &["password"], &credentials, &entropy)
            .expect("sealed");
        let text = serde_json::to_string(&set).expect("text");
        assert!(
            !text.contains("argon2id") && !text.contains(FIRST),
            "{text}"
        );

        let mut book = CredentialBook::default();
        book.sealed.insert("sato".to_owned(), set.sealed.clone());
        book.sealed.insert("suzuki".to_owned(), set.sealed.clone());
        let opened = book.of("sato", &sealer()).expect("it opens");
        assert!(password::matches(FIRST, opened.password().expect("set")));
        assert!(opened.second_factor().is_some());
        book.of("suzuki", &sealer())
            .expect_err("it is another one's");
        let nobody = book.of("tanaka", &sealer()).expect("nothing was set");
        assert!(nobody.password().is_none() && nobody.second_factor().is_none());
    }

    #[test]
    fn an_authenticator_counts_when_it_is_confirmed_and_until_it_is_dropped() {
        let factor = SecondFactor::generate(&SeededEntropy::new(9)).expect("a secret");
        let mut credentials = Credentials::default();
        credentials.set_second_factor(&factor, false);
        assert!(credentials.second_factor().is_none());
        credentials.set_second_factor(&factor, true);
        assert!(credentials.second_factor().is_some());
        credentials.drop_second_factor();
        assert!(credentials.second_factor().is_none());
    }
}
