//! Who asks: the session of a cookie or a bearer token, or the system of a client certificate.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use headers::authorization::Bearer;
use headers::{Authorization, Cookie, HeaderMapExt};
use zeroize::Zeroizing;

use super::blocking::blocking;
use super::problem::Problem;
use crate::access::session::{Session, Standing};
use crate::acts::{Actor, Desk, Refusal};
use crate::cli::lang::Lang;
use crate::https::Peer;
use crate::telemetry;

/// Somebody who may do all that the account may do.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) lang: Lang,
}

/// Somebody who is logged in, perhaps not far enough for anything but his password and authenticator.
#[derive(Clone)]
pub(crate) struct Newcomer {
    pub(crate) actor: Actor,
    pub(crate) lang: Lang,
    pub(crate) session: Session,
    pub(crate) token: Zeroizing<String>,
}

impl std::fmt::Debug for Newcomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Newcomer")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

/// The cookie of the session: only over TLS, to this host alone, and out of reach of scripts.
pub(crate) const COOKIE: &str = "__Host-fumikura";

/// In which language people are answered: what was chosen on a page, or what the browser asks for.
pub(crate) fn language(headers: &HeaderMap) -> Lang {
    let chosen = headers.typed_get::<Cookie>().and_then(|cookie| {
        cookie
            .get(LANGUAGE_COOKIE)
            .and_then(|text| text.parse().ok())
    });
    let asked = || {
        let asked = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let first = asked.split([',', ';']).next()?.trim();
        Some(Lang::from_locale(first))
    };
    chosen.or_else(asked).unwrap_or(Lang::En)
}

/// The header that gives a browser its session.
pub(crate) fn cookie_for(token: &str) -> Option<HeaderValue> {
    let text = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header that takes it away.
pub(crate) fn cookie_gone() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-fumikura=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
    )
}

/// From where a request came.
pub(crate) fn client(parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.address.ip())
}

/// How a token came in.
enum Carried {
    /// A browser sends it by itself, so a request that changes something must prove that a page of ours made it.
    Cookie(Zeroizing<String>),
    Bearer(Zeroizing<String>),
}

fn carried(headers: &HeaderMap) -> Option<Carried> {
    if let Some(bearer) = headers.typed_get::<Authorization<Bearer>>() {
        return Some(Carried::Bearer(Zeroizing::new(bearer.token().to_owned())));
    }
    let cookie = headers.typed_get::<Cookie>()?;
    let token = cookie.get(COOKIE).filter(|token| !token.is_empty())?;
    Some(Carried::Cookie(Zeroizing::new(token.to_owned())))
}

impl FromRequestParts<Arc<Desk>> for Newcomer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Problem> {
        let lang = language(&parts.headers);
        let client = client(parts);
        let refuse = |refusal: Refusal| Problem::of(&refusal, lang);
        let carried = carried(&parts.headers).ok_or_else(|| refuse(Refusal::LogInWanted))?;
        let (token, is_cookie) = match carried {
            Carried::Cookie(token) => (token, true),
            Carried::Bearer(token) => (token, false),
        };
        let asked = token.clone();
        let (session, actor) =
            blocking(desk, lang, move |desk| desk.session(&asked, client)).await?;
        telemetry::asked_by(&parts.extensions, &actor.account);
        let is_form = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(is_form_type);
        // The form of a page carries its token in its body, where its handler looks.
        let is_page_form = is_form && !parts.uri.path().starts_with("/api/");
        if is_cookie && !is_safe(&parts.method) && !is_page_form {
            let sent = parts
                .headers
                .get(FORM_TOKEN)
                .and_then(|value| value.to_str().ok());
            if !sent.is_some_and(|sent| session.owns_form(sent)) {
                return Err(refuse(Refusal::FormToken));
            }
        }
        Ok(Self {
            actor,
            lang,
            session,
            token,
        })
    }
}

impl FromRequestParts<Arc<Desk>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Problem> {
        let lang = language(&parts.headers);
        let certificate = parts
            .extensions
            .get::<Peer>()
            .and_then(|peer| peer.certificate.clone());
        if let (None, Some(certificate)) = (carried(&parts.headers), certificate) {
            let client = client(parts);
            let actor = blocking(desk, lang, move |desk| desk.system(&certificate, client)).await?;
            telemetry::asked_by(&parts.extensions, &actor.account);
            return Ok(Self { actor, lang });
        }
        let newcomer = Newcomer::from_request_parts(parts, desk).await?;
        if newcomer.session.standing != Standing::Full {
            let refusal = Refusal::Standing(newcomer.session.standing);
            return Err(Problem::of(&refusal, lang));
        }
        Ok(Self {
            actor: newcomer.actor,
            lang,
        })
    }
}

/// Methods that change nothing (RFC 9110 §9.2.1).
fn is_safe(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD || *method == Method::OPTIONS
}

/// The types that a page of another site can send without asking first: their handlers demand the token as a field.
fn is_form_type(kind: &str) -> bool {
    kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data")
}

/// The header that carries the form token of a session.
pub(crate) const FORM_TOKEN: &str = "x-form-token";

/// The cookie of the language that somebody chose.
pub(crate) const LANGUAGE_COOKIE: &str = "fumikura-lang";
