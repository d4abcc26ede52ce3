//! `archiver status`

use serde_json::json;

use crate::archive::{Access, Accreditations, Archive};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, moment};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::evidence::queue::Waiting;
use crate::scrub::proofs::Proofs;
use crate::scrub::report::ProofReport;
use crate::store::scrub::ScrubMedia;
use crate::tsa::registry::Statutory;

pub(in crate::cli) fn run(session: &Session) -> Result<Exit, Failure> {
    let archive = session.open(Access::Read)?;
    let counts = archive.catalog().counts()?;
    let waiting = archive.queue().waiting()?;
    let since = waiting.since;
    let batches = archive.catalog().batches()?;
    let last = batches.iter().max_by_key(|batch| batch.stamped_at);
    let accreditations = Accreditations::of(&archive)?;
    let accreditation = last
        .map(|last| accreditations.batch(last.batch))
        .transpose()?;
    let proven = proven(&archive)?;
    session.output.event(&json!({
        "event": "status",
        "archive": archive.config().archive.to_string(),
        "evaluation": archive.notice().is_some(),
        "versions": counts.versions,
        "batches": counts.batches,
        "unstamped": waiting.count,
        "unstamped_since": since.map(rfc3339),
        "unopened": waiting.unopened,
        "unopened_since": waiting.unopened_since.map(rfc3339),
        "last_stamped_at": last.map(|batch| rfc3339(batch.stamped_at)),
        "last_tsa": last.map(|batch| batch.tsa.clone()),
        "proven_since": proven.oldest.map(rfc3339),
        "unproven_segments": proven.never.segments,
        "overdue_segments": proven.overdue.segments,
        "last_accreditation": accreditation.as_ref().map(Statutory::to_json),
    }));
    let lang = session.output.lang;
    let (versions, unstamped) = (grouped(counts.versions), grouped(waiting.count));
    session.output.say(&lang.pick(
        format!("保管庫 {}: {versions} 版", archive.config().archive),
        format!("archive {}: {versions} versions", archive.config().archive),
    ));
    say_unopened(session, &waiting);
    match since {
        None if waiting.unopened > 0 => {}
        None => session
            .output
            .say(lang.pick("すべてタイムスタンプ済みです", "all are stamped")),
        Some(since) => session.output.say(&lang.pick(
            format!(
                "タイムスタンプ待ち {unstamped} 版、{} から。archiver stamp を実行してください",
                moment(since)
            ),
            format!(
                "{unstamped} wait for a timestamp since {}: run 'archiver stamp'",
                moment(since)
            ),
        )),
    }
    if let Some(last) = last {
        session.output.say(&lang.pick(
            format!(
                "最後のタイムスタンプ: {}({})",
                moment(last.stamped_at),
                last.tsa
            ),
            format!(
                "last timestamp: {} by {}",
                moment(last.stamped_at),
                last.tsa
            ),
        ));
    }
    say_overdue(session, &archive, &proven);
    if let Some(accreditation) = accreditation {
        session.output.say(&accreditation.text(lang.into()));
    }
    super::standing::tell(session, &archive)
}

fn say_unopened(session: &Session, waiting: &Waiting) {
    let Some(since) = waiting.unopened_since.map(moment) else {
        return;
    };
    let versions = grouped(waiting.unopened);
    session.output.say(&session.output.lang.pick(
        format!("開けないためタイムスタンプを付けられないもの {versions} 版、{since} から。預け入れるだけの機械の記録なら archiver keys intake accept と archiver rebuild を、そうでなければ archiver verify を実行してください"),
        format!("{versions} cannot be opened and get no timestamp, since {since}: run 'archiver keys intake accept' and 'archiver rebuild' for an intake host's, 'archiver verify' otherwise"),
    ));
}

/// How much of what is stored was read again, and when.
pub(super) fn proven(archive: &Archive) -> Result<ProofReport, Failure> {
    let media = ScrubMedia::of_store(archive.store())?;
    let proofs = Proofs::of(archive.catalog(), &media.media())?;
    let stored = media.segments()?;
    let days = archive.config().scrub.overdue_days;
    let now = archive.environment().clock.now();
    let begun = |segment| media.begun(segment);
    Ok(ProofReport::of(&stored, &proofs, &begun, days, now))
}

fn say_overdue(session: &Session, archive: &Archive, proven: &ProofReport) {
    if proven.overdue.segments == 0 {
        return;
    }
    let days = archive.config().scrub.overdue_days;
    let overdue = grouped(proven.overdue.segments);
    session.output.say(&session.output.lang.pick(
        format!("{days} 日以上確かめていない区画 {overdue}: archiver scrub を実行してください"),
        format!("{overdue} segments were not read again for {days} days: run 'archiver scrub'"),
    ));
}
