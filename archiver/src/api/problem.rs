//! Errors as problem details (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::acts::Refusal;
use crate::cli::lang::Lang;

/// Why a request was not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A URN that ends in the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:fumikura:problem:not-found")]
    pub kind: String,
    /// What is wrong and what to do, for people, in the language of the request.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// The code, stable, for programs.
    #[schema(example = "not-found")]
    pub code: String,
    /// The field that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds after which to try again: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A refusal in the language of the request.
    #[must_use]
    pub fn of(refusal: &Refusal, lang: Lang) -> Self {
        let mut field = None;
        let mut retry_after = None;
        if let Refusal::Invalid { field: named, .. } = refusal {
            field = Some((*named).to_owned());
        } else if let Refusal::TooMany { seconds } = refusal {
            retry_after = Some(*seconds);
        }
        Self {
            field,
            retry_after,
            ..Self::new(refusal.status(), refusal.code(), refusal.text(lang))
        }
    }

    /// A problem with a status, a code and a line.
    #[must_use]
    pub fn new(status: u16, code: &str, title: String) -> Self {
        Self {
            kind: format!("urn:fumikura:problem:{code}"),
            title,
            status,
            code: code.to_owned(),
            field: None,
            retry_after: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
