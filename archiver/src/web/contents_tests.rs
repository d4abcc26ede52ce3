//! Contents in the pages: shown, fetched together, judged.

use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt;

use super::tests::{HOSTILE, ask, check, form_token, multipart, page, post};
use crate::api::fixture::Hall;

/// Deposits files of these contents and gives the ids of their records.
async fn deposited(hall: &Hall, files: &[(&str, &str)]) -> Vec<String> {
    let token = form_token(hall, "depositor");
    let mut parts = vec![
        ("form_token", None, token.as_str()),
        ("class", None, "general"),
    ];
    parts.extend(
        files
            .iter()
            .map(|(name, content)| ("files", Some(*name), *content)),
    );
    let (kind, body) = multipart(&parts);
    let (status, html) = post(hall, "depositor", "/deposit", &kind, body).await;
    assert_eq!(status, 200, "{html}");
    let places = html.split("/records/").skip(1);
    let ids = places.filter_map(|rest| rest.split('/').next());
    ids.map(str::to_owned).collect()
}

/// Asks for the preview of the first content of a record.
async fn shown(hall: &Hall, record: &str, purpose: &str) -> (Response<Body>, String) {
    let token = form_token(hall, "retriever");
    let body = super::text::query_of(&[("form_token", &token), ("purpose", purpose)]);
    let session = &hall.tokens["retriever"];
    let request = Request::builder()
        .method("POST")
        .uri(format!("/records/{record}/1/objects/0/preview"))
        .header(
            header::COOKIE,
            format!("__Host-fumikura={session}; fumikura-lang=en"),
        )
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = ask(hall, request.body(Body::from(body)).unwrap()).await;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (Response::from_parts(parts, Body::empty()), text)
}

#[tokio::test]
async fn contents_are_shown_to_those_who_say_what_for() {
    let hall = Hall::with_everybody().await;
    let invoice = crate::preview::invoice::tests::small().replace("紙", "<紙>");
    let invoice = invoice.replace("<紙>", "紙 &lt;script&gt;");
    let hostile = format!("<html><body onload=\"x\">{HOSTILE}</body></html>");
    let files = [
        ("invoice.xml", invoice.as_str()),
        ("page.html", hostile.as_str()),
        ("paper.pdf", "%PDF-1.7\n%%EOF"),
        ("things.bin", "\u{1}\u{2}\u{3}\0\0\0\0"),
    ];
    let ids = deposited(&hall, &files).await;
    let [invoice, html, pdf, binary] = ids.as_slice() else {
        panic!("{ids:?}");
    };

    let (response, text) = shown(&hall, invoice, "  ").await;
    assert_eq!(response.status(), 422, "{text}");
    assert!(!text.contains("1,100"));

    let (response, text) = shown(&hall, invoice, "dispute").await;
    assert_eq!(response.status(), 200);
    check(&text, "invoice");
    for part in [
        "株式会社青空",
        "1,100",
        "standard rate",
        "紙 &lt;script&gt;",
        "Amount due",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let (_, text) = shown(&hall, html, "dispute").await;
    let text = text.replace("&lt;body onload=", "");
    check(&text, "text");
    assert!(
        text.contains("&lt;script&gt;alert(1)") && !text.contains('\u{202e}'),
        "{text}"
    );

    let (response, text) = shown(&hall, pdf, "dispute").await;
    assert_eq!(text, "%PDF-1.7\n%%EOF");
    let headers = response.headers();
    assert_eq!(headers[header::CONTENT_TYPE], "application/pdf");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("script"),
        "{policy}"
    );
    let place = headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(
        place.starts_with("inline; filename=\"paper.pdf\""),
        "{place}"
    );

    let (response, text) = shown(&hall, binary, "dispute").await;
    assert_eq!(response.status(), 200);
    assert!(text.contains("cannot be shown here"), "{text}");

    let (_, trail) = page(&hall, "auditor", "/audit?act=record.retrieve", "en").await;
    assert_eq!(trail.matches("dispute").count(), 4, "{trail}");
    let (_, facts) = page(&hall, "retriever", &format!("/records/{binary}"), "en").await;
    assert!(!facts.contains("/preview\""), "{facts}");
}

/// A form of the retriever, sent to a path; the status and the bytes of the answer.
pub(super) async fn sent(hall: &Hall, name: &str, path: &str, purpose: &str) -> (u16, Vec<u8>) {
    let token = form_token(hall, name);
    let body = super::text::query_of(&[("form_token", &token), ("purpose", purpose)]);
    let session = &hall.tokens[name];
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header(
            header::COOKIE,
            format!("__Host-fumikura={session}; fumikura-lang=en"),
        )
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = ask(hall, request.body(Body::from(body)).unwrap()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, bytes.to_vec())
}

#[tokio::test]
async fn everything_that_a_search_finds_comes_in_one_file_with_a_table() {
    let hall = Hall::with_everybody().await;
    let files = [
        ("a.txt", "first"),
        ("b.txt", "second"),
        ("other.txt", "third"),
    ];
    deposited(&hall, &files).await;

    let (status, _) = sent(&hall, "retriever", "/search.zip?go=1", " ").await;
    assert_eq!(status, 422);
    let (status, _) = sent(&hall, "auditor", "/search.zip?go=1", "curiosity").await;
    assert_eq!(status, 403);

    let (status, bytes) = sent(&hall, "retriever", "/search.zip?go=1", "tax audit").await;
    assert_eq!(status, 200);
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(zip.len(), 4);
    let mut contents = Vec::new();
    for place in 0..3 {
        let mut member = zip.by_index(place).unwrap();
        let mut content = String::new();
        std::io::Read::read_to_string(&mut member, &mut content).unwrap();
        contents.push((
            member
                .name()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned(),
            content,
        ));
    }
    contents.sort();
    let expected = files.map(|(name, content)| (name.to_owned(), content.to_owned()));
    assert_eq!(contents, expected);
    let mut index = String::new();
    let mut member = zip.by_name("index.csv").unwrap();
    std::io::Read::read_to_string(&mut member, &mut index).unwrap();
    assert_eq!(index.trim_end().lines().count(), 4, "{index}");
    // SHA-256 of `first`.
    assert!(
        index.contains("a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e"),
        "{index}"
    );

    let (status, bytes) = sent(&hall, "retriever", "/search.zip?text=other&go=1", "again").await;
    assert_eq!(status, 200);
    let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(zip.len(), 2);
    let (_, trail) = page(&hall, "auditor", "/audit?act=search.retrieve", "en").await;
    for purpose in ["tax audit", "again"] {
        assert!(trail.contains(purpose), "{trail}");
    }
}

#[tokio::test]
async fn what_is_no_evidence_is_a_verdict_and_not_an_error() {
    let hall = Hall::with_everybody().await;
    let (_, html) = page(&hall, "inspector", "/judge", "ja").await;
    check(&html, "/judge");
    assert_eq!(page(&hall, "depositor", "/judge", "en").await.0, 403);
    let token = form_token(&hall, "retriever");
    for content in ["", "PK\u{3}\u{4} not a container", "0\u{3}\u{2}\u{1}\u{1}"] {
        let (kind, body) = multipart(&[
            ("form_token", None, &token),
            ("package", Some("<script>x.asice"), content),
        ]);
        let (status, html) = post(&hall, "retriever", "/judge", &kind, body).await;
        assert_eq!(status, 200, "{content:?}: {html}");
        assert!(
            !html.contains("<script>x") && html.contains("&lt;script&gt;x"),
            "{html}"
        );
        assert!(
            html.contains("INDETERMINATE /") || html.contains("TOTAL-FAILED /"),
            "{content:?}: {html}"
        );
    }
    let (kind, body) = multipart(&[
        ("package", Some("a.asice"), "x"),
        ("form_token", None, &token),
    ]);
    let (status, _) = post(&hall, "retriever", "/judge", &kind, body).await;
    assert_eq!(status, 403, "the token stands before the file");
    let (kind, body) = multipart(&[("form_token", None, &token)]);
    let (status, _) = post(&hall, "retriever", "/judge", &kind, body).await;
    assert!((400..500).contains(&status), "{status}");
}

#[tokio::test]
async fn what_an_invoice_says_of_itself_is_read_before_it_is_deposited() {
    let hall = Hall::with_everybody().await;
    let token = form_token(&hall, "depositor");
    let invoice = crate::preview::invoice::tests::small();
    let read = async |parts: &[(&str, Option<&str>, &str)]| {
        let (kind, body) = multipart(parts);
        post(&hall, "depositor", "/deposit/read", &kind, body).await
    };
    let head = ("form_token", None, token.as_str());
    let class = ("class", None, "general");
    let (status, json) = read(&[head, class, ("file", Some("a.xml"), &invoice)]).await;
    assert_eq!(status, 200, "{json}");
    let fields: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = [
        ("date", "2026-04-01"),
        ("amount", "1100"),
        ("currency", "JPY"),
        ("number", "A-7"),
    ];
    for (name, value) in expected {
        assert_eq!(fields[name], value, "{json}");
    }
    let (status, json) = read(&[head, class, ("file", Some("a.xml"), "<a/>")]).await;
    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["date"],
        serde_json::Value::Null
    );
    let (status, _) = read(&[("file", Some("a.xml"), &invoice), head]).await;
    assert_eq!(status, 403, "the token stands before the file");
    let large = "x".repeat(5 * 1024 * 1024);
    let (status, _) = read(&[head, class, ("file", Some("a.xml"), &large)]).await;
    assert!((400..500).contains(&status), "{status}");
    let (status, facts) = page(&hall, "retriever", "/search?go=1", "en").await;
    assert!(
        status == 200 && facts.contains("Nothing matches"),
        "{facts}"
    );
}
