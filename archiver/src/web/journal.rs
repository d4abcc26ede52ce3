//! The operation journal: a day in five items, with what was noted and who signed; and the analysis of a month.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use time::Date;

use super::frame::{Frame, alert, form_token};
use super::text::{foreign, moment, number};
use super::visitor::{Member, Visitor};
use crate::access::Right;
use crate::acts::{Actor, Desk, REMARK_CHARACTERS_MAX, Refusal, ShownJournal, asked_day};
use crate::api::{Problem, blocking};
use crate::audit::Act;
use crate::cli::lang::Lang;
use crate::journal::{
    Journal, JournalLine, SessionSpan, Signature, Signed, Standing, day_text, parse_day,
};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct DayQuery {
    day: String,
}

#[derive(Debug, Deserialize)]
struct NoteForm {
    form_token: String,
    day: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct SignForm {
    form_token: String,
    day: String,
    #[serde(rename = "as")]
    signature: Signature,
    remark: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/journal", get(show))
        .route("/journal/notes", post(note))
        .route("/journal/signatures", post(sign))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Query(query): Query<DayQuery>,
) -> Result<Response, Response> {
    page(&desk, &visitor, &query.day, None).await
}

async fn page(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    day: &str,
    problem: Option<&Problem>,
) -> Result<Response, Response> {
    let (lang, actor) = (visitor.lang, visitor.actor.clone());
    let given = (!day.is_empty()).then(|| day.to_owned());
    let read = blocking(desk, lang, move |desk| {
        let day = given.map(|day| asked_day(&day)).transpose()?;
        let shown = desk.read_journal(&actor, day)?;
        Ok((shown, desk.read_journals(&actor, DAYS_LISTED)?))
    })
    .await;
    let (shown, days) = read.map_err(|problem| visitor.failed(&problem))?;
    let title = lang.pick("運用日誌", "Operation journal");
    let day = day_text(shown.journal.day);
    let matter = html! {
        h1 { (title) " " (day) }
        p.lead { (lang.pick(
            "一日の運用を五つの項目にまとめ、翌日に締めて記録として保管します(5 年)。締めた日誌は変わりません。訂正は追記します。",
            "A day of operation in five items. It is closed on the next day and kept as a record for five years. A closed journal does not change: what is to be corrected is added.")) }
        (alert(problem))
        (choice(&shown, lang))
        (state(visitor, &shown))
        (items(&shown.journal, lang))
        (notes(visitor, &shown))
        (list(&days, lang))
    };
    let frame = Frame {
        lang,
        visitor: Some(visitor),
        place: "/journal",
        title,
        evaluation: visitor.evaluation,
    };
    Ok(frame.page(&matter).into_response())
}

fn choice(shown: &ShownJournal, lang: Lang) -> Markup {
    html! {
        form.sheet.no-print method="get" action="/journal" {
            label for="day" { (lang.pick("日", "Day")) }
            input #day type="date" name="day" value=(day_text(shown.journal.day)) max=(day_text(shown.today));
            div.actions { button type="submit" { (lang.pick("表示", "Show")) } }
        }
    }
}

fn state(visitor: &Visitor, shown: &ShownJournal) -> Markup {
    let lang = visitor.lang;
    let standing = &shown.standing;
    let Some((at, closed)) = &standing.closed else {
        return html! { p.notice { (lang.pick("この日はまだ締められていません。表示は今までの分です。", "This day is not closed yet: here is what there is up to now.")) } };
    };
    let version = closed.version;
    let address = format!("/records/{}/{}", version.record(), version.version());
    html! {
        section.sheet {
            h2 { (lang.pick("締めと署名", "Closing and signatures")) }
            dl.facts {
                dt { (lang.pick("締めた時刻", "Closed")) } dd { (moment(*at)) }
                dt { (lang.pick("記録", "Record")) } dd {
                    @if visitor.may(Right::Search) { a.id href=(address) { (version) } } @else { span.id { (version) } }
                }
                dt { "SHA-256" } dd { span.id { (closed.sha256) } }
                @for signed in &standing.signed { (signature(signed, lang)) }
            }
            @if visitor.may(Right::ManageSystem) && may_sign(visitor, standing) {
                (sign_form(visitor, shown, "confirmed", lang.pick("この日の運用を確認した", "Confirm this day")))
            }
            @if visitor.may(Right::ReadAudit) && may_sign(visitor, standing) {
                (sign_form(visitor, shown, "inspected", lang.pick("日誌を検査した", "The journal was inspected")))
            }
        }
    }
}

fn may_sign(visitor: &Visitor, standing: &Standing) -> bool {
    let account = &visitor.actor.account;
    !standing.signed.iter().any(|one| one.by == *account)
}

fn signature(signed: &Signed, lang: Lang) -> Markup {
    let title = match signed.signature {
        Signature::Confirmed => lang.pick("確認(システム管理者)", "Confirmed (administrator)"),
        Signature::Inspected => lang.pick("検査(監査人)", "Inspected (auditor)"),
    };
    html! {
        dt { (title) }
        dd { bdi { (signed.by) } " " (moment(signed.time)) @if !signed.remark.is_empty() { br; (foreign(&signed.remark)) } }
    }
}

fn sign_form(visitor: &Visitor, shown: &ShownJournal, signature: &str, text: &str) -> Markup {
    let lang = visitor.lang;
    let field = format!("remark-{signature}");
    html! {
        form.no-print method="post" action="/journal/signatures" {
            (form_token(visitor))
            input type="hidden" name="day" value=(day_text(shown.journal.day));
            input type="hidden" name="as" value=(signature);
            label for=(field) { (lang.pick("所見(なくてもよい)", "Remark (may be left out)")) }
            input id=(field) type="text" name="remark" maxlength=(REMARK_CHARACTERS_MAX);
            div.actions { button type="submit" { (text) } }
        }
    }
}

fn items(journal: &Journal, lang: Lang) -> Markup {
    html! {
        section.sheet {
            h2 { (lang.pick("① ログイン・ログアウト", "① Log-ins and log-outs")) }
            @if journal.sessions.is_empty() { (none(lang)) } @else { (sessions(&journal.sessions, lang)) }
        }
        @for (title, lines) in [
            (lang.pick("② 設定の変更", "② Changes of settings"), &journal.settings),
            (lang.pick("③ ログの保存", "③ Storage of logs"), &journal.logs),
            (lang.pick("④ バックアップ", "④ Backups"), &journal.backups),
            (lang.pick("⑤ エラー・報告すべき事象と是正処置", "⑤ Errors, events to report, and what was done"), &journal.errors),
        ] {
            section.sheet { h2 { (title) } (lines_of(lines, lang)) }
        }
        section.sheet {
            h2 { (lang.pick("作業の件数", "Work of the day")) }
            @if journal.work.is_empty() { (none(lang)) } @else { (work(journal, lang)) }
        }
    }
}

fn none(lang: Lang) -> Markup {
    html! { p.empty { (lang.pick("なし", "None")) } }
}

fn sessions(spans: &[SessionSpan], lang: Lang) -> Markup {
    html! { div.scroll { table {
        thead { tr { th scope="col" { (lang.pick("誰が", "Who")) } th scope="col" { (lang.pick("どこから", "From where")) } th scope="col" { (lang.pick("ログイン", "Log-in")) } th scope="col" { (lang.pick("ログアウト", "Log-out")) } } }
        tbody { @for span in spans.iter().take(LINES_SHOWN) { tr {
            td { bdi { (span.person) } } td { (span.client) }
            td { @match span.begun { Some(at) => { (moment(at)) } None => { (lang.pick("前日以前", "a day before")) } } }
            td { @match span.ended { Some(at) => { (moment(at)) } None => { (lang.pick("なし(継続または自動終了)", "none (went on, or ended by itself)")) } } }
        } } }
    } } (more(spans.len(), lang)) }
}

fn lines_of(lines: &[JournalLine], lang: Lang) -> Markup {
    html! {
        @if lines.is_empty() { (none(lang)) } @else { div.scroll { table {
            thead { tr { th scope="col" { (lang.pick("時刻", "When")) } th scope="col" { (lang.pick("誰が", "Who")) } th scope="col" { (lang.pick("内容", "What")) } } }
            tbody { @for line in lines.iter().take(LINES_SHOWN) { tr {
                td { (moment(line.time)) }
                td { @if line.by.is_empty() { (lang.pick("文蔵", "Fumikura")) } @else { bdi { (line.by) } } }
                td { (foreign(lang.pick(&line.ja, &line.en))) }
            } } }
        } } (more(lines.len(), lang)) }
    }
}

fn work(journal: &Journal, lang: Lang) -> Markup {
    html! { div.scroll { table {
        thead { tr {
            th scope="col" { (lang.pick("操作", "Act")) } th.number scope="col" { (lang.pick("実行", "Done")) }
            th.number scope="col" { (lang.pick("権限なし", "Denied")) } th.number scope="col" { (lang.pick("失敗", "Failed")) }
        } }
        tbody { @for one in &journal.work { tr {
            td { (Act::from_code(&one.act).map_or(one.act.as_str(), |act| act.title(lang))) }
            td.number { (number(one.done)) } td.number { (number(one.denied)) } td.number { (number(one.failed)) }
        } } }
    } } }
}

fn notes(visitor: &Visitor, shown: &ShownJournal) -> Markup {
    let lang = visitor.lang;
    html! {
        section.sheet {
            h2 { (lang.pick("記入と追記", "Notes")) }
            (lines_of(&shown.standing.notes, lang))
            @if visitor.may(Right::AnswerEvents) {
                form.no-print method="post" action="/journal/notes" {
                    (form_token(visitor))
                    input type="hidden" name="day" value=(day_text(shown.journal.day));
                    label for="text" { (lang.pick("この日の日誌に書く", "Write into the journal of this day")) }
                    textarea #text name="text" rows="2" maxlength=(REMARK_CHARACTERS_MAX) required {}
                    div.actions { button.plain type="submit" { (lang.pick("書き留める", "Write down")) } }
                }
            }
        }
    }
}

fn list(days: &[(Date, Standing)], lang: Lang) -> Markup {
    html! {
        section.sheet.no-print {
            h2 { (lang.pick("これまでの日誌", "Journals")) }
            @if days.is_empty() { (none(lang)) } @else { div.scroll { table {
                thead { tr { th scope="col" { (lang.pick("日", "Day")) } th scope="col" { (lang.pick("締め", "Closed")) } th scope="col" { (lang.pick("確認", "Confirmed")) } th scope="col" { (lang.pick("検査", "Inspected")) } } }
                tbody { @for (day, standing) in days { (day_row(*day, standing, lang)) } }
            } } }
        }
    }
}

fn day_row(day: Date, standing: &Standing, lang: Lang) -> Markup {
    let day = day_text(day);
    let mark = |is: bool| {
        html! { @if is { span.tag.good { (lang.pick("済", "yes")) } } @else { span.tag { (lang.pick("未", "not yet")) } } }
    };
    html! { tr {
        td { a href={ "/journal?day=" (day) } { (day) } }
        td { (mark(standing.closed.is_some())) }
        td { (mark(standing.is_signed(Signature::Confirmed))) }
        td { (mark(standing.is_signed(Signature::Inspected))) }
    } }
}

async fn note(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(form): Form<NoteForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let text = form.text.clone();
    done(&desk, &visitor, &form.day, move |desk, actor, day| {
        desk.note_journal(actor, day, &text)
    })
    .await
}

async fn sign(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Form(form): Form<SignForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let (signature, remark) = (form.signature, form.remark.clone());
    done(&desk, &visitor, &form.day, move |desk, actor, day| {
        desk.sign_journal(actor, day, signature, &remark)
    })
    .await
}

async fn done(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    day: &str,
    act: impl FnOnce(&Desk, &Actor, Date) -> Result<(), Refusal> + Send + 'static,
) -> Result<Response, Response> {
    let (actor, given) = (visitor.actor.clone(), day.to_owned());
    let result = blocking(desk, visitor.lang, move |desk| {
        act(desk, &actor, asked_day(&given)?)
    })
    .await;
    match result {
        Ok(()) => Ok(Redirect::to(&format!("/journal?day={day}")).into_response()),
        Err(problem) if problem.status == 422 && parse_day(day).is_some() => {
            page(desk, visitor, day, Some(&problem)).await
        }
        Err(problem) => Err(visitor.failed(&problem)),
    }
}

/// Says how many lines are not on the page.
fn more(count: usize, lang: Lang) -> Markup {
    let left = u64::try_from(count.saturating_sub(LINES_SHOWN)).unwrap_or_default();
    html! { @if left > 0 { p.hint { (lang.pick("ほかに ", "And ")) (number(left)) (lang.pick(" 行。締めた記録にはすべてあります。", " more lines; the record of the closed day has all.")) } } }
}

/// Lines of an item on the page; a day of an attack has many.
const LINES_SHOWN: usize = 500;

/// Journals in the list: a quarter.
const DAYS_LISTED: usize = 92;
