//! `archiver compact`

use serde_json::json;

use crate::archive::{Access, Archive};
use crate::cli::arguments::Compact;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{grouped, sized};
use crate::cli::session::Session;
use crate::space::{self, SpaceReport};
use crate::store::compaction::{CompactionPlan, CompactionStep};

use super::deposit::records_bar;

pub(in crate::cli) fn run(session: &Session, arguments: &Compact) -> Result<Exit, Failure> {
    let access = if arguments.plan {
        Access::Read
    } else {
        Access::Write
    };
    let archive = session.open(access)?;
    let segments = archive.store().segments()?.len() as u64;
    let bar = records_bar(session, "区画の調査", "surveying segments", segments);
    let plan = space::plan(&archive, &mut |_| bar.inc(1));
    bar.finish_and_clear();
    let plan = plan?;
    show_plan(session, &plan, arguments.threshold);
    let mut exit = if plan.damaged.is_empty() {
        Exit::Done
    } else {
        Exit::Integrity
    };
    if !arguments.plan {
        let report = carry_out(session, &archive, &plan, arguments.threshold)?;
        show_report(session, &report);
        if !report.unhealthy.is_empty() {
            exit = Exit::Integrity;
        }
    }
    archive.close()?;
    Ok(exit)
}

fn carry_out(
    session: &Session,
    archive: &Archive,
    plan: &CompactionPlan,
    threshold: u8,
) -> Result<SpaceReport, Failure> {
    let due = plan.segments.iter().filter(|one| one.is_due(threshold));
    let steps = due.count() as u64 * archive.store().directories().len() as u64;
    let bar = records_bar(session, "区画の書き直し", "rewriting segments", steps);
    let report = space::compact(
        archive,
        &session.user,
        plan,
        threshold,
        &mut |step| match step {
            CompactionStep::Checking { segment } => {
                session
                    .output
                    .event(&json!({ "event": "checking", "segment": segment }));
            }
            CompactionStep::Replaced { segment, directory } => {
                bar.inc(1);
                session.output.event(&json!({
                    "event": "replaced", "segment": segment, "medium": directory,
                }));
            }
        },
    );
    bar.finish_and_clear();
    Ok(report?)
}

fn show_plan(session: &Session, plan: &CompactionPlan, threshold: u8) {
    let (lang, output) = (session.output.lang, &session.output);
    let mut freed = 0;
    if !plan.segments.is_empty() {
        output.say(lang.pick(
            "      区画         大きさ   残る    空く(媒体ごと)",
            "   segment           size   live   freed (on each medium)",
        ));
    }
    for one in &plan.segments {
        let due = one.is_due(threshold);
        if due {
            freed += one.freed_bytes();
        }
        output.event(&json!({
            "event": "segment", "segment": one.segment, "generation": one.generation, "bytes": one.bytes,
            "bytes_after": one.bytes_after, "freed_bytes": one.freed_bytes(), "live_percent": one.live_percent(),
            "destroyed_chunks": one.destroyed_chunks, "orphans": one.orphans, "behind": one.behind, "due": due,
        }));
        let mut note = String::new();
        if !one.behind.is_empty() {
            note = lang
                .pick("  複製が遅れています", "  a copy is behind")
                .to_owned();
        } else if !due {
            note = lang
                .pick("  しきい値以上", "  not below the threshold")
                .to_owned();
        }
        output.say(&format!(
            "{:010} {:>14} {:>5}%   {}{note}",
            one.segment,
            sized(one.bytes),
            one.live_percent(),
            sized(one.freed_bytes()),
        ));
    }
    for address in &plan.damaged {
        output.note(&lang.pick(
            format!(
                "{address} が壊れているため、この区画は空けません。archiver scrub で直してください"
            ),
            format!(
                "{address} is damaged: its segment stays as it is; heal it with 'archiver scrub'"
            ),
        ));
    }
    let due = plan
        .segments
        .iter()
        .filter(|one| one.is_due(threshold))
        .count() as u64;
    output.event(&json!({
        "event": "plan", "sealed": plan.sealed, "due": due, "freed_bytes": freed, "threshold": threshold,
    }));
    let (sealed, count, bytes) = (grouped(plan.sealed), grouped(due), sized(freed));
    output.say(&lang.pick(
        format!("封をした区画 {sealed} のうち {count} を書き直すと、各媒体で {bytes} 空きます(しきい値 {threshold} %)"),
        format!("{count} of {sealed} sealed segments to be rewritten; {bytes} become free on each medium (threshold {threshold} %)"),
    ));
}

fn show_report(session: &Session, report: &SpaceReport) {
    let (lang, output) = (session.output.lang, &session.output);
    let freed = &report.freed;
    for (segment, directory, problem) in &report.unhealthy {
        let place = directory.display();
        output.event(&json!({
            "event": "unhealthy", "segment": segment, "medium": directory, "problem": format!("{problem:?}"),
        }));
        output.note(&lang.pick(
            format!("{place}: 区画 {segment:010} に損傷があるため書き直していません。archiver scrub で直してください"),
            format!("{place}: segment {segment:010} is damaged there and was not rewritten: heal it with 'archiver scrub'"),
        ));
    }
    output.event(&json!({
        "event": "freed", "segments": freed.segments, "versions": freed.versions, "bytes": freed.bytes,
        "brought_up": report.brought_up, "media": freed.media,
    }));
    for medium in &freed.media {
        let place = medium.directory.display();
        let (before, after) = (sized(medium.stored_before), sized(medium.stored_after));
        let (free_before, free_after) = (sized(medium.free_before), sized(medium.free_after));
        output.say(&lang.pick(
            format!("{place}: 区画の占有 {before} → {after}、空き {free_before} → {free_after}"),
            format!(
                "{place}: segments take {before} -> {after}, free {free_before} -> {free_after}"
            ),
        ));
    }
    let (segments, bytes) = (grouped(freed.segments), sized(freed.bytes));
    output.say(&lang.pick(
        format!("区画 {segments} 個を書き直し、各媒体で {bytes} を空けました"),
        format!("rewrote {segments} segments and freed {bytes} on each medium"),
    ));
}
