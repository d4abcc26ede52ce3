//! `archiver receipt`, and the receipts of other commands.

use std::path::{Path, PathBuf};

use formats::cades::Level;
use formats::id::VersionId;
use serde_json::json;

use crate::archive::{Access, Archive};
use crate::cli::arguments::Receipt;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::query;
use crate::cli::session::Session;
use crate::record::deposit::DepositRequest;
use crate::record::outcome::DepositEvent;
use crate::record::received::ReceivedRecord;
use crate::signature::receipt::{IssuedReceipt, Occasion, RECORDS_MAX, ReceiptDesk, ReceiptKind};
use crate::signature::{ArchiveSigner, SignatureError};
use crate::store::Appender;

use super::get::resolve;
use super::signature::{raiser, signer, write};

pub(in crate::cli) fn run(session: &Session, arguments: &Receipt) -> Result<Exit, Failure> {
    let wanted = query::record(&arguments.record, session.output.lang)?;
    let archive = session.open(Access::Write)?;
    let version = resolve(&archive, wanted)?;
    let signer = signer(&archive)?;
    let receipt = fetch(&archive, &signer, version)?;
    deliver(session, &[receipt], &arguments.output)?;
    archive.close()?;
    Ok(Exit::Done)
}

/// Works at the desk where receipts are issued.
fn at_desk<T>(
    archive: &Archive,
    signer: &ArchiveSigner,
    act: impl FnOnce(&ReceiptDesk<'_>, &Appender) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let catalog_key = archive.keys().catalog_key()?;
    let desk = ReceiptDesk {
        keeper: archive.signature_keeper(Some(signer)),
        catalog_key: &catalog_key,
    };
    act(&desk, &archive.store().appender()?)
}

/// The deposit receipt of a version: the one that was issued, with its timestamp if one can be had now; or a new one.
fn fetch(
    archive: &Archive,
    signer: &ArchiveSigner,
    version: VersionId,
) -> Result<IssuedReceipt, Failure> {
    let authorities = archive.authorities()?;
    let raiser = raiser(&authorities, signer);
    at_desk(archive, signer, |desk, appender| {
        if let Some(receipt) = desk.find(version, ReceiptKind::Deposit)? {
            return Ok(desk.raise(appender, &raiser, receipt)?);
        }
        let opened = archive.retriever().open(version)?;
        let manifest = opened.manifest();
        let occasion = Occasion {
            kind: ReceiptKind::Deposit,
            person: &manifest.depositor,
            channel: &manifest.channel,
            purpose: None,
        };
        let mut issued = desk.issue(appender, Some(&raiser), &occasion, &[version])?;
        Ok(issued
            .pop()
            .ok_or(SignatureError::NoSignature { version })?)
    })
}

/// Issues receipts for what was deposited or fetched. `at_once` asks an authority for their timestamps now; otherwise they get them with the next `stamp`.
pub(super) fn issue(
    archive: &Archive,
    occasion: &Occasion<'_>,
    versions: &[VersionId],
    at_once: bool,
) -> Result<Vec<IssuedReceipt>, Failure> {
    let signer = signer(archive)?;
    let authorities = at_once.then(|| archive.authorities()).transpose()?;
    let raiser = authorities.as_ref().map(|found| raiser(found, &signer));
    at_desk(archive, &signer, |desk, appender| {
        Ok(desk.issue(appender, raiser.as_ref(), occasion, versions)?)
    })
}

/// The receipts of a deposit, issued while it goes on: what they say is never held for more records than one receipt has.
pub(super) struct ReceiptRun<'a> {
    session: &'a Session,
    archive: &'a Archive,
    person: &'a str,
    channel: &'a str,
    output: Option<&'a Path>,
    received: Vec<ReceivedRecord>,
    issued: u32,
    /// None can be signed or stored.
    cannot_issue: bool,
    /// What failed first.
    failure: Option<Failure>,
}

impl<'a> ReceiptRun<'a> {
    /// Receipts for what is deposited with this request. With `output` they are timestamped at once and written there.
    pub(super) fn new(
        session: &'a Session,
        archive: &'a Archive,
        request: &'a DepositRequest,
        output: Option<&'a Path>,
    ) -> Self {
        Self {
            session,
            archive,
            person: &request.depositor,
            channel: &request.channel,
            output,
            received: Vec::new(),
            issued: 0,
            cannot_issue: false,
            failure: None,
        }
    }

    /// Whether somebody asked for receipts: one is then handed out also for what the archive had received before.
    pub(super) const fn is_asked(&self) -> bool {
        self.output.is_some()
    }

    /// Takes what was deposited into a receipt.
    pub(super) fn take(&mut self, events: &mut [DepositEvent]) {
        for event in events {
            if let DepositEvent::Deposited(record) = event
                && let Some(received) = record.received.take()
            {
                self.add(received);
            }
        }
    }

    /// Takes versions that the archive had received before.
    pub(super) fn take_known(&mut self, versions: &[VersionId]) {
        let retriever = self.archive.retriever();
        for version in versions {
            let opened = retriever.open(*version).map_err(Failure::from);
            let record = opened.and_then(|opened| {
                let record = ReceivedRecord::of(opened.manifest());
                Ok(record.map_err(SignatureError::from)?)
            });
            match record {
                Ok(record) => self.add(record),
                Err(failure) => {
                    self.failure.get_or_insert(failure);
                }
            }
        }
    }

    /// Issues the last receipt. A deposit that did not ask for receipts is not disturbed when they cannot be made.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.issue();
        let Some(failure) = self.failure else {
            return Ok(());
        };
        if self.output.is_some() {
            return Err(failure);
        }
        let lang = self.session.output.lang;
        let reason = failure.text(lang);
        self.session.output.note(&lang.pick(
            format!("受領証を作れませんでした。後で archiver receipt で受け取れます: {reason}"),
            format!("no receipt was made; fetch it later with 'archiver receipt': {reason}"),
        ));
        Ok(())
    }

    fn add(&mut self, record: ReceivedRecord) {
        self.received.push(record);
        if self.received.len() >= RECORDS_MAX {
            self.issue();
        }
    }

    /// Stores a receipt for what was received, and then hands it out: one that cannot be handed out is in the archive all the same, and
    /// those after it, too.
    fn issue(&mut self) {
        let records = std::mem::take(&mut self.received);
        if records.is_empty() || self.cannot_issue {
            return;
        }
        let receipt = match self.issue_for(&records) {
            Ok(receipt) => receipt,
            Err(failure) => {
                self.cannot_issue = true;
                self.failure.get_or_insert(failure);
                return;
            }
        };
        self.issued += 1;
        if let Some(output) = self.output
            && let Err(failure) =
                deliver_one(self.session, &receipt, &numbered(output, self.issued))
        {
            self.failure.get_or_insert(failure);
        }
    }

    fn issue_for(&self, records: &[ReceivedRecord]) -> Result<IssuedReceipt, Failure> {
        let signer = signer(self.archive)?;
        let occasion = Occasion {
            kind: ReceiptKind::Deposit,
            person: self.person,
            channel: self.channel,
            purpose: None,
        };
        let asked = self.output.map(|_| self.archive.authorities());
        let authorities = asked.transpose()?;
        let raiser = authorities.as_ref().map(|found| raiser(found, &signer));
        at_desk(self.archive, &signer, |desk, appender| {
            Ok(desk.issue_for(appender, raiser.as_ref(), &occasion, records)?)
        })
    }
}

/// Puts timestamps over the receipts of versions that are about to be stamped.
pub(super) fn stamp_receipts(
    archive: &Archive,
    authorities: &crate::archive::Authorities,
    versions: &[VersionId],
) -> Result<u64, Failure> {
    let Some(signer) = archive.signer()? else {
        return Ok(0);
    };
    let raiser = raiser(authorities, &signer);
    at_desk(archive, &signer, |desk, appender| {
        let mut seen = std::collections::BTreeSet::new();
        let mut raised = 0;
        for version in versions {
            for entry in archive.catalog().receipts_of(*version)? {
                if !seen.insert(entry.id) {
                    continue;
                }
                let receipt = desk.open(&entry)?;
                if receipt.level >= Level::T {
                    continue;
                }
                if desk.raise(appender, &raiser, receipt)?.level < Level::T {
                    return Ok(raised);
                }
                raised += 1;
            }
        }
        Ok(raised)
    })
}

/// Writes receipts: the first to `output`, further ones beside it with a number.
pub(super) fn deliver(
    session: &Session,
    receipts: &[IssuedReceipt],
    output: &Path,
) -> Result<(), Failure> {
    for (number, receipt) in (1_u32..).zip(receipts) {
        deliver_one(session, receipt, &numbered(output, number))?;
    }
    Ok(())
}

fn deliver_one(session: &Session, receipt: &IssuedReceipt, path: &Path) -> Result<(), Failure> {
    let lang = session.output.lang;
    write(session, path, &receipt.signature)?;
    session.output.event(&json!({
        "event": "receipt", "receipt": receipt.id.to_string(), "records": receipt.versions.len(),
        "level": receipt.level.es_name(), "path": path,
    }));
    let (level, count, path) = (receipt.level, receipt.versions.len(), path.display());
    session.output.say(&lang.pick(
        format!("受領証を {path} に書きました(記録 {count} 件、{level})"),
        format!("wrote the receipt for {count} records, {level}, to {path}"),
    ));
    if receipt.level < Level::T {
        session.output.note(lang.pick(
            "時刻認証局が応答しないため、受領証にはまだタイムスタンプがありません。archiver stamp の後に archiver receipt で取り直せます",
            "no authority answered, so the receipt has no timestamp yet: fetch it again with 'archiver receipt' after 'archiver stamp'",
        ));
    }
    Ok(())
}

/// `r.p7m`, `r-2.p7m`, `r-3.p7m`.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return path.to_path_buf();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use formats::manifest::Metadata;

    use super::*;
    use crate::cli::fixture::Bench;
    use crate::intake::{SourceName, Walk};
    use crate::record::deposit::DepositOptions;
    use crate::store::durable::{SystemDisk, replace_file};

    #[test]
    fn a_receipt_that_cannot_be_handed_out_is_stored_and_so_are_those_after_it() {
        let bench = Bench::new();
        let archive = bench.open(Access::Write);
        let request = DepositRequest {
            class: archive.classes().class("general").unwrap().clone(),
            given: Metadata::default(),
            depositor: "tester".to_owned(),
            channel: "cli".to_owned(),
        };
        let output = bench.place.path().join("nowhere/receipt.p7m");
        let mut run = ReceiptRun::new(&bench.session, &archive, &request, Some(&output));
        let mut versions = Vec::new();
        for name in ["one", "two"] {
            let path = bench.place.path().join(name);
            replace_file(&SystemDisk, &path, name.as_bytes()).unwrap();
            let walk = Walk::new(vec![path], SourceName::from(OsStr::new("-")));
            let options = DepositOptions::default();
            let depositor = archive.depositor().unwrap();
            depositor.deposit_all(walk, &request, &options, &mut |mut events| {
                versions.extend(events.iter().filter_map(|event| match event {
                    DepositEvent::Deposited(record) => Some(record.version),
                    DepositEvent::AlreadyThere { .. }
                    | DepositEvent::Skipped { .. }
                    | DepositEvent::Failed(_)
                    | DepositEvent::LeftOut { .. } => None,
                }));
                run.take(&mut events);
            });
            run.issue();
        }
        assert!(run.finish().is_err());
        assert_eq!(versions.len(), 2);
        for version in versions {
            assert_eq!(archive.catalog().receipts_of(version).unwrap().len(), 1);
        }
    }
}
