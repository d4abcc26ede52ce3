//! `/api/v1/session`: logging in and out, the own password and authenticator.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::blocking::blocking;
use super::caller::{Newcomer, language};
use super::extract::Sent;
use super::forms::moment;
use super::problem::Problem;
use crate::access::session::Standing;
use crate::acts::{Desk, LogIn, LoggedIn};
use crate::cli::query::rfc3339;
use crate::https::Peer;

/// What somebody enters.
#[derive(Deserialize, ToSchema, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogInForm {
    /// The account.
    name: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
    /// The code of the authenticator.
    code: Option<String>,
}

/// A session that was just begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// The token: send it as `Authorization: Bearer TOKEN`. It is told once.
    token: String,
    /// The session.
    #[serde(flatten)]
    session: SessionView,
    /// How many other sessions the account has.
    other_sessions: usize,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// The account.
    account: String,
    /// `full`, `must-change-password` or `must-set-authenticator`: what may be done until that is done.
    standing: String,
    /// When it began.
    began_at: String,
    /// When the account logged in before.
    last_log_in: Option<String>,
}

/// A change of the own password.
#[derive(Deserialize, ToSchema, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordForm {
    /// The password so far.
    #[schema(format = Password)]
    old: String,
    /// The new one.
    #[schema(format = Password)]
    new: String,
}

/// An authenticator that is to be set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuthenticatorView {
    /// Its address, `otpauth:`, for a QR code.
    address: String,
    /// The secret as text, to be typed.
    secret: String,
}

/// A code of the authenticator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeForm {
    /// Six digits.
    code: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(log_in, read, log_out))
        .routes(routes!(change_password))
        .routes(routes!(show_authenticator, confirm_authenticator))
}

/// Log in
///
/// With a password and, where an authenticator is set, its code. Wrong whatever: 401, and the answer does not say which.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = LogInForm, security(()),
    responses((status = 200, body = TokenView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
async fn log_in(
    State(desk): State<Arc<Desk>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Sent(form): Sent<LogInForm>,
) -> Result<Json<TokenView>, Problem> {
    let client = peer.address.ip();
    let logged_in = blocking(&desk, language(&headers), move |desk| {
        desk.log_in(LogIn {
            name: &form.name,
            password: &form.password,
            code: form.code.as_deref(),
            client,
        })
    })
    .await?;
    Ok(Json(TokenView::of(&logged_in)))
}

/// The session of the caller
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionView), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn read(newcomer: Newcomer) -> Json<SessionView> {
    Json(SessionView {
        account: newcomer.session.account.clone(),
        standing: standing(newcomer.session.standing).to_owned(),
        began_at: rfc3339(newcomer.session.began_at),
        last_log_in: moment(newcomer.session.last_login),
    })
}

/// Log out
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn log_out(State(desk): State<Arc<Desk>>, newcomer: Newcomer) -> Result<StatusCode, Problem> {
    blocking(&desk, newcomer.lang, move |desk| {
        desk.log_out(&newcomer.token, newcomer.actor.client)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change the own password
///
/// All sessions of the account end; a new one begins and is answered.
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session", request_body = PasswordForm,
    responses((status = 200, body = TokenView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn change_password(
    State(desk): State<Arc<Desk>>,
    newcomer: Newcomer,
    Sent(form): Sent<PasswordForm>,
) -> Result<Json<TokenView>, Problem> {
    let (actor, session) = (newcomer.actor, newcomer.session);
    let logged_in = blocking(&desk, newcomer.lang, move |desk| {
        desk.change_password((&actor, &session), &form.old, &form.new)
    })
    .await?;
    Ok(Json(TokenView::of(&logged_in)))
}

/// Begin to set up an authenticator
///
/// For whoever has none yet.
#[utoipa::path(post, path = "/api/v1/session/authenticator", tag = "session",
    responses((status = 200, body = AuthenticatorView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json")))]
async fn show_authenticator(
    State(desk): State<Arc<Desk>>,
    newcomer: Newcomer,
) -> Result<Json<AuthenticatorView>, Problem> {
    let (address, secret) = blocking(&desk, newcomer.lang, move |desk| {
        desk.show_authenticator(&newcomer.actor, newcomer.session.standing)
    })
    .await?;
    Ok(Json(AuthenticatorView {
        address: address.to_string(),
        secret: secret.to_string(),
    }))
}

/// Confirm the authenticator by its first code
#[utoipa::path(put, path = "/api/v1/session/authenticator", tag = "session", request_body = CodeForm,
    responses((status = 200, body = TokenView), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn confirm_authenticator(
    State(desk): State<Arc<Desk>>,
    newcomer: Newcomer,
    Sent(form): Sent<CodeForm>,
) -> Result<Json<TokenView>, Problem> {
    let logged_in = blocking(&desk, newcomer.lang, move |desk| {
        desk.confirm_authenticator((&newcomer.actor, &newcomer.session), &form.code)
    })
    .await?;
    Ok(Json(TokenView::of(&logged_in)))
}

impl TokenView {
    fn of(logged_in: &LoggedIn) -> Self {
        let session = &logged_in.session;
        Self {
            token: logged_in.token.to_string(),
            session: SessionView {
                account: session.account.clone(),
                standing: standing(session.standing).to_owned(),
                began_at: rfc3339(session.began_at),
                last_log_in: moment(session.last_login),
            },
            other_sessions: logged_in.others,
        }
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Full => "full",
        Standing::MustChangePassword => "must-change-password",
        Standing::MustSetSecondFactor => "must-set-authenticator",
    }
}
