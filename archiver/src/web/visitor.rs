//! Who looks at a page; whoever may not is sent to where it goes on.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use headers::{Cookie, HeaderMapExt};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::frame::problem_page;
use crate::access::Right;
use crate::access::session::{Session, Standing};
use crate::acts::{Actor, Desk, Refusal};
use crate::api::{COOKIE, Problem, blocking, client_of, language};
use crate::cli::lang::Lang;
use crate::telemetry;

/// Somebody with a session, however far it goes.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) actor: Actor,
    pub(super) lang: Lang,
    pub(super) session: Session,
    pub(super) token: Zeroizing<String>,
    pub(super) evaluation: bool,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// Somebody who may do all that the account may do.
#[derive(Debug, Clone)]
pub(super) struct Member(pub(super) Visitor);

/// A form with nothing but the token.
#[derive(Debug, Deserialize)]
pub(super) struct Bare {
    pub(super) form_token: String,
}

impl Visitor {
    /// Whether a form came from one of our pages.
    #[expect(clippy::result_large_err, reason = "an answer in the place of another")]
    pub(super) fn check(&self, form_token: &str) -> Result<(), Response> {
        if self.session.owns_form(form_token) {
            return Ok(());
        }
        Err(self.refused(&Refusal::FormToken))
    }

    /// The page that says why not.
    pub(super) fn refused(&self, refusal: &Refusal) -> Response {
        self.failed(&Problem::of(refusal, self.lang))
    }

    /// The same for a problem that was put into words already.
    pub(super) fn failed(&self, problem: &Problem) -> Response {
        if problem.status == 401 {
            return Redirect::to(ENDED).into_response();
        }
        problem_page(problem, self.lang, Some(self))
    }

    /// Whether the page is for this account at all.
    #[expect(clippy::result_large_err, reason = "an answer in the place of another")]
    pub(super) fn wants(&self, right: Right) -> Result<(), Response> {
        if self.may(right) {
            return Ok(());
        }
        Err(self.refused(&Refusal::NotAllowed { right }))
    }

    /// Whether to show something at all.
    pub(super) fn may(&self, right: Right) -> bool {
        self.actor.may(right)
    }
}

impl FromRequestParts<Arc<Desk>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Response> {
        let lang = language(&parts.headers);
        let to_log_in = || Redirect::to("/login").into_response();
        let cookie = parts.headers.typed_get::<Cookie>().ok_or_else(to_log_in)?;
        let token = cookie.get(COOKIE).filter(|token| !token.is_empty());
        let token = Zeroizing::new(token.ok_or_else(to_log_in)?.to_owned());
        let (asked, client) = (token.clone(), client_of(parts));
        let found = blocking(desk, lang, move |desk| desk.session(&asked, client)).await;
        let (session, actor) = found.map_err(|problem| match problem.status {
            // Who was here is told why nothing of it is left.
            401 => Redirect::to(ENDED).into_response(),
            _ => problem_page(&problem, lang, None),
        })?;
        telemetry::asked_by(&parts.extensions, &actor.account);
        Ok(Self {
            actor,
            lang,
            session,
            token,
            evaluation: desk.archive().notice().is_some(),
        })
    }
}

impl FromRequestParts<Arc<Desk>> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, desk).await?;
        match visitor.session.standing {
            Standing::Full => Ok(Self(visitor)),
            Standing::MustChangePassword => Err(Redirect::to("/password").into_response()),
            Standing::MustSetSecondFactor => Err(Redirect::to("/authenticator").into_response()),
        }
    }
}

/// Where somebody logs in again whose session is over.
const ENDED: &str = "/login?ended=1";
