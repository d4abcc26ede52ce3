//! `archiver renew`: does what the plan says is due.

use crate::archive::Archive;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::evidence::calendar::RenewalOptions;

use super::{exit_of, facts, planned, show};

/// Does what is due.
pub(super) fn run(
    session: &Session,
    archive: &Archive,
    options: &RenewalOptions,
) -> Result<Exit, Failure> {
    let chains = facts(session, archive, archive.policy())?;
    let plan = planned(archive, &chains, options);
    show::plan(session, archive, &plan);
    if plan.due.is_empty() {
        return Ok(exit_of(&plan));
    }
    Err(Failure::said(
        Exit::Unusable,
        session.output.lang,
        "この版では更新を実行できません".to_owned(),
        "this version cannot carry out renewals".to_owned(),
    ))
}
