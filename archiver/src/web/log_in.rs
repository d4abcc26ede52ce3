//! Log-in, password, authenticator, language.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::frame::{Frame, alert, form_token};
use super::openid;
use super::visitor::{Bare, Visitor};
use crate::access::session::Standing;
use crate::acts::{Desk, LogIn, LoggedIn};
use crate::api::{Problem, blocking, cookie_for, cookie_gone, language};
use crate::cli::lang::Lang;
use crate::https::Peer;

/// `POST /login`
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct LogInForm {
    name: String,
    password: String,
    #[serde(default)]
    code: String,
}

/// `POST /password`
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct PasswordForm {
    form_token: String,
    old: String,
    new: String,
    again: String,
}

/// `POST /authenticator`
#[derive(Deserialize)]
struct CodeForm {
    form_token: String,
    code: String,
}

/// `POST /language`
#[derive(Deserialize)]
struct LanguageForm {
    lang: String,
    back: String,
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/login", get(show).post(enter))
        .route("/logout", post(leave))
        .route("/password", get(show_password).post(change_password))
        .route(
            "/authenticator",
            get(show_authenticator).post(confirm_authenticator),
        )
        .route("/language", post(choose_language))
}

/// How somebody came to the log-in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arrival {
    /// From a page that a session of theirs does not open any more.
    ended: Option<String>,
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Query(arrival): Query<Arrival>,
    headers: HeaderMap,
) -> Response {
    let notice = arrival.ended.map(|_| html! {
        p.notice role="status" { (language(&headers).pick(
            "セッションは終了しました。しばらく操作がなかったか、別のところでログアウトしたか、サービスが再起動しました。もう一度ログインしてください。",
            "Your session is over: nothing was done for a while, it was ended elsewhere, or the service was started anew. Log in again.")) }
    });
    log_in_form(&desk, language(&headers), ("", notice), None).into_response()
}

pub(super) fn log_in_page(
    desk: &Desk,
    lang: Lang,
    name: &str,
    problem: Option<&Problem>,
) -> Response {
    log_in_form(desk, lang, (name, None), problem)
}

fn log_in_form(
    desk: &Desk,
    lang: Lang,
    (name, notice): (&str, Option<Markup>),
    problem: Option<&Problem>,
) -> Response {
    let title = lang.pick("ログイン", "Log in");
    let wants_code = problem.is_some_and(|problem| problem.code == "code-wanted");
    let frame = Frame {
        lang,
        visitor: None,
        place: "/login",
        title,
        evaluation: desk.archive().notice().is_some(),
    };
    let matter = html! {
        div.narrow.sheet {
            h1 { (title) }
            @if let Some(notice) = notice { (notice) }
            @if !wants_code { (alert(problem)) (openid::button(desk, lang)) }
            form method="post" action="/login" {
                label for="name" { (lang.pick("アカウント名", "Account")) }
                input #name type="text" name="name" value=(name) autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus[name.is_empty()];
                label for="password" { (lang.pick("パスワード", "Password")) }
                input #password type="password" name="password" autocomplete="current-password" required autofocus[!name.is_empty() && !wants_code];
                label for="code" { (lang.pick("確認コード(認証アプリの 6 桁)", "Code of your authenticator (six digits)")) }
                input #code type="text" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6" aria-describedby="code-hint";
                p.hint #code-hint { (lang.pick("初めてのログインでは空のままにしてください。", "Leave it empty at your first log-in.")) }
                @if wants_code { (alert(problem)) }
                div.actions { button type="submit" { (title) } }
            }
        }
    };
    let status = match problem {
        Some(problem) => StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNAUTHORIZED),
        None => StatusCode::OK,
    };
    (status, frame.page(&matter)).into_response()
}

async fn enter(
    State(desk): State<Arc<Desk>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(form): Form<LogInForm>,
) -> Response {
    let lang = language(&headers);
    let client = peer.address.ip();
    let name = form.name.clone();
    let logged_in = blocking(&desk, lang, move |desk| {
        desk.log_in(LogIn {
            name: &form.name,
            password: &form.password,
            code: Some(&form.code),
            client,
        })
    })
    .await;
    match logged_in {
        Ok(logged_in) => go_on(&logged_in),
        Err(problem) => log_in_page(&desk, lang, &name, Some(&problem)),
    }
}

/// To what a session is for, with its cookie.
fn go_on(logged_in: &LoggedIn) -> Response {
    let place = match logged_in.session.standing {
        Standing::Full => "/",
        Standing::MustChangePassword => "/password",
        Standing::MustSetSecondFactor => "/authenticator",
    };
    let mut response = Redirect::to(place).into_response();
    if let Some(cookie) = cookie_for(&logged_in.token) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn leave(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Form(form): Form<Bare>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let (token, client) = (visitor.token.clone(), visitor.actor.client);
    let left = blocking(&desk, visitor.lang, move |desk| {
        desk.log_out(&token, client)
    })
    .await;
    left.map_err(|problem| visitor.failed(&problem))?;
    let mut response = Redirect::to("/login").into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, cookie_gone());
    Ok(response)
}

async fn show_password(visitor: Visitor) -> Response {
    password_page(&visitor, None)
}

fn password_page(visitor: &Visitor, problem: Option<&Problem>) -> Response {
    let lang = visitor.lang;
    let title = lang.pick("パスワードの変更", "Change your password");
    let matter = html! {
        div.narrow.sheet {
            h1 { (title) }
            @if visitor.session.standing == Standing::MustChangePassword && problem.is_none() {
                p.notice { (lang.pick("最初のパスワードは、ご本人だけが知るものに変えてください。", "Replace the first password by one that only you know.")) }
            }
            (alert(problem))
            form method="post" action="/password" {
                (form_token(visitor))
                label for="old" { (lang.pick("今のパスワード", "Password so far")) }
                input #old type="password" name="old" autocomplete="current-password" required;
                label for="new" { (lang.pick("新しいパスワード", "New password")) }
                input #new type="password" name="new" autocomplete="new-password" required aria-describedby="rules";
                p.hint #rules { (lang.pick(
                    "推測されにくい長いものにしてください。英大文字・小文字・数字・記号を混ぜます。名前、よくある言葉、以前のパスワードは使えません。",
                    "Long and hard to guess, with capital and small letters, digits and signs; no names, no common words, none that you used before.")) }
                label for="again" { (lang.pick("新しいパスワード(もう一度)", "New password, again")) }
                input #again type="password" name="again" autocomplete="new-password" required;
                div.actions { button type="submit" { (lang.pick("変更する", "Change")) } }
            }
        }
    };
    page(visitor, title, &matter, problem)
}

async fn change_password(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Form(form): Form<PasswordForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let lang = visitor.lang;
    if form.new != form.again {
        let text = lang.pick(
            "新しいパスワードが二つで違います",
            "the two new passwords differ",
        );
        let problem = Problem::new(422, "password-refused", text.to_owned());
        return Ok(password_page(&visitor, Some(&problem)));
    }
    let (actor, session) = (visitor.actor.clone(), visitor.session.clone());
    let changed = blocking(&desk, lang, move |desk| {
        desk.change_password((&actor, &session), &form.old, &form.new)
    })
    .await;
    Ok(match changed {
        Ok(logged_in) => go_on(&logged_in),
        Err(problem) => password_page(&visitor, Some(&problem)),
    })
}

async fn show_authenticator(State(desk): State<Arc<Desk>>, visitor: Visitor) -> Response {
    authenticator_page(&desk, &visitor, None).await
}

async fn authenticator_page(
    desk: &Arc<Desk>,
    visitor: &Visitor,
    problem: Option<&Problem>,
) -> Response {
    let lang = visitor.lang;
    let (actor, standing) = (visitor.actor.clone(), visitor.session.standing);
    let shown = blocking(desk, lang, move |desk| {
        desk.show_authenticator(&actor, standing)
    })
    .await;
    let Ok((address, secret)) = shown else {
        return Redirect::to("/").into_response();
    };
    let title = lang.pick("認証アプリの登録", "Set up your authenticator");
    let matter = html! {
        div.narrow.sheet {
            h1 { (title) }
            (alert(problem))
            ol {
                li { (lang.pick("スマートフォンの認証アプリ(Google Authenticator、Microsoft Authenticator など)でこの図を読み取ります。",
                    "Scan this picture with an authenticator on your phone (Google Authenticator, Microsoft Authenticator, or the like).")) }
                li { (lang.pick("アプリに出る 6 桁の数字を下に入れます。", "Enter the six digits that it shows.")) }
            }
            (code_picture(&address, lang))
            details {
                summary { (lang.pick("読み取れないとき", "If it cannot be scanned")) }
                p { (lang.pick("アプリにこの文字列を入力してください:", "Type this into the app:")) }
                p.id #secret { (secret.as_str()) }
            }
            form method="post" action="/authenticator" {
                (form_token(visitor))
                label for="code" { (lang.pick("確認コード", "Code")) }
                input #code type="text" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6" required autofocus;
                div.actions { button type="submit" { (lang.pick("登録する", "Set up")) } }
            }
        }
    };
    page(visitor, title, &matter, problem)
}

/// The QR code of an address, drawn for this page alone.
fn code_picture(address: &str, lang: Lang) -> Markup {
    let Ok(code) = qrcode::QrCode::new(address.as_bytes()) else {
        return html! {};
    };
    let width = code.width();
    let dark = code.to_colors();
    let cells: String = dark
        .chunks(width.max(1))
        .enumerate()
        .flat_map(|(y, row)| {
            let dark = row
                .iter()
                .enumerate()
                .filter(|(_, cell)| **cell == qrcode::Color::Dark);
            dark.map(move |(x, _)| format!("M{x} {y}h1v1h-1z"))
        })
        .collect();
    let label = lang.pick("認証アプリで読み取る図", "Picture for the authenticator");
    let head = format!(
        "<svg class=\"code\" role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {width} {width}\" xmlns=\"http://www.w3.org/2000/svg\">"
    );
    PreEscaped(format!(
        "{head}<path fill=\"#000000\" d=\"{cells}\"/></svg>"
    ))
}

async fn confirm_authenticator(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Form(form): Form<CodeForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let (actor, session) = (visitor.actor.clone(), visitor.session.clone());
    let confirmed = blocking(&desk, visitor.lang, move |desk| {
        desk.confirm_authenticator((&actor, &session), &form.code)
    })
    .await;
    Ok(match confirmed {
        Ok(logged_in) => go_on(&logged_in),
        Err(problem) => authenticator_page(&desk, &visitor, Some(&problem)).await,
    })
}

async fn choose_language(Form(form): Form<LanguageForm>) -> Response {
    let code = match form.lang.as_str() {
        "ja" => "ja",
        _ => "en",
    };
    // Only to a page of ours: a path, and no other host's.
    let is_path = form.back.starts_with('/')
        && form
            .back
            .bytes()
            .all(|one| one.is_ascii_alphanumeric() || matches!(one, b'/' | b'-'))
        && !form.back.starts_with("//");
    let back = if is_path { form.back.as_str() } else { "/" };
    let mut response = Redirect::to(back).into_response();
    let cookie = format!("fumikura-lang={code}; Path=/; Secure; SameSite=Strict; Max-Age=31536000");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn page(visitor: &Visitor, title: &str, matter: &Markup, problem: Option<&Problem>) -> Response {
    let frame = Frame {
        lang: visitor.lang,
        visitor: None,
        place: "/login",
        title,
        evaluation: visitor.evaluation,
    };
    let status = problem.and_then(|problem| StatusCode::from_u16(problem.status).ok());
    (status.unwrap_or(StatusCode::OK), frame.page(matter)).into_response()
}
