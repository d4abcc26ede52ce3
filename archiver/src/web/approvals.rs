//! Everything that waits for a second person.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::frame::{Frame, form_token};
use super::people::role_names;
use super::review::reach;
use super::text::{foreign, moment};
use super::visitor::{Member, Visitor};
use crate::access::AccountFacts;
use crate::acts::{Awaited, AwaitedAct, Desk};
use crate::api::blocking;
use crate::approval::Waiting;
use crate::cli::lang::Lang;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/approvals", get(show))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let awaited = blocking(&desk, lang, move |desk| desk.read_approvals(&actor)).await;
    let awaited = awaited.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("承認待ち", "Approvals");
    let matter = html! {
        h1 { (title) }
        p.lead { (lang.pick(
            "一人が申請し、別の一人が承認する操作です。期限までに決まらない申請は無効になります。",
            "What one person asks for and another one approves. A request that nobody decides in time is over.")) }
        @if awaited.is_empty() { p.empty { (lang.pick("承認を待つ申請はありません。", "Nothing waits.")) } }
        @for one in &awaited { (request(&visitor, one)) }
    };
    let frame = Frame {
        lang,
        visitor: Some(&visitor),
        place: "/approvals",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

fn request(visitor: &Visitor, one: &AwaitedAct) -> Markup {
    let lang = visitor.lang;
    let waiting = &one.waiting;
    // The forms lead to where the thing itself is shown: there stands what came of it, a first password included.
    let place = match &waiting.what {
        Awaited::Account(_) => "/people/requests/",
        Awaited::Release(_) => "/quarantine/requests/",
    };
    html! {
        section.sheet {
            h2 { (subject(waiting, lang)) }
            @if let Awaited::Account(change) = &waiting.what { (granted(&change.facts, lang)) }
            p { (foreign(&waiting.reason)) br;
                span.hint { (lang.pick("申請者 ", "asked for by ")) bdi { (waiting.requested_by) } ", " (moment(waiting.requested_at)) " · " (lang.pick("期限 ", "until ")) (moment(one.expires_at)) } }
            @if one.may_end {
                div.actions {
                    @if one.may_approve {
                        form method="post" action={ (place) (waiting.id) "/approve" } { (form_token(visitor)) button type="submit" { (lang.pick("承認する", "Approve")) } }
                    } @else { p.hint { (lang.pick("ほかの人が承認します。", "Another person approves it.")) } }
                    form.actions method="post" action={ (place) (waiting.id) "/refuse" } {
                        (form_token(visitor))
                        input type="text" name="reason" required maxlength="1000" aria-label=(lang.pick("却下・取り下げの理由", "Why it is refused or withdrawn")) placeholder=(lang.pick("理由", "reason"));
                        button.plain type="submit" { (lang.pick("却下・取り下げ", "Refuse or withdraw")) }
                    }
                }
            }
        }
    }
}

/// What an account is to be: nobody approves it unseen.
fn granted(facts: &AccountFacts, lang: Lang) -> Markup {
    html! {
        p { (foreign(&facts.display_name)) " — " (role_names(facts, lang))
            @if let Some(reach) = reach(facts) { br; (lang.pick("範囲: ", "reaches only ")) (foreign(&reach)) }
        }
    }
}

/// What waits, with a way to where it is shown.
pub(super) fn subject(waiting: &Waiting<Awaited>, lang: Lang) -> Markup {
    html! {
        @match &waiting.what {
            Awaited::Account(change) => { (lang.pick("アカウント ", "Account ")) a href={ "/people#request-" (waiting.id) } { bdi { (change.account) } } }
            Awaited::Release(version) => {
                (lang.pick("隔離の解除: 記録 ", "Release from quarantine: record "))
                a.id href={ "/records/" (version.record()) "/" (version.version()) } { (version.record()) }
            }
        }
    }
}
