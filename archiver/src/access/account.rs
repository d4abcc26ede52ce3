//! Accounts: who exists for the service, and the events that make up their ledger.
//!
//! An account is asked for by one person and approved by another; so is every change of it. Nothing is ever deleted and no name is used twice: what somebody did
//! decades ago must name who did it. What lets somebody in (password, second factor) is not here but in [`super::credentials`].

use std::collections::{BTreeMap, BTreeSet};

use formats::id::EventId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::review::{Decided, LastReview};
use super::role::{Right, Role};
use crate::event::{EventBody, Topic};

/// Whether somebody or something uses the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// A person: logs in with a password and a second factor.
    Person,
    /// A system: shows a client certificate.
    System,
}

/// Which records an account reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Ids of classes; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<BTreeSet<String>>,
    /// Values of the metadata key `matter`; `None`: all, records of no matter included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matters: Option<BTreeSet<String>>,
}

/// What was decided about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFacts {
    /// The name of the person or system, as people know it.
    pub display_name: String,
    /// Person or system.
    pub kind: AccountKind,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// With which records.
    #[serde(default)]
    pub scope: Scope,
    /// Where messages go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// SHA-256 of the client certificates of a system, hexadecimal.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub certificates: BTreeSet<String>,
    /// Whom the OpenID provider names for this person, as the configured claim has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
}

/// Where an account stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountState {
    /// Asked for, and not approved yet.
    Requested,
    /// In use.
    Active,
    /// Not to be used for now.
    Suspended,
    /// Over, for ever.
    Closed,
}

/// Why an account was suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuspensionCause {
    /// Not used for longer than the policy allows.
    Dormant,
    /// Too many wrong passwords.
    LockedOut,
    /// Somebody decided so.
    Decided,
    /// The yearly review did not confirm it: somebody decided so in it, or nobody answered in time.
    Review,
}

impl SuspensionCause {
    /// Its name in events and in the audit trail.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Dormant => "dormant",
            Self::LockedOut => "locked-out",
            Self::Decided => "decided",
            Self::Review => "review",
        }
    }
}

/// An account, as its events make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name at log-in; never used again.
    pub name: String,
    /// What was decided about it last.
    pub facts: AccountFacts,
    /// Where it stands.
    pub state: AccountState,
    /// Why it is suspended.
    pub suspended: Option<SuspensionCause>,
    /// When it was asked for.
    pub requested_at: OffsetDateTime,
    /// Since when it is in use.
    pub approved_at: Option<OffsetDateTime>,
    /// When it was last confirmed in a review.
    pub reviewed_at: Option<OffsetDateTime>,
    /// What the last review decided about it.
    pub review: Option<LastReview>,
    /// When it was last used, as far as it was recorded.
    pub last_used_at: Option<OffsetDateTime>,
}

/// Somebody asks for an account, or for a change of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRequested {
    /// The account.
    pub account: String,
    /// As it shall be.
    pub facts: AccountFacts,
    /// Why.
    pub reason: String,
}

/// Somebody else approves what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountApproved {
    /// The account.
    pub account: String,
    /// The event that asked for it.
    pub request: EventId,
}

/// What was asked for was refused, or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRefused {
    /// The account.
    pub account: String,
    /// The event that asked for it.
    pub request: EventId,
    /// Why.
    pub reason: String,
}

/// An account is not to be used for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSuspended {
    /// The account.
    pub account: String,
    /// Why, as one of a few causes.
    pub cause: SuspensionCause,
    /// Why, in words.
    pub reason: String,
}

/// A suspended account is in use again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountResumed {
    /// The account.
    pub account: String,
    /// Why.
    pub reason: String,
}

/// An account is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountClosed {
    /// The account.
    pub account: String,
    /// Why.
    pub reason: String,
}

/// Somebody went through the accounts and decided about these (yearly).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsReviewed {
    /// The accounts that stay as they are.
    pub confirmed: BTreeSet<String>,
    /// What was decided about each, those that stay included. Reviews of the program's first version have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, Decided>,
}

/// When accounts were last used: one event a day, so that dormancy is known after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsUsed {
    /// Account and last use, seconds since 1970 UTC.
    pub last_used: BTreeMap<String, i64>,
}

macro_rules! people_events {
    ($($body:ty => $kind:literal),* $(,)?) => {
        $(impl EventBody for $body {
            const KIND: &'static str = $kind;
            const TOPIC: Topic = Topic::People;
        })*
    };
}

people_events! {
    AccountRequested => "account-requested",
    AccountApproved => "account-approved",
    AccountRefused => "account-refused",
    AccountSuspended => "account-suspended",
    AccountResumed => "account-resumed",
    AccountClosed => "account-closed",
    AccountsReviewed => "accounts-reviewed",
    AccountsUsed => "accounts-used",
}

impl AccountState {
    /// Its name in answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

impl Account {
    /// Whether it is in use, or could be again.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, AccountState::Active | AccountState::Suspended)
    }

    /// Whether it may do that now.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.state == AccountState::Active && self.facts.roles.iter().any(|role| role.has(right))
    }
}

impl Scope {
    /// Whether records of a class and a matter are within it.
    #[must_use]
    pub fn covers(&self, class: &str, matter: Option<&str>) -> bool {
        let is_class = self
            .classes
            .as_ref()
            .is_none_or(|classes| classes.contains(class));
        let is_matter = self
            .matters
            .as_ref()
            .is_none_or(|matters| matter.is_some_and(|matter| matters.contains(matter)));
        is_class && is_matter
    }
}

/// Whether a text can name an account: 2 to 64 of `a-z`, `0-9`, `.`, `_`, `-`, a letter first.
#[must_use]
pub fn is_account_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    (NAME_BYTES_MIN..=NAME_BYTES_MAX).contains(&text.len())
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|one| matches!(one, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

const NAME_BYTES_MIN: usize = 2;
const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_plain_and_begins_with_a_letter() {
        for name in ["sato", "sato.h", "k-2", "a0"] {
            assert!(is_account_name(name), "{name}");
        }
        let long = "a".repeat(65);
        for name in [
            "",
            "a",
            "Sato",
            "1a",
            "佐藤",
            "a b",
            "a/b",
            "a\n",
            long.as_str(),
        ] {
            assert!(!is_account_name(name), "{name}");
        }
    }

    #[test]
    fn a_scope_without_lists_covers_all_and_a_matter_only_what_names_it() {
        let all = Scope::default();
        assert!(all.covers("tax-invoice-received", None));
        let narrow = Scope {
            classes: Some(["contract".to_owned()].into()),
            matters: Some(["m-1".to_owned()].into()),
        };
        for (class, matter, is_covered) in [
            ("contract", Some("m-1"), true),
            ("contract", Some("m-2"), false),
            ("contract", None, false),
            ("log", Some("m-1"), false),
        ] {
            assert_eq!(
                narrow.covers(class, matter),
                is_covered,
                "{class} {matter:?}"
            );
        }
    }
}
