//! Searches that somebody keeps under a name: listed above the conditions, kept from what was found.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use maud::{Markup, html};
use serde::Deserialize;

use super::conditions::SearchForm;
use super::frame::form_token;
use super::text::foreign;
use super::visitor::{Member, Visitor};
use crate::acts::{Desk, KeptSearch, Refusal};
use crate::api::{blocking, question};

#[derive(Debug, Deserialize)]
struct KeepForm {
    form_token: String,
    name: String,
    query: String,
}

#[derive(Debug, Deserialize)]
struct DropForm {
    form_token: String,
    name: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/search/kept", post(keep))
        .route("/search/kept/drop", post(forget))
}

/// Those that the visitor keeps.
pub(super) fn list(visitor: &Visitor, kept: &[KeptSearch]) -> Markup {
    let lang = visitor.lang;
    html! {
        @if !kept.is_empty() {
            section.sheet.no-print { h2 { (lang.pick("保存した検索", "Kept searches")) }
                ul.kept { @for one in kept { li {
                    @if let Some(form) = SearchForm::of(&one.conditions) { a href={ "/search?" (form.address(None)) } { (foreign(&one.name)) } }
                    @else { (foreign(&one.name)) }
                    " " form method="post" action="/search/kept/drop" {
                        (form_token(visitor))
                        input type="hidden" name="name" value=(one.name);
                        button.quiet type="submit" aria-label={ (lang.pick("消す: ", "Drop ")) (one.name) } { (lang.pick("消す", "Drop")) }
                    }
                } } }
            }
        }
    }
}

/// Keeps the search that was just asked.
pub(super) fn form(visitor: &Visitor, address: &str) -> Markup {
    let lang = visitor.lang;
    html! {
        details.no-print { summary { (lang.pick("この検索を保存する", "Keep this search")) }
            form method="post" action="/search/kept" {
                (form_token(visitor))
                input type="hidden" name="query" value=(address);
                label for="keep-name" { (lang.pick("名前(自分だけに見えます)", "Name; nobody else sees it")) }
                input #keep-name type="text" name="name" required maxlength="100";
                div.actions { button.plain type="submit" { (lang.pick("保存", "Keep")) } }
            }
        }
    }
}

async fn keep(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(form): Form<KeepForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let search = blocking(&desk, lang, move |desk| {
        let search = SearchForm::of_query(&form.query).ok_or_else(|| {
            Refusal::invalid(
                "query",
                "検索条件を読み取れません。もう一度検索してください",
                "these are no conditions: search again",
            )
        })?;
        let params = search.params();
        question(&params, lang)?;
        let conditions = params.conditions();
        let name = form.name.trim().to_owned();
        desk.keep_search(&actor, KeptSearch { name, conditions })?;
        Ok(search)
    });
    let search = search.await.map_err(|problem| visitor.failed(&problem))?;
    let place = format!("/search?{}", search.address(None));
    Ok(Redirect::to(&place).into_response())
}

async fn forget(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(form): Form<DropForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let dropped = blocking(&desk, lang, move |desk| {
        desk.drop_search(&actor, &form.name)
    });
    dropped.await.map_err(|problem| visitor.failed(&problem))?;
    Ok(Redirect::to("/search").into_response())
}
