//! Handing evidence and receipts over.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use formats::id::VersionId;
use verifier::context::Context;

use super::actor::Actor;
use super::contents::{Purpose, noted, wanted};
use super::desk::{Desk, Subject};
use super::refusal::Refusal;
use crate::access::Right;
use crate::audit::Act;
use crate::evidence::package::{ExportedPackage, Exporter};
use crate::signature::receipt::{Occasion, ReceiptDesk, ReceiptKind};

/// An evidence package in a file that has no name and is gone when it is closed.
#[derive(Debug)]
pub struct PackageFile {
    /// The file, at its beginning.
    pub file: File,
    /// Bytes.
    pub size: u64,
    /// What is in it.
    pub exported: ExportedPackage,
}

impl Desk {
    /// Makes the evidence package of a version, for somebody outside.
    ///
    /// # Errors
    /// [`Refusal::NotStamped`], [`Refusal::NotFound`], [`Refusal::Invalid`] without a purpose.
    pub fn export_evidence(
        &self,
        actor: &Actor,
        version: VersionId,
        purpose: Purpose<'_>,
    ) -> Result<PackageFile, Refusal> {
        let mut subject = Subject::of(version);
        subject.purpose = noted(purpose);
        self.act(
            actor,
            Act::EvidenceExport,
            Right::Retrieve,
            subject,
            |subject| {
                wanted(purpose)?;
                self.reached(actor, version)?;
                let package = self.package(actor, version)?;
                subject.fact("bytes", package.size);
                subject.fact("conclusion", package.exported.judgement.conclusion());
                Ok(package)
            },
        )
    }

    fn package(&self, actor: &Actor, version: VersionId) -> Result<PackageFile, Refusal> {
        let archive = &self.archive;
        let anchors = archive.trust()?;
        let registry = archive.registry()?;
        let exporter = Exporter {
            retriever: archive.retriever(),
            catalog: archive.catalog(),
            frames: archive.store(),
            context: Context {
                anchors: &anchors,
                certificates: &[],
                crls: &[],
                ocsp_responses: &[],
                policy: archive.policy(),
                time: self.now(),
                cache: None,
                registry: registry.as_ref(),
            },
            exported_by: &actor.account,
            evaluation: archive.notice().is_some(),
        };
        let failed = |error: std::io::Error| Refusal::Evidence(error.to_string());
        let file = tempfile::tempfile().map_err(failed)?;
        let (exported, mut file) = exporter.export(version, file)?;
        let size = file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.rewind().map_err(failed)?;
        Ok(PackageFile {
            file,
            size,
            exported,
        })
    }

    /// The deposit receipt of a version, signed by the archive: for its depositor, and for whoever may fetch the record.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::Evidence`] where the archive has no signing key.
    pub fn receipt(&self, actor: &Actor, version: VersionId) -> Result<Vec<u8>, Refusal> {
        let right = match actor.may(Right::Retrieve) {
            true => Right::Retrieve,
            false => Right::Deposit,
        };
        let subject = Subject::of(version);
        self.act(actor, Act::ReceiptRetrieve, right, subject, |_| {
            let hit = self.reached(actor, version)?;
            if right == Right::Deposit && hit.depositor != actor.account {
                return Err(Refusal::NotFound);
            }
            self.issue_receipt(version)
        })
    }

    fn issue_receipt(&self, version: VersionId) -> Result<Vec<u8>, Refusal> {
        let failed = |error: &dyn std::fmt::Display| Refusal::Evidence(error.to_string());
        let signer = self.archive.signer()?;
        let signer = signer.ok_or_else(|| {
            Refusal::Evidence("the archive has no signing key (archiver keys signing)".to_owned())
        })?;
        let catalog_key = self
            .archive
            .keys()
            .catalog_key()
            .map_err(|error| failed(&error))?;
        let desk = ReceiptDesk {
            keeper: self.archive.signature_keeper(Some(&signer)),
            catalog_key: &catalog_key,
        };
        let found = desk
            .find(version, ReceiptKind::Deposit)
            .map_err(|error| failed(&error))?;
        if let Some(receipt) = found {
            return Ok(receipt.signature);
        }
        let opened = self.archive.retriever().open(version)?;
        let manifest = opened.manifest();
        let occasion = Occasion {
            kind: ReceiptKind::Deposit,
            person: &manifest.depositor,
            channel: &manifest.channel,
            purpose: None,
        };
        let appender = self.archive.store().appender()?;
        let issued = desk
            .issue(&appender, None, &occasion, &[version])
            .map_err(|error| failed(&error))?;
        let receipt = issued.into_iter().next().ok_or(Refusal::NotFound)?;
        Ok(receipt.signature)
    }
}
