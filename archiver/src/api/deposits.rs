//! `POST /api/v1/records`: depositing one file, streamed.

#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use formats::manifest::Metadata;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::body::{place, upload};
use super::caller::Caller;
use super::extract::Asked;
use super::problem::Problem;
use crate::acts::{DepositFacts, Deposited, Desk, Refusal};
use crate::intake::metadata::from_arguments;
use crate::telemetry::spanned;
use crate::upload::UploadReceipt;

/// What is deposited, beside its bytes.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DepositParams {
    /// Id of the class.
    #[param(example = "received-invoice")]
    class: String,
    /// The name of the file.
    #[param(example = "invoice-0815.pdf", min_length = 1, max_length = 255)]
    name: String,
    /// Date of the transaction.
    date: Option<String>,
    /// Its amount.
    amount: Option<String>,
    /// ISO 4217 code.
    currency: Option<String>,
    /// The other side.
    counterparty: Option<String>,
    /// Title.
    title: Option<String>,
    /// Number of the document.
    document_number: Option<String>,
    /// The matter that it belongs to.
    matter: Option<String>,
}

/// What became of a deposit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepositedView {
    /// The record's id.
    record: String,
    /// The version.
    version: u32,
    /// Whether it was there already: the same content in the same class, under the same name and with the same metadata.
    was_there: bool,
    /// Bytes.
    size: u64,
    /// What the depositor should know.
    warnings: Vec<String>,
    /// What a scanner for malware found: the record is then in quarantine.
    threat: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(deposit))
}

/// Deposit a file
///
/// The body is the file. It is durable on every medium when the answer comes. Sending the same again answers 200 with the record that is there, so a deposit
/// can be repeated whenever its answer was lost; an `Idempotency-Key` that comes again with other facts is refused.
#[utoipa::path(post, path = "/api/v1/records", tag = "records", params(DepositParams, ("idempotency-key" = Option<String>, Header, description = "what makes a repeated request the same")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = DepositedView), (status = 200, body = DepositedView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json")))]
async fn deposit(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Asked(params): Asked<DepositParams>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let lang = caller.lang;
    let refuse = |refusal: &Refusal| Problem::of(refusal, lang);
    let key = headers
        .get(IDEMPOTENCY_KEY)
        .and_then(|value| value.to_str().ok());
    let facts = params.facts(key.map(str::to_owned));
    let facts = facts.map_err(|refusal| refuse(&refusal))?;
    let deposited = take(&desk, caller, facts, &headers, body).await?;
    let status = match deposited.was_there {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    let place = format!("/api/v1/records/{}", deposited.version.record());
    let mut response = (status, Json(DepositedView::of(&deposited))).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Feeds a body to a deposit.
pub(crate) async fn take(
    desk: &Arc<Desk>,
    caller: Caller,
    facts: DepositFacts,
    headers: &HeaderMap,
    body: Body,
) -> Result<Deposited, Problem> {
    let lang = caller.lang;
    let bytes_max = desk.deposit_bytes_max();
    let told: Option<u64> = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if told.is_some_and(|told| told > bytes_max) {
        return Err(Problem::of(&Refusal::TooLarge { bytes_max }, lang));
    }
    let _place = place().await;
    let (feed, reader) = upload(body, bytes_max);
    let act = blocking(desk, lang, move |desk| {
        spanned("deposit", || {
            desk.deposit(&caller.actor, &facts, Box::new(reader), lang)
        })
    });
    // The future of the act ends when the archive is done; whoever is cut off stops feeding, and the reader sees it.
    let ((), deposited) = tokio::join!(feed, act);
    deposited
}

impl DepositParams {
    /// What is deposited, as the desk takes it.
    pub(super) fn facts(self, key: Option<String>) -> Result<DepositFacts, Refusal> {
        Ok(DepositFacts {
            metadata: self.metadata()?,
            name: self.file_name()?,
            class: self.class,
            channel: "api",
            key,
        })
    }

    fn metadata(&self) -> Result<Metadata, Refusal> {
        metadata([
            ("date", &self.date),
            ("amount", &self.amount),
            ("currency", &self.currency),
            ("counterparty", &self.counterparty),
            ("title", &self.title),
            ("document-number", &self.document_number),
            ("matter", &self.matter),
        ])
    }

    /// A plain name: the archive keeps names of folders, too, but whoever sends one file over the network names a file.
    fn file_name(&self) -> Result<String, Refusal> {
        file_name(&self.name)
    }
}

/// Metadata from what was given, as on the command line.
pub(crate) fn metadata<'a>(
    given: impl IntoIterator<Item = (&'a str, &'a Option<String>)>,
) -> Result<Metadata, Refusal> {
    let given: BTreeMap<&str, &str> = given
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.as_deref()?.trim())))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let arguments: Vec<String> = given
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    Ok(from_arguments(arguments.iter().map(String::as_str))?)
}

/// The name of a file, without a way that leads to it.
pub(crate) fn file_name(name: &str) -> Result<String, Refusal> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let is_usable = !last.is_empty()
        && last != "."
        && last != ".."
        && last.len() <= NAME_BYTES_MAX
        && !last.contains('\0');
    if is_usable {
        return Ok(last.to_owned());
    }
    Err(Refusal::invalid(
        "name",
        "ファイル名を 1〜255 バイトで指定してください",
        "give the name of a file, of 1 to 255 bytes",
    ))
}

impl DepositedView {
    pub(super) fn of(deposited: &Deposited) -> Self {
        Self::of_upload(deposited.receipt())
    }

    /// The answer of a deposit in parts.
    pub(super) fn of_upload(receipt: UploadReceipt) -> Self {
        Self {
            record: receipt.record,
            version: receipt.version,
            was_there: receipt.was_there,
            size: receipt.size,
            warnings: receipt.warnings,
            threat: receipt.threat,
        }
    }
}

pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What file systems take.
const NAME_BYTES_MAX: usize = 255;
