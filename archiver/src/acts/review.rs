//! Looking after accounts: those that nobody uses are suspended, and all are reviewed once a year.

use std::collections::BTreeMap;

use formats::audit::Outcome;
use time::{Duration, OffsetDateTime};

use super::actor::Actor;
use super::desk::{Desk, LOCAL, Subject};
use super::log_in::SERVICE;
use super::people::reason_fits;
use super::refusal::Refusal;
use crate::access::account::{AccountSuspended, AccountsReviewed, SuspensionCause};
use crate::access::review::{Decided, Decision};
use crate::access::{Account, Right};
use crate::audit::Act;

/// An account in the list of the review.
#[derive(Debug, Clone)]
pub struct ReviewRow {
    /// The account.
    pub account: Account,
    /// Whether it is to be confirmed again.
    pub is_due: bool,
}

/// The list of the review.
#[derive(Debug, Clone)]
pub struct ReviewList {
    /// As of when.
    pub at: OffsetDateTime,
    /// After so many days an account is to be confirmed again.
    pub review_days: u32,
    /// After so many days more without an answer it is suspended.
    pub answer_days: u32,
    /// All accounts, by name; closed ones, too.
    pub rows: Vec<ReviewRow>,
}

/// An account that was suspended because nobody looked after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattended {
    /// The account.
    pub account: String,
    /// Why.
    pub cause: SuspensionCause,
}

impl ReviewList {
    /// How many are due.
    #[must_use]
    pub fn due(&self) -> usize {
        self.rows.iter().filter(|row| row.is_due).count()
    }

    /// How many are due that this account may decide about: not itself.
    #[must_use]
    pub fn due_for(&self, name: &str) -> usize {
        let others = self.rows.iter().filter(|row| row.account.name != name);
        others.filter(|row| row.is_due).count()
    }
}

impl Desk {
    /// The accounts, and which of them are to be confirmed again.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_review(&self, actor: &Actor) -> Result<ReviewList, Refusal> {
        let subject = Subject::default();
        self.act(actor, Act::PeopleRead, Right::ReadPeople, subject, |_| {
            Ok(self.review_list())
        })
    }

    /// The same, to be taken away.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn export_review(&self, actor: &Actor) -> Result<ReviewList, Refusal> {
        let subject = Subject::default();
        let right = Right::ReadPeople;
        self.act(actor, Act::PeopleExport, right, subject, |subject| {
            let list = self.review_list();
            subject.fact("accounts", list.rows.len());
            subject.fact("due", list.due());
            Ok(list)
        })
    }

    fn review_list(&self) -> ReviewList {
        let (at, rules) = (self.now(), &self.archive.config().accounts);
        let review_days = rules.review_days;
        let people = self.people();
        let directory = people.directory();
        let due = directory.due_for_review(at, Duration::days(review_days.into()));
        let is_due = |account: &Account| due.iter().any(|one| one.name == account.name);
        let rows = directory.accounts().map(|account| ReviewRow {
            is_due: is_due(account),
            account: account.clone(),
        });
        ReviewList {
            at,
            review_days,
            answer_days: rules.review_answer_days,
            rows: rows.collect(),
        }
    }

    /// Decides about accounts in the yearly review: all of it, or nothing.
    ///
    /// # Errors
    /// [`Refusal::Access`] with the reason; nobody decides about his own account.
    pub fn review_accounts(
        &self,
        actor: &Actor,
        decisions: BTreeMap<String, Decided>,
    ) -> Result<(), Refusal> {
        let mut subject = Subject::default();
        for decision in Decision::ALL {
            let names = of(&decisions, decision);
            subject.fact(decision.code(), names.join(" "));
        }
        subject.fact("accounts", decisions.len());
        let right = Right::ManagePeople;
        self.act(actor, Act::PeopleReview, right, subject, |_| {
            for decided in decisions.values() {
                reason_fits(&decided.remark)?;
            }
            let ended: Vec<String> = [Decision::Suspend, Decision::Close]
                .into_iter()
                .flat_map(|decision| of(&decisions, decision))
                .collect();
            let mut people = self.people_mut();
            people
                .directory()
                .check_review(&decisions, &actor.account)?;
            let reviewed = AccountsReviewed::new(decisions);
            people.record(&self.archive, &actor.account, &reviewed)?;
            for name in ended {
                self.sessions().end_all(&name);
            }
            Ok(())
        })
    }

    /// Suspends the accounts that nobody used for as long as the configuration allows, and those that no review confirmed in time, and gives their names.
    /// Each is an entry of its own in the trail, by the program; the last active administrator stays.
    ///
    /// # Errors
    /// [`Refusal`]: a medium failed, or the trail cannot be written; it goes on the next time.
    pub fn suspend_unattended(&self) -> Result<Vec<Unattended>, Refusal> {
        self.working()?;
        // Who is here now is not dormant, whatever was recorded so far.
        self.record_uses()?;
        let _turn = self.turn_to_change_people();
        let rules = &self.archive.config().accounts;
        let (now, after) = (self.now(), Duration::days(rules.dormant_days.into()));
        let people = self.people();
        let dormant = people.directory();
        let dormant = names(dormant.dormant_to_suspend(now, after, &rules.dormant_exempt));
        drop(people);
        let reason = format!("not used for {} days", rules.dormant_days);
        let mut suspended = Vec::new();
        for account in dormant {
            suspended.push(self.suspend_by_rule(account, SuspensionCause::Dormant, &reason)?);
        }
        let days = u64::from(rules.review_days) + u64::from(rules.review_answer_days);
        let after = Duration::days(i64::try_from(days).unwrap_or(i64::MAX));
        let late = names(self.people().directory().unreviewed_to_suspend(now, after));
        let reason = format!("not confirmed for {days} days");
        for account in late {
            suspended.push(self.suspend_by_rule(account, SuspensionCause::Review, &reason)?);
        }
        Ok(suspended)
    }

    fn suspend_by_rule(
        &self,
        account: String,
        cause: SuspensionCause,
        reason: &str,
    ) -> Result<Unattended, Refusal> {
        let facts = AccountSuspended {
            account: account.clone(),
            cause,
            reason: reason.to_owned(),
        };
        self.people_mut().record(&self.archive, SERVICE, &facts)?;
        self.sessions().end_all(&account);
        let mut subject = Subject::default();
        subject.fact("account", &account);
        subject.fact("cause", cause.code());
        subject.fact("reason", reason);
        self.record(SERVICE, LOCAL, (Act::PeopleSuspend, Outcome::Done), subject)?;
        Ok(Unattended { account, cause })
    }
}

fn names(accounts: Vec<&Account>) -> Vec<String> {
    accounts.iter().map(|one| one.name.clone()).collect()
}

fn of(decisions: &BTreeMap<String, Decided>, decision: Decision) -> Vec<String> {
    let names = decisions.iter().filter(|(_, one)| one.decision == decision);
    names.map(|(name, _)| name.clone()).collect()
}
