//! Issues receipts, keeps them, and finds them again.

use std::fmt;

use formats::cades::{Level, detach};
use formats::digest::DigestAlgorithm;
use formats::id::{ReceiptId, VersionId};
use formats::oid;
use formats::segment::Frame;

use super::content::{self, ReceiptFacts, ReceiptKind};
use crate::evidence::log::FrameLog;
use crate::keys::DataKey;
use crate::record::received::ReceivedRecord;
use crate::signature::error::SignatureError;
use crate::signature::keeper::{Group, SignatureKeeper};
use crate::signature::raise::{Raiser, level};
use crate::signature::sealing;
use crate::signature::signer::SigningRequest;
use crate::store::catalog::ReceiptEntry;

/// Where receipts are issued.
#[derive(Clone, Copy)]
pub struct ReceiptDesk<'a> {
    /// Reads records and signs.
    pub keeper: SignatureKeeper<'a>,
    /// The key of the archive's catalog.
    pub catalog_key: &'a DataKey,
}

/// A receipt with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedReceipt {
    /// The receipt.
    pub id: ReceiptId,
    /// Number of its state.
    pub generation: u32,
    /// The versions that it names.
    pub versions: Vec<VersionId>,
    /// The CMS structure, DER, with its content inside.
    pub signature: Vec<u8>,
    /// The level of the signature.
    pub level: Level,
}

/// Who gets a receipt for what.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// For a deposit or a retrieval.
    pub kind: ReceiptKind,
    /// Who deposited or fetched.
    pub person: &'a str,
    /// Through which channel.
    pub channel: &'a str,
    /// For what purpose.
    pub purpose: Option<&'a str>,
}

impl ReceiptDesk<'_> {
    /// Issues and stores receipts for versions, at most [`RECORDS_MAX`] in each. With a raiser each gets its timestamp at once, unless no authority
    /// answers: then it is stored without, and raised later.
    ///
    /// # Errors
    /// [`SignatureError`]: there is no signing key, a record cannot be read, a medium failed.
    pub fn issue(
        &self,
        log: &dyn FrameLog,
        raiser: Option<&Raiser<'_>>,
        occasion: &Occasion<'_>,
        versions: &[VersionId],
    ) -> Result<Vec<IssuedReceipt>, SignatureError> {
        let mut issued = Vec::new();
        for versions in versions.chunks(RECORDS_MAX) {
            let mut records = Vec::with_capacity(versions.len());
            for version in versions {
                let opened = self.keeper.retriever.open(*version)?;
                records.push(ReceivedRecord::of(opened.manifest())?);
            }
            issued.push(self.issue_for(log, raiser, occasion, &records)?);
        }
        Ok(issued)
    }

    /// The same for records that are at hand, in one receipt. The caller gives no more than [`RECORDS_MAX`].
    ///
    /// # Errors
    /// As [`ReceiptDesk::issue`].
    pub fn issue_for(
        &self,
        log: &dyn FrameLog,
        raiser: Option<&Raiser<'_>>,
        occasion: &Occasion<'_>,
        records: &[ReceivedRecord],
    ) -> Result<IssuedReceipt, SignatureError> {
        let receipt = self.sign(occasion, records)?;
        let receipt = match raiser {
            Some(raiser) => self.raised(receipt, raiser)?,
            None => receipt,
        };
        self.store(log, &receipt)?;
        Ok(receipt)
    }

    /// Raises a stored receipt to ES-T and stores it; one that has a timestamp, or that no authority gives one, stays as it is.
    ///
    /// # Errors
    /// As [`ReceiptDesk::issue`].
    pub fn raise(
        &self,
        log: &dyn FrameLog,
        raiser: &Raiser<'_>,
        receipt: IssuedReceipt,
    ) -> Result<IssuedReceipt, SignatureError> {
        if receipt.level >= Level::T {
            return Ok(receipt);
        }
        let generation = receipt.generation;
        let mut raised = self.raised(receipt, raiser)?;
        if raised.level >= Level::T {
            raised.generation = generation.saturating_add(1);
            self.store(log, &raised)?;
        }
        Ok(raised)
    }

    /// The newest receipt of a kind that names a version.
    ///
    /// # Errors
    /// [`SignatureError::Store`]; [`SignatureError::Sealed`] when one was changed.
    pub fn find(
        &self,
        version: VersionId,
        kind: ReceiptKind,
    ) -> Result<Option<IssuedReceipt>, SignatureError> {
        for entry in self.keeper.catalog.receipts_of(version)?.iter().rev() {
            let receipt = self.open(entry)?;
            let (_, content) = detach(&receipt.signature)?;
            if content::kind_of(&content) == Some(kind) {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// A stored receipt in its newest state.
    ///
    /// # Errors
    /// As [`ReceiptDesk::find`].
    pub fn open(&self, entry: &ReceiptEntry) -> Result<IssuedReceipt, SignatureError> {
        let sealed = || SignatureError::Sealed {
            owner: entry.id.to_string(),
        };
        let Frame::Receipt(frame) = self.keeper.frames.read(entry.address)? else {
            return Err(sealed());
        };
        if frame.id != entry.id || frame.generation != entry.generation {
            return Err(sealed());
        }
        let signature = sealing::open_receipt(self.keeper.archive, &self.key(), &frame)?;
        Ok(IssuedReceipt {
            id: frame.id,
            generation: frame.generation,
            versions: frame.versions,
            level: level(&signature)?,
            signature,
        })
    }

    fn sign(
        &self,
        occasion: &Occasion<'_>,
        records: &[ReceivedRecord],
    ) -> Result<IssuedReceipt, SignatureError> {
        let signer = self.keeper.signer.ok_or(SignatureError::NoKey {
            path: "signing".into(),
        })?;
        let at = self.keeper.clock.now();
        let at = at.replace_millisecond(at.millisecond()).unwrap_or(at);
        let mut random = [0; 10];
        self.keeper.entropy.fill(&mut random)?;
        let unix_ms = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let id = ReceiptId::new(unix_ms, &random);
        let facts = ReceiptFacts {
            kind: occasion.kind,
            archive: self.keeper.archive,
            id,
            at,
            person: occasion.person,
            channel: occasion.channel,
            purpose: occasion.purpose,
        };
        let commitment = match occasion.kind {
            ReceiptKind::Deposit => oid::PROOF_OF_RECEIPT,
            ReceiptKind::Retrieval => oid::PROOF_OF_DELIVERY,
        };
        let signature = signer.sign(&SigningRequest {
            content: &content::encode(&facts, records)?,
            media_type: "application/json",
            commitment: &commitment,
            digest: DigestAlgorithm::Sha256,
            at,
        })?;
        Ok(IssuedReceipt {
            id,
            generation: 0,
            versions: records.iter().map(|record| record.id).collect(),
            signature,
            level: Level::Bes,
        })
    }

    /// With a timestamp, if an authority gives one.
    fn raised(
        &self,
        mut receipt: IssuedReceipt,
        raiser: &Raiser<'_>,
    ) -> Result<IssuedReceipt, SignatureError> {
        match raiser.timestamp(&receipt.signature) {
            Ok(signature) => {
                receipt.signature = signature;
                receipt.level = Level::T;
                Ok(receipt)
            }
            Err(SignatureError::Authority(_)) => Ok(receipt),
            Err(error) => Err(error),
        }
    }

    fn store(&self, log: &dyn FrameLog, receipt: &IssuedReceipt) -> Result<(), SignatureError> {
        let frame = sealing::seal_receipt(
            self.keeper.archive,
            &self.key(),
            (receipt.id, receipt.generation),
            receipt.versions.clone(),
            &receipt.signature,
            self.keeper.entropy,
        )?;
        let mut group = Group {
            log,
            catalog: self.keeper.catalog,
            frames: Vec::new(),
        };
        group.add(Frame::Receipt(frame))?;
        group.commit()
    }

    fn key(&self) -> DataKey {
        self.catalog_key.subkey("receipts")
    }
}

impl fmt::Debug for ReceiptDesk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptDesk").finish_non_exhaustive()
    }
}

/// Most records of one receipt: it has to be read, to be sent by mail, and to be held in memory; it has some two megabytes then.
pub const RECORDS_MAX: usize = 2000;
