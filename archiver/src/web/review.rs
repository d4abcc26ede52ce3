//! The yearly review of accounts: each stays, is suspended or closed, by another person than its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};

use super::frame::{Frame, alert, form_token};
use super::people::{role_names, state};
use super::search::line;
use super::text::{day, foreign};
use super::visitor::{Member, Visitor};
use crate::access::review::{Decided, Decision};
use crate::access::{Account, AccountFacts, AccountKind, Right};
use crate::acts::{Desk, Refusal, ReviewList, ReviewRow};
use crate::api::{Problem, attachment, blocking};
use crate::cli::lang::Lang;
use crate::cli::query::rfc3339;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/people/review", get(show).post(review))
        .route("/people/review.csv", get(csv))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    page(&desk, &visitor, None).await
}

async fn page(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    problem: Option<&Problem>,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let list = blocking(desk, lang, move |desk| desk.read_review(&actor)).await;
    let mut list = list.map_err(|problem| visitor.failed(&problem))?;
    list.rows.retain(|row| row.account.is_open());
    // What is to be done comes first.
    list.rows.sort_by_key(|row| !row.is_due);
    let title = lang.pick("アカウントの棚卸し", "Review of accounts");
    let manages = visitor.may(Right::ManagePeople);
    let matter = html! {
        p.no-print { a href="/people" { (lang.pick("アカウントへ戻る", "Back to People")) } }
        h1 { (title) }
        p.lead { (lang.pick(
            format!("{} 日ごとに、すべてのアカウントがまだ要るか、役割が合っているかを確かめます。期限から {} 日以内に確かめられないアカウントは停止します。自分のアカウントは、ほかの管理者が決めます。", list.review_days, list.answer_days),
            format!("Every {} days somebody looks whether each account is still needed and its roles are right. What nobody confirms within {} days more is suspended. Your own is decided by another administrator.", list.review_days, list.answer_days))) }
        (alert(problem))
        p { (lang.pick(format!("期限を過ぎたアカウント: {} 件", list.due()), format!("Overdue: {}", list.due()))) }
        @if manages { form method="post" action="/people/review" {
            (form_token(visitor))
            (table(visitor, &list, true))
            div.actions { button type="submit" { (lang.pick("決定を記録する", "Record the decisions")) } }
        } } @else { (table(visitor, &list, false)) }
        p { a.button.plain href="/people/review.csv" { (lang.pick("一覧を CSV で", "The list as CSV")) } }
    };
    let frame = Frame {
        lang,
        visitor: Some(visitor),
        place: "/people",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

fn table(visitor: &Visitor, list: &ReviewList, decides: bool) -> Markup {
    let lang = visitor.lang;
    html! {
        div.sheet.scroll { table {
            thead { tr {
                th scope="col" { (lang.pick("アカウント", "Account")) } th scope="col" { (lang.pick("役割", "Roles")) } th scope="col" { (lang.pick("状態", "State")) }
                th scope="col" { (lang.pick("最終利用", "Last used")) } th scope="col" { (lang.pick("前回の確認", "Last confirmed")) }
                @if decides { th scope="col" { (lang.pick("決定", "Decision")) } th scope="col" { (lang.pick("備考", "Remark")) } }
            } }
            tbody { @for row in &list.rows { tr {
                td { bdi { (row.account.name) } br; (foreign(&row.account.facts.display_name)) }
                td { (role_names(&row.account.facts, lang)) @if let Some(reach) = reach(&row.account.facts) { br; small.hint { (foreign(&reach)) } } }
                td { (state(&row.account, lang)) }
                td { @match row.account.last_used_at { Some(at) => { (day(at)) } None => { "—" } } }
                td { (confirmed(row, lang)) }
                @if decides { (decision(visitor, &row.account)) }
            } } }
        } }
    }
}

fn confirmed(row: &ReviewRow, lang: Lang) -> Markup {
    html! {
        @match &row.account.review {
            Some(review) => { (day(review.at)) " " bdi { (review.by) } @if !review.decided.remark.is_empty() { br; small.hint { (foreign(&review.decided.remark)) } } }
            None => { "—" }
        }
        @if row.is_due { " " span.tag.warn { (lang.pick("期限超過", "overdue")) } }
    }
}

fn decision(visitor: &Visitor, account: &Account) -> Markup {
    let lang = visitor.lang;
    let name = &account.name;
    if *name == visitor.actor.account {
        return html! { td colspan="2" { span.hint { (lang.pick("ほかの管理者が決めます。", "Another administrator decides.")) } } };
    }
    html! {
        td { select name={ "decision." (name) } aria-label={ (lang.pick("決定: ", "Decision about ")) (name) } {
            option value="" { (lang.pick("まだ決めない", "not yet")) }
            @for one in Decision::ALL { option value=(one.code()) { (title(one, lang)) } }
        } }
        td { input type="text" name={ "remark." (name) } maxlength="1000" aria-label={ (lang.pick("備考: ", "Remark about ")) (name) }; }
    }
}

fn title(decision: Decision, lang: Lang) -> &'static str {
    match decision {
        Decision::Keep => lang.pick("継続", "Keep"),
        Decision::Suspend => lang.pick("停止(備考に理由)", "Suspend, and why"),
        Decision::Close => lang.pick("終了(備考に理由)", "Close for ever, and why"),
    }
}

/// Which classes and matters an account reaches; `None`: all.
pub(super) fn reach(facts: &AccountFacts) -> Option<String> {
    let scope = &facts.scope;
    let all = scope.classes.iter().chain(&scope.matters).flatten();
    let all: Vec<&str> = all.map(String::as_str).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

async fn review(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Response> {
    let token = fields.iter().find(|(name, _)| name == "form_token");
    visitor.check(token.map(|(_, token)| token.as_str()).unwrap_or_default())?;
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let reviewed = match decisions(&fields) {
        Ok(decisions) => {
            blocking(&desk, lang, move |desk| {
                let _turn = desk.turn_to_change_people();
                desk.review_accounts(&actor, decisions)
            })
            .await
        }
        Err(refusal) => Err(Problem::of(&refusal, lang)),
    };
    match reviewed {
        Ok(()) => Ok(Redirect::to("/people/review").into_response()),
        Err(problem) if problem.code == "not-allowed" => Err(visitor.failed(&problem)),
        Err(problem) => page(&desk, &visitor, Some(&problem)).await,
    }
}

/// What was decided, account by account; a field that was left open decides nothing.
fn decisions(fields: &[(String, String)]) -> Result<BTreeMap<String, Decided>, Refusal> {
    let value = |kind: &str, name: &str| {
        let key = format!("{kind}.{name}");
        let found = fields.iter().find(|(one, _)| *one == key);
        found
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let mut decisions = BTreeMap::new();
    for (key, code) in fields {
        let Some(name) = key.strip_prefix("decision.").filter(|_| !code.is_empty()) else {
            continue;
        };
        let decision = Decision::from_code(code).ok_or_else(|| {
            Refusal::invalid(
                "decision",
                "継続・停止・終了から選んでください",
                "choose keep, suspend or close",
            )
        })?;
        let remark = value("remark", name);
        decisions.insert(name.to_owned(), Decided { decision, remark });
    }
    Ok(decisions)
}

async fn csv(State(desk): State<Arc<Desk>>, Member(visitor): Member) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let list = blocking(&desk, lang, move |desk| desk.export_review(&actor)).await;
    let list = list.map_err(|problem| visitor.failed(&problem))?;
    let text = csv_text(&list, lang);
    let size = text.len() as u64;
    let name = format!("accounts-{}.csv", day(list.at));
    let kind = "text/csv; charset=utf-8";
    Ok(attachment(kind, &name, Some(size), Body::from(text)))
}

/// The list for people: a mark of the byte order, so that spreadsheets read it as UTF-8.
fn csv_text(list: &ReviewList, lang: Lang) -> String {
    let head = lang.pick(
        [
            "アカウント",
            "氏名",
            "種類",
            "役割",
            "範囲",
            "状態",
            "使用開始",
            "最終利用",
            "前回の確認",
            "確認者",
            "決定",
            "備考",
            "期限超過",
        ],
        [
            "account",
            "name",
            "kind",
            "roles",
            "reach",
            "state",
            "in use since",
            "last used",
            "last review",
            "by",
            "decision",
            "remark",
            "overdue",
        ],
    );
    let mut text = String::from("\u{feff}");
    text.push_str(&line(&head.map(str::to_owned)));
    for row in &list.rows {
        text.push_str(&line(&cells(row, lang)));
    }
    text
}

fn cells(row: &ReviewRow, lang: Lang) -> [String; 13] {
    let account = &row.account;
    let at = |at: Option<time::OffsetDateTime>| at.map(rfc3339).unwrap_or_default();
    let review = account.review.as_ref();
    let of_review = |text: fn(&crate::access::review::LastReview) -> String| {
        review.map(text).unwrap_or_default()
    };
    [
        account.name.clone(),
        account.facts.display_name.clone(),
        match account.facts.kind {
            AccountKind::Person => lang.pick("人", "person"),
            AccountKind::System => lang.pick("システム", "system"),
        }
        .to_owned(),
        role_names(&account.facts, lang),
        reach(&account.facts).unwrap_or_default(),
        account.state.code().to_owned(),
        at(account.approved_at),
        at(account.last_used_at),
        of_review(|review| rfc3339(review.at)),
        of_review(|review| review.by.clone()),
        of_review(|review| review.decided.decision.code().to_owned()),
        of_review(|review| review.decided.remark.clone()),
        match row.is_due {
            true => lang.pick("はい", "yes"),
            false => "",
        }
        .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_left_open_decides_nothing_and_an_unknown_word_is_refused() {
        let fields = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            let owned = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            owned.collect::<Vec<_>>()
        };
        let decided = decisions(&fields(&[
            ("form_token", "x"),
            ("decision.sato", "keep"),
            ("remark.sato", " "),
            ("decision.kato", ""),
            ("remark.kato", "later"),
            ("decision.ono", "suspend"),
            ("remark.ono", " on leave "),
        ]))
        .unwrap();
        let found: Vec<_> = decided
            .iter()
            .map(|(name, one)| (name.as_str(), one.decision, one.remark.as_str()))
            .collect();
        let expected = [
            ("ono", Decision::Suspend, "on leave"),
            ("sato", Decision::Keep, ""),
        ];
        assert_eq!(found, expected);
        assert!(decisions(&fields(&[("decision.sato", "delete")])).is_err());
    }
}
