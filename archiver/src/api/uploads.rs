//! `/api/v1/uploads`: deposits in parts, which go on after the connection or the service was cut off.
//!
//! Headers are those of the draft "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload) and of tus 1.0 where both agree: `Upload-Offset`,
//! `Upload-Length`; `Upload-Complete` is the draft's, `Upload-Expires` that of tus.

#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use time::macros::{format_description, offset};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::body::{place, upload};
use super::caller::Caller;
use super::deposits::{DepositParams, DepositedView, IDEMPOTENCY_KEY};
use super::extract::{Asked, At};
use super::problem::Problem;
use crate::acts::{Desk, NewUpload, PartTaken, Refusal};
use crate::cli::query::rfc3339;
use crate::telemetry::spanned;
use crate::upload::{Part, UploadStanding};

/// What may be said of the content before it comes.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParams {
    /// SHA-256 of the content, hexadecimal: another content is not deposited.
    #[param(pattern = "^[0-9a-fA-F]{64}$")]
    sha256: Option<String>,
}

/// An upload.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadView {
    /// Its id.
    upload: String,
    /// Bytes that came and are on the disk: the header `Upload-Offset`.
    offset: u64,
    /// Bytes in all: the header `Upload-Length`.
    length: u64,
    /// When it is given up unless a part comes before, RFC 3339, UTC.
    expires_at: String,
    /// What became of the deposit; `null` until everything came.
    deposited: Option<DepositedView>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(read))
        .routes(routes!(append))
        .routes(routes!(abandon))
}

/// Begin an upload
///
/// For files that are sent in parts, so that a client goes on where it was cut off. What is deposited is said here, as for a deposit in one request, and what is
/// wrong with it is told here. The answer's `Location` takes the parts. The same request again with the same `Idempotency-Key` is answered 200 with the upload
/// that waits.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "uploads", params(DepositParams, UploadParams,
        ("upload-length" = u64, Header, description = "bytes of the content"),
        ("idempotency-key" = Option<String>, Header, description = "what makes a repeated request the same")),
    responses((status = 201, body = UploadView, headers(("Location" = String, description = "where the parts go"), ("Upload-Offset" = u64, description = "0"), ("Upload-Length" = u64, description = "bytes in all"), ("Upload-Expires" = String, description = "when it is given up unless a part comes before"))),
        (status = 200, body = UploadView, headers(("Location" = String, description = "where the parts go"), ("Upload-Offset" = u64, description = "where to go on"), ("Upload-Length" = u64, description = "bytes in all"), ("Upload-Expires" = String, description = "when it is given up unless a part comes before"))),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json")))]
async fn create(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Asked(params): Asked<DepositParams>,
    Asked(more): Asked<UploadParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let lang = caller.lang;
    let new = match announced(params, more, &headers) {
        Ok(new) => new,
        Err(refusal) => return Err(unusable(&desk, caller, refusal).await),
    };
    let (standing, is_new) = blocking(&desk, lang, move |desk| {
        desk.begin_upload(&caller.actor, &new)
    })
    .await?;
    let status = match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    let mut response = (status, Json(UploadView::of(&standing))).into_response();
    tell(&standing, response.headers_mut());
    put_place(&format!("/api/v1/uploads/{}", standing.id), &mut response);
    Ok(response)
}

/// How far an upload is
///
/// `HEAD` answers the headers alone: `Upload-Offset` is where to go on. When everything came and was deposited, `Upload-Complete` is `?1` and `deposited` is the
/// answer of the deposit.
#[utoipa::path(get, path = "/api/v1/uploads/{upload}", tag = "uploads", params(("upload" = String, Path, description = "id of the upload")),
    responses((status = 200, body = UploadView, headers(("Upload-Offset" = u64, description = "where to go on"), ("Upload-Length" = u64, description = "bytes in all"), ("Upload-Complete" = String, description = "`?1` when it is deposited, `?0` before"), ("Upload-Expires" = String, description = "when it is given up unless a part comes before"))),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Response, Problem> {
    let standing = blocking(&desk, caller.lang, move |desk| {
        desk.read_upload(&caller.actor, &id)
    })
    .await?;
    let mut response = Json(UploadView::of(&standing)).into_response();
    tell(&standing, response.headers_mut());
    Ok(response)
}

/// Send a part
///
/// The body is the content from `Upload-Offset` on, as much of it as the client likes. What was received before a connection was lost counts: ask for the offset
/// and go on there. With the last byte the content is deposited, once; the answer is that of a deposit, and the same when the request is repeated.
#[utoipa::path(patch, path = "/api/v1/uploads/{upload}", tag = "uploads", params(("upload" = String, Path, description = "id of the upload"),
        ("upload-offset" = u64, Header, description = "where this part begins"),
        ("upload-complete" = Option<String>, Header, description = "`?1`: this is the last part")),
    request_body(content = Vec<u8>, content_type = "application/partial-upload"),
    responses((status = 204, description = "it is on the disk, and more is to come", headers(("Upload-Offset" = u64, description = "where to go on"), ("Upload-Length" = u64, description = "bytes in all"), ("Upload-Complete" = String, description = "`?0`"), ("Upload-Expires" = String, description = "when it is given up unless a part comes before"))),
        (status = 200, body = DepositedView, headers(("Location" = String, description = "the record"), ("Upload-Complete" = String, description = "`?1`"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json")))]
async fn append(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(id): At<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let lang = caller.lang;
    let part = match part(&headers) {
        Ok(part) => part,
        Err(refusal) => return Err(unusable(&desk, caller, refusal).await),
    };
    let _place = place().await;
    let (feed, mut reader) = upload(body, desk.deposit_bytes_max());
    let act = blocking(&desk, lang, move |desk| {
        spanned("upload", || {
            desk.append_upload(&caller.actor, &id, (part, &mut reader), lang)
        })
    });
    let ((), taken) = tokio::join!(feed, act);
    match taken? {
        PartTaken::Waits(standing) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            tell(&standing, response.headers_mut());
            Ok(response)
        }
        PartTaken::Deposited(receipt) => {
            let record = format!("/api/v1/records/{}", receipt.record);
            let mut response = Json(DepositedView::of_upload(receipt)).into_response();
            response.headers_mut().insert(COMPLETE, complete(true));
            put_place(&record, &mut response);
            Ok(response)
        }
    }
}

/// Give an upload up
///
/// What came is removed. A record that was deposited stays.
#[utoipa::path(delete, path = "/api/v1/uploads/{upload}", tag = "uploads", params(("upload" = String, Path, description = "id of the upload")),
    responses((status = 204, description = "it is no more"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn abandon(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(id): At<String>,
) -> Result<StatusCode, Problem> {
    blocking(&desk, caller.lang, move |desk| {
        desk.abandon_upload(&caller.actor, &id)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is wrong with the headers; who may not at all is told so before anything else.
async fn unusable(desk: &Arc<Desk>, caller: Caller, refusal: Refusal) -> Problem {
    let lang = caller.lang;
    let may = blocking(desk, lang, move |desk| desk.may_upload(&caller.actor)).await;
    may.err().unwrap_or_else(|| Problem::of(&refusal, lang))
}

/// What is announced.
fn announced(
    params: DepositParams,
    more: UploadParams,
    headers: &HeaderMap,
) -> Result<NewUpload, Refusal> {
    let key = headers
        .get(IDEMPOTENCY_KEY)
        .and_then(|value| value.to_str().ok());
    if key.is_some_and(|key| key.len() > KEY_BYTES_MAX) {
        return Err(Refusal::invalid(
            "idempotency-key",
            "Idempotency-Key は 255 バイトまでにしてください",
            "give an Idempotency-Key of at most 255 bytes",
        ));
    }
    let length = number(headers, &LENGTH).ok_or_else(|| {
        Refusal::invalid(
            "upload-length",
            "全体のバイト数をヘッダー Upload-Length で指定してください",
            "give the bytes of the content in the header Upload-Length",
        )
    })?;
    let given = more.sha256.as_deref().map(str::trim);
    let sha256 = given.filter(|text| !text.is_empty());
    if sha256.is_some_and(|text| text.len() != 64 || hex::decode(text).is_err()) {
        return Err(Refusal::invalid(
            "sha256",
            "SHA-256 は 16 進 64 桁で指定してください",
            "give the SHA-256 as 64 hexadecimal digits",
        ));
    }
    Ok(NewUpload {
        facts: params.facts(key.map(str::to_owned))?,
        length,
        sha256: sha256.map(str::to_ascii_lowercase),
    })
}

/// What a request says of its part.
fn part(headers: &HeaderMap) -> Result<Part, Refusal> {
    let offset = number(headers, &OFFSET).ok_or_else(|| {
        Refusal::invalid(
            "upload-offset",
            "この部分の始まりをヘッダー Upload-Offset で指定してください",
            "give the beginning of this part in the header Upload-Offset",
        )
    })?;
    let is_last = match headers.get(COMPLETE).map(HeaderValue::as_bytes) {
        None | Some(b"?0") => false,
        Some(b"?1") => true,
        Some(_) => {
            return Err(Refusal::invalid(
                "upload-complete",
                "Upload-Complete は ?0 か ?1 です",
                "Upload-Complete is ?0 or ?1",
            ));
        }
    };
    Ok(Part {
        offset,
        length: number(headers, &header::CONTENT_LENGTH),
        is_last,
    })
}

/// A number of bytes in a header: digits, and nothing else.
fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?;
    let is_plain = !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// The headers that tell how far an upload is.
fn tell(standing: &UploadStanding, headers: &mut HeaderMap) {
    headers.insert(OFFSET, HeaderValue::from(standing.offset));
    headers.insert(LENGTH, HeaderValue::from(standing.length));
    headers.insert(COMPLETE, complete(standing.receipt.is_some()));
    // RFC 9110 §5.6.7
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let expires = standing.expires_at.to_offset(offset!(UTC)).format(&format);
    if let Some(value) = expires
        .ok()
        .and_then(|text| HeaderValue::try_from(text).ok())
    {
        headers.insert(EXPIRES, value);
    }
}

/// A boolean of a structured field (RFC 9651 §3.3.6).
const fn complete(is_complete: bool) -> HeaderValue {
    HeaderValue::from_static(if is_complete { "?1" } else { "?0" })
}

fn put_place(place: &str, response: &mut Response) {
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
}

impl UploadView {
    fn of(standing: &UploadStanding) -> Self {
        Self {
            upload: standing.id.to_string(),
            offset: standing.offset,
            length: standing.length,
            expires_at: rfc3339(standing.expires_at),
            deposited: standing.receipt.clone().map(DepositedView::of_upload),
        }
    }
}

/// Where a part begins, or where to go on.
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// Keys are kept with their uploads.
const KEY_BYTES_MAX: usize = 255;
