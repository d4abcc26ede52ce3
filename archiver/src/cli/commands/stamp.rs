//! `archiver stamp`

use formats::digest::DigestAlgorithm;
use formats::id::VersionId;
use formats::segment::ArchiveTimeStamp;
use serde_json::json;
use time::OffsetDateTime;

use crate::archive::{Access, Archive, Authorities};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, moment};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::evidence::batch::{BatchMaker, BatchStep, missing_second};
use crate::evidence::calendar::{RenewalOptions, first_digest};
use crate::evidence::plan::{BatchLeaves, BatchOptions};
use crate::evidence::queue::StampPlan;
use crate::telemetry::spanned;
use crate::tsa::client::Timestamper;
use crate::tsa::registry::judge;

use super::receipt::stamp_receipts;
use super::signature::stamp_signatures;

/// What stamping did.
#[derive(Debug, Default)]
pub(super) struct Stamped {
    /// Record versions under the new tokens.
    pub(super) versions: u64,
    /// Tokens.
    pub(super) batches: u64,
    /// The time in the last token.
    pub(super) gen_time: Option<OffsetDateTime>,
    /// Versions whose manifest cannot be opened, so that they cannot be stamped.
    pub(super) unreadable: u64,
}

pub(in crate::cli) fn run(session: &Session) -> Result<Exit, Failure> {
    let archive = session.open(Access::Write)?;
    let stamped = stamp(session, &archive)?;
    if stamped.batches == 0 {
        session.output.say(session.output.lang.pick(
            "タイムスタンプを待つ記録はありません",
            "no record waits for a timestamp",
        ));
    }
    archive.close()?;
    Ok(if stamped.unreadable > 0 {
        Exit::Integrity
    } else {
        Exit::Done
    })
}

/// Names the records that cannot be stamped, and counts them.
fn tell_unreadable(session: &Session, versions: &[VersionId]) -> u64 {
    let lang = session.output.lang;
    for version in versions {
        session.output.note(&lang.pick(
            format!("記録 {version} は目録を開けないためタイムスタンプを付与できません。鍵媒体を確かめてください"),
            format!("record {version} cannot be stamped: its manifest cannot be opened; check the key medium"),
        ));
    }
    versions.len() as u64
}

/// Puts everything that waits under timestamps, and says so.
pub(super) fn stamp(session: &Session, archive: &Archive) -> Result<Stamped, Failure> {
    let options = BatchOptions {
        algorithm: digest(session, archive)?,
        ..BatchOptions::default()
    };
    let plan = archive.queue().plan(options)?;
    let mut done = Stamped {
        unreadable: tell_unreadable(session, &plan.unreadable),
        ..Stamped::default()
    };
    let wants_second = archive.config().tsas.iter().any(|tsa| tsa.second);
    if plan.batches.is_empty() && !wants_second {
        return Ok(done);
    }
    spanned("stamp", || {
        stamp_planned(session, archive, &plan, &mut done)
    })?;
    Ok(done)
}

/// Stamps what was planned: batches, then second tokens, signatures and receipts.
fn stamp_planned(
    session: &Session,
    archive: &Archive,
    plan: &StampPlan<'_>,
    done: &mut Stamped,
) -> Result<(), Failure> {
    let lang = session.output.lang;
    let authorities = archive.authorities()?;
    let appender = archive.store().appender()?;
    let environment = archive.environment();
    let maker = BatchMaker {
        authority: &authorities.first,
        second: None,
        log: &appender,
        clock: environment.clock.as_ref(),
        entropy: environment.entropy.as_ref(),
    };
    let mut all_made = Vec::new();
    for batch in &plan.batches {
        let versions = batch.root()?.leaf_count;
        let bar = session.output.spinner(lang.pick("ハッシュ木", "hash tree"));
        let mut tell = |step| {
            bar.set_message(match step {
                BatchStep::TreeBuilt { .. } => {
                    lang.pick("時刻認証局に問い合わせ中", "asking the authority")
                }
                BatchStep::Stamped { .. } => lang.pick("書き込み中", "writing"),
                BatchStep::Committed => lang.pick("完了", "done"),
            });
        };
        let made = spanned("stamp batch", || maker.make(batch, &mut tell));
        bar.finish_and_clear();
        let made = made?;
        // The batch is durable whatever the index says; the next opening reads it from the segments.
        drop(made.apply(archive.catalog()));
        tell_stamped(session, &made.frame, versions, &authorities);
        done.versions += versions;
        done.batches += 1;
        done.gen_time = Some(made.frame.stamped_at);
        all_made.push(made);
    }
    if let Some(second) = &authorities.second {
        let second: Option<&dyn Timestamper> = Some(second);
        stamp_second(session, archive, &BatchMaker { second, ..maker })?;
    }
    // After the batches: one token for all records comes before those for single signatures.
    for made in all_made {
        made.for_each_page(archive.store(), &mut |versions| {
            stamp_signatures(session, archive, &authorities, versions)?;
            stamp_receipts(archive, &authorities, versions).map(drop)
        })?;
    }
    Ok(())
}

fn tell_stamped(
    session: &Session,
    frame: &ArchiveTimeStamp,
    versions: u64,
    authorities: &Authorities,
) {
    let lang = session.output.lang;
    let (time, tsa) = (frame.stamped_at, &frame.tsa);
    let statutory = judge(&frame.token, authorities.registry.as_deref());
    session.output.event(&json!({
        "event": "stamped", "batch": frame.batch.to_string(), "records": versions, "gen_time": rfc3339(time),
        "digest": frame.algorithm.name(), "tsa": tsa, "accredited": statutory.is_statutory(), "accreditation": statutory.to_json(),
    }));
    let (count, said) = (grouped(versions), statutory.text(lang.into()));
    session.output.say(&lang.pick(
        format!(
            "{count} 件に {} のタイムスタンプを一つ付与しました({tsa})。{said}",
            moment(time)
        ),
        format!(
            "stamped {count} records with one token of {} by {tsa}; {said}",
            moment(time)
        ),
    ));
}

/// The digest algorithm of new trees: what the policy lets be chosen today, and what will not have to be renewed at once.
fn digest(session: &Session, archive: &Archive) -> Result<DigestAlgorithm, Failure> {
    let options = RenewalOptions::from(&archive.config().renewal);
    let now = archive.environment().clock.now();
    first_digest(archive.policy(), &options, now).ok_or_else(|| {
        Failure::said(
            Exit::Unusable,
            session.output.lang,
            "アルゴリズム方針によれば、目録のハッシュ関数(SHA-256、SHA-512)はどちらももう選べません。方針を確かめるか、新しい版を使ってください".to_owned(),
            "by the algorithm policy neither digest of the manifests (SHA-256, SHA-512) may be chosen any more: check the policy, or use a newer version".to_owned(),
        )
    })
}

/// Puts every batch that has no token of the second authority under one: the new ones, and those that it could not serve before.
fn stamp_second(
    session: &Session,
    archive: &Archive,
    maker: &BatchMaker<'_>,
) -> Result<(), Failure> {
    let lang = session.output.lang;
    for batch in missing_second(archive.catalog())? {
        let made = match maker.catch_up(archive.store(), &batch) {
            Ok(made) => made,
            Err(error) => {
                session.output.note(&lang.pick(
                    format!("二つ目のタイムスタンプを取得できません。次回の stamp で再試行します: {error}"),
                    format!("no second timestamp; the next stamp tries again: {error}"),
                ));
                return Ok(());
            }
        };
        // The token is durable whatever the index says.
        drop(made.apply(archive.catalog()));
        let (time, tsa) = (made.frame.stamped_at, made.frame.tsa);
        session.output.event(&json!({
            "event": "stamped_second", "batch": made.frame.batch.to_string(), "of": batch.batch.to_string(),
            "records": batch.leaf_count, "gen_time": rfc3339(time), "tsa": tsa,
        }));
        let count = grouped(batch.leaf_count);
        session.output.say(&lang.pick(
            format!(
                "{count} 件に {} の二つ目のタイムスタンプを付与しました({tsa})",
                moment(time)
            ),
            format!(
                "stamped {count} records with a second token of {} by {tsa}",
                moment(time)
            ),
        ));
    }
    Ok(())
}
