//! What is done between two cuts.

use std::num::NonZeroUsize;
use std::path::Path;

use archiver::archive::Archive;
use archiver::class::ClassRegistry;
use archiver::event::{EventBody, Topic};
use archiver::evidence::batch::BatchMaker;
use archiver::evidence::calendar::gather::JudgedBy;
use archiver::evidence::calendar::{RenewalOptions, gather, plan as renewal_plan};
use archiver::evidence::plan::{BatchLeaves, BatchOptions};
use archiver::evidence::renew::{RenewOptions, RenewalAuthorities, Renewer};
use archiver::intake::SourceName;
use archiver::intake::walk::Walk;
use archiver::record::deposit::{DepositOptions, DepositRequest};
use archiver::record::outcome::DepositEvent;
use archiver::signature::raise::Raiser;
use archiver::signature::{RaiseOptions, Reach};
use archiver::store::StoreError;
use archiver::store::compaction::Compacted;
use archiver::tsa::checks::AcceptedToken;
use archiver::tsa::client::Timestamper;
use archiver::tsa::refusal::TsaError;
use formats::digest::{DigestAlgorithm, DigestValue};
use formats::manifest::Metadata;
use serde::{Deserialize, Serialize};
use verifier::path::TrustAnchor;

use super::oracle::Oracle;

/// A step of the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Some files, most of them small, one after the other.
    Deposit,
    /// Many files with four workers.
    DepositMany,
    /// A file of several segments.
    DepositLarge,
    /// Everything that waits gets a timestamp.
    Stamp,
    /// Renews what is older than a year.
    Renew,
    /// The same while no authority answers: what it appended is of no use, and something else is committed behind it.
    RenewInVain,
    /// Signs contracts and raises their signatures.
    Sign,
    /// Records an event.
    Event,
    /// Wraps all keys anew.
    Rotate,
    /// Destroys the keys of some stamped records.
    Destroy,
    /// Frees the room of destroyed records.
    Compact,
    /// Copies of sealed segments are damaged, and a scrub heals them.
    Heal,
    /// A medium joins, takes the place of another, or leaves.
    ChangeMedium,
    /// Takes a backup.
    Backup,
    /// Makes the index anew.
    Rebuild,
    /// Opens and closes.
    Nothing,
}

/// The facts of the workload's own events.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Happened {
    pub(super) number: u64,
}

impl EventBody for Happened {
    const KIND: &'static str = "power-test";
    const TOPIC: Topic = Topic::Fixity;
}

impl Step {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Deposit,
        Self::DepositMany,
        Self::DepositLarge,
        Self::Stamp,
        Self::Renew,
        Self::RenewInVain,
        Self::Sign,
        Self::Event,
        Self::Rotate,
        Self::Destroy,
        Self::Compact,
        Self::Heal,
        Self::ChangeMedium,
        Self::Backup,
        Self::Rebuild,
        Self::Nothing,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::DepositMany => "deposit-many",
            Self::DepositLarge => "deposit-large",
            Self::Stamp => "stamp",
            Self::Renew => "renew",
            Self::RenewInVain => "renew-in-vain",
            Self::Sign => "sign",
            Self::Event => "event",
            Self::Rotate => "rotate",
            Self::Destroy => "destroy",
            Self::Compact => "compact",
            Self::Heal => "heal",
            Self::ChangeMedium => "change-medium",
            Self::Backup => "backup",
            Self::Rebuild => "rebuild",
            Self::Nothing => "open",
        }
    }

    /// Does it. What was acknowledged is told to the oracle; a failure is one of the dying disk, unless the disk lives.
    pub(super) fn run(
        self,
        archive: &Archive,
        sources: &Path,
        oracle: &mut Oracle,
    ) -> Result<(), String> {
        match self {
            Self::Deposit => deposit(archive, sources, 1, oracle),
            Self::DepositMany | Self::DepositLarge => deposit(archive, sources, 4, oracle),
            Self::Stamp => stamp(archive, oracle),
            Self::Renew => renew(archive, oracle),
            Self::RenewInVain => renew_in_vain(archive, oracle),
            Self::Sign => sign(archive, oracle),
            Self::Event => event(archive, oracle),
            Self::Rotate => archive.keys().rotate(&mut |_| ()).map(drop).map_err(said),
            Self::Destroy => destroy(archive, oracle),
            Self::Compact => compact(archive),
            Self::Heal | Self::ChangeMedium | Self::Backup | Self::Rebuild | Self::Nothing => {
                Ok(())
            }
        }
    }
}

fn said(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn deposit(
    archive: &Archive,
    sources: &Path,
    workers: usize,
    oracle: &mut Oracle,
) -> Result<(), String> {
    let classes = ClassRegistry::built_in().map_err(said)?;
    let class = if sources.ends_with("contract") {
        "contract"
    } else {
        "general"
    };
    let request = DepositRequest {
        class: classes.class(class).map_err(said)?.clone(),
        given: Metadata::default(),
        depositor: "somebody".to_owned(),
        channel: "cli".to_owned(),
    };
    let options = DepositOptions {
        workers,
        ..DepositOptions::default()
    };
    let walk = Walk::new(
        vec![sources.to_path_buf()],
        SourceName::from(std::ffi::OsStr::new("-")),
    );
    let depositor = archive.depositor().map_err(said)?;
    let mut wrong = None;
    let summary = depositor.deposit_all(walk, &request, &options, &mut |events| {
        for event in events {
            match event {
                DepositEvent::Deposited(record) => {
                    oracle.acknowledged(record.version, &record.name.to_string());
                }
                DepositEvent::LeftOut { .. } => {}
                DepositEvent::AlreadyThere { .. }
                | DepositEvent::Skipped { .. }
                | DepositEvent::Failed(_) => wrong = Some(said(event)),
            }
        }
    });
    match (wrong, summary.stopped) {
        (Some(wrong), _) => Err(wrong),
        (None, Some(stopped)) => Err(said(stopped)),
        (None, None) => Ok(()),
    }
}

fn stamp(archive: &Archive, oracle: &mut Oracle) -> Result<(), String> {
    let planned = archive
        .queue()
        .plan(BatchOptions::default())
        .map_err(said)?;
    if !planned.unreadable.is_empty() {
        return Err(format!("cannot be stamped: {:?}", planned.unreadable));
    }
    let authorities = archive.authorities().map_err(said)?;
    let appender = archive.store().appender().map_err(said)?;
    let environment = archive.environment();
    let maker = BatchMaker {
        authority: &authorities.first,
        second: None,
        log: &appender,
        clock: environment.clock.as_ref(),
        entropy: environment.entropy.as_ref(),
    };
    for batch in planned.batches {
        let mut versions = Vec::new();
        let each = &mut |version, _| {
            versions.push(version);
            Ok(())
        };
        batch.for_each(each).map_err(said)?;
        let made = maker.make(&batch, &mut |_| {}).map_err(said)?;
        oracle.stamped(made.frame.batch, &versions);
        made.apply(archive.catalog()).map_err(said)?;
    }
    Ok(())
}

fn anchors(archive: &Archive) -> Result<Vec<TrustAnchor>, String> {
    let anchors = archive.anchors().map_err(said)?;
    let parsed = anchors.iter().map(|der| TrustAnchor::from_certificate(der));
    parsed.collect::<Result<Vec<_>, _>>().map_err(said)
}

/// An authority that does not answer.
#[derive(Debug)]
struct Silent;

impl Timestamper for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    fn timestamp(&self, _imprint: &DigestValue) -> Result<AcceptedToken, TsaError> {
        Err(TsaError::Request)
    }
}

fn renew(archive: &Archive, oracle: &mut Oracle) -> Result<(), String> {
    let authorities = archive.authorities().map_err(said)?;
    renew_by(archive, &authorities.first, oracle)
}

fn renew_in_vain(archive: &Archive, oracle: &mut Oracle) -> Result<(), String> {
    // That nothing was due is as good; that a medium failed is told by the event.
    drop(renew_by(archive, &Silent, oracle));
    event(archive, oracle)
}

fn renew_by(
    archive: &Archive,
    authority: &dyn Timestamper,
    oracle: &mut Oracle,
) -> Result<(), String> {
    let anchors = anchors(archive)?;
    let now = archive.environment().clock.now();
    let by = JudgedBy {
        anchors: &anchors,
        policy: archive.policy(),
        now,
    };
    let chains = gather(archive.catalog(), archive.store(), by).map_err(said)?;
    let options = RenewalOptions::from(&archive.config().renewal);
    let planned = renewal_plan(&chains, archive.policy(), &options, now);
    if !planned.lost.is_empty() {
        return Err(format!("lost proof: {:?}", planned.lost));
    }
    let authorities = archive.authorities().map_err(said)?;
    let appender = archive.store().appender().map_err(said)?;
    let environment = archive.environment();
    let renewer = Renewer {
        authorities: RenewalAuthorities {
            first: authority,
            second: None,
        },
        log: &appender,
        frames: archive.store(),
        catalog: archive.catalog(),
        retriever: archive.retriever(),
        clock: environment.clock.as_ref(),
        entropy: environment.entropy.as_ref(),
        threads: NonZeroUsize::MIN,
        material: authorities.material.as_ref(),
        anchors: &authorities.anchors,
        options: RenewOptions::default(),
    };
    for due in &planned.due {
        let renewed = renewer.run(&due.action, &mut |_| {}).map_err(said)?;
        for made in &renewed.batches {
            oracle.stamped(made.frame.batch, &[]);
        }
    }
    Ok(())
}

fn sign(archive: &Archive, oracle: &mut Oracle) -> Result<(), String> {
    let signer = archive.signer().map_err(said)?.ok_or("no signing key")?;
    let keeper = archive.signature_keeper(Some(&signer));
    let authorities = archive.authorities().map_err(said)?;
    let raiser = Raiser {
        authority: &authorities.first,
        material: authorities.material.as_ref(),
        anchors: &authorities.anchors,
        signer: &signer,
        digest: DigestAlgorithm::Sha512,
    };
    let appender = archive.store().appender().map_err(said)?;
    let options = RaiseOptions::default();
    let summary = keeper
        .raise_due(
            &appender,
            Some(&raiser),
            Reach::All,
            &options,
            &mut |_, _| {},
        )
        .map_err(said)?;
    if !summary.unreadable.is_empty() {
        return Err(format!("cannot be signed: {:?}", summary.unreadable));
    }
    for version in oracle.contracts() {
        if let Some(stored) = keeper.stored(version).map_err(said)? {
            oracle.signed(version, stored.generation);
        }
    }
    Ok(())
}

fn event(archive: &Archive, oracle: &mut Oracle) -> Result<(), String> {
    let facts = Happened {
        number: oracle.next_event(),
    };
    archive.record_event("somebody", &facts).map_err(said)?;
    oracle.recorded(facts.number);
    Ok(())
}

/// Removes the keys of some records.
fn destroy(archive: &Archive, oracle: &mut Oracle) -> Result<(), String> {
    let versions = oracle.begin_destruction();
    if versions.is_empty() {
        return Ok(());
    }
    let now = archive.environment().clock.now();
    let destroyed = archive.keys().destroy(&versions, now, &mut |_| ());
    destroyed.map_err(said)?;
    oracle.destroyed(&versions);
    Ok(())
}

/// Frees everything that can be freed.
pub(super) fn compact(archive: &Archive) -> Result<(), String> {
    let ledger = archive.keys().ledger();
    let store = archive.store();
    let plan = store.plan_compaction(ledger, &mut |_| ());
    let segments: Vec<u32> = plan
        .map_err(said)?
        .segments
        .iter()
        .map(|one| one.segment)
        .collect();
    let mut unhealthy = None;
    store
        .compact::<StoreError>(
            &segments,
            ledger,
            &mut |_| (),
            &mut |_, _| Ok(()),
            &mut |segment, compacted| {
                if let Compacted::Unhealthy { problem, .. } = compacted {
                    unhealthy = Some(format!("segment {segment}: {problem:?}"));
                }
                Ok(())
            },
        )
        .map_err(said)?;
    unhealthy.map_or(Ok(()), Err)
}
