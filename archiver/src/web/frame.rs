//! What every page has: head, navigation, notices, foot.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{CSS_PATH, JS_PATH};
use super::text::{moment, visible};
use super::visitor::Visitor;
use crate::access::Right;
use crate::api::Problem;
use crate::cli::lang::Lang;

/// What stands on a page beside its own matter.
pub(super) struct Frame<'a> {
    pub(super) lang: Lang,
    /// Nobody on the pages before the log-in.
    pub(super) visitor: Option<&'a Visitor>,
    /// Its path in the navigation.
    pub(super) place: &'a str,
    pub(super) title: &'a str,
    /// Whether this archive is a trial.
    pub(super) evaluation: bool,
}

/// The pages of the navigation: path, Japanese, English, and what it takes to see them.
const PLACES: &[(&str, &str, &str, Option<Right>)] = &[
    ("/", "ホーム", "Home", None),
    ("/deposit", "預け入れ", "Deposit", Some(Right::Deposit)),
    ("/search", "検索", "Search", Some(Right::Search)),
    ("/verification", "検証", "Verification", Some(Right::Verify)),
    (
        "/quarantine",
        "隔離",
        "Quarantine",
        Some(Right::ReadQuarantine),
    ),
    ("/jobs", "ジョブ", "Jobs", Some(Right::ReadJobs)),
    (
        "/forecast",
        "証拠の見通し",
        "Forecast",
        Some(Right::ReadJobs),
    ),
    ("/media", "媒体", "Media", Some(Right::ReadMedia)),
    ("/keys", "鍵", "Keys", Some(Right::ReadKeys)),
    ("/system", "システム", "System", Some(Right::ReadSystem)),
    (
        "/events",
        "警報と事象",
        "Alarms and events",
        Some(Right::ReadEvents),
    ),
    ("/journal", "運用日誌", "Journal", Some(Right::ReadEvents)),
    ("/people", "アカウント", "People", Some(Right::ReadPeople)),
    ("/audit", "監査証跡", "Audit trail", Some(Right::ReadAudit)),
];

impl Frame<'_> {
    /// The page around its matter.
    pub(super) fn page(&self, matter: &Markup) -> Html<String> {
        let lang = self.lang;
        let markup = html! {
            (DOCTYPE)
            html lang=(lang.pick("ja", "en")) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (visible(self.title)) " — " (lang.pick("文蔵", "Fumikura")) }
                    link rel="stylesheet" href=(CSS_PATH.as_str());
                    link rel="icon" href="data:,";
                    script src=(JS_PATH.as_str()) defer {}
                }
                body {
                    a.skip href="#main" { (lang.pick("本文へ", "Skip to content")) }
                    header.top { div.bar {
                        a.brand href="/" { "文蔵" small { "Fumikura" } }
                        @if let Some(visitor) = self.visitor { (self.navigation(visitor)) (self.who(visitor)) }
                        @else { (self.languages()) }
                    } }
                    main #main tabindex="-1" {
                        @if self.evaluation {
                            p.notice.warn role="note" { (lang.pick(
                                "評価用の保管庫です。鍵とデータが同じ装置にあるため、本番の記録を預けないでください。",
                                "This archive is for trying out: keys and data stand on one device. Keep no real records here.")) }
                        }
                        (matter)
                    }
                    footer { (lang.pick("操作はすべて監査証跡に残ります。時刻は日本時間(括弧内は UTC)です。", "Everything that is done here is on record. Times are of Japan, with UTC in brackets.")) " " a href=(super::reader::PATH) { (lang.pick("API の仕様", "API")) } }
                }
            }
        };
        Html(markup.into_string())
    }

    fn navigation(&self, visitor: &Visitor) -> Markup {
        let may = |right: &Option<Right>| right.is_none_or(|right| visitor.actor.may(right));
        html! {
            nav.main aria-label=(self.lang.pick("主なページ", "Main pages")) {
                @for (path, ja, en, right) in PLACES {
                    @if may(right) {
                        a href=(path) aria-current=[(*path == self.place).then_some("page")] { (self.lang.pick(ja, en)) }
                    }
                }
            }
        }
    }

    fn who(&self, visitor: &Visitor) -> Markup {
        let lang = self.lang;
        html! {
            div.who {
                span {
                    bdi { (visitor.actor.display_name) }
                    @if let Some(last) = visitor.session.last_login {
                        " · " (lang.pick("前回ログイン ", "last log-in ")) (moment(last))
                    }
                }
                (self.languages())
                form method="post" action="/logout" {
                    (form_token(visitor))
                    button.quiet type="submit" { (lang.pick("ログアウト", "Log out")) }
                }
            }
        }
    }

    fn languages(&self) -> Markup {
        let (code, name) = self.lang.pick(("en", "English"), ("ja", "日本語"));
        html! {
            form.who method="post" action="/language" {
                input type="hidden" name="lang" value=(code);
                input type="hidden" name="back" value=(self.place);
                button.quiet type="submit" lang=(code) { (name) }
            }
        }
    }
}

/// What a form must carry, so that no page of another site can send it.
pub(super) fn form_token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="form_token" value=(visitor.session.form_token); }
}

/// What is wrong, on a page of its own.
pub(super) fn problem_page(problem: &Problem, lang: Lang, visitor: Option<&Visitor>) -> Response {
    let title = lang.pick("できませんでした", "This was not done");
    let frame = Frame {
        lang,
        visitor,
        place: "",
        title,
        evaluation: false,
    };
    let matter = html! {
        h1 { (title) }
        p.notice.bad role="alert" { (problem.title) }
        p { a.button.plain href="/" { (lang.pick("ホームへ戻る", "Back to Home")) } }
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, frame.page(&matter)).into_response()
}

/// A notice above the matter of a page.
pub(super) fn alert(problem: Option<&Problem>) -> Markup {
    match problem {
        None => PreEscaped(String::new()),
        Some(problem) => html! { p.notice.bad role="alert" { (problem.title) } },
    }
}
