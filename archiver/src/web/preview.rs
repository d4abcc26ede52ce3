//! A content before the eyes: invoices, text and images in a page, PDF by the browser's own viewer. It counts as fetching: a purpose is asked for, and kept.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use formats::id::VersionId;
use maud::{Markup, PreEscaped, html};

use super::frame::{Frame, form_token};
use super::invoice::invoice;
use super::record::PurposeForm;
use super::text::{bytes, foreign, number, visible};
use super::visitor::{Member, Visitor};
use crate::acts::{Desk, OpenedObject, Purpose, Refusal};
use crate::api::{blocking, download, inline, version_id};
use crate::cli::lang::Lang;
use crate::preview::{Preview, Text, Way, preview, way};

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route(
        "/records/{record}/{version}/objects/{object}/preview",
        post(show),
    )
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Member(visitor): Member,
    Path((record, version, object)): Path<(String, String, String)>,
    Form(form): Form<PurposeForm>,
) -> Result<Response, Response> {
    visitor.check(&form.form_token)?;
    let lang = visitor.lang;
    let lost = || visitor.refused(&Refusal::NotFound);
    let version = version_id(&record, &version).ok_or_else(lost)?;
    let number: u32 = object.parse().map_err(|_| lost())?;
    let actor = visitor.actor.clone();
    let purpose = form.purpose.clone();
    let opened = blocking(&desk, lang, move |desk| {
        desk.open_object(&actor, (version, number), Purpose(&purpose))
    });
    let opened = opened.await.map_err(|problem| visitor.failed(&problem))?;
    let limit = match way(&opened.media_type, opened.size) {
        Way::Viewer => return Ok(viewer(opened)),
        Way::Page(limit) => limit,
        Way::None => 0,
    };
    let (kind, size, name) = (opened.media_type.clone(), opened.size, opened.name.clone());
    let made = blocking(&desk, lang, move |_| made(&opened, limit));
    let shown = made.await.map_err(|problem| visitor.failed(&problem))?;
    let content = Content {
        version,
        number,
        name,
        kind,
        size,
        purpose: form.purpose,
    };
    Ok(page(&visitor, &content, shown.as_ref()))
}

/// What is shown.
struct Content {
    version: VersionId,
    number: u32,
    name: String,
    kind: String,
    size: u64,
    purpose: String,
}

/// The preview of a content, out of its first bytes.
fn made(opened: &OpenedObject, limit: u64) -> Result<Option<Preview>, Refusal> {
    if limit == 0 {
        return Ok(None);
    }
    let mut head = Vec::new();
    let part = (opened.size > limit).then_some(0..limit);
    opened.write(part, &mut head)?;
    Ok(preview(&opened.media_type, opened.size, head))
}

/// The content itself, for the viewer of the browser. Nothing in it can ask our pages for anything.
fn viewer(opened: OpenedObject) -> Response {
    let (name, size) = (opened.name.clone(), opened.size);
    let body: Body = download(move |output| {
        opened
            .write(None, output)
            .map_err(|error| error.to_string())
    });
    let mut response = inline("application/pdf", &name, size, body);
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(VIEWER_POLICY),
    );
    response
}

fn page(visitor: &Visitor, content: &Content, shown: Option<&Preview>) -> Response {
    let lang = visitor.lang;
    let record = content.version.record();
    let version = content.version.version();
    let matter = html! {
        p.no-print { a href={ "/records/" (record) "/" (version) } { (lang.pick("記録へ戻る", "Back to the record")) } }
        h1 { (foreign(&content.name)) }
        p.hint { (content.kind) ", " (bytes(content.size)) ", " (lang.pick("記録 ", "record ")) span.id { (record) } " v" (version) }
        @match shown {
            Some(Preview::Invoice(one, text)) => {
                (invoice(one, lang))
                details.sheet { summary { (lang.pick("預け入れたままの XML", "The XML as it was deposited")) } (lines(text, lang)) }
            }
            Some(Preview::Text(text)) => section.sheet { (lines(text, lang)) },
            Some(Preview::Image { media_type, bytes }) => figure.sheet {
                img.shown alt=(visible(&content.name)) src={ "data:" (media_type) ";base64," (PreEscaped(STANDARD.encode(bytes))) };
            },
            Some(Preview::Vast { width, height }) => p.notice.warn {
                (number(u64::from(*width))) " × " (number(u64::from(*height)))
                (lang.pick(" 画素と大きすぎるため、ここでは表示しません。取り出してから、大きな画像を扱えるソフトで開いてください。", " pixels are too many to be shown here. Fetch it and open it with a program for large images."))
            },
            None => p.notice { (lang.pick("この形式はここでは表示できません。取り出してから開いてください。", "This kind cannot be shown here. Fetch it and open it.")) },
        }
        form.no-print method="post" action={ "/records/" (record) "/" (version) "/objects/" (content.number) } data-download="yes" {
            (form_token(visitor))
            input type="hidden" name="purpose" value=(content.purpose);
            div.actions { button.plain type="submit" { (lang.pick("このファイルを取り出す", "Fetch this file")) } }
        }
    };
    let frame = Frame {
        lang,
        visitor: Some(visitor),
        place: "/search",
        title: &content.name,
        evaluation: visitor.evaluation,
    };
    frame.page(&matter).into_response()
}

fn lines(text: &Text, lang: Lang) -> Markup {
    html! {
        @if text.is_cut() { p.notice.warn { (lang.pick("始めの部分だけを表示しています。全体は取り出して確かめてください。", "Only the beginning is shown. Fetch the file for the whole.")) } }
        @if text.has_errors() { p.notice.warn { (lang.pick("文字として読めないバイトがあり、�で示しています。", "Some bytes are no text in its encoding; they are shown as �.")) } }
        pre.text tabindex="0" { @for line in text.lines() { (tabbed(line)) "\n" } }
    }
}

/// A line in which tabulators stay what they are.
fn tabbed(line: &str) -> String {
    let parts: Vec<String> = line.split('\t').map(visible).collect();
    parts.join("\t")
}

/// For the viewer's page: no script, no form, no connection, nothing embedded from elsewhere.
const VIEWER_POLICY: &str =
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_reaches_the_page() {
        assert_eq!(
            tabbed("a\tb\u{202e}c\u{1b}[2Jd"),
            "a\tb\u{fffd}c\u{fffd}[2Jd"
        );
        let text = Text::read("text/html", b"<b>&amp;</b>", true);
        let markup = lines(&text, Lang::En).into_string();
        assert!(markup.contains("&lt;b&gt;&amp;amp;&lt;/b&gt;"), "{markup}");
    }

    #[test]
    fn a_cut_text_says_so() {
        let text = Text::read("text/plain", b"a\nb\nc", false);
        assert!(
            lines(&text, Lang::En)
                .into_string()
                .contains("Only the beginning")
        );
        let text = Text::read("text/plain", b"a\nb\nc", true);
        assert!(!lines(&text, Lang::En).into_string().contains("notice"));
    }
}
