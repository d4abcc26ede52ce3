//! One record: facts, contents, versions, proof; verify it, hand it over.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use formats::id::VersionId;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, form_token};
use super::search::state;
use super::text::{amount, bytes, foreign, moment, name};
use super::timeline::timeline;
use super::visitor::{Bare, Member, Visitor};
use crate::access::Right;
use crate::acts::verification::{VerdictRow, VerdictTable};
use crate::acts::{Desk, Purpose, RecordFacts, Refusal};
use crate::api::{Caller, attachment, blocking, package, send, version_id};
use crate::cli::lang::Lang;
use crate::preview::{Way, way};
use crate::store::catalog::ObjectEntry;

/// Why something is fetched.
#[derive(Debug, Deserialize)]
pub(super) struct PurposeForm {
    pub(super) form_token: String,
    pub(super) purpose: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/records/{record}", get(newest))
        .route("/records/{record}/{version}", get(one))
        .route("/records/{record}/{version}/objects/{object}", post(fetch))
        .route("/records/{record}/{version}/evidence", post(evidence))
        .route("/records/{record}/{version}/receipt", get(receipt))
        .route("/records/{record}/{version}/verify", post(verify))
}

async fn newest(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(record): Path<String>,
) -> Result<Response, Response> {
    let facts = facts(&desk, &visitor, &record, None).await?;
    Ok(page(&desk, &visitor, &facts, None))
}

async fn one(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path((record, version)): Path<(String, String)>,
) -> Result<Response, Response> {
    let number = version
        .parse()
        .map_err(|_| visitor.refused(&Refusal::NotFound))?;
    let facts = facts(&desk, &visitor, &record, Some(number)).await?;
    Ok(page(&desk, &visitor, &facts, None))
}

async fn facts(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    record: &str,
    number: Option<u32>,
) -> Result<RecordFacts, Response> {
    let record = record
        .parse()
        .map_err(|_| visitor.refused(&Refusal::NotFound))?;
    let actor = visitor.actor.clone();
    let read = blocking(desk, visitor.lang, move |desk| {
        desk.read_record(&actor, record, number)
    });
    read.await.map_err(|problem| visitor.failed(&problem))
}

fn page(
    desk: &Desk,
    visitor: &Visitor,
    facts: &RecordFacts,
    verdict: Option<&VerdictTable>,
) -> Response {
    let lang = visitor.lang;
    let hit = &facts.version;
    let title = match name(hit) {
        name if name.is_empty() => hit.version.to_string(),
        name => name,
    };
    let now = desk.archive().environment().clock.now();
    let class = desk.archive().classes().class(&hit.class).ok();
    let class_title = class.map_or_else(
        || hit.class.clone(),
        |class| {
            lang.pick(&class.policy().title.ja, &class.policy().title.en)
                .clone()
        },
    );
    let kept = class.map(|class| {
        let period = &class.policy().period.text;
        lang.pick(&period.ja, &period.en).clone()
    });
    let matter = html! {
        p { a href="/search" { (lang.pick("検索へ", "To the search")) } }
        h1 { (foreign(&title)) " " (state(hit, lang)) }
        @if let Some(table) = verdict { (told(table, lang)) }
        @if let Some(at) = facts.destroyed_at {
            p.notice.bad { (lang.pick("この記録の鍵は廃棄されています。内容は誰にも読めません: ", "The key of this record was destroyed; nobody can read it any more: ")) (moment(at)) }
        }
        div.columns {
            section.sheet { h2 { (lang.pick("記録の内容", "Facts")) } (list(facts, &class_title, kept.as_deref(), lang)) }
            section.sheet { h2 { (lang.pick("ファイル", "Contents")) } (contents(visitor, facts)) }
        }
        section.sheet {
            h2 { (lang.pick("証明の経過", "Who proves it, since when and until when")) }
            (timeline(&facts.chains, now, lang))
            (proofs(visitor, facts))
        }
        @if facts.versions.len() > 1 { (versions(facts, lang)) }
    };
    let frame = Frame {
        lang,
        visitor: Some(visitor),
        place: "/search",
        title: &title,
        evaluation: visitor.evaluation,
    };
    frame.page(&matter).into_response()
}

fn list(facts: &RecordFacts, class: &str, kept: Option<&str>, lang: Lang) -> Markup {
    let hit = &facts.version;
    let metadata = &hit.metadata;
    html! { dl.facts {
        @if let Some(date) = metadata.date { dt { (lang.pick("取引年月日", "Date")) } dd { (date) } }
        @if metadata.amount.is_some() { dt { (lang.pick("金額", "Amount")) } dd { (amount(hit)) } }
        @if let Some(other) = &metadata.counterparty { dt { (lang.pick("取引先", "Counterparty")) } dd { (foreign(other)) } }
        @if let Some(title) = &metadata.title { dt { (lang.pick("題名", "Title")) } dd { (foreign(title)) } }
        @if let Some(number) = &metadata.document_number { dt { (lang.pick("書類番号", "Document number")) } dd { (foreign(number)) } }
        @if let Some(number) = &metadata.registration_number { dt { (lang.pick("登録番号", "Registration number")) } dd { (number) } }
        @for (key, value) in &metadata.additional { dt { (foreign(key)) } dd { (foreign(value)) } }
        dt { (lang.pick("保管要件", "Class")) } dd { (class) }
        @if let Some(kept) = kept { dt { (lang.pick("保管期間", "Kept")) } dd { (kept) } }
        dt { (lang.pick("受領", "Received")) } dd { (moment(hit.received_at)) }
        dt { (lang.pick("預入者", "Depositor")) } dd { (foreign(&hit.depositor)) }
        dt { (lang.pick("記録番号", "Record")) } dd.id { (hit.version) }
    } }
}

fn contents(visitor: &Visitor, facts: &RecordFacts) -> Markup {
    let lang = visitor.lang;
    let hit = &facts.version;
    let (record, version) = (hit.version.record(), hit.version.version());
    html! {
        @for (number, object) in hit.objects.iter().enumerate() {
            p {
                strong { (foreign(&object.name.to_string())) } br;
                span.hint { (object.media_type) ", " (bytes(object.size)) }
                @if let Some(digest) = facts.digests.get(number) { br; span.hint { "SHA-256 " span.id { (digest) } } }
            }
            @if visitor.may(Right::Retrieve) && facts.destroyed_at.is_none() {
                form method="post" action={ "/records/" (record) "/" (version) "/objects/" (number) } data-download="yes" {
                    (form_token(visitor))
                    label for={ "purpose-" (number) } { (lang.pick("利用目的(監査証跡に残ります)", "What for (kept in the audit trail)")) }
                    input type="text" name="purpose" id={ "purpose-" (number) } required maxlength="500";
                    div.actions {
                        @if is_shown(object) {
                            button type="submit" formaction={ "/records/" (record) "/" (version) "/objects/" (number) "/preview" } { (lang.pick("内容を見る", "Show")) }
                        }
                        button.plain type="submit" { (lang.pick("取り出す", "Fetch")) }
                    }
                }
            }
        }
    }
}

/// Whether there is a preview of it.
fn is_shown(object: &ObjectEntry) -> bool {
    way(&object.media_type, object.size) != Way::None
}

fn proofs(visitor: &Visitor, facts: &RecordFacts) -> Markup {
    let lang = visitor.lang;
    let hit = &facts.version;
    let place = format!(
        "/records/{}/{}",
        hit.version.record(),
        hit.version.version()
    );
    html! {
        div.columns {
            @if visitor.may(Right::Verify) {
                form method="post" action={ (place) "/verify" } {
                    (form_token(visitor))
                    div.actions { button type="submit" { (lang.pick("今すぐ検証", "Verify now")) } }
                }
            }
            @if visitor.may(Right::Retrieve) && hit.stamp.is_some() && facts.destroyed_at.is_none() {
                form method="post" action={ (place) "/evidence" } data-download="yes" {
                    (form_token(visitor))
                    label for="evidence-purpose" { (lang.pick("証拠パッケージの提出先・目的", "Whom the evidence is for, and why")) }
                    input #evidence-purpose type="text" name="purpose" required maxlength="500";
                    p.hint { (lang.pick("文書、証拠記録、報告書が一つのファイル(.asice)に入ります。相手は verifier で独立に検証できます。", "Documents, evidence record and report in one file (.asice): the other side verifies it independently with the program verifier.")) }
                    div.actions { button type="submit" { (lang.pick("証拠を渡す", "Hand evidence over")) } }
                }
            }
        }
    }
}

fn versions(facts: &RecordFacts, lang: Lang) -> Markup {
    html! {
        section.sheet {
            h2 { (lang.pick("版", "Versions")) }
            div.scroll { table {
                thead { tr { th scope="col" { (lang.pick("版", "Version")) } th scope="col" { (lang.pick("受領", "Received")) } th scope="col" { (lang.pick("状態", "State")) } } }
                tbody { @for hit in &facts.versions { tr {
                    td { a href={ "/records/" (hit.version.record()) "/" (hit.version.version()) } { (hit.version.version()) } }
                    td { (moment(hit.received_at)) } td { (state(hit, lang)) }
                } } }
            } }
        }
    }
}

async fn fetch(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path((record, version, object)): Path<(String, String, String)>,
    headers: HeaderMap,
    Form(form): Form<PurposeForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let lost = || visitor.refused(&Refusal::NotFound);
    let version = version_id(&record, &version).ok_or_else(lost)?;
    let number: u32 = object.parse().map_err(|_| lost())?;
    let actor = visitor.actor.clone();
    let opened = blocking(&desk, visitor.lang, move |desk| {
        desk.open_object(&actor, (version, number), Purpose(&form.purpose))
    });
    let opened = opened.await.map_err(|problem| visitor.failed(&problem))?;
    Ok(send(opened, &headers))
}

async fn evidence(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path((record, version)): Path<(String, String)>,
    Form(form): Form<PurposeForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let version = read_id(&visitor, &record, &version)?;
    let caller = Caller {
        actor: visitor.actor.clone(),
        lang: visitor.lang,
    };
    let made = package(&desk, caller, version, form.purpose).await;
    made.map_err(|problem| visitor.failed(&problem))
}

async fn receipt(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path((record, version)): Path<(String, String)>,
) -> Result<Response, Response> {
    let version = read_id(&visitor, &record, &version)?;
    let actor = visitor.actor.clone();
    let receipt = blocking(&desk, visitor.lang, move |desk| {
        desk.receipt(&actor, version)
    });
    let receipt = receipt.await.map_err(|problem| visitor.failed(&problem))?;
    let name = format!("{}-{}.receipt.p7m", version.record(), version.version());
    let size = receipt.len() as u64;
    Ok(attachment(
        "application/pkcs7-signature",
        &name,
        Some(size),
        Body::from(receipt),
    ))
}

async fn verify(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path((record, version)): Path<(String, String)>,
    Form(form): Form<Bare>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let id = read_id(&visitor, &record, &version)?;
    let (actor, lang) = (visitor.actor.clone(), visitor.lang);
    let table = blocking(&desk, lang, move |desk| {
        desk.verify_version(&actor, id, lang)
    });
    let table = table.await.map_err(|problem| visitor.failed(&problem))?;
    if !visitor.may(Right::Search) {
        return Err(visitor.refused(&Refusal::NotFound));
    }
    let facts = facts(&desk, &visitor, &record, Some(id.version())).await?;
    Ok(page(&desk, &visitor, &facts, Some(&table)))
}

#[expect(clippy::result_large_err, reason = "an answer in the place of another")]
fn read_id(visitor: &Visitor, record: &str, version: &str) -> Result<VersionId, Response> {
    version_id(record, version).ok_or_else(|| visitor.refused(&Refusal::NotFound))
}

fn told(table: &VerdictTable, lang: Lang) -> Markup {
    html! { @for row in &table.rows { (verdict_notice(row, lang)) } }
}

/// The verdict in a sentence.
fn verdict_notice(row: &VerdictRow, lang: Lang) -> Markup {
    let (class, text) = match (row.result, row.is_integrity_failure) {
        ("passed", _) => (
            "notice good",
            lang.pick(
                "検証に合格しました。預け入れた時のまま変わっていません。",
                "Verified: it is what was deposited, unaltered.",
            ),
        ),
        ("unstamped", _) => (
            "notice warn",
            lang.pick(
                "内容は預け入れた時のままです。タイムスタンプを待っています。",
                "The content is what was deposited. It waits for its timestamp.",
            ),
        ),
        (_, true) => (
            "notice bad",
            lang.pick(
                "完全性が失われています。すぐに運用者に知らせてください。",
                "Its integrity is broken. Tell the operator at once.",
            ),
        ),
        _ => (
            "notice warn",
            lang.pick("検証を終えられませんでした。", "It could not be verified."),
        ),
    };
    html! {
        div class=(class) role="status" {
            strong { (text) }
            @if let Some(since) = row.existence { br; (lang.pick("遅くともこの時刻から存在しています: ", "It existed at this time at the latest: ")) (moment(since)) }
            @if !row.text.is_empty() { br; (row.text) }
        }
    }
}
