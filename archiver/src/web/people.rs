//! People: accounts, what waits for approval, and asking for more.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, alert, form_token};
use super::text::{foreign, moment};
use super::visitor::{Bare, Member, Visitor};
use crate::access::account::AccountRequested;
use crate::access::{
    Account, AccountFacts, AccountKind, AccountState, Directory, Right, Role, Scope,
};
use crate::acts::{Actor, Desk, FirstPassword, Refusal};
use crate::api::{Problem, blocking};
use crate::approval::Clockwork;
use crate::cli::lang::Lang;

/// `POST /people/requests`; each role is a field of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct AccountForm {
    form_token: String,
    account: String,
    display_name: String,
    reason: String,
    classes: String,
    openid: String,
    depositor: Option<String>,
    retriever: Option<String>,
    records_manager: Option<String>,
    key_custodian: Option<String>,
    auditor: Option<String>,
    inspector: Option<String>,
    operator: Option<String>,
    administrator: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ReasonForm {
    form_token: String,
    reason: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/people", get(show))
        .route("/people/requests", post(request))
        .route("/people/requests/{request}/approve", post(approve))
        .route("/people/requests/{request}/refuse", post(refuse))
        .route("/people/{account}/suspend", post(suspend))
        .route("/people/{account}/resume", post(resume))
        .route("/people/{account}/close", post(close))
        .route("/people/{account}/reset", post(reset))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
) -> Result<Response, Response> {
    page(&desk, &visitor, None, None).await
}

async fn page(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    problem: Option<&Problem>,
    first: Option<&FirstPassword>,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let directory = blocking(desk, lang, move |desk| desk.read_people(&actor)).await;
    let directory = directory.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("アカウント", "People");
    let manages = visitor.may(Right::ManagePeople);
    let matter = html! {
        h1 { (title) }
        p.no-print { a href="/approvals" { (lang.pick("承認待ちの一覧", "All that waits for approval")) } }
        (alert(problem))
        @if let Some(first) = first { (handed(first, lang)) }
        (pending(visitor, &directory, desk.clockwork()))
        p.no-print { a href="/people/review" { (lang.pick("アカウントの棚卸し(年に一度の確認)", "Review of accounts, once a year")) } }
        (accounts(visitor, &directory, manages))
        @if manages { (request_form(visitor)) }
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

fn handed(first: &FirstPassword, lang: Lang) -> Markup {
    html! {
        div.notice.good role="status" {
            strong { (lang.pick("初回パスワード(ここでしか表示しません)", "First password, shown here only")) } br;
            bdi { (first.account) } ": " span.id { (first.password.as_str()) } br;
            (lang.pick("本人に直接渡してください。最初のログインで変更します。", "Hand it to the person. It is changed at the first log-in."))
        }
    }
}

pub(super) fn role_names(facts: &AccountFacts, lang: Lang) -> String {
    let names: Vec<&str> = facts.roles.iter().map(|role| role.title(lang)).collect();
    names.join(lang.pick("・", ", "))
}

fn pending(visitor: &Visitor, directory: &Directory, clockwork: Clockwork) -> Markup {
    let lang = visitor.lang;
    let manages = visitor.may(Right::ManagePeople);
    let waiting: Vec<_> = directory.waiting(clockwork).collect();
    html! {
        section.sheet {
            h2 { (lang.pick("承認待ちの申請", "Waits for approval")) }
            @if waiting.is_empty() { p.empty { (lang.pick("申請はありません。", "Nothing waits.")) } }
            @for one in waiting {
                div id={ "request-" (one.id) } {
                    p { strong { bdi { (one.what.account) } } " — " (foreign(&one.what.facts.display_name)) ": " (role_names(&one.what.facts, lang)) br;
                        @if let Some(openid) = &one.what.facts.openid { (lang.pick("OpenID の識別子: ", "OpenID subject: ")) (foreign(openid)) br; }
                        span.hint { (lang.pick("理由: ", "Reason: ")) (foreign(&one.reason)) " · " (lang.pick("申請者 ", "asked for by ")) bdi { (one.requested_by) } ", " (moment(one.requested_at)) " · " (lang.pick("期限 ", "until ")) (moment(one.expires_at(clockwork))) } }
                    @if manages {
                        div.actions {
                            @if one.requested_by != visitor.actor.account && one.what.account != visitor.actor.account {
                                form method="post" action={ "/people/requests/" (one.id) "/approve" } { (form_token(visitor)) button type="submit" { (lang.pick("承認する", "Approve")) } }
                            } @else { p.hint { (lang.pick("ほかの人が承認します。", "Another person approves it.")) } }
                            form.actions method="post" action={ "/people/requests/" (one.id) "/refuse" } {
                                (form_token(visitor))
                                input type="text" name="reason" required aria-label=(lang.pick("却下・取り下げの理由", "Why it is refused or withdrawn")) placeholder=(lang.pick("理由", "reason"));
                                button.plain type="submit" { (lang.pick("却下・取り下げ", "Refuse or withdraw")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn accounts(visitor: &Visitor, directory: &Directory, manages: bool) -> Markup {
    let lang = visitor.lang;
    html! {
        section.sheet {
            h2 { (lang.pick("アカウント一覧", "Accounts")) }
            div.scroll { table {
                thead { tr {
                    th scope="col" { (lang.pick("アカウント", "Account")) } th scope="col" { (lang.pick("名前", "Name")) } th scope="col" { (lang.pick("役割", "Roles")) }
                    th scope="col" { (lang.pick("状態", "State")) } th scope="col" { (lang.pick("最終利用", "Last used")) }
                    @if manages { th scope="col" { (lang.pick("操作", "Acts")) } }
                } }
                tbody { @for account in directory.accounts() { tr {
                    td { bdi { (account.name) } @if let Some(openid) = &account.facts.openid { br; small.hint { "OpenID: " (foreign(openid)) } } } td { (foreign(&account.facts.display_name)) } td { (role_names(&account.facts, lang)) }
                    td { (state(account, lang)) }
                    td { @match account.last_used_at { Some(at) => { (moment(at)) } None => { "—" } } }
                    @if manages { td { (acts(visitor, account)) } }
                } } }
            } }
        }
    }
}

pub(super) fn state(account: &Account, lang: Lang) -> Markup {
    let (class, text) = match account.state {
        AccountState::Requested => ("tag", lang.pick("申請中", "requested")),
        AccountState::Active => ("tag good", lang.pick("使用中", "active")),
        AccountState::Suspended => ("tag warn", lang.pick("停止中", "suspended")),
        AccountState::Closed => ("tag", lang.pick("終了", "closed")),
    };
    html! { span class=(class) { (text) } }
}

fn acts(visitor: &Visitor, account: &Account) -> Markup {
    let lang = visitor.lang;
    let is_open = matches!(
        account.state,
        AccountState::Active | AccountState::Suspended
    );
    if !is_open {
        return html! {};
    }
    let is_self = account.name == visitor.actor.account;
    html! {
        details {
            summary { (lang.pick("変更", "Change")) }
            form method="post" action={ "/people/" (account.name) "/suspend" } {
                (form_token(visitor))
                label for={ "reason-" (account.name) } { (lang.pick("理由", "Reason")) }
                input id={ "reason-" (account.name) } type="text" name="reason" required;
                div.actions {
                    @if account.state == AccountState::Active { button.plain type="submit" { (lang.pick("停止", "Suspend")) } }
                    @if !is_self {
                        button.plain type="submit" formaction={ "/people/" (account.name) "/resume" } { (lang.pick("再開・ロック解除", "Resume or unlock")) }
                        button.plain type="submit" formaction={ "/people/" (account.name) "/reset" } { (lang.pick("パスワード再発行", "New first password")) }
                        button.plain type="submit" formaction={ "/people/" (account.name) "/close" } { (lang.pick("終了", "Close for ever")) }
                    }
                }
            }
        }
    }
}

fn request_form(visitor: &Visitor) -> Markup {
    let lang = visitor.lang;
    html! {
        form.sheet method="post" action="/people/requests" {
            h2 { (lang.pick("アカウントの申請(変更も同じ)", "Ask for an account, or for a change of one")) }
            (form_token(visitor))
            div.fields {
                div { label for="account" { (lang.pick("アカウント名", "Account")) } input #account type="text" name="account" required pattern="[a-z][a-z0-9._\\-]+" aria-describedby="account-hint";
                    p.hint #account-hint { (lang.pick("小文字で始まる英小文字・数字。終了しても再利用しません。", "Small letters and digits, a letter first; never used again.")) } }
                div { label for="display" { (lang.pick("氏名", "Name")) } input #display type="text" name="display_name" required; }
                div { label for="classes" { (lang.pick("閲覧できる保管要件(空ならすべて)", "Classes, separated by commas; empty: all")) } input #classes type="text" name="classes"; }
                div { label for="openid" { (lang.pick("OpenID の識別子(空なら OpenID ではログインできません)", "OpenID subject; empty: no log-in by OpenID")) } input #openid type="text" name="openid" maxlength="255" autocapitalize="none" spellcheck="false" aria-describedby="openid-hint";
                    p.hint #openid-hint { (lang.pick("変更の申請でも毎回入れてください。空にすると登録が外れます。", "Give it with every change, too: an empty field takes it away.")) } }
                div { label for="reason" { (lang.pick("理由", "Reason")) } input #reason type="text" name="reason" required; }
            }
            fieldset {
                legend { (lang.pick("役割", "Roles")) }
                @for role in Role::ALL { div { label.inline { input type="checkbox" name=(role.code().replace('-', "_")) value="1"; (role.title(lang)) } } }
                p.hint { (lang.pick("監査人と検査担当はほかの役割を兼ねられません。鍵管理者は運用者・管理者・記録管理者を兼ねられません。",
                    "Auditors and inspectors hold nothing else; key custodians are neither operators nor administrators nor records managers.")) }
            }
            div.actions { button type="submit" { (lang.pick("申請する", "Ask")) } }
        }
    }
}

impl AccountForm {
    fn asked(&self) -> AccountRequested {
        let chosen = [
            (&self.depositor, Role::Depositor),
            (&self.retriever, Role::Retriever),
            (&self.records_manager, Role::RecordsManager),
            (&self.key_custodian, Role::KeyCustodian),
            (&self.auditor, Role::Auditor),
            (&self.inspector, Role::Inspector),
            (&self.operator, Role::Operator),
            (&self.administrator, Role::Administrator),
        ];
        let roles = chosen.into_iter().filter(|(set, _)| set.is_some());
        let classes: BTreeSet<String> = self
            .classes
            .split([',', '、'])
            .map(|one| one.trim().to_owned())
            .filter(|one| !one.is_empty())
            .collect();
        AccountRequested {
            account: self.account.trim().to_owned(),
            facts: AccountFacts {
                display_name: self.display_name.trim().to_owned(),
                kind: AccountKind::Person,
                roles: roles.map(|(_, role)| role).collect(),
                scope: Scope {
                    classes: (!classes.is_empty()).then_some(classes),
                    matters: None,
                },
                mail: None,
                certificates: BTreeSet::new(),
                openid: Some(self.openid.trim())
                    .filter(|one| !one.is_empty())
                    .map(str::to_owned),
            },
            reason: self.reason.trim().to_owned(),
        }
    }
}

async fn request(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(form): Form<AccountForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let asked = form.asked();
    done(&desk, &visitor, move |desk, visitor| {
        desk.request_account(&visitor.actor, &asked).map(|_| None)
    })
    .await
}

async fn approve(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(request): Path<String>,
    Form(form): Form<Bare>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    done(&desk, &visitor, move |desk, visitor| {
        let request = request.parse().map_err(|_| Refusal::NotFound)?;
        desk.approve_account(&visitor.actor, request)
    })
    .await
}

async fn refuse(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(request): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    done(&desk, &visitor, move |desk, visitor| {
        let request = request.parse().map_err(|_| Refusal::NotFound)?;
        desk.refuse_account(&visitor.actor, request, &form.reason)
            .map(|()| None)
    })
    .await
}

async fn suspend(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(name): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Result<Response, Response> {
    about(
        &desk,
        &visitor,
        (name, form),
        |desk, actor, name, reason| desk.suspend_account(actor, name, reason).map(|()| None),
    )
    .await
}

async fn resume(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(name): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Result<Response, Response> {
    about(
        &desk,
        &visitor,
        (name, form),
        |desk, actor, name, reason| desk.resume_account(actor, name, reason).map(|()| None),
    )
    .await
}

async fn close(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(name): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Result<Response, Response> {
    about(
        &desk,
        &visitor,
        (name, form),
        |desk, actor, name, reason| desk.close_account(actor, name, reason).map(|()| None),
    )
    .await
}

async fn reset(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path(name): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Result<Response, Response> {
    about(
        &desk,
        &visitor,
        (name, form),
        |desk, actor, name, reason| desk.reset_account(actor, name, reason).map(Some),
    )
    .await
}

/// What is done about an account for a reason; a first password where it makes one.
type Change = fn(&Desk, &Actor, &str, &str) -> Result<Option<FirstPassword>, Refusal>;

/// Does something about an account that a form names.
async fn about(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    (name, form): (String, ReasonForm),
    change: Change,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    done(desk, visitor, move |desk, visitor| {
        change(desk, &visitor.actor, &name, &form.reason)
    })
    .await
}

/// Does something about an account, and shows how things stand then. A first password is shown on the answer itself: it is nowhere else.
async fn done(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    act: impl FnOnce(&Desk, &Visitor) -> Result<Option<FirstPassword>, Refusal> + Send + 'static,
) -> Result<Response, Response> {
    let actor = visitor.clone();
    let acted = blocking(desk, visitor.lang, move |desk| {
        // An API's client that saw the account before must find it changed.
        let _turn = desk.turn_to_change_people();
        act(desk, &actor)
    });
    match acted.await {
        Ok(None) => Ok(Redirect::to("/people").into_response()),
        Ok(Some(first)) => page(desk, visitor, None, Some(&first)).await,
        Err(problem) if problem.code == "not-allowed" => Err(visitor.failed(&problem)),
        Err(problem) => page(desk, visitor, Some(&problem), None).await,
    }
}
