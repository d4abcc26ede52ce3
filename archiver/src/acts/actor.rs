//! Who acts.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::access::{Account, AccountKind, Right, Role, Scope};
use crate::audit::closing as audit;
use crate::journal;
use crate::store::catalog::Hit;

/// Who acts, as it was proven for this one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub account: String,
    /// Its name as people know it.
    pub display_name: String,
    /// Person or system.
    pub kind: AccountKind,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// With which records.
    pub scope: Scope,
    /// From where.
    pub client: IpAddr,
}

impl Actor {
    /// An account that acts from somewhere.
    #[must_use]
    pub fn of(account: &Account, client: IpAddr) -> Self {
        Self {
            account: account.name.clone(),
            display_name: account.facts.display_name.clone(),
            kind: account.facts.kind,
            roles: account.facts.roles.clone(),
            scope: account.facts.scope.clone(),
            client,
        }
    }

    /// Whether it may do that at all.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.roles.iter().any(|role| role.has(right))
    }

    /// Classes whose records it does not see, whatever its scope: the closed days of the audit trail are the trail, and journals name who did what, too.
    #[must_use]
    pub fn hidden_classes(&self) -> Vec<String> {
        let classes = [
            (audit::CLASS, Right::ReadAudit),
            (journal::CLASS, Right::ReadEvents),
        ];
        let hidden = classes.into_iter().filter(|(_, right)| !self.may(*right));
        hidden.map(|(class, _)| class.to_owned()).collect()
    }

    /// Whether a record is one of those that it reaches. What cannot be opened has no class that anybody could be given: only those who reach all see it.
    #[must_use]
    pub fn reaches(&self, hit: &Hit) -> bool {
        if self.hidden_classes().contains(&hit.class) {
            return false;
        }
        let matter = hit.metadata.additional.get(MATTER).map(String::as_str);
        self.scope.covers(&hit.class, matter)
    }
}

/// The metadata key by which records belong to a matter.
pub(super) const MATTER: &str = "matter";
