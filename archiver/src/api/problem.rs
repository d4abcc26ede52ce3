//! Errors as problem details (RFC 9457).

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::acts::Refusal;
use crate::cli::lang::Lang;
use crate::telemetry::RequestId;
use crate::upload::UploadError;

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
    pub code: &'static str,
    /// The field that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// Where a part of an upload must begin: the header `Upload-Offset`.
    #[serde(rename = "expected-offset", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub expected_offset: Option<Box<u64>>,
    /// A URN that ends in the id of the request, as in the answer's header `X-Request-Id`.
    #[schema(example = "urn:uuid:01935e7a-1111-7222-8333-444455556666")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub instance: Option<Box<str>>,
    /// Seconds after which to try again: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A refusal in the language of the request.
    #[must_use]
    pub fn of(refusal: &Refusal, lang: Lang) -> Self {
        let mut field = None;
        let (mut retry_after, mut expected_offset) = (None, None);
        if let Refusal::Invalid { field: named, .. } = refusal {
            field = Some(*named);
        } else if let Refusal::TooMany { seconds } = refusal {
            retry_after = Some(*seconds);
        } else if let Refusal::Upload(UploadError::Offset { expected }) = refusal {
            expected_offset = Some(Box::new(*expected));
        }
        Self {
            field,
            retry_after,
            expected_offset,
            ..Self::new(refusal.status(), refusal.code(), refusal.text(lang))
        }
    }

    /// A problem with a status, a code and a line.
    #[must_use]
    pub fn new(status: u16, code: &'static str, title: String) -> Self {
        Self {
            kind: format!("urn:fumikura:problem:{code}"),
            title,
            status,
            code,
            field: None,
            expected_offset: None,
            instance: None,
            retry_after: None,
        }
    }

    /// The answer that carries this problem, with the id of its request.
    pub(super) fn told_of(response: Response, request: RequestId) -> Response {
        let (mut parts, body) = response.into_parts();
        let Some(mut problem) = parts.extensions.remove::<Self>() else {
            return Response::from_parts(parts, body);
        };
        problem.instance = Some(request.urn().into());
        parts.headers.remove(header::CONTENT_LENGTH);
        let text = serde_json::to_vec(&problem).unwrap_or_default();
        Response::from_parts(parts, Body::from(text))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, expected_offset) = (self.retry_after, self.expected_offset.clone());
        let mut response = (status, Json(&self)).into_response();
        response.extensions_mut().insert(self);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(offset) = expected_offset {
            headers.insert(super::uploads::OFFSET, HeaderValue::from(*offset));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
