//! Contents, evidence and receipts of a version, as downloads.

#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::io::{Read, Write};
use std::ops::Bound;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use formats::id::{RecordId, VersionId};
use headers::{HeaderMapExt, IfNoneMatch, Range};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::body::download;
use super::caller::Caller;
use super::conditional::unchanged;
use super::extract::{Asked, At};
use super::problem::Problem;
use crate::acts::{Desk, OpenedObject, Purpose, Refusal};

/// Why something is fetched.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PurposeParams {
    /// What it is for: kept in the audit trail.
    #[param(
        min_length = 1,
        max_length = 500,
        example = "audit of the first quarter"
    )]
    #[serde(default)]
    purpose: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(object))
        .routes(routes!(evidence))
        .routes(routes!(receipt))
}

/// Fetch a content
///
/// Whole, or a range of its bytes. Each chunk is authentic before it leaves; the digests of the whole are compared at its end, and a transfer that does not match
/// is cut off.
#[utoipa::path(get, path = "/api/v1/records/{record}/versions/{version}/objects/{object}", tag = "records",
    params(("record" = String, Path, description = "id of the record"), ("version" = String, Path, description = "number of the version"),
        ("object" = String, Path, description = "number of the object, from 0"), PurposeParams),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 206, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 410, body = Problem, content_type = "application/problem+json"), (status = 416),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn object(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At((record, version, object)): At<(String, String, String)>,
    Asked(params): Asked<PurposeParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let lang = caller.lang;
    let lost = || Problem::of(&Refusal::NotFound, lang);
    let version = version_id(&record, &version).ok_or_else(lost)?;
    let number: u32 = object.parse().map_err(|_| lost())?;
    let opened = blocking(&desk, lang, move |desk| {
        desk.open_object(&caller.actor, (version, number), Purpose(&params.purpose))
    })
    .await?;
    Ok(send(opened, &headers))
}

/// Answers with an object, or the part of it that was asked for (RFC 9110 §14).
pub(crate) fn send(opened: OpenedObject, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", opened.sha256);
    let known = headers.typed_get::<IfNoneMatch>();
    if let Some(response) = unchanged(known.as_ref(), &tag) {
        return response;
    }
    let size = opened.size;
    let range = match headers.typed_get::<Range>() {
        None => None,
        Some(range) => match single(&range, size) {
            Wanted::Part(from, to) => Some(from..to),
            Wanted::Whole => None,
            Wanted::Nothing => {
                let star = HeaderValue::from_str(&format!("bytes */{size}")).ok();
                let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
                if let Some(star) = star {
                    response.headers_mut().insert(header::CONTENT_RANGE, star);
                }
                return response;
            }
        },
    };
    let mut answer = Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::ETAG, tag)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_DISPOSITION, disposition(&opened.name));
    let length = match &range {
        None => size,
        Some(range) => {
            let last = range.end.saturating_sub(1);
            let text = format!("bytes {}-{last}/{size}", range.start);
            answer = answer
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_RANGE, text);
            range.end.saturating_sub(range.start)
        }
    };
    let body = download(move |output| {
        opened
            .write(range, output)
            .map_err(|error| error.to_string())
    });
    answer
        .header(header::CONTENT_LENGTH, length)
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

enum Wanted {
    Part(u64, u64),
    /// More than one range: the whole is an answer to it.
    Whole,
    Nothing,
}

fn single(range: &Range, size: u64) -> Wanted {
    let mut ranges = range.satisfiable_ranges(size);
    let (Some((from, to)), None) = (ranges.next(), ranges.next()) else {
        return match range.satisfiable_ranges(size).next() {
            None => Wanted::Nothing,
            Some(_) => Wanted::Whole,
        };
    };
    let from = match from {
        Bound::Included(from) => from,
        Bound::Excluded(from) => from.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let to = match to {
        Bound::Included(to) => to.saturating_add(1).min(size),
        Bound::Excluded(to) => to.min(size),
        Bound::Unbounded => size,
    };
    if from >= to {
        return Wanted::Nothing;
    }
    Wanted::Part(from, to)
}

/// Hand evidence over
///
/// The evidence package of a version (ASiC-S with evidence record): all that an independent verifier needs.
#[utoipa::path(get, path = "/api/v1/records/{record}/versions/{version}/evidence", tag = "evidence",
    params(("record" = String, Path, description = "id of the record"), ("version" = String, Path, description = "number of the version"), PurposeParams),
    responses((status = 200, body = Vec<u8>, content_type = "application/vnd.etsi.asic-e+zip"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 410, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json")))]
async fn evidence(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At((record, version)): At<(String, String)>,
    Asked(params): Asked<PurposeParams>,
) -> Result<Response, Problem> {
    let id = version_id(&record, &version)
        .ok_or_else(|| Problem::of(&Refusal::NotFound, caller.lang))?;
    package(&desk, caller, id, params.purpose).await
}

/// Answers with the evidence package of a version.
pub(crate) async fn package(
    desk: &Arc<Desk>,
    caller: Caller,
    version: VersionId,
    purpose: String,
) -> Result<Response, Problem> {
    let made = blocking(desk, caller.lang, move |desk| {
        desk.export_evidence(&caller.actor, version, Purpose(&purpose))
    })
    .await?;
    let (mut file, size) = (made.file, made.size);
    let body = download(move |output| copy(&mut file, output));
    let name = format!("{}-{}.asice", version.record(), version.version());
    Ok(attachment(
        "application/vnd.etsi.asic-e+zip",
        &name,
        Some(size),
        body,
    ))
}

fn copy(from: &mut impl Read, to: &mut dyn Write) -> Result<(), String> {
    std::io::copy(from, to)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// The deposit receipt
///
/// Signed by the archive (CAdES); for its depositor, and for whoever may fetch the record.
#[utoipa::path(get, path = "/api/v1/records/{record}/versions/{version}/receipt", tag = "evidence",
    params(("record" = String, Path, description = "id of the record"), ("version" = String, Path, description = "number of the version")),
    responses((status = 200, body = Vec<u8>, content_type = "application/pkcs7-signature"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json")))]
async fn receipt(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At((record, version)): At<(String, String)>,
) -> Result<Response, Problem> {
    let lang = caller.lang;
    let id = version_id(&record, &version).ok_or_else(|| Problem::of(&Refusal::NotFound, lang))?;
    let receipt = blocking(&desk, lang, move |desk| desk.receipt(&caller.actor, id)).await?;
    let name = format!("{}-{}.receipt.p7m", id.record(), id.version());
    let size = receipt.len() as u64;
    Ok(attachment(
        "application/pkcs7-signature",
        &name,
        Some(size),
        Body::from(receipt),
    ))
}

/// A file to be kept, never to be shown by the browser as a page of ours.
pub(crate) fn attachment(kind: &str, name: &str, size: Option<u64>, body: Body) -> Response {
    let mut answer = Response::builder()
        .header(header::CONTENT_TYPE, kind)
        .header(header::CONTENT_DISPOSITION, disposition(name));
    if let Some(size) = size {
        answer = answer.header(header::CONTENT_LENGTH, size);
    }
    answer
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// A content for the browser's own viewer.
pub(crate) fn inline(kind: &str, name: &str, size: u64, body: Body) -> Response {
    let place = disposition(name).replacen("attachment", "inline", 1);
    let mut answer = attachment(kind, name, Some(size), body);
    if let Ok(value) = HeaderValue::from_str(&place) {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}

/// `Content-Disposition` with any name (RFC 6266, RFC 8187): nothing of it reaches another header.
pub(crate) fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|one| match one {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => one,
            _ => '_',
        })
        .collect();
    let mut coded = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                coded.push(char::from(byte));
            }
            byte => coded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

/// A version from the two parts of a path.
pub(crate) fn version_id(record: &str, version: &str) -> Option<VersionId> {
    let record: RecordId = record.parse().ok()?;
    VersionId::new(record, version.parse().ok()?)
}
