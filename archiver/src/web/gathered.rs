//! All contents of a search as one file.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use axum::routing::post;
use maud::{Markup, html};

use super::conditions::SearchForm;
use super::frame::form_token;
use super::record::PurposeForm;
use super::visitor::{Member, Visitor};
use crate::acts::{Desk, Purpose};
use crate::api::{attachment, blocking, download, question};

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/search.zip", post(fetch))
}

/// The form below the hits of a search.
pub(super) fn form(visitor: &Visitor, address: &str) -> Markup {
    let lang = visitor.lang;
    html! {
        details.no-print { summary { (lang.pick("見つかったすべてのファイルを取り出す", "Fetch all files that were found")) }
            form method="post" action={ "/search.zip?" (address) } data-download="yes" {
                (form_token(visitor))
                label for="gather-purpose" { (lang.pick("利用目的(監査証跡に残ります)", "What for (kept in the audit trail)")) }
                input #gather-purpose type="text" name="purpose" required maxlength="500";
                p.hint { (lang.pick("一つの ZIP に、記録ごとのフォルダーと一覧(index.csv、SHA-256 付き)が入ります。", "One ZIP file: a folder for each record, and a table (index.csv) with the SHA-256 of each file.")) }
                div.actions { button type="submit" { (lang.pick("まとめて取り出す", "Fetch all")) } }
            }
        }
    }
}

async fn fetch(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Query(search): Query<SearchForm>,
    Form(form): Form<PurposeForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let (lang, actor, params) = (visitor.lang, visitor.actor.clone(), search.params());
    let now = desk.archive().environment().clock.now();
    let gathered = blocking(&desk, lang, move |desk| {
        let question = question(&params, lang)?;
        desk.gather(&actor, &question, Purpose(&form.purpose))
    });
    let gathered = gathered.await.map_err(|problem| visitor.failed(&problem))?;
    let body = download(move |output| {
        gathered
            .write(lang, now, output)
            .map_err(|error| error.to_string())
    });
    let name = format!("search-{}.zip", super::text::day(now));
    Ok(attachment("application/zip", &name, None, body))
}
