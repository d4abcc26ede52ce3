//! `/api/v1/people`: accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use formats::id::EventId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::conditional::{may_change, tag_of};
use super::extract::{At, Sent};
use super::forms::{Done, moment};
use super::problem::Problem;
use crate::access::account::AccountRequested;
use crate::access::{Account, AccountFacts, AccountKind, Directory, Role, Scope};
use crate::acts::{Actor, Desk, FirstPassword, Refusal};
use crate::approval::Clockwork;
use crate::cli::lang::Lang;
use crate::cli::query::rfc3339;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    /// Its name at log-in.
    name: String,
    /// The name of the person or system.
    display_name: String,
    /// `person` or `system`.
    kind: String,
    /// `requested`, `active`, `suspended` or `closed`.
    state: String,
    /// What it may do.
    roles: Vec<String>,
    /// Classes that it reaches; `null`: all.
    classes: Option<Vec<String>>,
    /// Matters that it reaches; `null`: all.
    matters: Option<Vec<String>>,
    /// Whom the OpenID provider names for this person.
    openid: Option<String>,
    /// Since when it is in use.
    approved_at: Option<String>,
    /// When it was last confirmed in a review.
    reviewed_at: Option<String>,
    /// When it was last used, as far as it was recorded.
    last_used_at: Option<String>,
    /// What names the account as it is: another one after each change of it. For `If-Match`, in quotes.
    version: String,
}

/// What was asked for and waits for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestView {
    /// Its id.
    request: String,
    /// The account.
    account: String,
    /// Roles that it shall have.
    roles: Vec<String>,
    /// Whom the OpenID provider shall name for this person.
    openid: Option<String>,
    /// Why.
    reason: String,
    /// Who asked.
    requested_by: String,
    /// When.
    requested_at: String,
}

/// The accounts and what waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DirectoryView {
    /// All accounts, by name.
    accounts: Vec<AccountView>,
    /// What waits for approval, oldest first.
    pending: Vec<RequestView>,
}

/// An account as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountForm {
    /// Its name at log-in: 2 to 64 of a-z, 0-9, `.`, `_`, `-`.
    account: String,
    /// The name of the person or system.
    display_name: String,
    /// `person` or `system`.
    #[schema(example = "person")]
    kind: String,
    /// What it may do.
    #[schema(example = json!(["depositor"]))]
    roles: BTreeSet<String>,
    /// Classes that it reaches; absent: all.
    classes: Option<BTreeSet<String>>,
    /// Matters that it reaches; absent: all.
    matters: Option<BTreeSet<String>>,
    /// Where messages go.
    mail: Option<String>,
    /// SHA-256 of the client certificates of a system, hexadecimal.
    #[serde(default)]
    certificates: BTreeSet<String>,
    /// Whom the OpenID provider names for this person; absent: no log-in by OpenID.
    openid: Option<String>,
    /// Why.
    reason: String,
}

/// A reason, which is kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonForm {
    /// Why.
    pub(super) reason: String,
}

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestedView {
    /// Its id: another person approves it.
    pub(super) request: String,
}

/// A first password, told once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FirstPasswordView {
    /// The account.
    account: String,
    /// The password; `null` where the account has one already, or is a system's.
    password: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(read))
        .routes(routes!(request))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(close))
        .routes(routes!(reset))
}

/// All accounts, and what waits
#[utoipa::path(get, path = "/api/v1/people", tag = "people",
    responses((status = 200, body = DirectoryView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
) -> Result<Json<DirectoryView>, Problem> {
    let directory = blocking(&desk, caller.lang, move |desk| {
        desk.read_people(&caller.actor)
    })
    .await?;
    Ok(Json(DirectoryView::of(&directory, desk.clockwork())))
}

/// Ask for an account, or for a change of one
#[utoipa::path(post, path = "/api/v1/people/requests", tag = "people", request_body = AccountForm,
    responses((status = 201, body = RequestedView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn request(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    headers: HeaderMap,
    Sent(form): Sent<AccountForm>,
) -> Result<(StatusCode, Json<RequestedView>), Problem> {
    let lang = caller.lang;
    let asked = form
        .asked()
        .map_err(|refusal| Problem::of(&refusal, lang))?;
    let id = blocking(&desk, lang, move |desk| {
        as_seen(desk, &caller.actor, (&asked.account, &headers), || {
            desk.request_account(&caller.actor, &asked)
        })
    })
    .await?;
    let request = id.ok_or_else(|| changed(lang))?.to_string();
    Ok((StatusCode::CREATED, Json(RequestedView { request })))
}

/// Approve what another person asked for
#[utoipa::path(post, path = "/api/v1/people/requests/{request}/approval", tag = "people", params(("request" = String, Path, description = "id of the request")),
    responses((status = 200, body = FirstPasswordView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn approve(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(request): At<String>,
) -> Result<Json<FirstPasswordView>, Problem> {
    let lang = caller.lang;
    let request = request_id(&request, lang)?;
    let first = blocking(&desk, lang, move |desk| {
        let _turn = desk.turn_to_change_people();
        desk.approve_account(&caller.actor, request)
    })
    .await?;
    Ok(Json(match first {
        Some(first) => FirstPasswordView::of(&first),
        None => FirstPasswordView {
            account: String::new(),
            password: None,
        },
    }))
}

/// Refuse what was asked for, or withdraw it
#[utoipa::path(post, path = "/api/v1/people/requests/{request}/refusal", tag = "people", params(("request" = String, Path, description = "id of the request")),
    request_body = ReasonForm,
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn refuse(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(request): At<String>,
    Sent(form): Sent<ReasonForm>,
) -> Result<Json<Done>, Problem> {
    let lang = caller.lang;
    let request = request_id(&request, lang)?;
    blocking(&desk, lang, move |desk| {
        let _turn = desk.turn_to_change_people();
        desk.refuse_account(&caller.actor, request, &form.reason)
    })
    .await?;
    Ok(Json(Done::YES))
}

/// Suspend an account at once
#[utoipa::path(post, path = "/api/v1/people/{account}/suspension", tag = "people", params(("account" = String, Path, description = "name of the account")),
    request_body = ReasonForm,
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn suspend(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(name): At<String>,
    headers: HeaderMap,
    Sent(form): Sent<ReasonForm>,
) -> Result<Json<Done>, Problem> {
    about(&desk, caller, (name, headers, form), Desk::suspend_account).await?;
    Ok(Json(Done::YES))
}

/// Take a suspended or locked account into use again
#[utoipa::path(delete, path = "/api/v1/people/{account}/suspension", tag = "people", params(("account" = String, Path, description = "name of the account")),
    request_body = ReasonForm,
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn resume(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(name): At<String>,
    headers: HeaderMap,
    Sent(form): Sent<ReasonForm>,
) -> Result<Json<Done>, Problem> {
    about(&desk, caller, (name, headers, form), Desk::resume_account).await?;
    Ok(Json(Done::YES))
}

/// Close an account for ever
#[utoipa::path(post, path = "/api/v1/people/{account}/closing", tag = "people", params(("account" = String, Path, description = "name of the account")),
    request_body = ReasonForm,
    responses((status = 200, body = Done), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn close(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(name): At<String>,
    headers: HeaderMap,
    Sent(form): Sent<ReasonForm>,
) -> Result<Json<Done>, Problem> {
    about(&desk, caller, (name, headers, form), Desk::close_account).await?;
    Ok(Json(Done::YES))
}

/// Give a person a new first password
///
/// The authenticator is taken away, too: both are set anew at the next log-in.
#[utoipa::path(post, path = "/api/v1/people/{account}/reset", tag = "people", params(("account" = String, Path, description = "name of the account")),
    request_body = ReasonForm,
    responses((status = 200, body = FirstPasswordView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn reset(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(name): At<String>,
    headers: HeaderMap,
    Sent(form): Sent<ReasonForm>,
) -> Result<Json<FirstPasswordView>, Problem> {
    let first = about(&desk, caller, (name, headers, form), Desk::reset_account).await?;
    Ok(Json(FirstPasswordView::of(&first)))
}

/// Does something about an account for a reason.
async fn about<T: Send + 'static>(
    desk: &Arc<Desk>,
    caller: Caller,
    (name, headers, form): (String, HeaderMap, ReasonForm),
    act: fn(&Desk, &Actor, &str, &str) -> Result<T, Refusal>,
) -> Result<T, Problem> {
    let lang = caller.lang;
    let done = blocking(desk, lang, move |desk| {
        as_seen(desk, &caller.actor, (&name, &headers), || {
            act(desk, &caller.actor, &name, &form.reason)
        })
    });
    done.await?.ok_or_else(|| changed(lang))
}

/// Changes an account that is still as the client saw it; none is done where it changed meanwhile.
fn as_seen<T>(
    desk: &Desk,
    actor: &Actor,
    (name, headers): (&str, &HeaderMap),
    change: impl FnOnce() -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    // One after the other: of two clients that saw the same, the second one must see what the first one did.
    let _turn = desk.turn_to_change_people();
    if headers.contains_key(header::IF_MATCH) {
        let directory = desk.read_people(actor)?;
        let version = directory
            .account(name)
            .map(|one| AccountView::of(one).version);
        let tag = version.map(|version| format!("\"{version}\""));
        if !may_change(headers, tag.as_deref()) {
            return Ok(None);
        }
    }
    change().map(Some)
}

fn changed(lang: Lang) -> Problem {
    let title = lang.pick(
        "アカウントはその後に変更されています。読み直してください",
        "the account was changed meanwhile: read it again",
    );
    Problem::new(412, "changed", title.to_owned())
}

fn request_id(text: &str, lang: Lang) -> Result<EventId, Problem> {
    text.parse()
        .map_err(|_| Problem::of(&Refusal::NotFound, lang))
}

impl AccountForm {
    fn asked(self) -> Result<AccountRequested, Refusal> {
        let mut roles = BTreeSet::new();
        for code in &self.roles {
            roles.insert(Role::from_code(code).ok_or_else(|| {
                Refusal::invalid(
                    "roles",
                    "そのような役割はありません",
                    "there is no such role",
                )
            })?);
        }
        let kind = match self.kind.as_str() {
            "person" => AccountKind::Person,
            "system" => AccountKind::System,
            _ => {
                return Err(Refusal::invalid(
                    "kind",
                    "person か system にしてください",
                    "give person or system",
                ));
            }
        };
        Ok(AccountRequested {
            account: self.account,
            facts: AccountFacts {
                display_name: self.display_name,
                kind,
                roles,
                scope: Scope {
                    classes: self.classes,
                    matters: self.matters,
                },
                mail: self.mail,
                certificates: self
                    .certificates
                    .iter()
                    .map(|one| one.to_ascii_lowercase())
                    .collect(),
                openid: self.openid,
            },
            reason: self.reason,
        })
    }
}

impl DirectoryView {
    fn of(directory: &Directory, clockwork: Clockwork) -> Self {
        let pending = directory.waiting(clockwork).map(|one| RequestView {
            request: one.id.to_string(),
            account: one.what.account.clone(),
            roles: roles(&one.what.facts),
            openid: one.what.facts.openid.clone(),
            reason: one.reason.clone(),
            requested_by: one.requested_by.clone(),
            requested_at: rfc3339(one.requested_at),
        });
        Self {
            accounts: directory.accounts().map(AccountView::of).collect(),
            pending: pending.collect(),
        }
    }
}

impl AccountView {
    pub(super) fn of(account: &Account) -> Self {
        let list =
            |set: &Option<BTreeSet<String>>| set.as_ref().map(|set| set.iter().cloned().collect());
        let mut view = Self {
            name: account.name.clone(),
            display_name: account.facts.display_name.clone(),
            kind: match account.facts.kind {
                AccountKind::Person => "person",
                AccountKind::System => "system",
            }
            .to_owned(),
            state: account.state.code().to_owned(),
            roles: roles(&account.facts),
            classes: list(&account.facts.scope.classes),
            matters: list(&account.facts.scope.matters),
            openid: account.facts.openid.clone(),
            approved_at: moment(account.approved_at),
            reviewed_at: moment(account.reviewed_at),
            last_used_at: None,
            version: String::new(),
        };
        let facts = serde_json::to_vec(&view).unwrap_or_default();
        view.version = tag_of(&facts).trim_matches('"').to_owned();
        view.last_used_at = moment(account.last_used_at);
        view
    }
}

fn roles(facts: &AccountFacts) -> Vec<String> {
    facts
        .roles
        .iter()
        .map(|role| role.code().to_owned())
        .collect()
}

impl FirstPasswordView {
    fn of(first: &FirstPassword) -> Self {
        Self {
            account: first.account.clone(),
            password: Some(first.password.to_string()),
        }
    }
}
