//! Depositing what comes over the network.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read};

use formats::id::VersionId;
use formats::manifest::Metadata;
use sha2::{Digest, Sha256};

use super::actor::{Actor, MATTER};
use super::desk::{Desk, Subject, held};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::class::RegisteredClass;
use crate::cli::lang::Lang;
use crate::intake::{IntakeError, Source, SourceName};
use crate::journal::SERVICE_CLASSES;
use crate::record::deposit::DepositRequest;
use crate::record::outcome::{DepositEvent, DepositWarning};

/// What is deposited, beside its bytes.
#[derive(Debug, Clone)]
pub struct DepositFacts {
    /// The class.
    pub class: String,
    /// The name of the file.
    pub name: String,
    /// What was given.
    pub metadata: Metadata,
    /// Through which channel: `api`, `web`.
    pub channel: &'static str,
    /// What makes a repeated request the same (the header `Idempotency-Key`).
    pub key: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposited {
    /// The version that holds it.
    pub version: VersionId,
    /// Whether it was there already: the same content in the same class, under the same name and with the same metadata.
    pub was_there: bool,
    /// Bytes.
    pub size: u64,
    /// What the depositor should know.
    pub warnings: Vec<String>,
    /// What a scanner found in it; it is then withheld until two people release it.
    pub threat: Option<String>,
}

/// Which keys of idempotency came with what.
#[derive(Debug, Default)]
pub(super) struct SeenKeys {
    by_key: HashMap<(String, String), [u8; 32]>,
    order: VecDeque<(String, String)>,
}

impl Desk {
    /// Takes one file in; it is durable on every medium when this returns. The same again is answered with the version that is there.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing was deposited.
    pub fn deposit(
        &self,
        actor: &Actor,
        facts: &DepositFacts,
        reader: Box<dyn Read + Send>,
        lang: Lang,
    ) -> Result<Deposited, Refusal> {
        let (subject, told) = (Subject::default(), |refusal| refusal);
        self.deposit_on_record(actor, facts, (reader, lang), (subject, &told))
    }

    /// The same with more to say in the trail, and with the causes of refusals that only the giver of the content knows.
    pub(super) fn deposit_on_record(
        &self,
        actor: &Actor,
        facts: &DepositFacts,
        (reader, lang): (Box<dyn Read + Send>, Lang),
        (mut subject, told): (Subject, &dyn Fn(Refusal) -> Refusal),
    ) -> Result<Deposited, Refusal> {
        subject.fact("class", &facts.class);
        subject.fact("channel", facts.channel);
        self.act(
            actor,
            Act::RecordDeposit,
            Right::Deposit,
            subject,
            |subject| {
                let deposited = self.take_in(actor, facts, reader, lang).map_err(told)?;
                self.note_key(actor, facts);
                subject.record = Some(deposited.version.to_string());
                subject.fact("bytes", deposited.size);
                if deposited.was_there {
                    subject.fact("was-there", "yes");
                }
                if let Some(threat) = &deposited.threat {
                    subject.fact("threat", threat);
                }
                Ok(deposited)
            },
        )
    }

    fn take_in(
        &self,
        actor: &Actor,
        facts: &DepositFacts,
        reader: Box<dyn Read + Send>,
        lang: Lang,
    ) -> Result<Deposited, Refusal> {
        let class = self.class_for(actor, facts)?;
        self.check_key(actor, facts)?;
        let request = DepositRequest {
            class: class.clone(),
            given: facts.metadata.clone(),
            depositor: actor.account.clone(),
            channel: facts.channel.to_owned(),
        };
        let source = Source::Stream {
            name: SourceName::from_bytes(facts.name.as_bytes()),
            reader,
        };
        match self.archive.depositor()?.deposit(source, &request)? {
            DepositEvent::Deposited(record) => Ok(Deposited {
                threat: self
                    .archive
                    .note_threat(&actor.account, record.version, &record.warnings),
                version: record.version,
                was_there: false,
                size: record.size,
                warnings: record.warnings.iter().map(|one| one.text(lang)).collect(),
            }),
            DepositEvent::AlreadyThere { version, size, .. } => {
                let threat = self.archive.threat_of(version);
                let warning = threat.clone().map(DepositWarning::Quarantined);
                Ok(Deposited {
                    version,
                    was_there: true,
                    size,
                    warnings: warning.iter().map(|one| one.text(lang)).collect(),
                    threat,
                })
            }
            DepositEvent::Failed(error) => Err(self.not_taken(error)),
            DepositEvent::Skipped { .. } | DepositEvent::LeftOut { .. } => Err(Refusal::CutOff),
        }
    }

    /// The class of a deposit, where the account may deposit into it.
    pub(super) fn class_for(
        &self,
        actor: &Actor,
        facts: &DepositFacts,
    ) -> Result<&RegisteredClass, Refusal> {
        let matter = facts.metadata.additional.get(MATTER).map(String::as_str);
        if SERVICE_CLASSES.contains(&facts.class.as_str())
            || !actor.scope.covers(&facts.class, matter)
        {
            return Err(Refusal::NotAllowed {
                right: Right::Deposit,
            });
        }
        self.archive.classes().class(&facts.class).map_err(|_| {
            Refusal::invalid(
                "class",
                "そのような保管要件はありません",
                "there is no such class",
            )
        })
    }

    /// What the network did to a transfer is no fault of the file.
    fn not_taken(&self, error: IntakeError) -> Refusal {
        let IntakeError::Unreadable { error: cause, .. } = &error else {
            return Refusal::Intake(error);
        };
        if cause.kind() == ErrorKind::FileTooLarge {
            let bytes_max = self.deposit_bytes_max;
            return Refusal::TooLarge { bytes_max };
        }
        Refusal::CutOff
    }

    /// The same key with other facts is a mistake of the sender. Repeating a deposit needs no key: the archive knows its contents.
    fn check_key(&self, actor: &Actor, facts: &DepositFacts) -> Result<(), Refusal> {
        let Some(key) = &facts.key else {
            return Ok(());
        };
        let seen = held(&self.seen_keys);
        match seen.by_key.get(&(actor.account.clone(), key.clone())) {
            Some(known) if *known != print(facts) => Err(Refusal::KeyReused),
            Some(_) | None => Ok(()),
        }
    }

    /// Remembers the key of a deposit that was taken in: one that was refused may come again, put right.
    fn note_key(&self, actor: &Actor, facts: &DepositFacts) {
        let Some(key) = &facts.key else {
            return;
        };
        let name = (actor.account.clone(), key.clone());
        let mut seen = held(&self.seen_keys);
        if seen.by_key.insert(name.clone(), print(facts)).is_none() {
            seen.order.push_back(name);
        }
        if seen.order.len() > KEYS_MAX
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.by_key.remove(&oldest);
        }
    }
}

/// What makes two deposits with the same key the same.
fn print(facts: &DepositFacts) -> [u8; 32] {
    Sha256::digest(format!("{facts:?}")).into()
}

/// Keys that are remembered: some megabytes.
const KEYS_MAX: usize = 20_000;
