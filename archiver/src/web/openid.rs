//! Log-in by the company's OpenID provider: away to it, and back.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use headers::{Cookie, HeaderMapExt};
use maud::{Markup, html};
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::frame::{Frame, problem_page};
use super::log_in::log_in_page;
use crate::acts::{Desk, Refusal};
use crate::api::{Problem, blocking, cookie_for, language};
use crate::cli::lang::Lang;
use crate::https::Peer;
use crate::openid::{Answer, CALLBACK};

/// What the provider sends the browser back with (RFC 6749 §4.1.2).
#[derive(Default, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Back {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route(BEGINNING, get(begin))
        .route(CALLBACK, get(finish))
}

/// The way to the provider on the page of the log-in. A link and no form: the policy of our pages keeps forms on this host, wherever they are sent on to.
pub(super) fn button(desk: &Desk, lang: Lang) -> Markup {
    html! {
        @if let Some(provider) = desk.openid() {
            div.actions {
                a.button href=(BEGINNING) {
                    (lang.pick(format!("{} でログイン", provider.label()), format!("Log in with {}", provider.label())))
                }
            }
            p.hint { (lang.pick("または、この保管庫のパスワードでログインします。", "Or log in with your password of this archive.")) }
        }
    }
}

async fn begin(
    State(desk): State<Arc<Desk>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let lang = language(&headers);
    let client = peer.address.ip();
    let Some(provider) = desk.openid() else {
        return problem_page(&Problem::of(&Refusal::NotFound, lang), lang, None);
    };
    let asked = blocking(&desk, lang, move |desk| desk.may_ask_provider(client)).await;
    if let Err(problem) = asked {
        return log_in_page(&desk, lang, "", Some(&problem));
    }
    let begun = match provider.begin().await {
        Ok(begun) => begun,
        Err(error) => {
            let problem = Problem::of(&error.into(), lang);
            return log_in_page(&desk, lang, "", Some(&problem));
        }
    };
    let cookie = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600",
        begun.browser.as_str()
    );
    let mut response = Redirect::to(&begun.address).into_response();
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn finish(
    State(desk): State<Arc<Desk>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    back: Result<Query<Back>, QueryRejection>,
) -> Response {
    let lang = language(&headers);
    let client = peer.address.ip();
    let Some(provider) = desk.openid() else {
        return problem_page(&Problem::of(&Refusal::NotFound, lang), lang, None);
    };
    let asked = blocking(&desk, lang, move |desk| desk.may_ask_provider(client)).await;
    if let Err(problem) = asked {
        return log_in_page(&desk, lang, "", Some(&problem));
    }
    let back = back.map(|Query(back)| back).unwrap_or_default();
    let cookie = headers.typed_get::<Cookie>();
    let browser = cookie.as_ref().and_then(|cookie| cookie.get(COOKIE));
    let browser = browser.map(|text| Zeroizing::new(text.to_owned()));
    let named = provider
        .finish(Answer {
            state: &back.state,
            code: back.code.as_deref(),
            error: back.error.as_deref(),
            issuer: back.iss.as_deref(),
            browser: browser.as_ref().map(|text| text.as_str()),
        })
        .await;
    let logged_in = blocking(&desk, lang, move |desk| {
        desk.log_in_by_openid(named, client)
    })
    .await;
    let mut response = match &logged_in {
        Ok(logged_in) => welcome(&desk, lang, cookie_for(&logged_in.token)),
        Err(problem) => log_in_page(&desk, lang, "", Some(problem)),
    };
    response
        .headers_mut()
        .append(header::SET_COOKIE, HeaderValue::from_static(COOKIE_GONE));
    response
}

/// The page that leads on. A redirection would not do: browsers keep the session's cookie (SameSite=Strict) back on the whole way that began at the provider.
fn welcome(desk: &Desk, lang: Lang, session: Option<HeaderValue>) -> Response {
    let title = lang.pick("ログインしました", "You are logged in");
    let frame = Frame {
        lang,
        visitor: None,
        place: "/login",
        title,
        evaluation: desk.archive().notice().is_some(),
    };
    let matter = html! {
        div.narrow.sheet {
            h1 { (title) }
            p { a.button href="/" { (lang.pick("ホームへ進む", "Go on to Home")) } }
        }
    };
    let mut response = frame.page(&matter).into_response();
    let headers = response.headers_mut();
    headers.insert("refresh", HeaderValue::from_static("0;url=/"));
    if let Some(session) = session {
        headers.append(header::SET_COOKIE, session);
    }
    response
}

/// Where a log-in by the provider begins.
const BEGINNING: &str = "/login/openid";

/// What binds a log-in to its browser. It comes with the way back from the provider, which the session's cookie does not.
const COOKIE: &str = "__Host-fumikura-openid";

/// The header that takes it away.
const COOKIE_GONE: &str =
    "__Host-fumikura-openid=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";

#[cfg(test)]
#[path = "openid_tests.rs"]
mod tests;
