//! Home: what needs me, how things stand.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::approvals::subject;
use super::frame::Frame;
use super::text::{foreign, moment, number};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::Desk;
use crate::api::blocking;
use crate::service::metrics::Status;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/", get(home))
}

async fn home(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    let lang = visitor.lang;
    let actor = visitor.actor.clone();
    let (status, pending, due, events) = blocking(&desk, lang, move |desk| {
        let status = match actor.may(Right::ReadJobs) {
            true => Some(desk.job_status(&actor)?),
            false => None,
        };
        let due = match actor.may(Right::ManagePeople) {
            true => desk.read_review(&actor)?.due_for(&actor.account),
            false => 0,
        };
        let decides = actor.may(Right::ManagePeople) || actor.may(Right::ManageRecords);
        let pending = match decides {
            true => desk.read_approvals(&actor)?,
            false => Vec::new(),
        };
        Ok((status, pending, due, desk.open_events(&actor)))
    })
    .await
    .map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("ホーム", "Home");
    let to_approve: Vec<_> = pending.iter().filter(|one| one.may_approve).collect();
    let matter = html! {
        h1 { (lang.pick("こんにちは、", "Hello, ")) bdi { (visitor.actor.display_name) } }
        @if !to_approve.is_empty() {
            section.sheet {
                h2 { a href="/approvals" { (lang.pick("承認待ち", "Waits for your approval")) } }
                ul {
                    @for one in &to_approve {
                        li { (subject(&one.waiting, lang)) " — " (foreign(&one.waiting.reason)) " (" bdi { (one.waiting.requested_by) } ", " (moment(one.waiting.requested_at)) ")" }
                    }
                }
            }
        }
        @if due > 0 {
            section.sheet {
                h2 { (lang.pick("アカウントの棚卸し", "Review of accounts")) }
                p { a href="/people/review" { (lang.pick(format!("{due} 件のアカウントが、確認の期限を過ぎています。"), format!("Accounts to be confirmed again, overdue: {due}"))) } }
            }
        }
        @if let Some(events) = events.filter(|events| *events > 0) {
            p.notice.warn { a href="/events" { (lang.pick("対応を待つ事象: ", "Events that wait for an answer: ")) (number(events)) } }
        }
        @if let Some(status) = &status { (standing(&visitor, status)) }
        (begin(&visitor))
    };
    let frame = Frame {
        lang,
        visitor: Some(&visitor),
        place: "/",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

fn standing(visitor: &Visitor, status: &Status) -> Markup {
    let lang = visitor.lang;
    html! {
        @for alarm in &status.standing {
            p.notice.bad role="alert" { (lang.pick("警報: ", "Alarm: ")) (foreign(lang.pick(&alarm.ja, &alarm.en))) br; span.hint { (lang.pick("発生: ", "since ")) (moment(alarm.since)) } }
        }
        div.columns {
            section.sheet.card {
                h2 { (lang.pick("タイムスタンプ待ち", "Waiting for a timestamp")) }
                p.big { (number(status.unstamped)) }
                p.hint {
                    @match status.unstamped_since {
                        Some(since) => { (lang.pick("最も古いもの: ", "the oldest since ")) (moment(since)) }
                        None => { (lang.pick("待っている記録はありません。", "Nothing waits.")) }
                    }
                }
            }
            section.sheet.card {
                h2 { (lang.pick("証拠の更新", "Renewal of evidence")) }
                p.big { (number(status.renewals_due)) }
                p.hint {
                    @match status.renewal_next {
                        Some(next) => { (lang.pick("次の更新: ", "next due ")) (moment(next)) }
                        None => { (lang.pick("予定はありません。", "None planned.")) }
                    }
                }
            }
            section.sheet.card {
                h2 { (lang.pick("証拠を失った記録", "Records whose proof has ended")) }
                p.big { (number(status.lost)) }
                p.hint { (lang.pick("0 であるべき数です。", "It should be 0.")) }
            }
        }
    }
}

fn begin(visitor: &Visitor) -> Markup {
    let lang = visitor.lang;
    html! {
        div.columns {
            @if visitor.may(Right::Deposit) {
                section.sheet.card {
                    h2 { (lang.pick("預け入れ", "Deposit")) }
                    p { (lang.pick("請求書や契約書などを保管庫に預けます。ファイルをまとめて選べます。", "Hand invoices, contracts and other records to the archive, many at a time.")) }
                    a.button href="/deposit" { (lang.pick("預け入れる", "Deposit files")) }
                }
            }
            @if visitor.may(Right::Search) {
                section.sheet.card {
                    h2 { (lang.pick("検索", "Search")) }
                    form method="get" action="/search" role="search" {
                        label for="q" { (lang.pick("取引先", "Counterparty")) }
                        input #q type="search" name="counterparty";
                        div.actions { button type="submit" { (lang.pick("探す", "Find")) } a href="/search" { (lang.pick("条件を増やす", "More conditions")) } }
                    }
                }
            }
            @if visitor.may(Right::Verify) {
                section.sheet.card {
                    h2 { (lang.pick("検証", "Verification")) }
                    p { (lang.pick("期間を選び、その間の記録すべてを今この場で検証します。", "Choose a period and verify all of its records now.")) }
                    a.button.plain href="/verification" { (lang.pick("検証する", "Verify")) }
                }
            }
        }
    }
}
