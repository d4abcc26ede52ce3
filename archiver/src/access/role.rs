//! Roles and rights: who may do what, and which roles one person cannot hold together.
//!
//! A role is a bundle of rights; an account holds one or more roles within a [`Scope`](super::account::Scope). The matrix below is the whole truth: the
//! service asks [`Role::has`] and nothing else, and the table in the documentation is printed from it.

use serde::{Deserialize, Serialize};

use crate::cli::lang::Lang;

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Deposits records, and gets receipts for them.
    Depositor,
    /// Searches records and fetches them with their evidence.
    Retriever,
    /// Decides on classes, holds and disposal.
    RecordsManager,
    /// Holds and changes keys; never the media that they open.
    KeyCustodian,
    /// Reads what was done by whom; does nothing else.
    Auditor,
    /// Checks a period from outside, as a tax inspector does: searches, reads and downloads, and nothing else.
    Inspector,
    /// Runs jobs and handles media.
    Operator,
    /// Decides on accounts and settings.
    Administrator,
}

/// One thing that somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Deposit records.
    Deposit,
    /// Search, and read the facts of records.
    Search,
    /// Fetch contents, evidence and downloads.
    Retrieve,
    /// Have records verified.
    Verify,
    /// Read the classes and their rules.
    ReadClasses,
    /// Change classes, holds and disposal; ask for releases from quarantine, and approve them.
    ManageRecords,
    /// See what is in quarantine.
    ReadQuarantine,
    /// See jobs, the forecast of renewals and authorities.
    ReadJobs,
    /// Stamp, renew and scrub.
    RunJobs,
    /// See the ledger of media.
    ReadMedia,
    /// Move, replace and retire media.
    ManageMedia,
    /// See the inventory of keys.
    ReadKeys,
    /// Rotate keys, hold ceremonies, destroy keys.
    ManageKeys,
    /// See accounts.
    ReadPeople,
    /// Ask for accounts, approve, suspend and close them.
    ManagePeople,
    /// Read and export the audit trail.
    ReadAudit,
    /// See the events that are to be reported, and the operation journal.
    ReadEvents,
    /// Answer for events, and write into the operation journal.
    AnswerEvents,
    /// See the state of the system.
    ReadSystem,
    /// Change settings.
    ManageSystem,
}

impl Role {
    /// All roles, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Depositor,
        Self::Retriever,
        Self::RecordsManager,
        Self::KeyCustodian,
        Self::Auditor,
        Self::Inspector,
        Self::Operator,
        Self::Administrator,
    ];

    /// What the role may do.
    #[must_use]
    pub const fn rights(self) -> &'static [Right] {
        use Right::{
            AnswerEvents, Deposit, ManageKeys, ManageMedia, ManagePeople, ManageRecords,
            ManageSystem, ReadAudit, ReadClasses, ReadEvents, ReadJobs, ReadKeys, ReadMedia,
            ReadPeople, ReadQuarantine, ReadSystem, Retrieve, RunJobs, Search, Verify,
        };
        match self {
            Self::Depositor => &[Deposit, ReadClasses],
            Self::Retriever => &[Search, Retrieve, Verify, ReadClasses],
            Self::RecordsManager => &[
                Search,
                Verify,
                ReadClasses,
                ManageRecords,
                ReadQuarantine,
                ReadJobs,
            ],
            Self::KeyCustodian => &[ReadKeys, ManageKeys, ReadSystem],
            Self::Auditor => &[
                Search,
                Verify,
                ReadClasses,
                ReadQuarantine,
                ReadJobs,
                ReadMedia,
                ReadKeys,
                ReadPeople,
                ReadAudit,
                ReadEvents,
                ReadSystem,
            ],
            Self::Inspector => &[Search, Retrieve, Verify, ReadClasses],
            Self::Operator => &[
                ReadJobs,
                RunJobs,
                ReadMedia,
                ManageMedia,
                ReadEvents,
                AnswerEvents,
                ReadSystem,
            ],
            Self::Administrator => &[
                ReadPeople,
                ManagePeople,
                ReadJobs,
                ReadEvents,
                AnswerEvents,
                ReadSystem,
                ManageSystem,
            ],
        }
    }

    /// Whether the role may do that.
    #[must_use]
    pub fn has(self, right: Right) -> bool {
        self.rights().contains(&right)
    }

    /// Its name in files and answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Depositor => "depositor",
            Self::Retriever => "retriever",
            Self::RecordsManager => "records-manager",
            Self::KeyCustodian => "key-custodian",
            Self::Auditor => "auditor",
            Self::Inspector => "inspector",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Its name for people.
    #[must_use]
    pub fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Depositor => lang.pick("預入者", "Depositor"),
            Self::Retriever => lang.pick("閲覧者", "Retriever"),
            Self::RecordsManager => lang.pick("記録管理者", "Records manager"),
            Self::KeyCustodian => lang.pick("鍵管理者", "Key custodian"),
            Self::Auditor => lang.pick("監査人", "Auditor"),
            Self::Inspector => lang.pick("検査担当(税務調査など)", "Inspector"),
            Self::Operator => lang.pick("運用者", "Operator"),
            Self::Administrator => lang.pick("システム管理者", "Administrator"),
        }
    }
}

/// The first pair of roles among these that one account must not hold together.
///
/// Auditors and inspectors hold nothing else; who holds keys handles neither the media that they open nor the accounts (000–002: `B10`, `B13`).
#[must_use]
pub fn conflict(roles: &[Role]) -> Option<(Role, Role)> {
    let pairs = roles
        .iter()
        .flat_map(|one| roles.iter().map(move |other| (*one, *other)));
    pairs
        .into_iter()
        .find(|(one, other)| one != other && excludes(*one, *other))
}

const fn excludes(one: Role, other: Role) -> bool {
    matches!(
        (one, other),
        (Role::Auditor | Role::Inspector, _)
            | (
                Role::KeyCustodian,
                Role::Operator | Role::Administrator | Role::RecordsManager
            )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auditors_and_inspectors_hold_nothing_else_and_custodians_handle_no_media() {
        use Role::{
            Administrator, Auditor, Depositor, Inspector, KeyCustodian, Operator, RecordsManager,
            Retriever,
        };
        for (roles, is_allowed) in [
            (&[Depositor, Retriever][..], true),
            (&[Depositor, Retriever, RecordsManager], true),
            (&[Operator, Administrator], true),
            (&[KeyCustodian, Depositor], true),
            (&[Auditor], true),
            (&[Auditor, Retriever], false),
            (&[Depositor, Auditor], false),
            (&[Inspector, Depositor], false),
            (&[KeyCustodian, Operator], false),
            (&[Administrator, KeyCustodian], false),
            (&[RecordsManager, KeyCustodian], false),
        ] {
            assert_eq!(conflict(roles).is_none(), is_allowed, "{roles:?}");
        }
    }

    #[test]
    fn nobody_changes_what_he_audits_and_codes_are_read_back() {
        use Right::{
            Deposit, ManageKeys, ManageMedia, ManagePeople, ManageRecords, ManageSystem, RunJobs,
        };
        let changes = [
            Deposit,
            ManageKeys,
            ManageMedia,
            ManagePeople,
            ManageRecords,
            ManageSystem,
            RunJobs,
        ];
        for right in changes {
            assert!(!Role::Auditor.has(right), "{right:?}");
            assert!(!Role::Inspector.has(right), "{right:?}");
            // Each is somebody's.
            assert!(Role::ALL.iter().any(|role| role.has(right)), "{right:?}");
        }
        for role in Role::ALL {
            assert_eq!(Role::from_code(role.code()), Some(role));
            let text = serde_json::to_string(&role).expect("a role is text");
            assert_eq!(text, format!("\"{}\"", role.code()));
        }
    }
}
