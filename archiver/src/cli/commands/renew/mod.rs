//! `archiver renew`: what is due, done; or only planned; or asked as a drill.

pub(super) mod carry_out;
mod drill;
mod sample;
mod show;
pub(super) mod words;

use verifier::policy::Policy;

use crate::archive::{Access, Archive};
use crate::cli::arguments::Renew;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::evidence::calendar::gather::JudgedBy;
use crate::evidence::calendar::{ChainFacts, RenewalOptions, RenewalPlan, gather, plan};

use super::signature;

pub(in crate::cli) fn run(session: &Session, arguments: &Renew) -> Result<Exit, Failure> {
    if let Some(drill) = &arguments.drill {
        return drill::run(session, drill);
    }
    let access = if arguments.plan {
        Access::Read
    } else {
        Access::Write
    };
    let archive = session.open(access)?;
    let options = options(&archive, arguments.force);
    if arguments.plan {
        let chains = facts(session, &archive, archive.policy())?;
        let plan = planned(&archive, &chains, &options);
        show::plan(session, &archive, &plan);
        signature::tell_plan(session, &archive)?;
        return Ok(exit_of(&plan));
    }
    let mut exit = carry_out::run(session, &archive, &options)?;
    if signature::renew_signatures(session, &archive)?.waiting > 0 {
        exit = exit.max(Exit::Partial);
    }
    archive.close()?;
    Ok(exit)
}

/// How early this archive renews; by force even where a recent token shows that nothing is gained.
fn options(archive: &Archive, force: bool) -> RenewalOptions {
    let mut options = RenewalOptions::from(&archive.config().renewal);
    if force {
        options.retry = time::Duration::ZERO;
    }
    options
}

/// The plan as of now.
fn planned(archive: &Archive, chains: &[ChainFacts], options: &RenewalOptions) -> RenewalPlan {
    let now = archive.environment().clock.now();
    plan(chains, archive.policy(), options, now)
}

/// What is known of every live chain, judged by a policy.
pub(super) fn facts(
    session: &Session,
    archive: &Archive,
    policy: &Policy,
) -> Result<Vec<ChainFacts>, Failure> {
    let lang = session.output.lang;
    let anchors = archive.trust()?;
    let bar = session
        .output
        .spinner(lang.pick("トークンの検査", "judging tokens"));
    let by = JudgedBy {
        anchors: &anchors,
        policy,
        now: archive.environment().clock.now(),
    };
    let chains = gather(archive.catalog(), archive.store(), by);
    bar.finish_and_clear();
    Ok(chains?)
}

/// Lost proof, or something that cannot be done, is not "done".
const fn exit_of(plan: &RenewalPlan) -> Exit {
    if plan.lost.is_empty() && plan.blocked.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    }
}
