//! `archiver renew`: does what the plan says is due.

use std::num::NonZeroUsize;

use serde_json::json;

use crate::archive::Archive;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Unit, grouped, moment};
use crate::cli::query::rfc3339;
use crate::cli::session::Session;
use crate::evidence::calendar::{RenewalOptions, RenewalPlan};
use crate::evidence::renew::{
    RenewError, RenewOptions, RenewStep, RenewalAction, RenewalAuthorities, RenewedChains, Renewer,
};
use crate::tsa::client::Timestamper;

use super::{exit_of, facts, planned, show, words};

/// What renewing did.
#[derive(Debug, Default)]
pub(in crate::cli::commands) struct Renewed {
    /// Tokens that were made.
    pub(in crate::cli::commands) tokens: u64,
    /// Chains that were renewed.
    pub(in crate::cli::commands) chains: u64,
    /// Chains and versions that stay as they were, although they were due.
    pub(in crate::cli::commands) left: u64,
    /// Tokens that got new validation material.
    pub(in crate::cli::commands) materials: u64,
}

/// Does what is due, and says how it ended.
pub(super) fn run(
    session: &Session,
    archive: &Archive,
    options: &RenewalOptions,
) -> Result<Exit, Failure> {
    let plan = || -> Result<RenewalPlan, Failure> {
        let chains = facts(session, archive, archive.policy())?;
        Ok(planned(archive, &chains, options))
    };
    let mut current = plan()?;
    show::plan(session, archive, &current);
    let has_actions = !current.due.is_empty();
    let renewed = all_due(session, archive, &mut current, &mut || {
        let again = plan()?;
        show::plan(session, archive, &again);
        Ok(again)
    })?;
    if renewed.left > 0 {
        return Ok(Exit::Partial);
    }
    // What was lacking before may be there now.
    if has_actions && exit_of(&current) != Exit::Done {
        current = plan()?;
    }
    Ok(exit_of(&current))
}

/// Carries out what a plan says is due. What was collected may show that an authority was revoked: before anything is renewed it is planned anew.
pub(in crate::cli::commands) fn all_due(
    session: &Session,
    archive: &Archive,
    current: &mut RenewalPlan,
    plan: &mut dyn FnMut() -> Result<RenewalPlan, Failure>,
) -> Result<Renewed, Failure> {
    let collections = actions(current, true);
    let mut all = carry_out(session, archive, &collections)?;
    if all.materials > 0 {
        *current = plan()?;
    }
    let renewed = carry_out(session, archive, &actions(current, false))?;
    all.tokens += renewed.tokens;
    all.chains += renewed.chains;
    all.left += renewed.left;
    Ok(all)
}

/// The collections of material among the due actions, or all the others.
fn actions(plan: &RenewalPlan, collections: bool) -> Vec<RenewalAction> {
    let due = plan.due.iter().map(|one| &one.action);
    due.filter(|action| matches!(action, RenewalAction::Material { .. }) == collections)
        .cloned()
        .collect()
}

/// Carries out actions in their order. What was done before a failure is kept; the next plan does not name it again.
fn carry_out(
    session: &Session,
    archive: &Archive,
    actions: &[RenewalAction],
) -> Result<Renewed, Failure> {
    let mut all = Renewed::default();
    if actions.is_empty() {
        return Ok(all);
    }
    let authorities = archive.authorities()?;
    let appender = archive.store().appender()?;
    let environment = archive.environment();
    let second = authorities.second.as_ref();
    let renewer = Renewer {
        authorities: RenewalAuthorities {
            first: &authorities.first,
            second: second.map(|second| -> &dyn Timestamper { second }),
        },
        log: &appender,
        frames: archive.store(),
        catalog: archive.catalog(),
        retriever: archive.retriever(),
        clock: environment.clock.as_ref(),
        entropy: environment.entropy.as_ref(),
        threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        material: authorities.material.as_ref(),
        anchors: &authorities.anchors,
        options: RenewOptions::default(),
    };
    for action in actions {
        let renewed = one(session, &renewer, action)?;
        tell(session, action, &renewed);
        all.tokens += renewed.batches.len() as u64;
        all.chains += renewed.chains;
        all.materials += renewed.materials;
        all.left += (renewed.chains_left.len() + renewed.versions_left.len()) as u64;
    }
    Ok(all)
}

fn one(
    session: &Session,
    renewer: &Renewer<'_>,
    action: &RenewalAction,
) -> Result<RenewedChains, Failure> {
    let lang = session.output.lang;
    let label = words::action(action, lang);
    let bar = session.output.bar(&label, 0, Unit::Items);
    let renewed = renewer.run(action, &mut |step| match step {
        RenewStep::Computed { done, total } => {
            bar.set_length(total);
            bar.set_position(done);
        }
        RenewStep::TreeBuilt { .. } => {
            bar.set_message(lang.pick("時刻認証局に問い合わせ中", "asking the authority"));
        }
        RenewStep::Stamped { .. } => bar.set_message(lang.pick("書き込み中", "writing")),
        RenewStep::Committed => bar.set_message(label.clone()),
    });
    bar.finish_and_clear();
    renewed.map_err(|error| match error {
        RenewError::Stamp(error) => error.into(),
        other @ (RenewError::NoAuthority
        | RenewError::TimeRunsBack { .. }
        | RenewError::Seal(_)
        | RenewError::Machine) => Failure::said(
            Exit::Unusable,
            lang,
            format!("{label} ができませんでした。証拠は前のままです: {other}"),
            format!("{label} was not done, the evidence stays as it was: {other}"),
        ),
    })
}

fn tell(session: &Session, action: &RenewalAction, renewed: &RenewedChains) {
    let lang = session.output.lang;
    let made = renewed.batches.first().map(|made| &made.frame);
    session.output.event(&json!({
        "event": "renewed", "action": action.name(), "chains": renewed.chains, "records": renewed.versions,
        "materials": renewed.materials, "tokens": renewed.batches.len(),
        "gen_time": made.map(|frame| rfc3339(frame.stamped_at)), "tsa": made.map(|frame| frame.tsa.clone()),
        "left": renewed.chains_left.len() + renewed.versions_left.len(),
    }));
    let what = words::action(action, lang);
    let (chains, records) = (grouped(renewed.chains), grouped(renewed.versions));
    match made {
        Some(frame) => {
            let (time, tsa) = (moment(frame.stamped_at), &frame.tsa);
            session.output.say(&lang.pick(
                format!("{what}: {chains} 系列、{records} 版を {time} のトークンで更新しました({tsa})"),
                format!("{what}: renewed {chains} chains, {records} record versions with a token of {time} by {tsa}"),
            ));
        }
        None => {
            let materials = grouped(renewed.materials);
            session.output.say(&lang.pick(
                format!("{what}: 済み({records} 版、検証情報 {materials} 件)"),
                format!(
                    "{what}: done ({records} record versions, material for {materials} tokens)"
                ),
            ));
        }
    }
    for (chain, why) in &renewed.chains_left {
        session.output.note(&lang.pick(
            format!("系列 {chain} は更新できませんでした: {why}"),
            format!("chain {chain} stays as it was: {why}"),
        ));
    }
    for (version, why) in &renewed.versions_left {
        session.output.note(&lang.pick(
            format!("記録 {version} は更新できませんでした: {why}"),
            format!("record {version} stays as it was: {why}"),
        ));
    }
    for failure in &renewed.material_failures {
        session.output.note(&lang.pick(
            format!("検証情報を取得できませんでした: {failure}"),
            format!("validation material could not be had: {failure}"),
        ));
    }
}
