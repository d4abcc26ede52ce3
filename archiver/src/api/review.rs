//! `/api/v1/people/review`: the yearly review of accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::extract::Sent;
use super::forms::Done;
use super::people::AccountView;
use super::problem::Problem;
use crate::access::review::{Decided, Decision};
use crate::acts::{Desk, Refusal, ReviewList};
use crate::cli::query::rfc3339;

/// The list of the review.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewView {
    /// As of when.
    at: String,
    /// After so many days an account is to be confirmed again.
    review_days: u32,
    /// After so many days more without an answer it is suspended.
    review_answer_days: u32,
    /// How many are due.
    due: usize,
    /// All accounts, by name.
    accounts: Vec<ReviewedView>,
}

/// An account in the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewedView {
    /// The account.
    account: AccountView,
    /// Whether it is to be confirmed again.
    is_due: bool,
    /// What the last review decided: `keep`, `suspend` or `close`.
    decision: Option<String>,
    /// Who decided.
    decided_by: Option<String>,
    /// Why.
    remark: Option<String>,
}

/// What is decided about accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewForm {
    /// Names of accounts that stay as they are, without a remark.
    #[serde(default)]
    confirmed: BTreeSet<String>,
    /// Decisions by the names of the accounts.
    #[serde(default)]
    decisions: BTreeMap<String, DecidedForm>,
}

/// One decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecidedForm {
    /// `keep`, `suspend` or `close`.
    decision: String,
    /// Why; may be left out where the account stays.
    #[serde(default)]
    remark: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(read_review, review))
}

/// The accounts, and which of them are to be confirmed again
#[utoipa::path(get, path = "/api/v1/people/review", tag = "people",
    responses((status = 200, body = ReviewView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn read_review(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<ReviewView>, Problem> {
    let list = blocking(&desk, caller.lang, move |desk| {
        desk.read_review(&caller.actor)
    });
    Ok(Json(ReviewView::of(&list.await?)))
}

/// Decide about accounts in the yearly review
///
/// All of it, or nothing; nobody decides about his own account.
#[utoipa::path(post, path = "/api/v1/people/review", tag = "people", request_body = ReviewForm,
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn review(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Sent(form): Sent<ReviewForm>,
) -> Result<Json<Done>, Problem> {
    let lang = caller.lang;
    let decisions = form
        .decisions()
        .map_err(|refusal| Problem::of(&refusal, lang))?;
    blocking(&desk, lang, move |desk| {
        let _turn = desk.turn_to_change_people();
        desk.review_accounts(&caller.actor, decisions)
    })
    .await?;
    Ok(Json(Done::YES))
}

impl ReviewForm {
    fn decisions(self) -> Result<BTreeMap<String, Decided>, Refusal> {
        let mut decisions = Decided::all_kept(self.confirmed);
        for (name, form) in self.decisions {
            let decision = Decision::from_code(&form.decision).ok_or_else(|| {
                Refusal::invalid(
                    "decision",
                    "keep、suspend、close のどれかにしてください",
                    "give keep, suspend or close",
                )
            })?;
            let remark = form.remark.trim().to_owned();
            decisions.insert(name, Decided { decision, remark });
        }
        Ok(decisions)
    }
}

impl ReviewView {
    fn of(list: &ReviewList) -> Self {
        let accounts = list.rows.iter().map(|row| {
            let review = row.account.review.as_ref();
            ReviewedView {
                account: AccountView::of(&row.account),
                is_due: row.is_due,
                decision: review.map(|one| one.decided.decision.code().to_owned()),
                decided_by: review.map(|one| one.by.clone()),
                remark: review.map(|one| one.decided.remark.clone()),
            }
        });
        Self {
            at: rfc3339(list.at),
            review_days: list.review_days,
            review_answer_days: list.answer_days,
            due: list.due(),
            accounts: accounts.collect(),
        }
    }
}
