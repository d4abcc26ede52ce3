//! `/api/v1/records`: searching and reading facts.

#![allow(unused_qualifications)] // In what the macro writes of the parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use formats::id::RecordId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::blocking::blocking;
use super::caller::Caller;
use super::extract::{Asked, At};
use super::forms::{ProofView, VersionView, moment};
use super::problem::Problem;
use crate::acts::{Desk, RecordFacts, Refusal};
use crate::cli::lang::Lang;
use crate::cli::query;
use crate::store::catalog::{Query as Question, ValueMatch};

/// Conditions; a record fulfils all that are given (検索要件: date, amount, counterparty, ranges, and any of them together).
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// Date of the transaction: `2026-01-31`, `2026-01-01..2026-03-31`, `2026-01-01..`; `none` for records without one.
    #[param(
        pattern = r"^(none|\d{4}-\d{2}-\d{2}|(\d{4}-\d{2}-\d{2})?\.\.(\d{4}-\d{2}-\d{2})?)$",
        example = "2026-01-01..2026-03-31"
    )]
    pub(crate) date: Option<String>,
    /// Amount: `110000`, `10000..20000`, `..0`; `none` for records without one. Zero is an amount.
    #[param(
        pattern = r"^(none|-?\d{1,15}(\.\d{1,6})?|(-?\d{1,15}(\.\d{1,6})?)?\.\.(-?\d{1,15}(\.\d{1,6})?)?)$",
        example = "10000..20000"
    )]
    pub(crate) amount: Option<String>,
    /// ISO 4217 code.
    #[param(pattern = "^[A-Z]{3}$", example = "JPY")]
    pub(crate) currency: Option<String>,
    /// Part of the counterparty's name, without regard to width, case or how 株式会社 is written; `none` for records without one.
    pub(crate) counterparty: Option<String>,
    /// Id of the class.
    pub(crate) class: Option<String>,
    /// Part of any text of the metadata or of a file name.
    pub(crate) text: Option<String>,
    /// Part of the document number.
    pub(crate) document_number: Option<String>,
    /// The metadata key `matter`, whole.
    pub(crate) matter: Option<String>,
    /// Received on or after this day or time.
    #[param(example = "2026-01-31")]
    pub(crate) received_from: Option<String>,
    /// Received until this day, which is included, or time.
    #[param(example = "2026-01-31")]
    pub(crate) received_to: Option<String>,
    /// Only what waits for its timestamp.
    pub(crate) unstamped: Option<bool>,
    /// Also versions that have a newer one.
    pub(crate) all_versions: Option<bool>,
    /// `oldest` deposits first, unless `newest` is given.
    #[param(pattern = "^(oldest|newest)$", example = "newest")]
    pub(crate) order: Option<String>,
    /// Where to go on, from `next` of the page before, with the same order.
    #[param(pattern = "^[0-9A-Za-z_:.-]{1,200}$")]
    pub(crate) cursor: Option<String>,
    /// At most so many, from 1 to 500; 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    pub(crate) limit: Option<u16>,
}

/// Some of what was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageView {
    /// The versions.
    records: Vec<VersionView>,
    /// How many there are in all.
    total: u64,
    /// Where the next page begins; `null` at the end.
    next: Option<String>,
}

/// What is known of one record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordView {
    /// The version that was asked for.
    #[serde(flatten)]
    version: VersionView,
    /// All versions, oldest first.
    versions: Vec<VersionView>,
    /// SHA-256 of each object, hexadecimal.
    digests: Vec<String>,
    /// When its key was destroyed.
    destroyed_at: Option<String>,
    /// Who proves it since when and until when.
    proofs: Vec<ProofView>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(search))
        .routes(routes!(read))
        .routes(routes!(read_version))
}

/// Search records
#[utoipa::path(get, path = "/api/v1/records", tag = "records", params(SearchParams),
    responses((status = 200, body = PageView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
async fn search(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Asked(params): Asked<SearchParams>,
) -> Result<Json<PageView>, Problem> {
    let lang = caller.lang;
    let question = question(&params, lang).map_err(|refusal| Problem::of(&refusal, lang))?;
    let limit = usize::from(params.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX));
    let page = blocking(&desk, lang, move |desk| {
        desk.search(&caller.actor, &question, (params.cursor.as_deref(), limit))
    })
    .await?;
    Ok(Json(PageView {
        records: page.hits.iter().map(VersionView::of).collect(),
        total: page.total,
        next: page.next,
    }))
}

/// The newest version of a record
#[utoipa::path(get, path = "/api/v1/records/{record}", tag = "records", params(("record" = String, Path, description = "id of the record")),
    responses((status = 200, body = RecordView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn read(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At(record): At<String>,
) -> Result<Json<RecordView>, Problem> {
    facts(&desk, caller, record, None).await
}

/// One version of a record
#[utoipa::path(get, path = "/api/v1/records/{record}/versions/{version}", tag = "records",
    params(("record" = String, Path, description = "id of the record"), ("version" = String, Path, description = "number of the version, from 1")),
    responses((status = 200, body = RecordView), (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json")))]
async fn read_version(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    At((record, version)): At<(String, String)>,
) -> Result<Json<RecordView>, Problem> {
    let number = version
        .parse()
        .map_err(|_| Problem::of(&Refusal::NotFound, caller.lang))?;
    facts(&desk, caller, record, Some(number)).await
}

async fn facts(
    desk: &Arc<Desk>,
    caller: Caller,
    record: String,
    number: Option<u32>,
) -> Result<Json<RecordView>, Problem> {
    let lang = caller.lang;
    let record: RecordId = record
        .parse()
        .map_err(|_| Problem::of(&Refusal::NotFound, lang))?;
    let facts = blocking(desk, lang, move |desk| {
        desk.read_record(&caller.actor, record, number)
    })
    .await?;
    Ok(Json(view(&facts)))
}

fn view(facts: &RecordFacts) -> RecordView {
    RecordView {
        version: VersionView::of(&facts.version),
        versions: facts.versions.iter().map(VersionView::of).collect(),
        digests: facts.digests.clone(),
        destroyed_at: moment(facts.destroyed_at),
        proofs: facts.chains.iter().map(ProofView::of).collect(),
    }
}

impl SearchParams {
    /// What is asked, by the names of the parameters, without the place to go on from: what can be kept.
    pub(crate) fn conditions(&self) -> BTreeMap<String, String> {
        let yes = |set: Option<bool>| set.filter(|set| *set).map(|_| "true".to_owned());
        let all = [
            ("date", self.date.clone()),
            ("amount", self.amount.clone()),
            ("currency", self.currency.clone()),
            ("counterparty", self.counterparty.clone()),
            ("class", self.class.clone()),
            ("text", self.text.clone()),
            ("document_number", self.document_number.clone()),
            ("matter", self.matter.clone()),
            ("received_from", self.received_from.clone()),
            ("received_to", self.received_to.clone()),
            ("unstamped", yes(self.unstamped)),
            ("all_versions", yes(self.all_versions)),
            ("order", self.order.clone()),
        ];
        let given = all.into_iter().filter_map(|(key, value)| {
            let value = value.filter(|value| !value.trim().is_empty())?;
            Some((key.to_owned(), value))
        });
        given.collect()
    }

    /// What was kept. `None`: a name that is none of a condition, or `unstamped` or `all_versions` with another value than `true` or `false`.
    pub(crate) fn of_conditions(conditions: &BTreeMap<String, String>) -> Option<Self> {
        let mut params = Self::default();
        for (key, value) in conditions {
            let text = Some(value.clone());
            match key.as_str() {
                "date" => params.date = text,
                "amount" => params.amount = text,
                "currency" => params.currency = text,
                "counterparty" => params.counterparty = text,
                "class" => params.class = text,
                "text" => params.text = text,
                "document_number" => params.document_number = text,
                "matter" => params.matter = text,
                "received_from" => params.received_from = text,
                "received_to" => params.received_to = text,
                "unstamped" => params.unstamped = Some(value.parse().ok()?),
                "all_versions" => params.all_versions = Some(value.parse().ok()?),
                "order" => params.order = text,
                _ => return None,
            }
        }
        Some(params)
    }
}

/// The conditions as the catalog takes them.
pub(crate) fn question(params: &SearchParams, lang: Lang) -> Result<Question, Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let mut question = Question {
        currency: given(&params.currency).map(|text| text.to_uppercase()),
        counterparty: given(&params.counterparty),
        class: given(&params.class),
        text: given(&params.text),
        document_number: given(&params.document_number),
        unstamped_only: params.unstamped.unwrap_or_default(),
        all_versions: params.all_versions.unwrap_or_default(),
        newest_first: newest_first(given(&params.order).as_deref())?,
        ..Question::default()
    };
    if question.counterparty.as_deref() == Some(NONE) {
        question.counterparty = Some(String::new());
    }
    question.date = match given(&params.date).as_deref() {
        None => ValueMatch::Any,
        Some(NONE) => ValueMatch::Missing,
        Some(text) => query::dates(text, lang).map_err(|_| {
            Refusal::invalid(
                "date",
                "日付は 2026-01-31 か 2026-01-01..2026-03-31 の形にしてください",
                "give a day or a range of days, as 2026-01-31 or 2026-01-01..2026-03-31",
            )
        })?,
    };
    question.amount = match given(&params.amount).as_deref() {
        None => ValueMatch::Any,
        Some(NONE) => ValueMatch::Missing,
        Some(text) => query::amounts(text, lang).map_err(|_| {
            Refusal::invalid(
                "amount",
                "金額は 110000 か 10000..20000 の形にしてください",
                "give a number or a range, as 110000 or 10000..20000",
            )
        })?,
    };
    let (from, to) = (given(&params.received_from), given(&params.received_to));
    question.received = query::times(from.as_deref(), to.as_deref(), lang).map_err(|_| {
        Refusal::invalid(
            "received_from",
            "受領日は 2026-01-31 の形にしてください",
            "give the day of receipt as 2026-01-31",
        )
    })?;
    if let Some(matter) = given(&params.matter) {
        question.additional.push(("matter".to_owned(), matter));
    }
    Ok(question)
}

fn newest_first(order: Option<&str>) -> Result<bool, Refusal> {
    match order {
        None | Some(OLDEST) => Ok(false),
        Some(NEWEST) => Ok(true),
        Some(_) => Err(Refusal::invalid(
            "order",
            "並び順は oldest か newest にしてください",
            "give oldest or newest",
        )),
    }
}

/// The order with the latest deposit first.
pub(crate) const NEWEST: &str = "newest";

/// The order with the earliest deposit first.
pub(crate) const OLDEST: &str = "oldest";

/// Asks for records without a value.
pub(crate) const NONE: &str = "none";

/// Records on a page, unless asked for otherwise.
const LIMIT: u16 = 50;

/// The most on a page.
const LIMIT_MAX: u16 = 500;
