//! The pages around a log-in by a provider, while there is none or it is down; `tests/openid` goes through a real one.

use std::net::TcpListener;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use firmware::clock::SimulatedClock;
use firmware::entropy::SeededEntropy;
use http_body_util::BodyExt;
use tower::ServiceExt;
use zeroize::Zeroizing;

use crate::api::fixture::{HERE, Hall, NOW};
use crate::config::{OpenidConfig, SecretPlace};
use crate::https::Peer;
use crate::openid::{OpenidProvider, ProviderParts};

/// A provider at a port where nobody listens.
fn gone() -> OpenidProvider {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let root = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = OpenidConfig {
        issuer: format!("https://{}", port.unwrap()),
        client_id: "fumikura".to_owned(),
        client_secret: SecretPlace::Credential("openid".to_owned()),
        public_url: "https://archive.example".to_owned(),
        label: "<b>Example</b>".to_owned(),
        scopes: Vec::new(),
        account_claim: "sub".to_owned(),
        acr: Vec::new(),
        amr: Vec::new(),
        tls_roots: None,
        clock_skew_seconds: 60,
    };
    let parts = ProviderParts {
        config,
        secret: Zeroizing::new("secret".to_owned()),
        tls_roots: &[root.cert.der().to_vec()],
        clock: Arc::new(SimulatedClock::new(NOW)),
        entropy: Arc::new(SeededEntropy::new(1)),
    };
    OpenidProvider::new(parts).unwrap()
}

/// Status, whether a cookie of a session was set, and the page.
async fn ask(hall: &Hall, path: &str) -> (u16, bool, String) {
    let router = crate::api::guarded(crate::web::router(Arc::clone(&hall.desk)));
    let request = Request::builder()
        .uri(path)
        .header(header::COOKIE, "fumikura-lang=en");
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer {
        address: (HERE, 40_000).into(),
        certificate: None,
    });
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let cookies = response.headers().get_all(header::SET_COOKIE);
    let has_session = cookies
        .iter()
        .any(|one| one.as_bytes().starts_with(b"__Host-fumikura="));
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (status, has_session, text)
}

const BACK: &str = "/login/openid/callback?state=x&code=y";

#[tokio::test]
async fn without_a_provider_there_is_no_such_way_in() {
    let (hall, _) = Hall::founded();
    let (status, _, page) = ask(&hall, "/login").await;
    assert_eq!(status, 200);
    assert!(!page.contains("/login/openid"), "{page}");
    for path in ["/login/openid", BACK] {
        let (status, has_session, _) = ask(&hall, path).await;
        assert_eq!((status, has_session), (404, false), "{path}");
    }
}

#[tokio::test]
async fn while_the_provider_is_down_the_page_says_so_and_asks_for_the_password() {
    let (hall, _) = Hall::founded_with(Some(gone()));
    let (_, _, page) = ask(&hall, "/login").await;
    assert!(page.contains("href=\"/login/openid\""), "{page}");
    assert!(
        page.contains("Log in with &lt;b&gt;Example&lt;/b&gt;"),
        "{page}"
    );
    let (status, has_session, page) = ask(&hall, "/login/openid").await;
    assert_eq!((status, has_session), (503, false));
    assert!(page.contains("cannot be reached"), "{page}");
    assert!(page.contains("name=\"password\""), "{page}");
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_lets_nobody_in_and_many_of_them_are_stopped() {
    let (hall, _) = Hall::founded_with(Some(gone()));
    let twice = "/login/openid/callback?state=x&state=y&code=z";
    for path in [BACK, "/login/openid/callback", twice] {
        let (status, has_session, page) = ask(&hall, path).await;
        assert_eq!((status, has_session), (401, false), "{path}");
        assert!(page.contains("begin it again"), "{page}");
    }
    for _ in 3..30 {
        let (status, _, _) = ask(&hall, BACK).await;
        assert_eq!(status, 401);
    }
    let (status, _, _) = ask(&hall, BACK).await;
    assert_eq!(status, 429);
}
