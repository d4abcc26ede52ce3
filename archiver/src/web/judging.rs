//! The verifier's page: drop an evidence package, read the verdict as the other side would.

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::html;
use tokio::sync::Semaphore;
use verifier::report::html::STYLE_DIGEST;

use super::deposit::short;
use super::frame::{Frame, form_token};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::{Desk, Refusal, SentFile};
use crate::api::{Problem, blocking, file_name};

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route(
        "/judge",
        get(show).post(judge).layer(DefaultBodyLimit::disable()),
    )
}

async fn show(Member(visitor): Member) -> Result<Response, Response> {
    visitor.wants(Right::Verify)?;
    let lang = visitor.lang;
    let matter = html! {
        h1 { (lang.pick("証拠パッケージの検証", "Judge an evidence package")) }
        p.lead { (lang.pick("受け取った、又は渡した証拠を、相手と同じ検証器で確かめます。保管庫の中身は使いません。", "Evidence that came in, or went out, judged by the same verifier that the other side uses. Nothing of the archive is asked.")) }
        form.sheet method="post" action="/judge" enctype="multipart/form-data" target="_blank" data-download="yes" {
            (form_token(&visitor))
            label for="package" { (lang.pick("証拠パッケージ(.asice)又は ETSI の署名・証拠を含む容器", "An evidence package (.asice), or another container of ETSI with its signatures and evidence")) }
            input #package type="file" name="package" required;
            p.hint { (lang.pick("1 GiB まで。ファイルは検証のあと残りません。", "At most 1 GiB. The file does not stay after it was judged.")) }
            div.actions { button type="submit" { (lang.pick("検証する", "Judge it")) } }
        }
        p.hint { (lang.pick("相手は verifier verify で、この保管庫なしに同じ報告書を得られます。", "The other side gets the same report from verifier verify, without this archive.")) }
    };
    let frame = Frame {
        lang,
        visitor: Some(&visitor),
        place: "/verification",
        title: lang.pick("証拠パッケージの検証", "Judge an evidence package"),
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

async fn judge(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    mut parts: Multipart,
) -> Result<Response, Response> {
    visitor.wants(Right::Verify)?;
    let lang = visitor.lang;
    let broken = || visitor.refused(&Refusal::CutOff);
    let mut is_checked = false;
    for _ in 0..PARTS_MAX {
        let Some(part) = parts.next_field().await.map_err(|_| broken())? else {
            break;
        };
        if part.name() == Some("form_token") {
            visitor.check(&short(part).await.unwrap_or_default())?;
            is_checked = true;
        } else if part.name() == Some("package") {
            // The token stands before the file: nothing is taken in before it was seen.
            if !is_checked {
                break;
            }
            let name = file_name(part.file_name().unwrap_or_default());
            let name = name.map_err(|refusal| visitor.refused(&refusal))?;
            // It is never closed.
            let _place = PLACES.acquire().await.ok();
            let file = spooled(&visitor, part).await?;
            let file = SentFile::new(name.to_string(), file).map_err(|_| broken())?;
            let actor = visitor.actor.clone();
            let judged = blocking(&desk, lang, move |desk| {
                desk.judge_package(&actor, &file, lang)
            });
            let report = judged.await.map_err(|problem| visitor.failed(&problem))?;
            return Ok(shown(report));
        }
    }
    visitor.check("")?;
    Err(broken())
}

/// The file, in one that has no name.
async fn spooled(visitor: &Visitor, mut part: Field<'_>) -> Result<std::fs::File, Response> {
    let failed = |error: std::io::Error| {
        let problem = Problem::of(&Refusal::Evidence(error.to_string()), visitor.lang);
        visitor.failed(&problem)
    };
    let mut file = tempfile::tempfile().map_err(failed)?;
    let mut size = 0_u64;
    while let Some(piece) = part
        .chunk()
        .await
        .map_err(|_| visitor.refused(&Refusal::CutOff))?
    {
        size = size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if size > PACKAGE_BYTES_MAX {
            let bytes_max = PACKAGE_BYTES_MAX;
            return Err(visitor.refused(&Refusal::TooLarge { bytes_max }));
        }
        // A piece is some kilobytes, written into the memory of the page cache.
        file.write_all(&piece).map_err(failed)?;
    }
    Ok(file)
}

/// The verifier's own page, with its own style sheet and nothing else allowed.
fn shown(report: String) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    let mut response = Html(report).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Packages that are under way at the same time: each may fill a gigabyte of the folder for temporary files.
static PLACES: Semaphore = Semaphore::const_new(4);

/// Bytes of a package.
const PACKAGE_BYTES_MAX: u64 = 1 << 30;

/// Parts of the form.
const PARTS_MAX: usize = 4;
