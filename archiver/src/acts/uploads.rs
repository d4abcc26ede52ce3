//! Deposits that come in parts.

use std::collections::BTreeMap;
use std::io::Read;

use formats::audit::Outcome;

use super::actor::Actor;
use super::deposit::{DepositFacts, Deposited};
use super::desk::{Desk, LOCAL, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::cli::lang::Lang;
use crate::cli::query::metadata_json;
use crate::intake::IntakeError;
use crate::intake::malware::NotScanned;
use crate::intake::metadata::from_arguments;
use crate::upload::{Appended, Part, UploadError, UploadFacts, UploadReceipt, UploadStanding};

/// What is announced.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// What is to be deposited, and the key by which the request is known again.
    pub facts: DepositFacts,
    /// Bytes in all.
    pub length: u64,
    /// SHA-256 that the content must have, hexadecimal in small letters.
    pub sha256: Option<String>,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartTaken {
    /// It is on the disk, and more is to come.
    Waits(UploadStanding),
    /// It was the last one, and the content is deposited: the answer, each time the same.
    Deposited(UploadReceipt),
}

impl Desk {
    /// Begins a deposit in parts. The same again is answered with the one that waits, and `false`.
    ///
    /// # Errors
    /// [`Refusal`]: what would refuse the deposit itself, as far as it is known before its content; [`Refusal::Upload`].
    pub fn begin_upload(
        &self,
        actor: &Actor,
        new: &NewUpload,
    ) -> Result<(UploadStanding, bool), Refusal> {
        let mut subject = Subject::default();
        subject.fact("class", &new.facts.class);
        subject.fact("channel", new.facts.channel);
        subject.fact("bytes", new.length);
        self.act(
            actor,
            Act::UploadBegin,
            Right::Deposit,
            subject,
            |subject| {
                self.class_for(actor, &new.facts)?;
                if new.length > self.deposit_bytes_max {
                    let bytes_max = self.deposit_bytes_max;
                    return Err(Refusal::TooLarge { bytes_max });
                }
                let (standing, is_new) = self.uploads.begin(UploadFacts {
                    account: actor.account.clone(),
                    class: new.facts.class.clone(),
                    name: new.facts.name.clone(),
                    given: given(&new.facts),
                    length: new.length,
                    sha256: new.sha256.clone(),
                    key: new.facts.key.clone(),
                })?;
                subject.fact("upload", standing.id);
                if !is_new {
                    subject.fact("was-there", "yes");
                }
                Ok((standing, is_new))
            },
        )
    }

    /// How far an upload of the account is.
    ///
    /// # Errors
    /// [`Refusal`]; [`UploadError::NotFound`] also for those of others.
    pub fn read_upload(&self, actor: &Actor, id: &str) -> Result<UploadStanding, Refusal> {
        self.may_upload(actor)?;
        Ok(self.uploads.standing(&actor.account, id)?)
    }

    /// Takes a part in; with the last byte the content is deposited. What came is kept, whatever this returns, unless the content as a whole is refused.
    ///
    /// # Errors
    /// [`Refusal`]: of the part, or of the deposit.
    pub fn append_upload(
        &self,
        actor: &Actor,
        id: &str,
        (part, reader): (Part, &mut dyn Read),
        lang: Lang,
    ) -> Result<PartTaken, Refusal> {
        self.may_upload(actor)?;
        match self.uploads.append(&actor.account, id, part, reader)? {
            Appended::Waits(standing) => Ok(PartTaken::Waits(standing)),
            Appended::Deposited(receipt) => {
                // Who repeats the last part sends it before it listens: a connection that ends before is an answer that is lost.
                drop(std::io::copy(
                    &mut reader.take(REPEATED_BYTES_MAX),
                    &mut std::io::sink(),
                ));
                Ok(PartTaken::Deposited(receipt))
            }
            Appended::Whole => self
                .finish_upload(actor, id, lang)
                .map(PartTaken::Deposited),
        }
    }

    /// Gives an upload up, and removes what came.
    ///
    /// # Errors
    /// [`Refusal`]; [`UploadError::Busy`] while it is being deposited.
    pub fn abandon_upload(&self, actor: &Actor, id: &str) -> Result<(), Refusal> {
        let (act, subject) = (Act::UploadAbandon, Subject::default());
        self.act(actor, act, Right::Deposit, subject, |subject| {
            let id = self.uploads.abandon(&actor.account, id)?;
            subject.fact("upload", id);
            Ok(())
        })
    }

    /// Removes uploads to which nothing came any more; the trail says so.
    ///
    /// # Errors
    /// [`Refusal`]; it is tried again the next time.
    pub fn expire_uploads(&self) -> Result<usize, Refusal> {
        self.working()?;
        let over = self.uploads.expire()?;
        for (account, id) in &over {
            let mut subject = Subject::default();
            subject.fact("upload", id);
            subject.fact("reason", "expired");
            self.record(account, LOCAL, (Act::UploadAbandon, Outcome::Done), subject)?;
        }
        Ok(over.len())
    }

    /// Whether the account may deposit in parts. Parts and questions leave no entry of their own, only those of who may not: what becomes of an upload is
    /// on record at its beginning and its end.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`], [`Refusal::AuditStopped`].
    pub fn may_upload(&self, actor: &Actor) -> Result<(), Refusal> {
        if actor.may(Right::Deposit) {
            return self.working();
        }
        let (act, subject) = (Act::ApiDenied, Subject::default());
        self.act(actor, act, Right::Deposit, subject, |_| Ok(()))
    }

    /// Deposits an upload of which everything has come, as any deposit.
    fn finish_upload(&self, actor: &Actor, id: &str, lang: Lang) -> Result<UploadReceipt, Refusal> {
        let account = &actor.account;
        let Some((facts, content, finishing)) = self.uploads.finish(account, id)? else {
            // Another request was quicker.
            let standing = self.uploads.standing(account, id)?;
            return standing.receipt.ok_or(UploadError::Busy.into());
        };
        let arguments = facts
            .given
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        let arguments: Vec<String> = arguments.collect();
        let metadata = from_arguments(arguments.iter().map(String::as_str))?;
        let deposit = DepositFacts {
            class: facts.class,
            name: facts.name,
            metadata,
            channel: "api",
            // The upload has answered for its key already.
            key: None,
        };
        let mut subject = Subject::default();
        subject.fact("upload", id);
        let told = |refusal| finishing.fault().map_or(refusal, Refusal::Upload);
        let content = (Box::new(content) as Box<dyn Read + Send>, lang);
        let deposited = self.deposit_on_record(actor, &deposit, content, (subject, &told));
        match deposited {
            Ok(deposited) => {
                let receipt = deposited.receipt();
                // It is deposited. Who asks after a restart finds the record by its content where the answer could not be kept.
                drop(finishing.deposited(&receipt));
                Ok(receipt)
            }
            Err(refusal) => {
                if is_final(&refusal) {
                    // What cannot be removed now goes when it is over.
                    drop(finishing.give_up());
                }
                Err(refusal)
            }
        }
    }
}

impl Deposited {
    /// The same as it is kept for who asks again.
    pub(crate) fn receipt(&self) -> UploadReceipt {
        UploadReceipt {
            record: self.version.record().to_string(),
            version: self.version.version(),
            was_there: self.was_there,
            size: self.size,
            warnings: self.warnings.clone(),
            threat: self.threat.clone(),
        }
    }
}

/// Of a part that is repeated so much is passed over: the parts of our command line are no longer.
const REPEATED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Whether the same content would be refused again, whenever it is tried.
fn is_final(refusal: &Refusal) -> bool {
    if let Refusal::Intake(IntakeError::NotScanned { reason, .. }) = refusal {
        return !NotScanned::may_pass(*reason);
    }
    matches!(
        refusal,
        Refusal::Intake(_)
            | Refusal::Invalid { .. }
            | Refusal::Metadata(_)
            | Refusal::Upload(UploadError::Digest | UploadError::Damaged)
    )
}

fn given(facts: &DepositFacts) -> BTreeMap<String, String> {
    let given = metadata_json(&facts.metadata);
    let members = given.as_object().into_iter().flatten();
    let texts = members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    texts.collect()
}
