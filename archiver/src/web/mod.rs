//! The web pages: server-rendered, usable without scripts, Japanese and English.
//!
//! Each page asks the same acts as the API does. What changes something is a form that carries the session's form token; after it the browser is sent on
//! (303), so that going back repeats nothing.

mod approvals;
mod assets;
mod audit;
mod conditions;
mod deposit;
mod events;
mod frame;
mod gathered;
mod holdings;
mod home;
mod invoice;
mod jobs;
mod journal;
mod judging;
mod kept;
mod log_in;
mod openid;
mod people;
mod preview;
mod quarantine;
mod reader;
mod record;
mod review;
mod search;
mod text;
mod timeline;
mod verification;
mod visitor;

#[cfg(test)]
mod contents_tests;
#[cfg(test)]
mod review_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;

use crate::acts::Desk;

/// The pages over a desk.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .merge(log_in::routes())
        .merge(openid::routes())
        .merge(home::routes())
        .merge(deposit::routes())
        .merge(search::routes())
        .merge(kept::routes())
        .merge(record::routes())
        .merge(preview::routes())
        .merge(gathered::routes())
        .merge(judging::routes())
        .merge(verification::routes())
        .merge(quarantine::routes())
        .merge(people::routes())
        .merge(approvals::routes())
        .merge(review::routes())
        .merge(jobs::routes())
        .merge(events::routes())
        .merge(journal::routes())
        .merge(holdings::routes())
        .merge(audit::routes())
        .merge(reader::routes())
        .with_state(desk)
        .merge(assets::routes())
}
