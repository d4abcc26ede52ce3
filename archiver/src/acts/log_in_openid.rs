//! Logging in by the company's OpenID provider: it says who somebody is, the account ledger what that person may do.

use std::net::IpAddr;

use formats::audit::Outcome;

use super::desk::{Desk, Subject};
use super::log_in::{LoggedIn, standing_code, wrong_code};
use super::refusal::Refusal;
use crate::access::AccountState;
use crate::access::login::{LoginOutcome, WrongLogin};
use crate::access::session::Standing;
use crate::audit::Act;
use crate::openid::OpenidError;

impl Desk {
    /// Whether somebody may be sent to the provider, or come back from it, once more.
    ///
    /// # Errors
    /// [`Refusal::TooMany`]; [`Refusal::AuditStopped`].
    pub fn may_ask_provider(&self, client: IpAddr) -> Result<(), Refusal> {
        self.working()?;
        self.one_more_log_in(client)
    }

    /// Lets in whom the provider named, where an active account is registered for that; refuses otherwise. Both go to the audit trail.
    ///
    /// # Errors
    /// [`Refusal::Openid`] with the reason.
    pub fn log_in_by_openid(
        &self,
        named: Result<String, OpenidError>,
        client: IpAddr,
    ) -> Result<LoggedIn, Refusal> {
        self.working()?;
        match named {
            Ok(openid) => self.let_in(openid, client),
            Err(error) => {
                let mut subject = by_openid();
                subject.fact("reason", error.code());
                if let Some(detail) = error.detail() {
                    subject.fact("detail", detail);
                }
                self.refused(subject, client)?;
                Err(error.into())
            }
        }
    }

    fn let_in(&self, openid: String, client: IpAddr) -> Result<LoggedIn, Refusal> {
        let now = self.now();
        let found = {
            let people = self.people();
            let account = people.directory().person_named(&openid);
            account.map(|one| (one.name.clone(), one.state))
        };
        let mut subject = by_openid();
        subject.fact("openid", &openid);
        let Some((name, state)) = found else {
            subject.fact("reason", wrong_code(WrongLogin::Unknown));
            self.refused(subject, client)?;
            return Err(OpenidError::Account { openid }.into());
        };
        let mut outcome = {
            let tried = self.counter().may_try(&name, self.rules.lock, now);
            match (tried, state) {
                (Err(wrong), _) => LoginOutcome::Wrong(wrong),
                (Ok(_), AccountState::Active) => LoginOutcome::In {
                    standing: Standing::Full,
                    step: None,
                },
                (
                    Ok(_),
                    AccountState::Requested | AccountState::Suspended | AccountState::Closed,
                ) => LoginOutcome::Wrong(WrongLogin::NotActive(state)),
            }
        };
        let told = self
            .counter()
            .told(&name, &mut outcome, self.rules.lock, now);
        match outcome {
            LoginOutcome::In { standing, .. } => {
                let issued = self.begin(&name, standing, client, now)?;
                subject.fact("standing", standing_code(standing));
                let act = (Act::SessionBegin, Outcome::Done);
                self.record(&name, &client.to_string(), act, subject)?;
                Ok(issued)
            }
            LoginOutcome::CodeWanted => Err(Refusal::CodeWanted),
            LoginOutcome::Wrong(wrong) => {
                subject.fact("entered", &name);
                subject.fact("reason", wrong_code(wrong));
                subject.fact("failures", told.failures);
                if told.is_locked_now {
                    subject.fact("locked", "yes");
                }
                self.refused(subject, client)?;
                Err(OpenidError::Account { openid }.into())
            }
        }
    }

    fn refused(&self, subject: Subject, client: IpAddr) -> Result<(), Refusal> {
        let act = (Act::SessionRefuse, Outcome::Denied);
        self.record("", &client.to_string(), act, subject)
    }
}

fn by_openid() -> Subject {
    let mut subject = Subject::default();
    subject.fact("by", "openid");
    subject
}

#[cfg(test)]
#[path = "log_in_openid_tests.rs"]
mod tests;
