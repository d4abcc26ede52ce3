//! Deposit: class, facts, files.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use maud::{Markup, html};
use serde::Serialize;

use super::frame::{Frame, form_token};
use super::text::{bytes, foreign};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::{DepositFacts, Deposited, Desk, Refusal};
use crate::api::{Caller, Problem, blocking, file_name, metadata, pieces, take};
use crate::class::{Counterparty, RegisteredClass, SearchKey};
use crate::intake::ubl::UblDocument;
use crate::journal::SERVICE_CLASSES;
use crate::paper::{self, PaperFacts};

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        // Each file has its own limit; their number and the time between pieces are limited, too.
        .route(
            "/deposit",
            get(show).post(deposit).layer(DefaultBodyLimit::disable()),
        )
        .route(
            "/deposit/read",
            post(read).layer(DefaultBodyLimit::max(READ_BYTES_MAX)),
        )
}

/// What became of one file.
struct Outcome {
    name: String,
    result: Result<Deposited, Problem>,
}

/// The fields before the files.
#[derive(Default)]
struct Fields {
    form_token: Option<String>,
    class: Option<String>,
    date: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    counterparty: Option<String>,
    number: Option<String>,
    title: Option<String>,
    matter: Option<String>,
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    visitor.wants(Right::Deposit)?;
    let classes = classes(&desk, &visitor).await?;
    Ok(page(&visitor, &form(&visitor, &classes, None)))
}

async fn classes(desk: &Arc<Desk>, visitor: &Visitor) -> Result<Vec<RegisteredClass>, Response> {
    let actor = visitor.actor.clone();
    let read = blocking(desk, visitor.lang, move |desk| desk.read_classes(&actor)).await;
    let mut classes = read.map_err(|problem| visitor.failed(&problem))?;
    classes.retain(|class| !SERVICE_CLASSES.contains(&class.policy().id.as_str()));
    Ok(classes)
}

fn page(visitor: &Visitor, matter: &Markup) -> Response {
    let frame = Frame {
        lang: visitor.lang,
        visitor: Some(visitor),
        place: "/deposit",
        title: visitor.lang.pick("預け入れ", "Deposit"),
        evaluation: visitor.evaluation,
    };
    frame.page(matter).into_response()
}

fn form(visitor: &Visitor, classes: &[RegisteredClass], problem: Option<&Problem>) -> Markup {
    let lang = visitor.lang;
    html! {
        h1 { (lang.pick("預け入れ", "Deposit")) }
        p.lead { (lang.pick("預けた記録は書き換えられません。受領と同時にすべての媒体に保存され、タイムスタンプが付きます。", "What is deposited cannot be changed. It is stored on every medium at once, and timestamped.")) }
        (super::frame::alert(problem))
        form.sheet method="post" action="/deposit" enctype="multipart/form-data" data-read="/deposit/read" data-each="yes"
            data-all=(lang.pick("{done} 件を預かりました。", "{done} taken in."))
            data-some=(lang.pick("{all} 件のうち {done} 件を預かりました。残りは理由を確かめて、もう一度預けてください。", "{done} of {all} taken in. For the others see why, and deposit them again."))
            data-lost=(lang.pick("送信が途切れました。預かっていません。もう一度預けてください。", "The connection broke; it was not taken in. Deposit it again.")) {
            (form_token(visitor))
            label for="class" { (lang.pick("保管要件(種類)", "Class")) }
            select #class name="class" required data-consequences="yes" {
                @for class in classes {
                    option value=(class.policy().id) { (lang.pick(&class.policy().title.ja, &class.policy().title.en)) }
                }
            }
            @for class in classes { (consequences(class, lang)) }
            fieldset {
                legend { (lang.pick("検索のための項目(電子インボイスなら空のままで読み取ります)", "Search keys (read from the document itself where it is an e-invoice)")) }
                p.notice.warn role="status" data-guess="yes" hidden { (lang.pick("PDF の文字から推測しました。書類と見比べて、違うところを直してください。", "Guessed from the text of the PDF: compare with the document, and correct what is wrong.")) }
                div.fields {
                    div { label for="date" { (lang.pick("取引年月日", "Date")) } input #date type="date" name="date"; }
                    div { label for="amount" { (lang.pick("取引金額", "Amount")) } input #amount type="text" inputmode="decimal" name="amount"; }
                    div { label for="currency" { (lang.pick("通貨", "Currency")) } input #currency type="text" name="currency" value="JPY" maxlength="3"; }
                    div { label for="counterparty" { (lang.pick("取引先", "Counterparty")) } input #counterparty type="text" name="counterparty"; }
                    div { label for="title" { (lang.pick("題名", "Title")) } input #title type="text" name="title"; }
                    div { label for="number" { (lang.pick("書類番号", "Document number")) } input #number type="text" name="number"; }
                    div { label for="matter" { (lang.pick("案件", "Matter")) } input #matter type="text" name="matter"; }
                }
            }
            label for="files" { (lang.pick("ファイル(いくつでも。ここに落としても入ります)", "Files, as many as you like; drop them here")) }
            input #files type="file" name="files" multiple required;
            div.actions { button type="submit" { (lang.pick("預け入れる", "Deposit")) } }
        }
    }
}

/// What choosing a class means, in plain words.
fn consequences(class: &RegisteredClass, lang: crate::cli::lang::Lang) -> Markup {
    let policy = class.policy();
    let keys: Vec<&str> = policy
        .search_keys
        .iter()
        .map(|key| key_title(*key, lang))
        .collect();
    let names: Vec<&str> = policy
        .search_keys
        .iter()
        .map(|key| field_name(*key))
        .collect();
    html! {
        div.consequences data-class=(policy.id) data-keys=(names.join(" ")) {
            strong { (lang.pick(&policy.title.ja, &policy.title.en)) } ": "
            (lang.pick(&policy.period.text.ja, &policy.period.text.en))
            @if !keys.is_empty() { " " (lang.pick("求められる項目: ", "Asked for: ")) (keys.join(lang.pick("、", ", "))) }
        }
    }
}

fn key_title(key: SearchKey, lang: crate::cli::lang::Lang) -> &'static str {
    match key {
        SearchKey::Date => lang.pick("取引年月日", "date"),
        SearchKey::Amount => lang.pick("取引金額", "amount"),
        SearchKey::Counterparty => lang.pick("取引先", "counterparty"),
        SearchKey::Title => lang.pick("題名", "title"),
        SearchKey::DocumentNumber => lang.pick("書類番号", "document number"),
    }
}

/// The field of the form that takes a search key.
fn field_name(key: SearchKey) -> &'static str {
    match key {
        SearchKey::Date => "date",
        SearchKey::Amount => "amount",
        SearchKey::Counterparty => "counterparty",
        SearchKey::Title => "title",
        SearchKey::DocumentNumber => "number",
    }
}

/// What an e-invoice says of itself, for the fields of the form. Nothing of it is kept.
#[derive(Default, Serialize)]
struct ReadFields {
    date: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    counterparty: Option<String>,
    number: Option<String>,
    /// Whether it was only guessed from a text.
    is_guess: bool,
}

async fn read(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    mut parts: Multipart,
) -> Result<Json<ReadFields>, Response> {
    visitor.wants(Right::Deposit)?;
    let broken = || visitor.refused(&Refusal::CutOff);
    let (mut is_checked, mut side) = (false, None);
    for _ in 0..READ_PARTS_MAX {
        let Some(part) = parts.next_field().await.map_err(|_| broken())? else {
            break;
        };
        match part.name() {
            Some("form_token") => {
                visitor.check(&short(part).await.unwrap_or_default())?;
                is_checked = true;
            }
            Some("class") => {
                let class = short(part).await.unwrap_or_default();
                let class = desk.archive().classes().class(&class);
                side = class.ok().map(|class| class.policy().counterparty);
            }
            Some("file") if is_checked => {
                let bytes = part.bytes().await.map_err(|_| broken())?;
                let side = side.unwrap_or_default();
                let read = blocking(&desk, visitor.lang, move |desk| {
                    Ok(match paper::is_pdf(&bytes) {
                        true => guess_fields(desk, &bytes, side),
                        false => read_fields(&bytes, side),
                    })
                });
                let read = read.await.map_err(|problem| visitor.failed(&problem))?;
                return Ok(Json(read));
            }
            Some(_) | None => {}
        }
    }
    visitor.check("")?;
    Err(broken())
}

fn read_fields(bytes: &[u8], side: Counterparty) -> ReadFields {
    let Ok(document) = UblDocument::read(bytes) else {
        return ReadFields::default();
    };
    let metadata = document.metadata(side);
    ReadFields {
        date: metadata.date.map(|date| date.to_string()),
        amount: metadata.amount.map(|amount| amount.to_string()),
        currency: metadata.currency.map(|currency| currency.to_string()),
        counterparty: metadata.counterparty,
        number: metadata.document_number,
        is_guess: false,
    }
}

/// What the text of a PDF seems to say: somebody looks at it before it counts.
fn guess_fields(desk: &Desk, bytes: &[u8], side: Counterparty) -> ReadFields {
    let Some(text) = desk.paper().and_then(|reader| reader.text(bytes)) else {
        return ReadFields::default();
    };
    let facts = PaperFacts::of(&text, side);
    ReadFields {
        is_guess: facts != PaperFacts::default(),
        date: facts.date.map(|date| date.to_string()),
        amount: facts.amount,
        currency: facts.currency.map(str::to_owned),
        counterparty: facts.counterparty,
        number: facts.number,
    }
}

async fn deposit(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    headers: HeaderMap,
    mut parts: Multipart,
) -> Result<Response, Response> {
    visitor.wants(Right::Deposit)?;
    let lang = visitor.lang;
    let mut fields = Fields::default();
    let mut outcomes = Vec::new();
    let broken = || Problem::of(&Refusal::CutOff, lang);
    for _ in 0..PARTS_MAX {
        let part = match parts.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(_) => return Err(visitor.failed(&broken())),
        };
        let name = part.name().unwrap_or_default().to_owned();
        if name != "files" {
            let text = short(part).await.ok_or_else(|| visitor.failed(&broken()))?;
            fields.set(&name, text);
            continue;
        }
        // The token stands before the files: nothing is taken in before it was seen.
        visitor.check(fields.form_token.as_deref().unwrap_or_default())?;
        let shown = part.file_name().unwrap_or_default().to_owned();
        if outcomes.len() >= FILES_MAX {
            let text = lang.pick(
                "一度に預けられるのは 500 件までです",
                "at most 500 files at a time",
            );
            let result = Err(Problem::new(422, "too-many-files", text.to_owned()));
            outcomes.push(Outcome {
                name: shown,
                result,
            });
            break;
        }
        let result = one(&desk, &visitor, &fields, &shown, &headers, part).await;
        outcomes.push(Outcome {
            name: shown,
            result,
        });
    }
    visitor.check(fields.form_token.as_deref().unwrap_or_default())?;
    Ok(page(&visitor, &results(&visitor, &outcomes)))
}

/// The text of a field that is no file; `None` for one that is too long, or cut off.
pub(super) async fn short(mut part: Field<'_>) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.ok()? {
        if bytes.len() + piece.len() > FIELD_BYTES_MAX {
            return None;
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).ok()
}

async fn one(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    fields: &Fields,
    name: &str,
    headers: &HeaderMap,
    part: Field<'_>,
) -> Result<Deposited, Problem> {
    let lang = visitor.lang;
    let facts = fields
        .facts(name)
        .map_err(|refusal| Problem::of(&refusal, lang))?;
    let caller = Caller {
        actor: visitor.actor.clone(),
        lang,
    };
    // The length of the whole request says nothing of one file.
    let mut headers = headers.clone();
    headers.remove(axum::http::header::CONTENT_LENGTH);
    let (sender, body) = pieces();
    let feed = async move {
        let mut part = part;
        loop {
            match part.chunk().await {
                Ok(Some(piece)) => {
                    if sender.send(Ok(piece)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    let lost = std::io::Error::other(error.body_text());
                    drop(sender.send(Err(lost)).await);
                    return;
                }
            }
        }
    };
    let ((), deposited) = tokio::join!(feed, take(desk, caller, facts, &headers, Body::new(body)));
    deposited
}

impl Fields {
    fn set(&mut self, name: &str, text: String) {
        let place = match name {
            "form_token" => &mut self.form_token,
            "class" => &mut self.class,
            "date" => &mut self.date,
            "amount" => &mut self.amount,
            "currency" => &mut self.currency,
            "counterparty" => &mut self.counterparty,
            "number" => &mut self.number,
            "title" => &mut self.title,
            "matter" => &mut self.matter,
            _ => return,
        };
        *place = Some(text);
    }

    fn facts(&self, name: &str) -> Result<DepositFacts, Refusal> {
        // A currency without an amount says nothing; the form offers one.
        let has_amount = self
            .amount
            .as_deref()
            .is_some_and(|text| !text.trim().is_empty());
        let currency = self.currency.clone().filter(|_| has_amount);
        Ok(DepositFacts {
            class: self.class.clone().unwrap_or_default(),
            name: file_name(name)?,
            metadata: metadata([
                ("date", &self.date),
                ("amount", &self.amount),
                ("currency", &currency),
                ("counterparty", &self.counterparty),
                ("document-number", &self.number),
                ("title", &self.title),
                ("matter", &self.matter),
            ])?,
            channel: "web",
            key: None,
        })
    }
}

fn results(visitor: &Visitor, outcomes: &[Outcome]) -> Markup {
    let lang = visitor.lang;
    let done = outcomes.iter().filter(|one| one.result.is_ok()).count();
    html! {
        h1 { (lang.pick("預け入れの結果", "What was deposited")) }
        @if done == outcomes.len() {
            p.notice.good role="status" { (lang.pick(format!("{done} 件を預かりました。"), format!("{done} taken in."))) }
        } @else {
            p.notice.warn role="alert" { (lang.pick(
                format!("{} 件のうち {done} 件を預かりました。残りは理由を確かめて、もう一度預けてください。", outcomes.len()),
                format!("{done} of {} taken in. For the others see why, and deposit them again.", outcomes.len()))) }
        }
        div.sheet.scroll { table {
            thead { tr {
                th scope="col" { (lang.pick("ファイル", "File")) } th scope="col" { (lang.pick("結果", "Result")) }
                th scope="col" { (lang.pick("記録", "Record")) } th.number scope="col" { (lang.pick("大きさ", "Size")) }
                th scope="col" { (lang.pick("受領証", "Receipt")) }
            } }
            tbody { @for one in outcomes { tr { td { (foreign(&one.name)) } (outcome(visitor, one)) } } }
        } }
        div.actions { a.button href="/deposit" { (lang.pick("続けて預け入れる", "Deposit more")) } }
    }
}

fn outcome(visitor: &Visitor, one: &Outcome) -> Markup {
    let lang = visitor.lang;
    match &one.result {
        Ok(deposited) => {
            let record = deposited.version.record();
            let version = deposited.version.version();
            html! {
                td {
                    @if deposited.was_there { span.tag { (lang.pick("預入済み", "was there")) } }
                    @else { span.tag.good { (lang.pick("預かりました", "taken in")) } }
                    @for warning in &deposited.warnings { p.hint { (warning) } }
                }
                td {
                    @if visitor.may(Right::Search) { a.id href={ "/records/" (record) } { (record) } }
                    @else { span.id { (record) } }
                }
                td.number { (bytes(deposited.size)) }
                td { a href={ "/records/" (record) "/" (version) "/receipt" } { (lang.pick("受け取る", "Fetch")) } }
            }
        }
        Err(problem) => html! {
            td colspan="4" { span.tag.bad { (lang.pick("預かっていません", "not taken")) } p.hint { (problem.title) } }
        },
    }
}

/// Bytes of a document that is read for the fields of the form, and of what stands around it.
const READ_BYTES_MAX: usize = 4 * 1024 * 1024 + 64 * 1024;

/// Parts of that form.
const READ_PARTS_MAX: usize = 4;

/// Files of one form.
const FILES_MAX: usize = 500;

/// Files and fields of one form.
const PARTS_MAX: usize = FILES_MAX + 50;

/// Bytes of a field that is no file.
const FIELD_BYTES_MAX: usize = 16 * 1024;
