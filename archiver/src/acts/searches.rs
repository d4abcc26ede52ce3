//! Searches that an account keeps under a name.

use std::collections::BTreeMap;

use super::actor::Actor;
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::access::searches::{SearchDropped, SearchKept};
use crate::audit::Act;

/// A search that an account keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSearch {
    /// What it is called.
    pub name: String,
    /// The conditions, by the names that the API gives them.
    pub conditions: BTreeMap<String, String>,
}

impl Desk {
    /// The searches that the account keeps, by name. They are its own; seeing them is no act on a record, and not in the trail.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] for whoever may not search.
    pub fn kept_searches(&self, actor: &Actor) -> Result<Vec<KeptSearch>, Refusal> {
        let right = Right::Search;
        if !actor.may(right) {
            return Err(Refusal::NotAllowed { right });
        }
        let people = self.people();
        let own = people.searches().of(&actor.account);
        let own = own.map(|(name, conditions)| KeptSearch {
            name: name.clone(),
            conditions: conditions.clone(),
        });
        Ok(own.collect())
    }

    /// Keeps a search for the account; one of the same name gives way.
    ///
    /// # Errors
    /// [`Refusal::Access`]: the name cannot be one, or the account keeps as many as it may.
    pub fn keep_search(&self, actor: &Actor, search: KeptSearch) -> Result<(), Refusal> {
        let subject = called(&search.name);
        self.act(actor, Act::SearchKeep, Right::Search, subject, |_| {
            let kept = SearchKept {
                account: actor.account.clone(),
                name: search.name,
                conditions: search.conditions,
            };
            let mut people = self.people_mut();
            people.searches().check(&kept)?;
            // Told again in the trail, and not kept again for ever.
            if !people.searches().holds(&kept) {
                people.record(&self.archive, &actor.account, &kept)?;
            }
            Ok(())
        })
    }

    /// Keeps a search no longer.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]: the account keeps none of that name.
    pub fn drop_search(&self, actor: &Actor, name: &str) -> Result<(), Refusal> {
        let subject = called(name);
        self.act(actor, Act::SearchDrop, Right::Search, subject, |_| {
            let mut people = self.people_mut();
            let is_known = people
                .searches()
                .of(&actor.account)
                .any(|(one, _)| one == name);
            if !is_known {
                return Err(Refusal::NotFound);
            }
            let dropped = SearchDropped {
                account: actor.account.clone(),
                name: name.to_owned(),
            };
            people.record(&self.archive, &actor.account, &dropped)?;
            Ok(())
        })
    }
}

fn called(name: &str) -> Subject {
    let mut subject = Subject::default();
    subject.fact("name", name);
    subject
}
