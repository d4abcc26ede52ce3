//! Conditional requests (RFC 9110 §13): what a client has already is not sent again, and what changed meanwhile is not changed again unseen.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response as Answer};
use headers::{ETag, HeaderMapExt, IfMatch, IfNoneMatch};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use sha2::{Digest, Sha256};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Header, Object, RefOr, Required, Response};

use super::description::problem;

/// Gives each whole answer to a GET its entity tag, made from its bytes, and answers 304 to a client that names the same one.
pub(super) async fn conditional(request: Request, next: Next) -> Answer {
    let is_get = *request.method() == Method::GET;
    let known = request.headers().typed_get::<IfNoneMatch>();
    let response = next.run(request).await;
    let size = response.body().size_hint().exact();
    let is_whole =
        is_get && response.status() == StatusCode::OK && size.is_some_and(|size| size <= BYTES_MAX);
    if !is_whole || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = body.collect().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let bytes = bytes.to_bytes();
    let tag = tag_of(&bytes);
    if let Some(response) = unchanged(known.as_ref(), &tag) {
        return response;
    }
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    Answer::from_parts(parts, Body::from(bytes))
}

/// The answer to a client that has what the tag names.
pub(super) fn unchanged(known: Option<&IfNoneMatch>, tag: &str) -> Option<Answer> {
    let parsed: ETag = tag.parse().ok()?;
    if known?.precondition_passes(&parsed) {
        return None;
    }
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    response.headers_mut().typed_insert(parsed);
    Some(response)
}

/// Whether something may be changed by a client that saw it as the tag says; without a condition it may.
pub(super) fn may_change(headers: &HeaderMap, tag: Option<&str>) -> bool {
    let Some(seen) = headers.typed_get::<IfMatch>() else {
        // What cannot be read is no condition that holds.
        return !headers.contains_key(header::IF_MATCH);
    };
    let tag = tag.and_then(|tag| tag.parse::<ETag>().ok());
    tag.is_some_and(|tag| seen.precondition_passes(&tag))
}

/// Tells in the description of an operation which conditions it takes.
pub(super) fn describe(operation: &mut Operation, method: &str, path: &str) {
    let responses = &mut operation.responses.responses;
    if method == "GET" {
        let Some(RefOr::T(whole)) = responses.get_mut("200") else {
            return;
        };
        if !whole.content.contains_key("application/json") && !path.ends_with("/receipt") {
            return;
        }
        let mut tag = Header::default();
        tag.description = Some("names these very bytes".to_owned());
        whole.headers.insert("ETag".to_owned(), tag);
        let same = Response::new("the client has what it names");
        responses.insert("304".to_owned(), same.into());
        add(
            operation,
            "if-none-match",
            "an `ETag`: answered 304 where it still holds",
        );
    } else if CHANGES_OF_ACCOUNTS.contains(&(method, path)) {
        let changed = problem("the account is not as `If-Match` says any more");
        responses.insert("412".to_owned(), changed.into());
        let text = "the `version` of the account as it was seen, in quotes: nothing is done where it changed meanwhile";
        add(operation, "if-match", text);
    }
}

fn add(operation: &mut Operation, name: &str, text: &str) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(Object::with_type(Type::String)))
        .build();
    operation.parameters.get_or_insert_default().push(parameter);
}

/// What changes an account, and takes a condition.
const CHANGES_OF_ACCOUNTS: &[(&str, &str)] = &[
    ("POST", "/api/v1/people/requests"),
    ("POST", "/api/v1/people/{account}/suspension"),
    ("DELETE", "/api/v1/people/{account}/suspension"),
    ("POST", "/api/v1/people/{account}/closing"),
    ("POST", "/api/v1/people/{account}/reset"),
];

/// The entity tag of bytes: who has the same bytes has the same tag, on every machine and after every start.
pub(super) fn tag_of(bytes: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(bytes));
    let short = digest.get(..TAG_DIGITS).unwrap_or(&digest);
    format!("\"{short}\"")
}

/// 128 bits.
const TAG_DIGITS: usize = 32;

/// What is larger is a download and streams.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_wants_the_tag_that_was_seen_and_nothing_else() {
        let tag = tag_of(b"an account");
        assert_eq!(tag.len(), TAG_DIGITS + 2);
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_str(value).unwrap());
            headers
        };
        assert!(may_change(&HeaderMap::new(), None));
        assert!(may_change(&with(&tag), Some(&tag)));
        assert!(may_change(&with(&format!("\"other\", {tag}")), Some(&tag)));
        assert!(may_change(&with("*"), Some(&tag)));
        for other in ["\"other\"", "other", "", &format!("W/{tag}")] {
            assert!(!may_change(&with(other), Some(&tag)), "{other}");
        }
        assert!(!may_change(&with("*"), None), "there is no such account");
    }
}
