//! The parts of a request, with a problem where they cannot be read.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::caller::language;
use super::problem::Problem;
use crate::cli::lang::Lang;

/// A body in JSON.
#[derive(Debug)]
pub(crate) struct Sent<T>(pub(crate) T);

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

/// The parts of a path.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let lang = language(request.headers());
        let read = Json::<T>::from_request(request, state).await;
        let read = read.map_err(|error| unread(error.status().as_u16(), lang, &error.body_text()));
        read.map(|Json(value)| Self(value))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let lang = language(&parts.headers);
        let read = Query::<T>::from_request_parts(parts, state).await;
        let read = read.map_err(|error| unread(422, lang, &error.body_text()));
        read.map(|Query(value)| Self(value))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let lang = language(&parts.headers);
        let read = Path::<T>::from_request_parts(parts, state).await;
        let read = read.map_err(|_| Problem::of(&crate::acts::Refusal::NotFound, lang));
        read.map(|Path(value)| Self(value))
    }
}

/// What was sent is not of the form that the description asks for: 413 too long, 415 of another type, 422 otherwise.
fn unread(status: u16, lang: Lang, why: &str) -> Problem {
    let status = match status {
        413 | 415 => status,
        _ => 422,
    };
    // It goes back to whoever sent it, and to nobody else.
    let why: String = why.chars().take(200).collect();
    let title = lang.pick(
        format!("リクエストを読めません: {why}"),
        format!("the request cannot be read: {why}"),
    );
    Problem::new(status, "unreadable-request", title)
}
